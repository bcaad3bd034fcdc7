//! Which PACE a chip offers and we can do (ICAO 9303-11 §9.2.1 to §9.2.3; TR-03110-3 §A.1.1.1).

use crate::{
    crypto::{Cipher, dh::Modp, ec::Curve},
    der::Oid,
    lds::security_infos::{PaceInfo, SecurityInfos},
};

/// How the nonce is mapped to a generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// By a first key agreement (ICAO 9303-11 §4.4.3.3.1).
    Generic,
    /// By encoding a field element made of two nonces (ICAO 9303-11 §4.4.3.3.2).
    Integrated,
    /// As the generic one, and the chip proves its static key by it (ICAO 9303-11 §4.4.3.3.3).
    ChipAuthentication,
}

impl Mapping {
    /// `GM`, `IM` or `CAM`, as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "GM",
            Self::Integrated => "IM",
            Self::ChipAuthentication => "CAM",
        }
    }
}

/// The group that keys are agreed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Elliptic curve.
    Ecdh(Curve),
    /// Subgroup of a prime field.
    Dh(Modp),
}

impl Agreement {
    /// `ECDH` or `DH`, as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecdh(_) => "ECDH",
            Self::Dh(_) => "DH",
        }
    }

    /// The curve or group, as reports show it.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Ecdh(curve) => curve.name(),
            Self::Dh(group) => group.name(),
        }
    }
}

/// A variant of PACE that both sides can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its identifier.
    pub protocol: Oid,
    /// Mapping.
    pub mapping: Mapping,
    /// Agreement.
    pub agreement: Agreement,
    /// Cipher of nonce and secure messaging.
    pub cipher: Cipher,
    /// Standardized domain parameters; with chip authentication mapping also the key's id.
    pub parameter_id: u32,
    /// Whether the chip must be told the parameters: it offers several.
    pub announce_parameters: bool,
}

/// The version of PACE that ICAO 9303-11 describes.
const VERSION: u32 = 2;

impl Suite {
    /// The variants that the chip offers and we can do, best first: chip authentication mapping,
    /// which spares a protocol, then AES before 3DES, then the chip's order.
    ///
    /// Domain parameters of the chip's own are not taken: they are unsigned, and weak ones give
    /// the password away (ICAO 9303-11 §9.2.2). A chip must offer standardized ones beside them.
    #[must_use]
    pub fn choose(offered: &SecurityInfos) -> Vec<Self> {
        let several = offered.pace().count() > 1;
        let mut suites: Vec<_> =
            offered.pace().filter_map(|info| Self::new(info, several)).collect();
        suites.sort_by_key(|suite| {
            (suite.mapping != Mapping::ChipAuthentication, suite.cipher == Cipher::TripleDes)
        });
        suites
    }

    /// Whether its keys need APDUs of extended length. A step cannot be cut into a chain of short
    /// ones: in PACE the chaining bit links the steps themselves (ICAO 9303-11 §9.3.2).
    #[must_use]
    pub fn needs_extended_length(&self) -> bool {
        matches!(self.agreement, Agreement::Dh(Modp::Modp2048With224 | Modp::Modp2048With256))
    }

    fn new(info: &PaceInfo, announce_parameters: bool) -> Option<Self> {
        let (kind, cipher) = info.arcs()?;
        let parameter_id = info.parameter_id?;
        let (mapping, agreement) = variant(kind, parameter_id)?;
        let cipher = Cipher::from_arc(cipher)?;
        let exists = mapping != Mapping::ChipAuthentication || cipher != Cipher::TripleDes;
        (exists && info.version == VERSION).then(|| Self {
            protocol: info.protocol.clone(),
            mapping,
            agreement,
            cipher,
            parameter_id,
            announce_parameters,
        })
    }
}

/// What the arc after `id-PACE` names, in the group of the parameters (ICAO 9303-11 §9.2.3).
fn variant(arc: u8, parameter_id: u32) -> Option<(Mapping, Agreement)> {
    let ecdh = || Curve::from_parameter_id(parameter_id).map(Agreement::Ecdh);
    let dh = || Modp::from_parameter_id(parameter_id).map(Agreement::Dh);
    match arc {
        1 => Some((Mapping::Generic, dh()?)),
        2 => Some((Mapping::Generic, ecdh()?)),
        3 => Some((Mapping::Integrated, dh()?)),
        // P-224 has no encoding of field elements (ICAO 9303-11 §9.5.1, table 12).
        4 => ecdh()
            .filter(|group| *group != Agreement::Ecdh(Curve::NistP224))
            .map(|group| (Mapping::Integrated, group)),
        6 => Some((Mapping::ChipAuthentication, ecdh()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::{self, Tag};

    fn info(kind: u8, cipher: u8, version: u8, parameter_id: Option<u8>) -> Vec<u8> {
        let oid = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, kind, cipher];
        let mut fields = tlv::encode(Tag(0x06), &oid);
        tlv::push(&mut fields, Tag(0x02), &[version]);
        if let Some(id) = parameter_id {
            tlv::push(&mut fields, Tag(0x02), &[id]);
        }
        tlv::encode(Tag(0x30), &fields)
    }

    fn choose(infos: &[Vec<u8>]) -> Vec<String> {
        let file = tlv::encode(Tag(0x31), &infos.concat());
        let show = |suite: &Suite| {
            let (agreement, cipher) = (suite.agreement, suite.cipher.name());
            format!("{} {} {cipher}", suite.mapping.name(), agreement.group())
        };
        Suite::choose(&SecurityInfos::parse(&file).unwrap()).iter().map(show).collect()
    }

    #[test]
    fn every_variant_of_the_standard_is_known() {
        let mut count = 0;
        for (kind, ids) in [(1, 0..=2), (2, 8..=18), (3, 0..=2), (4, 8..=18), (6, 8..=18)] {
            for id in ids {
                for cipher in 1..=4 {
                    count += choose(&[info(kind, cipher, 2, Some(id))]).len();
                }
            }
        }
        // P-224 lacks its four integrated ones, chip authentication mapping its 3DES.
        assert_eq!(count, 2 * 3 * 4 + 11 * 4 + 10 * 4 + 11 * 3);
    }

    #[test]
    fn chip_authentication_mapping_comes_first_and_3des_last() {
        let infos = [
            info(2, 1, 2, Some(13)),
            info(4, 4, 2, Some(16)),
            info(2, 2, 2, Some(13)),
            info(6, 2, 2, Some(12)),
        ];
        let order = [
            "CAM secp256r1 AES-128",
            "IM brainpoolP384r1 AES-256",
            "GM brainpoolP256r1 AES-128",
            "GM brainpoolP256r1 3DES",
        ];
        assert_eq!(choose(&infos), order);
    }

    #[test]
    fn what_the_standard_does_not_have_is_passed_over() {
        let infos = [
            info(2, 2, 1, Some(13)),
            info(2, 2, 2, None),
            info(2, 2, 2, Some(0)),
            info(1, 2, 2, Some(13)),
            info(2, 5, 2, Some(13)),
            info(5, 2, 2, Some(13)),
            info(6, 1, 2, Some(13)),
            info(2, 2, 2, Some(19)),
        ];
        assert_eq!(choose(&infos), [""; 0]);
    }
}
