//! Dates on the command line: the day given, or today.

use time::{Date, OffsetDateTime, macros::format_description};

/// Today in UTC: the default of `--at`.
#[expect(clippy::disallowed_methods, reason = "a command reads the clock where no day is given")]
pub(super) fn utc() -> Date {
    OffsetDateTime::now_utc().date()
}

/// `YYYY-MM-DD`.
pub(super) fn parse(text: &str) -> Result<Date, time::error::Parse> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    #[test]
    fn only_whole_dates_are_dates() {
        assert_eq!(super::parse("2026-02-28").unwrap(), date!(2026 - 02 - 28));
        for text in ["2026-02-29", "2026-2-1", "260228", "", "2026-02-28x"] {
            assert!(super::parse(text).is_err(), "{text}");
        }
    }
}
