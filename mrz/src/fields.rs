//! What an MRZ says: its fields, which check digits hold, and what is odd about it.
//!
//! A field is as printed but for trailing fillers, which are dropped, and for fillers between parts
//! of names, which are spaces. ICAO 9303-3 §4.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::PrintedDate;

/// The fields of an MRZ. Personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// One or two letters, such as `P` or `PD`.
    pub document_code: String,
    /// The issuing state or organisation: three letters, or `D` for Germany.
    pub issuer: String,
    /// Primary identifier, its parts separated by spaces; may be empty.
    pub surname: String,
    /// Secondary identifier, its parts separated by spaces; may be empty.
    pub given_names: String,
    /// The name field is full to its last character, so names may be cut short.
    pub names_truncated: bool,
    /// The whole number, with what a long number keeps in the optional data (cards only).
    pub document_number: String,
    /// Three letters, or `D` for Germany.
    pub nationality: String,
    /// Date of birth; unknown parts are fillers.
    pub birth_date: PrintedDate,
    /// Sex.
    pub sex: Sex,
    /// Date of expiry.
    pub expiry_date: PrintedDate,
    /// Optional data as printed in its place, the rest of a long document number included.
    pub optional_data: String,
    /// The optional data of a TD1 card's second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_data_2: Option<String>,
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fields(..)")
    }
}

/// Sex as printed. ICAO 9303-4 §4.2.2.2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `F`
    Female,
    /// `M`
    Male,
    /// `<`: what an MRZ prints where the page says X.
    Unspecified,
    /// Any other character of the MRZ alphabet, `X` for instance, which the standard does not
    /// allow in this place.
    Other(char),
}

impl Sex {
    /// From its character.
    pub const fn new(printed: char) -> Self {
        match printed {
            'F' => Self::Female,
            'M' => Self::Male,
            '<' => Self::Unspecified,
            other => Self::Other(other),
        }
    }

    /// Its character.
    pub const fn printed(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
            Self::Unspecified => '<',
            Self::Other(other) => other,
        }
    }
}

impl fmt::Debug for Sex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sex(..)")
    }
}

impl Serialize for Sex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(self.printed())
    }
}

/// Which check digits hold; `None` where the format has no such digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Over the document number.
    pub document_number: bool,
    /// Over the date of birth.
    pub birth_date: bool,
    /// Over the date of expiry.
    pub expiry_date: bool,
    /// Over the optional data (TD3 only); `<` or `0` where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_data: Option<bool>,
    /// Over all of these together (not on visas).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composite: Option<bool>,
}

impl Checks {
    /// Whether every check digit that the format has holds.
    pub fn all(&self) -> bool {
        self.access_key() && self.optional_data.unwrap_or(true) && self.composite.unwrap_or(true)
    }

    /// Whether the three digits hold that the chip's access key is made of.
    pub fn access_key(&self) -> bool {
        self.document_number && self.birth_date && self.expiry_date
    }
}

/// Something odd that no check digit decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Warning {
    /// The document code does not begin with a letter of its format.
    #[serde(rename = "document_code.class")]
    DocumentClass,
    /// The document code's second character is none that its format allows.
    #[serde(rename = "document_code.letter")]
    DocumentLetter,
    /// The issuer is in no list of codes.
    #[serde(rename = "issuer.unknown")]
    IssuerUnknown,
    /// The nationality is in no list of codes.
    #[serde(rename = "nationality.unknown")]
    NationalityUnknown,
    /// A digit stands in the names.
    #[serde(rename = "names.digit")]
    NameDigit,
    /// The names are in three parts: two fillers in a row stand between them once more.
    #[serde(rename = "names.separator")]
    NameSeparator,
    /// There is no surname.
    #[serde(rename = "surname.empty")]
    SurnameEmpty,
    /// There is no document number.
    #[serde(rename = "document_number.empty")]
    NumberEmpty,
    /// The digit of a long document number was computed over the filler within it, too.
    #[serde(rename = "document_number.filler_counted")]
    NumberFillerCounted,
    /// The birth date is no date.
    #[serde(rename = "birth_date.impossible")]
    BirthImpossible,
    /// Parts of the birth date are unknown.
    #[serde(rename = "birth_date.partial")]
    BirthPartial,
    /// The expiry date is no date, or parts of it are fillers.
    #[serde(rename = "expiry_date.impossible")]
    ExpiryImpossible,
    /// The sex is none of `F`, `M` and `<`.
    #[serde(rename = "sex.unknown")]
    SexUnknown,
    /// Optional data are there but their check digit is a filler.
    #[serde(rename = "optional_data.no_digit")]
    OptionalNoDigit,
}
