//! One app made of another (E6): the old one proves its key and PIN and shows a QR code for three
//! minutes; the new one waits an hour, and the person is told at once (E7).

use super::activate::{birth, proves};
use super::activity::{Activity, What};
use super::apps::AppView;
use super::register::{device_key, room};
use super::tell::{About, Blocks};
use super::{App, AppError};
use crate::config::Secret;
use crate::ids::AuthenticatorId;
use crate::keys::base64url_decode;
use crate::notices::Notice;
use crate::oidc::Why;
use crate::storage::{AuthenticatorRow, Pass, Profile, Tx};
use enroll_core::activation::Authenticator;
use enroll_core::device_key::Purpose;
use enroll_core::pin::Pin;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Something to sign.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Challenge {
    /// The challenge, for one signature.
    pub challenge: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Challenge(…, {} s)", self.expires_in)
    }
}

/// What an app proves with: its key and its PIN.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// A challenge drawn for this app.
    pub(super) challenge: String,
    /// The device's signature over `indrul-proof-v1 PURPOSE CHALLENGE`, in base64url: `offer` and the
    /// challenge; or `approve`, the challenge, `.` and the SHA-256 of `transaction` in base64url.
    pub(super) signature: String,
    /// The app's PIN.
    #[schema(value_type = String, example = "284917")]
    pin: Secret,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// A QR code to copy an app with.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Offer {
    /// What the QR code says: one use.
    pub code: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Offer(…, {} s)", self.expires_in)
    }
}

/// An app that read the QR code of another.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// What the QR code says.
    code: String,
    /// The new device's public key, as when an app is registered.
    public_key: String,
    /// The new device's signature over `indrul-proof-v1 copy CODE`, in base64url.
    signature: String,
    /// The PIN for the new app: six digits.
    #[schema(value_type = String, example = "284917")]
    pin: Secret,
}

impl std::fmt::Debug for Copy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Copy(…)")
    }
}

impl App {
    /// Draws a challenge for the app `id`.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`] if there is none; why it cannot be used.
    pub async fn challenge(&self, id: &str) -> Result<Challenge, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let expires_in = self.policy.activation.challenge_s;
        // Anybody may ask: who asks of nothing, or of an app that cannot be used, waits for no writer.
        self.some_app(id).await?.state.usable(self.now()).map_err(AppError::Reason)?;
        let mut tx = self.parts.store.begin().await?;
        let (challenge, hash) = self.token()?;
        tx.add_pass(Pass::Challenge, &hash, id, self.end_of(expires_in)).await?;
        tx.commit().await?;
        Ok(Challenge { challenge, expires_in })
    }

    /// Makes the QR code by which another app may be made of the app `id`.
    ///
    /// # Errors
    /// `activation.device_key`, `pin.wrong` and what it leads to; why the app cannot be used.
    pub async fn offer_copy(&self, id: &str, proof: Proof) -> Result<Offer, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        self.prove_app(id, (Purpose::Offer, None), &proof).await?;
        let expires_in = self.policy.activation.copy_s;
        let (mut tx, profile, row) = self.hold_app(id).await?;
        profile.life.open().map_err(AppError::Reason)?;
        row.state.usable(self.now()).map_err(AppError::Reason)?;
        let (code, hash) = self.token()?;
        tx.add_pass(Pass::Copy, &hash, id, self.end_of(expires_in)).await?;
        let data = json!({ "authenticator": id });
        tx.audit(self.of_identity("authenticator.offered", row.identity, data)).await?;
        tx.commit().await?;
        Ok(Offer { code, expires_in })
    }

    pub(super) async fn some_app(&self, id: AuthenticatorId) -> Result<AuthenticatorRow, AppError> {
        let mut tx = self.parts.store.read().await?;
        tx.authenticator(id).await?.ok_or(AppError::UnknownCase)
    }

    /// That it is the app `id` with its person: key first, so that nobody else uses up the challenge
    /// or tries of the PIN. What is signed is the challenge, and what it is bound to.
    pub(super) async fn prove_app(
        &self,
        id: AuthenticatorId,
        (purpose, bound): (Purpose, Option<&str>),
        Proof { challenge, signature, pin }: &Proof,
    ) -> Result<(), AppError> {
        let kept = self.prove_key(id, (purpose, bound), (challenge, signature)).await?;
        let right = match Pin::typed(pin.expose()) {
            Ok(pin) => self.fits(kept, pin, id).await?,
            Err(_) => false,
        };
        self.count_pin(id, right).await
    }

    /// That it is the app `id`, by a challenge that was drawn for it and is used up. Gives what its PIN is
    /// compared with.
    pub(super) async fn prove_key(
        &self,
        id: AuthenticatorId,
        (purpose, bound): (Purpose, Option<&str>),
        (challenge, signature): (&str, &str),
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, AppError> {
        let signed = bound.map(|bound| format!("{challenge}.{bound}"));
        proves(
            &self.some_app(id).await?,
            purpose,
            signed.as_deref().unwrap_or(challenge),
            signature,
        )?;
        let hash = openssl::sha::sha256(challenge.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let drawn_for = tx.use_pass(Pass::Challenge, &hash, self.now()).await?;
        let kept = tx.pin(id).await?;
        tx.commit().await?;
        if drawn_for == Some(id) {
            Ok(kept)
        } else {
            Err(AppError::Reason(ReasonCode::ACTIVATION_DEVICE_KEY))
        }
    }

    async fn count_pin(&self, id: AuthenticatorId, right: bool) -> Result<(), AppError> {
        self.count_pin_held(self.hold_app(id).await?, right).await
    }

    /// The same of an app that is held.
    pub(super) async fn count_pin_held(
        &self,
        (mut tx, mut profile, mut row): (Tx, Profile, AuthenticatorRow),
        right: bool,
    ) -> Result<(), AppError> {
        profile.life.open().map_err(AppError::Reason)?;
        let id = row.id;
        let was_active = row.state.is_active();
        let (state, granted) = row.state.try_pin(right, &self.policy.activation, self.now());
        row.state = state;
        tx.save_authenticator(&row).await?;
        if was_active && !row.state.is_active() {
            profile.life = profile.life.next();
            tx.save_profile(&profile).await?;
            self.end_log_ins(&mut tx, row.identity, Why::Blocked).await?;
            self.notify(&mut tx, &profile, Notice::Locked, About::now(Blocks::Identity)).await?;
            let locked = Activity::of(What::AppLocked).with(id);
            self.note(&mut tx, row.identity, locked).await?;
        }
        if let Err(reason) = granted {
            let wrong = Activity::of(What::PinWrong).with(id).because(reason.as_str());
            self.note(&mut tx, row.identity, wrong).await?;
            let data = json!({ "authenticator": id, "reason": reason });
            tx.audit(self.of_identity("pin.refused", row.identity, data)).await?;
        }
        tx.commit().await?;
        granted.map_err(AppError::Reason)
    }

    /// Makes an app of the one whose QR code was read. Repeated by the same device, it answers with
    /// the same app.
    ///
    /// # Errors
    /// `copy.late`, `activation.device_key`, `pin.weak`, `activation.devices`, `identity.blocked`;
    /// why the old app cannot be used.
    pub async fn copy(&self, copy: Copy) -> Result<AppView, AppError> {
        let key = device_key(&copy.public_key)?;
        let signature = base64url_decode(&copy.signature).unwrap_or_default();
        key.proves(Purpose::Copy, &copy.code, &signature)
            .map_err(|error| AppError::Reason(error.reason()))?;
        let id = AuthenticatorId::random(self.parts.entropy.as_ref())?;
        let hash = openssl::sha::sha256(copy.code.as_bytes());
        if let Some(made) = self.made_of(&hash, key.raw()).await? {
            return Ok(made);
        }
        let late = || AppError::Reason(ReasonCode::COPY_LATE);
        let pin = match self.chosen_pin(&hash, copy.pin.expose()).await {
            // The same device may have used it up since it was looked for.
            Err(AppError::Reason(ReasonCode::COPY_LATE)) => {
                return self.made_of(&hash, key.raw()).await?.ok_or_else(late);
            }
            chosen => chosen?,
        };
        let hashed = self.hashed(pin, id).await?;
        let mut tx = self.parts.store.begin().await?;
        let Some(old) = tx.use_pass(Pass::Copy, &hash, self.now()).await? else {
            drop(tx);
            return self.made_of(&hash, key.raw()).await?.ok_or_else(late);
        };
        let identity = tx.authenticator(old).await?.ok_or_else(late)?.identity;
        let profile = tx.hold_profile(identity).await?;
        profile.life.open().map_err(AppError::Reason)?;
        let apps = tx.authenticators(identity).await?;
        let policy = &self.policy.activation;
        let from = apps.iter().find(|app| app.id == old).ok_or_else(late)?;
        from.state.usable(self.now()).map_err(AppError::Reason)?;
        room(apps.iter().map(|app| &app.state), policy.apps).map_err(AppError::Reason)?;
        let now = self.now();
        let state = Authenticator::copied(policy, now);
        let usable = now + Duration::seconds(i64::from(policy.quarantine_s));
        let (public_key, challenge) = (key.raw().to_vec(), hex::encode(hash));
        let row = AuthenticatorRow { id, identity, public_key, challenge, state, created: now };
        tx.insert_authenticator(&row).await?;
        tx.put_pin(id, &hashed).await?;
        let about = About { until: Some(usable), ..About::now(Blocks::App(id)) };
        self.notify(&mut tx, &profile, Notice::Copied, about).await?;
        let activity = Activity::of(What::AppCopied).with(id);
        self.note(&mut tx, identity, activity).await?;
        let data = json!({ "authenticator": id, "from": old });
        tx.audit(self.of_identity("authenticator.copied", identity, data)).await?;
        tx.commit().await?;
        Ok(AppView::of(&row, now))
    }

    /// What was made of the QR code for the device with `public_key`, if it was.
    async fn made_of(
        &self,
        code: &[u8; 32],
        public_key: &[u8],
    ) -> Result<Option<AppView>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let made = tx.authenticator_of(public_key, &hex::encode(code)).await?;
        Ok(made.map(|row| AppView::of(&row, self.now())))
    }

    /// The PIN chosen for a copy, while its QR code is good.
    async fn chosen_pin(&self, hash: &[u8; 32], pin: &str) -> Result<Pin, AppError> {
        let mut tx = self.parts.store.read().await?;
        let late = || AppError::Reason(ReasonCode::COPY_LATE);
        let old = tx.find_pass(Pass::Copy, hash, self.now()).await?.ok_or_else(late)?;
        let row = tx.authenticator(old).await?.ok_or_else(late)?;
        tx.life(row.identity).await?.open().map_err(AppError::Reason)?;
        row.state.usable(self.now()).map_err(AppError::Reason)?;
        let birth = birth(&mut tx, row.identity).await?;
        Pin::choose(pin, birth).map_err(|error| AppError::Reason(error.reason()))
    }

    pub(super) fn end_of(&self, seconds: u32) -> OffsetDateTime {
        self.now() + Duration::seconds(i64::from(seconds))
    }
}
