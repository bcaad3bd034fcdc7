//! The script of the stand-in registers: what they say of a fixture's holder and document, how long they
//! take, and what is wrong with them.

use super::Demo;
use crate::demo::Fixture;
use crate::demo::http::{Choice, trouble};
use crate::pages::html;
use crate::pages::texts::Language;
use crate::registers::standin::{Behaviour, Fault, PersonAnswer, Register};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonStatus;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Longest delay that can be scripted.
const MOST_DELAY_MS: u64 = 60_000;
/// Nothing else than the script says.
const SCRIPTED: &str = "scripted";

/// Names of the answers in the form, each with the name of its text.
const PERSONS: [(&str, PersonAnswer); 6] = [
    ("active", PersonAnswer::Status(PersonStatus::Active)),
    ("deceased", PersonAnswer::Status(PersonStatus::Deceased)),
    ("missing", PersonAnswer::Status(PersonStatus::Missing)),
    ("emigrated", PersonAnswer::Status(PersonStatus::Emigrated)),
    ("cancelled", PersonAnswer::Status(PersonStatus::Cancelled)),
    ("unknown", PersonAnswer::NotFound),
];
const DOCUMENTS: [(&str, DocumentStatus); 6] = [
    ("valid", DocumentStatus::Valid),
    ("lost", DocumentStatus::Lost),
    ("stolen", DocumentStatus::Stolen),
    ("revoked", DocumentStatus::Revoked),
    ("unknown", DocumentStatus::Unknown),
    ("unavailable", DocumentStatus::Unavailable),
];
const FAULTS: [(&str, Fault); 3] =
    [("fails", Fault::Fails), ("silent", Fault::Silent), ("babbles", Fault::Babbles)];
const REGISTERS: [(&str, Register); 3] = [
    ("persons", Register::Persons),
    ("documents", Register::Documents),
    ("appointments", Register::Appointments),
];

#[derive(Template)]
#[template(path = "qa/registers.html")]
struct Page {
    lang: Language,
    fixtures: Vec<Choosable>,
    persons: Vec<(&'static str, String)>,
    documents: Vec<(&'static str, String)>,
    faults: Vec<(&'static str, String)>,
    registers: Vec<Behaving>,
    /// Fixtures of which something else is said than the script says: name, person, document.
    changed: Vec<(String, String, String)>,
    timeout_ms: String,
    saved: bool,
}

/// A fixture that can be chosen.
struct Choosable {
    name: String,
    title: String,
}

/// A register as it is now.
struct Behaving {
    name: &'static str,
    title: String,
    fault: &'static str,
    delay_ms: u128,
}

/// What is changed: of one fixture, of one register, or all back to the script.
enum Change {
    Answer { fixture: String, person: String, document: String },
    Behaviour { register: String, fault: String, delay_ms: u64 },
    Reset,
}

/// The value named `name`; nothing for what is not in the table.
fn named<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The name of `value`.
fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], value: Option<T>) -> &'static str {
    let found = value.and_then(|value| table.iter().find(|(_, known)| *known == value));
    found.map_or(SCRIPTED, |(name, _)| name)
}

/// Each name of `table` with its text: `qa-KIND-NAME`.
fn options<T>(
    table: &[(&'static str, T)],
    kind: &str,
    lang: Language,
) -> Vec<(&'static str, String)> {
    let names = std::iter::once(SCRIPTED).chain(table.iter().map(|(name, _)| *name));
    names.map(|name| (name, text(kind, name, lang))).collect()
}

/// The text of an answer: one of those below.
fn text(kind: &str, name: &str, lang: Language) -> String {
    lang.t(match (kind, name) {
        ("fault", "fails") => "qa-fault-fails",
        ("fault", "silent") => "qa-fault-silent",
        ("fault", "babbles") => "qa-fault-babbles",
        ("fault", _) => "qa-fault-none",
        ("person", "active") => "qa-person-active",
        ("person", "deceased") => "qa-person-deceased",
        ("person", "missing") => "qa-person-missing",
        ("person", "emigrated") => "qa-person-emigrated",
        ("person", "cancelled") => "qa-person-cancelled",
        ("person", "unknown") => "qa-person-unknown",
        ("document", "valid") => "qa-document-valid",
        ("document", "lost") => "qa-document-lost",
        ("document", "stolen") => "qa-document-stolen",
        ("document", "revoked") => "qa-document-revoked",
        ("document", "unknown") => "qa-document-unknown",
        ("document", "unavailable") => "qa-document-unavailable",
        ("register", "persons") => "qa-register-persons",
        ("register", "documents") => "qa-register-documents",
        ("register", _) => "qa-register-appointments",
        _ => "qa-as-scripted",
    })
}

pub(super) async fn show(State(demo): State<Arc<Demo>>, Query(choice): Query<Choice>) -> Response {
    let lang = choice.language();
    let fixtures = &demo.catalogue.fixtures;
    let choosable = |fixture: &Fixture| Choosable {
        name: fixture.listed.name.clone(),
        title: lang.pick(&fixture.listed.title.da, &fixture.listed.title.en).to_owned(),
    };
    let registers = REGISTERS.map(|(name, register)| {
        let Behaviour { fault, delay } = demo.registers.behaviour(register);
        let (title, fault) = (text("register", name, lang), name_of(&FAULTS, fault));
        Behaving { name, title, fault, delay_ms: delay.as_millis() }
    });
    html(&Page {
        lang,
        fixtures: fixtures.iter().map(choosable).collect(),
        persons: options(&PERSONS, "person", lang),
        documents: options(&DOCUMENTS, "document", lang),
        faults: options(&FAULTS, "fault", lang),
        registers: registers.into(),
        changed: fixtures.iter().filter_map(|fixture| changed(&demo, fixture, lang)).collect(),
        timeout_ms: demo.register_timeout_ms.to_string(),
        saved: choice.saved(),
    })
}

fn changed(demo: &Demo, fixture: &Fixture, lang: Language) -> Option<(String, String, String)> {
    let (person, document) = demo.registers.answers(&fixture.person);
    (person.is_some() || document.is_some()).then(|| {
        let person = text("person", name_of(&PERSONS, person), lang);
        let document = text("document", name_of(&DOCUMENTS, document), lang);
        (fixture.listed.name.clone(), person, document)
    })
}

pub(super) async fn set(
    State(demo): State<Arc<Demo>>,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Response {
    let Ok(Form(mut change)) = form else {
        return trouble(Language::Da, StatusCode::BAD_REQUEST);
    };
    let lang = Language::of(change.remove("lang").as_deref());
    match Change::read(&change).and_then(|change| change.apply(&demo)) {
        Some(()) => {
            Redirect::to(&format!("/qa/registers?saved=1&lang={}", lang.code())).into_response()
        }
        None => trouble(lang, StatusCode::UNPROCESSABLE_ENTITY),
    }
}

impl Change {
    fn read(form: &HashMap<String, String>) -> Option<Self> {
        let field = |name: &str| form.get(name).cloned();
        match form.get("change")?.as_str() {
            "answer" => Some(Self::Answer {
                fixture: field("fixture")?,
                person: field("person")?,
                document: field("document")?,
            }),
            "behaviour" => Some(Self::Behaviour {
                register: field("register")?,
                fault: field("fault")?,
                delay_ms: field("delay_ms")?.parse().ok()?,
            }),
            "reset" => Some(Self::Reset),
            _ => None,
        }
    }

    /// Changes the script; nothing is changed for what is not in the form.
    fn apply(self, demo: &Demo) -> Option<()> {
        match self {
            Self::Answer { fixture, person, document } => {
                let fixture = demo.catalogue.find(&fixture)?;
                let (person, document) =
                    (or_scripted(&PERSONS, &person)?, or_scripted(&DOCUMENTS, &document)?);
                demo.registers.answer(&fixture.person, person, document);
            }
            Self::Behaviour { register, fault, delay_ms } => {
                let register = named(&REGISTERS, &register)?;
                let fault = or_scripted(&FAULTS, &fault)?;
                let delay = Duration::from_millis((delay_ms <= MOST_DELAY_MS).then_some(delay_ms)?);
                demo.registers.behave(register, Behaviour { fault, delay });
            }
            Self::Reset => demo.registers.reset(),
        }
        Some(())
    }
}

/// What `name` stands for: nothing else than the script, or a value; nothing at all for another name.
fn or_scripted<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<Option<T>> {
    if name == SCRIPTED { Some(None) } else { named(table, name).map(Some) }
}
