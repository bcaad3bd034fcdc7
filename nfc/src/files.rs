//! The files of the eMRTD and their names, identifiers and tags (ICAO 9303-10 §4, table 38).

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use crate::tlv::Tag;

/// A file of the chip. Ordered as they are listed to people: the transparent files of the
/// application first, then data groups by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileId {
    /// EF.CardAccess, under the master file: what PACE needs, unsigned.
    CardAccess,
    /// EF.CardSecurity, under the master file: the key of the chip authentication mapping, signed.
    CardSecurity,
    /// EF.ATR/INFO, under the master file: what lengths the chip bears, unsigned.
    AtrInfo,
    /// EF.COM: the versions and data groups that the chip claims, unsigned.
    Com,
    /// EF.SOD: the signed hashes.
    Sod,
    /// Data group 1 to 16.
    Dg(DgNumber),
}

/// The number of a data group, 1 to 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DgNumber(u8);

/// Tag of DG1 to DG16 (ICAO 9303-10 §4.7, table 38).
const TAGS: [u32; 16] = [
    0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70,
];

impl DgNumber {
    /// `number` if it is 1 to 16.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (1..=16).contains(&number).then_some(Self(number))
    }

    /// The number, 1 to 16.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The data group whose template has `tag`.
    #[must_use]
    pub fn from_tag(tag: Tag) -> Option<Self> {
        let index = TAGS.iter().position(|t| *t == tag.0)?;
        Self::new(u8::try_from(index).ok()?.saturating_add(1))
    }

    /// The tag of the data group's template.
    #[must_use]
    pub fn tag(self) -> Tag {
        Tag(TAGS.get(usize::from(self.0.saturating_sub(1))).copied().unwrap_or_default())
    }
}

impl FileId {
    /// DG1, the machine readable zone.
    pub const DG1: Self = Self::Dg(DgNumber(1));
    /// DG2, the face.
    pub const DG2: Self = Self::Dg(DgNumber(2));
    /// DG7, the usual signature.
    pub const DG7: Self = Self::Dg(DgNumber(7));
    /// DG11, additional personal details.
    pub const DG11: Self = Self::Dg(DgNumber(11));
    /// DG12, additional details of the document.
    pub const DG12: Self = Self::Dg(DgNumber(12));
    /// DG13, optional details.
    pub const DG13: Self = Self::Dg(DgNumber(13));
    /// DG14, security options.
    pub const DG14: Self = Self::Dg(DgNumber(14));
    /// DG15, the active authentication key.
    pub const DG15: Self = Self::Dg(DgNumber(15));

    /// DG16, people to notify.
    pub const DG16: Self = Self::Dg(DgNumber(16));

    /// The data group with `number`, if it is 1 to 16.
    #[must_use]
    pub fn dg(number: u8) -> Option<Self> {
        DgNumber::new(number).map(Self::Dg)
    }

    /// The short file identifier (ICAO 9303-10 §4, table 38).
    #[must_use]
    pub fn sfi(self) -> u8 {
        match self {
            Self::CardAccess => 0x1C,
            Self::CardSecurity => 0x1D,
            Self::AtrInfo => 0x01,
            Self::Com => 0x1E,
            Self::Sod => 0x1D,
            Self::Dg(n) => n.number(),
        }
    }

    /// The two-byte file identifier.
    #[must_use]
    pub fn identifier(self) -> [u8; 2] {
        match self {
            Self::AtrInfo => [0x2F, 0x01],
            _ => [0x01, self.sfi()],
        }
    }

    /// The tag that the file starts with; of EF.ATR/INFO, which is a list of objects, the tag of the
    /// one that tells of lengths.
    #[must_use]
    pub fn tag(self) -> Tag {
        match self {
            Self::CardAccess => Tag(0x31),
            Self::CardSecurity => Tag(0x30),
            Self::AtrInfo => Tag(0x7F66),
            Self::Com => Tag(0x60),
            Self::Sod => Tag(0x77),
            Self::Dg(n) => n.tag(),
        }
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CardAccess => f.write_str("EF.CardAccess"),
            Self::CardSecurity => f.write_str("EF.CardSecurity"),
            // The name is a file name too: no stroke.
            Self::AtrInfo => f.write_str("EF.ATR_INFO"),
            Self::Com => f.write_str("EF.COM"),
            Self::Sod => f.write_str("EF.SOD"),
            Self::Dg(n) => write!(f, "DG{}", n.number()),
        }
    }
}

/// The text names no file of an eMRTD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a file of an eMRTD")]
pub struct UnknownFile;

impl FromStr for FileId {
    type Err = UnknownFile;

    fn from_str(name: &str) -> Result<Self, UnknownFile> {
        match name {
            "EF.CardAccess" => Ok(Self::CardAccess),
            "EF.CardSecurity" => Ok(Self::CardSecurity),
            "EF.ATR_INFO" => Ok(Self::AtrInfo),
            "EF.COM" => Ok(Self::Com),
            "EF.SOD" => Ok(Self::Sod),
            _ => name
                .strip_prefix("DG")
                .filter(|digits| !digits.starts_with('0') && !digits.starts_with('+'))
                .and_then(|digits| digits.parse().ok())
                .and_then(Self::dg)
                .ok_or(UnknownFile),
        }
    }
}

/// The files as read, in order of [`FileId`]. Bytes are exactly those of the chip: hashes are
/// taken over them, never over a re-encoding. A clone shares them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<FileId, Arc<Vec<u8>>>);

impl Files {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, id: FileId, bytes: Vec<u8>) {
        self.0.insert(id, Arc::new(bytes));
    }

    /// The bytes of a file, if it was read.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&[u8]> {
        self.0.get(&id).map(|bytes| bytes.as_slice())
    }

    /// Files in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &[u8])> {
        self.0.iter().map(|(id, bytes)| (*id, bytes.as_slice()))
    }

    /// Those of the files that are to be kept.
    pub(crate) fn only(&self, keep: impl Fn(FileId) -> bool) -> Self {
        let kept = self.0.iter().filter(|(id, _)| keep(**id));
        Self(kept.map(|(id, bytes)| (*id, Arc::clone(bytes))).collect())
    }

    /// The data groups in order.
    pub fn data_groups(&self) -> impl Iterator<Item = (DgNumber, &[u8])> {
        self.iter().filter_map(|(id, bytes)| match id {
            FileId::Dg(n) => Some((n, bytes)),
            _ => None,
        })
    }
}

impl FromIterator<(FileId, Vec<u8>)> for Files {
    fn from_iter<I: IntoIterator<Item = (FileId, Vec<u8>)>>(files: I) -> Self {
        Self(files.into_iter().map(|(id, bytes)| (id, Arc::new(bytes))).collect())
    }
}

/// Names and lengths only.
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(id, bytes)| (id.to_string(), bytes.len()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let mut ids = vec![
            FileId::CardAccess,
            FileId::CardSecurity,
            FileId::AtrInfo,
            FileId::Com,
            FileId::Sod,
        ];
        ids.extend((1..=16).filter_map(FileId::dg));
        for id in ids {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for name in ["DG0", "DG17", "DG01", "DG+1", "dg1", "EF.DIR", ""] {
            assert_eq!(name.parse::<FileId>(), Err(UnknownFile), "{name}");
        }
    }

    #[test]
    fn tags_are_those_of_the_standard() {
        assert_eq!(FileId::DG1.tag(), Tag(0x61));
        assert_eq!(FileId::DG2.tag(), Tag(0x75));
        assert_eq!(FileId::DG14.tag(), Tag(0x6E));
        assert_eq!(DgNumber::from_tag(Tag(0x6F)), DgNumber::new(15));
        assert_eq!(DgNumber::from_tag(Tag(0x77)), None);
    }
}
