//! Draws data pages of 125 x 88 mm with an MRZ in OCR-B (Debian `fonts-ocr-b`) and takes pictures of
//! them. ICAO 9303-3 §4.2: 10 characters to the inch; 9303-4 §4.1: where the lines are.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::f32::consts::TAU;

use ab_glyph::{Font, FontVec, PxScale, point};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};

const FONT: &str = "/usr/share/fonts/opentype/ocr-b/OCRB.otf";
/// Pixels per millimetre of the page before the picture is taken.
const DENSITY: f32 = 11.81;
const PAGE_MM: (f32, f32) = (125.0, 88.0);
const PITCH_MM: f32 = 2.54;

/// Random numbers from a seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// At least `from`, less than `to`.
    pub(crate) fn between(&mut self, from: f32, to: f32) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
        from + share * (to - from)
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.between(0.0, all.len() as f32) as usize]
    }
}

/// The page: grey values, a pattern under the text, a portrait, printed fields, and the MRZ.
pub(crate) fn page(lines: &[String], pattern: f32, dice: &mut Dice) -> GrayImage {
    let font = FontVec::try_from_vec(std::fs::read(FONT).expect("install fonts-ocr-b")).unwrap();
    let (width, height) = ((PAGE_MM.0 * DENSITY) as u32, (PAGE_MM.1 * DENSITY) as u32);
    let (wave, turn, drift) =
        (dice.between(6.0, 30.0), dice.between(0.0, 3.1), dice.between(20.0, 90.0));
    let mut page = GrayImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let along = x * turn.cos() + y * turn.sin() + 8.0 * (y / drift).sin();
        Luma([(225.0 - pattern * (1.0 + (along / wave * TAU).sin()) + 0.01 * x) as u8])
    });
    portrait(&mut page);
    for row in 0..7 {
        let text =
            dice.pick(&["DANMARK DENMARK", "Hansen", "K0B3NHAVN", "Anna Maria", "01 JAN 2030"]);
        write(&mut page, &font, text, (48.0, 12.0 + 6.0 * row as f32), 1.7);
    }
    for (row, line) in lines.iter().enumerate() {
        write(&mut page, &font, line, (6.6, 88.0 - 16.5 + 6.35 * row as f32), PITCH_MM);
    }
    page
}

fn portrait(page: &mut GrayImage) {
    for (x, y, pixel) in page.enumerate_pixels_mut() {
        let (u, v) = (x as f32 / DENSITY - 24.0, y as f32 / DENSITY - 34.0);
        if u.abs() < 17.0 && v.abs() < 22.0 {
            let face = (u / 11.0).powi(2) + ((v + 2.0) / 14.0).powi(2) < 1.0;
            let hair = (x * 7919 + y * 104_729) % 61;
            *pixel = Luma([if face { 170 } else { 40 + hair as u8 }]);
        }
    }
}

/// Writes a text with its left edge and baseline at a place, so many millimetres per character.
fn write(page: &mut GrayImage, font: &FontVec, text: &str, at: (f32, f32), pitch: f32) {
    let units = font.units_per_em().unwrap();
    let advance = font.h_advance_unscaled(font.glyph_id('0')) / units;
    let em = pitch * DENSITY / advance;
    let scale = PxScale::from(em * font.height_unscaled() / units);
    for (index, character) in text.chars().enumerate() {
        let x = (at.0 + pitch * index as f32) * DENSITY;
        let glyph =
            font.glyph_id(character).with_scale_and_position(scale, point(x, at.1 * DENSITY));
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|dx, dy, cover| {
            let (x, y) = (corner.x as u32 + dx, corner.y as u32 + dy);
            if let Some(pixel) = page.get_pixel_mut_checked(x, y) {
                pixel.0[0] = (f32::from(pixel.0[0]) * (1.0 - cover) + 30.0 * cover) as u8;
            }
        });
    }
}

/// How the picture of a page is taken.
#[derive(Clone, Copy)]
pub(crate) struct Shot {
    /// The picture's width in pixels.
    pub(crate) width: u32,
    /// The table seen on every side, as a share of the page's width.
    pub(crate) margin: f32,
    pub(crate) degrees: f32,
    /// Standard deviation, in grey levels.
    pub(crate) noise: f32,
    /// Light at the left and at the right.
    pub(crate) light: (f32, f32),
    pub(crate) jpeg: Option<u8>,
}

/// A flat scan at the page's own resolution.
pub(crate) const SCAN: Shot =
    Shot { width: 1476, margin: 0.0, degrees: 0.0, noise: 0.0, light: (1.0, 1.0), jpeg: None };

/// Takes the picture.
pub(crate) fn take(page: &GrayImage, shot: Shot, dice: &mut Dice) -> DynamicImage {
    let page_width = page.width() as f32;
    let scale = page_width * (1.0 + 2.0 * shot.margin) / shot.width as f32;
    let height = (page.height() as f32 + 2.0 * shot.margin * page_width) / scale;
    let (sin, cos) = shot.degrees.to_radians().sin_cos();
    let half = (shot.width as f32 / 2.0, height / 2.0);
    let taken = GrayImage::from_fn(shot.width, height as u32, |x, y| {
        let (u, v) = ((x as f32 - half.0) * scale, (y as f32 - half.1) * scale);
        let x_page = u * cos + v * sin + page_width / 2.0;
        let y_page = v * cos - u * sin + page.height() as f32 / 2.0;
        let light = shot.light.0 + (shot.light.1 - shot.light.0) * x as f32 / shot.width as f32;
        // The sum of three dice is near enough to a normal deviate; its own deviation is a half.
        let noise = match shot.noise > 0.0 {
            true => (0..3).map(|_| dice.between(-0.5, 0.5)).sum::<f32>() * 2.0 * shot.noise,
            false => 0.0,
        };
        Luma([(mean(page, x_page, y_page, scale) * light + noise).clamp(0.0, 255.0) as u8])
    });
    shot.jpeg.map_or(DynamicImage::ImageLuma8(taken.clone()), |quality| compressed(&taken, quality))
}

/// The mean of the page over a pixel of the picture; dark table beyond its edge.
fn mean(page: &GrayImage, x: f32, y: f32, size: f32) -> f32 {
    let steps = size.ceil() as i32 + 1;
    let at = |step: i32| (step as f32 + 0.5) / steps as f32 * size - size / 2.0;
    let mut sum = 0.0;
    for (i, j) in (0..steps).flat_map(|j| (0..steps).map(move |i| (i, j))) {
        let (u, v) = (x + at(i), y + at(j));
        let inside = u >= 0.0 && v >= 0.0;
        let pixel = inside.then(|| page.get_pixel_checked(u as u32, v as u32)).flatten();
        sum += pixel.map_or(70.0, |pixel| f32::from(pixel.0[0]));
    }
    sum / (steps * steps) as f32
}

fn compressed(picture: &GrayImage, quality: u8) -> DynamicImage {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.encode_image(picture).unwrap();
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap()
}
