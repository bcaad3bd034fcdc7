//! From what was found to what is done: one pure function (STYLE 16).
//!
//! It fails closed (D6): an identity is issued only if every required check has passed and no
//! other check has failed; a check that is missing, was not performed or is unknown to the policy
//! never helps.

use serde::{Deserialize, Serialize};

use crate::{
    check::{Check, Outcome},
    policy::Policy,
    reason::{LeadsTo, ReasonCode, Step},
};

/// All checks of a case, one per id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings {
    checks: Vec<Check>,
}

impl Findings {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check; a later one replaces an earlier one of the same id. A suspicion of a morph stands: of a
    /// portrait that one picture suspected another one proves nothing, and a person settles it (D7).
    pub fn record(&mut self, check: Check) {
        match self.checks.iter_mut().find(|held| held.id == check.id) {
            Some(held) if is_suspicion(held) => {}
            Some(held) => *held = check,
            None => self.checks.push(check),
        }
    }

    /// Adds each check, as [`Findings::record`].
    pub fn record_all(&mut self, checks: impl IntoIterator<Item = Check>) {
        checks.into_iter().for_each(|check| self.record(check));
    }

    /// Forgets every check whose id starts with one of `prefixes`, but a suspicion of a morph: what is read
    /// anew is judged anew (B5).
    pub fn forget(&mut self, prefixes: &[&str]) {
        let named = |check: &Check| prefixes.iter().any(|prefix| check.id.starts_with(prefix));
        self.checks.retain(|check| is_suspicion(check) || !named(check));
    }

    /// The check with `id`.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// All, in the order in which they were first recorded.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

fn is_suspicion(check: &Check) -> bool {
    check.reason == Some(ReasonCode::FACE_MORPH_SUSPECTED)
}

impl FromIterator<Check> for Findings {
    fn from_iter<I: IntoIterator<Item = Check>>(checks: I) -> Self {
        let mut findings = Self::new();
        findings.record_all(checks);
        findings
    }
}

/// The level of an identity made at home: NSIS *Betydelig*. There is no higher one that
/// self-service could name (E1); a new one comes from [`decide`] or an officer's approval only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substantial(());

impl Substantial {
    /// As relying parties know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        "Substantial"
    }

    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// NSIS *Høj*, with the officer who gave it: a new one comes from an officer's approval only (E1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct High {
    officer: String,
}

impl High {
    pub(crate) fn by(officer: String) -> Self {
        Self { officer }
    }
}

/// The level of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// *Betydelig*.
    Substantial(Substantial),
    /// *Høj*.
    High(High),
}

impl Level {
    /// As relying parties know it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Substantial(level) => level.as_str(),
            Self::High(_) => "High",
        }
    }

    /// The officer who gave it; nobody for *Betydelig*.
    #[must_use]
    pub fn officer(&self) -> Option<&str> {
        match self {
            Self::Substantial(_) => None,
            Self::High(high) => Some(&high.officer),
        }
    }

    /// The level of a record whose signature has been verified: High names its officer, and nothing
    /// else has one.
    pub(crate) fn of_record(level: &str, officer: Option<String>) -> Option<Self> {
        match (level, officer) {
            ("Substantial", None) => Some(Self::Substantial(Substantial::new())),
            ("High", Some(officer)) => Some(Self::High(High { officer })),
            _ => None,
        }
    }
}

impl Serialize for Level {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("level", self.as_str())?;
        if let Some(officer) = self.officer() {
            map.serialize_entry("officer", officer)?;
        }
        map.end()
    }
}

impl Serialize for Substantial {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// An identity is issued.
    Issue {
        /// At this level.
        level: Substantial,
    },
    /// The person does a step again.
    TryAgain {
        /// This one.
        step: Step,
    },
    /// A Borgercenter takes over.
    Refer,
    /// No identity.
    Refuse,
}

/// The verdict in one word (INTERFACES, *Results*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything required holds.
    Accepted,
    /// Something does not hold.
    Refused,
    /// Neither is known.
    Inconclusive,
}

/// What is decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// In one word.
    pub verdict: Verdict,
    /// What is done.
    pub action: Action,
    /// The reasons that decided it, worst first; empty if accepted.
    pub reasons: Vec<ReasonCode>,
}

/// Decides a case. Of all objections the worst class decides (refuse, then refer, then try
/// again), and only its reasons are given.
#[must_use]
pub fn decide(findings: &Findings, policy: &Policy) -> Decision {
    let found = objections(findings, policy);
    let mut reasons: Vec<ReasonCode> = found.iter().filter_map(|(_, reason)| *reason).collect();
    reasons.sort();
    reasons.dedup();
    match reasons.first() {
        Some(worst) => because(*worst, &reasons),
        None if found.is_empty() => issue(),
        None => because(ReasonCode::CASE_INCOMPLETE, &[ReasonCode::CASE_INCOMPLETE]),
    }
}

/// The verdict on `checks` alone where nothing is issued, as the command line gives it: refused if
/// one failed, inconclusive if one of `required` has not passed.
#[must_use]
pub fn judge(checks: &[Check], required: &[&str]) -> (Verdict, Vec<ReasonCode>) {
    let policy = Policy {
        required: required.iter().map(|&id| id.to_owned()).collect(),
        any_of: Vec::new(),
        advisory: Vec::new(),
        ..Policy::default()
    };
    let decision = decide(&checks.iter().cloned().collect(), &policy);
    (decision.verdict, decision.reasons)
}

fn issue() -> Decision {
    let action = Action::Issue { level: Substantial::new() };
    Decision { verdict: Verdict::Accepted, action, reasons: Vec::new() }
}

fn because(worst: ReasonCode, sorted: &[ReasonCode]) -> Decision {
    let (verdict, action) = match worst.leads_to() {
        LeadsTo::Refuse => (Verdict::Refused, Action::Refuse),
        LeadsTo::Refer => (Verdict::Inconclusive, Action::Refer),
        LeadsTo::Retry(step) => (Verdict::Inconclusive, Action::TryAgain { step }),
    };
    let decided = |reason: &&ReasonCode| reason.leads_to() == worst.leads_to();
    Decision { verdict, action, reasons: sorted.iter().filter(decided).copied().collect() }
}

/// One entry per objection: the check, and its reason; one without a reason of its own has `None`.
type Objections<'a> = Vec<(&'a str, Option<ReasonCode>)>;

/// All there is against issuing.
pub(crate) fn objections<'a>(findings: &'a Findings, policy: &'a Policy) -> Objections<'a> {
    let failed = findings
        .checks()
        .iter()
        .filter(|check| check.outcome == Outcome::Failed && !policy.advisory.contains(&check.id))
        .map(|check| (check.id.as_str(), check.reason));
    let required = policy.required.iter().filter_map(|id| lacking(findings, id));
    let any_of = policy.any_of.iter().flat_map(|group| none_of(findings, group));
    failed.chain(required).chain(any_of).collect()
}

/// The objection to a required check that has not passed.
fn lacking<'a>(findings: &Findings, id: &'a str) -> Option<(&'a str, Option<ReasonCode>)> {
    match findings.find(id) {
        Some(check) if check.is_passed() => None,
        Some(check) => Some((id, check.reason)),
        None => Some((id, None)),
    }
}

/// The objections to a group of which one must have passed.
fn none_of<'a>(findings: &Findings, group: &'a [String]) -> Objections<'a> {
    let lacking: Objections<'_> = group.iter().filter_map(|id| lacking(findings, id)).collect();
    if lacking.len() == group.len() {
        return if lacking.is_empty() { vec![("", None)] } else { lacking };
    }
    lacking.into_iter().filter(|(_, reason)| !reason.is_some_and(is_absent)).collect()
}

/// Whether the chip has no such key at all.
fn is_absent(reason: ReasonCode) -> bool {
    [ReasonCode::CHIP_AUTHENTICATION_MISSING, ReasonCode::ACTIVE_AUTHENTICATION_MISSING]
        .contains(&reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reason::table;

    fn good() -> Findings {
        let policy = Policy::default();
        let required = policy.required.iter().chain(policy.any_of.iter().flatten());
        required.map(|id| Check::passed(id, json!({}))).collect()
    }

    fn with(checks: impl IntoIterator<Item = Check>) -> Decision {
        let mut findings = good();
        findings.record_all(checks);
        decide(&findings, &Policy::default())
    }

    fn code(code: &str) -> ReasonCode {
        ReasonCode::known(code).unwrap()
    }

    fn failed(id: &str, reason: &str) -> Check {
        Check::failed(id, code(reason), json!({}))
    }

    fn absent(id: &str, reason: &str) -> Check {
        Check::not_performed(id, code(reason), json!({}))
    }

    fn codes(decision: &Decision) -> Vec<&'static str> {
        decision.reasons.iter().map(|reason| reason.as_str()).collect()
    }

    // proves E1
    #[test]
    fn all_passed_is_issued_at_substantial() {
        let decision = with([]);
        assert_eq!(decision.verdict, Verdict::Accepted);
        assert_eq!(
            serde_json::to_value(&decision).unwrap(),
            json!({"verdict": "accepted", "action": {"kind": "issue", "level": "Substantial"}, "reasons": []})
        );
    }

    // proves D6 (fail closed), for every required check and every way not to pass
    #[test]
    fn nothing_is_issued_unless_every_required_check_passed() {
        let policy = Policy::default();
        for id in &policy.required {
            let mut without = good();
            without.forget(&[id.as_str()]);
            let broken = Check { reason: None, ..failed(id, "case.state") };
            let ways = [
                decide(&without, &policy),
                with([Check::waiting(id, "another")]),
                with([absent(id, "person.unavailable")]),
                with([failed(id, "face.mismatch")]),
                with([broken]),
            ];
            for decision in ways {
                assert_ne!(decision.verdict, Verdict::Accepted, "{id}");
                assert!(!decision.reasons.is_empty(), "{id}");
            }
        }
        assert_ne!(decide(&Findings::new(), &policy).verdict, Verdict::Accepted);
    }

    #[test]
    fn every_reason_keeps_an_identity_from_being_issued() {
        for entry in table() {
            let decision = with([failed("some.other", &entry.code)]);
            assert_eq!(codes(&decision), [entry.code.as_str()]);
            let expected = match entry.leads_to {
                LeadsTo::Refuse => (Verdict::Refused, Action::Refuse),
                LeadsTo::Refer => (Verdict::Inconclusive, Action::Refer),
                LeadsTo::Retry(step) => (Verdict::Inconclusive, Action::TryAgain { step }),
            };
            assert_eq!((decision.verdict, decision.action), expected);
        }
    }

    #[test]
    fn only_the_worst_class_decides_worst_first() {
        let decision = with([
            failed("document.page_match", "document.page_mismatch"),
            failed("document.validity", "document.expired"),
            failed("dg.hash", "dg.hash_mismatch"),
            Check::waiting("face.match", "passive authentication"),
            absent("person.match", "person.unavailable"),
        ]);
        assert_eq!(decision.action, Action::Refuse);
        assert_eq!(codes(&decision), ["dg.hash_mismatch", "document.expired"]);
    }

    // proves D7
    #[test]
    fn a_suspected_morph_is_referred_and_neither_refused_nor_issued() {
        let suspected = || failed("face.morph", "face.morph_suspected");
        let decision = with([suspected()]);
        assert_eq!((decision.verdict, decision.action), (Verdict::Inconclusive, Action::Refer));
        assert_eq!(codes(&decision), ["face.morph_suspected"]);
        // A policy that does not name the check, and one that takes whatever was not refused.
        let none = Policy { required: Vec::new(), any_of: Vec::new(), ..Policy::default() };
        let findings: Findings = [suspected()].into_iter().collect();
        assert_eq!(decide(&findings, &none).action, Action::Refer);
        // Whom the portrait does not show at all is refused, as before.
        let other = with([suspected(), failed("face.match", "face.mismatch")]);
        assert_eq!((other.action, codes(&other)), (Action::Refuse, vec!["face.mismatch"]));
    }

    // proves D7 (no better picture washes it off, at home or at a kiosk)
    #[test]
    fn a_suspicion_stands_until_a_person_settles_it() {
        let mut findings = good();
        findings.record(failed("face.morph", "face.morph_suspected"));
        findings.record(Check::passed("face.morph", json!({})));
        findings.forget(&["face.", "chip"]);
        assert!(findings.find("face.match").is_none(), "all else is judged anew");
        findings.record_all(good().checks);
        let decision = decide(&findings, &Policy::default());
        assert_eq!(
            (decision.action, codes(&decision)),
            (Action::Refer, vec!["face.morph_suspected"])
        );
    }

    // proves D6
    #[test]
    fn a_portrait_that_was_not_looked_at_for_a_morph_issues_nothing() {
        let decision = with([Check::waiting("face.morph", "face.match")]);
        assert_eq!(decision.action, Action::Refer);
    }

    #[test]
    fn a_picture_that_can_be_better_is_tried_again() {
        let decision = with([
            failed("face.quality", "face.quality.too_dark"),
            Check::waiting("face.match", "face.quality"),
        ]);
        assert_eq!(decision.action, Action::TryAgain { step: Step::Face });
        assert_eq!(codes(&decision), ["face.quality.too_dark"]);
    }

    #[test]
    fn what_waits_for_nothing_named_is_incomplete() {
        let decision = with([Check::waiting("face.match", "something")]);
        assert_eq!(decision.action, Action::Refer);
        assert_eq!(codes(&decision), ["case.incomplete"]);
    }

    // proves B4
    #[test]
    fn one_proof_that_the_chip_is_genuine_is_enough_if_the_other_key_does_not_exist() {
        let no_aa = absent("active_authentication", "active_authentication.missing");
        let no_ca = absent("chip_authentication", "chip_authentication.missing");
        assert_eq!(with([no_aa.clone()]).verdict, Verdict::Accepted);
        assert_eq!(with([no_ca.clone()]).verdict, Verdict::Accepted);
        let neither = with([no_aa, no_ca]);
        assert_eq!(neither.action, Action::Refer);
        assert_eq!(
            codes(&neither),
            ["chip_authentication.missing", "active_authentication.missing"]
        );
    }

    // proves B4: what the chip does have must be proved
    #[test]
    fn a_key_that_exists_and_is_not_proved_is_not_accepted() {
        let ca_failed = with([failed("chip_authentication", "chip_authentication.failed")]);
        assert_eq!(codes(&ca_failed), ["chip_authentication.failed"]);
        let clone = with([
            failed("chip_authentication", "chip_authentication.failed"),
            failed("active_authentication", "active_authentication.failed"),
        ]);
        assert_eq!(codes(&clone), ["chip_authentication.failed", "active_authentication.failed"]);
        let withheld = with([absent("active_authentication", "dg.missing")]);
        assert_eq!(codes(&withheld), ["dg.missing"]);
        let skipped = with([Check::waiting("active_authentication", "the chip")]);
        assert_ne!(skipped.verdict, Verdict::Accepted);
    }

    #[test]
    fn advisory_checks_are_recorded_and_do_not_decide() {
        let decision = with([failed("face.attack", "face.attack")]);
        assert_eq!(decision.verdict, Verdict::Accepted);
        let strict = Policy { advisory: Vec::new(), ..Policy::default() };
        let mut findings = good();
        findings.record(failed("face.attack", "face.attack"));
        assert_eq!(decide(&findings, &strict).action, Action::Refuse);
    }

    // proves B5
    #[test]
    fn what_is_read_anew_replaces_and_can_be_forgotten() {
        let mut findings = good();
        findings.record(failed("dg.hash", "dg.hash_mismatch"));
        findings.record(Check::passed("dg.hash", json!({})));
        assert_eq!(decide(&findings, &Policy::default()).verdict, Verdict::Accepted);
        findings.forget(&["sod.", "dg."]);
        assert!(findings.find("sod.signature").is_none());
        assert_ne!(decide(&findings, &Policy::default()).verdict, Verdict::Accepted);
    }

    #[test]
    fn a_judgement_needs_its_own_checks_only() {
        let checks = [Check::passed("sod.signature", json!({})), Check::waiting("dg.hash", "DG1")];
        assert_eq!(judge(&checks, &["sod.signature"]), (Verdict::Accepted, Vec::new()));
        assert_eq!(judge(&checks, &["dg.hash"]).0, Verdict::Inconclusive);
    }
}
