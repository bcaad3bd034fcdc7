//! Ending the service: nothing new is taken, relays and workers are told, what runs may end.

use tokio::sync::watch;

/// Whether the service ends, and what still runs. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Ending {
    begun: watch::Sender<bool>,
    relays: watch::Sender<usize>,
    workers: watch::Sender<usize>,
}

impl Default for Ending {
    fn default() -> Self {
        Self {
            begun: watch::Sender::new(false),
            relays: watch::Sender::new(0),
            workers: watch::Sender::new(0),
        }
    }
}

/// An open relay or a worker under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(watch::Sender<usize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Ending {
    /// From now on the service ends.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether it does.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits until it does.
    pub async fn begun(&self) {
        // The sender is ours: it is not gone while we wait.
        let _ = self.begun.subscribe().wait_for(|begun| *begun).await;
    }

    /// Counts a relay as open.
    pub(crate) fn relay(&self) -> Open {
        count(&self.relays)
    }

    /// Counts a worker as under way.
    pub(crate) fn worker(&self) -> Open {
        count(&self.workers)
    }

    /// How many relays are open.
    #[must_use]
    pub fn relays(&self) -> usize {
        *self.relays.borrow()
    }

    /// How many workers are under way.
    #[must_use]
    pub fn workers(&self) -> usize {
        *self.workers.borrow()
    }

    /// Waits until no relay is open.
    pub async fn relays_closed(&self) {
        let _ = self.relays.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Waits until no worker is under way.
    pub async fn workers_done(&self) {
        let _ = self.workers.subscribe().wait_for(|open| *open == 0).await;
    }
}

fn count(of: &watch::Sender<usize>) -> Open {
    of.send_modify(|open| *open += 1);
    Open(of.clone())
}
