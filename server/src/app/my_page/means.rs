//! What a person can log in with: seen, named, blocked (F1, F5), lost, found, and opened again (F2). Apps and code
//! devices are told apart here, and nowhere on the pages.

use super::super::activity::{Activity, By, Place, What};
use super::super::block::LifeView;
use super::super::code_device::{DeviceHolder, DeviceStanding};
use super::super::register::room;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::Holder;
use crate::ids::{AuthenticatorId, CodeDeviceId, IdentityId};
use crate::notices::Notice;
use crate::storage::{AuthenticatorRow, CodeDeviceRow, Profile, Tx};
use enroll_core::code_device::Kind;
use enroll_core::life::Actor;
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

/// What kind of means it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeansKind {
    /// An app on a device.
    App,
    /// A code display.
    CodeDisplay,
    /// An audio code reader.
    AudioReader,
}

/// Something that a person can log in with, or could.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct Means {
    /// Which.
    pub id: String,
    /// What it is.
    pub kind: MeansKind,
    /// What the person calls it, if anything.
    pub name: Option<String>,
    /// What is written on a code device.
    #[schema(example = "KV-000123")]
    pub serial: Option<String>,
    /// Counted from one among those of its sort, in the order in which they came.
    pub number: usize,
    /// Of an app `pending`, `waiting`, `active`, `locked`, `blocked` or `dead`; of a code device `ordered`,
    /// `inactive`, `active`, `lost` or `blocked`.
    #[schema(example = "active")]
    pub state: &'static str,
    /// When it was activated, as far as is known.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub activated: Option<OffsetDateTime>,
    /// When it was used last.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used: Option<OffsetDateTime>,
    /// Whether it can be blocked.
    pub can_be_blocked: bool,
    /// Whether its person can open it again: an app with another means, a code device to be activated anew.
    pub can_be_reopened: bool,
    /// Whether it can be said to be lost: a code device.
    pub can_be_lost: bool,
    /// Whether it can be said to be found: a code device, to be activated anew.
    pub can_be_found: bool,
    /// Whether nothing else is left to log in with.
    pub last: bool,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Means({}, {})", self.id, self.state)
    }
}

impl Means {
    /// Whether it can be used now, or soon without anything more.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self.state, "active" | "waiting")
    }

    fn of_app((number, row): (usize, &AuthenticatorRow), now: OffsetDateTime) -> Self {
        Self {
            id: row.id.to_string(),
            kind: MeansKind::App,
            name: None,
            serial: None,
            number,
            state: row.state.name(now),
            activated: row.state.activated(),
            used: None,
            can_be_blocked: row.state.clone().block(Actor::Holder, now) != row.state,
            can_be_reopened: row.state.clone().reopen().is_ok(),
            can_be_lost: false,
            can_be_found: false,
            last: false,
        }
    }

    fn of_device((number, row): (usize, &CodeDeviceRow), now: OffsetDateTime) -> Self {
        let state = || row.state.clone();
        let blocked = state().block(Actor::Holder, now);
        // A step is 30 seconds; nothing was taken of a device that has none.
        let used = OffsetDateTime::from_unix_timestamp(row.step.saturating_mul(30)).ok();
        // Of the device's clock, which may run ahead.
        let used = used.map(|used| used.min(now));
        Self {
            id: row.id.to_string(),
            kind: match row.kind {
                Kind::Display => MeansKind::CodeDisplay,
                Kind::Reader => MeansKind::AudioReader,
            },
            name: None,
            serial: Some(row.serial.clone()),
            number,
            state: row.state.name(),
            activated: row.state.since().filter(|_| row.state.is_active()),
            used: used.filter(|_| row.step > 0),
            can_be_blocked: blocked.is_ok_and(|blocked| blocked != row.state),
            can_be_reopened: state().reopen(&Actor::Holder, now).is_ok(),
            can_be_lost: state().lose(Actor::Holder, now).is_ok_and(|lost| lost != row.state),
            can_be_found: state().find(now).is_ok(),
            last: false,
        }
    }
}

/// One of the means of an identity, as it is stored.
pub(in crate::app) enum Stored {
    /// An app.
    App(AuthenticatorRow),
    /// A code device.
    CodeDevice(CodeDeviceRow),
}

/// Longest name.
const NAME: usize = 40;

impl App {
    /// Everything that an identity can be used with: the apps, then the code devices, each oldest first.
    pub(in crate::app) async fn means_of(
        &self,
        tx: &mut Tx,
        profile: &Profile,
    ) -> Result<Vec<Means>, AppError> {
        let (identity, now, names) = (profile.identity, self.now(), &profile.details);
        let apps = tx.authenticators(identity).await?;
        let used = tx.apps_used(identity).await?;
        let devices = tx.code_devices(identity).await?;
        let apps = apps.iter().zip(1..).map(|(row, number)| Means {
            name: names.names.get(&row.id).cloned(),
            used: used.get(&row.id).copied(),
            ..Means::of_app((number, row), now)
        });
        let devices = devices.iter().zip(1..).map(|(row, number)| Means {
            name: names.device_names.get(&row.id).cloned(),
            ..Means::of_device((number, row), now)
        });
        let mut all: Vec<Means> = apps.chain(devices).collect();
        if all.iter().filter(|means| means.counts()).count() == 1 {
            all.iter_mut().for_each(|means| means.last = means.counts());
        }
        Ok(all)
    }

    /// The means `id` of an identity whose profile `tx` holds.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`] for one that there is not, or another's.
    pub(in crate::app) async fn stored_means(
        &self,
        tx: &mut Tx,
        (identity, id): (IdentityId, &str),
    ) -> Result<Stored, AppError> {
        let app: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        if let Some(row) = tx.authenticator(app).await?.filter(|row| row.identity == identity) {
            return Ok(Stored::App(row));
        }
        let device: CodeDeviceId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let row = tx.hold_code_device(device).await?;
        let row = row.filter(|row| row.identity == Some(identity));
        row.map(Stored::CodeDevice).ok_or(AppError::UnknownCase)
    }

    /// Blocks one of the means of an identity whose profile is held. `told` is what its person reads of who did it
    /// and from where.
    pub(in crate::app) async fn block_means(
        &self,
        (mut tx, profile): (Tx, Profile),
        id: &str,
        (by, told): (Actor, (Option<By>, &Place)),
    ) -> Result<(), AppError> {
        match self.stored_means(&mut tx, (profile.identity, id)).await? {
            Stored::App(row) => {
                self.block_held((tx, profile, row), by, Some(told)).await?;
            }
            Stored::CodeDevice(row) => {
                let which = (row.serial.as_str(), None);
                self.restand_in(tx, which, (by, Some(told)), DeviceStanding::Blocked).await?;
            }
        }
        Ok(())
    }

    /// What the person can log in with.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn my_means(&self, holder: &Holder) -> Result<Vec<Means>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let profile = tx.seen_profile(holder.identity).await?;
        self.means_of(&mut tx, &profile).await
    }

    async fn one_of_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        let found = self.my_means(holder).await?.into_iter().find(|means| means.id == id);
        found.ok_or(AppError::UnknownCase)
    }

    /// Whether what was done has ended the session: blocking what was in use ends every one.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn has_ended(&self, holder: &Holder) -> Result<bool, AppError> {
        Ok(self.life(holder.identity).await?.epoch != holder.epoch)
    }

    /// Blocks one of the person's means before it returns (F1). Where it was in use every session of the identity
    /// ends, this one too. Repeated, it answers the same.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] where the session is over; [`AppError::UnknownCase`] for one that there is not,
    /// or another's.
    pub async fn block_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        let held = self.hold_mine(holder).await?;
        self.block_means(held, id, (Actor::Holder, (None, &holder.place))).await?;
        self.one_of_mine(holder, id).await
    }

    /// Blocks the whole identity, before it returns (F1). Only a Borgercenter opens it again (F2).
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] where the session is over.
    pub async fn block_all_mine(&self, holder: &Holder) -> Result<LifeView, AppError> {
        let held = self.hold_mine(holder).await?;
        self.block_all_held(held, Actor::Holder, Some((None, &holder.place))).await
    }

    /// Says that a code device of the person is lost, before it returns; as [`App::block_mine`] otherwise.
    ///
    /// # Errors
    /// As [`App::block_mine`]; `code_device.state` for an app, and for one that is blocked.
    pub async fn lose_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        self.stand_mine(holder, id, DeviceStanding::Lost).await
    }

    /// Says that a code device of the person is found, by a fresh approval: it is to be activated anew.
    ///
    /// # Errors
    /// `my_page.approval`; `code_device.state` for what was not lost, `code_device.other` while another one is on
    /// the way, `activation.window` for one lost before the identity was opened again; as [`App::block_mine`].
    pub async fn find_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        self.need_fresh(holder)?;
        self.stand_mine(holder, id, DeviceStanding::Found).await
    }

    async fn stand_mine(
        &self,
        holder: &Holder,
        id: &str,
        standing: DeviceStanding,
    ) -> Result<Means, AppError> {
        let (mut tx, _) = self.hold_mine(holder).await?;
        match self.stored_means(&mut tx, (holder.identity, id)).await? {
            Stored::App(_) => return Err(AppError::Reason(ReasonCode::CODE_DEVICE_STATE)),
            Stored::CodeDevice(row) => self.stand_held(tx, (holder, &row), standing).await?,
        }
        self.one_of_mine(holder, id).await
    }

    async fn stand_held(
        &self,
        tx: Tx,
        (holder, row): (&Holder, &CodeDeviceRow),
        standing: DeviceStanding,
    ) -> Result<(), AppError> {
        let of = Some(DeviceHolder::logged_in(holder.identity));
        let by = (Actor::Holder, Some((None, &holder.place)));
        self.restand_in(tx, (&row.serial, of), by, standing).await.map(drop)
    }

    /// Opens one of the person's means again, by a fresh approval (F2): only what they blocked themselves. An app
    /// is open by the approval of another app or a code device, a code device is to be activated anew. The person is told; codes of
    /// notices of before still block it.
    ///
    /// # Errors
    /// `my_page.approval`, `authenticator.for_good`, `activation.devices`; `code_device.state`,
    /// `code_device.other`, `activation.window`; [`AppError::Unauthorized`] where the session is over; [`AppError::UnknownCase`].
    pub async fn reopen_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        self.need_fresh(holder)?;
        let (mut tx, profile) = self.hold_mine(holder).await?;
        match self.stored_means(&mut tx, (holder.identity, id)).await? {
            Stored::App(row) => self.reopen_app((tx, profile), row, holder).await?,
            Stored::CodeDevice(row) => {
                self.stand_held(tx, (holder, &row), DeviceStanding::Reopened).await?;
            }
        }
        self.one_of_mine(holder, id).await
    }

    async fn reopen_app(
        &self,
        (mut tx, profile): (Tx, Profile),
        row: AuthenticatorRow,
        holder: &Holder,
    ) -> Result<(), AppError> {
        let app = row.id;
        // The app that approved is another one: one that is blocked approves nothing.
        if Some(app) == holder.app {
            return Err(AppError::Reason(ReasonCode::AUTHENTICATOR_FOR_GOOD));
        }
        let state = row.state.clone().reopen().map_err(AppError::Reason)?;
        let apps = tx.authenticators(row.identity).await?;
        room(apps.iter().map(|app| &app.state), self.policy.activation.apps)
            .map_err(AppError::Reason)?;
        tx.save_authenticator(&AuthenticatorRow { state, ..row }).await?;
        let about = About::now(Blocks::Identity);
        self.notify(&mut tx, &profile, Notice::AppReopened, about).await?;
        let activity = Activity::of(What::AppReopened).with(app).from(&holder.place);
        self.note(&mut tx, profile.identity, activity).await?;
        let data = json!({ "authenticator": app, "by": holder.app });
        tx.audit(self.of_identity("authenticator.reopened", profile.identity, data)).await?;
        Ok(tx.commit().await?)
    }

    /// Gives one of the person's means a name, or takes it away.
    ///
    /// # Errors
    /// [`AppError::Malformed`] for one of more than 40 signs; [`AppError::Unauthorized`] where the session is
    /// over; [`AppError::UnknownCase`].
    pub async fn name_mine(
        &self,
        holder: &Holder,
        id: &str,
        name: &str,
    ) -> Result<Means, AppError> {
        let name = name.trim();
        if name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(AppError::Malformed);
        }
        let (mut tx, mut profile) = self.hold_mine(holder).await?;
        let details = &mut profile.details;
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        match (self.stored_means(&mut tx, (holder.identity, id)).await?, name) {
            (Stored::App(row), None) => details.names.remove(&row.id),
            (Stored::App(row), Some(name)) => details.names.insert(row.id, name),
            (Stored::CodeDevice(row), None) => details.device_names.remove(&row.id),
            (Stored::CodeDevice(row), Some(name)) => details.device_names.insert(row.id, name),
        };
        tx.save_profile(&profile).await?;
        tx.commit().await?;
        self.one_of_mine(holder, id).await
    }
}
