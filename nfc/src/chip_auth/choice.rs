//! Which of the variants and keys that DG14 offers are used, and in which order
//! (ICAO 9303-11 §9.2.5, §9.2.6; TR-03110-3 §A.1.1.2, §A.1.1.3).

use super::{ChipAuthError, agreement::Agreement};
use crate::{
    crypto::Cipher,
    der::Oid,
    lds::security_infos::{
        ChipAuthenticationInfo, ChipAuthenticationPublicKey, SecurityInfo, SecurityInfos,
    },
};

/// A variant with the chip's key for it.
#[derive(Clone)]
pub(super) struct Choice {
    /// Absent for the variant that needs no announcement.
    pub(super) protocol: Option<Oid>,
    pub(super) agreement: Agreement,
    pub(super) cipher: Cipher,
    pub(super) key: ChipAuthenticationPublicKey,
    pub(super) way: Way,
}

/// The commands that bring our key to the chip (ICAO 9303-11 §6.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// MSE:Set KAT; of 3DES only.
    KeyAgreement,
    /// MSE:Set AT and GENERAL AUTHENTICATE.
    Authentication,
}

impl Way {
    fn first(cipher: Cipher) -> Self {
        if cipher == Cipher::TripleDes { Self::KeyAgreement } else { Self::Authentication }
    }
}

impl Choice {
    /// The reference as DO'84' has it: without the zero that keeps an INTEGER positive.
    pub(super) fn key_id(&self) -> Option<&[u8]> {
        let id = self.key.key_id.as_deref()?;
        Some(match id {
            [0, rest @ ..] if !rest.is_empty() => rest,
            id => id,
        })
    }
}

/// Every usable variant, AES before 3DES, then curves before groups modulo a prime, then in the
/// order of the file. A key without any `ChipAuthenticationInfo` means 3DES (old chips). Last, what
/// is done over MSE:Set KAT is to be done over MSE:Set AT, which some chips know alone
/// (ICAO 9303-11 §8.5 note 1).
pub(super) fn choices(infos: &SecurityInfos) -> Result<Vec<Choice>, ChipAuthError> {
    if infos.iter().any(SecurityInfo::is_malformed) {
        return Err(ChipAuthError::Malformed);
    }
    let keys: Vec<_> = infos.chip_keys().collect();
    let announced: Vec<_> = infos.chip_authentication().collect();
    let mut choices = match (announced.as_slice(), keys.as_slice()) {
        ([], []) => return Err(ChipAuthError::NoKey),
        ([], keys) => keys.iter().filter_map(|key| unannounced(key)).collect(),
        (announced, keys) => with_keys(announced, keys)?,
    };
    choices.sort_by_key(|choice| (choice.cipher == Cipher::TripleDes, choice.agreement));
    let announced = |choice: &&Choice| choice.way == Way::KeyAgreement && choice.protocol.is_some();
    let again: Vec<_> = choices.iter().filter(announced).cloned().collect();
    choices.extend(again.into_iter().map(|choice| Choice { way: Way::Authentication, ..choice }));
    if choices.is_empty() { Err(ChipAuthError::Unsupported) } else { Ok(choices) }
}

fn unannounced(key: &ChipAuthenticationPublicKey) -> Option<Choice> {
    let agreement = Agreement::from_arc(key.agreement()?)?;
    let (cipher, way) = (Cipher::TripleDes, Way::KeyAgreement);
    Some(Choice { protocol: None, agreement, cipher, key: key.clone(), way })
}

/// Version 1 variants with their keys; an error if there are such variants and none has a key.
fn with_keys(
    announced: &[&ChipAuthenticationInfo],
    keys: &[&ChipAuthenticationPublicKey],
) -> Result<Vec<Choice>, ChipAuthError> {
    let supported: Vec<_> = announced
        .iter()
        .filter(|info| info.version == 1)
        .filter_map(|info| {
            let (agreement, cipher) = info.variant()?;
            Some((info, Agreement::from_arc(agreement)?, cipher))
        })
        .collect();
    let choices: Vec<_> = supported
        .iter()
        .filter_map(|(info, agreement, cipher)| {
            let key = key_for(info, *agreement, keys)?.clone();
            let protocol = Some(info.protocol.clone());
            let way = Way::first(*cipher);
            Some(Choice { protocol, agreement: *agreement, cipher: *cipher, key, way })
        })
        .collect();
    if choices.is_empty() && !supported.is_empty() {
        return Err(ChipAuthError::Reference);
    }
    Ok(choices)
}

/// The key of the variant's kind with the variant's reference. A variant without a reference takes
/// the first; an only key without one serves a variant with any.
fn key_for<'a>(
    info: &ChipAuthenticationInfo,
    agreement: Agreement,
    keys: &[&'a ChipAuthenticationPublicKey],
) -> Option<&'a ChipAuthenticationPublicKey> {
    let mut own = keys
        .iter()
        .copied()
        .filter(|key| key.agreement().and_then(Agreement::from_arc) == Some(agreement));
    let first = own.clone().next();
    let only = own.clone().nth(1).is_none();
    match &info.key_id {
        None => first,
        Some(id) => own
            .find(|key| key.key_id.as_ref() == Some(id))
            .or_else(|| first.filter(|key| only && key.key_id.is_none())),
    }
}
