//! The service under load: whole enrolments of people who are all different, log-ins, many open relays, and
//! light pages beside busy instruments; against one `enroll serve` process, over HTTP and WebSocket only.
//!
//! The emulated chips and phones run in this process, on the same processors as the server.

mod idle;
mod journey;
mod log_ins;
mod report;
mod sockets;

pub use idle::IdlePage;
pub use journey::{Journey, JourneyError, Step};
pub use log_ins::{LogInError, LogInStep, LogIns};
pub use report::{Report, StepFigures};
pub use sockets::Sockets;

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fixtures::portraits::{PortraitError, Portraits};
use time::Date;

use crate::{
    citizen::CitizenError,
    hostile::{self, Hostile},
    letters::Letters,
    people::{People, PeopleError, Person},
    process,
    run::chain,
    served::{Database, Served, ServedError, Setup},
};

/// What to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Plan {
    /// So many people enrol.
    #[arg(long, default_value_t = 20)]
    pub people: u32,
    /// So many of them at once.
    #[arg(long, default_value_t = 4)]
    pub at_once: u32,
    /// Where the server keeps its rows; postgres needs scripts/with-postgres around the command.
    #[arg(long, value_enum, default_value = "sqlite")]
    pub database: Database,
    /// Opens so many relays instead, each waiting for its chip, and tells the server's memory.
    #[arg(long, conflicts_with_all = ["idle_page", "hostile"])]
    pub sockets: Option<u32>,
    /// Requests light pages for so many seconds instead, while every instrument is at work.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "20")]
    pub idle_page: Option<u64>,
    /// Plays so many hostile relay clients instead.
    #[arg(long, conflicts_with = "idle_page")]
    pub hostile: Option<u32>,
    /// Logs in so many times instead, as `people` people with an app each.
    #[arg(long, conflicts_with_all = ["sockets", "idle_page", "hostile"])]
    pub log_ins: Option<u32>,
    /// Of the hostile clients: the same seed plays the same.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No server.
    #[error(transparent)]
    Served(#[from] ServedError),
    /// No people.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// No pictures of them.
    #[error("fetch the portraits with: scripts/models")]
    Portraits(#[from] PortraitError),
    /// A case could not be prepared.
    #[error(transparent)]
    Citizen(#[from] CitizenError),
    /// The server is gone.
    #[error("the server's process cannot be looked at")]
    Process(#[from] std::io::Error),
    /// A page or the metrics.
    #[error("the server does not answer")]
    Http(#[from] Box<ureq::Error>),
    /// A socket.
    #[error("a relay could not be opened")]
    Socket(#[from] Box<tungstenite::Error>),
    /// Nobody can log in.
    #[error("the people who log in could not be made")]
    LogIns(#[from] Box<LogInError>),
    /// A part of the load panicked.
    #[error("a part of the load broke off; what it said is above")]
    BrokeOff,
}

impl From<tungstenite::Error> for LoadError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// What came of a plan.
#[derive(Debug)]
pub enum Figures {
    /// Of enrolments.
    Enrolments(Report),
    /// Of sockets.
    Sockets(Sockets),
    /// Of log-ins.
    LogIns(LogIns),
    /// Of light pages.
    IdlePage(IdlePage),
    /// Of hostile clients.
    Hostile(Hostile),
}

/// Where things lie.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The program `enroll`.
    pub program: &'a Path,
    /// The data directory, as scripts/models fills it.
    pub data: &'a Path,
    /// Day on which passports are made.
    pub today: Date,
}

/// Carries `plan` out.
///
/// # Errors
/// [`LoadError`]; an enrolment that did not come to its end is a figure.
pub fn carry_out(plan: &Plan, places: Places<'_>) -> Result<Figures, LoadError> {
    let people = match (plan.sockets.or(plan.log_ins), plan.hostile, plan.idle_page) {
        (None, None, None) => plan.people,
        _ => 2,
    };
    let people =
        People::new(people, Portraits::load(&places.data.join("portraits"))?, places.today)?;
    let models = &places.data.join("models");
    let more = match (plan.sockets, plan.hostile) {
        (Some(_), _) => sockets::CONFIG,
        (_, Some(_)) => hostile::CONFIG,
        _ => "",
    };
    let setup =
        Setup { program: places.program, models, database: plan.database, more, log: "warn" };
    let mut served = Served::new(&setup, &people)?;
    served.start()?;
    if let Some(wanted) = plan.log_ins {
        return log_ins::measure(plan, &served, wanted).map(Figures::LogIns);
    }
    match (plan.sockets, plan.hostile, plan.idle_page) {
        (Some(count), _, _) => sockets::measure(&served, &people, count).map(Figures::Sockets),
        (_, Some(count), _) => {
            hostile::play(&served, &people, count, plan.seed).map(Figures::Hostile)
        }
        (_, _, Some(seconds)) => {
            let time = Duration::from_secs(seconds);
            idle::measure(&served, &people, plan.at_once, time).map(Figures::IdlePage)
        }
        _ => enrolments(plan, &served, &people).map(Figures::Enrolments),
    }
}

/// Everybody enrols, after all that is theirs was made.
fn enrolments(plan: &Plan, served: &Served, people: &People) -> Result<Report, LoadError> {
    let prepared: Vec<Person> =
        (0..people.count()).map(|nth| people.person(nth)).collect::<Result<_, _>>()?;
    let process = served.process().unwrap_or_default();
    let letters = Letters::new(served.post.mailbox.clone());
    let (journeys, failures) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let before = report::look(served, process)?;
    let begun = Instant::now();
    let next = AtomicU32::new(0);
    let queue: Vec<Mutex<Option<Person>>> =
        prepared.into_iter().map(|person| Mutex::new(Some(person))).collect();
    thread::scope(|scope| {
        for _ in 0..plan.at_once.max(1) {
            scope.spawn(|| {
                while let Some(person) = taken(&queue, next.fetch_add(1, Ordering::Relaxed)) {
                    match Journey::make(&served.url(), person, &letters) {
                        Ok(journey) => held(&journeys).push(journey),
                        Err(error) => held(&failures).push(chain(&error)),
                    }
                }
            });
        }
    });
    let seconds = begun.elapsed();
    let after = report::look(served, process)?;
    let journeys = journeys.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Report::of(plan, (&before, &after), seconds, (&journeys, failures)))
}

fn taken(queue: &[Mutex<Option<Person>>], nth: u32) -> Option<Person> {
    queue.get(usize::try_from(nth).ok()?)?.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn held<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `debug` or `release`: how this program, and most likely the one beside it, was built.
pub(crate) fn build() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

/// The server's memory now.
pub(crate) fn memory(served: &Served) -> Result<process::Memory, LoadError> {
    Ok(process::memory(served.process().unwrap_or_default())?)
}
