//! Copies of the database (docs/operations.md): they can be started from, and do not hold what was
//! erased before they were made.

use super::testing::{Fresh, sqlite};
use super::*;
use crate::clock::SystemEntropy;
use crate::ids::EnrolmentId;
use sqlx::Row;
use std::process::Command;
use time::macros::datetime;

/// A started enrolment with a sealed value; its data key and value as they are stored.
async fn started(store: &Store) -> (EnrolmentId, [Vec<u8>; 2]) {
    let enrolment = tests::enrolment();
    let mut tx = store.begin().await.unwrap();
    tx.insert_enrolment(&enrolment).await.unwrap();
    tx.put(enrolment.id, "cpr", b"0101900000").await.unwrap();
    let id = enrolment.id.to_string();
    let mut found = Vec::new();
    for query in [
        "SELECT wrapped AS value FROM data_keys WHERE enrolment = $1",
        "SELECT bytes AS value FROM sealed WHERE enrolment = $1",
    ] {
        let row = sqlx::query(query).bind(id.clone()).fetch_one(&mut *tx.inner).await.unwrap();
        found.push(row.try_get("value").unwrap());
    }
    tx.commit().await.unwrap();
    (enrolment.id, found.try_into().unwrap())
}

async fn erase(store: &Store, id: EnrolmentId) {
    let mut tx = store.begin().await.unwrap();
    tx.erase(id).await.unwrap();
    tx.commit().await.unwrap();
}

fn holds(copy: &[u8], value: &[u8]) -> bool {
    copy.windows(value.len()).any(|window| window == value)
}

/// What was open at the copy opens in it, what was erased is erased, and the trail is whole.
async fn check(copy: &Store, open: EnrolmentId, erased: EnrolmentId) {
    let mut tx = copy.begin().await.unwrap();
    assert_eq!(tx.get(open, "cpr").await.unwrap().unwrap().as_slice(), b"0101900000");
    assert!(matches!(tx.get(erased, "cpr").await, Err(StorageError::Erased)));
    drop(tx);
    let head = crate::commands::audit::follow_all(copy).await.unwrap().unwrap();
    assert_eq!(head.seq, 1);
}

async fn filled(fresh: &Fresh) -> (EnrolmentId, EnrolmentId, [Vec<u8>; 2], [Vec<u8>; 2]) {
    let store = &fresh.store;
    let ((open, kept), (ended, gone)) = (started(store).await, started(store).await);
    let mut tx = store.begin().await.unwrap();
    let (time, data) = (datetime!(2026-01-01 0:00 UTC), serde_json::json!({}));
    let kind = "case.started".to_owned();
    tx.audit(enroll_core::audit::Event { time, kind, case: None, data }).await.unwrap();
    tx.commit().await.unwrap();
    (open, ended, kept, gone)
}

#[tokio::test]
async fn a_copy_of_the_embedded_database_opens_and_holds_nothing_that_was_erased() {
    // proves D8 (copies)
    let fresh = sqlite().await;
    let (open, ended, kept, gone) = filled(&fresh).await;
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = ["before.db", "indrul.db"].map(|name| dir.path().join(name));
    fresh.store.copy_to(&before).await.unwrap();
    erase(&fresh.store, ended).await;
    fresh.store.copy_to(&after).await.unwrap();
    assert!(fresh.store.copy_to(&after).await.is_err(), "a copy is written over");
    let [before, copy] = [before, after].map(|path| std::fs::read(path).unwrap());
    for value in &gone {
        assert!(holds(&before, value), "the test looks for the wrong bytes");
        assert!(!holds(&copy, value), "an erased value lives on in the copy");
    }
    assert!(kept.iter().all(|value| holds(&copy, value)));
    let keys = Arc::new(KeyRing::open(&fresh.keys_dir(), None, &SystemEntropy).unwrap());
    let url = embedded_url(dir.path());
    let restored = Store::open(&url, keys, Arc::new(SystemEntropy)).await.unwrap();
    check(&restored, open, ended).await;
}

/// One of PostgreSQL's programs, of the newest version there is.
fn program(name: &str) -> Command {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    Command::new(found.pop().unwrap_or_else(|| name.into()))
}

#[tokio::test]
async fn a_dump_of_postgresql_can_be_put_back_and_holds_nothing_that_was_erased() {
    // proves D8 (copies)
    let Some(fresh) = testing::postgres().await else { return };
    let (open, ended, kept, gone) = filled(&fresh).await;
    assert!(matches!(
        fresh.store.copy_to(Path::new("/nowhere")).await,
        Err(StorageError::NotEmbedded)
    ));
    erase(&fresh.store, ended).await;
    let plain = program("pg_dump").arg(&fresh.url).output().unwrap();
    assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    for (values, expected) in [(&kept, true), (&gone, false)] {
        for value in values {
            assert_eq!(holds(&plain.stdout, hex::encode(value).as_bytes()), expected);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("indrul.dump");
    let mut dump = program("pg_dump");
    dump.args(["--format=custom", "--file"]).arg(&file).arg(&fresh.url);
    assert!(dump.status().unwrap().success());
    let url = testing::empty_database().await.unwrap();
    let restore = program("pg_restore").arg("--dbname").arg(&url).arg(&file).output().unwrap();
    assert!(restore.status.success(), "{}", String::from_utf8_lossy(&restore.stderr));
    let keys = Arc::new(KeyRing::open(&fresh.keys_dir(), None, &SystemEntropy).unwrap());
    let restored = Store::open(&url, keys, Arc::new(SystemEntropy)).await.unwrap();
    check(&restored, open, ended).await;
}
