//! DG12: additional details of the document (ICAO 9303-10 §4.7.12). All optional.

use super::{
    LdsError,
    text::{self, Picture, Text},
};
use crate::{
    files::FileId,
    tlv::{self, Tag},
};

/// What DG12 says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentDetails {
    /// Who issued it.
    pub authority: Option<Text>,
    /// When, `YYYYMMDD`.
    pub issue_date: Option<Text>,
    /// Other people on it.
    pub other_persons: Vec<Text>,
    /// Endorsements and observations.
    pub endorsements: Option<Text>,
    /// Tax and exit requirements.
    pub tax: Option<Text>,
    /// A picture of the front.
    pub front: Option<Picture>,
    /// A picture of the rear.
    pub rear: Option<Picture>,
    /// When it was personalised, `YYYYMMDDhhmmss`.
    pub personalised: Option<Text>,
    /// Serial number of the system that did.
    pub system: Option<Text>,
    /// How many elements are none of these.
    pub unknown: usize,
}

/// Parses DG12: `6C { 5C tags, element… }`.
///
/// # Errors
/// [`LdsError`] if the file has another form, or text that is no UTF-8.
pub fn parse(file: &[u8]) -> Result<DocumentDetails, LdsError> {
    let mut details = DocumentDetails::default();
    for element in text::elements(tlv::single(file, FileId::DG12.tag())?.reader())? {
        match element.tag {
            Tag(0x5F19) => details.authority = Some(Text::read(&element)?),
            Tag(0x5F26) => details.issue_date = Some(Text::digits::<8>(&element)?),
            Tag(0x5F1A) => details.other_persons.push(Text::read(&element)?),
            Tag(0x5F1B) => details.endorsements = Some(Text::read(&element)?),
            Tag(0x5F1C) => details.tax = Some(Text::read(&element)?),
            Tag(0x5F1D) => details.front = Some(Picture::read(&element)),
            Tag(0x5F1E) => details.rear = Some(Picture::read(&element)),
            Tag(0x5F55) => details.personalised = Some(Text::digits::<14>(&element)?),
            Tag(0x5F56) => details.system = Some(Text::read(&element)?),
            _ => details.unknown = details.unknown.saturating_add(1),
        }
    }
    Ok(details)
}
