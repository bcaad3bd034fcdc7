//! The machine readable zone (MRZ) of passports, cards and visas: parse, check, emit, and (feature
//! `reader`) read from a picture.
//!
//! Nothing here trusts its input. [`parse`] takes what was printed, typed or recognised and judges
//! it by the check digits alone; it never repairs a character. What the check digits do not cover
//! (names, issuer, nationality, sex) stays unproved until the chip's signed copy is compared.
//!
//! ICAO 9303-3 §4 (common rules), 9303-4 (TD3), 9303-5 (TD1), 9303-6 (TD2), 9303-7 (visas).

mod access;
pub mod check_digit;
mod date;
mod fields;
mod format;
mod names;
mod parse;
#[cfg(feature = "reader")]
pub mod picture;
#[cfg(feature = "reader")]
pub mod reader;
mod states;
mod transliterate;
mod write;

pub use access::{AccessKey, AccessKeyError};
pub use date::PrintedDate;
pub use fields::{Checks, Fields, Sex, Warning};
pub use format::Format;
pub use parse::{Codes, Mrz, ParseError, ParseErrorKind, parse, parse_as};
pub use states::{State, StatePart, is_state_code, state};
pub use transliterate::{DANISH, UnknownLetter, same_name, spellings, transliterate};
pub use write::{Td3Fields, WriteError};
