//! Whether the time of an answer tells whom it is of (G4).

use std::time::{Duration, Instant};

/// How often each is asked: `INDRUL_TIMING`, whose figures are then printed, or `usual`.
pub fn tries(usual: usize) -> usize {
    std::env::var("INDRUL_TIMING").map_or(usual, |text| text.parse().unwrap())
}

/// How long `act` takes.
pub fn time_of(act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

/// The times of each of `N` askers, as often as the others, in rounds whose order is drawn by chance: in a fixed one
/// each comes after the same other, and what that one left behind (caches, a log that is full) is taken for its own.
pub fn times<const N: usize>(
    tries: usize,
    mut asks: impl FnMut(usize) -> Duration,
) -> [Vec<f64>; N] {
    let mut took = std::array::from_fn(|_| Vec::with_capacity(tries));
    for _ in 0..tries {
        let mut round: [usize; N] = std::array::from_fn(|one| one);
        for last in (1..N).rev() {
            round.swap(last, drawn(last + 1));
        }
        for one in round {
            // Of the logarithm: a few answers that waited for the disk must not hide the others.
            took[one].push(asks(one).as_secs_f64().ln());
        }
    }
    took
}

/// What `measure` tells of so many tries, once more of four times as many where a Welch's t lies outside ±5: times
/// have heavy tails and hang together, so that once in a while a difference is seen that is not there. One that is
/// there is twice as clear then.
pub fn told_apart(tries: usize, measure: impl Fn(usize) -> Vec<f64>) -> bool {
    let differ = |tries| !measure(tries).iter().all(|t| t.abs() < 5.0);
    differ(tries) && differ(4 * tries)
}

/// Less than `end`, which is small.
fn drawn(end: usize) -> usize {
    let mut bytes = [0; 4];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    u32::from_le_bytes(bytes) as usize % end
}

/// Welch's t of two samples. Where they are alike it lies within ±5 but for one time in a million.
pub fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((a, va), (b, vb)) = (moments(one), moments(other));
    (a - b) / (va + vb).sqrt()
}

/// By how many parts of a hundred `one` takes longer than `other`, of their geometric means.
pub fn percent(one: &[f64], other: &[f64]) -> f64 {
    100.0 * (moments(one).0 - moments(other).0).exp_m1()
}

/// The mean, and the square of its standard error.
fn moments(sample: &[f64]) -> (f64, f64) {
    let count = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / count;
    let spread = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, spread / count)
}
