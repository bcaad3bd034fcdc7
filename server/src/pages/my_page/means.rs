//! What one can log in with: seen, named, blocked, lost, found and opened again.

use super::super::citizen::{to, trouble};
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Signed, called, failed, log_in, refused, state};
use crate::app::{App, AppError, Holder, Means, MeansKind};
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
    /// Whether it is lost, and not to be blocked.
    lost: bool,
}

impl Page {
    fn called(&self, means: &Means) -> String {
        called(&self.l, means)
    }

    /// Whether one of them could be opened again or found, but for a fresh approval.
    fn waits_for_approval(&self) -> bool {
        let comes_back = |means: &Means| means.can_be_reopened || means.can_be_found;
        !self.fresh && self.means.iter().any(comes_back)
    }

    /// Whether there is a code device among them.
    fn has_device(&self) -> bool {
        self.means.iter().any(|means| means.kind != MeansKind::App)
    }

    fn state(&self, means: &Means) -> String {
        self.l.t(state(means))
    }
}

impl Ask {
    fn called(&self) -> String {
        called(&self.l, &self.means)
    }

    fn is_app(&self) -> bool {
        self.means.kind == MeansKind::App
    }

    fn title(&self) -> &'static str {
        match (self.lost, self.is_app()) {
            (true, _) => "my-lose-title",
            (false, true) => "my-block-title",
            (false, false) => "my-block-device",
        }
    }

    fn button(&self) -> &'static str {
        match (self.lost, self.is_app()) {
            (true, _) => "my-lose",
            (false, true) => "my-block-now",
            (false, false) => "my-block-device-now",
        }
    }

    /// Whether every session ends with it: whatever happens to an app, and a code device that was in use.
    fn ends_sessions(&self) -> bool {
        self.is_app() || self.means.counts()
    }

    /// Whether and how it comes back.
    fn afterwards(&self) -> &'static str {
        match (self.is_app(), self.means.counts()) {
            _ if self.means.last => "my-block-last",
            _ if self.lost => "my-lose-again",
            (true, true) => "my-block-again",
            (true, false) => "my-block-for-good",
            (false, _) => "my-block-device-again",
        }
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
    let named = app.name_mine(&holder, &id, &name).await.map(drop);
    done(&app, (&visit, &holder), named).await
}

/// What blocking it entails, before it is done.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    Query(Which { id }): Query<Which>,
) -> Response {
    entails(&app, (&visit, &holder), (&id, false)).await
}

/// What saying that it is lost entails, before it is said.
pub(super) async fn ask_lost(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    Query(Which { id }): Query<Which>,
) -> Response {
    entails(&app, (&visit, &holder), (&id, true)).await
}

async fn entails(
    app: &App,
    (visit, holder): (&Visit, &Holder),
    (id, lost): (&str, bool),
) -> Response {
    let all = match app.my_means(holder).await {
        Ok(all) => all,
        Err(error) => return failed(visit, error),
    };
    match all.into_iter().find(|means| means.id == id) {
        Some(means) if if lost { means.can_be_lost } else { means.can_be_blocked } => {
            let title = if lost { "my-lose-title" } else { "my-block-title" };
            html(&Ask { l: Layout::of(visit, 0, title), at: At::Means, means, lost })
        }
        Some(_) => to("/my/means"),
        None => trouble::missing_of(visit),
    }
}

/// Blocks it; the session ends with it where it was in use.
pub(super) async fn block(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Which>, FormRejection>,
) -> Response {
    let Ok(Form(Which { id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    ends(&app, (&visit, &holder), app.block_mine(&holder, &id).await).await
}

/// Says that a code device is lost; the session ends where it was in use.
pub(super) async fn lose(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Which>, FormRejection>,
) -> Response {
    let Ok(Form(Which { id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    ends(&app, (&visit, &holder), app.lose_mine(&holder, &id).await).await
}

/// What came of what ends the use of one of the means: out, or the page again.
async fn ends(
    app: &App,
    (visit, holder): (&Visit, &Holder),
    result: Result<Means, AppError>,
) -> Response {
    let means = match result {
        Ok(means) => means,
        Err(error) => return done(app, (visit, holder), Err(error)).await,
    };
    match app.has_ended(holder).await {
        Ok(true) => match app.my_means(holder).await {
            Ok(left) => log_in::ended(visit, ended(&means, &left)),
            Err(error) => failed(visit, error),
        },
        Ok(false) => to("/my/means"),
        Err(error) => failed(visit, error),
    }
}

/// What is said to who was logged out by it, and has `left` of means.
fn ended(means: &Means, left: &[Means]) -> &'static str {
    match (means.kind, means.state) {
        (_, "lost") if !left.iter().any(Means::counts) => "my-lost-last",
        (MeansKind::App, _) => "my-blocked-one",
        (_, "lost") => "my-lost-device",
        _ => "my-blocked-device",
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

/// Says that a code device is found.
pub(super) async fn find(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    form: Result<Form<Which>, FormRejection>,
) -> Response {
    let Ok(Form(Which { id })) = form else { return trouble::of(&visit, AppError::Malformed) };
    let found = app.find_mine(&holder, &id).await.map(drop);
    done(&app, (&visit, &holder), found).await
}
