//! The whole verdict on a capture.

use std::collections::HashSet;
use std::fmt;
use std::io::Cursor;

use image::{ImageFormat, ImageReader, RgbImage};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::chain::{self, Frame, Nonce};
use super::colour::{self, ColourEvidence};
use super::follow::Followed;
use super::limits::Limits;
use super::refusal::Refusal;
use super::script::Script;
use super::sight::Sight;
use super::still::{self, StillEvidence};
use super::turns::{self, PathEvidence};
use crate::embed::Template;
use crate::engine::{Engine, FaceError};
use crate::mesh::Mesh;
use crate::portrait;
use crate::verification::Comparison;

/// How a capture came in: the challenge it answers, and when.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// What the frames are to be bound to.
    pub nonce: &'a Nonce,
    /// What was to be done.
    pub script: &'a Script,
    /// Milliseconds from drawing the challenge to having all frames, by the server's clock.
    pub after_ms: u64,
}

/// What was measured. Parts that were not reached are absent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evidence {
    /// How many frames came.
    pub frames: u32,
    /// In how many there is a face.
    pub faces: u32,
    /// How hard the script is to guess, in bits.
    pub guess_bits: f64,
    /// The head's path.
    pub path: Option<PathEvidence>,
    /// Of each turn, the points that were followed from picture to picture; none without the pictures.
    pub followed: Vec<Option<Followed>>,
    /// The light on the face.
    pub colour: Option<ColourEvidence>,
    /// From frame to frame.
    pub still: Option<StillEvidence>,
    /// The least similarity of the kept faces to the first of them.
    pub one_person: Option<Comparison>,
}

/// A frame of a capture that passed, in which the person looks straight: for comparing with a
/// portrait. It holds a face: no `Debug` of what it shows.
pub struct Kept {
    /// The picture.
    pub picture: RgbImage,
    /// Who is on it.
    pub template: Template,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

/// What came of a capture.
#[derive(Debug)]
pub struct Judgement {
    /// Why it is refused, the first found first; empty where it is accepted.
    pub refusals: Vec<Refusal>,
    /// What was measured.
    pub evidence: Evidence,
    /// Frames looking straight, from its beginning, middle and end; none of a refused capture.
    pub kept: Vec<Kept>,
}

impl Judgement {
    /// Whether the capture is accepted.
    pub fn accepted(&self) -> bool {
        self.refusals.is_empty()
    }

    /// The reason code of a refusal.
    pub fn code(&self) -> Option<&'static str> {
        self.refusals.first().map(|refusal| refusal.code())
    }
}

impl Engine {
    /// A script from a seed that must be random and stay with the server.
    pub fn draw_challenge(&self, seed: &[u8; 32]) -> Script {
        Script::draw(seed, self.challenge())
    }

    /// The 468 points of the one face of a picture, in its pixels: x, y and depth, which grows away
    /// from the camera.
    pub fn landmarks(&self, image: &RgbImage) -> Result<Vec<[f32; 3]>, FaceError> {
        Ok(self.mesh(image)?.places().collect())
    }

    /// Judges the frames of a capture. That they are bound to the challenge is seen first and without
    /// looking at a picture; all else is measured as far as it can be, and every reason told.
    pub fn judge_challenge(&self, arrival: &Arrival<'_>, frames: &[Frame<'_>]) -> Judgement {
        let limits = self.challenge();
        let Arrival { nonce, script, after_ms } = *arrival;
        let guess_bits = script.guess_bits(limits);
        let evidence = Evidence { frames: frames.len() as u32, guess_bits, ..Evidence::default() };
        let mut judgement = Judgement { refusals: Vec::new(), evidence, kept: Vec::new() };
        let bound = chain::check(nonce, script, frames, after_ms, limits);
        match bound.and_then(|()| self.watch(frames, limits)) {
            Ok(watched) => self.weigh(script, &watched, frames, &mut judgement),
            Err(refusal) => judgement.refusals.push(refusal),
        }
        judgement
    }

    /// Looks at every frame.
    fn watch(&self, frames: &[Frame<'_>], limits: &Limits) -> Result<Watched, Refusal> {
        let mut watched = Watched::default();
        let mut last: Option<RgbImage> = None;
        let most = limits.max_unseen * frames.len() as f32;
        for (frame, looked) in frames.iter().zip(1..) {
            let image = picture(frame)?;
            watched.once(&image, frame.number)?;
            if let Some(last) = &last {
                watched.compare(last, &image, frame.number)?;
            }
            watched.sights.extend(self.sight(&image, frame)?);
            last = Some(image);
            if (looked - watched.sights.len()) as f32 > most {
                return Err(Refusal::NoFace);
            }
        }
        Ok(watched)
    }

    /// None where no face is found, which some frames may lack.
    fn sight(&self, image: &RgbImage, frame: &Frame<'_>) -> Result<Option<Sight>, Refusal> {
        let Frame { number, at_ms, .. } = *frame;
        match self.mesh(image) {
            Ok(mesh) => Ok(Some(Sight::of(image, (number, at_ms), mesh, self.neutral_pitch()))),
            Err(FaceError::NotFound) => Ok(None),
            Err(FaceError::Several { .. }) => Err(Refusal::SeveralFaces { number }),
            Err(FaceError::Model(_)) => Err(Refusal::Model),
        }
    }

    fn weigh(
        &self,
        script: &Script,
        watched: &Watched,
        frames: &[Frame<'_>],
        judgement: &mut Judgement,
    ) {
        let limits = self.challenge();
        let sights = &watched.sights;
        let (still, mut refusals) = still::judge(sights, limits);
        let path = turns::measure(script, sights, limits);
        let image = |sight: &Sight| picture(frames.get(sight.number as usize)?).ok();
        let followed = turns::followed(script, sights, limits, image);
        refusals.extend(turns::judge(&path, &followed, limits));
        judgement.evidence.followed = followed;
        let colour = colour::measure(script, sights, limits);
        refusals.extend(colour::judge(colour.as_ref(), limits));
        match self.one_person(script, sights, frames) {
            Ok((one_person, kept)) => {
                judgement.evidence.one_person = Some(one_person);
                judgement.kept = kept;
                refusals.extend((!one_person.accepted).then_some(Refusal::AnotherPerson));
            }
            Err(refusal) => refusals.push(refusal),
        }
        judgement.evidence.faces = sights.len() as u32;
        judgement.evidence.still = Some(still);
        judgement.evidence.path = Some(path);
        judgement.evidence.colour = colour;
        if !refusals.is_empty() {
            judgement.kept.clear();
        }
        judgement.refusals.append(&mut refusals);
    }

    /// Frames from where the person looks straight, and the least likeness of any frame to the first of
    /// them: whoever knows the script knows which are kept.
    fn one_person(
        &self,
        script: &Script,
        sights: &[Sight],
        frames: &[Frame<'_>],
    ) -> Result<(Comparison, Vec<Kept>), Refusal> {
        let mut kept = Vec::new();
        for at_ms in straight_times(script) {
            let near = |sight: &&Sight| (sight.at_ms - at_ms).abs();
            let sight = sights.iter().min_by(|a, b| near(a).total_cmp(&near(b)));
            let sight = sight.ok_or(Refusal::NoFace)?;
            let frame = frames.get(sight.number as usize).ok_or(Refusal::NoFace)?;
            kept.push(self.keep(frame, &sight.mesh)?);
        }
        let first = kept.first().ok_or(Refusal::NoFace)?;
        let compared = sights.iter().map(|sight| {
            let frame = frames.get(sight.number as usize).ok_or(Refusal::NoFace)?;
            let other = self.keep(frame, &sight.mesh)?;
            Ok(self.compare(&first.template, &other.template))
        });
        let compared = compared.collect::<Result<Vec<_>, Refusal>>()?;
        Ok((least_like(compared.into_iter()).ok_or(Refusal::NoFace)?, kept))
    }

    fn keep(&self, frame: &Frame<'_>, mesh: &Mesh) -> Result<Kept, Refusal> {
        let picture = picture(frame)?;
        match self.template(&picture, mesh) {
            Ok(template) => Ok(Kept { picture, template }),
            Err(FaceError::Model(_)) => Err(Refusal::Model),
            Err(_) => Err(Refusal::NoFace),
        }
    }
}

/// What is no number is the least.
fn least_like(compared: impl Iterator<Item = Comparison>) -> Option<Comparison> {
    let rank = |one: &Comparison| match one.similarity {
        similarity if similarity.is_nan() => f32::NEG_INFINITY,
        similarity => similarity,
    };
    compared.min_by(|a, b| rank(a).total_cmp(&rank(b)))
}

/// The beginning, just before the middle turn, and the end.
fn straight_times(script: &Script) -> [f32; 3] {
    let middle = script.turns.get(script.turns.len() / 2).map_or(0, |turn| turn.at_ms);
    [0, middle, script.duration_ms].map(|at_ms| at_ms as f32)
}

/// docs/face-challenge.md: 300 to 640 pixels wide will do.
const MOST_PIXELS: u64 = 700_000;

/// JPEG of a size that the header says, before anything is decoded.
fn picture(frame: &Frame<'_>) -> Result<RgbImage, Refusal> {
    let unreadable = Refusal::Unreadable { number: frame.number };
    let header = ImageReader::with_format(Cursor::new(frame.bytes), ImageFormat::Jpeg);
    let (width, height) = header.into_dimensions().map_err(|_| unreadable)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(unreadable);
    }
    portrait::decode(frame.bytes).map_err(|_| unreadable)
}

/// All frames, looked at.
#[derive(Default)]
struct Watched {
    /// The SHA-256 of every picture's pixels.
    seen: HashSet<[u8; 32]>,
    sights: Vec<Sight>,
}

impl Watched {
    /// One picture in two files is one picture.
    fn once(&mut self, image: &RgbImage, number: u32) -> Result<(), Refusal> {
        let is_new = self.seen.insert(Sha256::digest(image.as_raw()).into());
        is_new.then_some(()).ok_or(Refusal::Frozen { number })
    }

    fn compare(&self, last: &RgbImage, image: &RgbImage, number: u32) -> Result<(), Refusal> {
        if last.dimensions() != image.dimensions() {
            return Err(Refusal::Unreadable { number });
        }
        let moves = !still::is_one_picture(last, image);
        moves.then_some(()).ok_or(Refusal::Frozen { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(similarity: f32) -> Comparison {
        let accepted = similarity >= 0.5;
        Comparison { similarity, threshold: 0.5, accepted, false_match_rate: 1e-4 }
    }

    #[test]
    fn the_least_likeness_counts_whichever_comes_first_and_no_number_is_less() {
        // proves D6
        let least = |all: &[f32]| {
            least_like(all.iter().map(|one| compared(*one))).map(|least| least.similarity)
        };
        assert_eq!(least(&[0.9, 0.7, 0.8]), Some(0.7));
        assert_eq!(least(&[0.4, 0.1]), Some(0.1));
        assert!(least(&[0.1, f32::NAN, 0.9]).is_some_and(f32::is_nan));
        assert!(least(&[-f32::NAN, 0.1]).is_some_and(f32::is_nan));
        assert_eq!(least(&[]), None);
    }
}
