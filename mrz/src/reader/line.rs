//! One line of text in a picture: where its characters are along its trace, and the crop that the
//! recogniser takes.

use super::{
    geometry::{Point, samples},
    network::{CROP_HEIGHT, CROP_WIDTH},
    pyramid::Pyramid,
    trace::Trace,
};

/// What is left of and right of the text in a crop, in characters.
pub(super) const MARGIN: f32 = 0.3;

/// A line of so many characters along a trace, from the left edge of the first to the right edge of
/// the last.
#[derive(Clone, Debug)]
pub(super) struct Line {
    trace: Trace,
    /// Where the text begins and ends, in pixels along the trace from its first point.
    from: f32,
    to: f32,
    /// The root of how much wider the last character is than the first: 1 on a page seen straight.
    taper: f32,
    pub(super) characters: usize,
}

impl Line {
    pub(super) fn new(trace: Trace, characters: usize) -> Self {
        let to = trace.length();
        Self { trace, from: 0.0, to, taper: 1.0, characters }
    }

    /// The line as far below the lower one as that is below the upper one, with as many characters.
    pub(super) fn below(upper: &Self, lower: &Self) -> Self {
        let characters = lower.characters;
        let point = |at: usize| {
            let at = at as f32;
            lower.place(at).times(2.0).plus(upper.place(at), -1.0)
        };
        let points = (0..=characters).step_by(2).map(point).collect();
        Self::new(Trace { points, height: lower.trace.height }, characters).tapered(lower.taper)
    }

    /// The width of one character, in pixels.
    pub(super) fn pitch(&self) -> f32 {
        (self.to - self.from) / self.characters.max(1) as f32
    }

    /// The first and the last point of the text.
    pub(super) fn ends(&self) -> [Point; 2] {
        [self.from, self.to].map(|at| self.at(at).0)
    }

    /// Whether both ends are where the other line's are, to a tenth of a character: far less than
    /// the recogniser was trained to take.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let near = |a: f32, b: f32| (a - b).abs() * 10.0 <= self.pitch();
        let middle = self.characters as f32 / 2.0;
        near(self.from, other.from)
            && near(self.to, other.to)
            && near(self.along(middle), other.along(middle))
    }

    /// The part from `from` to `to` characters, counted from the start.
    pub(super) fn part(&self, from: f32, to: f32) -> Self {
        let taper = self.narrowness(from) / self.narrowness(to);
        Self { from: self.along(from), to: self.along(to), taper, ..self.clone() }
    }

    /// The same, its last character being so much wider (as a root) beside the first than on this
    /// line.
    pub(super) fn tapered(&self, taper: f32) -> Self {
        Self { taper: self.taper * taper, ..self.clone() }
    }

    /// How far along the trace so many characters reach: by central projection a page that leans
    /// away takes its columns nearer and nearer together.
    fn along(&self, characters: f32) -> f32 {
        let share = characters / self.characters.max(1) as f32;
        self.from + (self.to - self.from) * share / self.narrowness(characters)
    }

    /// The inverse root of how wide a character is at a place, beside the last one.
    fn narrowness(&self, characters: f32) -> f32 {
        let share = characters / self.characters.max(1) as f32;
        (share + self.taper * (1.0 - share)).max(0.1)
    }

    /// The place of one character behind the end, less what a crop of it shows of the last.
    pub(super) fn beyond(&self) -> Self {
        let from = self.characters as f32 + 2.0 * MARGIN;
        Self { characters: 1, ..self.part(from, from + 1.0) }
    }

    /// The last so many characters.
    pub(super) fn last(&self, characters: usize) -> Self {
        let to = self.characters as f32;
        Self { characters, ..self.part(to - characters as f32, to) }
    }

    /// The middle of the line so many characters from its start.
    pub(super) fn place(&self, characters: f32) -> Point {
        self.at(self.along(characters)).0
    }

    /// The place so many characters from the line's start, and so many below its middle.
    pub(super) fn beside(&self, characters: f32, below: f32) -> Point {
        let (middle, direction) = self.at(self.along(characters));
        middle.plus(direction.turned(), below * self.pitch())
    }

    /// The point so many pixels along the trace, and the direction there; the trace goes on straight
    /// beyond its ends.
    fn at(&self, along: f32) -> (Point, Point) {
        let mut left = along;
        let mut pairs = self.trace.points.windows(2).peekable();
        while let Some(pair) = pairs.next() {
            let [a, b] = pair else { break };
            let length = a.distance(*b);
            let direction = b.plus(*a, -1.0).unit();
            if left <= length || pairs.peek().is_none() {
                return (a.plus(direction, left), direction);
            }
            left -= length;
        }
        let first = self.trace.points.first().copied().unwrap_or(Point { x: 0.0, y: 0.0 });
        (first.plus(Point { x: 1.0, y: 0.0 }, along), Point { x: 1.0, y: 0.0 })
    }

    /// The line's picture for the recogniser, normalised as in training.
    pub(super) fn crop(&self, pyramid: &Pyramid, half_height: f32, shift: f32) -> Vec<f32> {
        normalised(&self.sampled(pyramid, half_height, shift))
    }

    /// The line's picture, `half_height` characters above and below its middle, moved down by
    /// `shift` characters: `CROP_HEIGHT` rows of `CROP_WIDTH` values.
    pub(super) fn sampled(&self, pyramid: &Pyramid, half_height: f32, shift: f32) -> Vec<f32> {
        let pitch = self.pitch();
        let step = (self.characters as f32 + 2.0 * MARGIN) * pitch / CROP_WIDTH as f32;
        let rise = 2.0 * half_height * pitch / CROP_HEIGHT as f32;
        let (picture, factor) = pyramid.fitting(step.min(rise));
        let across = samples(Point { x: step / factor, y: 0.0 });
        let down = samples(Point { x: rise / factor, y: 0.0 });
        let share = 1.0 / (across * down) as f32;
        let mut crop = vec![0.0; CROP_WIDTH * CROP_HEIGHT];
        for column in 0..CROP_WIDTH * across {
            let along = (column as f32 + 0.5) / across as f32 * step / pitch - MARGIN;
            let (middle, direction) = self.at(self.along(along));
            let normal = direction.turned();
            for row in 0..CROP_HEIGHT * down {
                let below = (row as f32 + 0.5) / down as f32 * rise + (shift - half_height) * pitch;
                let Point { x, y } = middle.plus(normal, below);
                let value = picture.sample((x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5);
                if let Some(cell) = crop.get_mut(row / down * CROP_WIDTH + column / across) {
                    *cell += value * share;
                }
            }
        }
        crop
    }
}

/// As `training/linegen.py`: the 2nd and 98th percentile of every fourth column become -1 and 1;
/// what lies beyond ±2 is cut off.
fn normalised(values: &[f32]) -> Vec<f32> {
    let (low, high) = spread(values.iter().step_by(4).copied().collect(), 0.02);
    let half = (high - low).max(8.0) / 2.0;
    values.iter().map(|value| ((value - (low + high) / 2.0) / half).clamp(-2.0, 2.0)).collect()
}

/// The values that `share` of all lie below and above.
pub(super) fn spread(mut values: Vec<f32>, share: f32) -> (f32, f32) {
    let count = values.len();
    let mut at = |share: f32| {
        let index = (count.max(1) - 1) as f32 * share;
        let (_, value, _) =
            (count > 0).then(|| values.select_nth_unstable_by(index as usize, f32::total_cmp))?;
        Some(*value)
    };
    (at(share).unwrap_or(0.0), at(1.0 - share).unwrap_or(255.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::gray::Gray;

    fn straight() -> Line {
        let points = [40.0, 200.0, 480.0].map(|x| Point { x, y: 50.0 }).to_vec();
        Line::new(Trace { points, height: 10.0 }, 44)
    }

    #[test]
    fn a_crop_shows_what_lies_along_the_trace() {
        let line = straight();
        assert_eq!(line.pitch(), 10.0);
        // Dark from the eleventh character on.
        let picture = Gray::compute(600, 100, |x, _| if x >= 140 { 20 } else { 220 });
        let crop = line.crop(&Pyramid::new(picture), 0.7, 0.0);
        let edge = (10.3 / 44.6 * CROP_WIDTH as f32) as usize;
        assert_eq!(crop.len(), CROP_WIDTH * CROP_HEIGHT);
        assert!(crop[edge - 3] > 0.9 && crop[edge + 3] < -0.9);
    }

    #[test]
    fn a_part_is_counted_in_characters() {
        let part = straight().part(1.0, 45.0);
        let [first, last] = part.ends();
        assert_eq!((first.x, last.x), (50.0, 490.0));
        assert!(part.is_as(&straight().part(1.05, 45.05)) && !part.is_as(&straight()));
        assert_eq!(straight().place(3.5).x, 75.0);
        let (beyond, last) = (straight().beyond(), straight().last(6));
        assert_eq!((beyond.pitch(), beyond.ends().map(|at| at.x)), (10.0, [486.0, 496.0]));
        assert_eq!((last.pitch(), last.ends().map(|at| at.x)), (10.0, [420.0, 480.0]));
    }

    #[test]
    fn characters_become_narrower_along_a_line_that_leans_away() {
        let line = straight().tapered(0.8);
        let place = |characters: f32| line.place(characters).x;
        assert_eq!([place(0.0), place(44.0)], [40.0, 480.0]);
        let (first, last) = (place(1.0) - place(0.0), place(44.0) - place(43.0));
        assert!((last / first - 0.64).abs() < 0.02, "{first} {last}");
        assert!(!line.is_as(&straight()));
        let part = line.part(10.0, 32.0);
        for (of_part, of_line) in [(0.0, 10.0), (8.0, 14.0), (22.0, 21.0), (44.0, 32.0)] {
            assert!((part.place(of_part).x - place(of_line)).abs() < 0.01, "{of_part}");
        }
        assert!((line.beyond().place(0.0).x - place(44.6)).abs() < 0.01);
    }

    #[test]
    fn the_next_line_is_as_far_below() {
        let line = |x: f32, y: f32| {
            let points = [0.0, 300.0].map(|along| Point { x: x + along, y: y + 0.1 * along });
            Line::new(Trace { points: points.to_vec(), height: 10.0 }, 30)
        };
        let below = Line::below(&line(50.0, 20.0), &line(52.0, 45.0));
        let [first, last] = below.ends();
        assert!(first.distance(Point { x: 54.0, y: 70.0 }) < 0.1, "{first:?}");
        assert!(last.distance(Point { x: 354.0, y: 100.0 }) < 0.1, "{last:?}");
        assert!(below.is_as(&Line { trace: below.trace.clone(), ..line(54.0, 70.0) }));
    }

    #[test]
    fn a_bent_trace_is_made_straight() {
        let height = |x: f32| 50.0 + 8.0 * (x / 90.0).sin();
        let points = (0..16).map(|i| 40.0 + 27.0 * i as f32).map(|x| Point { x, y: height(x) });
        let line = Line::new(Trace { points: points.collect(), height: 10.0 }, 44);
        let picture = Gray::compute(600, 100, |x, y| {
            if (y as f32 - height(x as f32)).abs() < 3.0 { 20 } else { 220 }
        });
        let crop = line.crop(&Pyramid::new(picture), 0.7, 0.0);
        let middle = &crop[CROP_WIDTH * CROP_HEIGHT / 2..][..CROP_WIDTH];
        assert!(middle[10..CROP_WIDTH - 10].iter().all(|value| *value < -0.8));
    }
}
