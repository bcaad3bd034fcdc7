//! The signature over EF.SOD or EF.CardSecurity (RFC 5652 §5.4; ICAO 9303-10 §4.6.2.2):
//! `sod.signature`, `sod.digest`.

use serde_json::{Map, json};
use time::OffsetDateTime;

use super::{not_performed, stamp};
use crate::{
    check::{Check, Outcome, Reason},
    cms::{SignedAttributes, SignedData, SignerInfo, digest_matches},
    crypto::public_key::{KeyError, SignatureAlgorithm},
    trust::{TrustStore, certificate::Certificate},
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

/// The most certificates that are tried for one signer.
const MOST_CANDIDATES: usize = 8;

/// Over content that must be of one of `content_types`. The signer's certificate is one sent along,
/// or one of the store.
pub(super) fn verify(signed: &SignedData, content_types: &[&str], trust: &TrustStore) -> Found {
    let [info] = signed.signers.as_slice() else {
        let check = Check {
            id: "sod.signature",
            outcome: Outcome::Failed(Reason::SodMalformed),
            evidence: json!({ "signers": signed.signers.len() }),
        };
        let checks = vec![check, not_performed("sod.digest", "there is not one signer")];
        return Found { checks, certificate: None, algorithm: None, signing_time: None };
    };
    let algorithm = info.signature_algorithm();
    let attributes = info.attributes();
    let signing_time =
        attributes.as_ref().ok().and_then(|a| a.as_ref()).and_then(|a| a.signing_time);
    let (check, certificate) = signature_check(signed, info, &algorithm, trust);
    let checks = vec![check, digest_check(signed, info, attributes.ok().flatten(), content_types)];
    Found { checks, certificate, algorithm: algorithm.ok().map(|a| a.describe()), signing_time }
}

/// Where a signer's certificate was found.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Document,
    Store,
    /// In the document, with the serial number that the signer names and another issuer's name: so
    /// Ukraine signs. Or without a key identifier that it could be named by.
    DocumentUnnamed,
}

/// Of several certificates that the signer could mean, the one whose key made the signature; else
/// the first.
fn signature_check(
    signed: &SignedData,
    info: &SignerInfo,
    algorithm: &Result<SignatureAlgorithm, KeyError>,
    trust: &TrustStore,
) -> (Check, Option<Certificate>) {
    let id = "sod.signature";
    let sent = signed.certificates_of(info).map(|certificate| (certificate, Source::Document));
    let held = trust.signers_named(&info.identifier).map(|held| (held.clone(), Source::Store));
    let unnamed = signed.certificates_resembling(info);
    let unnamed = unnamed.map(|certificate| (certificate, Source::DocumentUnnamed));
    let mut evidence = Map::new();
    evidence.insert("certificates".into(), json!(signed.certificates.len()));
    evidence.insert("remarks".into(), json!(info.oddities()));
    match algorithm {
        Ok(algorithm) => evidence.insert("algorithm".into(), algorithm.evidence()),
        Err(error) => evidence.insert("error".into(), json!(error.to_string())),
    };
    let mut judged =
        sent.chain(held).chain(unnamed).take(MOST_CANDIDATES).map(|(certificate, source)| {
            let outcome = judge(signed, info, &certificate, algorithm);
            (certificate, source, outcome)
        });
    let holds = |judged: &(Certificate, Source, Result<bool, String>)| judged.2 == Ok(true);
    let best = match judged.next() {
        Some(first) if !holds(&first) => judged.find(holds).or(Some(first)),
        first => first,
    };
    let Some((certificate, source, outcome)) = best else {
        let outcome = Outcome::Failed(Reason::SignerNotFound);
        return (Check { id, outcome, evidence: evidence.into() }, None);
    };
    evidence.insert("signer_serial".into(), json!(hex::encode(&certificate.serial)));
    evidence.insert("signer_from".into(), json!(source));
    let outcome = match outcome {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed(Reason::SodSignatureInvalid),
        Err(error) => {
            evidence.insert("error".into(), json!(error));
            Outcome::Failed(Reason::SodAlgorithm)
        }
    };
    (Check { id, outcome, evidence: evidence.into() }, Some(certificate))
}

/// Whether the signature verifies under the certificate's key, or why that could not be tried.
fn judge(
    signed: &SignedData,
    info: &SignerInfo,
    certificate: &Certificate,
    algorithm: &Result<SignatureAlgorithm, KeyError>,
) -> Result<bool, String> {
    if let Err(error) = algorithm {
        return Err(error.to_string());
    }
    let verify = || info.verify(&signed.content, certificate.public_key()?.as_ref());
    verify().map_err(|error| error.to_string())
}

/// The signed attributes must carry the content's digest and type (RFC 5652 §11.1, §11.2).
fn digest_check(
    signed: &SignedData,
    info: &SignerInfo,
    attributes: Option<SignedAttributes>,
    content_types: &[&str],
) -> Check {
    let is_right_type = content_types.iter().any(|known| signed.content_type.is(*known));
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
