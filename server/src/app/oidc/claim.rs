//! An app learns of a log-in (G3): it read both halves of the QR code, or was opened on the device of the
//! page, or its person is known to a relying party that began by itself. Nothing is brought before a person
//! whose user ID alone somebody knows.

use super::super::activity::{Activity, What};
use super::super::{App, AppError, Place, PublicIdentity};
use super::client::active;
use super::late;
use crate::ids::{AuthenticatorId, IdentityId, LogInId};
use crate::keys::base64url;
use crate::oidc::halves;
use crate::oidc::idp_params::Action;
use crate::oidc::log_in::{Begun, Claim};
use crate::oidc::{Level, LogIn, RelyingParty, Way, Why};
use crate::storage::{AuthenticatorRow, LogInRow, Opens, Pass, Profile, Tx};
use enroll_core::canonical;
use enroll_core::device_key::Purpose;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

/// How an app came to know of a log-in, and the proof that it is this app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scanned {
    /// A challenge drawn for this app.
    challenge: String,
    /// The device's signature over `indrul-proof-v1 log-in CHALLENGE`, in base64url.
    signature: String,
    /// Both halves of the QR code, as they were read.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, min_items = 2, max_items = 2)]
    halves: Option<[String; 2]>,
    /// What the page opened the app with. With neither, what the app has before it already is looked for, and
    /// what a relying party began.
    #[serde(default)]
    switch: Option<String>,
}

impl std::fmt::Debug for Scanned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scanned(…)")
    }
}

/// What the person has before them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Claimed {
    /// Which log-in.
    #[schema(value_type = String)]
    pub log_in: LogInId,
    /// Who asks, by name.
    #[schema(example = "Netbanken")]
    pub relying_party: String,
    /// What the person is asked to do: `LOG_ON`, `APPROVE`, `CONFIRM`, `ACCEPT`, `SIGN`.
    #[schema(value_type = String, example = "LOG_ON")]
    pub action: Action,
    /// In the words of who asks: at most 130 characters.
    pub reference_text: Option<String>,
    /// How the app came to know: `qr`, `switch` (the page that opened it has the way back), `backchannel`.
    #[schema(value_type = String, example = "qr")]
    pub way: Way,
    /// Where it began: `same_network` (a browser on the app's network), `other_network`, `new_network` (one in which
    /// no log-in began that the person approved a day ago or before), `unknown_network`, `service` (the relying party
    /// began). One that an app does not know it shows as `unknown_network`.
    #[schema(value_type = String, example = "same_network")]
    pub begun: Begun,
    /// The level that the log-in will have.
    #[schema(value_type = String, example = "Substantial")]
    pub level: Level,
    /// What is approved, all of the above but `way`: canonical JSON (RFC 8785), of which the SHA-256 is signed.
    pub transaction: String,
    /// To sign when the person approves or refuses.
    pub challenge: String,
    /// When it is late.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claimed({})", self.log_in)
    }
}

/// What an app with a PIN reaches: two factors, one of them bound to the device (NSIS §3.2.1). Høj asks for
/// more than a browser's key.
pub(super) const OF_AN_APP: Level = Level::Substantial;

impl App {
    /// Brings a log-in before the app `id`.
    ///
    /// # Errors
    /// `activation.device_key`; `log_in.qr`, `log_in.late`, `log_in.nothing`; `log_in.parallel`,
    /// `log_in.other_person` and `log_in.level`, which stop it; why the app cannot be used.
    pub async fn claim(
        &self,
        id: &str,
        scanned: Scanned,
        place: &Place,
    ) -> Result<Claimed, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let proof = (scanned.challenge.as_str(), scanned.signature.as_str());
        self.prove_key(id, (Purpose::LogIn, None), proof).await?;
        let (mut tx, profile, app) = self.hold_app(id).await?;
        profile.life.open().map_err(AppError::Reason)?;
        app.state.usable(self.now()).map_err(AppError::Reason)?;
        let (log_in, way) = self.scanned(&mut tx, &scanned, &app).await?;
        let user_hash = user_hash(&tx, &profile)?;
        let row = self.hold_log_in(&mut tx, log_in).await?;
        let (identity, shown) = (app.identity, String::new());
        let by = Claim { app: id, identity, way, shown, begun: None, poll: None };
        // What is over or another app has before it, this one neither takes nor stops, nor anything else.
        row.state.clone().claim(by.clone()).map_err(AppError::Reason)?;
        if self.stop_parallel(&mut tx, &row, app.identity).await? {
            self.note_stopped(&mut tx, &row, &by, (Why::Parallel, place)).await?;
            tx.commit().await?;
            return Err(AppError::Reason(ReasonCode::LOG_IN_PARALLEL));
        }
        let ial = ial(&mut tx, app.identity).await?;
        if let Some(why) = unfit(&row, &user_hash, Level::of_log_in(ial, OF_AN_APP)) {
            self.note_stopped(&mut tx, &row, &by, (why, place)).await?;
            return self.stop(tx, row, why).await;
        }
        let begun = Some(self.begun(&mut tx, (&row, &by), place).await?);
        self.show(tx, row, (Claim { begun, ..by }, user_hash), Level::of_log_in(ial, OF_AN_APP))
            .await
    }

    /// The log-in that was scanned, opened, or waits.
    async fn scanned(
        &self,
        tx: &mut Tx,
        scanned: &Scanned,
        app: &AuthenticatorRow,
    ) -> Result<(LogInId, Way), AppError> {
        let reason = AppError::Reason;
        match (&scanned.halves, &scanned.switch) {
            (Some(both), None) => {
                let id = halves::named(both).ok_or(reason(ReasonCode::LOG_IN_QR))?;
                let now = (self.now(), self.oidc.half_s);
                let fit =
                    halves::fit(&self.parts.keys, id, both, now).map_err(AppError::internal)?;
                if fit { Ok((id, Way::Qr)) } else { Err(reason(ReasonCode::LOG_IN_QR)) }
            }
            (None, Some(switch)) => {
                let hash = openssl::sha::sha256(switch.as_bytes());
                let found = tx.find_log_in(Opens::Switch, &hash).await?;
                Ok((found.ok_or(reason(ReasonCode::LOG_IN_LATE))?.id, Way::Switch))
            }
            (None, None) => {
                let all = tx.log_ins(app.identity, self.now()).await?;
                let waits = |row: &LogInRow| match &row.state {
                    LogIn::Asked { .. } => Some((row.id, Way::Backchannel)),
                    // A browser that was closed, or an answer that was lost: the same app has it still.
                    LogIn::Claimed { by } if by.app == app.id => Some((row.id, by.way)),
                    LogIn::Claimed { by } if by.way == Way::Backchannel => Some((row.id, by.way)),
                    _ => None,
                };
                all.iter().find_map(waits).ok_or(reason(ReasonCode::LOG_IN_NOTHING))
            }
            (Some(_), Some(_)) => Err(AppError::Malformed),
        }
    }

    /// Where a log-in began, beside `place`, from where the app asks. What it was shown once it is shown again: the
    /// same is signed.
    async fn begun(
        &self,
        tx: &mut Tx,
        (row, by): (&LogInRow, &Claim),
        place: &Place,
    ) -> Result<Begun, AppError> {
        if let Ok(Claim { begun: Some(shown), .. }) = row.state.claimed_by(by.app) {
            return Ok(*shown);
        }
        if by.way == Way::Backchannel {
            return Ok(Begun::Service);
        }
        let (Some(browser), Some(app)) = (row.network.as_deref(), place.network()) else {
            return Ok(Begun::UnknownNetwork);
        };
        if browser == app {
            return Ok(Begun::SameNetwork);
        }
        let is_new = self.is_new_network(tx, by.identity, browser).await?;
        Ok(if is_new { Begun::NewNetwork } else { Begun::OtherNetwork })
    }

    /// Keeps for the person of the app that a log-in was stopped.
    async fn note_stopped(
        &self,
        tx: &mut Tx,
        row: &LogInRow,
        by: &Claim,
        (why, place): (Why, &Place),
    ) -> Result<(), AppError> {
        let service = self.service_name(tx, row).await?;
        let stopped = Activity::of(What::LogInStopped).at(&service).with(by.app).from(place);
        self.note(tx, by.identity, stopped.begun(row).because(why.reason().as_str())).await
    }

    /// Stops a log-in that this app must not approve, and says why.
    async fn stop(&self, mut tx: Tx, row: LogInRow, why: Why) -> Result<Claimed, AppError> {
        let (id, client_id) = (row.id, row.client_id.clone());
        let state = row.state.clone().end(why, self.now());
        tx.save_log_in(&LogInRow { state, ..row }).await?;
        let data = json!({ "client_id": client_id, "why": why });
        tx.audit(self.of_log_in("log_in.stopped", id, data)).await?;
        tx.commit().await?;
        Err(AppError::Reason(why.reason()))
    }

    async fn show(
        &self,
        mut tx: Tx,
        mut row: LogInRow,
        (by, user_hash): (Claim, [u8; 32]),
        level: Level,
    ) -> Result<Claimed, AppError> {
        let party = active(&mut tx, &row.client_id).await.map_err(late)?;
        let begun = by.begun.unwrap_or(Begun::UnknownNetwork);
        let transaction = transaction(&row, &party, (level, Some(begun)));
        let shown = base64url(&openssl::sha::sha256(transaction.as_bytes()));
        let (app, way) = (by.app, by.way);
        row.state = row.state.claim(Claim { shown, ..by }).map_err(AppError::Reason)?;
        row.user_hash = Some(user_hash.to_vec());
        tx.save_log_in(&row).await?;
        let (challenge, hash) = self.token()?;
        tx.add_pass(Pass::Challenge, &hash, app, row.expires).await?;
        tx.commit().await?;
        Ok(Claimed {
            log_in: row.id,
            relying_party: party.name,
            action: row.request.action,
            reference_text: row.request.text,
            way,
            begun,
            level,
            transaction,
            challenge,
            until: row.expires,
        })
    }
}

/// What a person is shown and approves, in canonical JSON (RFC 8785). Who approves on the page itself is shown nothing
/// of where it began.
pub(super) fn transaction(
    row: &LogInRow,
    party: &RelyingParty,
    (level, begun): (Level, Option<Begun>),
) -> String {
    canonical::text(&json!({
        "log_in": row.id,
        "client_id": party.client_id,
        "relying_party": party.name,
        "action": row.request.action,
        "reference_text": row.request.text,
        "level": level,
        "begun": begun,
    }))
}

/// Why this person must not approve the log-in, if so.
fn unfit(row: &LogInRow, user_hash: &[u8; 32], level: Level) -> Option<Why> {
    let is_other = row.user_hash.as_ref().is_some_and(|typed| typed != user_hash);
    if is_other {
        Some(Why::OtherPerson)
    } else {
        (level < row.request.level).then_some(Why::Level)
    }
}

/// The keyed hash of a person's user ID.
pub(in crate::app) fn user_hash(tx: &Tx, profile: &Profile) -> Result<[u8; 32], AppError> {
    let user_id = profile.details.user_id.as_deref().unwrap_or_default();
    Ok(tx.keyed_hash("user_id", user_id.as_bytes())?)
}

/// The level of an identity.
pub(super) async fn ial(tx: &mut Tx, identity: IdentityId) -> Result<Level, AppError> {
    let found = tx.identity(identity).await?.ok_or(AppError::UnknownCase)?;
    let public: PublicIdentity =
        serde_json::from_slice(&found.record).map_err(AppError::internal)?;
    // A level that is none reaches nothing.
    Ok(Level::named(&public.level).unwrap_or(Level::Low))
}
