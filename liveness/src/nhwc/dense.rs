//! A convolution that sees every channel, or a product with a matrix, which is one of a single pixel.
//!
//! Six pixels by up to four vectors of outputs are summed up in registers at a time. In memory a
//! window's row is one run of numbers, pixel after pixel, so that nothing is copied together first
//! (no im2col).

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::finish::Finish;
use super::grid::{Grid, Window};
use super::vector::{lanes, load, splat};

/// So many pixels at once: with four vectors they fill the registers of AVX-512, with two those of
/// AVX2.
const PIXELS: usize = 6;

/// How many vectors of outputs are summed up at once.
fn vectors(lanes: usize) -> usize {
    if lanes == 16 { 4 } else { 2 }
}

/// The weights as ONNX has them: outputs, inputs, rows, columns.
pub(super) struct Weights<'a> {
    pub(super) values: &'a [f32],
    pub(super) outputs: usize,
    pub(super) inputs: usize,
}

/// The layer.
pub(super) struct Dense {
    input: Grid,
    output: Grid,
    /// The window's rows, and how many numbers of each are multiplied.
    rows: usize,
    run: usize,
    /// Where every output's window begins, and where the output lies.
    starts: Vec<usize>,
    places: Vec<usize>,
    /// For each panel of outputs, for each number of the window its weights.
    weights: Vec<f32>,
    finish: Finish,
}

impl Dense {
    /// For vectors of so many `lanes`.
    pub(super) fn new(
        (input, output): (Grid, Grid),
        window: &Window,
        weights: &Weights<'_>,
        finish: Finish,
        lanes: usize,
    ) -> Dense {
        // The zeros behind the last channel count only where they lie between two pixels.
        let run = match window.width {
            1 => input.channels,
            width => width * input.pixel,
        };
        let mut packed = Vec::with_capacity(output.pixel * window.height * run);
        let wide = vectors(lanes) * lanes;
        for first in (0..output.pixel).step_by(wide) {
            let outputs = first..(first + wide).min(output.pixel);
            for (y, at) in (0..window.height).flat_map(|y| (0..run).map(move |at| (y, at))) {
                let (x, channel) = (at / input.pixel, at % input.pixel);
                packed.extend(
                    outputs.clone().map(|output| weights.at(output, channel, y, x, window)),
                );
            }
        }
        Dense {
            input,
            output,
            rows: window.height,
            run,
            starts: window.starts(&input, &output),
            places: Window::PIXEL.starts(&output, &output),
            weights: packed,
            finish,
        }
    }
}

impl Weights<'_> {
    /// Zero for what is no output or channel.
    fn at(&self, output: usize, channel: usize, y: usize, x: usize, window: &Window) -> f32 {
        if output >= self.outputs || channel >= self.inputs {
            return 0.0;
        }
        let row = (output * self.inputs + channel) * window.height + y;
        self.values.get(row * window.width + x).copied().unwrap_or_default()
    }
}

/// One run of the layer over some pictures.
pub(super) struct Job<'a> {
    pub(super) layer: &'a Dense,
    pub(super) input: &'a [f32],
    pub(super) residual: Option<&'a [f32]>,
    pub(super) output: &'a mut [f32],
}

impl Job<'_> {
    #[inline(always)]
    pub(super) fn run<S: Simd>(mut self, simd: S) {
        let (total, most) = (self.layer.output.pixel / lanes::<S>(), vectors(lanes::<S>()));
        for first in (0..total).step_by(most) {
            match most.min(total - first) {
                1 => self.panel::<S, 1>(simd, first),
                2 => self.panel::<S, 2>(simd, first),
                3 => self.panel::<S, 3>(simd, first),
                _ => self.panel::<S, 4>(simd, first),
            }
        }
    }

    /// The outputs of `VECTORS` vectors from the `first` on, for every pixel.
    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize>(&mut self, simd: S, first: usize) {
        let layer = self.layer;
        let size = lanes::<S>() * layer.rows * layer.run;
        let mut bias = [splat(simd, 0.0); VECTORS];
        for (at, there) in bias.iter_mut().enumerate() {
            *there = layer.finish.bias(simd, first + at);
        }
        let weights = layer.weights.get(first * size..).unwrap_or_default();
        let panel = Panel::<S, VECTORS> { simd, layer, first, weights, bias };
        for (image, output) in self.output.chunks_exact_mut(layer.output.len()).enumerate() {
            let input = self.input.get(image * layer.input.len()..).unwrap_or_default();
            let residual = layer.finish.residual_of(self.residual, image);
            panel.every_pixel(input, residual, output);
        }
    }
}

struct Panel<'a, S: Simd, const VECTORS: usize> {
    simd: S,
    layer: &'a Dense,
    first: usize,
    weights: &'a [f32],
    bias: [S::f32s; VECTORS],
}

impl<S: Simd, const VECTORS: usize> Panel<'_, S, VECTORS> {
    #[inline(always)]
    fn every_pixel(&self, input: &[f32], residual: &[f32], output: &mut [f32]) {
        let starts = &self.layer.starts;
        let count = starts.len();
        if count < PIXELS {
            for (at, start) in starts.iter().enumerate() {
                self.tile(at, &[*start], (input, residual), output);
            }
            return;
        }
        for first in (0..count).step_by(PIXELS) {
            // The last tile goes over some pixels a second time.
            let first = first.min(count - PIXELS);
            let tile: Option<&[usize; PIXELS]> =
                starts.get(first..).and_then(<[usize]>::first_chunk);
            if let Some(starts) = tile {
                self.tile(first, starts, (input, residual), output);
            }
        }
    }

    #[inline(always)]
    fn tile<const TILE: usize>(
        &self,
        first: usize,
        starts: &[usize; TILE],
        (input, residual): (&[f32], &[f32]),
        output: &mut [f32],
    ) {
        let sums = self.sums(starts, input);
        let places = self.layer.places.get(first..).unwrap_or_default();
        let wide = VECTORS * lanes::<S>();
        for (at, (sums, place)) in (first..).zip(sums.iter().zip(places)) {
            let start = place + self.first * lanes::<S>();
            let Some(output) = output.get_mut(start..start + wide) else { return };
            let finish = self.layer.finish.at(residual, at);
            for (part, sum) in output.chunks_exact_mut(lanes::<S>()).zip(sums).enumerate() {
                let (output, sum) = sum;
                finish.apply(self.simd, self.first + part, *sum).store_slice(output);
            }
        }
    }

    /// The bias and the products of `TILE` windows with the weights.
    #[inline(always)]
    fn sums<const TILE: usize>(
        &self,
        starts: &[usize; TILE],
        input: &[f32],
    ) -> [[S::f32s; VECTORS]; TILE] {
        let mut sums = [self.bias; TILE];
        let (run, wide) = (self.layer.run, VECTORS * lanes::<S>());
        for y in 0..self.layer.rows {
            let mut rows: [&[f32]; TILE] = [&[]; TILE];
            for (row, start) in rows.iter_mut().zip(starts) {
                let start = start + y * self.layer.input.row();
                *row = input.get(start..start + run).unwrap_or_default();
            }
            let weights = self.weights.get(y * run * wide..).unwrap_or_default();
            for (at, weights) in (0..run).zip(weights.chunks_exact(wide)) {
                let mut vectors = self.bias;
                for (part, vector) in vectors.iter_mut().enumerate() {
                    *vector = load(self.simd, weights, part);
                }
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let number = splat(self.simd, row.get(at).copied().unwrap_or_default());
                    for (sum, vector) in sums.iter_mut().zip(&vectors) {
                        *sum = number.mul_add(*vector, *sum);
                    }
                }
            }
        }
        sums
    }
}
