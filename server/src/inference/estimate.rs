//! How long a wait will be, told from how long works have taken.

use std::time::Duration;

/// The mean of what works took, the latest weighing most: each moves it by an eighth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate(Duration);

impl Estimate {
    /// Before anything was measured.
    pub(super) fn starting(expected: Duration) -> Self {
        Self(expected)
    }

    pub(super) fn observe(&mut self, took: Duration) {
        self.0 = (self.0 * 7).saturating_add(took) / 8;
    }

    /// Until a worker is free for one more, with `ahead` works before it: none while there are
    /// fewer than workers; else the workers have `ahead - workers + 1` to end first, and together
    /// end `workers` of them in a mean work's time.
    pub(super) fn wait(self, ahead: usize, workers: usize) -> Duration {
        let Some(first) = ahead.checked_sub(workers) else { return Duration::ZERO };
        let before = u32::try_from(first + 1).unwrap_or(u32::MAX);
        let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        self.0.saturating_mul(before) / workers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_wait_grows_with_what_is_ahead_and_shrinks_with_workers() {
        let estimate = Estimate::starting(SECOND);
        let cases = [(0, 2, 0), (1, 2, 0), (2, 2, 500), (3, 2, 1000), (9, 2, 4000), (9, 1, 9000)];
        for (ahead, workers, ms) in cases {
            let wait = estimate.wait(ahead, workers);
            assert_eq!(wait, Duration::from_millis(ms), "{ahead} before {workers}");
        }
    }

    #[test]
    fn what_is_measured_takes_over_from_what_was_expected() {
        let mut estimate = Estimate::starting(SECOND);
        for _ in 0..100 {
            estimate.observe(SECOND / 10);
        }
        let wait = estimate.wait(1, 1);
        assert!((99..=101).contains(&wait.as_millis()), "{wait:?}");
    }
}
