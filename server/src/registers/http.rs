//! The registers over HTTP: `GET {persons}/persons/{cpr}` and
//! `GET {documents}/documents/{issuer}/{number}`, over TLS where the address says `https`; and
//! appointments ([`super::appointments`]).
//!
//! 200 with the expected JSON and 404 are answers, and 409 to a `PUT`, and 204 to a `DELETE`;
//! everything else is *unavailable*. A call that
//! brought no answer is made again after a pause, as long as there is time; a register that fails
//! again and again is left alone for a while ([`super::breaker`]).

use super::breaker::{Breaker, Limits, Standing};
use super::wire::{Document, Person};
use super::{Appointments, Health, Offers, Registers, Reply, Slot};
use crate::clock::{Entropy, SystemEntropy, random};
use crate::config::{self, Secret};
use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonAnswer;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body};

/// Longest answer that is read.
const LONGEST: u64 = 64 * 1024;

/// Why the registers cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file of roots holds no certificate.
    #[error("the registers' roots are no PEM certificates")]
    Roots,
}

/// Registers, each at its address.
pub struct HttpRegisters {
    agent: Agent,
    persons: Register,
    documents: Register,
    appointments: Register,
    token: Option<Secret>,
    patience: Patience,
    entropy: Arc<dyn Entropy>,
}

/// One register.
struct Register {
    name: &'static str,
    base: Option<String>,
    breaker: Breaker,
    answered: AtomicU64,
    failed: AtomicU64,
    /// Calls not made, because the breaker was open.
    spared: AtomicU64,
}

/// How long and how often one question is asked.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Longest time for all tries together.
    total: Duration,
    /// Longest time for one.
    one: Duration,
    tries: u32,
    /// Longest pause after the first try; it doubles with each.
    pause: Duration,
}

impl std::fmt::Debug for HttpRegisters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpRegisters")
    }
}

/// What one call brought.
enum Answer<T> {
    Found(T),
    NotFound,
    Conflict,
    Unavailable,
}

/// A question that can be asked again without doing more than once.
#[derive(Clone, Copy)]
enum Question<'a> {
    Get,
    Put(&'a Value),
    Delete,
}

impl<T> From<Answer<T>> for Reply<T> {
    fn from(answer: Answer<T>) -> Self {
        match answer {
            Answer::Found(found) => Self::Done(found),
            Answer::NotFound => Self::Unknown,
            Answer::Conflict => Self::Taken,
            Answer::Unavailable => Self::Unavailable,
        }
    }
}

impl HttpRegisters {
    /// Registers below `persons` and `documents`, with the usual patience of at most `timeout`; one
    /// without an address is unavailable.
    #[must_use]
    pub fn new(
        persons: Option<String>,
        documents: Option<String>,
        token: Option<Secret>,
        timeout: Duration,
    ) -> Self {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let rules = config::Registers { timeout_ms, ..config::Registers::default() };
        Self::with(&rules, (persons, documents, token), RootCerts::PlatformVerifier)
    }

    /// The registers that the configuration names.
    ///
    /// # Errors
    /// [`RegisterError`] if the roots of their certificates are none.
    pub fn of(rules: &mut config::Registers) -> Result<Self, RegisterError> {
        let roots = match rules.roots.take() {
            Some(pem) => roots(pem.expose().as_bytes())?,
            None => RootCerts::PlatformVerifier,
        };
        let named = (rules.persons_url.take(), rules.documents_url.take(), rules.token.take());
        Ok(Self::with(rules, named, roots))
    }

    fn with(
        rules: &config::Registers,
        (persons, documents, token): (Option<String>, Option<String>, Option<Secret>),
        roots: RootCerts,
    ) -> Self {
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .tls_config(tls)
            .build();
        let limits = Limits {
            failures: rules.breaker_failures.max(1),
            rest: Duration::from_millis(rules.breaker_rest_ms),
        };
        let total = Duration::from_millis(rules.timeout_ms);
        Self {
            agent: config.into(),
            persons: Register::new("persons", persons, limits),
            documents: Register::new("documents", documents, limits),
            appointments: Register::new("appointments", rules.appointments_url.clone(), limits),
            token,
            patience: Patience {
                total,
                one: total.min(Duration::from_millis(rules.try_ms)),
                tries: rules.tries.max(1),
                pause: Duration::from_millis(rules.pause_ms),
            },
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Asks until there is an answer, or no time or try is left.
    fn call<T: DeserializeOwned>(
        &self,
        register: &Register,
        question: Question<'_>,
        path: &str,
    ) -> Answer<T> {
        let Some(base) = &register.base else { return Answer::Unavailable };
        let begun = Instant::now();
        for count in 0..self.patience.tries {
            if !register.breaker.permit(Instant::now()) {
                register.spared.fetch_add(1, Ordering::Relaxed);
                return Answer::Unavailable;
            }
            let left = self.patience.total.saturating_sub(begun.elapsed());
            let within = self.patience.one.min(left);
            let answer = self.ask(question, &format!("{base}/{path}"), within);
            register.record(!matches!(answer, Answer::Unavailable));
            let pause = self.pause(count);
            let left = self.patience.total.saturating_sub(begun.elapsed());
            if !matches!(answer, Answer::Unavailable) || pause >= left {
                return answer;
            }
            if count + 1 < self.patience.tries {
                std::thread::sleep(pause);
            }
        }
        Answer::Unavailable
    }

    /// Asks once.
    fn ask<T: DeserializeOwned>(
        &self,
        question: Question<'_>,
        address: &str,
        within: Duration,
    ) -> Answer<T> {
        let (method, body) = match question {
            Question::Get => ("GET", String::new()),
            Question::Put(body) => ("PUT", body.to_string()),
            Question::Delete => ("DELETE", String::new()),
        };
        let request = Request::builder().method(method).uri(address);
        let request = match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.expose())),
            None => request,
        };
        let request = match question {
            Question::Put(_) => request.header("content-type", "application/json").body(body),
            Question::Get | Question::Delete => request.body(body),
        };
        // An address that is none is nobody's.
        let Ok(request) = request else { return Answer::Unavailable };
        let request = self.agent.configure_request(request).timeout_global(Some(within)).build();
        match self.agent.run(request) {
            Ok(mut answer) => read(question, &mut answer),
            Err(_) => Answer::Unavailable,
        }
    }

    /// A random part of a pause that doubles with each try, so that those who failed together do not
    /// come again together. Without random bytes the whole of it.
    fn pause(&self, count: u32) -> Duration {
        let longest = self.patience.pause.saturating_mul(1 << count.min(10));
        let part = random::<4>(self.entropy.as_ref()).map_or(u32::MAX, u32::from_be_bytes);
        longest.mul_f64(f64::from(part) / f64::from(u32::MAX))
    }
}

fn read<T: DeserializeOwned>(question: Question<'_>, answer: &mut Response<Body>) -> Answer<T> {
    match (question, answer.status().as_u16()) {
        (Question::Delete, 204) => {
            serde_json::from_value(Value::Null).map_or(Answer::Unavailable, Answer::Found)
        }
        (Question::Get | Question::Put(_), 200) => {
            let body = answer.body_mut().with_config().limit(LONGEST).read_json();
            body.map_or(Answer::Unavailable, Answer::Found)
        }
        (Question::Put(_), 409) => Answer::Conflict,
        (_, 404) => Answer::NotFound,
        _ => Answer::Unavailable,
    }
}

impl Register {
    fn new(name: &'static str, base: Option<String>, limits: Limits) -> Self {
        let breaker = Breaker::new(limits);
        let [answered, failed, spared] = [const { AtomicU64::new(0) }; 3];
        Self { name, base, breaker, answered, failed, spared }
    }

    fn record(&self, answered: bool) {
        let now = Instant::now();
        let before = self.breaker.standing(now);
        self.breaker.record(answered, now);
        let count = if answered { &self.answered } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
        let after = self.breaker.standing(now);
        if before != after {
            tracing::warn!(register = self.name, standing = ?after, "a register's breaker changed");
        }
    }

    fn health(&self) -> Health {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Health {
            register: self.name,
            open: self.breaker.standing(Instant::now()) != Standing::Closed,
            answered: count(&self.answered),
            failed: count(&self.failed),
            spared: count(&self.spared),
        }
    }
}

/// The certificates of a PEM file.
fn roots(pem: &[u8]) -> Result<RootCerts, RegisterError> {
    let mut found: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| RegisterError::Roots)? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(RegisterError::Roots) } else { Ok(RootCerts::new_with_certs(&found)) }
}

/// Whether `text` can stand in a path as it is: numbers and codes are letters and digits.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl Registers for HttpRegisters {
    fn person(&self, cpr: &str) -> PersonAnswer {
        if !is_plain(cpr) {
            return PersonAnswer::NotFound;
        }
        let path = format!("persons/{cpr}");
        match self.call::<Person>(&self.persons, Question::Get, &path) {
            Answer::Found(person) => PersonAnswer::Found(person.into()),
            Answer::NotFound => PersonAnswer::NotFound,
            Answer::Conflict | Answer::Unavailable => PersonAnswer::Unavailable,
        }
    }

    fn document(&self, issuer: &str, number: &str) -> DocumentStatus {
        if !is_plain(issuer) || !is_plain(number) {
            return DocumentStatus::Unknown;
        }
        let path = format!("documents/{issuer}/{number}");
        match self.call::<Document>(&self.documents, Question::Get, &path) {
            Answer::Found(found) => found.status,
            Answer::NotFound => DocumentStatus::Unknown,
            Answer::Conflict | Answer::Unavailable => DocumentStatus::Unavailable,
        }
    }

    fn health(&self) -> Vec<Health> {
        vec![self.persons.health(), self.documents.health(), self.appointments.health()]
    }
}

impl Appointments for HttpRegisters {
    fn offers(&self) -> Reply<Offers> {
        self.call(&self.appointments, Question::Get, "slots").into()
    }

    fn book(&self, key: &str, slot: &str) -> Reply<Slot> {
        if !is_plain(key) {
            return Reply::Unknown;
        }
        let body = json!({ "slot": slot });
        let path = format!("bookings/{key}");
        self.call(&self.appointments, Question::Put(&body), &path).into()
    }

    fn cancel(&self, key: &str) -> Reply<()> {
        if !is_plain(key) {
            return Reply::Unknown;
        }
        let path = format!("bookings/{key}");
        self.call(&self.appointments, Question::Delete, &path).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::standin::{Scripted, StandIn};
    use super::*;
    use enroll_core::findings::person::PersonStatus;
    use time::macros::date;

    fn person() -> Person {
        Person {
            given_names: "Anna Maria".to_owned(),
            surname: "Eriksson".to_owned(),
            birth_date: date!(1974 - 08 - 12),
            sex: super::super::wire::Sex::F,
            status: PersonStatus::Active,
            protected: false,
        }
    }

    async fn over_http(script: Scripted) -> (StandIn, HttpRegisters) {
        let running = StandIn::start(script).await.unwrap();
        let base = Some(running.url());
        let token = Some(Secret::from("t".to_owned()));
        let timeout = Duration::from_secs(5);
        let registers = HttpRegisters::new(base.clone(), base, token, timeout);
        (running, registers)
    }

    async fn ask<T: Send + 'static>(
        registers: HttpRegisters,
        question: impl FnOnce(&HttpRegisters) -> T + Send + 'static,
    ) -> T {
        tokio::task::spawn_blocking(move || question(&registers)).await.unwrap()
    }

    #[tokio::test]
    async fn answers_come_through() {
        let mut script = Scripted::default();
        script.add_person("1208740001", person());
        script.add_document("UTO", "L898902C3", DocumentStatus::Stolen);
        let (_running, registers) = over_http(script).await;
        let found = ask(registers, |r| {
            (
                r.person("1208740001"),
                r.person("1208740002"),
                r.document("UTO", "L898902C3"),
                r.document("UTO", "X"),
            )
        });
        let (known, unknown, stolen, nowhere) = found.await;
        assert_eq!(known, PersonAnswer::Found(person().into()));
        assert_eq!(unknown, PersonAnswer::NotFound);
        assert_eq!((stolen, nowhere), (DocumentStatus::Stolen, DocumentStatus::Unknown));
    }

    #[tokio::test]
    async fn a_register_that_is_down_slow_or_mad_is_unavailable() {
        // proves B8
        let closed = "http://127.0.0.1:9".to_owned();
        let down = HttpRegisters::new(Some(closed), None, None, Duration::from_millis(200));
        let both = ask(down, |r| (r.person("1208740001"), r.document("UTO", "1"))).await;
        assert_eq!(both, (PersonAnswer::Unavailable, DocumentStatus::Unavailable));
        for broken in [Scripted::failing(), Scripted::silent(), Scripted::babbling()] {
            let (_running, registers) = over_http(broken).await;
            let both = ask(registers, |r| (r.person("1208740001"), r.document("UTO", "1"))).await;
            assert_eq!(both, (PersonAnswer::Unavailable, DocumentStatus::Unavailable));
        }
    }

    #[tokio::test]
    async fn times_are_booked_moved_and_cancelled_each_as_often_as_asked() {
        // proves H6
        let running = StandIn::start(Scripted::default()).await.unwrap();
        let url = Some(running.url());
        let mut rules = config::Registers { appointments_url: url, ..Default::default() };
        let registers = HttpRegisters::of(&mut rules).unwrap();
        ask(registers, |r| {
            let Reply::Done(offers) = r.offers() else { panic!("no times") };
            let [first, second] = [&offers.slots[0], &offers.slots[1]];
            assert!(offers.bring.iter().all(|text| text.da != text.en));
            assert_eq!(r.book("a", &first.id), Reply::Done(first.clone()));
            assert_eq!(r.book("a", &first.id), Reply::Done(first.clone()), "repeated");
            assert_eq!(r.book("b", &first.id), Reply::Taken);
            assert_eq!(r.book("a", &second.id), Reply::Done(second.clone()), "moved");
            assert_eq!(r.book("b", &first.id), Reply::Done(first.clone()), "free again");
            assert_eq!(r.book("a", "nowhere"), Reply::Unknown);
            assert_eq!((r.cancel("a"), r.cancel("a")), (Reply::Done(()), Reply::Unknown));
            let Reply::Done(left) = r.offers() else { panic!("no times") };
            assert_eq!(left.slots, offers.slots[1..], "what is booked is not offered");
            assert_eq!(r.book("../x", &second.id), Reply::Unknown);
        })
        .await;
    }

    #[tokio::test]
    async fn an_appointment_service_that_is_down_or_mad_is_unavailable() {
        for broken in [Scripted::failing(), Scripted::silent(), Scripted::babbling()] {
            let running = StandIn::start(broken).await.unwrap();
            let (url, timeout_ms) = (Some(running.url()), 400);
            let mut rules =
                config::Registers { appointments_url: url, timeout_ms, ..Default::default() };
            let registers = HttpRegisters::of(&mut rules).unwrap();
            let asked = ask(registers, |r| (r.offers(), r.book("a", "1"), r.cancel("a"))).await;
            assert_eq!(asked, (Reply::Unavailable, Reply::Unavailable, Reply::Unavailable));
        }
    }

    #[tokio::test]
    async fn nothing_but_numbers_and_codes_gets_into_a_path() {
        let (_running, registers) = over_http(Scripted::babbling()).await;
        let asked = ask(registers, |r| (r.person("../x"), r.document("UTO", "1?a=b"))).await;
        assert_eq!(asked, (PersonAnswer::NotFound, DocumentStatus::Unknown));
    }

    /// A register that answers 500 so many times and then as it should; it counts what it is asked.
    async fn flaky(failures: u32) -> (String, Arc<std::sync::atomic::AtomicU32>) {
        use axum::http::StatusCode;
        use std::sync::atomic::AtomicU32;
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let answer = move || async move {
            if count.fetch_add(1, Ordering::Relaxed) < failures {
                Err(StatusCode::INTERNAL_SERVER_ERROR)
            } else {
                Ok(axum::Json(serde_json::json!({ "status": "valid" })))
            }
        };
        let route = axum::routing::get(answer);
        let router = axum::Router::new().route("/documents/{issuer}/{number}", route);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, asked)
    }

    fn with(url: String, change: impl FnOnce(&mut config::Registers)) -> HttpRegisters {
        let mut rules = config::Registers {
            documents_url: Some(url),
            pause_ms: 1,
            ..config::Registers::default()
        };
        change(&mut rules);
        HttpRegisters::of(&mut rules).unwrap()
    }

    #[tokio::test]
    async fn a_call_that_brought_no_answer_is_made_again_so_often_and_no_more() {
        let (url, asked) = flaky(2).await;
        let registers = with(url, |rules| rules.tries = 3);
        assert_eq!(ask(registers, |r| r.document("UTO", "1")).await, DocumentStatus::Valid);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let (url, asked) = flaky(u32::MAX).await;
        let registers = with(url, |rules| rules.tries = 3);
        assert_eq!(ask(registers, |r| r.document("UTO", "1")).await, DocumentStatus::Unavailable);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_register_that_fails_on_and_on_is_left_alone_and_then_tried_once() {
        // proves B8 (left alone is unavailable)
        let (url, asked) = flaky(4).await;
        let registers = with(url, |rules| {
            (rules.tries, rules.breaker_failures, rules.breaker_rest_ms) = (2, 4, 3_000);
        });
        let seen = ask(registers, |r| {
            let first: Vec<_> = (0..4).map(|_| r.document("UTO", "1")).collect();
            let spared = r.health();
            std::thread::sleep(Duration::from_millis(3_100));
            (first, spared, r.document("UTO", "1"), r.health())
        });
        let (first, spared, after, healed) = seen.await;
        assert_eq!(first, [DocumentStatus::Unavailable; 4]);
        assert_eq!(after, DocumentStatus::Valid);
        assert_eq!(asked.load(Ordering::Relaxed), 5, "it was asked while it was left alone");
        let documents = |health: Vec<Health>| health.into_iter().nth(1).unwrap();
        let (spared, healed) = (documents(spared), documents(healed));
        assert_eq!((spared.open, spared.failed, spared.spared), (true, 4, 2));
        assert_eq!((healed.open, healed.answered), (false, 1));
    }

    #[tokio::test]
    async fn all_tries_together_take_no_longer_than_allowed() {
        let (_running, _) = over_http(Scripted::silent()).await;
        let registers = with(_running.url(), |rules| {
            (rules.timeout_ms, rules.try_ms, rules.tries) = (300, 100, 1000);
        });
        let begun = Instant::now();
        assert_eq!(ask(registers, |r| r.document("UTO", "1")).await, DocumentStatus::Unavailable);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn pauses_are_random_parts_of_what_doubles() {
        let registers = with(String::new(), |rules| rules.pause_ms = 100);
        for count in 0..4 {
            let longest = Duration::from_millis(100 << count);
            let pauses: Vec<_> = (0..50).map(|_| registers.pause(count)).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause > longest / 2), "{pauses:?}");
        }
    }

    /// A TLS server on loopback with a certificate of its own, which answers every request with a
    /// valid document.
    fn over_tls() -> (String, String) {
        use openssl::ssl::{SslAcceptor, SslMethod};
        use std::io::{Read, Write};
        let (key, certificate) = self_signed();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        let acceptor = acceptor.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(mut stream) = acceptor.accept(stream) else { continue };
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let body = r#"{"status":"valid"}"#;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            }
        });
        (url, String::from_utf8(certificate.to_pem().unwrap()).unwrap())
    }

    fn self_signed() -> (openssl::pkey::PKey<openssl::pkey::Private>, openssl::x509::X509) {
        use openssl::asn1::Asn1Time;
        use openssl::x509::{X509, X509NameBuilder, extension::SubjectAlternativeName};
        let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1);
        let key = openssl::ec::EcKey::generate(&group.unwrap()).unwrap();
        let key = openssl::pkey::PKey::from_ec_key(key).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "localhost").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        (key, builder.build())
    }

    #[tokio::test]
    async fn over_tls_only_the_roots_that_are_configured_are_believed() {
        let (url, own) = over_tls();
        let (_, other) = over_tls();
        let trusting =
            |pem: Option<String>| with(url.clone(), |rules| rules.roots = pem.map(Secret::from));
        let answered = ask(trusting(Some(own)), |r| r.document("UTO", "1")).await;
        assert_eq!(answered, DocumentStatus::Valid);
        for stranger in [Some(other), None] {
            let answered = ask(trusting(stranger), |r| r.document("UTO", "1")).await;
            assert_eq!(answered, DocumentStatus::Unavailable);
        }
        for none in ["", "no certificate"] {
            let roots = Some(Secret::from(none.to_owned()));
            let mut rules = config::Registers { roots, ..config::Registers::default() };
            assert!(matches!(HttpRegisters::of(&mut rules), Err(RegisterError::Roots)), "{none}");
        }
    }
}
