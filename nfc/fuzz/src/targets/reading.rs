//! The whole reader against a chip that does anything: it ends, it never panics, it never takes
//! for genuine what the issuer did not sign, and no clone ever proves itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use nfc::{
    check::Outcome,
    files::FileId,
    link::{Link, Protocol, Step},
    reader::{self, AccessKey, AccessPolicy, ChipReading, Limits, ReadError, ReadRequest},
    trust::TrustStore,
};

use super::{
    Counted, Script, TODAY,
    chip::{Beyond, Chip, Nature},
    passport,
};

static TRUST: LazyLock<Arc<TrustStore>> = LazyLock::new(passport::trust);

/// Reads the chip that the script describes; an empty one describes an honest chip.
///
/// # Errors
/// [`ReadError`], as the reader gives it.
pub fn read(script: &Script<'_>) -> (Nature, Result<ChipReading, ReadError>) {
    let (nature, limits) = setting(script);
    let mut files = passport::files();
    if nature.bac_only {
        files.remove(&0x1C);
    }
    edit(script, &mut files);
    let mut chip = Chip::new(nature, files, script);
    let mut step = reader::start(request(limits));
    let mut losses = 0_u8;
    loop {
        step = match step {
            Step::Done(reading) => return (nature, Ok(reading)),
            Step::Transmit(batch, reading) => match chip.transmit(&batch) {
                Ok(replies) => match reading.step(replies) {
                    Ok(step) => step,
                    Err(error) => return (nature, Err(error)),
                },
                Err(_) if losses < MOST_LOSSES => {
                    losses += 1;
                    chip.reset();
                    reader::resume(request(limits), reading.link_lost(chip.came()))
                }
                Err(error) => return (nature, Err(error.into())),
            },
        };
    }
}

/// The most times that the chip leaves the field and comes back.
const MOST_LOSSES: u8 = 4;

fn request(limits: Limits) -> ReadRequest {
    ReadRequest {
        key: AccessKey::Mrz(passport::key()),
        trust: Arc::clone(&TRUST),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits,
        policy: AccessPolicy::default(),
        random: Box::new(Counted::default()),
    }
}

/// Two bytes: what the chip is, and what chip and link can carry.
fn setting(script: &Script<'_>) -> (Nature, Limits) {
    let (kind, sizes) = (script.byte(), script.byte());
    let beyond = match kind >> 3 & 3 {
        1 => Beyond::Refuses,
        2 => Beyond::Corrects,
        _ => Beyond::Short,
    };
    let block = match sizes & 7 {
        1 => 160,
        2 => 224,
        3 => 256,
        4 => 16,
        5 => 4096,
        _ => 65_536,
    };
    let limits = match sizes >> 3 & 3 {
        1 => Limits::EXTENDED,
        2 => Limits::for_block(usize::from(script.pair())),
        _ => Limits::SHORT,
    };
    let nature = Nature {
        clone: kind & 1 != 0,
        bac_only: kind & 2 != 0,
        warns_at_end: kind & 4 != 0,
        block,
        beyond,
    };
    (nature, limits)
}

/// The most files that are changed, and the longest they become.
const MOST_EDITS: u8 = 6;
const LONGEST: usize = 70_000;

/// Changes files before the reading starts.
fn edit(script: &Script<'_>, files: &mut BTreeMap<u8, Vec<u8>>) {
    for _ in 0..script.byte() % MOST_EDITS {
        let (sfi, how, at) = (script.byte() & 0x1F, script.byte(), usize::from(script.pair()));
        let file = files.entry(sfi).or_default();
        let at = at % file.len().saturating_add(1);
        match how % 5 {
            0 => file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= script.byte()),
            1 => file.truncate(at),
            2 => drop(file.splice(at..at, script.counted().iter().copied())),
            3 => *file = script.take(at.max(script.byte().into())).to_vec(),
            _ => file.resize(at.saturating_mul(script.byte().into()).min(LONGEST), 0),
        }
    }
}

/// The reader against the chip that `data` describes.
pub fn reader(data: &[u8]) {
    let (nature, result) = read(&Script::new(data));
    let reading = match result {
        Ok(reading) => reading,
        Err(error) => {
            let _ = error.reason();
            return;
        }
    };
    if let Some(lds) = &reading.report.verified {
        for (id, signed) in passport::FILES {
            if id.sfi() <= 16 {
                assert!(lds.get(id).is_none_or(|found| found == signed), "{id} was not signed so");
            }
        }
    }
    let passed = |id| {
        let mut checks = reading.checks.iter();
        checks.any(|check| check.id == id && check.outcome == Outcome::Passed)
    };
    let proved = passed("chip_authentication") || passed("active_authentication");
    assert!(!proved || reading.report.verified.is_some(), "proved by a key that nobody signed");
    assert!(!(proved && nature.clone), "a clone has proved itself");
    let promised =
        reading.report.verified.as_ref().is_some_and(|lds| lds.get(FileId::DG14).is_some());
    let hidden = promised && !reading.access.pace_offered;
    assert!(!(hidden && passed("chip.downgrade")), "hidden PACE went unseen");
}
