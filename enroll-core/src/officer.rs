//! Officers of a Borgercenter: whether one may sign in, and what one may approve.
//!
//! An approval is the only way to level High (E1), and rests on a document whose chip was proved. What
//! is a refusal for the machine stays one for the officer; what the machine could not tell the officer
//! may, and most of it only of a person who stands there.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    case::Case,
    decide::{Findings, High, Level, Substantial, objections},
    policy::{self, Policy},
    reason::{LeadsTo, ReasonCode, Step},
};

/// Whether an officer may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Account {
    /// They may.
    Active {
        /// Wrong tries in a row.
        wrong: u16,
        /// The step of the last code taken ([`crate::totp`]).
        step: i64,
        /// Until when nothing is tried, after too many wrong ones.
        #[serde(default, with = "time::serde::rfc3339::option")]
        rests: Option<OffsetDateTime>,
    },
    /// They may not any more.
    Disabled {
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

impl Default for Account {
    fn default() -> Self {
        Self::Active { wrong: 0, step: 0, rests: None }
    }
}

impl Account {
    /// The step of the last code taken, if a try counts at `now`.
    #[must_use]
    pub fn last_step(&self, now: OffsetDateTime) -> Option<i64> {
        match self {
            Self::Active { step, rests, .. } if rests.is_none_or(|end| end <= now) => Some(*step),
            Self::Active { .. } | Self::Disabled { .. } => None,
        }
    }

    /// Signed in with the code of `step`.
    #[must_use]
    pub fn signed_in(self, step: i64) -> Self {
        match self {
            Self::Active { .. } => Self::Active { wrong: 0, step, rests: None },
            Self::Disabled { .. } => self,
        }
    }

    /// A wrong try; after too many nothing is tried for a while.
    #[must_use]
    pub fn failed(self, policy: &policy::Officer, now: OffsetDateTime) -> Self {
        let Self::Active { wrong, step, rests } = self else { return self };
        if rests.is_some_and(|end| end > now) {
            return Self::Active { wrong, step, rests };
        }
        let wrong = wrong.saturating_add(1);
        if wrong < policy.wrong {
            return Self::Active { wrong, step, rests: None };
        }
        let end = now + Duration::seconds(i64::from(policy.rest_s));
        Self::Active { wrong: 0, step, rests: Some(end) }
    }

    /// May not sign in any more. One who is disabled stays so since the first time.
    #[must_use]
    pub fn disabled(self, at: OffsetDateTime) -> Self {
        match self {
            Self::Active { .. } => Self::Disabled { at },
            Self::Disabled { .. } => self,
        }
    }
}

/// The level that an officer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// As at home.
    Substantial,
    /// Only of a person who is there.
    High,
}

/// What an officer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub officer: String,
    /// The level.
    pub level: Wanted,
    /// Whether the person stood before the officer, who compared face, portrait and document.
    pub in_person: bool,
    /// Whether the officer was shown the chip's portrait and compared it with the person.
    pub compared: bool,
}

/// An approval that may be made: only [`approve`] gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    level: Level,
    officer: String,
}

impl Approved {
    /// The level.
    #[must_use]
    pub fn level(&self) -> &Level {
        &self.level
    }

    /// Who approved.
    #[must_use]
    pub fn officer(&self) -> &str {
        &self.officer
    }
}

/// Whether the officer may approve `case` with these findings, in which the officer's own comparison
/// of the names already counts.
///
/// # Errors
/// The worst objection that the officer may not overrule: any refusal, a register that is silent or
/// knows nobody, a document that is not proved; `officer.presence` for what only a person who was there
/// can be given, and for a case that was opened at a kiosk while the person is not there;
/// `officer.portrait` and `officer.high_face` for a face that no machine has judged.
pub fn approve(
    findings: &Findings,
    policy: &Policy,
    case: &Case,
    approval: &Approval,
) -> Result<Approved, ReasonCode> {
    // What a kiosk saw is given to who stands there, and to nobody who began the case at home.
    let visited = case.referral().is_some_and(|referral| referral.visits > 0);
    let high = approval.level == Wanted::High;
    if approval.in_person != visited || (high && !approval.in_person) {
        return Err(ReasonCode::OFFICER_PRESENCE);
    }
    let found = objections(findings, policy);
    let left = found.iter().filter_map(|&(id, reason)| {
        let overruled = match overruling(id, reason) {
            Overruling::Always => true,
            Overruling::InPerson => approval.in_person,
            Overruling::Never => false,
        };
        (!overruled).then(|| reason.unwrap_or(ReasonCode::CASE_INCOMPLETE))
    });
    if let Some(worst) = left.min() {
        return Err(worst);
    }
    if unjudged_face(findings, policy) {
        judged_by_eye(approval)?;
    }
    let officer = approval.officer.clone();
    let level = match approval.level {
        Wanted::Substantial => Level::Substantial(Substantial::new()),
        Wanted::High => Level::High(High::by(officer.clone())),
    };
    Ok(Approved { level, officer })
}

/// Whether there is an objection to the face, so that an officer has to compare it with the portrait.
#[must_use]
pub fn unjudged_face(findings: &Findings, policy: &Policy) -> bool {
    objections(findings, policy).iter().any(|(id, _)| id.starts_with("face."))
}

/// That a face which no machine has judged was compared by the officer with the chip's portrait, and gives
/// no more than *Betydelig*.
fn judged_by_eye(approval: &Approval) -> Result<(), ReasonCode> {
    match (approval.compared, approval.level) {
        (false, _) => Err(ReasonCode::OFFICER_PORTRAIT),
        (true, Wanted::High) => Err(ReasonCode::OFFICER_HIGH_FACE),
        (true, Wanted::Substantial) => Ok(()),
    }
}

/// When an officer may approve in spite of an objection.
enum Overruling {
    Always,
    InPerson,
    Never,
}

fn overruling(id: &str, reason: Option<ReasonCode>) -> Overruling {
    let Some(reason) = reason else {
        // A face that was not taken: the officer has seen it.
        return if id.starts_with("face.") { Overruling::InPerson } else { Overruling::Never };
    };
    match reason.leads_to() {
        LeadsTo::Refuse | LeadsTo::Retry(Step::Start | Step::Page | Step::Chip) => {
            Overruling::Never
        }
        LeadsTo::Retry(Step::Face) => Overruling::InPerson,
        LeadsTo::Refer => match reason {
            ReasonCode::REFERRAL_HIGH => Overruling::Always,
            ReasonCode::CONSENT_BIOMETRICS
            | ReasonCode::FACE_PORTRAIT_UNREADABLE
            | ReasonCode::FACE_MORPH_SUSPECTED
            | ReasonCode::DOCUMENT_UNKNOWN
            | ReasonCode::CHIP_AUTHENTICATION_MISSING
            | ReasonCode::ACTIVE_AUTHENTICATION_MISSING => Overruling::InPerson,
            _ => Overruling::Never,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::{
        case::{Consent, State},
        check::Check,
    };

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

    fn referred(visited: bool) -> Case {
        let (policy, reasons) = (Policy::default(), vec![ReasonCode::PERSON_MISMATCH]);
        let (terms_version, language) = ("1".to_owned(), "da".to_owned());
        let consent = Consent { terms_version, biometrics: true, language, at: NOW };
        let case = Case::start(&policy, NOW).consent(consent, "1").unwrap();
        let case = case.refer(reasons.clone(), &policy, NOW).unwrap();
        if !visited {
            return case;
        }
        let case = case.visited("kiosk-1".to_owned(), &policy, NOW).unwrap();
        case.refer(reasons, &policy, NOW).unwrap()
    }

    fn asked(level: Wanted, in_person: bool) -> Approval {
        Approval { officer: "bc-17".to_owned(), level, in_person, compared: in_person }
    }

    fn with(
        checks: impl IntoIterator<Item = Check>,
        approval: &Approval,
    ) -> Result<Level, ReasonCode> {
        let policy = Policy::default();
        let required = policy.required.iter().chain(policy.any_of.iter().flatten());
        let mut findings: Findings = required.map(|id| Check::passed(id, json!({}))).collect();
        findings.record_all(checks);
        let case = referred(approval.in_person);
        approve(&findings, &policy, &case, approval).map(|approved| approved.level().clone())
    }

    // proves E1
    #[test]
    fn high_is_given_in_person_only_and_names_the_officer() {
        let high = with([], &asked(Wanted::High, true)).unwrap();
        assert_eq!((high.as_str(), high.officer()), ("High", Some("bc-17")));
        let absent = with([], &asked(Wanted::High, false));
        assert_eq!(absent, Err(ReasonCode::OFFICER_PRESENCE));
        let (policy, in_person) = (Policy::default(), asked(Wanted::High, true));
        let never_there = approve(&Findings::new(), &policy, &referred(false), &in_person);
        assert_eq!(never_there, Err(ReasonCode::OFFICER_PRESENCE), "no kiosk has seen the case");
        let low = with([], &asked(Wanted::Substantial, false)).unwrap();
        assert_eq!((low.as_str(), low.officer()), ("Substantial", None));
    }

    // proves D6 (an officer does not make good what is false)
    #[test]
    fn no_refusal_and_no_unproved_document_is_overruled() {
        let in_person = asked(Wanted::Substantial, true);
        for entry in crate::reason::table().iter().filter(|e| e.leads_to == LeadsTo::Refuse) {
            let reason = ReasonCode::known(&entry.code).unwrap();
            let failed = Check::failed("some.check", reason, json!({}));
            assert_eq!(with([failed], &in_person), Err(reason));
        }
        for (id, reason) in [
            ("person.match", ReasonCode::PERSON_MISMATCH),
            ("person.match", ReasonCode::PERSON_NOT_FOUND),
            ("document.status", ReasonCode::DOCUMENT_UNAVAILABLE),
            ("identity.open", ReasonCode::IDENTITY_BLOCKED),
        ] {
            assert_eq!(with([Check::failed(id, reason, json!({}))], &in_person), Err(reason));
        }
        let waits = Check::waiting("sod.signature", "the chip");
        assert_eq!(with([waits], &in_person), Err(ReasonCode::CASE_INCOMPLETE));
    }

    // proves A2 (the officer looks at the face where no program may)
    #[test]
    fn what_only_eyes_can_tell_needs_a_person_who_is_there() {
        let checks = [
            ("face.match", ReasonCode::CONSENT_BIOMETRICS),
            ("face.quality", ReasonCode::FACE_QUALITY_POOR),
            ("document.status", ReasonCode::DOCUMENT_UNKNOWN),
        ];
        let failed = || checks.map(|(id, reason)| Check::failed(id, reason, json!({})));
        assert!(with(failed(), &asked(Wanted::Substantial, true)).is_ok());
        let absent = with(failed(), &asked(Wanted::Substantial, false));
        assert_eq!(absent, Err(ReasonCode::DOCUMENT_UNKNOWN));
        let unseen = Approval { compared: false, ..asked(Wanted::Substantial, true) };
        assert_eq!(with(failed(), &unseen), Err(ReasonCode::OFFICER_PORTRAIT));
        assert!(with([], &unseen).is_ok(), "the machine has judged the face");
        let high = with(failed(), &asked(Wanted::High, true));
        assert_eq!(high, Err(ReasonCode::OFFICER_HIGH_FACE));
    }

    // proves D7 (the person decides, and looks)
    #[test]
    fn a_suspected_morph_is_settled_by_who_sees_person_and_portrait() {
        let suspected =
            || [Check::failed("face.morph", ReasonCode::FACE_MORPH_SUSPECTED, json!({}))];
        let in_person = asked(Wanted::Substantial, true);
        assert!(with(suspected(), &in_person).is_ok());
        let unseen = Approval { compared: false, ..in_person };
        assert_eq!(with(suspected(), &unseen), Err(ReasonCode::OFFICER_PORTRAIT));
        let absent = with(suspected(), &asked(Wanted::Substantial, false));
        assert_eq!(absent, Err(ReasonCode::FACE_MORPH_SUSPECTED));
        let high = with(suspected(), &asked(Wanted::High, true));
        assert_eq!(high, Err(ReasonCode::OFFICER_HIGH_FACE));
    }

    // proves E1 (the officer is in the record)
    #[test]
    fn each_ruling_names_its_officer_and_ends_or_keeps_the_case() {
        let (policy, id) = (Policy::default(), uuid::Uuid::from_u128(7));
        let approved =
            Approved { level: Level::Substantial(Substantial::new()), officer: "bc-17".to_owned() };
        let case = referred(true).approved(&approved, id, NOW).unwrap();
        let State::IdentityCreated { identity, officer, .. } = &case.state else {
            panic!("issued")
        };
        assert_eq!((*identity, officer.as_deref()), (id, Some("bc-17")));
        assert!(case.approved(&approved, id, NOW).is_err(), "once");
        let refused = referred(true).refused_by("bc-17".to_owned(), NOW).unwrap();
        let State::Refused { reasons, officer, .. } = &refused.state else { panic!("refused") };
        assert_eq!(reasons, &[ReasonCode::OFFICER_REFUSED]);
        assert_eq!(officer.as_deref(), Some("bc-17"));
        let later = NOW + Duration::DAY;
        let more = referred(true).more_asked("bc-17".to_owned(), &policy, later).unwrap();
        assert_eq!(more.referral().unwrap().asked.as_ref().unwrap().officer, "bc-17");
        assert!(more.deadline > referred(true).deadline);
        assert_eq!(more.visited(String::new(), &policy, later).unwrap().name(), "consented");
        let open = Case::start(&policy, NOW);
        assert!(open.clone().approved(&approved, id, NOW).is_err());
        assert!(open.refused_by("bc-17".to_owned(), NOW).is_err());
    }

    #[test]
    fn wrong_tries_make_an_account_rest_and_a_code_counts_once() {
        let policy = policy::Officer { wrong: 2, ..policy::Officer::default() };
        let account = Account::default().signed_in(40);
        assert_eq!(account.last_step(NOW), Some(40));
        let account = account.failed(&policy, NOW).failed(&policy, NOW);
        assert_eq!(account.last_step(NOW), None);
        let end = NOW + Duration::seconds(i64::from(policy.rest_s));
        assert_eq!(account.clone().failed(&policy, NOW), account, "nothing counts meanwhile");
        assert_eq!(account.last_step(end), Some(40), "the last code stays used");
        let gone = account.disabled(NOW);
        assert_eq!(gone.clone().signed_in(50).last_step(end), None);
        for account in [gone, Account::default()] {
            let stored = serde_json::to_string(&account).unwrap();
            assert_eq!(serde_json::from_str::<Account>(&stored).unwrap(), account);
        }
    }
}
