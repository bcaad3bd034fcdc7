//! From the bytes of a picture to its pixels: JPEG, PNG, WebP and JPEG 2000.
//!
//! The bytes come from strangers and from chips whose hash may not be checked yet, so nothing is
//! trusted: how long the file may be and how many pixels it may claim is checked before anything is
//! decoded, and a decoder that stops on its own error ends as an error here.

mod codestream;
mod jpeg;
mod jpeg2000;

use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use thiserror::Error;

/// The longest file that is looked at.
pub const MAX_BYTES: usize = 16 << 20;
/// The most pixels a picture may have: a phone's camera, not a poster.
pub const MAX_PIXELS: u64 = 32_000_000;
/// The most pixels of a JPEG 2000 picture, which only chips hold: their portraits have a tenth of it,
/// and decoding takes some fifty bytes a pixel, whatever the file's length.
pub const MAX_JPEG2000_PIXELS: u64 = 8_000_000;
/// The longest side.
pub const MAX_SIDE: u32 = 12_000;
/// Decoders may hold this many bytes beside the picture.
const MAX_DECODER_BYTES: u64 = 256 << 20;

/// The bytes are no picture that can be used.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Longer than [`MAX_BYTES`].
    #[error("the file has {length} bytes")]
    TooLong {
        /// Of the file.
        length: usize,
    },
    /// More pixels than the format may have, or a side longer than [`MAX_SIDE`], or none at all.
    #[error("the picture has {width} x {height} pixels")]
    Size {
        /// As the header claims.
        width: u32,
        /// As the header claims.
        height: u32,
    },
    /// None of the four formats.
    #[error("the file is not JPEG, PNG, WebP or JPEG 2000")]
    Format,
    /// JPEG that ends before its end.
    #[error("the picture is cut off")]
    CutOff,
    /// JPEG, PNG or WebP that cannot be decoded.
    #[error("the picture is damaged")]
    Damaged(#[source] ImageError),
    /// JPEG 2000 that cannot be decoded.
    #[error("the JPEG 2000 picture is damaged")]
    DamagedJpeg2000(#[source] hayro_jpeg2000::DecodeError),
    /// JPEG 2000 that asks for more tiles, precincts or components than a portrait needs, or whose
    /// headers cannot be followed.
    #[error("the JPEG 2000 picture is not a plain portrait")]
    Demanding,
    /// Neither grey nor three colours, with or without transparency.
    #[error("the picture has {channels} channels")]
    Channels {
        /// Of the picture, without transparency.
        channels: u8,
    },
    /// The decoder gave up in the middle.
    #[error("the decoder stopped")]
    Stopped,
}

impl DecodeError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        "face.portrait_unreadable"
    }
}

/// Decodes a picture to RGB, upright as its EXIF says. Grey becomes RGB, transparency is dropped, and a
/// JPEG photograph of many pixels comes at half its size.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::TooLong { length: bytes.len() });
    }
    // The decoders index and unwrap on what they read; nothing of them is used after a panic.
    panic::catch_unwind(AssertUnwindSafe(|| by_format(bytes))).unwrap_or(Err(DecodeError::Stopped))
}

fn by_format(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if jpeg2000::recognises(bytes) {
        return jpeg2000::decode(bytes);
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) if !jpeg::is_whole(bytes) => Err(DecodeError::CutOff),
        Ok(ImageFormat::Jpeg) => match jpeg::halved(bytes)? {
            Some(image) => Ok(image),
            None => common(bytes, ImageFormat::Jpeg),
        },
        Ok(format @ (ImageFormat::Png | ImageFormat::WebP)) => common(bytes, format),
        _ => Err(DecodeError::Format),
    }
}

fn common(bytes: &[u8], format: ImageFormat) -> Result<RgbImage, DecodeError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(DecodeError::Damaged)?;
    let (width, height) = decoder.dimensions();
    within_budget(width, height, MAX_PIXELS)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(DecodeError::Damaged)?;
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

fn within_budget(width: u32, height: u32, most: u64) -> Result<(), DecodeError> {
    let sides = 1..=MAX_SIDE;
    let fits = u64::from(width) * u64::from(height) <= most;
    if fits && sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    Err(DecodeError::Size { width, height })
}
