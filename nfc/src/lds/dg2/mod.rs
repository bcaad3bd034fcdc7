//! DG2: the face (ICAO 9303-10 §4.7.2) in a biometric information template (ISO/IEC 7816-11), as
//! records of ISO/IEC 19794-5:2005 or of ISO/IEC 39794-5:2019. Portraits are cut out and never
//! decoded here.
//!
//! What says where a picture lies and how it is to be read is strict: two readings of one file
//! would be two faces. What only describes the picture is free, and odd values are remarks.

mod iso19794;
mod iso39794;

use serde::Serialize;

use super::LdsError;
use crate::{
    der,
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

/// The standard of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Standard {
    /// ISO/IEC 19794-5:2005.
    #[serde(rename = "ISO/IEC 19794-5")]
    Iso19794,
    /// ISO/IEC 39794-5:2019.
    #[serde(rename = "ISO/IEC 39794-5")]
    Iso39794,
}

/// Something odd that leaves the picture what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// The biometric type is one that newer editions dropped.
    BiometricType,
    /// The record's own length is not its length.
    RecordLength,
    /// The block of the picture has length zero: the picture is all that follows.
    LengthZero,
    /// Zeros follow the last picture.
    Padding,
    /// A value that the standard does not define.
    Sex,
    /// As before.
    EyeColour,
    /// As before.
    HairColour,
    /// As before.
    PoseAngle,
    /// As before.
    PoseUncertainty,
    /// Neither full frontal nor token.
    ImageType,
    /// The coding that is named is not that of the picture.
    ImageCoding,
    /// Width or height is zero.
    ImageSize,
}

/// What DG2 holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faces {
    /// The portraits in order, at least one.
    pub portraits: Vec<Portrait>,
    /// Of the first record.
    pub standard: Standard,
    /// What is odd, each once, in order.
    pub remarks: Vec<Remark>,
}

/// DG2 with its pictures where they lie: what there is to judge, without a copy of a picture.
pub(crate) struct Frame<'a> {
    /// The pictures in order, at least one.
    pub(crate) pictures: Vec<(&'a [u8], Encoding)>,
    /// Of the first record.
    pub(crate) standard: Standard,
    /// What is odd, each once, in order.
    pub(crate) remarks: Vec<Remark>,
}

/// What is read so far.
#[derive(Default)]
struct Found<'a> {
    pictures: Vec<(&'a [u8], Encoding)>,
    remarks: Vec<Remark>,
}

impl<'a> Found<'a> {
    fn portrait(&mut self, image: &'a [u8]) -> Result<Encoding, LdsError> {
        if self.pictures.len() == MOST {
            return Err(LdsError::Budget { most: MOST });
        }
        let encoding = encoding(image).ok_or(LdsError::Encoding)?;
        self.pictures.push((image, encoding));
        Ok(encoding)
    }

    fn remark(&mut self, odd: bool, remark: Remark) {
        if odd {
            self.remarks.push(remark);
        }
    }
}

/// The portraits in DG2, in order.
///
/// # Errors
/// As [`parse`].
pub fn portraits(file: &[u8]) -> Result<Vec<Portrait>, LdsError> {
    parse(file).map(|faces| faces.portraits)
}

/// Parses DG2.
///
/// # Errors
/// [`LdsError`] for another structure, a count that is not that of the templates, a header of
/// another biometric, or a record of none of the two standards.
pub fn parse(file: &[u8]) -> Result<Faces, LdsError> {
    let Frame { pictures, standard, remarks } = frame(file)?;
    let portrait = |(bytes, encoding): (&[u8], _)| Portrait { bytes: bytes.to_vec(), encoding };
    Ok(Faces { portraits: pictures.into_iter().map(portrait).collect(), standard, remarks })
}

/// Reads `75 { 7F61 { 02 count, 7F60 { A1 header, 5F2E | 7F2E record }… } }`.
///
/// # Errors
/// As [`parse`].
pub(crate) fn frame(file: &[u8]) -> Result<Frame<'_>, LdsError> {
    let mut outer = tlv::single(file, FileId::DG2.tag())?.reader();
    let mut reader = outer.expect(GROUP)?.reader();
    outer.finish()?;
    let count = der::small_integer(&mut reader)?;
    let mut found = Found::default();
    let mut standard = None;
    let mut templates = 0_u32;
    while !reader.is_empty() {
        let template = reader.expect(Tag(0x7F60))?;
        templates = templates.saturating_add(1);
        if found.pictures.len() >= MOST {
            return Err(LdsError::Budget { most: MOST });
        }
        standard = standard.or(Some(template_of(&mut template.reader(), &mut found)?));
    }
    let Found { pictures, mut remarks } = found;
    remarks.sort_unstable();
    remarks.dedup();
    match standard {
        Some(standard) if templates == count => Ok(Frame { pictures, standard, remarks }),
        _ => Err(LdsError::Content { tag: GROUP }),
    }
}

const GROUP: Tag = Tag(0x7F61);

/// One biometric information template: the header, then the block, primitive or constructed.
fn template_of<'a>(inner: &mut Reader<'a>, found: &mut Found<'a>) -> Result<Standard, LdsError> {
    let declared = header(&mut inner.expect(HEADER)?.reader(), found)?;
    let block = match inner.optional(Tag(0x5F2E))? {
        Some(block) => block,
        None => inner.expect(Tag(0x7F2E))?,
    };
    inner.clone().finish()?;
    match declared {
        Standard::Iso19794 => iso19794::read(block.value, found)?,
        Standard::Iso39794 => iso39794::read(block.reader(), found)?,
    }
    Ok(declared)
}

const HEADER: Tag = Tag(0xA1);
const OTHER_HEADER: LdsError = LdsError::Content { tag: HEADER };

/// The biometric header template (ICAO 9303-10 §4.7.2.1): type `81` a face if given, format owner
/// `87` ISO/IEC JTC 1/SC 37, and format type `88`, which names the standard.
fn header(reader: &mut Reader<'_>, found: &mut Found<'_>) -> Result<Standard, LdsError> {
    let (mut owner, mut format) = (None, None);
    while let Some(element) = reader.next_element()? {
        let number = der::unsigned(element.value);
        match element.tag {
            Tag(0x81) => match number {
                Some(FACE) => {}
                Some(0 | 1) => found.remark(true, Remark::BiometricType),
                _ => return Err(OTHER_HEADER),
            },
            Tag(0x87) => owner = number,
            Tag(0x88) => format = number,
            _ => {}
        }
    }
    match (owner, format) {
        (Some(SC_37), Some(0x0008)) => Ok(Standard::Iso19794),
        (Some(SC_37), Some(0x002A)) => Ok(Standard::Iso39794),
        _ => Err(OTHER_HEADER),
    }
}

/// Facial features (ISO/IEC 19785-3 table 1); 0 is no value, 1 several biometrics.
const FACE: u32 = 2;
const SC_37: u32 = 0x0101;

/// JPEG starts with SOI; JPEG 2000 with its signature box or with SOC and SIZ.
fn encoding(image: &[u8]) -> Option<Encoding> {
    match image {
        [0xFF, 0xD8, 0xFF, ..] => Some(Encoding::Jpeg),
        [0, 0, 0, 0x0C, b'j', b'P', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => Some(Encoding::Jpeg2000),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
