//! What a reading may open a chip with, and the record of what it did (ICAO 9303-11 §4.2).
//!
//! EF.CardAccess is unsigned and a client may answer for the chip: whatever is done with less than
//! was offered is evidence, and `chip.downgrade` compares it with the signed files afterwards.

use serde::Serialize;

use crate::{
    apdu::StatusWord,
    pace::{Mapping, Suite},
};

/// What is tried, and what may follow a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The mappings of PACE that may be used. Among what the chip offers of these, the order is
    /// that of [`Suite::choose`].
    pub mappings: Vec<Mapping>,
    /// Whether a variant that was refused is tried once more with its domain parameters announced,
    /// which older chips want though they offer a single set.
    pub announce_again: bool,
    /// When BAC may be tried.
    pub bac: BacPolicy,
}

/// When BAC may be tried. Never after a password that was refused, nor after PACE broke off in the
/// middle: only a chip that does not begin is asked for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BacPolicy {
    /// Not at all.
    Never,
    /// If EF.CardAccess offers no PACE.
    Unoffered,
    /// Also if the chip offers PACE and then refuses every variant, or offers none that can be done
    /// here.
    Refused,
}

impl Default for AccessPolicy {
    /// Every chip that a citizen may hold: all mappings, and BAC where PACE cannot be done.
    fn default() -> Self {
        Self {
            mappings: vec![Mapping::Generic, Mapping::Integrated, Mapping::ChipAuthentication],
            announce_again: true,
            bac: BacPolicy::Refused,
        }
    }
}

impl AccessPolicy {
    /// What is tried of what the chip offers, first to last: each variant as it is, then with its
    /// parameters announced.
    pub(super) fn attempts(&self, offered: Vec<Suite>) -> Vec<Suite> {
        let allowed = offered.into_iter().filter(|suite| self.mappings.contains(&suite.mapping));
        let again = self.announce_again;
        let mut out: Vec<_> = allowed
            .flat_map(|suite| {
                let announced = Suite { announce_parameters: true, ..suite.clone() };
                [Some(suite), again.then_some(announced)]
            })
            .flatten()
            .collect();
        out.dedup();
        out
    }
}

/// A variant that was offered and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// `PACE`.
    pub protocol: &'static str,
    /// `GM`, `IM` or `CAM`.
    pub mapping: &'static str,
    /// `ECDH` or `DH`.
    pub agreement: &'static str,
    /// Standardized domain parameters.
    pub parameter_id: u32,
    /// Cipher, such as `AES-128`.
    pub cipher: &'static str,
    /// Whether the parameters were announced.
    pub announced: bool,
    /// Who refused, and with what.
    pub by: RefusedBy,
}

/// Who refused a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// The chip, with this status.
    Chip(String),
    /// The link, which carries no APDUs of the length that the keys need.
    Link,
}

impl Refusal {
    pub(super) fn new(suite: &Suite, by: RefusedBy) -> Self {
        Self {
            protocol: "PACE",
            mapping: suite.mapping.name(),
            agreement: suite.agreement.name(),
            parameter_id: suite.parameter_id,
            cipher: suite.cipher.name(),
            announced: suite.announce_parameters,
            by,
        }
    }
}

impl From<StatusWord> for RefusedBy {
    fn from(status: StatusWord) -> Self {
        Self::Chip(status.to_string())
    }
}

/// How EF.CardAccess was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAccess {
    /// By its short identifier.
    ShortIdentifier,
    /// By SELECT under the master file.
    Selected,
    /// It was there, and is no SET OF SecurityInfo.
    Malformed,
    /// Not at all.
    Absent,
}
