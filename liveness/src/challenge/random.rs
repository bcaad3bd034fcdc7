//! Numbers drawn from a seed, so that a script can be drawn again from what is stored.

use sha2::{Digest, Sha256};

/// SHA-256 of the seed and a counter, one block a number.
pub(super) struct Draw<'a> {
    seed: &'a [u8; 32],
    drawn: u32,
}

impl<'a> Draw<'a> {
    pub(super) fn new(seed: &'a [u8; 32]) -> Draw<'a> {
        Draw { seed, drawn: 0 }
    }

    /// A number below `count`. The upper half of a product of 64 bits favours no number by more
    /// than 2^-32 of its share.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.drawn.to_be_bytes());
        self.drawn += 1;
        let block = hash.finalize();
        let number = block.iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        ((u128::from(number) * u128::from(count)) >> 64) as u32
    }

    /// A multiple of `step` from the first to the last of a range.
    pub(super) fn between(&mut self, [first, last]: [u32; 2], step: u32) -> u32 {
        let step = step.max(1);
        first + step * self.below(last.saturating_sub(first) / step + 1)
    }

    /// One of `all`, but not `last`.
    pub(super) fn other<T: Copy + PartialEq>(&mut self, all: &[T], last: Option<T>) -> Option<T> {
        let others = || all.iter().copied().filter(|one| Some(*one) != last);
        others().nth(self.below(others().count() as u32) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_every_number_comes() {
        let numbers = |seed: u8| {
            let seed = [seed; 32];
            let mut draw = Draw::new(&seed);
            (0..200).map(|_| draw.below(7)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        assert!((0..7).all(|number| numbers(1).contains(&number)));
        assert!(numbers(1).iter().all(|number| *number < 7));
    }

    #[test]
    fn a_range_holds_both_its_ends() {
        let seed = [3; 32];
        let mut draw = Draw::new(&seed);
        let drawn: Vec<u32> = (0..200).map(|_| draw.between([100, 250], 50)).collect();
        assert!([100, 150, 200, 250].iter().all(|value| drawn.contains(value)));
        assert!(drawn.iter().all(|value| value % 50 == 0 && (100..=250).contains(value)));
        assert_eq!(draw.between([9, 3], 0), 9);
    }
}
