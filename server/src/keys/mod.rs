//! The server's keys: a master key that seals everything else, a key for keyed hashes, and the P-256
//! keys that sign identities (DESIGN §7, REQUIREMENTS H5).
//!
//! In the folder `keys/`, each file readable by its owner only:
//!
//! - `master.key` is the master key (`master`); during its rotation `master-before.key` is the one it
//!   replaces.
//! - `hash.key` is the key for keyed hashes, sealed under the master key. It outlives every master
//!   key: what it has hashed cannot be hashed again. A person's number is kept as long as their identity
//!   may be used, and no longer; that of a document is not kept at all.
//! - `signing.json` lists the signing keys (`ledger`); `signing-N.key` holds one that is kept here,
//!   sealed under the master key. Where a PKCS#11 token is configured, new signing keys are made in it
//!   and never leave it, and a new master key is wrapped by it.

mod files;
mod ledger;
mod master;
mod rotate;
mod signing;
mod token;

pub use ledger::{Held, Line};
pub use master::Master;
pub use rotate::{Rotated, begin_master_rotation, end_master_rotation, rotate_signing};
pub use token::{Token, TokenError};

use crate::clock::{Clock, Entropy, EntropyError, SystemClock};
use crate::config::Secret;
use crate::seal::SealError;
use enroll_core::identity::Signer;
use ledger::Ledger;
use openssl::error::ErrorStack;
use serde_json::{Value, json};
use signing::SigningKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use time::Duration;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file does not hold a key.
    #[error("{} does not hold a key", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The list of signing keys was changed by somebody else, or belongs to other keys.
    #[error("{} is not the list that was written with these keys", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// The master key is sealed and no passphrase is configured.
    #[error("the master key is sealed: set keys.passphrase or keys.passphrase_file")]
    PassphraseMissing,
    /// A key lies in a token and none is configured.
    #[error(
        "a key lies in a PKCS#11 token: set keys.token_module, keys.token_label and keys.token_pin"
    )]
    TokenMissing,
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A signing key does not fit its published half.
    #[error("signing key {number} does not fit its published half")]
    Mismatch {
        /// Its number.
        number: u32,
    },
    /// No signing key is in force.
    #[error("no signing key is in force")]
    NoSigningKey,
    /// The passphrase does not open the master key, or a key is not sealed under it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Crypto(#[from] ErrorStack),
}

/// What protects the keys at rest, and how long they are published.
#[derive(Debug, Default)]
pub struct Protection {
    /// Seals the master key, where no token does.
    pub passphrase: Option<Secret>,
    /// Makes and holds new keys.
    pub token: Option<Arc<Token>>,
    /// How long a signing key is published after its last signature; nothing for always.
    pub published: Option<Duration>,
}

/// The keys in use.
pub struct KeyRing {
    dir: PathBuf,
    protection: Protection,
    clock: Arc<dyn Clock>,
    master: Master,
    /// Ordered by number.
    signing: RwLock<Arc<Vec<SigningKey>>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} signing keys)", self.signing().len())
    }
}

impl KeyRing {
    /// Opens the keys in `dir`, kept in files alone, making on first start what is not there.
    ///
    /// # Errors
    /// As [`KeyRing::with`].
    pub fn open(
        dir: &Path,
        passphrase: Option<&Secret>,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        let passphrase = passphrase.map(|secret| Secret::from(secret.expose().to_owned()));
        let protection = Protection { passphrase, ..Protection::default() };
        Self::with(dir, protection, entropy, Arc::new(SystemClock))
    }

    /// Opens the keys in `dir` under `protection`, making on first start what is not there.
    ///
    /// # Errors
    /// [`KeyError`] if a file or the token cannot be used, or a key does not open.
    pub fn with(
        dir: &Path,
        protection: Protection,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| KeyError::File { path: dir.to_owned(), source })?;
        let master = Master::load(dir, &protection, entropy)?;
        let ledger = match Ledger::read(dir, &master)? {
            Some(ledger) => ledger,
            None => Ledger::found(dir, &master, &protection, entropy)?,
        };
        let signing = load(dir, &ledger, &master, &protection)?;
        let ring =
            Self { dir: dir.to_owned(), protection, clock, master, signing: RwLock::new(signing) };
        ring.with_signing_key(|_| ())?;
        Ok(ring)
    }

    /// The master key.
    #[must_use]
    pub fn master(&self) -> &Master {
        &self.master
    }

    /// The published keys as a JWK set (RFC 7517 §5): those that sign, will sign, or have signed what
    /// may still be shown.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let (keys, now) = (self.signing(), self.clock.now());
        let lines: Vec<&Line> = keys.iter().map(|key| &key.line).collect();
        let published = lines
            .iter()
            .filter(|line| ledger::is_published(line, &lines, now, self.protection.published));
        json!({ "keys": published.map(|line| line.jwk.published()).collect::<Vec<_>>() })
    }

    /// All signing keys, lowest number first, with the number of the one that signs now.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`].
    pub fn listed(&self) -> Result<(Vec<Line>, u32), KeyError> {
        let now = self.with_signing_key(|key| key.line.number)?;
        Ok((self.signing().iter().map(|key| key.line.clone()).collect(), now))
    }

    /// Takes in signing keys that were made since; on an error the ones in use stay.
    ///
    /// # Errors
    /// As [`KeyRing::with`].
    pub fn refresh(&self) -> Result<(), KeyError> {
        let Some(ledger) = Ledger::read(&self.dir, &self.master)? else { return Ok(()) };
        if ledger.keys.iter().eq(self.signing().iter().map(|key| &key.line)) {
            return Ok(());
        }
        let signing = load(&self.dir, &ledger, &self.master, &self.protection)?;
        *self.signing.write().unwrap_or_else(PoisonError::into_inner) = signing;
        Ok(())
    }

    fn signing(&self) -> Arc<Vec<SigningKey>> {
        self.signing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses the key that signs now: of those whose time has come, the one that began last.
    fn with_signing_key<T>(&self, work: impl FnOnce(&SigningKey) -> T) -> Result<T, KeyError> {
        let (keys, now) = (self.signing(), self.clock.now().unix_timestamp());
        let begun = keys.iter().filter(|key| key.line.from <= now && key.can_sign());
        begun
            .max_by_key(|key| (key.line.from, key.line.number))
            .map(work)
            .ok_or(KeyError::NoSigningKey)
    }
}

impl Signer for KeyRing {
    type Error = KeyError;

    /// A compact JWS, `ES256` (RFC 7515 §3.1, RFC 7518 §3.4).
    fn sign(&self, kind: &str, claims: &Value) -> Result<String, KeyError> {
        self.with_signing_key(|key| key.sign(kind, claims))?
    }
}

fn load(
    dir: &Path,
    ledger: &Ledger,
    master: &Master,
    protection: &Protection,
) -> Result<Arc<Vec<SigningKey>>, KeyError> {
    let keys = ledger.keys.iter();
    let loaded: Result<Vec<_>, _> =
        keys.map(|line| SigningKey::load(dir, line, master, protection.token.as_ref())).collect();
    Ok(Arc::new(loaded?))
}

/// Base64url without padding (RFC 4648 §5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// What [`base64url`] wrote, or `None` for any other text.
#[must_use]
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    let url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || !text.chars().all(url_safe) {
        return None;
    }
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    let standard = text.replace('-', "+").replace('_', "/") + &padding;
    openssl::base64::decode_block(&standard).ok()
}

#[cfg(test)]
mod tests;
