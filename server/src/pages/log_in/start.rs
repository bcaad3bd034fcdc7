//! Who wants to log in: a user ID, or none. What is answered is the same for one that there is not (G4).

use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::{Of, trouble};
use crate::app::{App, AppError, PageState};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/log_in/start.html")]
struct Page {
    l: Layout,
    party: String,
    log_in: String,
    error: Option<Why>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    user_id: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit, of: Of) -> Response {
    let of = of.or_before(&visit);
    match before(&app, &of.secret(&visit)).await {
        Ok(Some(party)) => {
            let (l, log_in) = (Layout::of(&visit, 0, "log-in-title"), of.name());
            html(&Page { l, party, log_in, error: None })
        }
        Ok(None) => of.to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}

/// The name of who asks, while the page can show something.
pub(super) async fn before(app: &App, secret: &str) -> Result<Option<String>, AppError> {
    match app.page_state(secret).await? {
        PageState::Over { .. } | PageState::Late => Ok(None),
        _ => app.relying_party_of(secret).await,
    }
}

pub(super) async fn name(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(Given { user_id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.name(&of.secret(&visit), &user_id).await {
        Ok(()) => of.to("/log-in/qr"),
        Err(AppError::Reason(_)) => of.to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}
