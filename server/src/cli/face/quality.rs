//! `enroll face quality`: whether a picture is good enough, as instructions.

use std::path::{Path, PathBuf};

use enroll_core::{ReasonCode, Verdict, decide::judge, findings::face};
use image::RgbImage;
use liveness::Engine;
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, text_in},
    Models, picture,
};

/// Arguments of `enroll face quality`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    models: Models,
    /// A picture (png, jpeg, webp, jp2) or a DG2 file
    image: PathBuf,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let engine = args.models.engine()?;
    let (status, reasons, result) = match picture(&args.image) {
        Ok(pixels) => looked_at(&engine, &args.image, &pixels),
        Err(reason) => {
            let result = json!({
                "image": args.image, "verdict": Verdict::Inconclusive, "reasons": [reason],
                "measures": null,
            });
            (Status::Unusable, vec![reason], result)
        }
    };
    out.result(args.format, &result, |result| human(result, &reasons))?;
    Ok(status)
}

fn looked_at(engine: &Engine, path: &Path, pixels: &RgbImage) -> (Status, Vec<ReasonCode>, Value) {
    let found = engine.analyse(pixels);
    let checks = face::of_picture(found.as_ref());
    let (verdict, mut reasons) = judge(&checks, &["face.detected", "face.quality"]);
    let measured = found.as_ref().ok().map(|face| &face.quality);
    if let Some(quality) = measured.filter(|quality| !quality.reasons.is_empty()) {
        reasons = quality.reasons.iter().map(|reason| ReasonCode::nearest(reason.code())).collect();
    }
    let result = json!({
        "image": path,
        "verdict": verdict,
        "reasons": reasons,
        "measures": measured.map(|quality| quality.measures),
    });
    (Status::of(verdict == Verdict::Accepted), reasons, result)
}

fn human(result: &Value, reasons: &[ReasonCode]) -> String {
    let mut lines = vec![text_in(result, "verdict").to_owned()];
    lines.extend(reasons.iter().map(|reason| format!("{reason}: {}", reason.entry().next.da)));
    lines.join("\n")
}
