//! Chip Authentication version 1 over elliptic curves (ICAO 9303-11 §6.2; TR-03110-3 §A.4): the
//! chip proves its static private key by agreeing on new session keys.
//!
//! The public key comes from a [`VerifiedLds`] alone: a clone would bring its own. Nothing is
//! proved until the chip has answered under the new keys, which is for the caller to see.

use crate::{
    apdu::Command,
    crypto::{
        Cipher, CryptoError, Secret,
        ec::Domain,
        public_key::{KeyError, PublicKey},
    },
    der::Oid,
    lds::security_infos::{ChipAuthenticationPublicKey, SecurityInfos},
    passive::VerifiedLds,
    random::Random,
    sm::SecureMessaging,
    tlv::{self, Tag},
};

/// Why chip authentication cannot be run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChipAuthError {
    /// DG14 holds no chip authentication key.
    #[error("DG14 holds no chip authentication key")]
    NoKey,
    /// Keys or protocols are offered, but none that is supported.
    #[error("no supported variant is offered")]
    Unsupported,
    /// The public key cannot be used.
    #[error("the public key cannot be used")]
    Key(#[from] KeyError),
    /// A primitive failed, or the key is no point of its curve.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A variant with the chip's key for it.
struct Choice {
    protocol: Option<Oid>,
    cipher: Cipher,
    key: ChipAuthenticationPublicKey,
}

/// Prepared chip authentication: what to send under the old keys, and the new keys.
pub struct ChipAuthentication {
    /// Commands to send in order; all must succeed.
    pub commands: Vec<Command>,
    /// The session under the new keys, from the next command on.
    pub next: SecureMessaging,
    /// Curve and cipher, as evidence.
    pub summary: Summary,
}

/// What was agreed on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// `ECDH`.
    pub agreement: &'static str,
    /// The curve.
    pub curve: &'static str,
    /// The cipher of the new session.
    pub cipher: &'static str,
}

/// Whether signed security options hold a chip authentication key at all.
#[must_use]
pub fn is_offered(infos: &SecurityInfos) -> bool {
    infos.chip_keys().next().is_some()
}

/// Prepares chip authentication with the signed key.
///
/// # Errors
/// [`ChipAuthError`] if no supported variant is offered or its key is unusable.
pub fn prepare(
    lds: &VerifiedLds,
    random: &mut dyn Random,
) -> Result<ChipAuthentication, ChipAuthError> {
    let infos = lds.security_infos().ok_or(ChipAuthError::NoKey)?;
    let choice = choose(&infos)?;
    let PublicKey::Ec { curve, point } = PublicKey::parse(&choice.key.spki)? else {
        return Err(ChipAuthError::Unsupported);
    };
    let domain = Domain::new(curve)?;
    let peer = domain.decode(&point)?;
    let pair = domain.key_pair(domain.scalar(random)?)?;
    let shared: Secret = domain.agree(&pair, &peer)?;
    let commands = commands(&choice, &domain.encode(&pair)?);
    let next = SecureMessaging::new(choice.cipher, &shared, None)?;
    let summary = Summary { agreement: "ECDH", curve: curve.name(), cipher: choice.cipher.name() };
    Ok(ChipAuthentication { commands, next, summary })
}

/// The first supported variant whose key is there, AES before 3DES. A key without any
/// `ChipAuthenticationInfo` means 3DES (TR-03110-3 §A.1.1.2, old chips).
fn choose(infos: &SecurityInfos) -> Result<Choice, ChipAuthError> {
    let keys: Vec<_> = infos.chip_keys().filter(|key| key.is_ecdh()).collect();
    if infos.chip_keys().next().is_none() {
        return Err(ChipAuthError::NoKey);
    }
    let mut choices: Vec<_> = infos
        .chip_authentication()
        .filter(|info| info.version == 1)
        .filter_map(|info| {
            let cipher = info.ecdh_cipher()?;
            let key = keys.iter().find(|key| info.key_id.is_none() || key.key_id == info.key_id)?;
            Some(Choice { protocol: Some(info.protocol.clone()), cipher, key: (*key).clone() })
        })
        .collect();
    choices.sort_by_key(|choice| choice.cipher == Cipher::TripleDes);
    if infos.chip_authentication().next().is_none()
        && let Some(key) = keys.first()
    {
        choices.push(Choice { protocol: None, cipher: Cipher::TripleDes, key: (*key).clone() });
    }
    choices.into_iter().next().ok_or(ChipAuthError::Unsupported)
}

/// 3DES: MSE:Set KAT with the key; AES: MSE:Set AT, then GENERAL AUTHENTICATE
/// (ICAO 9303-11 §6.2.4).
fn commands(choice: &Choice, ours: &[u8]) -> Vec<Command> {
    let key_id = choice.key.key_id.as_deref().map(|id| tlv::encode(Tag(0x84), id));
    let with_id = |mut data: Vec<u8>| {
        data.extend(key_id.iter().flatten());
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
