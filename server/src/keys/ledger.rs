//! The list of signing keys, `signing.json`: where each is held, from when it signs, and its public
//! half. A keyed hash over it shows that nobody else wrote it: whoever could add a line would be
//! believed as a signer.

use super::files::{failed, read, replace};
use super::signing::{Jwk, make, of_file};
use super::{KeyError, Master, Protection};
use crate::clock::Entropy;
use enroll_core::canonical;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// The list's file.
pub(super) const NAME: &str = "signing.json";

/// One signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Counts up; never used twice.
    pub number: u32,
    /// Where its private half is.
    pub held: Held,
    /// From when it signs, seconds since 1970.
    pub from: i64,
    /// Its public half.
    pub jwk: Jwk,
}

/// Where the private half of a signing key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// In `signing-N.key`, sealed under the master key.
    File,
    /// In the PKCS#11 token, as `indrul-signing-N`.
    Token,
    /// Nowhere any more: it has signed its last.
    Destroyed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    /// Ordered by number.
    pub(super) keys: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    keys: Vec<Line>,
    mac: String,
}

impl Ledger {
    /// The list as it was written, or nothing if there is none.
    pub(super) fn read(dir: &Path, master: &Master) -> Result<Option<Self>, KeyError> {
        let path = dir.join(NAME);
        let Some(text) = read(&path)? else { return Ok(None) };
        let written: Written =
            serde_json::from_str(&text).map_err(|_| KeyError::Malformed { path: path.clone() })?;
        let ledger = Self { keys: written.keys };
        if openssl_eq(ledger.mac(master)?.as_bytes(), written.mac.as_bytes()) {
            Ok(Some(ledger))
        } else {
            Err(KeyError::Altered { path })
        }
    }

    /// The first list: of the key files that are there, or of a first key that is made for it.
    pub(super) fn found(
        dir: &Path,
        master: &Master,
        protection: &Protection,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (number, path) in key_files(dir)? {
            keys.push(Line { number, held: Held::File, from: 0, jwk: of_file(&path, master)? });
        }
        if keys.is_empty() {
            keys.push(make(dir, 1, 0, (master, protection, entropy))?);
        }
        let ledger = Self { keys };
        ledger.write(dir, master)?;
        Ok(ledger)
    }

    pub(super) fn write(&self, dir: &Path, master: &Master) -> Result<(), KeyError> {
        let value = json!({ "keys": self.keys, "mac": self.mac(master)? });
        replace(&dir.join(NAME), format!("{value:#}\n").as_bytes())
    }

    fn mac(&self, master: &Master) -> Result<String, KeyError> {
        let text = canonical::text(&json!(self.keys));
        Ok(hex::encode(master.keyed_hash("keys.signing", text.as_bytes())?))
    }
}

fn openssl_eq(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one, other)
}

/// Whether a key is in the JWK set at `now`: for `published` after the next key has taken over, and
/// always if nothing is said.
pub(super) fn is_published(
    line: &Line,
    all: &[&Line],
    now: OffsetDateTime,
    published: Option<Duration>,
) -> bool {
    let next = all.iter().filter(|other| (other.from, other.number) > (line.from, line.number));
    match (next.map(|other| other.from).min(), published) {
        (Some(replaced), Some(published)) => {
            now.unix_timestamp() < replaced.saturating_add(published.whole_seconds())
        }
        _ => true,
    }
}

/// `signing-N.key`, lowest N first.
pub(super) fn key_files(dir: &Path) -> Result<Vec<(u32, PathBuf)>, KeyError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let entry = entry.map_err(failed(dir))?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_prefix("signing-")?.strip_suffix(".key")?.parse().ok());
        found.extend(number.map(|n| (n, entry.path())));
    }
    found.sort();
    Ok(found)
}
