//! What stands around and recurs on the citizen's pages.

use super::fluent;
use super::texts::Language;
use super::visit::Visit;
use enroll_core::reason::ReasonCode;

/// Steps that a person goes through.
const STEPS: u8 = 8;

/// What every page knows: how it is shown, and what it is called.
pub(super) struct Layout {
    pub(super) lang: Language,
    pub(super) large: bool,
    pub(super) contrast: bool,
    pub(super) helper: bool,
    /// Name of the title's text.
    pub(super) title: &'static str,
    /// 1 to 8, or 0 for a page that is no step.
    step: u8,
}

impl Layout {
    pub(super) fn of(visit: &Visit, step: u8, title: &'static str) -> Self {
        let Visit { language: lang, large, contrast, helper, .. } = *visit;
        Self { lang, large, contrast, helper, title, step }
    }

    /// The text `id`.
    pub(super) fn t(&self, id: &str) -> String {
        fluent::text(self.lang, id)
    }

    /// The text `id` with one variable.
    pub(super) fn with(&self, id: &str, name: &'static str, value: &str) -> String {
        fluent::with(self.lang, id, &[(name, value)])
    }

    /// `Step 3 of 8`, on a page that is one.
    pub(super) fn step(&self) -> Option<String> {
        let (step, steps) = (self.step.to_string(), STEPS.to_string());
        let text = || fluent::with(self.lang, "step-of", &[("step", &step), ("steps", &steps)]);
        (self.step > 0).then(text)
    }
}

/// What was wrong and what to do now.
pub(super) struct Why {
    pub(super) text: String,
    pub(super) next: Option<String>,
    /// The reason's code, for staff; none for what is put right on the page itself.
    pub(super) code: Option<&'static str>,
}

impl Why {
    /// The reason in words (H6).
    pub(super) fn reason(lang: Language, code: ReasonCode) -> Self {
        let entry = code.entry();
        let (text, next) = (lang.text(&entry.text).to_owned(), lang.text(&entry.next).to_owned());
        Self { text, next: Some(next), code: Some(code.as_str()) }
    }

    /// The text `id` of the pages.
    pub(super) fn text(lang: Language, id: &str) -> Self {
        Self { text: fluent::text(lang, id), next: None, code: None }
    }
}
