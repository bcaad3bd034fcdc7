//! The one file that says what a trust store holds: replacing it is what makes an import visible.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use nfc::trust::Domain;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{TrustDirError, bundle::Key, file};

/// What is visible.
pub(super) const CURRENT: &str = "manifest.json";
/// What was visible before, whole and readable.
pub(super) const PREVIOUS: &str = "manifest.previous.json";
/// The folder of what manifests name.
pub(super) const GENERATIONS: &str = "generations";
const VERSION: u8 = 1;

/// What a trust store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u8,
    /// Counted up by every import.
    pub(super) generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) production: Option<Stock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) qa: Option<Stock>,
    /// SHA-256 of the [`History`].
    pub(super) history: String,
    /// SHA-256 of files of the folders of domains that are in the bundles now, and to be deleted.
    #[serde(default)]
    pub(super) absorbed: BTreeSet<String>,
}

/// A domain's bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stock {
    /// Of the bundle.
    pub(super) sha256: String,
    pub(super) anchors: usize,
    pub(super) signers: usize,
    pub(super) revocation_lists: usize,
}

/// What was imported when, and what each source held when it was last imported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    pub(super) imports: Vec<Imported>,
    /// By domain and source.
    pub(super) sources: BTreeMap<String, BTreeSet<Key>>,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// As the command named it.
    pub file: String,
    /// Of the file.
    pub sha256: String,
    /// What later imports are compared with.
    pub source: String,
    /// Where its items went.
    pub domain: String,
    /// What it was.
    pub kind: String,
    /// When, RFC 3339.
    pub at: String,
    /// How many items were new.
    pub imported: usize,
    /// How many were there already.
    pub duplicates: usize,
    /// How many could not be used.
    pub rejected: usize,
}

impl Manifest {
    pub(super) fn new(generation: u64) -> Self {
        Self { version: VERSION, generation, ..Self::default() }
    }

    /// The manifest in the file, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, TrustDirError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file(path)(source)),
        };
        let altered = || TrustDirError::Altered { path: path.to_owned() };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|_| altered())?;
        (manifest.version == VERSION).then_some(Some(manifest)).ok_or_else(altered)
    }

    pub(super) fn stock(&self, domain: Domain) -> Option<&Stock> {
        match domain {
            Domain::Production => self.production.as_ref(),
            Domain::Qa => self.qa.as_ref(),
        }
    }

    pub(super) fn stock_mut(&mut self, domain: Domain) -> &mut Option<Stock> {
        match domain {
            Domain::Production => &mut self.production,
            Domain::Qa => &mut self.qa,
        }
    }

    /// Names of the files that it needs.
    pub(super) fn files(&self) -> Vec<String> {
        let bundles = [&self.production, &self.qa].into_iter().flatten();
        let bundles = bundles.map(|stock| format!("{}.bundle", stock.sha256));
        bundles.chain([format!("{}.json", self.history)]).collect()
    }
}

/// The bytes of a file that has the SHA-256 that its name says.
pub(super) fn named(path: &Path) -> Result<Vec<u8>, TrustDirError> {
    let bytes = fs::read(path).map_err(file(path))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if hex::encode(Sha256::digest(&bytes)) == stem {
        Ok(bytes)
    } else {
        Err(TrustDirError::Altered { path: path.to_owned() })
    }
}

/// JSON in a file that has the SHA-256 that its name says.
pub(super) fn named_json<T: DeserializeOwned>(path: &Path) -> Result<T, TrustDirError> {
    let altered = |_| TrustDirError::Altered { path: path.to_owned() };
    serde_json::from_slice(&named(path)?).map_err(altered)
}
