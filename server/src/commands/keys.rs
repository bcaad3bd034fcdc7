//! `enroll keys`: list the signing keys, prove that they sign, and rotate keys (H5).

use super::rows::print;
use super::setup::{Place, SetupError, block_on, ended, open_existing_store, protection};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::keys::{
    Held, KeyRing, Line, begin_master_rotation, end_master_rotation, rotate_signing,
};
use crate::storage::{StorageError, Store};
use enroll_core::audit::Event;
use enroll_core::identity::Signer;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use time::Duration;

/// List, check and rotate the server's keys
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make the keys that a first start of the server would make
    Init(Common),
    /// List the signing keys and which of them signs
    List(Common),
    /// Sign a text that means nothing with the key of now
    Check(Common),
    /// Make a new signing key; the one before stays published
    Rotate(Rotate),
    /// Make a new master key and seal under it what the one before has sealed; start it again if it
    /// was cut off. Stop the servers first
    RotateMaster(RotateMaster),
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    #[command(flatten)]
    common: Common,
    /// Seconds until the new key signs: as long as somebody may keep a copy of the published keys
    #[arg(long, default_value_t = 3600)]
    after: u32,
}

#[derive(Debug, clap::Args)]
struct RotateMaster {
    #[command(flatten)]
    common: Common,
    /// End the rotation: destroy the key before, once nothing is sealed under it
    #[arg(long)]
    finish: bool,
}

/// Runs: 0 done, 3 keys, token or database cannot be used.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match &args.command {
        Command::Init(common) => init(common).map(|value| (common, value)),
        Command::List(common) => list(common).map(|value| (common, value)),
        Command::Check(common) => check(common).map(|value| (common, value)),
        Command::Rotate(rotate) => {
            block_on(rotate_to_new(rotate)).map(|value| (&rotate.common, value))
        }
        Command::RotateMaster(rotate) => {
            block_on(rotate_master(rotate)).map(|value| (&rotate.common, value))
        }
    };
    match done {
        Ok((common, value)) => tell(&value, common.json),
        Err(error) => ended(Err(error)),
    }
}

fn folder(common: &Common) -> PathBuf {
    common.place.data.join("keys")
}

/// The keys that are there; none are made.
fn existing(common: &Common) -> Result<KeyRing, SetupError> {
    let dir = folder(common);
    let path = dir.join("master.key");
    std::fs::metadata(&path).map_err(|source| SetupError::File { path, source })?;
    let protection = protection(&common.place.config()?.keys)?;
    Ok(KeyRing::with(&dir, protection, &SystemEntropy, Arc::new(SystemClock))?)
}

fn init(common: &Common) -> Result<Value, SetupError> {
    let protection = protection(&common.place.config()?.keys)?;
    let (dir, clock) = (folder(common), Arc::new(SystemClock));
    summary(&KeyRing::with(&dir, protection, &SystemEntropy, clock)?)
}

fn described(line: &Line, signs: bool) -> Value {
    let held = match line.held {
        Held::File => "file",
        Held::Token => "token",
        Held::Destroyed => "destroyed",
    };
    json!({ "number": line.number, "kid": line.jwk.id(), "held": held, "from": line.from, "signs": signs })
}

fn list(common: &Common) -> Result<Value, SetupError> {
    summary(&existing(common)?)
}

fn summary(ring: &KeyRing) -> Result<Value, SetupError> {
    let (lines, signs) = ring.listed()?;
    let keys: Vec<Value> = lines.iter().map(|line| described(line, line.number == signs)).collect();
    Ok(json!({ "keys": keys, "jwks": ring.jwks() }))
}

/// The kind of what `check` signs: no identity, whatever it says.
const CHECK: &str = "indrul-check+jwt";

fn check(common: &Common) -> Result<Value, SetupError> {
    let ring = existing(common)?;
    let jws = ring.sign(CHECK, &json!({ "check": true }))?;
    Ok(json!({ "verdict": "accepted", "jws": jws, "jwks": ring.jwks() }))
}

async fn rotate_to_new(rotate: &Rotate) -> Result<Value, SetupError> {
    let config = rotate.common.place.config()?;
    // What is there opens, or nothing is added to it.
    let (store, _) = open_existing_store(&rotate.common.place.data, &config).await?;
    let protection = protection(&config.keys)?;
    let after = Duration::seconds(rotate.after.into());
    let means = (&SystemClock as _, &SystemEntropy as _);
    let rotated = rotate_signing(&folder(&rotate.common), &protection, means, after)?;
    let made = described(&rotated.made, rotate.after == 0);
    let found = json!({ "made": made, "destroyed": rotated.destroyed });
    tell_trail(&store, "keys.rotated", &found).await?;
    store.close().await;
    Ok(found)
}

async fn rotate_master(rotate: &RotateMaster) -> Result<Value, SetupError> {
    let config = rotate.common.place.config()?;
    drop(existing(&rotate.common)?);
    let dir = folder(&rotate.common);
    if !rotate.finish {
        let protection = protection(&config.keys)?;
        begin_master_rotation(&dir, &protection, &SystemEntropy)?;
    }
    let (store, _) = open_existing_store(&rotate.common.place.data, &config).await?;
    let found = store.rewrap().await?;
    if rotate.finish {
        end_master_rotation(&dir)?;
    }
    let found = json!({ "seen": found.seen, "changed": found.changed, "finished": rotate.finish });
    tell_trail(&store, "keys.master_rotated", &found).await?;
    store.close().await;
    Ok(found)
}

/// Keys are not changed without a trace (H1).
async fn tell_trail(store: &Store, kind: &str, data: &Value) -> Result<(), StorageError> {
    let mut tx = store.begin().await?;
    let (time, kind, data) = (SystemClock.now(), kind.to_owned(), data.clone());
    tx.audit(Event { time, kind, case: None, data }).await?;
    tx.commit().await
}

fn tell(value: &Value, as_json: bool) -> ExitCode {
    let text = if as_json { value.to_string() } else { human(value) };
    print(&text, 0)
}

/// One line for each thing that was found.
fn human(value: &Value) -> String {
    match value.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
        None => value.to_string(),
    }
}
