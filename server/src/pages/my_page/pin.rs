//! Another PIN for one of one's apps.

use super::super::citizen::trouble;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Signed, called, failed, log_in, refused};
use crate::app::{App, AppError, Holder, Means, MeansKind, NewPin};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/pin.html")]
struct Page {
    l: Layout,
    at: At,
    error: Option<Why>,
    kept: bool,
    fresh: bool,
    apps: Vec<Means>,
}

impl Page {
    fn called(&self, means: &Means) -> String {
        called(&self.l, means)
    }
}

async fn page(
    app: &App,
    (visit, holder): (&Visit, &Holder),
    error: Option<Why>,
    kept: bool,
) -> Response {
    match app.my_means(holder).await {
        Ok(means) => {
            let (l, fresh) = (Layout::of(visit, 0, "my-nav-pin"), app.is_fresh(holder));
            let can = |means: &Means| means.kind == MeansKind::App && means.state == "active";
            let apps = means.into_iter().filter(can).collect();
            html(&Page { l, at: At::Pin, error, kept, fresh, apps })
        }
        Err(error) => failed(visit, error),
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    page(&app, (&visit, &holder), None, false).await
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<NewPin>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let why = match app.change_my_pin(&holder, given).await {
        Ok(()) => return page(&app, (&visit, &holder), None, true).await,
        Err(AppError::Reason(ReasonCode::PIN_LOCKED)) => match app.has_ended(&holder).await {
            // Locking the app has ended this session.
            Ok(true) => return log_in::ended(&visit, "my-pin-locked"),
            // It was locked before.
            Ok(false) => Why::reason(visit.language, ReasonCode::PIN_LOCKED),
            Err(error) => return failed(&visit, error),
        },
        Err(AppError::Malformed) => Why::text(visit.language, "my-pin-differ"),
        Err(AppError::UnknownCase) => return trouble::missing_of(&visit),
        Err(error) => match refused(&visit, error) {
            Ok(why) => why,
            Err(error) => return failed(&visit, error),
        },
    };
    let page = page(&app, (&visit, &holder), Some(why), false).await;
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}
