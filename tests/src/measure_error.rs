//! Why nothing could be measured on people's photographs.

use std::{
    io,
    path::{Path, PathBuf},
};

use liveness::ModelError;
use thiserror::Error;

/// Nothing could be measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The models cannot be used.
    #[error("the models cannot be used")]
    Models(#[from] ModelError),
    /// A file or folder cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Too few people have as many photographs, of one face each, as it takes.
    #[error("only {people} people have enough usable photographs; {least} are needed")]
    TooFew {
        /// How many have.
        people: usize,
        /// How many it takes.
        least: usize,
    },
}

impl MeasureError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
