//! EF.CardSecurity: the signed SecurityInfos of the master file, with the key of PACE's chip
//! authentication mapping (ICAO 9303-10 §3.11.4; TR-03110-3 §A.1.2.5).

use super::LdsError;
use crate::cms::SignedData;

/// `id-SecurityObject`, the type of the signed content (TR-03110-3 §A.1.2.5).
pub const CARD_SECURITY_OBJECT: &str = "0.4.0.127.0.7.3.2.1";

/// The CMS content of EF.CardSecurity, a bare `ContentInfo`.
///
/// # Errors
/// [`LdsError`] if the file is no signed data.
pub fn parse(file: &[u8]) -> Result<SignedData, LdsError> {
    Ok(SignedData::parse(file)?)
}
