//! Code displays and audio code readers with the password beside them (E2, E10, G6): one file per operation.
//! How somebody logs in with one is in `app::oidc::code`.

mod activate;
mod ask;
mod desk;
mod order;
mod password;
mod rest;
mod standing;
mod stock;

pub use activate::ActivatedDevice;
pub(in crate::app) use ask::Asks;
pub use ask::{AskedCode, CodeSent};
pub use desk::HandOut;
pub use order::{FirstDevice, WantedDevice};
pub use password::{ChangedPassword, PasswordKept};
pub(in crate::app) use password::{Compared, KeptPassword, know_password_costs};
pub use standing::{DeviceStanding, NewStanding};
pub use stock::{
    Imported, NewDevice, Parcel, ParcelError, StockError, import_code_devices, post_code_devices,
};

use super::oidc::user_hash;
use super::owner::Owner;
use super::{App, AppError};
use crate::ids::{CodeDeviceId, EnrolmentId, IdentityId};
use crate::storage::{CodeDeviceRow, Profile, Tx};
use enroll_core::audit::Hash;
use enroll_core::code_device::{CodeDevice, Kind};
use enroll_core::codes;
use enroll_core::user_id::UserId;
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Who has proved to be the person of an identity: with the token of its enrolment, or by logging in.
#[derive(Debug, Clone, Copy)]
pub struct DeviceHolder {
    identity: IdentityId,
    /// Whose token showed it.
    enrolment: Option<EnrolmentId>,
}

impl DeviceHolder {
    /// The person who has just logged in here as `identity`: for who has checked that.
    #[must_use]
    pub fn logged_in(identity: IdentityId) -> Self {
        Self { identity, enrolment: None }
    }
}

impl From<Owner> for DeviceHolder {
    fn from(owner: Owner) -> Self {
        Self { identity: owner.identity, enrolment: Some(owner.enrolment) }
    }
}

/// A code device as its person or an officer sees it: never its seed or a code.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CodeDeviceView {
    /// What is written on it.
    #[schema(example = "KV-000123")]
    pub serial: String,
    /// `display` or `reader`.
    #[schema(value_type = String, example = "display")]
    pub kind: Kind,
    /// `in_stock`, `ordered`, `inactive`, `active`, `lost` or `blocked`.
    #[schema(example = "active")]
    pub state: &'static str,
    /// Since when; nothing in stock.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>)]
    pub since: Option<OffsetDateTime>,
}

impl From<&CodeDeviceRow> for CodeDeviceView {
    fn from(row: &CodeDeviceRow) -> Self {
        let (serial, kind) = (row.serial.clone(), row.kind);
        Self { serial, kind, state: row.state.name(), since: row.state.since() }
    }
}

impl App {
    /// The code devices of a person, oldest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn code_devices(
        &self,
        holder: DeviceHolder,
    ) -> Result<Vec<CodeDeviceView>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let rows = tx.code_devices(holder.identity).await?;
        Ok(rows.iter().map(CodeDeviceView::from).collect())
    }
}

impl App {
    /// The serial number of the code device with this number; nothing for an app's.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn serial_of(&self, id: uuid::Uuid) -> Result<Option<String>, AppError> {
        let id = id.to_string().parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        Ok(tx.known_code_device(id).await?.map(|row| row.serial))
    }
}

/// A serial number as it is typed: in any case, with spaces around it.
fn serial(typed: &str) -> String {
    typed.trim().to_uppercase()
}

/// What is typed of a device is counted by its serial number and the user ID with it: serial numbers are known to
/// many, and nobody who knows no more takes its person's turn.
fn limited(typed: &str, user_id: &str) -> Zeroizing<String> {
    let user_id = Zeroizing::new(user_id.trim().to_lowercase());
    Zeroizing::new(format!("{} {}", serial(typed), user_id.as_str()))
}

/// A device with its person's profile, held.
struct Theirs {
    tx: Tx,
    profile: Profile,
    row: CodeDeviceRow,
    /// Whether it is that of the person with the user ID that was typed, and the identity can be used.
    fits: bool,
}

impl App {
    /// Whose the device with this serial number is, if it is somebody's and inactive.
    async fn inactive(&self, typed: &str) -> Result<Option<IdentityId>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let found = tx.code_device_of(&serial(typed)).await?;
        let found = found.filter(|row| matches!(row.state, CodeDevice::Inactive { .. }));
        Ok(found.and_then(|row| row.identity))
    }

    /// The device with this serial number, if it is somebody's. The user ID is only compared: the work is the same
    /// whether it fits or not (G4).
    async fn theirs(&self, user_id: &str, typed: &str) -> Result<Option<Theirs>, AppError> {
        let user_id = UserId::parse(user_id.trim());
        let mut tx = self.parts.store.begin().await?;
        let text = user_id.as_ref().map(UserId::as_str).unwrap_or_default();
        let given = tx.keyed_hash("user_id", text.as_bytes())?;
        let Some(found) = tx.code_device_of(&serial(typed)).await? else { return Ok(None) };
        let Some(identity) = found.identity else { return Ok(None) };
        let profile = tx.hold_profile(identity).await?;
        // Read again: somebody may have held it until now.
        let Some(row) = tx.hold_code_device(found.id).await? else { return Ok(None) };
        if row.identity != Some(identity) {
            return Ok(None);
        }
        let is_theirs = openssl::memcmp::eq(&user_hash(&tx, &profile)?, &given);
        let fits = is_theirs
            && user_id.is_ok()
            && profile.details.user_id.is_some()
            && profile.life.open().is_ok();
        Ok(Some(Theirs { tx, profile, row, fits }))
    }
}

/// What is kept of a code: bound to its device and channel (E4).
fn code_hash(
    tx: &Tx,
    id: CodeDeviceId,
    channel: codes::Channel,
    code: &str,
) -> Result<Hash, AppError> {
    let bound = Zeroizing::new(format!("{id} {} {code}", channel.as_str()));
    Ok(Hash(tx.keyed_hash("code device code", bound.as_bytes())?))
}
