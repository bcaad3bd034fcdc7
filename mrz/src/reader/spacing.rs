//! Where the symbols seen in a line stand to one another: an MRZ has one pitch (ICAO 9303-3 §4.4,
//! OCR-B size 1), which changes but slowly along a line seen at an angle. A symbol that is lost, made
//! up or seen twice shows in the steps from one to the next.

use std::ops::RangeInclusive;

use super::decode::Seen;

/// How long a step from one symbol to the next may be beside the usual one around it: where one was
/// lost it is twice as long, where one was made up half.
const EVEN: RangeInclusive<f32> = 0.55..=1.6;
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

/// The mean of the distances between neighbours that are about as usual.
pub(super) fn spacing(middles: &[f32]) -> Option<f32> {
    let mut steps = steps(middles);
    steps.sort_by(f32::total_cmp);
    let usual = *steps.get(steps.len() / 2)?;
    let range = 0.7 * usual..1.3 * usual;
    let alike: Vec<f32> = steps.into_iter().filter(|step| range.contains(step)).collect();
    (!alike.is_empty()).then(|| alike.iter().sum::<f32>() / alike.len() as f32)
}

/// The symbols, with those that were seen twice as one: the recogniser sees a wide O now and then at
/// its left and at its right side.
pub(super) fn joined(seen: Vec<Seen>) -> Vec<Seen> {
    let steps = steps(&seen.iter().map(Seen::middle).collect::<Vec<_>>());
    let mut all: Vec<Seen> = Vec::with_capacity(seen.len());
    let mut is_joined = false;
    for (index, symbol) in seen.into_iter().enumerate() {
        let near = index
            .checked_sub(1)
            .and_then(|before| Some(*steps.get(before)? <= SEEN_TWICE * usual(&steps, before)));
        match all.last_mut() {
            Some(last) if !is_joined && near == Some(true) && last.class == symbol.class => {
                last.to = symbol.to;
                is_joined = true;
            }
            _ => {
                all.push(symbol);
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
        assert_eq!(joined(line(&[])), line(&[]));
        // The eleventh letter, of class 1, at both its sides.
        let twice = line(&[(1, 47)]);
        let once = joined(twice.clone());
        assert_eq!((twice.len(), once.len()), (21, 20));
        assert!(are_even(&once.iter().map(Seen::middle).collect::<Vec<_>>()));
        // Another letter there is none of it, and nothing is seen three times.
        assert_eq!(joined(line(&[(4, 47)])).len(), 21);
        assert_eq!(joined(line(&[(1, 46), (1, 47)])).len(), 21);
        // Two letters alike at the usual distance are two.
        assert_eq!(joined(symbols(&[(3, 4), (3, 8), (3, 12), (3, 16)])).len(), 4);
    }
}
