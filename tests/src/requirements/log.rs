//! What the test runner printed of each test.

use std::collections::BTreeMap;

/// What came of tests, by the names of their functions.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<String, Vec<(String, String)>>);

impl Results {
    /// Reads what `cargo test` prints: of each test binary its name, and of each test a line.
    #[must_use]
    pub fn read(text: &str) -> Results {
        let (mut results, mut binary) = (Results::default(), String::new());
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("Running ") {
                binary = rest.split(['(', ')']).nth(1).unwrap_or(rest).to_owned();
            } else if let Some((path, outcome)) =
                line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
            {
                let test = path.split_whitespace().next().unwrap_or(path);
                let function = test.rsplit("::").next().unwrap_or(test).to_owned();
                results.0.entry(function).or_default().push((binary.clone(), outcome.to_owned()));
            }
        }
        results
    }

    /// `passed`, or what else came of a test in the binaries whose names begin so. None if it was
    /// not run.
    #[must_use]
    pub fn of(&self, crate_or_test: &str, function: &str) -> Option<&str> {
        let binaries = self.0.get(function)?.iter();
        let mut own = binaries.filter(|(binary, _)| stem(binary) == crate_or_test).peekable();
        own.peek()?;
        Some(own.find(|(_, outcome)| outcome != "ok").map_or("passed", |(_, outcome)| outcome))
    }
}

/// A test binary's name without folder and hash.
fn stem(binary: &str) -> &str {
    let name = binary.rsplit('/').next().unwrap_or(binary);
    name.rsplit_once('-').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_by_its_binary_and_function() {
        let text = "
     Running unittests src/lib.rs (target/debug/deps/enroll_core-0aa1)
test case::tests::one ... ok
test case::tests::two ... FAILED
     Running tests/serve.rs (target/debug/deps/serve-1f)
test one ... ignored, needs more
test sqlite::three ... ok
";
        let results = Results::read(text);
        assert_eq!(results.of("enroll_core", "one"), Some("passed"));
        assert_eq!(results.of("enroll_core", "two"), Some("FAILED"));
        assert_eq!(results.of("serve", "one"), Some("ignored, needs more"));
        assert_eq!(results.of("serve", "three"), Some("passed"));
        assert_eq!(results.of("serve", "two"), None);
    }
}
