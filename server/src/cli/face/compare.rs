//! `enroll face compare`: whether two faces are one person.

use std::{path::PathBuf, time::Instant};

use enroll_core::{Check, ReasonCode, Verdict, decide::judge, findings::face};
use liveness::{Comparison, Engine, Face, FaceError, MorphScore};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, text_in},
    Models, picture,
};

/// Arguments of `enroll face compare`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    models: Models,
    /// A picture (png, jpeg, webp, jp2) or a DG2 file
    a: PathBuf,
    /// Another
    b: PathBuf,
}

/// What is compared with what: the recognition networks of `liveness`, fused.
const MODEL: &str = "recognition-a+recognition-b+recognition-c";

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let engine = args.models.engine()?;
    let started = Instant::now();
    let pictures = (picture(&args.a), picture(&args.b));
    let compared = match &pictures {
        (Ok(a), Ok(b)) => compare(&engine, &engine.analyse(a), &engine.analyse(b)),
        (Err(reason), _) | (_, Err(reason)) => Err(*reason),
    };
    let (verdict, reasons) = judge(&[check(&compared)], &["face.match"]);
    let result = json!({
        "similarity": compared.as_ref().ok().map(|(compared, _)| compared.similarity),
        "threshold": engine.operating_point().threshold,
        "verdict": verdict,
        "reasons": reasons,
        "false_match_rate_at_threshold": engine.operating_point().false_match_rate,
        "morph_suspected": compared.as_ref().ok().map(|(_, morph)| morph.suspected),
        "model": MODEL,
        "ms": started.elapsed().as_millis(),
    });
    out.result(args.format, &result, human)?;
    let read = pictures.0.is_ok() && pictures.1.is_ok();
    Ok(if read { Status::of(verdict == Verdict::Accepted) } else { Status::Unusable })
}

fn compare(
    engine: &Engine,
    a: &Result<Face, FaceError>,
    b: &Result<Face, FaceError>,
) -> Result<(Comparison, MorphScore), ReasonCode> {
    let code = |error: &FaceError| ReasonCode::nearest(error.code());
    let (a, b) = (a.as_ref().map_err(code)?, b.as_ref().map_err(code)?);
    Ok((engine.compare(&a.template, &b.template), engine.morph(&a.template, &b.template)))
}

/// The verdict is of one person or two: a suspected morph is told beside it.
fn check(compared: &Result<(Comparison, MorphScore), ReasonCode>) -> Check {
    match compared {
        Ok((compared, _)) => face::matched(compared),
        Err(reason) => Check::not_performed("face.match", *reason, json!({})),
    }
}

fn human(result: &Value) -> String {
    let number = |name: &str| result.get(name).and_then(Value::as_f64);
    let shown = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.3}"));
    format!(
        "{}: similarity {}, threshold {}",
        text_in(result, "verdict"),
        shown(number("similarity")),
        shown(number("threshold"))
    )
}
