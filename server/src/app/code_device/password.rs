//! The password beside a code device (REQUIREMENTS M4): kept as PINs are, with Argon2id and a pepper; changed
//! with the one before.

use super::super::activity::{Activity, Place, What};
use super::super::hashing::{Cost, Of, SecretHash, Turn};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::DeviceHolder;
use crate::clock::random;
use crate::config::Secret;
use crate::ids::IdentityId;
use crate::metrics::cpu::Work;
use crate::notices::Notice;
use crate::storage::{PasswordRow, Profile, Store, Tx};
use enroll_core::audit::Hash;
use enroll_core::code_device::Tries;
use enroll_core::password::Password;
use enroll_core::policy::Activation;
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
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

/// What came of the two passwords: whether the one before fits what was kept then, and what is kept of the new one.
pub(in crate::app) struct Weighed {
    fits: bool,
    kept: KeptPassword,
    hash: NewHash,
}

fn of(identity: &IdentityId) -> Of<'_> {
    Of { pepper: "password pepper", owner: identity.as_bytes() }
}

/// A password as it is to be kept.
pub(in crate::app) struct NewHash {
    bytes: Zeroizing<Vec<u8>>,
    cost: String,
}

impl NewHash {
    /// What the row is made of.
    pub(in crate::app) fn row(&self) -> (&[u8], &str) {
        (&self.bytes, &self.cost)
    }
}

/// Whose a password would be, and what is kept of theirs.
pub(in crate::app) struct KeptPassword {
    pub(in crate::app) identity: IdentityId,
    /// Nothing for somebody without one, or nobody.
    pub(in crate::app) hash: Option<Zeroizing<Vec<u8>>>,
    /// The costs that anybody's is kept at.
    pub(in crate::app) costs: Vec<String>,
}

impl KeptPassword {
    /// Whether `row` still is what was read before.
    pub(in crate::app) fn is_still(&self, row: Option<&PasswordRow>) -> bool {
        match (&self.hash, row) {
            (Some(hash), Some(row)) => {
                hash.len() == row.hash.len() && openssl::memcmp::eq(hash, &row.hash)
            }
            _ => false,
        }
    }
}

/// What came of comparing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) struct Compared {
    pub(in crate::app) fits: bool,
    /// It was hashed at another cost than one is now.
    pub(in crate::app) is_old: bool,
}

/// At what costs a password is hashed to compare it: at each that some password is kept at and at that of now, once.
/// It does not show whose is kept at which, nor whose is not there (G4).
fn hashed_at(kept: Option<Cost>, in_use: &[String], now: Cost) -> BTreeSet<Cost> {
    let in_use = in_use.iter().filter_map(|cost| Cost::read(cost));
    in_use.chain(kept).chain([now]).collect()
}

/// How many passwords one unit of work fills the cost in of.
const BATCH: i64 = 200;

/// Fills in at what cost passwords were hashed, where the row does not say it. Whose cannot be read, and are passed
/// over.
///
/// # Errors
/// [`AppError`]; what was filled in stays.
pub(in crate::app) async fn know_password_costs(
    store: &Store,
) -> Result<Vec<IdentityId>, AppError> {
    let (mut after, mut unreadable) = (None, Vec::new());
    loop {
        let found = store.read().await?.passwords_of_no_cost(after, BATCH).await?;
        let Some(last) = found.last() else { return Ok(unreadable) };
        after = Some(last.identity);
        let mut tx = store.begin().await?;
        for row in &found {
            let hash = row.hash.as_ref().and_then(|hash| serde_json::from_slice(hash).ok());
            match hash.as_ref().map(SecretHash::cost) {
                Some(cost) => tx.know_cost(row, &cost.to_string()).await?,
                None => unreadable.push(row.identity),
            }
        }
        tx.commit().await?;
    }
}

impl App {
    /// What has to be done before anybody is served: at each cost that somebody's password was hashed at, nobody's is
    /// hashed too (G4), so all of them must be known.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn prepare(&self) -> Result<(), AppError> {
        know_password_costs(&self.parts.store).await.map(drop)
    }

    /// What to keep of a password.
    pub(super) async fn password_hash(
        &self,
        turn: &Turn,
        password: Password,
        identity: IdentityId,
    ) -> Result<NewHash, AppError> {
        let salt = Hash(random(self.parts.entropy.as_ref())?);
        let (keys, cpu, cost) = (self.parts.keys.clone(), self.cpu.clone(), self.password_cost());
        let hash = move || {
            let (secret, cost) = (password.expose().as_bytes(), (cost.memory_kib, cost.passes));
            SecretHash::new(secret, of(&identity), &keys, cost, salt)
        };
        let made = turn.compute(move || cpu.spend(Work::Pin, hash)).await??;
        let bytes = serde_json::to_vec(&made).map(Zeroizing::new).map_err(AppError::internal)?;
        Ok(NewHash { bytes, cost: cost.to_string() })
    }

    /// Whether `kept` is that of `password`: with nothing kept it is not, after the same work (G4).
    pub(in crate::app) async fn is_password(
        &self,
        turn: &Turn,
        kept: &KeptPassword,
        password: Password,
    ) -> Result<Compared, AppError> {
        let hash = kept.hash.as_ref().map(|hash| serde_json::from_slice::<SecretHash>(hash));
        let hash = hash.transpose().map_err(AppError::internal)?;
        let (now, at) = (self.password_cost(), hash.as_ref().map(SecretHash::cost));
        let costs = hashed_at(at, &kept.costs, now);
        let (keys, cpu, identity) = (self.parts.keys.clone(), self.cpu.clone(), kept.identity);
        let compare = move || {
            let (secret, of) = (password.expose().as_bytes(), of(&identity));
            let mut fits = false;
            for cost in costs {
                match &hash {
                    Some(hash) if hash.cost() == cost => fits = hash.fits(secret, of, &keys)?,
                    _ => {
                        let cost = (cost.memory_kib, cost.passes);
                        SecretHash::new(secret, of, &keys, cost, Hash::ZERO)?;
                    }
                }
            }
            Ok::<_, AppError>(fits)
        };
        let fits = turn.compute(move || cpu.spend(Work::Pin, compare)).await??;
        Ok(Compared { fits, is_old: at.is_some_and(|at| at != now) })
    }

    fn password_cost(&self) -> Cost {
        let Activation { pin_memory_kib: memory_kib, pin_passes: passes, .. } =
            self.policy.activation;
        Cost { memory_kib, passes }
    }

    /// Keeps a password that fits, hashed at the cost of now. One that was set anew meanwhile stays as it is.
    pub(in crate::app) async fn hash_anew(
        &self,
        kept: &KeptPassword,
        password: Password,
    ) -> Result<(), AppError> {
        let turn = Turn::at(&self.hashing).await?;
        let hash = self.password_hash(&turn, password, kept.identity).await?;
        let (mut tx, _) = self.hold(kept.identity).await?;
        if !kept.is_still(tx.password(kept.identity).await?.as_ref()) {
            return Ok(());
        }
        tx.put_password_anew(kept.identity, hash.row()).await?;
        Ok(tx.commit().await?)
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
        let hash = tx.password(identity).await?.map(|row| row.hash);
        drop(tx);
        let new = Password::choose(given.new.expose(), &user_id)
            .map_err(|error| AppError::Reason(error.reason()))?;
        let turn = Turn::at(&self.hashing).await?;
        let kept = KeptPassword { identity, hash, costs: Vec::new() };
        let old = Password::typed(given.old.expose());
        let Compared { fits, .. } = self.is_password(&turn, &kept, old).await?;
        let hash = self.password_hash(&turn, new, identity).await?;
        Ok(Weighed { fits, kept, hash })
    }

    /// Puts the new password in the place of the one before, or counts a wrong try, in a unit of work that holds the
    /// profile. The person is told.
    pub(in crate::app) async fn put_weighed(
        &self,
        (mut tx, profile): (Tx, Profile),
        Weighed { fits, kept, hash }: Weighed,
        place: &Place,
    ) -> Result<(), AppError> {
        let (identity, wrong) = (profile.identity, AppError::Reason(ReasonCode::PASSWORD_WRONG));
        let Some(row) = tx.password(identity).await? else { return Err(wrong) };
        // One that was changed since it was compared is not the one before any more.
        if !fits || !kept.is_still(Some(&row)) || !row.tries.may_try(self.now()) {
            self.count_wrong(&mut tx, identity, row.tries).await?;
            let data = json!({});
            tx.audit(self.of_identity("password.refused", identity, data)).await?;
            tx.commit().await?;
            return Err(wrong);
        }
        tx.put_password(identity, hash.row()).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing;

    // proves G4 (also of passwords of before there was a cost beside them)
    #[tokio::test]
    async fn a_cost_that_is_not_known_is_none_until_it_is_read_in_what_is_kept() {
        for fresh in testing::all().await {
            let store = &fresh.store;
            let mut people = Vec::new();
            let mut tx = store.begin().await.unwrap();
            for (number, cost) in [(1, (64, 1)), (2, (128, 3)), (3, (0, 0))] {
                let identity = tx.somebody(number).await;
                let (memory_kib, passes) = cost;
                let kept = json!({
                    "memory_kib": memory_kib, "passes": passes, "salt": Hash::ZERO, "hash": Hash::ZERO,
                });
                let kept = if passes == 0 { json!("none") } else { kept };
                tx.put_password_as_before(identity, kept.to_string().as_bytes()).await;
                people.push(identity);
            }
            tx.commit().await.unwrap();
            let costs = async || store.read().await.unwrap().password_costs().await.unwrap();
            assert_eq!(costs().await, Vec::<String>::new(), "not known is no cost");
            let unknown = store.read().await.unwrap().passwords_of_no_cost(None, 9).await.unwrap();
            assert_eq!(unknown.len(), 3);
            assert_eq!(know_password_costs(store).await.unwrap(), people[2..]);
            assert_eq!(costs().await, ["m=128,t=3,p=1", "m=64,t=1,p=1"]);
            let mut tx = store.begin().await.unwrap();
            // A server of before sets another one after this one was read: it says no cost either.
            tx.put_password_as_before(people[2], b"another").await;
            let read = unknown.iter().find(|row| row.identity == people[2]).unwrap();
            tx.know_cost(read, "m=1,t=1,p=1").await.unwrap();
            let found = tx.password_costs().await.unwrap();
            assert!(!found.contains(&"m=1,t=1,p=1".to_owned()), "{found:?}");
            // What was set since by one of now is known by itself.
            tx.put_password(people[2], (b"another", "m=32,t=1,p=1")).await.unwrap();
            tx.know_cost(read, "m=1,t=1,p=1").await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(know_password_costs(store).await.unwrap(), []);
            assert_eq!(costs().await, ["m=128,t=3,p=1", "m=32,t=1,p=1", "m=64,t=1,p=1"]);
        }
    }

    // proves G4 (also while some passwords are kept at another cost)
    #[test]
    fn a_password_costs_the_same_whoever_it_is_of() {
        let (now, old) =
            (Cost { memory_kib: 19_456, passes: 2 }, Cost { memory_kib: 64, passes: 1 });
        let in_use = [now, old].map(|cost| cost.to_string());
        let nobody = hashed_at(None, &in_use, now);
        assert_eq!(nobody, BTreeSet::from([old, now]));
        for theirs in [old, now] {
            assert_eq!(hashed_at(Some(theirs), &in_use, now), nobody, "{theirs}");
        }
        // Once the last has logged in, and before anybody has a password.
        let alone = BTreeSet::from([now]);
        assert_eq!(hashed_at(None, &in_use[..1], now), alone);
        assert_eq!(hashed_at(Some(now), &in_use[..1], now), alone);
        assert_eq!(hashed_at(None, &[], now), alone);
    }
}
