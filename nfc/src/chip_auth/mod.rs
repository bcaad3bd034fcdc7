//! Chip Authentication version 1 (ICAO 9303-11 §6.2; TR-03110-3 §A.4): the chip proves its static
//! private key by agreeing on new session keys, over elliptic curves or in a group modulo a prime.
//!
//! The public key comes from a [`VerifiedLds`] alone: a clone would bring its own. Nothing is
//! proved until the chip has answered under the new keys, which is for the caller to see.

mod agreement;
mod choice;
mod dh;

use std::collections::VecDeque;

use openssl::error::ErrorStack;

use self::choice::{Choice, Way};
use crate::{
    apdu::Command,
    check::{Outcome, Reason},
    crypto::{CryptoError, public_key::KeyError},
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
    /// The key needs commands longer than link and chip carry.
    #[error("link and chip carry no commands of the length that the key needs")]
    TooLong,
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
            Self::Unsupported
            | Self::TooLong
            | Self::Key(KeyError::Unsupported { .. } | KeyError::Curve) => {
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

/// How long the commands may be that link and chip carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// Any.
    Extended,
    /// Short: so many bytes of data under secure messaging, and longer data in a chain of commands.
    Chained(usize),
    /// Short: so many bytes of data under secure messaging.
    Short(usize),
}

/// Whether a key is offered whose commands do not fit short lengths: a group of 2048 bits or more.
#[must_use]
pub fn is_long(infos: &SecurityInfos) -> bool {
    const FITS: usize = 128;
    infos.chip_keys().filter_map(|key| dh::value_length(&key.spki)).any(|length| length > FITS)
}

/// The variants and keys that are signed and can be used, the preferred ones first.
pub struct Offered(VecDeque<Choice>);

/// What DG14 offers.
///
/// # Errors
/// [`ChipAuthError`] if nothing of it can be tried.
pub fn offered(lds: &VerifiedLds) -> Result<Offered, ChipAuthError> {
    let file = lds.get(FileId::DG14).ok_or(ChipAuthError::NoKey)?;
    let infos = dg14::parse(file).map_err(|_| ChipAuthError::Malformed)?;
    Offered::of(&infos)
}

impl Offered {
    fn of(infos: &SecurityInfos) -> Result<Self, ChipAuthError> {
        choice::choices(infos).map(|choices| Self(choices.into()))
    }

    /// Prepares chip authentication with the first key that can be used, and leaves those after it
    /// for when the chip refuses that.
    ///
    /// # Errors
    /// [`ChipAuthError`] of the first of them if none can be used.
    pub fn prepare(
        &mut self,
        lengths: Lengths,
        random: &mut dyn Random,
    ) -> Result<ChipAuthentication, ChipAuthError> {
        let mut first = None;
        while let Some(choice) = self.0.pop_front() {
            match start(&choice, lengths, random) {
                Ok(prepared) => return Ok(prepared),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(ChipAuthError::Unsupported))
    }
}

fn start(
    choice: &Choice,
    lengths: Lengths,
    random: &mut dyn Random,
) -> Result<ChipAuthentication, ChipAuthError> {
    let agreed = agreement::agree(choice.agreement, &choice.key.spki, random)?;
    let key_id = choice.key_id();
    let summary = Summary {
        agreement: choice.agreement.name(),
        curve: agreed.group,
        cipher: choice.cipher.name(),
        key_id: key_id.map(hex::encode),
    };
    let commands = fit(commands(choice, key_id, &agreed.ours), lengths)?;
    let next = SecureMessaging::new(choice.cipher, &agreed.shared, None)?;
    Ok(ChipAuthentication { commands, next, summary })
}

/// 3DES: MSE:Set KAT with the key; else MSE:Set AT, then GENERAL AUTHENTICATE
/// (ICAO 9303-11 §6.2.4).
fn commands(choice: &Choice, key_id: Option<&[u8]>, ours: &[u8]) -> Vec<Command> {
    let with_id = |mut data: Vec<u8>| {
        if let Some(id) = key_id {
            tlv::push(&mut data, Tag(0x84), id);
        }
        data
    };
    match (&choice.protocol, choice.way) {
        (Some(protocol), Way::Authentication) => vec![
            Command::new(0x00, 0x22, 0x41, 0xA4)
                .with_data(with_id(tlv::encode(Tag(0x80), protocol.as_bytes()))),
            Command::new(0x00, GENERAL_AUTHENTICATE, 0x00, 0x00)
                .with_data(tlv::encode(Tag(0x7C), &tlv::encode(Tag(0x80), ours)))
                .expecting(256),
        ],
        _ => vec![
            Command::new(0x00, 0x22, 0x41, 0xA6).with_data(with_id(tlv::encode(Tag(0x91), ours))),
        ],
    }
}

const GENERAL_AUTHENTICATE: u8 = 0x86;
/// Of the class byte: the command is not the last of its chain (ISO 7816-4 §5.3.3.1).
const CHAINED: u8 = 0x10;

/// The same commands in lengths that are carried. Only GENERAL AUTHENTICATE is chained, and only
/// where the chip says that it takes chains (ICAO 9303-11 §9.3.2).
fn fit(commands: Vec<Command>, lengths: Lengths) -> Result<Vec<Command>, ChipAuthError> {
    let (Lengths::Chained(room) | Lengths::Short(room)) = lengths else { return Ok(commands) };
    let mut out = Vec::new();
    for command in commands {
        let chains = matches!(lengths, Lengths::Chained(_)) && command.ins == GENERAL_AUTHENTICATE;
        match command.data.len() {
            length if length <= room => out.push(command),
            _ if chains => out.extend(chain(&command, room)),
            _ => return Err(ChipAuthError::TooLong),
        }
    }
    Ok(out)
}

/// The data in parts, each in a command that another follows but for the last, which alone expects
/// an answer (ISO 7816-4 §5.3.3.1).
fn chain(command: &Command, room: usize) -> Vec<Command> {
    let mut parts: Vec<_> = command
        .data
        .chunks(room.max(1))
        .map(|part| {
            Command::new(command.cla | CHAINED, command.ins, command.p1, command.p2).with_data(part)
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        (last.cla, last.ne) = (command.cla, command.ne);
    }
    parts
}

#[cfg(test)]
mod tests;
