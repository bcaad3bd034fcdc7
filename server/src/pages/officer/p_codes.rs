//! Issuing a P-code to a person whom the officer has seen (A4).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, IssuedPCode, Officer};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/p_codes.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
    issued: Option<IssuedPCode>,
    given: Given,
}

/// Either a CPR number, or a person who has none.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Given {
    cpr: String,
    given_names: String,
    surname: String,
    birth_date: String,
    sex: String,
    known_as: String,
}

impl Given {
    /// As `POST /v1/officer/p-codes` takes it.
    fn value(&self) -> Value {
        let cpr = self.cpr.trim();
        if !cpr.is_empty() {
            return json!({ "cpr": cpr });
        }
        let known_as = Some(self.known_as.trim()).filter(|text| !text.is_empty());
        json!({ "person": {
            "given_names": self.given_names.trim(), "surname": self.surname.trim(),
            "birth_date": self.birth_date.trim(), "sex": self.sex, "known_as": known_as,
        } })
    }
}

fn page(
    (visit, officer): (&Visit, &Officer),
    error: Option<Why>,
    issued: Option<IssuedPCode>,
    given: Given,
) -> Response {
    let title = if issued.is_some() { "p-codes-issued" } else { "officer-p-codes" };
    let (l, frame) = (Layout::of_staff(visit, title), Frame::of(Some(officer), At::PCodes));
    html(&Page { l, frame, error, issued, given })
}

pub(super) async fn show(Signed { visit, officer }: Signed) -> Response {
    page((&visit, &officer), None, None, Given::default())
}

pub(super) async fn issue(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let whose = (&visit, &officer);
    let Ok(Form(given)) = form else {
        return trouble::of(&visit, Some(&officer), AppError::Malformed);
    };
    let issued = match serde_json::from_value(given.value()) {
        Ok(new) => app.issue_p_code(&officer, new).await,
        Err(_) => Err(AppError::Malformed),
    };
    let why = match issued {
        Ok(issued) => return page(whose, None, Some(issued), Given::default()),
        Err(AppError::Malformed) => Why::text(visit.language, "p-codes-form"),
        Err(AppError::Reason(code)) => Why::reason(visit.language, code),
        Err(error) => return trouble::of(&visit, Some(&officer), error),
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(whose, Some(why), None, given)).into_response()
}
