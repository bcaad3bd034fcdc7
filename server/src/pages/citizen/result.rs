//! The decision: an identity, a step to do again, a Borgercenter, or a refusal; each but the first with
//! its reasons, what to do now, and the Borgercenter (H6).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{Citizen, next, to, trouble};
use crate::app::{App, AppError, PublicIdentity};
use crate::record::{Outcome, Record, Settled};
use askama::Template;
use axum::extract::State;
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
}

/// What is shown.
enum End {
    /// Nothing is decided yet.
    Open,
    Issued(PublicIdentity),
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
            Self::Open | Self::Issued(_) | Self::Expired => &[],
        }
    }
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match end(&app, &citizen).await {
        Ok(Some(end)) => {
            let l = Layout::of(&citizen.visit, 7, end.title());
            html(&Page { l, end, number: citizen.access.id().to_string() })
        }
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// Decides, and shows what was decided.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
) -> Response {
    match app.finish(access).await {
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
                Some(id) => app.issued(id, citizen.access.id()).await?.map(End::Issued),
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

fn undecided(record: &Record) -> Option<End> {
    match record.case.state {
        Case::Expired { .. } | Case::Abandoned { .. } => Some(End::Expired),
        _ => next::stage(record)
            .filter(|stage| matches!(stage, Stage::ChipRead | Stage::FaceCaptured))
            .map(|_| End::Open),
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
