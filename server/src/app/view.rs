//! What a client sees of a case.

use super::ruling::ASKED;
use super::{Access, App, AppError};
use crate::ids::EnrolmentId;
use crate::record::Record;
use crate::relay::wire::Text;
use enroll_core::check::{Check, Outcome};
use enroll_core::decide::Verdict;
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use serde_json::{Value, json};

/// A case as its client sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct View {
    /// Which.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// Where it stands.
    #[schema(example = "page_read")]
    pub state: &'static str,
    /// What was checked so far.
    pub checks: Vec<CheckView>,
    /// `accepted`, `refused` or `inconclusive` once decided.
    pub verdict: Option<String>,
    /// The reasons that decided it, worst first.
    pub reasons: Vec<ReasonView>,
    /// What an officer has asked for, in their words.
    pub asked: Option<String>,
}

/// One check (INTERFACES, *Check*).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CheckView {
    /// Stable name.
    #[schema(example = "sod.signature")]
    pub id: String,
    /// `passed`, `failed` or `not_performed`.
    pub outcome: &'static str,
    /// Reason code, if it failed or could not be run for a reason of its own.
    pub reason: Option<String>,
    /// Names, algorithms, scores, dates and hashes of public data.
    #[schema(value_type = Object)]
    pub evidence: Value,
}

impl From<&Check> for CheckView {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            outcome: match check.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::NotPerformed => "not_performed",
            },
            reason: check.reason.map(|reason| reason.as_str().to_owned()),
            evidence: shown(check),
        }
    }
}

/// The evidence of a check without the identity of who vouched: that is nobody's business but the
/// officers'. Who films an attack, or shows a morph, is not told how far it came, nor which of its faults was seen.
fn shown(check: &Check) -> Value {
    if ["face.challenge", "face.attack", "face.morph"].contains(&check.id.as_str()) {
        return json!({});
    }
    let mut evidence = check.evidence.clone();
    if let Value::Object(fields) = &mut evidence {
        fields.remove("witness");
    }
    evidence
}

/// A reason with its texts (REQUIREMENTS H6).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReasonView {
    /// Stable code.
    #[schema(example = "document.expired")]
    pub code: String,
    /// What happened.
    pub text: Text,
    /// What to do now.
    pub next_step: Text,
}

impl From<ReasonCode> for ReasonView {
    fn from(code: ReasonCode) -> Self {
        let entry = code.entry();
        Self {
            code: code.as_str().to_owned(),
            text: Text::from(&entry.text),
            next_step: Text::from(&entry.next),
        }
    }
}

/// The verdict's name.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::Inconclusive => "inconclusive",
    }
}

impl View {
    /// The view of `record`.
    #[must_use]
    pub fn of(id: EnrolmentId, record: &Record) -> Self {
        let settled = record.settled.as_ref();
        Self {
            id,
            state: record.case.name(),
            checks: record.checks().iter().map(CheckView::from).collect(),
            verdict: settled.map(|s| verdict_name(s.verdict).to_owned()),
            reasons: settled
                .map(|s| s.reasons.iter().copied().map(ReasonView::from).collect())
                .unwrap_or_default(),
            asked: None,
        }
    }
}

impl App {
    /// The case as its client sees it.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn view(&self, access: Access) -> Result<View, AppError> {
        let id = access.id();
        let mut tx = self.parts.store.read().await?;
        let record = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?.record;
        let asked = match record.case.referral() {
            Some(referral) if referral.asked.is_some() => tx.get(id, ASKED).await?,
            _ => None,
        };
        let asked = asked.map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(View { asked, ..View::of(id, &record) })
    }

    /// The stored record, for pages of this process that need no token.
    pub(crate) async fn record(&self, id: EnrolmentId) -> Result<Record, AppError> {
        let mut tx = self.parts.store.read().await?;
        Ok(tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?.record)
    }
}
