//! Which bytes of which files are still missing, and the commands that fetch them in one batch
//! (ISO 7816-4 §11.2; ICAO 9303-10 §3.6.3).
//!
//! The chip is trusted with nothing: a file ends where its header or the chip ends it, and has a
//! budget. Whether the bytes are those that were signed is for passive authentication.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ReadError,
    block::{Block, Info},
};
use crate::{
    apdu::{Command, Response, StatusWord},
    files::{DgNumber, FileId, Files},
    lds::{com, sod},
    tlv::{self, Tag, TlvErrorKind},
};

/// The longest file that is read.
const LONGEST: usize = 256 * 1024;
/// The most commands of one batch.
const MOST_COMMANDS: usize = 160;
/// READ BINARY with even INS reaches offsets of 15 bits.
const EVEN_REACH: usize = 0x8000;
/// READ BINARY by short identifier reaches offsets of 8 bits.
const SHORT_REACH: usize = 0x100;
/// What tells the length of any file.
const HEADER: usize = 8;
/// What EF.ATR/INFO is asked for: more than any chip has to say.
const INFO: usize = 64;
/// How often one file may be refused before it is given up.
const MOST_REFUSALS: u8 = 20;
/// The data groups that are read where EF.SOD lists them: never fingers and irises (DG3, DG4), nor
/// those that nothing here has a use for.
const READ: [u8; 9] = [1, 2, 7, 11, 12, 13, 14, 15, 16];
/// Without these there is nothing to judge.
const ESSENTIAL: [FileId; 3] = [FileId::Sod, FileId::DG1, FileId::DG2];

/// What a command in a batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    SelectMaster,
    SelectApplication,
    SelectFile(FileId),
    Read { file: FileId, offset: usize, expected: usize, odd: bool },
}

/// A file on its way.
#[derive(Default)]
pub(super) struct Target {
    bytes: Vec<u8>,
    length: Option<usize>,
    refusals: u8,
    absent: bool,
    /// Selected by its identifier: the short one was refused.
    by_selection: bool,
    /// What the next command asks for, if not a whole block.
    ask: Option<usize>,
}

impl Target {
    fn is_done(&self) -> bool {
        self.absent || self.length.is_some_and(|length| self.bytes.len() >= length)
    }

    /// A file of which `bytes` were read before, in all `length` if that was known.
    fn kept(bytes: Vec<u8>, length: Option<usize>) -> Self {
        Self { bytes, length, ..Self::default() }
    }
}

/// The files that are wanted, the block size that chip and link bear, and the chip's current file.
pub(super) struct Plan {
    targets: BTreeMap<FileId, Target>,
    pub(super) block: Block,
    current: Option<FileId>,
    /// Whether EF.SOD and EF.COM say what else is wanted.
    follows_lists: bool,
    /// Whether the application must be selected again.
    outside: bool,
    /// Whether a file's header is asked for before anything else of it: the chip answers no command
    /// that reaches beyond the end.
    headers_first: bool,
}

impl Plan {
    /// Wants `files` of the application and what they list.
    pub(super) fn new(files: &[FileId], block: Block) -> Self {
        let targets = files.iter().map(|file| (*file, Target::default())).collect();
        Self {
            targets,
            block,
            current: None,
            follows_lists: true,
            outside: false,
            headers_first: false,
        }
    }

    /// Wants `files` and nothing else.
    pub(super) fn only(files: &[FileId], block: Block) -> Self {
        Self { follows_lists: false, ..Self::new(files, block) }
    }

    /// Wants `file`, which had so many bytes the last time, and nothing else.
    pub(super) fn once_more(file: FileId, length: usize, block: Block) -> Self {
        let mut plan = Self::only(&[file], block);
        plan.targets.insert(file, Target::kept(Vec::new(), Some(length)));
        plan
    }

    /// Wants what is missing of `kept`, and more of it where EF.SOD lists more.
    pub(super) fn go_on(&mut self, kept: BTreeMap<FileId, Target>) {
        for (file, target) in kept {
            self.targets.entry(file).or_insert(target);
        }
        self.follows_lists = true;
    }

    /// Drops what was read of `file`.
    pub(super) fn forget(&mut self, file: FileId) {
        self.targets.remove(&file);
    }

    /// Wants `files` too.
    pub(super) fn want(&mut self, files: &[FileId]) {
        for file in files {
            self.targets.entry(*file).or_default();
        }
        self.follows_lists = true;
    }

    /// Commands for what is missing; empty when nothing is.
    pub(super) fn commands(&mut self) -> Vec<(Command, Purpose)> {
        self.want_listed();
        let mut out = Vec::new();
        for file in self.order() {
            self.fetch(file, &mut out);
        }
        if self.outside && !out.is_empty() {
            out.insert(0, (super::select_application(), Purpose::SelectApplication));
        }
        out.truncate(MOST_COMMANDS);
        out
    }

    /// What the chip has open goes first if it would have to be selected again. The portrait, which
    /// is longest, goes last: so it is open when its rest is asked for, and a lost link costs least.
    fn order(&self) -> Vec<FileId> {
        let is_open = |file: &FileId, target: &Target| {
            self.current == Some(*file) && target.bytes.len() >= SHORT_REACH
        };
        let mut order: Vec<_> = self
            .targets
            .iter()
            .map(|(file, target)| (!is_open(file, target), *file == FileId::DG2, *file))
            .collect();
        order.sort();
        order.into_iter().map(|(_, _, file)| file).collect()
    }

    /// Commands for EF.ATR/INFO, which lies under the master file.
    pub(super) fn info_commands(&mut self) -> Vec<(Command, Purpose)> {
        let file = FileId::AtrInfo;
        self.targets.insert(file, Target::default());
        vec![
            (super::select_master(), Purpose::SelectMaster),
            (
                read(file, 0, INFO, false),
                Purpose::Read { file, offset: 0, expected: INFO, odd: false },
            ),
            (super::select_application(), Purpose::SelectApplication),
        ]
    }

    /// What EF.ATR/INFO says, once it was asked for.
    pub(super) fn info(&self) -> Option<Info> {
        let target = self.targets.get(&FileId::AtrInfo)?;
        Some(if target.absent { Info::NOTHING } else { Info::parse(&target.bytes) })
    }

    /// EF.SOD decides what exists. Until it is there EF.COM is a hint that saves a round; being
    /// unsigned it decides nothing.
    fn want_listed(&mut self) {
        if !self.follows_lists {
            return;
        }
        let listed = match self.complete(FileId::Sod) {
            Some(bytes) => signed_list(bytes),
            None => self
                .complete(FileId::Com)
                .and_then(|bytes| com::parse(bytes).ok())
                .map(|com| com.data_groups),
        };
        for number in listed.into_iter().flatten().filter(|number| READ.contains(&number.number()))
        {
            self.targets.entry(FileId::Dg(number)).or_default();
        }
    }

    /// The bytes of a file that was read whole.
    pub(super) fn complete(&self, file: FileId) -> Option<&[u8]> {
        self.targets.get(&file).filter(|t| t.is_done() && !t.absent).map(|t| t.bytes.as_slice())
    }

    fn fetch(&self, file: FileId, out: &mut Vec<(Command, Purpose)>) {
        let Some(target) = self.targets.get(&file).filter(|target| !target.is_done()) else {
            return;
        };
        let start = target.bytes.len();
        // A file whose length is not known yet: its first block tells.
        let first = if self.headers_first { HEADER } else { self.block.now() };
        let ask = target.ask.or(target.length.is_none().then_some(first));
        let asked = ask.map_or(usize::MAX, |ask| start.saturating_add(ask));
        let end = target.length.unwrap_or(usize::MAX).min(asked);
        let mut offset = start;
        let mut is_open = self.current == Some(file) && out.is_empty();
        while offset < end && out.len() < MOST_COMMANDS {
            let odd = offset >= EVEN_REACH;
            let most = if odd { without_header(self.block.now()) } else { self.block.now() };
            let expected = end.saturating_sub(offset).min(most).max(1);
            if !is_open && (target.by_selection || offset >= SHORT_REACH) {
                out.push((select(file), Purpose::SelectFile(file)));
                is_open = true;
            }
            let purpose = Purpose::Read { file, offset, expected, odd };
            out.push((read(file, offset, expected, is_open), purpose));
            is_open = true;
            offset = offset.saturating_add(expected);
            // No first block has shown yet what the chip bears: one command of a file, to find out.
            if self.headers_first && !self.block.is_proved() {
                break;
            }
        }
    }

    /// Takes the answers to the commands of a batch.
    pub(super) fn take_all(
        &mut self,
        sent: &[Purpose],
        replies: &[Response],
    ) -> Result<(), ReadError> {
        sent.iter().zip(replies).try_for_each(|(purpose, reply)| self.take(*purpose, reply))
    }

    fn take(&mut self, purpose: Purpose, reply: &Response) -> Result<(), ReadError> {
        match purpose {
            Purpose::SelectMaster => {
                self.current = None;
                self.outside = reply.status.is_ok();
                match self.outside {
                    true => Ok(()),
                    false => self.refused(FileId::AtrInfo, reply.status, None),
                }
            }
            Purpose::SelectApplication => {
                self.current = None;
                self.outside = false;
                super::open_application(reply.status)
            }
            Purpose::SelectFile(file) => {
                self.current = reply.status.is_ok().then_some(file);
                if self.current.is_none() { self.refused(file, reply.status, None) } else { Ok(()) }
            }
            Purpose::Read { file, offset, expected, odd } => {
                let ok = reply.status.is_ok() || reply.status == StatusWord::END_OF_FILE;
                match content(&reply.data, odd).filter(|data| ok && !data.is_empty()) {
                    Some(data) => self.received(file, offset, expected, (data, reply.status)),
                    None => {
                        // Chips differ in what is open after a command that they refused.
                        self.current = None;
                        self.refused(file, reply.status, Some((offset, expected)))
                    }
                }
            }
        }
    }

    fn received(
        &mut self,
        file: FileId,
        offset: usize,
        expected: usize,
        (data, status): (&[u8], StatusWord),
    ) -> Result<(), ReadError> {
        self.current = Some(file);
        let Some(target) = self.targets.get_mut(&file) else { return Ok(()) };
        // After a short answer the rest of the batch leaves a gap, and is asked for again.
        if offset != target.bytes.len() || target.is_done() {
            return Ok(());
        }
        (target.ask, target.refusals) = (None, 0);
        target.bytes.extend(data.iter().take(expected));
        self.block.answered(data.len());
        let is_short = data.len() < expected;
        // The chip ends the file, whatever the header says.
        let ended = is_short && status == StatusWord::END_OF_FILE;
        target.length = length_of(file, &target.bytes, target.length, ended);
        match target.length {
            Some(length) if length > LONGEST => Err(ReadError::TooLong { file, length }),
            Some(length) => {
                target.bytes.truncate(length);
                if is_short && target.bytes.len() < length {
                    self.block.shrink_to(data.len());
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A protected error. A file that is not reached is looked for by its identifier and then
    /// absent; for lengths that the chip does not bear the block shrinks; anything that repeats
    /// itself gives the file up.
    fn refused(
        &mut self,
        file: FileId,
        status: StatusWord,
        asked: Option<(usize, usize)>,
    ) -> Result<(), ReadError> {
        let Some(target) = self.targets.get_mut(&file).filter(|target| !target.is_done()) else {
            return Ok(());
        };
        target.refusals = target.refusals.saturating_add(1);
        if target.refusals >= MOST_REFUSALS || file == FileId::AtrInfo {
            return give_up(target, file, status);
        }
        let unreached = [0x69, 0x6A, 0x6D, 0x6E].contains(&(status.0 >> 8));
        match asked {
            _ if target.bytes.is_empty() && unreached => {
                let looked_for = std::mem::replace(&mut target.by_selection, true);
                if looked_for { give_up(target, file, status) } else { Ok(()) }
            }
            // What follows in the file was refused for what came before it.
            Some((offset, _)) if offset != target.bytes.len() => Ok(()),
            Some((_, expected)) => {
                self.wrong_length(file, status, expected);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// READ BINARY of `expected` bytes was refused for its length, as far as one can tell.
    fn wrong_length(&mut self, file: FileId, status: StatusWord, expected: usize) {
        let Some(target) = self.targets.get_mut(&file) else { return };
        let asked_for_it = target.ask.take().is_some();
        let exact = match status.0.to_be_bytes() {
            [0x6C, exact] if exact > 0 => Some(usize::from(exact)),
            _ => None,
        };
        let names_length = status.0 == 0x6B00 || exact.is_some();
        if let Some(exact) = exact {
            // More than that is there: it is the chip's limit, and no end of the file.
            let rest = target.length.map(|length| length.saturating_sub(target.bytes.len()));
            if rest.is_some_and(|rest| rest > exact) {
                self.block.shrink_to(exact);
            }
            target.ask = Some(exact);
            self.headers_first = true;
        } else if target.bytes.is_empty()
            && !asked_for_it
            && !self.headers_first
            && (names_length || !self.block.is_long())
        {
            self.headers_first = true;
        } else if names_length && !target.bytes.is_empty() && target.refusals > 2 {
            target.length = Some(target.bytes.len());
        } else {
            self.block.step_down(expected);
        }
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

    /// What was read, to go on with in another session.
    pub(super) fn keep(self) -> BTreeMap<FileId, Target> {
        let touched = self.targets.into_iter().filter(|(_, target)| !target.bytes.is_empty());
        touched.map(|(file, target)| (file, Target::kept(target.bytes, target.length))).collect()
    }
}

/// What was read whole in a session that is over, as [`Plan::keep`] gives it.
pub(super) fn keep_files(files: &Files) -> BTreeMap<FileId, Target> {
    let whole = |bytes: &[u8]| Target::kept(bytes.to_vec(), Some(bytes.len()));
    files.iter().map(|(file, bytes)| (file, whole(bytes))).collect()
}

/// The bytes of a file that was kept whole.
pub(super) fn kept_whole(kept: &BTreeMap<FileId, Target>, file: FileId) -> Option<&[u8]> {
    kept.get(&file).filter(|target| target.is_done()).map(|target| target.bytes.as_slice())
}

/// The data groups that EF.SOD lists.
fn signed_list(file: &[u8]) -> Option<BTreeSet<DgNumber>> {
    let signed = sod::parse(file).ok()?;
    let object = sod::SecurityObject::parse(&signed.content).ok()?;
    Some(object.hashes.into_keys().collect())
}

/// How long a file is: `known`, or what its header says, but no longer than the chip lets it be.
/// `None` while the header is not all there; a file without one ends where the chip ends it.
fn length_of(file: FileId, bytes: &[u8], known: Option<usize>, ended: bool) -> Option<usize> {
    let length = match (known, tlv::total_length(bytes)) {
        _ if file == FileId::AtrInfo => bytes.len(),
        (Some(length), _) | (None, Ok(length)) => length,
        (None, Err(error)) if error.kind == TlvErrorKind::Truncated && !ended => return None,
        (None, Err(_)) => bytes.len(),
    };
    Some(if ended { length.min(bytes.len()) } else { length })
}

/// Without a file that nothing can do without there is no reading; any other is absent.
fn give_up(target: &mut Target, file: FileId, status: StatusWord) -> Result<(), ReadError> {
    if ESSENTIAL.contains(&file) && status != StatusWord::NOT_FOUND {
        return Err(ReadError::File { file, status });
    }
    target.absent = true;
    Ok(())
}

/// SELECT of a file under the current directory.
fn select(file: FileId) -> Command {
    Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(file.identifier())
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
                .expecting(with_header(expected));
        }
    };
    command.expecting(expected)
}

/// The length of DO'53' with so many bytes of content, as odd INS answers.
fn with_header(content: usize) -> usize {
    let header = match content {
        0..0x80 => 2,
        0x80..0x100 => 3,
        _ => 4,
    };
    content.saturating_add(header)
}

/// The most content of DO'53' in so many bytes.
fn without_header(total: usize) -> usize {
    (2..=4)
        .map(|header| total.saturating_sub(header))
        .find(|content| with_header(*content) <= total)
        .unwrap_or(1)
}

/// The bytes of the file in an answer; odd INS wraps them in DO'53'.
fn content(data: &[u8], odd: bool) -> Option<&[u8]> {
    if odd { tlv::single(data, Tag(0x53)).ok().map(|object| object.value) } else { Some(data) }
}
