//! DG11: additional personal details (ICAO 9303-10 §4.7.11). All optional.

use super::{
    LdsError,
    text::{self, Picture, Text},
};
use crate::{
    files::FileId,
    tlv::{self, Tag},
};

/// What DG11 says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalDetails {
    /// Full name in the characters of the state, fillers between its parts.
    pub full_name: Option<Text>,
    /// Other names.
    pub other_names: Vec<Text>,
    /// A number of the person, such as the CPR number.
    pub personal_number: Option<Text>,
    /// Birth, `YYYYMMDD`; unknown parts are zeros.
    pub birth_date: Option<Text>,
    /// Place of birth, in parts.
    pub birth_place: Option<Text>,
    /// Address, in parts.
    pub address: Option<Text>,
    /// Telephone number.
    pub telephone: Option<Text>,
    /// Profession.
    pub profession: Option<Text>,
    /// Title.
    pub title: Option<Text>,
    /// Summary.
    pub summary: Option<Text>,
    /// A picture that proves citizenship.
    pub citizenship: Option<Picture>,
    /// Numbers of other travel documents, in parts.
    pub other_documents: Option<Text>,
    /// Custody.
    pub custody: Option<Text>,
    /// How many elements are none of these.
    pub unknown: usize,
}

/// Parses DG11: `6B { 5C tags, element… }`.
///
/// # Errors
/// [`LdsError`] if the file has another form, or text that is no UTF-8.
pub fn parse(file: &[u8]) -> Result<PersonalDetails, LdsError> {
    let mut details = PersonalDetails::default();
    for element in text::elements(tlv::single(file, FileId::DG11.tag())?.reader())? {
        let field = match element.tag {
            Tag(0x5F0E) => &mut details.full_name,
            Tag(0x5F10) => &mut details.personal_number,
            Tag(0x5F11) => &mut details.birth_place,
            Tag(0x5F42) => &mut details.address,
            Tag(0x5F12) => &mut details.telephone,
            Tag(0x5F13) => &mut details.profession,
            Tag(0x5F14) => &mut details.title,
            Tag(0x5F15) => &mut details.summary,
            Tag(0x5F17) => &mut details.other_documents,
            Tag(0x5F18) => &mut details.custody,
            Tag(0x5F0F) => {
                details.other_names.push(Text::read(&element)?);
                continue;
            }
            Tag(0x5F2B) => {
                details.birth_date = Some(Text::digits::<8>(&element)?);
                continue;
            }
            Tag(0x5F16) => {
                details.citizenship = Some(Picture::read(&element));
                continue;
            }
            _ => {
                details.unknown = details.unknown.saturating_add(1);
                continue;
            }
        };
        *field = Some(Text::read(&element)?);
    }
    Ok(details)
}
