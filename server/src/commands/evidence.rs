//! `enroll evidence verify`: what an identity rests on still holds (H3). The stored record is
//! opened and checked again from its own bytes: files, certificates and revocation lists. Trusted are
//! the service's public key, which signed the record's hash, and the trust store.

use super::rows::print;
use super::setup::{Place, SetupError, block_on, ended, open_existing_store};
use crate::app::PublicIdentity;
use crate::ids::IdentityId;
use crate::keys::KeyRing;
use crate::storage::Store;
use crate::trust_dir::TrustDir;
use enroll_core::audit::Hash;
use enroll_core::decide::Verdict;
use enroll_core::evidence::{self, Verified};
use enroll_core::identity;
use nfc::trust::{Domain, TrustStore};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Verify the evidence of an identity
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check the stored evidence of an identity again
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// The identity
    id: IdentityId,
    /// Folder of the trust store; by default `trust` in the data directory
    #[arg(long, value_name = "STORE")]
    trust: Option<PathBuf>,
    /// Domain of the trust store; by default the only one that it has, or production
    #[arg(long)]
    domain: Option<Domain>,
    /// Look in no trust store: only the signed identity vouches for the issuer in the record
    #[arg(long, conflicts_with_all = ["trust", "domain"])]
    record_only: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Verifies: 0 sound, 1 unsound or not found, 3 could not be checked.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let Command::Verify(verify) = args.command;
    match block_on(check(&verify)) {
        Ok(result) => tell(&result, verify.json),
        Err(error) => ended(Err(error)),
    }
}

async fn check(args: &Verify) -> Result<Value, SetupError> {
    let trust = if args.record_only { None } else { Some(trust(args)?) };
    let config = args.place.config()?;
    let (store, keys) = open_existing_store(&args.place.data, &config).await?;
    check_stored(&store, &keys, trust.as_ref(), args.id).await
}

fn trust(args: &Verify) -> Result<TrustStore, SetupError> {
    let own = args.place.data.join("trust");
    let folder = TrustDir::open(args.trust.as_deref().unwrap_or(&own))?;
    Ok(folder.load(args.domain.map_or_else(|| folder.usual_domain(), Ok)?)?)
}

/// Checks the stored evidence of the identity `id` again: its signed form under the service's
/// keys, and the record whose hash that carries.
///
/// # Errors
/// [`SetupError`] if nothing could be checked; what does not hold is a result.
pub async fn check_stored(
    store: &Store,
    keys: &KeyRing,
    trust: Option<&TrustStore>,
    id: IdentityId,
) -> Result<Value, SetupError> {
    let mut tx = store.begin().await?;
    let Some(found) = tx.identity(id).await? else {
        return Ok(refused(id, "not found", json!(null)));
    };
    let records = tx.evidence(id).await?;
    drop(tx);
    let Some(expected) = signed_hash(&found.record, keys, id) else {
        return Ok(refused(id, "the signed identity does not verify", json!(null)));
    };
    let held = records.iter().filter_map(|held| serde_json::from_slice::<Value>(&held.record).ok());
    let named =
        held.into_iter().find(|record| Hash(enroll_core::canonical::sha256(record)) == expected);
    Ok(match named.map(|record| evidence::verify(&record, Some(expected), trust)) {
        None => {
            refused(id, "no stored record is the one that the identity rests on", json!(expected))
        }
        Some(Err(error)) => refused(id, &error.to_string(), json!(expected)),
        Some(Ok(verified)) => accepted(id, &verified),
    })
}

/// The hash of the evidence in the signed form of the identity, if that verifies.
fn signed_hash(record: &[u8], keys: &KeyRing, id: IdentityId) -> Option<Hash> {
    let public: PublicIdentity = serde_json::from_slice(record).ok()?;
    let identity = identity::verify(&public.jws, &keys.jwks()).ok()?;
    (identity.id == id.uuid()).then_some(identity.evidence_sha256)
}

fn accepted(id: IdentityId, verified: &Verified) -> Value {
    let mut result = json!(verified);
    if let Value::Object(result) = &mut result {
        result.insert("identity".to_owned(), json!(id));
    }
    result
}

fn refused(id: IdentityId, error: &str, expected: Value) -> Value {
    json!({
        "identity": id,
        "verdict": Verdict::Refused,
        "reasons": ["evidence.mismatch"],
        "sha256": expected,
        "error": error,
        "checks": [],
    })
}

fn tell(result: &Value, as_json: bool) -> ExitCode {
    let sound = result.get("verdict") == Some(&json!(Verdict::Accepted));
    let line = match (as_json, result.get("error")) {
        (true, _) => result.to_string(),
        (false, Some(error)) => format!("refused: {error}"),
        (false, None) => human(result),
    };
    print(&line, u8::from(!sound))
}

/// The verdict, then each check that was made again.
fn human(result: &Value) -> String {
    let text = |of: &Value, name: &str| {
        of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list = |name: &str| result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let reasons: Vec<String> =
        list("reasons").iter().filter_map(|r| r.as_str().map(str::to_owned)).collect();
    let mut lines = vec![format!("{} {}", text(result, "verdict"), reasons.join(" "))];
    for check in list("checks") {
        let differ = check.pointer("/evidence/differ").map(ToString::to_string);
        let differ = differ.filter(|differ| differ != "[]").unwrap_or_default();
        let (id, outcome) = (text(&check, "id"), text(&check, "outcome"));
        let line = format!("  {id}: {outcome} {} {differ}", text(&check, "reason"));
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}
