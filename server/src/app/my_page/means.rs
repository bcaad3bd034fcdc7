//! What a person can log in with: seen, named, blocked (F1, F5) and opened again (F2).

use super::super::activity::{Activity, What};
use super::super::block::LifeView;
use super::super::register::room;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::Holder;
use crate::ids::{AuthenticatorId, IdentityId};
use crate::notices::Notice;
use crate::storage::{AuthenticatorRow, Profile, Tx};
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
    /// Counted from one, in the order in which they came.
    pub number: usize,
    /// `pending`, `waiting`, `active`, `locked`, `blocked` or `dead`.
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
    /// Whether its person can open it again, with another means.
    pub can_be_reopened: bool,
    /// Whether nothing else is left to log in with.
    pub last: bool,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Means({}, {})", self.id, self.state)
    }
}

/// Longest name.
const NAME: usize = 40;

impl App {
    /// Everything that an identity can be used with, oldest first: the apps, and what other means there are.
    pub(in crate::app) async fn means_of(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
    ) -> Result<Vec<Means>, AppError> {
        let profile = tx.hold_profile(identity).await?;
        let mut all = self.apps_as_means(tx, &profile).await?;
        let left = all.iter().filter(|means| means.state == "active" || means.state == "waiting");
        if left.count() == 1 {
            all.iter_mut()
                .for_each(|means| means.last = means.state == "active" || means.state == "waiting");
        }
        Ok(all)
    }

    async fn apps_as_means(&self, tx: &mut Tx, profile: &Profile) -> Result<Vec<Means>, AppError> {
        let rows = tx.authenticators(profile.identity).await?;
        let used = tx.apps_used(profile.identity).await?;
        let now = self.now();
        let view = |(nth, row): (usize, &AuthenticatorRow)| Means {
            id: row.id.to_string(),
            kind: MeansKind::App,
            name: profile.details.names.get(&row.id).cloned(),
            number: nth + 1,
            state: row.state.name(now),
            activated: row.state.activated(),
            used: used.get(&row.id).copied(),
            can_be_blocked: row.state.clone().block(Actor::Holder, now) != row.state,
            can_be_reopened: row.state.clone().reopen().is_ok(),
            last: false,
        };
        Ok(rows.iter().enumerate().map(view).collect())
    }

    /// What the person can log in with.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn my_means(&self, holder: &Holder) -> Result<Vec<Means>, AppError> {
        let mut tx = self.parts.store.begin().await?;
        self.means_of(&mut tx, holder.identity).await
    }

    async fn one_of_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        let found = self.my_means(holder).await?.into_iter().find(|means| means.id == id);
        found.ok_or(AppError::UnknownCase)
    }

    /// Blocks one of the person's means before it returns (F1). Every session of the identity ends, this one
    /// too. Repeated, it answers the same.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] where the session is over; [`AppError::UnknownCase`] for one that there is not,
    /// or another's.
    pub async fn block_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        let app = id.parse().map_err(|_| AppError::UnknownCase)?;
        let held = self.hold_my_app(holder, app).await?;
        self.block_held(held, Actor::Holder, Some((None, &holder.place))).await?;
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

    /// Opens one of the person's means again, by a fresh approval with another one (F2): only what they blocked
    /// themselves. The person is told; codes of notices of before still block it.
    ///
    /// # Errors
    /// `my_page.approval`, `authenticator.for_good`, `activation.devices`; [`AppError::UnknownCase`].
    pub async fn reopen_mine(&self, holder: &Holder, id: &str) -> Result<Means, AppError> {
        self.need_fresh(holder)?;
        let app: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let (mut tx, profile, row) = self.hold_my_app(holder, app).await?;
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
        tx.commit().await?;
        self.one_of_mine(holder, &app.to_string()).await
    }

    /// Gives one of the person's means a name, or takes it away.
    ///
    /// # Errors
    /// [`AppError::Malformed`] for one of more than 40 signs; [`AppError::UnknownCase`].
    pub async fn name_mine(&self, holder: &Holder, id: &str, name: &str) -> Result<(), AppError> {
        let app: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let name = name.trim();
        if name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(AppError::Malformed);
        }
        let (mut tx, mut profile, _) = self.hold_my_app(holder, app).await?;
        match name {
            "" => profile.details.names.remove(&app),
            name => profile.details.names.insert(app, name.to_owned()),
        };
        tx.save_profile(&profile).await?;
        Ok(tx.commit().await?)
    }
}
