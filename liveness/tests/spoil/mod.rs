//! Spoils a picture of a face in one way, more by each level: what quality is measured and tested by.
//!
//! Every fault is drawn after the face's five points, the same each time. What is drawn is flat and
//! even: it shows that a measure works and which way it goes, not how it does on real masks and hands.

mod draw;

use image::{RgbImage, imageops};
use liveness::{Look, QualityReason};

use draw::Frame;

/// One way in which a picture can be bad.
pub(crate) struct Fault {
    /// In a table.
    pub(crate) name: &'static str,
    /// What the levels say.
    pub(crate) unit: &'static str,
    /// From what may pass to what must not.
    pub(crate) levels: [f32; 4],
    /// What the person should be told.
    pub(crate) wanted: QualityReason,
    /// Spoils a picture with such a face.
    pub(crate) apply: fn(&RgbImage, &Look, f32) -> RgbImage,
}

const DARK: [u8; 3] = [24, 24, 26];
const LIGHT: [u8; 3] = [205, 215, 225];

/// Every fault.
pub(crate) const FAULTS: [Fault; 14] = [
    fault("far", "px between the eyes", [50.0, 39.0, 30.0, 20.0], QualityReason::TooFar, far),
    fault("close", "of the picture", [0.7, 0.82, 0.9, 0.97], QualityReason::TooClose, close),
    fault("cut off", "of the face", [0.05, 0.15, 0.25, 0.35], QualityReason::CutOff, cut_off),
    fault("tilted", "degrees", [15.0, 24.0, 35.0, 45.0], QualityReason::Turned, tilted),
    fault("dark", "of the light", [0.6, 0.3, 0.2, 0.1], QualityReason::TooDark, lit),
    fault("bright", "times the light", [1.2, 1.8, 2.5, 3.5], QualityReason::TooBright, lit),
    fault("hazy", "of the contrast", [0.6, 0.3, 0.2, 0.1], QualityReason::Flat, hazy),
    fault(
        "one-sided light",
        "of the light",
        [0.6, 0.3, 0.2, 0.1],
        QualityReason::Uneven,
        one_sided,
    ),
    fault(
        "blurred",
        "of the eyes' distance",
        [0.02, 0.06, 0.08, 0.12],
        QualityReason::Blurred,
        blurred,
    ),
    fault(
        "light mask",
        "of chin to eyes",
        [0.2, 0.5, 0.65, 0.8],
        QualityReason::Occluded,
        light_mask,
    ),
    fault(
        "dark mask",
        "of chin to eyes",
        [0.2, 0.5, 0.65, 0.8],
        QualityReason::Occluded,
        dark_mask,
    ),
    fault("dark glasses", "of the light", [0.6, 0.35, 0.2, 0.1], QualityReason::Occluded, glasses),
    fault("hand", "fingers", [1.0, 2.0, 3.0, 4.0], QualityReason::Occluded, hand),
    fault(
        "closed eyes",
        "of the way",
        [0.2, 0.6, 0.8, 1.0],
        QualityReason::EyesClosed,
        closed_eyes,
    ),
];

const fn fault(
    name: &'static str,
    unit: &'static str,
    levels: [f32; 4],
    wanted: QualityReason,
    apply: fn(&RgbImage, &Look, f32) -> RgbImage,
) -> Fault {
    Fault { name, unit, levels, wanted, apply }
}

fn mapped(image: &RgbImage, value: impl Fn(f32) -> f32) -> RgbImage {
    let mut made = image.clone();
    made.pixels_mut().for_each(|p| p.0 = p.0.map(|v| value(f32::from(v)) as u8));
    made
}

fn far(image: &RgbImage, face: &Look, distance: f32) -> RgbImage {
    let factor = distance / face.quality.measures.inter_eye_px;
    let side = |length: u32| ((length as f32 * factor).round() as u32).max(1);
    let filter = imageops::FilterType::Triangle;
    imageops::resize(image, side(image.width()), side(image.height()), filter)
}

/// The part of the picture about the face that it fills so far.
fn close(image: &RgbImage, face: &Look, size: f32) -> RgbImage {
    let bounds = face.bounds;
    let side = bounds.width.max(bounds.height) / size;
    let left = (bounds.x + (bounds.width - side) / 2.0).max(0.0) as u32;
    let top = (bounds.y + (bounds.height - side) / 2.0).max(0.0) as u32;
    let part = imageops::crop_imm(image, left, top, side as u32, side as u32).to_image();
    // As a camera does, as many pixels as before.
    imageops::resize(&part, image.width(), image.width(), imageops::FilterType::Triangle)
}

/// Without so much of the face at its left.
fn cut_off(image: &RgbImage, face: &Look, share: f32) -> RgbImage {
    let left = (face.bounds.x + share * face.bounds.width).max(0.0) as u32;
    let left = left.min(image.width() - 1);
    imageops::crop_imm(image, left, 0, image.width() - left, image.height()).to_image()
}

fn tilted(image: &RgbImage, face: &Look, degrees: f32) -> RgbImage {
    draw::turned(image, &Frame::of(face), (degrees - face.pose.roll).to_radians())
}

/// In light as the eye reckons it (a display's exponent of 2.2).
fn lit(image: &RgbImage, _: &Look, factor: f32) -> RgbImage {
    mapped(image, |v| 255.0 * ((v / 255.0).powf(2.2) * factor.powf(2.2)).powf(1.0 / 2.2))
}

fn hazy(image: &RgbImage, _: &Look, contrast: f32) -> RgbImage {
    mapped(image, |v| 150.0 + (v - 150.0) * contrast)
}

fn one_sided(image: &RgbImage, face: &Look, factor: f32) -> RgbImage {
    let frame = Frame::of(face);
    draw::blended(image, &frame, |x, _| (x < 0.0).then_some(1.0 - factor), |_, _| Some([0; 3]))
}

fn blurred(image: &RgbImage, face: &Look, width: f32) -> RgbImage {
    imageops::fast_blur(image, width * face.quality.measures.inter_eye_px)
}

fn light_mask(image: &RgbImage, face: &Look, height: f32) -> RgbImage {
    mask(image, face, height, LIGHT)
}

fn dark_mask(image: &RgbImage, face: &Look, height: f32) -> RgbImage {
    mask(image, face, height, DARK)
}

/// From below the chin up, as wide as the jaw. In the frame the eyes lie at 0 and the chin at 1.7.
fn mask(image: &RgbImage, face: &Look, height: f32, colour: [u8; 3]) -> RgbImage {
    let top = 1.7 * (1.0 - height);
    let covers = |x: f32, y: f32| {
        let jaw = 1.15 - 0.5 * ((y - 0.6) / 1.2).max(0.0).powi(2);
        (y > top + 0.15 * x * x && y < 1.9 && x.abs() < jaw).then_some(1.0)
    };
    draw::blended(image, &Frame::of(face), covers, |_, _| Some(colour))
}

fn glasses(image: &RgbImage, face: &Look, light: f32) -> RgbImage {
    let covers = |x: f32, y: f32| {
        let lens =
            (x.abs() - 0.5).powi(2) / 0.42_f32.powi(2) + (y - 0.05).powi(2) / 0.33_f32.powi(2);
        let bridge = x.abs() < 0.2 && (-0.12..0.02).contains(&y);
        (lens < 1.0 || bridge).then_some(1.0 - light)
    };
    draw::blended(image, &Frame::of(face), covers, |_, _| Some(DARK))
}

/// So many fingers of the face's own colour, from the left over the mouth and what is above it.
fn hand(image: &RgbImage, face: &Look, fingers: f32) -> RgbImage {
    let frame = Frame::of(face);
    let skin = frame.colour(image, [(-0.45, 0.55), (0.45, 0.55)]);
    let shaded = |part: f32| skin.map(|v| (f32::from(v) * part) as u8);
    let covers = |x: f32, y: f32| {
        let along = (1.45 - y) / 0.3;
        ((0.0..fingers).contains(&along) && x > -1.6 && x < 0.75).then_some(1.0)
    };
    let colour = |_: f32, y: f32| {
        let across = ((1.45 - y) / 0.3).fract();
        Some(if across < 0.1 { shaded(0.55) } else { shaded(0.8 + 0.2 * across) })
    };
    draw::blended(image, &frame, covers, colour)
}

/// The upper lids drawn down so far, as wide as they are.
fn closed_eyes(image: &RgbImage, face: &Look, part: f32) -> RgbImage {
    draw::lidded(image, &Frame::of(face), part)
}
