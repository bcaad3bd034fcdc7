//! `docs/requirements.md`: which test proves which requirement, and what came of it.

mod log;
mod page;
mod sources;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

pub use log::Results;
pub use page::{page, unknown, unproved, without_results};
pub use sources::Proof;

/// One line of `tests/requirements.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// A letter and a number, as REQUIREMENTS has it.
    pub id: String,
    /// What is required, in a line.
    pub title: String,
    /// Why no test proves it, or not the whole of it.
    pub open: Option<String>,
}

/// The table cannot be made.
#[derive(Debug, Error)]
pub enum RequirementsError {
    /// A file or folder cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The list of requirements is malformed.
    #[error("the list of requirements is malformed")]
    List(#[from] toml::de::Error),
}

impl RequirementsError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> RequirementsError {
        let path = path.to_owned();
        move |source| RequirementsError::File { path, source }
    }
}

/// The requirements, and the tests below a folder that name them.
///
/// # Errors
/// [`RequirementsError`] where the list or a source file cannot be read.
pub fn read(root: &Path) -> Result<(Vec<Requirement>, Vec<Proof>), RequirementsError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        requirement: Vec<Requirement>,
    }
    let path = root.join("tests/requirements.toml");
    let text = fs::read_to_string(&path).map_err(RequirementsError::file(&path))?;
    let List { requirement } = toml::from_str(&text)?;
    Ok((requirement, sources::proofs(root)?))
}
