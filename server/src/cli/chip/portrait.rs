//! `portrait.png` beside a chip's files: the picture of DG2 for people to look at. It is compared
//! with DG2 when the folder is verified, so that another face never looks verified.

use std::{fs, path::Path};

use enroll_core::{Check, ReasonCode};
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};
use nfc::{
    files::{FileId, Files},
    lds::dg2,
};
use serde_json::json;

use super::super::output::CliError;

const NAME: &str = "portrait.png";

/// Writes the first portrait of DG2, if it can be decoded.
pub(super) fn save(folder: &Path, files: &Files) -> Result<(), CliError> {
    let Some(png) = portrait(files) else { return Ok(()) };
    let path = folder.join(NAME);
    fs::write(&path, png).map_err(|source| CliError::Write { path, source })
}

/// `portrait.copy`: the picture in the folder is that of DG2. None if there is no picture, or no
/// DG2 to compare it with.
pub(super) fn check(folder: &Path, files: &Files) -> Option<Check> {
    files.get(FileId::DG2)?;
    let found = fs::read(folder.join(NAME)).ok()?;
    let same = portrait(files).is_some_and(|made| made == found);
    let reason = ReasonCode::nearest("dg.hash_mismatch");
    Some(Check::of("portrait.copy", same, reason, json!({ "file": NAME })))
}

fn portrait(files: &Files) -> Option<Vec<u8>> {
    let portraits = dg2::portraits(files.get(FileId::DG2)?).ok()?;
    png(&liveness::portrait::decode(&portraits.first()?.bytes).ok()?)
}

fn png(picture: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    PngEncoder::new(&mut bytes)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .ok()?;
    Some(bytes)
}
