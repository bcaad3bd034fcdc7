//! Processor time by what it was spent on: what cannot be told apart by the names of threads, since
//! the threads that compute and those that wait are of one pool.

use cpu_time::{ProcessTime, ThreadTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What computes for long. Everything else is the rest of the process's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Looking at pictures: decoding them, and the networks.
    Inference,
    /// Reading and proving a chip: access, secure messaging, and the three authentications.
    Chip,
    /// Hashing PINs.
    Pin,
}

impl Work {
    const ALL: [Self; 3] = [Self::Inference, Self::Chip, Self::Pin];

    fn name(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Chip => "chip",
            Self::Pin => "pin",
        }
    }
}

/// Time spent since the start of the process. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Cpu(Arc<Spent>);

/// Nanoseconds.
#[derive(Debug, Default)]
struct Spent {
    inference: AtomicU64,
    chip: AtomicU64,
    pin: AtomicU64,
}

impl Cpu {
    /// Runs `compute` on this thread, and counts what it took of the processor.
    pub fn spend<T>(&self, work: Work, compute: impl FnOnce() -> T) -> T {
        let begun = ThreadTime::try_now();
        let value = compute();
        // Without the clock nothing is counted; the work is done all the same.
        if let Ok(took) = begun.and_then(|begun| begun.try_elapsed()) {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.of(work).fetch_add(nanos, Ordering::Relaxed);
        }
        value
    }

    fn of(&self, work: Work) -> &AtomicU64 {
        match work {
            Work::Inference => &self.0.inference,
            Work::Chip => &self.0.chip,
            Work::Pin => &self.0.pin,
        }
    }

    /// Each work's name and time.
    pub(super) fn spent(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let time = |work| Duration::from_nanos(self.of(work).load(Ordering::Relaxed));
        Work::ALL.into_iter().map(move |work| (work.name(), time(work)))
    }
}

/// Processor time of the whole process, if it can be told.
pub(super) fn of_process() -> Option<Duration> {
    Some(ProcessTime::try_now().ok()?.as_duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_counted_and_computing_is() {
        let cpu = Cpu::default();
        cpu.spend(Work::Pin, || std::thread::sleep(Duration::from_millis(50)));
        let busy = cpu.clone();
        busy.spend(Work::Chip, || {
            // Begun within what is counted, which is so a little more.
            let begun = ThreadTime::now();
            while begun.elapsed() < Duration::from_millis(20) {}
        });
        let spent: Vec<_> = cpu.spent().collect();
        assert_eq!(spent[0], ("inference", Duration::ZERO));
        assert!(spent[1].1 >= Duration::from_millis(20), "{spent:?}");
        assert!(spent[2].1 < Duration::from_millis(40), "{spent:?}");
    }
}
