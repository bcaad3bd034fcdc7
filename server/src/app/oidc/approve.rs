//! A person approves or refuses a log-in: the app's key signs what was shown, with the server's challenge,
//! after the PIN (G1). One approval is for one log-in.

use super::super::activity::{Activity, What};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError, Place, Proof};
use super::claim::{OF_AN_APP, ial};
use super::client::active;
use super::late;
use crate::ids::{AuthenticatorId, LogInId};
use crate::notices::Notice;
use crate::oidc::log_in::Claim;
use crate::oidc::{Approval, LogIn, Means, Way};
use crate::storage::{AuthenticatorRow, LogInRow, Profile, Tx};
use enroll_core::device_key::Purpose;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// That a log-in is refused: the app's key, without PIN.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// A challenge drawn for this app.
    challenge: String,
    /// The device's signature over `indrul-proof-v1 refuse CHALLENGE.SHA256`, as for an approval.
    signature: String,
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refusal(…)")
    }
}

/// What came of an approval or refusal.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Answered {
    /// Which log-in.
    #[schema(value_type = String)]
    pub log_in: LogInId,
    /// `approved` or `refused`.
    #[schema(example = "approved")]
    pub state: &'static str,
    /// After a switch: the address that the app opens in the browser of this device, and nowhere else.
    pub return_to: Option<String>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answered({}, {})", self.log_in, self.state)
    }
}

impl App {
    /// Approves the log-in that the app has before it. Repeated, because the answer was lost, it answers as it
    /// did then, after key and PIN; for a switch with another way back in the place of the first one.
    ///
    /// # Errors
    /// `activation.device_key`, `pin.wrong` and what it leads to; `log_in.late`, and why it is over;
    /// `log_in.already_refused`.
    pub async fn approve_log_in(
        &self,
        id: &str,
        log_in: &str,
        proof: Proof,
        place: &Place,
    ) -> Result<Answered, AppError> {
        let (id, log_in, shown) = self.before_app(id, log_in).await?;
        self.prove_app(id, (Purpose::Approve, Some(&shown)), &proof).await?;
        let (mut tx, profile, app, mut row) = self.hold_claimed(id, log_in).await?;
        let earlier = row.state.approval_by(id);
        if earlier.is_some_and(|earlier| earlier.shown.as_ref() == Some(&shown)) {
            return self.approved_again(tx, row).await;
        }
        let claim = still(&row, id, &shown)?.clone();
        let party = active(&mut tx, &row.client_id).await.map_err(late)?;
        let ial = ial(&mut tx, app.identity).await?;
        let (back, back_hash) = self.token()?;
        let is_switch = claim.way == Way::Switch;
        let approval = Approval {
            means: Means::App(id),
            identity: app.identity,
            way: claim.way,
            at: self.now(),
            epoch: profile.life.epoch,
            ial,
            aal: OF_AN_APP,
            poll: claim.poll,
            back: is_switch.then(|| hex::encode(back_hash)),
            shown: Some(shown.clone()),
        };
        row.state = LogIn::Approved { approval };
        if claim.way != Way::Backchannel {
            row.expires = self.in_seconds(self.oidc.finish_s);
        }
        tx.save_log_in(&row).await?;
        tx.app_used(id, self.now()).await?;
        let activity = Activity::of(What::LogInApproved).at(&party.name).with(id).from(place);
        self.note(&mut tx, app.identity, activity.begun(&row)).await?;
        if profile.details.log_in_notices {
            let about = About { at: Some(&party.name), ..About::now(Blocks::App(id)) };
            self.notify(&mut tx, &profile, Notice::LoggedIn, about).await?;
        }
        // Who did what, to be proved again with the app's public key: the challenge is worth nothing any
        // more, and without it the signature could not be verified.
        let data = json!({
            "client_id": row.client_id, "authenticator": id, "way": claim.way, "shown": shown,
            "begun": claim.begun,
            "challenge": proof.challenge, "signature": proof.signature,
        });
        let data = with_log_in(data, log_in);
        tx.audit(self.of_identity("log_in.approved", app.identity, data)).await?;
        tx.commit().await?;
        Ok(approved(&row, is_switch.then_some(back.as_str())))
    }

    /// Answers again for what the app has approved. Once the browser has gone on there is no way back to give.
    async fn approved_again(&self, mut tx: Tx, mut row: LogInRow) -> Result<Answered, AppError> {
        let LogIn::Approved { approval } = &mut row.state else { return Ok(approved(&row, None)) };
        if approval.back.is_none() {
            return Ok(approved(&row, None));
        }
        let (back, hash) = self.token()?;
        approval.back = Some(hex::encode(hash));
        tx.save_log_in(&row).await?;
        tx.commit().await?;
        Ok(approved(&row, Some(&back)))
    }

    /// Refuses it. Repeated, it answers the same.
    ///
    /// # Errors
    /// As [`App::approve_log_in`], but for the PIN; `log_in.already_approved`.
    pub async fn refuse_log_in(
        &self,
        id: &str,
        log_in: &str,
        given: Refusal,
        place: &Place,
    ) -> Result<Answered, AppError> {
        let (id, log_in, shown) = self.before_app(id, log_in).await?;
        let proof = (given.challenge.as_str(), given.signature.as_str());
        self.prove_key(id, (Purpose::Refuse, Some(&shown)), proof).await?;
        let (mut tx, _, app, mut row) = self.hold_claimed(id, log_in).await?;
        if row.state.shown_to(id).map_err(AppError::Reason)? != shown {
            return Err(AppError::Reason(ReasonCode::LOG_IN_LATE));
        }
        let before = row.state.clone();
        row.state = row.state.refuse(id, self.now()).map_err(AppError::Reason)?;
        let answer = Answered { log_in, state: "refused", return_to: None };
        if row.state == before {
            return Ok(answer);
        }
        tx.save_log_in(&row).await?;
        let service = self.service_name(&mut tx, &row).await?;
        let activity = Activity::of(What::LogInRefused).at(&service).with(id).from(place);
        self.note(&mut tx, app.identity, activity.begun(&row)).await?;
        let data = json!({ "client_id": row.client_id, "authenticator": id });
        let data = with_log_in(data, log_in);
        tx.audit(self.of_identity("log_in.refused", app.identity, data)).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The app and the log-in of an address, and what the app was shown.
    async fn before_app(
        &self,
        id: &str,
        log_in: &str,
    ) -> Result<(AuthenticatorId, LogInId, String), AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let log_in: LogInId = log_in.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.begin().await?;
        tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?;
        let row = self.hold_log_in(&mut tx, log_in).await?;
        let shown = row.state.shown_to(id).map_err(AppError::Reason)?.to_owned();
        Ok((id, log_in, shown))
    }

    /// App, profile and log-in, held, if app and identity can be used.
    async fn hold_claimed(
        &self,
        id: AuthenticatorId,
        log_in: LogInId,
    ) -> Result<(Tx, Profile, AuthenticatorRow, LogInRow), AppError> {
        let (mut tx, profile, app) = self.hold_app(id).await?;
        profile.life.open().map_err(AppError::Reason)?;
        app.state.usable(self.now()).map_err(AppError::Reason)?;
        let row = self.hold_log_in(&mut tx, log_in).await?;
        Ok((tx, profile, app, row))
    }
}

/// The answer to an approval of `row`; `back` leads to the browser that began.
fn approved(row: &LogInRow, back: Option<&str>) -> Answered {
    let (issuer, log_in) = (&row.request.issuer, row.id);
    let to = |back| format!("{issuer}/log-in/continue?log_in={log_in}&back={back}");
    Answered { log_in, state: "approved", return_to: back.map(to) }
}

/// That the app still has before it what it signed.
fn still<'a>(row: &'a LogInRow, app: AuthenticatorId, shown: &str) -> Result<&'a Claim, AppError> {
    let claim = row.state.claimed_by(app).map_err(AppError::Reason)?;
    if claim.shown == shown { Ok(claim) } else { Err(AppError::Reason(ReasonCode::LOG_IN_LATE)) }
}

fn with_log_in(data: serde_json::Value, id: LogInId) -> serde_json::Value {
    let mut data = data;
    if let serde_json::Value::Object(fields) = &mut data {
        fields.insert("log_in".to_owned(), json!(id));
    }
    data
}
