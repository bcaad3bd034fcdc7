//! BER with indefinite lengths made definite (ITU-T X.690 §8.1.3.6): some states' EF.SOD are written
//! so. What has a definite length and nothing indefinite in it stays as it is, byte for byte, so
//! that signatures over it still hold.

use crate::tlv::Tag;
use crate::tlv::{TlvError, TlvErrorKind, encode};

/// How deep elements may be nested; signed data have some ten levels.
const DEEPEST: usize = 24;

/// The first element of `bytes` with definite lengths only.
///
/// # Errors
/// [`TlvError`] if it is no BER, or nested too deep.
pub(crate) fn to_definite(bytes: &[u8]) -> Result<Vec<u8>, TlvError> {
    let mut input = Input { rest: bytes, offset: 0 };
    Ok(input.element(0)?.bytes)
}

/// What is left to read, and where it stands.
struct Input<'a> {
    rest: &'a [u8],
    offset: usize,
}

/// An element with definite lengths.
struct Element {
    bytes: Vec<u8>,
    /// Whether it had an indefinite length in it.
    changed: bool,
}

const END_OF_CONTENTS: [u8; 2] = [0, 0];

impl<'a> Input<'a> {
    fn element(&mut self, depth: usize) -> Result<Element, TlvError> {
        if depth == DEEPEST {
            return Err(self.error(TlvErrorKind::Length));
        }
        let start = self.rest;
        let tag = self.tag()?;
        match self.length()? {
            Some(length) => {
                let offset = self.offset;
                let value = self.take(length)?;
                let whole = start.get(..start.len().saturating_sub(self.rest.len()));
                let whole = whole.unwrap_or(start);
                // What looks constructed and is not stays as it is.
                let inner = tag.is_constructed().then(|| contents(value, offset, depth)).flatten();
                Ok(match inner {
                    Some(inner) => Element { bytes: encode(tag, &inner), changed: true },
                    None => Element { bytes: whole.to_vec(), changed: false },
                })
            }
            None if tag.is_constructed() => {
                let mut inner = Vec::new();
                while !self.rest.starts_with(&END_OF_CONTENTS) {
                    inner.extend(self.element(depth.saturating_add(1))?.bytes);
                }
                self.take(END_OF_CONTENTS.len())?;
                Ok(Element { bytes: encode(tag, &inner), changed: true })
            }
            None => Err(self.error(TlvErrorKind::Length)),
        }
    }

    fn tag(&mut self) -> Result<Tag, TlvError> {
        let first = self.byte()?;
        let mut tag = u32::from(first);
        if first & 0x1F == 0x1F {
            loop {
                let next = self.byte()?;
                tag = tag << 8 | u32::from(next);
                match next & 0x80 {
                    0 => break,
                    _ if tag > 0xFFFF => return Err(self.error(TlvErrorKind::Tag)),
                    _ => {}
                }
            }
        }
        Ok(Tag(tag))
    }

    /// `None` is the indefinite form.
    fn length(&mut self) -> Result<Option<usize>, TlvError> {
        match self.byte()? {
            short @ 0..0x80 => Ok(Some(usize::from(short))),
            0x80 => Ok(None),
            long => {
                let bytes = self.take(usize::from(long & 0x7F))?;
                match bytes.len() {
                    0..=4 => Ok(Some(bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)))),
                    _ => Err(self.error(TlvErrorKind::Length)),
                }
            }
        }
    }

    fn byte(&mut self) -> Result<u8, TlvError> {
        self.take(1)?.first().copied().ok_or(self.error(TlvErrorKind::Truncated))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], TlvError> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(self.error(TlvErrorKind::Truncated))?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(count);
        Ok(taken)
    }

    fn error(&self, kind: TlvErrorKind) -> TlvError {
        TlvError { kind, offset: self.offset }
    }
}

/// The contents of a constructed element with definite lengths, if anything in them had none.
fn contents(value: &[u8], offset: usize, depth: usize) -> Option<Vec<u8>> {
    let mut input = Input { rest: value, offset };
    let (mut out, mut changed) = (Vec::new(), false);
    while !input.rest.is_empty() {
        let element = input.element(depth.saturating_add(1)).ok()?;
        changed |= element.changed;
        out.extend(element.bytes);
    }
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definite(text: &str) -> Result<String, TlvErrorKind> {
        let bytes = hex::decode(text.replace(' ', "")).unwrap();
        to_definite(&bytes).map(hex::encode).map_err(|error| error.kind)
    }

    #[test]
    fn indefinite_lengths_become_definite() {
        assert_eq!(definite("30 80 02 01 05 00 00").unwrap(), "3003020105");
        assert_eq!(definite("30 80 A0 80 04 01 07 0000 0000 FF").unwrap(), "3005a003040107");
        // Inside an element of definite length, whose length changes.
        assert_eq!(definite("30 07 24 80 04 01 07 0000").unwrap(), "30052403040107");
    }

    #[test]
    fn definite_elements_stay_as_they_are() {
        for text in ["308103020105", "30820003020105", "0400", "a0021f81"] {
            assert_eq!(definite(text).unwrap(), text);
            assert_eq!(definite(&format!("3080{text}0000")).unwrap()[4..], *text, "{text}");
        }
    }

    #[test]
    fn what_is_no_ber_is_an_error() {
        assert_eq!(definite("30 80 02 01 05 00"), Err(TlvErrorKind::Truncated));
        assert_eq!(definite("04 80 00 00"), Err(TlvErrorKind::Length));
        assert_eq!(definite("30 85 00 00 00 00 01 00"), Err(TlvErrorKind::Length));
        assert_eq!(definite(&"3080".repeat(10_000)), Err(TlvErrorKind::Length));
        assert_eq!(definite(""), Err(TlvErrorKind::Truncated));
    }
}
