//! What is done to a sum before it is written: another picture added, then a rectifier.

use fearless_simd::Simd;

use super::grid::{Grid, Window};
use super::vector::{load, rectified};

/// The end of a layer.
pub(super) struct Finish {
    /// For each channel, zeros behind the last.
    bias: Vec<f32>,
    residual: Option<Residual>,
    /// What a number below zero is multiplied with, for each channel.
    slopes: Option<Vec<f32>>,
}

/// A picture of the output's size that is added.
struct Residual {
    grid: Grid,
    places: Vec<usize>,
}

impl Finish {
    pub(super) fn new(bias: Vec<f32>, output: &Grid) -> Finish {
        Finish { bias: padded(bias, output), residual: None, slopes: None }
    }

    pub(super) fn add(&mut self, residual: &Grid) {
        let places = Window::PIXEL.starts(residual, residual);
        self.residual = Some(Residual { grid: *residual, places });
    }

    pub(super) fn rectify(&mut self, slopes: Vec<f32>, output: &Grid) {
        self.slopes = Some(padded(slopes, output));
    }

    /// The vector of this number.
    #[inline(always)]
    pub(super) fn bias<S: Simd>(&self, simd: S, at: usize) -> S::f32s {
        load(simd, &self.bias, at)
    }

    /// The added picture of one of several.
    #[inline(always)]
    pub(super) fn residual_of<'a>(&self, all: Option<&'a [f32]>, image: usize) -> &'a [f32] {
        let size = self.residual.as_ref().map_or(0, |residual| residual.grid.len());
        all.and_then(|all| all.get(image * size..)).unwrap_or_default()
    }

    /// For the output pixel of this number.
    #[inline(always)]
    pub(super) fn at<'a>(&'a self, residual: &'a [f32], pixel: usize) -> At<'a> {
        let place = self.residual.as_ref().and_then(|residual| residual.places.get(pixel));
        At {
            residual: place.and_then(|place| residual.get(*place..)),
            slopes: self.slopes.as_deref(),
        }
    }
}

fn padded(mut values: Vec<f32>, output: &Grid) -> Vec<f32> {
    values.resize(output.pixel, 0.0);
    values
}

/// The end of a layer at one pixel.
pub(super) struct At<'a> {
    residual: Option<&'a [f32]>,
    slopes: Option<&'a [f32]>,
}

impl At<'_> {
    /// What becomes of a sum of the channels of vector `at`.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(&self, simd: S, at: usize, mut sum: S::f32s) -> S::f32s {
        if let Some(residual) = self.residual {
            sum += load(simd, residual, at);
        }
        match self.slopes {
            Some(slopes) => rectified(simd, sum, load(simd, slopes, at)),
            None => sum,
        }
    }
}
