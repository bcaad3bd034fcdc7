//! How many bytes of a file one command asks for: the most that link and chip bear, found once and
//! kept to (ISO 7816-4 §12.7.1; ICAO 9303-10 §3.11.1).
//!
//! Chips bear less than extended length promises, and some less than a short answer holds. They
//! say so in as many ways as there are makers; what they said of themselves in EF.ATR/INFO is asked
//! for only after a long answer was refused.

use super::Limits;
use crate::{lds::atr_info, sm::SecureMessaging};

/// What READ BINARY asks for at most: the reach of even INS.
const LONGEST: usize = 0x7FFF;
/// A response of 256 bytes and the status: what short lengths carry.
const SHORT_RESPONSE: usize = 258;
/// The most that short form can ask for.
const SHORT_FORM: usize = 256;
/// Lengths at which chips are known to stop: of answers without status, or of what they hold.
const KNOWN: [usize; 8] = [48, 64, 96, 128, 160, 224, 256, 4096];
/// A block that any chip can answer.
const LEAST: usize = 8;

/// The file bytes that one command asks for, and what to ask for if that is refused.
pub(super) struct Block {
    now: usize,
    short: usize,
    /// The next smaller one stands last.
    smaller: Vec<usize>,
    /// What was refused, set when EF.ATR/INFO may tell what will not be.
    refused: Option<usize>,
    /// The longest answer that came.
    longest: usize,
}

/// What is known of the chip's limits, from one session to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// No long answers: the chip broke off at one.
    pub short_only: bool,
    /// The block that was found to be borne.
    pub block: Option<usize>,
    /// What EF.ATR/INFO says of long answers.
    pub announced: Announced,
    /// Whether EF.ATR/INFO says that chains of commands are taken.
    pub takes_chains: bool,
}

/// The longest answer in bytes, without status, that EF.ATR/INFO announces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Announced {
    /// Nobody asked.
    #[default]
    Unasked,
    /// The chip does not say.
    Nothing,
    /// So many.
    Response(usize),
}

impl Known {
    /// EF.ATR/INFO was read, or is not there.
    pub(super) fn learn(&mut self, info: Info) {
        (self.announced, self.takes_chains) = (info.announced, info.takes_chains);
    }

    /// The chip broke off under `block`, perhaps at its length.
    pub(super) fn broke_off(&mut self, mut block: Block, at_length: bool) {
        if block.is_long() {
            // What EF.ATR/INFO announced, if it did, was not so.
            let announced = self.announced != Announced::Unasked;
            self.announced = if announced { Announced::Nothing } else { Announced::Unasked };
            (self.short_only, self.block) = (true, None);
        } else if at_length {
            block.step_down(block.now());
            self.block = Some(block.now());
        }
    }
}

/// What EF.ATR/INFO says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Info {
    pub announced: Announced,
    pub takes_chains: bool,
}

impl Info {
    /// A chip that does not say.
    pub(super) const NOTHING: Self = Self { announced: Announced::Nothing, takes_chains: false };

    pub(super) fn parse(file: &[u8]) -> Self {
        let Ok(info) = atr_info::parse(file) else { return Self::NOTHING };
        let response = info.extended.and_then(|(_, response)| usize::try_from(response).ok());
        let announced = response.map_or(Announced::Nothing, Announced::Response);
        Self { announced, takes_chains: info.takes_chains() }
    }
}

impl Block {
    /// The most that `limits` and what is `known` of the chip allow in this session.
    pub(super) fn new(session: &SecureMessaging, limits: Limits, known: Known) -> Self {
        let short = session.capacity(limits.max_response.min(SHORT_RESPONSE)).max(1);
        let whole = session.capacity(limits.max_response).clamp(1, LONGEST);
        let announced = match known.announced {
            Announced::Response(response) => session.capacity(response.saturating_add(2)).max(1),
            _ => whole,
        };
        let most = match (limits.extended, known.short_only) {
            (false, _) => short,
            // What broke the session cannot be what the chip bears, whatever it announces.
            (true, true) if announced >= whole => short,
            (true, _) => announced.min(whole),
        };
        let now = known.block.map_or(most, |block| block.min(most)).max(1);
        let known = KNOWN.iter().map(|length| session.capacity(length.saturating_add(2)));
        let mut smaller: Vec<_> = known.chain(KNOWN.into_iter().filter(|l| *l <= most)).collect();
        smaller.retain(|block| {
            (LEAST..now).contains(block) && !(short + 1..=SHORT_FORM).contains(block)
        });
        smaller.sort_unstable();
        smaller.dedup();
        Self { now, short, smaller, refused: None, longest: 0 }
    }

    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// Whether answers longer than short ones are asked for.
    pub(super) fn is_long(&self) -> bool {
        self.now > self.short
    }

    /// An answer of so many bytes came.
    pub(super) fn answered(&mut self, bytes: usize) {
        self.longest = self.longest.max(bytes);
    }

    /// Whether a long answer ever came.
    pub(super) fn long_proved(&self) -> bool {
        self.longest > self.short
    }

    /// Whether an answer as long as the block came.
    pub(super) fn is_proved(&self) -> bool {
        self.longest >= self.now
    }

    /// The chip named what it bears.
    pub(super) fn shrink_to(&mut self, block: usize) {
        self.now = self.carried(self.now.min(block).max(1));
        self.smaller.retain(|smaller| *smaller < self.now);
    }

    /// The chip refused `length` bytes without saying how many it bears.
    pub(super) fn step_down(&mut self, length: usize) {
        let refused = length.min(self.now);
        if refused > self.short && self.refused.is_none() {
            self.refused = Some(refused);
        }
        self.smaller.retain(|smaller| *smaller < refused);
        let next = self.smaller.pop().unwrap_or((refused / 2).max(LEAST)).min(self.now);
        self.now = self.carried(next);
    }

    /// Up to 256 bytes are asked for in short form, and the answer carries fewer under protection.
    fn carried(&self, block: usize) -> usize {
        if block <= SHORT_FORM { block.min(self.short) } else { block }
    }

    /// Whether a long answer was refused.
    pub(super) fn refused_long(&self) -> bool {
        self.refused.is_some()
    }

    /// What EF.ATR/INFO announces counts if it is less than what was refused.
    pub(super) fn announced(&mut self, announced: Announced, session: &SecureMessaging) {
        let Announced::Response(response) = announced else { return };
        let block = session.capacity(response.saturating_add(2)).max(LEAST);
        if self.refused.is_some_and(|refused| block < refused) {
            self.now = self.carried(block);
            self.smaller.retain(|smaller| *smaller < block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Cipher, Secret};

    fn session() -> SecureMessaging {
        SecureMessaging::new(Cipher::Aes128, &Secret::new(vec![7; 32]), None).unwrap()
    }

    #[test]
    fn the_block_shrinks_step_by_step_and_never_to_nothing() {
        let mut block = Block::new(&session(), Limits::EXTENDED, Known::default());
        let mut seen = vec![block.now()];
        for _ in 0..24 {
            block.step_down(usize::MAX);
            seen.push(block.now());
        }
        assert_eq!(seen[..8], [32767, 4096, 4063, 223, 191, 160, 128, 127]);
        assert!(seen.is_sorted_by(|a, b| a >= b));
        assert_eq!(seen.last(), Some(&LEAST));
    }

    #[test]
    fn what_the_chip_announces_counts_after_a_refusal_only() {
        let session = session();
        let info = hex::decode("47039421407F6608020203E8020203E8").unwrap();
        let Info { announced, takes_chains } = Info::parse(&info);
        assert_eq!((announced, takes_chains), (Announced::Response(1000), false));
        let mut block = Block::new(&session, Limits::EXTENDED, Known::default());
        block.announced(announced, &session);
        assert_eq!(block.now(), 32767);
        block.step_down(32767);
        block.announced(announced, &session);
        assert_eq!(block.now(), 975);
        // The next session begins with it.
        let known = Known { announced, ..Known::default() };
        assert_eq!(Block::new(&session, Limits::EXTENDED, known).now(), 975);
        assert_eq!(Block::new(&session, Limits::SHORT, known).now(), 223);
    }

    #[test]
    fn nonsense_announces_nothing() {
        for info in ["", "47", "7F6600", "7F66020200", "470394214080", "7F6604020103"] {
            let parsed = Info::parse(&hex::decode(info).unwrap());
            assert_eq!(parsed, Info::NOTHING, "{info}");
        }
    }
}
