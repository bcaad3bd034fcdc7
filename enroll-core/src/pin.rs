//! PINs (E9): six digits that are not the first that somebody else would try.

use std::fmt;

use time::Date;
use zeroize::Zeroizing;

use crate::reason::ReasonCode;

const DIGITS: usize = 6;

/// A PIN: never shown, zeroized on drop.
pub struct Pin(Zeroizing<String>);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// Why a PIN is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// Not six digits.
    #[error("not six digits")]
    Form,
    /// Each digit follows the one before: 345678, 210987.
    #[error("a run of digits")]
    Run,
    /// A part of it repeated: 111111, 121212, 123123.
    #[error("a repetition")]
    Repetition,
    /// A way to write the birth date.
    #[error("the birth date")]
    BirthDate,
}

impl PinError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::PIN_WEAK
    }
}

impl Pin {
    /// A new PIN of a person born on `birth`.
    ///
    /// # Errors
    /// [`PinError`] if it is easy to guess.
    pub fn choose(text: &str, birth: Date) -> Result<Self, PinError> {
        let pin = Self::typed(text)?;
        if pin.is_run() {
            return Err(PinError::Run);
        }
        if pin.is_repetition() {
            return Err(PinError::Repetition);
        }
        if is_date(text, birth) { Err(PinError::BirthDate) } else { Ok(pin) }
    }

    /// A PIN as it is typed, to be compared with the one chosen.
    ///
    /// # Errors
    /// [`PinError::Form`].
    pub fn typed(text: &str) -> Result<Self, PinError> {
        let six = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        if six { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(PinError::Form) }
    }

    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn is_run(&self) -> bool {
        let steps = |by: u8| {
            let bytes = self.0.as_bytes();
            bytes.iter().zip(bytes.iter().skip(1)).all(|(a, b)| (b + 10 - a) % 10 == by)
        };
        steps(1) || steps(9)
    }

    fn is_repetition(&self) -> bool {
        let bytes = self.0.as_bytes();
        (1..=DIGITS / 2)
            .filter(|period| DIGITS.is_multiple_of(*period))
            .any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
    }
}

/// Whether `text` is one of the usual ways to write `birth` in six digits.
fn is_date(text: &str, birth: Date) -> bool {
    let (year, month, day) = (birth.year(), u8::from(birth.month()), birth.day());
    let short = year.rem_euclid(100);
    [
        format!("{day:02}{month:02}{short:02}"),
        format!("{short:02}{month:02}{day:02}"),
        format!("{month:02}{day:02}{short:02}"),
        format!("{year:04}{month:02}"),
        format!("{month:02}{year:04}"),
    ]
    .iter()
    .any(|way| way == text)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    // proves E9
    #[test]
    fn a_pin_that_others_would_try_is_refused() {
        let choose = |text| Pin::choose(text, date!(1974 - 08 - 12)).map(|_| ());
        for good in ["284917", "100200", "112358"] {
            assert_eq!(choose(good), Ok(()), "{good}");
        }
        let bad = [
            ("12345", PinError::Form),
            ("1234567", PinError::Form),
            ("12a456", PinError::Form),
            ("١٢٣", PinError::Form),
            ("123456", PinError::Run),
            ("890123", PinError::Run),
            ("654321", PinError::Run),
            ("210987", PinError::Run),
            ("000000", PinError::Repetition),
            ("121212", PinError::Repetition),
            ("123123", PinError::Repetition),
            ("120874", PinError::BirthDate),
            ("740812", PinError::BirthDate),
            ("081274", PinError::BirthDate),
            ("197408", PinError::BirthDate),
            ("081974", PinError::BirthDate),
        ];
        for (text, error) in bad {
            assert_eq!(choose(text), Err(error), "{text}");
        }
        assert!(!format!("{:?}", Pin::typed("284917").unwrap()).contains("284917"));
    }
}
