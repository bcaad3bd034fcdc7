//! An import under way. Everything is built beside what is visible; one rename makes it visible.
//!
//! A process may be killed at any step: before the rename the store is the old one, after it the
//! new one, and what is left lying is swept up by the next import. A lock keeps imports apart.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use nfc::trust::{Domain, TrustStore};
use sha2::{Digest, Sha256};

use super::{
    DOMAINS, TrustDir, TrustDirError,
    bundle::{Bundle, Key, Kind},
    file, loose,
    manifest::{CURRENT, GENERATIONS, History, Imported, Manifest, PREVIOUS, Stock, named_json},
};

/// The most imports that are remembered.
const MOST_IMPORTS: usize = 1_000;

/// Whether something was new to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It was, and is now there.
    New,
    /// It was there already, byte for byte.
    Duplicate,
}

/// An import under way; without [`Draft::commit`] nothing of it is ever visible.
#[derive(Debug)]
pub struct Draft {
    root: PathBuf,
    /// Held until the draft is gone; the system lets go of it with the process.
    _lock: File,
    before: Option<Manifest>,
    bundles: [(Domain, Bundle); 2],
    history: History,
    /// Files of the folders of domains that are in the bundles now.
    absorbed: Vec<(PathBuf, String)>,
}

impl Draft {
    /// Waits until no other import is under way.
    pub(super) fn begin(dir: &TrustDir) -> Result<Self, TrustDirError> {
        let path = dir.root.join("lock");
        let lock = File::create(&path).map_err(file(&path))?;
        lock.lock().map_err(file(&path))?;
        let before = Manifest::read(&dir.root.join(CURRENT))?;
        let mut absorbed = Vec::new();
        let mut bundles = DOMAINS.map(|domain| (domain, Bundle::default()));
        for (domain, bundle) in &mut bundles {
            let (found, loose) = dir.content(before.as_ref(), *domain)?;
            *bundle = found;
            absorbed.extend(loose);
            absorbed.extend(leftover(dir, before.as_ref(), *domain)?);
        }
        let history = match &before {
            Some(before) => named_json(&dir.generation(&format!("{}.json", before.history)))?,
            None => History::default(),
        };
        Ok(Self { root: dir.root.clone(), _lock: lock, before, bundles, history, absorbed })
    }

    /// Adds an item that the caller has looked at.
    pub fn add(&mut self, domain: Domain, kind: Kind, der: &[u8]) -> Stored {
        let new = self.bundle_mut(domain).is_some_and(|bundle| bundle.add(kind, der));
        if new { Stored::New } else { Stored::Duplicate }
    }

    /// Takes an item out.
    pub fn remove(&mut self, domain: Domain, key: &Key) -> bool {
        self.bundle_mut(domain).is_some_and(|bundle| bundle.remove(key))
    }

    /// The bytes of an item.
    #[must_use]
    pub fn get(&self, domain: Domain, key: &Key) -> Option<&[u8]> {
        self.bundle(domain)?.get(key)
    }

    /// The trust store as it is so far.
    ///
    /// # Errors
    /// [`TrustDirError::Unusable`].
    pub fn store(&self, domain: Domain) -> Result<TrustStore, TrustDirError> {
        let bundle = self.bundle(domain).cloned().unwrap_or_default();
        bundle.store(domain).map_err(|(key, source)| TrustDirError::Item { key, source })
    }

    /// What a source held when it was last imported, if it ever was.
    #[must_use]
    pub fn held(&self, domain: Domain, source: &str) -> Option<&BTreeSet<Key>> {
        self.history.sources.get(&source_key(domain, source))
    }

    /// Whether a source other than `source` held an item when it was last imported.
    #[must_use]
    pub fn is_held_elsewhere(&self, domain: Domain, source: &str, key: &Key) -> bool {
        let (own, of_domain) = (source_key(domain, source), source_key(domain, ""));
        let others = self.history.sources.iter();
        others
            .filter(|(name, _)| **name != own && name.starts_with(&of_domain))
            .any(|(_, held)| held.contains(key))
    }

    /// Remembers that a file was imported.
    pub fn record(&mut self, import: Imported) {
        self.history.imports.push(import);
        let surplus = self.history.imports.len().saturating_sub(MOST_IMPORTS);
        self.history.imports.drain(..surplus);
    }

    /// Remembers what a source holds now.
    pub fn hold(&mut self, domain: Domain, source: &str, held: BTreeSet<Key>) {
        self.history.sources.insert(source_key(domain, source), held);
    }

    /// Makes all of it visible at once.
    ///
    /// # Errors
    /// [`TrustDirError::File`]; then what was visible before still is.
    pub fn commit(self) -> Result<(), TrustDirError> {
        self.steps()?.into_iter().try_for_each(Step::run)
    }

    fn bundle(&self, domain: Domain) -> Option<&Bundle> {
        self.bundles.iter().find(|(of, _)| *of == domain).map(|(_, bundle)| bundle)
    }

    fn bundle_mut(&mut self, domain: Domain) -> Option<&mut Bundle> {
        self.bundles.iter_mut().find(|(of, _)| *of == domain).map(|(_, bundle)| bundle)
    }

    /// What a commit does, in its order.
    fn steps(&self) -> Result<Vec<Step>, TrustDirError> {
        let generations = self.root.join(GENERATIONS);
        let mut steps = vec![Step::Folder(generations.clone())];
        let (after, files) = self.manifest()?;
        for (name, bytes) in files {
            steps.extend(whole(generations.join(name), bytes));
        }
        steps.push(Step::Sync(generations));
        if let Some(before) = &self.before {
            steps.extend(whole(self.root.join(PREVIOUS), json(before)?));
        }
        steps.extend(whole(self.root.join(CURRENT), json(&after)?));
        steps.push(Step::Sync(self.root.clone()));
        let loose = self.absorbed.iter().map(|(path, _)| path.clone());
        steps.extend(loose.chain(self.unneeded(&after)?).map(Step::Remove));
        Ok(steps)
    }

    /// The manifest, and the files that it names.
    fn manifest(&self) -> Result<(Manifest, Vec<NamedFile>), TrustDirError> {
        let generation = self.before.as_ref().map_or(0, |before| before.generation);
        let mut manifest = Manifest::new(generation.saturating_add(1));
        let mut files = Vec::new();
        for (domain, bundle) in self.bundles.iter().filter(|(_, bundle)| !bundle.is_empty()) {
            let bytes = bundle.encode();
            let stock = Stock {
                sha256: hex::encode(Sha256::digest(&bytes)),
                anchors: bundle.count(Kind::Anchor),
                signers: bundle.count(Kind::Signer),
                revocation_lists: bundle.count(Kind::RevocationList),
            };
            files.push((format!("{}.bundle", stock.sha256), bytes));
            *manifest.stock_mut(*domain) = Some(stock);
        }
        let history = json(&self.history)?;
        manifest.history = hex::encode(Sha256::digest(&history));
        files.push((format!("{}.json", manifest.history), history));
        manifest.absorbed = self.absorbed.iter().map(|(_, sha256)| sha256.clone()).collect();
        Ok((manifest, files))
    }

    /// Files that neither the new manifest nor the one before it names.
    fn unneeded(&self, after: &Manifest) -> Result<Vec<PathBuf>, TrustDirError> {
        let mut needed = after.files();
        needed.extend(self.before.iter().flat_map(Manifest::files));
        let folder = self.root.join(GENERATIONS);
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
        let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(file(&folder)));
        let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
        let is_needed = |path: &PathBuf| {
            path.file_name().and_then(|n| n.to_str()).is_some_and(|n| needed.iter().any(|f| f == n))
        };
        Ok(paths.into_iter().filter(|path| !is_needed(path)).collect())
    }
}

/// Files that an earlier import took in and could not delete any more.
fn leftover(
    dir: &TrustDir,
    before: Option<&Manifest>,
    domain: Domain,
) -> Result<Vec<(PathBuf, String)>, TrustDirError> {
    let Some(before) = before else { return Ok(Vec::new()) };
    let all = loose::all(&dir.root, domain)?.into_iter();
    let taken = all.filter(|found| before.absorbed.contains(&found.sha256));
    Ok(taken.map(|found| (found.path, found.sha256)).collect())
}

/// A file of the folder of generations: its name and content.
type NamedFile = (String, Vec<u8>);

fn source_key(domain: Domain, source: &str) -> String {
    format!("{domain} {source}")
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, TrustDirError> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| TrustDirError::File { path: CURRENT.into(), source: error.into() })
}

/// Writes beside `path`, then renames: nobody sees half of it.
fn whole(path: PathBuf, bytes: Vec<u8>) -> [Step; 2] {
    let part = path.with_added_extension("part");
    [Step::Write(part.clone(), bytes), Step::Rename(part, path)]
}

/// One thing that is done to the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Folder(PathBuf),
    Write(PathBuf, Vec<u8>),
    Rename(PathBuf, PathBuf),
    /// What was renamed in the folder stays so if the machine stops.
    Sync(PathBuf),
    Remove(PathBuf),
}

impl Step {
    fn run(self) -> Result<(), TrustDirError> {
        match self {
            Self::Folder(path) => fs::create_dir_all(&path).map_err(file(&path)),
            Self::Write(path, bytes) => write(&path, &bytes).map_err(file(&path)),
            Self::Rename(from, to) => fs::rename(&from, &to).map_err(file(&to)),
            Self::Sync(path) => File::open(&path).and_then(|d| d.sync_all()).map_err(file(&path)),
            // What is left lying is not counted, and goes with the next import.
            Self::Remove(path) => {
                drop(fs::remove_file(&path));
                Ok(())
            }
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
