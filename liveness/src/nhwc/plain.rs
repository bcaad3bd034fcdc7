//! The layers that cost next to nothing, number by number.

use super::grid::{Border, Grid};

/// What a layer does.
pub(super) enum Kind {
    /// Two pictures, number by number.
    Add,
    /// A picture times a picture of one pixel.
    Mul,
    /// Each channel times a gain, plus an offset.
    Affine {
        gains: Vec<f32>,
        offsets: Vec<f32>,
    },
    /// What is below zero times a slope for each channel.
    Rectify(Vec<f32>),
    Sigmoid,
    /// Zeros behind the last channel, and around.
    Pad(Border),
}

/// The layer.
pub(super) struct Plain {
    pub(super) kind: Kind,
    pub(super) input: Grid,
    pub(super) other: Option<Grid>,
    pub(super) output: Grid,
}

impl Plain {
    /// Over some pictures.
    pub(super) fn run(&self, input: &[f32], other: Option<&[f32]>, output: &mut [f32]) {
        let pictures = output.chunks_exact_mut(self.output.len());
        for (image, output) in pictures.enumerate() {
            let input = input.get(image * self.input.len()..).unwrap_or_default();
            let other_size = self.other.map_or(0, |grid| grid.len());
            let other = other.and_then(|other| other.get(image * other_size..));
            self.picture(input, other.unwrap_or_default(), output);
        }
    }

    fn picture(&self, input: &[f32], other: &[f32], output: &mut [f32]) {
        for y in 0..self.output.height {
            let Some(row) = output.get_mut(self.output.inner_row(y)) else { return };
            match &self.kind {
                Kind::Pad(border) => self.padded(*border, y, input, row),
                kind => self.row(kind, y, (input, other), row),
            }
        }
    }

    fn row(&self, kind: &Kind, y: usize, (input, other): (&[f32], &[f32]), row: &mut [f32]) {
        let pixel = self.output.pixel;
        row.copy_from_slice(input.get(self.input.inner_row(y)).unwrap_or_default());
        let with = |row: &mut [f32], values: &[f32], make: fn(&mut f32, f32)| {
            row.iter_mut().zip(values).for_each(|(there, value)| make(there, *value));
        };
        let by_channel = |row: &mut [f32], values: &[f32], make: fn(&mut f32, f32)| {
            row.chunks_exact_mut(pixel).for_each(|there| with(there, values, make));
        };
        match kind {
            Kind::Add => {
                let other = self.other.and_then(|grid| other.get(grid.inner_row(y)));
                with(row, other.unwrap_or_default(), |there, value| *there += value);
            }
            Kind::Mul => {
                let factors = self.other.and_then(|grid| other.get(grid.inner_row(0)));
                by_channel(row, factors.unwrap_or_default(), |there, value| *there *= value);
            }
            Kind::Affine { gains, offsets } => {
                by_channel(row, gains, |there, value| *there *= value);
                by_channel(row, offsets, |there, value| *there += value);
            }
            Kind::Rectify(slopes) => {
                by_channel(row, slopes, |there, slope| {
                    *there = if *there < 0.0 { *there * slope } else { *there };
                });
            }
            Kind::Sigmoid => {
                row.iter_mut().for_each(|there| *there = 1.0 / (1.0 + (-*there).exp()))
            }
            Kind::Pad(_) => {}
        }
    }

    fn padded(&self, border: Border, y: usize, input: &[f32], row: &mut [f32]) {
        row.fill(0.0);
        let inside = y.checked_sub(border.top).filter(|y| *y < self.input.height);
        let pixels = inside.and_then(|y| input.get(self.input.inner_row(y)));
        let pixels = pixels.unwrap_or_default().chunks_exact(self.input.pixel);
        let row = row.chunks_exact_mut(self.output.pixel).skip(border.left);
        for (there, pixel) in row.zip(pixels) {
            there.iter_mut().zip(pixel).for_each(|(there, value)| *there = *value);
        }
    }
}
