//! The key of an app: P-256, held by the device, never seen here. Its public half comes as
//! `WebCrypto` exports it raw (SEC 1 §2.3.3, uncompressed), its signatures as R ‖ S over SHA-256
//! (RFC 7518 §3.4).
//!
//! A device proves that it has the key by signing a challenge that the server drew:
//!
//! ```text
//! signature = ECDSA( "indrul-proof-v1 " purpose " " challenge )
//! ```

use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey, EcPoint},
    ecdsa::EcdsaSig,
    nid::Nid,
    pkey::Public,
};
use sha2::{Digest, Sha256};

use crate::reason::ReasonCode;

/// Bytes of an uncompressed point of P-256.
const POINT: usize = 65;
/// Bytes of one number of a signature.
const NUMBER: usize = 32;

/// A key that is not one, or a signature that does not prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// Not an uncompressed point of P-256.
    #[error("not a public key of P-256")]
    Key,
    /// Another key, another challenge, another purpose, or no signature at all.
    #[error("the signature does not prove the key")]
    Signature,
}

impl DeviceKeyError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::ACTIVATION_DEVICE_KEY
    }
}

/// What a signature is for, so that none serves for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To activate the app.
    Activate,
    /// To let another app be made of this one.
    Offer,
    /// To be that other app.
    Copy,
    /// To be told what a log-in asks for.
    LogIn,
    /// To approve one log-in (G1).
    Approve,
    /// To refuse one.
    Refuse,
    /// To be shown the notices.
    Inbox,
    /// To block the app itself: over its own identifier, since a block needs no second one.
    Block,
    /// To open My page from the app.
    MyPage,
}

impl Purpose {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Offer => "offer",
            Self::Copy => "copy",
            Self::LogIn => "log-in",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Inbox => "inbox",
            Self::Block => "block",
            Self::MyPage => "my-page",
        }
    }
}

/// What a device signs.
#[must_use]
pub fn message(purpose: Purpose, challenge: &str) -> String {
    format!("indrul-proof-v1 {} {challenge}", purpose.as_str())
}

/// The public key of an app.
#[derive(Clone)]
pub struct DeviceKey {
    raw: [u8; POINT],
    key: EcKey<Public>,
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceKey(P-256)")
    }
}

impl DeviceKey {
    /// Reads a raw public key; the point must be on the curve.
    ///
    /// # Errors
    /// [`DeviceKeyError::Key`].
    pub fn from_raw(bytes: &[u8]) -> Result<Self, DeviceKeyError> {
        let raw: [u8; POINT] = bytes.try_into().map_err(|_| DeviceKeyError::Key)?;
        let key = point(&raw).ok_or(DeviceKeyError::Key)?;
        Ok(Self { raw, key })
    }

    /// The raw public key.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// That the holder of the key signed `challenge` for `purpose`.
    ///
    /// # Errors
    /// [`DeviceKeyError::Signature`].
    pub fn proves(
        &self,
        purpose: Purpose,
        challenge: &str,
        signature: &[u8],
    ) -> Result<(), DeviceKeyError> {
        self.signed(message(purpose, challenge).as_bytes(), signature)
    }

    /// That the holder of the key signed `bytes`, R ‖ S (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`DeviceKeyError::Signature`].
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> Result<(), DeviceKeyError> {
        let digest = Sha256::digest(bytes);
        let signature = ecdsa(signature).ok_or(DeviceKeyError::Signature)?;
        // A library that fails has proved nothing either.
        match signature.verify(&digest, &self.key) {
            Ok(true) => Ok(()),
            _ => Err(DeviceKeyError::Signature),
        }
    }
}

fn point(raw: &[u8; POINT]) -> Option<EcKey<Public>> {
    if raw.first() != Some(&4) {
        return None;
    }
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).ok()?;
    let mut context = BigNumContext::new().ok()?;
    let point = EcPoint::from_bytes(&group, raw, &mut context).ok()?;
    let key = EcKey::from_public_key(&group, &point).ok()?;
    key.check_key().ok()?;
    Some(key)
}

fn ecdsa(signature: &[u8]) -> Option<EcdsaSig> {
    let (r, s) = signature.split_at_checked(NUMBER)?;
    if s.len() != NUMBER {
        return None;
    }
    EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use openssl::{ec::PointConversionForm, pkey::Private};

    use super::*;

    fn device() -> (EcKey<Private>, Vec<u8>) {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = EcKey::generate(&group).unwrap();
        let form = PointConversionForm::UNCOMPRESSED;
        let mut context = BigNumContext::new().unwrap();
        let raw = key.public_key().to_bytes(&group, form, &mut context).unwrap();
        (key, raw)
    }

    fn sign(key: &EcKey<Private>, text: &str) -> Vec<u8> {
        let signature = EcdsaSig::sign(&Sha256::digest(text), key).unwrap();
        let pad = |n: &openssl::bn::BigNumRef| n.to_vec_padded(32).unwrap();
        [pad(signature.r()), pad(signature.s())].concat()
    }

    // proves E2 (possession of the device-bound key)
    #[test]
    fn a_signature_proves_one_key_one_purpose_and_one_challenge() {
        let ((key, raw), (other, _)) = (device(), device());
        let public = DeviceKey::from_raw(&raw).unwrap();
        let good = sign(&key, &message(Purpose::Activate, "abc"));
        assert_eq!(public.proves(Purpose::Activate, "abc", &good), Ok(()));
        let refused = Err(DeviceKeyError::Signature);
        assert_eq!(public.proves(Purpose::Activate, "abd", &good), refused);
        assert_eq!(public.proves(Purpose::Copy, "abc", &good), refused);
        let stranger = sign(&other, &message(Purpose::Activate, "abc"));
        assert_eq!(public.proves(Purpose::Activate, "abc", &stranger), refused);
        for bad in [&[][..], &[0; 64], &good[..63], &[good.as_slice(), &[0]].concat()] {
            assert_eq!(public.proves(Purpose::Activate, "abc", bad), refused);
        }
    }

    #[test]
    fn a_key_is_a_point_of_the_curve() {
        let (_, raw) = device();
        let mut off = raw.clone();
        off[64] ^= 1;
        let mut compressed = raw.clone();
        compressed[0] = 2;
        for bad in [&off[..], &raw[..64], &compressed, &[0], &[]] {
            assert_eq!(DeviceKey::from_raw(bad).unwrap_err(), DeviceKeyError::Key);
        }
    }
}
