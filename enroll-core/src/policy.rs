//! What is required of an enrolment, as data: checks, ages, documents, attempts and deadlines.
//!
//! Nothing here is trusted to be complete: a failed check that a policy does not name still
//! decides (see [`crate::decide`]).

use serde::{Deserialize, Serialize};

use crate::reason::Step;

/// The rules of an enrolment at home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Checks that must have passed.
    pub required: Vec<String>,
    /// Of each group one check must have passed, and any other may be missing only because the
    /// chip has no such key (B4).
    pub any_of: Vec<Vec<String>>,
    /// Checks that are recorded and never decide.
    pub advisory: Vec<String>,
    /// Years of age on the day (A3).
    pub minimum_age: u8,
    /// Document codes of the MRZ that are taken (B9).
    pub document_codes: Vec<String>,
    /// How often each step may be tried (D5).
    pub attempts: Attempts,
    /// Seconds from the start of a case to its end.
    pub lifetime_s: u32,
}

/// How often each step of one case may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempts {
    /// Pictures of the printed page, or typed lines.
    pub page: u16,
    /// Readings of the chip. A lost link is common (FIELD-NOTES), so there are many.
    pub chip: u16,
    /// Pictures of the face (BSI TR-03166: at most 4 at Substantial).
    pub face: u16,
}

impl Attempts {
    /// The count of `step`; starting is not counted.
    #[must_use]
    pub fn of(&self, step: Step) -> u16 {
        match step {
            Step::Start => 0,
            Step::Page => self.page,
            Step::Chip => self.chip,
            Step::Face => self.face,
        }
    }

    /// With one more of `step`.
    #[must_use]
    pub(crate) fn plus(mut self, step: Step) -> Self {
        match step {
            Step::Start => {}
            Step::Page => self.page = self.page.saturating_add(1),
            Step::Chip => self.chip = self.chip.saturating_add(1),
            Step::Face => self.face = self.face.saturating_add(1),
        }
        self
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self { page: 10, chip: 20, face: 4 }
    }
}

const REQUIRED: [&str; 18] = [
    "mrz.check_digits",
    "chip.access",
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "signer.country",
    "document.type",
    "document.validity",
    "document.page_match",
    "document.status",
    "face.detected",
    "face.quality",
    "face.match",
    "person.match",
    "person.status",
    "person.age",
];

impl Default for Policy {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            required: owned(&REQUIRED),
            any_of: vec![owned(&["chip_authentication", "active_authentication"])],
            advisory: owned(&["mrz.confidence", "face.attack"]),
            minimum_age: 13,
            document_codes: owned(&["P", "PP", "PD", "PO"]),
            attempts: Attempts::default(),
            lifetime_s: 60 * 60,
        }
    }
}
