//! DG15: the public key of active authentication (ICAO 9303-10 §4.7.15).

use super::LdsError;
use crate::{files::FileId, tlv};

/// The SubjectPublicKeyInfo in DG15, DER.
///
/// # Errors
/// [`LdsError`] if the file is no such template.
pub fn parse(file: &[u8]) -> Result<&[u8], LdsError> {
    Ok(tlv::single(file, FileId::DG15.tag())?.value)
}
