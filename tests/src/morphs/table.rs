//! The tables: which morphs open for whom, and how many are suspected by people that are not counted.

use std::{collections::BTreeMap, fmt};

use liveness::Engine;
use serde::Serialize;

use super::{
    sample::{MORPHS, Seen, Shows, Trial},
    scores::{SCORES, Score, Weights},
};
use crate::attacks::Rate;

/// The shares of people that may be suspected.
const SHARES: [f64; 4] = [0.01, 0.02, 0.05, 0.1];
/// The one that thresholds.toml chooses.
const CHOSEN: f64 = 0.02;
/// Morphs that are one half each of their people teach weights, and stand in thresholds.toml.
const HALVES: f32 = 0.5;
const DRAWS: usize = 1000;

/// What was measured.
#[derive(Debug)]
pub struct Report {
    /// What people read.
    pub lines: Vec<Line>,
    points: Vec<Point>,
    recognition: Vec<String>,
    about: String,
}

/// One line of the tables.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// Whom a portrait opens for (ISO/IEC 20059: both contributors of a morph).
    Accepted {
        /// What portrait.
        portrait: &'static str,
        /// With a template of several pictures.
        several: bool,
        /// Comparisons with pictures of the first person that are accepted.
        first: Rate,
        /// Comparisons with pictures of the second.
        second: Rate,
        /// Of the accepted comparisons those that are suspected at the chosen point, which all people set.
        suspected: Rate,
        /// Portraits that open for some picture of each of the two.
        both: Rate,
        /// Those that do so unsuspected.
        both_unsuspected: Rate,
    },
    /// What a score leaves, on people who did not set its threshold.
    Detected {
        /// By what.
        score: &'static str,
        /// What morphs.
        morphs: String,
        /// Portraits of one person suspected, for each of the shares aimed at (BSCER).
        suspected: Vec<Rate>,
        /// Morphs not suspected (MACER).
        missed: Vec<Rate>,
        /// Between which shares 95 in 100 draws of as many people miss.
        within: Vec<(f64, f64)>,
    },
}

/// A point of the `[morph]` table.
#[derive(Debug)]
struct Point {
    share: f64,
    threshold: f64,
    missed: f64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Accepted {
                portrait,
                several,
                first,
                second,
                suspected,
                both,
                both_unsuspected,
            } => {
                let with = if *several { "five pictures" } else { "one picture" };
                write!(f, "{portrait:34} {with:13} accepted: first {first}, second {second}; ")?;
                write!(
                    f,
                    "suspected {suspected}; opens for both {both}, unsuspected {both_unsuspected}"
                )
            }
            Line::Detected { score, morphs, suspected, missed, within } => {
                write!(f, "{score:30} {morphs:34} MACER at BSCER:")?;
                for ((suspected, missed), (low, high)) in suspected.iter().zip(missed).zip(within) {
                    write!(
                        f,
                        " {missed} [{low:.1} to {high:.1}] at {:.1} % ({} of {});",
                        suspected.percent(),
                        suspected.count,
                        suspected.of
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// Whether it is one of the morphs that are one half each, of look-alikes.
fn is_half(morph: usize) -> bool {
    MORPHS.get(morph).is_some_and(|made| made.share >= HALVES && made.is_of_look_alikes())
}

/// Everything of these trials.
pub(super) fn report(trials: &[Trial], engine: &Engine) -> Report {
    let points = points(trials);
    let threshold = points.iter().find(|point| point.share == CHOSEN).map_or(1.0, |p| p.threshold);
    let portraits = [None].into_iter().chain((0..MORPHS.len()).map(Some));
    let kinds = [false, true]
        .into_iter()
        .flat_map(|several| portraits.clone().map(move |morph| (morph, several)));
    let mut lines: Vec<Line> =
        kinds.map(|(morph, several)| accepted(trials, morph, several, threshold)).collect();
    for score in SCORES {
        lines.push(detected(trials, score, ("look-alikes 50:50", &is_half)));
    }
    for (at, made) in MORPHS.iter().enumerate() {
        lines.push(detected(trials, SCORES[0], (made.name, &move |morph| morph == at)));
    }
    let mut people: Vec<usize> = trials.iter().map(|trial| trial.person).collect();
    people.dedup();
    let about = format!("{} people", people.len());
    Report { lines, points, recognition: engine.recognition(), about }
}

/// What a portrait does for one of its people.
#[derive(Clone, Copy, Default)]
struct Opens {
    shown: bool,
    accepted: bool,
    unsuspected: bool,
}

/// Comparisons by who shows a portrait, and morphs that open for both.
fn accepted(trials: &[Trial], morph: Option<usize>, several: bool, threshold: f64) -> Line {
    let own = trials.iter().filter(|t| t.morph == morph && t.several == several);
    let [mut first, mut second, mut suspected] = [Rate::default(); 3];
    let mut portraits: BTreeMap<usize, (Opens, Opens)> = BTreeMap::new();
    for trial in own {
        let accepted = trial.seen.comparison.accepted;
        let low = f64::from(trial.seen.comparison.similarity) < threshold;
        let (one, other) = portraits.entry(trial.person).or_default();
        let (rate, opens) = match trial.shows {
            Shows::First => (&mut first, one),
            Shows::Second => (&mut second, other),
        };
        rate.note(accepted);
        if accepted {
            suspected.note(low);
        }
        opens.shown = true;
        opens.accepted |= accepted;
        opens.unsuspected |= accepted && !low;
    }
    let [mut both, mut both_unsuspected] = [Rate::default(); 2];
    for (one, other) in portraits.values().filter(|(one, other)| one.shown && other.shown) {
        both.note(one.accepted && other.accepted);
        both_unsuspected.note(one.unsuspected && other.unsuspected);
    }
    let portrait = morph.and_then(|at| MORPHS.get(at)).map_or("of one person", |made| made.name);
    Line::Accepted { portrait, several, first, second, suspected, both, both_unsuspected }
}

/// Of one picture, and accepted: what is refused needs no suspicion.
fn judged(trials: &[Trial]) -> impl Iterator<Item = &Trial> + Clone {
    trials.iter().filter(|trial| !trial.several && trial.seen.comparison.accepted)
}

/// Weights and threshold from one half of the people, counted on the other, both halves in turn.
fn detected(
    trials: &[Trial],
    (score, signs): Score,
    (name, counts): (&str, &dyn Fn(usize) -> bool),
) -> Line {
    let mut suspected = vec![Rate::default(); SHARES.len()];
    let mut missed = suspected.clone();
    let mut each: Vec<BTreeMap<usize, Rate>> = vec![BTreeMap::new(); SHARES.len()];
    for half in [0, 1] {
        let (own, others): (Vec<&Trial>, Vec<&Trial>) =
            judged(trials).partition(|trial| trial.person % 2 == half);
        let people: Vec<&Seen> =
            own.iter().filter(|t| t.morph.is_none()).map(|t| &t.seen).collect();
        let morphs: Vec<&Seen> =
            own.iter().filter(|t| t.morph.is_some_and(is_half)).map(|t| &t.seen).collect();
        let weights = Weights::fit(signs, &people, &morphs);
        let sorted = sorted(people.iter().map(|seen| weights.score(seen)));
        for (at, share) in SHARES.into_iter().enumerate() {
            let threshold = quantile(&sorted, share);
            for trial in &others {
                let low = weights.score(&trial.seen) < threshold;
                match trial.morph {
                    None => suspected.iter_mut().skip(at).take(1).for_each(|rate| rate.note(low)),
                    Some(morph) if counts(morph) => {
                        missed.iter_mut().skip(at).take(1).for_each(|rate| rate.note(!low));
                        each.iter_mut().skip(at).take(1).for_each(|people| {
                            people.entry(trial.person).or_default().note(!low);
                        });
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let within = each.iter().map(|people| within(&people.values().copied().collect::<Vec<_>>()));
    let within = within.collect();
    Line::Detected { score, morphs: name.to_owned(), suspected, missed, within }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The value below which this share lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted.get((share * sorted.len() as f64) as usize).copied().unwrap_or(f64::NAN)
}

/// The bootstrap over people (Efron and Tibshirani 1993, §13.3): percent.
fn within(people: &[Rate]) -> (f64, f64) {
    let mut chance = 1;
    let shares = (0..DRAWS).map(|_| {
        let mut sum = Rate::default();
        for _ in people {
            let at = shuffle(&mut chance) as usize % people.len();
            let own = people.get(at).copied().unwrap_or_default();
            (sum.count, sum.of) = (sum.count + own.count, sum.of + own.of);
        }
        sum.percent()
    });
    let shares = sorted(shares);
    (quantile(&shares, 0.025), quantile(&shares, 0.975))
}

/// Steele, Lea and Flood 2014, SplitMix64: chance that is the same every time.
fn shuffle(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Thresholds of all people; what they miss is counted on people who did not set them.
fn points(trials: &[Trial]) -> Vec<Point> {
    let people = judged(trials).filter(|trial| trial.morph.is_none());
    let sorted = sorted(people.map(|trial| f64::from(trial.seen.comparison.similarity)));
    let Line::Detected { missed, .. } = detected(trials, SCORES[0], ("", &is_half)) else {
        return Vec::new();
    };
    let point = |(share, missed): (f64, &Rate)| Point {
        share,
        threshold: (quantile(&sorted, share) * 1e4).floor() / 1e4,
        missed: missed.percent() / 100.0,
    };
    SHARES.into_iter().zip(&missed).map(point).collect()
}

impl Report {
    /// The `[morph]` table of thresholds.toml.
    #[must_use]
    pub fn toml(&self) -> String {
        let recognition: Vec<String> =
            self.recognition.iter().map(|hash| format!("  \"{hash}\",\n")).collect();
        let point = |point: &Point| {
            let Point { share, threshold, missed } = point;
            format!(
                "  {{ threshold = {threshold:.4}, bona_fide_suspected = {share}, morphs_missed = {missed:.3} }},\n"
            )
        };
        let points: String = self.points.iter().map(point).collect();
        format!(
            "[morph]\n# Measured by `fixtures morphs` on morphs of press photographs that it makes, {}: a trend, not\n# certification. Shares are of what is accepted, morphs those of look-alikes, half and half.\nbona_fide_suspected = {CHOSEN}\nrecognition = [\n{}]\noperating_point = [\n{points}]\n",
            self.about,
            recognition.concat(),
        )
    }
}
