//! The master key and the key for keyed hashes.
//!
//! `master.key` is one line: `plain HEX`; `scrypt SALT HEX` where a passphrase seals it (RFC 7914);
//! or `token HEX` where a key seals it that never leaves the PKCS#11 token.

use super::files::{read, write_new};
use super::{KeyError, Protection, Token};
use crate::clock::{Entropy, random};
use crate::config::Secret;
use crate::seal::{Key, Place, SealError};
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// The file of the master key.
pub(super) const CURRENT: &str = "master.key";
/// The file of the one it replaces, while that is so.
pub(super) const BEFORE: &str = "master-before.key";
const HASHING: &str = "hash.key";

const MASTER: Place<'_> = Place { table: "keys", row: "master", column: "key" };
const HASH: Place<'_> = Place { table: "keys", row: "hash", column: "key" };

/// What seals everything that is kept. During a rotation it opens what either key has sealed.
pub struct Master {
    current: Key,
    before: Option<Key>,
    hashing: Key,
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Master(…)")
    }
}

impl Master {
    /// Opens the keys in `dir`, or makes them.
    pub(super) fn load(
        dir: &Path,
        protection: &Protection,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        // Whoever lists keys has made these: others would open nothing and find nobody again.
        let listed = dir.join(super::ledger::NAME).exists();
        let path = dir.join(CURRENT);
        let (current, is_new) = match read(&path)? {
            Some(text) => (parse(&text, protection, &path)?, false),
            None if listed => return Err(KeyError::Malformed { path }),
            None => (make(&path, protection, entropy)?, true),
        };
        let path = dir.join(BEFORE);
        let before = read(&path)?.map(|text| parse(&text, protection, &path)).transpose()?;
        let path = dir.join(HASHING);
        let hashing = match read(&path)? {
            Some(text) => open_hashing(&text, &current, before.as_ref(), &path)?,
            None if listed => return Err(KeyError::Malformed { path }),
            None => {
                // Before there was such a key, the master key itself was it.
                let key = if is_new { Key::generate(entropy)? } else { current.copied() };
                write_new(&path, sealed_hashing(&key, &current, entropy)?.as_bytes())?;
                key
            }
        };
        Ok(Self { current, before, hashing })
    }

    /// Seals `plain` for `place`. A table with values that this has sealed is one of
    /// `storage::rewrap`.
    ///
    /// # Errors
    /// [`SealError`] if the cipher or the random source fails.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.current.seal(entropy, place, plain)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`SealError::Open`] for another key or place or changed bytes, [`SealError::Short`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        match (self.current.open(place, sealed), &self.before) {
            (Err(SealError::Open), Some(before)) => before.open(place, sealed),
            (opened, _) => opened,
        }
    }

    /// The same value sealed under the master key, if it is sealed under the one before.
    ///
    /// # Errors
    /// [`SealError::Open`] if neither has sealed it for `place`.
    pub fn rewrap(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, SealError> {
        match (self.current.open(place, sealed), &self.before) {
            (Ok(_), _) => Ok(None),
            (Err(SealError::Open), Some(before)) => {
                let plain = before.open(place, sealed)?;
                self.current.seal(entropy, place, &plain).map(Some)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// HMAC-SHA-256 of `data` for one purpose: finds equal values without keeping them.
    ///
    /// # Errors
    /// [`SealError::Cipher`] if the library fails.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> Result<[u8; 32], SealError> {
        self.hashing.keyed_hash(purpose, data)
    }

    /// Seals the hashing key under the master key of now, if it is not.
    pub(super) fn rewrap_hashing(&self, dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
        let text = sealed_hashing(&self.hashing, &self.current, entropy)?;
        super::files::replace(&dir.join(HASHING), text.as_bytes())
    }

    /// Whether both keys are the same: a rotation that was cut off before the new one was written.
    pub(super) fn is_unchanged(&self) -> bool {
        let same = |before: &Key| openssl::memcmp::eq(before.expose(), self.current.expose());
        self.before.as_ref().is_some_and(same)
    }
}

fn open_hashing(
    text: &str,
    current: &Key,
    before: Option<&Key>,
    path: &Path,
) -> Result<Key, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let sealed = hex::decode(text.trim()).map_err(|_| malformed())?;
    let plain = match (current.open(HASH, &sealed), before) {
        (Err(SealError::Open), Some(before)) => before.open(HASH, &sealed)?,
        (opened, _) => opened?,
    };
    Key::from_slice(&plain).ok_or_else(malformed)
}

fn sealed_hashing(key: &Key, under: &Key, entropy: &dyn Entropy) -> Result<String, KeyError> {
    Ok(format!("{}\n", hex::encode(under.seal(entropy, HASH, key.expose())?)))
}

/// A new master key in a file that must not be there yet.
fn make(path: &Path, protection: &Protection, entropy: &dyn Entropy) -> Result<Key, KeyError> {
    let key = Key::generate(entropy)?;
    write_new(path, format(&key, protection, entropy)?.as_bytes())?;
    Ok(key)
}

/// A new master key as its file has it.
pub(super) fn fresh(
    protection: &Protection,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<String>, KeyError> {
    format(&Key::generate(entropy)?, protection, entropy)
}

fn format(
    key: &Key,
    protection: &Protection,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<String>, KeyError> {
    if let Some(token) = &protection.token {
        let sealed = token.seal(entropy, MASTER, key.expose())?;
        return Ok(Zeroizing::new(format!("token {}\n", hex::encode(sealed))));
    }
    let Some(passphrase) = &protection.passphrase else {
        return Ok(Zeroizing::new(format!("plain {}\n", hex::encode(key.expose()))));
    };
    let salt: [u8; 16] = random(entropy)?;
    let sealed = derive(passphrase, &salt)?.seal(entropy, MASTER, key.expose())?;
    Ok(Zeroizing::new(format!("scrypt {} {}\n", hex::encode(salt), hex::encode(sealed))))
}

fn parse(text: &str, protection: &Protection, path: &Path) -> Result<Key, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let decode = |text: &str| hex::decode(text).map(Zeroizing::new).map_err(|_| malformed());
    let words: Vec<&str> = text.split_whitespace().collect();
    let bytes = match words.as_slice() {
        ["plain", key] => decode(key)?,
        ["scrypt", salt, sealed] => {
            let passphrase = protection.passphrase.as_ref().ok_or(KeyError::PassphraseMissing)?;
            derive(passphrase, &decode(salt)?)?.open(MASTER, &decode(sealed)?)?
        }
        ["token", sealed] => {
            let token: &Token = protection.token.as_ref().ok_or(KeyError::TokenMissing)?;
            token.open_sealed(MASTER, &decode(sealed)?)?
        }
        _ => return Err(malformed()),
    };
    Key::from_slice(&bytes).ok_or_else(malformed)
}

/// scrypt with N 2^15, r 8, p 1 (RFC 7914 §2).
fn derive(passphrase: &Secret, salt: &[u8]) -> Result<Key, KeyError> {
    let mut out = Zeroizing::new([0_u8; 32]);
    let (n, r, p, memory) = (1 << 15, 8, 1, 64 * 1024 * 1024);
    openssl::pkcs5::scrypt(
        passphrase.expose().as_bytes(),
        salt,
        n,
        r,
        p,
        memory,
        out.as_mut_slice(),
    )?;
    Key::from_slice(out.as_slice()).ok_or(KeyError::PassphraseMissing)
}
