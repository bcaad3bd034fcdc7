//! User IDs (E8, REQUIREMENTS M4): 5 to 48 characters of a small alphabet, equal whatever their
//! case, and never a personal number.

use std::fmt;

use crate::reason::ReasonCode;

/// Characters beside letters and digits.
const SIGNS: &str = "{}!#$^,*()_+-=:;?.@ ";

/// Shortest and longest, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 5..=48;

/// This many digits are taken for a personal number.
const NUMBER: usize = 10;

/// A user ID, in lower case. Personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserId(String);

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserId(…)")
    }
}

/// Why a text is no user ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserIdError {
    /// Too short or too long.
    #[error("{characters} characters")]
    Length {
        /// How many it has.
        characters: usize,
    },
    /// A character that is not of the alphabet.
    #[error("a character that is not of the alphabet")]
    Character,
    /// A space first or last.
    #[error("a space first or last")]
    Space,
    /// It may be a personal number.
    #[error("ten digits in a row")]
    Number,
}

impl UserIdError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::USER_ID_FORM
    }
}

impl UserId {
    /// Reads `text`, in any case.
    ///
    /// # Errors
    /// [`UserIdError`].
    pub fn parse(text: &str) -> Result<Self, UserIdError> {
        let folded: String = text.chars().flat_map(char::to_lowercase).collect();
        let characters = folded.chars().count();
        if !LENGTH.contains(&characters) {
            return Err(UserIdError::Length { characters });
        }
        if !folded.chars().all(is_of_alphabet) {
            return Err(UserIdError::Character);
        }
        if folded.starts_with(' ') || folded.ends_with(' ') {
            return Err(UserIdError::Space);
        }
        if has_number(&folded) { Err(UserIdError::Number) } else { Ok(Self(folded)) }
    }

    /// The text, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_of_alphabet(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "æøå".contains(c) || SIGNS.contains(c)
}

/// Whether ten digits follow each other, with signs and spaces between them or not.
fn has_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|c| {
        run = match c {
            '0'..='9' => run + 1,
            c if SIGNS.contains(c) => run,
            _ => 0,
        };
        run >= NUMBER
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves E8
    #[test]
    fn the_rules_of_a_user_id() {
        let longest = "a".repeat(48);
        for good in ["anna1", "Åse Ærø", "a b.c@d", "{}!#$^,*()_+-=:;?.@", "123456789", &longest]
        {
            assert!(UserId::parse(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(49);
        let bad = [
            ("anna", UserIdError::Length { characters: 4 }),
            (&too_long, UserIdError::Length { characters: 49 }),
            ("", UserIdError::Length { characters: 0 }),
            (" anna1", UserIdError::Space),
            ("anna1 ", UserIdError::Space),
            ("anna/1", UserIdError::Character),
            ("anna\t1", UserIdError::Character),
            ("ännchen", UserIdError::Character),
            ("a\u{30a}nnas", UserIdError::Character),
            ("0101900000", UserIdError::Number),
            ("010190-0000", UserIdError::Number),
            ("x 01 01 90 0000", UserIdError::Number),
        ];
        for (text, error) in bad {
            assert_eq!(UserId::parse(text), Err(error), "{text}");
        }
    }

    // proves E8 (unique whatever the case)
    #[test]
    fn case_does_not_tell_user_ids_apart() {
        assert_eq!(UserId::parse("ANNA Æ"), UserId::parse("anna æ"));
        assert_eq!(format!("{:?}", UserId::parse("anna1").unwrap()), "UserId(…)");
    }
}
