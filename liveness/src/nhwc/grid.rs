//! Where the numbers of a picture lie: row after row, in a row pixel after pixel, in a pixel channel
//! after channel (NHWC).

/// Channels come in blocks of so many numbers, zeros behind the last: every vector unit's width
/// divides it.
pub(super) const BLOCK: usize = 16;

/// Pixels of zeros around a picture, so that a window at its edge needs no case of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Border {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) bottom: usize,
    pub(super) right: usize,
}

impl Border {
    /// The least border that holds both.
    pub(super) fn around(self, other: Border) -> Border {
        Border {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

/// The shape of a picture in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Numbers from one pixel to the next.
    pub(super) pixel: usize,
    pub(super) border: Border,
}

impl Grid {
    /// Channels in blocks, no border.
    pub(super) fn new(height: usize, width: usize, channels: usize) -> Grid {
        let pixel = channels.next_multiple_of(BLOCK);
        Grid { height, width, channels, pixel, border: Border::default() }
    }

    /// Numbers from one row to the next.
    pub(super) fn row(&self) -> usize {
        (self.border.left + self.width + self.border.right) * self.pixel
    }

    pub(super) fn len(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row()
    }

    /// Where a pixel begins.
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        (self.border.top + y) * self.row() + (self.border.left + x) * self.pixel
    }

    /// Where the window of the output pixel 0, 0 begins that reaches over the edges by `pads`, which
    /// are no wider than the border.
    pub(super) fn window(&self, pads: Border) -> usize {
        let (top, left) = (self.border.top - pads.top, self.border.left - pads.left);
        top * self.row() + left * self.pixel
    }

    /// The numbers of a row of pixels, without its border.
    pub(super) fn inner_row(&self, y: usize) -> std::ops::Range<usize> {
        let start = self.at(y, 0);
        start..start + self.width * self.pixel
    }

    /// Sets the border to zeros.
    pub(super) fn clear_border(&self, picture: &mut [f32]) {
        let mut end = 0;
        for y in 0..self.height {
            let inner = self.inner_row(y);
            fill(picture, end..inner.start);
            end = inner.end;
        }
        fill(picture, end..self.len());
    }
}

fn fill(picture: &mut [f32], range: std::ops::Range<usize>) {
    if let Some(part) = picture.get_mut(range) {
        part.fill(0.0);
    }
}

/// A window that moves over a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) step_y: usize,
    pub(super) step_x: usize,
    pub(super) pads: Border,
}

impl Window {
    /// One pixel.
    pub(super) const PIXEL: Window = Window {
        height: 1,
        width: 1,
        step_y: 1,
        step_x: 1,
        pads: Border { top: 0, left: 0, bottom: 0, right: 0 },
    };

    /// Where the window of every output pixel begins, row by row.
    pub(super) fn starts(&self, input: &Grid, output: &Grid) -> Vec<usize> {
        let first = input.window(self.pads);
        let (down, right) = (self.step_y * input.row(), self.step_x * input.pixel);
        let row = |y| (0..output.width).map(move |x| first + y * down + x * right);
        (0..output.height).flat_map(row).collect()
    }

    /// The places in the window, from its beginning.
    pub(super) fn taps(&self, input: &Grid) -> Vec<usize> {
        let (row, pixel) = (input.row(), input.pixel);
        let across = |y| (0..self.width).map(move |x| y * row + x * pixel);
        (0..self.height).flat_map(across).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_within_the_border() {
        let border = Border { top: 1, left: 2, bottom: 0, right: 1 };
        let grid = Grid { border, ..Grid::new(3, 4, 20) };
        assert_eq!((grid.pixel, grid.row(), grid.len()), (32, 7 * 32, 4 * 7 * 32));
        assert_eq!(grid.at(0, 0), 7 * 32 + 2 * 32);
        let mut picture = vec![1.0; grid.len()];
        grid.clear_border(&mut picture);
        let inside: Vec<usize> = (0..3).flat_map(|y| grid.inner_row(y)).collect();
        let ones = (0..picture.len()).filter(|at| picture[*at] == 1.0);
        assert_eq!(ones.collect::<Vec<_>>(), inside);
    }

    #[test]
    fn windows_begin_in_the_border_and_move_by_their_step() {
        let pads = Border { top: 1, left: 1, bottom: 1, right: 1 };
        let window = Window { height: 3, width: 3, step_y: 2, step_x: 2, pads };
        let input = Grid { border: pads, ..Grid::new(4, 4, 16) };
        let starts = window.starts(&input, &Grid::new(2, 2, 16));
        assert_eq!(starts, [0, 2 * 16, 2 * 6 * 16, 2 * 6 * 16 + 2 * 16]);
        assert_eq!(window.taps(&input)[..4], [0, 16, 32, 6 * 16]);
    }
}
