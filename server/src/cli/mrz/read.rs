//! `enroll mrz read`: from a picture of the page.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use image::DynamicImage;
use mrz::reader::MrzReader;
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, complain, describe, read},
    parse::human,
};

/// Arguments of `enroll mrz read`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Pictures: png, jpeg, webp
    #[arg(required = true)]
    images: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let reader = MrzReader::new()?;
    let mut worst = Status::Accepted;
    for image in &args.images {
        let (status, result) = one(&reader, image);
        out.result(args.format, &result, |result| {
            format!("{}\n{}", image.display(), human(result))
        })?;
        worst = worst.max(status);
    }
    Ok(worst)
}

fn one(reader: &MrzReader, path: &Path) -> (Status, Value) {
    let started = Instant::now();
    let (status, mut result) = match picture(path) {
        Ok(picture) => {
            let reading = reader.read(&picture);
            (Status::of(reading.valid), json!(reading))
        }
        Err(error) => {
            complain(&describe(&error));
            let error = error.to_string();
            let unread = json!({
                "found": false, "lines": [], "valid": false, "reason": "mrz.not_found",
                "confidence": 0.0, "advice": [], "error": error,
            });
            (Status::Unusable, unread)
        }
    };
    if let Value::Object(object) = &mut result {
        object.insert("image".to_owned(), json!(path));
        object.insert("ms".to_owned(), json!(started.elapsed().as_millis()));
    }
    (status, result)
}

fn picture(path: &Path) -> Result<DynamicImage, CliError> {
    let pixels = liveness::portrait::decode(&read(path)?)
        .map_err(|source| CliError::Picture { path: path.to_owned(), source })?;
    Ok(pixels.into())
}
