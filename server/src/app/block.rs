//! Blocking (F1): holds, committed, before the call returns. An app by its owner or by the code of a
//! notice; the whole identity by its owner or an officer. Opening an identity again: an officer only (F2).

use super::activate::proves;
use super::activity::{Activity, By, Place, What};
use super::apps::AppView;
use super::code_device::{CodeDeviceView, DeviceHolder, DeviceStanding};
use super::owner::{Blocker, OwnedApp};
use super::tell::{About, Blocks};
use super::{App, AppError};
use crate::ids::{AuthenticatorId, CodeDeviceId, IdentityId};
use crate::notices::Notice;
use crate::oidc::Why;
use crate::storage::{AuthenticatorRow, CodeDeviceRow, Pass, Profile, Tx};
use enroll_core::code_device::CodeDevice;
use enroll_core::device_key::Purpose;
use enroll_core::life::{Actor, Life, Standing};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Duration;

/// A code from a notice.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockCode {
    /// The code, as the notice has it.
    #[schema(example = "0123456789abcdef")]
    code: String,
}

impl std::fmt::Debug for BlockCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockCode(…)")
    }
}

/// That an app blocks itself, by its key.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfBlock {
    /// The device's signature over `indrul-proof-v1 block APP`, in base64url. It may be used again: a block
    /// is for ever.
    signature: String,
}

impl std::fmt::Debug for SelfBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SelfBlock(…)")
    }
}

/// What a code from a notice has blocked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Blocked {
    /// An app.
    App(AppView),
    /// A code device.
    CodeDevice(CodeDeviceView),
    /// A whole identity.
    Identity(LifeView),
}

/// Whether an identity can be used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LifeView {
    /// Which.
    #[schema(value_type = String)]
    pub identity: IdentityId,
    /// Whether it is blocked.
    pub blocked: bool,
    /// What sessions and tokens are checked against: those of an earlier epoch are worth nothing.
    pub epoch: u64,
}

impl LifeView {
    fn of(identity: IdentityId, life: &Life) -> Self {
        Self { identity, blocked: life.open().is_err(), epoch: life.epoch }
    }
}

/// What came of opening an identity again.
pub(super) struct Reopened {
    pub(super) life: LifeView,
    /// Whether it was blocked before.
    pub(super) changed: bool,
}

impl App {
    /// Blocks the app `id`. Repeated, it answers the same.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`].
    pub async fn block_app(&self, app: OwnedApp) -> Result<AppView, AppError> {
        self.block(app.id, Actor::Holder, None).await
    }

    /// Blocks the app `id` by its own key, whatever state it is in. Repeated, it answers the same.
    ///
    /// # Errors
    /// `activation.device_key`; [`AppError::UnknownCase`].
    pub async fn block_self(&self, id: &str, given: SelfBlock) -> Result<AppView, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let row = self.some_app(id).await?;
        proves(&row, Purpose::Block, &id.to_string(), &given.signature)?;
        self.block(id, Actor::Holder, None).await
    }

    /// Blocks the app, code device or identity that a notice was about, for whoever has its code. Repeated, it
    /// answers the same.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] for a code that is unknown or too old.
    pub async fn block_by_code(&self, given: BlockCode) -> Result<Blocked, AppError> {
        let code = given.code.trim().to_lowercase();
        let hash = openssl::sha::sha256(code.as_bytes());
        let mut tx = self.parts.store.read().await?;
        let app = tx.find_pass(Pass::Block, &hash, self.now()).await?;
        let identity = tx.find_identity_block(&hash, self.now()).await?;
        let device = tx.find_code_device_block(&hash, self.now()).await?;
        drop(tx);
        if let Some((device, whose)) = device {
            return Ok(Blocked::CodeDevice(self.block_device_of(device, whose).await?));
        }
        match (app, identity) {
            (Some(app), _) => Ok(Blocked::App(self.block(app, Actor::Notice, None).await?)),
            (None, Some(identity)) => {
                Ok(Blocked::Identity(self.block_all(identity, Actor::Notice, None).await?))
            }
            (None, None) => Err(AppError::Unauthorized),
        }
    }

    /// Blocks a device for `whose` it was when the notice was sent. One whose order is off is nobody's any more,
    /// or somebody else's, and stays as it is.
    async fn block_device_of(
        &self,
        device: CodeDeviceRow,
        whose: IdentityId,
    ) -> Result<CodeDeviceView, AppError> {
        if device.identity != Some(whose) {
            return Ok(CodeDeviceView::from(&device.becomes(CodeDevice::InStock)));
        }
        let of = Some(DeviceHolder::logged_in(whose));
        self.restand(&device.serial, of, Actor::Notice, DeviceStanding::Blocked).await
    }

    /// Blocks an app. `told` is what its person reads of who did it and from where, if it is not what `by`
    /// says.
    pub(super) async fn block(
        &self,
        id: AuthenticatorId,
        by: Actor,
        told: Option<(Option<By>, &Place)>,
    ) -> Result<AppView, AppError> {
        self.block_held(self.hold_app(id).await?, by, told).await
    }

    /// The same of an app that is held.
    pub(super) async fn block_held(
        &self,
        (mut tx, mut profile, row): (Tx, Profile, AuthenticatorRow),
        by: Actor,
        told: Option<(Option<By>, &Place)>,
    ) -> Result<AppView, AppError> {
        let id = row.id;
        let state = row.state.clone().block(by.clone(), self.now());
        let view =
            AppView::of(&AuthenticatorRow { state: state.clone(), ..row.clone() }, self.now());
        if state == row.state {
            return Ok(view);
        }
        tx.save_authenticator(&AuthenticatorRow { state, ..row }).await?;
        profile.life = profile.life.next();
        tx.save_profile(&profile).await?;
        self.end_log_ins(&mut tx, profile.identity, Why::Blocked).await?;
        let about = About::now(Blocks::Identity);
        self.notify(&mut tx, &profile, Notice::Blocked, about).await?;
        let activity = whose(Activity::of(What::AppBlocked).with(id), &by, told.clone());
        self.note(&mut tx, profile.identity, activity).await?;
        let data = json!({ "authenticator": id, "actor": by, "epoch": profile.life.epoch });
        let event = self.of_identity("authenticator.blocked", profile.identity, data.clone());
        tx.audit(event).await?;
        self.audit_support(&mut tx, profile.identity, (told, data)).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Blocks the whole identity. Repeated, it answers the same.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn block_identity(&self, by: Blocker) -> Result<LifeView, AppError> {
        self.block_all(by.identity, Actor::Holder, None).await
    }

    /// Blocks the whole identity; `told` as for an app.
    pub(super) async fn block_all(
        &self,
        identity: IdentityId,
        by: Actor,
        told: Option<(Option<By>, &Place)>,
    ) -> Result<LifeView, AppError> {
        self.block_all_held(self.hold(identity).await?, by, told).await
    }

    /// The same of a profile that is held.
    pub(super) async fn block_all_held(
        &self,
        (mut tx, mut profile): (Tx, Profile),
        by: Actor,
        told: Option<(Option<By>, &Place)>,
    ) -> Result<LifeView, AppError> {
        let identity = profile.identity;
        let life = profile.life.clone().block(by.clone(), self.now());
        if life == profile.life {
            return Ok(LifeView::of(identity, &life));
        }
        profile.life = life;
        tx.save_profile(&profile).await?;
        self.end_log_ins(&mut tx, identity, Why::Blocked).await?;
        self.keep_number(&mut tx, identity, &profile.life).await?;
        let about = About::now(Blocks::Nothing);
        self.notify(&mut tx, &profile, Notice::IdentityBlocked, about).await?;
        let activity = whose(Activity::of(What::IdentityBlocked), &by, told.clone());
        self.note(&mut tx, identity, activity).await?;
        let data = json!({ "actor": by, "epoch": profile.life.epoch });
        tx.audit(self.of_identity("identity.blocked", identity, data.clone())).await?;
        self.audit_support(&mut tx, identity, (told, data)).await?;
        tx.commit().await?;
        Ok(LifeView::of(identity, &profile.life))
    }

    /// That a block was support's, where it was: in the trail beside the block, which has a name alone.
    pub(super) async fn audit_support(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        (told, mut data): (Option<(Option<By>, &Place)>, serde_json::Value),
    ) -> Result<(), AppError> {
        if let Some((Some(By::Support(name)), _)) = told {
            if let Some(fields) = data.as_object_mut() {
                fields.remove("actor");
                fields.insert("officer".to_owned(), json!(name));
            }
            tx.audit(self.of_identity("support.blocked", identity, data)).await?;
        }
        Ok(())
    }

    /// Keeps the person's number as long as the identity may be used: for a while after a block, which an
    /// officer may take away, and not after a revocation.
    pub(super) async fn keep_number(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        life: &Life,
    ) -> Result<(), AppError> {
        let kept = Duration::days(i64::from(self.oidc.blocked_number_days));
        match life.standing {
            Standing::Open => tx.keep_number(identity, None).await?,
            Standing::Blocked { .. } => tx.keep_number(identity, Some(self.now() + kept)).await?,
            Standing::Revoked { .. } | Standing::Erased { .. } => {
                if tx.erase_number(identity).await? {
                    tx.audit(self.of_identity("number.erased", identity, json!({}))).await?;
                }
            }
        }
        Ok(())
    }

    /// Opens a blocked identity again, in the name of an officer (F2). What came of its last renewal
    /// does not come back with it: the apps made since then are blocked, and no enrolment decided
    /// before gives a right to set it up. The holder is told. One that is open stays as it is.
    ///
    /// # Errors
    /// `identity.blocked` for anybody else; [`AppError::UnknownCase`].
    pub async fn reopen(&self, identity: IdentityId, by: Actor) -> Result<LifeView, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let reopening = self.reopening(&mut tx, identity, by).await?;
        tx.commit().await?;
        Ok(reopening.life)
    }

    /// The same in a unit of work that still is to hold.
    pub(super) async fn reopening(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        by: Actor,
    ) -> Result<Reopened, AppError> {
        tx.identity(identity).await?.ok_or(AppError::UnknownCase)?;
        let mut profile = tx.hold_profile(identity).await?;
        let life = profile.life.clone().reopen(&by, self.now()).map_err(AppError::Reason)?;
        if life == profile.life {
            return Ok(Reopened { life: LifeView::of(identity, &life), changed: false });
        }
        profile.life = life;
        tx.save_profile(&profile).await?;
        self.keep_number(tx, identity, &profile.life).await?;
        let (blocked, devices) = self.block_renewed(tx, identity, &by).await?;
        let about = About::now(Blocks::Identity);
        self.notify(tx, &profile, Notice::IdentityReopened, about).await?;
        let activity = Activity::of(What::IdentityReopened).by(By::of(&by));
        self.note(tx, identity, activity).await?;
        let data = json!({ "actor": by, "epoch": profile.life.epoch, "blocked": blocked,
            "code_devices": devices });
        tx.audit(self.of_identity("identity.reopened", identity, data)).await?;
        Ok(Reopened { life: LifeView::of(identity, &profile.life), changed: true })
    }

    /// Blocks the apps made and the code devices that came since the identity was issued again, if it was, and
    /// tells which.
    async fn block_renewed(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        by: &Actor,
    ) -> Result<(Vec<AuthenticatorId>, Vec<CodeDeviceId>), AppError> {
        let issuings = tx.issuings(identity).await?;
        let [_, .., last] = issuings.as_slice() else { return Ok((Vec::new(), Vec::new())) };
        let mut blocked = Vec::new();
        for app in tx.authenticators(identity).await? {
            let state = app.state.clone().block(by.clone(), self.now());
            if app.created >= last.at && state != app.state {
                blocked.push(app.id);
                tx.save_authenticator(&AuthenticatorRow { state, ..app }).await?;
            }
        }
        let devices = self.block_devices_since(tx, identity, (last.at, by)).await?;
        Ok((blocked, devices))
    }

    /// Whether an identity can be used now, and its epoch: what each log-in, session and token asks
    /// (F1).
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn life(&self, identity: IdentityId) -> Result<LifeView, AppError> {
        let mut tx = self.parts.store.read().await?;
        Ok(LifeView::of(identity, &tx.life(identity).await?))
    }
}

/// What its person reads of who did it and from where.
pub(super) fn whose(
    activity: Activity,
    by: &Actor,
    told: Option<(Option<By>, &Place)>,
) -> Activity {
    match told {
        Some((by, place)) => activity.by(by).from(place),
        None => activity.by(By::of(by)),
    }
}
