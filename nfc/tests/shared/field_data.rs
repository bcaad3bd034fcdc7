//! Where other people's data lie that are no part of the project: `INDRUL_FIELD_DATA`, else beside
//! the workspace. Tests that need them say so and are skipped where they are not.

use std::path::{Path, PathBuf};

pub(crate) fn field_data(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let root = std::env::var_os("INDRUL_FIELD_DATA").map_or(beside, PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no field data ({part})");
    None
}
