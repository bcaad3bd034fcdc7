//! The commands that need the whole service: `serve`, `demo`, `kiosk`, `audit`, `evidence`.

pub mod audit;
pub mod demo;
pub mod evidence;
pub mod kiosk;
pub mod serve;
mod setup;

pub use setup::SetupError;
