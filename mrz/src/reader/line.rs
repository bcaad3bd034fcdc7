//! One line of text in a picture: fitting it to the ink, and the tight crop the recogniser takes.

use super::{
    gray::Gray,
    locate::CHARACTERS,
    network::{CROP_HEIGHT, CROP_WIDTH},
};

/// A place in the picture, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Point {
    fn plus(self, other: Self, times: f32) -> Self {
        Self { x: self.x + other.x * times, y: self.y + other.y * times }
    }
}

/// The middle of a line of characters, from the left edge of the first to the right edge of the
/// last.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) start: Point,
    pub(super) end: Point,
}

/// Pixels per character in the strip that a line is fitted in.
const FINE: f32 = 12.0;
/// Characters of room around the line in that strip.
const ROOM: f32 = 3.0;
/// Half of that strip's height, in characters.
const HALF_STRIP: f32 = 1.2;
/// The height of capitals, in strip pixels.
const CAPITAL: usize = 11;

/// What is left of and right of the text in a crop, in characters.
pub(super) const MARGIN: f32 = 0.3;

impl Line {
    /// The width of one character, in pixels.
    pub(super) fn pitch(&self) -> f32 {
        self.length() / CHARACTERS as f32
    }

    fn length(&self) -> f32 {
        (self.end.x - self.start.x).hypot(self.end.y - self.start.y)
    }

    /// One pixel along the line, and one at right angles below it.
    fn axes(&self) -> (Point, Point) {
        let length = self.length().max(1.0);
        let (x, y) = ((self.end.x - self.start.x) / length, (self.end.y - self.start.y) / length);
        (Point { x, y }, Point { x: -y, y: x })
    }

    /// Whether both ends are where the other line's are, to a tenth of a character: far less than
    /// the recogniser was trained to take.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let near = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y) * 10.0 <= self.pitch();
        near(self.start, other.start) && near(self.end, other.end)
    }

    /// The part from `from` to `to` characters, counted from the start.
    pub(super) fn part(&self, from: f32, to: f32) -> Self {
        let (along, _) = self.axes();
        let at = |characters: f32| self.start.plus(along, characters * self.pitch());
        Self { start: at(from), end: at(to) }
    }

    /// The line's picture for the recogniser: `half_height` characters above and below its middle,
    /// moved down by `shift` characters, normalised as in training.
    pub(super) fn crop(&self, picture: &Gray, half_height: f32, shift: f32) -> Vec<f32> {
        let pitch = self.pitch();
        let (along, down) = self.axes();
        let corner =
            self.start.plus(along, -MARGIN * pitch).plus(down, (shift - half_height) * pitch);
        let width = (CHARACTERS as f32 + 2.0 * MARGIN) * pitch;
        let grid = Grid {
            corner,
            across: scaled(along, width / CROP_WIDTH as f32),
            down: scaled(down, 2.0 * half_height * pitch / CROP_HEIGHT as f32),
        };
        normalised(&grid.rectified(picture, CROP_WIDTH, CROP_HEIGHT))
    }

    /// The line moved onto the ink: turned, shifted up or down, and cut to where the ink begins and
    /// ends. `None` where there is none.
    pub(super) fn fitted(&self, picture: &Gray) -> Option<Self> {
        let scale = self.pitch() / FINE;
        let (along, down) = self.axes();
        let corner =
            self.start.plus(along, -ROOM * self.pitch()).plus(down, -HALF_STRIP * self.pitch());
        let width = ((CHARACTERS as f32 + 2.0 * ROOM) * FINE) as usize;
        let height = (2.0 * HALF_STRIP * FINE) as usize;
        let grid = Grid { corner, across: scaled(along, scale), down: scaled(down, scale) };
        let values = grid.rectified(picture, width, height);
        let strip = Gray::compute(width, height, |x, y| {
            values.get(y * width + x).map_or(255, |value| value.round().clamp(0.0, 255.0) as u8)
        });
        let ink = strip.black_hat(CAPITAL / 2);
        let tilt = best_tilt(&ink);
        let top = best_top(&rows(&ink, tilt));
        let (from, to) = extent(&ink, tilt, top)?;
        let middle = |x: usize| {
            let y = top as f32 + CAPITAL as f32 / 2.0 + drift(tilt, x, width) as f32;
            corner.plus(grid.across, x as f32).plus(grid.down, y)
        };
        Some(Self { start: middle(from), end: middle(to) })
    }
}

fn scaled(point: Point, times: f32) -> Point {
    Point { x: point.x * times, y: point.y * times }
}

/// A grid laid over the picture: its top left corner and the steps of its columns and rows.
struct Grid {
    corner: Point,
    across: Point,
    down: Point,
}

impl Grid {
    /// The mean of the picture within each cell of the grid, row by row.
    fn rectified(&self, picture: &Gray, width: usize, height: usize) -> Vec<f32> {
        let (columns, lines) = (samples(self.across), samples(self.down));
        let share = 1.0 / (columns * lines) as f32;
        let across: Vec<Point> =
            steps(width, columns).map(|step| self.corner.plus(self.across, step)).collect();
        let down: Vec<Point> = steps(height, lines).map(|step| scaled(self.down, step)).collect();
        let mut means = Vec::with_capacity(width * height);
        for down in down.chunks_exact(lines) {
            means.extend(across.chunks_exact(columns).map(|across| {
                let mut sum = 0.0;
                for down in down {
                    for across in across {
                        sum += picture.sample(across.x + down.x - 0.5, across.y + down.y - 0.5);
                    }
                }
                sum * share
            }));
        }
        means
    }
}

/// Where the samples lie along one side of the grid, `each` to a cell.
fn steps(cells: usize, each: usize) -> impl Iterator<Item = f32> {
    let within = move |sample: usize| (sample as f32 + 0.5) / each as f32;
    (0..cells).flat_map(move |cell| (0..each).map(move |sample| cell as f32 + within(sample)))
}

fn samples(step: Point) -> usize {
    (step.x.hypot(step.y).round() as usize).clamp(1, 8)
}

/// As `training/linegen.py`: the 2nd and 98th percentile of every fourth column become -1 and 1;
/// what lies beyond ±2 is cut off.
fn normalised(values: &[f32]) -> Vec<f32> {
    let mut some: Vec<f32> = values.iter().step_by(4).copied().collect();
    let mut at = |share: f32| {
        let index = (some.len().max(1) - 1) as f32 * share;
        let (_, value, _) = (!some.is_empty())
            .then(|| some.select_nth_unstable_by(index as usize, f32::total_cmp))?;
        Some(*value)
    };
    let (low, high) = (at(0.02).unwrap_or(0.0), at(0.98).unwrap_or(255.0));
    let half = (high - low).max(8.0) / 2.0;
    values.iter().map(|value| ((value - (low + high) / 2.0) / half).clamp(-2.0, 2.0)).collect()
}

/// How far a column lies below the middle one where the strip's text ends `tilt` pixels lower than
/// its middle.
fn drift(tilt: i32, x: usize, width: usize) -> i32 {
    let half = width as f32 / 2.0;
    (tilt as f32 * (x as f32 - half) / half).round() as i32
}

/// The ink of each row, the rows tilted.
fn rows(ink: &Gray, tilt: i32) -> Vec<u32> {
    let drifts: Vec<i32> = (0..ink.width).map(|x| drift(tilt, x, ink.width)).collect();
    let row = |y: usize| {
        let mut from = 0;
        let parts = drifts.chunk_by(|one, other| one == other).map(|part| {
            let columns = from..from + part.len();
            from = columns.end;
            let drift = part.first().copied().unwrap_or(0);
            let row = usize::try_from(y as i32 + drift).ok().filter(|y| *y < ink.height);
            let values = row.and_then(|y| ink.row(y).get(columns)).unwrap_or_default();
            values.iter().map(|value| u32::from(*value)).sum::<u32>()
        });
        parts.sum()
    };
    (0..ink.height).map(row).collect()
}

fn tilted(ink: &Gray, tilt: i32, x: usize, y: usize) -> u32 {
    let y = usize::try_from(y as i32 + drift(tilt, x, ink.width)).ok();
    y.filter(|y| *y < ink.height).map_or(0, |y| u32::from(ink.at(x, y)))
}

/// The tilt at which rows differ most.
fn best_tilt(ink: &Gray) -> i32 {
    let contrast = |tilt: i32| -> u64 {
        let rows = rows(ink, tilt);
        rows.windows(2)
            .map(|pair| if let [a, b] = pair { u64::from(a.abs_diff(*b)).pow(2) } else { 0 })
            .sum()
    };
    (-6..=6).max_by_key(|tilt| (contrast(*tilt), -tilt.abs())).unwrap_or(0)
}

/// The top of the rows of a capital's height that have the most ink (the middle one of equals).
fn best_top(rows: &[u32]) -> usize {
    let sums: Vec<u32> = rows.windows(CAPITAL).map(|window| window.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0);
    let good: Vec<usize> = (0..sums.len())
        .filter(|top| sums.get(*top).is_some_and(|sum| *sum >= most - most / 50))
        .collect();
    good.iter().sum::<usize>() / good.len().max(1)
}

/// Where the line's ink begins and ends: outwards from the middle until more than a character has
/// hardly any.
fn extent(ink: &Gray, tilt: i32, top: usize) -> Option<(usize, usize)> {
    let column = |x: usize| (top..top + CAPITAL).map(|y| tilted(ink, tilt, x, y)).sum::<u32>();
    let columns: Vec<u32> = (0..ink.width).map(column).collect();
    let mut sorted = columns.clone();
    sorted.sort_unstable();
    let much = *sorted.get(sorted.len() * 9 / 10)?;
    let inked: Vec<usize> =
        (0..columns.len()).filter(|x| columns.get(*x).is_some_and(|sum| *sum * 4 > much)).collect();
    let middle = inked.partition_point(|x| *x < ink.width / 2);
    let (left, right) = inked.split_at_checked(middle)?;
    let gap = (1.6 * FINE) as usize;
    let reach = |from: usize, next: &usize| (next.abs_diff(from) <= gap).then_some(*next);
    let from = left.iter().rev().try_fold(ink.width / 2, |at, x| reach(at, x).ok_or(at));
    let to = right.iter().try_fold(ink.width / 2, |at, x| reach(at, x).ok_or(at));
    let (from, to) = (from.unwrap_or_else(|at| at), to.unwrap_or_else(|at| at) + 1);
    (to > from + CHARACTERS * FINE as usize / 2).then_some((from, to))
}
