//! Figures of enrolments, and where the server's processor time went.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{Journey, LoadError, Plan, Step, build};
use crate::{
    process::{self, Memory},
    served::Served,
};

/// One look at the server.
#[derive(Debug)]
pub(super) struct Look {
    memory: Memory,
    metrics: BTreeMap<String, f64>,
    threads: BTreeMap<String, Duration>,
}

pub(super) fn look(served: &Served, process: u32) -> Result<Look, LoadError> {
    Ok(Look {
        memory: process::memory(process)?,
        metrics: process::metrics(&served.metrics())?,
        threads: process::threads(process)?,
    })
}

/// Times of one step, milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct StepFigures {
    /// Which.
    pub step: Step,
    /// How often it was taken.
    pub count: usize,
    /// Half took at most this.
    pub p50_ms: f64,
    /// Of a hundred, 95 took at most this.
    pub p95_ms: f64,
    /// Of a hundred, 99 took at most this.
    pub p99_ms: f64,
}

/// The server's processor time, seconds. The first three are measured by the server around the work
/// itself, on the thread that does it; the database's is that of SQLite's threads, and 0 for
/// PostgreSQL, which is another process. The rest is what is left of the whole process's.
#[derive(Debug, Clone, Serialize)]
pub struct Processor {
    /// All.
    pub total_s: f64,
    /// Decoding pictures and running networks.
    pub inference_s: f64,
    /// Reading and proving chips.
    pub chip_s: f64,
    /// Hashing PINs.
    pub pin_s: f64,
    /// SQLite's threads.
    pub sqlite_s: f64,
    /// HTTP, JSON, sealing, signing the identity, waiting for registers, telling people.
    pub rest_s: f64,
    /// What is neither inference nor cryptography, of all: 0 to 1. The goal is at most 0.1.
    pub else_share: f64,
}

/// What came of the enrolments.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where rows were kept.
    pub database: &'static str,
    /// How the programs were built.
    pub build: &'static str,
    /// Processors, which the server shares with the phones and chips.
    pub processors: usize,
    /// How many people.
    pub people: u32,
    /// How many at once.
    pub at_once: u32,
    /// How many have an app at the end.
    pub enrolled: usize,
    /// Seconds from the first start to the last app.
    pub seconds: f64,
    /// Whole enrolments a second.
    pub per_second: f64,
    /// Each step.
    pub steps: Vec<StepFigures>,
    /// The server's memory with its models loaded, before anybody came.
    pub memory_before: Memory,
    /// … and afterwards.
    pub memory_after: Memory,
    /// Where its processor time went.
    pub processor: Processor,
    /// Why somebody did not get there.
    pub failures: Vec<String>,
}

impl Report {
    pub(super) fn of(
        plan: &Plan,
        (before, after): (&Look, &Look),
        took: Duration,
        (journeys, failures): (&[Journey], Vec<String>),
    ) -> Self {
        let seconds = took.as_secs_f64();
        Self {
            database: plan.database.name(),
            build: build(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            people: plan.people,
            at_once: plan.at_once,
            enrolled: journeys.len(),
            seconds,
            per_second: count(journeys.len()) / seconds,
            steps: Step::ALL.iter().map(|step| figures(*step, journeys)).collect(),
            memory_before: before.memory,
            memory_after: after.memory,
            processor: processor(before, after),
            failures,
        }
    }

    /// Whether everybody got there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty() && count(self.enrolled) >= f64::from(self.people)
    }
}

fn figures(step: Step, journeys: &[Journey]) -> StepFigures {
    let mut took: Vec<Duration> = journeys.iter().filter_map(|j| j.took(step)).collect();
    took.sort_unstable();
    let [p50_ms, p95_ms, p99_ms] = [50, 95, 99].map(|percent| percentile(&took, percent));
    StepFigures { step, count: took.len(), p50_ms, p95_ms, p99_ms }
}

/// The time that `percent` of a hundred keep, by the nearest rank; of sorted times.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
}

fn processor(before: &Look, after: &Look) -> Processor {
    let grown = |name: &str| {
        let of = |look: &Look| look.metrics.get(name).copied().unwrap_or(0.0);
        of(after) - of(before)
    };
    let work = |name: &str| grown(&format!("indrul_cpu_seconds_total{{work=\"{name}\"}}"));
    let sqlite = |look: &Look| {
        let of = look.threads.iter().filter(|(name, _)| name.starts_with("sqlx-sqlite"));
        of.map(|(_, time)| time.as_secs_f64()).sum::<f64>()
    };
    let total_s = grown("process_cpu_seconds_total");
    let [inference_s, chip_s, pin_s] = ["inference", "chip", "pin"].map(work);
    let sqlite_s = sqlite(after) - sqlite(before);
    let other = total_s - inference_s - chip_s - pin_s;
    let else_share = if total_s > 0.0 { other / total_s } else { 0.0 };
    Processor {
        total_s,
        inference_s,
        chip_s,
        pin_s,
        sqlite_s,
        rest_s: other - sqlite_s,
        else_share,
    }
}

#[expect(clippy::cast_precision_loss, reason = "people are few")]
fn count(of: usize) -> f64 {
    of as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, build, processors, people, at_once, enrolled, .. } = self;
        writeln!(
            f,
            "{enrolled} of {people} people enrolled, {at_once} at once: {database}, {build} build, \
             {processors} processors shared with phones and chips"
        )?;
        writeln!(f, "{:.1} s, {:.2} enrolments a second", self.seconds, self.per_second)?;
        for StepFigures { step, count, p50_ms, p95_ms, p99_ms } in &self.steps {
            let name = step.name();
            writeln!(
                f,
                "  {name:9} {count:5} times  p50 {p50_ms:7.0} ms  p95 {p95_ms:7.0} ms  p99 {p99_ms:7.0} ms"
            )?;
        }
        let mib = |memory: Memory| memory.resident_kib / 1024;
        let (before, after) = (mib(self.memory_before), mib(self.memory_after));
        let peak = self.memory_after.peak_kib / 1024;
        writeln!(f, "memory: {before} MiB before, {after} MiB after, {peak} MiB at most")?;
        write!(f, "{}", self.processor)?;
        self.failures.iter().try_for_each(|why| write!(f, "\nnot enrolled: {why}"))
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: f64| if self.total_s > 0.0 { 100.0 * part / self.total_s } else { 0.0 };
        let [inference, chip, pin, sqlite, rest] =
            [self.inference_s, self.chip_s, self.pin_s, self.sqlite_s, self.rest_s].map(share);
        let goal = if self.else_share <= 0.1 { "within" } else { "beyond" };
        write!(
            f,
            "processor: {:.1} s: inference {inference:.1} %, chip {chip:.1} %, PIN {pin:.1} %, \
             SQLite {sqlite:.1} %, rest {rest:.1} %; all but inference and cryptography {:.1} %, \
             {goal} the goal of 10 %",
            self.total_s,
            100.0 * self.else_share
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=10).map(Duration::from_millis).collect();
        let found = [1, 50, 95, 99, 100].map(|percent| percentile(&times, percent));
        assert_eq!(found.map(f64::round), [1.0, 5.0, 10.0, 10.0, 10.0]);
        assert!(percentile(&[], 50).abs() < f64::EPSILON);
    }
}
