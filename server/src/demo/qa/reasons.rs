//! Every reason code with its texts, Danish and English side by side.

use crate::demo::http::Choice;
use crate::pages::html;
use crate::pages::texts::Language;
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use enroll_core::reason::{Entry, table};

#[derive(Template)]
#[template(path = "qa/reasons.html")]
struct Page {
    lang: Language,
    entries: &'static [Entry],
}

pub(super) async fn show(Query(choice): Query<Choice>) -> Response {
    html(&Page { lang: choice.language(), entries: table() })
}
