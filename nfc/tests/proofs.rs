//! How the proofs of a chip hang together: the chip authentication mapping with chip authentication,
//! chip authentication with active authentication, several keys, short lengths, and links that are
//! lost while a proof is under way.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "shared/turn.rs"]
mod turn;

use std::sync::Arc;

use fixtures::{chip::Chip, passport::Passport, portraits::Portraits, spec::Spec};
use nfc::{
    apdu::{Command, Response},
    check::{Check, Outcome, Reason},
    link::{Batch, Link, LinkError, until_lost},
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, ChipReading, Kept, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};
use turn::{Turn, turn};

const TODAY: Date = date!(2026 - 11 - 22);
const CHIP: &str = "chip_authentication";
const ACTIVE: &str = "active_authentication";
const CHIP_FAILED: Outcome = Outcome::Failed(Reason::ChipAuthenticationFailed);
const ACTIVE_FAILED: Outcome = Outcome::Failed(Reason::ActiveAuthenticationFailed);

/// The chip, and which commands the link loses before the chip sees them.
struct Losing<F> {
    chip: Chip,
    loses: F,
}

impl<F: FnMut(&Command) -> bool> Link for Losing<F> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        until_lost(batch, |command| {
            if (self.loses)(command) {
                return Err(LinkError::Lost);
            }
            Response::decode(&self.chip.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

/// The good passport with `changes`, and a small picture.
fn make(changes: &str) -> Passport {
    let text = format!(
        "base = 'good'\n{changes}\n[portrait]\nwho = 'obama'\nencoding = 'jpeg'\nwidth = 60\n\
         height = 80\nmax_bytes = 3000\n"
    );
    let spec = Spec::parse(&text).unwrap_or_else(|error| panic!("{error:?}: {text}"));
    Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap()
}

fn request(passport: &Passport, limits: Limits) -> ReadRequest {
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(&passport.trust.csca).unwrap();
    ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key()),
        trust: Arc::new(trust),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    }
}

/// Reads over a link that loses what `loses` says; the chip is laid down again after each loss. Also
/// how often that was.
fn read_over(
    passport: &Passport,
    limits: Limits,
    loses: impl FnMut(&Command) -> bool,
) -> (Result<ChipReading, ReadError>, usize) {
    let mut link = Losing { chip: Chip::new(passport), loses };
    let mut kept = Kept::default();
    for losses in 0..12 {
        link.chip.reset();
        match turn(reader::resume(request(passport, limits), kept), &mut link) {
            Ok(Turn::Read(reading)) => return (Ok(*reading), losses),
            Ok(Turn::Lost(stays)) => kept = stays,
            Err(error) => return (Err(error), losses),
        }
    }
    panic!("never read");
}

fn read(changes: &str, limits: Limits) -> ChipReading {
    let (reading, losses) = read_over(&make(changes), limits, |_| false);
    assert_eq!(losses, 0, "{changes}");
    reading.unwrap_or_else(|error| panic!("{changes}: {error:?}"))
}

fn find<'a>(reading: &'a ChipReading, id: &str) -> &'a Check {
    reading.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id}"))
}

fn outcomes(reading: &ChipReading) -> [Outcome; 2] {
    [CHIP, ACTIVE].map(|id| find(reading, id).outcome)
}

/// A fault on one command.
fn fault(on: &str, action: &str) -> String {
    format!("[[chip.faults]]\non = {{ {on} }}\ndo = {{ {action} }}\n")
}

const SIGNING: &str = "command = 'internal-authenticate'";
const CHOOSING: &str = "command = 'manage-security-environment', protocol = 'chip-authentication'";
const CAM: &str =
    "[access]\npace = [{ mapping = 'cam', group = 'brainpoolP256r1', cipher = 'aes-128' }]\n";

/// The mapping proves the key of EF.CardSecurity, chip authentication that of DG14, which EF.SOD
/// holds the hash of.
#[test]
fn after_the_chip_authentication_mapping_the_key_of_dg14_is_proved_too() {
    let reading = read(CAM, Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [Outcome::Passed; 2]);
    let evidence = &find(&reading, CHIP).evidence;
    assert_eq!(evidence["protocol"]["mapping"], "CAM");
    assert_eq!(evidence["DG14"]["outcome"], "passed");
    assert_eq!(evidence["DG14"]["evidence"]["old_keys"], "dead");
}

#[test]
fn a_key_of_dg14_that_is_not_proved_fails_the_chip_whatever_the_mapping_says() {
    let reading = read(&format!("{CAM}{}", fault(CHOOSING, "status = '6A88'")), Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [CHIP_FAILED, Outcome::Passed]);
    let evidence = &find(&reading, CHIP).evidence;
    assert_eq!(evidence["protocol"]["mapping"], "CAM");
    assert_eq!(evidence["DG14"]["outcome"], "failed");
    assert_eq!(evidence["DG14"]["evidence"]["found"]["status"], "6A88");
}

#[test]
fn the_mapping_stands_alone_where_dg14_has_no_key() {
    let reading = read(&format!("chip_authentication = false\n{CAM}"), Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [Outcome::Passed; 2]);
    assert_eq!(find(&reading, CHIP).evidence["DG14"]["outcome"], "not_performed");
}

/// A lone error ends the session, but not the reading: the keys of chip authentication are proved by
/// reading a file, and only active authentication fails.
#[test]
fn a_lone_error_to_active_authentication_fails_that_and_nothing_else() {
    for status in ["6A80", "6D00", "6F00", "6982"] {
        for keys in ["", "chip_authentication = false\n"] {
            let refuses = fault(SIGNING, &format!("plain_status = '{status}'"));
            let passport = make(&format!("{keys}{refuses}"));
            let (reading, _) = read_over(&passport, Limits::EXTENDED, |_| false);
            let reading = reading.unwrap_or_else(|error| panic!("{status}: {error:?}"));
            let missing = Outcome::NotPerformed(Some(Reason::ChipAuthenticationMissing));
            let chip = if keys.is_empty() { Outcome::Passed } else { missing };
            assert_eq!(outcomes(&reading), [chip, ACTIVE_FAILED], "{status} {keys}");
            let evidence = &find(&reading, ACTIVE).evidence;
            assert_eq!(
                (&evidence["status"], &evidence["protected"]),
                (&status.into(), &false.into())
            );
            assert_eq!(reading.aa_evidence, None);
            assert_eq!(reading.files.iter().count(), passport.files.len(), "{status} {keys}");
        }
    }
}

/// Opened again, a chip without the private key is found out, and active authentication is not to
/// blame.
#[test]
fn a_clone_that_answers_with_a_lone_error_fails_chip_authentication() {
    let reading = read("[deviation]\nkind = 'clone'", Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [CHIP_FAILED, Outcome::NotPerformed(None)]);
}

/// What was found before stands if the chip does not open once more.
#[test]
fn a_chip_that_does_not_open_again_leaves_what_was_found() {
    let refuses = fault(SIGNING, "plain_status = '6A80'");
    let locked = fault(
        "command = 'general-authenticate', protocol = 'pace', step = 4, nth = 2",
        "status = '6300'",
    );
    let reading = read(&format!("{refuses}{locked}"), Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [CHIP_FAILED, Outcome::NotPerformed(None)]);
    assert!(reading.files.data_groups().count() > 2);
}

/// The old keys are asked for by the last READ BINARY after chip authentication: of the protected
/// commands since GENERAL AUTHENTICATE, the second.
fn is_old_keys(seen: &mut Option<usize>, command: &Command) -> bool {
    if command.cla & 0x0C == 0 {
        *seen = None;
    } else if command.ins == 0x86 {
        *seen = Some(0);
    } else if let Some(count) = seen {
        *count += 1;
    }
    *seen == Some(2)
}

#[test]
fn a_lost_link_does_not_spare_the_old_keys_their_trial() {
    let both = fault(
        "command = 'general-authenticate', protocol = 'chip-authentication'",
        "both_keys = true",
    );
    for (changes, outcome) in [("", Outcome::Passed), (&both, CHIP_FAILED)] {
        for losses in 1..4 {
            let (mut seen, mut left) = (None, losses);
            let (reading, lost) = read_over(&make(changes), Limits::EXTENDED, |command| {
                let loses = is_old_keys(&mut seen, command) && left > 0;
                left -= usize::from(loses);
                loses
            });
            let reading = reading.unwrap();
            assert_eq!(lost, losses);
            assert_eq!(outcomes(&reading), [outcome, Outcome::Passed], "{changes} {losses}");
        }
    }
}

/// A chip that always falls silent there is read to the end, and its chip authentication stays open.
#[test]
fn old_keys_that_nobody_saw_dead_leave_chip_authentication_open() {
    let mut seen = None;
    let (reading, lost) =
        read_over(&make(""), Limits::EXTENDED, |command| is_old_keys(&mut seen, command));
    let reading = reading.unwrap();
    assert_eq!(lost, 4);
    assert_eq!(outcomes(&reading), [Outcome::NotPerformed(None), Outcome::Passed]);
    assert_eq!(find(&reading, CHIP).evidence["old_keys"], "not_tried");
}

/// Losses anywhere else do not count: a flaky link is taken up until the chip is proved.
#[test]
fn a_flaky_link_ends_in_a_proved_chip() {
    let mut signed = 0;
    let (reading, lost) = read_over(&make(""), Limits::EXTENDED, |command| {
        // The proof under the new keys gets lost eight times.
        let proves = command.cla & 0x0C == 0x0C && command.ins == 0x88;
        signed += usize::from(proves);
        proves && signed <= 8
    });
    assert_eq!(lost, 8);
    assert_eq!(outcomes(&reading.unwrap()), [Outcome::Passed; 2]);
}

/// A protected refusal of active authentication stops the batch; the old keys are tried after it.
#[test]
fn the_old_keys_are_tried_after_a_refusal_too() {
    let refuses = fault(SIGNING, "status = '6A80'");
    let both = fault(
        "command = 'general-authenticate', protocol = 'chip-authentication'",
        "both_keys = true",
    );
    let reading = read(&refuses, Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [Outcome::Passed, ACTIVE_FAILED]);
    assert_eq!(find(&reading, CHIP).evidence["old_keys"], "dead");
    let reading = read(&format!("{refuses}{both}"), Limits::EXTENDED);
    assert_eq!(outcomes(&reading), [CHIP_FAILED, ACTIVE_FAILED]);
}

const RSA: &str = "[active_authentication]\nkey = 'rsa-2048'\ndigest = 'sha256'\n";

/// 256 bytes of signature do not fit a short answer under secure messaging: in parts, or not at all
/// (ICAO 9303-11 §6.1.4, note).
#[test]
fn a_long_signature_over_short_lengths_comes_in_parts_or_leaves_the_question_open() {
    let open = Outcome::NotPerformed(Some(Reason::ActiveAuthenticationUnsupported));
    let parts = fault(SIGNING, "parts = 200");
    let short = "[chip]\nextended = false\n";
    let late = fault(&format!("{SIGNING}, nth = 1"), "status = '6700'");
    let broken = fault(&format!("{SIGNING}, nth = 1"), "plain_status = '6700'");
    for (changes, limits, outcome) in [
        (RSA.to_owned(), Limits::EXTENDED, Outcome::Passed),
        (RSA.to_owned(), Limits::SHORT, open),
        (format!("{RSA}{parts}"), Limits::SHORT, Outcome::Passed),
        (format!("{RSA}{short}"), Limits::EXTENDED, open),
        (format!("{RSA}{short}{parts}"), Limits::EXTENDED, Outcome::Passed),
        (format!("{RSA}{late}"), Limits::EXTENDED, open),
        (format!("{RSA}{late}{parts}"), Limits::EXTENDED, Outcome::Passed),
        (format!("{RSA}{broken}"), Limits::EXTENDED, open),
        (format!("{RSA}{broken}{parts}"), Limits::EXTENDED, Outcome::Passed),
    ] {
        for keys in [true, false] {
            let reading = read(
                &format!("chip_authentication = {keys}\n{changes}")
                    .replace("chip_authentication = true\n", ""),
                limits,
            );
            let missing = Outcome::NotPerformed(Some(Reason::ChipAuthenticationMissing));
            let chip = if keys { Outcome::Passed } else { missing };
            assert_eq!(outcomes(&reading), [chip, outcome], "{keys} {changes} {limits:?}");
            assert_eq!(reading.aa_evidence.is_some(), outcome == Outcome::Passed);
        }
    }
}

const LONG_KEY: &str = "active_authentication = false\n[chip_authentication]\n\
     keys = [{ group = 'modp-2048-256', cipher = 'aes-128', parameters = 'explicit' }]\n[chip]\n";

/// A key of 2048 bits does not fit a short command: in a chain if EF.ATR/INFO says that chains are
/// taken, else not at all (ICAO 9303-11 §9.3.2).
#[test]
fn long_keys_over_short_lengths_go_in_a_chain_if_the_chip_takes_chains() {
    let open = Outcome::NotPerformed(Some(Reason::ChipAuthenticationUnsupported));
    for (chip, limits, outcome) in [
        ("", Limits::EXTENDED, Outcome::Passed),
        ("", Limits::SHORT, open),
        ("command_chaining = true", Limits::SHORT, Outcome::Passed),
        ("command_chaining = true", Limits::EXTENDED, Outcome::Passed),
        ("command_chaining = true\nextended = false", Limits::EXTENDED, Outcome::Passed),
        ("command_chaining = true\ninfo_file = false", Limits::SHORT, open),
    ] {
        let reading = read(&format!("{LONG_KEY}{chip}"), limits);
        assert_eq!(find(&reading, CHIP).outcome, outcome, "{chip} {limits:?}");
    }
}

/// A link that is lost at every long command carries the key in a chain, or leaves it.
#[test]
fn a_link_lost_at_every_long_command_ends_in_short_ones() {
    let open = Outcome::NotPerformed(Some(Reason::ChipAuthenticationUnsupported));
    for (chip, outcome) in [("", open), ("command_chaining = true", Outcome::Passed)] {
        let passport = make(&format!("{LONG_KEY}{chip}"));
        let (reading, lost) = read_over(&passport, Limits::EXTENDED, Command::is_extended);
        assert_eq!(find(&reading.unwrap(), CHIP).outcome, outcome, "{chip}");
        assert_eq!(lost, 2, "{chip}");
    }
}

/// What the chip says of chains is asked for only where a key is that long.
#[test]
fn short_keys_cost_no_question_about_chains() {
    let asked = |changes: &str| {
        let mut asked = false;
        let (reading, _) = read_over(&make(changes), Limits::SHORT, |command| {
            // SELECT under secure messaging before any proof: the application, then the master file.
            asked |= command.cla == 0x0C && command.ins == 0xA4 && command.p1 == 0x00;
            false
        });
        reading.unwrap();
        asked
    };
    assert!(!asked(""));
    assert!(asked(LONG_KEY));
}

/// A reference that the chip does not know is no reason to stop where it has another.
#[test]
fn the_next_key_is_tried_where_one_is_refused() {
    let [aes, dh, des] = [
        "{ group = 'P-256', cipher = 'aes-128', parameters = 'named', key_id = 1 }",
        "{ group = 'modp-1024-160', cipher = 'aes-256', parameters = 'named', key_id = 2 }",
        "{ group = 'P-224', cipher = '3des', parameters = 'named', key_id = 3 }",
    ];
    let refused = |nth: usize| fault(&format!("{CHOOSING}, nth = {nth}"), "status = '6A88'");
    let keys = |keys: &[&str]| format!("[chip_authentication]\nkeys = [{}]\n", keys.join(","));
    let agreeing = "command = 'general-authenticate', protocol = 'chip-authentication', nth = 1";
    for (changes, used, before) in [
        (format!("{}{}", keys(&[aes, dh]), refused(1)), "02", 1),
        (format!("{}{}{}", keys(&[aes, dh, des]), refused(1), refused(2)), "03", 2),
        // Refused when it is used (ICAO 9303-11 §6.2.4.2, note).
        (format!("{}{}", keys(&[aes, dh]), fault(agreeing, "status = '6A88'")), "02", 1),
        // MSE:Set KAT is not known, MSE:Set AT is (ICAO 9303-11 §8.5, note 1).
        (format!("{}{}", keys(&[des]), refused(1)), "03", 1),
    ] {
        let reading = read(&changes, Limits::EXTENDED);
        assert_eq!(outcomes(&reading), [Outcome::Passed; 2], "{changes}");
        let evidence = &find(&reading, CHIP).evidence;
        assert_eq!(evidence["protocol"]["key_id"], used, "{changes}");
        let refused = evidence["refused"].as_array().unwrap();
        assert_eq!(refused.len(), before, "{changes}");
        assert_eq!(refused[0]["status"], "6A88");
    }
}

#[test]
fn a_chip_that_refuses_every_key_is_asked_four_times_at_most() {
    let keys: Vec<_> = (1..=9)
        .map(|id| {
            format!(
                "{{ group = 'P-256', cipher = 'aes-128', parameters = 'named', key_id = {id} }}"
            )
        })
        .collect();
    let changes = format!(
        "[chip_authentication]\nkeys = [{}]\n{}",
        keys.join(","),
        fault(CHOOSING, "status = '6A88'")
    );
    let mut tried = 0;
    let (reading, _) = read_over(&make(&changes), Limits::EXTENDED, |command| {
        tried += usize::from(command.cla == 0x0C && command.ins == 0x22);
        false
    });
    assert_eq!(outcomes(&reading.unwrap()), [CHIP_FAILED, Outcome::Passed]);
    assert_eq!(tried, 4);
}
