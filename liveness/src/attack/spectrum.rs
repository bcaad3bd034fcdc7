//! Regular grids in the texture: a halftone's dots and the beat of a screen's pixels with the
//! camera's stand as single peaks in the spectrum, where skin has none.
//!
//! The mean power of tiles of 64 pixels (Welch 1967) over the face, at the picture's own resolution:
//! what a grid leaves is lost when a picture is made smaller. However large the picture is, the
//! number of tiles is the same.

use std::f32::consts::TAU;

use image::RgbImage;

use crate::detect::Bounds;

pub(super) const SIDE: usize = 64;
pub(super) const HALF: usize = SIDE / 2;
/// Tiles a side over the face.
const TILES: usize = 3;
/// JPEG's blocks leave peaks on the axes at multiples of this.
const BLOCKS: usize = SIDE / 8;
/// Less power than rounding to whole numbers leaves is none.
const NOTHING: f32 = 1e-2;
/// A grid's peak lies no nearer to the middle than this, in brightness and in colour: what a face
/// itself shows is stronger there.
const COARSEST: [usize; 2] = [8, 4];

/// What the spectrum of a face shows.
pub(super) struct Texture {
    pub(super) grid: f32,
    pub(super) colour_grid: f32,
    pub(super) fineness: f32,
    pub(super) colour_detail: f32,
}

impl Texture {
    pub(super) fn of(image: &RgbImage, face: &Bounds) -> Texture {
        let [light, red, blue] = [LIGHT, RED, BLUE].map(|of| over_the_face(image, face, of));
        let [plain, colourful] = COARSEST;
        let colours = red.between(6, HALF) + blue.between(6, HALF);
        Texture {
            grid: light.peak(plain),
            colour_grid: red.peak(colourful).max(blue.peak(colourful)),
            fineness: light.between(20, HALF).ln() - light.between(8, 16).ln(),
            colour_detail: colours.ln() - light.between(6, HALF).ln(),
        }
    }
}

/// What a pixel says, as a complex number.
pub(super) type Signal = fn([f32; 3]) -> (f32, f32);
const LIGHT: Signal = |[r, g, b]| (0.299 * r + 0.587 * g + 0.114 * b, 0.0);
const RED: Signal = |[r, g, _]| (r - g, 0.0);
const BLUE: Signal = |[_, g, b]| (b - g, 0.0);

/// The mean power of tiles over the face.
pub(super) fn over_the_face(image: &RgbImage, face: &Bounds, of: Signal) -> Power {
    let mut power = Power::none();
    let steps = (0..TILES).map(|step| step as f32 / (TILES - 1) as f32);
    for down in steps.clone() {
        for across in steps.clone() {
            // Tiles of a small face overlap, and reach over its edges where it is smaller than one.
            let x = start(face.x, face.width, across);
            power.add(image, (x, start(face.y, face.height, down)), of);
        }
    }
    power
}

fn start(from: f32, length: f32, share: f32) -> f32 {
    from + length / 2.0 + (share - 0.5) * (length - SIDE as f32).max(0.0) - HALF as f32
}

/// The power at each pair of frequencies.
pub(super) struct Power {
    sums: Vec<f32>,
    tiles: f32,
}

impl Power {
    fn none() -> Power {
        Power { sums: vec![0.0; SIDE * SIDE], tiles: 0.0 }
    }

    /// Adds the tile at a corner, moved into the picture, or wrapped in one that is smaller.
    fn add(&mut self, image: &RgbImage, corner: (f32, f32), of: Signal) {
        let mut tile = Tile::read(image, corner, of);
        tile.transform();
        let power = tile.0.iter().map(|(re, im)| re * re + im * im);
        self.sums.iter_mut().zip(power).for_each(|(sum, power)| *sum += power);
        self.tiles += 1.0;
    }

    /// At frequencies that count around.
    pub(super) fn at(&self, x: usize, y: usize) -> f32 {
        let sum = self.sums.get(y % SIDE * SIDE + x % SIDE).copied().unwrap_or_default();
        sum / self.tiles / (SIDE * SIDE) as f32
    }

    /// The mean power at distances from the middle.
    fn between(&self, low: usize, high: usize) -> f32 {
        let inside = half().filter(|&(x, y)| (low..high).contains(&radius(x, y)));
        mean(inside.map(|(x, y)| self.at(x, y))) + NOTHING
    }

    /// By how much the strongest single peak rises above what lies around it (logarithm).
    fn peak(&self, coarsest: usize) -> f32 {
        let places = half().filter(|&(x, y)| {
            let on_axis = x == 0 || y == 0;
            (coarsest..HALF).contains(&radius(x, y)) && !(on_axis && (x + y) % BLOCKS == 0)
        });
        places.map(|place| self.rise(place, NOTHING)).fold(0.0, f32::max)
    }

    /// By how much one frequency rises above what lies around it (logarithm); power below the faintest
    /// is none.
    pub(super) fn rise(&self, (x, y): (usize, usize), faintest: f32) -> f32 {
        let ring = RING.iter().map(|&(dx, dy)| self.at(x + SIDE + dx - 4, y + SIDE + dy - 4));
        ((self.at(x, y) + faintest) / (mean(ring) + faintest)).ln()
    }
}

/// Places around a peak, off by four, far enough from it that the window's own width does not count.
const RING: [(usize, usize); 12] = [
    (0, 2),
    (0, 4),
    (0, 6),
    (8, 2),
    (8, 4),
    (8, 6),
    (2, 0),
    (4, 0),
    (6, 0),
    (2, 8),
    (4, 8),
    (6, 8),
];

/// One of every two frequencies that say the same of a real signal.
fn half() -> impl Iterator<Item = (usize, usize)> {
    (0..SIDE).flat_map(|y| (0..HALF).map(move |x| (x, y)))
}

/// How far a pair of frequencies is from the middle.
pub(super) fn radius(x: usize, y: usize) -> usize {
    let folded = |place: usize| place.min(SIDE.saturating_sub(place)) as f32;
    folded(x).hypot(folded(y)).round() as usize
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0_f32));
    sum / count.max(1.0)
}

/// Complex numbers, row by row.
struct Tile(Vec<(f32, f32)>);

impl Tile {
    /// A tile less its mean, under a Hann window.
    fn read(image: &RgbImage, (x, y): (f32, f32), of: Signal) -> Tile {
        let corner = |place: f32, length: u32| {
            place.clamp(0.0, (length as f32 - SIDE as f32).max(0.0)) as u32
        };
        let (left, top) = (corner(x, image.width()), corner(y, image.height()));
        let mut values: Vec<(f32, f32)> = Vec::with_capacity(SIDE * SIDE);
        for y in 0..SIDE as u32 {
            let row = (0..SIDE as u32).map(|x| {
                let place = ((left + x) % image.width(), (top + y) % image.height());
                of(image.get_pixel(place.0, place.1).0.map(f32::from))
            });
            values.extend(row);
        }
        let level = (mean(values.iter().map(|v| v.0)), mean(values.iter().map(|v| v.1)));
        let hann = |at: usize| 0.5 - 0.5 * (TAU * at as f32 / SIDE as f32).cos();
        let windowed = values.iter().enumerate().map(|(at, (re, im))| {
            let window = hann(at % SIDE) * hann(at / SIDE);
            (window * (re - level.0), window * (im - level.1))
        });
        Tile(windowed.collect())
    }

    /// The Fourier transform, along the rows and then along the columns.
    fn transform(&mut self) {
        for _ in 0..2 {
            self.0.chunks_mut(SIDE).for_each(fourier);
            self.turn();
        }
    }

    /// Rows become columns.
    fn turn(&mut self) {
        for y in 0..SIDE {
            for x in 0..y {
                self.0.swap(y * SIDE + x, x * SIDE + y);
            }
        }
    }
}

/// Cooley and Tukey 1965, of a length that is a power of two.
fn fourier(line: &mut [(f32, f32)]) {
    let length = line.len();
    let bits = length.trailing_zeros();
    for at in 0..length {
        let other = at.reverse_bits() >> (usize::BITS - bits);
        if at < other {
            line.swap(at, other);
        }
    }
    let mut span = 1;
    while span < length {
        for block in line.chunks_mut(2 * span) {
            let (low, high) = block.split_at_mut(span);
            for (at, (one, other)) in low.iter_mut().zip(high).enumerate() {
                let (sin, cos) = (-TAU * at as f32 / (2 * span) as f32).sin_cos();
                let turned = (other.0 * cos - other.1 * sin, other.0 * sin + other.1 * cos);
                *other = (one.0 - turned.0, one.1 - turned.1);
                *one = (one.0 + turned.0, one.1 + turned.1);
            }
        }
        span *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const FACE: Bounds = Bounds { x: 40.0, y: 40.0, width: 100.0, height: 120.0 };

    fn picture(of: impl Fn(f32, f32) -> f32) -> RgbImage {
        RgbImage::from_fn(200, 200, |x, y| {
            // Mixed, for sums of multiples of the places are a grid themselves.
            let mixed = (x * 200 + y).wrapping_mul(0x9E37_79B1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
            let noise = (mixed ^ (mixed >> 13)) % 13;
            Rgb([(of(x as f32, y as f32) + noise as f32) as u8; 3])
        })
    }

    #[test]
    fn a_wave_has_its_power_where_it_belongs() {
        let wave = RgbImage::from_fn(64, 64, |x, _| {
            Rgb([(128.0 + 100.0 * (TAU * 10.0 * x as f32 / 64.0).cos()) as u8; 3])
        });
        let mut tile = Tile::read(&wave, (0.0, 0.0), LIGHT);
        tile.transform();
        let power = |x: usize, y: usize| tile.0[y * SIDE + x].0.hypot(tile.0[y * SIDE + x].1);
        // Half the height, for one of two peaks, and a quarter for the window, over all pixels.
        let expected = 50.0 * 0.25 * (SIDE * SIDE) as f32;
        assert!((power(10, 0) / expected - 1.0).abs() < 0.02, "{}", power(10, 0));
        assert!(power(10, 7) < 0.01 * expected && power(20, 0) < 0.01 * expected);
    }

    #[test]
    fn dots_make_a_peak_and_a_ramp_with_noise_none() {
        let plain = Texture::of(&picture(|x, y| 60.0 + 0.3 * x + 0.2 * y), &FACE);
        let dots = Texture::of(
            &picture(|x, y| 110.0 + 6.0 * ((x * 1.9 + y * 0.5).cos() + (y * 1.9 - x * 0.5).cos())),
            &FACE,
        );
        assert!(dots.grid > plain.grid + 1.5, "{} {}", dots.grid, plain.grid);
    }
}
