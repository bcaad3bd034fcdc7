//! `enroll face challenge`: judges a capture of the face challenge that lies in a folder, for QA.
//!
//! The folder holds the pictures and `challenge.json`: the nonce, the script, how long after the
//! challenge the pictures came, and for each picture its number, time, file and tag.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use enroll_core::{Verdict, decide::judge, findings::face};
use liveness::challenge::{Arrival, Frame, Nonce, Script};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, text_in},
    Models,
};

/// Arguments of `enroll face challenge`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    models: Models,
    /// A folder with challenge.json and the pictures
    folder: PathBuf,
}

/// The description's name in the folder.
const DESCRIPTION: &str = "challenge.json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    nonce: Bytes32,
    script: Script,
    after_ms: u64,
    frames: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    number: u32,
    at_ms: u32,
    /// A name in the folder.
    file: String,
    tag: Bytes32,
}

/// 64 hexadecimal digits.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Bytes32([u8; 32]);

impl TryFrom<String> for Bytes32 {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let described = described(&args.folder)?;
    let pictures = pictures(&args.folder, &described.frames)?;
    let engine = args.models.engine()?;
    let started = Instant::now();
    let Bytes32(nonce) = described.nonce;
    let (nonce, script) = (Nonce::new(nonce), &described.script);
    let frames: Vec<Frame<'_>> = described.frames.iter().zip(&pictures).map(frame).collect();
    let arrival = Arrival { nonce: &nonce, script, after_ms: described.after_ms };
    let judgement = engine.judge_challenge(&arrival, &frames);
    let (verdict, reasons) = judge(&[face::challenge(&judgement)], &["face.challenge"]);
    let result = json!({
        "folder": args.folder,
        "verdict": verdict,
        "reasons": reasons,
        "refusals": judgement.refusals,
        "evidence": judgement.evidence,
        "ms": started.elapsed().as_millis(),
    });
    out.result(args.format, &result, human)?;
    Ok(Status::of(verdict == Verdict::Accepted))
}

fn described(folder: &Path) -> Result<Description, CliError> {
    let path = folder.join(DESCRIPTION);
    let text = super::super::output::read(&path)?;
    serde_json::from_slice(&text).map_err(|source| CliError::Challenge { path, source })
}

/// The files of the frames, which lie in the folder itself and nowhere else.
fn pictures(folder: &Path, frames: &[Listed]) -> Result<Vec<Vec<u8>>, CliError> {
    let read = |frame: &Listed| {
        let name = Path::new(&frame.file).file_name().unwrap_or_default();
        let path = folder.join(name);
        fs::read(&path).map_err(|source| CliError::Read { path, source })
    };
    frames.iter().map(read).collect()
}

fn frame<'a>((listed, bytes): (&Listed, &'a Vec<u8>)) -> Frame<'a> {
    let Bytes32(tag) = listed.tag;
    Frame { number: listed.number, at_ms: listed.at_ms, bytes, tag }
}

/// The verdict and the precise reasons, which a person at QA may know.
fn human(result: &Value) -> String {
    let refusals = result.get("refusals").and_then(Value::as_array);
    let named = refusals.into_iter().flatten().map(|refusal| text_in(refusal, "reason"));
    let mut lines = vec![text_in(result, "verdict")];
    lines.extend(named);
    lines.join("\n")
}
