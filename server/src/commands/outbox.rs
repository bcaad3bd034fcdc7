//! `enroll outbox list|retry`: messages that were given up (M3), by identifier, channel and time: what
//! they say and to whom is not shown.

use super::rows::{Rows, on_rows, print_all};
use super::setup::{Place, ended};
use crate::clock::{Clock, SystemClock};
use crate::ids::MessageId;
use crate::storage::{DeadLetter, StorageError, Store};
use enroll_core::audit::Event;
use serde_json::json;
use std::process::ExitCode;
use time::OffsetDateTime;

/// List messages that could not be delivered, and have them tried once more
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the dead letters, oldest first
    List(List),
    /// Have dead letters tried once more
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Retry {
    #[command(flatten)]
    place: Place,
    /// Which, as `list` shows them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<MessageId>,
    /// All there are
    #[arg(long)]
    all: bool,
}

/// Runs: 0 done, 1 one that was named is no dead letter, 3 keys or database cannot be used.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    match args.command {
        Command::List(args) => list(&args),
        Command::Retry(args) => retry(args),
    }
}

fn list(args: &List) -> ExitCode {
    let found =
        on_rows(&args.place, async |rows| Ok(rows.store.read().await?.dead_letters().await?));
    print_all(found, |letter| {
        if args.json {
            json!(letter).to_string()
        } else {
            let DeadLetter { id, channel, tries, created } = letter;
            format!("{id} {channel} sent {created}, {tries} tries")
        }
    })
}

fn retry(args: Retry) -> ExitCode {
    let revived = on_rows(&args.place, async |Rows { store, .. }| {
        let ids = if args.all {
            store.read().await?.dead_letters().await?.iter().map(|letter| letter.id).collect()
        } else {
            args.ids
        };
        Ok(revive(&store, &ids, SystemClock.now()).await?)
    });
    match revived {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => ended(Err(error)),
    }
}

/// Has the dead letters `ids` tried once more: all of them, or none if one is no dead letter. `false`
/// then.
///
/// # Errors
/// [`StorageError`].
pub async fn revive(
    store: &Store,
    ids: &[MessageId],
    now: OffsetDateTime,
) -> Result<bool, StorageError> {
    let mut tx = store.begin().await?;
    for id in ids {
        if !tx.revive(*id, now).await? {
            return Ok(false);
        }
    }
    for id in ids {
        let (kind, data) = ("notice.retried".to_owned(), json!({ "message": id }));
        tx.audit(Event { time: now, kind, case: None, data }).await?;
    }
    tx.commit().await?;
    Ok(true)
}
