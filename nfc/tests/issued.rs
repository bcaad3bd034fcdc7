//! Passive authentication of everything that an issuing state, or somebody in its name, signs: every
//! fixture about algorithms, certificates, EF.SOD and attacks, judged from its files alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::Arc};

use fixtures::{
    catalogue::{self, Entry},
    passport::{Passport, Trust},
    portraits::Portraits,
    spec::Verdict,
};
use nfc::{
    check::{Check, Outcome, Reason},
    files::Files,
    passive,
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);
const GROUPS: [&str; 5] = ["algorithms", "attacks", "certificates", "issuer", "sod"];

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

/// The codes of what failed.
fn failed(checks: &[Check]) -> BTreeSet<&'static str> {
    let failed = checks.iter().filter_map(|check| match check.outcome {
        Outcome::Failed(reason) => Some(reason.code()),
        _ => None,
    });
    failed.collect()
}

fn judged(passport: &Passport) -> Vec<Check> {
    let files: Files =
        passport.files.iter().map(|(n, b)| (n.parse().unwrap(), b.clone())).collect();
    passive::verify(&files, &store(&passport.trust), TODAY).checks
}

/// What passive authentication can find; the rest is the reader's and the enrolment's.
fn expected(entry: &Entry) -> BTreeSet<&str> {
    let areas = ["sod.", "dg.", "com.", "signer.", "csca.", "crl.", "chip.downgrade"];
    let ours = |reason: &&str| areas.iter().any(|area| reason.starts_with(area));
    entry.expect.reasons.iter().map(String::as_str).filter(ours).collect()
}

fn entries() -> Vec<Entry> {
    let all = catalogue::all().unwrap().into_iter();
    all.filter(|entry| GROUPS.contains(&entry.group.as_str())).collect()
}

#[test]
fn every_signature_is_judged_as_its_description_expects() {
    let portraits = Portraits::drawn();
    let wrong: Vec<String> = entries()
        .iter()
        .filter_map(|entry| {
            let passport = match Passport::make(&entry.spec, &portraits, TODAY) {
                Ok(passport) => passport,
                Err(error) => return Some(format!("{}: {error:?}", entry.name)),
            };
            let (found, expected) = (failed(&judged(&passport)), expected(entry));
            (found != expected)
                .then(|| format!("{}: expected {expected:?}, found {found:?}", entry.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// A list that is too old or absent leaves the question open; a stranger's says nothing.
#[test]
fn lists_count_for_what_they_are() {
    for (name, expected) in [
        ("crl-stale", Outcome::NotPerformed(Some(Reason::CrlStale))),
        ("crl-absent", Outcome::NotPerformed(None)),
        ("crl-of-a-stranger", Outcome::Passed),
    ] {
        let spec = catalogue::find(name).unwrap().spec;
        let checks = judged(&Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap());
        let revocation = checks.iter().find(|check| check.id == "signer.revocation").unwrap();
        assert_eq!(revocation.outcome, expected, "{name}");
    }
}

#[test]
fn no_attack_is_expected_to_succeed() {
    let attacks: Vec<_> = entries().into_iter().filter(|entry| entry.group == "attacks").collect();
    assert!(attacks.len() > 30, "{}", attacks.len());
    for attack in attacks {
        assert_eq!(attack.expect.verdict, Verdict::Refused, "{}", attack.name);
        assert!(!expected(&attack).is_empty(), "{} is seen at the chip only", attack.name);
    }
}
