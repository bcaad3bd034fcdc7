//! One thing that goes wrong with one answer, as the script has it.

use nfc::apdu::{Response, StatusWord};

use super::Script;

/// Before protection or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The chip's own answer.
    Inside,
    /// The answer on its way.
    Outside,
}

/// What goes wrong.
pub enum Fault<'a> {
    /// Nothing.
    None,
    /// The chip leaves the field.
    Lost,
    /// The answer goes unprotected.
    Plain,
    /// Another status.
    Status(Place, StatusWord),
    /// A byte is changed.
    Flip(Place, usize, u8),
    /// Bytes are missing at the end.
    Cut(Place, usize),
    /// Bytes follow.
    More(Place, &'a [u8]),
    /// Other bytes altogether.
    Other(Place, &'a [u8]),
    /// The bytes several times over.
    Repeat(Place, usize),
}

impl<'a> Fault<'a> {
    /// What the script wants next; nothing for most bytes, and once it has ended.
    pub fn next(script: &Script<'a>) -> Self {
        let kind = script.byte();
        let place = if kind & 1 == 0 { Place::Inside } else { Place::Outside };
        match kind {
            0xA0 => Self::Lost,
            0xA1 => Self::Plain,
            0xA2 | 0xA3 => Self::Status(place, StatusWord(script.pair())),
            0xA4 | 0xA5 => Self::Flip(place, script.pair().into(), script.byte()),
            0xA6 | 0xA7 => Self::Cut(place, script.pair().into()),
            0xA8 | 0xA9 => Self::More(place, script.counted()),
            0xAA | 0xAB => Self::Other(place, script.counted()),
            0xAC | 0xAD => Self::Repeat(place, script.byte().into()),
            0xAE => Self::Other(place, script.take(script.pair().into())),
            0xB0..=0xBF => Self::Status(place, COMMON[usize::from(kind & 0x0F)]),
            _ => Self::None,
        }
    }

    /// Spoils `reply` if this is the place.
    pub fn apply(&self, at: Place, reply: &mut Response) {
        match self {
            Self::Status(place, status) if *place == at => reply.status = *status,
            Self::Flip(place, offset, mask) if *place == at => {
                let offset = offset % reply.data.len().max(1);
                reply.data.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= mask);
            }
            Self::Cut(place, length) if *place == at => reply.data.truncate(*length),
            Self::More(place, bytes) if *place == at => reply.data.extend_from_slice(bytes),
            Self::Other(place, bytes) if *place == at => reply.data = bytes.to_vec(),
            Self::Repeat(place, times) if *place == at => reply.data = reply.data.repeat(*times),
            _ => {}
        }
    }
}

/// Statuses that a reader treats apart, each once inside and once outside.
const COMMON: [StatusWord; 16] = [
    StatusWord(0x6282),
    StatusWord(0x6982),
    StatusWord(0x6700),
    StatusWord(0x6988),
    StatusWord(0x6A82),
    StatusWord(0x6D00),
    StatusWord(0x6C10),
    StatusWord(0x6110),
    StatusWord(0x6B00),
    StatusWord(0x6300),
    StatusWord(0x63C1),
    StatusWord(0x6A80),
    StatusWord(0x9000),
    StatusWord(0x6987),
    StatusWord(0x6A88),
    StatusWord(0x6985),
];
