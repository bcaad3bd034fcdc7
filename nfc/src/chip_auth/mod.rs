//! Chip Authentication version 1 (ICAO 9303-11 §6.2; TR-03110-3 §A.4): the chip proves its static
//! private key by agreeing on new session keys, over elliptic curves or in a group modulo a prime.
//!
//! The public key comes from a [`VerifiedLds`] alone: a clone would bring its own. Nothing is
//! proved until the chip has answered under the new keys, which is for the caller to see.

mod agreement;
mod choice;
mod dh;

use openssl::error::ErrorStack;

use self::choice::Choice;
use crate::{
    apdu::Command,
    check::{Outcome, Reason},
    crypto::{Cipher, CryptoError, public_key::KeyError},
    files::FileId,
    lds::{dg14, security_infos::SecurityInfos},
    passive::VerifiedLds,
    random::Random,
    sm::SecureMessaging,
    tlv::{self, Tag, TlvError},
};

/// Why chip authentication cannot be run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChipAuthError {
    /// DG14 holds nothing of chip authentication.
    #[error("DG14 holds no chip authentication key")]
    NoKey,
    /// DG14 holds an entry of another form than the standard gives it; `dg.content` says so.
    #[error("DG14 is malformed")]
    Malformed,
    /// Keys and protocols are offered, but none that is supported.
    #[error("no supported variant is offered")]
    Unsupported,
    /// A variant is offered whose key is not there.
    #[error("no key is there for the variant that is offered")]
    Reference,
    /// The key is none of the kind that its entry names, or lies outside its group.
    #[error("the public key is none of its kind")]
    NoSuchKey,
    /// The public key cannot be read.
    #[error("the public key cannot be used")]
    Key(#[from] KeyError),
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<ErrorStack> for ChipAuthError {
    fn from(error: ErrorStack) -> Self {
        Self::Crypto(error.into())
    }
}

impl From<TlvError> for ChipAuthError {
    fn from(error: TlvError) -> Self {
        Self::Key(error.into())
    }
}

impl ChipAuthError {
    /// How the check `chip_authentication` ends: a key that cannot be one fails, for the chip can
    /// never prove it; a kind that is not supported leaves the question open.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NoKey => Outcome::NotPerformed(Some(Reason::ChipAuthenticationMissing)),
            Self::Malformed => Outcome::NotPerformed(None),
            Self::Unsupported | Self::Key(KeyError::Unsupported { .. } | KeyError::Curve) => {
                Outcome::NotPerformed(Some(Reason::ChipAuthenticationUnsupported))
            }
            Self::Reference | Self::NoSuchKey | Self::Key(_) | Self::Crypto(_) => {
                Outcome::Failed(Reason::ChipAuthenticationFailed)
            }
        }
    }
}

/// Prepared chip authentication: what to send under the old keys, and the new keys.
pub struct ChipAuthentication {
    /// Commands to send in order; all must succeed.
    pub commands: Vec<Command>,
    /// The session under the new keys, from the next command on.
    pub next: SecureMessaging,
    /// Group and cipher, as evidence.
    pub summary: Summary,
}

/// What was agreed on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// `ECDH` or `DH`.
    pub agreement: &'static str,
    /// The curve, or the group modulo a prime.
    pub curve: String,
    /// The cipher of the new session.
    pub cipher: &'static str,
    /// Which of several keys, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// Whether signed security options hold a chip authentication key at all.
#[must_use]
pub fn is_offered(infos: &SecurityInfos) -> bool {
    infos.chip_keys().next().is_some()
}

/// Prepares chip authentication with the signed key.
///
/// Variants are tried in order of preference; the first whose key can be used is taken.
///
/// # Errors
/// [`ChipAuthError`] of the most preferred variant if none can be used.
pub fn prepare(
    lds: &VerifiedLds,
    random: &mut dyn Random,
) -> Result<ChipAuthentication, ChipAuthError> {
    let file = lds.get(FileId::DG14).ok_or(ChipAuthError::NoKey)?;
    let infos = dg14::parse(file).map_err(|_| ChipAuthError::Malformed)?;
    prepare_with(&infos, random)
}

fn prepare_with(
    infos: &SecurityInfos,
    random: &mut dyn Random,
) -> Result<ChipAuthentication, ChipAuthError> {
    let mut first = None;
    for choice in choice::choices(infos)? {
        match start(&choice, random) {
            Ok(prepared) => return Ok(prepared),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or(ChipAuthError::Unsupported))
}

fn start(choice: &Choice, random: &mut dyn Random) -> Result<ChipAuthentication, ChipAuthError> {
    let agreed = agreement::agree(choice.agreement, &choice.key.spki, random)?;
    let key_id = choice.key_id();
    let summary = Summary {
        agreement: choice.agreement.name(),
        curve: agreed.group,
        cipher: choice.cipher.name(),
        key_id: key_id.map(hex::encode),
    };
    let commands = commands(choice, key_id, &agreed.ours);
    let next = SecureMessaging::new(choice.cipher, &agreed.shared, None)?;
    Ok(ChipAuthentication { commands, next, summary })
}

/// 3DES: MSE:Set KAT with the key; AES: MSE:Set AT, then GENERAL AUTHENTICATE
/// (ICAO 9303-11 §6.2.4).
fn commands(choice: &Choice, key_id: Option<&[u8]>, ours: &[u8]) -> Vec<Command> {
    let with_id = |mut data: Vec<u8>| {
        if let Some(id) = key_id {
            tlv::push(&mut data, Tag(0x84), id);
        }
        data
    };
    match &choice.protocol {
        Some(protocol) if choice.cipher != Cipher::TripleDes => vec![
            Command::new(0x00, 0x22, 0x41, 0xA4)
                .with_data(with_id(tlv::encode(Tag(0x80), protocol.as_bytes()))),
            Command::new(0x00, 0x86, 0x00, 0x00)
                .with_data(tlv::encode(Tag(0x7C), &tlv::encode(Tag(0x80), ours)))
                .expecting(256),
        ],
        _ => vec![
            Command::new(0x00, 0x22, 0x41, 0xA6).with_data(with_id(tlv::encode(Tag(0x91), ours))),
        ],
    }
}

#[cfg(test)]
mod tests;
