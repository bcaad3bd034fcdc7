//! What PACE asks of a group, so that one protocol runs over curves and prime fields.

use openssl::bn::BigNum;

use crate::{
    crypto::{CryptoError, Scalar, Secret, dh, ec},
    random::Random,
    tlv::Tag,
};

/// A group with the generator that keys are made on.
pub(super) trait Group: Sized {
    type KeyPair;
    type PublicKey;

    /// Tag of a public key in a key data object (ICAO 9303-11 §9.4.3, §9.4.4).
    const PUBLIC_KEY: Tag;

    fn prime(&self) -> Result<BigNum, CryptoError>;
    fn scalar(&self, random: &mut dyn Random) -> Result<Scalar, CryptoError>;
    fn key_pair(&self, scalar: Scalar) -> Result<Self::KeyPair, CryptoError>;
    fn encode(&self, pair: &Self::KeyPair) -> Result<Vec<u8>, CryptoError>;
    /// A public key that is an element of the group and not the neutral one.
    fn decode(&self, bytes: &[u8]) -> Result<Self::PublicKey, CryptoError>;
    fn same(&self, pair: &Self::KeyPair, peer: &Self::PublicKey) -> Result<bool, CryptoError>;
    fn agree(&self, pair: &Self::KeyPair, peer: &Self::PublicKey) -> Result<Secret, CryptoError>;
    fn map_generic(
        self,
        s: &Secret,
        pair: &Self::KeyPair,
        peer: &Self::PublicKey,
    ) -> Result<Self, CryptoError>;
    fn map_integrated(self, element: &Scalar) -> Result<Self, CryptoError>;
}

impl Group for ec::Domain {
    type KeyPair = ec::KeyPair;
    type PublicKey = ec::PublicPoint;

    const PUBLIC_KEY: Tag = Tag(0x86);

    fn prime(&self) -> Result<BigNum, CryptoError> {
        self.prime()
    }

    fn scalar(&self, random: &mut dyn Random) -> Result<Scalar, CryptoError> {
        self.scalar(random)
    }

    fn key_pair(&self, scalar: Scalar) -> Result<ec::KeyPair, CryptoError> {
        self.key_pair(scalar)
    }

    fn encode(&self, pair: &ec::KeyPair) -> Result<Vec<u8>, CryptoError> {
        self.encode(pair)
    }

    fn decode(&self, bytes: &[u8]) -> Result<ec::PublicPoint, CryptoError> {
        self.decode(bytes)
    }

    fn same(&self, pair: &ec::KeyPair, peer: &ec::PublicPoint) -> Result<bool, CryptoError> {
        self.same(pair, peer)
    }

    fn agree(&self, pair: &ec::KeyPair, peer: &ec::PublicPoint) -> Result<Secret, CryptoError> {
        self.agree(pair, peer)
    }

    fn map_generic(
        self,
        s: &Secret,
        pair: &ec::KeyPair,
        peer: &ec::PublicPoint,
    ) -> Result<Self, CryptoError> {
        self.map(s, pair, peer)
    }

    fn map_integrated(self, element: &Scalar) -> Result<Self, CryptoError> {
        self.map_integrated(element)
    }
}

impl Group for dh::Domain {
    type KeyPair = dh::KeyPair;
    type PublicKey = dh::PublicValue;

    const PUBLIC_KEY: Tag = Tag(0x84);

    fn prime(&self) -> Result<BigNum, CryptoError> {
        Ok(self.prime().to_owned()?)
    }

    fn scalar(&self, random: &mut dyn Random) -> Result<Scalar, CryptoError> {
        self.scalar(random)
    }

    fn key_pair(&self, scalar: Scalar) -> Result<dh::KeyPair, CryptoError> {
        self.key_pair(scalar)
    }

    fn encode(&self, pair: &dh::KeyPair) -> Result<Vec<u8>, CryptoError> {
        Ok(self.encode(pair))
    }

    fn decode(&self, bytes: &[u8]) -> Result<dh::PublicValue, CryptoError> {
        self.decode(bytes)
    }

    fn same(&self, pair: &dh::KeyPair, peer: &dh::PublicValue) -> Result<bool, CryptoError> {
        Ok(self.same(pair, peer))
    }

    fn agree(&self, pair: &dh::KeyPair, peer: &dh::PublicValue) -> Result<Secret, CryptoError> {
        self.agree(pair, peer)
    }

    fn map_generic(
        self,
        s: &Secret,
        pair: &dh::KeyPair,
        peer: &dh::PublicValue,
    ) -> Result<Self, CryptoError> {
        self.map(s, pair, peer)
    }

    fn map_integrated(self, element: &Scalar) -> Result<Self, CryptoError> {
        self.map_integrated(element)
    }
}
