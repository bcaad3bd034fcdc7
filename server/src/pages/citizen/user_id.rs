//! The user ID (E8).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, NewUserId, Owner};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::case::State as Case;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/user_id.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    given: String,
    /// One was chosen before: it is typed to change it.
    is_guarded: bool,
}

#[derive(Deserialize)]
pub(super) struct Given {
    user_id: String,
    current: Option<String>,
}

fn page(visit: &Visit, error: Option<Why>, (given, is_guarded): (String, bool)) -> Response {
    html(&Page { l: Layout::of(visit, 8, "user-title"), error, given, is_guarded })
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match is_guarded(&app, &citizen).await {
        Ok(Some(is_guarded)) => page(&citizen.visit, None, (String::new(), is_guarded)),
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// Whether what was chosen is changed by who types the user ID; nothing where there is nothing to choose.
async fn is_guarded(app: &App, citizen: &Citizen) -> Result<Option<bool>, AppError> {
    let Some(owner) = owner(app, citizen).await? else { return Ok(None) };
    Ok(Some(app.chosen(owner).await?.is_guarded))
}

pub(super) async fn choose(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let visit = &citizen.visit;
    let Ok(Form(Given { user_id, current })) = form else {
        return trouble::of(visit, AppError::Malformed);
    };
    let was_guarded = current.is_some();
    let chosen = match owner(&app, &citizen).await {
        Ok(Some(owner)) => {
            let new = NewUserId { user_id: user_id.clone(), current };
            app.choose_user_id(owner, new).await
        }
        Ok(None) => return to("/enrol/next"),
        Err(error) => Err(error),
    };
    match chosen {
        Ok(_) => to("/enrol/contacts"),
        Err(AppError::Reason(code)) if code.as_str().starts_with("user_id.") => {
            let is_guarded = was_guarded || code == ReasonCode::USER_ID_OTHER;
            let page = page(visit, Some(Why::reason(visit.language, code)), (user_id, is_guarded));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(visit, error),
    }
}

/// The right over the identity that the case has made and that has no app yet; nothing if there is none.
pub(super) async fn owner(app: &App, citizen: &Citizen) -> Result<Option<Owner>, AppError> {
    match app.record(citizen.access.id()).await?.case.state {
        Case::IdentityCreated { identity, .. } => {
            app.owner(&identity.to_string(), &citizen.token).await.map(Some)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    // proves E2 (who finds a browser is not offered by it what its person typed)
    #[test]
    fn the_browser_is_asked_to_remember_no_user_id_of_an_enrolment() {
        for page in [
            include_str!("../../../templates/app/app.html"),
            include_str!("../../../templates/citizen/activate.html"),
            include_str!("../../../templates/citizen/contacts.html"),
            include_str!("../../../templates/citizen/order.html"),
            include_str!("../../../templates/citizen/user_id.html"),
        ] {
            let field = |id: &str| {
                page.lines()
                    .find(|line| line.contains(&format!("<input class=\"form-input\" id=\"{id}\"")))
            };
            let field = field("user_id").or(field("user-id")).unwrap();
            assert!(field.contains("autocomplete=\"off\""), "{field}");
            assert!(!page.contains("autocomplete=\"on\""));
        }
    }
}
