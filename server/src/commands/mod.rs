//! The commands that need the whole service: `serve`, `demo`, `kiosk`, `keys`,
//! `officer`, `relying-party`, `code-device`, `outbox`, `audit`, `evidence`.

pub mod audit;
pub mod backup;
mod bridge;
pub mod code_device;
pub mod demo;
pub mod evidence;
pub mod keys;
pub mod kiosk;
pub mod officer;
pub mod outbox;
pub mod relying_party;
mod rows;
pub mod serve;
mod setup;

pub use setup::SetupError;
