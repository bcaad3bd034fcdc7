//! What the service does, one file per operation (STYLE 24). A use case loads, makes one domain
//! transition, and saves, in one unit of work; long computations run between two of them, and the
//! second finds out if the case has changed meanwhile.
//!
//! Every verdict is made here, from raw bytes (REQUIREMENTS B6).

mod activate;
mod activity;
mod appointments;
mod apps;
mod block;
mod capture;
mod chip;
mod code_device;
mod copy;
mod document;
mod event;
mod evidence;
mod expire;
mod face;
mod finish;
mod hashing;
mod identity;
mod issue;
mod live;
mod look;
mod my_page;
mod officer;
mod oidc;
mod owner;
mod p_code;
mod page;
mod pick_up;
mod pin;
mod portrait;
mod profile;
mod queue;
mod refer;
mod register;
mod ruling;
mod set_up;
mod start;
mod subject;
mod support;
mod tell;
mod ticket;
mod view;
mod visit;

pub use activate::Activation;
pub use activity::{Activities, ActivityView, Before, By, Kind as ActivityKind, Place, What};
pub use appointments::{Appointment, Booked, WantedSlot};
pub use apps::{AppAsks, AppView, InboxView};
pub use block::{BlockCode, Blocked, LifeView, SelfBlock};
pub use capture::{Answer, Answered, Capture, FaceChallenge};
pub use chip::{ChipStart, ChipVerdict};
pub use code_device::{
    ActivatedDevice, AskedCode, ChangedPassword, CodeDeviceView, CodeSent, DeviceHolder,
    DeviceStanding, FirstDevice, HandOut, Imported, NewDevice, NewStanding, Parcel, ParcelError,
    PasswordKept, StockError, WantedDevice, import_code_devices, post_code_devices,
};
pub use copy::{Challenge, Copy, Offer, Proof};
pub use event::{RegisterEvent, TakenIn, Teller};
pub use expire::Sweeper;
pub use face::{Faces, LoadedFaces};
pub use finish::Finished;
pub use identity::PublicIdentity;
pub use live::Progress;
pub use look::PageLook;
pub use my_page::{
    Erased, Export, Holder, Means, MeansKind, MyEnd, MyProfile, MyToken, MyVisit, NewPassword,
    NewPin, NewProfile,
};
pub use officer::{
    Officer, OfficerError, OfficerSession, SignIn, SignedOut, Supporter, add_officer,
    disable_officer,
};
pub use oidc::{
    AnsweredLogIn, Arrived, AskedOf, Audience, BackchannelAnswer, Begun, Claimed, Client, LogOuts,
    LoggedOut, MyPurpose, NumberMatch, PageState, Presented, Pushed, Refusal, Scanned, TokenAnswer,
    TypedCode, add_relying_party, disable_relying_party, put_relying_party,
};
pub use owner::{Blocker, OwnedApp, Owner};
pub use p_code::{IssuedPCode, NewPCode};
pub use page::{Page, PageAnswer};
pub use pick_up::{GivenPickUp, PickUp, PickedUp};
pub use profile::{Chosen, ChosenUserId, NewReach, NewUserId, Reach};
pub use queue::{After, Document, Evidence, Person, Queue, RulingView, Waiting};
pub use refer::{Referred, Wish, WitnessRule};
pub use register::{NewApp, Registered, UnderWay};
pub use ruling::{Reopening, Ruling};
pub use start::{Start, Started};
pub use support::{Call, Seen};
pub use ticket::Ticket;
pub use view::{CheckView, ReasonView, View};
pub use visit::{Kiosk, Visited, WantedCase};

pub(crate) use finish::is_decidable;
pub(crate) use view::verdict_name;

use crate::clock::{Clock, Entropy, EntropyError};
use crate::config::{self, Config};
use crate::ending::Ending;
use crate::ids::EnrolmentId;
use crate::inference::{BrokeOff, Busy, Pool};
use crate::keys::{KeyError, KeyRing};
use crate::limits::{Kind, Limiter, TooOften};
use crate::metrics::cpu::Cpu;
use crate::metrics::{LIMITED, Metrics};
use crate::registers::{Appointments, Registers};
use crate::storage::{Enrolment, StorageError, Store, Tx};
use enroll_core::audit::Event;
use enroll_core::case::CaseError;
use enroll_core::policy::Policy;
use enroll_core::reason::ReasonCode;
use mrz::reader::MrzReader;
use nfc::trust::TrustStore;
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Why an operation ended without its result.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No such enrolment.
    #[error("no such enrolment")]
    UnknownCase,
    /// Not this enrolment's token, or a ticket that is used, late or unknown.
    #[error("the token does not fit")]
    Unauthorized,
    /// The person has to be told something.
    #[error("{0}")]
    Reason(ReasonCode),
    /// What was sent cannot be read at all.
    #[error("the request cannot be read")]
    Malformed,
    /// All workers are busy; nothing was counted.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Asked too often; nothing was counted.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// Our own fault.
    #[error("an operation failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl AppError {
    fn internal(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<StorageError> for AppError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Taken => Self::Reason(ReasonCode::USER_ID_TAKEN),
            StorageError::Conflict | StorageError::Erased => Self::Reason(ReasonCode::CASE_STATE),
            other => Self::internal(other),
        }
    }
}

impl From<CaseError> for AppError {
    fn from(error: CaseError) -> Self {
        Self::Reason(error.reason())
    }
}

impl From<EntropyError> for AppError {
    fn from(error: EntropyError) -> Self {
        Self::internal(error)
    }
}

impl From<BrokeOff> for AppError {
    fn from(error: BrokeOff) -> Self {
        Self::internal(error)
    }
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> Self {
        Self::internal(error)
    }
}

/// What the service is made of.
pub struct Parts {
    /// Rows.
    pub store: Store,
    /// Keys.
    pub keys: Arc<KeyRing>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Issuers trusted.
    pub trust: Arc<TrustStore>,
    /// The face instrument.
    pub faces: Arc<dyn Faces>,
    /// The page instrument.
    pub mrz: Arc<MrzReader>,
    /// The registers.
    pub registers: Arc<dyn Registers>,
    /// The Borgercenters' appointments.
    pub appointments: Arc<dyn Appointments>,
}

/// The service.
pub struct App {
    pub(crate) parts: Parts,
    pub(crate) policy: Policy,
    pub(crate) case: config::Case,
    pub(crate) oidc: config::Oidc,
    pub(crate) relay: config::Relay,
    pub(crate) server: config::Server,
    /// Name and SHA-256 of the token of each kiosk.
    kiosks: Vec<(String, [u8; 32])>,
    /// SHA-256 of the token by which registers tell of events.
    events: Option<[u8; 32]>,
    pub(crate) inference: Pool,
    pub(crate) limits: Limiter,
    pub(crate) metrics: Metrics,
    pub(crate) cpu: Cpu,
    /// One PIN for each core is hashed at a time: each takes memory, and all of a core.
    hashing: Arc<Semaphore>,
    /// The same for what anybody may type who has not shown anything: it keeps no app waiting.
    typing: hashing::Queue,
    /// Codes that were asked for and not sent yet.
    asked: code_device::Asks,
    /// Set when the service ends.
    pub ending: Ending,
    live: live::Live,
    videos: look::Videos,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({:?})", self.parts.store)
    }
}

/// The rules the service follows.
#[derive(Debug)]
pub struct Rules {
    /// What is required of an enrolment.
    pub policy: Policy,
    /// Rules for a case.
    pub case: config::Case,
    /// Logging in at relying parties.
    pub oidc: config::Oidc,
    /// The chip relay's limits.
    pub relay: config::Relay,
    /// Where it listens and how it is reached.
    pub server: config::Server,
    /// The workers that look at pictures.
    pub inference: config::Inference,
    /// How often what may be asked.
    pub limits: config::Limits,
    /// Name and SHA-256 of the token of each kiosk.
    pub kiosks: Vec<(String, [u8; 32])>,
    /// SHA-256 of the token by which registers tell of events.
    pub events: Option<[u8; 32]>,
}

impl From<Config> for Rules {
    fn from(config: Config) -> Self {
        // Loading has refused what is no list; one that was not loaded lets no kiosk in.
        let kiosks = config.kiosks.known().unwrap_or_default();
        let events = config.registers.events_token.as_ref();
        let events = events.map(|token| openssl::sha::sha256(token.expose().as_bytes()));
        let Config { policy, case, oidc, relay, server, inference, limits, .. } = config;
        Self { policy, case, oidc, relay, server, inference, limits, kiosks, events }
    }
}

/// Longest wait for the database when somebody asks whether the service is ready.
const READY: Duration = Duration::from_secs(2);

/// The right to act on one enrolment: made only from its token, one of its tickets, or the token of
/// the kiosk that goes on with it.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    id: EnrolmentId,
    /// Whether it is a kiosk's.
    desk: bool,
}

impl Access {
    /// Which enrolment.
    #[must_use]
    pub fn id(self) -> EnrolmentId {
        self.id
    }
}

impl App {
    /// The service of `parts` under `rules`.
    #[must_use]
    pub fn new(parts: Parts, rules: Rules) -> Self {
        let Rules { policy, case, oidc, relay, server, inference, limits, kiosks, events } = rules;
        let typing_wait = Duration::from_secs(limits.typing_wait_s.into());
        let typing_at_once = match limits.typing_at_once {
            0 => cores() / 2,
            at_once => at_once.into(),
        };
        Self {
            parts,
            policy,
            case,
            oidc,
            relay,
            server,
            kiosks,
            events,
            inference: Pool::start(&inference),
            limits: Limiter::new(&limits),
            typing: hashing::Queue::new(typing_at_once, typing_wait),
            metrics: Metrics::default(),
            cpu: Cpu::default(),
            hashing: Arc::new(Semaphore::new(cores())),
            asked: code_device::Asks::default(),
            ending: Ending::default(),
            live: live::Live::default(),
            videos: look::Videos::default(),
        }
    }

    /// The access that `token` gives to the enrolment `id`: the person's, or a kiosk's.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`], [`AppError::Unauthorized`].
    pub async fn authorise(&self, id: &str, token: &str) -> Result<Access, AppError> {
        match self.authorise_person(id, token).await {
            Err(AppError::Unauthorized) => {}
            found => return found,
        }
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let hash = openssl::sha::sha256(token.as_bytes());
        let mut tx = self.parts.store.read().await?;
        let is_kiosk = tx.is_desk_session(&hash, id, self.now()).await?;
        if is_kiosk { Ok(Access { id, desk: true }) } else { Err(AppError::Unauthorized) }
    }

    /// The access that the person's own `token` gives to the enrolment `id`.
    ///
    /// # Errors
    /// As [`App::authorise`].
    pub async fn authorise_person(&self, id: &str, token: &str) -> Result<Access, AppError> {
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.read().await?;
        let enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        if openssl::memcmp::eq(&openssl::sha::sha256(token.as_bytes()), &enrolment.token_hash) {
            Ok(Access { id, desk: false })
        } else {
            Err(AppError::Unauthorized)
        }
    }

    /// Counts a request against a limit.
    ///
    /// # Errors
    /// [`AppError::TooOften`].
    pub(crate) fn spend(&self, kind: Kind, key: &[u8], now: Instant) -> Result<(), AppError> {
        self.limits.spend(kind, key, now).map_err(|error| {
            self.metrics.count(LIMITED, &[("kind", kind.name().into())]);
            AppError::from(error)
        })
    }

    /// Refuses what [`App::spend`] would, and counts nothing.
    pub(crate) fn check(&self, kind: Kind, key: &[u8], now: Instant) -> Result<(), AppError> {
        self.limits.check(kind, key, now).map_err(|error| {
            self.metrics.count(LIMITED, &[("kind", kind.name().into())]);
            AppError::from(error)
        })
    }

    /// Whether requests should be sent here: the database answers, and the service is not ending.
    pub async fn is_ready(&self) -> bool {
        let answers = tokio::time::timeout(READY, self.parts.store.answers());
        !self.ending.has_begun() && answers.await.is_ok_and(|answers| answers)
    }

    /// The public keys that verify identities, as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.parts.keys.jwks()
    }

    /// Where the metrics are served, if they are.
    #[must_use]
    pub fn metrics_address(&self) -> Option<&str> {
        self.server.metrics_listen.as_deref()
    }

    /// Longest time to end in.
    #[must_use]
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.server.grace_ms)
    }

    /// The server's keys.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        self.parts.keys.clone()
    }

    /// The terms in force.
    #[must_use]
    pub fn terms_version(&self) -> &str {
        &self.case.terms_version
    }

    fn now(&self) -> OffsetDateTime {
        self.parts.clock.now()
    }

    /// 256 random bits as text, and the hash of that text.
    fn token(&self) -> Result<(String, [u8; 32]), AppError> {
        let bytes: [u8; 32] = crate::clock::random(self.parts.entropy.as_ref())?;
        let token = crate::keys::base64url(&bytes);
        let hash = openssl::sha::sha256(token.as_bytes());
        Ok((token, hash))
    }

    /// The case, for a step of who may do it now: at a Borgercenter the kiosk, else the person.
    async fn load(&self, access: Access) -> Result<(Tx, Enrolment), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let enrolment = tx.enrolment(access.id).await?.ok_or(AppError::UnknownCase)?;
        if enrolment.record.case.visit().is_some() && !access.desk {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        Ok((tx, enrolment))
    }

    fn event(&self, kind: &str, id: EnrolmentId, data: Value) -> Event {
        Event { time: self.now(), kind: kind.to_owned(), case: Some(id.to_string()), data }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs what computes or blocks away from the sockets.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}
