//! What the chip authentication mapping leaves to prove: the chip's encrypted data and its mapping
//! key (ICAO 9303-11 §4.4.3.5).
//!
//! Nothing here is trusted. The static key that proves it must come from a signed file: a clone
//! would bring its own.

use crate::crypto::{
    Cipher, CryptoError, Secret,
    ec::{Curve, Domain},
    unpad,
};

/// `CA_IC` and `PK_Map,IC` of a chip that did PACE with chip authentication mapping.
pub struct UnverifiedMapping {
    curve: Curve,
    key_id: u32,
    data: Secret,
    mapping_key: Vec<u8>,
}

/// Why a chip's data for the mapping cannot be used. The session stands all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MappingDataError {
    /// There is no data object `8A`, or another follows the token.
    #[error("no encrypted chip authentication data")]
    Missing,
    /// What `8A` holds is not whole blocks, or decrypts to nothing padded.
    #[error("the encrypted chip authentication data cannot be decrypted")]
    Undecipherable,
}

impl UnverifiedMapping {
    /// Decrypts `A_IC = E(KS_Enc, CA_IC)`, in CBC mode with `IV = E(KS_Enc, -1)` and padding
    /// method 2 (ICAO 9303-11 §4.4.3.5.3, §4.4.3.5.4).
    pub(super) fn open(
        (curve, key_id): (Curve, u32),
        (cipher, encryption): (Cipher, &Secret),
        sealed: &[u8],
        mapping_key: Vec<u8>,
    ) -> Result<Self, MappingDataError> {
        let data =
            open(cipher, encryption, sealed).map_err(|_| MappingDataError::Undecipherable)?;
        Ok(Self { curve, key_id, data, mapping_key })
    }

    /// The `keyId` of the static key that the chip claims: the parameter id of the `PACEInfo`
    /// (ICAO 9303-11 §9.2.1).
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The curve that the static key must be on.
    #[must_use]
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// Whether the chip holds the private key of `static_key`, a point as in a signed key:
    /// `PK_Map,IC = KA(CA_IC, PK_IC, D_IC)` (ICAO 9303-11 §4.4.3.5.2).
    ///
    /// # Errors
    /// [`CryptoError::Point`] if the static key is no point of the curve.
    pub fn is_proved_by(&self, static_key: &[u8]) -> Result<bool, CryptoError> {
        let domain = Domain::new(self.curve)?;
        let base = domain.decode(static_key)?;
        let mapping_key = domain.decode(&self.mapping_key)?;
        domain.is_multiple(&mapping_key, &self.data, &base)
    }
}

fn open(cipher: Cipher, encryption: &Secret, sealed: &[u8]) -> Result<Secret, CryptoError> {
    let vector = cipher.encrypt_block(encryption, &[0xFF; 16])?;
    let padded = Secret::new(cipher.decrypt(encryption, &vector, sealed)?);
    Ok(Secret::new(unpad(padded.expose())?.to_vec()))
}
