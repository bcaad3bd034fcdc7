//! What one can log in with: seen, named, blocked and opened again.

use super::super::citizen::{to, trouble};
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Signed, called, failed, log_in, refused};
use crate::app::{App, AppError, Holder, Means};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/means.html")]
struct Page {
    l: Layout,
    at: At,
    error: Option<Why>,
    means: Vec<Means>,
    /// Whether the approval is of the last minutes.
    fresh: bool,
}

#[derive(Template)]
#[template(path = "my/block_means.html")]
struct Ask {
    l: Layout,
    at: At,
    means: Means,
}

impl Page {
    fn called(&self, means: &Means) -> String {
        called(&self.l, means)
    }

    /// Whether one of them could be opened again, but for a fresh approval.
    fn waits_for_approval(&self) -> bool {
        !self.fresh && self.means.iter().any(|means| means.can_be_reopened)
    }

    fn state(&self, means: &Means) -> String {
        self.l.t(match means.state {
            "pending" => "my-state-pending",
            "waiting" => "my-state-waiting",
            "active" => "my-state-active",
            "locked" => "my-state-locked",
            "blocked" => "my-state-blocked",
            _ => "my-state-dead",
        })
    }
}

impl Ask {
    fn called(&self) -> String {
        called(&self.l, &self.means)
    }
}

/// Which means.
#[derive(Deserialize)]
pub(super) struct Which {
    id: String,
}

/// Which, and its name.
#[derive(Deserialize)]
pub(super) struct Named {
    id: String,
    name: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    page(&app, &visit, &holder, None).await
}

async fn page(app: &App, visit: &Visit, holder: &Holder, error: Option<Why>) -> Response {
    match app.my_means(holder).await {
        Ok(means) => {
            let (l, fresh) = (Layout::of(visit, 0, "my-nav-means"), app.is_fresh(holder));
            let is_refused = error.is_some();
            let page = html(&Page { l, at: At::Means, error, means, fresh });
            match is_refused {
                true => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
                false => page,
            }
        }
        Err(error) => failed(visit, error),
    }
}

/// What came of a form: the page again, with what was wrong if anything.
async fn done(
    app: &App,
    (visit, holder): (&Visit, &Holder),
    result: Result<(), AppError>,
) -> Response {
    match result {
        Ok(()) => to("/my/means"),
        Err(AppError::UnknownCase) => trouble::missing_of(visit),
        Err(error) => match refused(visit, error) {
            Ok(why) => page(app, visit, holder, Some(why)).await,
            Err(error) => failed(visit, error),
        },
    }
}

pub(super) async fn name(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Named>, FormRejection>,
) -> Response {
    let Ok(Form(Named { id, name })) = form else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let named = app.name_mine(&holder, &id, &name).await;
    done(&app, (&visit, &holder), named).await
}

/// What blocking it entails, before it is done.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    Query(Which { id }): Query<Which>,
) -> Response {
    match app.my_means(&holder).await {
        Ok(means) => match means.into_iter().find(|means| means.id == id) {
            Some(means) if means.can_be_blocked => {
                html(&Ask { l: Layout::of(&visit, 0, "my-block-title"), at: At::Means, means })
            }
            Some(_) => to("/my/means"),
            None => trouble::missing_of(&visit),
        },
        Err(error) => failed(&visit, error),
    }
}

/// Blocks it; the session ends with it.
pub(super) async fn block(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Which>, FormRejection>,
) -> Response {
    let Ok(Form(Which { id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.block_mine(&holder, &id).await {
        Ok(_) => log_in::ended(&visit, "my-blocked-one"),
        Err(AppError::UnknownCase) => trouble::missing_of(&visit),
        Err(error) => failed(&visit, error),
    }
}

pub(super) async fn block_all(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    match app.block_all_mine(&holder).await {
        Ok(_) => log_in::ended(&visit, "my-blocked-all"),
        Err(error) => failed(&visit, error),
    }
}

pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Which>, FormRejection>,
) -> Response {
    let Ok(Form(Which { id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    let opened = app.reopen_mine(&holder, &id).await.map(drop);
    done(&app, (&visit, &holder), opened).await
}
