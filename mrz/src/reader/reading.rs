//! What reading a picture comes to.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Mrz, Warning, parse};

use super::{advice::Advice, judge::Judged};

/// How likely a reading must be among all others. Below, something comes close.
pub(super) const LEAST_CHANCE: f64 = 0.95;
/// How sure the recogniser must be of a letter that stands alone at the end of the names.
const LEAST_ALONE: f32 = 0.99;

/// Why a reading is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No MRZ was found.
    NotFound,
    /// A check digit does not hold.
    CheckDigit,
    /// A second reading comes close.
    Unsure,
}

impl Reason {
    /// The stable reason code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "mrz.not_found",
            Self::CheckDigit => "mrz.check_digit",
            Self::Unsure => "mrz.unsure",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// What was read from a picture. Personal data: `Debug` shows none of it.
///
/// Serialises as the object of `enroll mrz read` less `image` and `ms`.
#[derive(Clone)]
pub struct Reading {
    /// The lines; none where no MRZ was found.
    pub lines: Vec<String>,
    /// The lines parsed.
    pub mrz: Option<Mrz>,
    /// Every check digit holds and no second reading comes close.
    pub valid: bool,
    /// How likely the reading is among all that the rules allow and what is seldom printed against
    /// them, 0 to 1.
    pub confidence: f32,
    /// How likely the recogniser holds each character of each line, whatever the rules say, 0 to 1;
    /// where O or 0 may stand but not both, both together.
    pub characters: Vec<Vec<f32>>,
    /// Why it is not valid.
    pub reason: Option<Reason>,
    /// What would help.
    pub advice: Vec<Advice>,
}

impl Reading {
    /// Whether an MRZ was found.
    pub fn found(&self) -> bool {
        !self.lines.is_empty()
    }

    pub(super) fn not_found(advice: Vec<Advice>) -> Self {
        Self {
            lines: Vec::new(),
            mrz: None,
            valid: false,
            confidence: 0.0,
            characters: Vec::new(),
            reason: Some(Reason::NotFound),
            advice,
        }
    }

    /// The same, of which not all has been seen yet.
    pub(super) fn unsettled(self, advice: impl FnOnce() -> Vec<Advice>) -> Self {
        match self.reason {
            Some(_) => self,
            None => Self { valid: false, reason: Some(Reason::Unsure), advice: advice(), ..self },
        }
    }

    /// What was judged of lines, which must be so likely; `advice` is asked for where it is not valid.
    pub(super) fn judged(
        judged: &Judged,
        least: f64,
        advice: impl FnOnce() -> Vec<Advice>,
    ) -> Self {
        let (lines, characters) = (judged.lines.clone(), judged.confidences.clone());
        let mrz = parse(&lines.join("\n")).ok();
        let holds = mrz.as_ref().is_some_and(Mrz::valid);
        let reason = match (holds, holds && judged.kept && judged.chance >= least) {
            (false, _) => Some(Reason::CheckDigit),
            (true, true) if mrz.as_ref().is_some_and(believable) && !is_stray(judged) => None,
            (true, _) => Some(Reason::Unsure),
        };
        let confidence = if judged.kept { judged.chance as f32 } else { 0.0 };
        let advice = if reason.is_some() { advice() } else { Vec::new() };
        Self { lines, mrz, valid: reason.is_none(), confidence, characters, reason, advice }
    }
}

/// Whether no field is what no issuer prints.
fn believable(mrz: &Mrz) -> bool {
    let no_issuer_prints = [
        Warning::BirthImpossible,
        Warning::ExpiryImpossible,
        Warning::NumberEmpty,
        Warning::IssuerUnknown,
        Warning::NationalityUnknown,
        Warning::DocumentClass,
    ];
    !mrz.warnings().iter().any(|warning| no_issuer_prints.contains(warning))
}

/// Whether letters stand behind three fillers or more, or a doubtful one alone at the end: names end
/// before, and a filler is easily taken for a K.
fn is_stray(judged: &Judged) -> bool {
    let row = if judged.lines.len() == 3 { 2 } else { 0 };
    let text = judged.lines.get(row).map_or("", |line| line.trim_end_matches('<'));
    let sure = judged.confidences.get(row).and_then(|row| row.get(text.len().checked_sub(1)?));
    let is_alone = text.rsplit('<').next().is_some_and(|last| last.len() == 1);
    text.contains("<<<") || (is_alone && sure.is_none_or(|sure| *sure < LEAST_ALONE))
}

impl fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Reading");
        shown.field("valid", &self.valid).field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("found", &self.found())?;
        object.serialize_entry("lines", &self.lines)?;
        object.serialize_entry("valid", &self.valid)?;
        if let Some(mrz) = &self.mrz {
            object.serialize_entry("format", &mrz.format())?;
            object.serialize_entry("checks", mrz.checks())?;
            object.serialize_entry("fields", mrz.fields())?;
            object.serialize_entry("warnings", mrz.warnings())?;
        }
        object.serialize_entry("confidence", &self.confidence)?;
        object.serialize_entry("characters", &self.characters)?;
        object.serialize_entry("reason", &self.reason)?;
        object.serialize_entry("advice", &self.advice)?;
        object.end()
    }
}
