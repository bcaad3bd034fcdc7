//! BER-TLV as chips use it (ISO 7816-4 §5.2.2, ISO 8825-1): read with a budget, write minimal
//! lengths.
//!
//! The reader borrows; it accepts definite lengths of up to four bytes and tags of up to three.
//! A reader that failed reads no more.

use std::fmt;

/// A tag as its bytes, big-endian: `0x61`, `0x7F61`, `0x5F1F`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u32);

impl Tag {
    /// Whether the value is itself TLV (bit 6 of the first byte).
    #[must_use]
    pub fn is_constructed(self) -> bool {
        let first = self.0.to_be_bytes().into_iter().find(|b| *b != 0).unwrap_or(0);
        first & 0x20 != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvErrorKind {
    /// The bytes end inside a tag, length or value.
    #[error("bytes end early")]
    Truncated,
    /// A tag of more than three bytes.
    #[error("tag is too long")]
    Tag,
    /// An indefinite length, or one of more than four bytes.
    #[error("length form is not allowed")]
    Length,
    /// Another tag stood where this one was required.
    #[error("expected tag {0}")]
    Expected(Tag),
    /// Bytes follow where none may.
    #[error("bytes follow the last element")]
    Trailing,
}

/// A kind and the absolute offset at which it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct TlvError {
    /// What was wrong.
    pub kind: TlvErrorKind,
    /// Where, counted from the start of the outermost reader's bytes.
    pub offset: usize,
}

/// One element: its tag, its value, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag.
    pub tag: Tag,
    /// The value's bytes.
    pub value: &'a [u8],
    /// The whole element's bytes, tag and length included.
    pub bytes: &'a [u8],
    /// Absolute offset of the value.
    pub value_offset: usize,
}

impl<'a> Tlv<'a> {
    /// A reader over the value.
    #[must_use]
    pub fn reader(&self) -> Reader<'a> {
        Reader { rest: self.value, offset: self.value_offset }
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`, whose first byte has offset 0.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Whether no bytes are left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes not yet read.
    #[must_use]
    pub fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, or `None` at the end.
    ///
    /// # Errors
    /// [`TlvError`]; the reader is then empty.
    pub fn next_element(&mut self) -> Result<Option<Tlv<'a>>, TlvError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let result = self.element();
        if result.is_err() {
            self.rest = &[];
        }
        result.map(Some)
    }

    /// The next element, which must have `tag`.
    ///
    /// # Errors
    /// [`TlvErrorKind::Expected`] if another element or the end is found.
    pub fn expect(&mut self, tag: Tag) -> Result<Tlv<'a>, TlvError> {
        let offset = self.offset;
        match self.next_element()? {
            Some(found) if found.tag == tag => Ok(found),
            _ => self.fail(TlvErrorKind::Expected(tag), offset),
        }
    }

    /// The next element if it has `tag`; otherwise nothing is consumed.
    ///
    /// # Errors
    /// [`TlvError`] if the next element cannot be read at all.
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Tlv<'a>>, TlvError> {
        let mut ahead = self.clone();
        match ahead.next_element()? {
            Some(found) if found.tag == tag => {
                *self = ahead;
                Ok(Some(found))
            }
            _ => Ok(None),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`TlvErrorKind::Trailing`] if bytes are left.
    pub fn finish(mut self) -> Result<(), TlvError> {
        let offset = self.offset;
        if self.rest.is_empty() { Ok(()) } else { self.fail(TlvErrorKind::Trailing, offset) }
    }

    fn fail<T>(&mut self, kind: TlvErrorKind, offset: usize) -> Result<T, TlvError> {
        self.rest = &[];
        Err(TlvError { kind, offset })
    }

    fn element(&mut self) -> Result<Tlv<'a>, TlvError> {
        let start = self.rest;
        let (tag, length) = match start {
            // As most elements start.
            [tag, length @ ..0x80, rest @ ..] if tag & 0x1F != 0x1F => {
                self.rest = rest;
                self.offset = self.offset.saturating_add(2);
                (Tag(u32::from(*tag)), usize::from(*length))
            }
            _ => (self.tag()?, self.length()?),
        };
        let value_offset = self.offset;
        let (value, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(TlvError { kind: TlvErrorKind::Truncated, offset: value_offset })?;
        self.rest = rest;
        self.offset = value_offset.saturating_add(length);
        let whole = start.len().saturating_sub(rest.len());
        Ok(Tlv { tag, value, bytes: start.get(..whole).unwrap_or(start), value_offset })
    }

    fn byte(&mut self) -> Result<u8, TlvError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(TlvError { kind: TlvErrorKind::Truncated, offset: self.offset })?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(1);
        Ok(*first)
    }

    fn tag(&mut self) -> Result<Tag, TlvError> {
        let offset = self.offset;
        let first = self.byte()?;
        let mut tag = u32::from(first);
        if first & 0x1F == 0x1F {
            loop {
                let next = self.byte()?;
                tag = tag << 8 | u32::from(next);
                if next & 0x80 == 0 {
                    break;
                }
                if tag > 0xFFFF {
                    return Err(TlvError { kind: TlvErrorKind::Tag, offset });
                }
            }
        }
        Ok(Tag(tag))
    }

    fn length(&mut self) -> Result<usize, TlvError> {
        let offset = self.offset;
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let count = first & 0x7F;
        if count == 0 || count > 4 {
            return Err(TlvError { kind: TlvErrorKind::Length, offset });
        }
        let mut length = 0_usize;
        for _ in 0..count {
            length = length << 8 | usize::from(self.byte()?);
        }
        Ok(length)
    }
}

/// The only element of `bytes`, which must have `tag`.
///
/// # Errors
/// [`TlvError`] if it has another tag, is cut short, or bytes follow it.
pub fn single(bytes: &[u8], tag: Tag) -> Result<Tlv<'_>, TlvError> {
    let mut reader = Reader::new(bytes);
    let found = reader.expect(tag)?;
    reader.finish()?;
    Ok(found)
}

/// The number of bytes of the first element of `head`, tag and length included, read from its
/// header alone: how long a file is, from its first bytes.
///
/// # Errors
/// [`TlvError`] if `head` does not hold a whole header.
pub fn total_length(head: &[u8]) -> Result<usize, TlvError> {
    let mut reader = Reader::new(head);
    reader.tag()?;
    let length = reader.length()?;
    Ok(reader.offset.saturating_add(length))
}

/// Appends `tag`, the minimal length and `value` to `out`.
pub fn push(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    push_header(out, tag, value.len());
    out.extend_from_slice(value);
}

/// `tag`, the minimal length and `value`.
#[must_use]
pub fn encode(tag: Tag, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len().saturating_add(6));
    push(&mut out, tag, value);
    out
}

fn push_header(out: &mut Vec<u8>, tag: Tag, length: usize) {
    let [head @ .., last] = tag.0.to_be_bytes();
    out.extend(head.into_iter().skip_while(|b| *b == 0));
    out.push(last);
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().skip_while(|b| **b == 0);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            // At most eight length bytes: the count fits the low seven bits.
            out.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or(0x7F));
            out.extend(significant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_long_tags_and_lengths() {
        let bytes = encode(Tag(0x7F61), &encode(Tag(0x5F2E), &[7; 300]));
        let outer = single(&bytes, Tag(0x7F61)).unwrap();
        let inner = single(outer.value, Tag(0x5F2E)).unwrap();
        assert_eq!(inner.value, [7; 300]);
        assert_eq!(outer.reader().next_element().unwrap().unwrap().value_offset, 10);
        assert_eq!(total_length(&bytes[..5]), Ok(bytes.len()));
    }

    #[test]
    fn writes_minimal_lengths() {
        for (length, header) in [(0, "6100"), (127, "617F"), (128, "618180"), (256, "61820100")] {
            let bytes = encode(Tag(0x61), &vec![0; length]);
            assert_eq!(hex::encode(&bytes[..header.len() / 2]), header.to_lowercase());
        }
    }

    #[test]
    fn tag_zero_is_written_too() {
        assert_eq!(encode(Tag(0), &[7]), [0, 1, 7]);
        assert_eq!(encode(Tag(0x1F00), &[7]), [0x1F, 0, 1, 7]);
        assert_eq!(single(&[0, 1, 7], Tag(0)).unwrap().value, [7]);
    }

    #[test]
    fn errors_carry_kind_and_offset() {
        let err =
            |hex_bytes: &str| single(&hex::decode(hex_bytes).unwrap(), Tag(0x30)).unwrap_err();
        assert_eq!(err("3003"), TlvError { kind: TlvErrorKind::Truncated, offset: 2 });
        assert_eq!(err("3080"), TlvError { kind: TlvErrorKind::Length, offset: 1 });
        assert_eq!(err("30850000000001"), TlvError { kind: TlvErrorKind::Length, offset: 1 });
        assert_eq!(err("3100"), TlvError { kind: TlvErrorKind::Expected(Tag(0x30)), offset: 0 });
        assert_eq!(err("300000"), TlvError { kind: TlvErrorKind::Trailing, offset: 2 });
        assert_eq!(err("1F8182838401"), TlvError { kind: TlvErrorKind::Tag, offset: 0 });
    }

    #[test]
    fn a_reader_that_failed_reads_no_more() {
        let mut reader = Reader::new(&[0x30, 0x05, 0x01]);
        assert!(reader.next_element().is_err());
        assert_eq!(reader.next_element(), Ok(None));
    }
}
