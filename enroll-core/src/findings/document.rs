//! The document that the chip proved: `document.type` (B9), `document.validity` (B7),
//! `document.page_match` (B2) and `document.status` (B8).
//!
//! `dg1` is the MRZ of a data group 1 whose hash is signed; callers without one record
//! [`unproved`] instead.

use mrz::{Fields, Mrz};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Date;

use crate::{check::Check, policy::Policy, reason::ReasonCode};

/// What the register of passports answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    /// It may be used.
    Valid,
    /// Reported lost.
    Lost,
    /// Reported stolen.
    Stolen,
    /// Withdrawn by its issuer.
    Revoked,
    /// Not in the register.
    Unknown,
    /// The register did not answer, or not in time.
    Unavailable,
}

/// The checks of a document whose data are not proved.
#[must_use]
pub fn unproved() -> Vec<Check> {
    ["document.type", "document.validity", "document.page_match", "document.status"]
        .map(|id| Check::waiting(id, "passive authentication"))
        .into()
}

/// `document.type`: the document code is one that the policy takes.
#[must_use]
pub fn kind(dg1: &Mrz, policy: &Policy) -> Check {
    let Fields { document_code, issuer, .. } = dg1.fields();
    let taken = policy.document_codes.contains(document_code);
    let evidence = json!({ "code": document_code, "issuer": issuer, "format": dg1.format() });
    Check::of("document.type", taken, ReasonCode::DOCUMENT_TYPE, evidence)
}

/// `document.validity`: valid through the day of expiry, `today` being the date in
/// Europe/Copenhagen. A date that is none counts as expired.
#[must_use]
pub fn validity(dg1: &Mrz, today: Date) -> Check {
    let expiry = dg1.fields().expiry_date.expiry(today);
    let evidence = json!({ "today": iso(today), "expires": expiry.map(iso) });
    let valid = expiry.is_some_and(|expiry| today <= expiry);
    Check::of("document.validity", valid, ReasonCode::DOCUMENT_EXPIRED, evidence)
}

/// `document.page_match`: data group 1 says what the page says that the access key came from. The
/// evidence names the fields that differ, never their content.
#[must_use]
pub fn page_match(page: &Mrz, dg1: &Mrz) -> Check {
    let differ = differences(page.fields(), dg1.fields());
    let equal = differ.is_empty() && page.lines() == dg1.lines();
    let evidence = json!({ "differ": differ });
    Check::of("document.page_match", equal, ReasonCode::DOCUMENT_PAGE_MISMATCH, evidence)
}

/// `document.status`: only `valid` passes; a register that is silent is not performed, never
/// passed.
#[must_use]
pub fn status(status: DocumentStatus) -> Check {
    let id = "document.status";
    let evidence = json!({ "status": status });
    match status {
        DocumentStatus::Valid => Check::passed(id, evidence),
        DocumentStatus::Lost => Check::failed(id, ReasonCode::DOCUMENT_LOST, evidence),
        DocumentStatus::Stolen => Check::failed(id, ReasonCode::DOCUMENT_STOLEN, evidence),
        DocumentStatus::Revoked => Check::failed(id, ReasonCode::DOCUMENT_REVOKED, evidence),
        DocumentStatus::Unknown => Check::failed(id, ReasonCode::DOCUMENT_UNKNOWN, evidence),
        DocumentStatus::Unavailable => {
            Check::not_performed(id, ReasonCode::DOCUMENT_UNAVAILABLE, evidence)
        }
    }
}

fn differences(page: &Fields, dg1: &Fields) -> Vec<&'static str> {
    let found = [
        (page.document_code == dg1.document_code, "document_code"),
        (page.issuer == dg1.issuer, "issuer"),
        (page.surname == dg1.surname, "surname"),
        (page.given_names == dg1.given_names, "given_names"),
        (page.document_number == dg1.document_number, "document_number"),
        (page.nationality == dg1.nationality, "nationality"),
        (page.birth_date == dg1.birth_date, "birth_date"),
        (page.sex == dg1.sex, "sex"),
        (page.expiry_date == dg1.expiry_date, "expiry_date"),
        (page.optional_data == dg1.optional_data, "optional_data"),
        (page.optional_data_2 == dg1.optional_data_2, "optional_data_2"),
    ];
    found.into_iter().filter_map(|(same, name)| (!same).then_some(name)).collect()
}

fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn passport(lines: &[&str]) -> Mrz {
        mrz::parse(&lines.join("\n")).unwrap()
    }

    fn good() -> Mrz {
        passport(&[
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        ])
    }

    // proves B7
    #[test]
    fn a_document_is_valid_through_its_last_day() {
        assert!(validity(&good(), date!(2012 - 04 - 15)).is_passed());
        let late = validity(&good(), date!(2012 - 04 - 16));
        assert_eq!(late.reason, Some(ReasonCode::DOCUMENT_EXPIRED));
        assert_eq!(late.evidence["expires"], "2012-04-15");
    }

    #[test]
    fn an_expiry_that_is_no_date_is_expired() {
        let odd = passport(&[
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7408122F1299159ZE184226B<<<<<10",
        ]);
        assert!(!validity(&odd, date!(2010 - 01 - 01)).is_passed());
    }

    // proves B9
    #[test]
    fn emergency_passports_and_cards_are_not_taken() {
        let policy = Policy::default();
        assert!(kind(&good(), &policy).is_passed());
        for code in ["PE", "PT", "I<", "V<"] {
            let first = format!("{code}UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<");
            let other = passport(&[&first, "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]);
            assert_eq!(kind(&other, &policy).reason, Some(ReasonCode::DOCUMENT_TYPE), "{code}");
        }
    }

    // proves B2
    #[test]
    fn the_page_must_say_what_the_chip_says() {
        assert!(page_match(&good(), &good()).is_passed());
        let other = passport(&[
            "P<UTOERIKSSON<<ANNE<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        ]);
        let check = page_match(&good(), &other);
        assert_eq!(check.reason, Some(ReasonCode::DOCUMENT_PAGE_MISMATCH));
        assert_eq!(check.evidence, json!({"differ": ["given_names"]}));
    }

    // proves B8
    #[test]
    fn only_a_valid_status_passes() {
        use DocumentStatus as S;
        let all = [S::Valid, S::Lost, S::Stolen, S::Revoked, S::Unknown, S::Unavailable];
        let passed = all.map(|answer| status(answer).is_passed());
        assert_eq!(passed, [true, false, false, false, false, false]);
        assert_eq!(status(S::Unavailable).outcome, crate::check::Outcome::NotPerformed);
    }
}
