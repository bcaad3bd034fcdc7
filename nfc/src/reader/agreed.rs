//! What chip authentication comes to (ICAO 9303-11 §6.2), alone or after the chip authentication
//! mapping of PACE.

use serde_json::{Value, json};

use crate::{
    apdu::{Response, StatusWord},
    check::{Check, Outcome, Reason},
    chip_auth::{ChipAuthError, Summary},
    sm::SecureMessaging,
};

const ID: &str = "chip_authentication";

/// A key that the chip did not take.
pub(super) struct Refused {
    pub(super) summary: Summary,
    pub(super) status: StatusWord,
}

impl Refused {
    fn evidence(&self) -> Value {
        json!({ "protocol": self.summary, "status": self.status.to_string() })
    }
}

/// The chip answered under the new keys; whether the old ones are dead is still to be seen.
pub(super) struct Agreed {
    pub(super) summary: Summary,
    pub(super) refused: Vec<Refused>,
    pub(super) old: SecureMessaging,
    /// The file that proved the new keys reads differently under them.
    pub(super) differs: bool,
}

/// What became of the keys that chip authentication replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OldKeys {
    Dead,
    Alive,
    NotTried,
}

impl Agreed {
    /// The old session ends with chip authentication (ICAO 9303-11 §6.2.2): an answer under its keys
    /// shows that it did not. Where nobody could ask, the check stays open.
    pub(super) fn check(self, last: Option<&Response>) -> Check {
        let Self { summary, refused, old, differs } = self;
        let old_keys = match last.map(|last| old.unwrap(last)) {
            None => OldKeys::NotTried,
            Some(Ok(_)) => OldKeys::Alive,
            Some(Err(_)) => OldKeys::Dead,
        };
        let found = |error: &str| failed(&summary, json!({ "error": error }));
        match old_keys {
            _ if differs => found("EF.SOD reads differently under the new keys"),
            OldKeys::Alive => found("the old session keys are still valid"),
            OldKeys::NotTried => {
                let why = "the chip fell silent whenever it was asked under the old session keys";
                let evidence = json!({ "protocol": summary, "old_keys": old_keys, "why": why });
                check(Outcome::NotPerformed(None), evidence)
            }
            OldKeys::Dead => {
                let mut evidence = json!({ "protocol": summary, "old_keys": old_keys });
                add(&mut evidence, "refused", &refused);
                check(Outcome::Passed, evidence)
            }
        }
    }
}

/// The keys that were refused, if there are any.
fn add(evidence: &mut Value, name: &str, refused: &[Refused]) {
    if let (Value::Object(fields), false) = (evidence, refused.is_empty()) {
        fields.insert(name.into(), refused.iter().map(Refused::evidence).collect());
    }
}

/// The chip did not prove the key.
pub(super) fn failed(summary: &Summary, found: Value) -> Check {
    let evidence = json!({ "protocol": summary, "found": found });
    check(Outcome::Failed(Reason::ChipAuthenticationFailed), evidence)
}

/// The chip took none of the keys that the issuer signed for it.
pub(super) fn all_refused(refused: &[Refused]) -> Option<Check> {
    let (first, others) = refused.split_first()?;
    let found = json!({ "status": first.status.to_string() });
    let mut evidence = json!({ "protocol": first.summary, "found": found });
    add(&mut evidence, "refused_too", others);
    Some(check(Outcome::Failed(Reason::ChipAuthenticationFailed), evidence))
}

pub(super) fn not_performed(error: &ChipAuthError) -> Check {
    check(error.outcome(), json!({ "why": error.to_string() }))
}

fn check(outcome: Outcome, evidence: Value) -> Check {
    Check::new(ID, outcome, evidence)
}

/// The chip authentication mapping has passed, and chip authentication with the key of DG14 came to
/// `own`.
///
/// Either authenticates the chip (ICAO 9303-11 §6), each by another signed file: the mapping's key
/// stands in EF.CardSecurity, which says nothing of this document's EF.SOD, while DG14 is hashed
/// there. So the key of DG14 must be proved too where there is one, and a chip that does not is not
/// the one that was signed for. Where there is none, or none that is supported, the mapping stands.
pub(super) fn with_mapping(mapping: Check, own: Check) -> Check {
    let outcome = match own.outcome {
        Outcome::NotPerformed(Some(
            Reason::ChipAuthenticationMissing | Reason::ChipAuthenticationUnsupported,
        )) => mapping.outcome,
        outcome => outcome,
    };
    let word = match own.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "failed",
        Outcome::NotPerformed(_) => "not_performed",
    };
    let mut evidence = mapping.evidence.value().clone();
    if let Value::Object(fields) = &mut evidence {
        fields.insert("DG14".into(), json!({ "outcome": word, "evidence": own.evidence }));
    }
    Check::new(ID, outcome, evidence)
}
