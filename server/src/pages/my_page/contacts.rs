//! Where one is reached, by what notices come, whether each log-in is told, and the language.

use super::super::citizen::trouble;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CHOICE_AGE, Cookie, Visit};
use super::{At, Signed, failed, refused};
use crate::app::{App, AppError, MyProfile, NewProfile, Reach};
use crate::notices::Channel;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/contacts.html")]
struct Page {
    l: Layout,
    at: At,
    error: Option<Why>,
    kept: bool,
    fresh: bool,
    given: Given,
}

/// What is filled in.
#[derive(Default, Deserialize)]
pub(super) struct Given {
    phone: String,
    email: String,
    sms_notices: Option<String>,
    email_notices: Option<String>,
    log_in_notices: Option<String>,
    #[serde(default)]
    language: String,
}

impl Given {
    fn of(profile: &MyProfile, visit: &Visit) -> Self {
        let ticked = |yes: bool| yes.then(|| "on".to_owned());
        let by = |channel| ticked(profile.notices.contains(&channel));
        let language = profile.language.clone();
        Self {
            phone: profile.phone.clone().unwrap_or_default(),
            email: profile.email.clone().unwrap_or_default(),
            sms_notices: by(Channel::Sms),
            email_notices: by(Channel::Email),
            log_in_notices: ticked(profile.log_in_notices),
            language: language.unwrap_or_else(|| visit.language.code().to_owned()),
        }
    }

    fn wanted(&self) -> NewProfile {
        let phone: String = self.phone.chars().filter(|c| !c.is_whitespace()).collect();
        let email = self.email.trim().to_owned();
        let wanted = [
            self.sms_notices.as_ref().map(|_| Channel::Sms),
            self.email_notices.as_ref().map(|_| Channel::Email),
        ];
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let notices = Some(wanted.into_iter().flatten().collect());
        NewProfile {
            reach: Reach { phone: filled(phone), email: filled(email), notices },
            log_in_notices: self.log_in_notices.is_some(),
            language: filled(self.language.clone()),
        }
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    match app.my_profile(&holder).await {
        Ok(profile) => {
            let (l, fresh) = (Layout::of(&visit, 0, "my-nav-contacts"), app.is_fresh(&holder));
            let given = Given::of(&profile, &visit);
            html(&Page { l, at: At::Contacts, error: None, kept: false, fresh, given })
        }
        Err(error) => failed(&visit, error),
    }
}

pub(super) async fn keep(
    State(app): State<Arc<App>>,
    Signed { mut visit, holder }: Signed,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let fresh = app.is_fresh(&holder);
    match app.change_my_profile(&holder, given.wanted()).await {
        Ok(profile) => {
            let language = profile.language.clone().unwrap_or_default();
            visit.language = super::super::texts::Language::of(Some(language.as_str()));
            let l = Layout::of(&visit, 0, "my-nav-contacts");
            let given = Given::of(&profile, &visit);
            let page = Page { l, at: At::Contacts, error: None, kept: true, fresh, given };
            let mut response = html(&page);
            let cookie = visit.set(Cookie::Language, visit.language.code(), Some(CHOICE_AGE));
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(error) => match refused(&visit, error) {
            Ok(why) => {
                let l = Layout::of(&visit, 0, "my-nav-contacts");
                let error = Some(why);
                let page = html(&Page { l, at: At::Contacts, error, kept: false, fresh, given });
                (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
            }
            Err(error) => failed(&visit, error),
        },
    }
}
