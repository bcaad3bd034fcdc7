//! What reading a picture comes to.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Mrz, Warning, parse};

use super::judge::Judged;

/// What the next best text must at least cost more than the reading: the negative logarithm of how
/// likely it is beside it. Below, the two are a near-tie.
const LEAST_MARGIN: f32 = 2.0;
/// Pixels per character below which to ask for a closer picture.
const SMALL_CHARACTERS: f32 = 9.0;

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

/// What the person can do for a better picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Come closer, or use a picture with more pixels.
    Closer,
    /// Show the whole page, upright and flat.
    WholePage,
    /// Hold still, focus, avoid glare.
    Sharper,
    /// The picture has more pixels than are looked at.
    TooLarge,
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
    /// How likely the reading is beside the next best one, 0 to 1.
    pub confidence: f32,
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

    pub(super) fn not_found(advice: Advice) -> Self {
        Self {
            lines: Vec::new(),
            mrz: None,
            valid: false,
            confidence: 0.0,
            reason: Some(Reason::NotFound),
            advice: vec![advice],
        }
    }

    pub(super) fn judged(judged: &Judged, pitch: f32) -> Self {
        let lines = judged.lines.to_vec();
        let mrz = parse(&lines.join("\n")).ok();
        let holds = mrz.as_ref().is_some_and(Mrz::valid);
        let reason = match (holds, holds && judged.kept && judged.margin >= LEAST_MARGIN) {
            (false, _) => Some(Reason::CheckDigit),
            (true, true) if mrz.as_ref().is_some_and(believable) => None,
            (true, _) => Some(Reason::Unsure),
        };
        let confidence = if judged.kept { 1.0 / (1.0 + (-judged.margin).exp()) } else { 0.0 };
        let advice = match reason {
            None => Vec::new(),
            Some(_) if pitch < SMALL_CHARACTERS => vec![Advice::Closer],
            Some(_) => vec![Advice::Sharper],
        };
        Self { lines, mrz, valid: reason.is_none(), confidence, reason, advice }
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
        object.serialize_entry("reason", &self.reason)?;
        object.serialize_entry("advice", &self.advice)?;
        object.end()
    }
}
