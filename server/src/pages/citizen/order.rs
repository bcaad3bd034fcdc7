//! Ordering a code display or an audio code reader, for who has no phone for an app (M2).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::user_id::owner;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, FirstDevice};
use crate::http::problem::status_of;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/order.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    /// The serial number of what was ordered.
    ordered: Option<String>,
}

fn page(visit: &Visit, error: Option<Why>, ordered: Option<String>) -> Page {
    Page { l: Layout::of(visit, 8, "order-title"), error, ordered }
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    if citizen.visit.helper {
        return to("/enrol/next");
    }
    match owner(&app, &citizen).await {
        Ok(Some(_)) => html(&page(&citizen.visit, None, None)),
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

pub(super) async fn order(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    form: Result<Form<FirstDevice>, FormRejection>,
) -> Response {
    let visit = &citizen.visit;
    let Ok(Form(wanted)) = form else { return trouble::of(visit, AppError::Malformed) };
    let ordered = match owner(&app, &citizen).await {
        Ok(Some(owner)) => app.order_first_code_device(owner, wanted).await,
        Ok(None) => return to("/enrol/next"),
        Err(error) => Err(error),
    };
    match ordered {
        Ok(device) => html(&page(visit, None, Some(device.serial))),
        Err(AppError::Reason(code)) => {
            let why = Why::reason(visit.language, code);
            (status_of(code), html(&page(visit, Some(why), None))).into_response()
        }
        Err(error) => trouble::of(visit, error),
    }
}
