//! A grey picture: made smaller, and sampled between pixels.

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
            DynamicImage::ImageRgb8(colours) => luma::<3>(colours.as_raw()),
            DynamicImage::ImageRgba8(colours) => luma::<4>(colours.as_raw()),
            _ => picture.to_luma8().into_raw(),
        };
        Self { width, height, pixels }
    }

    /// A picture computed pixel by pixel.
    #[cfg(test)]
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

    /// The picture made half as wide and high, each pixel the mean of four.
    pub(super) fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let ((above, _), (below, _)) =
                (self.row(2 * y).as_chunks::<2>(), self.row(2 * y + 1).as_chunks::<2>());
            let mean = |(above, below): (&[u8; 2], &[u8; 2])| {
                let sum = above.iter().chain(below).map(|value| u16::from(*value)).sum::<u16>();
                (sum / 4) as u8
            };
            pixels.extend(above.iter().zip(below).map(mean));
        }
        Self { width, height, pixels }
    }
}

/// The brightness of red, green and blue, the first three of so many channels (ITU-R BT.709-6 §3.2),
/// in 65536ths: the usual pictures of cameras and screens, which the library converts ten times as
/// slowly.
fn luma<const CHANNELS: usize>(colours: &[u8]) -> Vec<u8> {
    let (pixels, _) = colours.as_chunks::<CHANNELS>();
    let bright = |pixel: &[u8; CHANNELS]| {
        let Some([red, green, blue]) = pixel.first_chunk().map(|rgb| rgb.map(u32::from)) else {
            return 0;
        };
        ((13_933 * red + 46_871 * green + 4_732 * blue + 32_768) >> 16) as u8
    };
    pixels.iter().map(bright).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_of_half_the_size_is_the_mean_of_four() {
        let small = Gray::compute(7, 5, |x, y| (10 * x + y) as u8).halved();
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
        for picture in [DynamicImage::ImageRgba8(picture.to_rgba8()), picture] {
            let own = Gray::from_picture(&picture);
            let pairs = own.pixels.iter().zip(picture.to_luma8().into_raw());
            assert!(pairs.map(|(one, other)| one.abs_diff(other)).max() <= Some(1));
        }
    }
}
