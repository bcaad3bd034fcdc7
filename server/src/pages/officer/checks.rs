//! The checks of a case in words, in the order in which people meet them.

use super::super::fluent;
use super::super::layout::Why;
use super::super::texts::Language;
use crate::app::CheckView;
use enroll_core::policy::Policy;
use enroll_core::reason::ReasonCode;
use serde_json::Value;

/// A check's id, and the name of its text.
type Named = (&'static str, &'static str);

/// A group of checks: name of its title, name of what it means, its checks.
const GROUPS: [(&str, &str, &[Named]); 8] = [
    (
        "checks-page",
        "checks-page-what",
        &[
            ("mrz.check_digits", "check-mrz-check-digits"),
            ("mrz.confidence", "check-mrz-confidence"),
        ],
    ),
    (
        "checks-access",
        "checks-access-what",
        &[
            ("chip.access", "check-chip-access"),
            ("chip.downgrade", "check-chip-downgrade"),
            ("com.content", "check-com-content"),
        ],
    ),
    (
        "checks-issuer",
        "checks-issuer-what",
        &[
            ("sod.signature", "check-sod-signature"),
            ("sod.digest", "check-sod-digest"),
            ("dg.hash", "check-dg-hash"),
            ("dg.content", "check-dg-content"),
            ("signer.chain", "check-signer-chain"),
            ("signer.validity", "check-signer-validity"),
            ("signer.country", "check-signer-country"),
            ("signer.revocation", "check-signer-revocation"),
        ],
    ),
    (
        "checks-genuine",
        "checks-genuine-what",
        &[
            ("chip_authentication", "check-chip-authentication"),
            ("active_authentication", "check-active-authentication"),
        ],
    ),
    (
        "checks-document",
        "checks-document-what",
        &[
            ("document.type", "check-document-type"),
            ("document.validity", "check-document-validity"),
            ("document.page_match", "check-document-page-match"),
            ("document.status", "check-document-status"),
            ("document.unused", "check-document-unused"),
        ],
    ),
    (
        "checks-face",
        "checks-face-what",
        &[
            ("face.detected", "check-face-detected"),
            ("face.quality", "check-face-quality"),
            ("face.match", "check-face-match"),
            ("face.morph", "check-face-morph"),
            ("face.attack", "check-face-attack"),
            ("face.challenge", "check-face-challenge"),
        ],
    ),
    (
        "checks-person",
        "checks-person-what",
        &[
            ("person.match", "check-person-match"),
            ("person.status", "check-person-status"),
            ("person.age", "check-person-age"),
            ("identity.open", "check-identity-open"),
        ],
    ),
    (
        "checks-level",
        "checks-level-what",
        &[
            ("level.high", "check-level-high"),
            ("officer.approved", "check-officer-approved"),
            ("officer.portrait_compared", "check-officer-portrait"),
        ],
    ),
];

/// A group as it is shown.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) what: String,
    pub(super) lines: Vec<Line>,
}

impl Group {
    /// How what decides in the group stands, as its class.
    pub(super) fn class(&self) -> &'static str {
        let mut deciding = self.lines.iter().filter(|line| !line.advisory);
        if deciding.clone().any(|line| line.standing == Standing::Failed) {
            "some-bad"
        } else if deciding.all(|line| line.standing == Standing::Passed) {
            "all-good"
        } else {
            ""
        }
    }
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Passed,
    Failed,
    NotPerformed,
    /// It is required, and was not run at all.
    Missing,
}

/// A check as it is shown.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) standing: Standing,
    /// It decides nothing.
    pub(super) advisory: bool,
    pub(super) why: Option<Why>,
    /// What was measured or found, as the programs name it.
    pub(super) found: Vec<(String, String)>,
}

impl Line {
    /// Class, sign and name of the text of how it stands.
    pub(super) fn shown(&self) -> (&'static str, &'static str, &'static str) {
        match self.standing {
            Standing::Passed => ("passed", "✓", "check-passed"),
            Standing::Failed => ("failed", "✕", "check-failed"),
            Standing::NotPerformed => ("missing", "–", "check-not-performed"),
            Standing::Missing => ("missing", "?", "check-missing"),
        }
    }
}

/// All checks by group. What has no place in one stands at the end under its id.
pub(super) fn groups(lang: Language, policy: &Policy, checks: &[CheckView]) -> Vec<Group> {
    let known = |id: &str| GROUPS.iter().any(|(.., names)| names.iter().any(|(k, _)| *k == id));
    let mut found: Vec<Group> = GROUPS
        .iter()
        .map(|(title, what, names)| Group {
            title: fluent::text(lang, title),
            what: fluent::text(lang, what),
            lines: names.iter().flat_map(|name| lines(lang, policy, checks, *name)).collect(),
        })
        .collect();
    let others = checks.iter().filter(|check| !known(&check.id));
    if let Some(last) = found.last_mut() {
        last.lines.extend(others.map(|check| line(lang, policy, check, check.id.clone())));
    }
    found.retain(|group| !group.lines.is_empty());
    found
}

/// The lines of one check: there may be several, or the one that is missing.
fn lines(lang: Language, policy: &Policy, checks: &[CheckView], (id, text): Named) -> Vec<Line> {
    let name = fluent::text(lang, text);
    let of_id = checks.iter().filter(|check| check.id == id);
    let found: Vec<Line> = of_id.map(|check| line(lang, policy, check, name.clone())).collect();
    if !found.is_empty() || !policy.requires(id) {
        return found;
    }
    let (id, standing) = (id.to_owned(), Standing::Missing);
    vec![Line { id, name, standing, advisory: false, why: None, found: Vec::new() }]
}

fn line(lang: Language, policy: &Policy, check: &CheckView, name: String) -> Line {
    let standing = match check.outcome {
        "passed" => Standing::Passed,
        "failed" => Standing::Failed,
        _ => Standing::NotPerformed,
    };
    let code = check.reason.as_deref().and_then(ReasonCode::known);
    Line {
        id: check.id.clone(),
        name,
        standing,
        advisory: policy.advisory.contains(&check.id),
        why: code.map(|code| Why::reason(lang, code)),
        found: pairs(&check.evidence),
    }
}

/// The members of what was found, each on one line.
fn pairs(evidence: &Value) -> Vec<(String, String)> {
    let Value::Object(fields) = evidence else { return Vec::new() };
    let fields = fields.iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(id: &str, outcome: &'static str, reason: Option<&str>) -> CheckView {
        let (id, reason) = (id.to_owned(), reason.map(str::to_owned));
        CheckView { id, outcome, reason, evidence: json!({ "score": 0.5, "none": null }) }
    }

    #[test]
    fn each_check_has_its_place_and_what_is_required_and_absent_is_missing() {
        let checks = [
            check("chip.access", "passed", None),
            check("dg.hash", "failed", Some("dg.hash_mismatch")),
            check("some.check", "not_performed", None),
        ];
        let found = groups(Language::Da, &Policy::default(), &checks);
        let all: Vec<&Line> = found.iter().flat_map(|group| &group.lines).collect();
        let of = |id: &str| all.iter().find(|line| line.id == id).unwrap();
        assert_eq!(of("chip.access").standing, Standing::Passed);
        assert_eq!(of("chip.access").found, [("score".to_owned(), "0.5".to_owned())]);
        assert_eq!(of("dg.hash").why.as_ref().unwrap().code, Some("dg.hash_mismatch"));
        assert_eq!(of("some.check").name, "some.check");
        assert_eq!(of("face.match").standing, Standing::Missing);
        assert!(!all.iter().any(|line| line.id == "officer.approved"), "nobody asks for it");
    }

    #[test]
    fn every_check_that_a_policy_names_has_words() {
        let policy = Policy::default();
        let named = policy.required.iter().chain(policy.any_of.iter().flatten());
        for id in named.chain(&policy.advisory) {
            let has_words = GROUPS.iter().any(|(.., names)| names.iter().any(|(k, _)| k == id));
            assert!(has_words, "{id}");
        }
    }
}
