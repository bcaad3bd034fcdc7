//! The secret printed on the page that opens the chip: document number, birth and expiry date, each
//! with its check digit. ICAO 9303-11 §4.3.2 (BAC) and §4.4.4.1 (PACE), §9.7.2 (key derivation).

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    PrintedDate,
    check_digit::{compute, is_printable},
};

/// The longest document number, on a TD1 card: nine characters and thirteen more in the optional
/// data before check digit and filler.
const LONGEST_NUMBER: usize = 22;

/// "MRZ_information", from which BAC and PACE derive their keys. A secret: zeroized on drop, never
/// shown by `Debug`; [`AccessKey::information`] is the only way to read it.
pub struct AccessKey {
    information: Zeroizing<String>,
}

/// Typed data that can be no access key. It names the field only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessKeyError {
    /// The document number is empty, too long, or has characters other than `A`-`Z`, `0`-`9`, `<`.
    #[error("not a document number")]
    DocumentNumber,
    /// The birth date is not YYMMDD with unknown parts as fillers.
    #[error("not a birth date")]
    BirthDate,
    /// The expiry date is not YYMMDD.
    #[error("not an expiry date")]
    ExpiryDate,
}

impl AccessKeyError {
    /// The stable reason code.
    pub const fn code(&self) -> &'static str {
        "mrz.format"
    }
}

impl AccessKey {
    /// The key of a document number and two dates YYMMDD, without check digits. Fillers at the end
    /// of the number may be given or left out.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be printed in an MRZ, or a date is no date.
    pub fn new(number: &str, birth: &str, expiry: &str) -> Result<Self, AccessKeyError> {
        let number = number.trim_end_matches('<');
        let length = 1..=LONGEST_NUMBER;
        if !length.contains(&number.len()) || !number.chars().all(is_printable) {
            return Err(AccessKeyError::DocumentNumber);
        }
        let birth = PrintedDate::new(birth).filter(PrintedDate::is_possible);
        let expiry = PrintedDate::new(expiry).filter(PrintedDate::is_complete);
        Ok(Self::printed(
            number,
            birth.ok_or(AccessKeyError::BirthDate)?,
            expiry.ok_or(AccessKeyError::ExpiryDate)?,
        ))
    }

    /// `number` fillers-to-nine `digit` `birth` `digit` `expiry` `digit`. ICAO 9303-11 §9.7.2.
    pub(crate) fn printed(number: &str, birth: PrintedDate, expiry: PrintedDate) -> Self {
        let number = Zeroizing::new(format!("{number:<<9}"));
        let mut information = Zeroizing::new(String::with_capacity(LONGEST_NUMBER + 15));
        for part in [number.as_str(), birth.as_str(), expiry.as_str()] {
            information.push_str(part);
            information.push(compute(&[part]));
        }
        Self { information }
    }

    /// MRZ_information: number, birth date and expiry date, each followed by its check digit.
    pub fn information(&self) -> Zeroizing<String> {
        self.information.clone()
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn information(number: &str, birth: &str, expiry: &str) -> String {
        AccessKey::new(number, birth, expiry).unwrap().information().to_string()
    }

    #[test]
    fn examples_of_the_standard() {
        // ICAO 9303-11 Appendix D.2: TD3, a number of eight, and a number of twelve characters
        assert_eq!(information("L898902C", "690806", "940623"), "L898902C<369080619406236");
        assert_eq!(information("L898902C<", "690806", "940623"), "L898902C<369080619406236");
        assert_eq!(information("D23145890734", "340712", "950712"), "D23145890734934071279507122");
        // ICAO 9303-11 Appendix G.1 (PACE with generic mapping)
        assert_eq!(information("T22000129", "640812", "101031"), "T22000129364081251010318");
    }

    #[test]
    fn what_cannot_be_printed_is_refused_by_field() {
        let refused = |number, birth, expiry| AccessKey::new(number, birth, expiry).unwrap_err();
        for number in ["", "<<<", "l898902c", "L898902Æ", "12345678901234567890123"] {
            assert_eq!(refused(number, "690806", "940623"), AccessKeyError::DocumentNumber);
        }
        assert_eq!(refused("L898902C", "691306", "940623"), AccessKeyError::BirthDate);
        assert_eq!(refused("L898902C", "690806", "9406<<"), AccessKeyError::ExpiryDate);
        assert!(AccessKey::new("L898902C", "69<<<<", "940623").is_ok());
    }

    #[test]
    fn debug_shows_nothing() {
        let key = AccessKey::new("L898902C", "690806", "940623").unwrap();
        assert_eq!(format!("{key:?}"), "AccessKey(..)");
    }
}
