//! The workers that look at pictures: a bounded number of threads of their own, and a bounded queue
//! before them that says how long it is.
//!
//! A network runs for a good part of a second on a whole core. What waits for one waits here, never
//! on the threads that answer everybody else. Whoever wants a picture looked at takes a [`Place`]
//! first: there is one only while the wait it means is short enough, so that nobody's try is counted
//! for a server that was busy. Places are served in the order in which their work comes in.

mod estimate;

use crate::config;
use estimate::Estimate;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// There is no place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("busy for about {} ms", after.as_millis())]
pub struct Busy {
    /// When what waits now will have been served, as far as can be told.
    pub after: Duration,
}

/// The work broke off: it panicked, or the pool was closed before it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the instrument broke off")]
pub struct BrokeOff;

/// How much the pool has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Threads there are.
    pub workers: usize,
    /// Works under way.
    pub running: usize,
    /// Works and places that wait.
    pub waiting: usize,
    /// How long a place taken now would wait.
    pub wait: Duration,
    /// Works that ended, since the start.
    pub done: u64,
    /// Places refused, since the start.
    pub refused: u64,
    /// Works that panicked, since the start.
    pub broken: u64,
    /// Time spent in works, since the start.
    pub spent: Duration,
}

type Work = Box<dyn FnOnce() -> Ended + Send>;

/// A work that ended, and what tells whoever waits for it.
struct Ended {
    ran: Ran,
    tell: Box<dyn FnOnce()>,
}

/// How one work ended.
enum Ran {
    Done,
    Panicked,
    /// Nobody waits for it any more: it was not begun.
    Left,
}

struct State {
    queue: VecDeque<Work>,
    /// Places that are taken and have no work yet.
    reserved: usize,
    running: usize,
    workers: usize,
    estimate: Estimate,
    closed: bool,
    done: u64,
    refused: u64,
    broken: u64,
    spent: Duration,
}

impl State {
    fn waiting(&self) -> usize {
        self.reserved + self.queue.len()
    }

    fn wait(&self) -> Duration {
        self.estimate.wait(self.running + self.waiting(), self.workers)
    }

    fn load(&self) -> Load {
        Load {
            workers: self.workers,
            running: self.running,
            waiting: self.waiting(),
            wait: self.wait(),
            done: self.done,
            refused: self.refused,
            broken: self.broken,
            spent: self.spent,
        }
    }
}

struct Shared {
    state: Mutex<State>,
    /// There is work, or the pool is closed.
    ready: Condvar,
    longest_queue: usize,
    longest_wait: Duration,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next work, or nothing once the pool is closed.
    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(work) = state.queue.pop_front() {
                state.running += 1;
                return Some(work);
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn ended(&self, ran: &Ran, took: Duration) {
        let mut state = self.lock();
        state.running -= 1;
        match ran {
            Ran::Done => state.done += 1,
            Ran::Panicked => state.broken += 1,
            Ran::Left => return,
        }
        state.estimate.observe(took);
        state.spent = state.spent.saturating_add(took);
    }

    fn work(&self) {
        while let Some(work) = self.next() {
            let started = Instant::now();
            let Ended { ran, tell } = work();
            self.ended(&ran, started.elapsed());
            // Last, so that whoever is told finds the worker free.
            tell();
        }
    }
}

/// How much less of the processor a worker gets than a thread that answers (setpriority(2)): where both
/// want it, about a tenth.
const NICE: i32 = 10;

/// A worker's life. What takes a second may wait for what takes a millisecond, not the other way round.
fn work_behind(worker: &Shared) {
    // On Linux a thread's own identifier names that thread alone.
    if cfg!(target_os = "linux") {
        let own = Some(rustix::thread::gettid());
        let behind = rustix::process::getpriority_process(own)
            .and_then(|now| rustix::process::setpriority_process(own, now + NICE));
        if let Err(error) = behind {
            tracing::warn!(%error, "a worker runs as all others do");
        }
    }
    worker.work();
}

/// The workers and their queue; the workers end when this is dropped.
pub struct Pool(Arc<Shared>);

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({:?})", self.load())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.0.ready.notify_all();
    }
}

impl Pool {
    /// Starts as many workers as `rules` say. One that cannot be started is told to the log; a pool
    /// without any refuses everybody.
    #[must_use]
    pub fn start(rules: &config::Inference) -> Self {
        let state = State {
            queue: VecDeque::new(),
            reserved: 0,
            running: 0,
            workers: 0,
            estimate: Estimate::starting(Duration::from_millis(rules.expected_ms)),
            closed: false,
            done: 0,
            refused: 0,
            broken: 0,
            spent: Duration::ZERO,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            ready: Condvar::new(),
            longest_queue: rules.queue,
            longest_wait: Duration::from_millis(rules.max_wait_ms),
        });
        for number in 1..=rules.workers() {
            let worker = shared.clone();
            let thread = std::thread::Builder::new().name(format!("inference-{number}"));
            match thread.spawn(move || work_behind(&worker)) {
                Ok(_) => shared.lock().workers += 1,
                Err(error) => tracing::error!(%error, "a worker could not be started"),
            }
        }
        Self(shared)
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full or the wait would be too long.
    pub fn reserve(&self) -> Result<Place, Busy> {
        let mut state = self.0.lock();
        let wait = state.wait();
        let idle = state.running + state.waiting() < state.workers;
        let full = state.waiting() >= self.0.longest_queue || wait > self.0.longest_wait;
        if state.workers == 0 || (full && !idle) {
            state.refused += 1;
            return Err(Busy { after: wait });
        }
        state.reserved += 1;
        Ok(Place(self.0.clone()))
    }

    /// How much there is to do.
    #[must_use]
    pub fn load(&self) -> Load {
        self.0.lock().load()
    }
}

/// A place in the queue; one that is dropped is free again.
pub struct Place(Arc<Shared>);

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().reserved -= 1;
    }
}

impl Place {
    /// Runs `work` when its turn has come. If nobody awaits it any more by then, it is not begun.
    ///
    /// # Errors
    /// [`BrokeOff`] if it panics; the worker goes on.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BrokeOff> {
        let (sender, receiver) = oneshot::channel();
        self.begin(Box::new(move || run(work, sender)));
        receiver.await.map_err(|_| BrokeOff)
    }

    /// Puts `work` into the queue, where it takes the place.
    fn begin(self, work: Work) {
        let mut state = self.0.lock();
        if !state.closed {
            state.queue.push_back(work);
        }
        drop(state);
        self.0.ready.notify_one();
    }
}

fn run<T: 'static>(work: impl FnOnce() -> T, sender: oneshot::Sender<T>) -> Ended {
    if sender.is_closed() {
        return Ended { ran: Ran::Left, tell: Box::new(|| {}) };
    }
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => {
            // Whoever left meanwhile misses it.
            let tell = Box::new(move || drop(sender.send(value)));
            Ended { ran: Ran::Done, tell }
        }
        Err(_) => Ended { ran: Ran::Panicked, tell: Box::new(move || drop(sender)) },
    }
}

#[cfg(test)]
mod tests;
