//! `enroll backup`: a copy of the embedded database and the keys that a server can be started from
//! again (docs/operations.md).

use super::setup::{Place, SetupError, block_on, ended, open_existing_store};
use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Copy the database and the keys, while the server runs
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Folder for the copy, which must not exist yet
    #[arg(long)]
    to: PathBuf,
}

/// Runs: 0 done, 2 the folder cannot be made, 3 keys or database cannot be used.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    ended(block_on(backup(args)))
}

async fn backup(args: Args) -> Result<(), SetupError> {
    let config = args.place.config()?;
    let (store, _) = open_existing_store(&args.place.data, &config).await?;
    let keys = args.to.join("keys");
    for folder in [&args.to, &keys] {
        let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
        made.map_err(|source| SetupError::Output { path: folder.clone(), source })?;
    }
    // The database first: keys are added and never taken away while something needs them.
    let rows = args.to.join("indrul.db");
    let copied = store.copy_to(&rows).await;
    store.close().await;
    copied?;
    std::fs::set_permissions(&rows, Permissions::from_mode(0o600))
        .map_err(|source| SetupError::File { path: rows, source })?;
    copy_keys(&args.place.data.join("keys"), &keys)
}

fn copy_keys(from: &Path, to: &Path) -> Result<(), SetupError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SetupError::File { path: path.clone(), source }
    };
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        let mut source = std::fs::File::open(&path).map_err(failed(&path))?;
        let mut target = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&copy)
            .map_err(failed(&copy))?;
        std::io::copy(&mut source, &mut target)
            .and_then(|_| target.sync_all())
            .map_err(failed(&copy))?;
    }
    Ok(())
}
