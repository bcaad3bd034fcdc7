//! The decision: an identity, a step to do again, a Borgercenter, or a refusal; each but the first with
//! its reasons, what to do now, and the Borgercenter (H6).

use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::super::{html, kiosk};
use super::center::Times;
use super::{Citizen, next, to, trouble};
use crate::app::{App, AppError, PublicIdentity, is_decidable};
use crate::ids::IdentityId;
use crate::record::{Outcome, Record, Settled};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use enroll_core::case::{Stage, State as Case};
use enroll_core::reason::{LeadsTo, ReasonCode, Step};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/result.html")]
struct Page {
    l: Layout,
    end: End,
    number: String,
    /// The free times at a Borgercenter, where the case does not go on here.
    times: Option<Times>,
    /// Whether one of them can be booked for this case.
    book: bool,
}

/// What is shown.
enum End {
    /// Nothing is decided yet.
    Open,
    Issued(PublicIdentity),
    /// It was proved at a Borgercenter, and is for who holds the code from there.
    PickUp,
    /// What is to be done again: the page for it, and the name of the text that says so.
    Again(Vec<Why>, &'static str, &'static str),
    Referred(Vec<Why>),
    Refused(Vec<Why>),
    /// The time ran out.
    Expired,
}

impl End {
    fn title(&self) -> &'static str {
        match self {
            Self::Open => "result-decide-title",
            Self::Issued(_) => "result-good-title",
            Self::PickUp => "result-there-title",
            Self::Again(..) => "result-again-title",
            Self::Referred(_) => "result-refer-title",
            Self::Refused(_) => "result-bad-title",
            Self::Expired => "result-ended-title",
        }
    }

    fn is_again(&self) -> bool {
        matches!(self, Self::Again(..))
    }

    /// The reasons, worst first.
    fn reasons(&self) -> &[Why] {
        match self {
            Self::Again(reasons, ..) | Self::Referred(reasons) | Self::Refused(reasons) => reasons,
            Self::Open | Self::Issued(_) | Self::PickUp | Self::Expired => &[],
        }
    }

    /// Whether a Borgercenter is what helps now.
    fn leads_there(&self) -> bool {
        matches!(self, Self::Referred(_) | Self::Refused(_) | Self::Expired)
    }
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match end(&app, &citizen).await {
        Ok(Some(end)) => {
            let l = Layout::of(&citizen.visit, 7, end.title());
            let times = match end.leads_there() {
                true => Some(Times::next(&app, &citizen.visit).await),
                false => None,
            };
            let book = matches!(end, End::Referred(_));
            html(&Page { l, end, number: citizen.access.id().to_string(), times, book })
        }
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// Decides, and shows what was decided.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    headers: HeaderMap,
) -> Response {
    match app.clone().finish(access).await {
        // The visit is over with it.
        Ok(done) if visit.station.is_some() && done.decision != Outcome::TryAgain => {
            kiosk::ended(&app, (&visit, &headers), done)
        }
        Ok(_) | Err(AppError::Reason(ReasonCode::CASE_EXPIRED)) => to("/enrol/result"),
        // Something is still missing: the page for it.
        Err(AppError::Reason(ReasonCode::CASE_STATE)) => to("/enrol/next"),
        Err(error) => trouble::of(&visit, error),
    }
}

/// What there is to show; nothing if the case belongs to another page.
async fn end(app: &App, citizen: &Citizen) -> Result<Option<End>, AppError> {
    let record = app.record(citizen.access.id()).await?;
    let reasons = |settled: &Settled| whys(&citizen.visit, &settled.reasons);
    Ok(match &record.settled {
        None => undecided(&record),
        Some(settled) => match settled.decision {
            Outcome::Issue => match settled.identity {
                Some(id) => issued(app, citizen, id).await?,
                None => None,
            },
            Outcome::TryAgain => {
                let (path, text) = again(settled.reasons.first().copied());
                Some(End::Again(reasons(settled), path, text))
            }
            Outcome::Refer => Some(End::Referred(reasons(settled))),
            Outcome::Refuse => Some(End::Refused(reasons(settled))),
        },
    })
}

/// The identity, to its owner only.
async fn issued(app: &App, citizen: &Citizen, id: IdentityId) -> Result<Option<End>, AppError> {
    let Some(identity) = app.issued(id, citizen.access.id()).await? else { return Ok(None) };
    match app.owner(&id.to_string(), &citizen.token).await {
        Err(AppError::Unauthorized) => Ok(Some(End::PickUp)),
        owner => owner.map(|_| Some(End::Issued(identity))),
    }
}

fn undecided(record: &Record) -> Option<End> {
    match record.case.state {
        Case::Expired { .. } | Case::Abandoned { .. } => Some(End::Expired),
        _ => next::stage(record).filter(|stage| may_decide(record, *stage)).map(|_| End::Open),
    }
}

/// Whether there is nothing left to read: of who did not consent to it, no face is.
fn may_decide(record: &Record, stage: Stage) -> bool {
    match stage {
        Stage::ChipRead => is_decidable(record),
        Stage::FaceCaptured => true,
        Stage::DocumentVerified => !record.case.allows_biometrics(),
        _ => false,
    }
}

fn whys(visit: &Visit, reasons: &[ReasonCode]) -> Vec<Why> {
    reasons.iter().map(|&code| Why::reason(visit.language, code)).collect()
}

/// The page of the step that the worst reason asks for again, and the name of the text for it.
fn again(reason: Option<ReasonCode>) -> (&'static str, &'static str) {
    match reason.map(ReasonCode::leads_to) {
        Some(LeadsTo::Retry(Step::Page)) => ("/enrol/page", "result-again-page"),
        Some(LeadsTo::Retry(Step::Chip)) => ("/enrol/chip", "result-again-chip"),
        Some(LeadsTo::Retry(Step::Face)) => ("/enrol/face", "result-again-face"),
        _ => ("/enrol/next", "result-again-start"),
    }
}
