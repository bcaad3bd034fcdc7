use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::decide::{Findings, Verdict, decide};

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
const ID: Uuid = Uuid::from_u128(7);

fn policy() -> Policy {
    Policy::default()
}

fn given(terms: &str, biometrics: bool) -> Consent {
    let (terms_version, language) = (terms.to_owned(), "da".to_owned());
    Consent { terms_version, biometrics, language, at: NOW }
}

fn consented() -> Case {
    Case::start(&policy(), NOW).consent(given("1", true), "1").unwrap()
}

fn captured() -> Case {
    let read = consented().page_read(NOW).unwrap().chip_read(NOW).unwrap();
    read.document_verified(NOW).unwrap().face_captured(NOW).unwrap()
}

fn issue() -> Decision {
    let none = Policy { required: Vec::new(), any_of: Vec::new(), ..policy() };
    decide(&Findings::new(), &none)
}

fn decision(action: Action, reason: ReasonCode) -> Decision {
    Decision { verdict: Verdict::Refused, action, reasons: vec![reason] }
}

#[test]
fn the_whole_way_ends_in_an_identity() {
    let case = captured().settle(&issue(), ID, &policy(), NOW).unwrap();
    assert_eq!(case.state, State::IdentityCreated { identity: ID, at: NOW, officer: None });
    assert!(case.has_ended());
}

#[test]
fn each_state_survives_storage() {
    let mut cases = vec![Case::start(&policy(), NOW), consented(), captured()];
    cases.push(captured().settle(&issue(), ID, &policy(), NOW).unwrap());
    let created = captured().settle(&issue(), ID, &policy(), NOW).unwrap();
    cases.push(created.activated(ID, &policy(), NOW).unwrap());
    cases.push(consented().refuse(vec![ReasonCode::FACE_MISMATCH], NOW).unwrap());
    cases.push(referred());
    cases.push(visited(&referred()));
    cases.push(consented().abandon(NOW).unwrap());
    cases.push(consented().expire(NOW + Duration::HOUR * 2).unwrap());
    for case in cases {
        let stored = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&stored).unwrap(), case, "{stored}");
    }
}

// proves A1
#[test]
fn a_stale_version_is_no_consent() {
    let refused = Case::start(&policy(), NOW).consent(given("0", true), "1");
    assert_eq!(refused, Err(CaseError::Consent));
    let unasked = Case::start(&policy(), NOW).page_read(NOW);
    assert_eq!(unasked.unwrap_err().reason(), ReasonCode::CASE_STATE);
}

// proves A2
#[test]
fn without_consent_to_biometrics_no_face_is_taken_anywhere() {
    let case = Case::start(&policy(), NOW).consent(given("1", false), "1").unwrap();
    let read = |case: Case| case.page_read(NOW).unwrap().chip_read(NOW).unwrap();
    let referred = case.clone().refer(vec![ReasonCode::CONSENT_BIOMETRICS], &policy(), NOW);
    for case in [read(case), read(visited(&referred.unwrap()))] {
        let tried = case.clone().attempt(Step::Face, &policy(), NOW);
        assert_eq!(tried.unwrap_err().reason(), ReasonCode::CONSENT_BIOMETRICS);
        assert_eq!(case.face_captured(NOW), Err(CaseError::Biometrics));
    }
}

fn referred() -> Case {
    captured().refer(vec![ReasonCode::PERSON_MISMATCH], &policy(), NOW).unwrap()
}

fn visited(case: &Case) -> Case {
    case.clone().visited("kiosk-1".to_owned(), &policy(), NOW).unwrap()
}

// proves B5, H6 (a referral carries the case over; its chip is read anew)
#[test]
fn a_referred_case_goes_on_at_a_borgercenter_from_its_page() {
    let case = referred();
    assert!(!case.is_open() && !case.has_ended());
    assert!(case.clone().page_read(NOW).is_err(), "no step at home");
    let later = NOW + Duration::days(29);
    let case = case.visited("kiosk-1".to_owned(), &policy(), later).unwrap();
    assert_eq!((case.name(), case.visit().unwrap().number), ("page_read", 1));
    let State::Open { verified, .. } = &case.state else { panic!("open") };
    assert!(!verified, "the old proof is void");
    assert!(case.clone().face_captured(later).is_err(), "no face before the chip");
    let read = case.chip_read(later).unwrap().document_verified(later).unwrap();
    let done = read.face_captured(later).unwrap().settle(&issue(), ID, &policy(), later);
    assert_eq!(done.unwrap().name(), "identity_created");
    let fresh = consented().refer(vec![ReasonCode::CASE_ATTEMPTS], &policy(), NOW).unwrap();
    assert_eq!(visited(&fresh).name(), "consented", "the page was not read");
}

// proves D5 (attempts at a Borgercenter are the policy's)
#[test]
fn tries_are_counted_anew_at_each_visit_and_visits_end() {
    let mut policy = policy();
    (policy.desk.attempts.chip, policy.desk.visits) = (1, 2);
    let mut case = referred();
    for number in 1..=2 {
        case = case.visited("kiosk-1".to_owned(), &policy, NOW).unwrap();
        assert_eq!(case.visit().unwrap().number, number);
        case = case.attempt(Step::Chip, &policy, NOW).unwrap();
        assert!(case.clone().attempt(Step::Chip, &policy, NOW).is_err());
    }
    for case in [case.clone(), case.refer(Vec::new(), &policy, NOW).unwrap()] {
        let refused = case.visited("kiosk-1".to_owned(), &policy, NOW);
        assert_eq!(refused.unwrap_err().reason(), ReasonCode::REFERRAL_VISITS);
    }
}

#[test]
fn a_visit_in_which_nothing_was_tried_is_none() {
    let mut policy = policy();
    policy.desk.visits = 1;
    let mut case = referred();
    for _ in 0..3 {
        case = case.visited("kiosk-1".to_owned(), &policy, NOW).unwrap();
        assert_eq!(case.visit().unwrap().number, 1);
        // Opened again without an end of the one before, and left.
        case = case.visited("kiosk-1".to_owned(), &policy, NOW).unwrap().left(NOW).unwrap();
        assert_eq!(case.referral().unwrap().visits, 0);
    }
    let tried = case.visited("kiosk-1".to_owned(), &policy, NOW).unwrap();
    let tried = tried.attempt(Step::Chip, &policy, NOW).unwrap().left(NOW).unwrap();
    assert_eq!(tried.referral().unwrap().visits, 1);
    let again = tried.visited("kiosk-1".to_owned(), &policy, NOW);
    assert_eq!(again, Err(CaseError::Visits));
}

#[test]
fn a_visit_that_was_left_waits_again_for_as_long_as_before() {
    let later = NOW + Duration::DAY;
    let read = visited(&referred()).chip_read(NOW).unwrap();
    let left = read.left(later).unwrap();
    let referral = left.referral().unwrap();
    assert_eq!((referral.visits, referral.stage), (1, Stage::PageRead));
    assert_eq!(left.deadline, referred().deadline);
    assert_eq!(visited(&left).visit().unwrap().number, 2);
    assert!(captured().left(NOW).is_err(), "at home");
    assert!(left.left(NOW).is_err(), "twice");
}

#[test]
fn a_referral_runs_out_and_one_of_before_has_ended() {
    let late = NOW + Duration::seconds(i64::from(policy().desk.referral_s) + 1);
    let refused = referred().visited("kiosk-1".to_owned(), &policy(), late);
    assert_eq!(refused, Err(CaseError::Expired));
    assert_eq!(referred().expire(late).unwrap().name(), "expired");
    let mut stored = serde_json::to_value(referred()).unwrap();
    stored.as_object_mut().unwrap().remove("referral");
    let before: Case = serde_json::from_value(stored).unwrap();
    assert!(before.has_ended() && before.visited(String::new(), &policy(), NOW).is_err());
}

#[test]
fn steps_out_of_order_are_refused() {
    assert!(consented().chip_read(NOW).is_err());
    assert!(consented().face_captured(NOW).is_err());
    assert!(consented().document_verified(NOW).is_err());
    let page = consented().page_read(NOW).unwrap();
    assert!(page.clone().face_captured(NOW).is_err());
    assert!(page.settle(&issue(), ID, &policy(), NOW).is_err());
    assert!(consented().consent(given("1", true), "1").is_err());
}

// proves D1 (only the portrait of a verified chip makes an identity)
#[test]
fn a_document_that_is_not_proved_never_ends_in_an_identity() {
    let unproved = consented().page_read(NOW).unwrap().chip_read(NOW).unwrap();
    let unproved = unproved.face_captured(NOW).unwrap();
    assert!(unproved.clone().settle(&issue(), ID, &policy(), NOW).is_err());
    let refuse = decision(Action::Refuse, ReasonCode::DOCUMENT_EXPIRED);
    assert_eq!(unproved.settle(&refuse, ID, &policy(), NOW).unwrap().name(), "refused");
}

// proves B5
#[test]
fn reading_anew_voids_what_was_proved() {
    for again in [captured().page_read(NOW).unwrap(), captured().chip_read(NOW).unwrap()] {
        let State::Open { verified, .. } = again.state else { panic!("open") };
        assert!(!verified);
    }
}

#[test]
fn a_second_picture_keeps_the_proved_document() {
    let try_face = Action::TryAgain { step: Step::Face };
    let again = decision(try_face, ReasonCode::FACE_SEVERAL);
    let case = captured().settle(&again, ID, &policy(), NOW).unwrap();
    assert_eq!(case.name(), "document_verified");
    let done = case.face_captured(NOW).unwrap().settle(&issue(), ID, &policy(), NOW).unwrap();
    assert_eq!(done.name(), "identity_created");
    let chip = decision(Action::TryAgain { step: Step::Chip }, ReasonCode::CHIP_LINK_LOST);
    assert_eq!(captured().settle(&chip, ID, &policy(), NOW).unwrap().name(), "page_read");
}

// proves D5
#[test]
fn attempts_are_counted_and_end() {
    let mut case = captured();
    for _ in 0..policy().attempts.face {
        case = case.attempt(Step::Face, &policy(), NOW).unwrap();
    }
    let refused = case.clone().attempt(Step::Face, &policy(), NOW);
    assert_eq!(refused.unwrap_err().reason(), ReasonCode::CASE_ATTEMPTS);
    assert!(case.attempt(Step::Chip, &policy(), NOW).is_ok());
    assert!(consented().attempt(Step::Chip, &policy(), NOW).is_err(), "no page, no chip");
}

#[test]
fn after_its_deadline_a_case_only_expires() {
    let late = NOW + Duration::seconds(i64::from(policy().lifetime_s) + 1);
    assert_eq!(captured().settle(&issue(), ID, &policy(), late), Err(CaseError::Expired));
    assert_eq!(consented().page_read(late), Err(CaseError::Expired));
    assert_eq!(consented().expire(late).unwrap().name(), "expired");
    assert!(consented().expire(NOW).is_err());
}

// proves F3 (one enrolment gives one activation, in time)
#[test]
fn an_identity_is_activated_once_and_in_its_window() {
    let created = captured().settle(&issue(), ID, &policy(), NOW).unwrap();
    let end = NOW + Duration::seconds(i64::from(policy().activation.window_s));
    assert_eq!(created.activatable(&policy(), end), Ok(ID));
    let late = created.activatable(&policy(), end + Duration::SECOND).unwrap_err();
    assert_eq!(late.reason(), ReasonCode::ACTIVATION_WINDOW);
    let done = created.activated(ID, &policy(), NOW).unwrap();
    assert_eq!((done.name(), done.is_open()), ("activated", false));
    assert!(done.activatable(&policy(), NOW).is_err());
    assert!(captured().activated(ID, &policy(), NOW).is_err(), "no identity yet");
}

#[test]
fn an_ended_case_stays_ended() {
    let ended = captured().settle(&issue(), ID, &policy(), NOW).unwrap();
    assert!(ended.clone().refuse(Vec::new(), NOW).is_err());
    assert!(ended.clone().abandon(NOW).is_err());
    assert!(ended.clone().page_read(NOW).is_err());
    assert!(ended.settle(&issue(), ID, &policy(), NOW).is_err());
}
