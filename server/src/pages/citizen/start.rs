//! What is needed and how long it takes; beginning again, helping somebody, leaving.

use super::super::html;
use super::super::layout::Layout;
use super::super::visit::{Cookie, Visit};
use super::{access, to};
use crate::app::{App, AppError};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use enroll_core::case::State as Case;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/start.html")]
struct Page {
    l: Layout,
    under_way: Option<UnderWay>,
}

/// A case of this browser that goes on.
#[derive(Clone, Copy)]
struct UnderWay {
    /// Names of the texts that say so, and that lead on.
    text: &'static str,
    link: &'static str,
    href: &'static str,
}

/// It goes on here.
const HERE: UnderWay =
    UnderWay { text: "resume-text", link: "resume-continue", href: "/enrol/next" };
/// It waits for a Borgercenter.
const THERE: UnderWay =
    UnderWay { text: "resume-center", link: "resume-center-link", href: "/enrol/borgercenter" };

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let under_way = match &visit.case {
        Some((id, token)) => goes_on(&app, id, token).await.unwrap_or(None),
        None => None,
    };
    html(&Page { l: Layout::of(&visit, 1, "start-title"), under_way })
}

/// How the case `id` goes on, if it is this browser's and not at its end.
async fn goes_on(app: &App, id: &str, token: &str) -> Result<Option<UnderWay>, AppError> {
    let access = access(app, id, token).await?;
    let case = app.record(access.id()).await?.case;
    Ok(match case.state {
        Case::Referred { referral: Some(_), .. } => Some(THERE),
        Case::IdentityCreated { .. } => Some(HERE),
        _ => case.is_open().then_some(HERE),
    })
}

/// Asks before a case is dropped that goes on: it is this browser's own, and nothing here leads back to it.
#[derive(Template)]
#[template(path = "citizen/sure.html")]
struct Sure {
    l: Layout,
    /// Where it is dropped.
    action: &'static str,
    /// Name of the text on the button.
    button: &'static str,
    /// What opens it at a Borgercenter, if this browser has it.
    reference: Option<String>,
    number: String,
}

/// What was answered to the question.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answered {
    sure: Option<String>,
}

type Answer = Result<Form<Answered>, FormRejection>;

/// The question, if there is a case of this browser's to lose, and it was not answered.
async fn asked(
    app: &App,
    (visit, answer): (&Visit, &Answer),
    (action, button): (&'static str, &'static str),
) -> Option<Response> {
    if answer.as_ref().is_ok_and(|Form(answered)| answered.sure.is_some()) {
        return None;
    }
    question(app, visit, (action, button)).await
}

/// The question, if there is a case of this browser's to lose.
async fn question(
    app: &App,
    visit: &Visit,
    (action, button): (&'static str, &'static str),
) -> Option<Response> {
    let (id, token) = visit.case.as_ref()?;
    goes_on(app, id, token).await.ok().flatten()?;
    let (l, reference) = (Layout::of(visit, 0, "sure-title"), visit.reference.clone());
    Some(html(&Sure { l, action, button, reference, number: id.clone() }))
}

/// The questions' addresses, asked for by choosing a language on one.
pub(super) async fn unasked() -> Response {
    to("/enrol")
}

/// The question behind a link, or the start where nothing is to be lost.
pub(super) async fn ask_again(State(app): State<Arc<App>>, visit: Visit) -> Response {
    question(&app, &visit, AGAIN).await.unwrap_or_else(|| to("/enrol"))
}

/// Where a case is dropped to begin again, and the text on the button.
const AGAIN: (&str, &str) = ("/enrol/again", "sure-again");

/// Forgets the case of this browser; it ends by itself.
pub(super) async fn again(State(app): State<Arc<App>>, visit: Visit, answer: Answer) -> Response {
    if let Some(asked) = asked(&app, (&visit, &answer), AGAIN).await {
        return asked;
    }
    let mut response = to("/enrol/consent");
    for cookie in [Cookie::Agreed, Cookie::Case, Cookie::Reference] {
        response.headers_mut().append(header::SET_COOKIE, visit.erase(cookie));
    }
    response
}

/// Begins for another person on the helper's device.
pub(super) async fn help(State(app): State<Arc<App>>, visit: Visit, answer: Answer) -> Response {
    let question = ("/enrol/helper", "sure-helper");
    if let Some(asked) = asked(&app, (&visit, &answer), question).await {
        return asked;
    }
    let mut response = to("/enrol/consent");
    let headers = response.headers_mut();
    for cookie in [Cookie::Agreed, Cookie::Case, Cookie::Reference] {
        headers.append(header::SET_COOKIE, visit.erase(cookie));
    }
    headers.append(header::SET_COOKIE, visit.set(Cookie::Helper, "1", None));
    response
}

/// Erases what this browser has of a person: cookies, and what a script or the browser stored (W3C Clear
/// Site Data).
pub(super) async fn leave(visit: Visit) -> Response {
    let mut response = to("/enrol");
    let headers = response.headers_mut();
    for cookie in Cookie::PERSONAL {
        headers.append(header::SET_COOKIE, visit.erase(cookie));
    }
    if visit.helper {
        let all = HeaderValue::from_static("\"cache\", \"storage\"");
        headers.insert("clear-site-data", all);
    }
    response
}
