//! How many morphed portraits open for both of their people, and how many of those are suspected
//! (ISO/IEC 20059): made, put on a chip, compared and counted.
//!
//! Morphs are those of [`fixtures::morphs`], of press photographs of `INDRUL_FIELD_DATA`, third-party and
//! for measuring only: every figure shows a trend and certifies nothing.

mod sample;
mod scores;
mod table;

use std::path::PathBuf;

use liveness::Engine;

use crate::{attacks, measure_error::MeasureError};

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

/// Makes the portraits, compares them, and counts.
///
/// # Errors
/// [`MeasureError`] where the models or the photographs are not there.
pub fn measure(plan: &Plan) -> Result<Report, MeasureError> {
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
