//! Places in a picture, and regular grids laid over it.

use super::gray::Gray;

/// A place in the picture, in pixels, the middles of pixels at whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Point {
    pub(super) fn plus(self, other: Self, times: f32) -> Self {
        Self { x: self.x + other.x * times, y: self.y + other.y * times }
    }

    pub(super) fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    pub(super) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// Turned by a quarter to the right, as "down" is to "along".
    pub(super) fn turned(self) -> Self {
        Self { x: -self.y, y: self.x }
    }

    /// The same direction with length 1; along the rows where it has no length.
    pub(super) fn unit(self) -> Self {
        let length = self.x.hypot(self.y);
        if length > 1e-6 {
            Self { x: self.x / length, y: self.y / length }
        } else {
            Self { x: 1.0, y: 0.0 }
        }
    }

    pub(super) fn times(self, factor: f32) -> Self {
        Self { x: self.x * factor, y: self.y * factor }
    }
}

/// A grid of equal cells: the outer corner of the first, and the steps of columns and rows.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) corner: Point,
    pub(super) across: Point,
    pub(super) down: Point,
}

impl Grid {
    /// The place of a point given in cells, the middles of cells at whole numbers.
    pub(super) fn place(&self, cell: Point) -> Point {
        self.corner.plus(self.across, cell.x + 0.5).plus(self.down, cell.y + 0.5)
    }

    /// The same grid over the picture made `factor` times smaller.
    pub(super) fn shrunk(&self, factor: f32) -> Self {
        let place = |point: Point| Point {
            x: (point.x + 0.5) / factor - 0.5,
            y: (point.y + 0.5) / factor - 0.5,
        };
        let (across, down) = (self.across.times(1.0 / factor), self.down.times(1.0 / factor));
        Self { corner: place(self.corner), across, down }
    }

    /// The picture's pixels from one cell to the next.
    pub(super) fn step(&self) -> f32 {
        let length = |step: Point| step.x.hypot(step.y);
        length(self.across).min(length(self.down))
    }

    /// The mean of the picture within each cell, row by row.
    pub(super) fn rectified(&self, picture: &Gray, width: usize, height: usize) -> Vec<f32> {
        let (columns, lines) = (samples(self.across), samples(self.down));
        let share = 1.0 / (columns * lines) as f32;
        let across: Vec<Point> =
            steps(width, columns).map(|step| self.corner.plus(self.across, step)).collect();
        let down: Vec<Point> = steps(height, lines).map(|step| self.down.times(step)).collect();
        let mut means = Vec::with_capacity(width * height);
        for down in down.chunks_exact(lines) {
            means.extend(across.chunks_exact(columns).map(|across| {
                let mut sum = 0.0;
                for down in down {
                    for across in across {
                        sum += picture.sample(across.x + down.x, across.y + down.y);
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

/// How many samples a step needs, so that no stroke falls between them.
pub(super) fn samples(step: Point) -> usize {
    (step.x.hypot(step.y).round() as usize).clamp(1, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_takes_the_mean_of_each_cell() {
        let picture = Gray::compute(8, 4, |x, _| (x * 10) as u8);
        let grid = Grid {
            corner: Point { x: -0.5, y: -0.5 },
            across: Point { x: 2.0, y: 0.0 },
            down: Point { x: 0.0, y: 2.0 },
        };
        let means = grid.rectified(&picture, 4, 2);
        assert_eq!(means[1], 25.0);
        assert_eq!(grid.place(Point { x: 1.0, y: 0.0 }), Point { x: 2.5, y: 0.5 });
        let small = grid.shrunk(2.0);
        assert_eq!(small.corner, Point { x: -0.5, y: -0.5 });
        assert_eq!(small.step(), 1.0);
    }

    #[test]
    fn a_quarter_turn_leads_from_along_to_down() {
        assert_eq!(Point { x: 1.0, y: 0.0 }.turned(), Point { x: -0.0, y: 1.0 });
        assert_eq!(Point { x: 0.0, y: 0.0 }.unit(), Point { x: 1.0, y: 0.0 });
    }
}
