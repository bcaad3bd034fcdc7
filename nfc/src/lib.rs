//! The passport chip, as ICAO 9303-10 and -11 define it: access, secure messaging, files, passive,
//! chip and active authentication.
//!
//! Protocols do no I/O. A step takes the chip's replies and yields the next batch of commands or
//! the result; [`link::drive`] runs any of them over any [`link::Link`].

pub mod active_auth;
pub mod apdu;
pub mod bac;
mod ber;
pub mod check;
pub mod chip_auth;
pub mod cms;
pub mod crypto;
pub mod der;
pub mod evidence;
pub mod files;
pub mod lds;
pub mod link;
pub mod pace;
pub mod passive;
#[cfg(feature = "pcsc")]
pub mod pcsc;
pub mod random;
pub mod reader;
pub mod sm;
pub mod tlv;
pub mod transport;
pub mod trust;
