//! After each person: the visit ends, and nothing of them stays in the browser (M1).

use super::super::citizen::to;
use super::super::visit::{Cookie, Visit};
use crate::app::{App, AppError};
use crate::http::problem::chain;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use std::sync::Arc;

/// Ends the visit, and erases what this browser has of a person: cookies, how the pages are shown, and what
/// a script or the browser stored (W3C Clear Site Data).
pub(super) async fn clear(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let mut response = to("/kiosk");
    if visit.station.is_none() {
        return response;
    }
    match end(&app, &visit).await {
        // A case that is decided has no token here any more.
        Ok(()) | Err(AppError::UnknownCase | AppError::Unauthorized) => {}
        // It ends by itself when its time has run out.
        Err(error) => tracing::error!(error = %chain(&error), "a visit could not be ended"),
    }
    let headers = response.headers_mut();
    for cookie in Cookie::PERSONAL.into_iter().chain(Cookie::CHOICES) {
        headers.append(header::SET_COOKIE, visit.erase(cookie));
    }
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    response
}

async fn end(app: &App, visit: &Visit) -> Result<(), AppError> {
    let Some((id, token)) = &visit.case else { return Ok(()) };
    app.end_visit(app.authorise(id, token).await?).await
}
