//! What the pages of citizen, kiosk and officer say: `texts/da.ftl` and `texts/en.ftl` (Project Fluent). Tests keep the two
//! complete and used, and text out of the templates.

use super::texts::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::LazyLock;

const DANISH: &str = include_str!("../../texts/da.ftl");
const ENGLISH: &str = include_str!("../../texts/en.ftl");

type Bundle = FluentBundle<FluentResource>;

static TEXTS: LazyLock<[Bundle; 2]> =
    LazyLock::new(|| [bundle("da", DANISH), bundle("en", ENGLISH)]);

#[expect(clippy::expect_used, reason = "the texts are part of the program; a test parses them")]
fn bundle(code: &str, source: &str) -> Bundle {
    let language = code.parse().expect("a language tag");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks are for mixed directions of writing, which the two languages do not have.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(source.to_owned()).expect("texts that parse");
    bundle.add_resource(resource).expect("each text once");
    bundle
}

/// The text `id` in `language`.
#[must_use]
pub(crate) fn text(language: Language, id: &str) -> String {
    format(language, id, None)
}

/// The text `id` in `language` with its variables.
#[must_use]
pub(crate) fn with(language: Language, id: &str, variables: &[(&'static str, &str)]) -> String {
    let mut values = FluentArgs::new();
    for (name, value) in variables {
        values.set(*name, FluentValue::from((*value).to_owned()));
    }
    format(language, id, Some(&values))
}

fn format(language: Language, id: &str, values: Option<&FluentArgs<'_>>) -> String {
    let [danish, english] = &*TEXTS;
    let bundle = if language == Language::Da { danish } else { english };
    let mut errors = Vec::new();
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    let text = pattern.map(|pattern| bundle.format_pattern(pattern, values, &mut errors));
    if text.is_none() || !errors.is_empty() {
        tracing::error!(id, "a text is missing, or a variable of it");
    }
    text.map_or_else(|| id.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
