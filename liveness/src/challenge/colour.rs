//! Whether the light on the face follows the colours of the screen.
//!
//! The light that skin sends back is the room's and the screen's. Two ratios tell their colours
//! apart from their strength, which the camera's exposure changes: u = ln(R/G), v = ln(B/G). What is
//! around the face is farther from the screen; the difference of the face's u, v to its own takes out the camera's white
//! balance, and leaves nothing of a flat picture, whose painted background is as near as its painted
//! face.
//!
//! With c the screen's light, the difference moves by g (c_R − c_G) and g (c_B − c_G), the gain g
//! being how strong the screen is on the face.

use serde::Serialize;

use super::limits::Limits;
use super::refusal::Refusal;
use super::script::{Colour, Script};
use super::sight::Sight;
use super::turns::cosine;

/// With fewer places around the face there is no background.
const LEAST_PLACES: usize = 4;
/// Lags are tried in steps of this.
const LAG_STEP_MS: usize = 25;
/// What of a colour's time is left out at its beginning, while camera and exposure follow.
const SETTLING_MS: f32 = 120.0;

/// What was measured of the light on the face.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ColourEvidence {
    /// Correlation of the light on the face, less that around it, with the screen's, at the lag
    /// where it is greatest.
    pub correlation: f32,
    /// That lag.
    pub lag_ms: u32,
    /// How strong the screen's light is against the room's.
    pub gain: f32,
    /// How many colours the script shows.
    pub shown: u32,
    /// How many of them are told right.
    pub right: u32,
}

/// None where there is no background beside the face.
pub(super) fn measure(
    script: &Script,
    sights: &[Sight],
    limits: &Limits,
) -> Option<ColourEvidence> {
    let always = always(sights);
    if always.len() < LEAST_PLACES {
        return None;
    }
    let seen = detrended(sights.iter().map(|sight| Seen::of(sight, &always)).collect());
    let [_, latest] = limits.colour_lag_ms;
    let lags = (0..=2 * latest).step_by(LAG_STEP_MS);
    let at = |lag: u32| (correlation(script, &seen, lag as f32), lag);
    let best = |best: (f32, u32), own: (f32, u32)| if best.0 >= own.0 { best } else { own };
    let (correlation, lag_ms) = lags.map(at).fold((f32::NAN, 0), best);
    let told = told(script, &seen, lag_ms as f32);
    let right = told.iter().filter(|(shown, told)| Some(*shown) == *told).count();
    Some(ColourEvidence {
        correlation,
        lag_ms,
        gain: gain(script, &seen, lag_ms as f32),
        shown: told.len() as u32,
        right: right as u32,
    })
}

/// Every comparison holds for good values, so that a value that is no number fails it.
pub(super) fn judge(colour: Option<&ColourEvidence>, limits: &Limits) -> Option<Refusal> {
    let Some(colour) = colour else { return Some(Refusal::NoBackground) };
    let [soonest, latest] = limits.colour_lag_ms;
    let follows = colour.correlation >= limits.min_colour_correlation
        && (soonest..=latest).contains(&colour.lag_ms)
        && colour.gain >= limits.min_colour_gain
        && colour.shown > 0
        && colour.right as f32 >= limits.min_colours_right * colour.shown as f32;
    (!follows).then_some(Refusal::NotTheScreensLight)
}

/// u and v of the face less those around it.
#[derive(Clone, Copy)]
struct Seen {
    at_ms: f32,
    uv: [f32; 2],
}

impl Seen {
    fn of(sight: &Sight, places: &[(u32, u32)]) -> Seen {
        let [mut u, mut v] = ratios(sight.skin);
        let share = 1.0 / places.len() as f32;
        for light in places.iter().filter_map(|place| sight.scene.get(place)) {
            let [around_u, around_v] = ratios(*light);
            (u, v) = (u - share * around_u, v - share * around_v);
        }
        Seen { at_ms: sight.at_ms, uv: [u, v] }
    }
}

/// The places around the face that every frame shows.
fn always(sights: &[Sight]) -> Vec<(u32, u32)> {
    let Some((first, others)) = sights.split_first() else { return Vec::new() };
    let seen = |place: &&(u32, u32)| others.iter().all(|sight| sight.scene.contains_key(place));
    first.scene.keys().filter(seen).copied().collect()
}

fn ratios([red, green, blue]: [f32; 3]) -> [f32; 2] {
    let ln = |value: f32| (value + 0.002).ln();
    [ln(red) - ln(green), ln(blue) - ln(green)]
}

/// Without their mean and their slow drift, a straight line over the whole time.
fn detrended(mut seen: Vec<Seen>) -> Vec<Seen> {
    let count = seen.len().max(1) as f32;
    let mean = |of: &dyn Fn(&Seen) -> f32| seen.iter().map(of).sum::<f32>() / count;
    let time = mean(&|s| s.at_ms);
    let spread = mean(&|s| (s.at_ms - time).powi(2)).max(f32::EPSILON);
    let line = |of: fn(&Seen) -> f32| {
        let level = mean(&of);
        let slope = mean(&|s| (s.at_ms - time) * (of(s) - level)) / spread;
        (level, slope)
    };
    let lines = [line(|s| s.uv[0]), line(|s| s.uv[1])];
    for one in &mut seen {
        let at = one.at_ms - time;
        one.uv.iter_mut().zip(lines).for_each(|(uv, (level, slope))| *uv -= level + slope * at);
    }
    seen
}

/// What u and v the screen's light pulls towards.
fn pull([red, green, blue]: [f32; 3]) -> [f32; 2] {
    [red - green, blue - green]
}

/// The screen's pull at each frame, without its mean and drift, as the frames are.
fn expected(script: &Script, seen: &[Seen], lag_ms: f32) -> Vec<Seen> {
    let pull = |s: &Seen| Seen { uv: pull(script.light(s.at_ms - lag_ms)), ..*s };
    detrended(seen.iter().map(pull).collect())
}

fn correlation(script: &Script, seen: &[Seen], lag_ms: f32) -> f32 {
    let expected = expected(script, seen, lag_ms);
    cosine(seen.iter().flat_map(|s| s.uv), expected.iter().flat_map(|s| s.uv))
}

fn gain(script: &Script, seen: &[Seen], lag_ms: f32) -> f32 {
    let expected = expected(script, seen, lag_ms);
    let pairs = || seen.iter().flat_map(|s| s.uv).zip(expected.iter().flat_map(|s| s.uv));
    let size: f32 = pairs().map(|(_, e)| e * e).sum();
    pairs().map(|(s, e)| s * e).sum::<f32>() / size
}

/// Each colour of the script, and the colour whose pull is most like what was seen then.
fn told(script: &Script, seen: &[Seen], lag_ms: f32) -> Vec<(Colour, Option<Colour>)> {
    let seen = with_mean(script, seen, lag_ms);
    let shown = script.shown().map(|(colour, from, until)| {
        let (from, until) = (from as f32 + lag_ms + SETTLING_MS, until as f32 + lag_ms);
        let during = seen.iter().filter(|s| (from..until).contains(&s.at_ms));
        (colour, nearest(during.map(|s| s.uv)))
    });
    shown.collect()
}

/// What was seen has lost its mean and drift; those of the script's colours are given back.
fn with_mean(script: &Script, seen: &[Seen], lag_ms: f32) -> Vec<Seen> {
    let gain = gain(script, seen, lag_ms);
    let restored = |(s, e): (&Seen, Seen)| {
        let [u, v] = pull(script.light(s.at_ms - lag_ms));
        let ([own_u, own_v], [mean_u, mean_v]) = (s.uv, [u - e.uv[0], v - e.uv[1]]);
        Seen { uv: [own_u + gain * mean_u, own_v + gain * mean_v], ..*s }
    };
    seen.iter().zip(expected(script, seen, lag_ms)).map(restored).collect()
}

fn nearest(seen: impl Iterator<Item = [f32; 2]> + Clone) -> Option<Colour> {
    let count = seen.clone().count();
    let mean = seen.fold([0.0; 2], |[u, v], [du, dv]| [u + du, v + dv]);
    let likeness = |colour: &Colour| cosine(mean.into_iter(), pull(colour.light()).into_iter());
    let best = Colour::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.filter(|best| count > 0 && likeness(best).is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::limits::tests::LIMITS;
    use crate::challenge::sight::tests::{Acting, GOOD, acted};

    fn script(seed: u8) -> Script {
        Script::draw(&[seed; 32], &LIMITS)
    }

    fn judged(asked: &Script, seen: &[Sight]) -> Option<Refusal> {
        judge(measure(asked, seen, &LIMITS).as_ref(), &LIMITS)
    }

    #[test]
    fn the_screens_light_on_a_face_is_told() {
        for seed in 0..20 {
            let script = script(seed);
            let found = measure(&script, &acted(&script, GOOD), &LIMITS).unwrap();
            assert_eq!(found.right, found.shown, "{found:?}");
            assert!(found.correlation > 0.95 && (0.05..0.15).contains(&found.gain), "{found:?}");
            assert_eq!(judge(Some(&found), &LIMITS), None);
        }
    }

    #[test]
    fn light_that_is_missing_elsewhere_or_of_another_script_is_refused() {
        // proves D3
        let refused = Some(Refusal::NotTheScreensLight);
        let (asked, other) = (script(1), script(2));
        let with = |gain| acted(&asked, Acting { gain, ..GOOD });
        assert_eq!(judged(&asked, &with([0.0, 0.0])), refused);
        assert_eq!(judged(&asked, &with([0.1, 0.1])), refused, "a flat picture");
        assert_eq!(judged(&asked, &with([0.0, 0.1])), refused);
        assert_eq!(judged(&asked, &acted(&other, GOOD)), refused);
        assert_eq!(judged(&asked, &[]), Some(Refusal::NoBackground));
    }

    #[test]
    fn no_background_and_no_numbers_are_refused() {
        // proves D6
        let asked = script(1);
        let mut seen = acted(&asked, GOOD);
        seen[5].skin = [f32::NAN; 3];
        assert_eq!(judged(&asked, &seen), Some(Refusal::NotTheScreensLight));
        seen[5].scene.clear();
        assert_eq!(judged(&asked, &seen), Some(Refusal::NoBackground));
    }
}
