//! What must hold after all that.

use super::citizen::End;
use enroll_core::check::Check;
use indrul_tests::letters::Letters;
use indrul_tests::people::People;
use indrul_tests::served::Served;
use mrz::reader::MrzReader;
use nfc::trust::{Domain, TrustStore};
use serde_json::Value;
use server::app::{App, Faces, Parts, Rules};
use server::clock::{Clock, SystemClock, SystemEntropy};
use server::config::Config;
use server::keys::KeyRing;
use server::registers::NoRegisters;
use server::storage::Store;
use sqlx::AnyPool;
use sqlx::Row;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The rows as they lie, read beside the server's own code.
struct Rows<'a> {
    served: &'a Served,
    pool: AnyPool,
}

impl<'a> Rows<'a> {
    fn of(served: &'a Served) -> Self {
        install_default_drivers();
        let connect = AnyPoolOptions::new().max_connections(1).connect(&served.database);
        Self { served, pool: served.runtime.block_on(connect).unwrap() }
    }

    fn texts(&self, query: &'static str) -> Vec<String> {
        let rows = self.served.runtime.block_on(sqlx::query(query).fetch_all(&self.pool)).unwrap();
        rows.iter().map(|row| row.try_get(0).unwrap()).collect()
    }

    fn count(&self, query: &'static str) -> i64 {
        let row = self.served.runtime.block_on(sqlx::query(query).fetch_one(&self.pool)).unwrap();
        row.try_get(0).unwrap()
    }
}

/// Waits until nothing is left in the outbox but dead letters.
pub fn delivered(served: &Served) {
    let rows = Rows::of(served);
    let begun = Instant::now();
    while rows.count("SELECT COUNT(*) FROM outbox WHERE dead = 0") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(240), "messages stay in the outbox");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// All of it, with the server stopped.
pub fn everything_holds(
    served: &Served,
    people: &People,
    letters: &Letters,
    ends: &BTreeMap<u32, End>,
) {
    let rows = Rows::of(served);
    identities(&rows, people, ends);
    notices(&rows, people, letters);
    cases(&rows, ends);
    trail(served);
    for identity in rows.texts("SELECT id FROM identities") {
        proves(served, &identity);
    }
    expired(&rows);
}

/// One for each person, each with its evidence, and those that people were told of.
fn identities(rows: &Rows<'_>, people: &People, ends: &BTreeMap<u32, End>) {
    let issued: BTreeSet<String> = rows.texts("SELECT id FROM identities").into_iter().collect();
    let told: BTreeSet<String> = ends.values().map(|end| end.identity.clone()).collect();
    assert_eq!(issued, told, "identities and what people were told");
    assert_eq!(issued.len(), usize::try_from(people.count()).unwrap(), "one for each person");
    let bare = rows.count(
        "SELECT COUNT(*) FROM identities WHERE NOT EXISTS
         (SELECT 1 FROM evidence WHERE evidence.enrolment = identities.enrolment
          AND evidence.identity = identities.id)",
    );
    assert_eq!(bare, 0, "identities without evidence");
    let active = rows.count(
        "SELECT COUNT(DISTINCT identity) FROM authenticators WHERE record LIKE '%\"active\"%'",
    );
    assert_eq!(active, i64::from(people.count()), "identities with an app");
}

/// The evidence is sound, checked anew from what is stored.
fn proves(served: &Served, identity: &str) {
    let checked = served.run(&["evidence", "verify", "--json", identity]).unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{said} {}", String::from_utf8_lossy(&checked.stderr));
}

/// What was to be told was told, or is known not to have been.
fn notices(rows: &Rows<'_>, people: &People, letters: &Letters) {
    let entries: Vec<Value> = rows
        .texts("SELECT entry FROM audit ORDER BY seq")
        .iter()
        .map(|entry| serde_json::from_str(entry).unwrap())
        .collect();
    let of = |kinds: &[&str]| -> BTreeSet<String> {
        let fit = entries.iter().filter(|entry| kinds.contains(&kind(entry)));
        fit.map(|entry| message(entry).to_owned()).collect()
    };
    let sent = of(&["notice.sent", "notice.fell_over"]);
    let ended = of(&["notice.delivered", "notice.dead"]);
    assert!(sent.len() >= 4 * usize::try_from(people.count()).unwrap(), "two codes, two notices");
    let lost: Vec<_> = sent.difference(&ended).collect();
    assert!(lost.is_empty(), "sent, and neither delivered nor dead: {lost:?}");
    let dead = of(&["notice.dead"]).len();
    for nth in 0..people.count() {
        let (phone, email) = (format!("+452{nth:07}"), format!("person-{nth}@example.invalid"));
        for (channel, to) in [("sms", phone), ("email", email)] {
            let texts = letters.texts(channel, &to);
            let codes = texts.iter().filter(|text| text.contains("Your code is ")).count();
            assert!(codes >= 1 && texts.len() > codes, "{channel} of person {nth}: {dead} dead");
        }
    }
    println!("{} messages, {dead} dead letters", sent.len());
}

fn kind(entry: &Value) -> &str {
    entry["kind"].as_str().unwrap()
}

fn message(entry: &Value) -> &str {
    entry["data"]["message"].as_str().unwrap()
}

/// Each that ended has a reason and nothing personal left.
fn cases(rows: &Rows<'_>, ends: &BTreeMap<u32, End>) {
    for table in ["sealed", "data_keys", "tickets"] {
        let left = match table {
            "sealed" => rows.count(
                "SELECT COUNT(*) FROM sealed JOIN enrolments ON id = enrolment WHERE ended = 1",
            ),
            "data_keys" => rows.count(
                "SELECT COUNT(*) FROM data_keys JOIN enrolments ON id = enrolment WHERE ended = 1",
            ),
            _ => rows.count(
                "SELECT COUNT(*) FROM tickets JOIN enrolments ON id = enrolment WHERE ended = 1",
            ),
        };
        assert_eq!(left, 0, "{table} of cases that have ended");
    }
    let (broken, anew) = ends.values().fold((0, 0), |(broken, anew), end| {
        (broken + end.broken, anew + end.cases.iter().filter(|case| case.1.is_some()).count())
    });
    let all = rows.count("SELECT COUNT(*) FROM enrolments");
    let open = rows.count("SELECT COUNT(*) FROM enrolments WHERE ended = 0");
    println!("{all} cases, {anew} ended otherwise, {open} left behind; {broken} answers lost");
}

fn trail(served: &Served) {
    let followed = served.run(&["audit", "verify", "--json"]).unwrap();
    let said = String::from_utf8_lossy(&followed.stdout).into_owned();
    assert!(followed.status.success(), "{said} {}", String::from_utf8_lossy(&followed.stderr));
    println!("audit: {}", said.trim());
}

/// In a year the cases that people left behind, because they never heard of them, have ended too, and
/// nothing personal of any case is left.
fn expired(rows: &Rows<'_>) {
    let served = rows.served;
    let entropy = Arc::new(SystemEntropy);
    let keys =
        Arc::new(KeyRing::open(&served.folder().join("keys"), None, &SystemEntropy).unwrap());
    let store = Store::open(&served.database, keys.clone(), entropy.clone());
    let store = served.runtime.block_on(store).unwrap();
    let parts = Parts {
        store,
        keys,
        clock: Arc::new(InAYear),
        entropy,
        trust: Arc::new(TrustStore::new(Domain::Production)),
        faces: Arc::new(Nobody),
        mrz: Arc::new(MrzReader::new().unwrap()),
        registers: Arc::new(NoRegisters),
        appointments: Arc::new(NoRegisters),
    };
    let app = App::new(parts, Rules::from(Config::default()));
    while served.runtime.block_on(app.expire_overdue()).unwrap() > 0 {}
    for (what, left) in [
        ("cases", rows.count("SELECT COUNT(*) FROM enrolments WHERE ended = 0")),
        ("sealed", rows.count("SELECT COUNT(*) FROM sealed")),
        ("data_keys", rows.count("SELECT COUNT(*) FROM data_keys")),
        ("tickets", rows.count("SELECT COUNT(*) FROM tickets")),
    ] {
        assert_eq!(left, 0, "{what} that a year does not end");
    }
    trail(served);
}

#[derive(Debug)]
struct InAYear;

impl Clock for InAYear {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + time::Duration::days(365)
    }
}

/// No case is looked at any more.
struct Nobody;

impl Faces for Nobody {
    fn checks(&self, _: Option<&[u8]>, _: &[u8]) -> Vec<Check> {
        Vec::new()
    }

    fn models(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
