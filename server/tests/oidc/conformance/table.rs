//! `docs/conformance-openid.md` names tests that there are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every name of a test in the sources under `folder`.
fn tests_under(folder: &Path, found: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_under(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let after = text.split("#[test]").skip(1);
            let names = after.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn the_table_of_modules_names_tests_that_there_are() {
    let page = std::fs::read_to_string(root().join("docs/conformance-openid.md")).unwrap();
    let mut tests = HashSet::new();
    for folder in ["server/tests/oidc", "server/src"] {
        tests_under(&root().join(folder), &mut tests);
    }
    let mut modules = HashSet::new();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, module, named, said, _] = cells.as_slice() else { panic!("no row: {row}") };
        assert!(modules.insert((*module).to_owned()), "twice: {module}");
        let names: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        for name in &names {
            assert!(tests.contains(*name), "{module}: there is no test {name}");
        }
        let applies = *named != "does not apply";
        assert_eq!(applies, !names.is_empty(), "{module} has a test, or does not apply");
        assert!(applies || !said.is_empty(), "{module}: say why it does not apply");
    }
    for plan in ["`oidcc-", "`fapi2-security-profile-final-", "`fapi-ciba-id1"] {
        let count = modules.iter().filter(|module| module.starts_with(plan)).count();
        assert!(count > 30, "{plan}: {count} modules");
    }
}
