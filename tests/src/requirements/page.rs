//! The table for people.

use std::fmt::Write as _;

use super::{Proof, Requirement, Results};

const HEAD: &str = "\
# Requirements and the tests that prove them

Written by `fixtures requirements` from `tests/requirements.toml`, from the comments in the tests, and
from what the whole suite printed when it was last written; `./test` fails when other tests prove
something. *Open* says what no test proves, and why.

| Requirement | | Test | Result |
|---|---|---|---|
";

/// The page, with the results where there are any.
#[must_use]
pub fn page(requirements: &[Requirement], proofs: &[Proof], results: &Results) -> String {
    let mut page = HEAD.to_owned();
    for Requirement { id, title, open } in requirements {
        let own: Vec<&Proof> = proofs.iter().filter(|proof| proof.proves.contains(id)).collect();
        let mut name = format!("{id} | {title}");
        for Proof { file, test, .. } in &own {
            let result = results.of(&binary(file), test).unwrap_or("not run");
            // Writing to a String cannot fail.
            let _ = writeln!(page, "| {name} | `{test}` ({file}) | {result} |");
            name = " | ".to_owned();
        }
        if let Some(why) = open {
            let _ = writeln!(page, "| {name} | open: {why} | |");
        } else if own.is_empty() {
            let _ = writeln!(page, "| {name} | **none** | |");
        }
    }
    page
}

/// The page's lines without the last cell of the table.
#[must_use]
pub fn without_results(page: &str) -> Vec<&str> {
    let cell = |line: &'_ str| line.trim_end_matches(" |").rfind(" | ");
    page.lines().map(|line| cell(line).map_or(line, |at| line.split_at(at).0)).collect()
}

/// The requirements that no test names and nothing explains.
#[must_use]
pub fn unproved<'a>(requirements: &'a [Requirement], proofs: &[Proof]) -> Vec<&'a str> {
    let named = |id: &String| proofs.iter().any(|proof| proof.proves.contains(id));
    let left = requirements.iter().filter(|own| own.open.is_none() && !named(&own.id));
    left.map(|own| own.id.as_str()).collect()
}

/// What is named but not on the list.
#[must_use]
pub fn unknown<'a>(requirements: &[Requirement], proofs: &'a [Proof]) -> Vec<&'a str> {
    let listed = |id: &&String| requirements.iter().any(|own| own.id == **id);
    proofs
        .iter()
        .flat_map(|proof| &proof.proves)
        .filter(|id| !listed(id))
        .map(String::as_str)
        .collect()
}

/// The binary that a file's tests are built into: the crate, or the test's own.
fn binary(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').collect();
    let name = match parts.as_slice() {
        [_, "tests", own] => own.trim_end_matches(".rs"),
        [_, "tests", folder, ..] => folder,
        ["tests", ..] => "indrul_tests",
        [krate, ..] => krate,
        [] => file,
    };
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_differ_in_results_only_name_the_same_tests() {
        let [one, other] =
            ["passed", "not run"].map(|r| format!("head\n| A1 | x | `t` (f) | {r} |\n"));
        assert_eq!(without_results(&one), ["head", "| A1 | x | `t` (f)"]);
        assert_eq!(without_results(&one), without_results(&other));
    }

    #[test]
    fn a_file_belongs_to_its_crate_or_is_a_test_of_its_own() {
        let files = [
            ("enroll-core/src/case.rs", "enroll_core"),
            ("server/tests/serve.rs", "serve"),
            ("server/tests/service/relay.rs", "service"),
            ("tests/tests/logs.rs", "logs"),
            ("tests/src/run.rs", "indrul_tests"),
        ];
        files.into_iter().for_each(|(file, wanted)| assert_eq!(binary(file), wanted));
    }
}
