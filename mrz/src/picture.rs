//! From the bytes of a picture of the page to its pixels: JPEG, PNG and WebP, upright as their EXIF
//! says.
//!
//! The bytes come from strangers: how long the file may be, how many pixels it may claim and what
//! they take in memory is checked before anything is decoded, and a decoder that panics ends as an
//! error here. Of a picture that moves the first frame is taken.

use std::{
    io::Cursor,
    panic::{self, AssertUnwindSafe},
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, metadata::Orientation,
};
use thiserror::Error;

/// The longest file that is looked at.
pub const MAX_BYTES: usize = 32 << 20;
/// The most pixels a picture may have.
pub const MAX_PIXELS: u64 = 64_000_000;
/// The most bytes that its pixels may take.
const MAX_MEMORY: u64 = 256 << 20;

/// The bytes are no picture that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Longer than [`MAX_BYTES`].
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLong,
    /// More pixels than [`MAX_PIXELS`], or more than fit in the memory set aside for them.
    #[error("the picture has {width} x {height} pixels")]
    TooLarge {
        /// As the header claims.
        width: u32,
        /// As the header claims.
        height: u32,
    },
    /// A decoder would need more memory than is set aside.
    #[error("the picture takes too much memory")]
    Demanding(#[source] ImageError),
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// None of the three formats.
    #[error("the file is not JPEG, PNG or WebP")]
    Format,
    /// It cannot be decoded.
    #[error("the picture is damaged")]
    Damaged(#[source] ImageError),
    /// The decoder gave up in the middle.
    #[error("the decoder stopped")]
    Stopped,
}

impl PictureError {
    /// The stable reason code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong | Self::TooLarge { .. } | Self::Demanding(_) => "mrz.picture.too_large",
            _ => "mrz.picture.unreadable",
        }
    }
}

/// Decodes a picture and turns it upright. The format is told by the bytes, not by a name.
///
/// # Errors
///
/// Where it is too large, damaged, or of another format.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    match bytes.len() {
        0 => return Err(PictureError::Empty),
        1..=MAX_BYTES => {}
        _ => return Err(PictureError::TooLong),
    }
    let format = image::guess_format(bytes).map_err(|_| PictureError::Format)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(PictureError::Format);
    }
    // The decoders index and unwrap on what they read; nothing of them is used after a panic.
    let decoded = panic::catch_unwind(AssertUnwindSafe(|| decode_as(bytes, format)));
    decoded.unwrap_or(Err(PictureError::Stopped))
}

fn decode_as(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        return Err(PictureError::TooLarge { width, height });
    }
    // What tells the orientation may be damaged where the picture is not.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn failed(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::Demanding(error),
        _ => PictureError::Damaged(error),
    }
}
