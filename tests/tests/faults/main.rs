//! A real `enroll serve` is killed at random points of many enrolments, its database is cut and healed,
//! registers, mail and SMS fail; everybody goes on where they were. Afterwards nothing is there twice,
//! nothing is lost, and nothing is left that should be gone.
//!
//! A dozen people by default; `INDRUL_FAULTS=500` for so many on each database, `INDRUL_FAULTS_SEED` for
//! other points.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]

mod after;
mod citizen;
mod disturb;

use citizen::{Citizen, Point};
use disturb::{Disturbance, Postgres};
use fixtures::portraits::Portraits;
use indrul_tests::hostile::Dice;
use indrul_tests::letters::Letters;
use indrul_tests::people::People;
use indrul_tests::served::{Database, Served, Setup};
use indrul_tests::testing::{data, today};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

/// What a killed server held is claimed again soon, and what failed is tried again soon.
const NOTICES: &str = "poll_ms = 50
claim_s = 4
timeout_ms = 2000
first_pause_s = 1
longest_pause_s = 2
";

/// As many enrol at once.
const AT_ONCE: usize = 4;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// proves D8 and H1 across crashes, B11, and that a notice is in the outbox or out (E7)
#[test]
fn nothing_is_lost_or_there_twice_when_the_server_is_killed_on_sqlite() {
    suffer(Database::Sqlite, number("INDRUL_FAULTS").unwrap_or(8));
}

#[test]
fn nothing_is_lost_or_there_twice_when_server_and_database_are_cut_on_postgres() {
    if std::env::var_os("INDRUL_TEST_POSTGRES").is_none() {
        println!("skipped on PostgreSQL: INDRUL_TEST_POSTGRES is not set");
        return;
    }
    suffer(Database::Postgres, number("INDRUL_FAULTS").unwrap_or(6));
}

fn suffer(database: Database, people: u64) {
    let begun = Instant::now();
    let seed = number("INDRUL_FAULTS_SEED").unwrap_or(20_260_101);
    let portraits = Portraits::load(&data().join("portraits")).unwrap();
    let people = People::new(u32::try_from(people).unwrap(), portraits, today()).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_fixtures")).with_file_name("enroll");
    let models = data().join("models");
    let setup = Setup { program: &program, models: &models, database, more: NOTICES, log: "warn" };
    let mut served = Served::new(&setup, &people).unwrap();
    served.start().unwrap();
    let letters = Letters::new(served.post.mailbox.clone());
    let ends = all_enrol(&mut served, &people, &letters, (database, seed));
    after::delivered(&served);
    served.kill();
    after::everything_holds(&served, &people, &letters, &ends);
    println!("{}: {} s in all", database.name(), begun.elapsed().as_secs());
}

/// What became of each person, and how the server was disturbed meanwhile.
fn all_enrol(
    served: &mut Served,
    people: &People,
    letters: &Letters,
    (database, seed): (Database, u64),
) -> BTreeMap<u32, citizen::End> {
    let (url, next) = (served.url(), AtomicU32::new(0));
    let ends = Mutex::new(BTreeMap::new());
    let (mut kills, mut others) = (0, 0);
    let postgres = (database == Database::Postgres).then(|| Postgres::of(&served.database));
    let (registers, mailbox) = (served.registers.clone(), served.post.mailbox.clone());
    let (points, reached) = channel::<Point>();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (points, url, next, ends) = (points.clone(), &url, &next, &ends);
            scope.spawn(move || {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= people.count() {
                        break;
                    }
                    let person = people.person(nth).unwrap();
                    let dice = Dice::new(seed, nth.into());
                    let end = Citizen::new(url, person, letters, (dice, database, points.clone()))
                        .enrol();
                    ends.lock().unwrap().insert(nth, end);
                }
            });
        }
        drop(points);
        while let Ok(Point { what, after, how }) = reached.recv() {
            std::thread::sleep(after);
            match what {
                Disturbance::Kill => {
                    kills += 1;
                    served.kill();
                    served.start_when_possible().unwrap();
                }
                other => {
                    others += 1;
                    let (registers, mailbox) = (registers.clone(), mailbox.clone());
                    let postgres = postgres.clone();
                    scope.spawn(move || {
                        disturb::suffer(other, how, (&registers, &mailbox), postgres.as_ref());
                    });
                }
            }
        }
    });
    println!("{}: {kills} kills and {others} other disturbances", database.name());
    assert_eq!(kills, people.count(), "one for each person");
    ends.into_inner().unwrap()
}
