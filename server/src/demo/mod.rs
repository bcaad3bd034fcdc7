//! The demonstration: fixture passports on a page, each enrolled by a child process that plays the
//! citizen (`fixtures enrol`), while a person watches every check.
//!
//! It lives beside the service and uses it as any client does; a production server has none of it.

mod catalogue;
mod http;
mod messages;
mod run;

pub use catalogue::{Catalogue, CatalogueError, Fixture};
pub use http::router;
pub use messages::messages;

use crate::app::App;
use crate::ids::EnrolmentId;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The demonstration's own state.
#[derive(Debug)]
pub struct Demo {
    app: Arc<App>,
    catalogue: Catalogue,
    program: PathBuf,
    data: PathBuf,
    url: String,
    runs: Mutex<HashMap<EnrolmentId, Run>>,
}

/// One enrolment that the demonstration started.
#[derive(Debug, Clone)]
struct Run {
    fixture: String,
    left: bool,
}

impl Demo {
    /// A demonstration of `catalogue`, whose citizens are played by `program` and reach the service
    /// at `url`.
    #[must_use]
    pub fn new(
        app: Arc<App>,
        catalogue: Catalogue,
        program: PathBuf,
        data: PathBuf,
        url: String,
    ) -> Self {
        Self { app, catalogue, program, data, url, runs: Mutex::default() }
    }

    fn run_of(&self, id: EnrolmentId) -> Option<Run> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep(&self, id: EnrolmentId, run: Run) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).insert(id, run);
    }
}
