//! A chip's files in a folder: `EF.SOD.bin`, `DG1.bin` …, as `enroll chip read` writes them.

use std::{fs, io, path::Path};

use nfc::files::{FileId, Files};

use super::super::output::{CliError, read};

/// The longest file that is read.
const LONGEST: u64 = 1 << 20;

/// Reads every file of a chip that is in the folder.
pub(super) fn load(folder: &Path) -> Result<Files, CliError> {
    let failed = |source| CliError::Read { path: folder.to_owned(), source };
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(".bin")?.parse::<FileId>().ok());
        if let Some(id) = id {
            if entry.metadata().map_err(failed)?.len() > LONGEST {
                let source = io::Error::from(io::ErrorKind::FileTooLarge);
                return Err(CliError::Read { path: entry.path(), source });
            }
            files.insert(id, read(&entry.path())?);
        }
    }
    if files.iter().next().is_none() {
        return Err(CliError::NoChipFiles { path: folder.to_owned() });
    }
    Ok(files)
}

/// Writes the files.
pub(super) fn save(folder: &Path, files: &Files) -> Result<(), CliError> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for (id, bytes) in files.iter() {
        let path = folder.join(format!("{id}.bin"));
        fs::write(&path, bytes).map_err(failed(&path))?;
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    move |source| CliError::Write { path: path.to_owned(), source }
}
