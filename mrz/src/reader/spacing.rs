//! Where the symbols seen in a line stand to one another: an MRZ has one pitch (ICAO 9303-3 §4.4,
//! OCR-B size 1), which changes but slowly along a line seen at an angle. A symbol that is lost, made
//! up or seen twice shows in the steps from one to the next.

use std::ops::RangeInclusive;

use super::decode::Seen;

/// How long a step from one symbol to the next may be beside the usual one around it: where one was
/// lost it is twice as long, where one was made up half.
const EVEN: RangeInclusive<f32> = 0.55..=1.6;
/// A step that is about as usual, beside those around it.
const LIKE: RangeInclusive<f32> = 0.7..=1.3;
/// The fewest such steps that tell how the pitch changes.
const LEAST_STEPS: usize = 16;
/// How much the root of the pitch may change from one end of a line to the other: no page held in the
/// hand shows more.
const TAPER: RangeInclusive<f32> = 0.6..=1.67;
/// The step beside the usual one up to which two equal symbols are one, seen at its two sides.
const SEEN_TWICE: f32 = 0.65;
/// Steps on either side that say what is usual.
const STEPS_AROUND: usize = 4;

/// Whether the symbols follow one another evenly: no step is far from the usual one around it, which
/// changes along a line seen at an angle.
pub(super) fn are_even(middles: &[f32]) -> bool {
    let steps = steps(middles);
    let even = |(index, step): (usize, &f32)| EVEN.contains(&(step / usual(&steps, index)));
    steps.iter().enumerate().all(even)
}

/// How wide a character is along a line: by central projection the root of its width changes evenly
/// from one end to the other.
pub(super) struct Pitch {
    /// At a place, in the units of the symbols' middles, the root and how it changes.
    at: f32,
    root: f32,
    change: f32,
}

impl Pitch {
    /// By the steps between symbols that are about as usual, in each half of the line.
    pub(super) fn of(middles: &[f32]) -> Option<Self> {
        let steps = steps(middles);
        let places = middles.iter().zip(middles.get(1..)?).map(|(one, next)| (one + next) / 2.0);
        let alike: Vec<(f32, f32)> = places
            .zip(steps.iter().enumerate())
            .filter(|(_, (index, step))| LIKE.contains(&(*step / usual(&steps, *index))))
            .map(|(place, (_, step))| (place, step.sqrt()))
            .collect();
        let (near, far) = alike.split_at(alike.len() / 2);
        let (near, far, all) = (mean(near), mean(far), mean(&alike)?);
        let change = match near.zip(far) {
            Some((near, far)) if alike.len() >= LEAST_STEPS => (far.1 - near.1) / (far.0 - near.0),
            _ => 0.0,
        };
        let pitch = |change| Self { at: all.0, root: all.1, change };
        let taper = pitch(change).taper(*middles.first()?, *middles.last()?);
        Some(pitch(if TAPER.contains(&taper) { change } else { 0.0 }))
    }

    fn root(&self, at: f32) -> f32 {
        self.root + self.change * (at - self.at)
    }

    /// How many characters lie between two places.
    pub(super) fn count(&self, from: f32, to: f32) -> f32 {
        (to - from) / (self.root(from) * self.root(to))
    }

    /// The place so many characters behind another.
    pub(super) fn beyond(&self, from: f32, characters: f32) -> f32 {
        let root = self.root(from);
        from + characters * root * root / (1.0 - characters * root * self.change).max(0.1)
    }

    /// The root of how much wider a character is at one place than at another.
    pub(super) fn taper(&self, from: f32, to: f32) -> f32 {
        self.root(to) / self.root(from)
    }

    /// The same with so many times as many characters between any two places.
    pub(super) fn denser(&self, times: f32) -> Self {
        let root = times.sqrt().recip();
        Self { at: self.at, root: self.root * root, change: self.change * root }
    }
}

/// The mean place, and the mean root.
fn mean(steps: &[(f32, f32)]) -> Option<(f32, f32)> {
    let sum = steps.iter().fold((0.0, 0.0), |sum, step| (sum.0 + step.0, sum.1 + step.1));
    (!steps.is_empty()).then(|| (sum.0 / steps.len() as f32, sum.1 / steps.len() as f32))
}

/// The symbols, with those that were seen twice as one: the recogniser sees a wide O now and then at
/// its left and at its right side.
pub(super) fn joined(seen: &[Seen]) -> Vec<Seen> {
    let steps = steps(&seen.iter().map(Seen::middle).collect::<Vec<_>>());
    let mut all: Vec<Seen> = Vec::with_capacity(seen.len());
    let mut is_joined = false;
    for (index, symbol) in seen.iter().enumerate() {
        let near = index
            .checked_sub(1)
            .and_then(|before| Some(*steps.get(before)? <= SEEN_TWICE * usual(&steps, before)));
        match all.last_mut() {
            Some(last) if !is_joined && near == Some(true) && last.class == symbol.class => {
                last.to = symbol.to;
                is_joined = true;
            }
            _ => {
                all.push(*symbol);
                is_joined = false;
            }
        }
    }
    all
}

fn steps(middles: &[f32]) -> Vec<f32> {
    middles.iter().zip(middles.iter().skip(1)).map(|(one, next)| next - one).collect()
}

/// The median of the steps around one.
fn usual(steps: &[f32], index: usize) -> f32 {
    let from = index.saturating_sub(STEPS_AROUND);
    let mut around: Vec<f32> =
        steps.iter().skip(from).take(2 * STEPS_AROUND + 1).copied().collect();
    around.sort_by(f32::total_cmp);
    around.get(around.len() / 2).copied().unwrap_or(f32::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_and_one_made_up_are_seen() {
        // Narrower and narrower, as a page that is tilted.
        let place = |i: f32| 0.5 + 1.2 * i - 0.004 * i * i;
        let mut middles: Vec<f32> = (0..44).map(|i| place(i as f32)).collect();
        assert!(are_even(&middles));
        middles.remove(20);
        middles.push(44.9);
        assert!(!are_even(&middles));
        middles[3] = f32::NAN;
        assert!(!are_even(&middles));
    }

    #[test]
    fn characters_that_become_narrower_are_counted() {
        for taper in [0.75, 0.9, 1.0, 1.2] {
            let place = |i: f32| 44.0 * i / (i + taper * (44.0 - i));
            let mut middles: Vec<f32> = (0..44).map(|i| place(i as f32 + 0.5)).collect();
            middles.remove(20);
            let (first, last) = (middles[0], middles[42]);
            let pitch = Pitch::of(&middles).unwrap();
            assert!((pitch.count(first, last) - 43.0).abs() < 0.2, "{taper}");
            assert!((pitch.beyond(first, 43.0) - last).abs() < 0.2, "{taper}");
            assert!((pitch.beyond(first, -0.5)).abs() < 0.1, "{taper}");
            assert!((pitch.taper(0.0, 44.0) - taper).abs() < 0.02, "{taper}");
            assert!((pitch.denser(2.0).count(first, last) - 86.0).abs() < 0.4, "{taper}");
        }
    }

    #[test]
    fn a_pitch_needs_symbols() {
        assert!(Pitch::of(&[]).is_none() && Pitch::of(&[1.0]).is_none());
        let few = Pitch::of(&[0.5, 1.5, 2.6, 3.4]).unwrap();
        assert_eq!(few.taper(0.5, 3.4), 1.0);
    }

    /// Symbols of the classes, at these places.
    fn symbols(seen: &[(usize, usize)]) -> Vec<Seen> {
        seen.iter().map(|(class, at)| Seen { class: *class, from: *at, to: at + 1 }).collect()
    }

    #[test]
    fn a_letter_seen_at_both_sides_is_one() {
        let line = |more: &[(usize, usize)]| {
            let mut all: Vec<_> = (0..20).map(|i| (i % 5 + 1, 5 + 4 * i)).collect();
            all.extend(more);
            all.sort_by_key(|(_, at)| *at);
            symbols(&all)
        };
        assert_eq!(joined(&line(&[])), line(&[]));
        // The eleventh letter, of class 1, at both its sides.
        let twice = line(&[(1, 47)]);
        let once = joined(&twice);
        assert_eq!((twice.len(), once.len()), (21, 20));
        assert!(are_even(&once.iter().map(Seen::middle).collect::<Vec<_>>()));
        // Another letter there is none of it, and nothing is seen three times.
        assert_eq!(joined(&line(&[(4, 47)])).len(), 21);
        assert_eq!(joined(&line(&[(1, 46), (1, 47)])).len(), 21);
        // Two letters alike at the usual distance are two.
        assert_eq!(joined(&symbols(&[(3, 4), (3, 8), (3, 12), (3, 16)])).len(), 4);
    }
}
