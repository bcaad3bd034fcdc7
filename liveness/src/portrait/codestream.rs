//! What a JPEG 2000 file asks of its decoder, read before it is decoded.
//!
//! A few hundred bytes can ask for millions of tiles, precincts or palette columns, and a decoder
//! that makes them all takes gigabytes. So the headers are walked first (ISO/IEC 15444-1 Annex A and
//! I), and only what portraits use is let through. Whatever could be read in two ways is refused:
//! the decoder must never see a header that was not seen here.

use super::{DecodeError, MAX_JPEG2000_PIXELS};

const MAX_TILES: u64 = 1024;
const MAX_COMPONENTS: u16 = 4;
const MAX_SUBSAMPLING: u8 = 4;
const MAX_LEVELS: u8 = 10;
/// The binary logarithm of the least side of a precinct.
const MIN_PRECINCT: u8 = 5;

const SOC: u16 = 0xFF4F;
const SIZ: u16 = 0xFF51;
const COD: u16 = 0xFF52;
const COC: u16 = 0xFF53;
const TLM: u16 = 0xFF55;
const PLT: u16 = 0xFF58;
const QCD: u16 = 0xFF5C;
const QCC: u16 = 0xFF5D;
const CRG: u16 = 0xFF63;
const COM: u16 = 0xFF64;
const SOT: u16 = 0xFF90;
const SOD: u16 = 0xFF93;

/// Checks every codestream of a JP2 file, and that the file has no palette.
pub(super) fn check_jp2(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut file = Reader(bytes);
    while let Some((kind, content)) = file.jp2_box() {
        match &kind {
            b"jp2h" => no_palette(content)?,
            b"jp2c" => check(content)?,
            _ => {}
        }
    }
    Ok(())
}

/// Checks a codestream.
pub(super) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    plain(bytes).ok_or(DecodeError::Demanding)
}

fn no_palette(header: &[u8]) -> Result<(), DecodeError> {
    let mut header = Reader(header);
    while let Some((kind, _)) = header.jp2_box() {
        if matches!(&kind, b"pclr" | b"cmap") {
            return Err(DecodeError::Demanding);
        }
    }
    Ok(())
}

/// None where the codestream is malformed, or is not what a portrait is.
fn plain(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader(bytes);
    holds(reader.u16()? == SOC && reader.u16()? == SIZ)?;
    size(reader.segment()?)?;
    loop {
        match reader.u16()? {
            COD => coding_style(reader.segment()?)?,
            COC => component_style(reader.segment()?)?,
            SOT => break,
            marker => other(marker, reader.segment()?)?,
        }
    }
    tile_part(&mut reader)?;
    while reader.0.starts_with(&SOT.to_be_bytes()) {
        reader.u16()?;
        tile_part(&mut reader)?;
    }
    Some(())
}

/// §A.5.1: profile, grid, its offset, tile, its offset, components.
fn size(segment: &[u8]) -> Option<()> {
    let mut r = Reader(segment);
    r.u16()?;
    let (width, height) = (r.u32()?, r.u32()?);
    let (x, y) = (r.u32()?, r.u32()?);
    let (tile_width, tile_height) = (r.u32()?, r.u32()?);
    let (tile_x, tile_y) = (r.u32()?, r.u32()?);
    let tiles = |length: u32, offset: u32, tile: u32| {
        Some(u64::from(length.checked_sub(offset)?.div_ceil(Some(tile).filter(|t| *t > 0)?)))
    };
    let count = tiles(width, tile_x, tile_width)? * tiles(height, tile_y, tile_height)?;
    let area = u64::from(width.checked_sub(x)?) * u64::from(height.checked_sub(y)?);
    let components = r.u16()?;
    holds(count <= MAX_TILES && area <= MAX_JPEG2000_PIXELS)?;
    holds((1..=MAX_COMPONENTS).contains(&components))?;
    for _ in 0..components {
        r.u8()?;
        let allowed = 1..=MAX_SUBSAMPLING;
        holds(allowed.contains(&r.u8()?) && allowed.contains(&r.u8()?))?;
    }
    r.end()
}

/// §A.6.1: style, progression, layers, component transform, then the component's parameters.
fn coding_style(segment: &[u8]) -> Option<()> {
    let mut r = Reader(segment);
    let style = r.u8()?;
    r.take(4)?;
    parameters(r, style)
}

/// §A.6.2: component, style, then its parameters.
fn component_style(segment: &[u8]) -> Option<()> {
    let mut r = Reader(segment);
    r.u8()?;
    let style = r.u8()?;
    parameters(r, style)
}

/// Table A.20: levels, block width, height and style, transform, then a byte for each precinct size.
fn parameters(mut r: Reader<'_>, style: u8) -> Option<()> {
    let levels = r.u8()?;
    holds(levels <= MAX_LEVELS)?;
    r.take(4)?;
    let precincts = if style & 1 == 1 { usize::from(levels) + 1 } else { 0 };
    let sizes = r.take(precincts)?;
    holds(sizes.iter().all(|s| s & 0xF >= MIN_PRECINCT && s >> 4 >= MIN_PRECINCT))?;
    r.end()
}

/// Segments without a say in what is allocated. Quantisation must fill its segment, since a decoder
/// may find the segment's end by its content.
fn other(marker: u16, segment: &[u8]) -> Option<()> {
    let quantisation = |style: u8, rest: usize| match style & 0x1F {
        0 => true,
        1 => rest == 2,
        _ => rest.is_multiple_of(2),
    };
    let plain = match (marker, segment) {
        (TLM | PLT | CRG | COM, _) => true,
        (QCD, [style, rest @ ..]) | (QCC, [_, style, rest @ ..]) => {
            quantisation(*style, rest.len())
        }
        _ => false,
    };
    holds(plain)
}

/// §A.4.2, after the marker: index, length from the marker on (0: to the end), part, parts. The
/// part's header may not change the coding style.
fn tile_part(reader: &mut Reader<'_>) -> Option<()> {
    let mut header = Reader(reader.segment()?);
    header.u16()?;
    let length = header.u32()? as usize;
    header.u16()?;
    header.end()?;
    let rest = reader.0.len();
    let length = if length == 0 { rest } else { length.checked_sub(12)?.min(rest) };
    let mut part = Reader(reader.take(length)?);
    loop {
        match part.u16()? {
            SOD => return Some(()),
            marker => other(marker, part.segment()?)?,
        }
    }
}

fn holds(condition: bool) -> Option<()> {
    condition.then_some(())
}

/// Big-endian numbers from the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A marker segment after its marker; the length counts itself.
    fn segment(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?.checked_sub(2)?;
        self.take(usize::from(length))
    }

    fn end(&self) -> Option<()> {
        holds(self.0.is_empty())
    }

    /// §I.4: length with its own eight bytes (0: to the end, 1: eight more bytes hold it), kind,
    /// content. A length beyond the end means to the end.
    fn jp2_box(&mut self) -> Option<([u8; 4], &'a [u8])> {
        let length = self.u32()?;
        let kind = self.array()?;
        let length = match length {
            0 => self.0.len(),
            1 => usize::try_from(self.array().map(u64::from_be_bytes)?.checked_sub(16)?).ok()?,
            length => length.checked_sub(8)? as usize,
        };
        Some((kind, self.take(length.min(self.0.len()))?))
    }
}
