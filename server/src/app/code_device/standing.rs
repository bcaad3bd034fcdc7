//! Lost, found, blocked and opened again. Whatever ends the use of an active device holds, with the end of every
//! session, before the call returns (F1).

use super::super::activity::{Activity, By, Place, What};
use super::super::block::whose;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::{CodeDeviceView, DeviceHolder, serial};
use crate::ids::IdentityId;
use crate::notices::Notice;
use crate::oidc::Why;
use crate::storage::{CodeDeviceRow, Tx};
use enroll_core::code_device::CodeDevice;
use enroll_core::life::{Actor, Life, Standing};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How a device is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStanding {
    /// It was lost.
    Lost,
    /// It was found: to be activated anew.
    Found,
    /// It is blocked.
    Blocked,
    /// It is not blocked any more: to be activated anew.
    Reopened,
}

/// How a device is to stand.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStanding {
    /// `lost`, `found`, `blocked` or `reopened`.
    pub standing: DeviceStanding,
}

impl DeviceStanding {
    fn of(self, state: CodeDevice, by: &Actor, app: &App) -> Result<CodeDevice, ReasonCode> {
        match self {
            Self::Lost => state.lose(by.clone(), app.now()),
            Self::Found => state.find(app.now()),
            Self::Blocked => state.block(by.clone(), app.now()),
            Self::Reopened => state.reopen(by, app.now()),
        }
    }

    fn ends_use(self) -> bool {
        matches!(self, Self::Lost | Self::Blocked)
    }

    /// What the person is told and reads of it later, if it is of a device or only of an order that is off.
    fn told(self, is_off: bool) -> (Notice, What) {
        match self {
            Self::Lost | Self::Blocked if is_off => {
                (Notice::CodeDeviceOrderOff, What::CodeDeviceOrderOff)
            }
            Self::Lost => (Notice::CodeDeviceBlocked, What::CodeDeviceLost),
            Self::Blocked => (Notice::CodeDeviceBlocked, What::CodeDeviceBlocked),
            Self::Found | Self::Reopened => (Notice::CodeDeviceBack, What::CodeDeviceBack),
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Lost => "code_device.lost",
            Self::Found => "code_device.found",
            Self::Blocked => "code_device.blocked",
            Self::Reopened => "code_device.reopened",
        }
    }
}

impl App {
    /// Sets how a device of the person stands. Repeated, it answers the same; but one that was not sent yet is
    /// nobody's once it is lost or blocked.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`] for one that is not theirs; `code_device.state`, `identity.blocked`;
    /// `activation.window` to find or open one by the token of an enrolment from before the identity was opened
    /// again, or logged in, where it was lost or blocked before that.
    pub async fn stand_code_device(
        &self,
        holder: DeviceHolder,
        typed: &str,
        new: NewStanding,
    ) -> Result<CodeDeviceView, AppError> {
        self.restand(&serial(typed), Some(holder), Actor::Holder, new.standing).await
    }

    /// The same for whoever's it is, or only for `of`.
    pub(in crate::app) async fn restand(
        &self,
        serial: &str,
        of: Option<DeviceHolder>,
        by: Actor,
        standing: DeviceStanding,
    ) -> Result<CodeDeviceView, AppError> {
        let tx = self.parts.store.begin().await?;
        self.restand_in(tx, (serial, of), (by, None), standing).await
    }

    /// The same in a unit of work that has begun. `told` is what its person reads of who did it and from where, if
    /// it is not what `by` says.
    pub(in crate::app) async fn restand_in(
        &self,
        mut tx: Tx,
        (serial, of): (&str, Option<DeviceHolder>),
        (by, told): (Actor, Option<(Option<By>, &Place)>),
        standing: DeviceStanding,
    ) -> Result<CodeDeviceView, AppError> {
        let found = tx.code_device_of(serial).await?.ok_or(AppError::UnknownCase)?;
        let state = AppError::Reason(ReasonCode::CODE_DEVICE_STATE);
        let identity = match (found.identity, of) {
            (Some(identity), None) => identity,
            (Some(identity), Some(of)) if identity == of.identity => identity,
            (None, None) => return Err(state),
            _ => return Err(AppError::UnknownCase),
        };
        let mut profile = tx.hold_profile(identity).await?;
        let row = tx.hold_code_device(found.id).await?.ok_or(AppError::UnknownCase)?;
        // Somebody else's since: the order was called off before it was held.
        if row.identity != Some(identity) {
            return Err(AppError::UnknownCase);
        }
        if !standing.ends_use() {
            profile.life.open().map_err(AppError::Reason)?;
            may_bring_back(&mut tx, of, (&profile.life, &row)).await?;
            super::order::no_other(&mut tx, &profile, Some(row.id)).await?;
        }
        let was_active = row.state.is_active();
        let state = standing.of(row.state.clone(), &by, self).map_err(AppError::Reason)?;
        if state == row.state {
            return Ok(CodeDeviceView::from(&row));
        }
        let row = row.becomes(state);
        tx.save_code_device(&row).await?;
        if was_active {
            profile.life = profile.life.next();
            tx.save_profile(&profile).await?;
            self.end_log_ins(&mut tx, identity, Why::Blocked).await?;
        }
        let erased = matches!(profile.life.standing, Standing::Erased { .. });
        let is_off = row.identity.is_none();
        let (notice, what) = standing.told(is_off);
        // What is lost or blocked needs no code; who else did it may need to be kept from all the rest.
        let blocks =
            if standing.ends_use() { Blocks::Identity } else { Blocks::CodeDevice(row.id) };
        // Of who has erased theirs nothing more is kept.
        if !erased {
            self.notify(&mut tx, &profile, notice, About::now(blocks)).await?;
            let activity = whose(Activity::of(what).with(row.id), &by, told.clone());
            self.note(&mut tx, identity, activity).await?;
        }
        let data = json!({ "code_device": row.id, "actor": by, "epoch": profile.life.epoch });
        let event = if is_off { "code_device.order_off" } else { standing.event() };
        tx.audit(self.of_identity(event, identity, data.clone())).await?;
        self.audit_support(&mut tx, identity, (told, data)).await?;
        tx.commit().await?;
        Ok(CodeDeviceView::from(&row))
    }

    /// Blocks, in a unit of work that holds the profile, what of an identity's devices came to stand as it does
    /// since `since`: also one that is lost or blocked, so that nobody but an officer brings it back.
    pub(in crate::app) async fn block_devices_since(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        (since, by): (time::OffsetDateTime, &Actor),
    ) -> Result<Vec<crate::ids::CodeDeviceId>, AppError> {
        let mut blocked = Vec::new();
        // In the order in which whoever holds several does.
        let mut found = tx.code_devices(identity).await?;
        found.sort_by(|one, other| one.serial.cmp(&other.serial));
        for CodeDeviceRow { id, .. } in found {
            // Held, and read again: it may have been posted meanwhile.
            let row = tx.hold_code_device(id).await?.ok_or(AppError::UnknownCase)?;
            if row.state.since().is_none_or(|at| at < since) {
                continue;
            }
            let state =
                row.state.clone().block(by.clone(), self.now()).map_err(AppError::Reason)?;
            if state == row.state {
                continue;
            }
            blocked.push(row.id);
            tx.save_code_device(&row.becomes(state)).await?;
        }
        Ok(blocked)
    }
}

/// That `of` still may bring a device back (F2). Shown by the token of an enrolment: that one issued the identity
/// last, which was not blocked and opened again since. Logged in: nor was it since the device stands so, else an
/// officer or who has enrolled anew brings it back.
async fn may_bring_back(
    tx: &mut Tx,
    of: Option<DeviceHolder>,
    (life, row): (&Life, &CodeDeviceRow),
) -> Result<(), AppError> {
    let Some(DeviceHolder { identity, enrolment }) = of else { return Ok(()) };
    let Some(enrolment) = enrolment else {
        let since = row.state.since().map_or(Ok(()), |since| life.may_be_set_up(since));
        return since.map_err(AppError::Reason);
    };
    let last = tx.identity(identity).await?.ok_or(AppError::UnknownCase)?.enrolment;
    let issuings = tx.issuings(identity).await?;
    match issuings.last() {
        Some(issuing) if last == enrolment => {
            life.may_be_set_up(issuing.at).map_err(AppError::Reason)
        }
        _ => Err(AppError::Unauthorized),
    }
}
