//! A trust store on disk (INTERFACES, *Trust, models and other state on disk*).
//!
//! ```text
//! STORE/production/SHA256.der      one file per anchor
//! STORE/production/SHA256.crl      one file per revocation list
//! STORE/qa/…
//! ```
//!
//! Whoever can write the folder decides what is trusted. Files are written whole and then renamed,
//! so that a reader never sees half of one. A file that is named by a hash and has another is an
//! error, never skipped; people may put files of other names there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nfc::trust::{Domain, TrustError, TrustStore, crl::Crl};
use sha2::{Digest, Sha256};

const CERTIFICATE: &str = "der";
const REVOCATIONS: &str = "crl";

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
}

/// Whether something was new to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It was, and is now there.
    New,
    /// It was there already, byte for byte.
    Duplicate,
}

/// The folder of a trust store.
#[derive(Debug, Clone)]
pub struct TrustDir {
    root: PathBuf,
}

impl TrustDir {
    /// The store in `root`, which must exist.
    ///
    /// # Errors
    /// [`TrustDirError::Missing`].
    pub fn open(root: &Path) -> Result<Self, TrustDirError> {
        if root.is_dir() {
            Ok(Self { root: root.to_owned() })
        } else {
            Err(TrustDirError::Missing { path: root.to_owned() })
        }
    }

    /// The store in `root`, made if it does not exist.
    ///
    /// # Errors
    /// [`TrustDirError::File`].
    pub fn create(root: &Path) -> Result<Self, TrustDirError> {
        fs::create_dir_all(root).map_err(file(root))?;
        Ok(Self { root: root.to_owned() })
    }

    /// The domains that have anchors.
    ///
    /// # Errors
    /// [`TrustDirError::File`].
    pub fn domains(&self) -> Result<Vec<Domain>, TrustDirError> {
        let mut found = Vec::new();
        for domain in [Domain::Production, Domain::Qa] {
            if !self.list(domain, CERTIFICATE)?.is_empty() {
                found.push(domain);
            }
        }
        Ok(found)
    }

    /// The only domain that has anchors, or production.
    ///
    /// # Errors
    /// [`TrustDirError::File`].
    pub fn usual_domain(&self) -> Result<Domain, TrustDirError> {
        match self.domains()?.as_slice() {
            [only] => Ok(*only),
            _ => Ok(Domain::Production),
        }
    }

    /// Everything of `domain`.
    ///
    /// # Errors
    /// [`TrustDirError`] at the first file that cannot be used: a store that has lost a part must
    /// not silently trust less, or revoke less.
    pub fn load(&self, domain: Domain) -> Result<TrustStore, TrustDirError> {
        let mut store = TrustStore::new(domain);
        for path in self.list(domain, CERTIFICATE)? {
            let unusable = |source| TrustDirError::Unusable { path: path.clone(), source };
            store.add_der(&content(&path)?).map_err(unusable)?;
        }
        for path in self.list(domain, REVOCATIONS)? {
            let unusable = |source| TrustDirError::Unusable { path: path.clone(), source };
            store.add_crl_der(&content(&path)?).map_err(unusable)?;
        }
        Ok(store)
    }

    /// Adds an anchor. The caller has parsed it.
    ///
    /// # Errors
    /// [`TrustDirError::File`].
    pub fn add_certificate(&self, domain: Domain, der: &[u8]) -> Result<Stored, TrustDirError> {
        self.add(domain, CERTIFICATE, der)
    }

    /// Adds a revocation list.
    ///
    /// # Errors
    /// [`TrustDirError::Unusable`] if it is none, [`TrustDirError::File`].
    pub fn add_crl(&self, domain: Domain, der: &[u8]) -> Result<Stored, TrustDirError> {
        let unusable = |source: nfc::tlv::TlvError| TrustDirError::Unusable {
            path: self.root.clone(),
            source: source.into(),
        };
        Crl::parse(der).map_err(unusable)?;
        self.add(domain, REVOCATIONS, der)
    }

    fn add(&self, domain: Domain, extension: &str, bytes: &[u8]) -> Result<Stored, TrustDirError> {
        let folder = self.root.join(domain.name());
        fs::create_dir_all(&folder).map_err(file(&folder))?;
        let name = hex::encode(Sha256::digest(bytes));
        let path = folder.join(&name).with_extension(extension);
        if path.exists() {
            return Ok(Stored::Duplicate);
        }
        write_whole(&path, bytes)?;
        Ok(Stored::New)
    }

    fn list(&self, domain: Domain, extension: &str) -> Result<Vec<PathBuf>, TrustDirError> {
        let folder = self.root.join(domain.name());
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(TrustDirError::File { path: folder, source }),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(file(&folder))?.path();
            if path.extension().is_some_and(|found| found == extension) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// The bytes of a file; where its name is a hash, they have it.
fn content(path: &Path) -> Result<Vec<u8>, TrustDirError> {
    let bytes = fs::read(path).map_err(file(path))?;
    let mut named = [0; 32];
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_hash = hex::decode_to_slice(stem, &mut named).is_ok();
    if is_hash && <[u8; 32]>::from(Sha256::digest(&bytes)) != named {
        return Err(TrustDirError::Altered { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Writes beside `path` and renames: two that write the same file write the same bytes.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrustDirError> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&part, bytes).map_err(file(&part))?;
    fs::rename(&part, path).map_err(file(path))
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> TrustDirError {
    move |source| TrustDirError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_store_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = TrustDir::open(&dir.path().join("none"));
        assert!(matches!(missing, Err(TrustDirError::Missing { .. })));
        let made = TrustDir::create(&dir.path().join("a/b")).unwrap();
        assert_eq!(made.domains().unwrap(), []);
        assert_eq!(made.load(Domain::Qa).unwrap().anchors().len(), 0);
    }

    #[test]
    fn an_altered_file_is_an_error_and_half_a_file_is_not_seen() {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustDir::create(dir.path()).unwrap();
        assert_eq!(store.add_certificate(Domain::Qa, b"1").unwrap(), Stored::New);
        assert_eq!(store.add_certificate(Domain::Qa, b"1").unwrap(), Stored::Duplicate);
        assert_eq!(store.domains().unwrap(), [Domain::Qa]);
        let path = store.list(Domain::Qa, CERTIFICATE).unwrap().remove(0);
        fs::write(path.with_extension("7.part"), b"2").unwrap();
        assert_eq!(store.list(Domain::Qa, CERTIFICATE).unwrap().len(), 1);
        fs::write(&path, b"2").unwrap();
        assert!(matches!(store.load(Domain::Qa), Err(TrustDirError::Altered { .. })));
    }

    #[test]
    fn what_is_no_revocation_list_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustDir::create(dir.path()).unwrap();
        assert!(matches!(store.add_crl(Domain::Qa, b"x"), Err(TrustDirError::Unusable { .. })));
        assert!(store.list(Domain::Qa, REVOCATIONS).unwrap().is_empty());
    }
}
