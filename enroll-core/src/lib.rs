//! What an enrolment found and what is decided of it.
//!
//! The instruments (`mrz`, `nfc`, `liveness`) measure; this crate turns what they measured into
//! [`check::Check`]s and the checks into a decision, keeps the case's state and the evidence that
//! anyone can verify again. It does no I/O and knows no HTTP and no SQL; time and randomness come
//! in as arguments.

pub mod activation;
pub mod audit;
pub mod canonical;
pub mod case;
pub mod check;
pub mod code_device;
pub mod codes;
pub mod decide;
pub mod device_key;
pub mod evidence;
pub mod findings;
pub mod identity;
pub mod life;
pub mod officer;
pub mod p_code;
pub mod password;
pub mod pick_up;
pub mod pin;
pub mod policy;
pub mod reason;
pub mod reference;
pub mod totp;
pub mod user_id;

pub use check::Check;
pub use decide::{Action, Decision, Findings, Level, Substantial, Verdict, decide};
pub use policy::Policy;
pub use reason::ReasonCode;
