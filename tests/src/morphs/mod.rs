//! How many morphed portraits open for both of their people, and how many of those are suspected
//! (ISO/IEC 20059): made, put on a chip, compared and counted.
//!
//! Morphs are those of [`fixtures::morphs`], of press photographs of `INDRUL_FIELD_DATA`, third-party and
//! for measuring only: every figure shows a trend and certifies nothing.

mod sample;
mod scores;
mod table;

use std::{
    io,
    path::{Path, PathBuf},
};

use liveness::{Engine, ModelError};
use thiserror::Error;

use crate::attacks;

pub use table::{Line, Report};

/// What is to be measured.
#[derive(Debug)]
pub struct Plan {
    /// The models.
    pub models: PathBuf,
    /// Photographs, a folder for each person.
    pub photographs: PathBuf,
    /// At most so many people.
    pub people: usize,
    /// Where morphs are to be kept, for people to look at.
    pub keep: Option<PathBuf>,
}

/// Nothing could be measured.
#[derive(Debug, Error)]
pub enum MorphsError {
    /// The models cannot be used.
    #[error("the models cannot be used")]
    Models(#[from] ModelError),
    /// A file or folder cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Too few people have two photographs that an enrolment would take.
    #[error("only {people} people have two usable photographs; {least} are needed")]
    TooFew {
        /// How many have.
        people: usize,
        /// How many it takes.
        least: usize,
    },
}

impl MorphsError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> MorphsError {
        let path = path.to_owned();
        move |source| MorphsError::File { path, source }
    }
}

/// Makes the portraits, compares them, and counts.
///
/// # Errors
/// [`MorphsError`] where the models or the photographs are not there.
pub fn measure(plan: &Plan) -> Result<Report, MorphsError> {
    let engine = Engine::load(&plan.models)?;
    let trials = sample::all(&engine, plan)?;
    Ok(table::report(&trials, &engine))
}

/// Puts the measured `[morph]` table into thresholds.toml, in place of the one there and before the
/// measured `[verification]` table.
#[must_use]
pub fn with_table(text: &str, report: &Report) -> String {
    attacks::with_measured(text, "morph", &report.toml())
}
