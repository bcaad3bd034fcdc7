//! The `[challenge]` table of models.toml.

use serde::Deserialize;

/// Every limit of the challenge. Times are milliseconds, angles degrees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// How many turns of the head.
    pub(crate) turns: u32,
    /// Looking straight before the first turn.
    pub(crate) lead_ms: u32,
    /// Least and most time of a turn.
    pub(crate) turn_ms: [u32; 2],
    /// Of looking straight after it.
    pub(crate) rest_ms: [u32; 2],
    /// Of a colour.
    pub(crate) colour_ms: [u32; 2],
    /// Times are drawn in steps of this.
    pub(crate) step_ms: u32,
    /// How often the client takes a picture.
    pub(crate) frame_every_ms: u32,
    /// Frames of a capture.
    pub(crate) frames: [u32; 2],
    /// Between two frames; the first and the last may be this far from the script's ends.
    pub(crate) max_gap_ms: u32,
    /// From the end of the script to the arrival of the frames.
    pub(crate) max_delay_ms: u32,
    /// The share of frames in which no face need be found.
    pub(crate) max_unseen: f32,
    /// From a prompt until the head has followed it.
    pub(crate) reaction_ms: u32,
    /// How far the head turns at least.
    pub(crate) min_turn_deg: f32,
    /// How far it may lie from the middle when looking straight.
    pub(crate) max_rest_deg: f32,
    /// The part of depth in a turn's movement of the points: see `relief`.
    pub(crate) min_relief: f32,
    /// The same of points that were followed, less twice its error, in each turn: see `follow`.
    pub(crate) min_followed_relief: f32,
    /// And in the mean over the turns.
    pub(crate) min_mean_followed_relief: f32,
    /// How the head's path follows the script's: see `turns`.
    pub(crate) min_path_correlation: f32,
    /// How late the head is, by that correlation.
    pub(crate) path_lag_ms: [u32; 2],
    /// How the light on the skin follows the screen's: see `colour`.
    pub(crate) min_colour_correlation: f32,
    /// How strong it is at least.
    pub(crate) min_colour_gain: f32,
    /// How late it is.
    pub(crate) colour_lag_ms: [u32; 2],
    /// The share of colours that are told right.
    pub(crate) min_colours_right: f32,
    /// Movement between two frames, in distances between the eyes.
    pub(crate) max_jump: f32,
    /// Change of size between two frames, as a ratio.
    pub(crate) max_growth: f32,
    /// Turn of the head between two frames.
    pub(crate) max_swing_deg: f32,
    /// Change of the scene's brightness between two frames: see `still`.
    pub(crate) max_scene_change: f32,
}

impl Limits {
    /// Whether a script can be drawn that asks for anything, and every limit is a number.
    pub(crate) fn are_usable(&self) -> bool {
        let ranges = [self.turn_ms, self.rest_ms, self.colour_ms, self.frames];
        let lags = [self.path_lag_ms, self.colour_lag_ms];
        let ordered = |[least, most]: &[u32; 2]| least <= most;
        self.turns > 0
            && ranges.iter().all(|range| ordered(range) && range.iter().all(|end| *end > 0))
            && lags.iter().all(ordered)
            && [self.step_ms, self.frame_every_ms, self.lead_ms].iter().all(|ms| *ms > 0)
            && self.least().iter().all(|limit| *limit > 0.0 && limit.is_finite())
    }

    fn least(&self) -> [f32; 14] {
        [
            self.min_turn_deg,
            self.max_rest_deg,
            self.min_relief,
            self.min_followed_relief,
            self.min_mean_followed_relief,
            self.min_path_correlation,
            self.min_colour_correlation,
            self.min_colour_gain,
            self.min_colours_right,
            self.max_jump,
            self.max_growth,
            self.max_swing_deg,
            self.max_scene_change,
            1.0 - self.max_unseen,
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use super::*;

    #[derive(Deserialize)]
    struct Thresholds {
        challenge: Limits,
    }

    /// Those of this source.
    pub(crate) static LIMITS: LazyLock<Limits> = LazyLock::new(|| {
        let text = include_str!("../../models/thresholds.toml");
        toml::from_str::<Thresholds>(text).unwrap().challenge
    });

    #[test]
    fn limits_that_ask_for_nothing_are_unusable() {
        let changed = |change: fn(&mut Limits)| {
            let mut limits = LIMITS.clone();
            change(&mut limits);
            limits.are_usable()
        };
        assert!(changed(|_| ()));
        assert!(!changed(|limits| limits.turns = 0));
        assert!(!changed(|limits| limits.min_turn_deg = f32::NAN));
        assert!(!changed(|limits| limits.min_colours_right = 0.0));
        assert!(!changed(|limits| limits.max_unseen = 1.0));
        assert!(!changed(|limits| limits.turn_ms = [2000, 1000]));
        assert!(!changed(|limits| limits.colour_ms = [0, 1000]));
    }
}
