//! PACE's chip authentication mapping, proved with the signed key of EF.CardSecurity
//! (ICAO 9303-11 §4.4.3.5.2): the check `chip_authentication` of chips that were opened with it.
//!
//! The key comes from a [`VerifiedCardSecurity`] alone: a clone would bring its own.

use serde_json::{Map, Value, json};

use crate::{
    check::{Check, Outcome, Reason},
    crypto::{CryptoError, public_key::PublicKey},
    lds::security_infos::ChipAuthenticationPublicKey,
    pace::{MappingDataError, UnverifiedMapping},
    passive::{CardSecurityReport, VerifiedCardSecurity},
};

/// Why the mapping does not prove the chip.
#[derive(Debug, Clone, thiserror::Error)]
enum NotProved {
    #[error(transparent)]
    Data(#[from] MappingDataError),
    #[error("EF.CardSecurity could not be read")]
    NoFile,
    #[error("EF.CardSecurity is not proved")]
    Unsigned,
    #[error("EF.CardSecurity holds no key with the mapping's id")]
    NoKey,
    #[error("the signed key cannot be used")]
    Key,
    #[error("the signed key is on another curve")]
    Curve,
    #[error("the chip does not hold the signed key")]
    Wrong,
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Judges what PACE left to prove.
pub(super) fn check(
    mapping: Result<UnverifiedMapping, MappingDataError>,
    card_security: Option<&CardSecurityReport>,
) -> Check {
    let protocol = protocol(mapping.as_ref().ok());
    let result = mapping.map_err(NotProved::from).and_then(|m| prove(&m, card_security));
    let mut evidence = json!({ "protocol": protocol, "card_security": card_security.map(found) });
    let outcome = match &result {
        Ok(()) => Outcome::Passed,
        Err(error) => {
            if let Value::Object(fields) = &mut evidence {
                fields.insert("found".into(), json!({ "error": error.to_string() }));
            }
            Outcome::Failed(Reason::ChipAuthenticationFailed)
        }
    };
    Check::new("chip_authentication", outcome, evidence)
}

fn protocol(mapping: Option<&UnverifiedMapping>) -> Value {
    json!({
        "mapping": "CAM",
        "agreement": "ECDH",
        "curve": mapping.map(|mapping| mapping.curve().name()),
        "key_id": mapping.map(UnverifiedMapping::key_id),
    })
}

/// Each check of EF.CardSecurity in a word.
fn found(report: &CardSecurityReport) -> Map<String, Value> {
    let word = |outcome| match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(reason) => Reason::code(reason),
        Outcome::NotPerformed(_) => "not_performed",
    };
    report.checks.iter().map(|check| (check.id.to_owned(), json!(word(check.outcome)))).collect()
}

/// `PK_Map,IC = KA(CA_IC, PK_IC, D_IC)` with the signed `PK_IC`.
fn prove(
    mapping: &UnverifiedMapping,
    report: Option<&CardSecurityReport>,
) -> Result<(), NotProved> {
    let signed = report.ok_or(NotProved::NoFile)?.verified.as_ref().ok_or(NotProved::Unsigned)?;
    let key = static_key(signed, mapping.key_id()).ok_or(NotProved::NoKey)?;
    let Ok(PublicKey::Ec { curve, point }) = PublicKey::parse(&key.spki) else {
        return Err(NotProved::Key);
    };
    if curve != mapping.curve() {
        return Err(NotProved::Curve);
    }
    if mapping.is_proved_by(&point)? { Ok(()) } else { Err(NotProved::Wrong) }
}

/// The key whose `keyId` is the parameter id of the `PACEInfo` (ICAO 9303-11 §9.2.1).
fn static_key(signed: &VerifiedCardSecurity, key_id: u32) -> Option<&ChipAuthenticationPublicKey> {
    let bytes = key_id.to_be_bytes();
    let id: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    signed.infos().chip_keys().find(|key| {
        let named = key.key_id.as_deref().unwrap_or_default();
        named.iter().copied().skip_while(|byte| *byte == 0).eq(id.iter().copied())
    })
}
