//! Photographs as phones make them, decoded at half their size: no network sees more of a face than
//! some hundred pixels, and most of what a full decoding costs is spent on the rest.
//!
//! A block of 8x8 is transformed back to 4x4 pixels (ITU-T T.81 §A.3.3 with the low frequencies only),
//! each the mean of four, for a third of the time. Only plain (sequential) JPEG is taken; portraits of
//! chips are far smaller and never come here.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, ImageInfo, PixelFormat};

use super::{DecodeError, MAX_PIXELS, within_budget};

/// The shorter side that is left at the least.
const LEAST_SIDE: u16 = 1280;
/// Cameras write one scan, or one a colour; previews in the headers have their own. A scan costs a pass
/// over the whole picture, however few bytes it has.
const MOST_SCANS: usize = 16;
const START_OF_SCAN: [u8; 2] = [0xFF, 0xDA];

/// Whether the file goes on to its end-of-image marker (ITU-T T.81 §B.1.1): decoders show what there is
/// of one that was cut off, and fill the rest.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((marker, after)) = marker(rest) {
        match marker {
            0xD9 => return true,
            // Those without a segment (§B.1.1.3): restarts, and one that is for tests.
            0x01 | 0xD0..=0xD7 => rest = after,
            // What follows the header of a scan is passed over in search of the next marker.
            _ => {
                let [high, low, ..] = *after else { return false };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(segment) = after.get(length..) else { return false };
                rest = segment;
            }
        }
    }
    false
}

/// The next marker and what follows it. Zero after 0xFF is data of a scan (§F.1.2.3), 0xFF is filling.
fn marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let next = |two: &[u8]| matches!(two, [0xFF, code] if !matches!(code, 0x00 | 0xFF));
    let at = bytes.windows(2).position(next)?;
    Some((*bytes.get(at + 1)?, bytes.get(at + 2..)?))
}

/// None where the file is small or of another kind, or this decoder cannot make anything of it.
pub(super) fn halved(bytes: &[u8]) -> Result<Option<RgbImage>, DecodeError> {
    if bytes.windows(2).filter(|two| *two == START_OF_SCAN).count() > MOST_SCANS {
        return Ok(None);
    }
    let mut decoder = Decoder::new(bytes);
    let info = decoder.read_info().ok().and_then(|()| decoder.info());
    let plain = |info: &ImageInfo| {
        info.coding_process == CodingProcess::DctSequential
            && matches!(info.pixel_format, PixelFormat::RGB24 | PixelFormat::L8)
    };
    let Some(info) = info.filter(plain) else { return Ok(None) };
    within_budget(info.width.into(), info.height.into(), MAX_PIXELS)?;
    let (width, height) = (info.width.div_ceil(2), info.height.div_ceil(2));
    if width.min(height) < LEAST_SIDE {
        return Ok(None);
    }
    let Ok((width, height)) = decoder.scale(width, height) else { return Ok(None) };
    let Ok(pixels) = decoder.decode() else { return Ok(None) };
    let (width, height) = (width.into(), height.into());
    let image = match info.pixel_format {
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    };
    Ok(image.map(|mut image| {
        let turned = decoder.exif_data().and_then(Orientation::from_exif_chunk);
        image.apply_orientation(turned.unwrap_or(Orientation::NoTransforms));
        image.into_rgb8()
    }))
}
