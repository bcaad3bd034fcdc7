//! What is stored of a case in the clear: its state, its checks and what was decided. No personal
//! data: those are sealed beside it.

use enroll_core::case::{Case, CaseError};
use enroll_core::check::Check;
use enroll_core::decide::{Action, Decision, Findings, Verdict};
use enroll_core::policy::Policy;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A case with its findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Where it stands.
    pub case: Case,
    /// What was found.
    pub findings: Findings,
    /// What was decided last, if anything.
    pub settled: Option<Settled>,
}

/// A decision as it is kept: the answer to a repeated *finish*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// In one word.
    pub verdict: Verdict,
    /// What is done.
    pub decision: Outcome,
    /// The reasons that decided it, worst first.
    pub reasons: Vec<ReasonCode>,
    /// The identity issued, if one was.
    pub identity: Option<crate::ids::IdentityId>,
}

/// What is done, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An identity is issued.
    Issue,
    /// The person does a step again.
    TryAgain,
    /// A Borgercenter takes over.
    Refer,
    /// No identity.
    Refuse,
}

impl From<Action> for Outcome {
    fn from(action: Action) -> Self {
        match action {
            Action::Issue { .. } => Self::Issue,
            Action::TryAgain { .. } => Self::TryAgain,
            Action::Refer => Self::Refer,
            Action::Refuse => Self::Refuse,
        }
    }
}

impl Settled {
    /// What is kept of `decision`.
    #[must_use]
    pub fn of(decision: &Decision, identity: Option<crate::ids::IdentityId>) -> Self {
        Self {
            verdict: decision.verdict,
            decision: decision.action.into(),
            reasons: decision.reasons.clone(),
            identity,
        }
    }
}

impl Record {
    /// A case without findings.
    #[must_use]
    pub fn new(case: Case) -> Self {
        Self { case, findings: Findings::new(), settled: None }
    }

    /// Whether nothing more can happen.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.case.has_ended()
    }

    /// Moves the case on; what was decided before is void.
    ///
    /// # Errors
    /// The transition's own; the record stands as it was.
    pub fn advance(
        &mut self,
        step: impl FnOnce(Case) -> Result<Case, CaseError>,
    ) -> Result<(), CaseError> {
        self.case = step(self.case.clone())?;
        if self.case.is_open() {
            self.settled = None;
        }
        Ok(())
    }

    /// Hands the case over to a Borgercenter for `reasons`, as a decision does.
    ///
    /// # Errors
    /// As [`Case::refer`].
    pub fn refer(
        &mut self,
        reasons: Vec<ReasonCode>,
        policy: &Policy,
        now: OffsetDateTime,
    ) -> Result<(), CaseError> {
        self.advance(|case| case.refer(reasons.clone(), policy, now))?;
        let (verdict, decision) = (Verdict::Inconclusive, Outcome::Refer);
        self.settled = Some(Settled { verdict, decision, reasons, identity: None });
        Ok(())
    }

    /// A visit to a Borgercenter is over without a decision.
    ///
    /// # Errors
    /// As [`Case::left`].
    pub fn leave(&mut self, now: OffsetDateTime) -> Result<(), CaseError> {
        self.advance(|case| case.left(now))?;
        let (verdict, decision) = (Verdict::Inconclusive, Outcome::Refer);
        let reasons = vec![ReasonCode::REFERRAL_VISIT_ENDED];
        self.settled = Some(Settled { verdict, decision, reasons, identity: None });
        Ok(())
    }

    /// The checks, in the order in which they were recorded.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        self.findings.checks()
    }
}
