//! Square crops of a picture, resampled through an affine map, as the networks take them.

use image::RgbImage;

use crate::geometry::{Affine, Point};

/// Beyond this many samples a side per pixel nothing is gained.
const MOST_SAMPLES: f32 = 3.0;
/// Whole numbers below this are exact.
const WHOLE: f32 = 1e6;

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
        let texels = Texels::of(image);
        let mut pixels = Vec::with_capacity(side * side);
        for y in 0..side {
            pixels
                .extend((0..side).map(|x| pixel(&texels, to_source, (x as f32, y as f32), count)));
        }
        Crop { side, pixels }
    }

    /// The same crop seen in a mirror.
    pub(crate) fn mirrored(&self) -> Crop {
        let rows = self.pixels.chunks(self.side);
        Crop { side: self.side, pixels: rows.flat_map(|row| row.iter().rev().copied()).collect() }
    }

    /// The three colour planes one after another (NCHW with N = 1), each value through `scale`.
    pub(crate) fn planes(&self, order: [Channel; 3], scale: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut planes = Vec::with_capacity(3 * self.pixels.len());
        for channel in order {
            planes.extend(self.pixels.iter().map(|pixel| scale(channel.of(pixel))));
        }
        planes
    }

    /// For people to look at.
    pub(crate) fn image(&self) -> RgbImage {
        RgbImage::from_fn(self.side as u32, self.side as u32, |x, y| {
            let pixel = self.pixels.get(y as usize * self.side + x as usize);
            image::Rgb(pixel.copied().unwrap_or_default().map(|value| value.round() as u8))
        })
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

fn pixel(texels: &Texels<'_>, map: &Affine, (x, y): (f32, f32), count: usize) -> [f32; 3] {
    let step = 1.0 / count as f32;
    let mut sum = [0.0; 4];
    for dy in 0..count {
        for dx in 0..count {
            let (dx, dy) = (dx as f32 + 0.5, dy as f32 + 0.5);
            add(&mut sum, 1.0, texels.at(map.apply(Point::new(x + dx * step, y + dy * step))));
        }
    }
    let [red, green, blue, _] = sum;
    [red, green, blue].map(|v| v * step * step)
}

/// The pixels of a picture, one after another.
///
/// A colour has four values, the last of no meaning: processors reckon with four at once.
struct Texels<'a> {
    width: usize,
    height: usize,
    bytes: &'a [u8],
}

impl<'a> Texels<'a> {
    fn of(image: &'a RgbImage) -> Texels<'a> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        Texels { width, height, bytes: image.as_raw() }
    }

    /// The value at a place, linear between the centres of pixels.
    fn at(&self, place: Point) -> [f32; 4] {
        let (x, y) = (place.x - 0.5, place.y - 0.5);
        self.inside(x, y).unwrap_or_else(|| self.near_the_edge(x, y))
    }

    /// The value between four pixels of the picture. None where one lies outside, and at the very
    /// end, where there are no bytes to read beyond them.
    fn inside(&self, x: f32, y: f32) -> Option<[f32; 4]> {
        if !((0.0..WHOLE).contains(&x) && (0.0..WHOLE).contains(&y)) {
            return None;
        }
        let (left, top) = (x as i32, y as i32);
        let (right_part, low_part) = (x - left as f32, y - top as f32);
        let (left, top) = (usize::try_from(left).ok()?, usize::try_from(top).ok()?);
        if left + 1 >= self.width || top + 1 >= self.height {
            return None;
        }
        let from = 3 * (top * self.width + left);
        let [a, b] = pair(self.bytes.get(from..)?.first_chunk()?);
        let [c, d] = pair(self.bytes.get(from + 3 * self.width..)?.first_chunk()?);
        let (left_part, high_part) = (1.0 - right_part, 1.0 - low_part);
        let mut sum = [0.0; 4];
        add(&mut sum, left_part * high_part, a);
        add(&mut sum, right_part * high_part, b);
        add(&mut sum, left_part * low_part, c);
        add(&mut sum, right_part * low_part, d);
        Some(sum)
    }

    /// The same anywhere. Outside the picture is black.
    fn near_the_edge(&self, x: f32, y: f32) -> [f32; 4] {
        let ((left, right), (top, bottom)) = (Side::pair(x), Side::pair(y));
        let mut sum = [0.0; 4];
        for y in [top, bottom] {
            for x in [left, right] {
                add(&mut sum, x.weight * y.weight, self.texel(x.at, y.at));
            }
        }
        sum
    }

    fn texel(&self, x: Option<usize>, y: Option<usize>) -> [f32; 4] {
        let inside = x.filter(|x| *x < self.width).zip(y.filter(|y| *y < self.height));
        let texel = inside.and_then(|(x, y)| {
            let [red, green, blue] = *self.bytes.get(3 * (y * self.width + x)..)?.first_chunk()?;
            Some([red, green, blue, 0].map(f32::from))
        });
        texel.unwrap_or_default()
    }
}

/// Two pixels that lie side by side.
fn pair(bytes: &[u8; 7]) -> [[f32; 4]; 2] {
    let [a, b, c, d, e, f, g] = *bytes;
    [[a, b, c, d].map(f32::from), [d, e, f, g].map(f32::from)]
}

/// One of the two pixels that a place lies between in one direction, and its share.
#[derive(Clone, Copy)]
struct Side {
    /// None before the picture's edge.
    at: Option<usize>,
    weight: f32,
}

impl Side {
    fn pair(place: f32) -> (Side, Side) {
        let low = place.floor();
        let part = place - low;
        let at = |place: f32| if place < 0.0 { None } else { Some(place as usize) };
        (Side { at: at(low), weight: 1.0 - part }, Side { at: at(low + 1.0), weight: part })
    }
}

fn add(sum: &mut [f32; 4], weight: f32, value: [f32; 4]) {
    sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * value);
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
        // But for the rounding of thirds.
        let near = |found: [f32; 3], mean: [f32; 3]| {
            found.iter().zip(mean).all(|(found, mean)| (found - mean).abs() < 1e-3)
        };
        assert!(near(crop.pixels[0], [24.0, 24.0, 7.0]));
        assert!(near(crop.pixels[15], [216.0, 216.0, 7.0]));
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
    fn the_edge_is_reckoned_as_the_inside_is() {
        let image = ramp();
        let texels = Texels::of(&image);
        for (x, y) in [(0.0, 0.0), (0.25, 3.75), (13.5, 14.0), (7.125, 0.5)] {
            let [red, green, blue, _] = texels.inside(x, y).unwrap();
            let [edge_red, edge_green, edge_blue, _] = texels.near_the_edge(x, y);
            assert_eq!([red, green, blue], [edge_red, edge_green, edge_blue]);
        }
        for (x, y) in [(-0.5, 3.0), (3.0, 15.0), (f32::NAN, 1.0), (14.0, 14.0), (1e9, 0.0)] {
            assert!(texels.inside(x, y).is_none());
        }
    }

    #[test]
    fn planes_come_in_the_order_asked_for() {
        let crop = Crop::sample(&ramp(), &whole(16.0, 16.0), 16);
        let planes = crop.planes(Channel::BGR, |v| v + 1.0);
        assert_eq!((planes[0], planes[256], planes[512 + 1]), (8.0, 1.0, 17.0));
    }
}
