//! Pick-up codes: what the person who proved themselves at a Borgercenter takes home, and by which the
//! identity becomes theirs to set up. Whoever knows one gets it, so that it is long.
//!
//! ```text
//! sixteen signs s1…s16 of the references' alphabet;   1·s1 + 2·s2 + … + 16·s16 ≡ 0 (mod 31)
//! ```
//!
//! The check character is that of [`crate::reference`]. Fifteen free signs are 74 bits.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    reason::ReasonCode,
    reference::{MODULUS, sign, value},
};

const LENGTH: usize = 16;
const GROUP: usize = 4;

/// A pick-up code in clear: never shown by `Debug`, zeroized on drop.
pub struct PickUpCode(Zeroizing<String>);

impl fmt::Debug for PickUpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PickUpCode(…)")
    }
}

impl PickUpCode {
    /// The code of these random bytes; of 2^128 values the favoured ones have 10^-16 more.
    #[must_use]
    pub fn draw(random: [u8; 16]) -> Self {
        let mut rest = u128::from_be_bytes(random);
        let (mut text, mut sum) = (Zeroizing::new(String::with_capacity(LENGTH)), 0);
        for weight in 1..LENGTH as u64 {
            let value = u64::try_from(rest % u128::from(MODULUS)).unwrap_or(0);
            rest /= u128::from(MODULUS);
            sum += weight * value;
            text.push(sign(value));
        }
        // 16·2 ≡ 1 (mod 31): what brings the sum to 0.
        text.push(sign((MODULUS - sum % MODULUS) * 2 % MODULUS));
        Self(text)
    }

    /// A code as a person writes it: in any case, with spaces or hyphens.
    ///
    /// # Errors
    /// `pick_up.form` for another length, other signs, or a check character that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReasonCode> {
        let signs = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let plain: Zeroizing<String> =
            Zeroizing::new(signs.take(LENGTH + 1).map(|c| c.to_ascii_uppercase()).collect());
        let values: Option<Vec<u64>> = plain.bytes().map(value).collect();
        let values = values.filter(|values| values.len() == LENGTH);
        let values = values.ok_or(ReasonCode::PICK_UP_FORM)?;
        let sum: u64 = values.iter().zip(1..).map(|(value, weight)| value * weight).sum();
        if sum.is_multiple_of(MODULUS) { Ok(Self(plain)) } else { Err(ReasonCode::PICK_UP_FORM) }
    }

    /// The sixteen signs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As people read it: four groups of four.
    #[must_use]
    pub fn grouped(&self) -> String {
        let signs = self.0.chars().enumerate();
        let hyphen = |at: usize| (at > 0 && at.is_multiple_of(GROUP)).then_some('-');
        signs.flat_map(|(at, sign)| hyphen(at).into_iter().chain([sign])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_reads_back_however_it_is_written() {
        for random in [0, 1, 30, 31, u128::MAX, 0x1234_5678_9ABC_DEF0_0FED_CBA9_8765_4321] {
            let drawn = PickUpCode::draw(random.to_be_bytes());
            let text = drawn.expose();
            assert_eq!((text.len(), drawn.grouped().len()), (16, 19));
            for written in [text.to_lowercase(), drawn.grouped(), format!(" {text} ")] {
                assert_eq!(PickUpCode::parse(&written).unwrap().expose(), text);
            }
            assert_eq!(format!("{drawn:?}"), "PickUpCode(…)");
        }
    }

    #[test]
    fn one_wrong_sign_and_two_swapped_are_found() {
        let drawn = PickUpCode::draw(0x1234_5678_9ABC_DEF0_0FED_CBA9_8765_4321_u128.to_be_bytes());
        let good: Vec<char> = drawn.expose().chars().collect();
        let parses = |signs: &[char]| PickUpCode::parse(&String::from_iter(signs)).is_ok();
        for place in 0..16 {
            let mut wrong = good.clone();
            wrong[place] = if good[place] == '2' { '3' } else { '2' };
            assert!(!parses(&wrong), "{wrong:?}");
            for second in place + 1..16 {
                let mut swapped = good.clone();
                swapped.swap(place, second);
                assert!(good[place] == good[second] || !parses(&swapped), "{swapped:?}");
            }
        }
        for bad in ["", "2222", "22222222222222222", "0222222222222222", "Æ222222222222222"] {
            assert_eq!(PickUpCode::parse(bad).unwrap_err().as_str(), "pick_up.form");
        }
    }
}
