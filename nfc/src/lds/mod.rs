//! The files of the logical data structure, version 1.7 and 1.8 (ICAO 9303-10 §4).
//!
//! What is parsed here is not trusted: only [`crate::passive`] says whether it is genuine.

pub mod atr_info;
pub mod card_access;
pub mod card_security;
pub mod com;
pub mod dg1;
pub mod dg11;
pub mod dg12;
pub mod dg13;
pub mod dg14;
pub mod dg15;
pub mod dg16;
pub mod dg2;
pub mod dg7;
pub mod security_infos;
pub mod sod;
pub mod text;

use crate::tlv::{Tag, TlvError};

/// Why a file could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdsError {
    /// The bytes are no TLV, or other elements than the file must have.
    #[error("malformed file")]
    Tlv(#[from] TlvError),
    /// An element has content of the wrong form.
    #[error("malformed content of element {tag}")]
    Content {
        /// Which.
        tag: Tag,
    },
    /// The machine readable zone cannot be parsed.
    #[error("malformed machine readable zone")]
    Mrz(#[from] mrz::ParseError),
    /// More elements than a document may have.
    #[error("more than {most} elements")]
    Budget {
        /// The most that are read.
        most: usize,
    },
    /// An encoding of the face that is not supported.
    #[error("the face is encoded in a way that is not supported")]
    Encoding,
}

#[cfg(test)]
mod tests;
