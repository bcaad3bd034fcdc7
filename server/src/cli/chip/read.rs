//! `enroll chip read`: opens a chip, reads it to files, and judges it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::ArgGroup;
use enroll_core::{
    Check, Findings, Policy, ReasonCode, Verdict, check::Outcome, decide, reason::LeadsTo,
};
use nfc::{
    link::{Counting, Link, Traffic, drive},
    pcsc::PcscLink,
    random::{Random, SystemRandom},
    reader::{self, AccessKey, AccessPolicy, Can, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use serde_json::{Value, json};
use time::Date;

use super::{
    super::{
        output::{CliError, Format, Output, Status, complain, describe, text_of},
        today,
    },
    folder, portrait,
    verify::{human, open},
};

/// Arguments of `enroll chip read`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("key").required(true).args(["mrz", "document_number", "can"]))]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// The reader, as `enroll chip readers` names it
    #[arg(long)]
    reader: String,
    /// A file with the lines of the MRZ, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    mrz: Option<PathBuf>,
    /// Document number, with --birth and --expiry
    #[arg(long, value_name = "N", requires = "birth", requires = "expiry")]
    document_number: Option<String>,
    /// Date of birth
    #[arg(long, value_name = "YYMMDD", requires = "document_number")]
    birth: Option<String>,
    /// Date of expiry
    #[arg(long, value_name = "YYMMDD", requires = "document_number")]
    expiry: Option<String>,
    /// Card access number
    #[arg(long, value_name = "N")]
    can: Option<String>,
    /// Folder for the files that are read
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The longest answer to ask for, in bytes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=65_538))]
    max_block: Option<u32>,
    /// Use short lengths only
    #[arg(long)]
    no_extended: bool,
    /// Folder of the trust store; by default `trust` in the data directory, if there is one
    #[arg(long, value_name = "STORE")]
    trust: Option<PathBuf>,
    /// Domain of the trust store; by default the only one that it has, or production
    #[arg(long)]
    domain: Option<Domain>,
    /// The data directory
    #[arg(long, env = "INDRUL_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
    /// The day as of which the certificates must be valid
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = today::parse)]
    at: Option<Date>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let request = request(args)?;
    let link = PcscLink::connect(&args.reader)?;
    let done = read(link, request);
    if let (Some(folder), Ok(reading)) = (&args.out, &done.outcome) {
        folder::save(folder, &reading.files)?;
        portrait::save(folder, &reading.files)?;
    }
    if let Err(error) = &done.outcome {
        complain(&describe(error));
    }
    let (verdict, result) = done.result();
    out.result(args.format, &result, human)?;
    Ok(Status::of(verdict == Verdict::Accepted))
}

fn request(args: &Args) -> Result<ReadRequest, CliError> {
    let mut random = SystemRandom;
    let mut aa_challenge = [0; 8];
    random.fill(&mut aa_challenge)?;
    Ok(ReadRequest {
        key: key(args)?,
        trust: Arc::new(trust(args)?),
        at: args.at.unwrap_or_else(today::utc),
        aa_challenge,
        limits: limits(args),
        policy: AccessPolicy::default(),
        random: Box::new(random),
    })
}

fn limits(args: &Args) -> Limits {
    let widest = if args.no_extended { Limits::SHORT } else { Limits::EXTENDED };
    let block = args.max_block.and_then(|block| usize::try_from(block).ok());
    let max_response = block.map_or(widest.max_response, |b| b.min(widest.max_response));
    Limits { max_response, ..widest }
}

fn key(args: &Args) -> Result<AccessKey, CliError> {
    if let Some(can) = &args.can {
        return Ok(AccessKey::Can(Can::new(can)));
    }
    if let Some(path) = &args.mrz {
        let parsed = mrz::parse(&text_of(path)?)?;
        return Ok(AccessKey::Mrz(parsed.access_key()));
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (birth, expiry) = (text(&args.birth), text(&args.expiry));
    Ok(AccessKey::Mrz(mrz::AccessKey::new(&text(&args.document_number), &birth, &expiry)?))
}

/// Without a store nothing is trusted, and the verdict says so.
fn trust(args: &Args) -> Result<TrustStore, CliError> {
    let own = args.data.join("trust");
    let folder: Option<&Path> = match &args.trust {
        Some(given) => Some(given),
        None => own.is_dir().then_some(own.as_path()),
    };
    match folder {
        Some(folder) => open(folder, args.domain),
        None => Ok(TrustStore::new(args.domain.unwrap_or(Domain::Production))),
    }
}

/// A reading that has ended, one way or another.
struct Done {
    outcome: Result<ChipReading, ReadError>,
    traffic: Traffic,
    ms: u128,
}

fn read(link: impl Link, request: ReadRequest) -> Done {
    let started = Instant::now();
    let mut counting = Counting::new(link);
    let outcome = drive::<_, ReadError>(reader::start(request), &mut counting);
    Done { outcome, traffic: counting.traffic(), ms: started.elapsed().as_millis() }
}

impl Done {
    fn result(&self) -> (Verdict, Value) {
        let (verdict, mut object) = match &self.outcome {
            Ok(reading) => judged(reading),
            Err(error) => failed(error),
        };
        let more = json!({ "ms": self.ms });
        for part in [json!(self.traffic), more] {
            if let (Value::Object(object), Value::Object(part)) = (&mut object, part) {
                object.extend(part);
            }
        }
        (verdict, object)
    }
}

/// What of an enrolment's policy is about the chip.
const REQUIRED: [&str; 7] = [
    "chip.access",
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "signer.country",
];

fn judged(reading: &ChipReading) -> (Verdict, Value) {
    let findings: Findings = reading.checks.iter().map(Check::from).collect();
    let required = REQUIRED.map(str::to_owned).to_vec();
    let decision = decide(&findings, &Policy { required, ..Policy::default() });
    let outcome = |id: &str| findings.find(id).map_or(Outcome::NotPerformed, |check| check.outcome);
    let files: BTreeMap<String, usize> =
        reading.files.iter().map(|(id, bytes)| (id.to_string(), bytes.len())).collect();
    let result = json!({
        "access": reading.access,
        "files": files,
        "chip_authentication": outcome("chip_authentication"),
        "active_authentication": outcome("active_authentication"),
        "verdict": decision.verdict,
        "reasons": decision.reasons,
        "checks": findings,
        "signer": reading.report.signer(),
        "csca": reading.report.csca(),
    });
    (decision.verdict, result)
}

fn failed(error: &ReadError) -> (Verdict, Value) {
    let reason = ReasonCode::from(error.reason());
    let verdict = match reason.leads_to() {
        LeadsTo::Refuse => Verdict::Refused,
        LeadsTo::Refer | LeadsTo::Retry(_) => Verdict::Inconclusive,
    };
    (verdict, json!({ "verdict": verdict, "reasons": [reason] }))
}
