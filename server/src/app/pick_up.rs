//! Picking up what was proved at a Borgercenter or on a helper's device: whoever started the case need not be
//! whom it is about, so that the token of the start sets nothing up. The person at the kiosk or before the officer gets a
//! one-time code (on paper: E4), and that makes the token of the owner.

use super::owner::Owner;
use super::{Access, App, AppError, PublicIdentity};
use crate::clock::random;
use crate::ids::EnrolmentId;
use crate::storage::Tx;
use enroll_core::pick_up::PickUpCode;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// What the person takes home.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PickUp {
    /// The code: shown once, kept as a keyed hash, for who stands there only.
    #[schema(example = "7KQ2-M4XB-9RDT-H3W2")]
    pub code: String,
    /// Until when.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
}

impl std::fmt::Debug for PickUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PickUp(…)")
    }
}

/// A pick-up code as it is typed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenPickUp {
    /// In any case, with or without hyphens.
    #[schema(example = "7KQ2-M4XB-9RDT-H3W2")]
    code: String,
}

impl std::fmt::Debug for GivenPickUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenPickUp(…)")
    }
}

/// An identity with the token of its owner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PickedUp {
    /// The identity.
    pub identity: PublicIdentity,
    /// The owner's bearer token: shown once, kept as a hash.
    pub token: String,
    /// The enrolment that the identity came of, for pages of this process.
    #[serde(skip)]
    pub(crate) enrolment: EnrolmentId,
}

impl App {
    /// Hands what was made on a helper's device over to the person's own (M1): the code is for that one,
    /// and the token of the start sets nothing up from now on. Until it is used another may be drawn,
    /// which takes its place.
    ///
    /// # Errors
    /// `case.state` if no identity came of the case, `activation.window`, `identity.blocked`;
    /// [`AppError::Unauthorized`] once it was picked up, or where a kiosk opened the case.
    pub async fn hand_over(&self, access: Access) -> Result<PickUp, AppError> {
        let id = access.id();
        let mut tx = self.parts.store.begin().await?;
        let record = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?.record;
        let identity = record.settled.and_then(|settled| settled.identity);
        let identity = identity.ok_or(AppError::Reason(ReasonCode::CASE_STATE))?;
        let profile = tx.hold_profile(identity).await?;
        let owner = Owner { identity, enrolment: id };
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        if access.desk || !tx.hand_over(id).await? {
            return Err(AppError::Unauthorized);
        }
        tx.audit(self.event("case.handed_over", id, json!({ "identity": identity }))).await?;
        let pick_up = self.draw_pick_up(&mut tx, id).await?.ok_or(AppError::Unauthorized)?;
        tx.commit().await?;
        Ok(pick_up)
    }

    /// Draws the code for what came of the case `id`, if it is nobody's yet.
    pub(super) async fn draw_pick_up(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
    ) -> Result<Option<PickUp>, AppError> {
        if !tx.is_disowned(id).await? {
            return Ok(None);
        }
        let code = PickUpCode::draw(random(self.parts.entropy.as_ref())?);
        let hash = tx.keyed_hash("pick-up code", code.expose().as_bytes())?;
        let until = self.now() + Duration::seconds(i64::from(self.policy.desk.pick_up_s));
        tx.put_pick_up(&hash, id, until).await?;
        tx.audit(self.event("pick_up.drawn", id, json!({}))).await?;
        Ok(Some(PickUp { code: code.grouped(), until }))
    }

    /// Makes the owner's token of a code, once.
    ///
    /// # Errors
    /// `pick_up.form`; `pick_up.unknown` for one that is unknown, used, late, or of an identity that
    /// was issued again since.
    pub async fn pick_up(&self, given: GivenPickUp) -> Result<PickedUp, AppError> {
        let code = PickUpCode::parse(&given.code).map_err(AppError::Reason)?;
        let unknown = || AppError::Reason(ReasonCode::PICK_UP_UNKNOWN);
        let (token, owner) = self.token()?;
        let mut tx = self.parts.store.begin().await?;
        let hash = tx.keyed_hash("pick-up code", code.expose().as_bytes())?;
        let id = tx.pick_up(&hash, &owner, self.now()).await?.ok_or_else(unknown)?;
        let record = tx.enrolment(id).await?.ok_or_else(unknown)?.record;
        let identity = record.settled.and_then(|settled| settled.identity).ok_or_else(unknown)?;
        let found = tx.identity(identity).await?.filter(|found| found.enrolment == id);
        let found = found.ok_or_else(unknown)?;
        tx.audit(self.event("pick_up.used", id, json!({ "identity": identity }))).await?;
        tx.commit().await?;
        let identity = serde_json::from_slice(&found.record).map_err(AppError::internal)?;
        Ok(PickedUp { identity, token, enrolment: id })
    }
}
