//! What looks at each channel by itself through a window: the depthwise convolution and the greatest.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::finish::Finish;
use super::grid::{Grid, Window};
use super::vector::{greater, lanes, load_from, splat};

/// What is made of the numbers in a window.
pub(super) enum Kind {
    /// The sum of each times its weight; for each place of the window the weights of all channels.
    Weighted(Vec<f32>),
    /// The greatest.
    Greatest,
}

impl Kind {
    /// Weights as ONNX has them, for each channel rows and columns.
    pub(super) fn weighted(weights: &[f32], window: &Window, output: &Grid) -> Kind {
        let size = window.height * window.width;
        let of = |tap: usize| {
            (0..output.pixel).map(move |channel| match channel < output.channels {
                true => weights.get(channel * size + tap).copied().unwrap_or_default(),
                false => 0.0,
            })
        };
        Kind::Weighted((0..size).flat_map(of).collect())
    }
}

/// The layer.
pub(super) struct Depthwise {
    input: Grid,
    output: Grid,
    window: Window,
    taps: Vec<usize>,
    kind: Kind,
    finish: Finish,
}

impl Depthwise {
    pub(super) fn new(
        (input, output): (Grid, Grid),
        window: Window,
        kind: Kind,
        finish: Finish,
    ) -> Depthwise {
        Depthwise { input, output, window, taps: window.taps(&input), kind, finish }
    }
}

/// One run of the layer over some pictures.
pub(super) struct Job<'a> {
    pub(super) layer: &'a Depthwise,
    pub(super) input: &'a [f32],
    pub(super) residual: Option<&'a [f32]>,
    pub(super) output: &'a mut [f32],
}

impl Job<'_> {
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, simd: S) {
        let layer = self.layer;
        for (image, output) in self.output.chunks_exact_mut(layer.output.len()).enumerate() {
            let input = self.input.get(image * layer.input.len()..).unwrap_or_default();
            let residual = layer.finish.residual_of(self.residual, image);
            for y in 0..layer.output.height {
                let row = output.get_mut(layer.output.inner_row(y)).unwrap_or_default();
                for channel in (0..layer.output.pixel).step_by(lanes::<S>()) {
                    let strip = Strip { simd, layer, channel, y };
                    match layer.taps.first_chunk::<9>() {
                        Some(taps) if layer.taps.len() == 9 => {
                            strip.fill(taps, (input, residual), row);
                        }
                        _ => strip.fill_by_any(&layer.taps, (input, residual), row),
                    }
                }
            }
        }
    }
}

/// A vector of channels along a row of outputs.
struct Strip<'a, S: Simd> {
    simd: S,
    layer: &'a Depthwise,
    /// The first of them.
    channel: usize,
    y: usize,
}

impl<S: Simd> Strip<'_, S> {
    /// For a window of a size known here, whose weights stay in registers.
    #[inline(always)]
    fn fill<const TAPS: usize>(
        &self,
        taps: &[usize; TAPS],
        (input, residual): (&[f32], &[f32]),
        row: &mut [f32],
    ) {
        let bias = self.layer.finish.bias(self.simd, self.channel / lanes::<S>());
        let Kind::Weighted(weights) = &self.layer.kind else {
            return self.fill_by_any(taps, (input, residual), row);
        };
        let mut own = [bias; TAPS];
        for (tap, there) in own.iter_mut().enumerate() {
            *there = load_from(self.simd, weights, tap * self.layer.output.pixel + self.channel);
        }
        let start = self.start();
        let step = self.layer.window.step_x * self.layer.input.pixel;
        for (x, output) in row.chunks_exact_mut(self.layer.output.pixel).enumerate() {
            let mut sum = bias;
            for (tap, weight) in taps.iter().zip(&own) {
                let seen = load_from(self.simd, input, start + x * step + tap);
                sum = seen.mul_add(*weight, sum);
            }
            self.store(x, sum, residual, output);
        }
    }

    #[inline(always)]
    fn fill_by_any(&self, taps: &[usize], (input, residual): (&[f32], &[f32]), row: &mut [f32]) {
        let start = self.start();
        let step = self.layer.window.step_x * self.layer.input.pixel;
        for (x, output) in row.chunks_exact_mut(self.layer.output.pixel).enumerate() {
            let start = start + x * step;
            let mut sum = self.layer.finish.bias(self.simd, self.channel / lanes::<S>());
            match &self.layer.kind {
                Kind::Weighted(weights) => {
                    for (at, tap) in taps.iter().enumerate() {
                        let weight = at * self.layer.output.pixel + self.channel;
                        let weight = load_from(self.simd, weights, weight);
                        sum = load_from(self.simd, input, start + tap).mul_add(weight, sum);
                    }
                }
                Kind::Greatest => {
                    sum = splat(self.simd, f32::NEG_INFINITY);
                    for tap in taps {
                        sum = greater::<S>(sum, load_from(self.simd, input, start + tap));
                    }
                }
            }
            self.store(x, sum, residual, output);
        }
    }

    /// Where the window of the row's first output begins.
    #[inline(always)]
    fn start(&self) -> usize {
        let Depthwise { input, window, .. } = self.layer;
        input.window(window.pads) + self.y * window.step_y * input.row() + self.channel
    }

    #[inline(always)]
    fn store(&self, x: usize, sum: S::f32s, residual: &[f32], output: &mut [f32]) {
        let finish = self.layer.finish.at(residual, self.y * self.layer.output.width + x);
        let sum = finish.apply(self.simd, self.channel / lanes::<S>(), sum);
        if let Some(output) = output.get_mut(self.channel..self.channel + lanes::<S>()) {
            sum.store_slice(output);
        }
    }
}
