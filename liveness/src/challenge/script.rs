//! What a person is asked to do and what the screen shows, drawn by the server from a seed.
//!
//! Two tracks run side by side: turns of the head with a return to the middle after each, and
//! colours of the whole screen. Their orders and all their times are drawn. No colour is shown for
//! less than half a second: at most two changes a second, below the three of WCAG 2.2 §2.3.1.

use serde::{Deserialize, Serialize};

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

    /// How hard it is to guess, in bits: minus the logarithm of the chance that captures made for
    /// one script hold the turns and enough of the colours of another. That the times differ too
    /// is not counted.
    pub(crate) fn guess_bits(&self, limits: &Limits) -> f64 {
        let others = |count: usize| ((count - 1) as f64).log2();
        let turns = self.turns.len().saturating_sub(1) as f64;
        let turns = (Direction::ALL.len() as f64).log2() + turns * others(Direction::ALL.len());
        let shown = self.flashes.len() as i32;
        let needed = (limits.min_colours_right * shown as f32).ceil() as i32;
        let hit = 1.0 / (Colour::ALL.len() - 1) as f64;
        let exactly =
            |right: i32| choose(shown, right) * hit.powi(right) * (1.0 - hit).powi(shown - right);
        turns - (needed..=shown).map(exactly).sum::<f64>().log2()
    }

    /// The light of the screen at a time; none before the start.
    pub(super) fn light(&self, at_ms: f32) -> [f32; 3] {
        let begun = self.flashes.iter().take_while(|flash| flash.at_ms as f32 <= at_ms);
        begun.last().map_or([0.0; 3], |flash| flash.colour.light())
    }

    /// Each colour with its first and last time.
    pub(super) fn shown(&self) -> impl Iterator<Item = (Colour, u32, u32)> + '_ {
        let ends = self.flashes.iter().skip(1).map(|flash| flash.at_ms);
        let ends = ends.chain([self.duration_ms]);
        self.flashes.iter().zip(ends).map(|(flash, end)| (flash.colour, flash.at_ms, end))
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
            for (_, from, until) in script.shown() {
                assert!(until - from >= LIMITS.colour_ms[0].min(500), "{script:?}");
            }
        }
    }

    #[test]
    fn nobody_guesses_a_script() {
        // proves D3
        for seed in 0..100u8 {
            let script = Script::draw(&[seed; 32], &LIMITS);
            assert!(script.guess_bits(&LIMITS) >= 16.0, "{}", script.guess_bits(&LIMITS));
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
    fn the_screen_is_what_the_script_says() {
        let flash = |at_ms, colour| Flash { at_ms, colour };
        let flashes = vec![flash(0, Colour::Red), flash(600, Colour::Cyan)];
        let script = Script { duration_ms: 1200, frame_every_ms: 150, turns: vec![], flashes };
        assert_eq!(script.light(-1.0), [0.0; 3]);
        assert_eq!(script.light(599.0), [1.0, 0.0, 0.0]);
        assert_eq!(script.light(600.0), [0.0, 1.0, 1.0]);
        let shown: Vec<_> = script.shown().collect();
        assert_eq!(shown, [(Colour::Red, 0, 600), (Colour::Cyan, 600, 1200)]);
    }
}
