//! The right to act on an issued identity. The token of the enrolment that issued it last (of one that was
//! proved at a Borgercenter: the token that its pick-up code made) sets it up and shows it; an earlier one blocks it and does nothing else, so that nobody who proves to be the
//! person takes away the right to stop it. An app acts with its key.

use super::{Access, App, AppError};
use crate::ids::{AuthenticatorId, EnrolmentId, IdentityId};
use crate::storage::{AuthenticatorRow, Identity, Profile, Tx};
use enroll_core::audit::Event;
use enroll_core::case::State;
use enroll_core::life::{Life, Standing};
use enroll_core::reason::ReasonCode;
use serde_json::Value;

/// Who holds the token of the enrolment that issued an identity last.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    pub(super) identity: IdentityId,
    pub(super) enrolment: EnrolmentId,
}

/// An owner and an app of the identity.
#[derive(Debug, Clone, Copy)]
pub struct OwnedApp {
    pub(super) owner: Owner,
    pub(super) id: AuthenticatorId,
}

/// Who holds the token of an enrolment that issued an identity once: enough to block it.
#[derive(Debug, Clone, Copy)]
pub struct Blocker {
    pub(super) identity: IdentityId,
}

impl App {
    /// The right to block the identity `id` that `token` gives.
    ///
    /// # Errors
    /// As [`App::owner`].
    pub async fn blocker(&self, id: &str, token: &str) -> Result<Blocker, AppError> {
        let identity: IdentityId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let hash = openssl::sha::sha256(token.as_bytes());
        let mut tx = self.parts.store.read().await?;
        tx.identity(identity).await?.ok_or(AppError::UnknownCase)?;
        let issuings = tx.issuings(identity).await?;
        let fitting = issuings.iter().filter(|issuing| fits(&hash, issuing.token_hash.as_deref()));
        let fitting = fitting.count();
        if fitting > 0 { Ok(Blocker { identity }) } else { Err(AppError::Unauthorized) }
    }

    /// The right that `token` gives over the identity `id`.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`] if there is none, [`AppError::Unauthorized`].
    pub async fn owner(&self, id: &str, token: &str) -> Result<Owner, AppError> {
        let identity: IdentityId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        let enrolment = living(&mut tx, identity).await?.enrolment;
        owns(&mut tx, enrolment, token).await?;
        Ok(Owner { identity, enrolment })
    }

    /// The access to the enrolment `id` of whoever picked up what came of it: enough to look at it.
    ///
    /// # Errors
    /// As [`App::authorise`].
    pub(crate) async fn authorise_owner(&self, id: &str, token: &str) -> Result<Access, AppError> {
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        owns(&mut tx, id, token).await?;
        Ok(Access { id, desk: false })
    }

    /// The right that `token` gives over the app `id`.
    ///
    /// # Errors
    /// As [`App::owner`].
    pub async fn owned_app(&self, id: &str, token: &str) -> Result<OwnedApp, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        let identity = tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?.identity;
        drop(tx);
        Ok(OwnedApp { owner: self.owner(&identity.to_string(), token).await?, id })
    }

    /// A unit of work in which the identity is this one's alone.
    pub(super) async fn hold(&self, identity: IdentityId) -> Result<(Tx, Profile), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let profile = tx.hold_profile(identity).await?;
        Ok((tx, profile))
    }

    /// The same for the identity of the app `id`, with the app.
    pub(super) async fn hold_app(
        &self,
        id: AuthenticatorId,
    ) -> Result<(Tx, Profile, AuthenticatorRow), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let identity = tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?.identity;
        let profile = tx.hold_profile(identity).await?;
        // Read again: somebody may have held it until now.
        let row = tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?;
        Ok((tx, profile, row))
    }

    /// That the enrolment of `owner` still gives the right to set the identity up: it issued the
    /// identity last, its window is open and no app was activated with it yet (F3), and the identity
    /// is not blocked, nor was it since.
    pub(super) async fn may_set_up(
        &self,
        tx: &mut Tx,
        owner: Owner,
        life: &Life,
    ) -> Result<(), AppError> {
        life.open().map_err(AppError::Reason)?;
        let last = tx.identity(owner.identity).await?.ok_or(AppError::UnknownCase)?.enrolment;
        if last != owner.enrolment {
            return Err(AppError::Unauthorized);
        }
        let enrolment = tx.enrolment(owner.enrolment).await?.ok_or(AppError::UnknownCase)?;
        let case = &enrolment.record.case;
        case.activatable(&self.policy, self.now())?;
        match case.state {
            State::IdentityCreated { at, .. } => life.may_be_set_up(at).map_err(AppError::Reason),
            _ => Err(AppError::Reason(ReasonCode::CASE_STATE)),
        }
    }

    pub(super) fn of_identity(&self, kind: &str, identity: IdentityId, data: Value) -> Event {
        let mut data = data;
        if let Value::Object(fields) = &mut data {
            fields.insert("identity".to_owned(), Value::String(identity.to_string()));
        }
        Event { time: self.now(), kind: kind.to_owned(), case: None, data }
    }
}

/// An identity that its person has not had erased.
///
/// # Errors
/// [`AppError::UnknownCase`].
pub(super) async fn living(tx: &mut Tx, id: IdentityId) -> Result<Identity, AppError> {
    let found = tx.identity(id).await?.ok_or(AppError::UnknownCase)?;
    match tx.life(id).await?.standing {
        Standing::Erased { .. } => Err(AppError::UnknownCase),
        _ => Ok(found),
    }
}

/// That `token` acts on what came of `enrolment`.
///
/// # Errors
/// [`AppError::Unauthorized`].
pub(super) async fn owns(tx: &mut Tx, enrolment: EnrolmentId, token: &str) -> Result<(), AppError> {
    let hash = openssl::sha::sha256(token.as_bytes());
    let known = tx.owner_hash(enrolment).await?;
    if fits(&hash, known.as_deref()) { Ok(()) } else { Err(AppError::Unauthorized) }
}

fn fits(hash: &[u8; 32], stored: Option<&[u8]>) -> bool {
    stored.is_some_and(|stored| stored.len() == 32 && openssl::memcmp::eq(hash, stored))
}
