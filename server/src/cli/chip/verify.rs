//! `enroll chip verify`: passive authentication of files, offline.

use std::path::PathBuf;

use enroll_core::{Check, ReasonCode, Verdict, decide::judge};
use nfc::{
    files::{FileId, Files},
    lds::dg1,
    passive::{self, Report},
    trust::{Domain, TrustStore},
};
use serde_json::{Value, json};
use time::Date;

use super::{
    super::{
        output::{CliError, Format, Output, Status, text_in},
        today,
    },
    folder, portrait,
};
use crate::trust_dir::TrustDir;

/// Arguments of `enroll chip verify`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder with EF.SOD.bin, DG1.bin and so on; EF.SOD.bin alone is enough for the signature
    dir: PathBuf,
    /// Folder of the trust store
    #[arg(long, value_name = "STORE")]
    trust: PathBuf,
    /// Domain of the trust store; by default the only one that it has, or production
    #[arg(long)]
    domain: Option<Domain>,
    /// The day as of which the certificates must be valid
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = today::parse)]
    at: Option<Date>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let trust = open(&args.trust, args.domain)?;
    let files = folder::load(&args.dir)?;
    let report = passive::verify(&files, &trust, args.at.unwrap_or_else(today::utc));
    let portrait = portrait::check(&args.dir, &files);
    let checks: Vec<Check> = report.checks.iter().map(Check::from).chain(portrait).collect();
    let (verdict, reasons) = judge(&checks, required(&files));
    let result = result(&report, &checks, verdict, &reasons);
    out.result(args.format, &result, human)?;
    Ok(Status::of(verdict == Verdict::Accepted))
}

/// The store's anchors of `domain`, or of its only domain.
pub(super) fn open(
    store: &std::path::Path,
    domain: Option<Domain>,
) -> Result<TrustStore, CliError> {
    let dir = TrustDir::open(store)?;
    let usual = dir.usual_domain()?;
    Ok(dir.load(domain.unwrap_or(usual))?)
}

/// With EF.SOD alone the verdict is about the signature and the chain.
fn required(files: &Files) -> &'static [&'static str] {
    const SIGNATURE: [&str; 4] = ["sod.signature", "sod.digest", "signer.chain", "signer.validity"];
    const ALL: [&str; 5] =
        ["sod.signature", "sod.digest", "signer.chain", "signer.validity", "dg.hash"];
    if files.data_groups().next().is_some() { &ALL } else { &SIGNATURE }
}

fn result(report: &Report, checks: &[Check], verdict: Verdict, reasons: &[ReasonCode]) -> Value {
    json!({
        "verdict": verdict,
        "reasons": reasons,
        "checks": checks,
        "signer": report.signer(),
        "csca": report.csca(),
        "document": report.verified.as_ref().and_then(document),
    })
}

/// What the proved data group 1 says of the document, without its holder.
fn document(lds: &passive::VerifiedLds) -> Option<Value> {
    let mrz = dg1::parse(lds.get(FileId::DG1)?).ok()?;
    let fields = mrz.fields();
    Some(json!({
        "issuer": fields.issuer,
        "document_code": fields.document_code,
        "document_number": fields.document_number,
        "expiry_date": fields.expiry_date,
    }))
}

/// The verdict, then each check.
pub(super) fn human(result: &Value) -> String {
    let list = |name: &str| result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let reasons: Vec<String> =
        list("reasons").iter().filter_map(|r| r.as_str().map(str::to_owned)).collect();
    let mut lines = vec![format!("{} {}", text_in(result, "verdict"), reasons.join(" "))];
    lines.extend(list("checks").iter().map(|check| {
        let part = |name| text_in(check, name);
        format!("  {:13} {} {}", part("outcome"), part("id"), part("reason"))
    }));
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
