//! Finds the coefficients: multinomial logistic regression with a little of a ridge, by projected
//! gradients.

use fixtures::attacks::Species as Made;
use liveness::{Cue, Fusion, Signs, Species, Unknown, Weighed};

/// Steps of the descent, each along Nesterov's momentum; more change nothing that is printed.
const STEPS: u16 = 4000;
/// Longer ones overshoot where many signs are far off at a time.
const STEP: f32 = 0.03;
const RIDGE: f32 = 1e-3;
/// Nothing teaches what nobody has shown: chosen so that a species left out of calibration is found.
const UNKNOWN: Unknown = Unknown { bias: -4.0, own: 0.6, networks: 0.42 };
/// The largest share of bona fide pictures that the threshold may refuse in calibration.
const BPCER_PERCENT: usize = 4;
/// Parts of the people, each of which is scored by what the others teach, to find the threshold.
const PARTS: usize = 4;

/// A picture to learn from.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Whom it shows.
    pub(super) person: usize,
    /// What was seen.
    pub(super) signs: &'a Signs,
    /// Which attack it is; none for a bona fide picture.
    pub(super) species: Option<Made>,
}

/// As the detector names it.
pub(super) fn named(species: Made) -> Species {
    match species {
        Made::Print => Species::Print,
        Made::Screen => Species::Screen,
        Made::Mask => Species::Mask,
        Made::Replay => Species::Replay,
    }
}

/// The coefficients for these signs, and the threshold that refuses few of the bona fide pictures.
///
/// What a picture taught is surer of it than of any other, so the threshold comes from people who
/// taught nothing.
pub(super) fn fit(known: &[Known<'_>], cues: &[Cue], networks: &[String]) -> Fusion {
    let mut scores = Vec::new();
    for part in 0..PARTS {
        // People are dealt by twos, for halves of them are taken by every second.
        let own = |known: &&Known<'_>| known.person / 2 % PARTS == part;
        let others: Vec<Known<'_>> = known.iter().filter(|known| !own(known)).copied().collect();
        let learnt = learnt(&others, cues, &[]);
        let live = known.iter().filter(own).filter(|known| known.species.is_none());
        scores
            .extend(live.filter_map(|known| learnt.judge(known.signs)).map(|judged| judged.score));
    }
    Fusion { threshold: threshold(scores), ..learnt(known, cues, networks) }
}

/// The coefficients alone.
fn learnt(known: &[Known<'_>], cues: &[Cue], networks: &[String]) -> Fusion {
    let present =
        |species: &Made| known.iter().any(|known| known.species.as_ref() == Some(species));
    let species: Vec<Made> = Made::ALL.into_iter().filter(present).collect();
    let weighed = |cue: &Cue| scale(*cue, known, species.len());
    let mut fusion = Fusion {
        networks: networks.to_vec(),
        threshold: 0.5,
        unknown: UNKNOWN,
        species: species.iter().copied().map(named).collect(),
        bias: vec![0.0; species.len()],
        cues: cues.iter().map(weighed).collect(),
    };
    let rows: Vec<Row> = known.iter().filter_map(|known| row(&fusion, known, &species)).collect();
    let weights = descend(&rows, species.len(), cues);
    for (at, weights) in weights.iter().enumerate() {
        let (bias, rest) = weights.split_first().map_or((0.0, [].as_slice()), |(b, r)| (*b, r));
        fusion.bias.iter_mut().skip(at).take(1).for_each(|place| *place = rounded(bias));
        for (cue, weight) in fusion.cues.iter_mut().zip(rest) {
            cue.weights.iter_mut().skip(at).take(1).for_each(|place| *place = rounded(*weight));
        }
    }
    fusion
}

/// As the table says it.
fn rounded(value: f32) -> f32 {
    (value * 1e4).round() / 1e4
}

/// The mean and deviation of a sign over the bona fide pictures.
fn scale(cue: Cue, known: &[Known<'_>], species: usize) -> Weighed {
    let live = known.iter().filter(|known| known.species.is_none());
    let values: Vec<f32> = live.filter_map(|known| known.signs.of(cue)).collect();
    let mean = mean(values.iter().copied());
    let deviation = self::mean(values.iter().map(|v| (v - mean).powi(2))).sqrt();
    let deviation = rounded(deviation).max(cue.least_deviation());
    Weighed { cue, mean: rounded(mean), deviation, weights: vec![0.0; species] }
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0_f32), |(sum, count), v| (sum + v, count + 1.0));
    sum / count.max(1.0)
}

/// One, the signs as deviations, and which attack it is.
struct Row {
    values: Vec<f32>,
    class: Option<usize>,
}

fn row(fusion: &Fusion, known: &Known<'_>, all: &[Made]) -> Option<Row> {
    let class = known.species.and_then(|own| all.iter().position(|species| *species == own));
    let own = fusion.cues.iter().map(|cue| cue.deviations(known.signs.of(cue.cue)?));
    let values = std::iter::once(Some(1.0)).chain(own).collect::<Option<Vec<f32>>>()?;
    Some(Row { values, class })
}

/// The weights of each attack, the bias first.
fn descend(rows: &[Row], species: usize, cues: &[Cue]) -> Vec<Vec<f32>> {
    let live = mean(rows.iter().map(|row| f32::from(u8::from(row.class.is_none()))));
    let mut weights = vec![vec![0.0; cues.len() + 1]; species];
    let mut before = weights.clone();
    for step in 1..=STEPS {
        let momentum = f32::from(step - 1) / f32::from(step + 2);
        let ahead: Vec<Vec<f32>> = weights
            .iter()
            .zip(&before)
            .map(|(now, then)| now.iter().zip(then).map(|(n, t)| n + momentum * (n - t)).collect())
            .collect();
        let slopes = slopes(rows, &ahead, live);
        before = weights;
        weights = ahead.iter().zip(slopes).map(|(own, slope)| moved(own, &slope, cues)).collect();
    }
    weights
}

/// A step down the slope, and back to where no sign of an attack speaks for a face.
fn moved(own: &[f32], slope: &[f32], cues: &[Cue]) -> Vec<f32> {
    let directions = std::iter::once(0.0).chain(cues.iter().map(|cue| cue.direction()));
    let stepped = own.iter().zip(slope).map(|(weight, slope)| weight - STEP * slope);
    let kept = stepped.zip(directions);
    kept.map(|(weight, way)| if weight * way < 0.0 { 0.0 } else { weight }).collect()
}

/// The slope of the mean loss by each weight. Bona fide pictures weigh as much as all attacks
/// together.
fn slopes(rows: &[Row], weights: &[Vec<f32>], live: f32) -> Vec<Vec<f32>> {
    let mut slopes: Vec<Vec<f32>> =
        weights.iter().map(|own| own.iter().map(|w| RIDGE * w).collect()).collect();
    let share = 1.0 / f32::from(u16::try_from(rows.len()).unwrap_or(u16::MAX)).max(1.0);
    for row in rows {
        let balance = if row.class.is_none() { 0.5 / live } else { 0.5 / (1.0 - live) };
        let odds: Vec<f32> =
            weights.iter().map(|own| dot(own, &row.values).min(60.0).exp()).collect();
        let total = 1.0 + odds.iter().sum::<f32>();
        for (at, (slope, odds)) in slopes.iter_mut().zip(&odds).enumerate() {
            let miss = odds / total - f32::from(u8::from(row.class == Some(at)));
            let part = share * balance * miss;
            slope.iter_mut().zip(&row.values).for_each(|(s, value)| *s += part * value);
        }
    }
    slopes
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The score below which the allowed share of bona fide pictures lies.
fn threshold(mut scores: Vec<f32>) -> f32 {
    scores.sort_by(f32::total_cmp);
    let allowed = scores.len() * BPCER_PERCENT / 100;
    scores.get(allowed).copied().map_or(0.5, rounded).clamp(0.001, 0.999)
}
