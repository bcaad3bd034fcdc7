//! DG14: security options, the signed SecurityInfos (ICAO 9303-10 §4.7.14).

use super::{LdsError, security_infos::SecurityInfos};
use crate::{files::FileId, tlv};

/// Parses DG14.
///
/// # Errors
/// [`LdsError`] if the file is no template of SecurityInfos.
pub fn parse(file: &[u8]) -> Result<SecurityInfos, LdsError> {
    SecurityInfos::parse(tlv::single(file, FileId::DG14.tag())?.value)
}
