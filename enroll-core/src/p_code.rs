//! P-codes (A4): eight digits that an officer issues, taken at the start of an enrolment instead of a
//! CPR number. A code lives for a while, starts a few enrolments, and ends in one identity.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::{policy, reason::ReasonCode};

/// Codes there are: 10 to the number of digits (A4).
const CODES: u64 = 100_000_000;

/// A P-code in clear: never shown by `Debug`, zeroized on drop.
pub struct PCode(Zeroizing<String>);

impl fmt::Debug for PCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PCode(…)")
    }
}

impl PCode {
    /// The code of these random bytes; of 2^64 values the favoured codes have 10^-11 more.
    #[must_use]
    pub fn draw(random: [u8; 8]) -> Self {
        Self(Zeroizing::new(format!("{:08}", u64::from_be_bytes(random) % CODES)))
    }

    /// A code as a person types it, with or without spaces.
    ///
    /// # Errors
    /// `p_code.invalid`.
    pub fn parse(text: &str) -> Result<Self, ReasonCode> {
        let plain: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| *c != ' ').take(9).collect());
        let fits = plain.len() == 8 && plain.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Self(plain)) } else { Err(ReasonCode::P_CODE_INVALID) }
    }

    /// The eight digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A code that was issued. Whoever gives one that is worth nothing learns not why (A5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Issued {
    /// It can start an enrolment.
    Open {
        /// Until when.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
        /// How many it has started.
        starts: u16,
    },
    /// An identity came of it.
    Used {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

impl Issued {
    /// A new one.
    #[must_use]
    pub fn new(policy: &policy::PCodes, now: OffsetDateTime) -> Self {
        let until = now + Duration::seconds(i64::from(policy.life_s));
        Self::Open { until, starts: 0 }
    }

    /// Starts one more enrolment.
    ///
    /// # Errors
    /// `p_code.invalid` if it is too old, has started too many, or an identity came of it.
    pub fn started(self, policy: &policy::PCodes, now: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Open { until, starts } if now <= until && starts < policy.starts => {
                Ok(Self::Open { until, starts: starts + 1 })
            }
            Self::Open { .. } | Self::Used { .. } => Err(ReasonCode::P_CODE_INVALID),
        }
    }

    /// An identity comes of an enrolment that it started.
    ///
    /// # Errors
    /// `p_code.invalid` if one has come of another.
    pub fn used(self, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Open { .. } => Ok(Self::Used { at }),
            Self::Used { .. } => Err(ReasonCode::P_CODE_INVALID),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

    // proves A4 (eight digits)
    #[test]
    fn a_code_has_eight_digits_and_reads_back() {
        for (random, code) in [(0_u64, "00000000"), (42, "00000042"), (u64::MAX, "09551615")] {
            let drawn = PCode::draw(random.to_be_bytes());
            assert_eq!(drawn.expose(), code);
            let spaced = format!("{} {}", &code[..4], &code[4..]);
            assert_eq!(PCode::parse(&spaced).unwrap().expose(), code);
            assert_eq!(format!("{drawn:?}"), "PCode(…)");
        }
        for bad in ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨"] {
            assert_eq!(PCode::parse(bad).unwrap_err(), ReasonCode::P_CODE_INVALID, "{bad}");
        }
    }

    // proves A4 (60 days, 3 attempts, one successful use)
    #[test]
    fn a_code_lives_sixty_days_starts_three_and_ends_in_one() {
        let policy = policy::PCodes::default();
        let new = Issued::new(&policy, NOW);
        let last = NOW + Duration::days(60);
        assert!(new.clone().started(&policy, last).is_ok());
        assert!(new.clone().started(&policy, last + Duration::SECOND).is_err());
        let mut code = new;
        for _ in 0..3 {
            code = code.started(&policy, NOW).unwrap();
        }
        assert_eq!(code.clone().started(&policy, NOW), Err(ReasonCode::P_CODE_INVALID));
        let used = code.used(NOW).unwrap();
        assert_eq!(used.clone().used(NOW), Err(ReasonCode::P_CODE_INVALID));
        assert_eq!(used.started(&policy, NOW), Err(ReasonCode::P_CODE_INVALID));
    }
}
