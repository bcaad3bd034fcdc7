use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every variable of a text.
const VARIABLES: [&str; 19] = [
    "party",
    "step",
    "steps",
    "version",
    "tries",
    "day",
    "deviation",
    "right",
    "wrong",
    "open",
    "done",
    "total",
    "count",
    "ms",
    "at",
    "took",
    "file",
    "offset",
    "cipher",
];

/// The names of the texts in `source`, by the lines that begin one.
fn names(source: &str) -> BTreeSet<String> {
    let starts = source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    starts.filter_map(|line| Some(line.split_once(" =")?.0.to_owned())).collect()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == ending) => found.push(path),
                false => {}
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Every string literal of templates and pages.
fn literals() -> BTreeSet<String> {
    let mut files = files("templates", "html");
    for folder in ["src/pages", "src/demo"] {
        files.extend(self::files(folder, "rs").into_iter().filter(|f| !f.ends_with("tests.rs")));
    }
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.split('"').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What is passed to `t("…"` in the templates: names of texts.
fn asked() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files("templates", "html") {
        let text = fs::read_to_string(file).unwrap();
        for (_, after) in [".t(\"", ".with(\""]
            .iter()
            .flat_map(|call| text.split(call).skip(1).map(move |a| (call, a)))
        {
            found.insert(after.split('"').next().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn both_languages_have_the_same_texts_and_each_says_something_of_its_own() {
    assert_eq!(names(DANISH), names(ENGLISH));
    // Words that are the same in both.
    let same = [
        "brand",
        "contact-notices-sms",
        "contact-notices-email",
        "done-app",
        "challenge-stop",
        "demo-step-chip",
    ];
    for name in names(DANISH) {
        let [da, en] = [Language::Da, Language::En].map(|language| {
            let values = VARIABLES.map(|name| (name, "7"));
            with(language, &name, &values)
        });
        assert!(!da.trim().is_empty() && !en.trim().is_empty(), "{name}");
        assert!(
            da != en || same.contains(&name.as_str()),
            "{name} is the same in both languages: {da}"
        );
    }
}

#[test]
fn no_text_is_missing_and_none_is_unused() {
    let known = names(DANISH);
    let missing: Vec<_> = asked().difference(&known).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "missing");
    let used = literals();
    let unused: Vec<_> = known.difference(&used).cloned().collect();
    assert_eq!(unused, Vec::<String>::new(), "unused");
}

/// A template without its expressions, blocks and comments.
fn bare(template: &str) -> String {
    let mut text = template.to_owned();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}")] {
        while let Some(start) = text.find(open) {
            let end = start + text[start..].find(close).expect("a closed expression") + 2;
            text.replace_range(start..end, "");
        }
    }
    text
}

#[test]
fn no_template_holds_text_of_its_own() {
    for file in files("templates", "html") {
        let text = bare(&fs::read_to_string(&file).unwrap());
        for after in text.split('>').skip(1) {
            let between = after.split('<').next().unwrap();
            assert!(!between.contains(char::is_alphabetic), "{}: {between}", file.display());
        }
        for attribute in
            ["alt=\"", "aria-label=\"", "title=\"", "placeholder=\"", "content=\"Indrul"]
        {
            for value in text.split(attribute).skip(1) {
                let value = value.split('"').next().unwrap();
                assert!(!value.contains(char::is_alphabetic), "{}: {value}", file.display());
            }
        }
    }
}
