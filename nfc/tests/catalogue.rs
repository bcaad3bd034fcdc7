//! Every passport of the catalogue, read: what the reader finds at the chip is what its description
//! expects. What an enrolment makes of it (face, person, register) is tested elsewhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/turn.rs"]
mod turn;

use std::{collections::BTreeSet, sync::Arc};

use fixtures::{
    catalogue::{self, Entry},
    chip::Chip,
    passport::{Passport, Trust},
    portraits::Portraits,
};
use nfc::{
    apdu::Response,
    check::Outcome,
    link::{Batch, Link, LinkError, until_lost},
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, ChipReading, Kept, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};
use turn::{Turn, turn};

const TODAY: Date = date!(2026 - 11 - 22);
const PROOFS: [&str; 2] = ["chip_authentication", "active_authentication"];

/// The emulated chip in process; an empty reply is a chip that left the field.
struct InProcess(Chip);

impl Link for InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        until_lost(batch, |command| {
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

fn trust(of: &Trust) -> TrustStore {
    let mut trust = TrustStore::new(Domain::Qa);
    for anchor in &of.anchors {
        trust.add_der(anchor).unwrap();
    }
    for signer in &of.signers {
        trust.add_signer_der(signer).unwrap();
    }
    for list in &of.crls {
        trust.add_crl_der(list).unwrap();
    }
    let mut other = TrustStore::new(Domain::Production);
    for anchor in &of.elsewhere {
        other.add_der(anchor).unwrap();
    }
    trust.with_foreign(Arc::new(other))
}

fn request(passport: &Passport) -> ReadRequest {
    let trust = trust(&passport.trust);
    let key = mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key();
    ReadRequest {
        key: AccessKey::Mrz(key),
        trust: Arc::new(trust),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits: Limits::EXTENDED,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    }
}

/// How often a lost link is taken up again.
const STARTS: usize = 10;

/// Reads the chip, and goes on after a lost link, as a person does who lays the passport down again.
fn read(passport: &Passport) -> Result<ChipReading, ReadError> {
    let mut link = InProcess(Chip::new(passport));
    let mut kept = Kept::default();
    for _ in 0..STARTS {
        link.0.reset();
        match turn(reader::resume(request(passport), kept), &mut link)? {
            Turn::Read(reading) => return Ok(*reading),
            Turn::Lost(stays) => kept = stays,
        }
    }
    Err(LinkError::Lost.into())
}

/// The codes of what failed, or of what ended the reading, and why nothing proved the chip.
fn found(passport: &Passport) -> BTreeSet<&'static str> {
    match read(passport) {
        Err(error) => BTreeSet::from([error.reason().code()]),
        Ok(reading) => {
            let failed = reading.checks.iter().filter_map(|check| match check.outcome {
                Outcome::Failed(reason) => Some(reason.code()),
                _ => None,
            });
            let failed: BTreeSet<_> = failed.collect();
            if failed.is_empty() { unproved(&reading) } else { failed }
        }
    }
}

/// Why nothing proves the chip; a proof that it has no key for matters only if the other fails.
fn unproved(reading: &ChipReading) -> BTreeSet<&'static str> {
    let proofs = reading.checks.iter().filter(|check| PROOFS.contains(&check.id));
    let outcomes: Vec<Outcome> = proofs.map(|check| check.outcome).collect();
    let proved = outcomes.contains(&Outcome::Passed);
    let reasons = outcomes.into_iter().filter_map(|outcome| match outcome {
        Outcome::NotPerformed(Some(reason)) => Some(reason.code()),
        _ => None,
    });
    reasons.filter(|reason| !proved || !reason.ends_with(".missing")).collect()
}

/// What an enrolment finds beside the chip.
fn is_of_the_chip(reason: &str) -> bool {
    !["face.", "person.", "document.", "mrz.", "case."].iter().any(|area| reason.starts_with(area))
}

fn expected(entry: &Entry) -> BTreeSet<&str> {
    entry.expect.reasons.iter().map(String::as_str).filter(|r| is_of_the_chip(r)).collect()
}

/// Where the reader does not yet do what is right: the fixture, and why. One that does is to be
/// struck from this list.
const KNOWN: [(&str, &str); 0] = [];

#[test]
fn every_chip_is_read_as_its_description_expects() {
    let portraits = Portraits::drawn();
    let wrong: Vec<String> = catalogue::all()
        .unwrap()
        .iter()
        .filter_map(|entry| {
            let passport = Passport::make(&entry.spec, &portraits, TODAY).unwrap();
            let (found, expected) = (found(&passport), expected(entry));
            let known = KNOWN.iter().any(|(name, _)| *name == entry.name);
            (known == (found == expected))
                .then(|| format!("{}: expected {expected:?}, found {found:?}", entry.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
