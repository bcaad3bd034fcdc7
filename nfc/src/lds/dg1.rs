//! DG1: the machine readable zone as the issuer signed it (ICAO 9303-10 §4.7.1).

use super::LdsError;
use crate::{
    files::FileId,
    tlv::{self, Tag},
};

const MRZ: Tag = Tag(0x5F1F);

/// The machine readable zone in DG1.
///
/// # Errors
/// [`LdsError`] if the file or the zone has another form.
pub fn parse(file: &[u8]) -> Result<mrz::Mrz, LdsError> {
    Ok(mrz::parse(text(file)?)?)
}

/// The zone's characters without line breaks: `61 { 5F1F text }`.
///
/// # Errors
/// [`LdsError`] if the file has another form or is not ASCII.
pub fn text(file: &[u8]) -> Result<&str, LdsError> {
    let mut reader = tlv::single(file, FileId::DG1.tag())?.reader();
    let element = reader.expect(MRZ)?;
    std::str::from_utf8(element.value)
        .ok()
        .filter(|text| text.is_ascii())
        .ok_or(LdsError::Content { tag: MRZ })
}

/// The issuing state or organization, positions 3 to 5 of every format, without fillers.
///
/// # Errors
/// [`LdsError`] if the file has another form.
pub fn issuer(file: &[u8]) -> Result<&str, LdsError> {
    let code = text(file)?.get(2..5).ok_or(LdsError::Content { tag: MRZ })?;
    Ok(code.trim_end_matches('<'))
}
