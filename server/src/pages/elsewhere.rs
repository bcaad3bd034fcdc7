//! Addresses that are none, and methods that an address does not take: a person's browser is shown a page, everybody
//! else is told as the JSON interface tells it.

use super::citizen::{arrive, trouble};
use super::visit::Visit;
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::watch;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What [`crate::http::finish`] does, for a service with pages.
pub fn finish(router: Router, app: Arc<App>) -> Router {
    let of = app.clone();
    let router = router.fallback(move |request: Request| {
        let answer = counted(&app, &request, trouble::missing_of, Problem::not_found);
        async move { answer }
    });
    crate::http::secured(router.method_not_allowed_fallback(move |request: Request| {
        let answer = counted(&of, &request, trouble::method_of, Problem::method);
        async move { answer }
    }))
}

fn counted(
    app: &App,
    request: &Request,
    page: fn(&Visit) -> Response,
    problem: fn() -> Problem,
) -> Response {
    let answer = answer(app, request, page, problem);
    watch::lost_with(app, &answer);
    answer
}

fn answer(
    app: &App,
    request: &Request,
    page: fn(&Visit) -> Response,
    problem: fn() -> Problem,
) -> Response {
    if request.uri().path().starts_with("/v1/") || !is_read_by_a_person(request.headers()) {
        return problem().into_response();
    }
    if let Err(error) = watch::lost(app, request) {
        return Problem::from(error).into_response();
    }
    let visit = Visit::to(app, request.headers());
    let chosen = (request.method() == Method::GET).then(|| arrive::choose(&visit, request.uri()));
    chosen.flatten().unwrap_or_else(|| page(&visit))
}

/// Whether a browser asks for what it will show (W3C Fetch Metadata §2.1); of one that says nothing of it, whether it
/// takes pages by their name (RFC 9110 §12.5.1).
fn is_read_by_a_person(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match text(header::HeaderName::from_static("sec-fetch-dest")) {
        Some(destination) => destination == "document",
        None => text(header::ACCEPT).is_some_and(|types| types.contains("text/html")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_who_reads_it() {
        for (name, value, is_page) in [
            ("sec-fetch-dest", "document", true),
            ("sec-fetch-dest", "empty", false),
            ("sec-fetch-dest", "image", false),
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("accept", "application/json", false),
            ("accept", "*/*", false),
            ("user-agent", "text/html", false),
        ] {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            assert_eq!(is_read_by_a_person(&headers), is_page, "{name}: {value}");
        }
    }
}
