//! Files in the folder of a domain: `.der` and `.crl`, one item each. So stores were kept before
//! there were bundles, and so people may still put something there; the next import takes it in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nfc::trust::{Domain, certificate::Certificate};
use sha2::{Digest, Sha256};

use super::{TrustDirError, bundle::Kind, file};

/// One item with its place.
pub(super) struct Loose {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) der: Vec<u8>,
    /// Of the bytes, in hex.
    pub(super) sha256: String,
}

/// All of a domain, in order of name.
///
/// # Errors
/// [`TrustDirError`] at the first that cannot be read, or is named by a hash and has another.
pub(super) fn all(root: &Path, domain: Domain) -> Result<Vec<Loose>, TrustDirError> {
    let folder = root.join(domain.name());
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(TrustDirError::File { path: folder, source }),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(file(&folder))?.path());
    }
    paths.sort();
    let items = paths.into_iter().filter_map(|path| Some((kind(&path)?, path)));
    items.map(|(is_list, path)| read(path, is_list)).collect()
}

/// Whether the file is named as a revocation list; `None` if it is of no concern.
fn kind(path: &Path) -> Option<bool> {
    match path.extension()?.to_str()? {
        "der" => Some(false),
        "crl" => Some(true),
        _ => None,
    }
}

fn read(path: PathBuf, is_list: bool) -> Result<Loose, TrustDirError> {
    let der = fs::read(&path).map_err(file(&path))?;
    let sha256 = hex::encode(Sha256::digest(&der));
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_hash = hex::decode(stem).is_ok_and(|bytes| bytes.len() == 32);
    if is_hash && !stem.eq_ignore_ascii_case(&sha256) {
        return Err(TrustDirError::Altered { path });
    }
    let kind = if is_list { Kind::RevocationList } else { Kind::Anchor };
    // What cannot be parsed is an anchor that cannot be used: loading says so.
    let unusable = |source| TrustDirError::Unusable { path: path.clone(), source };
    if kind == Kind::Anchor {
        Certificate::parse(&der).map_err(|error| unusable(error.into()))?;
    }
    Ok(Loose { path, kind, der, sha256 })
}
