//! Whether what turned has the relief of a head.
//!
//! A point at (x, y) with depth z moves, when the head turns by a small angle θ, by sin θ · z across
//! the axis, besides what the plane does. So the coordinate that the turn changes is fitted as
//!
//! ```text
//! x' = a + b x + c y + d x² + e x y + f y² − r z
//! ```
//!
//! over the 468 points, with z of the same face looking straight; r is the relief. A flat picture,
//! moved, turned or seen in perspective, is told by a..c and to second order by d..f; one bent like a
//! cylinder by d..f, too. What is left to z is what such a sheet has not: the nose
//! before the cheeks, the eyes behind the brow. r comes out near sin θ for a head and near 0 for a
//! picture.
//!
//! The points are where the landmark network sees a face, and on a picture it sees the relief it knows:
//! prints get past this, bent ones most. So the same is asked of points that were followed from picture
//! to picture by what they look like (`follow`).

use serde::Serialize;

use crate::mesh::Mesh;

/// How many terms are fitted.
const TERMS: usize = 7;

/// The points of a face, free of its place, size and tilt: the mean of several frames.
pub(super) struct Shape {
    /// x, y, z in distances between the eyes.
    points: Vec<[f64; 3]>,
}

impl Shape {
    /// None without a frame.
    pub(super) fn mean<'a>(meshes: impl Iterator<Item = &'a Mesh>) -> Option<Shape> {
        let mut count = 0.0;
        let mut sum: Vec<[f64; 3]> = Vec::new();
        for mesh in meshes {
            let own = normalised(mesh);
            sum.resize(own.len(), [0.0; 3]);
            let pairs = sum.iter_mut().flatten().zip(own.iter().flatten());
            pairs.for_each(|(sum, own)| *sum += own);
            count += 1.0;
        }
        let mean = |point: [f64; 3]| point.map(|value| value / count);
        (count > 0.0).then(|| Shape { points: sum.into_iter().map(mean).collect() })
    }
}

fn normalised(mesh: &Mesh) -> Vec<[f64; 3]> {
    let middle = mesh.bounds().centre();
    let (sin, cos) = mesh.tilt().sin_cos();
    let unit = mesh.inter_eye();
    let point = |[x, y, z]: [f32; 3]| {
        let (x, y) = (x - middle.x, y - middle.y);
        [x * cos + y * sin, y * cos - x * sin, z].map(|value| f64::from(value / unit))
    };
    mesh.places().map(point).collect()
}

/// Which coordinate a turn of the head changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Axis {
    /// Left and right.
    Across,
    /// Up and down.
    Along,
}

/// r above: positive where near points move to the right or down. Not a number where it cannot be
/// told.
pub(super) fn relief(straight: &Shape, turned: &Shape, axis: Axis) -> f32 {
    let mut fit = Fit::<TERMS>::default();
    for (&[x, y, z], &[across, along, _]) in straight.points.iter().zip(&turned.points) {
        let moved = match axis {
            Axis::Across => across,
            Axis::Along => along,
        };
        fit.add(terms([x, y, z]), moved, 1.0);
    }
    fit.solve().map_or(f32::NAN, |[.., relief]| relief as f32)
}

/// A point and where its moved coordinate came to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub(super) from: [f64; 3],
    pub(super) to: f64,
}

/// A relief measured from points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Relief {
    /// r.
    pub relief: f32,
    /// Its standard error: large where no point lies where it could be told from a sheet.
    pub error: f32,
}

impl Relief {
    /// What it is at least, but for one case in forty.
    pub(super) fn at_least(&self) -> f32 {
        self.relief - 2.0 * self.error
    }
}

/// Where a sheet may be folded, in distances between the eyes from the face's middle: along the face and
/// across it.
const FOLDS_X: [f64; 5] = [-0.5, -0.2, 0.0, 0.2, 0.5];
const FOLDS_Y: [f64; 2] = [-0.4, 0.3];
/// The terms of a sheet that may be folded, and z.
const FOLDED: usize = TERMS + FOLDS_X.len() + FOLDS_Y.len();
/// How often points that do not go with the rest are given less weight.
const ROUNDS: usize = 5;

/// r as above from points of which some were followed wrongly: a point's weight is that of Cauchy's
/// distribution, with the median of the differences for its width. A sheet may be folded, too: for each
/// of a few places k the fit has max(x − k, 0) or max(y − k, 0). None where it cannot be told.
pub(super) fn robust_relief(points: &[Moved]) -> Option<Relief> {
    let mut weights = vec![1.0; points.len()];
    let mut found = None;
    for _ in 0..ROUNDS {
        let mut fit = Fit::<FOLDED>::default();
        for (point, weight) in points.iter().zip(&weights) {
            fit.add(folded_terms(point.from), point.to, *weight);
        }
        let factors = fit.solve()?;
        let away = |point: &Moved| {
            let fitted: f64 =
                folded_terms(point.from).iter().zip(factors).map(|(a, b)| a * b).sum();
            point.to - fitted
        };
        let differences: Vec<f64> = points.iter().map(away).collect();
        let squares = differences.iter().zip(&weights).map(|(d, weight)| weight * d * d);
        let free = weights.iter().sum::<f64>() - FOLDED as f64;
        let error = (squares.sum::<f64>() / free * fit.spread_of_last()?).sqrt();
        let relief = Relief { relief: *factors.last()? as f32, error: error as f32 };
        found = (free > 0.0 && relief.at_least().is_finite()).then_some(relief);
        let mut sorted: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
        sorted.sort_by(f64::total_cmp);
        let width = sorted.get(sorted.len() / 2).copied()?.max(1e-9);
        weights = differences.iter().map(|d| 1.0 / (1.0 + (d / width).powi(2))).collect();
    }
    found
}

fn terms([x, y, z]: [f64; 3]) -> [f64; TERMS] {
    [1.0, x, y, x * x, x * y, y * y, -z]
}

fn folded_terms([x, y, z]: [f64; 3]) -> [f64; FOLDED] {
    let [one, own_x, own_y, xx, xy, yy, near] = terms([x, y, z]);
    let [a, b, c, d, e] = FOLDS_X.map(|fold| (x - fold).max(0.0));
    let [f, g] = FOLDS_Y.map(|fold| (y - fold).max(0.0));
    [one, own_x, own_y, xx, xy, yy, a, b, c, d, e, f, g, near]
}

/// A least-squares fit by its normal equations.
struct Fit<const N: usize> {
    rows: [[f64; N]; N],
    right: [f64; N],
}

impl<const N: usize> Default for Fit<N> {
    fn default() -> Self {
        Fit { rows: [[0.0; N]; N], right: [0.0; N] }
    }
}

impl<const N: usize> Fit<N> {
    fn add(&mut self, terms: [f64; N], value: f64, weight: f64) {
        for ((row, right), factor) in self.rows.iter_mut().zip(&mut self.right).zip(terms) {
            row.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * factor * term);
            *right += weight * factor * value;
        }
    }

    /// The factor of each term. None where the terms are not independent.
    fn solve(&self) -> Option<[f64; N]> {
        self.solve_for(&self.right)
    }

    /// The last factor's variance where that of a value is 1.
    fn spread_of_last(&self) -> Option<f64> {
        let mut unit = [0.0; N];
        *unit.last_mut()? = 1.0;
        self.solve_for(&unit)?.last().copied()
    }

    /// By elimination.
    fn solve_for(&self, right: &[f64; N]) -> Option<[f64; N]> {
        let with_right = self
            .rows
            .iter()
            .zip(right)
            .map(|(row, right)| row.iter().copied().chain([*right]).collect());
        let mut rows: Vec<Vec<f64>> = with_right.collect();
        let size = self.rows.iter().flatten().fold(0.0f64, |most, value| most.max(value.abs()));
        let mut pivots = Vec::new();
        while let Some(pivot) = take_pivot(&mut rows) {
            let (lead, rest) = pivot.split_first()?;
            if !lead.is_finite() || lead.abs() <= 1e-12 * size {
                return None;
            }
            for row in &mut rows {
                let factor = row.first()? / lead;
                *row = row.iter().skip(1).zip(rest).map(|(own, by)| own - factor * by).collect();
            }
            pivots.push(pivot);
        }
        // From the last row, which has one factor left, back to the first.
        let mut factors = [0.0; N];
        for (pivot, index) in pivots.iter().zip(0..N).rev() {
            let (lead, rest) = pivot.split_first()?;
            let (value, own) = rest.split_last()?;
            let known: f64 =
                own.iter().zip(factors.iter().skip(index + 1)).map(|(a, b)| a * b).sum();
            *factors.get_mut(index)? = (value - known) / lead;
        }
        Some(factors)
    }
}

/// Takes the row out whose first value is largest.
fn take_pivot(rows: &mut Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let lead = |row: &Vec<f64>| row.first().map_or(0.0, |value| value.abs());
    let largest = (0..rows.len()).max_by(|a, b| {
        let [a, b] = [a, b].map(|index| rows.get(*index).map_or(0.0, lead));
        a.total_cmp(&b)
    })?;
    Some(rows.swap_remove(largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face of 468 points: a bowl with a nose.
    fn head() -> Vec<[f64; 3]> {
        let point = |i: usize| {
            let (x, y) = ((i % 22) as f64 / 11.0 - 1.0, (i / 22) as f64 / 11.0 - 1.0);
            let nose = -0.5 * (-8.0 * (x * x + (y - 0.1) * (y - 0.1))).exp();
            [x, y, 0.4 * (x * x + y * y) + nose]
        };
        (0..468).map(point).collect()
    }

    fn seen(points: &[[f64; 3]], map: impl Fn([f64; 3]) -> [f64; 2]) -> Shape {
        let points = points.iter().map(|point| {
            let [x, y] = map(*point);
            [x, y, 0.0]
        });
        Shape { points: points.collect() }
    }

    fn straight() -> Shape {
        Shape { points: head() }
    }

    #[test]
    fn a_head_that_turns_shows_the_sine_of_the_turn() {
        for angle in [-0.4f64, -0.2, 0.2, 0.4] {
            let (sin, cos) = angle.sin_cos();
            let across = seen(&head(), |[x, y, z]| [x * cos - z * sin, y]);
            let found = relief(&straight(), &across, Axis::Across);
            assert!((f64::from(found) - sin).abs() < 1e-3, "{found} for {sin}");
            let along = seen(&head(), |[x, y, z]| [x, y * cos - z * sin]);
            let found = relief(&straight(), &along, Axis::Along);
            assert!((f64::from(found) - sin).abs() < 1e-3, "{found} for {sin}");
        }
    }

    #[test]
    fn a_sheet_has_no_relief_however_it_is_moved_or_bent() {
        let affine = seen(&head(), |[x, y, _]| [0.8 * x + 0.2 * y + 3.0, y]);
        let perspective = seen(&head(), |[x, y, _]| [0.9 * x / (1.0 + 0.15 * x), y]);
        let bent = seen(&head(), |[x, y, _]| [x - 0.3 * x * x + 0.1 * y * y, y]);
        for sheet in [affine, perspective, bent] {
            let found = relief(&straight(), &sheet, Axis::Across);
            assert!(found.abs() < 0.02, "{found}");
        }
    }

    #[test]
    fn a_few_points_that_went_astray_do_not_count() {
        let turned = |nth: usize, [x, y, z]: [f64; 3]| {
            let astray = if nth.is_multiple_of(5) { 0.4 } else { 0.0 };
            Moved { from: [x, y, z], to: 0.9 * x - 0.3 * z + 0.1 * x * x + astray }
        };
        let points: Vec<_> = head().into_iter().enumerate().map(|(n, p)| turned(n, p)).collect();
        let found = robust_relief(&points).unwrap();
        assert!((found.relief - 0.3).abs() < 0.01 && found.error < 0.01, "{found:?}");
        assert_eq!(robust_relief(&[]), None);
        assert_eq!(robust_relief(&points[..3]), None);
        let not = Moved { from: [0.0; 3], to: f64::NAN };
        assert_eq!(robust_relief(&[points.as_slice(), &[not]].concat()), None);
    }

    #[test]
    fn what_cannot_be_told_is_no_number() {
        let flat = || Shape { points: vec![[1.0, 2.0, 3.0]; 468] };
        assert!(relief(&flat(), &flat(), Axis::Across).is_nan());
        let broken = Shape { points: vec![[f64::NAN; 3]; 468] };
        assert!(relief(&broken, &straight(), Axis::Across).is_nan());
        assert!(relief(&straight(), &broken, Axis::Across).is_nan());
        assert!(Shape::mean(std::iter::empty()).is_none());
    }
}
