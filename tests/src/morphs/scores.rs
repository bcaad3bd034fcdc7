//! What portrait and person are judged by: single signs, and a few together by normal distributions.

use super::sample::Seen;

/// Something seen of portrait and person.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// The similarity of all networks.
    Similarity,
    /// What one network says, in the order of a template's parts.
    Network(usize),
    /// By how much the third network says more than the first two, in their spreads.
    Disagreement,
    /// How far the shapes of the faces are apart.
    Shape,
    /// Of the portrait.
    Sharpness,
}

/// A score by its name, of one sign or more.
pub(super) type Score = (&'static str, &'static [Sign]);

/// The score that the engine uses comes first.
pub(super) const SCORES: [Score; 10] = [
    ("similarity of all networks", &[Sign::Similarity]),
    ("recognition A alone", &[Sign::Network(0)]),
    ("recognition B alone", &[Sign::Network(1)]),
    ("recognition C alone", &[Sign::Network(2)]),
    ("networks' disagreement", &[Sign::Disagreement]),
    ("shape of the face", &[Sign::Shape]),
    ("portrait's sharpness", &[Sign::Sharpness]),
    ("A, B and C, weighed", &[Sign::Network(0), Sign::Network(1), Sign::Network(2)]),
    ("similarity and shape", &[Sign::Similarity, Sign::Shape]),
    ("similarity, shape, sharpness", &[Sign::Similarity, Sign::Shape, Sign::Sharpness]),
];

impl Sign {
    fn of(self, seen: &Seen) -> f64 {
        let network = |at: usize| f64::from(seen.cosines.get(at).copied().unwrap_or(f32::NAN));
        match self {
            Sign::Similarity => f64::from(seen.comparison.similarity),
            Sign::Network(at) => network(at),
            // The third one's cosines lie about six times as close together.
            Sign::Disagreement => 6.0 * network(2) - (network(0) + network(1)) / 2.0,
            Sign::Shape => f64::from(seen.shape),
            Sign::Sharpness => f64::from(seen.sharpness),
        }
    }
}

/// Weights of signs, so that people have more than morphs.
pub(super) struct Weights<'a> {
    signs: &'a [Sign],
    weights: Vec<f64>,
}

impl<'a> Weights<'a> {
    /// Fisher 1936, *The Use of Multiple Measurements in Taxonomic Problems*: the means' difference by the
    /// inverse of the covariances' sum, the best there is if both are normally distributed alike.
    pub(super) fn fit(signs: &'a [Sign], people: &[&Seen], morphs: &[&Seen]) -> Weights<'a> {
        let (one, other) = (Spread::of(signs, people), Spread::of(signs, morphs));
        let difference = one.mean.iter().zip(&other.mean).map(|(a, b)| a - b).collect();
        let both = one.covariance.iter().zip(&other.covariance);
        let matrix =
            both.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b + 1e-12).collect()).collect();
        Weights { signs, weights: solved(matrix, difference) }
    }

    pub(super) fn score(&self, seen: &Seen) -> f64 {
        self.signs.iter().zip(&self.weights).map(|(sign, weight)| weight * sign.of(seen)).sum()
    }
}

struct Spread {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Spread {
    fn of(signs: &[Sign], all: &[&Seen]) -> Spread {
        let count = all.len().max(1) as f64;
        let average =
            |of: &dyn Fn(&Seen) -> f64| all.iter().map(|seen| of(seen)).sum::<f64>() / count;
        let mean: Vec<f64> = signs.iter().map(|sign| average(&|seen| sign.of(seen))).collect();
        let row = |(a, u): (&Sign, &f64)| {
            let with = |(b, v): (&Sign, &f64)| average(&|seen| (a.of(seen) - u) * (b.of(seen) - v));
            signs.iter().zip(&mean).map(with).collect()
        };
        let covariance = signs.iter().zip(&mean).map(row).collect();
        Spread { mean, covariance }
    }
}

/// Gauss's elimination; a positive definite matrix needs no other order of its rows.
fn solved(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    for at in 0..right.len() {
        let (Some(own), Some(value)) = (matrix.get(at).cloned(), right.get(at).copied()) else {
            break;
        };
        let pivot = own.get(at).copied().unwrap_or(1.0);
        for (line, (row, result)) in matrix.iter_mut().zip(&mut right).enumerate() {
            let factor = row.get(at).copied().unwrap_or_default() / pivot;
            if line == at {
                continue;
            }
            row.iter_mut().zip(&own).for_each(|(cell, above)| *cell -= factor * above);
            *result -= factor * value;
        }
    }
    let diagonal = matrix.iter().enumerate().filter_map(|(at, row)| row.get(at));
    right.iter().zip(diagonal).map(|(result, cell)| result / cell).collect()
}

/// How far two shapes are apart, 0 to 1, after the shift, the turn and the size that bring them closest,
/// both of size 1: √(1 - λ²), λ the largest eigenvalue of Horn's matrix (Horn 1987, *Closed-form solution
/// of absolute orientation using unit quaternions*, §4).
pub(super) fn apart(one: &[[f32; 3]], other: &[[f32; 3]]) -> f32 {
    let (one, other) = (centred(one), centred(other));
    let product = |i: usize, j: usize| {
        let at = |place: &[f64; 3], axis: usize| place.get(axis).copied().unwrap_or_default();
        one.iter().zip(&other).map(|(p, q)| at(p, i) * at(q, j)).sum::<f64>()
    };
    let [xx, xy, xz] = [0, 1, 2].map(|j| product(0, j));
    let [yx, yy, yz] = [0, 1, 2].map(|j| product(1, j));
    let [zx, zy, zz] = [0, 1, 2].map(|j| product(2, j));
    let horn = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ];
    (1.0 - largest(&horn).powi(2)).max(0.0).sqrt() as f32
}

/// In their middle, and of size 1.
fn centred(points: &[[f32; 3]]) -> Vec<[f64; 3]> {
    let count = points.len().max(1) as f64;
    let points: Vec<[f64; 3]> = points.iter().map(|point| point.map(f64::from)).collect();
    let sum = points.iter().fold([0.0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z]);
    let [a, b, c] = sum.map(|sum| sum / count);
    let moved: Vec<[f64; 3]> = points.iter().map(|[x, y, z]| [x - a, y - b, z - c]).collect();
    let size = moved.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
    moved.iter().map(|place| place.map(|value| value / size)).collect()
}

/// The largest eigenvalue of a symmetric matrix whose eigenvalues lie between -1 and 1, by powers of it
/// and twice the identity.
fn largest(matrix: &[[f64; 4]; 4]) -> f64 {
    let mut vector = [1.0, 0.1, 0.1, 0.1];
    let mut value = 0.0;
    for _ in 0..500 {
        let dot = |row: &[f64; 4]| row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>();
        let [a, b, c, d] = matrix.each_ref().map(dot);
        let [p, q, r, s] = vector;
        let next = [a + 2.0 * p, b + 2.0 * q, c + 2.0 * r, d + 2.0 * s];
        value = next.iter().map(|value| value * value).sum::<f64>().sqrt();
        vector = next.map(|entry| entry / value);
    }
    value - 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [[f32; 3]; 5] =
        [[0.0, 0.0, 0.0], [4.0, 0.0, 1.0], [2.0, 2.0, -2.0], [1.0, 4.0, 0.0], [3.0, 4.5, 0.5]];

    #[test]
    fn a_turned_shape_is_the_same_and_another_is_not() {
        let (sin, cos) = 0.6f32.sin_cos();
        let turned = SHAPE.map(|[x, y, z]| {
            let (x, z) = (cos * x - sin * z, sin * x + cos * z);
            [3.0 * (cos * x - sin * y) + 7.0, 3.0 * (sin * x + cos * y) - 2.0, 3.0 * z]
        });
        assert!(apart(&SHAPE, &turned) < 1e-3, "{}", apart(&SHAPE, &turned));
        let mut other = turned;
        other[2] = [0.0, 0.0, 0.0];
        assert!(apart(&SHAPE, &other) > 0.1);
    }

    #[test]
    fn equations_are_solved() {
        let found = solved(vec![vec![4.0, 1.0], vec![1.0, 3.0]], vec![1.0, 2.0]);
        assert!((found[0] - 1.0 / 11.0).abs() < 1e-9 && (found[1] - 7.0 / 11.0).abs() < 1e-9);
    }
}
