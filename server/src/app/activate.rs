//! Activating an app: the device proves its key, the person both codes, and chooses a PIN (E2-E4,
//! E9). All of it holds at once or nothing does, but for the count of wrong codes.

use super::activity::{Activity, What};
use super::apps::AppView;
use super::owner::{OwnedApp, Owner};
use super::register::{code_hash, room};
use super::tell::{About, Blocks};
use super::{App, AppError, PublicIdentity};
use crate::config::Secret;
use crate::ids::AuthenticatorId;
use crate::keys::base64url_decode;
use crate::notices::Notice;
use crate::storage::{AuthenticatorRow, Tx};
use enroll_core::audit::Hash;
use enroll_core::codes::Channel;
use enroll_core::device_key::{DeviceKey, Purpose};
use enroll_core::pin::Pin;
use serde::Deserialize;
use serde_json::json;
use time::Date;
use time::macros::format_description;

/// What activates an app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// The codes, each under the channel by which it came.
    codes: Codes,
    /// The PIN that the person chose: six digits.
    #[schema(value_type = String, example = "284917")]
    pin: Secret,
    /// The device's signature over `indrul-proof-v1 activate CHALLENGE`: R and S (64 bytes) as
    /// `WebCrypto` makes it, in base64url.
    signature: String,
}

impl std::fmt::Debug for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Activation(…)")
    }
}

/// The codes as they are typed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Codes {
    /// By SMS.
    #[schema(value_type = Option<String>)]
    sms: Option<Secret>,
    /// By e-mail.
    #[schema(value_type = Option<String>)]
    email: Option<Secret>,
}

impl Codes {
    fn hashes(&self, tx: &Tx, id: AuthenticatorId) -> Result<Vec<(Channel, Hash)>, AppError> {
        let given = [(Channel::Sms, &self.sms), (Channel::Email, &self.email)];
        let given =
            given.into_iter().filter_map(|(c, code)| Some((c, code.as_ref()?.expose().trim())));
        given.map(|(channel, code)| Ok((channel, code_hash(tx, id, channel, code)?))).collect()
    }
}

impl App {
    /// Activates the app `id`. Repeated after it was activated, with the same signature, it answers
    /// as it did then.
    ///
    /// # Errors
    /// `activation.device_key`, `pin.weak`, `activation.codes` and what these lead to;
    /// `identity.blocked`, `case.state`.
    pub async fn activate(
        &self,
        OwnedApp { owner, id }: OwnedApp,
        given: Activation,
    ) -> Result<AppView, AppError> {
        let Some(birth) = self.before(OwnedApp { owner, id }, &given.signature).await? else {
            return self.app_view(id).await;
        };
        let pin =
            Pin::choose(given.pin.expose(), birth).map_err(|e| AppError::Reason(e.reason()))?;
        let hashed = self.hashed(pin, id).await?;
        let (mut tx, profile, mut row) = self.hold_app(id).await?;
        if row.state.is_active() {
            // The same request came twice at once.
            return Ok(AppView::of(&row, self.now()));
        }
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        let apps = tx.authenticators(owner.identity).await?;
        room(apps.iter().map(|app| &app.state), self.policy.activation.apps)
            .map_err(AppError::Reason)?;
        let codes = given.codes.hashes(&tx, id)?;
        let (state, granted) = row.state.try_codes(&codes, &self.policy.activation, self.now());
        row.state = state;
        tx.save_authenticator(&row).await?;
        if let Err(reason) = granted {
            let data = json!({ "authenticator": id, "reason": reason });
            tx.audit(self.of_identity("authenticator.not_activated", owner.identity, data)).await?;
            tx.commit().await?;
            return Err(AppError::Reason(reason));
        }
        tx.put_pin(id, &hashed).await?;
        self.close_case(&mut tx, owner, id).await?;
        // From here on the trail is held: nothing more may be waited for.
        let about = About::now(Blocks::App(id));
        self.notify(&mut tx, &profile, Notice::Activated, about).await?;
        let activity = Activity::of(What::AppActivated).with(id);
        self.note(&mut tx, owner.identity, activity).await?;
        let data = json!({ "authenticator": id });
        tx.audit(self.event("case.activated", owner.enrolment, data.clone())).await?;
        tx.audit(self.of_identity("authenticator.activated", owner.identity, data)).await?;
        tx.commit().await?;
        Ok(AppView::of(&row, self.now()))
    }

    /// The birth date of whose app it is, if it can be activated with `signature`; `None` if it was.
    /// A PIN is hashed only after this.
    async fn before(
        &self,
        OwnedApp { owner, id }: OwnedApp,
        signature: &str,
    ) -> Result<Option<Date>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let row = tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?;
        proves(&row, Purpose::Activate, &row.challenge, signature)?;
        if row.state.is_active() {
            return Ok(None);
        }
        let life = tx.life(owner.identity).await?;
        self.may_set_up(&mut tx, owner, &life).await?;
        row.state.awaits_codes(self.now()).map_err(AppError::Reason)?;
        Ok(Some(birth(&mut tx, owner.identity).await?))
    }

    async fn app_view(&self, id: AuthenticatorId) -> Result<AppView, AppError> {
        let mut tx = self.parts.store.read().await?;
        let row = tx.authenticator(id).await?.ok_or(AppError::UnknownCase)?;
        Ok(AppView::of(&row, self.now()))
    }

    /// The enrolment has done what it was for (DESIGN §6).
    async fn close_case(
        &self,
        tx: &mut Tx,
        owner: Owner,
        id: AuthenticatorId,
    ) -> Result<(), AppError> {
        let mut enrolment = tx.enrolment(owner.enrolment).await?.ok_or(AppError::UnknownCase)?;
        let (policy, now) = (&self.policy, self.now());
        enrolment.record.advance(|case| case.activated(id.uuid(), policy, now))?;
        Ok(tx.save(&enrolment).await?)
    }
}

/// That the device signed `challenge` for `purpose`.
pub(super) fn proves(
    row: &AuthenticatorRow,
    purpose: Purpose,
    challenge: &str,
    signature: &str,
) -> Result<(), AppError> {
    let key = DeviceKey::from_raw(&row.public_key).map_err(AppError::internal)?;
    let signature = base64url_decode(signature).unwrap_or_default();
    key.proves(purpose, challenge, &signature).map_err(|e| AppError::Reason(e.reason()))
}

/// The birth date in the signed record of an identity.
pub(super) async fn birth(tx: &mut Tx, identity: crate::ids::IdentityId) -> Result<Date, AppError> {
    let found = tx.identity(identity).await?.ok_or(AppError::UnknownCase)?;
    let public: PublicIdentity =
        serde_json::from_slice(&found.record).map_err(AppError::internal)?;
    let day = format_description!("[year]-[month]-[day]");
    Date::parse(&public.birth_date, day).map_err(AppError::internal)
}
