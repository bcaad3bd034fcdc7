//! Logging in with user ID, password and the code of a code device, on the page of the log-in (E2, G2, G3, G6).
//!
//! Whatever of it does not fit, and whether there is such a user ID, the answer and the work are the same (G4):
//! the same statements, as many openings of sealed values, the same password hashes. So nothing here tells that a code
//! rests either: the person is told by SMS and e-mail (docs/log-in.md).

use super::super::activity::{Activity, What};
use super::super::code_device::{Compared, KeptPassword};
use super::super::hashing::Turn;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError, Place};
use super::claim::{ial, transaction};
use super::client::active;
use super::late;
use super::page::typed_user_id;
use crate::config::Secret;
use crate::ids::{IdentityId, LogInId};
use crate::keys::base64url;
use crate::limits::Kind as Limited;
use crate::notices::Notice;
use crate::oidc::idp_params::Action;
use crate::oidc::{Approval, Level, LogIn, Means, Way, Why};
use crate::storage::{CodeDeviceRow, LogInRow, Opens, PasswordRow, Profile, Tx};
use enroll_core::code_device::{Kind, Tries};
use enroll_core::password::Password;
use enroll_core::policy::CodeDevices;
use enroll_core::reason::ReasonCode;
use enroll_core::totp::{Algorithm, Seed, step_at};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// What a code device with a password reaches: two factors of different kinds (NSIS §3.2.1). A code that is
/// typed can be typed on another's page, so never more.
const OF_A_CODE_DEVICE: Level = Level::Substantial;

/// What a person types.
pub struct TypedCode {
    /// Their user ID.
    pub user_id: String,
    /// Their password.
    pub password: Secret,
    /// The code of now.
    pub code: Secret,
}

impl std::fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedCode(…)")
    }
}

/// Who asks the person before a page, and what for (G3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedOf {
    /// The relying party's name.
    pub party: String,
    /// What the person is asked to do.
    pub action: Action,
    /// In the words of who asks: at most 130 characters.
    pub text: Option<String>,
    /// Whether a code device can reach the level that is asked for.
    pub by_code: bool,
}

/// The person and the means that a user ID leads to; for one that there is not, nobody with nothing.
struct Found {
    identity: IdentityId,
    profile: Option<Profile>,
    password: Option<PasswordRow>,
    device: Option<CodeDeviceRow>,
    seed: Option<Seed>,
}

/// Which of the two factors was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Right {
    password: bool,
    step: Option<i64>,
}

impl Right {
    /// What a try that was not taken makes of the person's tries, and whether codes rest with it, if it changes
    /// them. Where one of the two was right, somebody has it, and must not try for the other; with none right
    /// nobody is shut out by who knows a user ID alone.
    fn counted(
        self,
        tries: Tries,
        policy: &CodeDevices,
        now: OffsetDateTime,
    ) -> Option<(Tries, bool)> {
        let (next, over) = tries.failed(policy, now);
        let counts = self.password != self.step.is_some();
        (counts && next != tries).then_some((next, over))
    }
}

impl App {
    /// What is asked of the person before the page; nothing for a log-in that there is not.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn asked_of(&self, browser: &str) -> Result<Option<AskedOf>, AppError> {
        let hash = openssl::sha::sha256(browser.as_bytes());
        let mut tx = self.parts.store.read().await?;
        let Some(row) = tx.find_log_in(Opens::Browser, &hash).await? else { return Ok(None) };
        let party = tx.relying_party(&row.client_id).await?.map(|row| row.party.name);
        let by_code = row.request.level <= OF_A_CODE_DEVICE;
        let asked = |party| AskedOf {
            party,
            action: row.request.action,
            text: row.request.text.clone(),
            by_code,
        };
        Ok(party.map(asked))
    }

    /// Approves the log-in before the page by user ID, password and code.
    ///
    /// # Errors
    /// `log_in.code` for all that does not fit or cannot be used; `log_in.tries` once there were too many on the
    /// page; `log_in.code_level` where a code device is not enough; `log_in.late`, `log_in.level`,
    /// `log_in.parallel`; [`AppError::Busy`], which counts nothing.
    pub async fn log_in_by_code(&self, browser: &str, typed: TypedCode) -> Result<(), AppError> {
        let id = self.before_typing(browser).await?;
        // The wait for a turn shows how long another's work took, so it counts.
        let began = Instant::now();
        let turn = self.typing.turn().await?;
        let taken = self.compare(id, turn, typed).await;
        let Err(error) = taken else { return Ok(()) };
        let each = Duration::from_millis(self.policy.code_devices.refusal_ms.into());
        tokio::time::sleep_until(began + whole(began.elapsed(), each)).await;
        // Not before: the browser is told when its page is over.
        if matches!(error, AppError::Reason(ReasonCode::LOG_IN_TRIES)) {
            self.end_page(id).await?;
        }
        Err(error)
    }

    /// Takes what was typed for the log-in, or says why not.
    async fn compare(&self, id: LogInId, turn: Turn, typed: TypedCode) -> Result<(), AppError> {
        // Before anything is computed: of many at once on one page no more are than may be tried.
        let tried = self.count_try(id).await?;
        let (user_hash, kept) = self.kept_of(&typed.user_id).await?;
        let password = || Password::typed(typed.password.expose());
        let Compared { fits, is_old } = self.is_password(&turn, &kept, password()).await?;
        drop(turn);

        // Read again, and held: of two at once the second sees what the first has used up.
        let mut tx = self.parts.store.begin().await?;
        let found = self.found(&mut tx, &user_hash).await?;
        let row = self.hold_log_in(&mut tx, id).await?;
        if row.state != LogIn::Begun {
            return Err(AppError::Reason(row.state.over()));
        }
        let step = self.step(&found, typed.code.expose().trim())?;
        // Compared with what was kept then: one that was changed since is a wrong one.
        let same = found.identity == kept.identity && kept.is_still(found.password.as_ref());
        let right = Right { password: fits && same, step };
        self.decide(tx, (row, user_hash, tried), found, right).await?;
        if is_old && let Err(error) = self.hash_anew(&kept, password()).await {
            let error = crate::http::problem::chain(&error);
            tracing::error!(%error, "a password could not be hashed at the cost of now");
        }
        Ok(())
    }

    /// The log-in before the page, if a code can be typed there. Held by nobody: whoever holds a log-in with a
    /// profile holds the profile first. All of it is read again.
    async fn before_typing(&self, browser: &str) -> Result<LogInId, AppError> {
        let mut tx = self.parts.store.read().await?;
        let secret = openssl::sha::sha256(browser.as_bytes());
        let row = tx.find_log_in(Opens::Browser, &secret).await?;
        let late = AppError::Reason(ReasonCode::LOG_IN_LATE);
        let row = row.filter(|row| row.expires >= self.now()).ok_or(late)?;
        self.spend(Limited::LogIn, row.id.as_bytes(), Instant::now())?;
        if row.state != LogIn::Begun {
            return Err(AppError::Reason(row.state.over()));
        }
        if row.request.level > OF_A_CODE_DEVICE {
            return Err(AppError::Reason(ReasonCode::LOG_IN_CODE_LEVEL));
        }
        Ok(row.id)
    }

    /// Counts a try on the page; how many there were with it. One more than there may be is `log_in.tries`, which ends
    /// the log-in also where the last one was counted and never decided.
    async fn count_try(&self, id: LogInId) -> Result<i64, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let tried = tx.count_try(id, self.policy.code_devices.page_tries).await?;
        tx.commit().await?;
        tried.ok_or(AppError::Reason(ReasonCode::LOG_IN_TRIES))
    }

    /// Ends a log-in whose tries are used up.
    async fn end_page(&self, id: LogInId) -> Result<(), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let row = self.hold_log_in(&mut tx, id).await?;
        if row.state == LogIn::Begun {
            self.end_one(&mut tx, row, Why::Tries).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The keyed hash of a user ID, and what is kept of the password of whoever has it. Nobody takes as many
    /// questions as somebody.
    async fn kept_of(&self, user_id: &str) -> Result<([u8; 32], KeptPassword), AppError> {
        let mut tx = self.parts.store.read().await?;
        let user_id = Zeroizing::new(typed_user_id(user_id));
        let user_hash = tx.keyed_hash("user_id", user_id.as_bytes())?;
        let nobody = IdentityId::random(self.parts.entropy.as_ref())?;
        let identity = tx.identity_by_user_id(&user_hash).await?.unwrap_or(nobody);
        let hash = tx.password(identity).await?.map(|row| row.hash);
        let costs = tx.password_costs().await?;
        Ok((user_hash, KeptPassword { identity, hash, costs }))
    }

    /// Whom a user ID leads to. Nobody takes as many questions as somebody.
    async fn found(&self, tx: &mut Tx, user_hash: &[u8; 32]) -> Result<Found, AppError> {
        tx.hold_user_id(user_hash).await?;
        let profile = tx.hold_profile_of(user_hash).await?;
        let nobody = IdentityId::random(self.parts.entropy.as_ref())?;
        let identity = profile.as_ref().map_or(nobody, |profile| profile.identity);
        let password = tx.password(identity).await?;
        let device = tx.hold_active_code_device(identity).await?;
        let no_device = crate::ids::CodeDeviceId::random(self.parts.entropy.as_ref())?;
        let seed = tx.seed(device.as_ref().map_or(no_device, |device| device.id)).await?;
        Ok(Found { identity, profile, password, device, seed })
    }

    /// The step whose code was typed. Without a device as much is computed, and nothing fits.
    fn step(&self, found: &Found, code: &str) -> Result<Option<i64>, AppError> {
        let window = i64::from(self.policy.code_devices.window);
        let none = || Seed::new(Algorithm::Sha1, Zeroizing::new(vec![0; 20]));
        let (last, drift) = match &found.device {
            Some(device) => (device.step, device.state.drift().unwrap_or(0)),
            None => (i64::MAX, 0),
        };
        // Where the clock was taken to be, and where it is if that was somebody's slowness.
        let now = step_at(self.now());
        let near = [now, now + drift];
        let dummy = if found.seed.is_none() { none() } else { None };
        let Some(seed) = found.seed.as_ref().or(dummy.as_ref()) else { return Ok(None) };
        seed.step_of(code, last, (&near, window)).map_err(AppError::internal)
    }

    /// Both right, of somebody who may log in now, or it is a wrong try.
    async fn decide(
        &self,
        mut tx: Tx,
        (row, user_hash, tried): (LogInRow, [u8; 32], i64),
        found: Found,
        right: Right,
    ) -> Result<(), AppError> {
        let tries = found.password.as_ref().map(|row| row.tries).unwrap_or_default();
        let open = found.profile.as_ref().is_some_and(|profile| profile.life.open().is_ok());
        let usable = open && tries.may_try(self.now());
        let both = right.step.zip(found.profile).zip(found.device);
        let both = both.filter(|_| right.password && usable);
        // Conditional, whatever is held: a step is taken once, on whichever server.
        if let Some(((step, profile), device)) = both
            && tx.use_step(device.id, step).await?
        {
            let window = i64::from(self.policy.code_devices.window);
            let state = device.state.clone().drifted(step - step_at(self.now()), window);
            let device = CodeDeviceRow { state, step, ..device };
            tx.save_code_device(&device).await?;
            tx.save_tries(profile.identity, &Tries::default(), false).await?;
            return self.approved(tx, (row, user_hash), (profile, device)).await;
        }
        // The same statement for whoever it is of; where nothing changes it finds no row.
        let nobody = IdentityId::random(self.parts.entropy.as_ref())?;
        let counted = right.counted(tries, &self.policy.code_devices, self.now());
        let (whose, (tries, over)) =
            counted.map_or((nobody, (tries, false)), |counted| (found.identity, counted));
        tx.save_tries(whose, &tries, over).await?;
        self.refused(tx, row, tried).await
    }

    /// Takes note of a wrong try on the page, whoever it was of.
    async fn refused(&self, mut tx: Tx, row: LogInRow, tried: i64) -> Result<(), AppError> {
        let data = json!({ "client_id": row.client_id, "way": Way::Code });
        tx.audit(self.of_log_in("log_in.code_refused", row.id, data)).await?;
        tx.commit().await?;
        let over = tried >= i64::from(self.policy.code_devices.page_tries);
        let reason = if over { ReasonCode::LOG_IN_TRIES } else { ReasonCode::LOG_IN_CODE };
        Err(AppError::Reason(reason))
    }

    /// The person has shown both. What stops an app's approval stops this one.
    async fn approved(
        &self,
        mut tx: Tx,
        (mut row, user_hash): (LogInRow, [u8; 32]),
        (profile, device): (Profile, CodeDeviceRow),
    ) -> Result<(), AppError> {
        let identity = profile.identity;
        let party = active(&mut tx, &row.client_id).await.map_err(late)?;
        let stopped = Activity::of(What::LogInStopped).at(&party.name).with(device.id);
        // The browser that began is the one that the code was typed in.
        let place = Place::kept(row.network.clone());
        let stopped = stopped.from(&place).begun(&row);
        if self.stop_parallel(&mut tx, &row, identity).await? {
            let why = Why::Parallel.reason();
            self.note(&mut tx, identity, stopped.because(why.as_str())).await?;
            tx.commit().await?;
            return Err(AppError::Reason(ReasonCode::LOG_IN_PARALLEL));
        }
        let ial = ial(&mut tx, identity).await?;
        let level = Level::of_log_in(ial, OF_A_CODE_DEVICE);
        if level < row.request.level {
            self.end_one(&mut tx, row, Why::Level).await?;
            self.note(&mut tx, identity, stopped.because(Why::Level.reason().as_str())).await?;
            tx.commit().await?;
            return Err(AppError::Reason(ReasonCode::LOG_IN_LEVEL));
        }
        let shown = transaction(&row, &party, (level, None));
        let shown = base64url(&openssl::sha::sha256(shown.as_bytes()));
        let means = match device.kind {
            Kind::Display => Means::CodeDisplay(device.id),
            Kind::Reader => Means::AudioReader(device.id),
        };
        let approval = Approval {
            means,
            identity,
            way: Way::Code,
            at: self.now(),
            epoch: profile.life.epoch,
            ial,
            aal: OF_A_CODE_DEVICE,
            poll: None,
            back: None,
            shown: None,
        };
        row.state = LogIn::Approved { approval };
        row.user_hash = Some(user_hash.to_vec());
        row.expires = self.in_seconds(self.oidc.finish_s);
        tx.save_log_in(&row).await?;
        let activity = Activity::of(What::LogInApproved).at(&party.name).with(device.id);
        self.note(&mut tx, identity, activity.from(&place).begun(&row)).await?;
        if profile.details.log_in_notices {
            let about =
                About { at: Some(&party.name), ..About::now(Blocks::CodeDevice(device.id)) };
            self.notify(&mut tx, &profile, Notice::LoggedIn, about).await?;
        }
        let data = json!({
            "client_id": row.client_id, "code_device": device.id, "kind": device.kind,
            "way": Way::Code, "shown": shown, "log_in": row.id,
        });
        tx.audit(self.of_identity("log_in.approved", identity, data)).await?;
        Ok(tx.commit().await?)
    }
}

/// When what has taken `spent` is answered: after the next whole number of `each`, so that what the work differs by
/// does not show.
fn whole(spent: Duration, each: Duration) -> Duration {
    let (spent, each) = (spent.as_nanos(), each.as_nanos());
    let steps = spent.checked_div(each).map_or(0, |whole| whole + 1);
    Duration::from_nanos(u64::try_from(steps * each).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    // proves G4
    #[test]
    fn a_refusal_is_answered_at_the_next_whole_step() {
        let ms = Duration::from_millis;
        for (spent, at) in [(0, 50), (1, 50), (49, 50), (50, 100), (51, 100), (1_234, 1_250)] {
            assert_eq!(whole(ms(spent), ms(50)), ms(at), "{spent}");
        }
        assert_eq!(whole(ms(7), Duration::ZERO), Duration::ZERO, "at once");
    }

    // proves G4, G6 (a row is written only where something changes)
    #[test]
    fn a_try_changes_something_only_where_one_of_the_two_was_right_and_nothing_rests() {
        let (policy, now) = (CodeDevices::default(), datetime!(2026-07-01 12:00 UTC));
        let right = |password, step| Right { password, step };
        for neither_or_both in [right(false, None), right(true, Some(7))] {
            assert_eq!(neither_or_both.counted(Tries::default(), &policy, now), None);
        }
        for one in [right(true, None), right(false, Some(7))] {
            let (next, over) = one.counted(Tries::default(), &policy, now).unwrap();
            assert_eq!((next.wrong, over), (1, false));
            let last = Tries { wrong: policy.wrong - 1, ..Tries::default() };
            let (rests, over) = one.counted(last, &policy, now).unwrap();
            assert!(over && !rests.may_try(now));
            assert_eq!(one.counted(rests, &policy, now + time::Duration::MINUTE), None, "rests");
        }
    }
}
