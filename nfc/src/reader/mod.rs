//! The whole reading of a passport, as one protocol made of protocols: PACE or else BAC, the files
//! in few batches, passive authentication, chip authentication, active authentication.
//!
//! The chip and the link are trusted with nothing. A broken access, link or session is a
//! [`ReadError`]; whatever is wrong with the document itself is a failed check in the
//! [`ChipReading`].

mod access;
mod error;
mod genuine;
mod plan;
mod reading;

use std::sync::Arc;

use serde::Serialize;
use time::Date;

pub use self::error::ReadError;
use self::{
    access::{AwaitBac, AwaitCardAccess, AwaitPace},
    genuine::{AwaitChipAuthentication, AwaitProof},
    reading::Reading,
};
use crate::{
    apdu::{Command, Response, StatusWord},
    check::Check,
    crypto::Secret,
    files::Files,
    link::{Batch, Protocol, Step},
    passive,
    random::Random,
    sm::{SecureMessaging, SmError},
    trust::TrustStore,
};

/// What opens the chip: something printed on the document.
pub enum AccessKey {
    /// Document number, birth and expiry from the machine readable zone.
    Mrz(mrz::AccessKey),
    /// The card access number; PACE only.
    Can(Can),
}

/// A card access number.
pub struct Can(Secret);

impl Can {
    /// Six digits, as printed (ICAO 9303-4 appendix); other lengths are met and taken.
    #[must_use]
    pub fn new(digits: &str) -> Self {
        Self(Secret::new(digits.as_bytes().to_vec()))
    }

    fn digits(&self) -> &str {
        std::str::from_utf8(self.0.expose()).unwrap_or_default()
    }
}

/// What the link can carry, in bytes of whole APDUs, status included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest command.
    pub max_command: usize,
    /// Longest response.
    pub max_response: usize,
    /// Whether extended lengths may be used.
    pub extended: bool,
}

impl Limits {
    /// Short lengths: what every link and chip can do.
    pub const SHORT: Self = Self { max_command: 261, max_response: 258, extended: false };
    /// What carries blocks of `block` file bytes: short lengths if these are enough, else extended.
    #[must_use]
    pub fn for_block(block: usize) -> Self {
        // DO'87' holds an indicator and the padded block after at most four bytes of header;
        // DO'99', DO'8E' and the status take 16.
        let sealed = block.saturating_add(1).next_multiple_of(16).saturating_add(1);
        let header = if sealed < 0x100 { 3 } else { 4 };
        let max_response = sealed.saturating_add(header).saturating_add(16);
        let extended = max_response > Self::SHORT.max_response;
        Self { max_response, extended, ..Self::EXTENDED }
    }

    /// All that extended lengths can express.
    pub const EXTENDED: Self = Self { max_command: 65_544, max_response: 65_538, extended: true };
}

impl Default for Limits {
    fn default() -> Self {
        Self::SHORT
    }
}

/// A reading to be done.
pub struct ReadRequest {
    /// What opens the chip.
    pub key: AccessKey,
    /// Which issuers are trusted.
    pub trust: Arc<TrustStore>,
    /// The date as of which documents and certificates are judged.
    pub at: Date,
    /// Fresh challenge for active authentication: never chosen by the client, never used twice.
    pub aa_challenge: [u8; 8],
    /// What the link can carry.
    pub limits: Limits,
    /// Where ephemeral keys and nonces come from.
    pub random: Box<dyn Random>,
}

/// How access was gained (INTERFACES, `access`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessReport {
    /// `PACE` or `BAC`.
    pub protocol: &'static str,
    /// `GM`; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<&'static str>,
    /// `ECDH`; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<&'static str>,
    /// Standardized domain parameters; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_id: Option<u32>,
    /// Cipher of secure messaging, such as `AES-128`.
    pub cipher: &'static str,
    /// `MRZ` or `CAN`.
    pub password: &'static str,
    /// Whether EF.CardAccess was there and offered PACE.
    pub pace_offered: bool,
    /// The statuses with which the chip refused PACE before another way was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pace_refused: Vec<String>,
}

/// A signature of active authentication, which can be checked again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveEvidence {
    /// The challenge.
    pub challenge: [u8; 8],
    /// What the chip answered.
    pub signature: Vec<u8>,
}

/// What a reading yields, whatever the checks found.
#[derive(Debug, Clone)]
pub struct ChipReading {
    /// How access was gained.
    pub access: AccessReport,
    /// The files as read.
    pub files: Files,
    /// Passive authentication.
    pub report: passive::Report,
    /// All checks in order: access, passive, chip and active authentication.
    pub checks: Vec<Check>,
    /// The chip's signature, if it gave one.
    pub aa_evidence: Option<ActiveEvidence>,
}

/// Where a reading stands, for the person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Progress {
    /// `access`, `reading` or `authenticating`.
    pub step: &'static str,
    /// From 0 to 1, of the whole.
    pub done: f32,
}

/// A reading in progress.
pub struct ReadPassport {
    trip: Trip,
    state: State,
}

/// What lasts from the first state to the last.
struct Trip {
    request: ReadRequest,
    files: Files,
    /// Set when the chip broke off: from then on nothing is tried that some chips dislike.
    cautious: bool,
    /// Set once PACE has opened the chip: it must not open by less afterwards.
    had_pace: bool,
    pace_refused: Vec<String>,
    rounds: usize,
}

enum State {
    CardAccess(AwaitCardAccess),
    Pace(Box<AwaitPace>),
    Bac(Box<AwaitBac>),
    Reading(Box<Reading>),
    ChipAuthentication(Box<AwaitChipAuthentication>),
    Proof(Box<AwaitProof>),
}

/// What every state's step gives.
struct Next(Step<ReadPassport, ChipReading>);

/// The most batches of one reading: a chip that dribbles bytes must not hold a session for ever.
const MOST_ROUNDS: usize = 256;

/// Starts a reading with the request for EF.CardAccess.
#[must_use]
pub fn start(request: ReadRequest) -> Step<ReadPassport, ChipReading> {
    let trip = Trip {
        request,
        files: Files::new(),
        cautious: false,
        had_pace: false,
        pace_refused: Vec::new(),
        rounds: 0,
    };
    access::start(trip).0
}

impl ReadPassport {
    /// How far the reading has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.state {
            State::CardAccess(_) => Progress { step: "access", done: 0.02 },
            State::Pace(_) | State::Bac(_) => Progress { step: "access", done: 0.05 },
            State::Reading(reading) => {
                Progress { step: "reading", done: 0.1 + 0.8 * reading.fraction() }
            }
            State::ChipAuthentication(_) => Progress { step: "authenticating", done: 0.92 },
            State::Proof(_) => Progress { step: "authenticating", done: 0.96 },
        }
    }
}

impl Protocol for ReadPassport {
    type Output = ChipReading;
    type Error = ReadError;

    fn step(self, replies: Vec<Response>) -> Result<Step<Self, ChipReading>, ReadError> {
        let Self { mut trip, state } = self;
        trip.rounds = trip.rounds.saturating_add(1);
        if trip.rounds > MOST_ROUNDS {
            return Err(ReadError::Rounds { most: MOST_ROUNDS });
        }
        if replies.is_empty() {
            return Err(ReadError::NoReply);
        }
        let next = match state {
            State::CardAccess(state) => state.step(trip, &replies),
            State::Pace(state) => state.step(trip, replies),
            State::Bac(state) => state.step(trip, replies),
            State::Reading(state) => state.step(trip, &replies),
            State::ChipAuthentication(state) => state.step(trip, &replies),
            State::Proof(state) => state.step(trip, &replies),
        };
        next.map(|next| next.0)
    }
}

impl Next {
    fn transmit(batch: Batch, trip: Trip, state: State) -> Self {
        Self(Step::Transmit(batch, ReadPassport { trip, state }))
    }
}

/// The replies that could be opened, in order, and the session if it survived them.
struct Opened {
    replies: Vec<Response>,
    session: Result<SecureMessaging, SmError>,
}

/// Opens replies to commands that were sent in order under `session`.
fn open(session: SecureMessaging, sent: usize, replies: &[Response]) -> Result<Opened, ReadError> {
    if replies.len() > sent {
        return Err(ReadError::Replies { commands: sent, replies: replies.len() });
    }
    let mut opened = Vec::with_capacity(replies.len());
    let mut session = session;
    for reply in replies {
        match session.unwrap(reply) {
            Ok((next, plain)) => {
                session = next;
                opened.push(plain);
            }
            Err(error) => return Ok(Opened { replies: opened, session: Err(error) }),
        }
    }
    Ok(Opened { replies: opened, session: Ok(session) })
}

/// SELECT by name of the eMRTD application (ICAO 9303-10 §3.6.3).
fn select_application() -> Command {
    Command::new(0x00, 0xA4, 0x04, 0x0C).with_data([0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01])
}

/// The answer to the selection of the application.
fn open_application(status: StatusWord) -> Result<(), ReadError> {
    if status.is_ok() { Ok(()) } else { Err(ReadError::NotAnEmrtd { status }) }
}
