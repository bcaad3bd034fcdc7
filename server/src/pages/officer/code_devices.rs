//! Handing out code devices, and saying that one is lost, found or blocked.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, CodeDeviceView, DeviceStanding, NewStanding, Officer};
use crate::pages::texts::Language;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::code_device::Kind;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/code_devices.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
    found: Option<CodeDeviceView>,
    handed: bool,
    given: Given,
}

/// Which device, and whose it becomes.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Given {
    serial: String,
    identity: String,
    cpr: String,
}

/// Which device, and how it is to stand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stand {
    serial: String,
    standing: DeviceStanding,
}

impl Page {
    fn kind(&self, kind: &Kind) -> String {
        self.l.t(match kind {
            Kind::Display => "code-devices-display",
            Kind::Reader => "code-devices-reader",
        })
    }

    fn state(&self, state: &str) -> String {
        state_in_words(self.l.lang, state)
    }

    /// What can be said of a device that stands so: name and text of each.
    fn steps(&self, state: &str) -> Vec<(&'static str, &'static str)> {
        let (lost, blocked) =
            (("lost", "code-devices-say-lost"), ("blocked", "code-devices-say-blocked"));
        match state {
            "ordered" | "inactive" | "active" => vec![lost, blocked],
            "lost" => vec![("found", "code-devices-say-found"), blocked],
            "blocked" => vec![("reopened", "code-devices-say-reopened")],
            _ => Vec::new(),
        }
    }
}

/// A state in words.
pub(crate) fn state_in_words(language: Language, state: &str) -> String {
    language.t(match state {
        "in_stock" => "code-devices-in-stock",
        "ordered" => "code-devices-ordered",
        "inactive" => "code-devices-inactive",
        "active" => "code-devices-active",
        "lost" => "code-devices-lost",
        _ => "code-devices-blocked",
    })
}

fn page((visit, officer): (&Visit, &Officer), found: Option<CodeDeviceView>) -> Page {
    let (l, frame) =
        (Layout::of_staff(visit, "code-devices"), Frame::of(Some(officer), At::CodeDevices));
    Page { l, frame, error: None, found, handed: false, given: Given::default() }
}

fn refused(whose: (&Visit, &Officer), error: AppError, given: Given) -> Response {
    let (visit, officer) = whose;
    let why = match error {
        AppError::UnknownCase => Why::text(visit.language, "code-devices-unknown"),
        AppError::Malformed => Why::text(visit.language, "code-devices-form"),
        AppError::Reason(code) => for_staff(visit.language, code),
        error => return trouble::of(visit, Some(officer), error),
    };
    let page = Page { error: Some(why), given, ..page(whose, None) };
    (StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response()
}

/// The reason in words for an officer: a citizen's are sent to where the officer is.
fn for_staff(language: Language, code: ReasonCode) -> Why {
    let (text, next) = match code {
        ReasonCode::CODE_DEVICE_STATE => ("code-devices-cannot", "code-devices-cannot-next"),
        ReasonCode::CODE_DEVICE_OTHER => ("code-devices-other", "code-devices-other-next"),
        ReasonCode::IDENTITY_BLOCKED => ("code-devices-closed", "code-devices-closed-next"),
        code => return Why::reason(language, code),
    };
    Why { text: language.t(text), next: Some(language.t(next)), code: Some(code.as_str()) }
}

/// The forms, and the device whose serial number the address has.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Query(given): Query<Given>,
) -> Response {
    let whose = (&visit, &officer);
    if given.serial.is_empty() {
        return html(&page(whose, None));
    }
    match app.look_at_code_device(&officer, &given.serial).await {
        Ok(found) => html(&page(whose, Some(found))),
        Err(error) => refused(whose, error, given),
    }
}

pub(super) async fn hand_out(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let whose = (&visit, &officer);
    let Ok(Form(given)) = form else {
        return trouble::of(&visit, Some(&officer), AppError::Malformed);
    };
    let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let wanted = json!({
        "serial": given.serial, "identity": filled(&given.identity), "cpr": filled(&given.cpr),
    });
    let handed = match serde_json::from_value(wanted) {
        Ok(wanted) => app.hand_out_code_device(&officer, wanted).await,
        Err(_) => Err(AppError::Malformed),
    };
    match handed {
        Ok(found) => html(&Page { handed: true, ..page(whose, Some(found)) }),
        Err(error) => refused(whose, error, given),
    }
}

pub(super) async fn stand(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    form: Result<Form<Stand>, FormRejection>,
) -> Response {
    let whose = (&visit, &officer);
    let Ok(Form(Stand { serial, standing })) = form else {
        return trouble::of(&visit, Some(&officer), AppError::Malformed);
    };
    match app.stand_code_device_by(&officer, &serial, NewStanding { standing }).await {
        Ok(found) => html(&page(whose, Some(found))),
        Err(error) => refused(whose, error, Given { serial, ..Given::default() }),
    }
}
