//! Why a reading ended without a result.

use crate::{
    apdu::StatusWord, bac::BacError, check::Reason, crypto::CryptoError, files::FileId,
    link::LinkError, pace::PaceError, sm::SmError,
};

use super::Refusal;

/// Why a passport could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// No eMRTD application on this card.
    #[error("no eMRTD application: status {status}")]
    NotAnEmrtd {
        /// The answer to its selection.
        status: StatusWord,
    },
    /// PACE opened the chip before, and now it offers less.
    #[error("the chip offers less than before")]
    Downgrade,
    /// The chip does no access protocol that the given key fits.
    #[error("the chip does no access protocol that the key fits and the policy allows")]
    NoAccessProtocol {
        /// What was offered and not used.
        refused: Vec<Refusal>,
    },
    /// PACE ended without a session.
    #[error("PACE failed")]
    Pace(#[from] PaceError),
    /// BAC ended without a session.
    #[error("BAC failed")]
    Bac(#[from] BacError),
    /// The session broke.
    #[error("secure messaging failed")]
    SecureMessaging(#[from] SmError),
    /// A file that must be there could not be read.
    #[error("{file} could not be read: status {status}")]
    File {
        /// Which.
        file: FileId,
        /// The last answer.
        status: StatusWord,
    },
    /// A file longer than any that is read.
    #[error("{file} claims {length} bytes")]
    TooLong {
        /// Which.
        file: FileId,
        /// The length in its header.
        length: usize,
    },
    /// More batches than any chip needs.
    #[error("no end after {most} batches")]
    Rounds {
        /// The most that are sent.
        most: usize,
    },
    /// The link gave no reply.
    #[error("no reply to a batch")]
    NoReply,
    /// The link gave more replies than commands were sent.
    #[error("{replies} replies to {commands} commands")]
    Replies {
        /// Commands sent.
        commands: usize,
        /// Replies received.
        replies: usize,
    },
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ReadError {
    /// The stable code of this error.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Link(
                LinkError::Lost | LinkError::LostAfter { .. } | LinkError::Unavailable { .. },
            ) => Reason::LinkLost,
            Self::NotAnEmrtd { .. } => Reason::NotAnEmrtd,
            Self::Downgrade => Reason::Downgrade,
            Self::Pace(PaceError::Denied { .. } | PaceError::Token) => Reason::AccessDenied,
            Self::Bac(BacError::Denied { .. }) => Reason::AccessDenied,
            Self::SecureMessaging(_) | Self::Bac(BacError::NotAuthentic) => Reason::SecureMessaging,
            _ => Reason::Protocol,
        }
    }
}
