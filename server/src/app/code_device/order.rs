//! Ordering a code device (M2): one of the stock becomes the person's, and is sent to them inactive.

use super::super::activity::{Activity, What};
use super::super::owner::Owner;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::{CodeDeviceView, DeviceHolder};
use crate::ids::CodeDeviceId;
use crate::notices::Notice;
use crate::storage::{CodeDeviceRow, Profile, Tx};
use enroll_core::code_device::Kind;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;

/// Which kind is wanted.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedDevice {
    /// `display` or `reader`.
    #[schema(value_type = String, pattern = "^(display|reader)$", example = "display")]
    pub kind: Kind,
}

/// What who sets the identity up orders.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstDevice {
    /// `display` or `reader`.
    #[schema(value_type = String, pattern = "^(display|reader)$", example = "display")]
    kind: Kind,
    /// The user ID, as its person types it.
    #[schema(example = "anna.eriksson")]
    user_id: String,
}

impl std::fmt::Debug for FirstDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FirstDevice({:?})", self.kind)
    }
}

impl App {
    /// Orders a device for who sets the identity up and types its user ID: for people without an app (E2).
    ///
    /// # Errors
    /// As [`App::order_code_device`], and as long as [`App::choose_user_id`]; `user_id.other`, `user_id.tries`.
    pub async fn order_first_code_device(
        &self,
        owner: Owner,
        wanted: FirstDevice,
    ) -> Result<CodeDeviceView, AppError> {
        let (mut tx, profile) = self.hold(owner.identity).await?;
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        let tx = self.knows_user_id(tx, &profile, owner, &wanted.user_id).await?;
        self.ordered(tx, profile, wanted.kind).await
    }

    /// Orders a device.
    ///
    /// # Errors
    /// `identity.blocked`; `user_id.missing` and `activation.channels` if it could not be activated;
    /// `code_device.other` while another one is on the way; `code_device.many` after as many as a person may order;
    /// `code_device.stock`.
    pub async fn order_code_device(
        &self,
        holder: DeviceHolder,
        wanted: WantedDevice,
    ) -> Result<CodeDeviceView, AppError> {
        let (tx, profile) = self.hold(holder.identity).await?;
        self.ordered(tx, profile, wanted.kind).await
    }

    async fn ordered(
        &self,
        mut tx: Tx,
        profile: Profile,
        kind: Kind,
    ) -> Result<CodeDeviceView, AppError> {
        profile.life.open().map_err(AppError::Reason)?;
        if profile.details.user_id.is_none() {
            return Err(AppError::Reason(ReasonCode::USER_ID_MISSING));
        }
        if profile.details.contacts.is_none() {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_CHANNELS));
        }
        let identity = profile.identity;
        no_other(&mut tx, &profile, None).await?;
        // Those that were lost or blocked after they were sent are theirs for ever (M2).
        let had = tx.code_devices(identity).await?.len();
        if had >= usize::from(self.policy.code_devices.each) {
            return Err(AppError::Reason(ReasonCode::CODE_DEVICE_MANY));
        }
        let none = AppError::Reason(ReasonCode::CODE_DEVICE_STOCK);
        let row = tx.hold_stock(kind).await?.ok_or(none)?;
        let state = row.state.order(self.now()).map_err(AppError::Reason)?;
        let row = CodeDeviceRow { identity: Some(identity), state, ..row };
        tx.save_code_device(&row).await?;
        let about = About::now(Blocks::CodeDevice(row.id));
        self.notify(&mut tx, &profile, Notice::CodeDeviceOrdered, about).await?;
        let activity = Activity::of(What::CodeDeviceOrdered).with(row.id);
        self.note(&mut tx, identity, activity).await?;
        let order = row.order().map(|order| order.to_string());
        let data = json!({ "code_device": row.id, "kind": kind, "order": order });
        tx.audit(self.of_identity("code_device.ordered", identity, data)).await?;
        tx.commit().await?;
        Ok(CodeDeviceView::from(&row))
    }
}

/// That none but `this` is on the way or waits to be activated (M2).
pub(super) async fn no_other(
    tx: &mut Tx,
    profile: &Profile,
    this: Option<CodeDeviceId>,
) -> Result<(), AppError> {
    let devices = tx.code_devices(profile.identity).await?;
    match devices.iter().any(|device| Some(device.id) != this && device.state.is_under_way()) {
        true => Err(AppError::Reason(ReasonCode::CODE_DEVICE_OTHER)),
        false => Ok(()),
    }
}
