//! Support: somebody calls, and one of support sees the state of their means, blocks, and has codes sent anew.
//! An identity is found by the exact user ID that the citizen gave and in no other way, and is named by it at each
//! act, so that nobody is looked up who did not call. Each look and act is in the trail, and the citizen sees it.
//! Of secrets, numbers and addresses nothing is shown.

use super::activity::{self, Activity, By, Place, What};
use super::my_page::Means;
use super::officer::Supporter;
use super::{App, AppError};
use crate::ids::{AuthenticatorId, IdentityId};
use crate::limits::Kind;
use crate::notices::Channel;
use crate::storage::{AuthenticatorRow, Profile, Tx};
use enroll_core::activation::Authenticator;
use enroll_core::codes;
use enroll_core::life::Actor;
use enroll_core::reason::ReasonCode;
use enroll_core::user_id::UserId;
use serde::Deserialize;
use serde_json::json;
use time::Duration;
use tokio::time::Instant;

/// A citizen who called.
#[derive(Deserialize)]
pub struct Call {
    /// The user ID, as they gave it.
    pub user_id: String,
    /// That they called and gave it.
    #[serde(default)]
    called: Option<String>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call(…)")
    }
}

impl Call {
    /// Of a citizen who gave `user_id`; `called` is there where they called.
    #[must_use]
    pub fn new(user_id: String, called: Option<String>) -> Self {
        Self { user_id, called }
    }
}

/// What support sees of an identity.
#[derive(Debug)]
pub struct Seen {
    /// Whether it can be used.
    pub open: bool,
    /// The channels on record, without addresses.
    pub channels: Vec<Channel>,
    /// The means, with their state.
    pub means: Vec<Means>,
}

/// For how long after a look what is done for that citizen is no try of another user ID.
const CALL: Duration = Duration::minutes(15);
/// Among how many of the newest looks at an identity that one is looked for.
const LOOKS: usize = 20;

impl App {
    /// What one of support sees of the identity of a citizen who called.
    ///
    /// # Errors
    /// `support.call`, `support.unknown`.
    pub async fn seen_by_support(
        &self,
        supporter: &Supporter,
        call: &Call,
    ) -> Result<Seen, AppError> {
        self.spend_call(supporter)?;
        self.seen_after_act(supporter, call).await
    }

    /// The same for who has just done something for that citizen, which was counted.
    ///
    /// # Errors
    /// As [`App::seen_by_support`].
    pub async fn seen_after_act(
        &self,
        supporter: &Supporter,
        call: &Call,
    ) -> Result<Seen, AppError> {
        let (mut tx, profile) = self.found_by_support(supporter, call).await?;
        let identity = profile.identity;
        let contacts = profile.details.contacts.as_ref();
        let has = |channel: &Channel| contacts.is_some_and(|c| c.address(*channel).is_some());
        let seen = Seen {
            open: profile.life.open().is_ok(),
            channels: [Channel::Sms, Channel::Email].into_iter().filter(has).collect(),
            // What a person calls their means, and what is written on them, is theirs.
            means: self.means_of(&mut tx, &profile).await?.into_iter().map(unnamed).collect(),
        };
        let look = Activity::of(What::Looked).by(Some(By::Support(supporter.name().to_owned())));
        self.note(&mut tx, identity, look).await?;
        let data = json!({ "officer": supporter.name() });
        tx.audit(self.of_identity("support.looked", identity, data)).await?;
        tx.commit().await?;
        Ok(seen)
    }

    /// Blocks one of the citizen's means.
    ///
    /// # Errors
    /// As [`App::seen_by_support`]; [`AppError::UnknownCase`] for a means that is not theirs.
    pub async fn blocked_by_support(
        &self,
        supporter: &Supporter,
        call: &Call,
        id: &str,
    ) -> Result<(), AppError> {
        let held = self.called(supporter, call).await?;
        let by = Some(By::Support(supporter.name().to_owned()));
        self.block_means(held, id, (actor(supporter), (by, &Place::default()))).await
    }

    /// Blocks the citizen's whole identity. Only a Borgercenter opens it again (F2).
    ///
    /// # Errors
    /// As [`App::seen_by_support`].
    pub async fn all_blocked_by_support(
        &self,
        supporter: &Supporter,
        call: &Call,
    ) -> Result<(), AppError> {
        let held = self.called(supporter, call).await?;
        let by = Some(By::Support(supporter.name().to_owned()));
        self.block_all_held(held, actor(supporter), Some((by, &Place::default()))).await?;
        Ok(())
    }

    /// Has the codes of an app that is being activated sent anew, by the channels on record: those of before are
    /// worth nothing, the tries stay used, and support sees neither codes nor addresses.
    ///
    /// # Errors
    /// As [`App::seen_by_support`]; `activation.state` for an app without codes under way,
    /// `activation.too_often`, `activation.channels`, `activation.new_phone`, `identity.blocked`.
    pub async fn codes_by_support(
        &self,
        supporter: &Supporter,
        call: &Call,
        id: &str,
    ) -> Result<(), AppError> {
        let (tx, profile) = self.called(supporter, call).await?;
        drop(tx);
        let app = self.app_of(profile.identity, id).await?;
        let (mut tx, profile, row) = self.hold_app(app).await?;
        profile.life.open().map_err(AppError::Reason)?;
        let Authenticator::Pending { codes, at, .. } = &row.state else {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_STATE));
        };
        // No more often than the person could ask for them in a day.
        let policy = &self.policy.activation;
        let pause = policy.starts_period_s / u32::from(policy.starts.max(1));
        let is_first = at.unix_timestamp() == row.created.unix_timestamp();
        if !is_first && self.now() < *at + Duration::seconds(i64::from(pause)) {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_TOO_OFTEN));
        }
        let channels: Vec<Channel> = codes.iter().map(|code| channel(code.channel)).collect();
        let to = self.recipients(&profile, &channels).map_err(AppError::Reason)?;
        let anew = self.send_codes(&mut tx, profile.identity, app, to).await?;
        let state = row.state.clone().send_anew(anew, self.now()).map_err(AppError::Reason)?;
        tx.save_authenticator(&AuthenticatorRow { state, ..row }).await?;
        let sent = Activity::of(What::CodesSent).with(app);
        let by = By::Support(supporter.name().to_owned());
        self.note(&mut tx, profile.identity, sent.by(Some(by))).await?;
        let data = json!({ "officer": supporter.name(), "authenticator": app });
        tx.audit(self.of_identity("support.codes_sent", profile.identity, data)).await?;
        Ok(tx.commit().await?)
    }

    /// How many user IDs one of support tries is limited: they are heard, not searched for.
    fn spend_call(&self, supporter: &Supporter) -> Result<(), AppError> {
        self.spend_of("support", supporter)
    }

    fn spend_of(&self, what: &str, supporter: &Supporter) -> Result<(), AppError> {
        let key = format!("{what}\n{}", supporter.name());
        self.spend(Kind::Reference, key.as_bytes(), Instant::now())
    }

    /// The profile of the citizen who called, held, for an act. Acts are counted by themselves, and before anything is
    /// looked up, so that many calls keep nobody from blocking. One for a citizen whom this supporter has not just seen
    /// is a try besides, as a look is.
    async fn called(&self, supporter: &Supporter, call: &Call) -> Result<(Tx, Profile), AppError> {
        self.spend_of("support-acts", supporter)?;
        if !self.has_just_seen(supporter, call).await? {
            self.spend_call(supporter)?;
        }
        self.found_by_support(supporter, call).await
    }

    /// Whether this supporter has seen the citizen who called within the call.
    async fn has_just_seen(&self, supporter: &Supporter, call: &Call) -> Result<bool, AppError> {
        let Ok(user_id) = UserId::parse(&call.user_id) else { return Ok(false) };
        let mut tx = self.parts.store.read().await?;
        let hash = tx.keyed_hash("user_id", user_id.as_str().as_bytes())?;
        let Some(identity) = tx.identity_by_user_id(&hash).await? else { return Ok(false) };
        let looks = (Some(activity::Kind::Look), None);
        let newest = self.activities_of(&mut tx, identity, looks, LOOKS).await?.activities;
        let by = Some(By::Support(supporter.name().to_owned()));
        let mut own = newest.iter().filter(|one| one.what == What::Looked && one.by == by);
        Ok(own.any(|one| self.now() < one.at + CALL))
    }

    async fn found_by_support(
        &self,
        supporter: &Supporter,
        call: &Call,
    ) -> Result<(Tx, Profile), AppError> {
        if call.called.is_none() {
            return Err(AppError::Reason(ReasonCode::SUPPORT_CALL));
        }
        let unknown = || AppError::Reason(ReasonCode::SUPPORT_UNKNOWN);
        let user_id = UserId::parse(&call.user_id).map_err(|_| unknown())?;
        let mut tx = self.parts.store.begin().await?;
        let hash = tx.keyed_hash("user_id", user_id.as_str().as_bytes())?;
        match tx.identity_by_user_id(&hash).await? {
            Some(identity) => {
                let profile = tx.hold_profile(identity).await?;
                Ok((tx, profile))
            }
            None => {
                let data = json!({ "officer": supporter.name() });
                let (time, kind) = (self.now(), "support.not_found".to_owned());
                tx.audit(enroll_core::audit::Event { time, kind, case: None, data }).await?;
                tx.commit().await?;
                Err(unknown())
            }
        }
    }

    /// The app `id`, if it is of `identity`.
    async fn app_of(&self, identity: IdentityId, id: &str) -> Result<AuthenticatorId, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        match self.some_app(id).await? {
            row if row.identity == identity => Ok(id),
            _ => Err(AppError::UnknownCase),
        }
    }
}

fn actor(supporter: &Supporter) -> Actor {
    Actor::Officer { officer: supporter.name().to_owned() }
}

/// As support sees it: what its person could open again can still be blocked.
fn unnamed(means: Means) -> Means {
    let can_be_blocked = means.can_be_blocked || means.can_be_reopened;
    Means { name: None, serial: None, can_be_blocked, ..means }
}

fn channel(of: codes::Channel) -> Channel {
    match of {
        codes::Channel::Email => Channel::Email,
        codes::Channel::Sms | codes::Channel::Letter => Channel::Sms,
    }
}
