//! From what the instruments measured to checks: pure functions, one file per part.
//!
//! What a chip says is used only once passive authentication has proved it; until then the checks
//! that need it are *not performed*.

pub mod document;
pub mod face;
pub mod page;
pub mod person;
