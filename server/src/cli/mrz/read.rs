//! `enroll mrz read`: from a picture of the page.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use enroll_core::reason::ReasonCode;
use image::DynamicImage;
use mrz::{
    picture::{self, PictureError},
    reader::MrzReader,
};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, complain, describe},
    explain,
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

/// Why a file has no pixels.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Picture(#[from] PictureError),
}

impl Unusable {
    fn reason(&self) -> ReasonCode {
        match self {
            Self::Read(_) => ReasonCode::MRZ_PICTURE_UNREADABLE,
            Self::Picture(error) => ReasonCode::nearest(error.code()),
        }
    }
}

fn one(reader: &MrzReader, path: &Path) -> (Status, Value) {
    let started = Instant::now();
    let (status, mut result) = match picture(path) {
        Ok(picture) => {
            let reading = reader.read(&picture);
            (Status::of(reading.valid), json!(reading))
        }
        Err(error) => {
            complain(&format!("{}: {}", path.display(), describe(&error)));
            (Status::Unusable, unread(&error))
        }
    };
    explain(&mut result);
    if let Value::Object(object) = &mut result {
        object.insert("image".to_owned(), json!(path));
        object.insert("ms".to_owned(), json!(started.elapsed().as_millis()));
    }
    (status, result)
}

fn unread(error: &Unusable) -> Value {
    let reason = error.reason();
    let too_large = reason == ReasonCode::MRZ_PICTURE_TOO_LARGE;
    json!({
        "found": false, "lines": [], "valid": false, "reason": reason.as_str(),
        "confidence": 0.0, "advice": if too_large { vec!["too_large"] } else { vec![] },
        "error": error.to_string(),
    })
}

/// At most one byte more than a picture may have, so that a file without end is refused, too.
fn picture(path: &Path) -> Result<DynamicImage, Unusable> {
    let mut bytes = Vec::new();
    File::open(path)?.take(picture::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(picture::decode(&bytes)?)
}
