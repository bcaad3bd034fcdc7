//! Erasing one's identity: what goes, what stays for how long, and then the press.

use super::super::citizen::trouble;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Signed, failed, log_in, refused};
use crate::app::{App, AppError, Holder};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/erase.html")]
struct Page {
    l: Layout,
    at: At,
    error: Option<Why>,
    fresh: bool,
    /// Until when what the law asks for is kept.
    until: String,
}

#[derive(Deserialize)]
pub(super) struct Given {
    sure: Option<String>,
}

fn page(app: &App, (visit, holder): (&Visit, &Holder), error: Option<Why>) -> Response {
    let (l, fresh) = (Layout::of(visit, 0, "my-nav-erase"), app.is_fresh(holder));
    let until = l.day_of(app.evidence_until());
    html(&Page { l, at: At::Erase, error, fresh, until })
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    page(&app, (&visit, &holder), None)
}

pub(super) async fn erase(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let why = match given.sure {
        None => Why::text(visit.language, "my-erase-not-sure"),
        Some(_) => match app.erase_mine(&holder).await {
            Ok(erased) => {
                let l = Layout::of(&visit, 0, "my-nav-erase");
                let text = l.with("my-erased", "day", l.day_of(erased.until));
                return log_in::ended_with(&visit, text);
            }
            Err(error) => match refused(&visit, error) {
                Ok(why) => why,
                Err(error) => return failed(&visit, error),
            },
        },
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(&app, (&visit, &holder), Some(why))).into_response()
}
