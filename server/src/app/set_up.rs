//! Whoever sets an identity up types the user ID that was chosen: who only finds a browser with an enrolment in it
//! changes nothing of what was chosen, and registers no app. Wrong ones are counted for the enrolment, and after a few it
//! sets nothing up any more: its person proves themselves again, and chooses anew.

use super::owner::Owner;
use super::{App, AppError};
use crate::storage::{Profile, SetUp, Tx};
use enroll_core::reason::ReasonCode;
use enroll_core::user_id::UserId;
use serde_json::json;

/// How far the enrolment of `owner` has come.
pub(super) fn set_up(profile: &Profile, owner: Owner) -> SetUp {
    let known = profile.details.set_up.filter(|known| known.by == owner.enrolment);
    known.unwrap_or(SetUp { by: owner.enrolment, chosen: false, wrong: 0 })
}

impl App {
    /// That `typed` is the user ID in a profile that the unit of work holds, which is given back. A wrong one is
    /// counted, and ends that unit of work.
    ///
    /// # Errors
    /// `user_id.missing`, `user_id.other`, `user_id.tries`.
    pub(super) async fn knows_user_id(
        &self,
        mut tx: Tx,
        profile: &Profile,
        owner: Owner,
        typed: &str,
    ) -> Result<Tx, AppError> {
        let missing = AppError::Reason(ReasonCode::USER_ID_MISSING);
        let chosen = profile.details.user_id.as_deref().ok_or(missing)?;
        let known = set_up(profile, owner);
        let most = self.policy.activation.wrong_user_ids;
        if known.wrong >= most {
            return Err(AppError::Reason(ReasonCode::USER_ID_TRIES));
        }
        if UserId::parse(typed.trim()).is_ok_and(|typed| typed.as_str() == chosen) {
            return Ok(tx);
        }
        let wrong = known.wrong + 1;
        let mut profile = profile.clone();
        profile.details.set_up = Some(SetUp { wrong, ..known });
        tx.save_profile(&profile).await?;
        let data = json!({ "wrong": wrong });
        tx.audit(self.of_identity("user_id.wrong", owner.identity, data)).await?;
        tx.commit().await?;
        let is_last = wrong >= most;
        let reason = if is_last { ReasonCode::USER_ID_TRIES } else { ReasonCode::USER_ID_OTHER };
        Err(AppError::Reason(reason))
    }
}
