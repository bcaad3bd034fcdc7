//! P-codes (A4): an officer issues one for a person whom they have seen, with or without a CPR number;
//! it starts an enrolment instead of that number.

use super::officer::Officer;
use super::start::digits;
use super::subject::{Known, Subject};
use super::{App, AppError};
use crate::clock::random;
use crate::ids::PCodeId;
use crate::storage::{PCodeRow, StorageError, Tx};
use enroll_core::findings::person::{PersonRecord, PersonSex, PersonStatus};
use enroll_core::p_code::{Issued, PCode};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Date, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// Whose a P-code is to be: a CPR number, or a person who has none.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPCode {
    /// Personal number, ten digits, with or without a hyphen.
    #[serde(default)]
    cpr: Option<String>,
    /// A person without one.
    #[serde(default)]
    person: Option<WithoutCpr>,
}

impl std::fmt::Debug for NewPCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPCode(…)")
    }
}

/// A person without a CPR number, as the officer has seen them.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WithoutCpr {
    /// All given names.
    given_names: String,
    /// Surname.
    surname: String,
    /// Date of birth.
    #[serde(with = "day")]
    #[schema(value_type = String, example = "1974-08-12")]
    birth_date: Date,
    /// Sex.
    sex: Sex,
    /// What an earlier P-code of the same person was answered with, so that it stays one identity.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    known_as: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Sex {
    Female,
    Male,
}

/// A P-code.
#[derive(Serialize, utoipa::ToSchema)]
pub struct IssuedPCode {
    /// The code: shown once, kept as a keyed hash.
    #[schema(example = "12345678")]
    pub p_code: String,
    /// Until when it can start an enrolment.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
    /// How often.
    pub starts: u16,
    /// How a person without a CPR number is known.
    #[schema(value_type = Option<String>)]
    pub known_as: Option<Uuid>,
}

impl std::fmt::Debug for IssuedPCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedPCode(…)")
    }
}

/// How often a code is drawn that is not there yet.
const DRAWS: usize = 8;

impl App {
    /// Issues a P-code.
    ///
    /// # Errors
    /// [`AppError::Malformed`] unless there is either a personal number or a person; `p_code.known_as` if
    /// nobody is known so, or they were born on another day.
    pub async fn issue_p_code(
        &self,
        officer: &Officer,
        new: NewPCode,
    ) -> Result<IssuedPCode, AppError> {
        let known_before = new.person.as_ref().and_then(|person| person.known_as);
        let subject = self.subject_of(new)?;
        let known_as = match &subject {
            Subject::Known(known) => Some(known.id),
            Subject::Cpr(_) => None,
        };
        let now = self.now();
        let state = Issued::new(&self.policy.p_codes, now);
        let Issued::Open { until, .. } = state else { return Err(AppError::Malformed) };
        let id = PCodeId::random(self.parts.entropy.as_ref())?;
        let row = PCodeRow { id, state, subject: subject.bytes()? };
        let mut tx = self.parts.store.begin().await?;
        let person = subject.hash(&tx)?;
        if known_before.is_some()
            && let Err(error) = is_same(&mut tx, &subject, &person).await
        {
            drop(tx);
            self.asked_in_vain(officer, ("known_as", known_before), None).await?;
            return Err(error);
        }
        for _ in 0..DRAWS {
            let code = PCode::draw(random(self.parts.entropy.as_ref())?);
            let hash = hash(&tx, &code)?;
            if !tx.add_p_code(&hash, (&row, &person), (&officer.name, now)).await? {
                continue;
            }
            let (kind, data) = ("p_code.issued", json!({ "officer": officer.name, "p_code": id }));
            let kind = kind.to_owned();
            tx.audit(enroll_core::audit::Event { time: now, kind, case: None, data }).await?;
            tx.commit().await?;
            let starts = self.policy.p_codes.starts;
            return Ok(IssuedPCode { p_code: code.expose().to_owned(), until, starts, known_as });
        }
        Err(AppError::internal(StorageError::Taken))
    }

    fn subject_of(&self, new: NewPCode) -> Result<Subject, AppError> {
        match (new.cpr, new.person) {
            (Some(cpr), None) => {
                let cpr = digits(&cpr).ok_or(AppError::Malformed)?;
                Ok(Subject::Cpr(Zeroizing::new(cpr)))
            }
            (None, Some(person)) => {
                let WithoutCpr { given_names, surname, birth_date, sex, known_as } = person;
                if [&given_names, &surname].iter().any(|name| name.trim().is_empty()) {
                    return Err(AppError::Malformed);
                }
                let sex = match sex {
                    Sex::Female => PersonSex::Female,
                    Sex::Male => PersonSex::Male,
                };
                let status = PersonStatus::Active;
                let protected = false;
                let person =
                    PersonRecord { given_names, surname, birth_date, sex, status, protected };
                let id = match known_as {
                    Some(id) => id,
                    None => PCodeId::random(self.parts.entropy.as_ref())?.uuid(),
                };
                Ok(Subject::Known(Box::new(Known { id, person })))
            }
            _ => Err(AppError::Malformed),
        }
    }

    /// Starts an enrolment with a P-code: whose it is, and which.
    ///
    /// # Errors
    /// `p_code.invalid`, whatever is wrong with it (A5).
    pub(super) async fn start_with(
        &self,
        tx: &mut Tx,
        text: &str,
    ) -> Result<(Subject, PCodeId), AppError> {
        let code = PCode::parse(text).map_err(AppError::Reason)?;
        let hash = hash(tx, &code)?;
        let row = tx.hold_p_code(&hash).await?;
        let row = row.ok_or(AppError::Reason(ReasonCode::P_CODE_INVALID))?;
        let state = row.state.clone().started(&self.policy.p_codes, self.now());
        let state = state.map_err(AppError::Reason)?;
        let subject = Subject::of(&row.subject)?;
        let subject = subject.ok_or(AppError::Reason(ReasonCode::P_CODE_INVALID))?;
        let id = row.id;
        tx.save_p_code(&PCodeRow { state, ..row }).await?;
        Ok((subject, id))
    }
}

fn hash(tx: &Tx, code: &PCode) -> Result<[u8; 32], StorageError> {
    tx.keyed_hash("p-code", code.expose().as_bytes())
}

/// That a code was issued before to the person of `subject`, with the same date of birth.
async fn is_same(tx: &mut Tx, subject: &Subject, person: &[u8; 32]) -> Result<(), AppError> {
    let refused = || AppError::Reason(ReasonCode::P_CODE_KNOWN_AS);
    let first = tx.first_p_code(person).await?.ok_or_else(refused)?;
    match (subject, &Subject::of(&first.subject)?) {
        (Subject::Known(now), Some(Subject::Known(then)))
            if now.person.birth_date == then.person.birth_date =>
        {
            Ok(())
        }
        _ => Err(refused()),
    }
}
