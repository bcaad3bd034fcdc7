//! A picture in several sizes, each half of the one before: large steps over it lose no strokes and
//! cost no more than small ones.

use super::{geometry::Grid, gray::Gray};

/// The longer side below which a picture is not made smaller.
const SMALL: usize = 640;

/// The picture, and the same made smaller.
pub(super) struct Pyramid {
    pub(super) picture: Gray,
    smaller: Vec<Gray>,
}

impl Pyramid {
    pub(super) fn new(picture: Gray) -> Self {
        let mut smaller: Vec<Gray> = Vec::new();
        loop {
            let last = smaller.last().unwrap_or(&picture);
            if last.width.max(last.height) < SMALL {
                break;
            }
            let half = last.halved();
            smaller.push(half);
        }
        Self { picture, smaller }
    }

    /// The size in which steps of `step` pixels are steps of one to two, and how much smaller it is.
    pub(super) fn fitting(&self, step: f32) -> (&Gray, f32) {
        let halved = step.max(1.0).log2() as usize;
        match self.smaller.get(..halved.min(self.smaller.len())) {
            Some([.., picture]) => (picture, (halved.min(self.smaller.len()) as f32).exp2()),
            _ => (&self.picture, 1.0),
        }
    }

    /// The mean of the picture within each cell of a grid, row by row.
    pub(super) fn rectified(&self, grid: &Grid, width: usize, height: usize) -> Vec<f32> {
        let (picture, factor) = self.fitting(grid.step());
        grid.shrunk(factor).rectified(picture, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::geometry::Point;

    #[test]
    fn a_large_step_is_taken_over_a_small_picture() {
        let pyramid = Pyramid::new(Gray::compute(1400, 700, |x, _| (x / 8) as u8));
        let sizes = [1.0, 1.9, 2.0, 3.9, 4.0, 90.0].map(|step| pyramid.fitting(step));
        assert_eq!(sizes.map(|(picture, _)| picture.width), [1400, 1400, 700, 700, 350, 350]);
        assert_eq!(sizes.map(|(_, factor)| factor), [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
    }

    #[test]
    fn every_size_shows_the_same() {
        let pyramid = Pyramid::new(Gray::compute(1400, 700, |x, _| (x / 8) as u8));
        let means = |step: f32| {
            let grid = Grid {
                corner: Point { x: 99.5, y: 99.5 },
                across: Point { x: step, y: 0.0 },
                down: Point { x: 0.0, y: step },
            };
            pyramid.rectified(&grid, 2, 1)
        };
        let wanted = |from: f32, step: f32| (from + step / 2.0 - 0.5) / 8.0;
        for step in [1.5, 4.0, 16.0] {
            let found = means(step);
            assert!((found[0] - wanted(100.0, step)).abs() < 1.0, "{step}: {found:?}");
            assert!((found[1] - wanted(100.0 + step, step)).abs() < 1.0, "{step}: {found:?}");
        }
    }
}
