//! Pictures made into portraits as chips hold them: JPEG 2000, small, upright, cut around the face.

use std::fs;

use image::{GrayImage, Rgb, RgbImage, imageops};
use liveness::Point;
use openjp2::openjpeg::{OPJ_CLRSPC_GRAY, OPJ_CLRSPC_SRGB, OPJ_CODEC_JP2};
use openjp2::{Codec, Stream, opj_cparameters, opj_image, opj_image_comptparm};
use tempfile::NamedTempFile;

use crate::Outcome;

/// What a portrait is made into.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    size: (u32, u32),
    max_bytes: usize,
    colours: usize,
    /// Only every so many-th of the labelled pairs is measured: a variant takes minutes.
    pub(crate) every: usize,
}

const fn variant(name: &'static str, size: (u32, u32), kilobytes: usize) -> Variant {
    Variant { name, size, max_bytes: 1000 * kilobytes, colours: 3, every: 3 }
}

pub(crate) const VARIANTS: [Variant; 5] = [
    Variant { every: 1, ..variant("portrait 300x400, 12 kB", (300, 400), 12) },
    variant("portrait 300x400, 5 kB", (300, 400), 5),
    variant("portrait 240x320, 8 kB", (240, 320), 8),
    variant("portrait 480x640, 20 kB", (480, 640), 20),
    Variant { colours: 1, ..variant("portrait 300x400, 12 kB, grey", (300, 400), 12) },
];

/// Room for the boxes and markers beside the packets.
const OVERHEAD: usize = 400;
const BUFFER: usize = 1 << 16;

/// The face cut out as a token image, in a JP2 file of at most so many bytes.
pub(crate) fn on_a_chip(image: &RgbImage, five: &[Point; 5], to: &Variant) -> Outcome<Vec<u8>> {
    let face = token(image, five, to.size);
    let planes: Vec<Vec<u8>> = match to.colours {
        1 => vec![grey(&face).into_raw()],
        _ => {
            (0..3).map(|at| face.pixels().filter_map(|p| p.0.get(at).copied()).collect()).collect()
        }
    };
    let file = NamedTempFile::new()?;
    let mut stream = Stream::new_file(file.path(), BUFFER, false)?;
    compress(&planes, to, &mut stream).ok_or("the portrait could not be compressed")?;
    drop(stream);
    let bytes = fs::read(file.path())?;
    (bytes.len() <= to.max_bytes).then_some(bytes).ok_or_else(|| "the portrait is too long".into())
}

/// ISO/IEC 19794-5:2005 §9: the eyes are a quarter of the width apart, in the middle, and three fifths
/// of the width below the top. Beyond the picture its edge goes on.
fn token(image: &RgbImage, five: &[Point; 5], (width, height): (u32, u32)) -> RgbImage {
    let [left, right, ..] = five;
    let scale = 4.0 * (left.x - right.x).hypot(left.y - right.y) / width as f32;
    let middle = ((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
    let most = (image.width() as f32 - 1.0, image.height() as f32 - 1.0);
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 + 0.5 - 0.5 * width as f32, y as f32 + 0.5 - 0.6 * width as f32);
        let (x, y) = (middle.0 + scale * x - 0.5, middle.1 + scale * y - 0.5);
        let (x, y) = (x.clamp(0.0, most.0), y.clamp(0.0, most.1));
        imageops::interpolate_bilinear(image, x, y).unwrap_or(Rgb([0; 3]))
    })
}

fn grey(face: &RgbImage) -> GrayImage {
    imageops::grayscale(face)
}

fn compress(planes: &[Vec<u8>], to: &Variant, stream: &mut Stream) -> Option<()> {
    let mut picture = picture(planes, to.size)?;
    let mut parameters = opj_cparameters::default();
    let packets = to.max_bytes.saturating_sub(OVERHEAD).max(1);
    let pixels: usize = planes.iter().map(Vec::len).sum();
    *parameters.tcp_rates.first_mut()? = pixels as f32 / packets as f32;
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = 1;
    parameters.tcp_mct = i8::from(planes.len() > 1);
    let mut codec = Codec::new_encoder(OPJ_CODEC_JP2)?;
    let done = codec.setup_encoder(&mut parameters, &mut picture) != 0
        && codec.start_compress(&mut picture, stream) != 0
        && codec.encode(stream) != 0
        && codec.end_compress(stream) != 0;
    done.then_some(())
}

fn picture(planes: &[Vec<u8>], (w, h): (u32, u32)) -> Option<Box<opj_image>> {
    let plane = opj_image_comptparm { dx: 1, dy: 1, w, h, x0: 0, y0: 0, prec: 8, bpp: 8, sgnd: 0 };
    let space = if planes.len() > 1 { OPJ_CLRSPC_SRGB } else { OPJ_CLRSPC_GRAY };
    let mut picture = opj_image::create(&vec![plane; planes.len()], space)?;
    (picture.x1, picture.y1) = (w, h);
    for (to, from) in picture.comps_data_mut_iter()?.zip(planes) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = i32::from(*from));
    }
    Some(picture)
}
