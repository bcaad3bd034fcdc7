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
        let picture = Gray::from_picture(picture);
        let attempts = locate::candidates(&picture).into_iter().filter_map(|pair| {
            let attempt = attempt(&self.network, &picture, &pair)?;
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

fn attempt(network: &impl LineNetwork, picture: &Gray, pair: &Pair) -> Option<Attempt> {
    let (upper, pitch) = read_line(network, picture, &pair.upper)?;
    let cost = |cell: &Cell| cell.best(|_| true).map_or(f32::INFINITY, |choice| choice.cost);
    let mean = |total: f32| total / (2 * CHARACTERS) as f32;
    // No cost is negative, so the lower line cannot mend this.
    if mean(upper.iter().map(cost).sum()) > MOST_MEAN_COST {
        return None;
    }
    let (lower, _) = read_line(network, picture, &pair.lower)?;
    let mean_cost = mean(upper.iter().chain(&lower).map(cost).sum());
    let judged = judge::judge([&upper, &lower])?;
    Some(Attempt { judged, mean_cost, pitch })
}

fn read_line(network: &impl LineNetwork, picture: &Gray, line: &Line) -> Option<(Vec<Cell>, f32)> {
    let mut placed = Placed { line: line.fitted(picture)?, scores: None };
    for _ in 0..2 {
        placed = placed.spaced(network, picture)?;
    }
    let pitch = placed.line.pitch();
    let aligned = decode::align(&placed.mean_scores(network, picture)?, CHARACTERS)?;
    Some((aligned.cells, pitch))
}

/// A line with the scores of its first crop, where they are known: the network is what costs most.
struct Placed {
    line: Line,
    scores: Option<Scores>,
}

impl Placed {
    /// The line so that the symbols seen in it are evenly spaced over it, one a character. Where
    /// more or fewer are seen than there are characters, the likeliest of the places that fit.
    fn spaced(self, network: &impl LineNetwork, picture: &Gray) -> Option<Self> {
        let line = self.line;
        let first_crop = |line: &Line| network.scores(&line.crop(picture, CROPS[0].0, CROPS[0].1));
        let scores = self.scores.or_else(|| first_crop(&line))?;
        let Some(lines) = fitting(&line, &middles(&scores))? else {
            return Some(Self { line, scores: Some(scores) });
        };
        if let [found] = lines.as_slice() {
            let stays = found.is_as(&line);
            return Some(if stays {
                Self { line, scores: Some(scores) }
            } else {
                Self { line: *found, scores: None }
            });
        }
        let scored = lines.into_iter().filter_map(|line| {
            let scores = first_crop(&line)?;
            let score = decode::align(&scores, CHARACTERS)?.score;
            Some((Self { line, scores: Some(scores) }, score))
        });
        scored.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(placed, _)| placed)
    }

    /// The mean of the scores of several crops of the line.
    fn mean_scores(self, network: &impl LineNetwork, picture: &Gray) -> Option<Scores> {
        let Self { line, mut scores } = self;
        let all = CROPS.iter().map(|(half, shift)| {
            scores.take().or_else(|| network.scores(&line.crop(picture, *half, *shift)))
        });
        let all: Vec<Scores> = all.collect::<Option<_>>()?;
        let (first, others) = all.split_first()?;
        let mut mean = first.clone();
        for (place, row) in mean.iter_mut().enumerate() {
            for (class, score) in row.iter_mut().enumerate() {
                let at =
                    |scores: &Scores| scores.get(place).and_then(|row| row.get(class)).copied();
                let sum: f32 = others.iter().filter_map(at).sum();
                *score = (*score + sum) / all.len() as f32;
            }
        }
        Some(mean)
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
