//! Finds in the sources which test says that it proves what.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::RequirementsError;

/// A test and what it says that it proves.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Proof {
    /// The source file, from the folder of all.
    pub file: String,
    /// The test's function.
    pub test: String,
    /// Which requirements.
    pub proves: Vec<String>,
}

/// Every test under the folder that names a requirement, by file and place.
pub(super) fn proofs(root: &Path) -> Result<Vec<Proof>, RequirementsError> {
    let mut files = Vec::new();
    gather(root, &mut files)?;
    files.sort();
    let mut proofs = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(RequirementsError::file(&file))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let found = of_text(&text).into_iter();
        proofs.extend(found.map(|(test, proves)| Proof { file: name.clone(), test, proves }));
    }
    Ok(proofs)
}

/// The Rust sources; nothing built or hidden.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), RequirementsError> {
    for entry in fs::read_dir(folder).map_err(RequirementsError::file(folder))? {
        let path = entry.map_err(RequirementsError::file(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "data" {
            gather(&path, files)?;
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// A comment is of the test that it stands in, or that follows when it stands before one.
fn of_text(text: &str) -> Vec<(String, Vec<String>)> {
    let lines: Vec<&str> = text.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let named = lines.iter().enumerate().filter_map(|(at, line)| {
        let (before, rest) = line.split_once("// proves ")?;
        let proves = ids(rest);
        let inside = || {
            let above = lines.iter().take(at).rev().filter(|above| depth(above) < depth(line));
            above.filter_map(|line| function(line)).next()
        };
        let outside = || {
            // Between a comment and its function stand attributes and other comments only.
            let below = lines.iter().skip(at + 1).map(|line| line.trim_start());
            let mut below =
                below.skip_while(|line| line.starts_with("//") || line.starts_with("#["));
            below.next().and_then(function)
        };
        let test = if before.trim().is_empty() { outside().or_else(inside) } else { inside() }?;
        (!proves.is_empty()).then_some((test, proves))
    });
    named.collect()
}

/// The name after `fn`.
fn function(line: &str) -> Option<String> {
    let (before, rest) = line.trim_start().split_once("fn ")?;
    let modifiers = ["pub", "pub(crate)", "pub(super)", "async", "const"];
    let plain = before.split_whitespace().all(|word| modifiers.contains(&word));
    let name: String =
        rest.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
    (plain && !name.is_empty()).then_some(name)
}

/// The letters and numbers before what is said about them.
fn ids(text: &str) -> Vec<String> {
    let text = text.split([':', '(']).next().unwrap_or_default();
    let words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let mut signs = word.chars();
    let letter = signs.next().is_some_and(|sign| sign.is_ascii_uppercase());
    let digits = signs.as_str();
    letter && !digits.is_empty() && digits.chars().all(|sign| sign.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_of_the_test_around_it_or_of_the_one_that_follows() {
        let text = "
mod tests {
    #[test]
    fn one() {
        // PROVES B1
        for of in each() {
            // PROVES B2 and B10: of each, what A1 is not.
            look(of);
        }
    }

    // PROVES D8 (copies), not D9
    // on both databases
    #[test]
    async fn two() {}
}
";
        // Written so that this is not taken for a proof itself.
        let found = of_text(&text.replace("PROVES", "proves"));
        let wanted = [("one", vec!["B1"]), ("one", vec!["B2", "B10"]), ("two", vec!["D8"])];
        let wanted = wanted.map(|(test, ids)| {
            (test.to_owned(), ids.into_iter().map(str::to_owned).collect::<Vec<_>>())
        });
        assert_eq!(found, wanted);
    }
}
