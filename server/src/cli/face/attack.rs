//! `enroll face attack`: signs of a print or a screen, one result a picture.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use enroll_core::{ReasonCode, Verdict, decide::judge, findings::face};
use image::RgbImage;
use liveness::{AttackScore, Engine, FaceError};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, text_in},
    Models, picture,
};

/// Arguments of `enroll face attack`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    models: Models,
    /// Pictures: png, jpeg, webp, jp2
    #[arg(required = true)]
    images: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let engine = args.models.engine()?;
    let mut worst = Status::Accepted;
    for image in &args.images {
        let (status, result) = match picture(image) {
            Ok(pixels) => one(&engine, image, &pixels),
            Err(reason) => (Status::Unusable, unread(image, reason)),
        };
        out.result(args.format, &result, |result| {
            format!("{}: {}", image.display(), text_in(result, "verdict"))
        })?;
        worst = worst.max(status);
    }
    Ok(worst)
}

fn one(engine: &Engine, path: &Path, pixels: &RgbImage) -> (Status, Value) {
    let started = Instant::now();
    let score: Result<AttackScore, FaceError> =
        engine.analyse(pixels).and_then(|face| engine.attack(pixels, &face));
    let (verdict, reasons) = judge(&[face::attack(score.as_ref())], &["face.attack"]);
    let found = score.as_ref().ok();
    let result = json!({
        "image": path,
        "score": found.map(|found| found.score),
        "threshold": found.map(|found| found.threshold),
        "verdict": verdict,
        "reasons": reasons,
        "species_hint": found.and_then(|found| found.species_hint),
        "networks": engine.attack_networks(),
        "ms": started.elapsed().as_millis(),
    });
    (Status::of(verdict == Verdict::Accepted), result)
}

fn unread(path: &Path, reason: ReasonCode) -> Value {
    json!({
        "image": path, "score": null, "threshold": null, "verdict": Verdict::Inconclusive,
        "reasons": [reason], "species_hint": null, "ms": 0,
    })
}
