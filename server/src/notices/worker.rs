//! The worker that empties the outbox. As many may run as there are servers.

use super::{Channel, Deliver, DeliveryError, Message};
use crate::clock::{Clock, Entropy, random};
use crate::config::Notices;
use crate::ending::Ending;
use crate::http::problem::chain;
use crate::storage::{Claimed, StorageError, Store, Tx};
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

impl Round {
    fn and(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            postponed: self.postponed + other.postponed,
            dead: self.dead + other.dead,
        }
    }
}

/// Runs a worker for as long as it lives.
#[derive(Debug)]
pub struct Running([tokio::task::JoinHandle<()>; 2]);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
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

    /// Starts it, for each channel by itself: one that is silent does not hold up the other. Once the
    /// service ends it claims nothing more, and settles what it holds: what was delivered and not
    /// settled would be delivered again.
    #[must_use]
    pub fn start(self, ending: Ending) -> Running {
        let run = |channel| {
            let (worker, ending, open) = (self.clone(), ending.clone(), ending.worker());
            tokio::spawn(async move {
                let _open = open;
                worker.run(channel, &ending).await;
            })
        };
        Running([run(Channel::Sms), run(Channel::Email)])
    }

    async fn run(&self, channel: Channel, ending: &Ending) {
        while !ending.has_begun() {
            match self.round_of(channel).await {
                // There may be more.
                Ok(round) if round.delivered > 0 => continue,
                Ok(_) => {}
                Err(error) => {
                    let (channel, error) = (channel.as_str(), chain(&error));
                    tracing::error!(channel, %error, "the outbox could not be emptied");
                }
            }
            let pause = std::time::Duration::from_millis(self.rules.poll_ms);
            // Over: the service ends.
            let _ = tokio::time::timeout(pause, ending.begun()).await;
        }
    }

    /// One look into the outbox for every channel.
    ///
    /// # Errors
    /// As [`Worker::round_of`].
    pub async fn round(&self) -> Result<Round, StorageError> {
        let (sms, email) = tokio::join!(self.round_of(Channel::Sms), self.round_of(Channel::Email));
        Ok(sms?.and(email?))
    }

    /// Claims what is due on `channel` and tries to deliver it, each message beside the others.
    ///
    /// # Errors
    /// The first [`StorageError`], after all have ended; what was claimed and not settled is claimed
    /// again once the claim has ended.
    pub async fn round_of(&self, channel: Channel) -> Result<Round, StorageError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let until = now + Duration::seconds(i64::from(self.rules.claim_s));
        let batch = i64::from(self.rules.batch);
        let claimed = tx.claim(channel.as_str(), batch, (now, until)).await?;
        self.sweep(&mut tx, now).await?;
        tx.commit().await?;
        let mut tasks = JoinSet::new();
        for held in claimed {
            let worker = self.clone();
            tasks.spawn(async move { worker.handle(held).await });
        }
        let (mut round, mut failed) = (Round::default(), Ok(()));
        while let Some(done) = tasks.join_next().await {
            // A delivery that panicked keeps its claim until that ends.
            let Ok(ended) = done else { continue };
            match ended {
                Ok(Ended::Delivered) => round.delivered += 1,
                Ok(Ended::Postponed(_)) => round.postponed += 1,
                Ok(Ended::Dead(_)) => round.dead += 1,
                // The others still settle what they hold.
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed.map(|()| round)
    }

    /// Erases dead letters that were kept long enough.
    async fn sweep(&self, tx: &mut Tx, now: OffsetDateTime) -> Result<(), StorageError> {
        let before = now - Duration::seconds(i64::from(self.rules.keep_dead_s));
        for letter in tx.sweep_dead(before).await? {
            let data = json!({ "message": letter.id, "channel": letter.channel });
            tx.audit(self.event("notice.erased", data)).await?;
        }
        Ok(())
    }

    async fn handle(&self, held: Claimed) -> Result<Ended, StorageError> {
        let payload = held.payload.as_ref();
        let message = payload.and_then(|bytes| serde_json::from_slice::<Message>(bytes).ok());
        let ended = match &message {
            None => Ended::Dead("unreadable"),
            Some(message) if message.until.is_some_and(|until| self.clock.now() > until) => {
                Ended::Dead("late")
            }
            // Before the try: it may be the tries that end the server.
            Some(_) if held.tries > i64::from(self.rules.tries) => Ended::Dead("tries"),
            Some(message) => self.deliver(&held, message.clone()).await?,
        };
        self.settle(&held, message.as_ref(), &ended).await?;
        Ok(ended)
    }

    async fn deliver(&self, held: &Claimed, message: Message) -> Result<Ended, StorageError> {
        let (post, id) = (self.post.clone(), held.id.to_string());
        let (channel, until) = (message.to.channel.as_str(), message.until);
        let sent = tokio::task::spawn_blocking(move || post.deliver(&id, &message));
        let longest = std::time::Duration::from_millis(self.rules.timeout_ms);
        let error = match tokio::time::timeout(longest, sent).await {
            Ok(Ok(Ok(()))) => return Ok(Ended::Delivered),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => DeliveryError::Unfit,
            // A mail server may answer each line in time and never come to an end.
            Err(_) => DeliveryError::Unreachable,
        };
        let (id, tries) = (held.id, held.tries);
        tracing::warn!(message = %id, channel, tries, %error, "a message was not delivered");
        if !error.may_pass() {
            return Ok(Ended::Dead("refused"));
        }
        let end = held.created + Duration::seconds(i64::from(self.rules.give_up_s));
        if until.is_none() && self.clock.now() >= end {
            return Ok(Ended::Dead("age"));
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
        let identity = message.and_then(|message| message.identity);
        let data = json!({ "message": held.id, "channel": channel, "identity": identity });
        match ended {
            Ended::Postponed(due) => {
                tx.postpone(held, *due).await?;
            }
            Ended::Delivered => {
                if tx.delivered(held).await? {
                    tx.audit(self.event("notice.delivered", data)).await?;
                }
            }
            Ended::Dead(why) => {
                if tx.bury(held).await? {
                    tracing::error!(message = %held.id, why, "a message is a dead letter");
                    let data = json!({
                        "message": held.id, "channel": channel, "identity": identity, "why": why
                    });
                    tx.audit(self.event("notice.dead", data)).await?;
                    self.fall_over(&mut tx, message).await?;
                }
            }
        }
        tx.commit().await
    }

    /// What cannot be delivered on one channel goes to the other, in the same unit of work (M3).
    async fn fall_over(&self, tx: &mut Tx, message: Option<&Message>) -> Result<(), StorageError> {
        let Some(message) = message else { return Ok(()) };
        let Some(to) = message.otherwise.clone() else { return Ok(()) };
        let other = Message { to, otherwise: None, ..message.clone() };
        let payload = zeroize::Zeroizing::new(serde_json::to_vec(&other)?);
        let id = tx.send(other.to.channel.as_str(), &payload, self.clock.now()).await?;
        let (channel, identity) = (other.to.channel, other.identity);
        let data = json!({ "message": id, "channel": channel, "identity": identity });
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
