//! The functions that are fuzzed. Each takes any bytes; what must hold for all of them is asserted.
//!
//! Shared with the ordinary tests, which run the committed corpora through them.

pub mod chip;
pub mod codec;
pub mod fault;
pub mod files;
pub mod keys;
pub mod messaging;
pub mod passport;
pub mod reading;
pub mod session;
pub mod trust;

use std::cell::RefCell;

use nfc::random::{Random, RandomError};
use time::{Date, macros::date};

/// The day as of which documents are judged.
pub const TODAY: Date = date!(2027 - 01 - 01);

/// Bytes that no one could predict but we: a fuzzer must be able to repeat itself.
pub struct Counted(u8);

impl Default for Counted {
    fn default() -> Self {
        Self(0x42)
    }
}

impl Random for Counted {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_mul(5).wrapping_add(1);
        }
        Ok(())
    }
}

/// Takes bytes off the front of a script; zero once it has run out.
pub struct Script<'a>(RefCell<&'a [u8]>);

impl<'a> Script<'a> {
    /// All of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self(RefCell::new(data))
    }

    /// Whether it has run out.
    pub fn is_over(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The next byte.
    pub fn byte(&self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// The next two, big-endian.
    pub fn pair(&self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// The next `most` bytes, or what is left.
    pub fn take(&self, most: usize) -> &'a [u8] {
        let mut rest = self.0.borrow_mut();
        let (taken, left) = rest.split_at_checked(most).unwrap_or((*rest, &[]));
        *rest = left;
        taken
    }

    /// Bytes counted by the next one.
    pub fn counted(&self) -> &'a [u8] {
        self.take(self.byte().into())
    }
}
