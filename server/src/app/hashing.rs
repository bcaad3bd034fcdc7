//! What a secret that a person types is compared with: Argon2id (RFC 9106) with a secret of the server
//! (a *pepper*) and with whose it is, so that neither a copy of the rows nor the key alone lets one be
//! tried.

use super::{AppError, blocking};
use crate::inference::Busy;
use crate::keys::KeyRing;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use enroll_core::audit::Hash;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Who may hash: so many at a time, since each takes memory and all of a core. Whoever waits too long for their turn
/// is sent away.
pub(super) struct Queue {
    turns: Arc<Semaphore>,
    longest: Duration,
}

/// One's turn to hash, as long as it is held.
#[derive(Debug)]
pub(super) struct Turn(Arc<OwnedSemaphorePermit>);

impl Queue {
    /// For so many at a time, each after so long at most.
    pub(super) fn new(at_once: usize, longest: Duration) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))), longest }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`AppError::Busy`] once the wait is too long.
    pub(super) async fn turn(&self) -> Result<Turn, AppError> {
        match tokio::time::timeout(self.longest, Turn::at(&self.turns)).await {
            Ok(turn) => turn,
            Err(_) => Err(AppError::Busy(Busy { after: self.longest })),
        }
    }
}

impl Turn {
    /// The next one at `turns`, for who has shown who they are.
    pub(super) async fn at(turns: &Arc<Semaphore>) -> Result<Self, AppError> {
        let turn = turns.clone().acquire_owned().await.map_err(AppError::internal)?;
        Ok(Self(Arc::new(turn)))
    }

    /// Computes away from the sockets. The turn is not over before that is, also where nobody waits for it any more.
    pub(super) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let turn = self.0.clone();
        blocking(move || {
            let made = work();
            drop(turn);
            made
        })
        .await
    }
}

/// What a hash costs (RFC 9106 §3.1), with one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p=1", self.memory_kib, self.passes)
    }
}

impl Cost {
    /// The cost that is written so.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (memory, passes) = text.strip_prefix("m=")?.strip_suffix(",p=1")?.split_once(",t=")?;
        Some(Self { memory_kib: memory.parse().ok()?, passes: passes.parse().ok()? })
    }
}

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

    /// What it was made at.
    pub(super) fn cost(&self) -> Cost {
        Cost { memory_kib: self.memory_kib, passes: self.passes }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_read_as_it_is_written() {
        let cost = Cost { memory_kib: 19_456, passes: 2 };
        assert_eq!(cost.to_string(), "m=19456,t=2,p=1");
        assert_eq!(Cost::read("m=19456,t=2,p=1"), Some(cost));
        for bad in ["", "m=19456,t=2", "m=,t=2,p=1", "m=1,t=x,p=1", "m=1,t=2,p=2"] {
            assert_eq!(Cost::read(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn whoever_waits_too_long_for_a_turn_is_sent_away_and_the_next_one_is_not() {
        let queue = Queue::new(1, Duration::from_millis(20));
        let turn = queue.turn().await.unwrap();
        for _ in 0..3 {
            let refused = queue.turn().await.unwrap_err();
            assert!(matches!(refused, AppError::Busy(Busy { after }) if !after.is_zero()));
        }
        drop(turn);
        queue.turn().await.unwrap();
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_what_is_computed_whoever_waits_for_it() {
        let queue = Queue::new(1, Duration::from_millis(20));
        let turn = queue.turn().await.unwrap();
        let (end, until) = std::sync::mpsc::channel::<()>();
        let (begin, mut begun) = tokio::sync::mpsc::channel(1);
        let waits = tokio::spawn(async move {
            let work = move || {
                begin.blocking_send(()).unwrap();
                until.recv().unwrap();
            };
            turn.compute(work).await
        });
        begun.recv().await.unwrap();
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert!(matches!(queue.turn().await.unwrap_err(), AppError::Busy(_)), "it is under way");
        end.send(()).unwrap();
        while queue.turn().await.is_err() {}
    }
}
