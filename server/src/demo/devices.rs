//! Simulated code devices of the demonstration's stock, which QA looks at and listens to.
//!
//! A seed that was imported is never read again, here neither: these are made of the server's own key by their
//! serial numbers, so that the console makes them once more and the stock is only written to.

use super::Demo;
use super::spoken;
use crate::app::{
    App, AppError, NewDevice, Parcel, StockError, import_code_devices, post_code_devices,
};
use crate::demo::http::{Choice, trouble};
use crate::pages::html;
use crate::pages::texts::Language;
use crate::storage::CodeDeviceRow;
use askama::Template;
use axum::Json;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use enroll_core::code_device::Kind;
use enroll_core::totp::{Algorithm, Seed, seconds_left, step_at};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How many of each kind.
const EACH: usize = 5;

/// The policy of a page that plays sound of our own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Arc<Demo>> {
    Router::new()
        .route("/qa/code-devices", get(list))
        .route("/qa/code-devices/posted", post(posted))
        .route("/qa/code-devices/{serial}", get(show))
        .route("/qa/code-devices/{serial}/now", get(now))
        .route("/qa/code-devices/{serial}/spoken.wav", get(sound))
}

/// The simulated devices: serial number and kind.
fn all() -> impl Iterator<Item = (String, Kind)> {
    let of = |kind: Kind, letters: &'static str| {
        (1..=EACH).map(move |number| (format!("QA-{letters}-{number:04}"), kind))
    };
    of(Kind::Display, "KV").chain(of(Kind::Reader, "KO"))
}

fn known(serial: &str) -> Option<Kind> {
    all().find(|(known, _)| known == serial).map(|(_, kind)| kind)
}

/// What a simulated device's codes are made of.
fn seed(app: &App, serial: &str, kind: Kind) -> Result<Seed, AppError> {
    let keys = app.keys();
    let hash = keys.master().keyed_hash("simulated code device", serial.as_bytes());
    let hash = Zeroizing::new(hash.map_err(internal)?);
    // 160 bits for HMAC-SHA-1 (RFC 4226 §4), 256 for HMAC-SHA-256.
    let (algorithm, length) = match kind {
        Kind::Display => (Algorithm::Sha1, 20),
        Kind::Reader => (Algorithm::Sha256, 32),
    };
    let key = Zeroizing::new(hash.iter().take(length).copied().collect::<Vec<u8>>());
    Seed::new(algorithm, key).ok_or(AppError::Malformed)
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Internal(Box::new(error))
}

/// Puts the simulated devices into the stock, if they are not there yet.
///
/// # Errors
/// [`StockError`].
pub async fn stock(app: &App) -> Result<(), StockError> {
    let mut devices = Vec::new();
    for (serial, kind) in all() {
        devices.push(NewDevice { seed: seed(app, &serial, kind)?, serial, kind });
    }
    let parts = &app.parts;
    let now = parts.clock.now();
    import_code_devices(&parts.store, parts.entropy.as_ref(), &devices, now).await.map(|_| ())
}

#[derive(Template)]
#[template(path = "qa/code_devices.html")]
struct ListPage {
    lang: Language,
    devices: Vec<CodeDeviceRow>,
}

#[derive(Template)]
#[template(path = "qa/code_device.html")]
struct DevicePage {
    lang: Language,
    serial: String,
    code: String,
    step: i64,
    left: i64,
    speaks: bool,
}

impl ListPage {
    fn kind(&self, device: &CodeDeviceRow) -> String {
        kind_in_words(self.lang, device.kind)
    }

    fn state(&self, device: &CodeDeviceRow) -> String {
        crate::pages::code_device_state(self.lang, device.state.name())
    }

    /// `SERIAL=ORDER` of one that waits to be sent.
    fn parcel(&self, device: &CodeDeviceRow) -> Option<String> {
        device.order().map(|order| format!("{}={order}", device.serial))
    }
}

fn kind_in_words(lang: Language, kind: Kind) -> String {
    lang.t(match kind {
        Kind::Display => "code-devices-display",
        Kind::Reader => "code-devices-reader",
    })
}

async fn list(State(demo): State<Arc<Demo>>, Query(choice): Query<Choice>) -> Response {
    let lang = choice.language();
    let found = async { demo.app.parts.store.read().await?.all_code_devices(None).await };
    match found.await {
        Ok(devices) => {
            let devices = devices.into_iter().filter(|row| known(&row.serial).is_some()).collect();
            html(&ListPage { lang, devices })
        }
        Err(error) => broken(lang, &AppError::from(error)),
    }
}

fn broken(lang: Language, error: &AppError) -> Response {
    tracing::error!(error = %crate::http::problem::chain(error), "a code device cannot be shown");
    trouble(lang, StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a device shows or speaks now.
struct Shown {
    code: Zeroizing<String>,
    step: i64,
    /// Seconds that it still is the one.
    left: i64,
    speaks: bool,
}

fn shown(app: &App, serial: &str) -> Result<Option<Shown>, AppError> {
    let Some(kind) = known(serial) else { return Ok(None) };
    let now = app.parts.clock.now();
    let step = step_at(now);
    let code = seed(app, serial, kind)?.code(step).map_err(internal)?;
    Ok(Some(Shown { code, step, left: seconds_left(now), speaks: kind == Kind::Reader }))
}

async fn show(
    State(demo): State<Arc<Demo>>,
    Path(serial): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    match shown(&demo.app, &serial) {
        Ok(Some(Shown { code, step, left, speaks })) => {
            let page = DevicePage { lang, serial, code: code.to_string(), step, left, speaks };
            ([(header::CONTENT_SECURITY_POLICY, POLICY)], html(&page)).into_response()
        }
        Ok(None) => trouble(lang, StatusCode::NOT_FOUND),
        Err(error) => broken(lang, &error),
    }
}

/// What the page shows now: `{"code", "step", "left"}`; an audio reader's code is not written anywhere.
async fn now(
    State(demo): State<Arc<Demo>>,
    Path(serial): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let found = shown(&demo.app, &serial).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let found = found.ok_or(StatusCode::NOT_FOUND)?;
    let code = Some(found.code.as_str()).filter(|_| !found.speaks);
    Ok(Json(json!({ "code": code, "step": found.step, "left": found.left })))
}

/// The code of now as it is spoken.
async fn sound(State(demo): State<Arc<Demo>>, Path(serial): Path<String>) -> Response {
    match shown(&demo.app, &serial) {
        Ok(Some(Shown { code, speaks: true, .. })) => {
            ([(header::CONTENT_TYPE, "audio/wav")], spoken::wav(&code)).into_response()
        }
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(Language::Da, &error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    parcel: String,
    lang: Option<String>,
}

/// The post takes an ordered device: a stand-in for whoever sends them.
async fn posted(
    State(demo): State<Arc<Demo>>,
    form: Result<Form<Posted>, FormRejection>,
) -> Response {
    let Ok(Form(Posted { parcel, lang })) = form else {
        return trouble(Language::Da, StatusCode::BAD_REQUEST);
    };
    let lang = Language::of(lang.as_deref());
    let Ok(parcel) = parcel.parse::<Parcel>() else {
        return trouble(lang, StatusCode::BAD_REQUEST);
    };
    let parts = &demo.app.parts;
    match post_code_devices(&parts.store, &[parcel], parts.clock.now()).await {
        Ok(()) => Redirect::to(&format!("/qa/code-devices?lang={}", lang.code())).into_response(),
        Err(StockError::App(error)) => broken(lang, &error),
        Err(_) => trouble(lang, StatusCode::CONFLICT),
    }
}
