//! Square crops of a picture, resampled through an affine map, as the networks take them.

use image::RgbImage;

use crate::geometry::{Affine, Point};

/// Beyond this many samples a side per pixel nothing is gained.
const MOST_SAMPLES: f32 = 4.0;

/// A square of RGB values 0..=255, row by row.
pub(crate) struct Crop {
    side: usize,
    pixels: Vec<[f32; 3]>,
}

impl Crop {
    /// Reads `side` x `side` pixels; `to_source` maps the crop's coordinates to the picture's. Each
    /// pixel is the mean of as many bilinear samples as the map shrinks the picture; outside the
    /// picture is black.
    pub(crate) fn sample(image: &RgbImage, to_source: &Affine, side: usize) -> Crop {
        let count = to_source.stretch().ceil().clamp(1.0, MOST_SAMPLES) as usize;
        let pixels = (0..side * side)
            .map(|i| pixel(image, to_source, ((i % side) as f32, (i / side) as f32), count))
            .collect();
        Crop { side, pixels }
    }

    /// The same crop seen in a mirror.
    pub(crate) fn mirrored(&self) -> Crop {
        let rows = self.pixels.chunks(self.side);
        Crop { side: self.side, pixels: rows.flat_map(|row| row.iter().rev().copied()).collect() }
    }

    /// The three colour planes one after another (NCHW with N = 1), each value through `scale`.
    pub(crate) fn planes(&self, order: [Channel; 3], scale: impl Fn(f32) -> f32) -> Vec<f32> {
        order.iter().flat_map(|c| self.pixels.iter().map(|p| scale(c.of(p)))).collect()
    }

    /// Brightness 0..=1, row by row (ITU-R BT.601 weights).
    pub(crate) fn luma(&self) -> Vec<f32> {
        self.pixels.iter().map(|[r, g, b]| (0.299 * r + 0.587 * g + 0.114 * b) / 255.0).collect()
    }
}

/// One of the three colours of a pixel.
#[derive(Clone, Copy)]
pub(crate) enum Channel {
    Red,
    Green,
    Blue,
}

impl Channel {
    pub(crate) const RGB: [Channel; 3] = [Channel::Red, Channel::Green, Channel::Blue];
    pub(crate) const BGR: [Channel; 3] = [Channel::Blue, Channel::Green, Channel::Red];

    fn of(self, &[red, green, blue]: &[f32; 3]) -> f32 {
        match self {
            Channel::Red => red,
            Channel::Green => green,
            Channel::Blue => blue,
        }
    }
}

fn pixel(image: &RgbImage, map: &Affine, (x, y): (f32, f32), count: usize) -> [f32; 3] {
    let step = 1.0 / count as f32;
    let mut sum = [0.0; 3];
    for i in 0..count * count {
        let (dx, dy) = ((i % count) as f32 + 0.5, (i / count) as f32 + 0.5);
        let value = bilinear(image, map.apply(Point::new(x + dx * step, y + dy * step)));
        sum = std::array::from_fn(|c| at(&sum, c) + at(&value, c));
    }
    sum.map(|v| v * step * step)
}

fn bilinear(image: &RgbImage, place: Point) -> [f32; 3] {
    let (x, y) = (place.x - 0.5, place.y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let corners = [
        (left, top, (1.0 - fx) * (1.0 - fy)),
        (left + 1.0, top, fx * (1.0 - fy)),
        (left, top + 1.0, (1.0 - fx) * fy),
        (left + 1.0, top + 1.0, fx * fy),
    ];
    corners.iter().fold([0.0; 3], |sum, &(x, y, weight)| {
        let value = texel(image, x, y);
        std::array::from_fn(|c| at(&sum, c) + weight * at(&value, c))
    })
}

fn texel(image: &RgbImage, x: f32, y: f32) -> [f32; 3] {
    if x < 0.0 || y < 0.0 {
        return [0.0; 3];
    }
    image.get_pixel_checked(x as u32, y as u32).map_or([0.0; 3], |p| p.0.map(f32::from))
}

fn at(values: &[f32; 3], channel: usize) -> f32 {
    values.get(channel).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn ramp() -> RgbImage {
        RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 16, y as u8 * 16, 7]))
    }

    fn whole(width: f32, side: f32) -> Affine {
        Affine::crop(Point::new(width / 2.0, width / 2.0), width, 0.0, side)
    }

    #[test]
    fn the_identity_reads_every_pixel() {
        let crop = Crop::sample(&ramp(), &whole(16.0, 16.0), 16);
        let expected: Vec<_> = ramp().pixels().map(|p| p.0.map(f32::from)).collect();
        assert_eq!(crop.pixels, expected);
    }

    #[test]
    fn shrinking_takes_the_mean() {
        let crop = Crop::sample(&ramp(), &whole(16.0, 4.0), 4);
        assert_eq!(crop.pixels[0], [24.0, 24.0, 7.0]);
        assert_eq!(crop.pixels[15], [216.0, 216.0, 7.0]);
    }

    #[test]
    fn outside_is_black_and_a_mirror_is_a_mirror() {
        let map = Affine { tx: 8.0, ..whole(16.0, 16.0) };
        let crop = Crop::sample(&ramp(), &map, 16);
        assert_eq!(crop.pixels[15], [0.0; 3]);
        assert_eq!(crop.mirrored().pixels[0], [0.0; 3]);
        assert_eq!(crop.mirrored().mirrored().pixels, crop.pixels);
    }

    #[test]
    fn planes_come_in_the_order_asked_for() {
        let crop = Crop::sample(&ramp(), &whole(16.0, 16.0), 16);
        let planes = crop.planes(Channel::BGR, |v| v + 1.0);
        assert_eq!((planes[0], planes[256], planes[512 + 1]), (8.0, 1.0, 17.0));
    }
}
