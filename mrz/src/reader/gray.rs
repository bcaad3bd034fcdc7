//! A grey picture: scaling, sampling between pixels, and the black-hat transform that keeps thin
//! dark strokes and drops shade, photographs and wide patterns.

use image::DynamicImage;

/// Rows of grey values, 0 black to 255 white.
pub(super) struct Gray {
    pub(super) width: usize,
    pub(super) height: usize,
    pixels: Vec<u8>,
}

impl Gray {
    pub(super) fn from_picture(picture: &DynamicImage) -> Self {
        let luma = picture.to_luma8();
        let (width, height) = (luma.width() as usize, luma.height() as usize);
        Self { width, height, pixels: luma.into_raw() }
    }

    /// A picture computed pixel by pixel.
    pub(super) fn compute(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Self {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self { width, height, pixels: rows.map(|(x, y)| value(x, y)).collect() }
    }

    /// The value at a pixel; beyond the edge, that of the edge.
    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        let (x, y) = (x.min(self.width.saturating_sub(1)), y.min(self.height.saturating_sub(1)));
        self.pixels.get(y * self.width + x).copied().unwrap_or(255)
    }

    pub(super) fn row(&self, y: usize) -> &[u8] {
        self.pixels.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// The value between pixels (their centres at whole coordinates), linear in both directions.
    pub(super) fn sample(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x.max(0.0), y.max(0.0));
        let (left, top) = (x as usize, y as usize);
        let (right_part, low_part) = (x - left as f32, y - top as f32);
        let mix = |a: u8, b: u8, part: f32| f32::from(a) + (f32::from(b) - f32::from(a)) * part;
        let above = mix(self.at(left, top), self.at(left + 1, top), right_part);
        let below = mix(self.at(left, top + 1), self.at(left + 1, top + 1), right_part);
        above + (below - above) * low_part
    }

    /// The picture made `factor` times smaller (a whole number), each pixel the mean of a square.
    pub(super) fn shrunk(&self, factor: usize) -> Self {
        let area = (factor * factor) as u32;
        let mean = |x: usize, y: usize| {
            let rows = (y * factor..(y + 1) * factor)
                .filter_map(|row| self.row(row).get(x * factor..(x + 1) * factor));
            (rows.flatten().map(|value| u32::from(*value)).sum::<u32>() / area) as u8
        };
        Self::compute(self.width / factor, self.height / factor, mean)
    }

    /// How much darker each pixel is than its surroundings: the closing by a square of
    /// `2·radius + 1`, less the picture. Strokes thinner than that square stay, all else goes.
    pub(super) fn black_hat(&self, radius: usize) -> Self {
        let closed = self.extreme(radius, u8::max).extreme(radius, u8::min);
        Self::compute(self.width, self.height, |x, y| {
            closed.at(x, y) - self.at(x, y).min(closed.at(x, y))
        })
    }

    fn extreme(&self, radius: usize, choose: impl Fn(u8, u8) -> u8 + Copy) -> Self {
        let rows: Vec<u8> =
            (0..self.height).flat_map(|y| running(self.row(y), radius, choose)).collect();
        let mut turned = Self { width: self.width, height: self.height, pixels: rows }.transposed();
        turned.pixels =
            (0..turned.height).flat_map(|y| running(turned.row(y), radius, choose)).collect();
        turned.transposed()
    }

    fn transposed(&self) -> Self {
        Self::compute(self.height, self.width, |x, y| self.at(y, x))
    }

    /// The value that `share` of all pixels do not exceed.
    pub(super) fn quantile(&self, share: f32) -> u8 {
        let mut counts = [0usize; 256];
        for value in &self.pixels {
            if let Some(count) = counts.get_mut(usize::from(*value)) {
                *count += 1;
            }
        }
        let wanted = (self.pixels.len() as f32 * share) as usize;
        let below = counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        below.take_while(|sum| *sum < wanted).count().min(255) as u8
    }
}

/// The extreme of each value's neighbourhood of `radius` to either side.
fn running(values: &[u8], radius: usize, choose: impl Fn(u8, u8) -> u8 + Copy) -> Vec<u8> {
    let near = |at: usize| {
        let to = (at + radius + 1).min(values.len());
        values.get(at.saturating_sub(radius)..to).unwrap_or_default()
    };
    (0..values.len()).map(|at| near(at).iter().copied().reduce(choose).unwrap_or(255)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_hat_keeps_thin_strokes_only() {
        let stroke = |x: usize| (10..12).contains(&x);
        let block = |x: usize| (30..60).contains(&x);
        let value = |x, _| if stroke(x) || block(x) { 50 } else { 200 };
        let hat = Gray::compute(80, 20, value).black_hat(3);
        assert_eq!((hat.at(10, 10), hat.at(45, 10), hat.at(20, 10)), (150, 0, 0));
    }

    #[test]
    fn sampling_is_linear_between_pixels() {
        let gray = Gray::compute(2, 2, |x, y| (100 * x + 50 * y) as u8);
        assert_eq!(gray.sample(0.5, 0.0), 50.0);
        assert_eq!(gray.sample(1.0, 0.5), 125.0);
        assert_eq!(gray.sample(9.0, 9.0), 150.0);
    }

    #[test]
    fn the_quantile_counts_pixels() {
        let gray = Gray::compute(10, 10, |x, _| x as u8);
        assert_eq!(gray.quantile(0.5), 4);
    }
}
