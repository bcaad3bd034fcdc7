//! Stand-in registers for QA: the same HTTP interface on a loopback port, filled from fixtures'
//! `holder.json`, and faults on demand. They ship, because `enroll demo` ships; a production server
//! never starts them.

use super::wire::{Person, Sex};
use super::{Offers, Slot};
use crate::relay::wire::Text;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonStatus;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::Date;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// What the registers hold and how they behave.
#[derive(Default)]
pub struct Scripted {
    persons: HashMap<String, Person>,
    documents: HashMap<(String, String), DocumentStatus>,
    fault: Option<Fault>,
    /// Slots by the key they are booked under.
    booked: Mutex<HashMap<String, String>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scripted({} persons, {} documents)", self.persons.len(), self.documents.len())
    }
}

/// One of the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// Of persons.
    Persons,
    /// Of documents.
    Documents,
    /// Of appointments.
    Appointments,
}

impl Register {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Persons, Self::Documents, Self::Appointments];
}

/// How a register behaves whatever it is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// What is wrong with each of its answers.
    pub fault: Option<Fault>,
    /// How long each takes.
    pub delay: Duration,
}

/// What is said of a person instead of what the script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonAnswer {
    /// Known, in this standing.
    Status(PersonStatus),
    /// Not known.
    NotFound,
}

/// How the registers misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// They answer 500.
    Fails,
    /// They never answer.
    Silent,
    /// They answer 200 with nonsense.
    Babbles,
}

impl Scripted {
    /// Registers that answer every call with 500.
    #[must_use]
    pub fn failing() -> Self {
        Self { fault: Some(Fault::Fails), ..Self::default() }
    }

    /// Registers that never answer.
    #[must_use]
    pub fn silent() -> Self {
        Self { fault: Some(Fault::Silent), ..Self::default() }
    }

    /// Registers that answer 200 with nonsense.
    #[must_use]
    pub fn babbling() -> Self {
        Self { fault: Some(Fault::Babbles), ..Self::default() }
    }

    /// Adds a person under a personal number, with or without its hyphen.
    pub fn add_person(&mut self, cpr: &str, person: Person) {
        self.persons.insert(cpr.replace('-', ""), person);
    }

    /// Adds a document.
    pub fn add_document(&mut self, issuer: &str, number: &str, status: DocumentStatus) {
        self.documents.insert((issuer.to_owned(), number.to_owned()), status);
    }

    /// Adds what a fixture's `holder.json` says.
    pub fn add_holder(&mut self, holder: &Holder) {
        self.add_person(&holder.digits(), holder.person());
        let status = holder.document_status.unwrap_or(DocumentStatus::Valid);
        self.add_document(&holder.issuer, &holder.document_number, status);
    }
}

/// A fixture's `holder.json`. Other members are left alone.
#[derive(Clone, Deserialize)]
pub struct Holder {
    /// Personal number, with or without a hyphen.
    pub cpr: String,
    /// All given names.
    pub given_names: String,
    /// Surname.
    pub surname: String,
    /// Date of birth.
    #[serde(with = "iso_date")]
    pub birth_date: Date,
    /// Standing in the register; active if absent.
    #[serde(default)]
    pub status: Option<PersonStatus>,
    /// Protected name and address.
    #[serde(default)]
    pub protected: bool,
    /// Issuing state of the document.
    pub issuer: String,
    /// Number of the document.
    pub document_number: String,
    /// Its status, if not valid.
    #[serde(default)]
    pub document_status: Option<DocumentStatus>,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holder(…)")
    }
}

impl Holder {
    /// Issuer and number of the document.
    fn key(&self) -> (String, String) {
        (self.issuer.clone(), self.document_number.clone())
    }

    fn digits(&self) -> String {
        self.cpr.chars().filter(char::is_ascii_digit).collect()
    }

    /// The register knows the sex from the number: odd for men.
    fn person(&self) -> Person {
        let odd = self.cpr.chars().last().and_then(|c| c.to_digit(10)).is_some_and(|d| d % 2 == 1);
        Person {
            given_names: self.given_names.clone(),
            surname: self.surname.clone(),
            birth_date: self.birth_date,
            sex: if odd { Sex::M } else { Sex::F },
            status: self.status.unwrap_or(PersonStatus::Active),
            protected: self.protected,
        }
    }
}

/// What they hold, how they behave now, and what they say instead of what they hold.
struct Served {
    script: Scripted,
    behaviour: Mutex<[Behaviour; 3]>,
    persons: Mutex<HashMap<String, PersonAnswer>>,
    documents: Mutex<HashMap<(String, String), DocumentStatus>>,
}

/// What there is, whoever panicked while holding it.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Served {
    fn of(script: Scripted) -> Self {
        let behaviour = Behaviour { fault: script.fault, ..Behaviour::default() };
        Self {
            script,
            behaviour: Mutex::new([behaviour; 3]),
            persons: Mutex::default(),
            documents: Mutex::default(),
        }
    }

    fn behaviour(&self, register: Register) -> Behaviour {
        let [persons, documents, appointments] = *held(&self.behaviour);
        match register {
            Register::Persons => persons,
            Register::Documents => documents,
            Register::Appointments => appointments,
        }
    }

    /// Takes as long as it is to take; what it then answers if it misbehaves.
    async fn misbehaves(&self, register: Register) -> Option<Response> {
        let Behaviour { fault, delay } = self.behaviour(register);
        tokio::time::sleep(delay).await;
        Some(misbehave(fault?).await)
    }
}

/// The script of running registers, changed while they run.
#[derive(Clone)]
pub struct Control(Arc<Served>);

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Control(…)")
    }
}

impl Control {
    /// How `register` behaves now.
    #[must_use]
    pub fn behaviour(&self, register: Register) -> Behaviour {
        self.0.behaviour(register)
    }

    /// From now on `register` behaves so.
    pub fn behave(&self, register: Register, behaviour: Behaviour) {
        let [persons, documents, appointments] = &mut *held(&self.0.behaviour);
        match register {
            Register::Persons => *persons = behaviour,
            Register::Documents => *documents = behaviour,
            Register::Appointments => *appointments = behaviour,
        }
    }

    /// From now on this is said of the holder's person and document; what the script says, where
    /// there is nothing else to say.
    pub fn answer(
        &self,
        holder: &Holder,
        person: Option<PersonAnswer>,
        document: Option<DocumentStatus>,
    ) {
        set(&self.0.persons, holder.digits(), person);
        set(&self.0.documents, holder.key(), document);
    }

    /// What is said of the holder instead of what the script says.
    #[must_use]
    pub fn answers(&self, holder: &Holder) -> (Option<PersonAnswer>, Option<DocumentStatus>) {
        let person = held(&self.0.persons).get(&holder.digits()).copied();
        (person, held(&self.0.documents).get(&holder.key()).copied())
    }

    /// As the script says, all of them, at once.
    pub fn reset(&self) {
        *held(&self.0.behaviour) = [Behaviour::default(); 3];
        held(&self.0.persons).clear();
        held(&self.0.documents).clear();
    }
}

fn set<K: std::hash::Hash + Eq, V>(map: &Mutex<HashMap<K, V>>, key: K, value: Option<V>) {
    let mut map = held(map);
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

/// Running stand-in registers; they stop when this is dropped.
pub struct StandIn {
    address: SocketAddr,
    served: Arc<Served>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StandIn({})", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    /// Starts them on a free loopback port.
    ///
    /// # Errors
    /// An I/O error if no port can be had.
    pub async fn start(script: Scripted) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let served = Arc::new(Served::of(script));
        let router = Router::new()
            .route("/persons/{cpr}", get(person))
            .route("/documents/{issuer}/{number}", get(document))
            .route("/slots", get(slots))
            .route("/bookings/{key}", put(book).delete(cancel))
            .with_state(served.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the stand-in registers stopped");
            }
        });
        Ok(Self { address, served, task })
    }

    /// From now on they misbehave so, or not any more.
    pub fn set(&self, fault: Option<Fault>) {
        let control = self.control();
        for register in Register::ALL {
            control.behave(register, Behaviour { fault, ..control.behaviour(register) });
        }
    }

    /// By which their script is changed.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(self.served.clone())
    }

    /// Their base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn person(State(served): State<Arc<Served>>, Path(cpr): Path<String>) -> Response {
    if let Some(response) = served.misbehaves(Register::Persons).await {
        return response;
    }
    let told = held(&served.persons).get(&cpr).copied();
    match (served.script.persons.get(&cpr), told) {
        (None, _) | (_, Some(PersonAnswer::NotFound)) => StatusCode::NOT_FOUND.into_response(),
        (Some(person), Some(PersonAnswer::Status(status))) => {
            axum::Json(Person { status, ..person.clone() }).into_response()
        }
        (Some(person), None) => axum::Json(person).into_response(),
    }
}

async fn document(
    State(served): State<Arc<Served>>,
    Path(document): Path<(String, String)>,
) -> Response {
    if let Some(response) = served.misbehaves(Register::Documents).await {
        return response;
    }
    let told = held(&served.documents).get(&document).copied();
    match told.or_else(|| served.script.documents.get(&document).copied()) {
        Some(DocumentStatus::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        None | Some(DocumentStatus::Unknown) => StatusCode::NOT_FOUND.into_response(),
        Some(status) => axum::Json(json!({ "status": status })).into_response(),
    }
}

/// Three times on one morning, always the same.
fn times() -> Vec<Slot> {
    let nine = time::macros::datetime!(2030-03-01 08:00 UTC);
    let slot = |number: i64| Slot {
        id: format!("slot-{number}"),
        centre: "Borgercenter Prøve".to_owned(),
        address: "Prøvegade 1, 1000 Prøveby".to_owned(),
        starts: nine + time::Duration::minutes(30 * number),
        minutes: 30,
    };
    (0..3).map(slot).collect()
}

async fn slots(State(served): State<Arc<Served>>) -> Response {
    if let Some(response) = served.misbehaves(Register::Appointments).await {
        return response;
    }
    let booked = served.script.booked.lock().unwrap_or_else(PoisonError::into_inner);
    let is_free = |slot: &Slot| !booked.values().any(|id| *id == slot.id);
    let text = |da: &str, en: &str| Text { da: da.to_owned(), en: en.to_owned() };
    let bring = vec![
        text("Dit pas.", "Your passport."),
        text("Din reference.", "Your reference."),
        text(
            "Har du ikke andet end passet, så tag et vidne med.",
            "If you have nothing but the passport, bring a witness.",
        ),
    ];
    axum::Json(Offers { slots: times().into_iter().filter(is_free).collect(), bring })
        .into_response()
}

async fn book(
    State(served): State<Arc<Served>>,
    Path(key): Path<String>,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Some(response) = served.misbehaves(Register::Appointments).await {
        return response;
    }
    let Some(slot) = times().into_iter().find(|slot| body.get("slot") == Some(&json!(slot.id)))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut booked = served.script.booked.lock().unwrap_or_else(PoisonError::into_inner);
    if booked.iter().any(|(other, id)| *id == slot.id && *other != key) {
        return StatusCode::CONFLICT.into_response();
    }
    booked.insert(key, slot.id.clone());
    axum::Json(slot).into_response()
}

async fn cancel(State(served): State<Arc<Served>>, Path(key): Path<String>) -> Response {
    if let Some(response) = served.misbehaves(Register::Appointments).await {
        return response;
    }
    let mut booked = served.script.booked.lock().unwrap_or_else(PoisonError::into_inner);
    match booked.remove(&key) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn misbehave(fault: Fault) -> Response {
    match fault {
        Fault::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Silent => std::future::pending().await,
        Fault::Babbles => "<html>".into_response(),
    }
}
