//! What a reading costs, counted and never timed, for the files on which other readers were
//! measured: they take 88 to 97 commands for access and files with short answers, 30 to 36 with
//! long ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use fixtures::{
    chip::Chip,
    figures::{Access, Measured},
};
use nfc::{
    apdu::Response,
    check::Outcome,
    link::{Batch, Link, LinkError, Traffic, drive, one_by_one},
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);

/// Access and files, and apart from them what proves the chip.
#[derive(Default)]
struct Ledger {
    reading: Traffic,
    proving: Traffic,
}

struct Counted {
    chip: Chip,
    ledger: Ledger,
}

impl Link for Counted {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        // Chip authentication comes with protected commands other than SELECT and READ BINARY.
        let proves =
            |c: &nfc::apdu::Command| c.cla & 0x0C == 0x0C && ![0xA4, 0xB0].contains(&c.ins);
        let traffic = match batch.commands.iter().any(proves) {
            true => &mut self.ledger.proving,
            false => &mut self.ledger.reading,
        };
        traffic.round_trips += 1;
        one_by_one(batch, |command| {
            let reply = self.chip.transmit(&command.encode());
            traffic.apdus += 1;
            traffic.bytes_sent += command.encode().len();
            traffic.bytes_received += reply.len();
            Response::decode(&reply).map_err(|_| LinkError::Lost)
        })
    }
}

/// Reads the measured passport; every check but the one that needs a revocation list passes.
fn count(access: Access, limits: Limits) -> Ledger {
    let passport = Measured::make(access, TODAY).unwrap();
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(&passport.csca).unwrap();
    let request = ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key()),
        trust: Arc::new(trust),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    };
    let mut link = Counted { chip: passport.chip(), ledger: Ledger::default() };
    let reading = drive::<_, ReadError>(reader::start(request), &mut link).unwrap();
    for check in reading.checks.iter().filter(|check| check.id != "signer.revocation") {
        assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
    }
    link.ledger
}

fn all(ledger: &Ledger) -> (usize, usize) {
    (
        ledger.reading.round_trips + ledger.proving.round_trips,
        ledger.reading.bytes_received + ledger.proving.bytes_received,
    )
}

/// 76 blocks of 223 bytes, which is the most that a short answer holds under AES; EF.CardAccess,
/// PACE in 5, SELECT. No fewer commands can do that.
#[test]
fn short_answers_take_83_commands_for_access_and_files() {
    let ledger = count(Access::Pace, Limits::SHORT);
    assert_eq!(ledger.reading.apdus, 83);
    // Chip authentication in 2, active authentication, and one under the old keys.
    assert_eq!(ledger.proving.apdus, 4);
    assert!(all(&ledger).0 <= 9, "{}", all(&ledger).0);
}

#[test]
fn long_answers_take_17_commands_for_everything() {
    let ledger = count(Access::Pace, Limits::EXTENDED);
    assert_eq!((ledger.reading.apdus, ledger.proving.apdus), (13, 4));
    let (round_trips, received) = all(&ledger);
    assert!(round_trips <= 9, "{round_trips}");
    assert!(received <= 17_100, "{received}");
    println!("{round_trips} round trips, {received} bytes received");
}

#[test]
fn basic_access_control_takes_7_round_trips_for_everything() {
    for limits in [Limits::SHORT, Limits::EXTENDED] {
        let round_trips = all(&count(Access::Bac, limits)).0;
        println!("extended {}: {round_trips} round trips", limits.extended);
        assert!(round_trips <= 7, "{limits:?}: {round_trips}");
    }
}
