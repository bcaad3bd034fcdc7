//! My page: what the person of an identity sees and changes of it (REQUIREMENTS F1, F2, F5), on the web and in
//! a native app. One file per thing that is done.
//!
//! A browser's session comes of a log-in at our own provider and ends with it; an app's comes of its key and PIN.
//! Both are worth something while the identity is open and in the epoch of the approval, so that a block ends
//! them before it returns. What changes who can log in needs an approval of the last minutes.

mod erase;
mod export;
mod means;
mod password;
mod pin;
mod profile;

pub use erase::Erased;
pub use export::Export;
pub use means::{Means, MeansKind};
pub use password::NewPassword;
pub use pin::NewPin;
pub use profile::{MyProfile, NewProfile};

use super::activity::{Activities, Activity, Before, Kind, Place, What};
use super::oidc::Opened;
use super::{App, AppError, Proof};
use crate::ids::{AuthenticatorId, IdentityId, LogInId};
use crate::limits;
use crate::oidc::Params;
use crate::storage::{AuthenticatorRow, MySession, Profile, Tx};
use enroll_core::device_key::Purpose;
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

/// The person of an identity, by a session of My page: made only from its token.
#[derive(Debug, Clone)]
pub struct Holder {
    pub(super) identity: IdentityId,
    session: [u8; 32],
    log_in: Option<LogInId>,
    /// The app that approved, if one did.
    app: Option<AuthenticatorId>,
    /// The identity's epoch in which it did.
    epoch: u64,
    approved: OffsetDateTime,
    pub(super) place: Place,
}

impl Holder {
    /// Where the person is now, as far as is kept of it.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// A session that an app has opened.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MyToken {
    /// The bearer token: shown once, kept as a hash.
    pub token: String,
    /// Seconds until it is worth nothing; sooner after a while without a request.
    pub expires_in: u32,
}

impl std::fmt::Debug for MyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MyToken(…, {} s)", self.expires_in)
    }
}

/// That a session is over.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MyEnd {
    /// Always `true`.
    pub ended: bool,
}

/// A browser that has logged in.
pub struct MyVisit {
    /// The token of its session.
    pub token: String,
    /// The language that the person chose, if they did.
    pub language: Option<String>,
}

impl std::fmt::Debug for MyVisit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MyVisit(…)")
    }
}

/// How often it is written down that a session was used.
const SEEN: Duration = Duration::seconds(30);

fn hash(token: &str) -> [u8; 32] {
    openssl::sha::sha256(token.as_bytes())
}

impl App {
    /// The person whose session `token` is, asking from `place`.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] where it is over, whatever ended it.
    pub async fn holder(&self, token: &str, place: Place) -> Result<Holder, AppError> {
        let session = hash(token);
        let mut tx = self.parts.store.read().await?;
        let found = tx.my_session(&session).await?.ok_or(AppError::Unauthorized)?;
        let is_over = self.is_session_over(&found);
        let MySession { identity, log_in, app, epoch, approved, seen, .. } = found;
        let now = self.now();
        let life = tx.life(identity).await?;
        let is_log_in = match log_in {
            Some(id) => self.is_my_session(&mut tx, id).await?,
            None => true,
        };
        if is_over || life.open().is_err() || life.epoch != epoch || !is_log_in {
            return Err(AppError::Unauthorized);
        }
        drop(tx);
        self.spend(limits::Kind::Case, identity.as_bytes(), Instant::now())?;
        if now - seen >= SEEN {
            let mut tx = self.parts.store.begin().await?;
            tx.see_my_session(&session, now).await?;
            tx.commit().await?;
        }
        Ok(Holder { identity, session, log_in, app, epoch, approved, place })
    }

    /// Whether its time is over, or nobody used it for too long.
    fn is_session_over(&self, session: &MySession) -> bool {
        let idle = session.seen + Duration::seconds(i64::from(self.policy.my_page.idle_s));
        self.now() > session.expires.min(idle)
    }

    /// Opens a session for a browser that comes back from its log-in with `params`, in place of the one that it
    /// had. `kept` is what it was given when it began.
    ///
    /// # Errors
    /// `log_in.late`.
    pub async fn arrive_at_my_page(
        &self,
        issuer: &str,
        params: &Params,
        (kept, before): (&str, Option<&str>),
    ) -> Result<MyVisit, AppError> {
        let Opened { id, approval, until } = self.open_my_page(issuer, params, kept).await?;
        let (token, hash_of_token) = self.token()?;
        let (mut tx, profile) = self.hold(approval.identity).await?;
        if let Some(before) = before {
            let before = hash(before);
            if let Some(MySession { log_in: Some(log_in), .. }) = tx.my_session(&before).await? {
                self.end_my_log_in(&mut tx, log_in).await?;
            }
            tx.end_my_session(&before).await?;
        }
        let session = MySession {
            identity: approval.identity,
            log_in: Some(id),
            app: approval.means.app(),
            epoch: approval.epoch,
            approved: approval.at,
            seen: self.now(),
            expires: until,
        };
        tx.add_my_session(&hash_of_token, &session).await?;
        tx.audit(self.of_identity("my_page.opened", approval.identity, json!({ "log_in": id })))
            .await?;
        tx.commit().await?;
        Ok(MyVisit { token, language: profile.details.language })
    }

    /// Opens a session for the app `id`, by its key and PIN.
    ///
    /// # Errors
    /// `activation.device_key`, `pin.wrong` and what it leads to; why app or identity cannot be used.
    pub async fn my_page_of_app(
        &self,
        id: &str,
        proof: Proof,
        place: &Place,
    ) -> Result<MyToken, AppError> {
        let app: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        self.prove_app(app, (Purpose::MyPage, None), &proof).await?;
        let (mut tx, profile, row) = self.hold_app(app).await?;
        profile.life.open().map_err(AppError::Reason)?;
        let now = self.now();
        row.state.usable(now).map_err(AppError::Reason)?;
        let expires_in = self.policy.my_page.session_s;
        let (token, hash) = self.token()?;
        let session = MySession {
            identity: row.identity,
            log_in: None,
            app: Some(app),
            epoch: profile.life.epoch,
            approved: now,
            seen: now,
            expires: now + Duration::seconds(i64::from(expires_in)),
        };
        tx.add_my_session(&hash, &session).await?;
        tx.app_used(app, now).await?;
        let opened = Activity::of(What::MyPageOpened).with(app).from(place);
        self.note(&mut tx, row.identity, opened).await?;
        let data = json!({ "authenticator": app });
        tx.audit(self.of_identity("my_page.opened", row.identity, data)).await?;
        tx.commit().await?;
        Ok(MyToken { token, expires_in })
    }

    /// A unit of work for what the person changes: their profile, held, if the session still is what it was when
    /// the request began. Of a request that a block overtook nothing is written (F1).
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] where the session is over.
    pub(super) async fn hold_mine(&self, holder: &Holder) -> Result<(Tx, Profile), AppError> {
        let (mut tx, profile) = self.hold(holder.identity).await?;
        let is_log_in = match holder.log_in {
            Some(id) => self.is_my_session(&mut tx, id).await?,
            None => true,
        };
        let found = tx.my_session(&holder.session).await?;
        let is_open = profile.life.open().is_ok() && profile.life.epoch == holder.epoch;
        let is_there = found.is_some_and(|found| !self.is_session_over(&found));
        match is_there && is_log_in && is_open {
            true => Ok((tx, profile)),
            false => Err(AppError::Unauthorized),
        }
    }

    /// The same with one of the person's apps.
    ///
    /// # Errors
    /// The same; [`AppError::UnknownCase`] for an app that there is not, or another's.
    async fn hold_my_app(
        &self,
        holder: &Holder,
        id: AuthenticatorId,
    ) -> Result<(Tx, Profile, AuthenticatorRow), AppError> {
        let (mut tx, profile) = self.hold_mine(holder).await?;
        match tx.authenticator(id).await? {
            Some(row) if row.identity == holder.identity => Ok((tx, profile, row)),
            _ => Err(AppError::UnknownCase),
        }
    }

    /// Ends a session at the wish of its person.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn leave_my_page(&self, holder: Holder) -> Result<MyEnd, AppError> {
        let (mut tx, _) = self.hold(holder.identity).await?;
        tx.end_my_session(&holder.session).await?;
        if let Some(id) = holder.log_in {
            self.end_my_log_in(&mut tx, id).await?;
        }
        tx.commit().await?;
        Ok(MyEnd { ended: true })
    }

    /// Whether the person's approval is of the last minutes.
    #[must_use]
    pub fn is_fresh(&self, holder: &Holder) -> bool {
        let fresh = Duration::seconds(i64::from(self.policy.my_page.fresh_s));
        self.now() <= holder.approved + fresh
    }

    /// That it is.
    ///
    /// # Errors
    /// `my_page.approval`.
    fn need_fresh(&self, holder: &Holder) -> Result<(), AppError> {
        match self.is_fresh(holder) {
            true => Ok(()),
            false => Err(AppError::Reason(ReasonCode::MY_PAGE_APPROVAL)),
        }
    }

    /// What has happened to the identity, newest first (F5).
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn my_activities(
        &self,
        holder: &Holder,
        asked: (Option<Kind>, Option<Before>),
    ) -> Result<Activities, AppError> {
        let mut tx = self.parts.store.read().await?;
        let most = usize::from(self.policy.my_page.page);
        self.activities_of(&mut tx, holder.identity, asked, most).await
    }
}
