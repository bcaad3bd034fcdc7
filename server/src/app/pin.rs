//! What a PIN is compared with (E9): Argon2id (RFC 9106) with a secret of the server (a *pepper*) and
//! the app's identifier, so that neither a copy of the rows nor the key alone lets a PIN be tried.

use super::hashing::{Of, SecretHash};
use super::{App, AppError};
use crate::ids::AuthenticatorId;
use crate::keys::KeyRing;
use crate::metrics::cpu::Work;
use enroll_core::audit::Hash;
use enroll_core::pin::Pin;
use enroll_core::policy::Activation;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A PIN as it is kept, sealed: with the cost it was made at, so that cost can grow.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PinHash(SecretHash);

fn of(app: &AuthenticatorId) -> Of<'_> {
    Of { pepper: "pin pepper", owner: app.as_bytes() }
}

impl PinHash {
    /// Of a new PIN.
    pub(super) fn new(
        pin: &Pin,
        app: AuthenticatorId,
        (keys, policy): (&KeyRing, &Activation),
        salt: Hash,
    ) -> Result<Self, AppError> {
        let cost = (policy.pin_memory_kib, policy.pin_passes);
        SecretHash::new(pin.expose().as_bytes(), of(&app), keys, cost, salt).map(Self)
    }

    /// Whether it is that of `pin`, in a time that does not tell how much of it is.
    pub(super) fn fits(
        &self,
        pin: &Pin,
        app: AuthenticatorId,
        keys: &KeyRing,
    ) -> Result<bool, AppError> {
        self.0.fits(pin.expose().as_bytes(), of(&app), keys)
    }
}

impl App {
    /// The bytes to keep of `pin`.
    pub(super) async fn hashed(
        &self,
        pin: Pin,
        app: AuthenticatorId,
    ) -> Result<Zeroizing<Vec<u8>>, AppError> {
        let _turn = self.hashing.acquire().await.map_err(AppError::internal)?;
        let salt = Hash(crate::clock::random(self.parts.entropy.as_ref())?);
        let (keys, policy) = (self.parts.keys.clone(), self.policy.activation.clone());
        let cpu = self.cpu.clone();
        let hash = move || PinHash::new(&pin, app, (&keys, &policy), salt);
        let made = super::blocking(move || cpu.spend(Work::Pin, hash));
        serde_json::to_vec(&made.await??).map(Zeroizing::new).map_err(AppError::internal)
    }

    /// Whether `kept` is that of `pin`. No PIN kept fits none.
    pub(super) async fn fits(
        &self,
        kept: Option<Zeroizing<Vec<u8>>>,
        pin: Pin,
        app: AuthenticatorId,
    ) -> Result<bool, AppError> {
        let Some(kept) = kept else { return Ok(false) };
        let hash: PinHash = serde_json::from_slice(&kept).map_err(AppError::internal)?;
        let _turn = self.hashing.acquire().await.map_err(AppError::internal)?;
        let (keys, cpu) = (self.parts.keys.clone(), self.cpu.clone());
        super::blocking(move || cpu.spend(Work::Pin, || hash.fits(&pin, app, &keys))).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::keys::{Protection, begin_master_rotation, end_master_rotation};

    // proves E9 (Argon2id with pepper, bound to the app)
    #[test]
    fn a_pin_fits_for_its_app_under_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let ring = |name| KeyRing::open(&dir.path().join(name), None, &SystemEntropy).unwrap();
        let (keys, others) = (ring("a"), ring("b"));
        let app = AuthenticatorId::random(&SystemEntropy).unwrap();
        let other = AuthenticatorId::random(&SystemEntropy).unwrap();
        let policy = Activation { pin_memory_kib: 64, pin_passes: 1, ..Activation::default() };
        let pin = |text| Pin::typed(text).unwrap();
        let kept = PinHash::new(&pin("284917"), app, (&keys, &policy), Hash([7; 32])).unwrap();
        assert!(kept.fits(&pin("284917"), app, &keys).unwrap());
        assert!(!kept.fits(&pin("284918"), app, &keys).unwrap(), "another PIN");
        assert!(!kept.fits(&pin("284917"), other, &keys).unwrap(), "another app");
        assert!(!kept.fits(&pin("284917"), app, &others).unwrap(), "another pepper");
        assert!(!serde_json::to_string(&kept).unwrap().contains("284917"));
    }

    // proves H5 (a PIN outlives the master key)
    #[test]
    fn a_pin_fits_after_the_master_key_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let ring = || KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let app = AuthenticatorId::random(&SystemEntropy).unwrap();
        let policy = Activation { pin_memory_kib: 64, pin_passes: 1, ..Activation::default() };
        let pin = Pin::typed("284917").unwrap();
        let kept = PinHash::new(&pin, app, (&ring(), &policy), Hash([7; 32])).unwrap();
        begin_master_rotation(dir.path(), &Protection::default(), &SystemEntropy).unwrap();
        assert!(kept.fits(&pin, app, &ring()).unwrap(), "between the keys");
        end_master_rotation(dir.path()).unwrap();
        assert!(kept.fits(&pin, app, &ring()).unwrap(), "after the old one");
    }
}
