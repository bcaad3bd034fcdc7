//! Public keys as certificates and data groups 14 and 15 carry them.

use nfc::crypto::public_key::PublicKey;

/// `SubjectPublicKeyInfo`: a key that is taken can be described and decides about a signature.
pub fn public_key(data: &[u8]) {
    let Ok(key) = PublicKey::parse(data) else { return };
    assert!(!key.describe().is_empty());
}
