//! The signature over EF.SOD or EF.CardSecurity (RFC 5652 §5.4; ICAO 9303-10 §4.6.2.2):
//! `sod.signature`, `sod.digest`.

use serde_json::{Map, json};
use time::OffsetDateTime;

use super::{not_performed, stamp};
use crate::{
    check::{Check, Outcome, Reason},
    cms::{SignedAttributes, SignedData, SignerInfo, digest_matches},
    crypto::public_key::{KeyError, SignatureAlgorithm},
    trust::certificate::Certificate,
};

/// What was found about the signature.
pub(super) struct Found {
    pub(super) checks: Vec<Check>,
    /// The signer's certificate; not yet trusted.
    pub(super) certificate: Option<Certificate>,
    pub(super) algorithm: Option<String>,
    /// As the signer says.
    pub(super) signing_time: Option<OffsetDateTime>,
}

/// Over content that must be of `content_type`.
pub(super) fn verify(signed: &SignedData, content_type: &str) -> Found {
    let [info] = signed.signers.as_slice() else {
        let check = Check {
            id: "sod.signature",
            outcome: Outcome::Failed(Reason::SodMalformed),
            evidence: json!({ "signers": signed.signers.len() }),
        };
        let checks = vec![check, not_performed("sod.digest", "there is not one signer")];
        return Found { checks, certificate: None, algorithm: None, signing_time: None };
    };
    let certificate = signed.certificate_of(info);
    let algorithm = info.signature_algorithm();
    let attributes = info.attributes();
    let signing_time =
        attributes.as_ref().ok().and_then(|a| a.as_ref()).and_then(|a| a.signing_time);
    let checks = vec![
        signature_check(signed, info, certificate.as_ref(), &algorithm),
        digest_check(signed, info, attributes.ok().flatten(), content_type),
    ];
    Found { checks, certificate, algorithm: algorithm.ok().map(|a| a.describe()), signing_time }
}

fn signature_check(
    signed: &SignedData,
    info: &SignerInfo,
    certificate: Option<&Certificate>,
    algorithm: &Result<SignatureAlgorithm, KeyError>,
) -> Check {
    let id = "sod.signature";
    let mut evidence = Map::new();
    let outcome = match (certificate, algorithm) {
        (None, _) => Outcome::Failed(Reason::SignerNotFound),
        (_, Err(error)) => {
            evidence.insert("error".into(), json!(error.to_string()));
            Outcome::Failed(Reason::SodAlgorithm)
        }
        (Some(certificate), Ok(algorithm)) => {
            evidence.insert("algorithm".into(), algorithm.evidence());
            evidence.insert("signer_serial".into(), json!(hex::encode(&certificate.serial)));
            match certificate.public_key().and_then(|key| info.verify(&signed.content, &key)) {
                Ok(true) => Outcome::Passed,
                Ok(false) => Outcome::Failed(Reason::SodSignatureInvalid),
                Err(error) => {
                    evidence.insert("error".into(), json!(error.to_string()));
                    Outcome::Failed(Reason::SodAlgorithm)
                }
            }
        }
    };
    Check { id, outcome, evidence: evidence.into() }
}

/// The signed attributes must carry the content's digest and type (RFC 5652 §11.1, §11.2).
fn digest_check(
    signed: &SignedData,
    info: &SignerInfo,
    attributes: Option<SignedAttributes>,
    content_type: &str,
) -> Check {
    let is_right_type = signed.content_type.is(content_type);
    let attributes = attributes.unwrap_or_default();
    let evidence = json!({
        "algorithm": info.hash().map(|hash| hash.name()).ok(),
        "content_type": signed.content_type,
        "signing_time": attributes.signing_time.map(stamp),
    });
    let same_type = attributes.content_type.as_ref() == Some(&signed.content_type);
    let outcome = match (info.hash(), attributes.message_digest) {
        (Err(_), _) => Outcome::Failed(Reason::SodAlgorithm),
        (_, None) => Outcome::Failed(Reason::SodMalformed),
        (Ok(hash), Some(digest)) => match digest_matches(hash, &signed.content, &digest) {
            Ok(true) if same_type && is_right_type => Outcome::Passed,
            Ok(true) => Outcome::Failed(Reason::SodMalformed),
            Ok(false) => Outcome::Failed(Reason::SodDigestMismatch),
            Err(_) => Outcome::Failed(Reason::SodAlgorithm),
        },
    };
    Check { id: "sod.digest", outcome, evidence }
}
