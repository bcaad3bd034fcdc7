//! What a person is asked to do and what the screen shows, drawn by the server from a seed.
//!
//! Two tracks run side by side: turns of the head with a return to the middle after each, and
//! colours of the whole screen. Their orders and all their times are drawn. No colour is shown for
//! less than half a second: at most two changes a second, below the three of WCAG 2.2 §2.3.1.

use serde::{Deserialize, Serialize};

use super::colour;
use super::limits::Limits;
use super::random::Draw;

/// A way to turn the head: the person's own left and right.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The nose goes to the picture's right.
    Left,
    /// The nose goes to the picture's left.
    Right,
    /// Looking up.
    Up,
    /// Looking down.
    Down,
}

impl Direction {
    const ALL: [Direction; 4] = [Direction::Left, Direction::Right, Direction::Up, Direction::Down];
}

/// A colour of the whole screen.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// #FF0000
    Red,
    /// #FFFF00
    Yellow,
    /// #00FF00
    Green,
    /// #00FFFF
    Cyan,
    /// #0000FF
    Blue,
    /// #FF00FF
    Magenta,
}

impl Colour {
    pub(super) const ALL: [Colour; 6] =
        [Colour::Red, Colour::Yellow, Colour::Green, Colour::Cyan, Colour::Blue, Colour::Magenta];

    /// Red, green and blue light, each 0 or 1.
    pub(super) fn light(self) -> [f32; 3] {
        match self {
            Colour::Red => [1.0, 0.0, 0.0],
            Colour::Yellow => [1.0, 1.0, 0.0],
            Colour::Green => [0.0, 1.0, 0.0],
            Colour::Cyan => [0.0, 1.0, 1.0],
            Colour::Blue => [0.0, 0.0, 1.0],
            Colour::Magenta => [1.0, 0.0, 1.0],
        }
    }
}

/// One turn of the head. Times are milliseconds since the start.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// When the person is asked to turn.
    pub at_ms: u32,
    /// When they are asked to look straight again.
    pub until_ms: u32,
    /// Where to.
    pub to: Direction,
}

/// One colour of the screen, until the next or the end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// Milliseconds since the start.
    pub at_ms: u32,
    /// What the screen shows.
    pub colour: Colour,
}

/// The whole of it, as the client gets it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// How long it runs.
    pub duration_ms: u32,
    /// How often the client takes a picture.
    pub frame_every_ms: u32,
    /// In their order; the first comes after some time of looking straight.
    pub turns: Vec<Turn>,
    /// In their order; the first begins at the start.
    pub flashes: Vec<Flash>,
}

impl Script {
    /// The script of a seed. The seed is the server's and never leaves it.
    pub(crate) fn draw(seed: &[u8; 32], limits: &Limits) -> Script {
        let mut draw = Draw::new(seed);
        let (turns, duration_ms) = turns(&mut draw, limits);
        let flashes = flashes(&mut draw, limits, duration_ms);
        Script { duration_ms, frame_every_ms: limits.frame_every_ms, turns, flashes }
    }

    /// How hard it is to guess, in bits: minus the logarithm of the most that the chance of frames to
    /// hold what this script asks can be, where they were made before it was drawn.
    ///
    /// With t turns, each of 4 ways and unlike the one before it, n changes of colour, each to one of
    /// 5, of which k have to be told right, and l lags at which they may be:
    ///
    /// ```text
    /// P ≤ 1/(4 · 3^(t-1)) · l · Σ(i = k..n) C(n,i) (1/5)^i (4/5)^(n-i)
    /// ```
    ///
    /// A turn is told one way or none. A change of colour is told as one of 5, without regard to what
    /// comes after it. The times are taken as known: that they differ, too, is not counted.
    pub(crate) fn guess_bits(&self, limits: &Limits) -> f64 {
        let others = |count: usize| ((count - 1) as f64).log2();
        let turns = self.turns.len().saturating_sub(1) as f64;
        let turns = (Direction::ALL.len() as f64).log2() + turns * others(Direction::ALL.len());
        let changes = self.changes().count() as i32;
        let needed = (limits.min_colours_right * changes as f32).ceil() as i32;
        let hit = 1.0 / (Colour::ALL.len() - 1) as f64;
        let exactly = |right: i32| {
            choose(changes, right) * hit.powi(right) * (1.0 - hit).powi(changes - right)
        };
        let lags = (colour::accepted_lags(limits) as f64).log2();
        turns - (needed..=changes).map(exactly).sum::<f64>().log2() - lags
    }

    /// Each colour with that after it and when it changes to it.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Colour, Colour, u32)> + '_ {
        let after = self.flashes.iter().skip(1);
        self.flashes.iter().zip(after).map(|(from, to)| (from.colour, to.colour, to.at_ms))
    }
}

/// Each unlike the one before it, and when the last has been returned from.
fn turns(draw: &mut Draw<'_>, limits: &Limits) -> (Vec<Turn>, u32) {
    let mut turns: Vec<Turn> = Vec::new();
    let mut at_ms = limits.lead_ms;
    for _ in 0..limits.turns {
        let last = turns.last().map(|turn| turn.to);
        let until_ms = at_ms + draw.between(limits.turn_ms, limits.step_ms);
        turns.extend(draw.other(&Direction::ALL, last).map(|to| Turn { at_ms, until_ms, to }));
        at_ms = until_ms + draw.between(limits.rest_ms, limits.step_ms);
    }
    (turns, at_ms)
}

/// Each unlike the one before it; the last is as long as the shortest at least.
fn flashes(draw: &mut Draw<'_>, limits: &Limits, duration_ms: u32) -> Vec<Flash> {
    let [shortest, _] = limits.colour_ms;
    let mut flashes: Vec<Flash> = Vec::new();
    let mut at_ms = 0;
    while at_ms + shortest <= duration_ms {
        let last = flashes.last().map(|flash| flash.colour);
        flashes.extend(draw.other(&Colour::ALL, last).map(|colour| Flash { at_ms, colour }));
        at_ms += draw.between(limits.colour_ms, limits.step_ms).max(1);
    }
    flashes
}

/// n! / (k! (n - k)!).
fn choose(n: i32, k: i32) -> f64 {
    (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::limits::tests::LIMITS;

    #[test]
    fn scripts_differ_and_keep_to_the_limits() {
        let scripts: Vec<Script> =
            (0..100u8).map(|seed| Script::draw(&[seed; 32], &LIMITS)).collect();
        assert_eq!(scripts[7], Script::draw(&[7; 32], &LIMITS));
        for (i, script) in scripts.iter().enumerate() {
            assert!(!scripts[..i].contains(script));
            assert_eq!(script.turns.len() as u32, LIMITS.turns);
            assert!(script.turns.windows(2).all(|two| two[0].to != two[1].to));
            for turn in &script.turns {
                let [least, most] = LIMITS.turn_ms;
                assert!((least..=most).contains(&(turn.until_ms - turn.at_ms)));
            }
            assert!(script.flashes.windows(2).all(|two| two[0].colour != two[1].colour));
            let changes = script.changes().map(|(_, _, at_ms)| at_ms).chain([script.duration_ms]);
            let shown = changes.scan(0, |from, at_ms| Some(at_ms - std::mem::replace(from, at_ms)));
            assert!(shown.min() >= Some(LIMITS.colour_ms[0].max(500)), "{script:?}");
        }
    }

    #[test]
    fn nobody_guesses_a_script() {
        // proves D3
        for seed in 0..10_000u16 {
            let [high, low] = seed.to_be_bytes();
            let mut bytes = [low; 32];
            bytes[0] = high;
            let script = Script::draw(&bytes, &LIMITS);
            assert!(script.guess_bits(&LIMITS) >= 17.0, "{}", script.guess_bits(&LIMITS));
        }
    }

    #[test]
    fn the_client_gets_it_as_json_and_the_server_reads_it_again() {
        let script = Script::draw(&[1; 32], &LIMITS);
        let json = serde_json::to_string(&script).unwrap();
        assert_eq!(serde_json::from_str::<Script>(&json).unwrap(), script);
        let more = json.replacen('{', "{\"passed\":true,", 1);
        assert!(serde_json::from_str::<Script>(&more).is_err());
    }

    #[test]
    fn a_change_is_from_one_colour_to_the_next() {
        let flash = |at_ms, colour| Flash { at_ms, colour };
        let flashes =
            vec![flash(0, Colour::Red), flash(600, Colour::Cyan), flash(1300, Colour::Red)];
        let script = Script { duration_ms: 2000, frame_every_ms: 150, turns: vec![], flashes };
        let changes: Vec<_> = script.changes().collect();
        assert_eq!(changes, [(Colour::Red, Colour::Cyan, 600), (Colour::Cyan, Colour::Red, 1300)]);
    }
}
