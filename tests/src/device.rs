//! A person's device: its key, as a phone keeps it (`docs/activation.md`, *Keys and signatures*).

use enroll_core::device_key::{Purpose, message};
use openssl::{
    bn::BigNumContext,
    ec::{EcGroup, EcKey, PointConversionForm},
    ecdsa::EcdsaSig,
    error::ErrorStack,
    nid::Nid,
    pkey::Private,
};
use server::keys::base64url;

/// A P-256 key that does not leave it.
pub struct Device(EcKey<Private>);

impl Device {
    /// With a new key.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn new() -> Result<Self, ErrorStack> {
        Ok(Self(EcKey::generate(EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?.as_ref())?))
    }

    /// The public half: 65 bytes, in base64url.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn public_key(&self) -> Result<String, ErrorStack> {
        let (group, form) = (self.0.group(), PointConversionForm::UNCOMPRESSED);
        let mut context = BigNumContext::new()?;
        Ok(base64url(&self.0.public_key().to_bytes(group, form, &mut context)?))
    }

    /// R and S of a signature over the text for `purpose` and `challenge`, in base64url.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn sign(&self, purpose: Purpose, challenge: &str) -> Result<String, ErrorStack> {
        let digest = openssl::sha::sha256(message(purpose, challenge).as_bytes());
        let signature = EcdsaSig::sign(&digest, &self.0)?;
        let (r, s) = (signature.r().to_vec_padded(32)?, signature.s().to_vec_padded(32)?);
        Ok(base64url(&[r, s].concat()))
    }
}
