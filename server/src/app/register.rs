//! Registering an app: its device's key, and two codes by two channels (E2-E6).

use super::activity::{Activity, What};
use super::owner::Owner;
use super::{App, AppError};
use crate::ids::{AuthenticatorId, IdentityId};
use crate::keys::base64url_decode;
use crate::notices::{Address, Channel};
use crate::storage::{AuthenticatorRow, Profile, Tx};
use enroll_core::activation::Authenticator;
use enroll_core::audit::Hash;
use enroll_core::codes::{self, Code, Issued};
use enroll_core::device_key::DeviceKey;
use enroll_core::policy::Activation;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// An app to be activated.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    /// The device's public key: P-256, raw and uncompressed (65 bytes) as `WebCrypto` exports it, in
    /// base64url.
    public_key: String,
    /// The two channels by which codes come.
    channels: Vec<Channel>,
    /// The user ID, as its person types it.
    #[schema(example = "anna.eriksson")]
    user_id: String,
}

impl NewApp {
    /// One with this key (base64url), for who typed this user ID, with a code by SMS and one by e-mail.
    #[must_use]
    pub fn by_sms_and_email(public_key: String, user_id: String) -> Self {
        Self { public_key, channels: vec![Channel::Sms, Channel::Email], user_id }
    }
}

impl std::fmt::Debug for NewApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewApp({:?})", self.channels)
    }
}

/// An app whose codes are under way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Registered {
    /// The app.
    #[schema(value_type = String)]
    pub id: AuthenticatorId,
    /// What the device signs to be activated: `indrul-proof-v1 activate CHALLENGE`.
    pub challenge: String,
    /// The codes under way.
    pub codes: Vec<UnderWay>,
}

/// A code under way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UnderWay {
    /// How it comes.
    pub channel: Channel,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl App {
    /// Registers an app and sends it two codes. Apps of the identity whose codes were under way are
    /// dead from now on: asking again is how codes are sent anew.
    ///
    /// # Errors
    /// `user_id.missing`, `user_id.other`, `user_id.tries`; `activation.*` if the key, the channels, or the number of apps or tries do not allow it;
    /// `identity.blocked`; `case.state` once the enrolment has activated an app (F3).
    pub async fn register_app(&self, owner: Owner, app: NewApp) -> Result<Registered, AppError> {
        let key = device_key(&app.public_key)?;
        let (mut tx, profile) = self.hold(owner.identity).await?;
        self.may_set_up(&mut tx, owner, &profile.life).await?;
        let to = self.recipients(&profile, &app.channels).map_err(AppError::Reason)?;
        // Also that there is one: once there is an app none can be chosen any more (E8).
        let mut tx = self.knows_user_id(tx, &profile, owner, &app.user_id).await?;
        self.make_room(&mut tx, owner.identity).await?;
        let id = AuthenticatorId::random(self.parts.entropy.as_ref())?;
        let codes = self.send_codes(&mut tx, owner.identity, id, to).await?;
        let (challenge, _) = self.token()?;
        let under_way = codes.iter().map(|code| self.under_way(code)).collect();
        let (identity, now) = (owner.identity, self.now());
        let state = Authenticator::pending(codes, now).map_err(AppError::Reason)?;
        let public_key = key.raw().to_vec();
        let row = AuthenticatorRow { id, identity, public_key, challenge, state, created: now };
        tx.insert_authenticator(&row).await?;
        let activity = Activity::of(What::AppRegistered).with(id);
        self.note(&mut tx, identity, activity).await?;
        let data = json!({ "authenticator": id, "channels": app.channels });
        tx.audit(self.of_identity("authenticator.registered", identity, data)).await?;
        tx.commit().await?;
        Ok(Registered { id, challenge: row.challenge, codes: under_way })
    }

    /// Where the codes go: two addresses on two channels (E3), and no phone number that was changed
    /// a short time ago (E5).
    pub(super) fn recipients(
        &self,
        profile: &Profile,
        channels: &[Channel],
    ) -> Result<[Address; 2], ReasonCode> {
        let missing = ReasonCode::ACTIVATION_CHANNELS;
        let &[one, other] = channels else { return Err(missing) };
        let contacts = profile.details.contacts.as_ref().ok_or(missing)?;
        within_reach(profile, channels, &self.policy.activation, self.now())?;
        let address = |channel| contacts.address(channel).ok_or(missing);
        if one == other { Err(missing) } else { Ok([address(one)?, address(other)?]) }
    }

    /// Ends what is under way, unless codes were asked for too often or there are apps enough (E6).
    async fn make_room(&self, tx: &mut Tx, identity: IdentityId) -> Result<(), AppError> {
        let now = self.now();
        let policy = &self.policy.activation;
        let apps = tx.authenticators(identity).await?;
        room(apps.iter().map(|app| &app.state), policy.apps).map_err(AppError::Reason)?;
        let since = now - Duration::seconds(i64::from(policy.starts_period_s));
        let recent = apps.iter().filter(|app| app.created > since).count();
        if recent >= usize::from(policy.starts) {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_TOO_OFTEN));
        }
        for app in apps {
            let state = app.state.clone().replace(now);
            if state != app.state {
                tx.save_authenticator(&AuthenticatorRow { state, ..app }).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn send_codes(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        id: AuthenticatorId,
        to: [Address; 2],
    ) -> Result<Vec<Issued>, AppError> {
        let mut issued = Vec::new();
        for address in to {
            let channel = codes::Channel::from(address.channel);
            let code = Code::draw(crate::clock::random(self.parts.entropy.as_ref())?);
            let expires = self.now() + channel.life(&self.policy.activation);
            let hash = code_hash(tx, id, channel, code.expose())?;
            self.send_code(tx, (identity, address), &code, expires).await?;
            issued.push(Issued { channel, hash, expires });
        }
        Ok(issued)
    }

    fn under_way(&self, code: &Issued) -> UnderWay {
        let channel = match code.channel {
            codes::Channel::Email => Channel::Email,
            codes::Channel::Sms | codes::Channel::Letter => Channel::Sms,
        };
        let left = (code.expires - self.now()).whole_seconds();
        UnderWay { channel, expires_in: u32::try_from(left).unwrap_or(0) }
    }
}

/// That a code may be sent by these channels: by SMS to no phone number that is new (E5).
pub(super) fn within_reach(
    profile: &Profile,
    channels: &[Channel],
    policy: &Activation,
    now: OffsetDateTime,
) -> Result<(), ReasonCode> {
    let rest = Duration::seconds(i64::from(policy.phone_rest_s));
    let changed = profile.details.contacts.as_ref().and_then(|contacts| contacts.phone_changed);
    let is_new = changed.is_some_and(|changed| now < changed + rest);
    if channels.contains(&Channel::Sms) && is_new {
        return Err(ReasonCode::ACTIVATION_NEW_PHONE);
    }
    Ok(())
}

/// That one more app may be active beside `apps` (E6).
pub(super) fn room<'a>(
    apps: impl Iterator<Item = &'a Authenticator>,
    most: u16,
) -> Result<(), ReasonCode> {
    let active = apps.filter(|app| app.is_active()).count();
    if active < usize::from(most) { Ok(()) } else { Err(ReasonCode::ACTIVATION_DEVICES) }
}

/// What is kept of a code: bound to its app and channel (E4).
pub(super) fn code_hash(
    tx: &Tx,
    id: AuthenticatorId,
    channel: codes::Channel,
    code: &str,
) -> Result<Hash, AppError> {
    let bound = zeroize::Zeroizing::new(format!("{id} {} {code}", channel.as_str()));
    Ok(Hash(tx.keyed_hash("activation code", bound.as_bytes())?))
}

pub(super) fn device_key(text: &str) -> Result<DeviceKey, AppError> {
    let bytes = base64url_decode(text).unwrap_or_default();
    DeviceKey::from_raw(&bytes).map_err(|error| AppError::Reason(error.reason()))
}
