//! Which bytes of which files are still missing, and the commands that fetch them in one batch
//! (ISO 7816-4 §11.2; ICAO 9303-10 §3.6.3).

use std::collections::{BTreeMap, BTreeSet};

use super::ReadError;
use crate::{
    apdu::{Command, Response, StatusWord},
    files::{DgNumber, FileId, Files},
    lds::{com, sod},
    tlv::{self, Tag},
};

/// The longest file that is read.
const LONGEST: usize = 256 * 1024;
/// The most commands of one batch.
const MOST_COMMANDS: usize = 160;
/// READ BINARY with even INS reaches offsets of 15 bits.
const EVEN_REACH: usize = 0x8000;
/// READ BINARY by short identifier reaches offsets of 8 bits.
const SHORT_REACH: usize = 0x100;
/// Tag and length of DO'53' in the answer to READ BINARY with odd INS.
const ODD_OVERHEAD: usize = 4;
/// How often one file may be refused before it is given up.
const MOST_REFUSALS: u8 = 6;

/// What a command in a batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    SelectApplication,
    SelectFile(FileId),
    Read { file: FileId, offset: usize, expected: usize, odd: bool },
}

/// A file on its way.
#[derive(Default)]
struct Target {
    bytes: Vec<u8>,
    length: Option<usize>,
    refusals: u8,
    absent: bool,
}

impl Target {
    fn is_done(&self) -> bool {
        self.absent || self.length.is_some_and(|length| self.bytes.len() >= length)
    }
}

/// The files that are wanted, the block size that chip and link bear, and the chip's current file.
pub(super) struct Plan {
    targets: BTreeMap<FileId, Target>,
    block: usize,
    smallest: usize,
    current: Option<FileId>,
}

impl Plan {
    /// Wants `files`, in blocks of at most `block` bytes; `smallest` is what every chip bears.
    pub(super) fn new(files: &[FileId], block: usize, smallest: usize) -> Self {
        let targets = files.iter().map(|file| (*file, Target::default())).collect();
        Self { targets, block, smallest, current: None }
    }

    /// Commands for what is missing; empty when nothing is.
    pub(super) fn commands(&mut self) -> Vec<(Command, Purpose)> {
        self.want_listed();
        let mut out = Vec::new();
        // What the chip has open goes first: it needs no selection.
        let open = self.current.filter(|file| self.targets.contains_key(file));
        let others = self.targets.keys().copied().filter(|file| Some(*file) != open);
        let order: Vec<FileId> = open.into_iter().chain(others).collect();
        for file in order {
            self.fetch(file, &mut out);
        }
        out.truncate(MOST_COMMANDS);
        out
    }

    /// Data groups 14 and 15 are wanted if EF.SOD lists them. EF.COM is a hint that saves a round;
    /// being unsigned it decides nothing.
    fn want_listed(&mut self) {
        let mut listed: BTreeSet<DgNumber> = BTreeSet::new();
        if let Some(bytes) = self.complete(FileId::Com) {
            listed.extend(com::parse(bytes).map(|com| com.data_groups).unwrap_or_default());
        }
        if let Some(bytes) = self.complete(FileId::Sod)
            && let Ok(signed) = sod::parse(bytes)
            && let Ok(object) = sod::SecurityObject::parse(&signed.content)
        {
            listed.extend(object.hashes.into_keys());
        }
        for file in listed.into_iter().map(FileId::Dg) {
            if [FileId::DG14, FileId::DG15].contains(&file) {
                self.targets.entry(file).or_default();
            }
        }
    }

    fn complete(&self, file: FileId) -> Option<&[u8]> {
        self.targets.get(&file).filter(|t| t.is_done() && !t.absent).map(|t| t.bytes.as_slice())
    }

    fn fetch(&self, file: FileId, out: &mut Vec<(Command, Purpose)>) {
        let Some(target) = self.targets.get(&file).filter(|target| !target.is_done()) else {
            return;
        };
        let start = target.bytes.len();
        // A file whose length is not known yet: its first block tells.
        let end = target.length.unwrap_or_else(|| start.saturating_add(self.block));
        let mut offset = start;
        let mut is_open = self.current == Some(file) && out.is_empty();
        while offset < end && out.len() < MOST_COMMANDS {
            let odd = offset >= EVEN_REACH;
            let most = if odd { self.block.saturating_sub(ODD_OVERHEAD) } else { self.block };
            let expected = end.saturating_sub(offset).min(most).max(1);
            if !is_open && offset >= SHORT_REACH {
                let select = Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(file.identifier());
                out.push((select, Purpose::SelectFile(file)));
                is_open = true;
            }
            let purpose = Purpose::Read { file, offset, expected, odd };
            out.push((read(file, offset, expected, is_open), purpose));
            is_open = true;
            offset = offset.saturating_add(expected);
        }
    }

    /// Takes the answer to one command of the batch.
    pub(super) fn take(&mut self, purpose: Purpose, reply: &Response) -> Result<(), ReadError> {
        match purpose {
            Purpose::SelectApplication => super::open_application(reply.status),
            Purpose::SelectFile(file) => {
                self.current = reply.status.is_ok().then_some(file);
                if self.current.is_none() { self.refused(file, reply.status) } else { Ok(()) }
            }
            Purpose::Read { file, offset, expected, odd } => {
                let ok = reply.status.is_ok() || reply.status == StatusWord::END_OF_FILE;
                let data = content(&reply.data, odd);
                match data.filter(|data| ok && !data.is_empty()) {
                    Some(data) => self.received(file, offset, expected, data),
                    None => self.refused(file, reply.status),
                }
            }
        }
    }

    fn received(
        &mut self,
        file: FileId,
        offset: usize,
        expected: usize,
        data: &[u8],
    ) -> Result<(), ReadError> {
        self.current = Some(file);
        let Some(target) = self.targets.get_mut(&file) else { return Ok(()) };
        // After a short answer the rest of the batch leaves a gap, and is asked for again.
        if offset != target.bytes.len() {
            return Ok(());
        }
        target.bytes.extend(data.iter().take(expected));
        // A file that does not start with a header ends where the chip ends it.
        let length = match target.length {
            Some(length) => length,
            None => tlv::total_length(&target.bytes).unwrap_or(target.bytes.len()),
        };
        if length > LONGEST {
            return Err(ReadError::TooLong { file, length });
        }
        target.length = Some(length);
        target.bytes.truncate(length);
        if data.len() < expected && target.bytes.len() < length {
            self.block = self.block.min(data.len());
        }
        Ok(())
    }

    /// A protected error. `6A82` means that there is no such file; for lengths that the chip does
    /// not bear the block shrinks; anything that repeats itself gives the file up.
    fn refused(&mut self, file: FileId, status: StatusWord) -> Result<(), ReadError> {
        let Some(target) = self.targets.get_mut(&file) else { return Ok(()) };
        target.refusals = target.refusals.saturating_add(1);
        let [high, low] = status.0.to_be_bytes();
        let untouched = target.bytes.is_empty();
        match (high, low) {
            (0x6A, 0x82 | 0x83 | 0x88) if untouched => target.absent = true,
            (0x6C, exact) if exact > 0 => self.block = self.block.min(usize::from(exact)),
            _ if self.block > self.smallest => self.block = self.smallest,
            _ => self.block = (self.block / 2).max(16),
        }
        if target.refusals < MOST_REFUSALS || target.absent {
            return Ok(());
        }
        Err(ReadError::File { file, status })
    }

    /// Bytes read and bytes known to be wanted.
    pub(super) fn counts(&self) -> (usize, usize) {
        let read = self.targets.values().map(|target| target.bytes.len()).sum();
        let known: usize = self.targets.values().filter_map(|target| target.length).sum();
        (read, known)
    }

    /// The files that were read whole.
    pub(super) fn finish(self, files: &mut Files) {
        for (file, target) in self.targets {
            if !target.absent && target.is_done() {
                files.insert(file, target.bytes);
            }
        }
    }
}

/// READ BINARY: by short identifier, at an offset of the open file, or with odd INS beyond.
fn read(file: FileId, offset: usize, expected: usize, is_open: bool) -> Command {
    let [.., upper, high, low] = offset.to_be_bytes();
    let command = match (is_open, offset >= EVEN_REACH) {
        (false, _) => Command::new(0x00, 0xB0, 0x80 | file.sfi(), low),
        (true, false) => Command::new(0x00, 0xB0, high, low),
        (true, true) => {
            let position = [upper, high, low];
            let position = position.strip_prefix(&[0]).unwrap_or(&position);
            let data = tlv::encode(Tag(0x54), position);
            return Command::new(0x00, 0xB1, 0x00, 0x00)
                .with_data(data)
                .expecting(expected.saturating_add(ODD_OVERHEAD));
        }
    };
    command.expecting(expected)
}

/// The bytes of the file in an answer; odd INS wraps them in DO'53'.
fn content(data: &[u8], odd: bool) -> Option<&[u8]> {
    if odd { tlv::single(data, Tag(0x53)).ok().map(|object| object.value) } else { Some(data) }
}
