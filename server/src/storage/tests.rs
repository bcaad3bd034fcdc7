//! The same tests on every database at hand.

use super::testing::{Fresh, all};
use super::*;
use crate::clock::SystemEntropy;
use crate::ids::{EnrolmentId, IdentityId};
use crate::record::Record;
use crate::seal::SealError;
use enroll_core::audit::{Event, Head, verify};
use enroll_core::case::Case;
use enroll_core::policy::Policy;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

pub(super) fn enrolment() -> Enrolment {
    let case = Case::start(&Policy::default(), NOW);
    Enrolment {
        id: EnrolmentId::random(&SystemEntropy).unwrap(),
        token_hash: [7; 32],
        expires: case.deadline,
        record: Record::new(case),
        version: 0,
        created: NOW,
    }
}

async fn started(fresh: &Fresh) -> Enrolment {
    let enrolment = enrolment();
    let mut tx = fresh.store.begin().await.unwrap();
    tx.insert_enrolment(&enrolment).await.unwrap();
    tx.commit().await.unwrap();
    enrolment
}

#[tokio::test]
async fn an_enrolment_reads_back_and_a_lost_update_is_refused() {
    for fresh in all().await {
        let first = started(&fresh).await;
        let mut tx = fresh.store.begin().await.unwrap();
        let read = tx.enrolment(first.id).await.unwrap().unwrap();
        assert_eq!((read.record.clone(), read.token_hash), (first.record.clone(), [7; 32]));
        tx.save(&read).await.unwrap();
        assert!(matches!(tx.save(&read).await, Err(StorageError::Conflict)));
        let other = EnrolmentId::random(&SystemEntropy).unwrap();
        assert!(tx.enrolment(other).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_a_named_error() {
    for fresh in all().await {
        let first = started(&fresh).await;
        let mut tx = fresh.store.begin().await.unwrap();
        sqlx::query("UPDATE enrolments SET record = '{}'").execute(&mut *tx.inner).await.unwrap();
        let read = tx.enrolment(first.id).await;
        assert!(matches!(
            read,
            Err(StorageError::ImpossibleRow { table: "enrolments", column: "record" })
        ));
    }
}

#[tokio::test]
async fn a_sealed_value_opens_in_its_own_row_and_column_only() {
    for fresh in all().await {
        let (mine, other) = (started(&fresh).await.id, started(&fresh).await.id);
        let mut tx = fresh.store.begin().await.unwrap();
        tx.put(mine, "mrz", b"one").await.unwrap();
        tx.put(mine, "mrz", b"two").await.unwrap();
        tx.put(mine, "cpr", b"three").await.unwrap();
        assert_eq!(tx.get(mine, "mrz").await.unwrap().unwrap().as_slice(), b"two");
        assert!(tx.get(other, "mrz").await.unwrap().is_none());
        let column = "UPDATE sealed SET bytes = (SELECT bytes FROM sealed WHERE name = 'mrz') WHERE name = 'cpr'";
        sqlx::query(column).execute(&mut *tx.inner).await.unwrap();
        let moved = tx.get(mine, "cpr").await;
        assert!(matches!(moved, Err(StorageError::Seal(SealError::Open))));
        let row = "UPDATE sealed SET enrolment = $1 WHERE name = 'mrz'";
        sqlx::query(row).bind(other.to_string()).execute(&mut *tx.inner).await.unwrap();
        let moved = tx.get(other, "mrz").await;
        assert!(matches!(moved, Err(StorageError::Seal(SealError::Open))));
    }
}

#[tokio::test]
async fn erasing_leaves_nothing_to_open() {
    // proves D8
    for fresh in all().await {
        let id = started(&fresh).await.id;
        let mut tx = fresh.store.begin().await.unwrap();
        tx.put(id, "chip", b"a portrait").await.unwrap();
        tx.add_ticket(&[1; 32], id, NOW).await.unwrap();
        tx.erase(id).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(matches!(tx.get(id, "chip").await, Err(StorageError::Erased)));
        assert!(matches!(tx.put(id, "chip", b"x").await, Err(StorageError::Erased)));
        for table in ["data_keys", "sealed", "tickets"] {
            let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table}"));
            let row = sqlx::query(count).fetch_one(&mut *tx.inner).await.unwrap();
            assert_eq!(sqlx::Row::get::<i64, _>(&row, "n"), 0, "{table}");
        }
    }
}

#[tokio::test]
async fn a_dropped_unit_of_work_leaves_nothing() {
    for fresh in all().await {
        let id = started(&fresh).await.id;
        let mut tx = fresh.store.begin().await.unwrap();
        tx.put(id, "mrz", b"x").await.unwrap();
        drop(tx);
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(tx.get(id, "mrz").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_ticket_is_used_once_and_in_time() {
    for fresh in all().await {
        let id = started(&fresh).await.id;
        let later = NOW + time::Duration::seconds(120);
        let mut tx = fresh.store.begin().await.unwrap();
        tx.add_ticket(&[1; 32], id, later).await.unwrap();
        assert_eq!(tx.redeem_ticket(&[2; 32], NOW).await.unwrap(), None, "unknown");
        assert_eq!(tx.redeem_ticket(&[1; 32], later).await.unwrap(), None, "late");
        assert_eq!(tx.redeem_ticket(&[1; 32], NOW).await.unwrap(), Some(id));
        assert_eq!(tx.redeem_ticket(&[1; 32], NOW).await.unwrap(), None, "used");
        tx.add_ticket(&[3; 32], id, later).await.unwrap();
        tx.add_ticket(&[4; 32], id, later).await.unwrap();
        assert_eq!(tx.redeem_ticket(&[3; 32], NOW).await.unwrap(), None, "replaced");
    }
}

#[tokio::test]
async fn overdue_cases_are_found_once_their_time_is_out() {
    for fresh in all().await {
        let first = started(&fresh).await;
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(tx.overdue(first.expires - time::Duration::SECOND, 9).await.unwrap().is_empty());
        assert_eq!(tx.overdue(first.expires, 9).await.unwrap(), [first.id]);
    }
}

fn event(n: usize) -> Event {
    Event { time: NOW, kind: "test".to_owned(), case: None, data: json!({ "n": n }) }
}

#[tokio::test]
async fn entries_appended_at_once_make_one_whole_chain() {
    // proves H1
    for fresh in all().await {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let store = fresh.store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                tx.audit(event(n)).await.unwrap();
                tx.commit().await.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let entries = fresh.store.begin().await.unwrap().audit_after(0, 100).await.unwrap();
        let head = verify(&entries, None).unwrap();
        assert_eq!((entries.len(), head.seq), (20, 20));
        assert_ne!(head, Head::EMPTY);
    }
}

#[tokio::test]
async fn one_person_has_one_identity_and_a_document_one_holder() {
    // proves B11
    for fresh in all().await {
        let enrolment = started(&fresh).await.id;
        let (id, other) = (
            IdentityId::random(&SystemEntropy).unwrap(),
            IdentityId::random(&SystemEntropy).unwrap(),
        );
        let record = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let mut tx = fresh.store.begin().await.unwrap();
        let first = Identity { id, enrolment, record: record("one") };
        tx.put_identity(&first, &[1; 32], NOW).await.unwrap();
        let again = Identity { id, enrolment, record: record("two") };
        tx.put_identity(&again, &[1; 32], NOW).await.unwrap();
        assert_eq!(tx.identity_of(&[1; 32]).await.unwrap(), Some(id));
        assert_eq!(tx.identity(id).await.unwrap().unwrap().record.as_slice(), b"two");
        assert!(tx.identity(other).await.unwrap().is_none());
        tx.put_document(&[9; 32], &[1; 32], id).await.unwrap();
        tx.put_document(&[9; 32], &[2; 32], id).await.unwrap();
        assert_eq!(tx.holder_of(&[9; 32]).await.unwrap(), Some([1; 32]));
        let evidence = Evidence { enrolment, identity: id, record: record("why") };
        tx.put_evidence(&evidence, NOW).await.unwrap();
        assert_eq!(tx.evidence(id).await.unwrap()[0].record.as_slice(), b"why");
        let second = Identity { id: other, enrolment, record: record("three") };
        assert!(tx.put_identity(&second, &[1; 32], NOW).await.is_err(), "a second one");
    }
}

/// The messages that `tx` claims now.
async fn claimed(store: &Store, limit: i64, now: OffsetDateTime) -> Vec<Claimed> {
    let mut tx = store.begin().await.unwrap();
    let held = tx.claim("sms", limit, (now, now + time::Duration::MINUTE)).await.unwrap();
    tx.commit().await.unwrap();
    held
}

async fn sent(store: &Store, count: usize) {
    let mut tx = store.begin().await.unwrap();
    for n in 0..count {
        tx.send("sms", format!("message {n}").as_bytes(), NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn several_servers_never_hold_one_message_twice() {
    for fresh in all().await {
        sent(&fresh.store, 40).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = fresh.store.clone();
            tasks.spawn(async move {
                let mut held = Vec::new();
                loop {
                    match claimed(&store, 3, NOW).await {
                        more if more.is_empty() => return held,
                        more => held.extend(more.into_iter().map(|held| held.id)),
                    }
                }
            });
        }
        let held: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let distinct: std::collections::HashSet<_> = held.iter().collect();
        assert_eq!((held.len(), distinct.len()), (40, 40));
    }
}

#[tokio::test]
async fn a_claim_ends_by_itself_and_an_old_one_settles_nothing() {
    for fresh in all().await {
        sent(&fresh.store, 1).await;
        let first = claimed(&fresh.store, 9, NOW).await.remove(0);
        assert_eq!(
            (first.tries, first.payload.as_deref().unwrap().as_slice()),
            (1, &b"message 0"[..])
        );
        let before = claimed(&fresh.store, 9, NOW + time::Duration::seconds(59)).await;
        assert!(before.is_empty(), "held");
        let later = NOW + time::Duration::MINUTE;
        let second = claimed(&fresh.store, 9, later).await.remove(0);
        assert_eq!((second.id, second.tries), (first.id, 2));
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(!tx.postpone(&first, NOW).await.unwrap());
        assert!(!tx.bury(&first).await.unwrap());
        assert!(tx.postpone(&second, later).await.unwrap());
        tx.commit().await.unwrap();
        let third = claimed(&fresh.store, 9, later).await.remove(0);
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(tx.delivered(&first).await.unwrap(), "what arrived is not sent again");
        assert!(!tx.delivered(&third).await.unwrap());
        assert_eq!(tx.outbox_size().await.unwrap(), (0, 0));
    }
}

#[tokio::test]
async fn a_dropped_unit_of_work_sends_nothing_and_a_message_that_does_not_open_holds_up_none() {
    for fresh in all().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.send("sms", b"never", NOW).await.unwrap();
        drop(tx);
        sent(&fresh.store, 2).await;
        let mut tx = fresh.store.begin().await.unwrap();
        let moved = "UPDATE outbox SET sealed = (SELECT sealed FROM outbox ORDER BY id LIMIT 1)";
        sqlx::query(moved).execute(&mut *tx.inner).await.unwrap();
        tx.commit().await.unwrap();
        let held = claimed(&fresh.store, 9, NOW).await;
        let open = held.iter().filter(|held| held.payload.is_some()).count();
        assert_eq!((held.len(), open), (2, 1), "sealed for its own row");
    }
}
