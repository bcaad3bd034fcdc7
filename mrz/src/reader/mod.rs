//! Reads the MRZ of a passport, card or visa from a picture in the hand, at any angle, and from frames
//! of a video until it is sure.
//!
//! Find the zone and follow its lines ([`locate`]: [`zone`], [`trace`]), recognise them ([`look`],
//! [`network`]), cut into characters ([`decode`]), and choose among the recogniser's own
//! alternatives by format, codes and check digits ([`judge`]). A reading is valid only if every
//! check digit holds and no second reading comes close: names, issuer and sex have no check digit,
//! so a doubtful letter there is a refusal, not a guess.
//!
//! A blank sheet over the last columns of a visa looks like the paper of a smaller one, whose layout
//! is the same so far: that is not seen.
//!
//! The picture is hostile: its size has a budget, and nothing of it is logged.

mod advice;
mod blobs;
mod checked;
mod decode;
mod geometry;
mod gray;
mod judge;
mod line;
mod locate;
mod look;
mod network;
mod pyramid;
mod reading;
mod search;
mod spacing;
mod standing;
mod trace;
mod twins;
mod votes;
mod zone;

use std::sync::Arc;

use image::DynamicImage;
use thiserror::Error;

use crate::picture::MAX_PIXELS;

use gray::Gray;
use look::{Attempt, SURE};
use network::Networks;
use pyramid::Pyramid;
use search::{Budget, Found, Search};
use votes::Votes;
use zone::Zone;

pub use advice::Advice;
pub use reading::{Reading, Reason};

/// The narrowest and lowest picture in which 30 characters can be told apart.
const LEAST_SIDE: (u32, u32) = (160, 32);
/// Frames in a row without an MRZ after which those before them are forgotten.
const MOST_EMPTY: u16 = 5;
/// The same of frames that contradict them without being read for sure: one may be misread.
const MOST_STRANGE: u16 = 2;

/// The reader cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// An embedded model is not the one that this code was made for.
    #[error("a network of the MRZ reader is not the pinned one")]
    ModelAltered,
    /// An embedded model does not load.
    #[error("a network of the MRZ reader does not load")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads pictures, and the frames of one video. Loading the networks takes a moment: make one, and
/// a [`MrzReader::fresh`] one for each video.
pub struct MrzReader {
    networks: Arc<Networks>,
    video: Video,
}

/// What the frames so far have shown.
#[derive(Default)]
struct Video {
    zone: Option<Zone>,
    votes: Votes,
    /// Frames without an MRZ since the last with one.
    empty: u16,
    /// Frames in a row that contradict those before, and that the rules do not keep or of which a
    /// part is hidden.
    strange: u16,
}

impl MrzReader {
    /// Loads the embedded networks after checking their SHA-256.
    ///
    /// # Errors
    ///
    /// Where one is not the pinned one or does not load.
    pub fn new() -> Result<Self, ReaderError> {
        Ok(Self { networks: Arc::new(Networks::load()?), video: Video::default() })
    }

    /// A reader with the same networks that has seen no frame.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { networks: Arc::clone(&self.networks), video: Video::default() }
    }

    /// Reads the picture, which must be decoded; an orientation that its file names may be applied
    /// or not.
    pub fn read(&self, picture: &DynamicImage) -> Reading {
        let pyramid = match pyramid_of(picture) {
            Ok(pyramid) => pyramid,
            Err(advice) => return Reading::not_found(vec![advice]),
        };
        match Search::new(&self.networks, &pyramid, Budget::PICTURE).everywhere() {
            Some(found) => found.reading(&pyramid),
            None => Reading::not_found(vec![Advice::WholePage]),
        }
    }

    /// Reads the next frame of a video together with those before it. Push frames until the reading
    /// is valid. A frame of another document begins anew; one that shows none leaves what was seen,
    /// unsure.
    pub fn push(&mut self, frame: &DynamicImage) -> Reading {
        let pyramid = match pyramid_of(frame) {
            Ok(pyramid) => pyramid,
            Err(advice) => return self.video.without(&[advice]),
        };
        let zone = self.video.zone;
        let budget = if zone.is_some() { Budget::FRAME } else { Budget::PICTURE };
        let search = Search::new(&self.networks, &pyramid, budget);
        let followed = zone.and_then(|zone| search.in_zone(zone));
        let found = match followed {
            Some(followed) if followed.settled() => Some(followed),
            followed => Found::better(followed, search.everywhere()),
        };
        match found {
            Some(found) => self.video.with(&found, &pyramid),
            None => self.video.without(&[Advice::WholePage]),
        }
    }
}

impl Video {
    /// A frame in which lines were found.
    fn with(&mut self, found: &Found, pyramid: &Pyramid) -> Reading {
        let Some(attempt) = &found.attempt else { return self.without(&found.advice(pyramid)) };
        (self.zone, self.empty) = (Some(found.zone), 0);
        let counted = self.count(attempt);
        let advice = || found.advice(pyramid);
        match self.votes.frames() {
            0 => found.reading(pyramid),
            1 if attempt.sure() => found.reading(pyramid),
            1 => found.reading(pyramid).unsettled(Vec::new),
            _ => {
                let judged = self.judged(advice);
                let sure = counted && self.votes.agree_on(&judged.lines);
                if sure { judged } else { judged.unsettled(advice) }
            }
        }
    }

    /// Counts a frame in where all of it was seen and it is like those before, or read for sure.
    fn count(&mut self, attempt: &Attempt) -> bool {
        let contradicts = self.votes.contradict(&attempt.cells);
        let counts = attempt.whole && (attempt.judged.kept || !contradicts);
        if counts {
            self.votes.add(&attempt.cells, &attempt.judged.lines);
        }
        self.strange = if contradicts && !counts { self.strange + 1 } else { 0 };
        if self.strange >= MOST_STRANGE {
            *self = Self { zone: self.zone, ..Self::default() };
        }
        counts
    }

    /// A frame without lines, or without text in them: what the frames before it say, unsure.
    fn without(&mut self, advice: &[Advice]) -> Reading {
        (self.zone, self.strange) = (None, 0);
        self.empty = self.empty.saturating_add(1);
        if self.empty >= MOST_EMPTY {
            *self = Self::default();
        }
        let advice = || advice.to_vec();
        match self.votes.frames() {
            0 => Reading::not_found(advice()),
            _ => self.judged(advice).unsettled(advice),
        }
    }

    /// What all frames together say. They share what misleads them, so that as much more is demanded
    /// of them as they weigh more than one alone.
    fn judged(&self, advice: impl FnOnce() -> Vec<Advice>) -> Reading {
        match self.votes.judged() {
            Some(judged) => Reading::judged(&judged, SURE, advice),
            None => Reading::not_found(advice()),
        }
    }
}

/// The picture in grey and in several sizes, or what to do where it is too large or too small.
fn pyramid_of(picture: &DynamicImage) -> Result<Pyramid, Advice> {
    let (width, height) = (picture.width(), picture.height());
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Advice::TooLarge);
    }
    if width.max(height) < LEAST_SIDE.0 || width.min(height) < LEAST_SIDE.1 {
        return Err(Advice::Closer);
    }
    Ok(Pyramid::new(Gray::from_picture(picture)))
}
