//! Another password beside one's code devices.

use super::super::citizen::trouble;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Signed, failed, refused};
use crate::app::{App, AppError, Holder, NewPassword};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/password.html")]
struct Page {
    l: Layout,
    at: At,
    error: Option<Why>,
    kept: bool,
    fresh: bool,
    /// Whether there is one to change.
    some: bool,
}

async fn page(
    app: &App,
    (visit, holder): (&Visit, &Holder),
    (error, kept): (Option<Why>, bool),
) -> Response {
    match app.has_password(holder).await {
        Ok(some) => {
            let (l, fresh) = (Layout::of(visit, 0, "my-nav-password"), app.is_fresh(holder));
            html(&Page { l, at: At::Password, error, kept, fresh, some })
        }
        Err(error) => failed(visit, error),
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    page(&app, (&visit, &holder), (None, false)).await
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<NewPassword>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let why = match app.change_my_password(&holder, given).await {
        Ok(()) => return page(&app, (&visit, &holder), (None, true)).await,
        Err(AppError::Malformed) => Why::text(visit.language, "code-device-differs"),
        Err(error) => match refused(&visit, error) {
            Ok(why) => why,
            Err(error) => return failed(&visit, error),
        },
    };
    let page = page(&app, (&visit, &holder), (Some(why), false)).await;
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}
