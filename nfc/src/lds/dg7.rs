//! DG7: the usual signature as a picture (ICAO 9303-10 §4.7.7).

use super::{LdsError, text::Picture};
use crate::{
    der,
    files::FileId,
    tlv::{self, Tag},
};

/// The most pictures that are read.
const MOST: usize = 8;

/// The pictures: `67 { 02 count, 5F43 picture… }`.
///
/// # Errors
/// [`LdsError`] if the file has another form, or another number of pictures than it says.
pub fn parse(file: &[u8]) -> Result<Vec<Picture>, LdsError> {
    let mut reader = tlv::single(file, FileId::DG7.tag())?.reader();
    let count = der::small_integer(&mut reader)?;
    let mut pictures = Vec::new();
    while !reader.is_empty() {
        if pictures.len() == MOST {
            return Err(LdsError::Budget { most: MOST });
        }
        pictures.push(Picture::read(&reader.expect(Tag(0x5F43))?));
    }
    let same = u32::try_from(pictures.len()) == Ok(count);
    if same { Ok(pictures) } else { Err(LdsError::Content { tag: Tag(0x02) }) }
}
