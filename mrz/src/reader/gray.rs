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
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = match picture {
            DynamicImage::ImageRgb8(colours) => luma(colours.as_raw()),
            _ => picture.to_luma8().into_raw(),
        };
        Self { width, height, pixels }
    }

    /// A picture computed pixel by pixel.
    pub(super) fn compute(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            pixels.extend((0..width).map(|x| value(x, y)));
        }
        Self { width, height, pixels }
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
        let [[a, b], [c, d]] = self.square(left, top);
        let mix = |a: u8, b: u8, part: f32| f32::from(a) + (f32::from(b) - f32::from(a)) * part;
        let (above, below) = (mix(a, b, right_part), mix(c, d, right_part));
        above + (below - above) * low_part
    }

    /// The pixel, its right neighbour, and the two below; beyond the edge, those of the edge.
    fn square(&self, left: usize, top: usize) -> [[u8; 2]; 2] {
        if left + 1 < self.width && top + 1 < self.height {
            let from = top * self.width + left;
            let pair = |from: usize| self.pixels.get(from..)?.first_chunk().copied();
            if let (Some(above), Some(below)) = (pair(from), pair(from + self.width)) {
                return [above, below];
            }
        }
        [top, top + 1].map(|y| [left, left + 1].map(|x| self.at(x, y)))
    }

    /// The picture made `factor` times smaller (a whole number), each pixel the mean of a square.
    pub(super) fn shrunk(&self, factor: usize) -> Self {
        let area = (factor * factor) as u32;
        let (width, height) = (self.width / factor, self.height / factor);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let mut sums = vec![0u32; width];
            for row in y * factor..(y + 1) * factor {
                for (sum, part) in sums.iter_mut().zip(self.row(row).chunks_exact(factor)) {
                    *sum += part.iter().map(|value| u32::from(*value)).sum::<u32>();
                }
            }
            pixels.extend(sums.into_iter().map(|sum| (sum / area) as u8));
        }
        Self { width, height, pixels }
    }

    /// How much darker each pixel is than its surroundings: the closing by a square of
    /// `2·radius + 1`, less the picture. Strokes thinner than that square stay, all else goes.
    pub(super) fn black_hat(&self, radius: usize) -> Self {
        let closed = self.extreme(radius, u8::max).extreme(radius, u8::min);
        let pairs = closed.pixels.iter().zip(&self.pixels);
        let pixels = pairs.map(|(closed, value)| closed - value.min(closed)).collect();
        Self { width: self.width, height: self.height, pixels }
    }

    /// The extreme of each pixel's square of `2·radius + 1`: along the rows, then across them.
    fn extreme(&self, radius: usize, choose: impl Fn(u8, u8) -> u8 + Copy) -> Self {
        let mut along = Vec::with_capacity(self.pixels.len());
        for y in 0..self.height {
            running(self.row(y), radius, choose, &mut along);
        }
        let along = Self { width: self.width, height: self.height, pixels: along };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..self.height {
            let from = pixels.len();
            pixels.extend_from_slice(along.row(y));
            let to = (y + radius + 1).min(self.height);
            for near in y.saturating_sub(radius)..to {
                merge(pixels.get_mut(from..).unwrap_or_default(), along.row(near), choose);
            }
        }
        Self { width: self.width, height: self.height, pixels }
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

/// The brightness of red, green and blue (ITU-R BT.709-6 §3.2), in 65536ths: the usual picture of a
/// camera, which the library converts ten times as slowly.
fn luma(colours: &[u8]) -> Vec<u8> {
    let (colours, _) = colours.as_chunks();
    let bright = |[red, green, blue]: &[u8; 3]| {
        let [red, green, blue] = [red, green, blue].map(|value| u32::from(*value));
        ((13_933 * red + 46_871 * green + 4_732 * blue + 32_768) >> 16) as u8
    };
    colours.iter().map(bright).collect()
}

/// Adds to `into` the extreme of each value's neighbourhood of `radius` to either side.
fn running(values: &[u8], radius: usize, choose: impl Fn(u8, u8) -> u8 + Copy, into: &mut Vec<u8>) {
    let from = into.len();
    into.extend_from_slice(values);
    let extremes = into.get_mut(from..).unwrap_or_default();
    for shift in 1..=radius {
        merge(extremes, values.get(shift..).unwrap_or_default(), choose);
        merge(extremes.get_mut(shift..).unwrap_or_default(), values, choose);
    }
}

/// The extreme of the values of two rows, as far as both go.
fn merge(into: &mut [u8], values: &[u8], choose: impl Fn(u8, u8) -> u8) {
    for (extreme, value) in into.iter_mut().zip(values) {
        *extreme = choose(*extreme, *value);
    }
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
    fn the_extreme_is_that_of_the_square_around_a_pixel() {
        let gray = Gray::compute(11, 9, |x, y| (x * 37 + y * 91 + x * y * 13) as u8);
        for radius in [0, 1, 3, 12] {
            let found = gray.extreme(radius, u8::max);
            for (x, y) in (0..9).flat_map(|y| (0..11).map(move |x| (x, y))) {
                let near = |at: usize, length: usize| {
                    at.saturating_sub(radius)..length.min(at + radius + 1)
                };
                let square = near(y, 9).flat_map(|y| near(x, 11).map(move |x| (x, y)));
                assert_eq!(found.at(x, y), square.map(|(x, y)| gray.at(x, y)).max().unwrap());
            }
        }
    }

    #[test]
    fn a_shrunk_pixel_is_the_mean_of_its_square() {
        let small = Gray::compute(7, 5, |x, y| (10 * x + y) as u8).shrunk(2);
        assert_eq!((small.width, small.height), (3, 2));
        assert_eq!([small.at(0, 0), small.at(2, 1)], [5, 47]);
    }

    #[test]
    fn sampling_is_linear_between_pixels() {
        let gray = Gray::compute(2, 2, |x, y| (100 * x + 50 * y) as u8);
        assert_eq!(gray.sample(0.5, 0.0), 50.0);
        assert_eq!(gray.sample(1.0, 0.5), 125.0);
        assert_eq!(gray.sample(9.0, 9.0), 150.0);
    }

    #[test]
    fn colours_are_as_bright_as_the_library_says() {
        let colours = image::RgbImage::from_fn(64, 64, |x, y| {
            image::Rgb([(x * 4) as u8, (y * 4) as u8, (x * y % 256) as u8])
        });
        let picture = DynamicImage::ImageRgb8(colours);
        let own = Gray::from_picture(&picture);
        let pairs = own.pixels.iter().zip(picture.to_luma8().into_raw());
        assert!(pairs.map(|(one, other)| one.abs_diff(other)).max() <= Some(1));
    }

    #[test]
    fn the_quantile_counts_pixels() {
        let gray = Gray::compute(10, 10, |x, _| x as u8);
        assert_eq!(gray.quantile(0.5), 4);
    }
}
