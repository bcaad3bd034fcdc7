//! How well still attacks are told from people: made, looked at, weighed and counted.
//!
//! Attacks are those of [`fixtures::attacks`], so every figure shows wiring and trend and certifies
//! nothing. People are third-party photographs of `INDRUL_FIELD_DATA`, for measuring only; each goes
//! through the generator's camera as the attacks do.

mod fit;
mod sample;
mod table;

use std::path::PathBuf;

use liveness::Observer;

use crate::measure_error::MeasureError;

pub use sample::original;
pub(crate) use sample::parallel;
pub use table::{Line, Rate, Report};

/// What is to be measured.
#[derive(Debug)]
pub struct Plan {
    /// The models.
    pub models: PathBuf,
    /// Photographs, a folder for each person.
    pub photographs: PathBuf,
    /// At most so many people; the same ones every time.
    pub people: usize,
    /// Takes those between the measured people instead: signs are chosen by what they show.
    pub aside: bool,
    /// Where every made picture is to be kept, for people to look at.
    pub keep: Option<PathBuf>,
}

/// Makes the pictures, looks at each, and measures.
///
/// # Errors
/// [`MeasureError`] where the models or the photographs are not there.
pub fn measure(plan: &Plan) -> Result<Report, MeasureError> {
    let observer = Observer::load(&plan.models)?;
    let samples = sample::all(&observer, plan)?;
    Ok(table::report(&samples, observer.networks()))
}

/// Puts the measured `[attack]` table into thresholds.toml, in place of the one there and before the
/// measured `[verification]` table, which another command replaces to the end.
#[must_use]
pub fn with_table(text: &str, report: &Report) -> String {
    with_measured(text, "attack", &report.toml())
}

/// The same with any table that was measured.
pub(crate) fn with_measured(text: &str, name: &str, table: &str) -> String {
    let (mut inside, mut apart) = (false, false);
    let others = text.split_inclusive('\n').filter(|line| {
        if line.starts_with('[') {
            inside = line.trim_start_matches('[').starts_with(name);
        } else if apart && line.starts_with('#') {
            // What stands alone belongs to the table that follows.
            inside = false;
        }
        apart = line.trim().is_empty();
        !inside
    });
    let others: String = others.collect();
    let at = others.find("[verification]").unwrap_or(others.len());
    let (before, after) = others.split_at(at);
    format!("{}\n\n{table}\n{after}", before.trim_end())
}
