//! Who wants to log in: a user ID, or none. What is answered is the same for one that there is not (G4).

use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::{secret, to, trouble};
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
    error: Option<Why>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    user_id: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit) -> Response {
    match before(&app, &visit).await {
        Ok(Some(party)) => {
            html(&Page { l: Layout::of(&visit, 0, "log-in-title"), party, error: None })
        }
        Ok(None) => to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}

/// The name of who asks, while the page can show something.
pub(super) async fn before(app: &App, visit: &Visit) -> Result<Option<String>, AppError> {
    let secret = secret(visit);
    match app.page_state(&secret).await? {
        PageState::Over { .. } | PageState::Late => Ok(None),
        _ => app.relying_party_of(&secret).await,
    }
}

pub(super) async fn name(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(Given { user_id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.name(&secret(&visit), &user_id).await {
        Ok(()) => to("/log-in/qr"),
        Err(AppError::Reason(_)) => to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}
