//! DG16: people to notify (ICAO 9303-10 §4.7.16).

use super::{LdsError, text::Text};
use crate::{
    der,
    files::FileId,
    tlv::{self, Reader, Tag},
};

/// The most people that are read: their templates are `A1` to `AF`.
const MOST: u32 = 15;

/// A person to notify.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// When this was recorded, `YYYYMMDD`.
    pub recorded: Option<Text>,
    /// Name, fillers between its parts.
    pub name: Option<Text>,
    /// Telephone number.
    pub telephone: Option<Text>,
    /// Address, in parts.
    pub address: Option<Text>,
}

/// Parses DG16: `70 { 02 count, A1 person, A2 person… }`.
///
/// # Errors
/// [`LdsError`] if the file has another form, or another number of people than it says.
pub fn parse(file: &[u8]) -> Result<Vec<Person>, LdsError> {
    let mut reader = tlv::single(file, FileId::DG16.tag())?.reader();
    let count = der::small_integer(&mut reader)?;
    if count > MOST {
        return Err(LdsError::Budget { most: usize::try_from(MOST).unwrap_or_default() });
    }
    let people = (1..=count)
        .map(|index| person(reader.expect(Tag(0xA0_u32.saturating_add(index)))?.reader()))
        .collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(people)
}

fn person(mut fields: Reader<'_>) -> Result<Person, LdsError> {
    let mut person = Person::default();
    while let Some(element) = fields.next_element()? {
        match element.tag {
            Tag(0x5F50) => person.recorded = Some(Text::digits::<8>(&element)?),
            Tag(0x5F51) => person.name = Some(Text::read(&element)?),
            Tag(0x5F52) => person.telephone = Some(Text::read(&element)?),
            Tag(0x5F53) => person.address = Some(Text::read(&element)?),
            tag => return Err(LdsError::Content { tag }),
        }
    }
    Ok(person)
}
