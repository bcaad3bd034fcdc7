//! Where the person is reached: two addresses, since two codes come by two channels (E3).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::user_id::owner;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, NewReach};
use crate::notices::Channel;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/contacts.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    given: Given,
    /// They were said before: the user ID is typed to change them.
    is_guarded: bool,
}

/// What is filled in.
#[derive(Default, Deserialize)]
pub(super) struct Given {
    phone: String,
    email: String,
    sms_notices: Option<String>,
    email_notices: Option<String>,
    user_id: Option<String>,
}

impl Given {
    fn reach(&self) -> NewReach {
        let phone: String = self.phone.chars().filter(|c| !c.is_whitespace()).collect();
        let email = self.email.trim().to_owned();
        let wanted = [
            self.sms_notices.as_ref().map(|_| Channel::Sms),
            self.email_notices.as_ref().map(|_| Channel::Email),
        ];
        let notices = Some(wanted.into_iter().flatten().collect());
        let user_id = self.user_id.clone();
        NewReach { phone: Some(phone), email: Some(email), notices, user_id }
    }
}

fn page(visit: &Visit, error: Option<Why>, (given, is_guarded): (Given, bool)) -> Response {
    html(&Page { l: Layout::of(visit, 8, "contact-title"), error, given, is_guarded })
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    let ticked = || Some("on".to_owned());
    let given = Given { sms_notices: ticked(), email_notices: ticked(), ..Given::default() };
    let guarded = async {
        let Some(owner) = owner(&app, &citizen).await? else { return Ok(None) };
        let chosen = app.chosen(owner).await?;
        Ok(Some(chosen.is_guarded && chosen.contacts))
    };
    match guarded.await {
        Ok(Some(is_guarded)) => page(&citizen.visit, None, (given, is_guarded)),
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

pub(super) async fn keep(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let visit = &citizen.visit;
    let Ok(Form(given)) = form else { return trouble::of(visit, AppError::Malformed) };
    let kept = match owner(&app, &citizen).await {
        Ok(Some(owner)) => app.reach(owner, given.reach()).await,
        Ok(None) => return to("/enrol/next"),
        Err(error) => Err(error),
    };
    match kept {
        Ok(_) => to("/enrol/activate"),
        Err(AppError::Reason(
            code @ (ReasonCode::CONTACT_FORM
            | ReasonCode::USER_ID_OTHER
            | ReasonCode::USER_ID_TRIES),
        )) => {
            let is_guarded = given.user_id.is_some() || code != ReasonCode::CONTACT_FORM;
            let page = page(visit, Some(Why::reason(visit.language, code)), (given, is_guarded));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(visit, error),
    }
}
