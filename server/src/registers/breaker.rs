//! A circuit breaker: a register that fails again and again is left alone for a while, so that
//! nobody waits for what will not come and the register can recover.
//!
//! *Closed*: calls go through; so many failures in a row open it. *Open*: no call goes through for a
//! while. *Half open*: one call goes through, and how it ends decides.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open.
    pub rest: Duration,
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Calls go through.
    Closed,
    /// No call goes through.
    Open,
    /// One call goes through.
    HalfOpen,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// The one call has been let through at this time; if it never comes back, another one is once
    /// the rest has passed again.
    Trying {
        since: Instant,
    },
}

/// The breaker of one register.
#[derive(Debug)]
pub struct Breaker {
    limits: Limits,
    state: Mutex<State>,
}

impl Breaker {
    /// Closed.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Whether a call may be made; every one that may is followed by [`Breaker::record`].
    pub fn permit(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Closed { .. } => true,
            State::Open { until } if now >= until => {
                *state = State::Trying { since: now };
                true
            }
            State::Trying { since } if now >= since + self.limits.rest => {
                *state = State::Trying { since: now };
                true
            }
            State::Open { .. } | State::Trying { .. } => false,
        }
    }

    /// Takes in how a call ended.
    pub fn record(&self, answered: bool, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = match (*state, answered) {
            (_, true) => State::Closed { failures: 0 },
            (State::Closed { failures }, false) if failures + 1 < self.limits.failures => {
                State::Closed { failures: failures + 1 }
            }
            (_, false) => State::Open { until: now + self.limits.rest },
        };
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self, now: Instant) -> Standing {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Closed { .. } => Standing::Closed,
            State::Open { until } if now < until => Standing::Open,
            State::Open { .. } | State::Trying { .. } => Standing::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(30);

    fn open(now: Instant) -> Breaker {
        let breaker = Breaker::new(Limits { failures: 3, rest: REST });
        for _ in 0..3 {
            assert!(breaker.permit(now));
            breaker.record(false, now);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_does_not() {
        let now = Instant::now();
        let breaker = Breaker::new(Limits { failures: 3, rest: REST });
        for answered in [false, false, true, false, false] {
            assert!(breaker.permit(now));
            breaker.record(answered, now);
        }
        assert_eq!(breaker.standing(now), Standing::Closed);
        breaker.record(false, now);
        assert_eq!(breaker.standing(now), Standing::Open);
        assert!(!breaker.permit(now + REST - Duration::from_millis(1)));
    }

    #[test]
    fn after_a_rest_one_call_decides() {
        let now = Instant::now();
        for answered in [true, false] {
            let (breaker, later) = (open(now), now + REST);
            assert_eq!(breaker.standing(later), Standing::HalfOpen);
            assert!(breaker.permit(later));
            assert!(!breaker.permit(later), "a second call goes through");
            breaker.record(answered, later);
            assert_eq!(breaker.permit(later), answered);
        }
    }

    #[test]
    fn a_call_that_never_comes_back_does_not_keep_it_open() {
        let now = Instant::now();
        let breaker = open(now);
        assert!(breaker.permit(now + REST));
        assert!(!breaker.permit(now + REST + REST / 2));
        assert!(breaker.permit(now + REST + REST));
    }
}
