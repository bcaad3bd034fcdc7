//! Going on at a Borgercenter (A2, H6): a reference that opens the same case there, whether a decision,
//! used-up attempts, a consent that was not given or the person's wish led to it.

use super::view::ReasonView;
use super::{Access, App, AppError};
use crate::ids::EnrolmentId;
use enroll_core::case::Case;
use enroll_core::policy::Witness;
use enroll_core::reason::{ReasonCode, Step};
use enroll_core::reference::Reference;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

/// What a person wants of a Borgercenter.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// Whether the identity is to be at level High, which only an officer gives. Looked at while the
    /// case is open.
    high: bool,
}

/// A referred case, to the person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Referred {
    /// Which.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// What opens the case at a Borgercenter: shown once, kept as a keyed hash. One drawn before is
    /// worth nothing any more.
    #[schema(example = "7KQ2-M4XB")]
    pub reference: String,
    /// Until when.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
    /// Why it was referred, worst first.
    pub reasons: Vec<ReasonView>,
    /// Who may vouch for somebody who cannot prove who they are.
    pub witness: WitnessRule,
}

impl std::fmt::Debug for Referred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Referred({})", self.id)
    }
}

/// Who may vouch for a person at a Borgercenter.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct WitnessRule {
    /// Years of age.
    #[schema(example = 18)]
    pub minimum_age: u8,
    /// Days for which they must have had their own identity.
    #[schema(example = 30)]
    pub identity_days: u32,
    /// For how many people in `period_days`.
    #[schema(example = 3)]
    pub most: u16,
    /// Days over which these are counted.
    #[schema(example = 120)]
    pub period_days: u32,
}

impl From<Witness> for WitnessRule {
    fn from(rule: Witness) -> Self {
        const DAY: u32 = 24 * 60 * 60;
        Self {
            minimum_age: rule.minimum_age,
            identity_days: rule.identity_s.div_ceil(DAY),
            most: rule.most,
            period_days: rule.period_s.div_ceil(DAY),
        }
    }
}

impl App {
    /// Refers an open case, as the person wishes, and draws the reference of a referred one.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] for a kiosk; `case.state` once the case has ended or is at a
    /// Borgercenter; `case.expired`.
    pub async fn refer(&self, access: Access, wish: Wish) -> Result<Referred, AppError> {
        if access.desk {
            return Err(AppError::Unauthorized);
        }
        let (mut tx, mut enrolment) = self.load(access).await?;
        let (id, now) = (access.id(), self.now());
        let record = &mut enrolment.record;
        if record.case.is_open() {
            let reasons = vec![self.why(&record.case, &wish)];
            record.case.high = wish.high;
            record.refer(reasons.clone(), &self.policy, now)?;
            tx.save(&enrolment).await?;
            self.keep_for_desk(&mut tx, &enrolment).await?;
            tx.audit(self.event("case.referred", id, json!({ "reasons": reasons }))).await?;
        }
        let record = &enrolment.record;
        let until = record.case.deadline;
        if record.case.referral().is_none() {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        if now > until {
            return Err(AppError::Reason(ReasonCode::CASE_EXPIRED));
        }
        let reference = Reference::draw(crate::clock::random(self.parts.entropy.as_ref())?);
        let hash = tx.keyed_hash("booking reference", reference.expose().as_bytes())?;
        tx.put_reference(&hash, id, until).await?;
        tx.audit(self.event("reference.drawn", id, json!({}))).await?;
        tx.commit().await?;
        let reasons = record.settled.iter().flat_map(|settled| &settled.reasons);
        Ok(Referred {
            id,
            reference: reference.grouped(),
            until,
            reasons: reasons.copied().map(ReasonView::from).collect(),
            witness: self.policy.witness.into(),
        })
    }

    fn why(&self, case: &Case, wish: &Wish) -> ReasonCode {
        let limits = case.limits(&self.policy);
        let is_used_up = |step: &Step| case.tried.of(*step) >= limits.of(*step);
        if [Step::Page, Step::Chip, Step::Face].iter().any(is_used_up) {
            ReasonCode::CASE_ATTEMPTS
        } else if wish.high {
            ReasonCode::REFERRAL_HIGH
        } else {
            ReasonCode::REFERRAL_WISH
        }
    }
}
