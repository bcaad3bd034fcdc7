//! The chip relay: the server reads the chip through a client that is no more than a pipe
//! (DESIGN §1, INTERFACES *Chip relay*, `docs/chip-relay.md`).
//!
//! The client is trusted with nothing. What it says is either a reply that the reading can use or
//! the end of the socket; it never ends the server, and never by itself the case.

mod session;
pub mod wire;

pub use session::{Close, run};
