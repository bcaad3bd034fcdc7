//! The worker that empties the outbox. As many may run as there are servers.

use super::{Deliver, DeliveryError, Message};
use crate::clock::{Clock, Entropy, random};
use crate::config::Notices;
use crate::ending::Ending;
use crate::http::problem::chain;
use crate::storage::{Claimed, StorageError, Store};
use enroll_core::audit::Event;
use serde_json::json;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::task::JoinSet;

/// Delivers what is in the outbox.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    post: Arc<dyn Deliver>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    rules: Arc<Notices>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({:?})", self.store)
    }
}

/// What came of one look into the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages delivered.
    pub delivered: usize,
    /// Messages to be tried again.
    pub postponed: usize,
    /// Messages given up.
    pub dead: usize,
}

/// Runs a worker for as long as it lives.
#[derive(Debug)]
pub struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a try ended in.
enum Ended {
    Delivered,
    Postponed(OffsetDateTime),
    Dead(&'static str),
}

impl Worker {
    /// A worker over `store` that delivers by `post`.
    #[must_use]
    pub fn new(
        store: Store,
        post: Arc<dyn Deliver>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        rules: Arc<Notices>,
    ) -> Self {
        Self { store, post, clock, entropy, rules }
    }

    /// Starts it. Once the service ends it claims nothing more, and settles what it holds: what was
    /// delivered and not settled would be delivered again.
    #[must_use]
    pub fn start(self, ending: Ending) -> Running {
        let open = ending.worker();
        Running(tokio::spawn(async move {
            let _open = open;
            while !ending.has_begun() {
                match self.round().await {
                    // There may be more.
                    Ok(round) if round.delivered > 0 => continue,
                    Ok(_) => {}
                    Err(error) => {
                        let error = chain(&error);
                        tracing::error!(%error, "the outbox could not be emptied");
                    }
                }
                let pause = std::time::Duration::from_millis(self.rules.poll_ms);
                // Over: the service ends.
                let _ = tokio::time::timeout(pause, ending.begun()).await;
            }
        }))
    }

    /// Claims what is due and tries to deliver it, each message beside the others.
    ///
    /// # Errors
    /// [`StorageError`]; what was claimed is claimed again once the claim has ended.
    pub async fn round(&self) -> Result<Round, StorageError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let until = now + Duration::seconds(i64::from(self.rules.claim_s));
        let claimed = tx.claim(i64::from(self.rules.batch), now, until).await?;
        tx.sweep_dead(now - Duration::seconds(i64::from(self.rules.keep_dead_s))).await?;
        tx.commit().await?;
        let mut tasks = JoinSet::new();
        for held in claimed {
            let worker = self.clone();
            tasks.spawn(async move { worker.handle(held).await });
        }
        let mut round = Round::default();
        while let Some(done) = tasks.join_next().await {
            // A delivery that panicked keeps its claim until that ends.
            let Ok(ended) = done else { continue };
            match ended? {
                Ended::Delivered => round.delivered += 1,
                Ended::Postponed(_) => round.postponed += 1,
                Ended::Dead(_) => round.dead += 1,
            }
        }
        Ok(round)
    }

    async fn handle(&self, held: Claimed) -> Result<Ended, StorageError> {
        let payload = held.payload.as_ref();
        let message = payload.and_then(|bytes| serde_json::from_slice::<Message>(bytes).ok());
        let ended = match &message {
            None => Ended::Dead("unreadable"),
            Some(message) if message.until.is_some_and(|until| self.clock.now() > until) => {
                Ended::Dead("late")
            }
            Some(message) => self.deliver(&held, message.clone()).await?,
        };
        self.settle(&held, message.as_ref(), &ended).await?;
        Ok(ended)
    }

    async fn deliver(&self, held: &Claimed, message: Message) -> Result<Ended, StorageError> {
        let (post, id) = (self.post.clone(), held.id.to_string());
        let channel = message.to.channel.as_str();
        let sent = tokio::task::spawn_blocking(move || post.deliver(&id, &message)).await;
        let error = match sent {
            Ok(Ok(())) => return Ok(Ended::Delivered),
            Ok(Err(error)) => error,
            Err(_) => DeliveryError::Unfit,
        };
        let (id, tries) = (held.id, held.tries);
        tracing::warn!(message = %id, channel, tries, %error, "a message was not delivered");
        if !error.may_pass() {
            return Ok(Ended::Dead("refused"));
        }
        if tries >= i64::from(self.rules.tries) {
            return Ok(Ended::Dead("tries"));
        }
        let random = u64::from_be_bytes(random(self.entropy.as_ref())?);
        Ok(Ended::Postponed(self.clock.now() + pause(tries, &self.rules, random)))
    }

    /// Makes the end of a try hold, if the claim still does.
    async fn settle(
        &self,
        held: &Claimed,
        message: Option<&Message>,
        ended: &Ended,
    ) -> Result<(), StorageError> {
        let mut tx = self.store.begin().await?;
        let channel = message.map(|message| message.to.channel);
        match ended {
            Ended::Postponed(due) => {
                tx.postpone(held, *due).await?;
            }
            Ended::Delivered => {
                if tx.delivered(held).await? {
                    let data = json!({ "message": held.id, "channel": channel });
                    tx.audit(self.event("notice.delivered", data)).await?;
                }
            }
            Ended::Dead(why) => {
                if tx.bury(held).await? {
                    tracing::error!(message = %held.id, why, "a message is a dead letter");
                    let data = json!({ "message": held.id, "channel": channel, "why": why });
                    tx.audit(self.event("notice.dead", data)).await?;
                    self.fall_over(&mut tx, message).await?;
                }
            }
        }
        tx.commit().await
    }

    /// What cannot be delivered on one channel goes to the other, in the same unit of work (M3).
    async fn fall_over(
        &self,
        tx: &mut crate::storage::Tx,
        message: Option<&Message>,
    ) -> Result<(), StorageError> {
        let Some(Message { told, until, otherwise: Some(to), .. }) = message else { return Ok(()) };
        let (to, told, until) = (to.clone(), told.clone(), *until);
        let other = Message { to, told, until, otherwise: None };
        let payload = zeroize::Zeroizing::new(serde_json::to_vec(&other)?);
        let id = tx.send(other.to.channel.as_str(), &payload, self.clock.now()).await?;
        let data = json!({ "message": id, "channel": other.to.channel });
        tx.audit(self.event("notice.fell_over", data)).await
    }

    fn event(&self, kind: &str, data: serde_json::Value) -> Event {
        Event { time: self.clock.now(), kind: kind.to_owned(), case: None, data }
    }
}

/// The pause after a failed try: it doubles with each, up to the longest, and a random half of it
/// is left out, so that what failed together is not tried together.
fn pause(tries: i64, rules: &Notices, random: u64) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 32) - 1).unwrap_or(0);
    let whole = u64::from(rules.first_pause_s) << doublings;
    let millis = whole.min(u64::from(rules.longest_pause_s)) * 1_000;
    let half = millis / 2;
    Duration::milliseconds(i64::try_from(millis - random % (half + 1)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let rules = Notices { first_pause_s: 4, longest_pause_s: 60, ..Notices::default() };
        for (tries, seconds) in [(1, 4), (2, 8), (3, 16), (5, 60), (1000, 60), (0, 4)] {
            assert_eq!(pause(tries, &rules, 0), Duration::seconds(seconds), "{tries}");
            for random in [1, 77, u64::MAX] {
                let found = pause(tries, &rules, random);
                assert!(
                    found <= Duration::seconds(seconds) && found * 2 >= Duration::seconds(seconds)
                );
            }
        }
    }
}
