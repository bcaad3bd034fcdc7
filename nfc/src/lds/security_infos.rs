//! `SecurityInfos` of EF.CardAccess and DG14 (ICAO 9303-11 §9.2; TR-03110-3 §A.1.1).
//!
//! Chips carry proprietary and malformed entries beside those that count; they are kept as unknown
//! and never abort the reading.

use super::LdsError;
use crate::{
    crypto::Cipher,
    der::{self, INTEGER, Oid, SEQUENCE, SET},
    tlv::{self, Reader, TlvError},
};

/// The most entries that are read.
const MOST: usize = 64;

/// `id-PACE`, `id-CA`, `id-PK` of BSI (0.4.0.127.0.7.2.2.*) and `id-AA` of ICAO, as content bytes.
const PACE: [u8; 8] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04];
const CHIP_AUTHENTICATION: [u8; 8] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x03];
const PUBLIC_KEY: [u8; 8] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x01];
const ACTIVE_AUTHENTICATION: [u8; 6] = [0x67, 0x81, 0x08, 0x01, 0x01, 0x05];

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityInfo {
    /// `PACEInfo`.
    Pace(PaceInfo),
    /// `ChipAuthenticationInfo`.
    ChipAuthentication(ChipAuthenticationInfo),
    /// `ChipAuthenticationPublicKeyInfo`.
    ChipAuthenticationPublicKey(ChipAuthenticationPublicKey),
    /// `ActiveAuthenticationInfo`: the signature algorithm of an ECDSA key.
    ActiveAuthentication(Oid),
    /// Anything else.
    Unknown(Option<Oid>),
}

impl SecurityInfo {
    /// Whether the entry has another form than the standard gives it, where a chip's genuineness
    /// rests on it: no SecurityInfo at all, or chip or active authentication that cannot be read.
    /// In a signed file that is a fault; unsigned files may hold anything.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::ChipAuthentication(info) => info.version != 1,
            Self::ChipAuthenticationPublicKey(key) => {
                !matches!(key.protocol.after(&PUBLIC_KEY), Some([1 | 2]))
            }
            Self::Unknown(None) => true,
            Self::Unknown(Some(oid)) => {
                matches!(oid.after(&CHIP_AUTHENTICATION), Some([1 | 2, 1..=4]))
                    || matches!(oid.after(&PUBLIC_KEY), Some([1 | 2]))
                    || oid.as_bytes() == ACTIVE_AUTHENTICATION
            }
            Self::Pace(_) | Self::ActiveAuthentication(_) => false,
        }
    }
}

/// `PACEInfo ::= SEQUENCE { protocol, version INTEGER, parameterId INTEGER OPTIONAL }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaceInfo {
    /// Mapping, agreement and cipher.
    pub protocol: Oid,
    /// 2 for the PACE of ICAO 9303-11.
    pub version: u32,
    /// Standardized domain parameters, or a reference to proprietary ones.
    pub parameter_id: Option<u32>,
}

impl PaceInfo {
    /// The arcs after `id-PACE`: mapping with agreement, and cipher.
    #[must_use]
    pub fn arcs(&self) -> Option<(u8, u8)> {
        match self.protocol.after(&PACE) {
            Some([mapping, cipher]) => Some((*mapping, *cipher)),
            _ => None,
        }
    }
}

/// `ChipAuthenticationInfo ::= SEQUENCE { protocol, version INTEGER, keyId INTEGER OPTIONAL }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipAuthenticationInfo {
    /// Agreement and cipher.
    pub protocol: Oid,
    /// 1 for the protocol of ICAO 9303-11.
    pub version: u32,
    /// Which key, when there are several; content bytes.
    pub key_id: Option<Vec<u8>>,
}

impl ChipAuthenticationInfo {
    /// The arc of the agreement (1 DH, 2 ECDH), and the cipher.
    #[must_use]
    pub fn variant(&self) -> Option<(u8, Cipher)> {
        match self.protocol.after(&CHIP_AUTHENTICATION) {
            Some([agreement, arc]) => Some((*agreement, Cipher::from_arc(*arc)?)),
            _ => None,
        }
    }
}

/// `ChipAuthenticationPublicKeyInfo`: a static key of the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipAuthenticationPublicKey {
    /// `id-PK-DH` or `id-PK-ECDH`.
    pub protocol: Oid,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// Which key, when there are several; content bytes.
    pub key_id: Option<Vec<u8>>,
}

impl ChipAuthenticationPublicKey {
    /// The arc of the agreement that the key is for: 1 DH, 2 ECDH.
    #[must_use]
    pub fn agreement(&self) -> Option<u8> {
        match self.protocol.after(&PUBLIC_KEY) {
            Some([agreement]) => Some(*agreement),
            _ => None,
        }
    }
}

/// All entries, parsed and as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityInfos {
    entries: Vec<(SecurityInfo, Vec<u8>)>,
}

impl SecurityInfos {
    /// Parses `SecurityInfos ::= SET OF SecurityInfo`.
    ///
    /// # Errors
    /// [`LdsError`] if the bytes are no such SET, or too long a one.
    pub fn parse(bytes: &[u8]) -> Result<Self, LdsError> {
        let mut reader = tlv::single(bytes, SET)?.reader();
        let mut entries = Vec::new();
        while let Some(element) = reader.next_element()? {
            if entries.len() == MOST {
                return Err(LdsError::Budget { most: MOST });
            }
            entries.push((entry(element.bytes), element.bytes.to_vec()));
        }
        Ok(Self { entries })
    }

    /// The entries in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &SecurityInfo> {
        self.entries.iter().map(|(info, _)| info)
    }

    /// The PACE entries.
    pub fn pace(&self) -> impl Iterator<Item = &PaceInfo> {
        self.iter().filter_map(|info| match info {
            SecurityInfo::Pace(pace) => Some(pace),
            _ => None,
        })
    }

    /// Chip authentication entries.
    pub fn chip_authentication(&self) -> impl Iterator<Item = &ChipAuthenticationInfo> {
        self.iter().filter_map(|info| match info {
            SecurityInfo::ChipAuthentication(info) => Some(info),
            _ => None,
        })
    }

    /// Chip authentication keys.
    pub fn chip_keys(&self) -> impl Iterator<Item = &ChipAuthenticationPublicKey> {
        self.iter().filter_map(|info| match info {
            SecurityInfo::ChipAuthenticationPublicKey(key) => Some(key),
            _ => None,
        })
    }

    /// The signature algorithm of active authentication, if given.
    #[must_use]
    pub fn active_authentication(&self) -> Option<&Oid> {
        self.iter().find_map(|info| match info {
            SecurityInfo::ActiveAuthentication(oid) => Some(oid),
            _ => None,
        })
    }

    /// Whether both offer the same PACE variants, none added and none hidden (ICAO 9303-11 §4.4.1):
    /// a variant struck from EF.CardAccess is a downgrade. Entries of other kinds may differ.
    #[must_use]
    pub fn has_same_pace(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| a.pace().all(|info| b.pace().any(|other| other == info));
        within(self, other) && within(other, self)
    }
}

/// An entry, unknown if it cannot be read.
fn entry(bytes: &[u8]) -> SecurityInfo {
    let protocol =
        || -> Result<Oid, TlvError> { der::oid(&mut tlv::single(bytes, SEQUENCE)?.reader()) };
    parse_entry(bytes).unwrap_or_else(|_| SecurityInfo::Unknown(protocol().ok()))
}

fn parse_entry(bytes: &[u8]) -> Result<SecurityInfo, TlvError> {
    let mut reader = tlv::single(bytes, SEQUENCE)?.reader();
    let protocol = der::oid(&mut reader)?;
    let arcs = |prefix: &[u8]| protocol.after(prefix).map(<[u8]>::len);
    if arcs(&PACE) == Some(2) {
        let version = der::small_integer(&mut reader)?;
        let parameter_id = match reader.is_empty() {
            true => None,
            false => Some(der::small_integer(&mut reader)?),
        };
        return Ok(SecurityInfo::Pace(PaceInfo { protocol, version, parameter_id }));
    }
    if arcs(&CHIP_AUTHENTICATION) == Some(2) {
        let version = der::small_integer(&mut reader)?;
        let key_id = key_id(&mut reader)?;
        let info = ChipAuthenticationInfo { protocol, version, key_id };
        return Ok(SecurityInfo::ChipAuthentication(info));
    }
    if arcs(&PUBLIC_KEY) == Some(1) {
        let spki = reader.expect(SEQUENCE)?.bytes.to_vec();
        let key_id = key_id(&mut reader)?;
        let key = ChipAuthenticationPublicKey { protocol, spki, key_id };
        return Ok(SecurityInfo::ChipAuthenticationPublicKey(key));
    }
    if protocol.as_bytes() == ACTIVE_AUTHENTICATION {
        der::small_integer(&mut reader)?;
        return Ok(SecurityInfo::ActiveAuthentication(der::oid(&mut reader)?));
    }
    Ok(SecurityInfo::Unknown(Some(protocol)))
}

fn key_id(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, TlvError> {
    Ok(reader.optional(INTEGER)?.map(|tlv| tlv.value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_malformed_entries_do_not_abort() {
        // PACEInfo of ICAO 9303-11 appendix G.1, an unknown OID, and an entry that is no SEQUENCE.
        let bytes = hex::decode(concat!(
            "3121",
            "3012060A04007F0007020204020202010202010D",
            "30050603550403",
            "040412345678"
        ))
        .unwrap();
        let infos = SecurityInfos::parse(&bytes).unwrap();
        let pace = infos.pace().next().unwrap();
        assert_eq!((pace.arcs(), pace.version, pace.parameter_id), (Some((2, 2)), 2, Some(13)));
        assert_eq!(infos.iter().count(), 3);
        assert!(matches!(infos.iter().nth(2), Some(SecurityInfo::Unknown(None))));
    }

    #[test]
    fn entries_are_counted() {
        let bytes = tlv::encode(SET, &[0x30, 0x00].repeat(65));
        assert_eq!(SecurityInfos::parse(&bytes), Err(LdsError::Budget { most: 64 }));
    }
}
