//! Log-ins under load: people with an app each log in at one relying party, by a switch to the app on the device of
//! their browser, over HTTP alone. Who they are is written into the server's rows beforehand, since enrolling has
//! figures of its own; their apps are activated over the public interface.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use enroll_core::{
    Findings,
    case::{Case, CaseError, Consent},
    decide,
    device_key::Purpose,
    policy::Policy,
};
use serde::Serialize;
use serde_json::{Value, json};
use server::{
    app::{AppError, PublicIdentity, add_relying_party},
    clock::{Clock as _, EntropyError, SystemClock, SystemEntropy, random},
    ids::{EnrolmentId, IdentityId},
    keys::{KeyError, KeyRing, base64url},
    oidc::client::{Registration, RegistrationError},
    record::Record,
    storage::{Enrolment, Evidence, Identity, StorageError, Store},
};

use super::{LoadError, Plan, build, held, journey::PIN, report::percentile};
use crate::{device::Device, letters::Letters, run::chain, served::Served};

/// Steps of a log-in, in their order.
const STEPS: [&str; 10] = [
    "push",
    "authorize",
    "page",
    "switch",
    "challenge",
    "claim",
    "approve",
    "continue",
    "token",
    "userinfo",
];

/// Where the relying party is: nobody goes there.
const BACK: &str = "https://netbank.invalid/cb";
const CLIENT: &str = "netbank";
const SECRET: &str = "a secret of the load";
/// Longest wait for a code.
const CODE: Duration = Duration::from_secs(60);

/// Why somebody could not be made, or did not log in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// The server's rows.
    #[error("the server's rows cannot be used")]
    Storage(#[from] StorageError),
    /// Its keys.
    #[error("the server's keys cannot be used")]
    Keys(#[from] KeyError),
    /// An enrolment that is none.
    #[error("an enrolment cannot be made")]
    Case(#[from] CaseError),
    /// The relying party.
    #[error(transparent)]
    Party(#[from] RegistrationError),
    /// Its file.
    #[error("the relying party's registration cannot be read")]
    Registration(#[from] toml::de::Error),
    /// The relying party could not be kept.
    #[error(transparent)]
    App(#[from] AppError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// JSON.
    #[error("a record cannot be written")]
    Json(#[from] serde_json::Error),
    /// The device.
    #[error("a device's key cannot be used")]
    Device(#[from] openssl::error::ErrorStack),
    /// No code came.
    #[error("no code came by {0}")]
    NoCode(&'static str),
    /// No answer.
    #[error("the server does not answer {step}")]
    Http {
        /// Which step.
        step: &'static str,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// Another answer than was to come.
    #[error("{step} was answered {status} {code}")]
    Refused {
        /// Which step.
        step: &'static str,
        /// The status.
        status: u16,
        /// The code or error, if there is one.
        code: String,
    },
}

/// Times of one step, milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct LogInStep {
    /// Which.
    pub step: &'static str,
    /// How often it was taken.
    pub count: usize,
    /// Half took at most this.
    pub p50_ms: f64,
    /// Of a hundred, 99 took at most this.
    pub p99_ms: f64,
}

/// What came of the log-ins.
#[derive(Debug, Serialize)]
pub struct LogIns {
    /// Where rows were kept.
    pub database: &'static str,
    /// How the programs were built.
    pub build: &'static str,
    /// Processors, which the server shares with the phones and browsers.
    pub processors: usize,
    /// How many people.
    pub people: u32,
    /// How many at once.
    pub at_once: u32,
    /// How many log-ins there were to be.
    pub wanted: u32,
    /// How many came to a session.
    pub done: usize,
    /// Seconds from the first to the last.
    pub seconds: f64,
    /// Log-ins a second.
    pub per_second: f64,
    /// A whole log-in.
    pub whole: LogInStep,
    /// Each step.
    pub steps: Vec<LogInStep>,
    /// Why somebody did not log in.
    pub failures: Vec<String>,
}

impl LogIns {
    /// Whether each came to a session.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty() && u32::try_from(self.done).is_ok_and(|done| done == self.wanted)
    }
}

impl fmt::Display for LogIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, build, processors, people, at_once, wanted, done, .. } = self;
        writeln!(
            f,
            "{done} of {wanted} log-ins of {people} people, {at_once} at once: {database}, {build} \
             build, {processors} processors shared with phones and browsers"
        )?;
        if *build != "release" {
            // Of a build for tests no figure says anything of the service.
            write!(f, "no times: build with --release")?;
            return self.failures.iter().try_for_each(|why| write!(f, "\nnot logged in: {why}"));
        }
        write!(f, "{:.1} s, {:.1} log-ins a second", self.seconds, self.per_second)?;
        for LogInStep { step, count, p50_ms, p99_ms } in
            std::iter::once(&self.whole).chain(&self.steps)
        {
            write!(f, "\n  {step:9} {count:6} times  p50 {p50_ms:7.1} ms  p99 {p99_ms:7.1} ms")?;
        }
        self.failures.iter().try_for_each(|why| write!(f, "\nnot logged in: {why}"))
    }
}

/// A person's phone, with its app.
struct Phone {
    device: Device,
    app: String,
}

/// One log-in after another, and how long each step took.
struct Client<'a> {
    base: &'a str,
    agent: ureq::Agent,
    took: Vec<(&'static str, Duration)>,
}

/// What was answered.
struct Answer {
    status: u16,
    location: String,
    cookie: Option<String>,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn word(&self, name: &str) -> String {
        self.json().get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl<'a> Client<'a> {
    fn new(base: &'a str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Self { base, agent: config.proxy(None).build().into(), took: Vec::new() }
    }

    /// One request, timed under `step`, which has to be answered with `expected`.
    fn ask(
        &mut self,
        step: &'static str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
        expected: u16,
    ) -> Result<Answer, LogInError> {
        let request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let http = |source: ureq::Error| LogInError::Http { step, source: Box::new(source) };
        let request = request.body(body.to_owned()).map_err(|e| http(ureq::Error::Http(e)))?;
        let begun = Instant::now();
        let mut answer = self.agent.run(request).map_err(http)?;
        let text = answer.body_mut().read_to_string().map_err(http)?;
        self.took.push((step, begun.elapsed()));
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let answer = Answer {
            status: answer.status().as_u16(),
            location: header("location").unwrap_or_default(),
            cookie: header("set-cookie")
                .map(|cookie| cookie.split(';').next().unwrap_or_default().to_owned()),
            text,
        };
        if answer.status == expected {
            return Ok(answer);
        }
        let code = [answer.word("code"), answer.word("error")].concat();
        Err(LogInError::Refused { step, status: answer.status, code })
    }

    fn form(
        &mut self,
        step: &'static str,
        path: &str,
        pairs: &[(&str, &str)],
        expected: u16,
    ) -> Result<Answer, LogInError> {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.ask(step, ("POST", path), &kind, &encoded(pairs), expected)
    }

    fn json(&mut self, step: &'static str, path: &str, body: &Value) -> Result<Answer, LogInError> {
        let expected = if step == "challenge" { 201 } else { 200 };
        let kind = [("content-type", "application/json")];
        self.ask(step, ("POST", path), &kind, &body.to_string(), expected)
    }

    /// From the relying party over the page and the app to a session, and what that tells.
    fn logs_in(&mut self, phone: &Phone) -> Result<(), LogInError> {
        let verifier = fresh()?;
        let challenge = base64url(&openssl::sha::sha256(verifier.as_bytes()));
        let proof = [("client_id", CLIENT), ("client_secret", SECRET)];
        let request = [
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("scope", "openid"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let pushed = self.form("push", "/oidc/par", &[&proof[..], &request].concat(), 201)?;
        let request_uri = pushed.word("request_uri");
        let query = encoded(&[("client_id", CLIENT), ("request_uri", &request_uri)]);
        let path = format!("/oidc/authorize?{query}");
        let arrived = self.ask("authorize", ("GET", &path), &[], "", 303)?;
        let (cookie, own) = (arrived.cookie.unwrap_or_default(), arrived.location);
        let query = own.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let cookies = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        self.ask("page", ("GET", &format!("/log-in/qr?{query}")), &cookies, "", 200)?;
        let path = format!("/log-in/switch?{query}");
        let url = self.ask("switch", ("POST", &path), &cookies, "", 200)?.word("url");
        let switch = url.split_once("#log-in=").map(|(_, switch)| switch).unwrap_or_default();
        let on = self.approves(phone, switch)?;
        let path = on.strip_prefix(self.base).unwrap_or(&on).to_owned();
        let back = self.ask("continue", ("GET", &path), &cookies, "", 303)?.location;
        let query = back.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.unwrap_or_default()),
            ("redirect_uri", BACK),
            ("code_verifier", &verifier),
        ];
        let tokens = self.form("token", "/oidc/token", &[&proof[..], &grant].concat(), 200)?;
        let bearer = format!("Bearer {}", tokens.word("access_token"));
        self.ask("userinfo", ("GET", "/oidc/userinfo"), &[("authorization", &bearer)], "", 200)?;
        Ok(())
    }

    /// The app's part: where it leads the browser then.
    fn approves(&mut self, phone: &Phone, switch: &str) -> Result<String, LogInError> {
        let own = format!("/v1/authenticators/{}", phone.app);
        let drawn = self.json("challenge", &format!("{own}/challenges"), &Value::Null)?;
        let challenge = drawn.word("challenge");
        let signature = phone.device.sign(Purpose::LogIn, &challenge)?;
        let body = json!({ "challenge": challenge, "signature": signature, "switch": switch });
        let claimed = self.json("claim", &format!("{own}/log-ins"), &body)?;
        let transaction = claimed.word("transaction");
        let shown = base64url(&openssl::sha::sha256(transaction.as_bytes()));
        let (log_in, challenge) = (claimed.word("log_in"), claimed.word("challenge"));
        let signature = phone.device.sign(Purpose::Approve, &format!("{challenge}.{shown}"))?;
        let body = json!({ "challenge": challenge, "signature": signature, "pin": PIN });
        let path = format!("{own}/log-ins/{log_in}/approval");
        Ok(self.json("approve", &path, &body)?.word("return_to"))
    }
}

fn fresh() -> Result<String, LogInError> {
    Ok(base64url(&random::<32>(&SystemEntropy)?))
}

/// `application/x-www-form-urlencoded`: our values have no sign that would have to be written otherwise but
/// those of addresses.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let sign = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    let text = |text: &str| text.bytes().map(sign).collect::<String>();
    let pair = |(name, value): &(&str, &str)| format!("{}={}", text(name), text(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Everybody logs in until there were `wanted` log-ins.
pub(super) fn measure(plan: &Plan, served: &Served, wanted: u32) -> Result<LogIns, LoadError> {
    let phones = made(plan, served).map_err(|error| LoadError::LogIns(Box::new(error)))?;
    let base = served.url();
    let (took, failures) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let next = AtomicU32::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let workers = usize::try_from(plan.at_once.max(1)).unwrap_or(1).min(phones.len());
        for worker in 0..workers {
            let (phones, next, base) = (&phones, &next, &base);
            let (took, failures) = (&took, &failures);
            scope.spawn(move || {
                // Two log-ins of one person at once would stop both: each worker has people of its own.
                let mut own = phones.iter().skip(worker).step_by(workers).cycle();
                let mut client = Client::new(base);
                while next.fetch_add(1, Ordering::Relaxed) < wanted {
                    let Some(phone) = own.next() else { break };
                    let begun = Instant::now();
                    match client.logs_in(phone) {
                        Ok(()) => {
                            held(took).push(("whole", begun.elapsed()));
                            held(took).append(&mut client.took);
                        }
                        Err(error) => {
                            client.took.clear();
                            held(failures).push(chain(&error));
                        }
                    }
                }
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let took = took.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let failures = failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(report(plan, wanted, seconds, (took, failures)))
}

#[expect(clippy::cast_precision_loss, reason = "log-ins are few")]
fn report(
    plan: &Plan,
    wanted: u32,
    seconds: f64,
    (took, failures): (Vec<(&'static str, Duration)>, Vec<String>),
) -> LogIns {
    let mut by_step: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (step, time) in took {
        by_step.entry(step).or_default().push(time);
    }
    let mut figures = |step: &'static str| {
        let mut took = by_step.remove(step).unwrap_or_default();
        took.sort_unstable();
        let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile(&took, percent));
        LogInStep { step, count: took.len(), p50_ms, p99_ms }
    };
    let whole = figures("whole");
    LogIns {
        database: plan.database.name(),
        build: build(),
        processors: thread::available_parallelism().map_or(1, usize::from),
        people: plan.people,
        at_once: plan.at_once,
        wanted,
        done: whole.count,
        seconds,
        per_second: whole.count as f64 / seconds,
        steps: STEPS.iter().map(|step| figures(step)).collect(),
        whole,
        failures,
    }
}

/// The relying party, and so many people with an app.
fn made(plan: &Plan, served: &Served) -> Result<Vec<Phone>, LogInError> {
    let entropy = Arc::new(SystemEntropy);
    let keys = Arc::new(KeyRing::open(&served.folder().join("keys"), None, &SystemEntropy)?);
    let store = served.runtime.block_on(Store::open(&served.database, keys, entropy))?;
    let registration: Registration = toml::from_str(&format!(
        "client_id = \"{CLIENT}\"\nname = \"Netbanken\"\norganisation = \"Banken\"\nsector = \"private\"\n\
         redirect_uris = [\"{BACK}\"]\ntoken_endpoint_auth_method = \"client_secret_post\"\n\
         scopes = [\"openid\"]\n"
    ))?;
    let party = registration.accepted(openssl::sha::sha256(SECRET.as_bytes()), None)?;
    let added = add_relying_party(&store, &party, SystemClock.now());
    served.runtime.block_on(added)?;
    let letters = Letters::new(served.post.mailbox.clone());
    let phones = (0..plan.people.max(1)).map(|nth| {
        let (identity, token) = served.runtime.block_on(issued(&store, nth))?;
        activated(&served.url(), &letters, (nth, &identity.to_string(), &token))
    });
    phones.collect()
}

/// An identity as an enrolment leaves it, written into the rows; and the token of its owner.
async fn issued(store: &Store, nth: u32) -> Result<(IdentityId, String), LogInError> {
    let (now, policy) = (SystemClock.now(), Policy::default());
    let (enrolment, id) =
        (EnrolmentId::random(&SystemEntropy)?, IdentityId::random(&SystemEntropy)?);
    let token = fresh()?;
    let consent = Consent {
        terms_version: "1".to_owned(),
        biometrics: true,
        language: "da".to_owned(),
        at: now,
    };
    let none = Policy { required: Vec::new(), any_of: Vec::new(), ..policy.clone() };
    let issue = decide(&Findings::new(), &none);
    let case = Case::start(&policy, now).consent(consent, "1")?.page_read(now)?.chip_read(now)?;
    let case = case.document_verified(now)?.face_captured(now)?;
    let case = case.settle(&issue, id.uuid(), &policy, now)?;
    let row = Enrolment {
        id: enrolment,
        token_hash: openssl::sha::sha256(token.as_bytes()),
        expires: case.deadline,
        record: Record::new(case),
        version: 0,
        created: now,
    };
    let public = PublicIdentity {
        id,
        level: "Substantial".to_owned(),
        name: format!("Person {nth}"),
        birth_date: "1974-08-12".to_owned(),
        issued_at: "2026-03-01T11:00:00Z".to_owned(),
        jws: String::new(),
    };
    let person = openssl::sha::sha256(format!("{id} {nth}").as_bytes());
    let mut tx = store.begin().await?;
    tx.insert_enrolment(&row).await?;
    tx.erase(enrolment).await?;
    let record = serde_json::to_vec(&public)?.into();
    tx.put_identity(&Identity { id, enrolment, record }, &person, now).await?;
    let record = b"{}".to_vec().into();
    tx.put_evidence(&Evidence { enrolment, identity: id, record }, now).await?;
    tx.commit().await?;
    Ok((id, token))
}

/// The person's app, activated over the public interface.
fn activated(
    base: &str,
    letters: &Letters,
    (nth, identity, token): (u32, &str, &str),
) -> Result<Phone, LogInError> {
    let (phone, email) = (format!("+45{}", 20_000_000 + nth), format!("p{nth}@example.invalid"));
    let mut client = Client::new(base);
    let bearer = format!("Bearer {token}");
    let mut send = |step, (method, path): (&str, String), body: &Value, expected| {
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        client.ask(step, (method, &path), &headers, &body.to_string(), expected)
    };
    let own = format!("/v1/identities/{identity}");
    let user_id = json!({ "user_id": format!("person-{nth}") });
    send("user ID", ("PUT", format!("{own}/user-id")), &user_id, 200)?;
    let contacts = json!({ "phone": phone, "email": email });
    send("contacts", ("PUT", format!("{own}/contacts")), &contacts, 200)?;
    let device = Device::new()?;
    let body = json!({
        "public_key": device.public_key()?, "channels": ["sms", "email"],
        "user_id": user_id.get("user_id"),
    });
    let new = send("app", ("POST", format!("{own}/authenticators")), &body, 201)?;
    let sms = letters.await_code(("sms", &phone), 0, CODE).ok_or(LogInError::NoCode("sms"))?;
    let mail = letters.await_code(("email", &email), 0, CODE);
    let mail = mail.ok_or(LogInError::NoCode("email"))?;
    let (app, challenge) = (new.word("id"), new.word("challenge"));
    let signature = device.sign(Purpose::Activate, &challenge)?;
    let codes = json!({ "sms": sms, "email": mail });
    let body = json!({ "codes": codes, "pin": PIN, "signature": signature });
    send("activation", ("POST", format!("/v1/authenticators/{app}/activation")), &body, 200)?;
    Ok(Phone { device, app })
}
