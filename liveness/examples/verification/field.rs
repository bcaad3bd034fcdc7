//! The photographs: which there are, and which pairs of them are labelled as one person.

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use liveness::portrait;

use crate::Outcome;

/// A folder of photographs.
pub(crate) struct Field {
    folder: PathBuf,
    /// `Name/Name_0001.jpg` for every picture, sorted.
    pub(crate) names: Vec<String>,
    /// The pairs labelled as the same person.
    pub(crate) same: Vec<(String, String)>,
}

impl Field {
    pub(crate) fn open(folder: &Path) -> Outcome<Field> {
        let labels = fs::read_to_string(folder.join("PAIRS.tsv"))?;
        let same = labels.lines().filter_map(|line| {
            let mut parts = line.split('\t');
            let label = parts.next()?;
            let pair = (parts.next()?.to_string(), parts.next()?.to_string());
            (label == "1").then_some(pair)
        });
        let (same, names) = (same.collect(), pictures(folder)?);
        Ok(Field { folder: folder.to_path_buf(), names, same })
    }

    pub(crate) fn picture(&self, name: &str) -> Result<RgbImage, &'static str> {
        let bytes = fs::read(self.folder.join(name)).map_err(|_| "unreadable")?;
        portrait::decode(&bytes).map_err(|e| e.code())
    }
}

/// Whom a picture's name means.
pub(crate) fn person(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

fn pictures(folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for person in fs::read_dir(folder)? {
        let person = person?;
        // A folder may be a link.
        if !person.path().is_dir() {
            continue;
        }
        for picture in fs::read_dir(person.path())? {
            let (person, picture) = (person.file_name(), picture?.file_name());
            names.push(format!("{}/{}", person.display(), picture.display()));
        }
    }
    names.sort();
    Ok(names)
}
