//! Whether the light on the face changes when the screen changes, and as it does.
//!
//! Two frames just before and just after a change of colour show one head in about one pose, in one
//! room, by other light. So nothing is compared but a place with itself, from the one frame to the
//! other: what is skin, hair or paint, and how the lamps stand, is the same in both and drops out.
//! A place's tint is the logarithm of its red, green and blue less their mean: exposure drops out,
//! too. From the median over the patches of skin goes that over the places around the face, which are
//! farther from the screen: the camera's white balance drops out, and all is gone from a flat picture,
//! whose painted room is as near as its painted face.
//!
//! With c the screen's light, red, green and blue each 0 or 1, a change from c to c' moves the tint by
//! g ((c' − c) − the mean of c' − c), the gain g being ln(1 + s) where the screen is s times as strong
//! on the face as the room's light. The six colours lie on a hexagon about white.
//!
//! A patch that turns out of sight, is burnt out or is passed by something is one of many: medians
//! leave it out.

use serde::Serialize;

use super::limits::Limits;
use super::refusal::Refusal;
use super::script::{Colour, Script};
use super::sight::Sight;
use super::turns::{cosine, median};

/// With fewer places around the face there is no background.
const LEAST_PLACES: usize = 8;
/// With fewer patches of skin in both of two frames their change is not told.
const LEAST_PATCHES: usize = 6;
/// The least and the most linear light of a place, in any of its colours, by which a tint is told:
/// what is darker is the camera's noise, what is brighter may be burnt out.
const TELLING: [f32; 2] = [0.004, 0.9];
/// Lags are tried in steps of this.
const LAG_STEP_MS: usize = 50;
/// How long before a change, and after it has settled, frames are looked at.
const WINDOW_MS: f32 = 330.0;
/// What of a colour's time is left out at its beginning, while screen and camera follow.
const SETTLING_MS: f32 = 60.0;
/// Frames in which the head points so many degrees apart count half.
const HALF_DEG: f32 = 4.0;
/// The mean square of a change at gain 1, over the five colours that may follow one: two neighbours at
/// 2/3, two beyond them at 2, and the opposite at 8/3.
const EVEN: f32 = 1.6;

/// What was measured of the light on the face.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ColourEvidence {
    /// Correlation of the changes of the light on the face, less those around it, with the screen's, at
    /// the lag where it is greatest.
    pub correlation: f32,
    /// That lag.
    pub lag_ms: u32,
    /// How strong the screen's light is against the room's.
    pub gain: f32,
    /// How many changes of colour the script has.
    pub changes: u32,
    /// Of how many the new colour is told right.
    pub right: u32,
}

/// How many lags may be the accepted one.
pub(super) fn accepted_lags(limits: &Limits) -> usize {
    let [soonest, latest] = limits.colour_lag_ms;
    lags(limits).filter(|lag| (soonest..=latest).contains(lag)).count()
}

fn lags(limits: &Limits) -> impl Iterator<Item = u32> {
    let [_, latest] = limits.colour_lag_ms;
    (0..=latest.saturating_mul(2)).step_by(LAG_STEP_MS)
}

/// None where there is no background beside the face.
pub(super) fn measure(
    script: &Script,
    sights: &[Sight],
    limits: &Limits,
) -> Option<ColourEvidence> {
    let tints: Vec<Tints> = sights.iter().map(Tints::of).collect();
    if tints.iter().map(|tints| tints.room.len()).min()? < LEAST_PLACES {
        return None;
    }
    let pairs = pairs(&tints);
    let measured = lags(limits).map(|lag_ms| Steps::of(script, &pairs, lag_ms).evidence(lag_ms));
    measured.reduce(|best, own| {
        let better = own.correlation > best.correlation || best.correlation.is_nan();
        if better { own } else { best }
    })
}

/// Every comparison holds for good values, so that a value that is no number fails it.
pub(super) fn judge(colour: Option<&ColourEvidence>, limits: &Limits) -> Option<Refusal> {
    let Some(colour) = colour else { return Some(Refusal::NoBackground) };
    let [soonest, latest] = limits.colour_lag_ms;
    let follows = colour.correlation >= limits.min_colour_correlation
        && (soonest..=latest).contains(&colour.lag_ms)
        && colour.gain >= limits.min_colour_gain
        && colour.changes > 0
        && colour.right as f32 >= limits.min_colours_right * colour.changes as f32;
    (!follows).then_some(Refusal::NotTheScreensLight)
}

/// A tint, or a change of one: sums up to 0.
type Tint = [f32; 3];

/// None where it cannot be told.
fn tint(light: [f32; 3]) -> Option<Tint> {
    let [darkest, brightest] = TELLING;
    let telling = light.iter().all(|light| (darkest..=brightest).contains(light));
    telling.then(|| centred(light.map(f32::ln)))
}

fn centred(values: [f32; 3]) -> Tint {
    let mean = values.iter().sum::<f32>() / 3.0;
    values.map(|value| value - mean)
}

fn less(one: Tint, other: Tint) -> Tint {
    let [a, b, c] = one;
    let [d, e, f] = other;
    [a - d, b - e, c - f]
}

fn square(tint: Tint) -> f32 {
    tint.iter().map(|value| value * value).sum()
}

/// One frame's tints.
struct Tints<'a> {
    sight: &'a Sight,
    skin: Vec<Option<Tint>>,
    /// By place, in order.
    room: Vec<((u32, u32), Tint)>,
}

impl Tints<'_> {
    fn of(sight: &Sight) -> Tints<'_> {
        let skin = sight.skin.iter().map(|light| light.and_then(tint)).collect();
        let room = sight.scene.iter().filter_map(|(at, light)| Some((*at, tint(*light)?)));
        Tints { sight, skin, room: room.collect() }
    }

    /// The change of the face's tint to a later frame, less that of what is around it.
    fn change(&self, later: &Tints<'_>) -> Option<Tint> {
        let skin = self.skin.iter().zip(&later.skin);
        let skin = skin.filter_map(|(before, after)| Some(less((*after)?, (*before)?)));
        let face = middle(skin.collect(), LEAST_PATCHES)?;
        Some(less(face, middle(self.around(later), LEAST_PLACES)?))
    }

    fn around(&self, later: &Tints<'_>) -> Vec<Tint> {
        let mut others = later.room.iter().peekable();
        let change = |(at, before): &((u32, u32), Tint)| {
            while others.next_if(|(other, _)| other < at).is_some() {}
            others.next_if(|(other, _)| other == at).map(|(_, after)| less(*after, *before))
        };
        self.room.iter().filter_map(change).collect()
    }
}

/// The medians; none of fewer than `least`.
fn middle(changes: Vec<Tint>, least: usize) -> Option<Tint> {
    let own =
        |channel: usize| median(changes.iter().filter_map(|change| change.get(channel)).copied());
    (changes.len() >= least).then(|| centred([own(0), own(1), own(2)]))
}

/// Two frames between which a change of colour may lie.
struct Pair {
    before_ms: f32,
    after_ms: f32,
    change: Tint,
    /// More for frames of one pose.
    weight: f32,
}

fn pairs(tints: &[Tints<'_>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (before, next) in tints.iter().zip(1..) {
        let near = |after: &&Tints<'_>| {
            after.sight.at_ms - before.sight.at_ms <= 2.0 * WINDOW_MS + SETTLING_MS
        };
        for after in tints.iter().skip(next).take_while(near) {
            let [one, other] = [before, after].map(|tints| tints.sight.pose);
            let apart = (other.yaw - one.yaw).hypot(other.pitch - one.pitch) / HALF_DEG;
            pairs.extend(before.change(after).map(|change| Pair {
                before_ms: before.sight.at_ms,
                after_ms: after.sight.at_ms,
                change,
                weight: 1.0 / (1.0 + apart * apart),
            }));
        }
    }
    pairs
}

/// A change of the screen's colour and what was seen of it.
struct Step {
    from: Colour,
    to: Colour,
    seen: Option<Tint>,
}

impl Step {
    /// At gain 1.
    fn expected(&self) -> Tint {
        change(self.from, self.to)
    }

    /// The colour whose change is nearest to what was seen, of those that may follow.
    fn told(&self, gain: f32) -> Option<Colour> {
        let seen = self.seen?;
        let apart = |to: &Colour| square(less(seen, change(self.from, *to).map(|one| gain * one)));
        let others = Colour::ALL.into_iter().filter(|to| *to != self.from);
        others.min_by(|a, b| apart(a).total_cmp(&apart(b)))
    }
}

fn change(from: Colour, to: Colour) -> Tint {
    centred(less(to.light(), from.light()))
}

/// All changes at one lag.
struct Steps(Vec<Step>);

impl Steps {
    fn of(script: &Script, pairs: &[Pair], lag_ms: u32) -> Steps {
        let steps = script.changes().map(|(from, to, at_ms)| Step {
            from,
            to,
            seen: seen(pairs, (at_ms + lag_ms) as f32),
        });
        Steps(steps.collect())
    }

    fn evidence(&self, lag_ms: u32) -> ColourEvidence {
        let Steps(steps) = self;
        let both = || steps.iter().filter_map(|step| Some((step.seen?, step.expected())));
        let (seen, expected) = (|| both().flat_map(|(s, _)| s), || both().flat_map(|(_, e)| e));
        let product: f32 = seen().zip(expected()).map(|(s, e)| s * e).sum();
        let gain = self.gain();
        let right = steps.iter().filter(|step| step.told(gain) == Some(step.to)).count();
        ColourEvidence {
            correlation: cosine(seen(), expected()),
            lag_ms,
            gain: product / expected().map(|e| e * e).sum::<f32>(),
            changes: steps.len() as u32,
            right: right as u32,
        }
    }

    /// By the size of what was seen alone: what colours the script asks for must not help to tell them.
    fn gain(&self) -> f32 {
        let Steps(steps) = self;
        let squares: Vec<f32> = steps.iter().filter_map(|step| step.seen).map(square).collect();
        (squares.iter().sum::<f32>() / squares.len() as f32 / EVEN).sqrt()
    }
}

/// The mean over the pairs of frames around a change.
fn seen(pairs: &[Pair], at_ms: f32) -> Option<Tint> {
    let settled = at_ms + SETTLING_MS;
    let around = pairs.iter().filter(|pair| {
        (at_ms - WINDOW_MS..at_ms).contains(&pair.before_ms)
            && (settled..settled + WINDOW_MS).contains(&pair.after_ms)
    });
    let (mut sum, mut weights) = ([0.0; 3], 0.0);
    for Pair { change, weight, .. } in around {
        sum.iter_mut().zip(change).for_each(|(sum, own)| *sum += weight * own);
        weights += weight;
    }
    (weights > 0.0).then(|| sum.map(|sum| sum / weights))
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
            assert_eq!(found.right, found.changes, "{found:?}");
            assert!(found.correlation > 0.95 && (0.05..0.15).contains(&found.gain), "{found:?}");
            assert_eq!(judge(Some(&found), &LIMITS), None);
        }
    }

    #[test]
    fn skin_that_turns_out_of_sight_or_is_burnt_out_hides_no_light() {
        let asked = script(1);
        let mut seen = acted(&asked, GOOD);
        for sight in seen.iter_mut().filter(|sight| sight.pose.yaw > 10.0) {
            sight.skin.iter_mut().take(6).for_each(|light| *light = Some([0.1, 0.3, 0.6]));
        }
        for sight in &mut seen {
            sight.skin.iter_mut().skip(18).for_each(|light| *light = None);
        }
        assert_eq!(judged(&asked, &seen), None);
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
    fn the_light_of_no_script_passes_for_that_of_another() {
        // proves D3
        let scripts: Vec<Script> = (0..40).map(script).collect();
        let tints = |acted: &[Sight]| pairs(&acted.iter().map(Tints::of).collect::<Vec<_>>());
        let shown: Vec<Vec<Pair>> = scripts.iter().map(|own| tints(&acted(own, GOOD))).collect();
        let mut most = 0.0f32;
        for (asked, i) in scripts.iter().zip(0..) {
            for (shown, _) in shown.iter().zip(0..).filter(|(_, j)| i != *j) {
                for lag_ms in lags(&LIMITS) {
                    let found = Steps::of(asked, shown, lag_ms).evidence(lag_ms);
                    assert!(judge(Some(&found), &LIMITS).is_some(), "{found:?}");
                    most = most.max(found.right as f32 / found.changes as f32);
                }
            }
        }
        // 14,040 colour sequences: some come near.
        assert!((0.4..LIMITS.min_colours_right).contains(&most), "{most}");
    }

    #[test]
    fn no_background_and_no_numbers_are_refused() {
        // proves D6
        let asked = script(1);
        let mut seen = acted(&asked, GOOD);
        for sight in &mut seen {
            sight.skin.iter_mut().flatten().for_each(|light| *light = [f32::NAN; 3]);
        }
        assert_eq!(judged(&asked, &seen), Some(Refusal::NotTheScreensLight));
        let mut seen = acted(&asked, GOOD);
        seen.iter_mut().for_each(|sight| sight.pose.yaw = f32::NAN);
        assert_eq!(judged(&asked, &seen), Some(Refusal::NotTheScreensLight));
        seen[5].scene.clear();
        assert_eq!(judged(&asked, &seen), Some(Refusal::NoBackground));
    }
}
