//! From what the second locator saw of the zone to lines: their middles as traces, top to bottom.

use std::ops::RangeInclusive;

use super::{
    blobs::{Blob, Maps, Spot, blobs},
    geometry::Point,
};

/// A line shorter than this share of the longest is none.
const SHORTEST: f32 = 0.6;
/// An MRZ has no more lines.
const MOST_LINES: usize = 3;
/// How much of a blob, in heights of the capitals, says where the line goes on.
const NEAR: f32 = 6.0;
/// Stretches of a trace, each with one middle.
const STRETCHES: usize = 16;

/// A line's middle from its first to its last character, and how high its capitals are.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) points: Vec<Point>,
    pub(super) height: f32,
}

impl Trace {
    pub(super) fn length(&self) -> f32 {
        self.points
            .windows(2)
            .map(|pair| if let [a, b] = pair { a.distance(*b) } else { 0.0 })
            .sum()
    }
}

/// The lines of a map, in its places, in the order and direction of reading.
pub(super) fn traces(maps: &Maps<'_>) -> Vec<Trace> {
    let blobs = blobs(maps);
    let Some(heaviest) = blobs.first() else { return Vec::new() };
    let along = blobs.iter().fold(Point { x: 0.0, y: 0.0 }, |sum, blob| sum.plus(blob.along, 1.0));
    let slope = slope(&heaviest.places);
    let mut lines = gathered(&blobs, slope, thickness(heaviest));
    let longest = lines.iter().map(Strand::length).fold(0.0, f32::max);
    lines.retain(|line| line.length() >= SHORTEST * longest);
    lines.truncate(MOST_LINES);
    lines.sort_by(|one, other| one.level.total_cmp(&other.level));
    let traces = lines.iter().filter_map(Strand::trace);
    if along.x >= 0.0 { traces.collect() } else { traces.rev().map(reversed).collect() }
}

fn reversed(mut trace: Trace) -> Trace {
    trace.points.reverse();
    trace
}

/// Blobs that lie on one line.
struct Strand {
    places: Vec<Spot>,
    /// How far below the origin the line would cross the first column.
    level: f32,
}

/// The blobs put together to lines, the heaviest first.
fn gathered(blobs: &[Blob], slope: f32, thick: f32) -> Vec<Strand> {
    let mut lines: Vec<Strand> = Vec::new();
    for blob in blobs {
        let same =
            |line: &&mut Strand| apart(&line.places, &blob.places, slope, thick) < 0.8 * thick;
        match lines.iter_mut().find(same) {
            Some(line) => line.places.extend(&blob.places),
            None => {
                let level = level(blob.places.iter(), slope);
                lines.push(Strand { places: blob.places.clone(), level });
            }
        }
    }
    lines
}

/// How far one is above the other, where they are nearest to one another along the line: a page
/// that is bent takes its lines along.
fn apart(one: &[Spot], other: &[Spot], slope: f32, thick: f32) -> f32 {
    let reach = NEAR * thick;
    let ((left, right), (from, to)) = (columns(one), columns(other));
    let (one_near, other_near) = if to < left {
        (left..=left + reach, to - reach..=to)
    } else if right < from {
        (right - reach..=right, from..=from + reach)
    } else {
        (left..=right, from..=to)
    };
    let level = |places: &[Spot], near: RangeInclusive<f32>| {
        level(places.iter().filter(|seen| near.contains(&seen.at.x)), slope)
    };
    (level(one, one_near) - level(other, other_near)).abs()
}

/// The first and the last column.
fn columns(places: &[Spot]) -> (f32, f32) {
    let columns = places.iter().map(|seen| seen.at.x);
    columns.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

impl Strand {
    fn extent(&self) -> (f32, f32) {
        columns(&self.places)
    }

    fn length(&self) -> f32 {
        let (from, to) = self.extent();
        to - from + 1.0
    }

    /// `None` where it is not longer than high.
    fn trace(&self) -> Option<Trace> {
        let (from, to) = self.dense();
        let within = self.places.iter().filter(|seen| (from..=to).contains(&seen.at.x));
        let height = within.count() as f32 / (to - from + 1.0);
        // The locator sees round ends: half a height beyond the text.
        let (from, to) = (from + (height - 1.0) / 2.0, to - (height - 1.0) / 2.0);
        let middles = smoothed(&self.middles(from, to));
        let mut points = vec![beyond(&middles, from)];
        points.extend(middles.iter().filter(|at| (from..=to).contains(&at.x)));
        points.push(beyond(&middles, to));
        (from < to).then_some(Trace { points, height })
    }

    /// From the first to the last column that has half as many places as usual: a thin tail is none
    /// of the text.
    fn dense(&self) -> (f32, f32) {
        let (from, to) = self.extent();
        let mut counts = vec![0usize; (to - from + 1.0).max(1.0) as usize];
        for seen in &self.places {
            if let Some(count) = counts.get_mut((seen.at.x - from) as usize) {
                *count += 1;
            }
        }
        let mut sorted: Vec<usize> = counts.iter().copied().filter(|count| *count > 0).collect();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let dense = |count: &usize| 2 * count >= usual;
        let first = counts.iter().position(dense).unwrap_or_default();
        let last = counts.iter().rposition(dense).unwrap_or_default();
        (from + first as f32, from + last as f32)
    }

    /// The weighted middle of each stretch that has places.
    fn middles(&self, from: f32, to: f32) -> Vec<Point> {
        let mut sums = vec![(Point { x: 0.0, y: 0.0 }, 0.0f32); STRETCHES];
        for seen in &self.places {
            let stretch = (seen.at.x - from) / (to - from).max(1.0) * STRETCHES as f32;
            let stretch = (stretch.max(0.0) as usize).min(STRETCHES - 1);
            if let Some((sum, weight)) = sums.get_mut(stretch) {
                *sum = sum.plus(seen.at, seen.chance);
                *weight += seen.chance;
            }
        }
        let seen = sums.into_iter().filter(|(_, weight)| *weight > 1.0);
        seen.map(|(sum, weight)| sum.times(1.0 / weight)).collect()
    }
}

/// Each middle moved a third of the way to between its neighbours.
fn smoothed(middles: &[Point]) -> Vec<Point> {
    let between = |index: usize| {
        let before = middles.get(index.checked_sub(1)?)?;
        let (this, after) = (middles.get(index)?, middles.get(index + 1)?);
        let part = (this.x - before.x) / (after.x - before.x).max(1e-3);
        Some(before.y + (after.y - before.y) * part)
    };
    let moved = |(index, at): (usize, &Point)| Point {
        x: at.x,
        y: between(index).map_or(at.y, |y| at.y + (y - at.y) / 3.0),
    };
    middles.iter().enumerate().map(moved).collect()
}

/// Where the trace runs on to at a column near its end.
fn beyond(middles: &[Point], x: f32) -> Point {
    let (Some(first), Some(last)) = (middles.first(), middles.last()) else {
        return Point { x, y: 0.0 };
    };
    let count = middles.len();
    let (near, far) = if (x - first.x).abs() < (x - last.x).abs() {
        (first, middles.get(2.min(count - 1)).unwrap_or(last))
    } else {
        (last, middles.get(count.saturating_sub(3)).unwrap_or(first))
    };
    let run = near.x - far.x;
    let slope = if run.abs() < 1.0 { 0.0 } else { (near.y - far.y) / run };
    Point { x, y: near.y + slope * (x - near.x) }
}

/// The slope of the straight line through places that leaves the least squares.
fn slope(places: &[Spot]) -> f32 {
    let weight: f32 = places.iter().map(|seen| seen.chance).sum();
    let mean = |of: &dyn Fn(&Spot) -> f32| {
        places.iter().map(|seen| seen.chance * of(seen)).sum::<f32>() / weight.max(1e-6)
    };
    let (x, y) = (mean(&|seen| seen.at.x), mean(&|seen| seen.at.y));
    let across = mean(&|seen| (seen.at.x - x).powi(2));
    let both = mean(&|seen| (seen.at.x - x) * (seen.at.y - y));
    if across < 1.0 { 0.0 } else { both / across }
}

/// The mean height of places where the line would cross the first column.
fn level<'a>(places: impl Iterator<Item = &'a Spot>, slope: f32) -> f32 {
    let (sum, count) = places.fold((0.0, 0.0f32), |(sum, count), Spot { at, .. }| {
        (sum + at.y - slope * at.x, count + 1.0)
    });
    sum / count.max(1.0)
}

fn thickness(blob: &Blob) -> f32 {
    let strand = Strand { places: blob.places.clone(), level: 0.0 };
    strand.places.len() as f32 / strand.length()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 256;

    /// What a locator sees of lines whose middles are given by a function of the column, but for
    /// columns that are hidden.
    fn traced(
        lines: &[&dyn Fn(f32) -> f32],
        hidden: std::ops::Range<usize>,
        reading: f32,
    ) -> Vec<Trace> {
        let mut core = vec![-5.0; WIDTH * 64];
        for middle in lines {
            for x in (30..226).filter(|x| !hidden.contains(x)) {
                for y in 0..64 {
                    if (y as f32 - middle(x as f32)).abs() <= 2.0 {
                        core[y * WIDTH + x] = 5.0;
                    }
                }
            }
        }
        let (cosine, sine) = (vec![reading; core.len()], vec![0.0; core.len()]);
        traces(&Maps { width: WIDTH, core: &core, cosine: &cosine, sine: &sine })
    }

    #[test]
    fn bent_lines_are_followed() {
        let bend = |x: f32| 3.0 * (x / 80.0).sin();
        let (upper, lower) = (|x: f32| 22.0 + bend(x), |x: f32| 34.0 + bend(x));
        let found = traced(&[&upper, &lower], 0..0, 1.0);
        assert_eq!(found.len(), 2);
        for (trace, middle) in found.iter().zip([&upper as &dyn Fn(f32) -> f32, &lower]) {
            assert!(trace.points.iter().all(|at| (at.y - middle(at.x)).abs() < 0.6), "{trace:?}");
            assert!((trace.height - 4.5).abs() < 0.6);
            assert!((trace.points[0].x - 32.0).abs() < 1.0);
        }
    }

    #[test]
    fn a_line_goes_on_behind_what_hides_it() {
        let found = traced(&[&|x| 20.0 + x * 0.05, &|x| 33.0 + x * 0.05], 100..130, 1.0);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|trace| (trace.length() - 192.0).abs() < 3.0), "{found:?}");
    }

    #[test]
    fn a_bent_line_goes_on_where_it_was_going() {
        let bend = |x: f32| 7.0 * (x / 75.0).cos();
        let found = traced(&[&|x| 20.0 + bend(x), &|x| 31.0 + bend(x)], 60..72, 1.0);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|trace| (trace.length() - 193.0).abs() < 5.0), "{found:?}");
    }

    #[test]
    fn upside_down_the_last_line_is_the_first() {
        let found = traced(&[&|_| 20.0, &|_| 32.0, &|_| 44.0], 0..0, -1.0);
        let first = &found[0].points;
        assert_eq!(found.len(), 3);
        assert!(first[0].x > first[first.len() - 1].x && first[0].y > 40.0);
    }

    #[test]
    fn a_short_line_is_none() {
        let found = traced(&[&|_| 20.0, &|x| if x < 90.0 { 40.0 } else { -9.0 }], 0..0, 1.0);
        assert_eq!(found.len(), 1);
        assert!(traced(&[], 0..0, 1.0).is_empty());
    }
}
