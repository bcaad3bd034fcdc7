//! EF.ATR/INFO: what the chip bears (ICAO 9303-10 §3.11.2; ISO 7816-4 §12.7.1). Unsigned, and no
//! template: data objects in a row.

use super::LdsError;
use crate::{
    der,
    tlv::{Reader, Tag},
};

/// The most data objects that are read.
const MOST: usize = 32;

/// What EF.ATR/INFO says; all optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtrInfo {
    /// Card capabilities (`47`), one to three bytes.
    pub capabilities: Option<Vec<u8>>,
    /// The longest command and the longest response in bytes (`7F66`).
    pub extended: Option<(u32, u32)>,
}

impl AtrInfo {
    /// Whether the chip says that it bears extended lengths: bit 7 of the third byte.
    #[must_use]
    pub fn bears_extended(&self) -> bool {
        self.third_says(0x40)
    }

    /// Whether the chip says that it takes chains of commands: bit 8 of the third byte.
    #[must_use]
    pub fn takes_chains(&self) -> bool {
        self.third_says(0x80)
    }

    fn third_says(&self, bit: u8) -> bool {
        matches!(self.capabilities.as_deref(), Some([_, _, third, ..]) if third & bit != 0)
    }
}

/// Parses EF.ATR/INFO: `{ 43 services, 46 pre-issuing data, 47 capabilities, 7F66 { 02 command, 02
/// response }, … }` in any order. A file that is longer than its content ends in zeros.
///
/// # Errors
/// [`LdsError`] if the bytes are no such data objects.
pub fn parse(file: &[u8]) -> Result<AtrInfo, LdsError> {
    let mut info = AtrInfo::default();
    let mut reader = Reader::new(file);
    for _ in 0..MOST {
        if reader.remaining().iter().all(|byte| *byte == 0) {
            return Ok(info);
        }
        let Some(object) = reader.next_element()? else { return Ok(info) };
        match object.tag {
            Tag(0x47) if (1..=3).contains(&object.value.len()) => {
                info.capabilities = Some(object.value.to_vec());
            }
            Tag(0x47) => return Err(LdsError::Content { tag: object.tag }),
            Tag(0x7F66) => info.extended = Some(lengths(&mut object.reader())?),
            _ => {}
        }
    }
    Err(LdsError::Budget { most: MOST })
}

fn lengths(reader: &mut Reader<'_>) -> Result<(u32, u32), LdsError> {
    Ok((der::small_integer(reader)?, der::small_integer(reader)?))
}
