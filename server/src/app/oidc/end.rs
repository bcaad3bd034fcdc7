//! The end of sessions: something of the identity was blocked (F1), the relying party sends the person to
//! log out (OpenID Connect RP-Initiated Logout 1.0), or a code was used twice. A relying party with an address
//! for it is told (OpenID Connect Back-Channel Logout 1.0), from the outbox: in the unit of work that ends the
//! session it is written, and delivered at least once.

use super::super::{App, AppError, blocking};
use super::claim::user_hash;
use super::client::active;
use super::late;
use crate::http::problem::chain;
use crate::ids::{IdentityId, LogInId};
use crate::oidc::claims::logout;
use crate::oidc::{LogIn, Params, Why};
use crate::storage::{Claimed, LogInRow, Tx};
use enroll_core::identity::Signer;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The outbox's name for it.
const CHANNEL: &str = "logout";
/// Most that are sent in one round.
const BATCH: i64 = 16;
/// Most that one relying party is sent at once: one that is slow keeps nobody else waiting, and is not
/// flooded.
const AT_ONCE: usize = 4;
/// Tries, the last some 18 hours after the first.
const TRIES: i64 = 14;
/// Time between rounds.
const PAUSE: Duration = Duration::from_secs(1);

/// A relying party that has to be told, as it lies in the outbox.
#[derive(Serialize, Deserialize)]
struct Due {
    client_id: String,
    issuer: String,
    subject: String,
    sid: LogInId,
}

/// What came of sending a person to log out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggedOut {
    /// Back to the relying party.
    To(String),
    /// They stay here, and the session is over.
    Here,
    /// They stay here, and nothing has ended: nobody said which session.
    Nothing,
}

/// Tells relying parties of ended sessions for as long as it lives.
#[derive(Debug)]
pub struct LogOuts(tokio::task::JoinHandle<()>);

impl Drop for LogOuts {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl LogOuts {
    /// Starts it. Once the service ends it claims nothing more, and settles what it holds.
    #[must_use]
    pub fn start(app: Arc<App>) -> Self {
        let open = app.ending.worker();
        Self(tokio::spawn(async move {
            let _open = open;
            while !app.ending.has_begun() {
                match app.send_log_outs().await {
                    Ok(sent) if sent > 0 => continue,
                    Ok(_) => {}
                    Err(error) => {
                        let error = chain(&error);
                        tracing::error!(%error, "relying parties could not be told of ended sessions");
                    }
                }
                // Over: the service ends.
                let _ = tokio::time::timeout(PAUSE, app.ending.begun()).await;
            }
        }))
    }
}

impl App {
    /// Ends whatever is under way or open of an identity, in a unit of work that holds its profile. Pages on
    /// which its user ID was typed are of nobody then.
    pub(in crate::app) async fn end_log_ins(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        why: Why,
    ) -> Result<(), AppError> {
        let profile = tx.hold_profile(identity).await?;
        let user_hash = user_hash(tx, &profile)?;
        tx.disown_pages(&user_hash).await?;
        for row in tx.hold_log_ins(identity, self.now()).await? {
            self.end_one(tx, row, why).await?;
        }
        Ok(())
    }

    /// Ends one, held, and has its relying party told if it has a session of it.
    pub(super) async fn end_one(
        &self,
        tx: &mut Tx,
        row: LogInRow,
        why: Why,
    ) -> Result<(), AppError> {
        if let LogIn::Granted { approval, .. } = &row.state {
            let party = tx.relying_party(&row.client_id).await?.map(|row| row.party);
            if let Some(party) = party.filter(|party| party.backchannel_logout_uri.is_some()) {
                let due = Due {
                    subject: self.pairwise_subject(&party.organisation, approval.identity)?,
                    client_id: party.client_id,
                    issuer: row.request.issuer.clone(),
                    sid: row.id,
                };
                let due = serde_json::to_vec(&due).map_err(AppError::internal)?;
                tx.send(CHANNEL, &due, self.now()).await?;
            }
        }
        let state = row.state.clone().end(why, self.now());
        let id = row.id;
        tx.save_log_in(&LogInRow { state, ..row }).await?;
        Ok(tx.audit(self.of_log_in("log_in.ended", id, json!({ "why": why }))).await?)
    }

    /// A relying party sends a person to log out. It says which session by the ID token of it (RP-Initiated
    /// Logout §2): without one, and with one that does not fit, nothing is ended and nobody sent anywhere.
    ///
    /// # Errors
    /// `log_in.late`.
    pub async fn log_out(&self, params: &Params, issuer: &str) -> Result<LoggedOut, AppError> {
        let unknown = || AppError::Reason(ReasonCode::LOG_IN_LATE);
        let Some(hint) = params.get("id_token_hint") else { return Ok(LoggedOut::Nothing) };
        let claims = self.own_token(hint, issuer).map_err(|_| unknown())?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let (client_id, sid) = text("aud").zip(text("sid")).ok_or_else(unknown)?;
        if params.get("client_id").is_some_and(|given| given != client_id) {
            return Err(unknown());
        }
        let mut tx = self.parts.store.begin().await?;
        let party = active(&mut tx, client_id).await.map_err(late)?;
        let id: LogInId = sid.parse().map_err(|_| unknown())?;
        if let Some(row) = tx.hold_log_in(id).await?.filter(|row| row.client_id == client_id) {
            // Who ends it need not be told.
            let state = row.state.clone().end(Why::LoggedOut, self.now());
            tx.save_log_in(&LogInRow { state, ..row }).await?;
            tx.audit(self.of_log_in("log_in.logged_out", id, json!({}))).await?;
            tx.commit().await?;
        }
        let Some(to) = params.get("post_logout_redirect_uri") else { return Ok(LoggedOut::Here) };
        if !party.post_logout_redirect_uris.iter().any(|known| known == to) {
            return Ok(LoggedOut::Here);
        }
        let mut to = to.to_owned();
        if let Some(state) = params.get("state") {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("state", state);
            to.push(if to.contains('?') { '&' } else { '?' });
            to.push_str(&query.finish());
        }
        Ok(LoggedOut::To(to))
    }

    /// Tells relying parties of the sessions that have ended; how many were told.
    ///
    /// # Errors
    /// [`AppError`]; what was not settled is told again.
    pub async fn send_log_outs(self: &Arc<Self>) -> Result<usize, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let until = self.now() + lease(self.oidc.logout_timeout_ms);
        let claimed = tx.claim(CHANNEL, BATCH, (self.now(), until)).await?;
        tx.commit().await?;
        let (mut tasks, mut turns) = (JoinSet::new(), HashMap::new());
        for held in claimed {
            let payload = held.payload.as_ref();
            let due = payload.and_then(|bytes| serde_json::from_slice::<Due>(bytes).ok());
            let client = due.as_ref().map(|due| due.client_id.clone());
            let turn = turns.entry(client).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
            let (app, turn) = (self.clone(), turn.clone());
            tasks.spawn(async move {
                let _turn = turn.acquire().await.map_err(AppError::internal)?;
                app.send_log_out(&held, due).await
            });
        }
        let (mut told, mut failed) = (0, Ok(()));
        while let Some(done) = tasks.join_next().await {
            match done.map_err(AppError::internal).flatten() {
                Ok(is_told) => told += usize::from(is_told),
                // The others still settle what they hold.
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed.map(|()| told)
    }

    async fn send_log_out(&self, held: &Claimed, due: Option<Due>) -> Result<bool, AppError> {
        let taken = match &due {
            Some(due) => self.post_log_out(due).await?,
            None => Taken::Never,
        };
        let mut tx = self.parts.store.begin().await?;
        let sid = due.map(|due| due.sid);
        let data = json!({ "message": held.id, "log_in": sid });
        let event = |kind: &str| enroll_core::audit::Event {
            time: self.now(),
            kind: kind.to_owned(),
            case: None,
            data: data.clone(),
        };
        match taken {
            Taken::Now => {
                tx.delivered(held).await?;
                tx.audit(event("logout.told")).await?;
            }
            Taken::Later if held.tries < TRIES => {
                let due = self.now() + time::Duration::seconds(wait(held.tries));
                tx.postpone(held, due).await?;
            }
            Taken::Later | Taken::Never => {
                tx.bury(held).await?;
                tracing::error!(message = %held.id, "a relying party was not told of a session's end");
                tx.audit(event("logout.dead")).await?;
            }
        }
        tx.commit().await?;
        Ok(taken == Taken::Now)
    }

    /// One try: the token is signed now, since it has a short life (Back-Channel Logout §2.5).
    async fn post_log_out(&self, due: &Due) -> Result<Taken, AppError> {
        let mut tx = self.parts.store.read().await?;
        let party = tx.relying_party(&due.client_id).await?.map(|row| row.party);
        drop(tx);
        let Some(uri) = party.and_then(|party| party.backchannel_logout_uri) else {
            return Ok(Taken::Never);
        };
        let jti = LogInId::random(self.parts.entropy.as_ref())?.to_string();
        let sid = due.sid.to_string();
        let claims = logout(&due.issuer, &due.client_id, (&due.subject, &sid), (&jti, self.now()));
        let token = self.parts.keys.sign("logout+jwt", &claims)?;
        let timeout = Duration::from_millis(self.oidc.logout_timeout_ms);
        blocking(move || post(&uri, &token, timeout)).await
    }
}

/// Seconds from the try of this number to the next: 8, and twice as long each time.
fn wait(tries: i64) -> i64 {
    4 << tries.clamp(1, TRIES)
}

/// For how long a round holds what it sends: longer than a batch of one relying party lasts that takes all
/// the time of each try.
fn lease(timeout_ms: u64) -> time::Duration {
    let one_after_another = BATCH.unsigned_abs().div_ceil(AT_ONCE as u64);
    let longest = timeout_ms.saturating_mul(one_after_another).saturating_add(30_000);
    time::Duration::milliseconds(i64::try_from(longest).unwrap_or(i64::MAX))
}

/// What a relying party made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Now,
    Later,
    Never,
}

/// 200 and 204 are taken; 400 is a refusal for ever (Back-Channel Logout §2.8).
fn post(uri: &str, token: &str, timeout: Duration) -> Taken {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    match agent.post(uri).send_form([("logout_token", token)]) {
        Ok(answer) => match answer.status().as_u16() {
            200..300 => Taken::Now,
            400 => Taken::Never,
            _ => Taken::Later,
        },
        Err(_) => Taken::Later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlasts_its_batch_and_the_waits_are_those_of_the_description() {
        let tries = BATCH / AT_ONCE as i64;
        assert!(lease(10_000) > time::Duration::seconds(10 * tries));
        let waits: i64 = (1..TRIES).map(wait).sum();
        assert_eq!(waits / 3600, 18, "hours from the first try to the last");
    }
}
