//! Frames bound to a nonce, to each other and to their times.
//!
//! ```text
//! tag(-1) = HMAC-SHA-256(nonce, "indrul face challenge 1")
//! tag(i)  = HMAC-SHA-256(nonce, i ‖ at_ms(i) ‖ SHA-256(frame i) ‖ tag(i-1))      i, at_ms: 32 bits, big endian
//! ```
//!
//! (HMAC: RFC 2104.) A frame of another challenge, left out, put elsewhere, repeated or given another
//! time breaks the chain from there on. The client knows the nonce, so the chain says nothing of
//! where the frames came from: that they were filmed now, only their contents can show.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::limits::Limits;
use super::refusal::Refusal;
use super::script::Script;

const FIRST: &[u8] = b"indrul face challenge 1";

/// What one capture is bound to: drawn by the server, used once, for a short time.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Nonce([u8; 32]);

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

impl Nonce {
    /// From the server's randomness, or from where it was kept.
    pub fn new(bytes: [u8; 32]) -> Nonce {
        Nonce(bytes)
    }
}

/// A frame as it was uploaded.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// Its place, from 0.
    pub number: u32,
    /// When it was taken, in milliseconds since the start of the script.
    pub at_ms: u32,
    /// The picture's file.
    pub bytes: &'a [u8],
    /// What binds it to the frames before it.
    pub tag: [u8; 32],
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { number, at_ms, bytes, .. } = self;
        write!(f, "Frame {{ number: {number}, at_ms: {at_ms}, length: {} }}", bytes.len())
    }
}

/// The frames are of this challenge, whole, in order and in time. `arrived_ms` is the server's own
/// time from drawing the challenge to having the frames.
pub(super) fn check(
    nonce: &Nonce,
    script: &Script,
    frames: &[Frame<'_>],
    arrived_ms: u64,
    limits: &Limits,
) -> Result<(), Refusal> {
    counted(frames, limits)?;
    linked(nonce, frames)?;
    timed(script, frames, limits)?;
    arrived(script, arrived_ms, limits)?;
    distinct(frames)
}

fn counted(frames: &[Frame<'_>], limits: &Limits) -> Result<(), Refusal> {
    let [least, most] = limits.frames.map(|count| count as usize);
    match frames.len() {
        count if count < least => Err(Refusal::TooFewFrames),
        count if count > most => Err(Refusal::TooManyFrames),
        _ => Ok(()),
    }
}

fn linked(nonce: &Nonce, frames: &[Frame<'_>]) -> Result<(), Refusal> {
    let mut last = mac(nonce, &[FIRST]).finalize().into_bytes();
    for (frame, number) in frames.iter().zip(0..) {
        match frame.number {
            found if found > number => return Err(Refusal::FrameMissing { number }),
            found if found < number => return Err(Refusal::OutOfOrder { number }),
            _ => (),
        }
        let hash = Sha256::digest(frame.bytes);
        let own = mac(
            nonce,
            &[&number.to_be_bytes(), &frame.at_ms.to_be_bytes(), hash.as_slice(), last.as_slice()],
        );
        last = own.clone().finalize().into_bytes();
        own.verify_slice(&frame.tag).map_err(|_| Refusal::NotBound { number })?;
    }
    Ok(())
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn mac(nonce: &Nonce, parts: &[&[u8]]) -> Hmac<Sha256> {
    let Nonce(key) = nonce;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of 32 bytes");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn timed(script: &Script, frames: &[Frame<'_>], limits: &Limits) -> Result<(), Refusal> {
    let gap = limits.max_gap_ms;
    let mut last = 0;
    for (frame, number) in frames.iter().zip(0..) {
        if number > 0 && frame.at_ms <= last {
            return Err(Refusal::TimeGoesBack { number });
        }
        if frame.at_ms.saturating_sub(last) > gap {
            return Err(Refusal::Gap { number });
        }
        last = frame.at_ms;
    }
    let ends = script.duration_ms;
    let whole = last.saturating_add(gap) >= ends && last <= ends.saturating_add(gap);
    whole.then_some(()).ok_or(Refusal::NotTheWholeScript)
}

/// Nobody can have filmed a script sooner than it takes to play.
fn arrived(script: &Script, arrived_ms: u64, limits: &Limits) -> Result<(), Refusal> {
    let played = u64::from(script.duration_ms);
    if arrived_ms.saturating_add(u64::from(limits.max_gap_ms)) < played {
        return Err(Refusal::TooEarly);
    }
    let latest = played + u64::from(limits.max_delay_ms);
    (arrived_ms <= latest).then_some(()).ok_or(Refusal::Late)
}

fn distinct(frames: &[Frame<'_>]) -> Result<(), Refusal> {
    let mut hashes: Vec<_> = frames.iter().map(|frame| Sha256::digest(frame.bytes)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    (hashes.len() == frames.len()).then_some(()).ok_or(Refusal::Repeated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::limits::tests::LIMITS;

    const KEY: [u8; 32] = [7; 32];

    fn script() -> Script {
        Script::draw(&[1; 32], &LIMITS)
    }

    struct Taken {
        at_ms: u32,
        bytes: Vec<u8>,
        tag: [u8; 32],
    }

    /// A capture with its tags as docs/face-challenge.md says.
    fn taken(key: [u8; 32], pictures: impl Iterator<Item = (u32, Vec<u8>)>) -> Vec<Taken> {
        let nonce = Nonce::new(key);
        let mut last: [u8; 32] = mac(&nonce, &[FIRST]).finalize().into_bytes().into();
        let mut all = Vec::new();
        for ((at_ms, bytes), number) in pictures.zip(0u32..) {
            let hash = Sha256::digest(&bytes);
            let parts: [&[u8]; 4] =
                [&number.to_be_bytes(), &at_ms.to_be_bytes(), hash.as_slice(), &last];
            last = mac(&nonce, &parts).finalize().into_bytes().into();
            all.push(Taken { at_ms, bytes, tag: last });
        }
        all
    }

    fn pictures() -> impl Iterator<Item = (u32, Vec<u8>)> {
        let every = LIMITS.frame_every_ms;
        (0..=script().duration_ms / every).map(move |i| (i * every, i.to_be_bytes().to_vec()))
    }

    fn frames(taken: &[Taken]) -> Vec<Frame<'_>> {
        let numbered = taken.iter().zip(0..);
        numbered
            .map(|(Taken { at_ms, bytes, tag }, number)| Frame {
                number,
                at_ms: *at_ms,
                bytes,
                tag: *tag,
            })
            .collect()
    }

    fn checked(frames: &[Frame<'_>]) -> Result<(), Refusal> {
        let arrived_ms = u64::from(script().duration_ms) + 2000;
        check(&Nonce::new(KEY), &script(), frames, arrived_ms, &LIMITS)
    }

    #[test]
    fn the_hmac_is_that_of_the_standard() {
        // RFC 4231 §4.2 has a key of 20 bytes; HMAC fills keys up with zeros.
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let tag = mac(&Nonce::new(key), &[b"Hi ", b"There"]).finalize().into_bytes();
        assert_eq!(tag[..4], [0xb0, 0x34, 0x4c, 0x61]);
        assert_eq!(tag[28..], [0x2e, 0x32, 0xcf, 0xf7]);
    }

    #[test]
    fn a_whole_capture_holds() {
        let taken = taken(KEY, pictures());
        assert_eq!(checked(&frames(&taken)), Ok(()));
    }

    #[test]
    fn every_way_of_breaking_it_has_its_reason() {
        // proves D3
        let whole = taken(KEY, pictures());
        let broken = |change: &dyn Fn(&mut Vec<Frame<'_>>)| {
            let mut frames = frames(&whole);
            change(&mut frames);
            checked(&frames).unwrap_err()
        };
        assert_eq!(broken(&|f| f.truncate(3)), Refusal::TooFewFrames);
        assert_eq!(broken(&|f| f.truncate(0)), Refusal::TooFewFrames);
        assert_eq!(broken(&|f| *f = f.repeat(9)), Refusal::TooManyFrames);
        assert_eq!(
            broken(&|f| f.retain(|frame| frame.number != 5)),
            Refusal::FrameMissing { number: 5 }
        );
        assert_eq!(broken(&|f| f.swap(5, 6)), Refusal::FrameMissing { number: 5 });
        assert_eq!(broken(&|f| f.insert(5, f[4])), Refusal::OutOfOrder { number: 5 });
        assert_eq!(broken(&|f| f[9].bytes = b"other"), Refusal::NotBound { number: 9 });
        assert_eq!(broken(&|f| f[9].at_ms += 1), Refusal::NotBound { number: 9 });
        assert_eq!(broken(&|f| f[0].tag[0] ^= 1), Refusal::NotBound { number: 0 });
        assert_eq!(broken(&|f| f.truncate(f.len() - 6)), Refusal::NotTheWholeScript);
    }

    #[test]
    fn a_capture_of_another_challenge_is_not_bound_to_this_one() {
        let other = taken([8; 32], pictures());
        assert_eq!(checked(&frames(&other)), Err(Refusal::NotBound { number: 0 }));
    }

    #[test]
    fn times_go_on_without_gaps_and_frames_are_distinct() {
        let with = |change: &dyn Fn(u32, u32) -> u32| {
            let times = pictures().zip(0..).map(|((at, bytes), i)| (change(i, at), bytes));
            checked(&frames(&taken(KEY, times)))
        };
        assert_eq!(with(&|_, at| at), Ok(()));
        assert_eq!(
            with(&|i, at| if i == 9 { 0 } else { at }),
            Err(Refusal::TimeGoesBack { number: 9 })
        );
        assert_eq!(
            with(&|i, at| if i < 9 { at } else { at + 900 }),
            Err(Refusal::Gap { number: 9 })
        );
        assert_eq!(
            with(&|i, at| if i < 9 { at } else { u32::MAX }),
            Err(Refusal::Gap { number: 9 })
        );
        let same = pictures().map(|(at, _)| (at, b"one".to_vec()));
        assert_eq!(checked(&frames(&taken(KEY, same))), Err(Refusal::Repeated));
    }

    #[test]
    fn frames_arrive_neither_before_they_can_nor_late() {
        let taken = taken(KEY, pictures());
        let arriving = |ms| check(&Nonce::new(KEY), &script(), &frames(&taken), ms, &LIMITS);
        assert_eq!(arriving(0), Err(Refusal::TooEarly));
        assert_eq!(arriving(u64::from(script().duration_ms)), Ok(()));
        assert_eq!(arriving(120_000), Err(Refusal::Late));
    }
}
