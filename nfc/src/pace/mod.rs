//! Password Authenticated Connection Establishment (ICAO 9303-11 §4.4; TR-03110-3 §A.3): generic,
//! integrated and chip authentication mapping, over curves and prime fields.
//!
//! The chip is trusted with nothing: its keys are checked to be elements of the group, none may be
//! ours sent back, and its token is compared in constant time before any session key is used.

mod chip_mapping;
mod exchange;
mod group;
mod integrated;
mod states;
mod suite;

use self::states::Running;
pub use self::{
    chip_mapping::{MappingDataError, UnverifiedMapping},
    suite::{Agreement, Mapping, Suite},
};
use crate::{
    apdu::{Response, StatusWord},
    crypto::{CryptoError, Hash, Secret, dh, ec},
    link::{Protocol, Step},
    random::Random,
    sm::SecureMessaging,
    tlv::{Tag, TlvError},
};

/// The password of PACE: `K = f(π)` and its reference (ICAO 9303-11 §4.4.4.1, §9.7.3).
pub struct Password {
    key: Secret,
    reference: u8,
}

impl Password {
    /// From the MRZ information (document number, birth and expiry with check digits).
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL lacks SHA-1.
    pub fn mrz(information: &str) -> Result<Self, CryptoError> {
        let key = Secret::new(Hash::Sha1.digest(information.as_bytes())?);
        Ok(Self { key, reference: 1 })
    }

    /// From the card access number printed on the document.
    #[must_use]
    pub fn can(digits: &str) -> Self {
        Self { key: Secret::new(digits.as_bytes().to_vec()), reference: 2 }
    }
}

/// Why no connection was established.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PaceError {
    /// The chip does not do this variant after all.
    #[error("the chip refused PACE: status {status}")]
    Refused {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip gave up in the middle.
    #[error("the chip stopped PACE: status {status}")]
    Stopped {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip refused our token: the password is not that of this chip.
    #[error("the chip refused the password: status {status}")]
    Denied {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip's token is wrong: it does not know the password.
    #[error("the chip's token is wrong")]
    Token,
    /// The nonce has a length that the mapping does not give it.
    #[error("the nonce cannot be")]
    Nonce,
    /// The chip sent our own key back.
    #[error("the chip sent our own key back")]
    Reflected,
    /// An answer of another form.
    #[error("malformed answer")]
    Malformed(#[from] TlvError),
    /// A data object holds what it must not.
    #[error("unexpected content of data object {tag}")]
    Unexpected {
        /// Which.
        tag: Tag,
    },
    /// A primitive failed, or the chip sent a key that is no element of the group.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// PACE in progress; yields secure messaging.
pub struct Pace(Inner);

enum Inner {
    Ecdh(Box<Running<ec::Domain>>),
    Dh(Box<Running<dh::Domain>>),
}

/// What PACE yields.
pub struct Established {
    /// Secure messaging under the agreed keys.
    pub session: SecureMessaging,
    /// What chip authentication mapping leaves to prove; of that mapping only.
    pub mapping: Option<Result<UnverifiedMapping, MappingDataError>>,
}

/// Starts PACE: MSE:Set AT and the request for the nonce in one batch.
///
/// # Errors
/// [`PaceError::Crypto`] if no keys can be made.
pub fn start(
    suite: Suite,
    password: &Password,
    random: &mut dyn Random,
) -> Result<Step<Pace, Established>, PaceError> {
    let (batch, inner) = match suite.agreement {
        Agreement::Ecdh(curve) => {
            let (batch, state) = states::start(suite, ec::Domain::new(curve)?, password, random)?;
            (batch, Inner::Ecdh(Box::new(state)))
        }
        Agreement::Dh(group) => {
            let (batch, state) = states::start(suite, dh::Domain::new(group)?, password, random)?;
            (batch, Inner::Dh(Box::new(state)))
        }
    };
    Ok(Step::Transmit(batch, Pace(inner)))
}

impl Protocol for Pace {
    type Output = Established;
    type Error = PaceError;

    fn step(self, replies: Vec<Response>) -> Result<Step<Self, Established>, PaceError> {
        Ok(match self.0 {
            Inner::Ecdh(state) => match state.step(&replies)? {
                Step::Transmit(batch, next) => {
                    Step::Transmit(batch, Self(Inner::Ecdh(Box::new(next))))
                }
                Step::Done(established) => Step::Done(established),
            },
            Inner::Dh(state) => match state.step(&replies)? {
                Step::Transmit(batch, next) => {
                    Step::Transmit(batch, Self(Inner::Dh(Box::new(next))))
                }
                Step::Done(established) => Step::Done(established),
            },
        })
    }
}
