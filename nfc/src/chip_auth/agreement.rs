//! The key agreement with the chip's static key (ICAO 9303-11 §9.5; TR-03110-3 §A.2.1).

use super::{ChipAuthError, dh};
use crate::{
    crypto::{
        CryptoError, Secret,
        ec::Domain,
        public_key::{KeyError, PublicKey},
    },
    random::Random,
};

/// The kind of agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    Ecdh,
    Dh,
}

impl Agreement {
    /// The arc of `id-CA` and `id-PK` identifiers: 1 is DH, 2 ECDH.
    pub(super) fn from_arc(arc: u8) -> Option<Self> {
        match arc {
            1 => Some(Self::Dh),
            2 => Some(Self::Ecdh),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ecdh => "ECDH",
            Self::Dh => "DH",
        }
    }
}

/// What comes of an agreement.
pub(super) struct Agreed {
    /// Our ephemeral public key as it is sent: a point, or a number.
    pub(super) ours: Vec<u8>,
    pub(super) shared: Secret,
    /// The group, for people.
    pub(super) group: String,
}

/// Agrees with the key of a SubjectPublicKeyInfo.
pub(super) fn agree(
    agreement: Agreement,
    spki: &[u8],
    random: &mut dyn Random,
) -> Result<Agreed, ChipAuthError> {
    match agreement {
        Agreement::Ecdh => ecdh(spki, random),
        Agreement::Dh => dh::agree(spki, random),
    }
}

fn ecdh(spki: &[u8], random: &mut dyn Random) -> Result<Agreed, ChipAuthError> {
    let (curve, point) = match PublicKey::parse(spki) {
        Ok(PublicKey::Ec { curve, point }) => (curve, point),
        Ok(PublicKey::Rsa(_) | PublicKey::Dsa(_)) => return Err(ChipAuthError::NoSuchKey),
        Err(KeyError::Unsupported { oid }) if dh::is_dh(&oid) => {
            return Err(ChipAuthError::NoSuchKey);
        }
        Err(error) => return Err(error.into()),
    };
    let domain = Domain::new(curve)?;
    let peer = domain.decode(&point).map_err(no_such_key)?;
    let pair = domain.key_pair(domain.scalar(random)?)?;
    let shared = domain.agree(&pair, &peer)?;
    Ok(Agreed { ours: domain.encode(&pair)?, shared, group: curve.name().to_owned() })
}

/// A value outside its group is no key, and neither is one in no group; a group that is too large is
/// not supported; anything else is an error of ours.
pub(super) fn no_such_key(error: CryptoError) -> ChipAuthError {
    match error {
        CryptoError::Point => ChipAuthError::NoSuchKey,
        CryptoError::Unsupported => ChipAuthError::Unsupported,
        error => error.into(),
    }
}
