//! One-time codes for activation (E3, E4): six digits, each for one authenticator and one channel,
//! kept as keyed hashes only.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::{audit::Hash, policy::Activation};

/// Codes there are: 10 to the number of digits, which is at least six (E4).
const CODES: u64 = 1_000_000;

/// A way by which a code reaches the person. Two codes by two of them are independent (E3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Text message.
    Sms,
    /// E-mail.
    Email,
    /// On paper, at a Borgercenter.
    Letter,
}

impl Channel {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Letter => "letter",
        }
    }

    /// How long a code by it lives.
    #[must_use]
    pub fn life(self, policy: &Activation) -> Duration {
        Duration::seconds(i64::from(match self {
            Self::Sms => policy.sms_s,
            Self::Email => policy.email_s,
            Self::Letter => policy.letter_s,
        }))
    }
}

/// A code in clear: never shown, zeroized on drop.
pub struct Code(Zeroizing<String>);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl Code {
    /// The code of these random bytes; of 2^64 values the favoured codes have 10^-13 more.
    #[must_use]
    pub fn draw(random: [u8; 8]) -> Self {
        Self(Zeroizing::new(format!("{:06}", u64::from_be_bytes(random) % CODES)))
    }

    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A code that was sent, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// How it was sent.
    pub channel: Channel,
    /// Keyed hash of the code with its authenticator and channel.
    pub hash: Hash,
    /// When it is worth nothing any more.
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
}

impl Issued {
    /// Whether `given` is this code's hash, in a time that does not tell where they differ.
    #[must_use]
    pub fn fits(&self, given: Hash) -> bool {
        openssl::memcmp::eq(&self.hash.0, &given.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves E4 (six digits)
    #[test]
    fn a_code_has_six_digits_whatever_is_drawn() {
        for (random, code) in
            [([0; 8], "000000"), ([0, 0, 0, 0, 0, 0, 0, 42], "000042"), ([255; 8], "551615")]
        {
            assert_eq!(Code::draw(random).expose(), code);
        }
        assert_eq!(format!("{:?}", Code::draw([0; 8])), "Code(…)");
    }

    // proves E4 (30 minutes by SMS, 48 hours on paper)
    #[test]
    fn each_channel_has_its_own_life() {
        let life = |channel: Channel| channel.life(&Activation::default());
        assert_eq!(life(Channel::Sms), Duration::minutes(30));
        assert_eq!(life(Channel::Email), Duration::hours(24));
        assert_eq!(life(Channel::Letter), Duration::hours(48));
    }
}
