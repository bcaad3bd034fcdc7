//! What a person who watches a case sees: steps, progress, every check in words, and the end.

use super::texts::{self, Group, Language};
use crate::app::{Progress, PublicIdentity};
use crate::record::{Outcome as Done, Record};
use enroll_core::case::State as Case;
use enroll_core::check::{Check, Outcome};
use enroll_core::reason::ReasonCode;
use serde_json::Value;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Now,
    Passed,
    Failed,
    NotPerformed,
}

impl State {
    /// The style it is shown in.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Waiting => "wait",
            Self::Now => "now",
            Self::Passed => "good",
            Self::Failed => "bad",
            Self::NotPerformed => "none",
        }
    }

    /// Its name, as in the JSON of a check where there is one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting | Self::Now => "waiting",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotPerformed => "not_performed",
        }
    }

    /// A sign that is told from the others without colour.
    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Waiting | Self::Now => "·",
            Self::Passed => "✓",
            Self::Failed => "✕",
            Self::NotPerformed => "–",
        }
    }

    /// The same in a word.
    pub(crate) fn word(self, language: &Language) -> String {
        match self {
            Self::Waiting => language.t("demo-state-waiting"),
            Self::Now => language.t("demo-state-now"),
            Self::Passed => language.t("demo-state-passed"),
            Self::Failed => language.t("demo-state-failed"),
            Self::NotPerformed => language.t("demo-state-not-performed"),
        }
    }

    /// Whether this is where the case is.
    pub(crate) fn is_now(self) -> bool {
        self == Self::Now
    }
}

/// The live part of the page.
pub(crate) struct Live {
    /// Whether nothing more will happen.
    pub(crate) ended: bool,
    /// The whole in one sentence.
    pub(crate) status: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) progress: Option<Reading>,
    pub(crate) result: Option<End>,
    pub(crate) groups: Vec<Checks>,
}

pub(crate) struct Step {
    pub(crate) title: String,
    pub(crate) state: State,
}

pub(crate) struct Reading {
    pub(crate) text: String,
    pub(crate) percent: u32,
}

pub(crate) struct Checks {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) state: State,
    pub(crate) count: String,
    pub(crate) checks: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) evidence: Vec<(String, String)>,
}

/// How the case ended.
pub(crate) struct End {
    /// The verdict by name; empty if there is none.
    pub(crate) verdict: &'static str,
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) title: String,
    pub(crate) reasons: Vec<Why>,
    pub(crate) identity: Option<PublicIdentity>,
    pub(crate) expected: Option<String>,
}

pub(crate) struct Why {
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) next: String,
}

/// What is known of a case that is watched.
pub(crate) struct Watched {
    pub(crate) record: Record,
    pub(crate) progress: Option<Progress>,
    pub(crate) identity: Option<PublicIdentity>,
    /// The client has left.
    pub(crate) left: bool,
    /// What was expected of it, in words, where somebody expected something.
    pub(crate) expected: Option<String>,
}

impl Live {
    /// The page of `watched` in `language`.
    pub(crate) fn of(watched: Watched, language: Language) -> Self {
        let Watched { record, progress, identity, left, expected } = watched;
        let ended = !record.case.is_open() || left;
        let groups: Vec<Checks> =
            texts::GROUPS.iter().map(|group| checks(group, &record, ended, language)).collect();
        let steps = steps(&record, &groups, ended, language);
        let result = ended.then(|| end(&record, identity, expected, language));
        let status = match (&result, steps.iter().find(|step| step.state.is_now())) {
            (Some(end), _) => end.title.clone(),
            (None, Some(step)) => format!("{}: {}", step.title, State::Now.word(&language)),
            (None, None) => String::new(),
        };
        let progress = progress.filter(|_| !ended).map(|at| reading(&at, language));
        Self { ended, status, steps, progress, result, groups }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100 first"
)]
fn reading(at: &Progress, language: Language) -> Reading {
    let text = language.t(texts::reading(at.step));
    Reading { text, percent: (at.done.clamp(0.0, 1.0) * 100.0) as u32 }
}

fn checks(group: &Group, record: &Record, ended: bool, language: Language) -> Checks {
    let rows: Vec<Row> = group
        .checks
        .iter()
        .map(|(id, title)| row((id, title), record.findings.find(id), ended, language))
        .collect();
    let passed = rows.iter().filter(|row| row.state == State::Passed).count();
    let count = format!("{passed}/{}", rows.len());
    let state = summary(rows.iter().map(|row| row.state), ended);
    Checks { id: group.id, title: language.t(group.title), state, count, checks: rows }
}

/// A group fails with one failure; what was not performed neither passes nor fails it.
fn summary(states: impl Iterator<Item = State>, ended: bool) -> State {
    let states: Vec<State> = states.collect();
    let any = |state| states.contains(&state);
    if any(State::Failed) {
        State::Failed
    } else if any(State::Waiting) && !ended {
        if any(State::Passed) { State::Now } else { State::Waiting }
    } else if any(State::Passed) {
        State::Passed
    } else {
        State::NotPerformed
    }
}

fn row(
    (id, title): (&'static str, &'static str),
    check: Option<&Check>,
    ended: bool,
    language: Language,
) -> Row {
    let state = match check.map(|check| check.outcome) {
        Some(Outcome::Passed) => State::Passed,
        Some(Outcome::Failed) => State::Failed,
        Some(Outcome::NotPerformed) => State::NotPerformed,
        None if ended => State::NotPerformed,
        None => State::Waiting,
    };
    let reason = check
        .and_then(|check| check.reason)
        .map(|reason| language.text(&reason.entry().text).to_owned());
    let evidence = check.map(|check| flat(&check.evidence)).unwrap_or_default();
    Row { id, title: language.t(title), state, reason, evidence }
}

/// Evidence as names and values; what is nested is written as JSON.
fn flat(evidence: &Value) -> Vec<(String, String)> {
    let Value::Object(map) = evidence else { return Vec::new() };
    map.iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.clone(), text)
        })
        .collect()
}

/// The steps a person goes through, from the groups of checks that belong to them.
fn steps(record: &Record, groups: &[Checks], ended: bool, language: Language) -> Vec<Step> {
    let of = |ids: &[&str]| {
        let states = groups.iter().filter(|g| ids.contains(&g.id)).map(|g| g.state);
        let states: Vec<State> = states.collect();
        if states.iter().all(|state| *state == State::Waiting) {
            State::Waiting
        } else {
            summary(states.into_iter(), true)
        }
    };
    let decided = match &record.settled {
        Some(settled) if settled.decision == Done::Issue => State::Passed,
        Some(_) => State::Failed,
        None if ended => State::NotPerformed,
        None => State::Waiting,
    };
    let mut steps = vec![
        Step { title: language.t("demo-step-consent"), state: State::Passed },
        Step { title: language.t("demo-step-page"), state: of(&["page"]) },
        Step { title: language.t("demo-step-chip"), state: of(&["access", "issuer", "genuine"]) },
        Step { title: language.t("demo-step-face"), state: of(&["face"]) },
        Step { title: language.t("demo-step-registers"), state: of(&["person"]) },
        Step { title: language.t("demo-step-decision"), state: decided },
    ];
    if let Some(next) = steps.iter_mut().find(|step| step.state == State::Waiting && !ended) {
        next.state = State::Now;
    }
    steps
}

fn end(
    record: &Record,
    identity: Option<PublicIdentity>,
    expected: Option<String>,
    language: Language,
) -> End {
    let (class, icon, title) = headline(record, language);
    let reasons = match (&record.settled, &record.case.state) {
        (Some(settled), _) => settled.reasons.clone(),
        (None, Case::Expired { .. }) => vec![ReasonCode::CASE_EXPIRED],
        (None, _) => Vec::new(),
    };
    let reasons = reasons.into_iter().map(|code| why(code, language)).collect();
    let verdict = record.settled.as_ref().map_or("", |s| crate::app::verdict_name(s.verdict));
    End { verdict, class, icon, title, reasons, identity, expected }
}

fn headline(record: &Record, language: Language) -> (&'static str, &'static str, String) {
    match record.settled.as_ref().map(|settled| settled.decision) {
        Some(Done::Issue) => ("good", "✓", language.t("demo-end-issued")),
        Some(Done::Refuse) => ("bad", "✕", language.t("demo-end-refused")),
        Some(Done::Refer) => ("warn", "!", language.t("demo-end-referred")),
        Some(Done::TryAgain) => ("warn", "!", language.t("face-again")),
        None => ("warn", "!", language.t("demo-end-undecided")),
    }
}

fn why(code: ReasonCode, language: Language) -> Why {
    let entry = code.entry();
    Why {
        code: code.as_str(),
        text: language.text(&entry.text).to_owned(),
        next: language.text(&entry.next).to_owned(),
    }
}
