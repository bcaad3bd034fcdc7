//! The password beside a code device (REQUIREMENTS M4): kept as PINs are, with Argon2id and a pepper; changed
//! with the one before.

use super::super::activity::{Activity, Place, What};
use super::super::hashing::{Of, SecretHash};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError, blocking};
use super::DeviceHolder;
use crate::clock::random;
use crate::config::Secret;
use crate::ids::IdentityId;
use crate::metrics::cpu::Work;
use crate::notices::Notice;
use crate::storage::{Profile, Tx};
use enroll_core::audit::Hash;
use enroll_core::code_device::Tries;
use enroll_core::password::Password;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

/// A password in the place of another one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedPassword {
    /// The one before.
    #[schema(value_type = String)]
    pub(crate) old: Secret,
    /// The new one: 8 to 64 characters.
    #[schema(value_type = String)]
    pub(crate) new: Secret,
}

impl std::fmt::Debug for ChangedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangedPassword(…)")
    }
}

/// That the password is another one.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct PasswordKept {
    /// Of which identity.
    #[schema(value_type = String)]
    pub identity: IdentityId,
}

/// What came of the two passwords: whether the one before fits, and what is kept of the new one.
pub(in crate::app) struct Weighed {
    fits: bool,
    hash: Zeroizing<Vec<u8>>,
}

fn of(identity: &IdentityId) -> Of<'_> {
    Of { pepper: "password pepper", owner: identity.as_bytes() }
}

impl App {
    /// The bytes to keep of a password.
    pub(super) async fn password_hash(
        &self,
        password: Password,
        identity: IdentityId,
    ) -> Result<Zeroizing<Vec<u8>>, AppError> {
        let _turn = self.hashing.acquire().await.map_err(AppError::internal)?;
        let salt = Hash(random(self.parts.entropy.as_ref())?);
        let (keys, cpu, cost) = (self.parts.keys.clone(), self.cpu.clone(), self.password_cost());
        let hash =
            move || SecretHash::new(password.expose().as_bytes(), of(&identity), &keys, cost, salt);
        let made = blocking(move || cpu.spend(Work::Pin, hash)).await??;
        serde_json::to_vec(&made).map(Zeroizing::new).map_err(AppError::internal)
    }

    /// Whether `kept` is that of `password`: with nothing kept it is not, after the same work (G4).
    pub(in crate::app) async fn is_password(
        &self,
        kept: Option<Zeroizing<Vec<u8>>>,
        password: Password,
        identity: IdentityId,
    ) -> Result<bool, AppError> {
        let kept = kept.map(|kept| serde_json::from_slice::<SecretHash>(&kept)).transpose();
        let kept = kept.map_err(AppError::internal)?;
        let _turn = self.hashing.acquire().await.map_err(AppError::internal)?;
        let (keys, cpu, cost) = (self.parts.keys.clone(), self.cpu.clone(), self.password_cost());
        let compare = move || {
            let (secret, of) = (password.expose().as_bytes(), of(&identity));
            match kept {
                Some(kept) => kept.fits(secret, of, &keys),
                None => SecretHash::new(secret, of, &keys, cost, Hash::ZERO).map(|_| false),
            }
        };
        blocking(move || cpu.spend(Work::Pin, compare)).await?
    }

    fn password_cost(&self) -> (u32, u32) {
        (self.policy.activation.pin_memory_kib, self.policy.activation.pin_passes)
    }

    /// Changes the person's password, by the one before.
    ///
    /// # Errors
    /// `password.weak`; `password.wrong`, which counts as a wrong try at a log-in does; `identity.blocked`.
    pub async fn change_password(
        &self,
        holder: DeviceHolder,
        given: ChangedPassword,
    ) -> Result<PasswordKept, AppError> {
        let identity = holder.identity;
        let held = self.hold(identity).await?;
        held.1.life.open().map_err(AppError::Reason)?;
        let weighed = self.weigh(held, &given).await?;
        let (tx, profile) = self.hold(identity).await?;
        profile.life.open().map_err(AppError::Reason)?;
        self.put_weighed((tx, profile), weighed, &Place::default()).await?;
        Ok(PasswordKept { identity })
    }

    /// Compares and hashes, with nothing held meanwhile.
    pub(in crate::app) async fn weigh(
        &self,
        (mut tx, profile): (Tx, Profile),
        given: &ChangedPassword,
    ) -> Result<Weighed, AppError> {
        let identity = profile.identity;
        let user_id = profile.details.user_id.clone().unwrap_or_default();
        let kept = tx.password(identity).await?.map(|row| row.hash);
        drop(tx);
        let new = Password::choose(given.new.expose(), &user_id)
            .map_err(|error| AppError::Reason(error.reason()))?;
        let fits = self.is_password(kept, Password::typed(given.old.expose()), identity).await?;
        let hash = self.password_hash(new, identity).await?;
        Ok(Weighed { fits, hash })
    }

    /// Puts the new password in the place of the one before, or counts a wrong try, in a unit of work that holds the
    /// profile. The person is told.
    pub(in crate::app) async fn put_weighed(
        &self,
        (mut tx, profile): (Tx, Profile),
        Weighed { fits, hash }: Weighed,
        place: &Place,
    ) -> Result<(), AppError> {
        let (identity, wrong) = (profile.identity, AppError::Reason(ReasonCode::PASSWORD_WRONG));
        let Some(row) = tx.password(identity).await? else { return Err(wrong) };
        if !fits || !row.tries.may_try(self.now()) {
            self.count_wrong(&mut tx, identity, row.tries).await?;
            let data = json!({});
            tx.audit(self.of_identity("password.refused", identity, data)).await?;
            tx.commit().await?;
            return Err(wrong);
        }
        tx.put_password(identity, &hash).await?;
        let about = About::now(Blocks::Identity);
        self.notify(&mut tx, &profile, Notice::PasswordChanged, about).await?;
        let activity = Activity::of(What::PasswordChanged).from(place);
        self.note(&mut tx, identity, activity).await?;
        tx.audit(self.of_identity("password.changed", identity, json!({}))).await?;
        Ok(tx.commit().await?)
    }

    /// Counts a wrong try of a person whose profile is held.
    pub(in crate::app) async fn count_wrong(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        tries: Tries,
    ) -> Result<(), AppError> {
        let (tries, over) = tries.failed(&self.policy.code_devices, self.now());
        Ok(tx.save_tries(identity, &tries, over).await?)
    }
}
