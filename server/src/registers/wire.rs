//! The registers' JSON, and the fixtures' `holder.json`.

use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::{PersonRecord, PersonSex, PersonStatus};
use serde::{Deserialize, Serialize};
use time::Date;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// A person as the person register sends it. Personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// All given names.
    pub given_names: String,
    /// Surname.
    pub surname: String,
    /// Date of birth.
    #[serde(with = "iso_date")]
    pub birth_date: Date,
    /// `F` or `M`.
    pub sex: Sex,
    /// Standing in the register; active if absent.
    #[serde(default = "active")]
    pub status: PersonStatus,
    /// Protected name and address.
    #[serde(default)]
    pub protected: bool,
}

/// Sex as the register sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// Female.
    F,
    /// Male.
    M,
}

fn active() -> PersonStatus {
    PersonStatus::Active
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({:?})", self.status)
    }
}

impl From<Person> for PersonRecord {
    fn from(person: Person) -> Self {
        let Person { given_names, surname, birth_date, sex, status, protected } = person;
        let sex = match sex {
            Sex::F => PersonSex::Female,
            Sex::M => PersonSex::Male,
        };
        Self { given_names, surname, birth_date, sex, status, protected }
    }
}

/// A document as the document register sends it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) status: DocumentStatus,
}
