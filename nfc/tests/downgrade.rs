//! A client between reader and chip that tries to make the reader content with less than the chip
//! offers, and a chip that opens without knowing the password (FIELD-NOTES, *Reader bugs*).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use fixtures::{catalogue, chip::Chip, passport::Passport, portraits::Portraits, spec::Spec};
use nfc::{
    apdu::{Command, Response, StatusWord},
    check::{Outcome, Reason},
    files::{FileId, Files},
    link::{self, Batch, Link, LinkError, one_by_one},
    passive,
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);

/// A chip behind a client that answers some commands itself.
struct Between<F> {
    chip: Chip,
    meddle: F,
}

impl<F: FnMut(&Command) -> Option<Response>> Link for Between<F> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| match (self.meddle)(command) {
            Some(reply) => Ok(reply),
            None => {
                let reply = self.chip.transmit(&command.encode());
                Response::decode(&reply).map_err(|_| LinkError::Lost)
            }
        })
    }
}

fn good() -> Passport {
    let spec = catalogue::find("good").unwrap().spec;
    Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap()
}

fn trust(passport: &Passport) -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&passport.trust.csca).unwrap();
    store
}

fn read(
    passport: &Passport,
    meddle: impl FnMut(&Command) -> Option<Response>,
) -> Result<ChipReading, ReadError> {
    let request = ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key()),
        trust: Arc::new(trust(passport)),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits: Limits::EXTENDED,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    };
    let mut link = Between { chip: Chip::new(passport), meddle };
    link::drive(reader::start(request), &mut link)
}

fn status(word: u16) -> Option<Response> {
    Some(Response::status(StatusWord(word)))
}

#[test]
fn a_session_broken_after_pace_does_not_go_on_with_less() {
    let mut broken = false;
    let result = read(&good(), |command| {
        let secured = command.cla & 0x0C == 0x0C;
        if secured && !broken {
            broken = true;
            return status(0x6988);
        }
        // From then on the client hides EF.CardAccess, by short identifier and by SELECT.
        let hidden = command.ins == 0xB0 || command.data == [0x01, 0x1C];
        (broken && !secured && hidden).then(|| status(0x6A82)).flatten()
    });
    assert_eq!(result.map(drop).unwrap_err().reason(), Reason::Downgrade);
}

#[test]
fn a_card_access_without_the_signed_pace_is_a_downgrade() {
    let passport = good();
    let mut files: Files =
        passport.files.iter().map(|(name, b)| (name.parse().unwrap(), b.clone())).collect();
    files.insert(FileId::CardAccess, vec![0x31, 0x00]);
    let report = passive::verify(&files, &trust(&passport), TODAY);
    let check = report.checks.iter().find(|check| check.id == "chip.downgrade").unwrap();
    assert_eq!(check.outcome, Outcome::Failed(Reason::Downgrade));
}

/// A signed DG14 that names no PACE at all contradicts no offer of EF.CardAccess: a remark. One that
/// names another variant does.
#[test]
fn an_offer_that_nobody_signed_is_a_remark_and_a_contradicted_one_a_downgrade() {
    let unsigned = "{ group = 'P-256', cipher = 'aes-128', listed = 'card-access' }";
    let other = "{ group = 'P-384', cipher = 'aes-128', listed = 'dg14' }";
    for (pace, outcome, found) in [
        (unsigned.to_owned(), Outcome::Passed, "unsigned"),
        (format!("{unsigned}, {other}"), Outcome::Failed(Reason::Downgrade), "not_in_dg14"),
    ] {
        let spec = Spec::parse(&format!("base = 'good'\n[access]\npace = [{pace}]")).unwrap();
        let passport = Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap();
        let reading = read(&passport, |_| None).unwrap();
        let check = reading.checks.iter().find(|check| check.id == "chip.downgrade").unwrap();
        assert_eq!(check.outcome, outcome, "{:?}", check.evidence);
        assert_eq!(check.evidence["EF.CardAccess"], found);
        assert_eq!(reading.access.protocol, "PACE");
    }
}

/// An empty nonce would map every password to the same generator.
#[test]
fn an_empty_nonce_ends_pace() {
    let mut asked = false;
    let result = read(&good(), |command| {
        let first = command.ins == 0x86 && !std::mem::replace(&mut asked, true);
        first.then(|| Response::new([0x7C, 0x02, 0x80, 0x00], StatusWord::OK))
    });
    assert_eq!(result.map(drop).unwrap_err().reason(), Reason::Protocol);
}
