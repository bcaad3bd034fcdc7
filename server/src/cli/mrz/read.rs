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
    reader::{MrzReader, Reading},
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
    /// The pictures are frames of one video, in their order: one result, of the frames up to the
    /// first after which no doubt is left
    #[arg(long)]
    video: bool,
    /// Pictures: png, jpeg, webp
    #[arg(required = true)]
    images: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let mut reader = MrzReader::new()?;
    if args.video {
        return video(args, &mut reader, out);
    }
    let mut worst = Status::Accepted;
    for image in &args.images {
        let started = Instant::now();
        let looked = look(image, |picture| reader.read(picture));
        worst = worst.max(tell(args, image, looked, started, out)?);
    }
    Ok(worst)
}

/// What the frames up to the first without doubt say, or all of them; a frame that is no picture
/// says nothing unless all are none.
fn video(args: &Args, reader: &mut MrzReader, out: &mut Output<'_>) -> Result<Status, CliError> {
    let started = Instant::now();
    let mut last: Option<(&Path, Looked)> = None;
    for (frames, image) in (1..).zip(&args.images) {
        let (status, mut result) = look(image, |picture| reader.push(picture));
        put(&mut result, "frames", json!(frames));
        if last.is_none() || status != Status::Unusable {
            last = Some((image, (status, result)));
        }
        if status == Status::Accepted {
            break;
        }
    }
    let Some((image, looked)) = last else { return Ok(Status::Unusable) };
    tell(args, image, looked, started, out)
}

/// A status for the shell, and the object to print.
type Looked = (Status, Value);

fn tell(
    args: &Args,
    image: &Path,
    (status, mut result): Looked,
    started: Instant,
    out: &mut Output<'_>,
) -> Result<Status, CliError> {
    explain(&mut result);
    put(&mut result, "image", json!(image));
    put(&mut result, "ms", json!(started.elapsed().as_millis()));
    out.result(args.format, &result, |result| format!("{}\n{}", image.display(), human(result)))?;
    Ok(status)
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

/// What comes of a picture, or of the lack of one.
fn look(path: &Path, read: impl FnOnce(&DynamicImage) -> Reading) -> Looked {
    match picture(path) {
        Ok(picture) => {
            let reading = read(&picture);
            (Status::of(reading.valid), json!(reading))
        }
        Err(error) => {
            complain(&format!("{}: {}", path.display(), describe(&error)));
            (Status::Unusable, unread(&error))
        }
    }
}

fn put(result: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = result {
        object.insert(name.to_owned(), value);
    }
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
