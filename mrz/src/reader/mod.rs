//! Reads the MRZ of a passport or large visa from a picture of the page, upright and turned by a few
//! degrees at most.
//!
//! Find two long parallel lines ([`locate`]), fit each to its ink ([`line`]), recognise
//! ([`network`]), cut into characters ([`decode`]), and choose among the recogniser's own
//! alternatives by format, codes and check digits ([`judge`]). A reading is valid only if every
//! check digit holds and no second reading comes close: names, issuer and sex have no check digit,
//! so a doubtful letter there is a refusal, not a guess.
//!
//! The picture is hostile: its size has a budget, and nothing of it is logged.

mod checked;
mod decode;
mod gray;
mod judge;
mod line;
mod locate;
mod network;
mod reading;

use image::DynamicImage;
use thiserror::Error;

use decode::Cell;
use gray::Gray;
use judge::Judged;
use line::{Line, MARGIN};
use locate::{CHARACTERS, Pair};
use network::{LineNetwork, Network, PLACES, Scores};

pub use reading::{Advice, Reading, Reason};

/// The most pixels looked at.
const MOST_PIXELS: u64 = 64_000_000;
/// The narrowest and lowest picture in which 44 characters can be told apart.
const LEAST_SIDE: (u32, u32) = (320, 64);
/// The mean cost of a character above which what was found is no text.
const MOST_MEAN_COST: f32 = 0.7;
/// The mean cost of a character up to which a line is text beyond doubt.
const CLEAR_MEAN_COST: f32 = 0.1;
/// What the next best text must cost more than a reading that no second look could change.
const SURE_MARGIN: f32 = 6.0;
/// Half heights (in characters) and shifts of the crops whose scores are averaged.
const CROPS: [(f32, f32); 3] = [(0.70, 0.0), (0.78, 0.04), (0.80, -0.04)];

/// The reader cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// The embedded model is not the one that this code was made for.
    #[error("the line recogniser is not the pinned one")]
    ModelAltered,
    /// The embedded model does not load.
    #[error("the line recogniser does not load")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads pictures; holds the network, so make it once.
pub struct MrzReader {
    network: Network,
}

impl MrzReader {
    /// Loads the embedded network after checking its SHA-256.
    ///
    /// # Errors
    ///
    /// Where it is not the pinned one or does not load.
    pub fn new() -> Result<Self, ReaderError> {
        Network::load().map(|network| Self { network })
    }

    /// Reads the picture, which must be decoded and upright (EXIF orientation applied).
    pub fn read(&self, picture: &DynamicImage) -> Reading {
        let (width, height) = (picture.width(), picture.height());
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Reading::not_found(Advice::TooLarge);
        }
        if width < LEAST_SIDE.0 || height < LEAST_SIDE.1 {
            return Reading::not_found(Advice::Closer);
        }
        let picture = &Gray::from_picture(picture);
        let look = Look { network: &self.network, picture };
        let attempts = locate::candidates(picture).into_iter().filter_map(|pair| {
            let attempt = look.attempt(&pair)?;
            (attempt.mean_cost <= MOST_MEAN_COST).then_some(attempt)
        });
        best(attempts).map_or(Reading::not_found(Advice::WholePage), |attempt| {
            Reading::judged(&attempt.judged, attempt.pitch)
        })
    }
}

/// One pair of lines, read.
struct Attempt {
    judged: Judged,
    mean_cost: f32,
    pitch: f32,
}

/// The first that the rules keep, else the clearest.
fn best(attempts: impl Iterator<Item = Attempt>) -> Option<Attempt> {
    let mut clearest: Option<Attempt> = None;
    for attempt in attempts {
        if attempt.judged.kept {
            return Some(attempt);
        }
        if clearest.as_ref().is_none_or(|other| attempt.mean_cost < other.mean_cost) {
            clearest = Some(attempt);
        }
    }
    clearest
}

impl Attempt {
    fn of(upper: &Placed, lower: &Placed) -> Option<Self> {
        let (pitch, upper, lower) = (upper.line.pitch(), upper.cells()?, lower.cells()?);
        let judged = judge::judge([&upper, &lower])?;
        let mean_cost = (mean_cost(&upper) + mean_cost(&lower)) / 2.0;
        Some(Self { judged, mean_cost, pitch })
    }

    /// Whether more looks would not change it.
    fn sure(&self) -> bool {
        self.judged.kept && self.judged.margin >= SURE_MARGIN
    }
}

/// What a character costs in the mean, whatever the rules say of it.
fn mean_cost(cells: &[Cell]) -> f32 {
    let cost = |cell: &Cell| cell.best(|_| true).map_or(f32::INFINITY, |choice| choice.cost);
    cells.iter().map(cost).sum::<f32>() / cells.len().max(1) as f32
}

/// The picture, and the network that looks at its lines: the network is what costs most.
struct Look<'a, N> {
    network: &'a N,
    picture: &'a Gray,
}

impl<N: LineNetwork> Look<'_, N> {
    /// Looks no more often than leaves no doubt: first at the lines as they were found, then placed
    /// by the characters seen in them, then at several crops of each.
    fn attempt(&self, pair: &Pair) -> Option<Attempt> {
        let mut upper = self.at(pair.upper.fitted(self.picture)?)?;
        if !upper.clear() {
            upper = self.spaced(upper)?;
            // No cost is negative, so the lower line cannot mend this.
            if mean_cost(&upper.cells()?) / 2.0 > MOST_MEAN_COST {
                return None;
            }
        }
        let lower = self.at(pair.lower.fitted(self.picture)?)?;
        if let Some(sure) = Attempt::of(&upper, &lower).filter(Attempt::sure) {
            return Some(sure);
        }
        let (upper, lower) = (self.spaced(upper)?, self.spaced(lower)?);
        if let Some(sure) = Attempt::of(&upper, &lower).filter(Attempt::sure) {
            return Some(sure);
        }
        Attempt::of(&self.averaged(upper)?, &self.averaged(lower)?)
    }

    fn scores(&self, line: &Line, (half_height, shift): (f32, f32)) -> Option<Scores> {
        self.network.scores(&line.crop(self.picture, half_height, shift))
    }

    fn at(&self, line: Line) -> Option<Placed> {
        let [crop, ..] = CROPS;
        Some(Placed { line, scores: self.scores(&line, crop)? })
    }

    /// The line so that the symbols seen in it are evenly spaced over it.
    fn spaced(&self, placed: Placed) -> Option<Placed> {
        self.evenly(self.evenly(placed)?)
    }

    /// One character for each symbol seen. Where more or fewer are seen than there are characters,
    /// the likeliest of the places that fit.
    fn evenly(&self, placed: Placed) -> Option<Placed> {
        let Some(lines) = fitting(&placed.line, &middles(&placed.scores))? else {
            return Some(placed);
        };
        if let [found] = lines.as_slice() {
            return if found.is_as(&placed.line) { Some(placed) } else { self.at(*found) };
        }
        let scored = lines.into_iter().filter_map(|line| {
            let placed = self.at(line)?;
            let score = decode::align(&placed.scores, CHARACTERS)?.score;
            Some((placed, score))
        });
        scored.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(placed, _)| placed)
    }

    /// The same line with the mean of the scores of all crops.
    fn averaged(&self, placed: Placed) -> Option<Placed> {
        let [_, others @ ..] = CROPS;
        let others = others.map(|crop| self.scores(&placed.line, crop));
        let others: Vec<Scores> = others.into_iter().collect::<Option<_>>()?;
        Some(Placed { line: placed.line, scores: mean(placed.scores, &others) })
    }
}

/// The mean of the scores of several crops.
fn mean(mut first: Scores, others: &[Scores]) -> Scores {
    let count = (1 + others.len()) as f32;
    for (place, row) in first.iter_mut().enumerate() {
        for (class, score) in row.iter_mut().enumerate() {
            let at = |scores: &Scores| scores.get(place).and_then(|row| row.get(class)).copied();
            let sum: f32 = others.iter().filter_map(at).sum();
            *score = (*score + sum) / count;
        }
    }
    first
}

/// A line with its scores.
struct Placed {
    line: Line,
    scores: Scores,
}

impl Placed {
    fn cells(&self) -> Option<Vec<Cell>> {
        Some(decode::align(&self.scores, CHARACTERS)?.cells)
    }

    /// Whether it is text beyond doubt.
    fn clear(&self) -> bool {
        self.cells().is_some_and(|cells| mean_cost(&cells) <= CLEAR_MEAN_COST)
    }
}

/// The middles of the symbols seen, in characters from the line's start.
fn middles(scores: &Scores) -> Vec<f32> {
    let width = CHARACTERS as f32 + 2.0 * MARGIN;
    let seen = decode::seen(scores);
    seen.iter().map(|symbol| symbol.middle() / PLACES as f32 * width - MARGIN).collect()
}

/// The lines of one pitch that symbols seen at `middles` fit; one where there are as many as
/// characters. `Some(None)` where there are far more or far fewer.
fn fitting(line: &Line, middles: &[f32]) -> Option<Option<Vec<Line>>> {
    let (first, last) = (*middles.first()?, *middles.last()?);
    let pitch = spacing(middles)?;
    let count = ((last - first) / pitch).round() + 1.0;
    if !(CHARACTERS as f32 - 6.0..=CHARACTERS as f32 + 6.0).contains(&count) {
        return Some(None);
    }
    let pitch = (last - first) / (count - 1.0);
    let missing = CHARACTERS as i32 - count as i32;
    let shifts = missing.min(0)..=missing.max(0);
    let lines = shifts.map(|shift| {
        let from = first - (0.5 + shift as f32) * pitch;
        line.part(from, from + CHARACTERS as f32 * pitch)
    });
    Some(Some(lines.collect()))
}

/// The mean of the distances between neighbours that are about as usual.
fn spacing(middles: &[f32]) -> Option<f32> {
    let mut steps: Vec<f32> = middles.iter().zip(middles.get(1..)?).map(|(a, b)| b - a).collect();
    steps.sort_by(f32::total_cmp);
    let usual = *steps.get(steps.len() / 2)?;
    let range = 0.7 * usual..1.3 * usual;
    let alike: Vec<f32> = steps.into_iter().filter(|step| range.contains(step)).collect();
    (!alike.is_empty()).then(|| alike.iter().sum::<f32>() / alike.len() as f32)
}
