//! What an officer does with code devices: hands one out inactive, and says that one is lost, found or blocked.
//! They see serial numbers and states, and neither a seed nor a code (issue: support never sees secrets).

use super::super::activity::{Activity, By, What};
use super::super::officer::Officer;
use super::super::start::digits;
use super::super::subject::Subject;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::order::no_other;
use super::{CodeDeviceView, NewStanding, serial};
use crate::ids::IdentityId;
use crate::notices::Notice;
use crate::storage::CodeDeviceRow;
use enroll_core::audit::Event;
use enroll_core::life::Actor;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

/// Which device is handed to whom: to the person of an identity, or with a CPR number.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOut {
    /// What is written on the device.
    #[schema(example = "KV-000123")]
    serial: String,
    /// The identity's number.
    #[serde(default)]
    identity: Option<String>,
    /// Personal number, ten digits, with or without a hyphen.
    #[serde(default)]
    cpr: Option<String>,
}

impl std::fmt::Debug for HandOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandOut(…)")
    }
}

impl App {
    /// Hands a device of the stock out, inactive, to a person whom the officer has before them.
    ///
    /// # Errors
    /// [`AppError::Malformed`] unless there is either an identity or a personal number;
    /// [`AppError::UnknownCase`] if there is no such identity; `identity.blocked`; `code_device.state` for a
    /// device that is not in stock; `code_device.other` while another one is on the way.
    pub async fn hand_out_code_device(
        &self,
        officer: &Officer,
        given: HandOut,
    ) -> Result<CodeDeviceView, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let identity: IdentityId = match (&given.identity, &given.cpr) {
            (Some(id), None) => id.trim().parse().map_err(|_| AppError::UnknownCase)?,
            (None, Some(cpr)) => {
                let cpr = digits(cpr.trim()).ok_or(AppError::Malformed)?;
                let person = Subject::Cpr(Zeroizing::new(cpr)).hash(&tx)?;
                tx.identity_of(&person).await?.ok_or(AppError::UnknownCase)?
            }
            _ => return Err(AppError::Malformed),
        };
        tx.identity(identity).await?.ok_or(AppError::UnknownCase)?;
        let profile = tx.hold_profile(identity).await?;
        profile.life.open().map_err(AppError::Reason)?;
        no_other(&mut tx, &profile, None).await?;
        let state = || AppError::Reason(ReasonCode::CODE_DEVICE_STATE);
        let found = tx.code_device_of(&serial(&given.serial)).await?.ok_or_else(state)?;
        let row = tx.hold_code_device(found.id).await?.ok_or_else(state)?;
        let state = row.state.clone().hand_out(officer.name.clone(), self.now());
        let state = state.map_err(AppError::Reason)?;
        let row = CodeDeviceRow { identity: Some(identity), state, ..row };
        tx.save_code_device(&row).await?;
        let about = About::now(Blocks::CodeDevice(row.id));
        self.notify(&mut tx, &profile, Notice::CodeDeviceHandedOut, about).await?;
        let by = Some(By::Officer(officer.name.clone()));
        let activity = Activity::of(What::CodeDeviceHandedOut).with(row.id).by(by);
        self.note(&mut tx, identity, activity).await?;
        let data = json!({ "code_device": row.id, "officer": officer.name });
        tx.audit(self.of_identity("code_device.handed_out", identity, data)).await?;
        tx.commit().await?;
        Ok(CodeDeviceView::from(&row))
    }

    /// How a device stands. The look is in the trail.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`].
    pub async fn look_at_code_device(
        &self,
        officer: &Officer,
        typed: &str,
    ) -> Result<CodeDeviceView, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let row = tx.code_device_of(&serial(typed)).await?.ok_or(AppError::UnknownCase)?;
        let data = json!({ "officer": officer.name, "code_device": row.id });
        let kind = "code_device.looked".to_owned();
        tx.audit(Event { time: self.now(), kind, case: None, data }).await?;
        tx.commit().await?;
        Ok(CodeDeviceView::from(&row))
    }

    /// Sets how a device stands, in the name of the officer.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`]; `code_device.state`, `identity.blocked`.
    pub async fn stand_code_device_by(
        &self,
        officer: &Officer,
        typed: &str,
        new: NewStanding,
    ) -> Result<CodeDeviceView, AppError> {
        let by = Actor::Officer { officer: officer.name.clone() };
        self.restand(&serial(typed), None, by, new.standing).await
    }
}
