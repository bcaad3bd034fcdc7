//! The registers over HTTP: `GET {persons}/persons/{cpr}` and
//! `GET {documents}/documents/{issuer}/{number}`.
//!
//! 200 with the expected JSON and 404 are answers; everything else is *unavailable*.

use super::Registers;
use super::wire::{Document, Person};
use crate::config::Secret;
use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonAnswer;
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::Agent;

/// Longest answer that is read.
const LONGEST: u64 = 64 * 1024;

/// Registers at two addresses.
pub struct HttpRegisters {
    agent: Agent,
    persons: Option<String>,
    documents: Option<String>,
    token: Option<Secret>,
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
    Unavailable,
}

impl HttpRegisters {
    /// Registers below `persons` and `documents`; one without an address is unavailable.
    #[must_use]
    pub fn new(
        persons: Option<String>,
        documents: Option<String>,
        token: Option<Secret>,
        timeout: Duration,
    ) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self { agent: config.into(), persons, documents, token }
    }

    fn call<T: DeserializeOwned>(&self, base: Option<&str>, path: &str) -> Answer<T> {
        let Some(base) = base else { return Answer::Unavailable };
        let mut request = self.agent.get(format!("{base}/{path}"));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose()));
        }
        match request.call() {
            Ok(mut answer) if answer.status() == 200 => {
                let body = answer.body_mut().with_config().limit(LONGEST).read_json();
                body.map_or(Answer::Unavailable, Answer::Found)
            }
            Ok(answer) if answer.status() == 404 => Answer::NotFound,
            _ => Answer::Unavailable,
        }
    }
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
        match self.call::<Person>(self.persons.as_deref(), &format!("persons/{cpr}")) {
            Answer::Found(person) => PersonAnswer::Found(person.into()),
            Answer::NotFound => PersonAnswer::NotFound,
            Answer::Unavailable => PersonAnswer::Unavailable,
        }
    }

    fn document(&self, issuer: &str, number: &str) -> DocumentStatus {
        if !is_plain(issuer) || !is_plain(number) {
            return DocumentStatus::Unknown;
        }
        let path = format!("documents/{issuer}/{number}");
        match self.call::<Document>(self.documents.as_deref(), &path) {
            Answer::Found(found) => found.status,
            Answer::NotFound => DocumentStatus::Unknown,
            Answer::Unavailable => DocumentStatus::Unavailable,
        }
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
        let timeout = Duration::from_millis(400);
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
    async fn nothing_but_numbers_and_codes_gets_into_a_path() {
        let (_running, registers) = over_http(Scripted::babbling()).await;
        let asked = ask(registers, |r| (r.person("../x"), r.document("UTO", "1?a=b"))).await;
        assert_eq!(asked, (PersonAnswer::NotFound, DocumentStatus::Unknown));
    }
}
