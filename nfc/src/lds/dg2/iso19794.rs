//! Facial records of ISO/IEC 19794-5:2005.

use super::{Encoding, Found, LdsError, Remark};
use crate::tlv::Tag;

const MALFORMED: LdsError = LdsError::Content { tag: Tag(0x5F2E) };

/// Facial record header of 14 bytes: `FAC\0`, `010\0`, length, number of images (§5.4).
pub(super) fn read<'a>(record: &'a [u8], found: &mut Found<'a>) -> Result<(), LdsError> {
    let (header, mut rest) = record.split_first_chunk::<14>().ok_or(MALFORMED)?;
    let [b'F', b'A', b'C', 0, b'0', b'1', b'0', 0, a, b, c, d, high, low] = header else {
        return Err(LdsError::Encoding);
    };
    found.remark(length([a, b, c, d]) != Some(record.len()), Remark::RecordLength);
    let images = u16::from_be_bytes([*high, *low]);
    if images == 0 {
        return Err(MALFORMED);
    }
    for index in 0..images {
        rest = image(rest, index.saturating_add(1) == images, found)?;
    }
    found.remark(!rest.is_empty(), Remark::Padding);
    if rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(MALFORMED) }
}

fn length(bytes: [&u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.map(|byte| *byte))).ok()
}

/// Facial information of 20 bytes, 8 for each feature point, image information of 12, the image
/// (§5.5 to §5.7). Gives what follows. Some issuers leave the length of the last one zero.
fn image<'a>(bytes: &'a [u8], last: bool, found: &mut Found<'a>) -> Result<&'a [u8], LdsError> {
    let (information, rest) = bytes.split_first_chunk::<20>().ok_or(MALFORMED)?;
    let [a, b, c, d, high, low, details @ ..] = information;
    let points = usize::from(u16::from_be_bytes([*high, *low])).saturating_mul(8);
    let (coding, start) = rest
        .get(points..)
        .and_then(<[u8]>::split_first_chunk::<12>)
        .map(|(coding, _)| (coding, points.saturating_add(32)))
        .ok_or(MALFORMED)?;
    let end = match length([a, b, c, d]) {
        Some(0) if last => bytes.len(),
        Some(end) if end > 0 => end,
        _ => return Err(MALFORMED),
    };
    found.remark(last && length([a, b, c, d]) == Some(0), Remark::LengthZero);
    let encoding = found.portrait(bytes.get(start..end).ok_or(MALFORMED)?)?;
    remark_information(details, found);
    remark_coding(coding, encoding, found);
    Ok(bytes.get(end..).unwrap_or_default())
}

/// Facial information after length and number of feature points (§5.5): sex, eye and hair colour,
/// properties, expression, three angles in 1 to 180, their uncertainties in 1 to 181; zero is
/// unspecified everywhere, `FF` unknown for the first three.
fn remark_information(details: &[u8; 14], found: &mut Found<'_>) {
    let [sex, eyes, hair, _, _, _, _, _, yaw, pitch, roll, uncertain @ ..] = details;
    found.remark(!matches!(sex, 0..=2 | 0xFF), Remark::Sex);
    found.remark(!matches!(eyes, 0..=7 | 0xFF), Remark::EyeColour);
    found.remark(!matches!(hair, 0..=9 | 0xFF), Remark::HairColour);
    found.remark([yaw, pitch, roll].iter().any(|angle| **angle > 180), Remark::PoseAngle);
    found.remark(uncertain.iter().any(|angle| *angle > 181), Remark::PoseUncertainty);
}

/// Image information (§5.7): type (full frontal 1, token 2), coding (JPEG 0, JPEG 2000 1), size.
fn remark_coding(coding: &[u8; 12], encoding: Encoding, found: &mut Found<'_>) {
    let [kind, named, width_high, width_low, height_high, height_low, ..] = coding;
    let own = match encoding {
        Encoding::Jpeg => 0,
        Encoding::Jpeg2000 => 1,
    };
    found.remark(!matches!(kind, 1 | 2), Remark::ImageType);
    found.remark(*named != own, Remark::ImageCoding);
    let sizes = [[*width_high, *width_low], [*height_high, *height_low]];
    found.remark(sizes.contains(&[0, 0]), Remark::ImageSize);
}
