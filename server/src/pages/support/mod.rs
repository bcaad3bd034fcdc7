//! Support's pages: a citizen calls and gives their user ID; their means are seen, blocked, or sent codes anew
//! (docs/my-page.md). There is no list, and what is found is named by the user ID at each act.

use super::citizen::{to, trouble};
use super::html;
use super::layout::{Layout, Why};
use super::my_page::{called, state};
use super::officer::session_over;
use super::visit::{Cookie, Visit};
use crate::app::{App, AppError, Call, Means, Seen, Supporter};
use crate::notices::Channel;
use askama::Template;
use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

/// The routes of support's pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/support", get(show).post(find))
        .route("/support/block", post(block))
        .route("/support/block-all", post(block_all))
        .route("/support/codes", post(codes))
        .route("/support/sign-out", post(out))
}

/// A browser in which somebody of support is signed in.
struct Signed {
    visit: Visit,
    supporter: Supporter,
}

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::of(&parts.headers, app.server.public_url.as_deref());
        let token = visit.officer.as_ref().map_or("", |token| token.as_str());
        match app.supporter(token).await {
            Ok(supporter) => Ok(Self { visit, supporter }),
            Err(AppError::Unauthorized) if parts.method == Method::GET => Err(to("/officer")),
            Err(AppError::Unauthorized) => Err(session_over(&visit)),
            Err(error) => Err(trouble::of(&visit, error)),
        }
    }
}

#[derive(Template)]
#[template(path = "support/page.html")]
struct Page {
    l: Layout,
    name: String,
    error: Option<Why>,
    /// What was done.
    done: Option<&'static str>,
    user_id: String,
    seen: Option<Seen>,
}

impl Page {
    fn called(&self, means: &Means) -> String {
        called(&self.l, means)
    }

    fn state(&self, means: &Means) -> String {
        self.l.t(state(means))
    }

    fn channel(&self, channel: &Channel) -> String {
        self.l.t(match channel {
            Channel::Sms => "contact-notices-sms",
            Channel::Email => "contact-notices-email",
        })
    }
}

fn page(
    Signed { visit, supporter }: &Signed,
    (error, done): (Option<Why>, Option<&'static str>),
    (user_id, seen): (String, Option<Seen>),
) -> Response {
    let (l, name) = (Layout::of_staff(visit, "support-title"), supporter.name().to_owned());
    let is_refused = error.is_some();
    let page = html(&Page { l, name, error, done, user_id, seen });
    match is_refused {
        true => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
        false => page,
    }
}

async fn show(signed: Signed) -> Response {
    page(&signed, (None, None), (String::new(), None))
}

async fn find(
    State(app): State<Arc<App>>,
    signed: Signed,
    form: Result<Form<Call>, FormRejection>,
) -> Response {
    let Ok(Form(call)) = form else { return trouble::of(&signed.visit, AppError::Malformed) };
    match app.seen_by_support(&signed.supporter, &call).await {
        Ok(seen) => page(&signed, (None, None), (call.user_id, Some(seen))),
        Err(error) => refused(&signed, &call, error),
    }
}

/// What is seen of who called, after what was `done`: that it was is said, even where nothing more can be seen.
async fn acted(
    app: &App,
    (signed, call): (&Signed, &Call),
    (acted, done): (Result<(), AppError>, &'static str),
) -> Response {
    let seen = match &acted {
        Err(error) if is_of_nobody(error) => None,
        // An act that failed has told that there is somebody: that is a look, and in the trail as one.
        _ => Some(app.seen_after_act(&signed.supporter, call).await),
    };
    if let Some(Err(error)) = &seen {
        let error = crate::http::problem::chain(error);
        tracing::error!(%error, "what support has acted on could not be shown");
    }
    match acted {
        Ok(()) => {
            let seen = seen.and_then(Result::ok);
            page(signed, (None, Some(done)), (call.user_id.clone(), seen))
        }
        Err(error) => refused(signed, call, error),
    }
}

/// Whether it is answered so before anybody is found.
fn is_of_nobody(error: &AppError) -> bool {
    let before = [ReasonCode::SUPPORT_CALL, ReasonCode::SUPPORT_UNKNOWN];
    match error {
        AppError::Reason(code) => before.contains(code),
        AppError::TooOften(_) => true,
        _ => false,
    }
}

fn refused(signed: &Signed, call: &Call, error: AppError) -> Response {
    match error {
        AppError::Reason(code) => {
            let why = Why::reason(signed.visit.language, code);
            page(signed, (Some(why), None), (call.user_id.clone(), None))
        }
        AppError::UnknownCase => trouble::missing_of(&signed.visit),
        error => trouble::of(&signed.visit, error),
    }
}

/// Who called, and which of their means.
#[derive(Deserialize)]
struct Act {
    user_id: String,
    called: Option<String>,
    id: String,
}

impl Act {
    fn parts(self) -> (Call, String) {
        (Call::new(self.user_id, self.called), self.id)
    }
}

async fn block(
    State(app): State<Arc<App>>,
    signed: Signed,
    form: Result<Form<Act>, FormRejection>,
) -> Response {
    let Ok(Form(act)) = form else { return trouble::of(&signed.visit, AppError::Malformed) };
    let (call, id) = act.parts();
    let blocked = app.blocked_by_support(&signed.supporter, &call, &id).await;
    acted(&app, (&signed, &call), (blocked, "support-blocked")).await
}

async fn block_all(
    State(app): State<Arc<App>>,
    signed: Signed,
    form: Result<Form<Call>, FormRejection>,
) -> Response {
    let Ok(Form(call)) = form else { return trouble::of(&signed.visit, AppError::Malformed) };
    let blocked = app.all_blocked_by_support(&signed.supporter, &call).await;
    acted(&app, (&signed, &call), (blocked, "support-blocked-all")).await
}

async fn codes(
    State(app): State<Arc<App>>,
    signed: Signed,
    form: Result<Form<Act>, FormRejection>,
) -> Response {
    let Ok(Form(act)) = form else { return trouble::of(&signed.visit, AppError::Malformed) };
    let (call, id) = act.parts();
    let sent = app.codes_by_support(&signed.supporter, &call, &id).await;
    acted(&app, (&signed, &call), (sent, "support-sent")).await
}

async fn out(State(app): State<Arc<App>>, Signed { visit, supporter }: Signed) -> Response {
    match app.supporter_out(supporter).await {
        Ok(_) => {
            let mut response = to("/officer");
            response.headers_mut().append(header::SET_COOKIE, visit.erase(Cookie::Officer));
            response
        }
        Err(error) => trouble::of(&visit, error),
    }
}
