//! Chips that bear less than extended length promises, chips that lose the link, files longer than
//! even instructions reach: each is read to the end, in the largest blocks that it bears.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use fixtures::{
    chip::Chip,
    passport::Passport,
    portraits::Portraits,
    spec::{Fault, Spec},
};
use nfc::link::Protocol;
use nfc::{
    apdu::{Command, Response},
    check::{Check, Outcome, Reason},
    files::FileId,
    link::{Batch, Counting, Link, LinkError, Step, Traffic, drive, until_lost},
    random::SystemRandom,
    reader::{
        self, AccessKey, AccessPolicy, ChipReading, Kept, Limits, ReadError, ReadPassport,
        ReadRequest,
    },
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);

/// The emulated chip in process, and what it was sent.
struct InProcess {
    chip: Chip,
    sent: Vec<Command>,
}

impl InProcess {
    fn new(chip: Chip) -> Self {
        Self { chip, sent: Vec::new() }
    }
}

impl Link for &mut InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        until_lost(batch, |command| {
            self.sent.push(command.clone());
            Response::decode(&self.chip.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

/// The good passport changed as told, made once each.
fn passport(change: &str) -> Passport {
    static MADE: LazyLock<Mutex<BTreeMap<String, Passport>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    let make = || {
        let spec = Spec::parse(&format!("base = 'good'\n{change}")).unwrap();
        Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap()
    };
    made.entry(change.to_owned()).or_insert_with(make).clone()
}

fn request(passport: &Passport, limits: Limits) -> ReadRequest {
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(&passport.trust.csca).unwrap();
    trust.add_crl_der(&passport.trust.crl).unwrap();
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

fn read(change: &str, limits: Limits) -> (ChipReading, Traffic) {
    let passport = passport(change);
    let mut link = InProcess::new(Chip::new(&passport));
    let mut counting = Counting::new(&mut link);
    let first = reader::start(request(&passport, limits));
    let reading = drive::<_, ReadError>(first, &mut counting);
    (reading.unwrap_or_else(|error| panic!("{change}: {error:?}")), counting.traffic())
}

fn all_passed(checks: &[Check], what: &str) {
    let not: Vec<_> = checks.iter().filter(|check| check.outcome != Outcome::Passed).collect();
    assert!(not.is_empty(), "{what}: {not:?}");
}

/// Commands for all files in blocks of so many bytes, and what goes round them: EF.CardAccess,
/// PACE in 5, SELECT, chip authentication in 2, active authentication, one under the old keys.
fn fewest(passport: &Passport, block: usize) -> usize {
    let files = passport.files.iter().filter(|(name, _)| *name != "EF.CardAccess");
    files.map(|(_, bytes)| bytes.len().div_ceil(block)).sum::<usize>() + 11
}

/// Block limits of 160, 224, 256, 4096 bytes and none, told in each way that chips are known to.
#[test]
fn the_largest_block_is_found_once_and_kept_to() {
    let mut met = 0;
    for block in [160, 224, 256, 4096] {
        for over in ["6700", "6C", "short"] {
            for end in ["6282", "9000", "6B00", "6C"] {
                if over == "6C" && block > 256 {
                    continue;
                }
                for limits in [Limits::SHORT, Limits::EXTENDED] {
                    let change = format!(
                        "[chip]\nblock = {block}\nover_block = '{over}'\nend_of_file = '{end}'"
                    );
                    let (reading, traffic) = read(&change, limits);
                    let what = format!("{block} {over} {end} {}", limits.extended);
                    all_passed(&reading.checks, &what);
                    // Up to 256 bytes are asked for in short form.
                    let largest =
                        if block > 256 && limits.extended { block } else { block.min(223) };
                    let fewest = fewest(&passport(&change), largest);
                    println!("{what}: {traffic:?}, fewest {fewest}");
                    // Each file's header once more, where the chip answers nothing beyond the end;
                    // what was refused on the way to the largest block; EF.ATR/INFO in 3.
                    assert!(traffic.apdus <= fewest + 24, "{what}: {traffic:?}, fewest {fewest}");
                    met += 1;
                }
            }
        }
    }
    assert_eq!(met, 88);
}

/// Answer to reset and EF.ATR/INFO claim extended length, and the chip calls it a wrong length.
#[test]
fn a_chip_that_claims_extended_length_and_fails_is_read_in_short_blocks() {
    for info in [true, false] {
        let change =
            format!("[chip]\nextended = false\nclaims_extended = true\ninfo_file = {info}");
        let (reading, traffic) = read(&change, Limits::EXTENDED);
        all_passed(&reading.checks, &change);
        assert_eq!(reading.access.protocol, "PACE");
        assert!(traffic.apdus <= fewest(&passport(&change), 223) + 24, "{traffic:?}");
    }
}

/// A file over 32 KiB is read on with odd instruction, in blocks of a short and of a long answer.
#[test]
fn files_beyond_the_reach_of_even_instructions_are_read() {
    let change = "[portrait]\nwidth = 900\nheight = 1200\nmax_bytes = 90000";
    let long = passport(change);
    assert!(long.files["DG2"].len() > 0x8000, "{}", long.files["DG2"].len());
    let limited = format!("{change}\n[chip]\nblock = 4096\nover_block = '6700'");
    for (change, limits) in
        [(change, Limits::SHORT), (change, Limits::EXTENDED), (&limited, Limits::EXTENDED)]
    {
        let passport = passport(change);
        let mut link = InProcess::new(Chip::new(&passport));
        let first = reader::start(request(&passport, limits));
        let reading = drive::<_, ReadError>(first, &mut &mut link).unwrap();
        all_passed(&reading.checks, change);
        assert_eq!(reading.files.get(FileId::DG2), Some(passport.files["DG2"].as_slice()));
        assert!(link.sent.iter().any(|command| command.ins == 0xB1), "{change} {limits:?}");
    }
}

/// Answers in parts are put together by the reader where the link does not.
#[test]
fn answers_in_parts_are_put_together() {
    let change = "[[chip.faults]]\non = { command = 'read-binary', protected = true }\n\
                  do = { parts = 100 }";
    let (reading, _) = read(change, Limits::SHORT);
    all_passed(&reading.checks, change);
}

/// The number of parts is bounded by the files' own length: a long file in short parts is read, and
/// bytes that dribble end the reading.
#[test]
fn a_long_file_in_parts_is_read_and_a_dribble_is_not() {
    let in_parts = |bytes: usize| {
        format!(
            "[portrait]\nwidth = 900\nheight = 1200\nmax_bytes = 90000\n[[chip.faults]]\n\
             on = {{ command = 'read-binary', protected = true }}\ndo = {{ parts = {bytes} }}"
        )
    };
    let (reading, traffic) = read(&in_parts(100), Limits::SHORT);
    all_passed(&reading.checks, "in parts of 100");
    assert!(reading.files.get(FileId::DG2).unwrap().len() > 0x8000);
    assert!(traffic.round_trips > 300, "{traffic:?}");
    let passport = passport(&in_parts(1));
    let mut link = InProcess::new(Chip::new(&passport));
    let first = reader::start(request(&passport, Limits::SHORT));
    let error = drive::<_, ReadError>(first, &mut &mut link).map(drop).unwrap_err();
    assert!(matches!(error, ReadError::Rounds { .. }), "{error:?}");
    assert!(link.sent.len() < 300, "{}", link.sent.len());
}

/// Runs until the link is lost, and what stays then.
fn run_until_lost(first: Step<ReadPassport, ChipReading>, link: &mut InProcess) -> Kept {
    let mut link = link;
    let mut step = first;
    loop {
        let Step::Transmit(batch, state) = step else { panic!("the link was not lost") };
        match (&mut link).transmit(&batch) {
            Ok(replies) => step = state.step(replies).unwrap(),
            Err(error) => return state.link_lost(error.into_replies().unwrap()),
        }
    }
}

fn reads(link: &InProcess) -> usize {
    link.sent.iter().filter(|command| matches!(command.ins, 0xB0 | 0xB1)).count()
}

/// Torn out at any command: opened again, EF.SOD read, and of the rest only what is missing.
#[test]
fn after_a_lost_link_only_what_is_missing_is_read() {
    let passport = passport("");
    let (_, whole) = read("", Limits::SHORT);
    let security_object = passport.files["EF.SOD"].len().div_ceil(223);
    for after in 0..whole.apdus {
        let torn = Chip::new(&passport).with_faults(vec![Fault::tear_after(after)]);
        let mut link = InProcess::new(torn);
        let kept = run_until_lost(reader::start(request(&passport, Limits::SHORT)), &mut link);
        link.chip.reset();
        let before = reads(&link);
        let again = reader::resume(request(&passport, Limits::SHORT), kept);
        let reading = drive::<_, ReadError>(again, &mut &mut link).unwrap();
        for check in &reading.checks {
            assert_eq!(check.outcome, Outcome::Passed, "after {after}: {check:?}");
        }
        for (id, bytes) in reading.files.iter() {
            assert_eq!(Some(bytes), passport.files.get(&id.to_string()).map(Vec::as_slice), "{id}");
        }
        // 7 commands of access and the first blocks of all files, then EF.SOD is whole, and from
        // then on nothing but EF.CardAccess and EF.SOD is read twice, and the command that was lost.
        if after > 7 + 6 + security_object {
            let fewest = fewest(&passport, 223) - 9;
            assert!(reads(&link) <= fewest + security_object + 2, "after {after}, {before} before");
        }
    }
}

/// Another passport after the loss, its EF.SOD as long or longer: nothing of the first one is kept.
#[test]
fn another_passport_after_a_lost_link_is_read_anew() {
    let first = passport("");
    for change in ["", "sod = { digest = 'sha512' }"] {
        let other = passport(&format!("seed = 'another document'\n{change}"));
        assert_ne!(first.files["EF.SOD"], other.files["EF.SOD"]);
        let longer = other.files["EF.SOD"].len() > first.files["EF.SOD"].len();
        assert_eq!(longer, !change.is_empty());
        let torn = Chip::new(&first).with_faults(vec![Fault::tear_after(60)]);
        let mut link = InProcess::new(torn);
        let kept = run_until_lost(reader::start(request(&first, Limits::SHORT)), &mut link);
        let mut link = InProcess::new(Chip::new(&other));
        let again = reader::resume(request(&other, Limits::SHORT), kept);
        let reading = drive::<_, ReadError>(again, &mut &mut link).unwrap();
        all_passed(&reading.checks, change);
        for (id, bytes) in reading.files.iter() {
            assert_eq!(Some(bytes), other.files.get(&id.to_string()).map(Vec::as_slice), "{id}");
        }
    }
}

/// A chip that was opened by PACE before the loss does not open by less after it.
#[test]
fn a_lost_link_is_no_way_to_less_than_pace() {
    let passport = passport("");
    let without = self::passport("[access]\npace = []");
    let torn = Chip::new(&passport).with_faults(vec![Fault::tear_after(30)]);
    let mut link = InProcess::new(torn);
    let kept = run_until_lost(reader::start(request(&passport, Limits::SHORT)), &mut link);
    let mut link = InProcess::new(Chip::new(&without));
    let again = reader::resume(request(&passport, Limits::SHORT), kept);
    let error = drive::<_, ReadError>(again, &mut &mut link).map(drop).unwrap_err();
    assert_eq!(error.reason(), Reason::Downgrade);
}

/// A chip that falls silent at every long answer is read in short ones from the third start on.
#[test]
fn a_chip_lost_at_every_long_answer_is_read_in_short_ones() {
    let passport = passport("");
    let mut kept = Kept::default();
    for start in 0..3 {
        let request = request(&passport, Limits::EXTENDED);
        let mut link = InProcess::new(Chip::new(&passport));
        let mut step = reader::resume(request, kept);
        loop {
            let (batch, state) = match step {
                Step::Done(reading) => return all_passed(&reading.checks, "short"),
                Step::Transmit(batch, state) => (batch, state),
            };
            let is_long = batch.commands.iter().any(Command::is_extended);
            assert!(!is_long || start < 2, "start {start}");
            if is_long {
                kept = state.link_lost(Vec::new());
                break;
            }
            step = state.step((&mut link).transmit(&batch).unwrap()).unwrap();
        }
    }
    panic!("never read");
}

/// The session must not go on under the keys that chip authentication replaced, nor under both.
#[test]
fn old_session_keys_must_be_dead_after_chip_authentication() {
    for fault in ["old_keys", "both_keys"] {
        let change = format!(
            "[[chip.faults]]\non = {{ command = 'general-authenticate', protocol = \
             'chip-authentication' }}\ndo = {{ {fault} = true }}"
        );
        let (reading, _) = read(&change, Limits::SHORT);
        let check = reading.checks.iter().find(|check| check.id == "chip_authentication").unwrap();
        let failed = Outcome::Failed(Reason::ChipAuthenticationFailed);
        assert_eq!(check.outcome, failed, "{fault}: {check:?}");
    }
}
