//! Where the models lie.

use std::env;
use std::path::{Path, PathBuf};

/// Under `INDRUL_DATA`, else the workspace's `data`, else the cache's.
pub(crate) fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let cache = env::var("XDG_CACHE_HOME")
        .unwrap_or_else(|_| format!("{}/.cache", env::var("HOME").unwrap_or_default()));
    let named = env::var("INDRUL_DATA").map(PathBuf::from);
    let places = named.into_iter().chain([workspace, Path::new(&cache).join("indrul/data")]);
    let mut places = places.map(|place| place.join("models"));
    places
        .find(|place| place.join("models.toml").is_file())
        .expect("the models are missing: run scripts/models")
}
