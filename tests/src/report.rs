//! What a run of the catalogue found, for people (HTML) and for CI (JUnit).

use std::{fmt::Write as _, fs, io, path::Path, time::Duration};

use enroll_core::{
    check::Check,
    decide::{Verdict, judge},
    reason::ReasonCode,
};
use fixtures::chip::Exchange;
use serde::Serialize;
use serde_json::json;

use crate::citizen::Told;

/// One fixture: what was expected of it and what the system said.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The fixture's name in the catalogue.
    pub name: String,
    /// What is wrong with the passport; none for a good one.
    pub deviation: Option<String>,
    /// What the catalogue expects.
    pub expected: Judgement,
    /// What the enrolment ended in; `Err` text if it could not be run to its end.
    pub found: Result<Judgement, String>,
    /// Wall time of the whole enrolment, for orientation only.
    pub ms: u128,
    /// Its trace, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traced: Option<Traced>,
}

/// What went between reader and chip during an enrolment, and how long each step took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Traced {
    /// The steps in their order.
    pub steps: Vec<StepTime>,
    /// Commands and answers in their order.
    pub exchanges: Vec<Exchange>,
}

/// How long a step took.
#[derive(Debug, Clone, Serialize)]
pub struct StepTime {
    /// Which: `start`, `page`, `chip`, `face`, `decision`.
    pub name: &'static str,
    /// When it began, in microseconds.
    pub at_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

impl Traced {
    /// Notes what is told of an enrolment.
    pub fn note(&mut self, told: Told<'_>) {
        if let Told::Step(name, at, took) = told {
            let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            self.steps.push(StepTime { name, at_us: us(at), took_us: us(took) });
        }
    }
}

/// A verdict and the codes that decided it, worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// `accepted`, `refused` or `inconclusive`.
    pub verdict: String,
    /// Reason codes.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Of an enrolment that got no further than the step that `reason` stopped: as it would be
    /// decided on that finding alone.
    #[must_use]
    pub fn stopped_by(reason: ReasonCode) -> Self {
        let (verdict, reasons) = judge(&[Check::failed("step", reason, json!({}))], &[]);
        Self {
            verdict: verdict_name(verdict).to_owned(),
            reasons: reasons.into_iter().map(|reason| reason.as_str().to_owned()).collect(),
        }
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::Inconclusive => "inconclusive",
    }
}

impl Outcome {
    /// Whether the system said what was expected, in verdict and in every reason.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.found.as_ref() == Ok(&self.expected)
    }
}

impl std::fmt::Display for Judgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.verdict)?;
        if self.reasons.is_empty() { Ok(()) } else { write!(f, " ({})", self.reasons.join(", ")) }
    }
}

/// Writes `report.html` and `junit.xml` into `dir`.
///
/// # Errors
/// The file system's.
pub fn write(dir: &Path, through: &str, outcomes: &[Outcome]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("report.html"), html(through, outcomes))?;
    fs::write(dir.join("junit.xml"), junit(through, outcomes))
}

fn found(outcome: &Outcome) -> String {
    outcome.found.as_ref().map_or_else(|error| format!("error: {error}"), ToString::to_string)
}

fn html(through: &str, outcomes: &[Outcome]) -> String {
    let right = outcomes.iter().filter(|o| o.as_expected()).count();
    let mut rows = String::new();
    for o in outcomes {
        let mark = if o.as_expected() { "as expected" } else { "DIFFERENT" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{mark}</td><td>{}</td></tr>",
            escape(&o.name),
            escape(o.deviation.as_deref().unwrap_or("none")),
            escape(&o.expected.to_string()),
            escape(&found(o)),
            o.ms,
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Fixtures through {through}</title>\n\
         <style>body{{font:1rem system-ui;margin:2rem}}td,th{{padding:.4rem .8rem;text-align:left;border-bottom:1px solid #bbb}}</style>\n\
         <h1>Fixtures through {through}: {right} of {} as expected</h1>\n\
         <table><tr><th>Fixture<th>Deviation<th>Expected<th>Found<th>Result<th>ms</tr>\n{rows}</table></html>\n",
        outcomes.len()
    )
}

fn junit(through: &str, outcomes: &[Outcome]) -> String {
    let wrong = outcomes.iter().filter(|o| !o.as_expected()).count();
    let mut cases = String::new();
    for o in outcomes {
        let body = if o.as_expected() {
            String::new()
        } else {
            format!(
                "<failure message=\"expected {}, found {}\"/>",
                escape(&o.expected.to_string()),
                escape(&found(o))
            )
        };
        let _ = writeln!(
            cases,
            "  <testcase classname=\"{through}\" name=\"{}\" time=\"{}.{:03}\">{body}</testcase>",
            escape(&o.name),
            o.ms / 1000,
            o.ms % 1000
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"fixtures {through}\" tests=\"{}\" failures=\"{wrong}\">\n{cases}</testsuite>\n",
        outcomes.len()
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(found: Result<Judgement, String>) -> Outcome {
        let expected =
            Judgement { verdict: "refused".into(), reasons: vec!["face.mismatch".into()] };
        Outcome { name: "a<b".into(), deviation: None, expected, found, ms: 1204, traced: None }
    }

    #[test]
    fn a_step_that_may_be_done_again_leaves_the_case_open() {
        let judged = |code| Judgement::stopped_by(ReasonCode::known(code).unwrap()).to_string();
        assert_eq!(judged("chip.link_lost"), "inconclusive (chip.link_lost)");
        assert_eq!(judged("chip.downgrade"), "refused (chip.downgrade)");
    }

    #[test]
    fn a_missing_reason_is_a_difference() {
        let found = Judgement { verdict: "refused".into(), reasons: vec![] };
        assert!(!outcome(Ok(found)).as_expected());
    }

    #[test]
    fn reports_name_the_difference_and_escape_text() {
        let text = junit("memory", &[outcome(Err("no reader".into()))]);
        assert!(text.contains("failures=\"1\""));
        assert!(text.contains("name=\"a&lt;b\" time=\"1.204\""));
        assert!(text.contains("found error: no reader"));
        assert!(html("memory", &[outcome(Err("x".into()))]).contains("0 of 1 as expected"));
    }
}
