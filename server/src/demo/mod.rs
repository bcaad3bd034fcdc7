//! The demonstration: fixture passports on a page, each enrolled by a child process that plays the
//! citizen (`fixtures enrol`), while a person watches every check.
//!
//! It lives beside the service and uses it as any client does; a production server has none of it. QA's console
//! (`/qa`) is part of it.

mod catalogue;
mod devices;
mod http;
mod messages;
mod parties;
mod qa;
mod run;
mod spoken;

pub use catalogue::{Catalogue, CatalogueError, Fixture};
pub use devices::stock;
pub use http::router;
pub use messages::messages;
pub use parties::{Parties, PartyError, leave};

use crate::app::App;
use crate::ids::EnrolmentId;
use crate::registers::standin::Control;
use nfc::trust::Domain;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The demonstration's own state. There is none but in the domain `qa`.
#[derive(Debug)]
pub struct Demo {
    app: Arc<App>,
    catalogue: Catalogue,
    program: PathBuf,
    data: PathBuf,
    url: String,
    registers: Control,
    /// How long the service waits for a register.
    register_timeout_ms: u64,
    runs: Mutex<HashMap<EnrolmentId, Run>>,
    results: qa::Results,
}

/// The fixtures, and what plays them.
#[derive(Debug)]
pub struct Fixtures {
    /// Those that are shown.
    pub catalogue: Catalogue,
    /// The program `fixtures`.
    pub program: PathBuf,
    /// The data directory that it uses.
    pub data: PathBuf,
}

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
#[error("a demonstration is of the domain qa only")]
pub struct NotQa;

/// One enrolment that the demonstration started.
#[derive(Debug, Clone)]
struct Run {
    fixture: String,
    left: bool,
}

impl Demo {
    /// A demonstration of `fixtures`, which reach the service at `url`; its registers are scripted
    /// through `registers`, and it waits `register_timeout_ms` for them.
    ///
    /// # Errors
    /// [`NotQa`] where the service believes issuers of another domain.
    pub fn new(
        app: Arc<App>,
        fixtures: Fixtures,
        url: String,
        (registers, register_timeout_ms): (Control, u64),
    ) -> Result<Self, NotQa> {
        if app.parts.trust.domain() != Domain::Qa {
            return Err(NotQa);
        }
        let Fixtures { catalogue, program, data } = fixtures;
        Ok(Self {
            app,
            catalogue,
            program,
            data,
            url,
            registers,
            register_timeout_ms,
            runs: Mutex::default(),
            results: qa::Results::default(),
        })
    }

    fn run_of(&self, id: EnrolmentId) -> Option<Run> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep(&self, id: EnrolmentId, run: Run) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).insert(id, run);
    }
}
