//! A service on a free port, with its own folder and stand-in registers, and a client for it.

use super::desk::{every_database, fresh_database, one_database};
use enroll_core::check::Check;
use enroll_core::reason::ReasonCode;
use fixtures::catalogue;
use fixtures::chip::Chip;
use fixtures::passport::Passport;
use fixtures::portraits::Portraits;
use mrz::reader::MrzReader;
use nfc::apdu::Response;
use nfc::link::{Batch, Link, LinkError, one_by_one};
use nfc::trust::{Domain, TrustStore};
use serde_json::{Value, json};
use server::app::{App, Faces, Parts, Rules};
use server::clock::{Clock, SystemClock, SystemEntropy, copenhagen_date};
use server::config::{self, Config};
use server::keys::KeyRing;
use server::registers::http::HttpRegisters;
use server::registers::standin::{Holder, Scripted, StandIn};
use server::relay::wire::{Hello, LinkKind};
use server::relay_client::Reader;
use server::storage::{Store, embedded_url};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Says that the face is the right one, or not.
#[derive(Debug, Default)]
pub struct FakeFaces {
    pub other: AtomicBool,
    /// Whether the portrait may be a morph.
    pub morph: AtomicBool,
    /// Held by a test, it keeps the instrument at work.
    pub hold: Mutex<()>,
    /// Whether it is at work.
    pub busy: AtomicBool,
    /// Whether it breaks off.
    pub breaks: AtomicBool,
}

impl Faces for FakeFaces {
    fn checks(&self, portrait: Option<&[u8]>, _: &[u8]) -> Vec<Check> {
        self.busy.store(true, Ordering::Relaxed);
        drop(self.hold.lock().unwrap());
        assert!(!self.breaks.load(Ordering::Relaxed), "the instrument is broken");
        let same = !self.other.load(Ordering::Relaxed);
        let passed = |id| Check::passed(id, json!({}));
        let one = !self.morph.load(Ordering::Relaxed);
        let compared = match portrait {
            Some(_) => [
                Check::of("face.match", same, ReasonCode::FACE_MISMATCH, json!({})),
                Check::of("face.morph", one, ReasonCode::FACE_MORPH_SUSPECTED, json!({})),
            ],
            None => {
                ["face.match", "face.morph"].map(|id| Check::waiting(id, "passive authentication"))
            }
        };
        [passed("face.detected"), passed("face.quality")].into_iter().chain(compared).collect()
    }

    fn models(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// A running service.
pub struct Station {
    pub runtime: tokio::runtime::Runtime,
    pub app: Arc<App>,
    pub store: Store,
    pub trust: Arc<TrustStore>,
    pub faces: Arc<FakeFaces>,
    pub url: String,
    /// The address of its rows.
    pub database: String,
    description: Value,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    serving: JoinHandle<()>,
    pub folder: tempfile::TempDir,
    _registers: StandIn,
}

pub static READER: LazyLock<Arc<MrzReader>> = LazyLock::new(|| Arc::new(MrzReader::new().unwrap()));

impl Station {
    /// One on the database that this run is for.
    pub fn start(passports: &[&Passport], change: impl FnOnce(&mut Config)) -> Self {
        Self::open(one_database().as_deref(), passports, change)
    }

    /// One on every database at hand.
    pub fn all(passports: &[&Passport], change: impl Fn(&mut Config)) -> Vec<Self> {
        let on = |database: Option<String>| Self::open(database.as_deref(), passports, &change);
        every_database().into_iter().map(on).collect()
    }

    fn open(
        postgres: Option<&str>,
        passports: &[&Passport],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let database = match postgres {
            Some(server) => runtime.block_on(fresh_database(server)),
            None => embedded_url(folder.path()),
        };
        let mut config = Config::default();
        config.relay.deadline_ms = 20_000;
        change(&mut config);
        let trust = Arc::new(trusting(passports));
        let faces = Arc::new(FakeFaces::default());
        let registers = runtime.block_on(StandIn::start(registers(passports))).unwrap();
        let (store, parts) =
            runtime.block_on(parts((folder.path(), &database), &trust, &faces, &registers.url()));
        let app = Arc::new(App::new(parts, Rules::from(config)));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            // A station that is dropped is not stopped: its runtime is.
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        let (url, serving) = runtime.block_on(listen(app.clone(), stopped));
        let description = description(&url);
        let stop = Mutex::new(Some(stop));
        Self {
            runtime,
            app,
            store,
            trust,
            faces,
            url,
            database,
            description,
            stop,
            serving,
            folder,
            _registers: registers,
        }
    }

    /// `enroll ARGS` over the station's data.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enroll"));
        command.args(args).env("INDRUL_DATA", self.folder.path());
        command.env_remove("INDRUL_CONFIG").env("INDRUL_DATABASE__URL", &self.database);
        command
    }

    /// Asks the service to end.
    pub fn stop(&self) {
        self.stop.lock().unwrap().take().unwrap().send(()).unwrap();
    }

    pub fn has_ended(&self) -> bool {
        self.serving.is_finished()
    }

    /// Calls the service and fails if its description does not declare the answer.
    pub fn call(&self, call: Call<'_>) -> (u16, Value) {
        ask(&self.url, &self.description, call)
    }
}

/// Calls the service at `url` and fails if `description` does not declare the answer.
pub fn ask(url: &str, description: &Value, call: Call<'_>) -> (u16, Value) {
    let request = ureq::http::Request::builder()
        .method(call.method)
        .uri(format!("{url}{}", call.path))
        .header("authorization", format!("Bearer {}", call.token))
        .header("content-type", call.kind);
    let from = call.from.iter();
    let request = from.fold(request, |request, from| request.header("x-forwarded-for", *from));
    let request = request.body(call.body.to_vec()).unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let mut answer = agent.run(request).unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let expected = if status < 400 { "application/json" } else { "application/problem+json" };
    assert_eq!(kind, expected, "{} {}", call.method, call.path);
    declared(description, &call, status);
    (status, answer.body_mut().read_json().unwrap())
}

fn declared(description: &Value, call: &Call<'_>, status: u16) {
    let path = call.path.split('?').next().unwrap();
    let same = |(part, found): (&str, &str)| part == found || part.starts_with('{');
    let is_of = |pattern: &str| {
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(same)
    };
    let patterns = description["paths"].as_object().unwrap();
    // A name stands before a place for any.
    let pattern = patterns.keys().filter(|pattern| is_of(pattern)).min_by_key(|p| p.contains('{'));
    let Some(pattern) = pattern else { return };
    let operation = &patterns[pattern][call.method.to_lowercase()];
    if !operation.is_null() {
        let declared = &operation["responses"][status.to_string()];
        assert!(declared.is_object(), "{} {pattern} does not declare {status}", call.method);
    }
}

/// The description of the service at `url`.
pub fn description(url: &str) -> Value {
    let description = ureq::get(format!("{url}/openapi.json")).call().unwrap();
    description.into_body().read_json().unwrap()
}

/// One call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: &'a str,
    pub kind: &'a str,
    pub body: &'a [u8],
    /// The address that a proxy says it comes from.
    pub from: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub fn new(method: &'a str, path: &'a str, body: &'a [u8]) -> Self {
        Self { method, path, token: "", kind: "application/json", body, from: None }
    }
}

/// Serves `app` on a free port until `stop` is done.
pub async fn listen(
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server::http::finish(server::http::router(app.clone()));
    let grace = app.grace();
    let serving = tokio::spawn(async move {
        server::serve_until(app, (listener, router), stop, grace).await.unwrap();
    });
    (url, serving)
}

async fn parts(
    (folder, database): (&std::path::Path, &str),
    trust: &Arc<TrustStore>,
    faces: &Arc<FakeFaces>,
    registers: &str,
) -> (Store, Parts) {
    let entropy = Arc::new(SystemEntropy);
    let keys = Arc::new(KeyRing::open(&folder.join("keys"), None, entropy.as_ref()).unwrap());
    let store = Store::open(database, keys.clone(), entropy.clone()).await.unwrap();
    let base = Some(registers.to_owned());
    let mut rules = config::Registers {
        persons_url: base.clone(),
        documents_url: base.clone(),
        appointments_url: base,
        ..config::Registers::default()
    };
    let registers = Arc::new(HttpRegisters::of(&mut rules).unwrap());
    let parts = Parts {
        store: store.clone(),
        keys,
        clock: Arc::new(SystemClock),
        entropy,
        trust: trust.clone(),
        faces: faces.clone(),
        mrz: READER.clone(),
        registers: registers.clone(),
        appointments: registers,
    };
    (store, parts)
}

fn trusting(passports: &[&Passport]) -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    for passport in passports {
        store.add_der(&passport.trust.csca).unwrap();
        store.add_crl_der(&passport.trust.crl).unwrap();
    }
    store
}

fn registers(passports: &[&Passport]) -> Scripted {
    let mut script = Scripted::default();
    for passport in passports {
        let holder = serde_json::to_value(&passport.holder).unwrap();
        script.add_holder(&serde_json::from_value::<Holder>(holder).unwrap());
    }
    script
}

/// The fixture `name`, with a drawn portrait.
pub fn passport(name: &str) -> Passport {
    let entry = catalogue::find(name).unwrap();
    Passport::make(&entry.spec, &Portraits::drawn(), copenhagen_date(SystemClock.now())).unwrap()
}

/// The emulated chip as a reader of the relay's client.
pub struct ChipLink(pub Chip);

impl Link for ChipLink {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            // The chip answers nothing once it was torn away.
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

impl Reader for ChipLink {
    fn start(&mut self) -> Result<Hello, LinkError> {
        self.0.reset();
        Ok(Hello {
            version: 1,
            link: LinkKind::Nfc,
            max_command: 261,
            max_response: 65_538,
            extended_length: true,
        })
    }
}
