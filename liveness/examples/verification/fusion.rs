//! How the networks' cosines become one similarity, learnt from different people alone.

use liveness::{Agreement, Role};

use crate::Outcome;

/// The part of different people whose cosines the parabola is fitted to: the most alike of them.
const TAIL: f64 = 0.16;
/// The most alike of all are few, and some are wrong labels.
const LEAST: f64 = 10.0;
const STEPS: u32 = 60;

/// The normal distribution whose tail a network's cosines have.
#[derive(Clone, Copy)]
pub(crate) struct Weight {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

/// One weight for each network.
pub(crate) struct Fusion(pub(crate) Vec<Weight>);

impl Fusion {
    pub(crate) fn fit(different: &[&Agreement]) -> Outcome<Fusion> {
        let networks = 0..Role::RECOGNITION.len();
        let weights = networks.map(|at| {
            let mut cosines: Vec<f64> = different.iter().map(|a| cosine(a, at)).collect();
            cosines.sort_by(|x, y| y.total_cmp(x));
            Weight::fit(&cosines).ok_or("too few different people to weigh the networks by")
        });
        Ok(Fusion(weights.collect::<Result<_, _>>()?))
    }

    /// As `liveness` fuses cosines.
    pub(crate) fn similarity(&self, Agreement(cosines): &Agreement) -> f64 {
        let pairs = self.0.iter().zip(cosines);
        let found: f64 = pairs.map(|(weight, cosine)| weight.surprise(f64::from(*cosine))).sum();
        found / self.0.iter().map(|weight| weight.surprise(1.0)).sum::<f64>()
    }
}

impl Weight {
    /// Of cosines in falling order. The negative logarithm of the share of people who are at least as
    /// alike is (cosine - mean)² / (2 deviation²) and a constant.
    fn fit(cosines: &[f64]) -> Option<Weight> {
        let count = cosines.len() as f64;
        let step = (TAIL * count / LEAST).ln() / f64::from(STEPS - 1);
        let points = (0..STEPS).filter_map(|at| {
            let rank = (LEAST * (step * f64::from(at)).exp()).floor();
            Some((*cosines.get(rank as usize)?, -((rank + 1.0) / count).ln()))
        });
        let [_, slope, bend] = parabola(&points.collect::<Vec<_>>())?;
        // As the table will say them.
        let rounded = |value: f64| (value * 1e5).round() / 1e5;
        let (mean, deviation) = (rounded(-slope / (2.0 * bend)), rounded((0.5 / bend).sqrt()));
        (mean < 1.0 && deviation > 0.0).then_some(Weight { mean, deviation })
    }

    fn surprise(&self, cosine: f64) -> f64 {
        ((cosine - self.mean) / self.deviation).clamp(0.0, f64::INFINITY).powi(2)
    }
}

/// What one network says of a pair.
pub(crate) fn cosine(Agreement(cosines): &Agreement, at: usize) -> f64 {
    cosines.get(at).copied().map_or(f64::NAN, f64::from)
}

/// The coefficients of 1, x and x² that come closest to the points in the least-squares sense.
fn parabola(points: &[(f64, f64)]) -> Option<[f64; 3]> {
    let moment = |power: i32| points.iter().map(|(x, _)| x.powi(power)).sum::<f64>();
    let against = |power: i32| points.iter().map(|(x, y)| x.powi(power) * y).sum::<f64>();
    let columns = [0, 1, 2].map(|at| [moment(at), moment(at + 1), moment(at + 2)]);
    let right = [against(0), against(1), against(2)];
    let whole = determinant(&columns);
    if !whole.is_normal() {
        return None;
    }
    // Cramer's rule: each column in turn gives way to the right side.
    let [a, b, c] = columns;
    Some([[right, b, c], [a, right, c], [a, b, right]].map(|m| determinant(&m) / whole))
}

fn determinant([[a, b, c], [d, e, f], [g, h, i]]: &[[f64; 3]; 3]) -> f64 {
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}
