//! An issued identity, to its owner.

use super::{App, AppError};
use crate::ids::{EnrolmentId, IdentityId};
use serde::{Deserialize, Serialize};

/// An identity with its signed form.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicIdentity {
    /// Which.
    #[schema(value_type = String)]
    pub id: IdentityId,
    /// Level of assurance.
    #[schema(example = "Substantial")]
    pub level: String,
    /// Name, as the register has it.
    pub name: String,
    /// Date of birth.
    #[schema(example = "1974-08-12")]
    pub birth_date: String,
    /// When it was issued, RFC 3339.
    pub issued_at: String,
    /// The signed record: a JWS in compact form (RFC 7515 §3.1), verified with `/v1/keys`.
    pub jws: String,
}

impl std::fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicIdentity({})", self.id)
    }
}

impl App {
    /// The identity `id`, if `token` is that of its owner.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`] if there is none, [`AppError::Unauthorized`].
    pub async fn identity(&self, id: &str, token: &str) -> Result<PublicIdentity, AppError> {
        let id: IdentityId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        let found = super::owner::living(&mut tx, id).await?;
        super::owner::owns(&mut tx, found.enrolment, token).await?;
        serde_json::from_slice(&found.record).map_err(AppError::internal)
    }

    /// The identity `id` as `enrolment` issued it; `None` once a later enrolment has renewed it.
    pub(crate) async fn issued(
        &self,
        id: IdentityId,
        enrolment: EnrolmentId,
    ) -> Result<Option<PublicIdentity>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let found = tx.identity(id).await?.ok_or(AppError::UnknownCase)?;
        if found.enrolment != enrolment {
            return Ok(None);
        }
        serde_json::from_slice(&found.record).map(Some).map_err(AppError::internal)
    }
}
