//! What a register tells of a person or a document after an identity was issued (F4): a death revokes
//! the identity, an emigration or a document that is worth nothing any more suspends it until an
//! officer has looked; one of a document that a newer one has taken the place of does nothing. Each event is taken in once, in one unit of work with what follows from it.

use super::activity::{Activity, By, What};
use super::tell::{About, Blocks};
use super::{App, AppError};
use crate::ids::IdentityId;
use crate::notices::Notice;
use crate::oidc::Why;
use crate::storage::Tx;
use enroll_core::life::{Actor, Happened};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A register: made only from its credential.
#[derive(Debug, Clone, Copy)]
pub struct Teller(());

/// An event, as a register posts it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterEvent {
    /// The register's identifier of the event: 1 to 64 signs of a-z, A-Z, 0-9 and -.
    #[schema(example = "cpr-2026-000017")]
    id: String,
    /// What happened.
    #[schema(value_type = String, example = "deceased")]
    kind: Happened,
    /// With `deceased` and `emigrated`: the personal number.
    #[serde(default)]
    cpr: Option<String>,
    /// With `document_expired` and `document_revoked`: the document.
    #[serde(default)]
    document: Option<Named>,
}

impl std::fmt::Debug for RegisterEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegisterEvent({:?})", self.kind)
    }
}

/// A document by its number.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Who issued it.
    #[schema(example = "DNK")]
    issuer: String,
    /// Its number.
    number: String,
}

/// That an event was taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TakenIn {
    /// Which.
    pub id: String,
    /// Whether it had been taken in before.
    pub repeated: bool,
}

fn is_id(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(is_sign)
}

impl App {
    /// The register whose credential `token` is.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`].
    pub fn teller(&self, token: &str) -> Result<Teller, AppError> {
        let hash = openssl::sha::sha256(token.as_bytes());
        match &self.events {
            Some(known) if openssl::memcmp::eq(&hash, known) => Ok(Teller(())),
            _ => Err(AppError::Unauthorized),
        }
    }

    /// Takes in an event. Repeated, it does nothing more.
    ///
    /// # Errors
    /// [`AppError::Malformed`] for an identifier that is none, or without the person or document that
    /// its kind is of.
    pub async fn take_in(&self, _: Teller, event: RegisterEvent) -> Result<TakenIn, AppError> {
        if !is_id(&event.id) {
            return Err(AppError::Malformed);
        }
        let mut tx = self.parts.store.begin().await?;
        if let Some((identity, _)) = self.concerned(&mut tx, &event).await? {
            tx.hold_profile(identity).await?;
        }
        // Read again: until it was held, its person may have erased it.
        let concerned = self.concerned(&mut tx, &event).await?;
        if !tx.add_register_event(&event.id, self.now()).await? {
            return Ok(TakenIn { id: event.id, repeated: true });
        }
        let (identity, superseded) = concerned.unzip();
        if let Some(identity) = identity {
            let told = Activity::of(What::RegisterTold).by(Some(By::Register(event.kind)));
            self.note(&mut tx, identity, told).await?;
        }
        let changed = match concerned {
            // A document that a newer one has taken the place of proves nothing any more.
            Some((identity, false)) => self.happened(&mut tx, identity, event.kind).await?,
            Some((_, true)) | None => false,
        };
        let data = json!({
            "event": event.id, "kind": event.kind, "identity": identity, "changed": changed,
            "superseded": superseded,
        });
        let kind = "register.told".to_owned();
        let entry = enroll_core::audit::Event { time: self.now(), kind, case: None, data };
        tx.audit(entry).await?;
        tx.commit().await?;
        Ok(TakenIn { id: event.id, repeated: false })
    }

    /// The identity that an event is of, if one was issued, and whether the event's document is one
    /// that it does not rest on any more.
    async fn concerned(
        &self,
        tx: &mut Tx,
        event: &RegisterEvent,
    ) -> Result<Option<(IdentityId, bool)>, AppError> {
        let mut document_hash = None;
        let person = match (event.kind, &event.cpr, &event.document) {
            (Happened::Deceased | Happened::Emigrated, Some(cpr), None) => {
                let cpr = super::start::digits(cpr).ok_or(AppError::Malformed)?;
                Some(tx.keyed_hash("person", cpr.as_bytes())?)
            }
            (Happened::DocumentExpired | Happened::DocumentRevoked, None, Some(document)) => {
                let key = format!("{}|{}", document.issuer, document.number);
                let hash = tx.keyed_hash("document", key.as_bytes())?;
                document_hash = Some(hash);
                tx.holder_of(&hash).await?
            }
            _ => return Err(AppError::Malformed),
        };
        let Some(person) = person else { return Ok(None) };
        let Some(identity) = tx.identity_of(&person).await? else { return Ok(None) };
        let superseded = match document_hash {
            Some(hash) => !rests_on(tx, identity, &hash).await?,
            None => false,
        };
        Ok(Some((identity, superseded)))
    }

    /// Ends or suspends an identity; whether that changed anything.
    async fn happened(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        what: Happened,
    ) -> Result<bool, AppError> {
        let mut profile = tx.hold_profile(identity).await?;
        let life = profile.life.clone().happened(what, self.now());
        if life == profile.life {
            return Ok(false);
        }
        profile.life = life;
        tx.save_profile(&profile).await?;
        self.end_log_ins(tx, identity, Why::Blocked).await?;
        self.keep_number(tx, identity, &profile.life).await?;
        // Nobody writes to the dead.
        if what != Happened::Deceased {
            let about = About::now(Blocks::Nothing);
            self.notify(tx, &profile, Notice::IdentityBlocked, about).await?;
        }
        let by = Actor::Register { event: what };
        let activity = Activity::of(What::IdentityBlocked).by(By::of(&by));
        self.note(tx, identity, activity).await?;
        let data = json!({ "actor": by, "epoch": profile.life.epoch });
        tx.audit(self.of_identity("identity.blocked", identity, data)).await?;
        Ok(true)
    }
}

/// Whether the last issuing of an identity rests on the document with this hash, or its evidence does not
/// tell.
async fn rests_on(tx: &mut Tx, identity: IdentityId, hash: &[u8; 32]) -> Result<bool, AppError> {
    let last = tx.identity(identity).await?.ok_or(AppError::UnknownCase)?.enrolment;
    let evidence = tx.evidence(identity).await?;
    let evidence = evidence.iter().find(|evidence| evidence.enrolment == last);
    let Some(evidence) = evidence else { return Ok(true) };
    let record: Value = serde_json::from_slice(&evidence.record).map_err(AppError::internal)?;
    let known = record.pointer("/document/number_hash").and_then(Value::as_str);
    Ok(known.is_none_or(|known| known == hex::encode(hash)))
}
