//! The document signer and its issuer (ICAO 9303-12 §5, §7): `signer.chain`, `signer.validity`,
//! `signer.country`, `signer.revocation`.

use serde_json::json;
use time::OffsetDateTime;

use super::{AnchorSummary, country, not_performed, signature, stamp};
use crate::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    lds::dg1,
    trust::{Anchor, ChainError, TrustStore, certificate::Certificate},
};

/// What was found about the signer.
pub(super) struct Found {
    pub(super) checks: Vec<Check>,
    pub(super) csca: Option<AnchorSummary>,
}

pub(super) fn verify(
    signature: &signature::Found,
    files: &Files,
    trust: &TrustStore,
    at: OffsetDateTime,
) -> Found {
    let Some(signer) = &signature.certificate else {
        let ids = ["signer.chain", "signer.validity", "signer.country", "signer.revocation"];
        let checks = ids.map(|id| not_performed(id, "the signer's certificate was not found"));
        return Found { checks: checks.into(), csca: None };
    };
    let path = trust.path(signer);
    let issuer = path.as_ref().ok().and_then(|path| path.first().copied());
    let checks = vec![
        chain_check(signer, &path, trust),
        validity_check(signer, issuer, signature.signing_time, at),
        country_check(signer, issuer, files),
        issuer.map_or_else(
            || not_performed("signer.revocation", "the issuer is not known"),
            |issuer| revocation_check(signer, issuer, trust, at),
        ),
    ];
    Found { checks, csca: issuer.map(AnchorSummary::new) }
}

/// Purposes that a CSCA certifies and that are not the signing of documents: master lists and
/// deviation lists (ICAO 9303-12 §7.1), or anything of the web.
fn may_sign_documents(signer: &Certificate) -> bool {
    let digital_signature = signer.key_usage.is_none_or(|usage| usage & 0x80 != 0);
    let other_purpose = signer.extended_key_usage.as_ref().is_some_and(|(critical, _)| *critical);
    digital_signature && !other_purpose
}

fn chain_check(
    signer: &Certificate,
    path: &Result<Vec<&Anchor>, ChainError>,
    trust: &TrustStore,
) -> Check {
    let outcome = match path {
        Err(ChainError::Unknown) => Outcome::Failed(Reason::CscaUnknown),
        Err(ChainError::Signature) => Outcome::Failed(Reason::SignerUntrusted),
        Ok(_) if !may_sign_documents(signer) => Outcome::Failed(Reason::SignerUntrusted),
        Ok(_) => Outcome::Passed,
    };
    let steps: Vec<_> = path.iter().flatten().map(|anchor| AnchorSummary::new(anchor)).collect();
    let evidence = json!({
        "signer": { "subject": signer.subject.to_string(), "issuer": signer.issuer.to_string(),
                    "serial": hex::encode(&signer.serial),
                    "authority_key_id": signer.authority_key_id.as_ref().map(hex::encode) },
        "domain": trust.domain(),
        "anchors": trust.anchors().len(),
        "path": steps,
    });
    Check { id: "signer.chain", outcome, evidence }
}

/// The signer must have been valid when it signed, the issuer when it issued the signer's
/// certificate. Without a signing time, the date of the check counts.
fn validity_check(
    signer: &Certificate,
    issuer: Option<&Anchor>,
    signing_time: Option<OffsetDateTime>,
    at: OffsetDateTime,
) -> Check {
    let signed = signing_time.unwrap_or(at);
    let signer_valid = signer.is_valid_at(signed) && signed <= end_of_day(at);
    let issuer_valid = issuer.is_none_or(|a| a.certificate.is_valid_at(signer.not_before));
    let outcome = match (signer_valid, issuer_valid) {
        (false, _) => Outcome::Failed(Reason::SignerExpired),
        (_, false) => Outcome::Failed(Reason::CscaExpired),
        _ => Outcome::Passed,
    };
    let evidence = json!({
        "signed": stamp(signed),
        "signed_from": if signing_time.is_some() { "signing_time" } else { "date_of_check" },
        "signer": { "not_before": stamp(signer.not_before), "not_after": stamp(signer.not_after) },
        "within_key_usage_period": signer.key_usage_period.map(|period| period.contains(signed)),
        "csca": issuer.map(|a| json!({ "not_before": stamp(a.certificate.not_before),
                                       "not_after": stamp(a.certificate.not_after) })),
    });
    Check { id: "signer.validity", outcome, evidence }
}

/// A signature may be of the day of the check itself.
fn end_of_day(at: OffsetDateTime) -> OffsetDateTime {
    at.saturating_add(time::Duration::days(1))
}

/// Document, signer and issuer must be of one country.
fn country_check(signer: &Certificate, issuer: Option<&Anchor>, files: &Files) -> Check {
    let id = "signer.country";
    let document = files.get(FileId::DG1).map(dg1::issuer);
    let certificates: Vec<Option<String>> = std::iter::once(signer.country())
        .chain(issuer.map(|anchor| anchor.certificate.country()))
        .collect();
    // A DG1 that names no country is refused as malformed, or as changed.
    let document = document.and_then(Result::ok);
    let agree = match &document {
        Some(code) => {
            certificates.iter().all(|c| c.as_deref().is_some_and(|c| country::matches(code, c)))
        }
        None => certificates.windows(2).all(|pair| pair.first() == pair.last()),
    };
    let outcome = match (agree, &document) {
        (false, _) => Outcome::Failed(Reason::SignerCountry),
        (true, None) => Outcome::NotPerformed(None),
        (true, Some(_)) => Outcome::Passed,
    };
    let evidence = json!({
        "document": document,
        "signer": signer.country(),
        "csca": issuer.and_then(|anchor| anchor.certificate.country()),
    });
    Check { id, outcome, evidence }
}

fn revocation_check(
    signer: &Certificate,
    issuer: &Anchor,
    trust: &TrustStore,
    at: OffsetDateTime,
) -> Check {
    let id = "signer.revocation";
    let lists = trust.revocations_of(&issuer.certificate, at);
    let Some(list) = lists.last() else {
        return not_performed(id, "no revocation list of the issuer is there");
    };
    let revoked = lists.iter().any(|list| list.revokes(&signer.serial));
    let outcome = match (revoked, list.is_stale(at)) {
        (true, _) => Outcome::Failed(Reason::SignerRevoked),
        (false, true) => Outcome::NotPerformed(Some(Reason::CrlStale)),
        (false, false) => Outcome::Passed,
    };
    let evidence = json!({
        "this_update": stamp(list.this_update),
        "next_update": list.next_update.map(stamp),
        "revoked": list.revoked.len(),
    });
    Check { id, outcome, evidence }
}

impl AnchorSummary {
    fn new(anchor: &Anchor) -> Self {
        Self {
            country: anchor.certificate.country(),
            subject: anchor.certificate.subject.to_string(),
            serial: hex::encode(&anchor.certificate.serial),
            sha256: hex::encode(anchor.sha256),
        }
    }
}
