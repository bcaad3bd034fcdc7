//! Time-based one-time passwords (RFC 6238) of six digits: HMAC-SHA-1 over the number of the step of 30
//! seconds (RFC 4226 §5.3). A step's code is taken once (RFC 6238 §5.2, G6).

use std::fmt;

use openssl::{error::ErrorStack, hash::MessageDigest, pkey::PKey, sign::Signer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Seconds of one step.
const STEP: i64 = 30;
/// Steps by which the other clock may be off (RFC 6238 §5.2).
const DRIFT: i64 = 1;

/// A shared secret of 160 bits (RFC 4226 §4): never shown by `Debug`, zeroized on drop.
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// The secret of these random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 20]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 20] {
        &self.0
    }

    /// In base32 (RFC 4648 §6), as authenticator apps take it.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::new());
        // 20 bytes are four groups of five, each eight signs.
        for group in self.0.chunks(5) {
            let bits = group.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
            for place in (0..8).rev() {
                let index = usize::try_from((bits >> (5 * place)) & 31).unwrap_or(0);
                text.extend(ALPHABET.get(index).copied().map(char::from));
            }
        }
        text
    }

    /// The step after `last` whose code `given` is at `now`, if there is one. Every candidate is
    /// computed, and compared in a time that does not tell how much fits.
    ///
    /// # Errors
    /// The library's own.
    pub fn step_of(
        &self,
        given: &str,
        last: i64,
        now: OffsetDateTime,
    ) -> Result<Option<i64>, ErrorStack> {
        let here = now.unix_timestamp().div_euclid(STEP);
        let mut found = None;
        for step in here - DRIFT..=here + DRIFT {
            let code = self.code(step)?;
            let same =
                given.len() == code.len() && openssl::memcmp::eq(code.as_bytes(), given.as_bytes());
            if same && step > last {
                found = Some(step);
            }
        }
        Ok(found)
    }

    /// The code of a step: the low 31 bits at the offset that the last byte names, in six digits
    /// (RFC 4226 §5.3).
    ///
    /// # Errors
    /// The library's own.
    pub fn code(&self, step: i64) -> Result<Zeroizing<String>, ErrorStack> {
        let key = PKey::hmac(self.0.as_slice())?;
        let mut signer = Signer::new(MessageDigest::sha1(), &key)?;
        signer.update(&step.to_be_bytes())?;
        let mac = signer.sign_to_vec()?;
        let offset = usize::from(mac.last().copied().unwrap_or(0) & 15);
        let four = mac.iter().skip(offset).take(4);
        let number = four.fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) & 0x7FFF_FFFF;
        Ok(Zeroizing::new(format!("{:06}", number % 1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    // RFC 6238 appendix B (the last six of its eight digits), RFC 4226 appendix D
    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(*secret().code(seconds / 30).unwrap(), code);
            let step = secret().step_of(code, 0, at(seconds)).unwrap();
            assert_eq!(step, Some(seconds / 30), "{code}");
        }
        assert_eq!(*secret().code(0).unwrap(), "755224");
        assert_eq!(*secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(format!("{:?}", secret()), "TotpSecret(…)");
    }

    // proves G6 (a code is taken once per step)
    #[test]
    fn a_code_is_taken_once_and_one_step_late_or_early() {
        let now = at(1_111_111_111);
        let step = secret().step_of("050471", 0, now).unwrap().unwrap();
        assert_eq!(secret().step_of("050471", step, now).unwrap(), None, "used");
        for (seconds, taken) in [(-60, false), (-30, true), (30, true), (60, false)] {
            let other = now + time::Duration::seconds(seconds);
            assert_eq!(secret().step_of("050471", 0, other).unwrap().is_some(), taken);
        }
        for bad in ["", "05047", "0504711", "050472", "æøå"] {
            assert_eq!(secret().step_of(bad, 0, now).unwrap(), None, "{bad}");
        }
    }
}
