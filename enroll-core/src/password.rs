//! The password beside a code device (REQUIREMENTS M4): 8 to 64 characters that are not the first that
//! somebody else would try.

use std::fmt;

use zeroize::Zeroizing;

use crate::reason::ReasonCode;

/// Shortest and longest, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=64;
/// This many digits in a row are taken for a personal number.
const NUMBER: usize = 10;
/// What may not be part of it.
const WORDS: [&str; 2] = ["password", "adgangskode"];
/// Rows of a Danish and of an English keyboard.
const ROWS: [&str; 5] = ["1234567890", "qwertyuiopå", "asdfghjklæø", "zxcvbnm", "qwertzuiop"];
/// This many neighbours on a row are taken for the row.
const NEIGHBOURS: usize = 5;

/// A password: never shown, zeroized on drop.
pub struct Password(Zeroizing<String>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("not 8 to 64 characters")]
    Length,
    /// A control character, which cannot be typed again everywhere.
    #[error("a control character")]
    Character,
    /// The user ID, or with it in it.
    #[error("the user ID")]
    UserId,
    /// It may be a personal number.
    #[error("ten digits in a row")]
    Number,
    /// The word itself.
    #[error("the word password")]
    Word,
    /// Neighbours on a keyboard.
    #[error("a row of a keyboard")]
    Row,
    /// One character over and over.
    #[error("a repetition")]
    Repetition,
}

impl PasswordError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::PASSWORD_WEAK
    }
}

impl Password {
    /// A new password of the person with `user_id`.
    ///
    /// # Errors
    /// [`PasswordError`] if it does not follow the rules.
    pub fn choose(text: &str, user_id: &str) -> Result<Self, PasswordError> {
        if !LENGTH.contains(&text.chars().count()) {
            return Err(PasswordError::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordError::Character);
        }
        let folded = Zeroizing::new(text.to_lowercase());
        if folded.contains(&user_id.to_lowercase()) {
            return Err(PasswordError::UserId);
        }
        if longest_run(&folded, |c| c.is_ascii_digit()) >= NUMBER {
            return Err(PasswordError::Number);
        }
        if WORDS.iter().any(|word| folded.contains(word)) {
            return Err(PasswordError::Word);
        }
        if has_row(&folded) {
            return Err(PasswordError::Row);
        }
        let mut different = folded.chars().collect::<Vec<_>>();
        different.dedup();
        if different.len() == 1 { Err(PasswordError::Repetition) } else { Ok(Self::typed(text)) }
    }

    /// A password as it is typed, to be compared with the one chosen. What is longer than any can be is
    /// compared as none: nobody makes the server hash much.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        let is_longer = text.chars().count() > *LENGTH.end();
        Self(Zeroizing::new(if is_longer { String::new() } else { text.to_owned() }))
    }

    /// The characters.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The most signs in a row of which `is` holds.
fn longest_run(text: &str, is: impl Fn(char) -> bool) -> usize {
    let mut run = 0;
    let runs = text.chars().map(|c| {
        run = if is(c) { run + 1 } else { 0 };
        run
    });
    runs.max().unwrap_or(0)
}

/// Whether five neighbours of a keyboard's row follow each other, either way.
fn has_row(text: &str) -> bool {
    ROWS.iter().any(|row| {
        let there: Vec<char> = row.chars().collect();
        let back: Vec<char> = there.iter().rev().copied().collect();
        [there, back].iter().any(|row| {
            row.windows(NEIGHBOURS).any(|part| text.contains(&part.iter().collect::<String>()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves E2 (the password beside a code device, REQUIREMENTS M4)
    #[test]
    fn a_password_that_others_would_try_is_refused() {
        let choose = |text: &str| Password::choose(text, "Anna.Eriksson").map(|_| ());
        let (longest, long) = ("ab".repeat(32), "ab".repeat(32) + "c");
        for good in ["hest batteri", "12 34 56 78 90 12", "æøåÆØÅ!?", "1234x5678y", &longest]
        {
            assert_eq!(choose(good), Ok(()), "{good}");
        }
        for (text, error) in [
            ("short12", PasswordError::Length),
            (long.as_str(), PasswordError::Length),
            ("", PasswordError::Length),
            ("tab\tinside", PasswordError::Character),
            ("anna.eriksson", PasswordError::UserId),
            ("xxANNA.ERIKSSON1", PasswordError::UserId),
            ("ab0101900000", PasswordError::Number),
            ("MyPassword!", PasswordError::Word),
            ("adgangskode7", PasswordError::Word),
            ("qwertyui", PasswordError::Row),
            ("xx-lkjhg-xx", PasswordError::Row),
            ("abc54321def", PasswordError::Row),
            ("aaaaaaaaaa", PasswordError::Repetition),
        ] {
            assert_eq!(choose(text), Err(error), "{text}");
        }
        assert!(!format!("{:?}", Password::typed("hest batteri")).contains("hest"));
        assert_eq!(Password::typed(&long).expose(), "", "nobody has one so long");
    }
}
