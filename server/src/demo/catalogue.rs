//! The fixture passports: made at start by the QA binary `fixtures`, then read from its files.

use crate::registers::standin::{Holder, Scripted};
use crate::relay::wire::Text;
use nfc::trust::TrustStore;
use serde::Deserialize;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Largest side of the pictures that the page shows.
const SHOWN: u32 = 320;

/// Why the fixtures cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The program cannot be run.
    #[error("cannot run {}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program failed.
    #[error("{} {command} ended with {status}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// Its sub-command.
        command: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The list is not one object per line.
    #[error("the list of fixtures cannot be read")]
    List(#[source] serde_json::Error),
    /// A fixture's file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A fixture's holder cannot be understood.
    #[error("{} is not a holder", path.display())]
    Holder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A fixture's issuer cannot be imported.
    #[error("{} is not an issuer", path.display())]
    Issuer {
        /// The file.
        path: PathBuf,
        /// Why.
        source: nfc::trust::TrustError,
    },
}

/// One line of `fixtures list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it belongs to among the variations; nothing for those that come first.
    pub group: String,
    /// Title.
    pub title: Text,
    /// Its one deviation; nothing for a good one.
    pub deviation: Option<String>,
    /// What is expected of it.
    pub expect: Expect,
}

/// What is expected of a fixture.
#[derive(Debug, Clone, Deserialize)]
pub struct Expect {
    /// Verdict.
    pub verdict: String,
    /// Reasons, worst first.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// A fixture passport as the page shows it.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// From the list.
    pub listed: Listed,
    /// Holder's name.
    pub holder: String,
    /// Portrait as JPEG, if it can be shown.
    pub portrait: Option<Vec<u8>>,
    /// First picture that the holder presents, as JPEG.
    pub selfie: Option<Vec<u8>>,
    /// Whom the registers know.
    pub(super) person: Holder,
}

/// What `fixtures list` lists.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Those that were made for the demonstration, in the list's order.
    pub fixtures: Vec<Fixture>,
    /// All of them.
    pub(super) listed: Vec<Listed>,
}

impl Catalogue {
    /// Makes the fixtures that belong to no group below `data/demo` (the hundreds of variations are
    /// for `fixtures run`), fills the registers and trusts the issuers that the
    /// fixtures say are to be trusted.
    ///
    /// # Errors
    /// [`CatalogueError`] naming the program or file.
    pub fn make(
        program: &Path,
        data: &Path,
        trust: &mut TrustStore,
        registers: &mut Scripted,
    ) -> Result<Self, CatalogueError> {
        let mut fixtures = Vec::new();
        let listed = list(program)?;
        let own: Vec<Listed> = listed.iter().filter(|one| one.group.is_empty()).cloned().collect();
        make(program, &own, data, &data.join("demo"))?;
        for listed in own {
            let folder = data.join("demo").join(&listed.name);
            import_issuers(&folder.join("trust"), trust)?;
            fixtures.push(read(listed, &folder, registers)?);
        }
        Ok(Self { fixtures, listed })
    }

    /// The fixture with `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Fixture> {
        self.fixtures.iter().find(|fixture| fixture.listed.name == name)
    }
}

fn list(program: &Path) -> Result<Vec<Listed>, CatalogueError> {
    let output = Command::new(program)
        .args(["list", "--json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| CatalogueError::Program { program: program.to_owned(), source })?;
    if !output.status.success() {
        let (program, status) = (program.to_owned(), output.status);
        return Err(CatalogueError::Failed { program, command: "list", status });
    }
    serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(CatalogueError::List)
}

/// Makes all of them in one go, which loads the portraits once: each in the folder of its name below `folder`.
fn make(
    program: &Path,
    wanted: &[Listed],
    data: &Path,
    folder: &Path,
) -> Result<(), CatalogueError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| CatalogueError::File { path: folder.to_owned(), source })?;
    let status = Command::new(program)
        .args(["make", "--each"])
        .args(wanted.iter().map(|one| &one.name))
        .arg("--portraits")
        .arg(data.join("portraits"))
        .arg("--out")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|source| CatalogueError::Program { program: program.to_owned(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(CatalogueError::Failed { program: program.to_owned(), command: "make", status })
}

/// Every certificate and revocation list in `folder`; a fixture whose issuer is to stay unknown has
/// none of its own there.
fn import_issuers(folder: &Path, trust: &mut TrustStore) -> Result<(), CatalogueError> {
    for path in files(folder)? {
        let added = match path.extension().and_then(|extension| extension.to_str()) {
            Some("der") => trust.add_der(&read_file(&path)?).map(drop),
            Some("crl") => trust.add_crl_der(&read_file(&path)?),
            _ => Ok(()),
        };
        added.map_err(|source| CatalogueError::Issuer { path, source })?;
    }
    Ok(())
}

fn read(
    listed: Listed,
    folder: &Path,
    registers: &mut Scripted,
) -> Result<Fixture, CatalogueError> {
    let path = folder.join("holder.json");
    let holder: Holder = serde_json::from_slice(&read_file(&path)?)
        .map_err(|source| CatalogueError::Holder { path, source })?;
    registers.add_holder(&holder);
    let picture = |stem: &str| -> Result<Option<Vec<u8>>, CatalogueError> {
        let found = files(folder)?
            .into_iter()
            .find(|path| path.file_stem().is_some_and(|name| name == stem));
        Ok(found.map(|path| read_file(&path)).transpose()?.and_then(|bytes| shown(&bytes)))
    };
    let name = format!("{} {}", holder.given_names, holder.surname);
    let (portrait, selfie) = (picture("portrait")?, picture("selfie-1")?);
    Ok(Fixture { listed, holder: name, portrait, selfie, person: holder })
}

/// The picture as a small JPEG, if it can be decoded.
fn shown(bytes: &[u8]) -> Option<Vec<u8>> {
    let picture = liveness::portrait::decode(bytes).ok()?;
    let small = image::DynamicImage::ImageRgb8(picture).thumbnail(SHOWN, SHOWN);
    let mut out = Cursor::new(Vec::new());
    small.write_to(&mut out, image::ImageFormat::Jpeg).ok()?;
    Some(out.into_inner())
}

fn read_file(path: &Path) -> Result<Vec<u8>, CatalogueError> {
    std::fs::read(path).map_err(|source| CatalogueError::File { path: path.to_owned(), source })
}

/// The files of `folder` by name; none if there is no such folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let error = |source| CatalogueError::File { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(error(source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(error)?.path());
    }
    found.sort();
    Ok(found)
}
