//! References by which a referred case is opened at a Borgercenter: short enough to be read out, from
//! an alphabet without signs that look alike, with a check character.
//!
//! ```text
//! eight signs s1…s8 of an alphabet of 31;   1·s1 + 2·s2 + … + 8·s8 ≡ 0 (mod 31)
//! ```
//!
//! 31 is a prime and the weights differ, so that one wrong sign and any two that are swapped are
//! found (the weighted scheme of ISBN-10, ISO 2108). Seven free signs are 34 bits.

use std::fmt;

use zeroize::Zeroizing;

use crate::reason::ReasonCode;

/// Digits and capitals without 0, 1, I, O and U.
pub const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKLMNPQRSTVWXYZ";
const LENGTH: usize = 8;
/// The size of the alphabet.
pub(crate) const MODULUS: u64 = 31;

/// A reference in clear: never shown by `Debug`, zeroized on drop.
pub struct Reference(Zeroizing<String>);

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(…)")
    }
}

/// The text is no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reference")]
pub struct ReferenceError;

impl ReferenceError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::REFERENCE_FORM
    }
}

impl Reference {
    /// The reference of these random bytes; of 2^64 values the favoured ones have 10^-9 more.
    #[must_use]
    pub fn draw(random: [u8; 8]) -> Self {
        let mut rest = u64::from_be_bytes(random);
        let (mut text, mut sum) = (Zeroizing::new(String::new()), 0);
        for weight in 1..LENGTH as u64 {
            let value = rest % MODULUS;
            rest /= MODULUS;
            sum += weight * value;
            text.push(sign(value));
        }
        // 8·4 ≡ 1 (mod 31): what brings the sum to 0.
        text.push(sign((MODULUS - sum % MODULUS) * 4 % MODULUS));
        Self(text)
    }

    /// A reference as a person writes it: in any case, with spaces or hyphens.
    ///
    /// # Errors
    /// [`ReferenceError`] for another length, other signs, or a check character that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let signs = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let plain: Zeroizing<String> =
            Zeroizing::new(signs.take(LENGTH + 1).map(|c| c.to_ascii_uppercase()).collect());
        let values: Option<Vec<u64>> = plain.bytes().map(value).collect();
        let values = values.filter(|values| values.len() == LENGTH).ok_or(ReferenceError)?;
        let sum: u64 = values.iter().zip(1..).map(|(value, weight)| value * weight).sum();
        if sum.is_multiple_of(MODULUS) { Ok(Self(plain)) } else { Err(ReferenceError) }
    }

    /// The eight signs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As people read it: two groups of four.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (one, other) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        format!("{one}-{other}")
    }
}

pub(crate) fn sign(value: u64) -> char {
    let index = usize::try_from(value).unwrap_or(0);
    ALPHABET.get(index).copied().map_or('2', char::from)
}

pub(crate) fn value(sign: u8) -> Option<u64> {
    ALPHABET.iter().position(|known| *known == sign).and_then(|index| u64::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_reads_back_however_it_is_written() {
        for random in [0, 1, 30, 31, u64::MAX, 0x1234_5678_9ABC_DEF0] {
            let drawn = Reference::draw(random.to_be_bytes());
            let text = drawn.expose();
            assert_eq!(text.len(), 8);
            for written in [text.to_lowercase(), drawn.grouped(), format!(" {text} ")] {
                assert_eq!(Reference::parse(&written).unwrap().expose(), text);
            }
            assert_eq!(format!("{drawn:?}"), "Reference(…)");
        }
    }

    #[test]
    fn one_wrong_sign_and_any_two_swapped_are_found() {
        let drawn = Reference::draw(0x1234_5678_9ABC_DEF0_u64.to_be_bytes());
        let good: Vec<char> = drawn.expose().chars().collect();
        let parses = |signs: &[char]| Reference::parse(&String::from_iter(signs)).is_ok();
        assert!(parses(&good));
        for place in 0..8 {
            for other in ALPHABET.iter().map(|b| char::from(*b)).filter(|c| *c != good[place]) {
                let mut wrong = good.clone();
                wrong[place] = other;
                assert!(!parses(&wrong), "{wrong:?}");
            }
            for second in place + 1..8 {
                let mut swapped = good.clone();
                swapped.swap(place, second);
                assert!(good[place] == good[second] || !parses(&swapped), "{swapped:?}");
            }
        }
        for bad in ["", "2222222", "222222222", "0222-2222", "ÆØÅ22222", "2222 2I22"] {
            assert_eq!(Reference::parse(bad).unwrap_err().reason().as_str(), "reference.form");
        }
    }
}
