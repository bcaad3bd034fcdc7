//! The whole reading of a passport, as one protocol made of protocols: PACE or else BAC, the files
//! in few batches, passive authentication, chip authentication, active authentication.
//!
//! The chip and the link are trusted with nothing. A broken access, link or session is a
//! [`ReadError`]; whatever is wrong with the document itself is a failed check in the
//! [`ChipReading`].

mod access;
mod active;
mod agreed;
mod block;
mod error;
mod fetch;
mod genuine;
mod kept;
mod mapping;
mod master;
mod plan;
mod policy;
mod reading;

use std::sync::Arc;

use serde::Serialize;
use time::Date;

use self::{
    access::{AwaitBac, AwaitCardAccess, AwaitPace},
    block::Block,
    genuine::AwaitGenuine,
    master::UnderMaster,
    reading::Reading,
};
pub use self::{
    error::ReadError,
    kept::Kept,
    policy::{AccessPolicy, BacPolicy, CardAccess, Refusal, RefusedBy},
};
use crate::{
    apdu::{Command, Response, StatusWord},
    check::Check,
    crypto::Secret,
    files::Files,
    link::{Batch, Protocol, Step},
    pace::{MappingDataError, UnverifiedMapping},
    passive,
    random::Random,
    sm::{SecureMessaging, SmError},
    transport::{Carried, Carry},
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
    /// How the chip may be opened.
    pub policy: AccessPolicy,
    /// Where ephemeral keys and nonces come from.
    pub random: Box<dyn Random>,
}

/// How access was gained (INTERFACES, `access`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessReport {
    /// `PACE` or `BAC`.
    pub protocol: &'static str,
    /// `GM`, `IM` or `CAM`; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<&'static str>,
    /// `ECDH` or `DH`; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<&'static str>,
    /// Standardized domain parameters; of PACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_id: Option<u32>,
    /// Cipher of secure messaging, such as `AES-128`.
    pub cipher: &'static str,
    /// `MRZ` or `CAN`.
    pub password: &'static str,
    /// How EF.CardAccess was come by.
    pub card_access: CardAccess,
    /// Whether EF.CardAccess was there and offered PACE.
    pub pace_offered: bool,
    /// What was offered and refused before this way was taken, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
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
    carry: Carry,
    trip: Trip,
    state: State,
}

/// What lasts from the first state to the last.
struct Trip {
    request: ReadRequest,
    files: Files,
    /// What would stay if the link were lost now, but for the files of the session under way.
    kept: Kept,
    /// How often the chip broke off and was opened again.
    reopened: u8,
    refused: Vec<Refusal>,
    /// What PACE's chip authentication mapping left to prove, of the session under way.
    mapping: Option<Result<UnverifiedMapping, MappingDataError>>,
    /// The chip ended a session when it was asked for active authentication: what that came to.
    silent: Option<Check>,
    /// What was found before the chip was opened once more, should that come to nothing.
    otherwise: Option<Box<ChipReading>>,
    rounds: Rounds,
}

/// Access was gained: the session, and how.
struct Granted {
    session: SecureMessaging,
    access: AccessReport,
}

impl Granted {
    /// PACE is done before the application is selected, BAC after (ICAO 9303-11 §4.2).
    fn is_under_master(&self) -> bool {
        self.access.protocol == "PACE"
    }
}

/// In this order; `Master` only where something is read there.
enum State {
    CardAccess(AwaitCardAccess),
    Pace(Box<AwaitPace>),
    Bac(Box<AwaitBac>),
    Master(Box<UnderMaster>),
    Reading(Box<Reading>),
    Genuine(Box<AwaitGenuine>),
}

/// What every state's step gives.
struct Next(Step<ReadPassport, ChipReading>);

/// The batches sent, and the bytes that came in answers in parts.
#[derive(Default)]
struct Rounds {
    sent: usize,
    bytes: usize,
}

impl Rounds {
    /// The most batches of one reading: a chip that dribbles bytes must not hold a session for ever.
    const MOST: usize = 256;
    /// Where answers come in parts, each part is a batch of its own and a long file takes many. So
    /// that its length bounds them, one more may be sent for every so many bytes that came.
    const PER_PART: usize = 32;
    /// What counts at most: all files of a reading, and what goes round them.
    const BYTES: usize = 4 * 1024 * 1024;

    fn count(&mut self, replies: &[Response]) -> Result<(), ReadError> {
        let parts = replies.iter().filter(|reply| reply.status.0 >> 8 == 0x61);
        let bytes: usize = parts.map(|reply| reply.data.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes).min(Self::BYTES);
        self.sent = self.sent.saturating_add(1);
        let most = Self::MOST.saturating_add(self.bytes / Self::PER_PART);
        if self.sent > most { Err(ReadError::Rounds { most }) } else { Ok(()) }
    }
}

/// How often a chip that breaks off at a length is opened again.
const MOST_REOPENED: u8 = 4;

/// Starts a reading with the request for EF.CardAccess.
#[must_use]
pub fn start(request: ReadRequest) -> Step<ReadPassport, ChipReading> {
    resume(request, Kept::default())
}

/// Starts a reading after a lost link. The chip is opened again; if its EF.SOD is byte for byte
/// the one of before, only what is missing is read, else all.
#[must_use]
pub fn resume(request: ReadRequest, kept: Kept) -> Step<ReadPassport, ChipReading> {
    let (files, refused) = (Files::new(), Vec::new());
    let trip = Trip {
        request,
        files,
        kept,
        reopened: 0,
        refused,
        mapping: None,
        silent: None,
        otherwise: None,
        rounds: Rounds::default(),
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
            State::Master(_) => Progress { step: "reading", done: 0.1 },
            State::Reading(reading) => {
                Progress { step: "reading", done: 0.1 + 0.8 * reading.fraction() }
            }
            State::Genuine(_) => Progress { step: "authenticating", done: 0.95 },
        }
    }

    /// What stays when the link is lost while the last batch was under way; `replies` are those
    /// that still came. The session and its keys are gone.
    #[must_use]
    pub fn link_lost(self, replies: Vec<Response>) -> Kept {
        let Self { carry, trip, state } = self;
        let replies = carry.lost(replies);
        let mut kept = trip.kept;
        match state {
            State::Reading(reading) => reading.keep(kept, &replies),
            State::Genuine(state) => {
                let lost = u8::from(state.lost_on_old_keys(replies.len()));
                kept.lost_on_old_keys = kept.lost_on_old_keys.saturating_add(lost);
                kept.with_files(&trip.files)
            }
            State::CardAccess(_) | State::Pace(_) | State::Bac(_) | State::Master(_) => kept,
        }
    }
}

impl Protocol for ReadPassport {
    type Output = ChipReading;
    type Error = ReadError;

    fn step(mut self, replies: Vec<Response>) -> Result<Step<Self, ChipReading>, ReadError> {
        match (self.trip.otherwise.take(), self.advance(replies)) {
            (Some(otherwise), Err(_)) => Ok(Step::Done(*otherwise)),
            (Some(otherwise), Ok(Step::Transmit(batch, mut next))) => {
                next.trip.otherwise.get_or_insert(otherwise);
                Ok(Step::Transmit(batch, next))
            }
            (_, result) => result,
        }
    }
}

impl ReadPassport {
    fn advance(self, replies: Vec<Response>) -> Result<Step<Self, ChipReading>, ReadError> {
        let Self { carry, mut trip, state } = self;
        trip.rounds.count(&replies)?;
        if replies.is_empty() {
            return Err(ReadError::NoReply);
        }
        let replies = match carry.take(replies)? {
            Carried::All(replies) => replies,
            Carried::More(batch, carry) => {
                return Ok(Step::Transmit(batch, Self { carry, trip, state }));
            }
        };
        let next = match state {
            State::CardAccess(state) => state.step(trip, &replies),
            State::Pace(state) => state.step(trip, replies),
            State::Bac(state) => state.step(trip, replies),
            State::Master(state) => state.step(trip, &replies),
            State::Reading(state) => state.step(trip, &replies),
            State::Genuine(state) => state.step(trip, &replies),
        };
        next.map(|next| next.0)
    }
}

impl Next {
    fn transmit(batch: Batch, trip: Trip, state: State) -> Self {
        let carry = Carry::new(&batch);
        Self(Step::Transmit(batch, ReadPassport { carry, trip, state }))
    }
}

/// Some chips break off, with a lone error status, at a length or a file that they do not have:
/// once more from the beginning, with nothing unasked-for and shorter lengths. Anything else that
/// broke a session ends the reading.
fn reopen(mut trip: Trip, error: ReadError, block: Block) -> Result<Next, ReadError> {
    let ReadError::SecureMessaging(SmError::Unprotected { status }) = error else {
        return Err(error);
    };
    let at_length = [0x67, 0x6C].contains(&(status.0 >> 8));
    let most = if at_length { MOST_REOPENED } else { 1 };
    if trip.reopened >= most {
        return Err(error);
    }
    trip.reopened = trip.reopened.saturating_add(1);
    trip.kept.cautious = true;
    trip.kept.known.broke_off(block, at_length);
    trip.files = Files::new();
    trip.refused.clear();
    trip.mapping = None;
    Ok(access::start_again(trip))
}

/// Opens the chip once more to prove what is still to be proved, with all files kept. What was found
/// so far stands if that comes to nothing.
fn prove_again(mut trip: Trip, otherwise: ChipReading) -> Next {
    trip.kept = std::mem::take(&mut trip.kept).with_files(&trip.files);
    trip.files = Files::new();
    trip.refused.clear();
    trip.otherwise.get_or_insert_with(|| Box::new(otherwise));
    access::start_again(trip)
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

/// SELECT of the master file (ICAO 9303-10 §3.6.1).
fn select_master() -> Command {
    Command::new(0x00, 0xA4, 0x00, 0x0C).with_data([0x3F, 0x00])
}

/// SELECT by name of the eMRTD application (ICAO 9303-10 §3.6.3).
fn select_application() -> Command {
    Command::new(0x00, 0xA4, 0x04, 0x0C).with_data([0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01])
}

/// The answer to the selection of the application.
fn open_application(status: StatusWord) -> Result<(), ReadError> {
    if status.is_ok() { Ok(()) } else { Err(ReadError::NotAnEmrtd { status }) }
}
