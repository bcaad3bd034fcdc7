//! Deciding a case: registers are asked, the pure decision is made, and what follows from it holds
//! all at once or not at all: identity, evidence, audit, erasure (B8, B11, C1-C4, D8, E1, H1, H2).

use super::activity::{Activity, What};
use super::document::{Chip, proved_again, proved_mrz};
use super::evidence::{Basis, document_key, method};
use super::identity::PublicIdentity;
use super::issue::Holder;
use super::pick_up::PickUp;
use super::queue::REGISTER;
use super::subject::Subject;
use super::tell::{About, Blocks};
use super::view::{CheckView, ReasonView, verdict_name};
use super::{Access, App, AppError, blocking};
use crate::clock::copenhagen_date;
use crate::ids::{EnrolmentId, IdentityId};
use crate::metrics::cpu::Work;
use crate::metrics::{DECISIONS, REASONS};
use crate::notices::Notice;
use crate::record::{Outcome, Record, Settled};
use crate::registers::Registers;
use crate::storage::{Enrolment, Tx};
use enroll_core::case::{Case, Stage, State};
use enroll_core::check::{self, Check};
use enroll_core::decide::{Action, Decision, Level, Verdict, decide};
use enroll_core::findings::person::PersonAnswer;
use enroll_core::findings::{document, person};
use enroll_core::reason::ReasonCode;
use mrz::Mrz;
use nfc::passive;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use time::{Date, OffsetDateTime};
use zeroize::Zeroizing;

/// What was decided.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Finished {
    /// The enrolment.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// `accepted`, `refused` or `inconclusive`.
    #[schema(example = "accepted")]
    pub verdict: &'static str,
    /// What is done.
    pub decision: Outcome,
    /// The reasons that decided it, worst first.
    pub reasons: Vec<ReasonView>,
    /// Every check.
    pub checks: Vec<CheckView>,
    /// The identity, if one was issued.
    pub identity: Option<PublicIdentity>,
    /// What the person takes home, if the identity was proved at a Borgercenter.
    pub pick_up: Option<PickUp>,
}

impl Finished {
    fn of(
        id: EnrolmentId,
        record: &Record,
        settled: &Settled,
        (identity, pick_up): (Option<PublicIdentity>, Option<PickUp>),
    ) -> Self {
        Self {
            id,
            verdict: verdict_name(settled.verdict),
            decision: settled.decision,
            reasons: settled.reasons.iter().copied().map(ReasonView::from).collect(),
            checks: record.checks().iter().map(CheckView::from).collect(),
            identity,
            pick_up,
        }
    }
}

/// What the case holds when it is decided.
struct Held {
    version: i64,
    subject: Subject,
    chip: Chip,
}

/// What the registers and the proved chip say.
struct Looked {
    report: passive::Report,
    dg1: Option<Mrz>,
    document: Option<document::DocumentStatus>,
    person: Option<PersonAnswer>,
}

impl App {
    /// Decides the case. Repeated after the end it answers as it did then.
    ///
    /// # Errors
    /// `case.state` if the chip is not read yet, something is missing, or the case changes
    /// meanwhile; `case.expired`.
    pub async fn finish(self: Arc<Self>, access: Access) -> Result<Finished, AppError> {
        let (mut tx, enrolment) = self.load(access).await?;
        if !enrolment.record.case.is_open() {
            drop(tx);
            return self.as_before(&enrolment).await;
        }
        self.may_finish(&enrolment)?;
        let held = self.held(&mut tx, &enrolment).await?;
        drop(tx);
        let (app, now) = (self.clone(), self.now());
        let (held, report) = blocking(move || {
            let day = copenhagen_date(now);
            let report = app.cpu.spend(Work::Chip, || app.prove(&held.chip.files(), day));
            (held, report)
        })
        .await?;
        if report.verified.is_some() {
            self.tell_lookups(access).await?;
        }
        let app = self.clone();
        let (held, looked) = blocking(move || {
            let looked = app.look(&held, report);
            (held, looked)
        })
        .await?;
        self.settle(access, held, looked, now).await
    }

    async fn as_before(&self, enrolment: &Enrolment) -> Result<Finished, AppError> {
        let record = &enrolment.record;
        match (&record.settled, &record.case.state) {
            (Some(settled), _) => {
                let disowned = self.parts.store.read().await?.is_disowned(enrolment.id).await?;
                let identity = match settled.identity {
                    // What a visit proved is not for the token of the start.
                    Some(id) if !disowned => self.issued(id, enrolment.id).await?,
                    _ => None,
                };
                Ok(Finished::of(enrolment.id, record, settled, (identity, None)))
            }
            (None, State::Expired { .. }) => Err(AppError::Reason(ReasonCode::CASE_EXPIRED)),
            (None, _) => Err(AppError::Reason(ReasonCode::CASE_STATE)),
        }
    }

    fn may_finish(&self, enrolment: &Enrolment) -> Result<(), AppError> {
        let record = &enrolment.record;
        let case = &record.case;
        if self.now() > case.deadline {
            return Err(AppError::Reason(ReasonCode::CASE_EXPIRED));
        }
        match case.state {
            State::Open { stage, .. } if stage >= Stage::ChipRead && is_decidable(record) => Ok(()),
            _ => Err(AppError::Reason(ReasonCode::CASE_STATE)),
        }
    }

    async fn held(&self, tx: &mut Tx, enrolment: &Enrolment) -> Result<Held, AppError> {
        let subject = self.subject(tx, enrolment.id).await?;
        let chip = self.chip(tx, enrolment.id).await?;
        Ok(Held { version: enrolment.version, subject, chip })
    }

    /// Asks the registers, but only about a document that is proved: nobody's data are looked up
    /// for a forgery.
    fn look(&self, held: &Held, report: passive::Report) -> Looked {
        let dg1 = proved_mrz(report.verified.as_ref());
        let registers = &self.parts.registers;
        let document = dg1.as_ref().map(|dg1| document_status(registers.as_ref(), dg1));
        let person = dg1.as_ref().map(|_| held.subject.answer(registers.as_ref()));
        Looked { report, dg1, document, person }
    }

    async fn settle(
        &self,
        access: Access,
        held: Held,
        looked: Looked,
        now: OffsetDateTime,
    ) -> Result<Finished, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        if enrolment.version != held.version {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        let person = held.subject.hash(&tx)?;
        let known = hold_known(&mut tx, &person).await?;
        let document = match &looked.dg1 {
            Some(dg1) => Some(tx.keyed_hash("document", document_key(dg1).as_bytes())?),
            None => None,
        };
        let record = &mut enrolment.record;
        let today = copenhagen_date(now);
        record.findings.record_all(proved_again(&looked.report));
        record.findings.record_all(self.of_registers(&looked, today));
        record.findings.record(unused(&mut tx, document.as_ref(), &person).await?);
        record.findings.forget(&["identity.open"]);
        // Only of who proved to be the person: nobody learns whether another one is blocked (A5).
        if record.findings.find("person.match").is_some_and(Check::is_passed) {
            record.findings.record_all(blocked(&mut tx, &person).await?);
        }
        record.findings.record_all(wanting(&record.case));
        let decision = self.within_tries(decide(&record.findings, &self.policy), record);
        if decision.reasons == [ReasonCode::CASE_INCOMPLETE] && self.lacks_a_check(record) {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        let identity = match known {
            Some(id) => id,
            None => IdentityId::random(self.parts.entropy.as_ref())?,
        };
        let method = method(&record.case);
        record.advance(|case| case.settle(&decision, identity.uuid(), &self.policy, now))?;
        let issued = match decision.action {
            Action::Issue { level } => {
                let Looked { report, dg1, person: answer, .. } = &looked;
                let (enrolment, chip, dg1) = (&enrolment, &held.chip, dg1.as_ref());
                let models = self.parts.faces.models();
                let judged = (today, self.parts.trust.domain());
                let basis = Basis { enrolment, chip, report, dg1, method, models, judged, now };
                let to = Holder { identity, person, document, answer: answer.as_ref() };
                self.use_p_code(&mut tx, access.id(), now).await?;
                Some(self.issue(&mut tx, Level::Substantial(level), &basis, &to).await?)
            }
            _ => None,
        };
        if let (Some(_), Some(PersonAnswer::Found(found))) =
            (enrolment.record.case.referral(), &looked.person)
        {
            let bytes =
                serde_json::to_vec(found).map(Zeroizing::new).map_err(AppError::internal)?;
            tx.put(enrolment.id, REGISTER, &bytes).await?;
        }
        let settled = Settled::of(&decision, issued.as_ref().map(|identity| identity.id));
        let renewed = known.filter(|_| issued.is_some());
        self.close(tx, enrolment, settled, (issued, renewed)).await
    }

    fn of_registers(&self, looked: &Looked, today: Date) -> Vec<Check> {
        let mut checks = match looked.document {
            Some(status) => vec![document::status(status)],
            None => vec![Check::waiting("document.status", "passive authentication")],
        };
        checks.extend(match &looked.person {
            Some(answer) => person::checks(answer, looked.dg1.as_ref(), &self.policy, today),
            None => ["person.match", "person.status", "person.age"]
                .map(|id| Check::waiting(id, "passive authentication"))
                .into(),
        });
        checks
    }

    /// Whether a required check is not there at all: a step is still to be done. One that is there
    /// but could not be performed is decided on.
    fn lacks_a_check(&self, record: &Record) -> bool {
        self.policy.required.iter().any(|id| record.findings.find(id).is_none())
    }

    /// A step that may not be tried again is referred: there a person can help (D5).
    fn within_tries(&self, decision: Decision, record: &Record) -> Decision {
        match decision.action {
            Action::TryAgain { step }
                if record.case.tried.of(step) >= record.case.limits(&self.policy).of(step) =>
            {
                let reasons = vec![ReasonCode::CASE_ATTEMPTS];
                Decision { verdict: Verdict::Inconclusive, action: Action::Refer, reasons }
            }
            _ => decision,
        }
    }

    /// Every look-up with its purpose, before it is made (C4).
    async fn tell_lookups(&self, access: Access) -> Result<(), AppError> {
        let mut tx = self.parts.store.begin().await?;
        for register in ["documents", "persons"] {
            let data = json!({ "register": register, "purpose": "enrolment" });
            tx.audit(self.event("register.asked", access.id(), data)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes the decision hold: the case, the trail, and the end of the personal data (D8).
    pub(super) async fn close(
        &self,
        mut tx: Tx,
        mut enrolment: Enrolment,
        settled: Settled,
        (issued, renewed): (Option<PublicIdentity>, Option<IdentityId>),
    ) -> Result<Finished, AppError> {
        let profile = match renewed {
            Some(identity) => Some(tx.hold_profile(identity).await?),
            None => None,
        };
        enrolment.record.settled = Some(settled.clone());
        let id = enrolment.id;
        tx.save(&enrolment).await?;
        if !enrolment.record.case.is_open() {
            tx.end_desk_session(id).await?;
        }
        let pick_up = match issued {
            Some(_) => self.draw_pick_up(&mut tx, id).await?,
            None => None,
        };
        if enrolment.record.has_ended() {
            tx.erase(id).await?;
        } else if enrolment.record.case.referral().is_some() {
            self.keep_for_desk(&mut tx, &enrolment).await?;
        }
        if let Some(profile) = profile {
            // Where the person was reached until now, before anything can be changed.
            let about = About::now(Blocks::Identity);
            self.notify(&mut tx, &profile, Notice::Renewed, about).await?;
        }
        if let Some(issued) = &issued {
            self.note(&mut tx, issued.id, Activity::of(What::IdentityIssued)).await?;
        }
        let data = json!({ "verdict": settled.verdict, "reasons": settled.reasons, "identity": settled.identity });
        tx.audit(self.event("case.decided", id, data)).await?;
        tx.commit().await?;
        if !enrolment.record.case.is_open() {
            self.parts.store.empty_log().await?;
        }
        self.tell_decided(id, &settled);
        Ok(Finished::of(id, &enrolment.record, &settled, (issued, pick_up)))
    }

    /// For logs and metrics.
    fn tell_decided(&self, id: EnrolmentId, settled: &Settled) {
        let verdict = verdict_name(settled.verdict);
        self.metrics.count(DECISIONS, &[("verdict", verdict.into())]);
        for reason in &settled.reasons {
            self.metrics.count(REASONS, &[("reason", reason.as_str().into())]);
        }
        tracing::info!(enrolment = %id, verdict, reasons = ?settled.reasons, "decided");
    }
}

/// Whether there is anything to decide: a face was taken, or something has failed already. Until
/// then no register is asked.
pub(crate) fn is_decidable(record: &Record) -> bool {
    record
        .checks()
        .iter()
        .any(|check| check.id == "face.detected" || check.outcome == check::Outcome::Failed)
        || !record.case.allows_biometrics()
}

/// What keeps a case from being decided without an officer: no face is recognised without consent
/// (A2), and High is nothing that a machine gives (E1).
fn wanting(case: &Case) -> Vec<Check> {
    let faces: &[&str] = match case.allows_biometrics() {
        true => &[],
        false => &["face.detected", "face.quality", "face.match", "face.morph"],
    };
    let refused = |id: &&str| Check::not_performed(id, ReasonCode::CONSENT_BIOMETRICS, json!({}));
    let high = case.high.then(|| Check::failed("level.high", ReasonCode::REFERRAL_HIGH, json!({})));
    faces.iter().map(refused).chain(high).collect()
}

pub(super) fn document_status(registers: &dyn Registers, dg1: &Mrz) -> document::DocumentStatus {
    registers.document(&dg1.fields().issuer, &dg1.fields().document_number)
}

/// The identity of a person, with its profile held: until this unit of work ends nobody blocks or erases it, so that
/// nothing is issued onto one that is erased meanwhile. Held before anything of it is written.
pub(super) async fn hold_known(
    tx: &mut Tx,
    person: &[u8; 32],
) -> Result<Option<IdentityId>, AppError> {
    let mut known = tx.identity_of(person).await?;
    while let Some(identity) = known {
        tx.hold_profile(identity).await?;
        // Read again: it may have been erased until it was held, and another one issued.
        let now = tx.identity_of(person).await?;
        if now == known {
            break;
        }
        known = now;
    }
    Ok(known)
}

/// `identity.open`, failed, if the person's identity is blocked: only an officer opens it (F2).
pub(super) async fn blocked(tx: &mut Tx, person: &[u8; 32]) -> Result<Option<Check>, AppError> {
    let Some(identity) = tx.identity_of(person).await? else { return Ok(None) };
    let refused = tx.life(identity).await?.open().err();
    Ok(refused.map(|reason| Check::of("identity.open", false, reason, json!({}))))
}

/// `document.unused` (B11): the document has proved nobody else.
pub(super) async fn unused(
    tx: &mut Tx,
    document: Option<&[u8; 32]>,
    person: &[u8; 32],
) -> Result<Check, AppError> {
    let id = "document.unused";
    let Some(document) = document else { return Ok(Check::waiting(id, "passive authentication")) };
    let free = tx.holder_of(document).await?.is_none_or(|holder| holder == *person);
    Ok(Check::of(id, free, ReasonCode::DOCUMENT_ALREADY_USED, json!({})))
}
