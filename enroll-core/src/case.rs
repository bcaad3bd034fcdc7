//! A case from its start to its end (DESIGN §6): a state with its own dates, and transitions that
//! consume the case and may refuse.
//!
//! ```text
//! Started → Consented → PageRead → ChipRead → DocumentVerified → FaceCaptured → FaceVerified
//!         → PersonMatched → IdentityCreated → Activated        and from every open state
//!         → Refused | Referred | Abandoned | Expired
//! Referred → Open, at a Borgercenter → …                        as often as the policy allows
//! ```
//!
//! A referred case has not ended: a Borgercenter goes on with it, or an officer decides it.
//!
//! A transition that refuses changes nothing: the stored case stands as it was, so a lost link or
//! a step out of order never ends a case.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    decide::{Action, Decision},
    officer::Approved,
    policy::{Attempts, Policy},
    reason::{ReasonCode, Step},
};

/// What the person agreed to, and when (A1, A2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Version of terms, precautions and privacy text.
    pub terms_version: String,
    /// Whether the face may be recognised.
    pub biometrics: bool,
    /// Language in which it was read: `da` or `en`.
    pub language: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// How far an open case with consent has come. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing read yet.
    Consented,
    /// The printed page is read: there is an access key.
    PageRead,
    /// The chip is read; its document is not proved.
    ChipRead,
    /// The document is proved.
    DocumentVerified,
    /// There is a picture of the face.
    FaceCaptured,
    /// The face is that of the portrait.
    FaceVerified,
    /// The person is found in the register.
    PersonMatched,
}

impl Stage {
    /// Where a case stands from which `step` is done again.
    fn before(step: Step, verified: bool) -> Self {
        match step {
            Step::Start | Step::Page => Self::Consented,
            Step::Chip => Self::PageRead,
            Step::Face if verified => Self::DocumentVerified,
            Step::Face => Self::ChipRead,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Consented => "consented",
            Self::PageRead => "page_read",
            Self::ChipRead => "chip_read",
            Self::DocumentVerified => "document_verified",
            Self::FaceCaptured => "face_captured",
            Self::FaceVerified => "face_verified",
            Self::PersonMatched => "person_matched",
        }
    }
}

/// The case goes on at a Borgercenter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Where, as the kiosk is named in the configuration.
    pub kiosk: String,
    /// How many it makes, this one with it.
    pub number: u16,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What a Borgercenter takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The consent that carries it.
    pub consent: Consent,
    /// How far the case had come.
    pub stage: Stage,
    /// How often it went on at a Borgercenter.
    pub visits: u16,
    /// Who asked for more last, if anybody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// An officer needs more to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub officer: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Begun, without consent.
    Started,
    /// Under way with consent.
    Open {
        /// The consent that carries it.
        consent: Consent,
        /// How far it has come.
        stage: Stage,
        /// Whether the chip now held is proved.
        verified: bool,
        /// When this stage was reached.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// The visit to a Borgercenter in which it goes on; nothing at home.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<Visit>,
    },
    /// An identity exists.
    IdentityCreated {
        /// Its identifier.
        identity: uuid::Uuid,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// The officer who approved it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        officer: Option<String>,
    },
    /// The identity has an app: the enrolment gives no further right to one.
    Activated {
        /// The identity.
        identity: uuid::Uuid,
        /// The app.
        authenticator: uuid::Uuid,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Ended without one.
    Refused {
        /// Why, worst first.
        reasons: Vec<ReasonCode>,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// The officer who refused it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        officer: Option<String>,
    },
    /// A Borgercenter takes over.
    Referred {
        /// Why, worst first.
        reasons: Vec<ReasonCode>,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// What it takes over; nothing of a case that ended so before cases were carried over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        referral: Option<Referral>,
    },
    /// Left by the person.
    Abandoned {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Its time ran out.
    Expired {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// One enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started: OffsetDateTime,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
    /// How often each step was tried.
    pub tried: Attempts,
    /// Whether the person asks for High, which only an officer gives (E1).
    #[serde(default)]
    pub high: bool,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
}

/// Why a transition is refused; the case stands as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The step does not belong here.
    #[error("the case is {state}; this step does not belong here")]
    State {
        /// Where it stands.
        state: &'static str,
    },
    /// Its time ran out.
    #[error("the time of the case has run out")]
    Expired,
    /// The step was tried too often.
    #[error("the step was tried too often")]
    Attempts {
        /// The step.
        step: Step,
    },
    /// It was opened at Borgercenters too often.
    #[error("the case was opened too often")]
    Visits,
    /// The time to activate an app with it ran out.
    #[error("the time to activate an app has run out")]
    Window,
    /// No consent to the terms in force.
    #[error("there is no consent to the terms in force")]
    Consent,
    /// No consent to recognise the face (A2).
    #[error("there is no consent to recognise the face")]
    Biometrics,
}

impl CaseError {
    /// The reason code to give.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        match self {
            Self::State { .. } => ReasonCode::CASE_STATE,
            Self::Expired => ReasonCode::CASE_EXPIRED,
            Self::Attempts { .. } => ReasonCode::CASE_ATTEMPTS,
            Self::Visits => ReasonCode::REFERRAL_VISITS,
            Self::Window => ReasonCode::ACTIVATION_WINDOW,
            Self::Consent => ReasonCode::CASE_CONSENT,
            Self::Biometrics => ReasonCode::CONSENT_BIOMETRICS,
        }
    }
}

impl Case {
    /// Begins a case.
    #[must_use]
    pub fn start(policy: &Policy, now: OffsetDateTime) -> Self {
        Self {
            started: now,
            deadline: now + Duration::seconds(i64::from(policy.lifetime_s)),
            tried: Attempts { page: 0, chip: 0, face: 0 },
            high: false,
            state: State::Started,
        }
    }

    /// The state's name, such as `page_read`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.state {
            State::Started => "started",
            State::Open { stage, .. } => stage.name(),
            State::IdentityCreated { .. } => "identity_created",
            State::Activated { .. } => "activated",
            State::Refused { .. } => "refused",
            State::Referred { .. } => "referred",
            State::Abandoned { .. } => "abandoned",
            State::Expired { .. } => "expired",
        }
    }

    /// Whether its next step can be done now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Started | State::Open { .. })
    }

    /// What a Borgercenter has taken over and not ended.
    #[must_use]
    pub fn referral(&self) -> Option<&Referral> {
        match &self.state {
            State::Referred { referral, .. } => referral.as_ref(),
            _ => None,
        }
    }

    /// Since when it waits for a Borgercenter.
    #[must_use]
    pub fn referred_at(&self) -> Option<OffsetDateTime> {
        match &self.state {
            State::Referred { at, referral: Some(_), .. } => Some(*at),
            _ => None,
        }
    }

    /// The visit to a Borgercenter in which it goes on.
    #[must_use]
    pub fn visit(&self) -> Option<&Visit> {
        match &self.state {
            State::Open { visit, .. } => visit.as_ref(),
            _ => None,
        }
    }

    /// Whether nothing more can come of it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !self.is_open() && self.referral().is_none()
    }

    /// Whether the face may be recognised (A2).
    #[must_use]
    pub fn allows_biometrics(&self) -> bool {
        match &self.state {
            State::Open { consent, .. } => consent.biometrics,
            _ => self.referral().is_some_and(|referral| referral.consent.biometrics),
        }
    }

    /// How often each step may be tried where it goes on now.
    #[must_use]
    pub fn limits(&self, policy: &Policy) -> Attempts {
        if self.visit().is_some() { policy.desk.attempts } else { policy.attempts }
    }

    /// Takes the consent to `terms_in_force` (A1). Without consent to biometrics no face is taken,
    /// and the case goes on at a Borgercenter only (A2).
    ///
    /// # Errors
    /// [`CaseError::Consent`] for a stale version.
    pub fn consent(self, consent: Consent, terms_in_force: &str) -> Result<Self, CaseError> {
        let at = consent.at;
        self.in_time(at)?;
        if self.state != State::Started {
            return Err(self.refuse_step());
        }
        if consent.terms_version != terms_in_force {
            return Err(CaseError::Consent);
        }
        let stage = Stage::Consented;
        let state = State::Open { consent, stage, verified: false, at, visit: None };
        Ok(Self { state, ..self })
    }

    /// Whether it is the turn of `step`, however often it was tried.
    ///
    /// # Errors
    /// [`CaseError::State`] if the step does not belong here, [`CaseError::Biometrics`],
    /// [`CaseError::Expired`].
    pub fn is_turn(&self, step: Step, now: OffsetDateTime) -> Result<(), CaseError> {
        self.in_time(now)?;
        let stage = self.stage()?;
        let needs = match step {
            Step::Start => return Err(self.refuse_step()),
            Step::Page => Stage::Consented,
            Step::Chip => Stage::PageRead,
            Step::Face => Stage::ChipRead,
        };
        if stage < needs || stage >= Stage::FaceVerified {
            return Err(self.refuse_step());
        }
        if step == Step::Face && !self.allows_biometrics() {
            return Err(CaseError::Biometrics);
        }
        Ok(())
    }

    /// Counts one try of `step`, before it is run.
    ///
    /// # Errors
    /// As [`Case::is_turn`], and [`CaseError::Attempts`] if it was tried too often.
    pub fn attempt(
        self,
        step: Step,
        policy: &Policy,
        now: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        self.is_turn(step, now)?;
        if self.tried.of(step) >= self.limits(policy).of(step) {
            return Err(CaseError::Attempts { step });
        }
        Ok(Self { tried: self.tried.plus(step), ..self })
    }

    /// The printed page is read. What the chip said before is void (B5).
    ///
    /// # Errors
    /// [`CaseError::State`] or [`CaseError::Expired`].
    pub fn page_read(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        self.advance(Stage::PageRead, Stage::Consented..=Stage::FaceCaptured, now)
    }

    /// The chip is read, again or for the first time. A picture of the face taken before is void.
    ///
    /// # Errors
    /// [`CaseError::State`] or [`CaseError::Expired`].
    pub fn chip_read(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        self.advance(Stage::ChipRead, Stage::PageRead..=Stage::FaceCaptured, now)
    }

    /// The document is proved.
    ///
    /// # Errors
    /// [`CaseError::State`] or [`CaseError::Expired`].
    pub fn document_verified(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        self.advance(Stage::DocumentVerified, Stage::ChipRead..=Stage::ChipRead, now)
    }

    /// There is a picture of the face. It may be taken although the document was not proved: all
    /// checks that can run do run, and the decision refuses.
    ///
    /// # Errors
    /// [`CaseError::State`], [`CaseError::Biometrics`] or [`CaseError::Expired`].
    pub fn face_captured(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        if self.is_open() && !self.allows_biometrics() {
            return Err(CaseError::Biometrics);
        }
        self.advance(Stage::FaceCaptured, Stage::ChipRead..=Stage::FaceCaptured, now)
    }

    /// The face is that of the proved portrait.
    ///
    /// # Errors
    /// [`CaseError::State`] or [`CaseError::Expired`].
    pub fn face_verified(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        if !matches!(self.state, State::Open { verified: true, .. }) {
            return Err(self.refuse_step());
        }
        self.advance(Stage::FaceVerified, Stage::FaceCaptured..=Stage::FaceCaptured, now)
    }

    /// The person is found in the register.
    ///
    /// # Errors
    /// [`CaseError::State`] or [`CaseError::Expired`].
    pub fn person_matched(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        self.advance(Stage::PersonMatched, Stage::FaceVerified..=Stage::FaceVerified, now)
    }

    /// Applies a decision. An issued identity gets the identifier `identity`; a case that is to
    /// try again stands before that step.
    ///
    /// # Errors
    /// [`CaseError::State`] if an identity is to be issued from a case whose document is not
    /// proved or which has no face, or if the case has ended; [`CaseError::Expired`].
    pub fn settle(
        self,
        decision: &Decision,
        identity: uuid::Uuid,
        policy: &Policy,
        now: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        match decision.action {
            Action::Issue { .. } => {
                let matched = self.face_verified(now)?.person_matched(now)?;
                let state = State::IdentityCreated { identity, at: now, officer: None };
                Ok(Self { state, ..matched })
            }
            Action::TryAgain { step } => self.again(step, now),
            Action::Refer => self.refer(decision.reasons.clone(), policy, now),
            Action::Refuse => self.refuse(decision.reasons.clone(), now),
        }
    }

    /// The identity that this case issued, if an app may still be activated with it at `now`
    /// (F3: afterwards only a new enrolment gives that right).
    ///
    /// # Errors
    /// [`CaseError::State`] without an identity or once it is activated, [`CaseError::Window`].
    pub fn activatable(
        &self,
        policy: &Policy,
        now: OffsetDateTime,
    ) -> Result<uuid::Uuid, CaseError> {
        let State::IdentityCreated { identity, at, .. } = self.state else {
            return Err(self.refuse_step());
        };
        let end = at + Duration::seconds(i64::from(policy.activation.window_s));
        if now > end { Err(CaseError::Window) } else { Ok(identity) }
    }

    /// The identity's app is activated.
    ///
    /// # Errors
    /// As [`Case::activatable`].
    pub fn activated(
        self,
        authenticator: uuid::Uuid,
        policy: &Policy,
        now: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        let identity = self.activatable(policy, now)?;
        Ok(Self { state: State::Activated { identity, authenticator, at: now }, ..self })
    }

    /// Hands the case over to a Borgercenter, which has the policy's time to take it on. What a visit
    /// before has tried is forgotten.
    ///
    /// # Errors
    /// [`CaseError::State`] if it is not open, [`CaseError::Expired`].
    pub fn refer(
        self,
        reasons: Vec<ReasonCode>,
        policy: &Policy,
        at: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        self.in_time(at)?;
        let State::Open { consent, stage, visit, .. } = self.state else {
            return Err(self.refuse_step());
        };
        let visits = visit.map_or(0, |visit| visit.number);
        let referral = Some(Referral { consent, stage, visits, asked: None });
        let deadline = at + Duration::seconds(i64::from(policy.desk.referral_s));
        Ok(Self { state: State::Referred { reasons, at, referral }, deadline, ..self })
    }

    /// The case goes on at a Borgercenter, from the page if it was read: the chip is read anew (B5),
    /// and the tries are counted anew. A visit that broke off is followed by another one.
    ///
    /// # Errors
    /// [`CaseError::State`] if it is neither referred nor at a Borgercenter, [`CaseError::Visits`]
    /// if it was opened there too often, [`CaseError::Expired`].
    pub fn visited(
        self,
        kiosk: String,
        policy: &Policy,
        at: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        self.in_time(at)?;
        let (consent, stage, visits) = match &self.state {
            State::Referred { referral: Some(referral), .. } => {
                (referral.consent.clone(), referral.stage, referral.visits)
            }
            State::Open { consent, stage, visit: Some(visit), .. } => {
                (consent.clone(), *stage, self.counted(*stage, visit))
            }
            _ => return Err(self.refuse_step()),
        };
        if visits >= policy.desk.visits {
            return Err(CaseError::Visits);
        }
        let visit = Some(Visit { kiosk, number: visits + 1, at });
        let stage = stage.min(Stage::PageRead);
        let state = State::Open { consent, stage, verified: false, at, visit };
        Ok(Self { state, tried: Attempts { page: 0, chip: 0, face: 0 }, ..self })
    }

    /// How many visits there were, this one with it: one in which nothing was tried is none.
    fn counted(&self, stage: Stage, visit: &Visit) -> u16 {
        let is_idle =
            self.tried == Attempts { page: 0, chip: 0, face: 0 } && stage <= Stage::PageRead;
        if is_idle { visit.number.saturating_sub(1) } else { visit.number }
    }

    /// A visit is over without a decision: the case waits again, for as long as before.
    ///
    /// # Errors
    /// [`CaseError::State`] if it is not at a Borgercenter, [`CaseError::Expired`].
    pub fn left(self, at: OffsetDateTime) -> Result<Self, CaseError> {
        self.in_time(at)?;
        let State::Open { consent, stage, visit: Some(visit), .. } = &self.state else {
            return Err(self.refuse_step());
        };
        let visits = self.counted(*stage, visit);
        let (consent, stage) = (consent.clone(), (*stage).min(Stage::PageRead));
        let referral = Some(Referral { consent, stage, visits, asked: None });
        let reasons = vec![ReasonCode::REFERRAL_VISIT_ENDED];
        Ok(Self { state: State::Referred { reasons, at, referral }, ..self })
    }

    /// An officer approves the case: the identity exists (E1).
    ///
    /// # Errors
    /// [`CaseError::State`] if it is not referred, [`CaseError::Expired`].
    pub fn approved(
        self,
        approved: &Approved,
        identity: uuid::Uuid,
        at: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        self.ruled(at)?;
        let officer = Some(approved.officer().to_owned());
        Ok(Self { state: State::IdentityCreated { identity, at, officer }, ..self })
    }

    /// An officer refuses the case.
    ///
    /// # Errors
    /// As [`Case::approved`].
    pub fn refused_by(self, officer: String, at: OffsetDateTime) -> Result<Self, CaseError> {
        self.ruled(at)?;
        let (reasons, officer) = (vec![ReasonCode::OFFICER_REFUSED], Some(officer));
        Ok(Self { state: State::Refused { reasons, at, officer }, ..self })
    }

    /// An officer needs more: the case waits on, for as long as a new one.
    ///
    /// # Errors
    /// As [`Case::approved`].
    pub fn more_asked(
        self,
        officer: String,
        policy: &Policy,
        at: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        let referral = self.ruled(at)?.clone();
        let referral = Some(Referral { asked: Some(Asked { officer, at }), ..referral });
        let reasons = vec![ReasonCode::OFFICER_MORE];
        let deadline = at + Duration::seconds(i64::from(policy.desk.referral_s));
        Ok(Self { state: State::Referred { reasons, at, referral }, deadline, ..self })
    }

    fn ruled(&self, at: OffsetDateTime) -> Result<&Referral, CaseError> {
        self.in_time(at)?;
        self.referral().ok_or_else(|| self.refuse_step())
    }

    /// Refuses the case.
    ///
    /// # Errors
    /// [`CaseError::State`] if it has ended.
    pub fn refuse(self, reasons: Vec<ReasonCode>, at: OffsetDateTime) -> Result<Self, CaseError> {
        self.end(State::Refused { reasons, at, officer: None })
    }

    /// The person leaves.
    ///
    /// # Errors
    /// [`CaseError::State`] if it has ended.
    pub fn abandon(self, at: OffsetDateTime) -> Result<Self, CaseError> {
        self.end(State::Abandoned { at })
    }

    /// Ends a case whose time has run out.
    ///
    /// # Errors
    /// [`CaseError::State`] if it has ended, or its time has not run out.
    pub fn expire(self, now: OffsetDateTime) -> Result<Self, CaseError> {
        if now <= self.deadline {
            return Err(self.refuse_step());
        }
        self.end(State::Expired { at: now })
    }

    fn again(self, step: Step, now: OffsetDateTime) -> Result<Self, CaseError> {
        self.in_time(now)?;
        let State::Open { consent, verified, visit, .. } = self.state else {
            return Err(self.refuse_step());
        };
        let stage = Stage::before(step, verified);
        let verified = verified && step == Step::Face;
        Ok(Self { state: State::Open { consent, stage, verified, at: now, visit }, ..self })
    }

    fn end(self, state: State) -> Result<Self, CaseError> {
        if self.has_ended() { Err(self.refuse_step()) } else { Ok(Self { state, ..self }) }
    }

    fn advance(
        self,
        to: Stage,
        from: std::ops::RangeInclusive<Stage>,
        at: OffsetDateTime,
    ) -> Result<Self, CaseError> {
        self.in_time(at)?;
        if !from.contains(&self.stage()?) {
            return Err(self.refuse_step());
        }
        let State::Open { consent, verified, visit, .. } = self.state else {
            return Err(self.refuse_step());
        };
        let verified = to >= Stage::DocumentVerified && (verified || to == Stage::DocumentVerified);
        Ok(Self { state: State::Open { consent, stage: to, verified, at, visit }, ..self })
    }

    fn stage(&self) -> Result<Stage, CaseError> {
        match &self.state {
            State::Open { stage, .. } => Ok(*stage),
            _ => Err(self.refuse_step()),
        }
    }

    fn in_time(&self, now: OffsetDateTime) -> Result<(), CaseError> {
        if now > self.deadline { Err(CaseError::Expired) } else { Ok(()) }
    }

    fn refuse_step(&self) -> CaseError {
        CaseError::State { state: self.name() }
    }
}

#[cfg(test)]
mod tests;
