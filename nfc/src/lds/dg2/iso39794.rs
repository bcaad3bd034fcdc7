//! Face image data of ISO/IEC 39794-5:2019, as ICAO 9303-10 (8th edition) §4.7.2 profiles it. The
//! ASN.1 module has automatic tags: SEQUENCEs are implicit, CHOICEs explicit.

use super::{Encoding, Found, LdsError, Remark};
use crate::{
    der::{self, SEQUENCE},
    tlv::{Reader, Tag},
};

/// Primitive and constructed context tags by number.
const P0: Tag = Tag(0x80);
const P1: Tag = Tag(0x81);
const C0: Tag = Tag(0xA0);
const C1: Tag = Tag(0xA1);

/// `A1 { 65 { A0 versionBlock { 80 generation, 81 year }, A1 representationBlocks { 30… } } }`.
pub(super) fn read<'a>(mut block: Reader<'a>, found: &mut Found<'a>) -> Result<(), LdsError> {
    let mut wrapped = block.expect(C1)?.reader();
    block.finish()?;
    let mut data = wrapped.expect(Tag(0x65))?.reader();
    wrapped.finish()?;
    let mut version = data.expect(C0)?.reader();
    // Generation 3 is that of the 39794 series; a later one may mean something else by a tag.
    if number(&mut version, P0)? != 3 {
        return Err(LdsError::Encoding);
    }
    let mut blocks = data.expect(C1)?.reader();
    if blocks.is_empty() {
        return Err(LdsError::Content { tag: C1 });
    }
    while !blocks.is_empty() {
        representation(&mut blocks.expect(SEQUENCE)?.reader(), found)?;
    }
    Ok(())
}

/// `RepresentationBlock`: `80 representationId, A1 imageRepresentation { A0 base { A0
/// imageRepresentation2DBlock } }`, then what describes device, quality, pose and person.
fn representation<'a>(block: &mut Reader<'a>, found: &mut Found<'a>) -> Result<(), LdsError> {
    block.expect(P0)?;
    let base = block.expect(C1)?.reader().expect(C0)?;
    let mut image = base.reader().expect(C0)?.reader();
    let encoding = found.portrait(image.expect(P0)?.value)?;
    information(&mut image.expect(C1)?.reader(), encoding, found)
}

/// `ImageInformation2DBlock`: `A0 imageDataFormat { 80 code }`, … `A7 imageSizeBlock { 80 width,
/// 81 height }`. Codes: 2 JPEG, 3 and 4 JPEG 2000.
fn information(
    block: &mut Reader<'_>,
    encoding: Encoding,
    found: &mut Found<'_>,
) -> Result<(), LdsError> {
    let code = number(&mut block.expect(C0)?.reader(), P0);
    let agrees = match encoding {
        Encoding::Jpeg => code == Ok(2),
        Encoding::Jpeg2000 => matches!(code, Ok(3 | 4)),
    };
    found.remark(!agrees, Remark::ImageCoding);
    while let Some(element) = block.next_element()? {
        if element.tag == Tag(0xA7) {
            let mut size = element.reader();
            let sizes = [number(&mut size, P0), number(&mut size, P1)];
            found.remark(!sizes.iter().all(|size| matches!(size, Ok(1..))), Remark::ImageSize);
        }
    }
    Ok(())
}

fn number(reader: &mut Reader<'_>, tag: Tag) -> Result<u32, LdsError> {
    der::unsigned(reader.expect(tag)?.value).ok_or(LdsError::Content { tag })
}
