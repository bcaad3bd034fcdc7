//! Every kind of picture that a page may come in (`pictures/`: 48 x 32, dark to the left and light to
//! the right), turned in all eight ways of EXIF; and files that are refused before they cost anything.
#![cfg(feature = "reader")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod png;

use std::io::Cursor;

use image::{
    DynamicImage, GrayImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, Rgba,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    metadata::Orientation,
};
use mrz::picture::{self, PictureError};
use png::crc;

const SIZE: (u32, u32) = (48, 32);

fn is_the_picture(name: &str, picture: &DynamicImage) {
    assert_eq!((picture.width(), picture.height()), SIZE, "{name}");
    let grey = picture.to_luma8();
    let near = |x, y, value: i32| (i32::from(grey.get_pixel(x, y).0[0]) - value).abs() < 24;
    assert!(near(6, 16, 40) && near(42, 16, 230), "{name}: {:?}", grey.get_pixel(6, 16));
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_bytes!(concat!("pictures/", $name)).as_slice())
    };
}

#[test]
fn every_kind_of_picture_is_decoded() {
    for (name, bytes) in [
        file!("rgb-420.jpg"),
        file!("grey.jpg"),
        file!("grey-progressive.jpg"),
        file!("cmyk.jpg"),
        file!("lossy.webp"),
        file!("animated.webp"),
        file!("animated.png"),
        file!("alpha.png"),
    ] {
        is_the_picture(name, &picture::decode(bytes).unwrap());
    }
    let one_bit = picture::decode(file!("one-bit.png").1).unwrap().to_luma8();
    assert_eq!((one_bit.get_pixel(6, 16).0[0], one_bit.get_pixel(46, 16).0[0]), (0, 255));
}

#[test]
fn sixteen_bits_a_channel_are_decoded() {
    let grey = ImageBuffer::from_fn(48, 32, |x, _| Luma([if x < 24 { 40_u16 } else { 230 } * 257]));
    let clear = ImageBuffer::from_fn(48, 32, |x, _| {
        let value = if x < 24 { 40_u16 } else { 230 } * 257;
        Rgba([value, value, value, 9])
    });
    for picture in [DynamicImage::ImageLuma16(grey), DynamicImage::ImageRgba16(clear)] {
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        is_the_picture("sixteen bits", &picture::decode(png.get_ref()).unwrap());
    }
}

/// A picture in which no two corners are alike.
fn corners() -> GrayImage {
    GrayImage::from_fn(64, 32, |x, y| match (x < 32, y < 16) {
        (true, true) => Luma([0]),
        (false, true) => Luma([80]),
        (true, false) => Luma([160]),
        (false, false) => Luma([255]),
    })
}

/// A TIFF directory with the orientation as its only entry (Exif 2.32 §4.6.4).
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// As a camera stores a picture that must be turned to be upright.
fn stored(orientation: u8, format: ImageFormat) -> Vec<u8> {
    let undo = match Orientation::from_exif(orientation).unwrap() {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        same => same,
    };
    let mut picture = DynamicImage::ImageLuma8(corners());
    picture.apply_orientation(undo);
    let picture = picture.to_rgb8();
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    macro_rules! write {
        ($encoder:expr) => {{
            let mut encoder = $encoder;
            encoder.set_exif_metadata(exif(orientation)).unwrap();
            encoder.write_image(&picture, width, height, image::ExtendedColorType::Rgb8).unwrap();
        }};
    }
    match format {
        ImageFormat::Jpeg => write!(JpegEncoder::new_with_quality(&mut bytes, 90)),
        ImageFormat::Png => write!(PngEncoder::new(&mut bytes)),
        _ => write!(WebPEncoder::new_lossless(&mut bytes)),
    }
    bytes
}

#[test]
fn all_eight_orientations_are_turned_upright() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for orientation in 1..=8 {
            let upright = picture::decode(&stored(orientation, format)).unwrap().to_luma8();
            assert_eq!(upright.dimensions(), (64, 32), "{format:?} {orientation}");
            for (x, y) in [(8, 8), (56, 8), (8, 24), (56, 24)] {
                let (found, meant) = (upright.get_pixel(x, y).0[0], corners().get_pixel(x, y).0[0]);
                assert!(found.abs_diff(meant) < 8, "{format:?} {orientation}: {found} {meant}");
            }
        }
        // An orientation that there is none of is none.
        for odd in [0, 9, 255] {
            let mut bytes = stored(1, format);
            let at = bytes.windows(8).position(|part| part == b"\x01\x12\0\x03\0\0\0\x01").unwrap();
            bytes[at + 9] = odd;
            if format != ImageFormat::Png {
                assert_eq!(picture::decode(&bytes).unwrap().width(), 64, "{format:?} {odd}");
            }
        }
    }
}

fn refused(bytes: &[u8]) -> PictureError {
    picture::decode(bytes).unwrap_err()
}

/// The start of a PNG that claims a size, with a right checksum: signature, IHDR, an empty IDAT.
fn png_of(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, colour, 0, 0, 0]);
    for (kind, data) in [(b"IHDR", header.as_slice()), (b"IDAT", &[])] {
        let chunk = [kind.as_slice(), data].concat();
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc(&chunk).to_be_bytes());
    }
    bytes
}

/// A JPEG that claims a size and has no data.
fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = file!("grey.jpg").1.to_vec();
    let at = bytes.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    bytes[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    bytes[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A lossless WebP that claims 16383 x 16383.
fn webp_of_all_there_is() -> Vec<u8> {
    let mut bytes = b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f".to_vec();
    bytes.extend([0xfe, 0xbf, 0xff, 0x0f, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn what_claims_too_much_is_refused_before_it_is_decoded() {
    for (name, bytes) in [
        ("PNG", png_of(100_000, 100_000, 8, 2)),
        ("the greatest PNG", png_of(0x7fff_ffff, 0x7fff_ffff, 16, 6)),
        ("a thin PNG", png_of(0x7fff_ffff, 1, 8, 0)),
        ("just over", png_of(8_001, 8_000, 8, 0)),
        ("sixteen bits of four channels", png_of(8_000, 8_000, 16, 6)),
        ("JPEG", jpeg_of(65_500, 65_500)),
        ("WebP", webp_of_all_there_is()),
        ("a long file", vec![0; picture::MAX_BYTES + 1]),
    ] {
        let error = refused(&bytes);
        assert_eq!(error.code(), "mrz.picture.too_large", "{name}: {error:?}");
    }
    assert!(matches!(refused(&png_of(8_000, 8_000, 8, 0)), PictureError::Damaged(_)));
}

#[test]
fn what_is_no_picture_is_refused() {
    assert!(matches!(refused(b""), PictureError::Empty));
    for other in [b"no picture".as_slice(), b"%PDF-1.7", b"\0\0\0\x18ftypheic", &[0; 4000]] {
        assert!(matches!(refused(other), PictureError::Format), "{other:?}");
    }
    for (name, bytes) in [file!("interlaced.gif"), file!("grey.tiff")] {
        assert!(matches!(refused(bytes), PictureError::Format), "{name}");
    }
    assert!(matches!(refused(b"\x89PNG\r\n\x1a\n"), PictureError::Damaged(_)));
    assert_eq!(refused(b"\xff\xd8\xff\xe0").code(), "mrz.picture.unreadable");
    assert_eq!(refused(b"RIFF\x04\0\0\0WEBP").code(), "mrz.picture.unreadable");
}

/// At every length: an error, or a picture of the right size, whose end a decoder may leave grey.
#[test]
fn what_is_cut_short_is_refused_or_kept_to_its_size() {
    let mut whole = 0;
    for (name, bytes) in [
        file!("rgb-420.jpg"),
        file!("cmyk.jpg"),
        file!("grey-progressive.jpg"),
        file!("lossy.webp"),
        file!("animated.webp"),
        file!("alpha.png"),
    ] {
        for length in 0..bytes.len() {
            if let Ok(picture) = picture::decode(&bytes[..length]) {
                assert_eq!((picture.width(), picture.height()), SIZE, "{name} at {length}");
                whole += 1;
            }
        }
    }
    println!("{whole} of the pictures that were cut short are decoded");
}
