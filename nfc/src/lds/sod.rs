//! EF.SOD: the CMS signature over the LDS security object (ICAO 9303-10 §4.6.2, appendix D).

use std::collections::BTreeMap;

use super::LdsError;
use crate::{
    cms::SignedData,
    crypto::Hash,
    der::{self, Algorithm, INTEGER, OCTET_STRING, Oid, SEQUENCE},
    files::{DgNumber, FileId},
    tlv::{self, Tag},
};

/// `id-icao-mrtd-security-ldsSecurityObject` (ICAO 9303-10 appendix D.1), and what real documents
/// have in its place: the arc that ICAO had before (Belgium, France), that of a Dutch printer, and
/// plain data (China). Which it is, is signed; that the content is a security object shows in it.
pub const SECURITY_OBJECTS: [&str; 4] =
    ["2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1", "1.2.840.113549.1.7.1"];

/// The CMS content of EF.SOD: `77 { ContentInfo }`.
///
/// # Errors
/// [`LdsError`] if the file is no such template of signed data.
pub fn parse(file: &[u8]) -> Result<SignedData, LdsError> {
    Ok(SignedData::parse(tlv::single(file, FileId::Sod.tag())?.value)?)
}

/// The signed hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityObject {
    /// 0, or 1 when versions are given.
    pub version: u32,
    /// The hash function's identifier.
    pub algorithm: Oid,
    /// The hash of each data group that the document has.
    pub hashes: BTreeMap<DgNumber, Vec<u8>>,
    /// LDS and Unicode version, such as `0108` and `040000`; in version 1 only.
    pub versions: Option<(String, String)>,
}

impl SecurityObject {
    /// Parses `LDSSecurityObject` (ICAO 9303-10 appendix D.1).
    ///
    /// # Errors
    /// [`LdsError`]; a data group that is listed twice or is none of the sixteen is malformed, and
    /// so is a version of the object that does not go with the version of the LDS.
    pub fn parse(content: &[u8]) -> Result<Self, LdsError> {
        let mut reader = tlv::single(content, SEQUENCE)?.reader();
        let version = der::small_integer(&mut reader)?;
        let algorithm = Algorithm::read(&mut reader)?.oid;
        let mut list = reader.expect(SEQUENCE)?.reader();
        let mut hashes = BTreeMap::new();
        while !list.is_empty() {
            let mut entry = list.expect(SEQUENCE)?.reader();
            let number = der::small_integer(&mut entry)?;
            let hash = entry.expect(OCTET_STRING)?.value.to_vec();
            let number = u8::try_from(number).ok().and_then(DgNumber::new);
            if number.is_none_or(|n| hashes.insert(n, hash).is_some()) {
                return Err(LdsError::Content { tag: INTEGER });
            }
        }
        let versions = versions(&mut reader)?;
        // Version 1 is of LDS 1.8 and later, which it names; version 0 names none.
        let fits = match (version, &versions) {
            (0, None) => true,
            (1, Some((lds, _))) => lds.as_str() >= "0108",
            _ => false,
        };
        if !fits {
            return Err(LdsError::Content { tag: INTEGER });
        }
        Ok(Self { version, algorithm, hashes, versions })
    }

    /// Whether a file is a data group that is signed.
    #[must_use]
    pub fn lists(&self, file: FileId) -> bool {
        matches!(file, FileId::Dg(number) if self.hashes.contains_key(&number))
    }

    /// The hash function, if it is a known one.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        Hash::from_oid(&self.algorithm)
    }
}

/// `LDSVersionInfo ::= SEQUENCE { ldsVersion PrintableString, unicodeVersion PrintableString }`.
fn versions(reader: &mut tlv::Reader<'_>) -> Result<Option<(String, String)>, LdsError> {
    let Some(info) = reader.optional(SEQUENCE)? else { return Ok(None) };
    let mut fields = info.reader();
    let mut text = || -> Result<String, LdsError> {
        let element = fields.expect(Tag(0x13))?;
        let text = std::str::from_utf8(element.value);
        Ok(text.map_err(|_| LdsError::Content { tag: element.tag })?.to_owned())
    };
    Ok(Some((text()?, text()?)))
}
