//! Which PACE a chip offers and we can do (ICAO 9303-11 §9.2.1; TR-03110-3 §A.1.1.1).

use crate::{
    crypto::{Cipher, ec::Curve},
    der::Oid,
    lds::security_infos::{PaceInfo, SecurityInfos},
};

/// How the nonce is mapped to a generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mapping {
    /// By a first key agreement (ICAO 9303-11 §4.4.3.3.1).
    Generic,
}

impl Mapping {
    /// `GM`, as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "GM",
        }
    }
}

/// The group that keys are agreed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Agreement {
    /// Elliptic curve.
    Ecdh(Curve),
}

impl Agreement {
    /// `ECDH`, as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecdh(_) => "ECDH",
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
    /// Standardized domain parameters.
    pub parameter_id: u32,
    /// Whether the chip must be told the parameters: it offers several.
    pub announce_parameters: bool,
}

/// The version of PACE that ICAO 9303-11 describes.
const VERSION: u32 = 2;
/// Arc of `id-PACE-ECDH-GM`.
const ECDH_GM: u8 = 2;

impl Suite {
    /// The variants that the chip offers and we can do, strongest cipher first, in the chip's
    /// order otherwise.
    #[must_use]
    pub fn choose(offered: &SecurityInfos) -> Vec<Self> {
        let several = offered.pace().count() > 1;
        let mut suites: Vec<_> =
            offered.pace().filter_map(|info| Self::new(info, several)).collect();
        suites.sort_by_key(|suite| std::cmp::Reverse(strength(suite.cipher)));
        suites
    }

    fn new(info: &PaceInfo, announce_parameters: bool) -> Option<Self> {
        let (arc, cipher) = info.arcs()?;
        let parameter_id = info.parameter_id?;
        let agreement = Agreement::Ecdh(Curve::from_parameter_id(parameter_id)?);
        (arc == ECDH_GM && info.version == VERSION).then_some(Self {
            protocol: info.protocol.clone(),
            mapping: Mapping::Generic,
            agreement,
            cipher: Cipher::from_arc(cipher)?,
            parameter_id,
            announce_parameters,
        })
    }
}

/// AES before 3DES; the lengths of AES keys are all enough, so the chip's order decides.
fn strength(cipher: Cipher) -> u8 {
    u8::from(cipher != Cipher::TripleDes)
}
