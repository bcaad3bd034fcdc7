//! What the service counts and times, in Prometheus' text format (version 0.0.4).
//!
//! A label is a word of the program or a number, by its type: nothing that came in from outside can
//! get into one (H4).

pub mod cpu;
mod gather;
mod http;

pub use gather::gather;
pub use http::router;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The value of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// A word of the program.
    Word(&'static str),
    /// A number.
    Number(u64),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<&'static str> for Label {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<u16> for Label {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

/// Names of labels with their values.
pub type Labels<'a> = &'a [(&'static str, Label)];

/// A name with its help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub &'static str, pub &'static str);

/// Requests answered.
pub const REQUESTS: Name = Name("indrul_http_requests_total", "Requests answered.");
/// Time of requests.
pub const REQUEST_TIME: Name = Name("indrul_http_request_seconds", "Time from request to answer.");
/// Relays that ended.
pub const RELAYS: Name = Name("indrul_relays_closed_total", "Chip relays closed, by close code.");
/// Decisions.
pub const DECISIONS: Name = Name("indrul_decisions_total", "Cases decided, by verdict.");
/// Reasons of decisions.
pub const REASONS: Name = Name("indrul_decision_reasons_total", "Reasons that decided a case.");
/// Requests refused by a limit.
pub const LIMITED: Name = Name("indrul_limited_total", "Requests refused because of a limit.");

/// Upper bounds of the times told apart, milliseconds.
const BOUNDS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

#[derive(Debug, Default, Clone, Copy)]
struct Times {
    /// At most each bound, not counting those at most the one before.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    total: Duration,
}

type Series = (Name, Vec<(&'static str, Label)>);

/// Counters and times since the start of the process.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<BTreeMap<Series, u64>>,
    times: Mutex<BTreeMap<Series, Times>>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Counts one.
    pub fn count(&self, name: Name, labels: Labels<'_>) {
        *lock(&self.counts).entry((name, labels.to_vec())).or_default() += 1;
    }

    /// Takes in that something took `took`.
    pub fn time(&self, name: Name, labels: Labels<'_>, took: Duration) {
        let mut times = lock(&self.times);
        let entry = times.entry((name, labels.to_vec())).or_default();
        let bound = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound));
        if let Some(bucket) = bound.and_then(|at| entry.buckets.get_mut(at)) {
            *bucket += 1;
        }
        entry.count += 1;
        entry.total = entry.total.saturating_add(took);
    }

    /// Everything counted and timed.
    fn render(&self, out: &mut Text) {
        for ((name, labels), value) in lock(&self.counts).iter() {
            out.value(*name, "counter", labels, *value);
        }
        for ((name, labels), times) in lock(&self.times).iter() {
            out.times(*name, labels, times);
        }
    }
}

/// The text of one answer.
#[derive(Debug, Default)]
struct Text {
    text: String,
    last: Option<&'static str>,
}

impl Text {
    fn head(&mut self, name: Name, kind: &str) {
        if self.last != Some(name.0) {
            self.last = Some(name.0);
            self.line(format_args!("# HELP {} {}", name.0, name.1));
            self.line(format_args!("# TYPE {} {kind}", name.0));
        }
    }

    fn value(&mut self, name: Name, kind: &str, labels: Labels<'_>, value: impl std::fmt::Display) {
        self.head(name, kind);
        self.line(format_args!("{}{} {value}", name.0, braces(labels, None)));
    }

    fn times(&mut self, name: Name, labels: Labels<'_>, times: &Times) {
        self.head(name, "histogram");
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(times.buckets) {
            below += count;
            let seconds = Duration::from_millis(*bound).as_secs_f64();
            let labels = braces(labels, Some(&seconds.to_string()));
            self.line(format_args!("{}_bucket{labels} {below}", name.0));
        }
        let all = braces(labels, Some("+Inf"));
        self.line(format_args!("{}_bucket{all} {}", name.0, times.count));
        let labels = braces(labels, None);
        self.line(format_args!("{}_sum{labels} {}", name.0, times.total.as_secs_f64()));
        self.line(format_args!("{}_count{labels} {}", name.0, times.count));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = writeln!(self.text, "{line}");
    }
}

/// `{name="value",…}`, or nothing. No value holds what would have to be escaped.
fn braces(labels: Labels<'_>, bound: Option<&str>) -> String {
    let mut parts: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    parts.extend(bound.map(|bound| format!("le=\"{bound}\"")));
    if parts.is_empty() { String::new() } else { format!("{{{}}}", parts.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count(LIMITED, &[("kind", "case".into())]);
        metrics.count(LIMITED, &[("kind", "case".into())]);
        metrics.count(LIMITED, &[("kind", "address".into())]);
        for ms in [3, 30, 20_000] {
            metrics.time(REQUEST_TIME, &[("operation", "view".into())], Duration::from_millis(ms));
        }
        let mut text = Text::default();
        metrics.render(&mut text);
        let expected = "\
# HELP indrul_limited_total Requests refused because of a limit.
# TYPE indrul_limited_total counter
indrul_limited_total{kind=\"address\"} 1
indrul_limited_total{kind=\"case\"} 2
# HELP indrul_http_request_seconds Time from request to answer.
# TYPE indrul_http_request_seconds histogram
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.005\"} 1
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.01\"} 1
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.025\"} 1
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.05\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.1\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.25\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"0.5\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"1\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"2.5\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"5\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"10\"} 2
indrul_http_request_seconds_bucket{operation=\"view\",le=\"+Inf\"} 3
indrul_http_request_seconds_sum{operation=\"view\"} 20.033
indrul_http_request_seconds_count{operation=\"view\"} 3
";
        assert_eq!(text.text, expected);
    }
}
