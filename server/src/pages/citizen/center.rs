//! The Borgercenter: the way on for everybody who cannot or will not finish here (A2, H6).

use super::super::html;
use super::super::layout::Layout;
use super::super::visit::Visit;
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "citizen/center.html")]
struct Page {
    l: Layout,
    /// The case's identifier, which says nothing of the person.
    number: Option<String>,
}

pub(super) async fn show(visit: Visit) -> Response {
    let number = visit.case.as_ref().map(|(id, _)| id.clone());
    html(&Page { l: Layout::of(&visit, 0, "center-title"), number })
}
