//! Randomness as a parameter (STYLE 29): protocols draw keys and nonces from what they are given.

use openssl::error::ErrorStack;

/// A source of random bytes. It must be unpredictable everywhere but in tests.
pub trait Random: Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] if the source has none to give.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of randomness failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RandomError {
    /// OpenSSL's generator failed.
    #[error("the random generator failed")]
    Generator(#[source] ErrorStack),
    /// A scripted source has run out.
    #[error("no random bytes are left")]
    Exhausted,
}

/// The operating system's generator, through OpenSSL.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        openssl::rand::rand_priv_bytes(bytes).map_err(RandomError::Generator)
    }
}
