//! Finds two parallel lines of text as long and as far apart as those of a passport or large visa:
//! 44 characters each, 2.5 of their widths apart (ICAO 9303-3 §4.2: 10 characters to the inch, and
//! 9303-4 §4.1: lines 6.35 mm apart).
//!
//! It works on the ink of a picture made small, summed in blocks, along every slope up to
//! ±[`STEEPEST`]. What it finds are candidates: the recogniser decides.

use super::{
    gray::Gray,
    line::{Line, Point},
};

/// Characters in a line.
pub(super) const CHARACTERS: usize = 44;
/// Rows per column, at most: about six degrees.
const STEEPEST: f32 = 0.1;
const SLOPES: i32 = 10;
/// The widest picture searched.
const WORKING_WIDTH: usize = 1000;
/// How many candidates are kept.
const CANDIDATES: usize = 4;
/// The share of the picture's width that a line must fill.
const SHORTEST: f32 = 0.42;

/// Two lines that may be an MRZ.
pub(super) struct Pair {
    pub(super) upper: Line,
    pub(super) lower: Line,
}

/// The likeliest pairs, best first.
pub(super) fn candidates(picture: &Gray) -> Vec<Pair> {
    let factor = picture.width.div_ceil(WORKING_WIDTH).max(1);
    let blocks = Blocks::of(&picture.shrunk(factor));
    let mut found: Vec<Found> = (-SLOPES..=SLOPES)
        .flat_map(|step| blocks.pairs(STEEPEST * step as f32 / SLOPES as f32))
        .collect();
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.len() < CANDIDATES && !kept.iter().any(|other| other.same_as(&one)) {
            kept.push(one);
        }
    }
    kept.iter().map(|found| blocks.pair(found, factor as f32)).collect()
}

/// How much ink each row has in each block of columns.
struct Blocks {
    /// Columns in a block: about half a character.
    block: usize,
    /// Blocks in a row.
    across: usize,
    /// Rows in the picture.
    height: usize,
    /// Of each row with the rows above and below it, from the row above the picture to that below.
    thick: Vec<Vec<u16>>,
}

/// A run of blocks with ink along one sloping row; `from..to`.
#[derive(Clone, Copy, Default)]
struct Run {
    from: usize,
    to: usize,
}

/// Two sloping rows, given by their height in the picture's middle.
struct Found {
    slope: f32,
    upper: (usize, Run),
    lower: (usize, Run),
    score: f32,
}

impl Found {
    fn same_as(&self, other: &Self) -> bool {
        let near = (self.lower.0 - self.upper.0) / 3;
        self.upper.0.abs_diff(other.upper.0) <= near && self.lower.0.abs_diff(other.lower.0) <= near
    }
}

impl Blocks {
    fn of(small: &Gray) -> Self {
        let character = (small.width / 55).max(4);
        let hat = small.black_hat((character * 2 / 5).max(2));
        let threshold = (u16::from(hat.quantile(0.995)) * 2 / 5).max(12);
        let block = (character / 2).max(2);
        let ink = |part: &[u8]| part.iter().filter(|value| u16::from(**value) > threshold).count();
        let row = |y| hat.row(y).chunks_exact(block).map(|part| ink(part) as u16).collect();
        let rows: Vec<Vec<u16>> = (0..small.height).map(row).collect();
        let (across, height) = (small.width / block, small.height);
        let near = |y: usize| rows.get(y.saturating_sub(2)..height.min(y + 1)).unwrap_or_default();
        Self {
            block,
            across,
            height,
            thick: (0..height + 2).map(|y| sum(near(y), across)).collect(),
        }
    }

    /// For each block, how far a sloping row lies below its middle there.
    fn rises(&self, slope: f32) -> Vec<i32> {
        let half = self.across as f32 / 2.0;
        let rise = |index: usize| slope * (index as f32 - half) * self.block as f32;
        (0..self.across).map(|index| rise(index).round() as i32).collect()
    }

    /// The ink of each block along a sloping row, three rows thick.
    fn along(&self, rises: &[i32], middle: usize) -> Vec<u16> {
        let at = |(index, rise): (usize, &i32)| {
            let row = usize::try_from(middle as i32 + rise + 1).ok()?;
            self.thick.get(row)?.get(index).copied()
        };
        rises.iter().enumerate().map(|place| at(place).unwrap_or(0)).collect()
    }

    /// The longest run along a row in which no three characters lack ink.
    fn run(&self, ink: &[u16]) -> Run {
        let (mut best, mut from, mut last) = (Run::default(), None, 0);
        let enough = (self.block as u16 / 4).max(1);
        let near = |index: usize| {
            let to = (index + 2).min(ink.len());
            ink.get(index.saturating_sub(1)..to).unwrap_or_default().iter().sum::<u16>()
        };
        for index in (0..ink.len()).filter(|index| near(*index) >= enough) {
            match from {
                Some(start) if index - last <= 4 => {
                    if index + 1 - start > best.to - best.from {
                        best = Run { from: start, to: index + 1 };
                    }
                }
                _ => from = Some(index),
            }
            last = index;
        }
        best
    }

    fn pairs(&self, slope: f32) -> Vec<Found> {
        let rises = self.rises(slope);
        let along: Vec<Vec<u16>> = (0..self.height).map(|y| self.along(&rises, y)).collect();
        let runs: Vec<Run> = along.iter().map(|ink| self.run(ink)).collect();
        let long = |run: &Run| (run.to - run.from) as f32 >= SHORTEST * self.across as f32;
        let sums = along.iter().map(|ink| ink.iter().map(|count| u32::from(*count)).sum::<u32>());
        let totals: Vec<u32> = std::iter::once(0)
            .chain(sums.scan(0, |total, sum| {
                *total += sum;
                Some(*total)
            }))
            .collect();
        let rows: Vec<(usize, Run)> =
            runs.into_iter().enumerate().filter(|(_, run)| long(run)).collect();
        let below = |(index, upper): (usize, &(usize, Run))| {
            let (upper, lowers) = (*upper, rows.get(index + 1..).unwrap_or_default());
            lowers.iter().map(move |lower| (upper, *lower))
        };
        rows.iter()
            .enumerate()
            .flat_map(below)
            .filter_map(|(upper, lower)| self.judged(slope, upper, lower, &totals))
            .collect()
    }

    /// The pair with its score, the ink of the rows within the lines less that of the rows around,
    /// where spacing and length fit together.
    fn judged(
        &self,
        slope: f32,
        upper: (usize, Run),
        lower: (usize, Run),
        totals: &[u32],
    ) -> Option<Found> {
        let length = |run: Run| (run.to - run.from) as f32;
        let blocks = length(upper.1).max(length(lower.1));
        let pitch = blocks * self.block as f32 / CHARACTERS as f32;
        let apart = lower.0.checked_sub(upper.0)? as f32 / pitch;
        let even = length(upper.1).min(length(lower.1)) > 0.8 * blocks;
        if !(1.8..3.3).contains(&apart) || !even {
            return None;
        }
        let mean = |from: f32, to: f32| {
            let clamp = |y: f32| (y.round().max(0.0) as usize).min(totals.len() - 1);
            let (from, to) = (clamp(from), clamp(to));
            let ink = totals.get(to)?.checked_sub(*totals.get(from)?)?;
            Some(ink as f32 / (to - from).max(1) as f32)
        };
        let (high, low) = (upper.0 as f32 + 0.5, lower.0 as f32 + 0.5);
        let within = mean(high - 0.4 * pitch, high + 0.4 * pitch)?
            + mean(low - 0.4 * pitch, low + 0.4 * pitch)?;
        let between = mean(high + 0.7 * pitch, low - 0.7 * pitch)?;
        let around = mean(high - 1.1 * pitch, high - 0.7 * pitch)?
            + mean(low + 0.7 * pitch, low + 1.1 * pitch)?;
        let score = within - between - 0.5 * around;
        (score > 0.0).then_some(Found { slope, upper, lower, score })
    }

    fn pair(&self, found: &Found, factor: f32) -> Pair {
        let half = self.across as f32 / 2.0;
        let line = |(middle, run): (usize, Run)| {
            let point = |index: usize| {
                let x = index as f32 * self.block as f32;
                let rise = found.slope * (index as f32 - half) * self.block as f32;
                Point { x: x * factor, y: (middle as f32 + rise + 0.5) * factor }
            };
            Line { start: point(run.from), end: point(run.to) }
        };
        Pair { upper: line(found.upper), lower: line(found.lower) }
    }
}

fn sum(rows: &[Vec<u16>], across: usize) -> Vec<u16> {
    let mut sums = vec![0; across];
    for row in rows {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}
