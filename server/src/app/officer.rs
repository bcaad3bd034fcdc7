//! Officers sign in with a password (Argon2id) and a one-time code (RFC 6238), and get a token with a
//! short life. Who signs in wrongly learns nothing of what was wrong, nor whether there is such a name.

use super::hashing::{Of, SecretHash};
use super::{App, AppError, blocking};
use crate::clock::{Entropy, random};
use crate::config::Secret;
use crate::ids::EnrolmentId;
use crate::keys::KeyRing;
use crate::storage::{OfficerRow, Role, Store, Tx};
use enroll_core::audit::{Event, Hash};
use enroll_core::evidence::Hex;
use enroll_core::officer::Account;
use enroll_core::policy::Policy;
use enroll_core::reason::ReasonCode;
use enroll_core::totp::TotpSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

/// An officer of a Borgercenter who is signed in: made only from a session's token.
#[derive(Debug, Clone)]
pub struct Officer {
    pub(super) name: String,
    session: [u8; 32],
    /// Seconds for which they are signed in.
    left: u32,
    /// In the last of how many they are told.
    warned: u32,
}

/// Somebody of support who is signed in: made only from a session's token. They see the state of means and
/// decide nothing.
#[derive(Debug, Clone)]
pub struct Supporter(pub(super) Officer);

impl Supporter {
    /// Their name, as it is in every record.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }
}

impl Officer {
    /// Their name, as it is in every record.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds for which they are still signed in.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// In the last of how many of them that is said.
    #[must_use]
    pub fn warned(&self) -> u32 {
        self.warned
    }
}

/// What an officer signs in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The officer's name.
    #[schema(example = "bc-17")]
    pub(crate) name: String,
    /// Their password.
    #[schema(value_type = String)]
    pub(crate) password: Secret,
    /// The one-time code of now (RFC 6238).
    #[schema(value_type = String, example = "123456")]
    pub(crate) code: Secret,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(…)")
    }
}

/// An officer's session.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OfficerSession {
    /// Who is signed in.
    pub officer: String,
    /// What they are there for.
    pub role: Role,
    /// The bearer token: shown once, kept as a hash.
    pub token: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for OfficerSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OfficerSession({})", self.officer)
    }
}

/// That an officer has signed out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignedOut {
    /// Who.
    pub officer: String,
}

/// What is sealed of an officer.
#[derive(Serialize, Deserialize)]
struct Secrets {
    password: SecretHash,
    totp: Hex,
}

/// Why there is no new officer.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// The name is in every record: it must be readable there.
    #[error("a name has 2 to 32 signs of a-z, 0-9 and -")]
    Name,
    /// The password is too short.
    #[error("a password has at least {least} signs")]
    Password {
        /// The fewest.
        least: u16,
    },
    /// There is one of that name.
    #[error("there is an officer of that name already")]
    Taken,
    /// Our own fault.
    #[error("the officer could not be kept")]
    App(#[from] AppError),
}

/// The names of officers.
fn is_name(name: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (2..=32).contains(&name.len()) && name.chars().all(is_sign)
}

fn of(name: &str) -> Of<'_> {
    Of { pepper: "officer pepper", owner: name.as_bytes() }
}

/// Adds an officer with `password`, and gives the secret of their one-time codes.
///
/// # Errors
/// [`OfficerError`].
pub async fn add_officer(
    (store, keys, entropy): (&Store, &KeyRing, &dyn Entropy),
    policy: &Policy,
    (name, role): (&str, Role),
    password: &str,
    now: OffsetDateTime,
) -> Result<TotpSecret, OfficerError> {
    if !is_name(name) {
        return Err(OfficerError::Name);
    }
    let least = policy.officer.password;
    if password.chars().count() < usize::from(least) {
        return Err(OfficerError::Password { least });
    }
    let secret = TotpSecret::new(random(entropy).map_err(AppError::from)?);
    let cost = (policy.activation.pin_memory_kib, policy.activation.pin_passes);
    let salt = Hash(random(entropy).map_err(AppError::from)?);
    let password = SecretHash::new(password.as_bytes(), of(name), keys, cost, salt)?;
    let secrets = Secrets { password, totp: Hex(secret.expose().to_vec()) };
    let secrets = serde_json::to_vec(&secrets).map(Zeroizing::new).map_err(AppError::internal)?;
    let (name, account) = (name.to_owned(), Account::default());
    let row = OfficerRow { name: name.clone(), role, account, secrets, created: now };
    let mut tx = store.begin().await.map_err(AppError::from)?;
    if !tx.add_officer(&row).await.map_err(AppError::from)? {
        return Err(OfficerError::Taken);
    }
    let mut added = of_officer("officer.added", &name, now);
    if let Value::Object(fields) = &mut added.data {
        fields.insert("role".to_owned(), json!(role));
    }
    tx.audit(added).await.map_err(AppError::from)?;
    tx.commit().await.map_err(AppError::from)?;
    Ok(secret)
}

/// Lets an officer sign in no more, and ends their sessions. `false` if there is none of that name.
///
/// # Errors
/// [`AppError`].
pub async fn disable_officer(
    store: &Store,
    name: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let mut tx = store.begin().await?;
    let Some(officer) = tx.hold_officer(name).await? else { return Ok(false) };
    let account = officer.account.clone().disabled(now);
    tx.save_officer(&OfficerRow { account, ..officer }).await?;
    tx.audit(of_officer("officer.disabled", name, now)).await?;
    tx.commit().await?;
    Ok(true)
}

fn of_officer(kind: &str, name: &str, time: OffsetDateTime) -> Event {
    Event { time, kind: kind.to_owned(), case: None, data: json!({ "officer": name }) }
}

impl App {
    /// Signs an officer in.
    ///
    /// # Errors
    /// `officer.sign_in`, whatever was wrong.
    pub async fn sign_in(&self, given: SignIn) -> Result<OfficerSession, AppError> {
        let refused = AppError::Reason(ReasonCode::OFFICER_SIGN_IN);
        let now = self.now();
        let known = match is_name(&given.name) {
            true => self.parts.store.begin().await?.hold_officer(&given.name).await?,
            false => None,
        };
        let fits = self.password_fits(known.as_ref(), &given).await?;
        let mut tx = self.parts.store.begin().await?;
        if known.is_none() {
            self.refuse_nobody(tx).await?;
            return Err(refused);
        }
        // Read again, and held: whoever tries many at once is counted one by one.
        let Some(officer) = tx.hold_officer(&given.name).await? else { return Err(refused) };
        let secrets: Secrets =
            serde_json::from_slice(&officer.secrets).map_err(AppError::internal)?;
        let step = match officer.account.last_step(now) {
            Some(last) => step(&secrets, given.code.expose(), last, now)?.filter(|_| fits),
            None => None,
        };
        let account = match step {
            Some(step) => officer.account.clone().signed_in(step),
            None => officer.account.clone().failed(&self.policy.officer, now),
        };
        let (name, role) = (officer.name.clone(), officer.role);
        tx.save_officer(&OfficerRow { account, ..officer }).await?;
        if step.is_none() {
            tx.audit(of_officer("officer.sign_in_refused", &name, now)).await?;
            tx.commit().await?;
            return Err(refused);
        }
        let (token, hash) = self.token()?;
        let expires_in = self.policy.officer.session_s;
        let expires = now + Duration::seconds(i64::from(expires_in));
        tx.add_officer_session(&hash, &name, expires).await?;
        tx.audit(of_officer("officer.signed_in", &name, now)).await?;
        tx.commit().await?;
        Ok(OfficerSession { officer: name, role, token, expires_in })
    }

    /// Writes for a name that is none what is written for one that is, so that neither the time nor the
    /// trail's length tells (G4). The name itself is not kept: it may be a password.
    async fn refuse_nobody(&self, mut tx: Tx) -> Result<(), AppError> {
        let (name, account) = (String::new(), Account::default());
        let (secrets, created) = (Zeroizing::new(Vec::new()), self.now());
        let role = Role::Borgercenter;
        tx.hold_officer(&name).await?;
        tx.save_officer(&OfficerRow { name, role, account, secrets, created }).await?;
        let (kind, data) = ("officer.sign_in_refused".to_owned(), json!({ "officer": null }));
        tx.audit(Event { time: self.now(), kind, case: None, data }).await?;
        Ok(tx.commit().await?)
    }

    /// As long for a name that is none as for one that is (G4).
    async fn password_fits(
        &self,
        known: Option<&OfficerRow>,
        given: &SignIn,
    ) -> Result<bool, AppError> {
        let _turn = self.hashing.acquire().await.map_err(AppError::internal)?;
        let keys = self.parts.keys.clone();
        let password = Zeroizing::new(given.password.expose().to_owned());
        let Some(officer) = known else {
            let cost = (self.policy.activation.pin_memory_kib, self.policy.activation.pin_passes);
            let hash =
                move || SecretHash::new(password.as_bytes(), of("nobody"), &keys, cost, Hash::ZERO);
            return blocking(hash).await?.map(|_| false);
        };
        let secrets: Secrets =
            serde_json::from_slice(&officer.secrets).map_err(AppError::internal)?;
        let name = officer.name.clone();
        blocking(move || secrets.password.fits(password.as_bytes(), of(&name), &keys)).await?
    }

    /// The officer of a Borgercenter whose session `token` is.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`], also for somebody of support.
    pub async fn officer(&self, token: &str) -> Result<Officer, AppError> {
        self.signed_in_as(Role::Borgercenter, token).await
    }

    /// The one of support whose session `token` is.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`], also for an officer of a Borgercenter.
    pub async fn supporter(&self, token: &str) -> Result<Supporter, AppError> {
        Ok(Supporter(self.signed_in_as(Role::Support, token).await?))
    }

    async fn signed_in_as(&self, role: Role, token: &str) -> Result<Officer, AppError> {
        let session = openssl::sha::sha256(token.as_bytes());
        let mut tx = self.parts.store.read().await?;
        let now = self.now();
        let (name, until) = match tx.officer_of(&session, now).await? {
            Some((name, found, until)) if found == role => (name, until),
            _ => return Err(AppError::Unauthorized),
        };
        // Rounded up: what a page counts down has ended here when it has there.
        let left =
            (until - now).whole_seconds() + i64::from((until - now).subsec_nanoseconds() > 0);
        let left = u32::try_from(left).unwrap_or(0);
        Ok(Officer { name, session, left, warned: self.policy.officer.warn_s })
    }

    /// Keeps in the trail that `officer` asked in vain: for what (`reopening`, `known_as` or `witness`), and the
    /// identifier that they named, if it was one. Whoever guesses leaves a trace of each guess.
    ///
    /// # Errors
    /// [`AppError`].
    pub(super) async fn asked_in_vain(
        &self,
        officer: &Officer,
        (what, named): (&str, Option<Uuid>),
        enrolment: Option<EnrolmentId>,
    ) -> Result<(), AppError> {
        let data = json!({ "officer": officer.name, "for": what, "named": named });
        let (time, kind) = (self.now(), "officer.asked_in_vain".to_owned());
        let mut tx = self.parts.store.begin().await?;
        tx.audit(Event { time, kind, case: enrolment.map(|id| id.to_string()), data }).await?;
        Ok(tx.commit().await?)
    }

    /// Ends the session of somebody of support.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn supporter_out(&self, supporter: Supporter) -> Result<SignedOut, AppError> {
        self.sign_out(supporter.0).await
    }

    /// Ends the officer's session.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn sign_out(&self, officer: Officer) -> Result<SignedOut, AppError> {
        let mut tx = self.parts.store.begin().await?;
        tx.end_officer_session(&officer.session).await?;
        tx.audit(of_officer("officer.signed_out", &officer.name, self.now())).await?;
        tx.commit().await?;
        Ok(SignedOut { officer: officer.name })
    }
}

fn step(
    secrets: &Secrets,
    code: &str,
    last: i64,
    now: OffsetDateTime,
) -> Result<Option<i64>, AppError> {
    let bytes: [u8; 20] = secrets.totp.0.as_slice().try_into().map_err(AppError::internal)?;
    TotpSecret::new(bytes).step_of(code, last, now).map_err(AppError::internal)
}
