//! A citizen with a phone: the whole enrolment over the public HTTP interface and the chip relay,
//! knowing nothing that a phone would not know.

use std::time::{Duration, Instant};

use enroll_core::reason::ReasonCode;
use fixtures::{capture::Shot, passport::Passport};
use serde_json::{Value, json};
use server::relay_client::{self, ClientError, Ended, Reader};

use crate::report::Judgement;

/// What stopped a citizen.
#[derive(Debug, thiserror::Error)]
pub enum CitizenError {
    /// The server could not be reached.
    #[error("the server does not answer at {path}")]
    Http {
        /// The path called.
        path: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The server refused the step.
    #[error("the server answered {path} with {status} {code}")]
    Problem {
        /// The path called.
        path: String,
        /// HTTP status.
        status: u16,
        /// The problem's reason code, if it has one.
        code: String,
    },
    /// The answer lacks what the interface promises.
    #[error("the answer of {path} lacks `{field}`")]
    Answer {
        /// The path called.
        path: String,
        /// The field missing.
        field: &'static str,
    },
    /// The relay broke off.
    #[error("the chip relay broke off")]
    Relay(#[from] ClientError),
    /// The fixture's data page could not be drawn.
    #[error(transparent)]
    Page(#[from] fixtures::page::PageError),
}

/// A started enrolment.
#[derive(Debug)]
pub struct Enrolment {
    base: String,
    agent: ureq::Agent,
    /// Its identifier.
    pub id: String,
    token: String,
}

/// What is done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Put there.
    Put,
    /// Posted there.
    Post,
}

/// The terms that a demonstration and the tests run under.
const TERMS: &str = "2026-02";

impl Enrolment {
    /// Starts one at the server `base` (`http://host:port`) for the person `cpr`.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn start(base: &str, cpr: &str) -> Result<Self, CitizenError> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let body = json!({
            "consent": {"terms_version": TERMS, "biometrics": true, "language": "da"},
            "cpr": cpr,
        });
        let path = "/v1/enrolments";
        let answer = read(path, agent.post(format!("{base}{path}")).send_json(body))?;
        let (id, token) = (text(&answer, path, "id")?, text(&answer, path, "token")?);
        Ok(Self { base: base.to_owned(), agent, id, token })
    }

    /// What the server knows the person again by.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Uploads a picture of the data page.
    ///
    /// # Errors
    /// [`CitizenError::Problem`] with the reason code if it cannot be used.
    pub fn page(&self, png: &[u8]) -> Result<Value, CitizenError> {
        self.put("page", "image/png", png)
    }

    /// Types the data page's lines instead.
    ///
    /// # Errors
    /// [`CitizenError::Problem`] with the reason code if they cannot be used.
    pub fn typed_page(&self, lines: &[String]) -> Result<Value, CitizenError> {
        self.put("page", "application/json", json!({ "lines": lines }).to_string().as_bytes())
    }

    /// Draws a ticket for the relay: the relay's address with the ticket in it.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn ticket(&self) -> Result<String, CitizenError> {
        let path = self.path("relay-tickets");
        let request = self.agent.post(format!("{}{path}", self.base));
        let answer = read(&path, request.header("authorization", self.bearer()).send_empty())?;
        text(&answer, &path, "url")
    }

    /// Holds the passport to `reader` and relays until the server has what it wants.
    ///
    /// # Errors
    /// [`CitizenError::Relay`] if the relay breaks off.
    pub fn read_chip(&self, reader: &mut dyn Reader) -> Result<Ended, CitizenError> {
        Ok(relay_client::run(&self.ticket()?, reader, &mut |_| {})?)
    }

    /// Uploads a picture of the face.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn face(&self, jpeg: &[u8]) -> Result<Value, CitizenError> {
        self.put("face", "image/jpeg", jpeg)
    }

    /// Asks for a face challenge.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn challenge(&self) -> Result<Value, CitizenError> {
        let path = self.path("face-challenges");
        let request = self.agent.post(format!("{}{path}", self.base));
        read(&path, request.header("authorization", self.bearer()).send_empty())
    }

    /// Uploads the pictures that answer it.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn capture(&self, shots: &[Shot]) -> Result<Value, CitizenError> {
        let frame = |shot: &Shot| {
            json!({
                "number": shot.number, "at_ms": shot.at_ms, "tag": hex::encode(shot.tag),
                "picture": openssl::base64::encode_block(&shot.picture),
            })
        };
        let frames: Vec<Value> = shots.iter().map(frame).collect();
        let body = json!({ "frames": frames }).to_string();
        self.put("face-capture", "application/json", body.as_bytes())
    }

    /// Asks for the decision.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn finish(&self) -> Result<Value, CitizenError> {
        let path = self.path("finish");
        let request = self.agent.post(format!("{}{path}", self.base));
        read(&path, request.header("authorization", self.bearer()).send_empty())
    }

    /// How the case stands.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn view(&self) -> Result<Value, CitizenError> {
        self.get(&format!("/v1/enrolments/{}", self.id))
    }

    /// Anything that this enrolment's token may see.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn get(&self, path: &str) -> Result<Value, CitizenError> {
        let request = self.agent.get(format!("{}{path}", self.base));
        read(path, request.header("authorization", self.bearer()).call())
    }

    /// Anything else that this enrolment's token may do, with a JSON body.
    ///
    /// # Errors
    /// [`CitizenError`].
    pub fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, CitizenError> {
        let url = format!("{}{path}", self.base);
        let request = match method {
            Method::Put => self.agent.put(url),
            Method::Post => self.agent.post(url),
        };
        read(path, request.header("authorization", self.bearer()).send_json(body))
    }

    fn put(&self, step: &str, media_type: &str, body: &[u8]) -> Result<Value, CitizenError> {
        let path = self.path(step);
        let request = self.agent.put(format!("{}{path}", self.base));
        let request = request.header("authorization", self.bearer());
        read(&path, request.header("content-type", media_type).send(body))
    }

    fn path(&self, step: &str) -> String {
        format!("/v1/enrolments/{}/{step}", self.id)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// What is told while somebody enrols.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// The enrolment has this identifier.
    Started(&'a str),
    /// The step of this name is over; when it began and how long it took.
    Step(&'static str, Duration, Duration),
}

/// Tells of steps as they end.
struct Steps<'a> {
    told: &'a mut dyn FnMut(Told<'_>),
    began: Instant,
    last: Duration,
}

impl Steps<'_> {
    /// What `step` gives, and its time told.
    fn time<T>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        let from = self.last;
        let given = step();
        self.last = self.began.elapsed();
        (self.told)(Told::Step(name, from, self.last.saturating_sub(from)));
        given
    }
}

/// The whole enrolment of the passport's presenter, its chip behind `reader`. `told` hears of the
/// enrolment's identifier as soon as there is one, and of each step.
///
/// # Errors
/// [`CitizenError`] if a step could not be taken; a refusal is a result.
pub fn enrol(
    base: &str,
    passport: &Passport,
    reader: &mut dyn Reader,
    told: &mut dyn FnMut(Told<'_>),
) -> Result<Judgement, CitizenError> {
    let mut steps = Steps { told, began: Instant::now(), last: Duration::ZERO };
    let enrolment = steps.time("start", || Enrolment::start(base, &passport.holder.cpr))?;
    (steps.told)(Told::Started(&enrolment.id));
    let page = steps.time("page", || match is_read_from_a_picture(passport) {
        true => enrolment.page(&passport.page_png()?),
        false => enrolment.typed_page(&passport.mrz_lines),
    });
    match page {
        Err(CitizenError::Problem { code, .. }) if ReasonCode::known(&code).is_some() => {
            return Ok(Judgement::stopped_by(ReasonCode::nearest(&code)));
        }
        other => drop(other?),
    }
    if let Ended::Failed { reason, .. } = steps.time("chip", || enrolment.read_chip(reader))? {
        return Ok(Judgement::stopped_by(ReasonCode::nearest(&reason)));
    }
    if let Some(selfie) = passport.selfies.first() {
        match steps.time("face", || enrolment.face(selfie)) {
            // No face is taken of a case whose document was not proved, and a picture may be
            // unfit: finishing says so.
            Err(CitizenError::Problem { code, .. }) if ReasonCode::known(&code).is_some() => {}
            other => drop(other?),
        }
    }
    judgement(&steps.time("decision", || enrolment.finish())?)
}

/// Whether the page is a passport's: the lines of a card (TD1, TD2), which the page reader does not
/// know, are typed.
pub(crate) fn is_read_from_a_picture(passport: &Passport) -> bool {
    passport.mrz_lines.iter().all(|line| line.len() == 44)
}

/// The verdict and codes of an answer to `finish`.
fn judgement(answer: &Value) -> Result<Judgement, CitizenError> {
    let verdict = text(answer, "finish", "verdict")?;
    let reasons = answer.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let code = |r: &Value| r.get("code").and_then(Value::as_str).map(str::to_owned);
    Ok(Judgement { verdict, reasons: reasons.filter_map(code).collect() })
}

fn read(
    path: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, CitizenError> {
    let http = |source| CitizenError::Http { path: path.to_owned(), source: Box::new(source) };
    let mut answer = answer.map_err(http)?;
    let status = answer.status();
    let body: Value = answer.body_mut().read_json().map_err(http)?;
    if status.is_success() {
        return Ok(body);
    }
    let code = body.get("code").and_then(Value::as_str).unwrap_or("without a code").to_owned();
    Err(CitizenError::Problem { path: path.to_owned(), status: status.as_u16(), code })
}

fn text(answer: &Value, path: &str, field: &'static str) -> Result<String, CitizenError> {
    let found = answer.get(field).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| CitizenError::Answer { path: path.to_owned(), field })
}
