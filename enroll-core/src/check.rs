//! One check with its outcome, reason and evidence, as every part of the service shows it
//! (INTERFACES, *Check*).
//!
//! Evidence holds names, algorithms, scores, dates and hashes of public data: never an MRZ, a
//! name of a person, a key or an image.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::reason::ReasonCode;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It could not be run.
    NotPerformed,
}

/// A check that was run, or says why it was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, such as `document.validity`.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed or was not run; a check that was not run because of another one has none.
    pub reason: Option<ReasonCode>,
    /// A JSON object.
    pub evidence: Value,
}

impl Check {
    /// A check that holds.
    #[must_use]
    pub fn passed(id: &str, evidence: Value) -> Self {
        Self { id: id.to_owned(), outcome: Outcome::Passed, reason: None, evidence }
    }

    /// A check that does not hold.
    #[must_use]
    pub fn failed(id: &str, reason: ReasonCode, evidence: Value) -> Self {
        Self { id: id.to_owned(), outcome: Outcome::Failed, reason: Some(reason), evidence }
    }

    /// A check that could not be run, for a reason of its own.
    #[must_use]
    pub fn not_performed(id: &str, reason: ReasonCode, evidence: Value) -> Self {
        Self { id: id.to_owned(), outcome: Outcome::NotPerformed, reason: Some(reason), evidence }
    }

    /// A check that could not be run because what it needs was not proved by `needs`.
    #[must_use]
    pub fn waiting(id: &str, needs: &str) -> Self {
        let evidence = json!({ "needs": needs });
        Self { id: id.to_owned(), outcome: Outcome::NotPerformed, reason: None, evidence }
    }

    /// Passed if `holds`, otherwise failed with `reason`.
    #[must_use]
    pub fn of(id: &str, holds: bool, reason: ReasonCode, evidence: Value) -> Self {
        if holds { Self::passed(id, evidence) } else { Self::failed(id, reason, evidence) }
    }

    /// Whether it holds.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }
}

impl From<&nfc::check::Check> for Check {
    fn from(check: &nfc::check::Check) -> Self {
        let (outcome, reason) = match check.outcome {
            nfc::check::Outcome::Passed => (Outcome::Passed, None),
            nfc::check::Outcome::Failed(reason) => (Outcome::Failed, Some(reason)),
            nfc::check::Outcome::NotPerformed(reason) => (Outcome::NotPerformed, reason),
        };
        let reason = reason.map(ReasonCode::from);
        Self { id: check.id.to_owned(), outcome, reason, evidence: check.evidence.value().clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialises_as_the_interface_says() {
        let failed = Check::failed("document.validity", ReasonCode::DOCUMENT_EXPIRED, json!({}));
        assert_eq!(
            serde_json::to_value(&failed).unwrap(),
            json!({"id": "document.validity", "outcome": "failed", "reason": "document.expired", "evidence": {}})
        );
        let waiting = serde_json::to_value(Check::waiting("face.match", "dg.hash")).unwrap();
        assert_eq!(waiting["outcome"], "not_performed");
        assert_eq!(waiting["reason"], Value::Null);
    }

    #[test]
    fn a_chip_check_keeps_its_outcome_and_reason() {
        use nfc::check::{Outcome as Chip, Reason};
        let of =
            |outcome| Check::from(&nfc::check::Check::new("dg.hash", outcome, json!({"dg": 1})));
        assert!(of(Chip::Passed).is_passed());
        let failed = of(Chip::Failed(Reason::DataGroupHashMismatch));
        assert_eq!(failed.reason.unwrap().as_str(), "dg.hash_mismatch");
        assert_eq!(of(Chip::NotPerformed(None)).outcome, Outcome::NotPerformed);
    }

    #[test]
    fn a_stored_check_with_an_unknown_reason_is_an_error() {
        let stored = json!({"id": "x", "outcome": "failed", "reason": "no.such", "evidence": {}});
        assert!(serde_json::from_value::<Check>(stored).is_err());
    }
}
