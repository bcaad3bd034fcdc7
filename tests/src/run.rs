//! Runs fixtures end to end and holds what was found against what was expected.

use std::{
    ffi::CString,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fixtures::{
    catalogue::Entry, chip::Chip, passport::Passport, portraits::Portraits, spec::Verdict, vpcd,
};
use nfc::link::LinkError;
use pcsc::{Context, ReaderState, Scope, State};
use server::commands::kiosk::Bridge;
use time::Date;

use crate::{
    chip_link::ChipLink,
    citizen, memory,
    report::{Judgement, Outcome, Traced},
    station::{Instruments, Station, StationError},
};

/// How the chip is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Through {
    /// In process, without a socket.
    Memory,
    /// HTTP and the chip relay, the chip in process.
    Relay,
    /// HTTP and the chip relay, the chip as a virtual card in pcscd.
    Pcsc,
    /// As relay, and what went between reader and chip is kept.
    #[value(skip)]
    Traced,
}

impl Through {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Relay => "relay",
            Self::Pcsc => "pcsc",
            Self::Traced => "traced relay",
        }
    }
}

/// The reader that vpcd brings.
pub const VIRTUAL_READER: &str = "Virtual PCD 00 00";
/// Longest wait for pcscd to see a card come or go.
const MINUTE: Duration = Duration::from_secs(60);

/// Why fixtures could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The service could not be set up.
    #[error(transparent)]
    Station(#[from] StationError),
    /// A worker panicked.
    #[error("the run broke off; what it said is above")]
    Worker,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// One for each entry, in their order.
    pub outcomes: Vec<Outcome>,
    /// How many different pairs of portrait and live picture the face networks were asked about.
    pub faces: usize,
}

/// Enrols every entry through `through`, each on a service of its own: no person, document or
/// revocation of one can change what another ends in. As many run at once as there are processors;
/// through pcscd, which has one reader, one after the other.
///
/// # Errors
/// [`RunError`] if there is no service to run with; what goes wrong with one fixture is its outcome.
pub fn run(
    entries: &[Entry],
    through: Through,
    portraits: &Portraits,
    models: &Path,
    at: Date,
) -> Result<Ran, RunError> {
    let runner = Runner { through, portraits, at, instruments: Instruments::load(models)? };
    let workers = match through {
        Through::Pcsc => 1,
        _ => thread::available_parallelism().map_or(1, usize::from),
    };
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        while let Some((at, entry)) = nth(entries, next.fetch_add(1, Ordering::Relaxed)) {
            done.push((at, runner.outcome(entry)));
        }
        done
    };
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(take)).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>()
    })
    .map_err(|_| RunError::Worker)?
    .into_iter()
    .flatten()
    .collect();
    outcomes.sort_by_key(|(at, _)| *at);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(Ran { outcomes, faces: runner.instruments.pairs() })
}

fn nth(entries: &[Entry], at: usize) -> Option<(usize, &Entry)> {
    entries.get(at).map(|entry| (at, entry))
}

/// What all fixtures of a run share.
struct Runner<'a> {
    through: Through,
    portraits: &'a Portraits,
    at: Date,
    instruments: Instruments,
}

impl Runner<'_> {
    fn outcome(&self, entry: &Entry) -> Outcome {
        let (started, mut traced) = (Instant::now(), Traced::default());
        let expected = Judgement {
            verdict: verdict_name(entry.expect.verdict).to_owned(),
            reasons: entry.expect.reasons.clone(),
        };
        Outcome {
            name: entry.name.clone(),
            deviation: entry.deviation.map(str::to_owned),
            expected,
            found: self.found(entry, &mut traced),
            ms: started.elapsed().as_millis(),
            traced: (self.through == Through::Traced).then_some(traced),
        }
    }

    fn found(&self, entry: &Entry, traced: &mut Traced) -> Result<Judgement, String> {
        let made = Passport::make(&entry.spec, self.portraits, self.at);
        let passport = made.map_err(|e| chain(&e))?;
        let station = Station::with(&self.instruments, std::slice::from_ref(&passport));
        let station = station.map_err(|e| chain(&e))?;
        match self.through {
            Through::Memory => memory::enrol(&station, &passport).map_err(|e| chain(&e)),
            Through::Relay => over_relay(&station, &passport),
            Through::Traced => over_traced_relay(&station, &passport, traced),
            Through::Pcsc => over_pcsc(&station, &passport),
        }
    }
}

fn over_relay(station: &Station, passport: &Passport) -> Result<Judgement, String> {
    let mut link = ChipLink(Chip::new(passport));
    citizen::enrol(&station.url(), passport, &mut link, &mut |_| {}).map_err(|e| chain(&e))
}

fn over_traced_relay(
    station: &Station,
    passport: &Passport,
    traced: &mut Traced,
) -> Result<Judgement, String> {
    let mut link = ChipLink(Chip::new(passport).traced());
    let ended = citizen::enrol(&station.url(), passport, &mut link, &mut |told| traced.note(told));
    traced.exchanges = link.0.take_trace();
    ended.map_err(|e| chain(&e))
}

fn over_pcsc(station: &Station, passport: &Passport) -> Result<Judgement, String> {
    let plugged = Plugged::new(Chip::new(passport)).map_err(|e| chain(&e))?;
    let mut reader = plugged.reader().map_err(|e| chain(&e))?;
    citizen::enrol(&station.url(), passport, &mut reader, &mut |_| {}).map_err(|e| chain(&e))
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// An error and its causes in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Why a chip could not be plugged into pcscd.
#[derive(Debug, thiserror::Error)]
pub enum PlugError {
    /// No vpcd, or it went away.
    #[error(transparent)]
    Vpcd(#[from] vpcd::VpcdError),
    /// pcscd never saw the card.
    #[error("the card did not appear in pcscd; run this under scripts/with-pcscd")]
    NotSeen(#[source] LinkError),
}

/// A chip plugged into pcscd as a virtual card, pulled out when dropped.
pub struct Plugged {
    stop: Arc<AtomicBool>,
    card: Option<thread::JoinHandle<Result<(), vpcd::VpcdError>>>,
}

impl Plugged {
    /// Plugs `chip` into the vpcd on its usual port.
    ///
    /// # Errors
    /// [`PlugError::Vpcd`] if there is none.
    pub fn new(mut chip: Chip) -> Result<Self, PlugError> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let card = thread::spawn(move || vpcd::serve(&mut chip, ("127.0.0.1", vpcd::PORT), &flag));
        Ok(Self { stop, card: Some(card) })
    }

    /// A reader with this card in it, once pcscd has seen it.
    ///
    /// # Errors
    /// [`PlugError::NotSeen`] if it does not within a minute.
    pub fn reader(&self) -> Result<Bridge, PlugError> {
        let mut reader = Bridge::new(VIRTUAL_READER, MINUTE);
        server::relay_client::Reader::start(&mut reader).map_err(PlugError::NotSeen)?;
        Ok(reader)
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(card) = self.card.take() {
            let _ = card.join();
            await_empty(VIRTUAL_READER);
        }
    }
}

/// Waits, for a minute at most, until pcscd, which looks a few times a second, has seen that the card is gone: the
/// next one must not be taken for it. Where pcscd does not tell, a second has to do.
pub fn await_empty(reader: &str) {
    if !told_empty(reader) {
        thread::sleep(Duration::from_secs(1));
    }
}

/// Whether pcscd said within a minute that it is.
fn told_empty(reader: &str) -> bool {
    let (Ok(context), Ok(name)) = (Context::establish(Scope::User), CString::new(reader)) else {
        return false;
    };
    let deadline = Instant::now() + MINUTE;
    let mut states = [ReaderState::new(name, State::UNAWARE)];
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        let told = context.get_status_change(left, &mut states);
        if told.is_err() {
            return false;
        }
        if states.iter().all(|state| state.event_state().contains(State::EMPTY)) {
            return true;
        }
        states.iter_mut().for_each(ReaderState::sync_current_state);
    }
    false
}
