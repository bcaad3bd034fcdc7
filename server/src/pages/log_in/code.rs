//! Logging in with a code display or an audio code reader: user ID, password and code on one page, under what
//! is asked for (G3). Whatever does not fit is answered the same (G4).

use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::start::before;
use super::{Of, to, trouble};
use crate::app::{App, AppError, AskedOf, PageState, TypedCode};
use crate::config::Secret;
use crate::http::problem::status_of;
use crate::oidc::idp_params::Action;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;
use tracing::Instrument;

#[derive(Template)]
#[template(path = "citizen/log_in/code.html")]
struct Page {
    l: Layout,
    asked: AskedOf,
    log_in: String,
    error: Option<Why>,
    user_id: String,
}

/// That the person has shown both, and where they go on.
#[derive(Template)]
#[template(path = "citizen/log_in/approved.html")]
struct Approved {
    l: Layout,
    party: String,
    log_in: String,
}

impl Page {
    /// What the person is asked to do, in words.
    fn action(&self) -> String {
        let id = match self.asked.action {
            Action::LogOn => "code-log-in-log-on",
            Action::Approve => "code-log-in-approve",
            Action::Confirm => "code-log-in-confirm",
            Action::Accept => "code-log-in-accept",
            Action::Sign => "code-log-in-sign",
        };
        self.l.t(id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    user_id: String,
    password: Secret,
    code: Secret,
}

async fn page(
    app: &App,
    (visit, of): (&Visit, Of),
    error: Option<ReasonCode>,
    user_id: String,
) -> Result<Option<Page>, AppError> {
    let secret = of.secret(visit);
    if before(app, &secret).await?.is_none() {
        return Ok(None);
    }
    let Some(asked) = app.asked_of(&secret).await? else { return Ok(None) };
    let error = match asked.by_code {
        true => error,
        false => Some(ReasonCode::LOG_IN_CODE_LEVEL),
    };
    let error = error.map(|code| Why::reason(visit.language, code));
    let l = Layout::of(visit, 0, "log-in-title");
    Ok(Some(Page { l, asked, log_in: of.name(), error, user_id }))
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit, of: Of) -> Response {
    let of = of.or_before(&visit);
    let secret = of.secret(&visit);
    let shown = async {
        if app.page_state(&secret).await? == (PageState::Approved { by_switch: false }) {
            let party = app.relying_party_of(&secret).await?.unwrap_or_default();
            let l = Layout::of(&visit, 0, "code-log-in-approved");
            return Ok(html(&Approved { l, party, log_in: of.name() }));
        }
        let page = page(&app, (&visit, of), None, String::new()).await?;
        Ok(page.map_or_else(|| of.to("/log-in/ended"), |page| html(&page)))
    };
    shown.await.unwrap_or_else(|error| trouble::of(&visit, error))
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(Given { user_id, password, code })) = form else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let typed = TypedCode { user_id: user_id.clone(), password, code };
    // To its end, whether or not the browser waits for that: the third wrong try ends the page after the answer's wait.
    let (asked, secret) = (app.clone(), of.secret(&visit));
    let trying = async move { asked.log_in_by_code(&secret, typed).await };
    let tried = tokio::spawn(trying.in_current_span());
    let tried = tried.await.unwrap_or_else(|error| Err(AppError::Internal(Box::new(error))));
    let reason = match tried {
        // Not at once to the relying party: a form of ours may not lead to another's address.
        Ok(()) => return of.to("/log-in/code"),
        Err(AppError::Reason(code)) => code,
        Err(error) => return trouble::of(&visit, error),
    };
    if ![ReasonCode::LOG_IN_CODE, ReasonCode::LOG_IN_CODE_LEVEL].contains(&reason) {
        return of.to("/log-in/ended");
    }
    match page(&app, (&visit, of), Some(reason), user_id).await {
        Ok(Some(page)) => (status_of(reason), html(&page)).into_response(),
        Ok(None) => to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}
