//! Code displays and audio code readers with the password beside them (E2, E10, G6): one file per operation.
//! How somebody logs in with one is in `app::oidc::code`.

mod activate;
mod desk;
mod order;
mod password;
mod rest;
mod standing;
mod stock;

pub use activate::{ActivatedDevice, AskedCode, CodeSent};
pub use desk::HandOut;
pub use order::{FirstDevice, WantedDevice};
pub use password::{ChangedPassword, PasswordKept};
pub use standing::{DeviceStanding, NewStanding};
pub use stock::{Imported, NewDevice, StockError, import_code_devices, post_code_devices};

use super::owner::Owner;
use super::{App, AppError};
use crate::ids::{EnrolmentId, IdentityId};
use crate::storage::CodeDeviceRow;
use enroll_core::code_device::Kind;
use serde::Serialize;
use time::OffsetDateTime;

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

/// A serial number as it is typed: in any case, with spaces around it.
fn serial(typed: &str) -> String {
    typed.trim().to_uppercase()
}
