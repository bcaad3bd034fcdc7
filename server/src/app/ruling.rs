//! What an officer decides of a referred case, in one unit of work with what follows from it: approve,
//! refuse, or ask for more; and opening a blocked identity again (E1, F2). Each has a reason, and its
//! officer is in the record, the trail and, where an identity comes of it, the evidence.

use super::block::LifeView;
use super::document::proved_again;
use super::evidence::{Basis, document_key};
use super::finish::{Finished, blocked, document_status, hold_known, unused};
use super::issue::Holder;
use super::officer::Officer;
use super::queue::{Said, Sealed};
use super::subject::Subject;
use super::{App, AppError, PublicIdentity, blocking};
use crate::clock::copenhagen_date;
use crate::ids::{EnrolmentId, IdentityId, RulingId};
use crate::record::{Outcome, Settled};
use crate::storage::{Enrolment, RulingRow, Tx};
use enroll_core::check::Check;
use enroll_core::decide::Verdict;
use enroll_core::findings::document::{self, DocumentStatus};
use enroll_core::findings::person::{
    self, Nearness, PersonAnswer, PersonRecord, nearness, same_birth,
};
use enroll_core::life::Actor;
use enroll_core::officer::{Approval, Wanted, approve};
use enroll_core::reason::ReasonCode;
use mrz::Mrz;
use serde::Deserialize;
use serde_json::json;
use time::{Date, Duration};
use zeroize::Zeroizing;

/// What an officer decides.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// What.
    decision: Choice,
    /// Why, 10 to 2000 signs. The person gets it in writing on request.
    reason: String,
    /// With `approve`: the level, `substantial` if absent. `high` only of a person who is there.
    #[serde(default)]
    level: Option<Level>,
    /// With `approve`: whether the person stood before the officer, who compared face, portrait and
    /// document.
    #[serde(default)]
    in_person: bool,
    /// With `approve`, where the machine did not judge the face: that the officer compared the person
    /// with the chip's portrait, which they have looked at in this case.
    #[serde(default)]
    portrait_compared: bool,
    /// With `approve`: the identity of who vouched for the person there.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    witness: Option<IdentityId>,
}

impl std::fmt::Debug for Ruling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ruling({:?})", self.decision)
    }
}

impl Ruling {
    /// `shown` is the officer who was shown the portrait last.
    fn approval(&self, officer: &Officer, shown: Option<&str>) -> Approval {
        Approval {
            officer: officer.name.clone(),
            level: self.level.map_or(Wanted::Substantial, Wanted::from),
            in_person: self.in_person,
            compared: self.portrait_compared && shown == Some(officer.name.as_str()),
        }
    }

    /// Whether the officer may find that the register's `person` is the document's: the names are near
    /// (C1), or the person is there, born on the same day, and a witness vouches for them.
    fn takes_for(&self, person: &PersonRecord, dg1: &Mrz) -> bool {
        match nearness(person, dg1) {
            Nearness::Same | Nearness::Near => true,
            Nearness::Different => {
                self.in_person && self.witness.is_some() && same_birth(person, dg1)
            }
        }
    }
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Choice {
    /// The identity is issued.
    Approve,
    /// No identity.
    Refuse,
    /// The person brings or does something more.
    More,
}

impl Choice {
    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::More => "more",
        }
    }
}

/// A level to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// *Betydelig*.
    Substantial,
    /// *Høj*.
    High,
}

/// Why a blocked identity is opened again.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    /// Why, 10 to 2000 signs.
    reason: String,
}

impl std::fmt::Debug for Reopening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reopening(…)")
    }
}

/// A reason as it is kept.
fn reason(text: &str) -> Result<&str, AppError> {
    let text = text.trim();
    let fits = (10..=2000).contains(&text.chars().count());
    if fits { Ok(text) } else { Err(AppError::Reason(ReasonCode::OFFICER_REASON)) }
}

/// What is asked before an approval, outside a unit of work.
struct Asked {
    document: DocumentStatus,
    person: PersonAnswer,
}

impl App {
    /// Decides a referred case in the name of `officer`.
    ///
    /// # Errors
    /// `officer.reason`; `case.state` if it does not wait, or changes meanwhile; for an approval the
    /// objection that no officer may overrule, `officer.presence`, `witness.not_allowed`,
    /// `case.incomplete` if no chip was read.
    pub async fn rule(
        &self,
        officer: &Officer,
        id: &str,
        ruling: Ruling,
    ) -> Result<Finished, AppError> {
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let why = reason(&ruling.reason)?.to_owned();
        match ruling.decision {
            Choice::Approve => {
                let approved = self.approve(officer, id, &ruling, &why).await;
                if let Err(AppError::Reason(ReasonCode::WITNESS_NOT_ALLOWED)) = &approved {
                    let asked = ("witness", ruling.witness.map(IdentityId::uuid));
                    self.asked_in_vain(officer, asked, Some(id)).await?;
                }
                approved
            }
            Choice::Refuse | Choice::More => self.without(officer, id, ruling.decision, &why).await,
        }
    }

    /// Refuses, or asks for more.
    async fn without(
        &self,
        officer: &Officer,
        id: EnrolmentId,
        choice: Choice,
        why: &str,
    ) -> Result<Finished, AppError> {
        let (mut tx, mut enrolment) = self.waiting_case(id).await?;
        let (now, name) = (self.now(), officer.name.clone());
        let (verdict, decision, reason) = match choice {
            Choice::More => (Verdict::Inconclusive, Outcome::Refer, ReasonCode::OFFICER_MORE),
            _ => (Verdict::Refused, Outcome::Refuse, ReasonCode::OFFICER_REFUSED),
        };
        enrolment.record.advance(|case| match choice {
            Choice::More => case.more_asked(name, &self.policy, now),
            _ => case.refused_by(name, now),
        })?;
        if choice == Choice::More {
            tx.put(id, ASKED, why.as_bytes()).await?;
            tx.prolong_reference(id, enrolment.record.case.deadline).await?;
        }
        let row = Kept { enrolment: Some(id), identity: None, witness: None };
        self.keep_ruling(&mut tx, officer, row, (choice.name(), why)).await?;
        let settled = Settled { verdict, decision, reasons: vec![reason], identity: None };
        self.close(tx, enrolment, settled, (None, None)).await
    }

    async fn approve(
        &self,
        officer: &Officer,
        id: EnrolmentId,
        ruling: &Ruling,
        why: &str,
    ) -> Result<Finished, AppError> {
        let (mut tx, before) = self.waiting_case(id).await?;
        let incomplete = || AppError::Reason(ReasonCode::CASE_INCOMPLETE);
        let subject = self.subject(&mut tx, id).await?;
        let dg1 = self.sealed(&mut tx, id).await?.dg1.ok_or_else(incomplete)?;
        for register in ["documents", "persons"] {
            let (purpose, officer) = ("approval", &officer.name);
            let data = json!({ "register": register, "purpose": purpose, "officer": officer });
            tx.audit(self.event("register.asked", id, data)).await?;
        }
        tx.commit().await?;
        let registers = self.parts.registers.clone();
        let asked_of = subject.clone();
        let asked = blocking(move || Asked {
            document: document_status(registers.as_ref(), &dg1),
            person: asked_of.answer(registers.as_ref()),
        })
        .await?;
        let (tx, enrolment) = self.waiting_case(id).await?;
        if enrolment.version != before.version {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        self.approve_as_asked(tx, enrolment, (officer, ruling, why), (subject, asked)).await
    }

    async fn approve_as_asked(
        &self,
        mut tx: Tx,
        mut enrolment: Enrolment,
        (officer, ruling, why): (&Officer, &Ruling, &str),
        (subject, asked): (Subject, Asked),
    ) -> Result<Finished, AppError> {
        let (id, now) = (enrolment.id, self.now());
        let today = copenhagen_date(now);
        let incomplete = AppError::Reason(ReasonCode::CASE_INCOMPLETE);
        let Sealed { chip: Some(chip), dg1: Some(dg1), report: Some(report) } =
            self.sealed(&mut tx, id).await?
        else {
            return Err(incomplete);
        };
        let (person, doc) =
            (subject.hash(&tx)?, tx.keyed_hash("document", document_key(&dg1).as_bytes())?);
        let known = hold_known(&mut tx, &person).await?;
        if let Some(witness) = ruling.witness {
            self.may_vouch(&mut tx, witness, known).await?;
        }
        let findings = &mut enrolment.record.findings;
        let kept = proved_again(&report).into_iter().filter(|check| check.id != "com.content");
        findings.record_all(kept);
        findings.record(document::validity(&dg1, today));
        findings.record(document::status(asked.document));
        findings.record_all(match &asked.person {
            PersonAnswer::Found(found) if ruling.takes_for(found, &dg1) => {
                person::accepted(found, &officer.name, &self.policy, today)
            }
            answer => person::checks(answer, Some(&dg1), &self.policy, today),
        });
        findings.record(unused(&mut tx, Some(&doc), &person).await?);
        // It may have been opened since.
        findings.forget(&["identity.open"]);
        findings.record_all(blocked(&mut tx, &person).await?);
        let shown = self.portrait_shown(&mut tx, id).await?;
        let approval = ruling.approval(officer, shown.as_deref());
        let approved = approve(findings, &self.policy, &enrolment.record.case, &approval)
            .map_err(AppError::Reason)?;
        findings.record_all(by_officer(&approval, ruling.witness));
        let new = || IdentityId::random(self.parts.entropy.as_ref());
        let identity = known.map_or_else(new, Ok)?;
        enrolment.record.advance(|case| case.approved(&approved, identity.uuid(), now))?;
        let models = self.parts.faces.models();
        let judged = (today, self.parts.trust.domain());
        let (chip, report) = (&chip, &report);
        let basis = Basis {
            enrolment: &enrolment,
            chip,
            report,
            dg1: Some(&dg1),
            method: "officer",
            models,
            judged,
            now,
        };
        let to = Holder { identity, person, document: Some(doc), answer: Some(&asked.person) };
        let issued = self.issue(&mut tx, approved.level().clone(), &basis, &to).await?;
        self.use_p_code(&mut tx, id, now).await?;
        let kept = Kept { enrolment: Some(id), identity: Some(identity), witness: ruling.witness };
        self.keep_ruling(&mut tx, officer, kept, ("approve", why)).await?;
        let (verdict, decision) = (Verdict::Accepted, Outcome::Issue);
        let settled = Settled { verdict, decision, reasons: Vec::new(), identity: Some(identity) };
        self.close(tx, enrolment, settled, (Some(issued), known)).await
    }

    async fn waiting_case(&self, id: EnrolmentId) -> Result<(Tx, Enrolment), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        match enrolment.record.case.referral() {
            Some(_) => Ok((tx, enrolment)),
            None => Err(AppError::Reason(ReasonCode::CASE_STATE)),
        }
    }

    /// That the holder of `witness` may vouch for the holder of `of`, by the policy's rules.
    async fn may_vouch(
        &self,
        tx: &mut Tx,
        witness: IdentityId,
        of: Option<IdentityId>,
    ) -> Result<(), AppError> {
        let refused = || AppError::Reason(ReasonCode::WITNESS_NOT_ALLOWED);
        let (rule, now) = (self.policy.witness, self.now());
        let Some(row) = tx.identity(witness).await? else { return Err(refused()) };
        // Held: two officers at once do not both count the third time.
        let life = tx.hold_profile(witness).await?.life;
        let held: PublicIdentity =
            serde_json::from_slice(&row.record).map_err(AppError::internal)?;
        let since = tx.identity_since(witness).await?.ok_or_else(refused)?;
        let before = |seconds: u32| now - Duration::seconds(i64::from(seconds));
        let times = tx.vouched(witness, before(rule.period_s)).await?;
        let fits = of != Some(witness)
            && life.open().is_ok()
            && since < before(rule.identity_s)
            && times < i64::from(rule.most)
            && birth_date(&held).is_some_and(|birth| {
                person::years(birth, copenhagen_date(now)) >= i32::from(rule.minimum_age)
            });
        if fits { Ok(()) } else { Err(refused()) }
    }

    async fn keep_ruling(
        &self,
        tx: &mut Tx,
        officer: &Officer,
        kept: Kept,
        (decision, reason): (&str, &str),
    ) -> Result<(), AppError> {
        let Kept { enrolment, identity, witness } = kept;
        let id = RulingId::random(self.parts.entropy.as_ref())?;
        let said = Said { decision: decision.to_owned(), reason: reason.to_owned() };
        let payload = serde_json::to_vec(&said).map(Zeroizing::new).map_err(AppError::internal)?;
        let row = RulingRow {
            id,
            enrolment,
            identity,
            officer: officer.name.clone(),
            witness,
            payload,
            at: self.now(),
        };
        tx.add_ruling(&row).await?;
        let data = json!({
            "officer": officer.name, "ruling": id, "decision": decision, "identity": identity,
            "witness": witness,
        });
        let (kind, case) = ("officer.ruled".to_owned(), enrolment.map(|id| id.to_string()));
        Ok(tx.audit(enroll_core::audit::Event { time: self.now(), kind, case, data }).await?)
    }

    /// Opens a blocked identity again, in the name of `officer` (F2, F3). Repeated, it answers the same.
    ///
    /// # Errors
    /// `officer.reason`, `identity.revoked`; [`AppError::UnknownCase`].
    pub async fn reopen_by(
        &self,
        officer: &Officer,
        id: &str,
        reopening: Reopening,
    ) -> Result<LifeView, AppError> {
        let why = reason(&reopening.reason)?;
        let named: Option<IdentityId> = id.parse().ok();
        let reopened = match named {
            Some(identity) => self.reopen_named(officer, identity, why).await,
            None => Err(AppError::UnknownCase),
        };
        if let Err(AppError::UnknownCase) = &reopened {
            let asked = ("reopening", named.map(IdentityId::uuid));
            self.asked_in_vain(officer, asked, None).await?;
        }
        reopened
    }

    async fn reopen_named(
        &self,
        officer: &Officer,
        identity: IdentityId,
        why: &str,
    ) -> Result<LifeView, AppError> {
        let by = Actor::Officer { officer: officer.name.clone() };
        let mut tx = self.parts.store.begin().await?;
        let reopened = self.reopening(&mut tx, identity, by).await?;
        if reopened.changed {
            let kept = Kept { enrolment: None, identity: Some(identity), witness: None };
            self.keep_ruling(&mut tx, officer, kept, ("reopen", why)).await?;
            tx.commit().await?;
        }
        Ok(reopened.life)
    }
}

/// What a ruling is of.
struct Kept {
    enrolment: Option<EnrolmentId>,
    identity: Option<IdentityId>,
    witness: Option<IdentityId>,
}

/// Under which name what an officer asks for is sealed.
pub(super) const ASKED: &str = "asked";

impl From<Level> for Wanted {
    fn from(level: Level) -> Self {
        match level {
            Level::Substantial => Self::Substantial,
            Level::High => Self::High,
        }
    }
}

/// `officer.approved`, as the evidence has it (E1), and `officer.portrait_compared` if the officer did.
fn by_officer(approval: &Approval, witness: Option<IdentityId>) -> Vec<Check> {
    let Approval { officer, level, in_person, compared } = approval;
    let evidence =
        json!({ "officer": officer, "level": level, "in_person": in_person, "witness": witness });
    let portrait = || Check::passed("officer.portrait_compared", json!({ "officer": officer }));
    [Check::passed("officer.approved", evidence)]
        .into_iter()
        .chain(compared.then(portrait))
        .collect()
}

fn birth_date(identity: &PublicIdentity) -> Option<Date> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(&identity.birth_date, form).ok()
}
