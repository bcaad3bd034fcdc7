//! The states before the session: EF.CardAccess, PACE, BAC (ICAO 9303-11 §4.2).

use super::{
    AccessKey, AccessReport, BacPolicy, CardAccess, Granted, Next, ReadError, Refusal, RefusedBy,
    State, Trip, master, open_application, select_application,
};
use crate::{
    apdu::{Command, Response, StatusWord},
    bac::{self, Bac, BacError},
    files::FileId,
    lds::card_access,
    link::{Batch, Protocol, Step},
    pace::{self, Established, Pace, PaceError, Password, Suite},
    sm::SecureMessaging,
    tlv,
};

/// EF.CardAccess was asked for.
pub(super) struct AwaitCardAccess {
    way: Way,
    bytes: Vec<u8>,
}

/// How EF.CardAccess is reached: chips differ, and some break when the master file is selected
/// first, so that comes second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ShortIdentifier,
    Select,
}

/// The longest EF.CardAccess that is read.
const LONGEST: usize = 4096;
/// An unprotected short READ BINARY.
const BLOCK: usize = 256;

/// Begins with EF.CardAccess by its short identifier.
pub(super) fn start(trip: Trip) -> Next {
    let command = Command::new(0x00, 0xB0, 0x80 | FileId::CardAccess.sfi(), 0x00).expecting(BLOCK);
    let state = AwaitCardAccess { way: Way::ShortIdentifier, bytes: Vec::new() };
    Next::transmit(Batch::one(command), trip, State::CardAccess(state))
}

/// Begins anew under the master file, after a session that broke.
pub(super) fn start_again(trip: Trip) -> Next {
    // Whatever an earlier command answers, the last one tells whether the file is there.
    let batch = [0x6A82, 0x6A81, 0x6A86, 0x6982, 0x6985, 0x6986, 0x6D00, 0x6700]
        .into_iter()
        .map(StatusWord)
        .fold(Batch::new(select_and_read()), Batch::continue_on);
    let state = AwaitCardAccess { way: Way::Select, bytes: Vec::new() };
    Next::transmit(batch, trip, State::CardAccess(state))
}

/// SELECT of the master file and of EF.CardAccess, then READ BINARY.
fn select_and_read() -> Vec<Command> {
    vec![
        Command::new(0x00, 0xA4, 0x00, 0x0C).with_data([0x3F, 0x00]),
        Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(FileId::CardAccess.identifier()),
        Command::new(0x00, 0xB0, 0x00, 0x00).expecting(BLOCK),
    ]
}

impl AwaitCardAccess {
    pub(super) fn step(mut self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let reply = replies.last().filter(|reply| is_data(reply));
        let Some(reply) = reply else {
            return match (self.way, self.bytes.is_empty()) {
                (Way::ShortIdentifier, true) => Ok(start_again(trip)),
                _ => begin(trip, Offer::NOTHING, Vec::new()),
            };
        };
        self.bytes.extend_from_slice(&reply.data);
        let length = tlv::total_length(&self.bytes).unwrap_or(0);
        if length > LONGEST {
            return Err(ReadError::TooLong { file: FileId::CardAccess, length });
        }
        if self.bytes.len() < length {
            let [high, low] = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
            let rest = length.saturating_sub(self.bytes.len()).min(BLOCK);
            let command = Command::new(0x00, 0xB0, high, low).expecting(rest);
            return Ok(Next::transmit(Batch::one(command), trip, State::CardAccess(self)));
        }
        self.bytes.truncate(length);
        finish(trip, self.way, self.bytes)
    }
}

fn is_data(reply: &Response) -> bool {
    !reply.data.is_empty() && (reply.status.is_ok() || reply.status == StatusWord::END_OF_FILE)
}

/// What EF.CardAccess offered.
#[derive(Clone, Copy)]
struct Offer {
    card_access: CardAccess,
    /// Whether it offered PACE at all, be it one that cannot be done here.
    pace: bool,
}

impl Offer {
    const NOTHING: Self = Self { card_access: CardAccess::Absent, pace: false };
}

/// Keeps the file and begins with what it offers.
fn finish(mut trip: Trip, way: Way, file: Vec<u8>) -> Result<Next, ReadError> {
    let infos = card_access::parse(&file);
    let card_access = match (&infos, way) {
        (Err(_), _) => CardAccess::Malformed,
        (_, Way::ShortIdentifier) => CardAccess::ShortIdentifier,
        (_, Way::Select) => CardAccess::Selected,
    };
    let infos = infos.unwrap_or_default();
    let offer = Offer { card_access, pace: infos.pace().next().is_some() };
    trip.files.insert(FileId::CardAccess, file);
    let mut suites = trip.request.policy.attempts(Suite::choose(&infos));
    if !trip.request.limits.extended {
        let (long, fit) = suites.into_iter().partition(Suite::needs_extended_length);
        let long: Vec<Suite> = long;
        trip.refused.extend(long.iter().map(|suite| Refusal::new(suite, RefusedBy::Link)));
        suites = fit;
    }
    suites.reverse();
    begin(trip, offer, suites)
}

/// PACE with the last of `suites`, or BAC if there is none.
fn begin(mut trip: Trip, offer: Offer, mut suites: Vec<Suite>) -> Result<Next, ReadError> {
    let Some(suite) = suites.pop() else { return begin_bac(trip, offer) };
    let password = match &trip.request.key {
        AccessKey::Mrz(key) => Password::mrz(&key.information())?,
        AccessKey::Can(can) => Password::can(can.digits()),
    };
    let step = pace::start(suite.clone(), &password, &mut *trip.request.random)?;
    let next = Attempt { offer, suite, rest: suites };
    next.go_on(trip, step)
}

/// The variant that is being tried, and those to try if the chip refuses it.
struct Attempt {
    offer: Offer,
    suite: Suite,
    rest: Vec<Suite>,
}

impl Attempt {
    fn go_on(self, mut trip: Trip, step: Step<Pace, Established>) -> Result<Next, ReadError> {
        match step {
            Step::Transmit(batch, machine) => {
                let state = AwaitPace { machine, attempt: self };
                Ok(Next::transmit(batch, trip, State::Pace(Box::new(state))))
            }
            Step::Done(Established { session, mapping }) => {
                let access = self.report(&trip);
                trip.mapping = mapping;
                master::start(trip, Granted { session, access })
            }
        }
    }

    fn report(&self, trip: &Trip) -> AccessReport {
        AccessReport {
            protocol: "PACE",
            mapping: Some(self.suite.mapping.name()),
            agreement: Some(self.suite.agreement.name()),
            parameter_id: Some(self.suite.parameter_id),
            cipher: self.suite.cipher.name(),
            password: password_name(&trip.request.key),
            card_access: self.offer.card_access,
            pace_offered: true,
            refused: trip.refused.clone(),
        }
    }
}

/// PACE in progress.
pub(super) struct AwaitPace {
    machine: Pace,
    attempt: Attempt,
}

impl AwaitPace {
    pub(super) fn step(self, mut trip: Trip, replies: Vec<Response>) -> Result<Next, ReadError> {
        let Self { machine, attempt } = self;
        match machine.step(replies) {
            Ok(step) => attempt.go_on(trip, step),
            Err(PaceError::Refused { status }) => {
                trip.refused.push(Refusal::new(&attempt.suite, status.into()));
                begin(trip, attempt.offer, attempt.rest)
            }
            // The chip cannot know before the token, but some say so earlier.
            Err(PaceError::Stopped { status }) if status.0 >> 8 == 0x63 => {
                Err(PaceError::Denied { status }.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn password_name(key: &AccessKey) -> &'static str {
    match key {
        AccessKey::Mrz(_) => "MRZ",
        AccessKey::Can(_) => "CAN",
    }
}

/// BAC in progress. The first batch starts with the selection of the application.
pub(super) struct AwaitBac {
    machine: Bac,
    offer: Offer,
    leading: usize,
}

fn begin_bac(mut trip: Trip, offer: Offer) -> Result<Next, ReadError> {
    if trip.kept.had_pace {
        return Err(ReadError::Downgrade);
    }
    let allowed = match trip.request.policy.bac {
        BacPolicy::Never => false,
        BacPolicy::Unoffered => !offer.pace,
        BacPolicy::Refused => true,
    };
    let AccessKey::Mrz(key) = &trip.request.key else { return Err(no_access(&trip)) };
    if !allowed {
        return Err(no_access(&trip));
    }
    let information = key.information();
    match bac::start(&information, &mut *trip.request.random)? {
        Step::Transmit(mut batch, machine) => {
            batch.commands.insert(0, select_application());
            let state = AwaitBac { machine, offer, leading: 1 };
            Ok(Next::transmit(batch, trip, State::Bac(Box::new(state))))
        }
        Step::Done(session) => bac_done(trip, offer, session),
    }
}

fn no_access(trip: &Trip) -> ReadError {
    ReadError::NoAccessProtocol { refused: trip.refused.clone() }
}

impl AwaitBac {
    pub(super) fn step(self, trip: Trip, mut replies: Vec<Response>) -> Result<Next, ReadError> {
        let Self { machine, offer, leading } = self;
        for reply in replies.drain(..leading.min(replies.len())) {
            open_application(reply.status)?;
        }
        match machine.step(replies) {
            Ok(Step::Transmit(batch, machine)) => {
                let state = Self { machine, offer, leading: 0 };
                Ok(Next::transmit(batch, trip, State::Bac(Box::new(state))))
            }
            Ok(Step::Done(session)) => bac_done(trip, offer, session),
            // Instruction or class not supported: the chip does no BAC at all.
            Err(BacError::Denied { status } | BacError::Challenge { status })
                if [0x6D00, 0x6E00].contains(&status.0) =>
            {
                Err(no_access(&trip))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn bac_done(trip: Trip, offer: Offer, session: SecureMessaging) -> Result<Next, ReadError> {
    let access = AccessReport {
        protocol: "BAC",
        mapping: None,
        agreement: None,
        parameter_id: None,
        cipher: session.cipher().name(),
        password: password_name(&trip.request.key),
        card_access: offer.card_access,
        pace_offered: offer.pace,
        refused: trip.refused.clone(),
    };
    master::start(trip, Granted { session, access })
}
