//! The document signer and its issuer (ICAO 9303-12 §5, §7): `signer.chain`, `signer.validity`,
//! `signer.country`, `signer.revocation`.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{AnchorSummary, Document, country, not_performed, signature, stamp, with};
use crate::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    lds::dg1,
    trust::{
        Anchor, Path, PathError, TrustStore,
        certificate::Certificate,
        crl::{Crl, Entry},
        profile::{self, Misuse},
        revocation::{Revocation, Status},
    },
};

/// What was found about the signer.
pub(super) struct Found {
    pub(super) checks: Vec<Check>,
    pub(super) csca: Option<AnchorSummary>,
    /// The issuers on the path, from the signer's own up, DER.
    pub(super) chain: Vec<Vec<u8>>,
    /// The revocation lists that were consulted, DER.
    pub(super) revocation_lists: Vec<Vec<u8>>,
    /// Those who signed these and are not on the path, DER.
    pub(super) list_signers: Vec<Vec<u8>>,
}

pub(super) fn verify(
    signature: &signature::Found,
    document: &Document<'_>,
    trust: &TrustStore,
    at: OffsetDateTime,
) -> Found {
    let Some(signer) = &signature.certificate else {
        let ids = ["signer.chain", "signer.validity", "signer.country", "signer.revocation"];
        let checks = ids.map(|id| not_performed(id, "the signer's certificate was not found"));
        return Found {
            checks: checks.into(),
            csca: None,
            chain: vec![],
            revocation_lists: vec![],
            list_signers: vec![],
        };
    };
    let path = trust.path(signer);
    let issuer = path.as_ref().ok().and_then(Path::issuer);
    let lists = issuer.map(|issuer| trust.revocation(signer, &issuer.certificate, at));
    let zone = document.zone().and_then(Result::ok);
    let code = zone.map(|mrz| mrz.fields().document_code.as_str());
    let checks = vec![
        chain_check(signer, &path, trust, Circumstances { signed: signature.signing_time, code }),
        validity_check(signer, issuer, signature.signing_time, at),
        country_check(signer, issuer, document.files),
        issuer.zip(lists.as_ref()).map_or_else(
            || not_performed("signer.revocation", "the issuer is not known"),
            |(issuer, lists)| revocation_check(issuer, lists, trust, at),
        ),
    ];
    let on_path: Vec<_> = path.iter().flat_map(Path::anchors).collect();
    let mut beside: Vec<_> = lists.iter().flat_map(|found| found.signers.iter().copied()).collect();
    beside.retain(|signer| !on_path.contains(signer));
    beside.sort_by_key(|signer| signer.sha256);
    beside.dedup();
    Found {
        checks,
        csca: issuer.map(AnchorSummary::new),
        chain: on_path.into_iter().map(der).collect(),
        revocation_lists: lists
            .iter()
            .flat_map(|found| &found.lists)
            .map(|list| list.der.clone())
            .collect(),
        list_signers: beside.into_iter().map(der).collect(),
    }
}

fn der(anchor: &Anchor) -> Vec<u8> {
    anchor.certificate.der.clone()
}

/// When the document was signed, and what kind it is, where that is known.
struct Circumstances<'a> {
    signed: Option<OffsetDateTime>,
    code: Option<&'a str>,
}

fn chain_check(
    signer: &Certificate,
    path: &Result<Path<'_>, PathError>,
    trust: &TrustStore,
    circumstances: Circumstances<'_>,
) -> Check {
    let found = path.as_ref().ok();
    let issuer = found.and_then(Path::issuer);
    let misuse = profile::misuse(signer, issuer);
    let foreign = match found {
        None => trust.foreign().filter(|other| other.path(signer).is_ok()),
        Some(_) => None,
    };
    let outcome = match (path, misuse.as_slice()) {
        (Err(_), _) if foreign.is_some() => Outcome::Failed(Reason::CscaDomain),
        (Err(error), _) => Outcome::Failed(error.reason()),
        (Ok(_), []) => Outcome::Passed,
        (Ok(_), [Misuse::WeakKey]) => Outcome::Failed(Reason::SodAlgorithm),
        (Ok(_), _) => Outcome::Failed(Reason::SignerUntrusted),
    };
    let Circumstances { signed, code } = circumstances;
    let evidence = json!({
        "signer": { "subject": signer.subject.to_string(), "issuer": signer.issuer.to_string(),
                    "serial": hex::encode(&signer.serial),
                    "authority_key_id": signer.authority_key_id.as_ref().map(hex::encode) },
        "domain": trust.domain(),
        "other_domain": foreign.map(TrustStore::domain),
        "anchors": trust.anchors().len(),
        "whole": found.map(Path::is_whole),
        "tried": found.map(Path::tried),
        "error": path.as_ref().err().map(ToString::to_string),
        "misuse": misuse,
        "remarks": profile::oddities(signer, found, signed, code),
    });
    let evidence = with(evidence, [("path", found.map(steps))]);
    Check { id: "signer.chain", outcome, evidence }
}

fn steps(path: &Path<'_>) -> Value {
    let steps = path.steps().iter().map(|step| {
        let AnchorSummary { country, subject, serial, sha256 } = AnchorSummary::new(step.anchor);
        let evidence = json!({ "found_by": step.found_by, "names": step.names });
        let text = [("subject", subject), ("serial", serial), ("sha256", sha256)];
        let evidence = with(evidence, text.map(|(name, text)| (name, Some(text.into()))));
        with(evidence, [("country", country.map(Value::from))])
    });
    steps.collect()
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
    });
    let of_issuer = issuer.map(|a| {
        json!({ "not_before": stamp(a.certificate.not_before),
                "not_after": stamp(a.certificate.not_after) })
    });
    let evidence = with(evidence, [("csca", of_issuer)]);
    Check { id: "signer.validity", outcome, evidence }
}

/// A signature may be of the day of the check itself.
fn end_of_day(at: OffsetDateTime) -> OffsetDateTime {
    at.saturating_add(time::Duration::days(1))
}

/// Document, signer and issuer must be of one country. A signer that names none is of its issuer's.
fn country_check(signer: &Certificate, issuer: Option<&Anchor>, files: &Files) -> Check {
    let id = "signer.country";
    let document = files.get(FileId::DG1).map(dg1::issuer);
    let of_issuer = issuer.map(|anchor| country::of_issuer(&anchor.certificate));
    let of_signer = signer.country().or_else(|| of_issuer.clone().flatten());
    let certificates: Vec<Option<String>> =
        std::iter::once(of_signer).chain(of_issuer.clone()).collect();
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
        "csca": of_issuer.flatten(),
    });
    Check { id, outcome, evidence }
}

/// The issuer's own certificate may be on the list too: then its key is in other hands.
fn revocation_check(
    issuer: &Anchor,
    found: &Revocation<'_>,
    trust: &TrustStore,
    at: OffsetDateTime,
) -> Check {
    let above = trust.revocation(&issuer.certificate, &issuer.certificate, at);
    let lost = match above.status {
        Status::Revoked(entry) if entry.is_lost_authority() => Some(entry),
        _ => None,
    };
    let outcome = match found.status {
        _ if lost.is_some() => Outcome::Failed(Reason::SignerRevoked),
        Status::Revoked(_) => Outcome::Failed(Reason::SignerRevoked),
        Status::Stale => Outcome::NotPerformed(Some(Reason::CrlStale)),
        Status::Unknown => Outcome::NotPerformed(None),
        Status::Good => Outcome::Passed,
    };
    let entry = match found.status {
        Status::Revoked(entry) => Some(entry),
        _ => None,
    };
    let newest = found.lists.last();
    let evidence = json!({
        "why": newest.is_none().then_some("no revocation list of the issuer is there"),
        "this_update": newest.map(|list| stamp(list.this_update)),
        "next_update": newest.and_then(|list| list.next_update).map(stamp),
        "not_signed_by_the_issuer": found.unsigned.iter().copied().map(digest).collect::<Vec<_>>(),
    });
    let more = [
        ("lists", Some(found.lists.iter().copied().map(listed).collect())),
        ("entry", entry.map(revoked)),
        ("entry_of_issuer", lost.map(revoked)),
    ];
    let evidence = with(evidence, more);
    Check { id: "signer.revocation", outcome, evidence }
}

fn listed(list: &Crl) -> Value {
    json!({
        "sha256": digest(list),
        "scope": list.scope,
        "this_update": stamp(list.this_update),
        "next_update": list.next_update.map(stamp),
        "entries": list.len(),
    })
}

fn digest(list: &Crl) -> Option<String> {
    list.sha256().map(hex::encode)
}

fn revoked(entry: &Entry) -> Value {
    json!({ "since": stamp(entry.date), "reason": entry.reason })
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
