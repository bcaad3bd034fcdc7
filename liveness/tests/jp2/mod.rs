//! JPEG 2000 compression of a portrait, as a passport's maker does it.

use std::fs;

use image::RgbImage;
use openjp2::openjpeg::{OPJ_CLRSPC_SRGB, OPJ_CODEC_JP2};
use openjp2::{Codec, Stream, opj_cparameters, opj_image, opj_image_comptparm};
use tempfile::NamedTempFile;

/// The picture in a JP2 file of about so many bytes, irreversible.
pub(crate) fn compressed(image: &RgbImage, bytes: usize) -> Vec<u8> {
    let file = NamedTempFile::new().unwrap();
    let mut stream = Stream::new_file(file.path(), 1 << 16, false).unwrap();
    let mut parameters = opj_cparameters::default();
    parameters.tcp_rates[0] = image.as_raw().len() as f32 / bytes as f32;
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = 1;
    parameters.tcp_mct = 1;
    let mut codec = Codec::new_encoder(OPJ_CODEC_JP2).unwrap();
    let mut planes = planes(image);
    assert_ne!(codec.setup_encoder(&mut parameters, &mut planes), 0);
    assert_ne!(codec.start_compress(&mut planes, &mut stream), 0);
    assert_ne!(codec.encode(&mut stream), 0);
    assert_ne!(codec.end_compress(&mut stream), 0);
    drop(stream);
    fs::read(file.path()).unwrap()
}

fn planes(image: &RgbImage) -> Box<opj_image> {
    let (w, h) = image.dimensions();
    let plane = opj_image_comptparm { dx: 1, dy: 1, w, h, x0: 0, y0: 0, prec: 8, bpp: 8, sgnd: 0 };
    let mut made = opj_image::create(&[plane; 3], OPJ_CLRSPC_SRGB).unwrap();
    (made.x1, made.y1) = (w, h);
    for (channel, plane) in made.comps_data_mut_iter().unwrap().enumerate() {
        let values = plane.iter_mut().zip(image.pixels());
        values.for_each(|(to, from)| *to = i32::from(from.0[channel]));
    }
    made
}
