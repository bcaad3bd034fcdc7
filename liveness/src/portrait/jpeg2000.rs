//! JPEG 2000 portraits, as a JP2 file (ISO/IEC 15444-1 Annex I) or a bare codestream (Annex A), both
//! of which ICAO 9303-10 §4.7.2 allows in DG2.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};
use image::{Rgb, RgbImage};

use super::{DecodeError, MAX_JPEG2000_PIXELS, codestream, within_budget};

/// The signature box, and the markers SOC and SIZ.
const JP2: &[u8] = b"\x00\x00\x00\x0CjP  ";
const CODESTREAM: &[u8] = b"\xFF\x4F\xFF\x51";

pub(super) fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(JP2) || bytes.starts_with(CODESTREAM)
}

/// The headers are read before anything is decoded.
pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if bytes.starts_with(CODESTREAM) {
        codestream::check(bytes)?;
    } else {
        codestream::check_jp2(bytes)?;
    }
    let image =
        Image::new(bytes, &DecodeSettings::default()).map_err(DecodeError::DamagedJpeg2000)?;
    let (width, height) = (image.width(), image.height());
    within_budget(width, height, MAX_JPEG2000_PIXELS)?;
    let colours = usize::from(colours(image.color_space())?);
    let channels = colours + usize::from(image.has_alpha());
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(DecodeError::DamagedJpeg2000)?;
    let samples = decoded.data_u8();
    if samples.len() != width as usize * height as usize * channels {
        return Err(DecodeError::Size { width, height });
    }
    let mut pixels = samples.chunks(channels);
    Ok(RgbImage::from_fn(width, height, |_, _| pixels.next().map_or(Rgb([0; 3]), rgb)))
}

/// How many of the channels are colours; only grey and RGB (also by ICC profile) are portraits.
fn colours(space: &ColorSpace) -> Result<u8, DecodeError> {
    let channels = match space {
        ColorSpace::Gray => 1,
        ColorSpace::RGB => 3,
        ColorSpace::CMYK => 4,
        ColorSpace::Unknown { num_channels } | ColorSpace::Icc { num_channels, .. } => {
            *num_channels
        }
    };
    if matches!(channels, 1 | 3) { Ok(channels) } else { Err(DecodeError::Channels { channels }) }
}

fn rgb(samples: &[u8]) -> Rgb<u8> {
    match *samples {
        [red, green, blue, ..] => Rgb([red, green, blue]),
        [grey, ..] => Rgb([grey; 3]),
        [] => Rgb([0; 3]),
    }
}
