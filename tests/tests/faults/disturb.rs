//! What is done to the server's surroundings, and undone.

use indrul_tests::hostile::Dice;
use indrul_tests::served::Database;
use server::notices::standin::{Mailbox, Mood};
use server::registers::standin::{Fault, StandIn};
use sqlx::Row;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// One disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// SIGKILL, and a new start.
    Kill,
    /// The registers answer 500, nonsense or nothing.
    Registers(Fault),
    /// Mail server and gateway cannot take anything, or take it and say nothing.
    Post(Mood),
    /// The database ends all connections and takes none.
    Cut,
    /// The database answers nothing, and goes on afterwards.
    Hang,
}

impl Disturbance {
    /// One that is not a kill; with the database's, if it is a process of its own.
    pub fn draw(dice: &mut Dice, database: Database) -> Self {
        let kinds = if database == Database::Postgres { 8 } else { 5 };
        match dice.below(kinds) {
            0 => Self::Registers(Fault::Fails),
            1 => Self::Registers(Fault::Babbles),
            2 => Self::Registers(Fault::Silent),
            3 => Self::Post(Mood::Busy),
            4 => Self::Post(Mood::Silent),
            5 => Self::Hang,
            _ => Self::Cut,
        }
    }
}

/// The database of the server under test, seen by its administrator.
#[derive(Debug, Clone)]
pub struct Postgres {
    admin: String,
    name: String,
    /// One disturbance of it at a time: none heals what another has just cut.
    turn: Arc<Mutex<()>>,
}

impl Postgres {
    pub fn of(url: &str) -> Self {
        let admin = std::env::var("INDRUL_TEST_POSTGRES").unwrap();
        let (base, _) = url.split_once('?').unwrap();
        let name = base.rsplit_once('/').unwrap().1.to_owned();
        Self { admin, name, turn: Arc::default() }
    }

    fn run(&self, statement: &str) -> Vec<i32> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            install_default_drivers();
            let pool = AnyPoolOptions::new().max_connections(1).connect(&self.admin).await.unwrap();
            let statement = sqlx::AssertSqlSafe(statement.replace("DATABASE_NAME", &self.name));
            let rows = sqlx::query(statement).fetch_all(&pool).await.unwrap();
            pool.close().await;
            rows.iter().map(|row| row.try_get(0).unwrap_or(0)).collect()
        })
    }

    fn cut(&self) {
        self.run("ALTER DATABASE DATABASE_NAME ALLOW_CONNECTIONS false");
        // Not in the condition, where it could be asked of every backend of the server.
        self.run(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = 'DATABASE_NAME'",
        );
    }

    fn heal(&self) {
        self.run("ALTER DATABASE DATABASE_NAME ALLOW_CONNECTIONS true");
    }

    fn backends(&self) -> Vec<i32> {
        self.run("SELECT pid FROM pg_stat_activity WHERE datname = 'DATABASE_NAME'")
    }
}

fn signal(name: &str, processes: &[i32]) {
    for process in processes {
        // One that has ended meanwhile needs none.
        let _ = Command::new("kill").args([name, &process.to_string()]).status();
    }
}

/// Brings it about for `time`, and heals it.
pub fn suffer(
    what: Disturbance,
    time: Duration,
    (registers, mailbox): (&StandIn, &Mailbox),
    postgres: Option<&Postgres>,
) {
    match (what, postgres) {
        (Disturbance::Registers(fault), _) => {
            registers.set(Some(fault));
            sleep(time);
            registers.set(None);
        }
        (Disturbance::Post(mood), _) => {
            mailbox.set(mood, mood);
            sleep(time);
            mailbox.set(Mood::Willing, Mood::Willing);
        }
        (Disturbance::Cut, Some(postgres)) => {
            let _turn = postgres.turn.lock().unwrap_or_else(PoisonError::into_inner);
            postgres.cut();
            sleep(time);
            postgres.heal();
        }
        (Disturbance::Hang, Some(postgres)) => {
            let _turn = postgres.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let backends = postgres.backends();
            signal("-STOP", &backends);
            sleep(time);
            signal("-CONT", &backends);
        }
        (Disturbance::Kill | Disturbance::Cut | Disturbance::Hang, _) => {}
    }
}
