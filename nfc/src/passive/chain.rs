//! The document signer and its issuer (ICAO 9303-12 §5, §7): `signer.chain`, `signer.validity`,
//! `signer.country`, `signer.revocation`.

use std::{fmt, sync::Arc};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    AnchorSummary, Document, basis::Ground, country, not_performed, signature, stamp, with,
};
use crate::{
    check::{Check, Outcome, Reason},
    evidence::Evidence,
    files::{FileId, Files},
    lds::dg1,
    trust::{
        Anchor, Domain, Path, PathError, TrustStore,
        certificate::Certificate,
        crl::{Crl, Entry},
        profile::{self, Misuse},
        revocation::{Revocation, Status},
    },
};

/// What was found about the signer.
pub(super) struct Found {
    pub(super) checks: [Check; 4],
    /// Certificates and lists; the algorithm of the signature is not among them.
    pub(super) ground: Ground,
}

/// The signer and its issuers, with what evidence tells of them besides.
pub(super) struct Chain {
    pub(super) signer: Arc<Certificate>,
    pub(super) path: Result<Path, PathError>,
    /// When the document was signed, if it says so.
    signed: Option<OffsetDateTime>,
    /// The document's code, if its zone could be read.
    code: Option<String>,
    domain: Domain,
    /// How many anchors were there.
    anchors: usize,
}

/// The certificates only: the code is the holder's document's.
impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({:?}, {:?})", self.signer, self.path)
    }
}

impl Chain {
    fn issuer(&self) -> Option<&Arc<Anchor>> {
        self.path.as_ref().ok().and_then(Path::issuer)
    }
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
        return Found { checks, ground: Ground::default() };
    };
    let zone = document.zone().and_then(Result::ok);
    let chain = Arc::new(Chain {
        signer: Arc::clone(signer),
        path: trust.path(signer),
        signed: signature.signing_time,
        code: zone.map(|mrz| mrz.fields().document_code.clone()),
        domain: trust.domain(),
        anchors: trust.anchors().len(),
    });
    let issuer = chain.issuer();
    let lists = issuer.map(|issuer| trust.revocation(signer, &issuer.certificate, at));
    let checks = [
        chain_check(&chain, trust),
        validity_check(&chain, at),
        country_check(&chain, document.files),
        issuer.zip(lists.as_ref()).map_or_else(
            || not_performed("signer.revocation", "the issuer is not known"),
            |(issuer, lists)| revocation_check(issuer, lists, trust, at),
        ),
    ];
    let mut beside: Vec<_> =
        lists.iter().flat_map(|found| &found.signers).copied().cloned().collect();
    beside.retain(|signer| !chain.path.iter().flat_map(Path::anchors).any(|step| step == signer));
    beside.sort_by_key(|signer| signer.sha256);
    beside.dedup();
    let lists = lists.iter().flat_map(|found| &found.lists).copied().cloned().collect();
    let ground = Ground { algorithm: None, chain: Some(chain), lists, list_signers: beside };
    Found { checks, ground }
}

fn chain_check(chain: &Arc<Chain>, trust: &TrustStore) -> Check {
    let misuse = profile::misuse(&chain.signer, chain.issuer().map(Arc::as_ref));
    let foreign = match chain.path {
        Err(_) => trust.foreign().filter(|other| other.path(&chain.signer).is_ok()),
        Ok(_) => None,
    };
    let outcome = match (&chain.path, misuse.as_slice()) {
        (Err(_), _) if foreign.is_some() => Outcome::Failed(Reason::CscaDomain),
        (Err(error), _) => Outcome::Failed(error.reason()),
        (Ok(_), []) => Outcome::Passed,
        (Ok(_), [Misuse::WeakKey]) => Outcome::Failed(Reason::SodAlgorithm),
        (Ok(_), _) => Outcome::Failed(Reason::SignerUntrusted),
    };
    let (chain, foreign) = (Arc::clone(chain), foreign.map(TrustStore::domain));
    let evidence = Evidence::new(move || {
        let Chain { signer, path, signed, code, domain, anchors } = chain.as_ref();
        let found = path.as_ref().ok();
        json!({
            "signer": { "subject": signer.subject.to_string(), "issuer": signer.issuer.to_string(),
                        "serial": hex::encode(signer.serial()),
                        "authority_key_id": signer.authority_key_id().map(hex::encode) },
            "domain": domain,
            "other_domain": foreign,
            "anchors": anchors,
            "whole": found.map(Path::is_whole),
            "tried": found.map(Path::tried),
            "error": path.as_ref().err().map(ToString::to_string),
            "misuse": misuse,
            "remarks": profile::oddities(signer, found, *signed, code.as_deref()),
            "path": found.map(steps),
        })
    });
    Check::new("signer.chain", outcome, evidence)
}

fn steps(path: &Path) -> Value {
    let steps = path.steps().iter().map(|step| {
        let AnchorSummary { country, subject, serial, sha256 } = AnchorSummary::new(&step.anchor);
        json!({
            "found_by": step.found_by, "names": step.names, "country": country,
            "subject": subject, "serial": serial, "sha256": sha256,
        })
    });
    steps.collect()
}

/// The signer must have been valid when it signed, the issuer when it issued the signer's
/// certificate. Without a signing time, the date of the check counts.
fn validity_check(chain: &Arc<Chain>, at: OffsetDateTime) -> Check {
    let signer = &chain.signer;
    let signed = chain.signed.unwrap_or(at);
    let signer_valid = signer.is_valid_at(signed) && signed <= end_of_day(at);
    let issuer_valid = chain.issuer().is_none_or(|a| a.certificate.is_valid_at(signer.not_before));
    let outcome = match (signer_valid, issuer_valid) {
        (false, _) => Outcome::Failed(Reason::SignerExpired),
        (_, false) => Outcome::Failed(Reason::CscaExpired),
        _ => Outcome::Passed,
    };
    let chain = Arc::clone(chain);
    let evidence = Evidence::new(move || {
        let Chain { signer, signed: signing_time, .. } = chain.as_ref();
        let validity = |certificate: &Certificate| {
            json!({ "not_before": stamp(certificate.not_before),
                    "not_after": stamp(certificate.not_after) })
        };
        json!({
            "signed": stamp(signed),
            "signed_from": if signing_time.is_some() { "signing_time" } else { "date_of_check" },
            "signer": validity(signer),
            "within_key_usage_period": signer.key_usage_period.map(|period| period.contains(signed)),
            "csca": chain.issuer().map(|issuer| validity(&issuer.certificate)),
        })
    });
    Check::new("signer.validity", outcome, evidence)
}

/// A signature may be of the day of the check itself.
fn end_of_day(at: OffsetDateTime) -> OffsetDateTime {
    at.saturating_add(time::Duration::days(1))
}

/// Document, signer and issuer must be of one country. A signer that names none is of its issuer's.
fn country_check(chain: &Arc<Chain>, files: &Files) -> Check {
    // A DG1 that names no country is refused as malformed, or as changed.
    let document = files.get(FileId::DG1).map(dg1::issuer).and_then(Result::ok);
    let of_issuer = chain.issuer().map(|anchor| country::of_issuer(&anchor.certificate));
    let of_signer = chain.signer.country().or_else(|| of_issuer.clone().flatten());
    let agree = match document {
        Some(code) => {
            let is_same = |found: &Option<String>| {
                found.as_deref().is_some_and(|found| country::matches(code, found))
            };
            is_same(&of_signer) && of_issuer.as_ref().is_none_or(is_same)
        }
        None => of_issuer.as_ref().is_none_or(|of_issuer| *of_issuer == of_signer),
    };
    let outcome = match (agree, document) {
        (false, _) => Outcome::Failed(Reason::SignerCountry),
        (true, None) => Outcome::NotPerformed(None),
        (true, Some(_)) => Outcome::Passed,
    };
    let (chain, document) = (Arc::clone(chain), document.map(str::to_owned));
    let evidence = Evidence::new(move || {
        json!({
            "document": document,
            "signer": chain.signer.country(),
            "csca": of_issuer.as_ref().and_then(Option::as_ref),
        })
    });
    Check::new("signer.country", outcome, evidence)
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
        Status::Revoked(entry) if entry.is_lost_authority() => Some(Revoked::new(entry)),
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
        Status::Revoked(entry) => Some(Revoked::new(entry)),
        _ => None,
    };
    let [lists, unsigned] = [&found.lists, &found.unsigned]
        .map(|lists| lists.iter().copied().cloned().collect::<Vec<_>>());
    let evidence = Evidence::new(move || {
        let newest = lists.last();
        let evidence = json!({
            "why": newest.is_none().then_some("no revocation list of the issuer is there"),
            "this_update": newest.map(|list| stamp(list.this_update)),
            "next_update": newest.and_then(|list| list.next_update).map(stamp),
            "not_signed_by_the_issuer": unsigned.iter().map(|list| digest(list)).collect::<Vec<_>>(),
        });
        let more = [
            ("lists", lists.iter().map(|list| listed(list)).collect()),
            ("entry", entry.map(Revoked::told).into()),
            ("entry_of_issuer", lost.map(Revoked::told).into()),
        ];
        with(evidence, more)
    });
    Check::new("signer.revocation", outcome, evidence)
}

/// What evidence tells of an entry.
#[derive(Clone, Copy)]
struct Revoked {
    since: OffsetDateTime,
    reason: Option<u8>,
}

impl Revoked {
    fn new(entry: &Entry) -> Self {
        Self { since: entry.date, reason: entry.reason }
    }

    fn told(self) -> Value {
        json!({ "since": stamp(self.since), "reason": self.reason })
    }
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
