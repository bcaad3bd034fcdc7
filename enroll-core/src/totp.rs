//! Time-based one-time passwords (RFC 6238) of six digits: an HMAC over the number of the step of 30
//! seconds (RFC 4226 §5.3), with SHA-1 or SHA-256 (RFC 6238 §1.2). A step's code is taken once (RFC 6238
//! §5.2, G6).

use std::fmt;

use openssl::{error::ErrorStack, hash::MessageDigest, pkey::PKey, sign::Signer};
use serde::{Deserialize, Serialize};
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
        let here = step_at(now);
        newest(given, last, here - DRIFT..=here + DRIFT, |step| self.code(step))
    }

    /// The code of a step.
    ///
    /// # Errors
    /// The library's own.
    pub fn code(&self, step: i64) -> Result<Zeroizing<String>, ErrorStack> {
        hotp(self.0.as_slice(), Algorithm::Sha1, step)
    }
}

/// The step of a moment (RFC 6238 §4.2: `T = (now - T0) / X`, with T0 = 0).
#[must_use]
pub fn step_at(now: OffsetDateTime) -> i64 {
    now.unix_timestamp().div_euclid(STEP)
}

/// Seconds that the code of `now` is still shown.
#[must_use]
pub fn seconds_left(now: OffsetDateTime) -> i64 {
    STEP - now.unix_timestamp().rem_euclid(STEP)
}

/// The hash of the HMAC (RFC 6238 §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC-SHA-1, that of RFC 4226.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
}

impl Algorithm {
    /// The algorithm of this name: `sha1`, `sha256`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn digest(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
        }
    }
}

/// Shortest and longest seed, bytes: at least 128 bits (RFC 4226 §4 R6), at most a block of the hash.
const SEED: std::ops::RangeInclusive<usize> = 16..=64;

/// The secret of a code device, with its algorithm: never shown by `Debug`, zeroized on drop.
pub struct Seed {
    algorithm: Algorithm,
    key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({:?}, …)", self.algorithm)
    }
}

impl Seed {
    /// The seed of these bytes; `None` unless there are 16 to 64.
    #[must_use]
    pub fn new(algorithm: Algorithm, key: Zeroizing<Vec<u8>>) -> Option<Self> {
        SEED.contains(&key.len()).then_some(Self { algorithm, key })
    }

    /// The bytes to seal: the algorithm's name, a line's end, the key.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        let name: &[u8] = match self.algorithm {
            Algorithm::Sha1 => b"sha1\n",
            Algorithm::Sha256 => b"sha256\n",
        };
        Zeroizing::new([name, &self.key].concat())
    }

    /// What [`Seed::expose`] gave.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (name, key) = bytes.split_at_checked(end)?;
        let algorithm = Algorithm::named(std::str::from_utf8(name).ok()?)?;
        Self::new(algorithm, Zeroizing::new(key.get(1..)?.to_vec()))
    }

    /// The code of a step.
    ///
    /// # Errors
    /// The library's own.
    pub fn code(&self, step: i64) -> Result<Zeroizing<String>, ErrorStack> {
        hotp(&self.key, self.algorithm, step)
    }

    /// The step after `last` whose code `given` is, at most `window` steps from one of `near`. Every candidate is
    /// computed, and compared in a time that does not tell how much fits.
    ///
    /// # Errors
    /// The library's own.
    pub fn step_of(
        &self,
        given: &str,
        last: i64,
        (near, window): (&[i64], i64),
    ) -> Result<Option<i64>, ErrorStack> {
        let steps = near.iter().flat_map(|here| here - window..=here + window);
        newest(given, last, steps, |step| self.code(step))
    }
}

impl Seed {
    /// The step whose code `second` is, where `first` is that of the step before (RFC 4226 §7.4: a wide window is
    /// for a sequence of codes): both after `last`, the second at most `window` steps from `here`. Every candidate
    /// is computed.
    ///
    /// # Errors
    /// The library's own.
    pub fn step_of_two(
        &self,
        (first, second): (&str, &str),
        last: i64,
        (here, window): (i64, i64),
    ) -> Result<Option<i64>, ErrorStack> {
        let mut found = None;
        for step in here - window..=here + window {
            let [one, other] = [(first, step - 1), (second, step)].map(|(given, step)| {
                self.code(step).map(|code| {
                    given.len() == code.len()
                        && openssl::memcmp::eq(code.as_bytes(), given.as_bytes())
                })
            });
            if one? & other? && step - 1 > last {
                found = Some(step);
            }
        }
        Ok(found)
    }
}

/// The newest of `steps` after `last` whose code `given` is.
fn newest(
    given: &str,
    last: i64,
    steps: impl Iterator<Item = i64>,
    code: impl Fn(i64) -> Result<Zeroizing<String>, ErrorStack>,
) -> Result<Option<i64>, ErrorStack> {
    let mut found = None;
    for step in steps {
        let code = code(step)?;
        let same =
            given.len() == code.len() && openssl::memcmp::eq(code.as_bytes(), given.as_bytes());
        if same && step > last {
            found = found.max(Some(step));
        }
    }
    Ok(found)
}

/// The low 31 bits at the offset that the last byte names, in six digits (RFC 4226 §5.3).
fn hotp(key: &[u8], algorithm: Algorithm, counter: i64) -> Result<Zeroizing<String>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(algorithm.digest(), &key)?;
    signer.update(&counter.to_be_bytes())?;
    let mac = Zeroizing::new(signer.sign_to_vec()?);
    let offset = usize::from(mac.last().copied().unwrap_or(0) & 15);
    let four = mac.iter().skip(offset).take(4);
    let number = four.fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) & 0x7FFF_FFFF;
    Ok(Zeroizing::new(format!("{:06}", number % 1_000_000)))
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

    fn seed(algorithm: Algorithm, key: &[u8]) -> Seed {
        Seed::new(algorithm, Zeroizing::new(key.to_vec())).unwrap()
    }

    // RFC 6238 appendix B, both hashes (the last six of its eight digits); RFC 4226 appendix D
    #[test]
    fn a_device_shows_the_codes_of_the_standards() {
        let sha1 = seed(Algorithm::Sha1, b"12345678901234567890");
        let sha256 = seed(Algorithm::Sha256, b"12345678901234567890123456789012");
        for (seconds, one, other) in [
            (59, "287082", "119246"),
            (1_111_111_109, "081804", "084774"),
            (1_111_111_111, "050471", "062674"),
            (1_234_567_890, "005924", "819424"),
            (2_000_000_000, "279037", "698825"),
            (20_000_000_000, "353130", "737706"),
        ] {
            let step = step_at(at(seconds));
            assert_eq!((&**sha1.code(step).unwrap(), &**sha256.code(step).unwrap()), (one, other));
            assert_eq!(sha256.step_of(other, 0, (&[step], 1)).unwrap(), Some(step));
        }
        let hotp = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"];
        for (counter, code) in (0..).zip(hotp.into_iter().chain(["399871", "520489"])) {
            assert_eq!(*sha1.code(counter).unwrap(), code);
        }
    }

    #[test]
    fn a_seed_has_enough_bits_survives_sealing_and_is_not_shown() {
        for length in [0, 15, 65] {
            assert!(Seed::new(Algorithm::Sha1, Zeroizing::new(vec![7; length])).is_none());
        }
        let kept = seed(Algorithm::Sha256, b"12345678901234567890123456789012");
        let back = Seed::of(&kept.expose()).unwrap();
        assert_eq!(back.code(1).unwrap(), kept.code(1).unwrap());
        assert_eq!(format!("{back:?}"), "Seed(Sha256, …)");
        assert!(Seed::of(b"md5\n1234567890123456").is_none() && Seed::of(b"sha1").is_none());
        assert_eq!((seconds_left(at(59)), seconds_left(at(60))), (1, 30));
    }

    // proves E10, G6 (RFC 4226 §7.4: a wide window takes two codes in a row, and neither used before)
    #[test]
    fn a_clock_that_is_far_off_is_found_by_two_codes_in_a_row() {
        let seed = seed(Algorithm::Sha1, b"12345678901234567890");
        let code = |step: i64| seed.code(step).unwrap();
        let found = |first: &str, second: &str, last: i64| {
            seed.step_of_two((first, second), last, (100, 10)).unwrap()
        };
        for step in [90, 99, 100, 107, 110] {
            assert_eq!(found(&code(step - 1), &code(step), 0), Some(step));
        }
        let (first, second) = (code(106), code(107));
        for (last, taken) in [(105, Some(107)), (106, None), (107, None)] {
            assert_eq!(found(&first, &second, last), taken, "after {last}");
        }
        for (one, other) in [
            (second.as_str(), first.as_str()),
            (&second, &second),
            (&code(105), &second),
            (&first, &code(108)),
            ("", &second),
            (&first, ""),
        ] {
            assert_eq!(found(one, other, 0), None, "{one} {other}");
        }
        assert_eq!(found(&code(110), &code(111), 0), None, "too far off");
    }

    // proves G6 (a wider window finds a step that is far off, and no used one)
    #[test]
    fn a_wider_window_finds_a_clock_that_is_off() {
        let seed = seed(Algorithm::Sha1, b"12345678901234567890");
        let code = seed.code(107).unwrap();
        assert_eq!(seed.step_of(&code, 0, (&[100], 1)).unwrap(), None);
        assert_eq!(seed.step_of(&code, 0, (&[100], 10)).unwrap(), Some(107));
        assert_eq!(seed.step_of(&code, 107, (&[100], 10)).unwrap(), None, "used");
        for near in [[106, 100], [100, 106], [107, 107]] {
            assert_eq!(seed.step_of(&code, 0, (&near, 1)).unwrap(), Some(107), "{near:?}");
            assert_eq!(seed.step_of(&code, 107, (&near, 1)).unwrap(), None, "used");
        }
    }
}
