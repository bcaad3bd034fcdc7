//! Ending the service: nothing new is taken, relays are told, what runs may end.

use tokio::sync::watch;

/// Whether the service ends, and which relays are still open.
#[derive(Debug)]
pub struct Ending {
    begun: watch::Sender<bool>,
    relays: watch::Sender<usize>,
}

impl Default for Ending {
    fn default() -> Self {
        Self { begun: watch::Sender::new(false), relays: watch::Sender::new(0) }
    }
}

/// An open relay, until it is dropped.
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
        self.relays.send_modify(|open| *open += 1);
        Open(self.relays.clone())
    }

    /// How many relays are open.
    #[must_use]
    pub fn relays(&self) -> usize {
        *self.relays.borrow()
    }

    /// Waits until no relay is open.
    pub async fn relays_closed(&self) {
        let _ = self.relays.subscribe().wait_for(|open| *open == 0).await;
    }
}
