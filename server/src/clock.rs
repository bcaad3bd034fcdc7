//! Time and randomness as parameters (STYLE 29): the only place that reads the clock or the
//! system's random source.

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// The random source failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub struct EntropyError(#[from] openssl::error::ErrorStack);

/// Where random bytes come from.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`EntropyError`] if the source fails; nothing may be made of `out` then.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// OpenSSL's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        Ok(openssl::rand::rand_bytes(out)?)
    }
}

/// `N` random bytes.
///
/// # Errors
/// As [`Entropy::fill`].
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut out = [0; N];
    entropy.fill(&mut out)?;
    Ok(out)
}

/// The date in Copenhagen at `at`.
#[must_use]
pub fn copenhagen_date(at: OffsetDateTime) -> Date {
    copenhagen_time(at).date()
}

/// The date and time of day in Copenhagen at `at`: UTC+1, and UTC+2 from 01:00 UTC on the last
/// Sunday of March to 01:00 UTC on the last Sunday of October (directive 2000/84/EC).
#[must_use]
pub fn copenhagen_time(at: OffsetDateTime) -> PrimitiveDateTime {
    let hours = if is_summer(at) { 2 } else { 1 };
    let local = at.to_offset(UtcOffset::UTC) + Duration::hours(hours);
    PrimitiveDateTime::new(local.date(), local.time())
}

fn is_summer(at: OffsetDateTime) -> bool {
    let utc = at.to_offset(UtcOffset::UTC);
    match (switch(utc.year(), Month::March), switch(utc.year(), Month::October)) {
        (Some(start), Some(end)) => start <= utc && utc < end,
        _ => false,
    }
}

/// 01:00 UTC on the last Sunday of a month of 31 days.
fn switch(year: i32, month: Month) -> Option<OffsetDateTime> {
    let last = Date::from_calendar_date(year, month, 31).ok()?;
    let back = i64::from(last.weekday().number_days_from_sunday());
    let hour = Time::from_hms(1, 0, 0).ok()?;
    Some((last - Duration::days(back)).with_time(hour).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn the_day_begins_at_midnight_in_copenhagen() {
        // proves A3 and B7: the day that counts is the Danish one.
        let cases = [
            (datetime!(2026-01-31 22:59 UTC), date!(2026 - 01 - 31)),
            (datetime!(2026-01-31 23:00 UTC), date!(2026 - 02 - 01)),
            (datetime!(2026-07-31 21:59 UTC), date!(2026 - 07 - 31)),
            (datetime!(2026-07-31 22:00 UTC), date!(2026 - 08 - 01)),
            (datetime!(2026-03-29 00:59 UTC), date!(2026 - 03 - 29)),
            (datetime!(2026-10-24 22:00 UTC), date!(2026 - 10 - 25)),
            (datetime!(2026-10-25 22:30 UTC), date!(2026 - 10 - 25)),
        ];
        for (at, day) in cases {
            assert_eq!(copenhagen_date(at), day, "{at}");
        }
    }
}
