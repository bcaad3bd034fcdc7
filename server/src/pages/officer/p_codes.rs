//! Issuing a P-code to a person whom the officer has seen (A4). The code is shown on a page of its own, which is
//! asked for with GET: loading it again, or in the other language, neither issues another nor loses it.

use super::super::citizen::to;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, IssuedPCode, Officer};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Where a code is shown that was issued in this browser.
const ISSUED: &str = "/officer/p-codes/issued";
/// How long it can be shown again, seconds.
const SHOWN: u32 = 10 * 60;

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

/// The forms. A code that was issued before is not shown again from here on.
pub(super) async fn show(Signed { visit, officer }: Signed) -> Response {
    let mut response = page((&visit, &officer), None, None, Given::default());
    if visit.p_code.is_some() {
        response.headers_mut().append(header::SET_COOKIE, visit.erase(Cookie::PCode));
    }
    response
}

/// The code that was issued last in this browser.
pub(super) async fn issued(Signed { visit, officer }: Signed) -> Response {
    match visit.p_code.as_ref().and_then(|kept| read(kept)) {
        Some(issued) => page((&visit, &officer), None, Some(issued), Given::default()),
        None => to("/officer/p-codes"),
    }
}

/// A code as the cookie keeps it: its digits, until when, how often, and how the person is known.
fn kept(issued: &IssuedPCode) -> Zeroizing<String> {
    let known_as = issued.known_as.map(|id| id.to_string()).unwrap_or_default();
    let until = issued.until.unix_timestamp();
    Zeroizing::new(format!("{}.{until}.{}.{known_as}", issued.p_code, issued.starts))
}

/// What [`kept`] wrote; nothing of anything else.
fn read(kept: &str) -> Option<IssuedPCode> {
    let mut parts = kept.split('.');
    let p_code = parts.next()?.to_owned();
    let until = OffsetDateTime::from_unix_timestamp(parts.next()?.parse().ok()?).ok()?;
    let starts = parts.next()?.parse().ok()?;
    let known_as = match parts.next()? {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    Some(IssuedPCode { p_code, until, starts, known_as })
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
        Ok(issued) => {
            let mut response = to(ISSUED);
            let cookie = visit.set(Cookie::PCode, &kept(&issued), Some(SHOWN));
            response.headers_mut().append(header::SET_COOKIE, cookie);
            return response;
        }
        Err(AppError::Malformed) => Why::text(visit.language, "p-codes-form"),
        Err(AppError::Reason(code)) => Why::reason(visit.language, code),
        Err(error) => return trouble::of(&visit, Some(&officer), error),
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(whose, Some(why), None, given)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_kept_as_it_was_issued() {
        let until = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        for known_as in [None, Some(uuid::Uuid::from_u128(7))] {
            let issued = IssuedPCode { p_code: "12345678".to_owned(), until, starts: 3, known_as };
            let cookie = kept(&issued);
            assert!(
                cookie.bytes().all(|sign| sign.is_ascii_alphanumeric() || b".-".contains(&sign))
            );
            let again = read(&cookie).unwrap();
            assert_eq!((again.p_code, again.until), (issued.p_code, until));
            assert_eq!((again.starts, again.known_as), (3, known_as));
        }
        for other in ["", "1", "1.x.3.", "1.2.3", "1.2.x.", "1.2.3.no-uuid"] {
            assert!(read(other).is_none(), "{other}");
        }
    }
}
