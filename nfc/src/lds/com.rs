//! EF.COM: versions and data groups as the chip claims them (ICAO 9303-10 §4.6.1). Unsigned: it
//! may lie, and EF.SOD decides what exists.

use std::collections::BTreeSet;

use super::LdsError;
use crate::{
    files::{DgNumber, FileId},
    tlv::{self, Tag},
};

/// What EF.COM says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Com {
    /// LDS version, such as `0107`.
    pub lds_version: [u8; 4],
    /// Unicode version, such as `040000`.
    pub unicode_version: [u8; 6],
    /// The data groups that it lists.
    pub data_groups: BTreeSet<DgNumber>,
    /// Tags in the list that belong to no data group, or stand there twice.
    pub odd_tags: usize,
}

/// Parses EF.COM: `60 { 5F01 version, 5F36 unicode version, 5C tags }`.
///
/// # Errors
/// [`LdsError`] if the file has another form.
pub fn parse(file: &[u8]) -> Result<Com, LdsError> {
    let mut reader = tlv::single(file, FileId::Com.tag())?.reader();
    let lds_version = exact(reader.expect(Tag(0x5F01))?)?;
    let unicode_version = exact(reader.expect(Tag(0x5F36))?)?;
    let tags = reader.expect(Tag(0x5C))?.value;
    reader.finish()?;
    let listed = tags.iter().filter_map(|tag| DgNumber::from_tag(Tag(u32::from(*tag))));
    let data_groups: BTreeSet<_> = listed.collect();
    let odd_tags = tags.len().saturating_sub(data_groups.len());
    Ok(Com { lds_version, unicode_version, data_groups, odd_tags })
}

fn exact<const N: usize>(element: tlv::Tlv<'_>) -> Result<[u8; N], LdsError> {
    element.value.try_into().map_err(|_| LdsError::Content { tag: element.tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The EF.COM of ICAO 9303-11 appendix D.4: DG1 and DG2.
    #[test]
    fn the_worked_example_is_parsed() {
        let file = hex::decode("60145F0104303130365F36063034303030305C026175").unwrap();
        let com = parse(&file).unwrap();
        assert_eq!(&com.lds_version, b"0106");
        assert_eq!(&com.unicode_version, b"040000");
        let numbers: Vec<_> = com.data_groups.iter().map(|n| n.number()).collect();
        assert_eq!((numbers, com.odd_tags), (vec![1, 2], 0));
    }
}
