//! Dates on the command line: the day given, or today.

use time::{Date, OffsetDateTime, macros::format_description};

/// The time at which a command runs.
#[expect(clippy::disallowed_methods, reason = "a command reads the clock")]
pub(super) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Today in UTC: the default of `--at`.
pub(super) fn utc() -> Date {
    now().date()
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
