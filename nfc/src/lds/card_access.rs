//! EF.CardAccess: what PACE needs to know before access (ICAO 9303-11 §9.2.11). Unsigned.

use super::{LdsError, security_infos::SecurityInfos};

/// Parses EF.CardAccess. The bytes must hold the SET alone.
///
/// # Errors
/// [`LdsError`] if the file is no SET OF SecurityInfo.
pub fn parse(file: &[u8]) -> Result<SecurityInfos, LdsError> {
    SecurityInfos::parse(file)
}
