//! `enroll audit verify` and `enroll evidence verify`: what was stored still holds (H1, H3).

use super::rows::{on_rows, print};
use super::setup::{Place, ended};
use crate::storage::{StorageError, Store};
use enroll_core::audit::{AuditError, Head, follow};
use serde_json::json;
use std::process::ExitCode;

/// Verify the audit trail
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Follow the chain of hashes from its first entry to its last
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Entries read at a time.
const PAGE: i64 = 500;

/// Verifies: 0 whole, 1 broken, 3 could not be read.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let Command::Verify(verify) = args.command;
    let checked = on_rows(&verify.place, async |rows| Ok(follow_all(&rows.store).await?));
    match checked {
        Ok(found) => tell(&found, verify.json),
        Err(error) => ended(Err(error)),
    }
}

/// Follows the whole stored chain.
///
/// # Errors
/// [`StorageError`] if it cannot be read; a broken chain is a result.
pub async fn follow_all(store: &Store) -> Result<Result<Head, AuditError>, StorageError> {
    let mut head = Head::EMPTY;
    loop {
        let mut tx = store.read().await?;
        let entries = tx.audit_after(head.seq, PAGE).await?;
        drop(tx);
        if entries.is_empty() {
            return Ok(Ok(head));
        }
        for entry in &entries {
            match follow(head, entry) {
                Ok(next) => head = next,
                Err(broken) => return Ok(Err(broken)),
            }
        }
    }
}

fn tell(found: &Result<Head, AuditError>, as_json: bool) -> ExitCode {
    let (status, value, line) = match found {
        Ok(head) => (
            0,
            json!({ "verdict": "accepted", "entries": head.seq, "head": head.hash }),
            format!("{} entries, head {}", head.seq, head.hash),
        ),
        Err(error) => {
            let text = error.to_string();
            (1, json!({ "verdict": "refused", "error": text }), text)
        }
    };
    let line = if as_json { value.to_string() } else { line };
    print(&line, status)
}
