//! DG2: the face (ICAO 9303-10 §4.7.2), as ISO/IEC 19794-5:2005 records. Portraits are cut out and
//! never decoded here.

use super::LdsError;
use crate::{
    files::FileId,
    tlv::{self, Reader, Tag},
};

/// The most faces that are read.
const MOST: usize = 8;

/// How a portrait is coded, by its own first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// JPEG.
    Jpeg,
    /// JPEG 2000, as a file or a bare codestream.
    Jpeg2000,
}

/// A portrait.
#[derive(Clone, PartialEq, Eq)]
pub struct Portrait {
    /// The coded picture.
    pub bytes: Vec<u8>,
    /// Its coding.
    pub encoding: Encoding,
}

/// Length and coding only.
impl std::fmt::Debug for Portrait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Portrait({:?}, {} bytes)", self.encoding, self.bytes.len())
    }
}

/// The portraits in DG2, in order:
/// `75 { 7F61 { 02 count, 7F60 { A1 header, 5F2E | 7F2E record }… } }`.
///
/// # Errors
/// [`LdsError`]; [`LdsError::Encoding`] for records of another standard than ISO/IEC 19794-5.
pub fn portraits(file: &[u8]) -> Result<Vec<Portrait>, LdsError> {
    let group = tlv::single(file, FileId::DG2.tag())?.reader().expect(Tag(0x7F61))?;
    let mut reader = group.reader();
    reader.expect(Tag(0x02))?;
    let mut portraits = Vec::new();
    while let Some(template) = reader.optional(Tag(0x7F60))? {
        let mut inner = template.reader();
        inner.optional(Tag(0xA1))?;
        let record = record(&mut inner)?;
        facial_records(record, &mut portraits)?;
    }
    if portraits.is_empty() { Err(LdsError::Content { tag: Tag(0x7F61) }) } else { Ok(portraits) }
}

/// The biometric data block, primitive or constructed.
fn record<'a>(inner: &mut Reader<'a>) -> Result<&'a [u8], LdsError> {
    match inner.optional(Tag(0x5F2E))? {
        Some(block) => Ok(block.value),
        None => Ok(inner.expect(Tag(0x7F2E))?.value),
    }
}

const MALFORMED: LdsError = LdsError::Content { tag: Tag(0x5F2E) };

/// Facial record header of 14 bytes: `FAC\0`, `010\0`, length, number of images
/// (ISO/IEC 19794-5:2005 §5.4).
fn facial_records(record: &[u8], out: &mut Vec<Portrait>) -> Result<(), LdsError> {
    let (header, mut rest) = record.split_first_chunk::<14>().ok_or(MALFORMED)?;
    let [b'F', b'A', b'C', 0, b'0', b'1', b'0', 0, _, _, _, _, high, low] = header else {
        return Err(LdsError::Encoding);
    };
    for _ in 0..u16::from_be_bytes([*high, *low]) {
        if out.len() == MOST {
            return Err(LdsError::Budget { most: MOST });
        }
        let (portrait, after) = facial_record(rest)?;
        out.push(portrait);
        rest = after;
    }
    Ok(())
}

/// Facial information of 20 bytes, 8 for each feature point, image information of 12, the image
/// (ISO/IEC 19794-5:2005 §5.5 to §5.7).
fn facial_record(bytes: &[u8]) -> Result<(Portrait, &[u8]), LdsError> {
    let [a, b, c, d, points_high, points_low, ..] = bytes else { return Err(MALFORMED) };
    let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| MALFORMED)?;
    let points = usize::from(u16::from_be_bytes([*points_high, *points_low]));
    let start = points.saturating_mul(8).saturating_add(32);
    // Some issuers leave the length zero: the image is then all that follows.
    let end = if length == 0 { bytes.len() } else { length };
    let image = bytes.get(start..end).ok_or(MALFORMED)?;
    let encoding = encoding(image).ok_or(LdsError::Encoding)?;
    let portrait = Portrait { bytes: image.to_vec(), encoding };
    Ok((portrait, bytes.get(end..).unwrap_or_default()))
}

/// JPEG starts with SOI; JPEG 2000 with its signature box or with SOC and SIZ.
fn encoding(image: &[u8]) -> Option<Encoding> {
    match image {
        [0xFF, 0xD8, 0xFF, ..] => Some(Encoding::Jpeg),
        [0, 0, 0, 0x0C, b'j', b'P', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => Some(Encoding::Jpeg2000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dg2(points: u16, length: Option<u32>, image: &[u8]) -> Vec<u8> {
        let whole = 32 + 8 * u32::from(points) + image.len() as u32;
        let mut record = b"FAC\x00010\x00".to_vec();
        record.extend((14 + whole).to_be_bytes());
        record.extend(1_u16.to_be_bytes());
        record.extend(length.unwrap_or(whole).to_be_bytes());
        record.extend(points.to_be_bytes());
        record.extend(vec![0; 14 + 8 * usize::from(points) + 12]);
        record.extend(image);
        let mut template = tlv::encode(Tag(0xA1), &[0x80, 0x02, 0x01, 0x01]);
        tlv::push(&mut template, Tag(0x5F2E), &record);
        let mut group = vec![0x02, 0x01, 0x01];
        tlv::push(&mut group, Tag(0x7F60), &template);
        tlv::encode(Tag(0x75), &tlv::encode(Tag(0x7F61), &group))
    }

    #[test]
    fn pictures_are_cut_out_by_their_own_signature() {
        for (image, encoding) in [
            (&[0xFF, 0xD8, 0xFF, 0xE0, 9][..], Encoding::Jpeg),
            (&[0xFF, 0x4F, 0xFF, 0x51, 9], Encoding::Jpeg2000),
            (&[0, 0, 0, 0x0C, b'j', b'P', 9], Encoding::Jpeg2000),
        ] {
            for (points, length) in [(0, None), (3, None), (0, Some(0))] {
                let found = portraits(&dg2(points, length, image)).unwrap();
                assert_eq!(found, [Portrait { bytes: image.to_vec(), encoding }]);
            }
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert!(portraits(&dg2(0, Some(7), &[0xFF, 0xD8, 0xFF])).is_err());
        assert!(portraits(&dg2(0, Some(u32::MAX), &[0xFF, 0xD8, 0xFF])).is_err());
        assert_eq!(portraits(&dg2(0, None, b"GIF")), Err(LdsError::Encoding));
    }
}
