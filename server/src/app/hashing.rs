//! What a secret that a person types is compared with: Argon2id (RFC 9106) with a secret of the server
//! (a *pepper*) and with whose it is, so that neither a copy of the rows nor the key alone lets one be
//! tried.

use super::AppError;
use crate::keys::KeyRing;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use enroll_core::audit::Hash;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret as it is kept, sealed: with the cost it was made at, so that cost can grow.
#[derive(Serialize, Deserialize)]
pub(super) struct SecretHash {
    memory_kib: u32,
    passes: u32,
    salt: Hash,
    hash: Hash,
}

/// What a hash is of: the name of its pepper, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) pepper: &'static str,
    /// At most 32 bytes.
    pub(super) owner: &'a [u8],
}

/// Why a secret could not be hashed. Says nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("a secret cannot be hashed at this cost")]
struct HashingError(#[source] argon2::Error);

impl SecretHash {
    /// Of a new secret, at a cost of so many KiB and passes.
    pub(super) fn new(
        secret: &[u8],
        of: Of<'_>,
        keys: &KeyRing,
        (memory_kib, passes): (u32, u32),
        salt: Hash,
    ) -> Result<Self, AppError> {
        let mut made = Self { memory_kib, passes, salt, hash: Hash::ZERO };
        made.hash = Hash(*made.computed(secret, of, keys)?);
        Ok(made)
    }

    /// Whether it is that of `secret`, in a time that does not tell how much of it is.
    pub(super) fn fits(&self, secret: &[u8], of: Of<'_>, keys: &KeyRing) -> Result<bool, AppError> {
        Ok(openssl::memcmp::eq(self.computed(secret, of, keys)?.as_slice(), &self.hash.0))
    }

    fn computed(
        &self,
        secret: &[u8],
        of: Of<'_>,
        keys: &KeyRing,
    ) -> Result<Zeroizing<[u8; 32]>, AppError> {
        let failed = |error| AppError::internal(HashingError(error));
        let data = AssociatedData::new(of.owner).map_err(failed)?;
        let params = ParamsBuilder::new()
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(1)
            .data(data)
            .build()
            .map_err(failed)?;
        let pepper = keys.master().keyed_hash(of.pepper, b"").map_err(AppError::internal)?;
        let pepper = Zeroizing::new(pepper);
        let argon =
            Argon2::new_with_secret(pepper.as_slice(), Algorithm::Argon2id, Version::V0x13, params);
        let mut out = Zeroizing::new([0; 32]);
        let argon = argon.map_err(failed)?;
        argon.hash_password_into(secret, &self.salt.0, out.as_mut_slice()).map_err(failed)?;
        Ok(out)
    }
}
