//! People, the portraits made of them, and what is seen when somebody shows one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fixtures::{
    morphs::{Blended, Contributor, morph},
    portraits::jp2_within,
};
use image::{Rgb, RgbImage, imageops};
use liveness::{Comparison, Engine, Face, Point, QualityReason, Template, portrait};

use super::Plan;
use crate::attacks::parallel;
use crate::measure_error::MeasureError;

/// Fewer people than this measure nothing.
const LEAST: usize = 20;
/// Portraits of one person at most.
const PORTRAITS: usize = 4;
/// Pictures in a template of several.
const SEVERAL: usize = 5;
/// A chip's portrait, and its most bytes.
const SIZE: (u32, u32) = (300, 400);
const MAX_BYTES: usize = 15_000;

/// Whose picture is blended with that of the first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Partner {
    /// Of all the people of the half, the one most like the first to the recognition networks.
    Alike,
    /// Whoever comes.
    Anyone,
}

/// How a portrait is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Made {
    pub(super) name: &'static str,
    partner: Partner,
    /// Of the partner.
    pub(super) share: f32,
    blended: Blended,
}

impl Made {
    pub(super) fn is_of_look_alikes(&self) -> bool {
        self.partner == Partner::Alike
    }
}

const fn made(name: &'static str, partner: Partner, share: f32, blended: Blended) -> Made {
    Made { name, partner, share, blended }
}

/// The morphs.
pub(super) const MORPHS: [Made; 6] = [
    made("look-alikes 50:50, whole picture", Partner::Alike, 0.5, Blended::Picture),
    made("look-alikes 50:50, face only", Partner::Alike, 0.5, Blended::Face),
    made("look-alikes 60:40, whole picture", Partner::Alike, 0.4, Blended::Picture),
    made("look-alikes 60:40, face only", Partner::Alike, 0.4, Blended::Face),
    made("look-alikes 70:30, whole picture", Partner::Alike, 0.3, Blended::Picture),
    made("anyone 50:50, face only", Partner::Anyone, 0.5, Blended::Face),
];

/// Who shows a portrait.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Shows {
    /// The one whose portrait it is, or the one who is shown around the face.
    First,
    /// The other one of a morph.
    Second,
}

/// Somebody shows a portrait.
pub(super) struct Trial {
    /// The place in [`MORPHS`]; none for a portrait of one person.
    pub(super) morph: Option<usize>,
    /// The first person of the portrait.
    pub(super) person: usize,
    pub(super) shows: Shows,
    /// With a template of several pictures.
    pub(super) several: bool,
    pub(super) seen: Seen,
}

/// What is seen of portrait and person.
pub(super) struct Seen {
    pub(super) comparison: Comparison,
    /// Of each network.
    pub(super) cosines: Vec<f32>,
    /// How far the shapes of the two faces are apart, whichever way they look; 0 is the same shape.
    pub(super) shape: f32,
    /// Of the portrait.
    pub(super) sharpness: f32,
}

/// A photograph that an enrolment would take but for its size.
struct Picture {
    face: Face,
    /// In the photograph's pixels, with depth.
    mesh: Vec<[f32; 3]>,
    token: RgbImage,
    /// In the token's pixels.
    points: Vec<[f32; 2]>,
}

impl Picture {
    fn contributor(&self) -> Contributor<'_> {
        Contributor { picture: &self.token, points: &self.points }
    }
}

/// The pictures of somebody, the straightest first.
type Person = Vec<Picture>;

/// A portrait as the chip gives it.
struct Chip {
    face: Face,
    mesh: Vec<[f32; 3]>,
}

/// Every trial.
pub(super) fn all(engine: &Engine, plan: &Plan) -> Result<Vec<Trial>, MeasureError> {
    let folders = folders(&plan.photographs)?;
    let people = parallel(&folders, |_, folder| person(engine, folder));
    let people: Vec<Person> =
        people.into_iter().filter(|own| own.len() > 1).take(plan.people).collect();
    if people.len() < LEAST {
        return Err(MeasureError::TooFew { people: people.len(), least: LEAST });
    }
    let studio = Studio { engine, people: &people, keep: plan.keep.as_deref() };
    let trials = parallel(&people, |at, _| studio.of_person(at));
    Ok(trials.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, MeasureError> {
    let found = fs::read_dir(folder).map_err(MeasureError::file(folder))?;
    let mut folders: Vec<PathBuf> =
        found.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn person(engine: &Engine, folder: &Path) -> Person {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    if files.len() < 2 {
        return Vec::new();
    }
    let mut own: Person = files.iter().filter_map(|file| picture(engine, file)).collect();
    let turned = |picture: &Picture| picture.face.pose.yaw.abs() + picture.face.pose.pitch.abs();
    own.sort_by(|a, b| turned(a).total_cmp(&turned(b)));
    own
}

fn picture(engine: &Engine, file: &Path) -> Option<Picture> {
    let image = portrait::decode(&fs::read(file).ok()?).ok()?;
    let face = engine.analyse(&image).ok()?;
    if face.quality.reasons.iter().any(|reason| *reason != QualityReason::TooFar) {
        return None;
    }
    let mesh = engine.landmarks(&image).ok()?;
    let (token, points) = token(&image, &face.points, &mesh);
    Some(Picture { face, mesh, token, points })
}

/// Head and shoulders upright as ISO/IEC 19794-5:2005 §9 has them, and the points of the mesh in it: the
/// eyes a quarter of the width apart, in the middle, three fifths of the width below the top. Beyond
/// the picture its edge goes on.
fn token(image: &RgbImage, five: &[Point; 5], mesh: &[[f32; 3]]) -> (RgbImage, Vec<[f32; 2]>) {
    let [left, right, ..] = five;
    let (dx, dy) = (right.x - left.x, right.y - left.y);
    let middle = ((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
    let (width, height) = SIZE;
    // What one pixel of the token is in the picture, across and down.
    let (cos, sin) = (4.0 * dx / exact(width), 4.0 * dy / exact(width));
    let origin = (0.5 * exact(width), 0.6 * exact(width));
    let most = (exact(image.width()) - 1.0, exact(image.height()) - 1.0);
    let token = RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (exact(x) + 0.5 - origin.0, exact(y) + 0.5 - origin.1);
        let (x, y) = (middle.0 + cos * u - sin * v - 0.5, middle.1 + sin * u + cos * v - 0.5);
        let (x, y) = (x.clamp(0.0, most.0), y.clamp(0.0, most.1));
        imageops::interpolate_bilinear(image, x, y).unwrap_or(Rgb([0; 3]))
    });
    let size = cos * cos + sin * sin;
    let place = |[x, y, _]: &[f32; 3]| {
        let (u, v) = (x - middle.0, y - middle.1);
        let (x, y) = ((cos * u + sin * v) / size, (cos * v - sin * u) / size);
        [x + origin.0 - 0.5, y + origin.1 - 0.5]
    };
    (token, mesh.iter().map(place).collect())
}

#[expect(clippy::cast_precision_loss, reason = "pixel coordinates are small")]
fn exact(place: u32) -> f32 {
    place as f32
}

/// Who makes and shows portraits.
struct Studio<'a> {
    engine: &'a Engine,
    people: &'a [Person],
    keep: Option<&'a Path>,
}

impl Studio<'_> {
    /// A person's own portraits, and the morphs that begin with them.
    fn of_person(&self, person: usize) -> Result<Vec<Trial>, MeasureError> {
        let own = self.pictures(person);
        let mut trials = Vec::new();
        for (at, picture) in own.iter().take(PORTRAITS).enumerate() {
            let Some(chip) = self.on_a_chip(&picture.token) else { continue };
            let shown = self.shown(&chip, own, at).into_iter();
            trials.extend(shown.map(|(several, seen)| Trial {
                morph: None,
                person,
                shows: Shows::First,
                several,
                seen,
            }));
        }
        for (at, made) in MORPHS.iter().enumerate() {
            trials.extend(self.of_morph(person, at, made)?);
        }
        Ok(trials)
    }

    fn of_morph(&self, person: usize, at: usize, made: &Made) -> Result<Vec<Trial>, MeasureError> {
        let (own, others) = (self.pictures(person), self.partner(person, made.partner));
        let (Some(one), Some(other)) = (own.first(), others.first()) else { return Ok(Vec::new()) };
        let blended = morph(&one.contributor(), &other.contributor(), made.share, made.blended);
        if let Some(folder) = self.keep {
            let path = folder.join(format!("{person:04}-{at}.png"));
            blended.save(&path).map_err(|e| MeasureError::file(&path)(std::io::Error::other(e)))?;
        }
        let Some(chip) = self.on_a_chip(&blended) else { return Ok(Vec::new()) };
        let both = [(Shows::First, own), (Shows::Second, others)];
        let trials = both.into_iter().flat_map(|(shows, pictures)| {
            self.shown(&chip, pictures, 0).into_iter().map(move |(several, seen)| Trial {
                morph: Some(at),
                person,
                shows,
                several,
                seen,
            })
        });
        Ok(trials.collect())
    }

    /// As the chip holds it; none where no face is found in it.
    fn on_a_chip(&self, picture: &RgbImage) -> Option<Chip> {
        let picture = portrait::decode(&jp2_within(picture, MAX_BYTES).ok()?).ok()?;
        let face = self.engine.analyse(&picture).ok()?;
        Some(Chip { face, mesh: self.engine.landmarks(&picture).ok()? })
    }

    /// Somebody shows it with each of their pictures but the one that it is made of, and with templates
    /// of several of them.
    fn shown(&self, chip: &Chip, own: &[Picture], but: usize) -> Vec<(bool, Seen)> {
        let live: Vec<&Picture> =
            own.iter().enumerate().filter(|(at, _)| *at != but).map(|(_, own)| own).collect();
        let one = live.iter().map(|own| (false, self.seen(chip, own, &own.face.template)));
        let turns = if live.len() < SEVERAL { 0 } else { live.len() };
        let several = (0..turns).filter_map(|from| {
            let turn = || live.iter().cycle().skip(from).take(SEVERAL);
            let template = Template::of(turn().map(|own| &own.face.template)).ok()?;
            Some((true, self.seen(chip, turn().next()?, &template)))
        });
        one.chain(several).collect()
    }

    fn seen(&self, chip: &Chip, live: &Picture, template: &Template) -> Seen {
        Seen {
            comparison: self.engine.compare(&chip.face.template, template),
            cosines: chip.face.template.agreement(template).0,
            shape: super::scores::apart(&chip.mesh, &live.mesh),
            sharpness: chip.face.quality.measures.sharpness,
        }
    }

    fn pictures(&self, person: usize) -> &[Picture] {
        self.people.get(person).map_or(&[], Vec::as_slice)
    }

    /// Of the same half of the people, so that thresholds and counts know nobody in common.
    fn partner(&self, person: usize, partner: Partner) -> &[Picture] {
        let others = (0..self.people.len()).filter(|at| *at != person && at % 2 == person % 2);
        let found = match partner {
            Partner::Alike => {
                others.max_by(|a, b| self.alike(person, *a).total_cmp(&self.alike(person, *b)))
            }
            // Far from each other in the order of names.
            Partner::Anyone => others.clone().nth(person * 7 % others.count().max(1)),
        };
        found.map_or(&[], |at| self.pictures(at))
    }

    fn alike(&self, one: usize, other: usize) -> f32 {
        let first = |person| self.pictures(person).first();
        let pair = first(one).zip(first(other));
        pair.map_or(0.0, |(a, b)| {
            self.engine.compare(&a.face.template, &b.face.template).similarity
        })
    }
}
