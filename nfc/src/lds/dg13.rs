//! DG13: optional details, which each state defines for itself (ICAO 9303-10 §4.7.13).

use super::LdsError;
use crate::{files::FileId, tlv};

/// The content, which only its state can read.
///
/// # Errors
/// [`LdsError`] if the file is no such template.
pub fn parse(file: &[u8]) -> Result<&[u8], LdsError> {
    Ok(tlv::single(file, FileId::DG13.tag())?.value)
}
