//! Whether the head did what the script asked, when it asked it, and is a head.

use image::RgbImage;
use serde::Serialize;

use super::follow::{Followed, Seen, follow};
use super::limits::Limits;
use super::refusal::Refusal;
use super::relief::{Axis, Relief, Shape, relief};
use super::script::{Direction, Script, Turn};
use super::sight::Sight;

/// How far across the asked direction a turn may go, as a part of the turn.
const MOST_ASIDE: f32 = 0.8;
/// A prompt is not yet followed for this long: the way back to the middle is over by then.
const NOT_YET_MS: f32 = 150.0;
/// So many frames, at the least, show the head turned for points to be followed to; so many are looked at.
const LEAST_HELD: usize = 2;
const MOST_HELD: usize = 5;
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

/// The points followed from the straight face to that of each turn, with their relief by its sine as in
/// [`TurnEvidence::relief`].
pub(super) fn followed(
    script: &Script,
    sights: &[Sight],
    limits: &Limits,
    image: impl Fn(&Sight) -> Option<RgbImage>,
) -> Vec<Option<Followed>> {
    let head = Head::of(script, sights, limits);
    script.turns.iter().map(|turn| head.followed(turn, &image)).collect()
}

/// Whether the followed points show too little relief over all turns: one turn's may be little, where
/// the head looked aside before, or where a sheet looks like a head by chance.
fn is_sheet(followed: &[Option<Followed>], limits: &Limits) -> bool {
    let reliefs = followed.iter().flatten().filter_map(|turn| turn.relief);
    let (count, sum, squares) = reliefs.fold((0.0, 0.0, 0.0), |(count, sum, squares), one| {
        (count + 1.0, sum + one.relief, squares + one.error.powi(2))
    });
    let mean = Relief { relief: sum / count, error: f32::sqrt(squares) / count };
    // None at all is told by another reason.
    let enough = mean.at_least() >= limits.min_mean_followed_relief;
    count > 0.0 && !enough
}

/// What the relief of followed points is at least; less than anything where it cannot be told.
fn least(followed: &Followed) -> f32 {
    followed.relief.map_or(f32::NEG_INFINITY, |relief| relief.at_least())
}

/// Every comparison holds for good values, so that a value that is no number fails it.
pub(super) fn judge(
    path: &PathEvidence,
    followed: &[Option<Followed>],
    limits: &Limits,
) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let sheet = is_sheet(followed, limits);
    for (found, turn) in path.turns.iter().zip(0..) {
        let straight = found.before_deg <= limits.max_rest_deg;
        let turned = found.turned_deg >= limits.min_turn_deg
            && found.aside_deg.abs() <= MOST_ASIDE * found.turned_deg;
        let followed = followed.get(turn as usize).copied().flatten();
        let followed = followed.filter(|followed| followed.relief.is_some());
        let shown = |found: &Followed| !sheet && least(found) >= limits.min_followed_relief;
        let relief = found.relief >= limits.min_relief && followed.as_ref().is_none_or(shown);
        wrong.extend((!straight).then_some(Refusal::NotStraight { turn }));
        wrong.extend((!turned).then_some(Refusal::NotTurned { turn }));
        // What has not turned shows no relief.
        wrong.extend((turned && !relief).then_some(Refusal::Flat { turn }));
        wrong.extend((turned && followed.is_none()).then_some(Refusal::NotFollowed { turn }));
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

    /// The points of a turn, from the frame just before it that is nearest straight to each of a few while it
    /// is held: the frame whose relief is the median. None without those frames.
    fn followed(
        &self,
        turn: &Turn,
        image: &impl Fn(&Sight) -> Option<RgbImage>,
    ) -> Option<Followed> {
        let (from, until) = self.before(turn.at_ms as f32);
        let [yaw, pitch] = self.straight;
        let off = |sight: &&Sight| (sight.pose.yaw - yaw).hypot(sight.pose.pitch - pitch);
        let straight = self.between(from, until).min_by(|a, b| off(a).total_cmp(&off(b)))?;
        let before = image(straight)?;
        let held = self.held(turn);
        let turned: Vec<&Sight> = self.between(held.0, held.1).collect();
        if turned.len() < LEAST_HELD {
            return None;
        }
        let (axis, sign) = axis(turn.to);
        let stride = turned.len().div_ceil(MOST_HELD);
        let followed = turned.into_iter().step_by(stride).map(|sight| {
            let after = image(sight)?;
            let straight = Seen { number: straight.number, image: &before, mesh: &straight.mesh };
            let turned = Seen { number: sight.number, image: &after, mesh: &sight.mesh };
            let mut followed = follow(&straight, &turned, axis);
            followed.relief.iter_mut().for_each(|relief| relief.relief *= sign);
            Some(followed)
        });
        // What cannot be told is less than anything; of an even number the lesser of the middle two counts.
        let mut followed = followed.collect::<Option<Vec<_>>>()?;
        followed.sort_by(|a, b| least(a).total_cmp(&least(b)));
        followed.get((followed.len() - 1) / 2).copied()
    }

    /// Just before a prompt, when the head is straight.
    fn before(&self, at_ms: f32) -> (f32, f32) {
        (at_ms - 2.0 * NOT_YET_MS, at_ms + NOT_YET_MS)
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
        let (from, until) = self.before(at_ms);
        let [yaw, pitch] = self.angles(from, until);
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
        let followed: Vec<_> = path.turns.iter().map(|turn| of(turn.relief, 0.0)).collect();
        judge(&path, &followed, &LIMITS)
    }

    fn of(relief: f32, error: f32) -> Option<Followed> {
        Some(Followed { relief: Some(Relief { relief, error }), ..Followed::default() })
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
    fn points_that_show_no_relief_or_cannot_be_followed_are_refused() {
        // proves D3, D6
        let script = script(1);
        let path = measure(&script, &acted(&script, GOOD), &LIMITS);
        let judged = |found: Option<Followed>| judge(&path, &[found; 4], &LIMITS);
        assert_eq!(judged(of(0.25, 0.02)), []);
        let all = |refusal: fn(u32) -> Refusal| (0..4).map(refusal).collect::<Vec<_>>();
        for (relief, error) in [(0.1, 0.0), (-0.3, 0.0), (0.15, 0.1), (f32::NAN, 0.0)] {
            assert_eq!(judged(of(relief, error)), all(|turn| Refusal::Flat { turn }), "{relief}");
        }
        let one = |relief| [of(relief, 0.0), of(0.3, 0.0), of(0.3, 0.0), of(0.3, 0.0)];
        assert_eq!(judge(&path, &one(0.05), &LIMITS), [], "made good by the others");
        assert_eq!(judge(&path, &one(0.01), &LIMITS), [Refusal::Flat { turn: 0 }]);
        let not_followed = all(|turn| Refusal::NotFollowed { turn });
        assert_eq!(judged(None), not_followed);
        assert_eq!(judged(Some(Followed::default())), not_followed);
        assert_eq!(judge(&path, &[], &LIMITS), not_followed);
    }

    #[test]
    fn without_pictures_or_enough_of_them_no_point_is_followed() {
        let script = script(1);
        let sights = acted(&script, GOOD);
        let blank = |_: &Sight| Some(RgbImage::new(360, 480));
        let seen = followed(&script, &sights, &LIMITS, blank);
        assert!(seen.iter().all(|turn| turn.is_some_and(|turn| turn.relief.is_none())), "{seen:?}");
        let unread = followed(&script, &sights, &LIMITS, |_: &Sight| None);
        assert_eq!(unread, [None; 4]);
        let first = script.turns[0];
        let held = |sight: &&Sight| sight.at_ms > first.at_ms as f32 + LIMITS.reaction_ms as f32;
        let until = sights.iter().position(|sight| held(&sight)).unwrap() + 1;
        assert_eq!(followed(&script, &sights[..until], &LIMITS, blank)[0], None, "one frame");
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
