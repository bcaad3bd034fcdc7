//! What every page must be in every state: accessible (axe-core), whole, no wider than the screen, and in
//! one language.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "for tests only")]

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use enroll_core::reason::table;
use serde_json::{Value, json};

use crate::{
    testing::{data, root},
    webdriver::Browser,
};

/// Everything that a person reads or is read, also what is hidden so far: the texts of elements, the
/// attributes that are spoken or that a script shows. What is code, raw evidence, or marked as of another
/// language is none.
const WORDS: &str = "
    const apart = 'script, style, .code, code, pre, .evidence, [translate=no], :not(html)[lang]';
    const found = [document.title];
    for (const element of document.querySelectorAll('body, body *')) {
        if (element.closest(apart)) continue;
        for (const node of element.childNodes) {
            if (node.nodeType === Node.TEXT_NODE) found.push(node.data.trim());
        }
        for (const { name, value } of element.attributes) {
            const spoken = ['alt', 'aria-label', 'title', 'placeholder'].includes(name);
            if (spoken || (name.startsWith('data-') && value.includes(' '))) found.push(value.trim());
        }
    }
    return { language: document.documentElement.lang, texts: found.filter(Boolean) };";

/// Words that one of the two languages cannot do without and the other does not have.
const ENGLISH: [&str; 24] = [
    "the", "of", "you", "your", "with", "this", "that", "is", "are", "was", "which", "and", "not",
    "from", "been", "will", "passport", "by", "it", "must", "again", "their", "no", "but",
];
const DANISH: [&str; 24] = [
    "og", "ikke", "det", "din", "dit", "på", "af", "som", "til", "passet", "er", "kan", "skal",
    "eller", "jeg", "en", "et", "igen", "når", "så", "hvis", "fra", "blev", "har",
];

/// axe-core, as `scripts/pages` puts it there.
static AXE: LazyLock<String> = LazyLock::new(|| {
    fs::read_to_string(data().join("pages-test/axe.min.js"))
        .expect("run scripts/pages first, as ./test does")
});

/// Checks the page that `browser` shows, by this `name`.
pub fn check(browser: &Browser, name: &str) {
    let evaluate = |script: &str| browser.evaluate(script).expect("a script that runs");
    // Once for a page, however often it is looked at.
    if evaluate("return window.axe === undefined") == true {
        evaluate(&AXE);
    }
    let run = "return axe.run().then((found) => { if (!found.passes.length) throw Error('nothing was looked at'); return found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]); })";
    assert_eq!(evaluate(run), json!([]), "{name}: axe-core");
    let lost = "return performance.getEntriesByType('resource') \
        .filter((e) => e.responseStatus >= 400 && e.name.includes('/assets/')).map((e) => e.name)";
    assert_eq!(evaluate(lost), json!([]), "{name}: files that are not there");
    let wide = "return document.documentElement.scrollWidth <= innerWidth ? [] : \
        [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth) \
        .map((e) => e.outerHTML.slice(0, 120))";
    assert_eq!(evaluate(wide), json!([]), "{name} scrolls sideways");
    let words = evaluate(WORDS);
    let texts = words.get("texts").and_then(Value::as_array).expect("a list of texts");
    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
    let danish = words.get("language").and_then(Value::as_str) == Some("da");
    assert!(texts.len() > 3, "{name}: {texts:?}");
    assert_eq!(foreign(&texts, danish), Vec::<String>::new(), "{name}: of the other language");
}

/// Those of `texts` that are of the other language: they hold a word of it, or are one of its texts.
#[must_use]
pub fn foreign(texts: &[&str], danish: bool) -> Vec<String> {
    let words: &[&str] = if danish { &ENGLISH } else { &DANISH };
    let [da, en] = all_texts();
    let (own, other) = if danish { (da, en) } else { (en, da) };
    let is_foreign = |text: &str| {
        let lower = text.to_lowercase();
        let mut parts = lower.split(|c: char| !c.is_alphabetic());
        parts.any(|part| words.contains(&part)) || (other.contains(text) && !own.contains(text))
    };
    texts.iter().filter(|text| is_foreign(text)).map(|&text| text.to_owned()).collect()
}

/// Every text of the pages and of the reasons, Danish and English.
fn all_texts() -> [BTreeSet<String>; 2] {
    let file = |name: &str| {
        let path = root().join("server/texts").join(name);
        let text = fs::read_to_string(Path::new(&path)).expect("the texts");
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        lines.map(|(_, text)| text.trim().to_owned()).collect::<BTreeSet<_>>()
    };
    let [mut da, mut en] = [file("da.ftl"), file("en.ftl")];
    for entry in table() {
        da.extend([&entry.text, &entry.next].map(|text| text.da.clone()));
        en.extend([&entry.text, &entry.next].map(|text| text.en.clone()));
    }
    [da, en]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_other_language_is_found() {
        let texts =
            ["Vis dit ansigt", "Show your face", "Continue", "Fortsæt", "SMS", "Borgercenter"];
        assert_eq!(foreign(&texts, true), ["Show your face", "Continue"]);
        assert_eq!(foreign(&texts, false), ["Vis dit ansigt", "Fortsæt"]);
    }
}
