//! `enroll face`: compare two faces, judge a picture, look for an attack.

mod attack;
mod challenge;
mod compare;
mod quality;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use enroll_core::ReasonCode;
use image::RgbImage;
use liveness::{Engine, portrait};
use nfc::{files::FileId, lds::dg2, tlv};

use super::output::{CliError, Output, Status, complain, describe};

/// Sub-commands of `enroll face`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Compare two faces: pictures or DG2 files
    Compare(compare::Args),
    /// Judge whether a picture is good enough, and what to mend
    Quality(quality::Args),
    /// Look for signs of a print or a screen
    Attack(attack::Args),
    /// Judge a capture of the face challenge in a folder
    Challenge(challenge::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Compare(args) => compare::run(args, out),
        Command::Quality(args) => quality::run(args, out),
        Command::Attack(args) => attack::run(args, out),
        Command::Challenge(args) => challenge::run(args, out),
    }
}

/// Where the models lie.
#[derive(Debug, clap::Args)]
struct Models {
    /// The data directory, with the models in `models`
    #[arg(long, env = "INDRUL_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
}

impl Models {
    fn engine(&self) -> Result<Engine, CliError> {
        Engine::load(&self.data.join("models"))
            .map_err(|source| CliError::Models { data: self.data.clone(), source })
    }
}

/// The pixels of a picture, or of the first portrait of a DG2 file. What cannot be used is told on
/// standard error, and is a reason to refuse like any other.
fn picture(path: &Path) -> Result<RgbImage, ReasonCode> {
    pixels(path).map_err(|error| {
        complain(&describe(&error));
        ReasonCode::FACE_PORTRAIT_UNREADABLE
    })
}

fn pixels(path: &Path) -> Result<RgbImage, CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // One byte more than a picture may have, so that a file without end is refused, too.
    let file = File::open(path).map_err(failed)?;
    file.take(portrait::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if tlv::single(&bytes, FileId::DG2.tag()).is_ok() {
        let portraits = dg2::portraits(&bytes)
            .map_err(|source| CliError::Portrait { path: path.to_owned(), source })?;
        bytes = portraits.into_iter().next().map(|portrait| portrait.bytes).unwrap_or_default();
    }
    portrait::decode(&bytes).map_err(|source| CliError::Picture { path: path.to_owned(), source })
}
