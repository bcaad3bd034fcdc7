//! Whether the head did what the script asked, when it asked it, and is a head.

use image::RgbImage;
use serde::Serialize;

use super::follow::{Seen, follow};
use super::limits::Limits;
use super::refusal::Refusal;
use super::relief::{Axis, Shape, relief, robust_relief};
use super::script::{Direction, Script, Turn};
use super::sight::Sight;

/// How far across the asked direction a turn may go, as a part of the turn.
const MOST_ASIDE: f32 = 0.8;
/// A prompt is not yet followed for this long: the way back to the middle is over by then.
const NOT_YET_MS: f32 = 150.0;
/// The path is compared at lags of so many steps.
const LAG_STEP_MS: usize = 50;

/// What was measured of one turn. Degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TurnEvidence {
    /// Where to.
    pub to: Direction,
    /// How far the head turned that way.
    pub turned_deg: f32,
    /// How far it turned across that way.
    pub aside_deg: f32,
    /// How far from straight it was before the turn.
    pub before_deg: f32,
    /// The part of depth in the movement of the points: near the sine of the turn for a head, near 0
    /// for a picture.
    pub relief: f32,
}

/// What was measured of the head's path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathEvidence {
    /// Each turn.
    pub turns: Vec<TurnEvidence>,
    /// How far from straight the head was in the end.
    pub after_deg: f32,
    /// Correlation of the head's path with the script's, at the lag where it is greatest.
    pub correlation: f32,
    /// That lag.
    pub lag_ms: u32,
}

pub(super) fn measure(script: &Script, sights: &[Sight], limits: &Limits) -> PathEvidence {
    let head = Head::of(script, sights, limits);
    let turns = script.turns.iter().map(|turn| head.turn(turn));
    let turns = turns.collect();
    let (correlation, lag_ms) = head.path(script, limits);
    PathEvidence { turns, after_deg: head.rest(script.duration_ms as f32), correlation, lag_ms }
}

/// The relief of points followed from the straight face to that of each turn, by its sine as in
/// [`TurnEvidence::relief`]; far below 0 where it cannot be told.
pub(super) fn followed(
    script: &Script,
    sights: &[Sight],
    limits: &Limits,
    image: impl Fn(&Sight) -> Option<RgbImage>,
) -> Vec<f32> {
    let head = Head::of(script, sights, limits);
    script.turns.iter().map(|turn| head.followed(turn, &image)).collect()
}

/// Every comparison holds for good values, so that a value that is no number fails it.
pub(super) fn judge(path: &PathEvidence, followed: &[f32], limits: &Limits) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    for (found, turn) in path.turns.iter().zip(0..) {
        let straight = found.before_deg <= limits.max_rest_deg;
        let turned = found.turned_deg >= limits.min_turn_deg
            && found.aside_deg.abs() <= MOST_ASIDE * found.turned_deg;
        let followed = followed.get(turn as usize).copied().unwrap_or(f32::NAN);
        let relief = [found.relief, followed].iter().all(|relief| *relief >= limits.min_relief);
        wrong.extend((!straight).then_some(Refusal::NotStraight { turn }));
        wrong.extend((!turned).then_some(Refusal::NotTurned { turn }));
        // What has not turned shows no relief.
        wrong.extend((turned && !relief).then_some(Refusal::Flat { turn }));
    }
    let straight = path.after_deg <= limits.max_rest_deg;
    let [soonest, latest] = limits.path_lag_ms;
    let in_step = path.correlation >= limits.min_path_correlation
        && (soonest..=latest).contains(&path.lag_ms);
    let turn = path.turns.len() as u32;
    wrong.extend((!straight).then_some(Refusal::NotStraight { turn }));
    wrong.extend((!in_step).then_some(Refusal::OutOfStep));
    wrong
}

/// The frames with what counts as straight for this person and camera.
struct Head<'a> {
    sights: &'a [Sight],
    straight: [f32; 2],
    reaction_ms: f32,
}

impl<'a> Head<'a> {
    fn of(script: &Script, sights: &'a [Sight], limits: &Limits) -> Head<'a> {
        let first = script.turns.first().map_or(0, |turn| turn.at_ms) as f32;
        let reaction_ms = limits.reaction_ms as f32;
        let mut head = Head { sights, straight: [0.0; 2], reaction_ms };
        head.straight = head.angles(0.0, first + NOT_YET_MS);
        head
    }

    fn between(&self, from: f32, until: f32) -> impl Iterator<Item = &'a Sight> + Clone {
        self.sights.iter().filter(move |sight| (from..=until).contains(&sight.at_ms))
    }

    /// Median yaw and pitch, against straight. No number without a frame.
    fn angles(&self, from: f32, until: f32) -> [f32; 2] {
        let median = |of: fn(&Sight) -> f32, straight: f32| {
            median(self.between(from, until).map(of)) - straight
        };
        let [yaw, pitch] = self.straight;
        [median(|sight| sight.pose.yaw, yaw), median(|sight| sight.pose.pitch, pitch)]
    }

    fn turn(&self, turn: &Turn) -> TurnEvidence {
        let held = self.held(turn);
        let [yaw, pitch] = self.angles(held.0, held.1);
        let (turned_deg, aside_deg) = match turn.to {
            Direction::Left => (yaw, pitch),
            Direction::Right => (-yaw, pitch),
            Direction::Up => (pitch, yaw),
            Direction::Down => (-pitch, yaw),
        };
        let (axis, sign) = axis(turn.to);
        let relief = self.relief(held, axis).map_or(f32::NAN, |relief| sign * relief);
        let before_deg = self.rest(turn.at_ms as f32);
        TurnEvidence { to: turn.to, turned_deg, aside_deg, before_deg, relief }
    }

    /// The relief of points that were followed, for a turn: the median over three frames while it is held.
    fn followed(&self, turn: &Turn, image: &impl Fn(&Sight) -> Option<RgbImage>) -> f32 {
        let held = self.held(turn);
        let Some(straight) = self.between(turn.at_ms as f32 - 2.0 * NOT_YET_MS, held.0).next()
        else {
            return f32::NAN;
        };
        let Some(before) = image(straight) else { return f32::NAN };
        let (axis, sign) = axis(turn.to);
        let turned: Vec<&Sight> = self.between(held.0, held.1).collect();
        let chosen = [1, 2, 3].map(|quarter| turned.get(quarter * turned.len() / 4));
        let reliefs = chosen.into_iter().flatten().map(|sight| {
            let after = image(sight)?;
            let straight = Seen { image: &before, mesh: &straight.mesh };
            let turned = Seen { image: &after, mesh: &sight.mesh };
            Some(sign * robust_relief(&follow(&straight, &turned, axis)?))
        });
        // What cannot be told is less than anything.
        median(reliefs.map(|relief| relief.filter(|r| !r.is_nan()).unwrap_or(f32::NEG_INFINITY)))
    }

    fn held(&self, turn: &Turn) -> (f32, f32) {
        (turn.at_ms as f32 + self.reaction_ms, turn.until_ms as f32 + NOT_YET_MS)
    }

    fn relief(&self, (from, until): (f32, f32), axis: Axis) -> Option<f32> {
        let first = self.sights.first()?.at_ms;
        let straight = self.between(first, first + self.reaction_ms).map(|sight| &sight.mesh);
        let turned = self.between(from, until).map(|sight| &sight.mesh);
        Some(relief(&Shape::mean(straight)?, &Shape::mean(turned)?, axis))
    }

    /// How far from straight the head is just before a prompt.
    fn rest(&self, at_ms: f32) -> f32 {
        let [yaw, pitch] = self.angles(at_ms - 2.0 * NOT_YET_MS, at_ms + NOT_YET_MS);
        yaw.hypot(pitch)
    }

    /// The greatest correlation of the head's angles with where the script has it, over lags.
    fn path(&self, script: &Script, limits: &Limits) -> (f32, u32) {
        let [_, latest] = limits.path_lag_ms;
        let lags = (0..=2 * latest).step_by(LAG_STEP_MS);
        let at = |lag: u32| (self.correlation(script, lag as f32), lag);
        lags.map(at).fold((f32::NAN, 0), |best, own| if best.0 >= own.0 { best } else { own })
    }

    fn correlation(&self, script: &Script, lag_ms: f32) -> f32 {
        let asked = |sight: &Sight| asked(script, sight.at_ms - lag_ms);
        let [yaw, pitch] = self.straight;
        let found = |sight: &Sight| [sight.pose.yaw - yaw, sight.pose.pitch - pitch];
        cosine(self.sights.iter().flat_map(found), self.sights.iter().flat_map(asked))
    }
}

/// What a turn changes, and which way near points go along it.
fn axis(to: Direction) -> (Axis, f32) {
    match to {
        Direction::Left => (Axis::Across, 1.0),
        Direction::Right => (Axis::Across, -1.0),
        Direction::Up => (Axis::Along, -1.0),
        Direction::Down => (Axis::Along, 1.0),
    }
}

/// Yaw and pitch that the script asks for at a time, of length 1 or none.
fn asked(script: &Script, at_ms: f32) -> [f32; 2] {
    let now = |turn: &&Turn| (turn.at_ms as f32..turn.until_ms as f32).contains(&at_ms);
    match script.turns.iter().find(now).map(|turn| turn.to) {
        Some(Direction::Left) => [1.0, 0.0],
        Some(Direction::Right) => [-1.0, 0.0],
        Some(Direction::Up) => [0.0, 1.0],
        Some(Direction::Down) => [0.0, -1.0],
        None => [0.0, 0.0],
    }
}

/// Of the angle between two lists; no number where one is all zero.
pub(super) fn cosine(a: impl Iterator<Item = f32>, b: impl Iterator<Item = f32>) -> f32 {
    let (mut both, mut own, mut other) = (0.0, 0.0, 0.0);
    for (a, b) in a.zip(b) {
        both += a * b;
        own += a * a;
        other += b * b;
    }
    both / (own * other).sqrt()
}

/// No number for none.
pub(super) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f32::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::limits::tests::LIMITS;
    use crate::challenge::sight::tests::{Acting, GOOD, acted};

    /// Of points without pictures, as if what the pictures show went with them.
    fn judged(asked: &Script, acted: &[Sight]) -> Vec<Refusal> {
        let path = measure(asked, acted, &LIMITS);
        let followed: Vec<f32> = path.turns.iter().map(|turn| turn.relief).collect();
        judge(&path, &followed, &LIMITS)
    }

    fn script(seed: u8) -> Script {
        Script::draw(&[seed; 32], &LIMITS)
    }

    #[test]
    fn a_head_that_does_as_asked_is_believed() {
        for seed in 0..20 {
            let script = script(seed);
            assert_eq!(judged(&script, &acted(&script, GOOD)), [], "{script:?}");
        }
    }

    #[test]
    fn each_way_of_not_doing_it_has_its_reason() {
        // proves D3
        let script = script(1);
        let with = |acting: Acting| judged(&script, &acted(&script, acting));
        let still = with(Acting { far: 0.0, ..GOOD });
        assert!((0..4).all(|turn| still.contains(&Refusal::NotTurned { turn })), "{still:?}");
        let flat = with(Acting { flat: true, ..GOOD });
        assert!(!flat.is_empty());
        let late = with(Acting { late_ms: 1300.0, ..GOOD });
        assert!(late.contains(&Refusal::OutOfStep), "{late:?}");
        let early = with(Acting { late_ms: -600.0, ..GOOD });
        assert!(early.contains(&Refusal::OutOfStep), "{early:?}");
    }

    #[test]
    fn what_was_done_for_one_script_does_not_do_for_another() {
        // proves D3
        let done: Vec<_> = (0..12).map(|seed| acted(&script(seed), GOOD)).collect();
        for (asked, seed) in (0..12).map(script).zip(0..) {
            let others = done.iter().zip(0..).filter(|(_, other)| *other != seed);
            for (done, _) in others {
                assert!(!judged(&asked, done).is_empty());
            }
        }
    }

    #[test]
    fn no_frames_and_no_numbers_are_refused() {
        // proves D6
        let script = script(1);
        assert!(judged(&script, &[]).len() >= 9);
        let mut broken = acted(&script, GOOD);
        broken.iter_mut().for_each(|sight| sight.pose.yaw = f32::NAN);
        assert!(judged(&script, &broken).len() >= 9);
    }
}
