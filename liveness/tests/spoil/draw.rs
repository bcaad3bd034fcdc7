//! Drawing in the frame of a face.

use image::{Rgb, RgbImage};
use liveness::{Look, Point};

/// Coordinates of a face: between the eyes is 0, 0; the right eye is at 0.5, 0; y runs to the mouth.
pub(super) struct Frame {
    middle: Point,
    across: (f32, f32),
}

impl Frame {
    pub(super) fn of(face: &Look) -> Frame {
        let [left, right, ..] = face.points;
        let middle = Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 };
        Frame { middle, across: (right.x - left.x, right.y - left.y) }
    }

    fn unit(&self) -> f32 {
        self.across.0.hypot(self.across.1)
    }

    /// A pixel's place in the frame.
    fn inside(&self, x: u32, y: u32) -> (f32, f32) {
        let (x, y) = (x as f32 + 0.5 - self.middle.x, y as f32 + 0.5 - self.middle.y);
        let ((ax, ay), square) = (self.across, self.unit().powi(2));
        ((x * ax + y * ay) / square, (y * ax - x * ay) / square)
    }

    /// A place of the frame in the picture.
    fn outside(&self, x: f32, y: f32) -> (f32, f32) {
        let (ax, ay) = self.across;
        (self.middle.x + x * ax - y * ay, self.middle.y + x * ay + y * ax)
    }

    /// The mean colour at some places.
    pub(super) fn colour<const N: usize>(&self, image: &RgbImage, at: [(f32, f32); N]) -> [u8; 3] {
        let mut sum = [0.0; 3];
        for (x, y) in at {
            let (x, y) = self.outside(x, y);
            let Rgb(colour) = near(image, x, y);
            sum.iter_mut().zip(colour).for_each(|(sum, v)| *sum += f32::from(v) / N as f32);
        }
        sum.map(|v| v as u8)
    }
}

/// The picture's pixel there, or the nearest one.
fn near(image: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let clamped = |v: f32, length: u32| (v.max(0.0) as u32).min(length - 1);
    *image.get_pixel(clamped(x, image.width()), clamped(y, image.height()))
}

/// As [`near`], between pixels.
fn between(image: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let (x, y) = (x - 0.5, y - 0.5);
    let (part_x, part_y) = (x - x.floor(), y - y.floor());
    let mut sum = [0.0; 3];
    for (dx, dy, weight) in [
        (0.0, 0.0, (1.0 - part_x) * (1.0 - part_y)),
        (1.0, 0.0, part_x * (1.0 - part_y)),
        (0.0, 1.0, (1.0 - part_x) * part_y),
        (1.0, 1.0, part_x * part_y),
    ] {
        let Rgb(colour) = near(image, x.floor() + dx, y.floor() + dy);
        sum.iter_mut().zip(colour).for_each(|(sum, v)| *sum += weight * f32::from(v));
    }
    Rgb(sum.map(|v| (v + 0.5) as u8))
}

/// The picture with `colour` laid over it as opaque as `covers` says; both take places in the frame.
/// Each pixel is looked at in four places, so that edges are smooth.
pub(super) fn blended(
    image: &RgbImage,
    frame: &Frame,
    covers: impl Fn(f32, f32) -> Option<f32>,
    colour: impl Fn(f32, f32) -> Option<[u8; 3]>,
) -> RgbImage {
    let mut made = image.clone();
    let step = 0.25 / frame.unit();
    for (x, y, pixel) in made.enumerate_pixels_mut() {
        let (x, y) = frame.inside(x, y);
        let corners = [(-step, -step), (step, -step), (-step, step), (step, step)];
        let opaque: f32 = corners.iter().filter_map(|(dx, dy)| covers(x + dx, y + dy)).sum();
        let Some(over) = colour(x, y).filter(|_| opaque > 0.0) else { continue };
        let opaque = opaque / 4.0;
        let mix = |(own, over): (u8, u8)| {
            (f32::from(own) * (1.0 - opaque) + f32::from(over) * opaque + 0.5) as u8
        };
        let ([r, g, b], [or, og, ob]) = (pixel.0, over);
        pixel.0 = [(r, or), (g, og), (b, ob)].map(mix);
    }
    made
}

/// The picture turned clockwise about the middle of the eyes; its edges are drawn out.
pub(super) fn turned(image: &RgbImage, frame: &Frame, angle: f32) -> RgbImage {
    let (sin, cos) = angle.sin_cos();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let (x, y) = (x as f32 + 0.5 - frame.middle.x, y as f32 + 0.5 - frame.middle.y);
        let (x, y) = (x * cos + y * sin, y * cos - x * sin);
        between(image, frame.middle.x + x, frame.middle.y + y)
    })
}

/// The picture with the skin above the eyes drawn down over them.
pub(super) fn lidded(image: &RgbImage, frame: &Frame, part: f32) -> RgbImage {
    const TOP: f32 = -0.3;
    let mut made = image.clone();
    for (x, y, pixel) in made.enumerate_pixels_mut() {
        let (x, y) = frame.inside(x, y);
        let round = 1.0 - ((x.abs() - 0.5) / 0.3).powi(2);
        let (upper, lower) = (-0.1 * round, 0.09 * round);
        if round <= 0.0 || y <= TOP || y >= lower {
            continue;
        }
        let lid = upper + part * (lower - upper);
        let from = if y < lid { TOP + (y - TOP) * (upper - TOP) / (lid - TOP) } else { y };
        let (px, py) = frame.outside(x, from);
        let Rgb(colour) = between(image, px, py);
        // The lashes.
        let shade = 1.0 - 0.5 * (-((y - lid) / 0.02).powi(2)).exp() * part;
        *pixel = Rgb(colour.map(|v| (f32::from(v) * shade) as u8));
    }
    made
}
