//! A trust store on disk (INTERFACES, *Trust, models and other state on disk*).
//!
//! ```text
//! STORE/manifest.json            what is visible: names one bundle a domain, by its SHA-256
//! STORE/manifest.previous.json   what was visible before the last import, still whole
//! STORE/generations/SHA256.bundle   everything of one domain
//! STORE/generations/SHA256.json     what was imported when, from which source
//! STORE/lock                     held by an import
//! STORE/production/*.der *.crl   single anchors and revocation lists, taken in by the next import
//! STORE/qa/…
//! ```
//!
//! Whoever can write the folder decides what is trusted. An import is visible as a whole or not at
//! all: it writes new files beside the old and then replaces the manifest by one rename. A file
//! that is named by a hash and has another is an error, never skipped.

pub mod bundle;
mod draft;
mod loose;
mod manifest;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use nfc::trust::{Domain, TrustError, TrustStore};

use self::manifest::{CURRENT, GENERATIONS, History, Manifest, PREVIOUS, named, named_json};
pub use self::{
    bundle::{Bundle, Key, Kind},
    draft::{Draft, Stored},
    manifest::Imported,
};

const DOMAINS: [Domain; 2] = [Domain::Production, Domain::Qa];
/// How often a store is read again that changed meanwhile.
const TRIES: usize = 16;

/// Why a trust store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustDirError {
    /// There is none.
    #[error("{} is no trust store; make it with `enroll trust import`", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A file of it cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what its name says.
    #[error("{} has been changed", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be used as what it is.
    #[error("{}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrustError,
    },
    /// An item of a bundle cannot be used as what it is.
    #[error("item {} of the trust store", hex::encode(key.sha256))]
    Item {
        /// Which.
        key: Key,
        /// Why.
        source: TrustError,
    },
    /// It is being changed all the time.
    #[error("{} changes faster than it can be read", path.display())]
    Unsettled {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder of a trust store.
#[derive(Debug, Clone)]
pub struct TrustDir {
    root: PathBuf,
    manifest: &'static str,
}

/// How many items of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Issuers' certificates.
    pub anchors: usize,
    /// Document signers' certificates.
    pub signers: usize,
    /// Revocation lists.
    pub revocation_lists: usize,
}

/// Files of the folder of a domain, with their SHA-256 in hex.
type LooseFiles = Vec<(PathBuf, String)>;

impl TrustDir {
    /// The store in `root`, which must exist.
    ///
    /// # Errors
    /// [`TrustDirError::Missing`].
    pub fn open(root: &Path) -> Result<Self, TrustDirError> {
        if root.is_dir() {
            Ok(Self { root: root.to_owned(), manifest: CURRENT })
        } else {
            Err(TrustDirError::Missing { path: root.to_owned() })
        }
    }

    /// The store in `root` as it was before the last import.
    ///
    /// # Errors
    /// [`TrustDirError::Missing`] if there was only one.
    pub fn open_previous(root: &Path) -> Result<Self, TrustDirError> {
        match root.join(PREVIOUS) {
            path if path.is_file() => Ok(Self { root: root.to_owned(), manifest: PREVIOUS }),
            path => Err(TrustDirError::Missing { path }),
        }
    }

    /// The store in `root`, made if it does not exist.
    ///
    /// # Errors
    /// [`TrustDirError::File`].
    pub fn create(root: &Path) -> Result<Self, TrustDirError> {
        fs::create_dir_all(root).map_err(file(root))?;
        Self::open(root)
    }

    /// Begins an import, as soon as no other is under way.
    ///
    /// # Errors
    /// [`TrustDirError`] if what is there cannot be used.
    pub fn import(&self) -> Result<Draft, TrustDirError> {
        Draft::begin(self)
    }

    /// The domains that have anchors.
    ///
    /// # Errors
    /// [`TrustDirError`].
    pub fn domains(&self) -> Result<Vec<Domain>, TrustDirError> {
        let mut found = Vec::new();
        for domain in DOMAINS {
            if self.counts(domain)?.anchors > 0 {
                found.push(domain);
            }
        }
        Ok(found)
    }

    /// The only domain that has anchors, or production.
    ///
    /// # Errors
    /// [`TrustDirError`].
    pub fn usual_domain(&self) -> Result<Domain, TrustDirError> {
        match self.domains()?.as_slice() {
            [only] => Ok(*only),
            _ => Ok(Domain::Production),
        }
    }

    /// How much there is of `domain`. Files of its folder count beside what is in the bundle, even
    /// if that has the same.
    ///
    /// # Errors
    /// [`TrustDirError`].
    pub fn counts(&self, domain: Domain) -> Result<Counts, TrustDirError> {
        self.settled(|manifest| {
            let mut counts =
                manifest.and_then(|m| m.stock(domain)).map_or_else(Counts::default, |stock| {
                    Counts {
                        anchors: stock.anchors,
                        signers: stock.signers,
                        revocation_lists: stock.revocation_lists,
                    }
                });
            for loose in self.loose(manifest, domain)? {
                match loose.kind {
                    Kind::RevocationList => counts.revocation_lists += 1,
                    _ => counts.anchors += 1,
                }
            }
            Ok(counts)
        })
    }

    /// Everything of `domain`; of the other one only what names the reason.
    ///
    /// # Errors
    /// [`TrustDirError`] at the first item that cannot be used: a store that has lost a part must
    /// not silently trust less, or revoke less.
    pub fn load(&self, domain: Domain) -> Result<TrustStore, TrustDirError> {
        let other = match domain {
            Domain::Production => Domain::Qa,
            Domain::Qa => Domain::Production,
        };
        let (own, other) = self.settled(|manifest| {
            let own = self.content(manifest, domain)?.0;
            Ok((own, (self.content(manifest, other)?.0, other)))
        })?;
        let unusable = |(key, source)| TrustDirError::Item { key, source };
        let store = own.store(domain).map_err(unusable)?;
        match other {
            (other, _) if other.is_empty() => Ok(store),
            (other, name) => Ok(store.with_foreign(Arc::new(other.store(name).map_err(unusable)?))),
        }
    }

    /// What was imported, oldest first.
    ///
    /// # Errors
    /// [`TrustDirError`].
    pub fn imports(&self) -> Result<Vec<Imported>, TrustDirError> {
        self.settled(|manifest| match manifest {
            None => Ok(Vec::new()),
            Some(manifest) => {
                let path = self.generation(&format!("{}.json", manifest.history));
                Ok(named_json::<History>(&path)?.imports)
            }
        })
    }

    /// Counted up by every import; 0 before the first.
    ///
    /// # Errors
    /// [`TrustDirError`].
    pub fn generation_number(&self) -> Result<u64, TrustDirError> {
        Ok(Manifest::read(&self.root.join(self.manifest))?.map_or(0, |found| found.generation))
    }

    /// What `read` finds, read under one and the same manifest from beginning to end.
    fn settled<T>(
        &self,
        read: impl Fn(Option<&Manifest>) -> Result<T, TrustDirError>,
    ) -> Result<T, TrustDirError> {
        let path = self.root.join(self.manifest);
        for _ in 0..TRIES {
            let before = Manifest::read(&path)?;
            let found = read(before.as_ref());
            if Manifest::read(&path)? == before {
                return found;
            }
        }
        Err(TrustDirError::Unsettled { path: self.root.clone() })
    }

    /// All items of a domain, and the files of its folder, which are in the first.
    fn content(
        &self,
        manifest: Option<&Manifest>,
        domain: Domain,
    ) -> Result<(Bundle, LooseFiles), TrustDirError> {
        let mut bundle = match manifest.and_then(|manifest| manifest.stock(domain)) {
            None => Bundle::default(),
            Some(stock) => {
                let path = self.generation(&format!("{}.bundle", stock.sha256));
                let altered = |_| TrustDirError::Altered { path: path.clone() };
                Bundle::decode(&named(&path)?).map_err(altered)?
            }
        };
        let mut files = Vec::new();
        for loose in self.loose(manifest, domain)? {
            bundle.add(loose.kind, &loose.der);
            files.push((loose.path, loose.sha256));
        }
        Ok((bundle, files))
    }

    /// Files of the folder of a domain that no import has taken in. Of the store as it was before
    /// there are none.
    fn loose(
        &self,
        manifest: Option<&Manifest>,
        domain: Domain,
    ) -> Result<Vec<loose::Loose>, TrustDirError> {
        if self.manifest == PREVIOUS {
            return Ok(Vec::new());
        }
        let mut found = loose::all(&self.root, domain)?;
        if let Some(manifest) = manifest {
            found.retain(|loose| !manifest.absorbed.contains(&loose.sha256));
        }
        Ok(found)
    }

    fn generation(&self, name: &str) -> PathBuf {
        self.root.join(GENERATIONS).join(name)
    }
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> TrustDirError {
    move |source| TrustDirError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
