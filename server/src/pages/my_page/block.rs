//! The page that a notice leads to: it blocks what the notice tells of, with one press (E7). Opening it does
//! nothing: programs that look at links in messages block nobody. The code is behind the address's `#`.

use super::super::citizen::trouble;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use crate::app::{App, AppError, BlockCode, Blocked, CodeDeviceView};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::code_device::Kind;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/block.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    done: Option<&'static str>,
}

fn page(visit: &Visit, error: Option<Why>, done: Option<&'static str>) -> Response {
    html(&Page { l: Layout::of(visit, 0, "block-title"), error, done })
}

/// What was blocked: a device of its kind, or an order before it was sent.
fn done(device: &CodeDeviceView) -> &'static str {
    match (device.state, device.kind) {
        ("in_stock", _) => "block-done-order-off",
        (_, Kind::Display) => "block-done-code-display",
        (_, Kind::Reader) => "block-done-code-reader",
    }
}

pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, None, None)
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<BlockCode>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.block_by_code(given).await {
        Ok(Blocked::App(_)) => page(&visit, None, Some("block-done-app")),
        Ok(Blocked::CodeDevice(device)) => page(&visit, None, Some(done(&device))),
        Ok(Blocked::Identity(_)) => page(&visit, None, Some("block-done-identity")),
        Err(AppError::Unauthorized) => {
            let page = page(&visit, Some(Why::text(visit.language, "block-unknown")), None);
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    }
}
