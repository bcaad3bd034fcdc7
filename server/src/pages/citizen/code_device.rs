//! Activating a code display or an audio code reader (E10), for whoever has one in hand: first the code by SMS
//! or e-mail, then both codes and a password. No answer tells whether there is such a user ID or device (G4).

use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::trouble;
use crate::app::{ActivatedDevice, App, AppError, AskedCode};
use crate::config::Secret;
use crate::http::problem::status_of;
use crate::notices::Channel;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/code_device.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    at: At,
    user_id: String,
    serial: String,
    /// Codes that are sent in a day.
    most: String,
}

/// How far the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Asking,
    Coding,
    Done,
}

impl Page {
    fn is(&self, at: At) -> bool {
        self.at == at
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    user_id: String,
    serial: String,
    channel: Channel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    user_id: String,
    serial: String,
    code: Secret,
    device_code: Secret,
    next_code: Secret,
    password: Secret,
    again: Secret,
}

fn page(
    (app, visit): (&App, &Visit),
    at: At,
    error: Option<Why>,
    (user_id, serial): (String, String),
) -> Page {
    let most = app.policy.activation.starts.to_string();
    Page { l: Layout::of(visit, 0, "code-device-title"), error, at, user_id, serial, most }
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit) -> Response {
    html(&page((&app, &visit), At::Asking, None, (String::new(), String::new())))
}

/// Sends the code, if everything fits.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Asked>, FormRejection>,
) -> Response {
    let Ok(Form(Asked { user_id, serial, channel })) = form else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let whose = (user_id.clone(), serial.clone());
    match app.ask_device_code(AskedCode { user_id, serial, channel }) {
        Ok(_) => html(&page((&app, &visit), At::Coding, None, whose)),
        Err(error) => trouble::of(&visit, error),
    }
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let Given { user_id, serial, code, device_code, next_code, password, again } = given;
    let whose = (user_id.clone(), serial.clone());
    if password.expose() != again.expose() {
        let why = Why::text(visit.language, "code-device-differs");
        return html(&page((&app, &visit), At::Coding, Some(why), whose));
    }
    let given = ActivatedDevice { user_id, serial, code, device_code, next_code, password };
    match app.activate_code_device(given).await {
        Ok(_) => html(&page((&app, &visit), At::Done, None, whose)),
        Err(AppError::Reason(code)) => {
            let why = Why::reason(visit.language, code);
            let page = page((&app, &visit), At::Coding, Some(why), whose);
            (status_of(code), html(&page)).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    }
}
