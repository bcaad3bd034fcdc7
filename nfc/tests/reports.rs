//! What passive authentication says of fixture passports, to the byte: records are kept for years and
//! verified again, so that evidence may not change by accident.
//!
//! `reports/pinned.txt` has a fixture and the start of its report's SHA-256 on each line: one fixture
//! for each report that differs. Signatures of RSA-PSS are salted, so that what is trusted has other
//! hashes in each run; a report names it by its place in the trust that comes with the passport.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write, sync::Arc};

use fixtures::{
    catalogue,
    passport::{Passport, Trust},
    portraits::Portraits,
};
use nfc::{
    check::{Check, Outcome},
    files::{FileId, Files},
    passive::{self, Report},
    trust::{Domain, TrustStore},
};
use serde_json::{Value, json};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);
/// What a record of an enrolment keeps.
const KEPT: [FileId; 4] = [FileId::Sod, FileId::DG1, FileId::DG14, FileId::DG15];

#[test]
fn reports_say_what_they_said() {
    let portraits = Portraits::drawn();
    let mut wrong = String::new();
    for line in include_str!("reports/pinned.txt").lines() {
        let (name, pinned) = line.split_once(' ').unwrap();
        let spec = catalogue::find(name).unwrap().spec;
        let said = said(&Passport::make(&spec, &portraits, TODAY).unwrap());
        let hash = openssl::sha::sha256(said.as_bytes());
        let found = hex::encode(hash.first_chunk::<8>().unwrap());
        if found != pinned {
            writeln!(wrong, "{name} {found}\n{said}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The report on all files, and on those that a record keeps.
fn said(passport: &Passport) -> String {
    let trust = &passport.trust;
    let files: Files =
        passport.files.iter().map(|(n, b)| (n.parse().unwrap(), b.clone())).collect();
    let kept = KEPT.iter().filter_map(|id| Some((*id, files.get(*id)?.to_vec()))).collect();
    let store = store(trust);
    let reports = json!({
        "read": told(&passive::verify(&files, &store, TODAY), trust),
        "kept": told(&passive::verify_kept(&kept, &store, TODAY), trust),
    });
    let text = serde_json::to_string_pretty(&reports).unwrap();
    trusted(trust).fold(text, |text, (name, der)| {
        text.replace(&hex::encode(openssl::sha::sha256(der)), &name)
    })
}

fn store(trust: &Trust) -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    for anchor in &trust.anchors {
        store.add_der(anchor).unwrap();
    }
    for signer in &trust.signers {
        store.add_signer_der(signer).unwrap();
    }
    for list in &trust.crls {
        store.add_crl_der(list).unwrap();
    }
    let mut other = TrustStore::new(Domain::Production);
    for anchor in &trust.elsewhere {
        other.add_der(anchor).unwrap();
    }
    store.with_foreign(Arc::new(other))
}

/// Everything that is trusted, under names of its own.
fn trusted(trust: &Trust) -> impl Iterator<Item = (String, &Vec<u8>)> {
    let Trust { anchors, signers, crls, elsewhere, .. } = trust;
    let all = [("anchor", anchors), ("signer", signers), ("list", crls), ("stranger", elsewhere)];
    all.into_iter().flat_map(|(kind, items)| {
        items.iter().enumerate().map(move |(place, der)| (format!("{kind} {place}"), der))
    })
}

fn told(report: &Report, trust: &Trust) -> Value {
    let name = |der: &[u8]| {
        let found = trusted(trust).find(|(_, known)| known.as_slice() == der);
        found.map_or_else(|| "in the document".to_owned(), |(name, _)| name)
    };
    let verified = report.verified.as_ref().map(|lds| {
        let groups = (1..=16).filter(|n| lds.get(FileId::dg(*n).unwrap()).is_some());
        groups.collect::<Vec<u8>>()
    });
    let card_security = report.card_security.as_ref().map(
        |report| json!({ "checks": checks(&report.checks), "verified": report.verified.is_some() }),
    );
    let all = |items: &[Vec<u8>]| items.iter().map(|der| name(der)).collect::<Vec<_>>();
    json!({
        "checks": checks(&report.checks),
        "signer": report.signer(),
        "csca": report.csca(),
        "verified": verified,
        "card_security": card_security,
        "basis": {
            "signer": report.basis().signer.as_ref().map(|der| name(der)),
            "chain": all(&report.basis().chain),
            "revocation_lists": all(&report.basis().revocation_lists),
            "list_signers": all(&report.basis().list_signers),
        },
    })
}

fn checks(checks: &[Check]) -> Vec<Value> {
    let told = |check: &Check| {
        let (outcome, reason) = match check.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(reason) => ("failed", Some(reason)),
            Outcome::NotPerformed(reason) => ("not performed", reason),
        };
        json!({ "id": check.id, "outcome": outcome, "reason": reason, "evidence": check.evidence })
    };
    checks.iter().map(told).collect()
}
