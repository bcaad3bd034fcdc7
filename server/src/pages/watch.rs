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
    pub(crate) fn word(self, language: &Language) -> &'static str {
        match self {
            Self::Waiting => language.pick("venter", "waiting"),
            Self::Now => language.pick("i gang", "under way"),
            Self::Passed => language.pick("bestået", "passed"),
            Self::Failed => language.pick("ikke bestået", "failed"),
            Self::NotPerformed => language.pick("ikke udført", "not performed"),
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
    pub(crate) title: &'static str,
    pub(crate) state: State,
}

pub(crate) struct Reading {
    pub(crate) text: String,
    pub(crate) percent: u32,
}

pub(crate) struct Checks {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) state: State,
    pub(crate) count: String,
    pub(crate) checks: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
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
    let text = texts::reading(at.step);
    let text = language.pick(&text.da, &text.en).to_owned();
    Reading { text, percent: (at.done.clamp(0.0, 1.0) * 100.0) as u32 }
}

fn checks(group: &Group, record: &Record, ended: bool, language: Language) -> Checks {
    let rows: Vec<Row> = group
        .checks
        .iter()
        .map(|(id, da, en)| {
            row(id, language.pick(da, en), record.findings.find(id), ended, language)
        })
        .collect();
    let passed = rows.iter().filter(|row| row.state == State::Passed).count();
    let count = format!("{passed}/{}", rows.len());
    let state = summary(rows.iter().map(|row| row.state), ended);
    Checks { id: group.id, title: language.pick(group.da, group.en), state, count, checks: rows }
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
    id: &'static str,
    title: &'static str,
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
    Row { id, title, state, reason, evidence }
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
        Step { title: language.pick("Samtykke", "Consent"), state: State::Passed },
        Step { title: language.pick("Passets side", "Printed page"), state: of(&["page"]) },
        Step { title: language.pick("Chip", "Chip"), state: of(&["access", "issuer", "genuine"]) },
        Step { title: language.pick("Ansigt", "Face"), state: of(&["face"]) },
        Step { title: language.pick("Registre", "Registers"), state: of(&["person"]) },
        Step { title: language.pick("Afgørelse", "Decision"), state: decided },
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
    End { verdict, class, icon, title: title.to_owned(), reasons, identity, expected }
}

fn headline(record: &Record, language: Language) -> (&'static str, &'static str, &'static str) {
    match record.settled.as_ref().map(|settled| settled.decision) {
        Some(Done::Issue) => {
            ("good", "✓", language.pick("Identiteten er udstedt", "The identity is issued"))
        }
        Some(Done::Refuse) => {
            ("bad", "✕", language.pick("Indrulleringen er afvist", "The enrolment is refused"))
        }
        Some(Done::Refer) => {
            ("warn", "!", language.pick("Borgercenteret tager over", "A Borgercenter takes over"))
        }
        Some(Done::TryAgain) => ("warn", "!", language.pick("Prøv igen", "Try again")),
        None => (
            "warn",
            "!",
            language.pick("Sagen sluttede uden afgørelse", "The case ended undecided"),
        ),
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
