//! The QR code of a log-in: two halves that the page shows in turn (REQUIREMENTS G2, M6).
//!
//! ```text
//! half = "indrul-log-in-v1." LOG-IN "." PERIOD "." ( "1" | "2" ) "." base64url( HMAC(LOG-IN, PERIOD, half)[0..16] )
//! ```
//!
//! A period is some seconds long; an app has to bring both halves of the one that runs or the one before. So
//! a picture of the screen is worth nothing by itself, and two pictures nothing after two periods. Only the
//! browser that began gets the halves.

use super::super::keys::{KeyRing, base64url};
use crate::ids::LogInId;
use crate::seal::SealError;
use time::OffsetDateTime;

const MARK: &str = "indrul-log-in-v1";

/// Which half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Half {
    fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

/// The period that runs at `now`.
fn period(now: OffsetDateTime, seconds: u32) -> i64 {
    now.unix_timestamp().div_euclid(i64::from(seconds.max(1)))
}

fn text(keys: &KeyRing, id: LogInId, period: i64, half: Half) -> Result<String, SealError> {
    let number = half.number();
    let body = format!("{MARK}.{id}.{period}.{number}");
    let mac = keys.master().keyed_hash("log-in half", body.as_bytes())?;
    let (short, _) = mac.split_at(16);
    Ok(format!("{body}.{}", base64url(short)))
}

/// What the QR code shows of `half` at `now`.
///
/// # Errors
/// [`SealError::Cipher`] if the library fails.
pub fn shown(
    keys: &KeyRing,
    id: LogInId,
    half: Half,
    (now, seconds): (OffsetDateTime, u32),
) -> Result<String, SealError> {
    text(keys, id, period(now, seconds), half)
}

/// The log-in that a pair of halves names; nobody has proved them yet.
#[must_use]
pub fn named(halves: &[String; 2]) -> Option<LogInId> {
    halves.first()?.strip_prefix(MARK)?.strip_prefix('.')?.split('.').next()?.parse().ok()
}

/// Whether `halves` are the two of one period, in either order, and not too old at `now`.
///
/// # Errors
/// As [`shown`].
pub fn fit(
    keys: &KeyRing,
    id: LogInId,
    halves: &[String; 2],
    (now, seconds): (OffsetDateTime, u32),
) -> Result<bool, SealError> {
    let running = period(now, seconds);
    for period in [running, running - 1] {
        let [first, second] =
            [text(keys, id, period, Half::First)?, text(keys, id, period, Half::Second)?];
        let [one, other] = halves;
        let same = |a: &str, b: &str| {
            a.len() == b.len() && openssl::memcmp::eq(a.as_bytes(), b.as_bytes())
        };
        if (same(one, &first) && same(other, &second))
            || (same(one, &second) && same(other, &first))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use time::Duration;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 11:00 UTC);

    // proves G2
    #[test]
    fn both_halves_of_one_log_in_and_one_short_time_fit_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let [id, other] = [(); 2].map(|()| LogInId::random(&SystemEntropy).unwrap());
        let at = |id, seconds| {
            let now = NOW + Duration::seconds(seconds);
            [Half::First, Half::Second].map(|half| shown(&keys, id, half, (now, 10)).unwrap())
        };
        let fits = |halves: &[String; 2], seconds| {
            fit(&keys, id, halves, (NOW + Duration::seconds(seconds), 10)).unwrap()
        };
        let [first, second] = at(id, 0);
        let pair = [first.clone(), second.clone()];
        assert_eq!(named(&pair), Some(id));
        for seconds in [0, 9, 19] {
            assert!(fits(&pair, seconds), "{seconds}");
        }
        assert!(fits(&[second.clone(), first.clone()], 0), "in either order");
        assert!(!fits(&pair, 20), "relayed after two periods");
        assert!(!fits(&pair, -1), "before its time");
        assert!(!fits(&[first.clone(), first.clone()], 0), "one half twice");
        assert!(!fits(&[first.clone(), at(id, 10)[1].clone()], 10), "halves of two periods");
        assert!(!fits(&at(other, 0), 0), "another log-in's");
        assert!(!fits(&[first, String::new()], 0), "one half");
    }
}
