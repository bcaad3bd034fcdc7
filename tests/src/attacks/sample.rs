//! The pictures, and what is seen in each.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use fixtures::attacks::{Marks, Original, Species};
use image::RgbImage;
use liveness::{Observed, Observer, Signs, portrait};

use super::Plan;
use crate::measure_error::MeasureError;

/// Fewer people say nothing of another half.
const LEAST: usize = 20;
/// Bona fide pictures made of each photograph.
const BONA_FIDE: u64 = 2;
/// A photograph's own black margins are darker than this.
const BLACK: u8 = 12;

/// One picture before the detector.
pub(super) struct Sample {
    /// Which person it shows.
    pub(super) person: usize,
    /// Which attack it is; none for a bona fide picture.
    pub(super) species: Option<Species>,
    /// None where no single face was found (ISO/IEC 30107-3 §3.2.3, non-response).
    pub(super) signs: Option<Signs>,
}

/// Every picture of the plan.
pub(super) fn all(observer: &Observer, plan: &Plan) -> Result<Vec<Sample>, MeasureError> {
    let all = people(&plan.photographs)?;
    let people: Vec<PathBuf> = all.into_iter().skip(usize::from(plan.aside)).step_by(2).collect();
    let step = (people.len() / plan.people.max(1)).max(1);
    let chosen: Vec<PathBuf> = people.into_iter().step_by(step).take(plan.people).collect();
    let originals: Vec<Original> =
        parallel(&chosen, |_, path| photograph(observer, path)).into_iter().flatten().collect();
    if originals.len() < LEAST {
        return Err(MeasureError::TooFew { people: originals.len(), least: LEAST });
    }
    let made = parallel(&originals, |person, original| {
        let behind = originals.get((person + 1) % originals.len()).unwrap_or(original);
        of_person(observer, person, (original, behind), plan.keep.as_deref())
    });
    made.into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(|parts| parts.into_iter().flatten().collect())
}

/// The first photograph of each person, in the order of their names.
fn people(folder: &Path) -> Result<Vec<PathBuf>, MeasureError> {
    let entries = |folder: &Path| -> Result<Vec<PathBuf>, MeasureError> {
        let found = fs::read_dir(folder).map_err(MeasureError::file(folder))?;
        let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        Ok(paths)
    };
    let folders = entries(folder)?.into_iter().filter(|path| path.is_dir());
    let firsts = folders.map(|folder| Ok(entries(&folder)?.into_iter().next()));
    Ok(firsts.collect::<Result<Vec<_>, MeasureError>>()?.into_iter().flatten().collect())
}

fn photograph(observer: &Observer, path: &Path) -> Option<Original> {
    original(observer, &portrait::decode(&fs::read(path).ok()?).ok()?)
}

/// A picture with its one face, from which others can be made; none where there is no single face,
/// or a margin cuts into it.
#[must_use]
pub fn original(observer: &Observer, picture: &RgbImage) -> Option<Original> {
    let seen = observer.observe(picture).ok()?;
    let black = |x: u32, y: u32| picture.get_pixel(x, y).0.iter().all(|value| *value < BLACK);
    let marks = marks(&seen, without_margins(picture.dimensions(), black));
    let [left, top, width, height] = marks.face;
    let [shown_left, shown_top, shown_width, shown_height] = marks.shown;
    let inside = left >= shown_left
        && top >= shown_top
        && left + width <= shown_left + shown_width
        && top + height <= shown_top + shown_height;
    inside.then(|| Original::new(picture, marks))
}

fn marks(seen: &Observed, shown: [f32; 4]) -> Marks {
    let ([left, right, ..], bounds) = (seen.points, seen.bounds);
    Marks {
        face: [bounds.x, bounds.y, bounds.width, bounds.height],
        eyes: [(left.x, left.y), (right.x, right.y)],
        shown,
    }
}

/// The rectangle that is left when margins as black as those of a turned photograph are cut off:
/// always the side with the most black next. Left, top, width, height.
fn without_margins((width, height): (u32, u32), black: impl Fn(u32, u32) -> bool) -> [f32; 4] {
    let (mut left, mut top, mut right, mut bottom) = (0, 0, width, height);
    while right > left + 2 && bottom > top + 2 {
        let share = |count: usize, of: u32| exact(u32::try_from(count).unwrap_or(of)) / exact(of);
        let column = |x| share((top..bottom).filter(|y| black(x, *y)).count(), bottom - top);
        let row = |y| share((left..right).filter(|x| black(*x, y)).count(), right - left);
        let sides = [column(left), row(top), column(right - 1), row(bottom - 1)];
        let worst = sides.iter().copied().fold(0.0, f32::max);
        if worst < 0.04 {
            break;
        }
        match sides.iter().position(|side| *side >= worst) {
            Some(0) => left += 1,
            Some(1) => top += 1,
            Some(2) => right -= 1,
            _ => bottom -= 1,
        }
    }
    [exact(left), exact(top), exact(right - left), exact(bottom - top)]
}

#[expect(clippy::cast_precision_loss, reason = "pixel coordinates are small")]
fn exact(place: u32) -> f32 {
    place as f32
}

fn of_person(
    observer: &Observer,
    person: usize,
    (original, behind): (&Original, &Original),
    keep: Option<&Path>,
) -> Result<Vec<Sample>, MeasureError> {
    let base = u64::try_from(person).unwrap_or_default() * 1000;
    let live = (0..BONA_FIDE).map(|at| (None, original.bona_fide(base + at)));
    let attacks = Species::ALL
        .into_iter()
        .zip(10..)
        .map(|(species, at)| (Some(species), original.attack(species, behind, base + at)));
    let mut samples = Vec::new();
    for (at, (species, made)) in live.chain(attacks).enumerate() {
        // What cannot be encoded cannot be looked at either.
        let bytes = made.unwrap_or_default();
        if let Some(folder) = keep {
            let name = species.map_or("bona-fide", Species::name);
            let path = folder.join(format!("{person:04}-{at}-{name}.jpg"));
            fs::write(&path, &bytes).map_err(MeasureError::file(&path))?;
        }
        let picture = portrait::decode(&bytes).ok();
        let seen = picture.and_then(|picture| observer.observe(&picture).ok());
        samples.push(Sample { person, species, signs: seen.map(|seen| seen.signs) });
    }
    Ok(samples)
}

/// The same for each item, in order, on as many threads as there are processors.
pub(crate) fn parallel<T: Sync, R: Send>(
    items: &[T],
    each: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let length = items.len().div_ceil(workers).max(1);
    let each = &each;
    thread::scope(|scope| {
        let parts = items.chunks(length).enumerate().map(|(part, items)| {
            let numbered = items.iter().enumerate();
            scope.spawn(move || {
                numbered.map(|(at, item)| each(part * length + at, item)).collect::<Vec<_>>()
            })
        });
        let running: Vec<_> = parts.collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_black_corners_of_a_turned_photograph_are_cut_off() {
        let black = |x: u32, y: u32| x + y < 30 || (100 - x) + (100 - y) < 25;
        let [left, top, width, height] = without_margins((100, 100), black);
        let corner = |x: f32, y: f32| x + y;
        assert!(corner(left, top) >= 25.0, "{left} {top}");
        assert!(width > 60.0 && height > 60.0, "{width} {height}");
        assert_eq!(without_margins((50, 40), |_, _| false), [0.0, 0.0, 50.0, 40.0]);
        assert!(without_margins((50, 40), |_, _| true)[2] <= 50.0);
    }
}
