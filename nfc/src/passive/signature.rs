//! The signature over EF.SOD or EF.CardSecurity (RFC 5652 §5.4; ICAO 9303-10 §4.6.2.2):
//! `sod.signature`, `sod.digest`.

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{not_performed, stamp, with};
use crate::{
    check::{Check, Outcome, Reason},
    cms::{SignedAttributes, SignedData, SignerInfo, digest_matches},
    crypto::{
        Hash,
        public_key::{KeyError, SignatureAlgorithm},
    },
    evidence::Evidence,
    trust::{TrustStore, certificate::Certificate},
};

/// What was found about the signature.
pub(super) struct Found {
    pub(super) checks: [Check; 2],
    /// The signer's certificate; not yet trusted.
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) algorithm: Option<SignatureAlgorithm>,
    /// As the signer says.
    pub(super) signing_time: Option<OffsetDateTime>,
}

/// The most certificates that are tried for one signer.
const MOST_CANDIDATES: usize = 8;

/// Over content that must be of one of `content_types`. The signer's certificate is one sent along,
/// or one of the store.
pub(super) fn verify(
    signed: &Arc<SignedData>,
    content_types: &[&str],
    trust: &TrustStore,
) -> Found {
    let [info] = signed.signers.as_slice() else {
        let malformed = Outcome::Failed(Reason::SodMalformed);
        let evidence = json!({ "signers": signed.signers.len() });
        let check = Check::new("sod.signature", malformed, evidence);
        let checks = [check, not_performed("sod.digest", "there is not one signer")];
        return Found { checks, certificate: None, algorithm: None, signing_time: None };
    };
    let algorithm = info.signature_algorithm();
    let attributes = info.attributes();
    let signing_time =
        attributes.as_ref().ok().and_then(|a| a.as_ref()).and_then(|a| a.signing_time);
    let (check, certificate) = signature_check(signed, info, &algorithm, trust);
    let checks = [check, digest_check(signed, info, attributes.ok().flatten(), content_types)];
    Found { checks, certificate, algorithm: algorithm.ok(), signing_time }
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
    signed: &Arc<SignedData>,
    info: &SignerInfo,
    algorithm: &Result<SignatureAlgorithm, KeyError>,
    trust: &TrustStore,
) -> (Check, Option<Arc<Certificate>>) {
    let id = "sod.signature";
    let sent = signed.certificates_of(info).map(|sent| (Arc::new(sent), Source::Document));
    let held = trust.signers_named(&info.identifier).map(|held| (Arc::clone(held), Source::Store));
    let unnamed = signed.certificates_resembling(info);
    let unnamed = unnamed.map(|unnamed| (Arc::new(unnamed), Source::DocumentUnnamed));
    let seen = Arc::clone(signed);
    let mut judged =
        sent.chain(held).chain(unnamed).take(MOST_CANDIDATES).map(|(certificate, source)| {
            let outcome = judge(signed, info, &certificate, algorithm);
            (certificate, source, outcome)
        });
    let holds = |judged: &(_, _, Result<bool, String>)| judged.2 == Ok(true);
    let best = match judged.next() {
        Some(first) if !holds(&first) => judged.find(holds).or(Some(first)),
        first => first,
    };
    let Some((certificate, source, outcome)) = best else {
        let outcome = Outcome::Failed(Reason::SignerNotFound);
        return (Check::new(id, outcome, Evidence::new(move || message(&seen))), None);
    };
    let signer = Arc::clone(&certificate);
    let (outcome, error) = match outcome {
        Ok(true) => (Outcome::Passed, None),
        Ok(false) => (Outcome::Failed(Reason::SodSignatureInvalid), None),
        Err(error) => (Outcome::Failed(Reason::SodAlgorithm), Some(error)),
    };
    let evidence = Evidence::new(move || {
        let serial = hex::encode(signer.serial());
        let found = [("signer_serial", json!(serial)), ("signer_from", json!(source))];
        let error = error.as_ref().map(|error| ("error", json!(error)));
        with(message(&seen), found.into_iter().chain(error))
    });
    (Check::new(id, outcome, evidence), Some(certificate))
}

/// What is seen of the message alone.
fn message(signed: &SignedData) -> Value {
    let info = signed.signers.first();
    let algorithm = info.map(SignerInfo::signature_algorithm).map(|algorithm| match algorithm {
        Ok(algorithm) => ("algorithm", algorithm.evidence()),
        Err(error) => ("error", json!(error.to_string())),
    });
    let evidence = json!({
        "certificates": signed.certificates.len(),
        "remarks": info.map(SignerInfo::oddities),
    });
    with(evidence, algorithm)
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
    signed: &Arc<SignedData>,
    info: &SignerInfo,
    attributes: Option<SignedAttributes>,
    content_types: &[&str],
) -> Check {
    let is_right_type = content_types.iter().any(|known| signed.content_type.is(*known));
    let attributes = attributes.unwrap_or_default();
    let (seen, signing_time) = (Arc::clone(signed), attributes.signing_time);
    let hash = info.hash().ok();
    let evidence = Evidence::new(move || {
        json!({
            "algorithm": hash.map(Hash::name),
            "content_type": seen.content_type,
            "signing_time": signing_time.map(stamp),
        })
    });
    let same_type = attributes.content_type.as_ref() == Some(&signed.content_type);
    let outcome = match (hash, attributes.message_digest) {
        (None, _) => Outcome::Failed(Reason::SodAlgorithm),
        (_, None) => Outcome::Failed(Reason::SodMalformed),
        (Some(hash), Some(digest)) => match digest_matches(hash, &signed.content, &digest) {
            Ok(true) if same_type && is_right_type => Outcome::Passed,
            Ok(true) => Outcome::Failed(Reason::SodMalformed),
            Ok(false) => Outcome::Failed(Reason::SodDigestMismatch),
            Err(_) => Outcome::Failed(Reason::SodAlgorithm),
        },
    };
    Check::new("sod.digest", outcome, evidence)
}
