//! A service whose clock the test sets, with stand-ins for mail and SMS, on each database at hand;
//! and citizens who have an identity and hold a device.

use super::station::{Call, FakeFaces, READER, ask, description, listen};
use enroll_core::case::{Case, Consent};
use enroll_core::device_key::{Purpose, message};
use enroll_core::policy::Policy;
use enroll_core::{Findings, decide};
use fixtures::leaks::leak;
use nfc::trust::{Domain, TrustStore};
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::Private;
use serde_json::{Value, json};
use server::app::{App, Parts, PublicIdentity, Rules};
use server::clock::{Clock, SystemEntropy};
use server::config::Config;
use server::ids::{EnrolmentId, IdentityId};
use server::keys::{KeyRing, base64url};
use server::notices::standin::{Arrived, StandIns};
use server::notices::{Post, Worker};
use server::record::Record;
use server::registers::{NoRegisters, Registers};
use server::storage::{Enrolment, Evidence, Identity, Store, embedded_url};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use std::future::pending;
use std::sync::{Arc, Mutex};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Where every clock begins: a winter noon in Copenhagen.
pub const NOON: OffsetDateTime = datetime!(2026-03-01 11:00 UTC);

/// A clock that stands until it is set.
#[derive(Debug)]
pub struct SetClock(Mutex<OffsetDateTime>);

impl Clock for SetClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

/// The service under test.
pub struct Desk {
    pub runtime: tokio::runtime::Runtime,
    pub app: Arc<App>,
    pub store: Store,
    pub post: StandIns,
    pub worker: Worker,
    clock: Arc<SetClock>,
    policy: Policy,
    url: String,
    from: Mutex<Option<&'static str>>,
    database: String,
    description: Value,
    folder: tempfile::TempDir,
}

impl Desk {
    /// One on every database at hand.
    pub fn all() -> Vec<Self> {
        Self::all_asking(&(Arc::new(NoRegisters) as Arc<dyn Registers>))
    }

    /// The same, with registers to ask.
    pub fn all_asking(registers: &Arc<dyn Registers>) -> Vec<Self> {
        let on =
            |database: Option<String>| Self::open(database.as_deref(), registers.clone(), |_| {});
        every_database().into_iter().map(on).collect()
    }

    /// One on every database, with another configuration.
    pub fn all_changed(change: fn(&mut Config)) -> Vec<Self> {
        let on = |database: Option<String>| {
            Self::open(database.as_deref(), Arc::new(NoRegisters), change)
        };
        every_database().into_iter().map(on).collect()
    }

    /// One with another configuration, on the database that this run is for.
    pub fn changed(change: impl FnOnce(&mut Config)) -> Self {
        Self::open(one_database().as_deref(), Arc::new(NoRegisters), change)
    }

    fn open(
        postgres: Option<&str>,
        registers: Arc<dyn Registers>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let database = match postgres {
            Some(server) => runtime.block_on(fresh_database(server)),
            None => embedded_url(folder.path()),
        };
        let mut config = Config::default();
        let post = runtime.block_on(StandIns::start()).unwrap();
        post.configure(&mut config.notices);
        config.notices.timeout_ms = 20_000;
        config.server.name = "Prøvetjenesten".to_owned();
        config.server.answers_as_host = true;
        change(&mut config);
        let (entropy, clock) = (Arc::new(SystemEntropy), Arc::new(SetClock(Mutex::new(NOON))));
        let ring = KeyRing::open(&folder.path().join("keys"), None, &SystemEntropy).unwrap();
        let keys = Arc::new(ring);
        let opened = Store::open(&database, keys.clone(), entropy.clone());
        let store = runtime.block_on(opened).unwrap();
        let parts = Parts {
            store: store.clone(),
            keys,
            clock: clock.clone(),
            entropy: entropy.clone(),
            trust: Arc::new(TrustStore::new(Domain::Qa)),
            faces: Arc::new(FakeFaces::default()),
            mrz: READER.clone(),
            registers,
            appointments: Arc::new(NoRegisters),
        };
        let channels = Arc::new(Post::new(&mut config.notices).unwrap());
        let notices = Arc::new(std::mem::take(&mut config.notices));
        let worker = Worker::new(store.clone(), channels, clock.clone(), entropy, notices);
        let policy = config.policy.clone();
        let app = Arc::new(App::new(parts, Rules::from(config)));
        let (url, _) = runtime.block_on(listen(app.clone(), pending()));
        let description = description(&url);
        Self {
            runtime,
            app,
            store,
            post,
            worker,
            clock,
            policy,
            url,
            from: Mutex::default(),
            database,
            description,
            folder,
        }
    }

    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Everything that the database holds, as it lies there; PostgreSQL gives bytes in hex.
    pub fn rows(&self) -> String {
        if self.database.starts_with("postgres") {
            return self.runtime.block_on(dump(&self.database));
        }
        let entries = std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.is_file());
        let bytes: Vec<u8> = files.flat_map(|path| std::fs::read(path).unwrap()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether what is stored has `secret` in clear, as text or as hex. A row of PostgreSQL keeps its
    /// values apart, so that digits in the hex of another are no code; a file of SQLite does not.
    pub fn stores(&self, secret: &str) -> bool {
        let rows = self.rows();
        let found = match self.database.starts_with("postgres") {
            true => leak(&rows, secret).is_some(),
            false => rows.contains(secret),
        };
        found || rows.contains(&hex::encode(secret))
    }

    /// Leaves in the profile of an identity what does not open.
    pub fn spoil_profile(&self, identity: IdentityId) {
        self.runtime.block_on(async {
            let pool =
                AnyPoolOptions::new().max_connections(1).connect(&self.database).await.unwrap();
            let spoilt = sqlx::query("UPDATE profiles SET sealed = $1 WHERE identity = $2")
                .bind(vec![0_u8; 64])
                .bind(identity.to_string())
                .execute(&pool);
            assert_eq!(spoilt.await.unwrap().rows_affected(), 1);
            pool.close().await;
        });
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn wait(&self, time: Duration) {
        *self.clock.0.lock().unwrap() += time;
    }

    pub fn call(&self, call: Call<'_>) -> (u16, Value) {
        let from = *self.from.lock().unwrap();
        ask(&self.url, &self.description, Call { from, ..call })
    }

    /// Whatever is called from now on comes from `address`, as a proxy says.
    pub fn calls_come_from(&self, address: &'static str) {
        *self.from.lock().unwrap() = Some(address);
    }

    /// The same at another address.
    pub fn call_at(&self, url: &str, call: Call<'_>) -> (u16, Value) {
        ask(url, &self.description, call)
    }

    /// The header `Link` of what is answered to a GET.
    pub fn link(&self, path: &str, token: &str) -> String {
        let bearer = format!("Bearer {token}");
        let request = ureq::get(format!("{}{path}", self.url)).header("authorization", bearer);
        let answer = request.call().unwrap();
        let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        link.unwrap_or_default()
    }

    /// Another server over the same rows, with the same keys and clock: its address.
    pub fn beside(&self) -> String {
        self.runtime.block_on(listen(self.app_beside(|_| {}), pending())).0
    }

    /// The same with another configuration, and without an address.
    pub fn app_beside(&self, change: impl FnOnce(&mut Config)) -> Arc<App> {
        let entropy = Arc::new(SystemEntropy);
        let keys = self.app.keys();
        let opened = Store::open(&self.database, keys.clone(), entropy.clone());
        let mut config = Config::default();
        config.server.answers_as_host = true;
        change(&mut config);
        let parts = Parts {
            store: self.runtime.block_on(opened).unwrap(),
            keys,
            clock: self.clock.clone(),
            entropy,
            trust: Arc::new(TrustStore::new(Domain::Qa)),
            faces: Arc::new(FakeFaces::default()),
            mrz: READER.clone(),
            registers: Arc::new(NoRegisters),
            appointments: Arc::new(NoRegisters),
        };
        Arc::new(App::new(parts, Rules::from(config)))
    }

    /// A call whose body is JSON, without a token.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call(Call::new("POST", path, body.to_string().as_bytes()))
    }

    /// Empties the outbox, as far as the channels let it, and gives what has arrived since.
    pub fn deliver(&self) -> Vec<Arrived> {
        let before = self.post.mailbox.arrived().len();
        while self.runtime.block_on(self.worker.round()).unwrap().delivered > 0 {}
        self.post.mailbox.arrived().split_off(before)
    }

    /// A person, by number, who has just been issued an identity; the same one as before if they had
    /// one.
    pub fn enrolled(&self, person: u8) -> Citizen<'_> {
        self.enrolled_with([person; 32])
    }

    /// The same for the person of this hash.
    pub fn enrolled_with(&self, hash: [u8; 32]) -> Citizen<'_> {
        let enrolment = EnrolmentId::random(&SystemEntropy).unwrap();
        let token = format!("token of {enrolment}");
        let identity = self.runtime.block_on(self.issue(hash, enrolment, &token));
        Citizen { desk: self, identity, enrolment, token, device: Device::new() }
    }

    async fn issue(&self, hash: [u8; 32], enrolment: EnrolmentId, token: &str) -> IdentityId {
        let mut tx = self.store.begin().await.unwrap();
        let known = tx.identity_of(&hash).await.unwrap();
        let id = known.unwrap_or_else(|| IdentityId::random(&SystemEntropy).unwrap());
        let case = self.issued_case(id);
        let row = Enrolment {
            id: enrolment,
            token_hash: openssl::sha::sha256(token.as_bytes()),
            expires: case.deadline,
            record: Record::new(case),
            version: 0,
            created: self.now(),
        };
        tx.insert_enrolment(&row).await.unwrap();
        tx.erase(enrolment).await.unwrap();
        let record = PublicIdentity {
            id,
            level: "Substantial".to_owned(),
            name: "Anna Maria Eriksson".to_owned(),
            birth_date: "1974-08-12".to_owned(),
            issued_at: "2026-03-01T11:00:00Z".to_owned(),
            jws: String::new(),
        };
        let record = Zeroizing::new(serde_json::to_vec(&record).unwrap());
        let identity = Identity { id, enrolment, record };
        tx.put_identity(&identity, &hash, self.now()).await.unwrap();
        let evidence = Evidence { enrolment, identity: id, record: Zeroizing::new(b"{}".to_vec()) };
        tx.put_evidence(&evidence, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn issued_case(&self, identity: IdentityId) -> Case {
        let (now, policy) = (self.now(), &self.policy);
        let (terms_version, language) = ("1".to_owned(), "da".to_owned());
        let consent = Consent { terms_version, biometrics: true, language, at: now };
        let none = Policy { required: Vec::new(), any_of: Vec::new(), ..policy.clone() };
        let issue = decide(&Findings::new(), &none);
        let case = Case::start(policy, now).consent(consent, "1").unwrap();
        let case = case.page_read(now).unwrap().chip_read(now).unwrap();
        let case = case.document_verified(now).unwrap().face_captured(now).unwrap();
        case.settle(&issue, identity.uuid(), policy, now).unwrap()
    }
}

/// The database that this run is for, where it is for one: `INDRUL_TEST_DATABASE` is `sqlite` or `postgres`.
fn wanted() -> Option<String> {
    std::env::var("INDRUL_TEST_DATABASE").ok()
}

fn postgres() -> Option<String> {
    std::env::var("INDRUL_TEST_POSTGRES").ok()
}

/// The PostgreSQL server to make a database on, or nothing for SQLite.
pub fn one_database() -> Option<String> {
    (wanted().as_deref() == Some("postgres")).then(|| postgres().unwrap())
}

/// The same of all that this run is for: of both, if it is not for one and there is a server.
#[expect(clippy::print_stdout, reason = "says what is skipped")]
pub fn every_database() -> Vec<Option<String>> {
    if wanted().is_some() {
        return vec![one_database()];
    }
    let server = postgres();
    if server.is_none() {
        println!("skipped on PostgreSQL: INDRUL_TEST_POSTGRES is not set");
    }
    std::iter::once(None).chain(server.map(Some)).collect()
}

/// Every row of every table of a PostgreSQL database, as text.
async fn dump(database: &str) -> String {
    let pool = AnyPoolOptions::new().max_connections(1).connect(database).await.unwrap();
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let mut rows = String::new();
    for (table,) in sqlx::query_as::<_, (String,)>(tables).fetch_all(&pool).await.unwrap() {
        let all = sqlx::AssertSqlSafe(format!("SELECT t::text FROM \"{table}\" AS t"));
        for (row,) in sqlx::query_as::<_, (String,)>(all).fetch_all(&pool).await.unwrap() {
            rows += &row;
        }
    }
    rows
}

pub async fn fresh_database(server: &str) -> String {
    install_default_drivers();
    let name = EnrolmentId::random(&SystemEntropy).unwrap().to_string().replace('-', "");
    let admin = AnyPoolOptions::new().max_connections(1).connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE indrul_{name}"));
    sqlx::query(create).execute(&admin).await.unwrap();
    admin.close().await;
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let base = base.rsplit_once('/').unwrap().0;
    format!("{base}/indrul_{name}?{query}")
}

/// A key that a device holds.
pub struct Device(pub EcKey<Private>);

impl Device {
    pub fn new() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        Self(EcKey::generate(&group).unwrap())
    }

    pub fn public_key(&self) -> String {
        let mut context = BigNumContext::new().unwrap();
        let (group, form) = (self.0.group(), PointConversionForm::UNCOMPRESSED);
        base64url(&self.0.public_key().to_bytes(group, form, &mut context).unwrap())
    }

    pub fn sign(&self, purpose: Purpose, challenge: &str) -> String {
        self.sign_bytes(message(purpose, challenge).as_bytes())
    }

    pub fn sign_bytes(&self, bytes: &[u8]) -> String {
        let digest = openssl::sha::sha256(bytes);
        let signature = EcdsaSig::sign(&digest, &self.0).unwrap();
        let [r, s] = [signature.r(), signature.s()].map(|n| n.to_vec_padded(32).unwrap());
        base64url(&[r, s].concat())
    }
}

/// A person with an identity, the token of its enrolment and a device.
pub struct Citizen<'a> {
    pub desk: &'a Desk,
    pub identity: IdentityId,
    pub enrolment: EnrolmentId,
    pub token: String,
    pub device: Device,
}

pub const PHONE: &str = "+4520304050";
pub const EMAIL: &str = "anna.eriksson@example.invalid";
pub const PIN: &str = "284917";

impl Citizen<'_> {
    pub fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let call = Call::new(method, path, body.as_bytes());
        self.desk.call(Call { token: &self.token, ..call })
    }

    /// A call about the identity.
    pub fn own(&self, method: &str, step: &str, body: &Value) -> (u16, Value) {
        self.call(method, &format!("/v1/identities/{}{step}", self.identity), body)
    }

    /// Chooses a user ID of their own, and says where they are reached.
    pub fn reach(&self, phone: &str) {
        let name = json!({ "user_id": self.name() });
        let (status, answer) = self.own("PUT", "/user-id", &name);
        assert_eq!(status, 200, "{answer}");
        let reach = json!({ "phone": phone, "email": EMAIL, "user_id": self.name() });
        let (status, answer) = self.own("PUT", "/contacts", &reach);
        assert_eq!(status, 200, "{answer}");
    }

    /// The user ID of their own. Letters only: ten digits in a row are none.
    pub fn name(&self) -> String {
        self.identity.to_string().replace(|c: char| c.is_ascii_digit(), "x")
    }

    pub fn ask_for_codes(&self) -> (u16, Value) {
        self.ask_for_codes_as(&self.name())
    }

    /// The same with another user ID.
    pub fn ask_for_codes_as(&self, user_id: &str) -> (u16, Value) {
        let (key, channels) = (self.device.public_key(), ["sms", "email"]);
        let body = json!({ "public_key": key, "channels": channels, "user_id": user_id });
        self.own("POST", "/authenticators", &body)
    }

    /// Registers the device and takes the codes that arrive.
    pub fn registered(&self) -> Pending {
        let (status, answer) = self.ask_for_codes();
        assert_eq!(status, 201, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (id, challenge) = (text("id"), text("challenge"));
        self.arrived(&Pending { id, challenge, sms: String::new(), email: String::new() })
    }

    /// The same app with the codes that have arrived since.
    pub fn arrived(&self, of: &Pending) -> Pending {
        let arrived = self.desk.deliver();
        let code = |channel: &str| {
            let of_channel = arrived.iter().filter(|message| message.channel == channel);
            of_channel.filter_map(|message| code_in(&message.text)).next_back().unwrap()
        };
        Pending { sms: code("sms"), email: code("email"), ..of.clone() }
    }

    pub fn activation(&self, pending: &Pending) -> Value {
        json!({
            "codes": { "sms": pending.sms, "email": pending.email },
            "pin": PIN,
            "signature": self.device.sign(Purpose::Activate, &pending.challenge),
        })
    }

    pub fn activate(&self, pending: &Pending, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("/v1/authenticators/{}/activation", pending.id), body)
    }

    /// The whole way to an app; gives its identifier.
    pub fn with_app(&self) -> String {
        self.reach(PHONE);
        let pending = self.registered();
        let (status, answer) = self.activate(&pending, &self.activation(&pending));
        assert_eq!((status, &answer["state"]), (200, &json!("active")), "{answer}");
        pending.id
    }

    pub fn challenge(&self, id: &str) -> (u16, Value) {
        self.desk.post(&format!("/v1/authenticators/{id}/challenges"), &Value::Null)
    }

    /// Proof of the app `id` for a QR code.
    pub fn proof(&self, id: &str, pin: &str) -> Value {
        let (status, answer) = self.challenge(id);
        assert_eq!(status, 201, "{answer}");
        self.answer(&answer, pin)
    }

    /// The answer of this device to a challenge.
    pub fn answer(&self, answer: &Value, pin: &str) -> Value {
        let challenge = answer["challenge"].as_str().unwrap();
        let signature = self.device.sign(Purpose::Offer, challenge);
        json!({ "challenge": challenge, "signature": signature, "pin": pin })
    }

    pub fn offer(&self, id: &str, pin: &str) -> (u16, Value) {
        let path = format!("/v1/authenticators/{id}/copies");
        let (status, challenge) = self.challenge(id);
        if status != 201 {
            return (status, challenge);
        }
        self.desk.post(&path, &self.answer(&challenge, pin))
    }
}

/// An app whose codes have arrived.
#[derive(Clone)]
pub struct Pending {
    pub id: String,
    pub challenge: String,
    pub sms: String,
    pub email: String,
}

/// What follows "Your code is " in a message.
pub fn code_in(text: &str) -> Option<String> {
    // E-mails come in quoted-printable, with lines broken anywhere (RFC 2045 §6.7).
    let text = text.replace("=\n", "").replace('\n', " ");
    let (_, rest) = text.split_once("Your code is ")?;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}

/// The reason code of a refusal.
pub fn refusal((status, answer): (u16, Value)) -> (u16, String) {
    (status, answer["code"].as_str().unwrap_or_default().to_owned())
}

/// A refusal to compare with.
pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
