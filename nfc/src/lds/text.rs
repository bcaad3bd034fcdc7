//! Text about a person, and the groups of listed elements that hold it (ICAO 9303-10 §4.7.11,
//! §4.7.12).

use std::fmt;

use super::LdsError;
use crate::{
    der,
    tlv::{Reader, Tag, Tlv},
};

/// Personal data: never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

/// The longest text in bytes.
const LONGEST: usize = 4096;

impl Text {
    /// UTF-8, as the standard has it.
    pub(super) fn read(element: &Tlv<'_>) -> Result<Self, LdsError> {
        if element.value.len() > LONGEST {
            return Err(LdsError::Budget { most: LONGEST });
        }
        let text = std::str::from_utf8(element.value);
        text.map(|text| Self(text.to_owned())).map_err(|_| LdsError::Content { tag: element.tag })
    }

    /// Digits, printed or packed two to a byte as older passports have them: `N` of them.
    pub(super) fn digits<const N: usize>(element: &Tlv<'_>) -> Result<Self, LdsError> {
        let printed = match element.value.len() {
            length if length.saturating_mul(2) == N => hex::encode(element.value),
            _ => Self::read(element)?.0,
        };
        match printed.len() == N && printed.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(Self(printed)),
            false => Err(LdsError::Content { tag: element.tag }),
        }
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its parts between fillers, as places and addresses are written: `TOWN<STATE`.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('<').filter(|part| !part.is_empty())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

/// A picture that is kept as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(Vec<u8>);

impl Picture {
    pub(super) fn read(element: &Tlv<'_>) -> Self {
        Self(element.value.to_vec())
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Length only.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} bytes)", self.0.len())
    }
}

/// The most elements of one group.
const MOST: usize = 64;

/// The elements of a group that begins with a list of their tags, `5C`, which may be missing and
/// decides nothing. Repeated elements stand in `A0 { 02 count, element… }`.
pub(super) fn elements<'a>(mut group: Reader<'a>) -> Result<Vec<Tlv<'a>>, LdsError> {
    let mut out = Vec::new();
    group.optional(Tag(0x5C))?;
    while let Some(element) = group.next_element()? {
        match element.tag {
            Tag(0xA0) => repeated(element.reader(), &mut out)?,
            _ => out.push(element),
        }
        if out.len() > MOST {
            return Err(LdsError::Budget { most: MOST });
        }
    }
    Ok(out)
}

fn repeated<'a>(mut list: Reader<'a>, out: &mut Vec<Tlv<'a>>) -> Result<(), LdsError> {
    let count = der::small_integer(&mut list)?;
    let mut found = 0_u32;
    while let Some(element) = list.next_element()? {
        found = found.saturating_add(1);
        out.push(element);
        if out.len() > MOST {
            return Err(LdsError::Budget { most: MOST });
        }
    }
    if found == count { Ok(()) } else { Err(LdsError::Content { tag: Tag(0xA0) }) }
}
