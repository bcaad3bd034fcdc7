//! The first page: who one is here, what happened last, and the one press that blocks everything.

use super::super::html;
use super::super::layout::Layout;
use super::super::visit::Visit;
use super::activities::{Row, rows};
use super::{At, failed, log_in};
use crate::app::{App, AppError, Holder, MyProfile, Place};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/overview.html")]
struct Page {
    l: Layout,
    at: At,
    profile: MyProfile,
    rows: Vec<Row>,
}

/// How many activities are shown here.
const SHOWN: usize = 5;

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit, place: Place) -> Response {
    let token = visit.my.as_ref().map_or("", |token| token.as_str());
    match app.holder(token, place).await {
        Ok(holder) => match page(&app, &visit, &holder).await {
            Ok(page) => html(&page),
            Err(error) => failed(&visit, error),
        },
        Err(AppError::Unauthorized) => log_in::page(&visit, None),
        Err(error) => failed(&visit, error),
    }
}

async fn page(app: &App, visit: &Visit, holder: &Holder) -> Result<Page, AppError> {
    let l = Layout::of(visit, 0, "my-title");
    let profile = app.my_profile(holder).await?;
    let means = app.my_means(holder).await?;
    let found = app.my_activities(holder, (None, None)).await?;
    let last: Vec<_> = found.activities.into_iter().take(SHOWN).collect();
    let rows = rows(&l, &last, &means);
    Ok(Page { l, at: At::Overview, profile, rows })
}
