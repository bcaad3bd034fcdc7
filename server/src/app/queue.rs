//! The cases that wait for an officer, and what one of them rests on. Every look at a case is in the
//! trail before it is answered.

use super::activity::{Activity, By, What};
use super::document::{Chip, proved_mrz};
use super::finish::hold_known;
use super::officer::Officer;
use super::view::{CheckView, ReasonView};
use super::{App, AppError};
use crate::clock::copenhagen_date;
use crate::ids::{EnrolmentId, IdentityId, RulingId};
use crate::record::Record;
use crate::storage::{RulingRow, StorageError, Tx};
use enroll_core::case::State;
use enroll_core::findings::person::{Nearness, PersonRecord, nearness};
use enroll_core::reason::ReasonCode;
use mrz::Mrz;
use nfc::files::FileId;
use nfc::passive;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

/// Most cases on one page of the queue.
const MOST: i64 = 200;

/// A case that waits.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// Which.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub referred: OffsetDateTime,
    /// Until when.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
    /// Why, worst first.
    pub reasons: Vec<String>,
    /// How far it has come.
    #[schema(value_type = String, example = "document_verified")]
    pub stage: enroll_core::case::Stage,
    /// How often it was opened at a kiosk.
    pub visits: u16,
    /// Whether the person asks for High.
    pub high: bool,
    /// Which officer asked for more last, if one did.
    pub asked_by: Option<String>,
}

impl Waiting {
    fn of(id: EnrolmentId, record: &Record) -> Option<Self> {
        let State::Referred { reasons, at, referral: Some(referral) } = &record.case.state else {
            return None;
        };
        Some(Self {
            id,
            referred: *at,
            until: record.case.deadline,
            reasons: reasons.iter().map(|reason| reason.as_str().to_owned()).collect(),
            stage: referral.stage,
            visits: referral.visits,
            high: record.case.high,
            asked_by: referral.asked.as_ref().map(|asked| asked.officer.clone()),
        })
    }
}

/// Where a page of the queue ends: since when the last case on it waits, and which it is. Written
/// `SECONDS.ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    at: i64,
    id: EnrolmentId,
}

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl std::str::FromStr for After {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let (at, id) = text.split_once('.').ok_or(AppError::Malformed)?;
        let at = at.parse().map_err(|_| AppError::Malformed)?;
        Ok(Self { at, id: id.parse().map_err(|_| AppError::Malformed)? })
    }
}

/// A page of the queue.
#[derive(Debug)]
pub struct Queue {
    /// The cases on it.
    pub cases: Vec<Waiting>,
    /// Where it ends, if more cases wait.
    pub next: Option<After>,
}

/// What a case rests on, to an officer.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Evidence {
    /// The case in the queue.
    pub case: Waiting,
    /// Why it was referred, with texts.
    pub reasons: Vec<ReasonView>,
    /// Whether the face may be recognised.
    pub biometrics: bool,
    /// Whether the officer has to compare the person with the chip's portrait, which the case holds.
    pub portrait: bool,
    /// Every check.
    pub checks: Vec<CheckView>,
    /// The document, as its proved chip says; nothing if it is not proved.
    pub document: Option<Document>,
    /// The person, as the register said when the case was decided last.
    pub person: Option<Person>,
    /// How their names are alike.
    #[schema(value_type = Option<String>, example = "near")]
    pub names: Option<Nearness>,
    /// The identity that the person has, if one was issued and the document proves the person.
    #[schema(value_type = Option<String>)]
    pub identity: Option<IdentityId>,
    /// What was decided before, oldest first.
    pub rulings: Vec<RulingView>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({})", self.case.id)
    }
}

/// The document of a case.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Document {
    /// Who issued it.
    #[schema(example = "DNK")]
    pub issuer: String,
    /// Its number.
    pub number: String,
    /// Until when it is valid, as printed.
    #[schema(example = "301231")]
    pub expires: String,
    /// Given names, as printed.
    pub given_names: String,
    /// Surname, as printed.
    pub surname: String,
    /// Date of birth, as printed.
    #[schema(example = "740812")]
    pub birth_date: String,
}

/// The person of a case.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Person {
    /// Given names, as the register has them.
    pub given_names: String,
    /// Surname.
    pub surname: String,
    /// Date of birth.
    #[schema(example = "1974-08-12")]
    pub birth_date: String,
    /// Whether name and address are protected (C3).
    pub protected: bool,
}

/// A decision of an officer.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RulingView {
    /// Which.
    #[schema(value_type = String)]
    pub id: RulingId,
    /// Who.
    pub officer: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    /// `approve`, `refuse`, `more` or `reopen`.
    pub decision: String,
    /// Why.
    pub reason: String,
}

/// What is sealed of a ruling.
#[derive(Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) decision: String,
    pub(super) reason: String,
}

impl RulingView {
    pub(super) fn of(row: RulingRow) -> Result<Self, AppError> {
        let impossible = StorageError::ImpossibleRow { table: "rulings", column: "sealed" };
        let said: Said = serde_json::from_slice(&row.payload).map_err(|_| impossible)?;
        let Said { decision, reason } = said;
        Ok(Self { id: row.id, officer: row.officer, at: row.at, decision, reason })
    }
}

/// What a referred case holds, sealed.
pub(super) struct Sealed {
    pub(super) chip: Option<Chip>,
    pub(super) dg1: Option<Mrz>,
    pub(super) report: Option<passive::Report>,
}

impl Sealed {
    fn has_portrait(&self) -> bool {
        let proved = self.report.as_ref().and_then(|report| report.verified.as_ref());
        proved.is_some_and(|lds| lds.get(FileId::DG2).is_some())
    }
}

impl App {
    /// The cases that wait, those that wait longest first: the first `most` behind `after`, 200 at most. The
    /// look is in the trail.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn waiting(
        &self,
        officer: &Officer,
        after: Option<After>,
        most: i64,
    ) -> Result<Queue, AppError> {
        let most = most.clamp(1, MOST);
        let mut tx = self.parts.store.begin().await?;
        let mut found = tx.referred(after.map(|after| (after.at, after.id)), most + 1).await?;
        let is_more = i64::try_from(found.len()).is_ok_and(|count| count > most);
        if is_more {
            found.pop();
        }
        let next = found.last().filter(|_| is_more).map(|&(at, id)| After { at, id });
        let mut cases = Vec::new();
        for (_, id) in found {
            let enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
            cases.extend(Waiting::of(id, &enrolment.record));
        }
        let data = json!({ "officer": officer.name, "cases": cases.len() });
        let kind = "queue.looked".to_owned();
        let event = enroll_core::audit::Event { time: self.now(), kind, case: None, data };
        tx.audit(event).await?;
        tx.commit().await?;
        Ok(Queue { cases, next })
    }

    /// What a case rests on. The look is in the trail.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`]; `case.state` if it does not wait for an officer.
    pub async fn look_at(&self, officer: &Officer, id: &str) -> Result<Evidence, AppError> {
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let mut tx = self.parts.store.begin().await?;
        let enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        let record = &enrolment.record;
        let state = AppError::Reason(ReasonCode::CASE_STATE);
        let Some(case) = Waiting::of(id, record) else { return Err(state) };
        // Held before the trail is: nothing is written of an identity that is erased meanwhile.
        let whose = self.subject(&mut tx, id).await?.hash(&tx)?;
        if let Some(identity) = hold_known(&mut tx, &whose).await? {
            let by = By::Officer(officer.name.clone());
            self.note(&mut tx, identity, Activity::of(What::Looked).by(Some(by))).await?;
        }
        tx.audit(self.event("case.looked", id, json!({ "officer": officer.name }))).await?;
        let sealed = self.sealed(&mut tx, id).await?;
        let register = register(&mut tx, id).await?;
        let names = register.as_ref().zip(sealed.dg1.as_ref());
        let names = names.map(|(person, dg1)| nearness(person, dg1));
        let identity = match names {
            Some(Nearness::Same | Nearness::Near) => self.identity_in(&mut tx, id).await?,
            Some(Nearness::Different) | None => None,
        };
        let rulings = tx.rulings(id).await?.into_iter().map(RulingView::of);
        let found = Evidence {
            reasons: record
                .settled
                .iter()
                .flat_map(|s| &s.reasons)
                .copied()
                .map(ReasonView::from)
                .collect(),
            biometrics: record.case.allows_biometrics(),
            portrait: sealed.has_portrait(),
            checks: record.checks().iter().map(CheckView::from).collect(),
            document: sealed.dg1.as_ref().map(document),
            person: register.as_ref().map(person),
            names,
            identity,
            rulings: rulings.collect::<Result<_, _>>()?,
            case,
        };
        tx.commit().await?;
        Ok(found)
    }

    /// The chip of a referred case, and what of it is proved today.
    pub(super) async fn sealed(&self, tx: &mut Tx, id: EnrolmentId) -> Result<Sealed, AppError> {
        let chip = match self.chip(tx, id).await {
            Ok(chip) => chip,
            Err(AppError::Reason(_)) => return Ok(Sealed { chip: None, dg1: None, report: None }),
            Err(error) => return Err(error),
        };
        let today = copenhagen_date(self.now());
        let report = passive::verify_kept(&chip.files(), &self.parts.trust, today);
        let dg1 = proved_mrz(report.verified.as_ref());
        Ok(Sealed { chip: Some(chip), dg1, report: Some(report) })
    }

    async fn identity_in(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
    ) -> Result<Option<IdentityId>, AppError> {
        let person = self.subject(tx, id).await?.hash(tx)?;
        Ok(tx.identity_of(&person).await?)
    }
}

/// Under which name the register's answer is sealed.
pub(super) const REGISTER: &str = "register";

/// What the register said when the case was decided last.
async fn register(tx: &mut Tx, id: EnrolmentId) -> Result<Option<PersonRecord>, AppError> {
    let impossible = StorageError::ImpossibleRow { table: "sealed", column: REGISTER };
    let kept = tx.get(id, REGISTER).await?;
    let person = kept.map(|bytes| serde_json::from_slice(&bytes)).transpose();
    Ok(person.map_err(|_| impossible)?)
}

fn document(dg1: &Mrz) -> Document {
    let fields = dg1.fields();
    Document {
        issuer: fields.issuer.clone(),
        number: fields.document_number.clone(),
        expires: fields.expiry_date.as_str().to_owned(),
        given_names: fields.given_names.clone(),
        surname: fields.surname.clone(),
        birth_date: fields.birth_date.as_str().to_owned(),
    }
}

fn person(person: &PersonRecord) -> Person {
    Person {
        given_names: person.given_names.clone(),
        surname: person.surname.clone(),
        birth_date: person.birth_date.to_string(),
        protected: person.protected,
    }
}
