//! All that is kept of one, by a fresh approval: as a page to print, and as JSON to take along.

use super::super::citizen::{to, trouble};
use super::super::html;
use super::super::layout::Layout;
use super::super::visit::Visit;
use super::activities::{Row, rows};
use super::{At, Signed, called, failed};
use crate::app::{App, AppError, Export, Means};
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/export.html")]
struct Page {
    l: Layout,
    at: At,
    export: Export,
    rows: Vec<Row>,
}

/// The page before an approval.
#[derive(Template)]
#[template(path = "my/export_first.html")]
struct First {
    l: Layout,
    at: At,
}

fn first(visit: &Visit) -> Response {
    html(&First { l: Layout::of(visit, 0, "my-nav-export"), at: At::Export })
}

/// How many activities the page shows; the file has all.
const SHOWN: usize = 200;

impl Page {
    fn has_more(&self) -> bool {
        self.export.activities.len() > SHOWN
    }

    fn called(&self, means: &Means) -> String {
        called(&self.l, means)
    }

    /// A text of an evidence record.
    fn of(&self, evidence: &Value, pointer: &str) -> String {
        evidence.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    if !app.is_fresh(&holder) {
        return first(&visit);
    }
    match app.export_mine(&holder).await {
        Ok(export) => {
            let l = Layout::of(&visit, 0, "my-nav-export");
            let shown = export.activities.get(..SHOWN).unwrap_or(&export.activities);
            let rows = rows(&l, shown, &export.means);
            html(&Page { l, at: At::Export, export, rows })
        }
        Err(error) => failed(&visit, error),
    }
}

pub(super) async fn file(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
) -> Response {
    if !app.is_fresh(&holder) {
        return to("/my/export");
    }
    let text = match app.export_mine(&holder).await {
        Ok(export) => serde_json::to_string_pretty(&export),
        Err(error) => return failed(&visit, error),
    };
    match text {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"indrul.json\""),
            ];
            (headers, text).into_response()
        }
        Err(error) => trouble::of(&visit, AppError::Internal(Box::new(error))),
    }
}
