//! The one place that turns errors into answers (STYLE 26): `application/problem+json` (RFC 9457)
//! with the reason code and its texts. Internals are logged, not returned.

use crate::app::AppError;
use crate::inference::Busy;
use crate::limits::TooOften;
use crate::relay::wire::Text;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use std::time::Duration;

/// An answer that says what was wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// Stable code: a reason code, or one of `request.*` and `server.*`.
    #[schema(example = "case.state")]
    code: String,
    /// What happened, for the person.
    text: Text,
    /// What to do now, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<Text>,
    /// When to try again, seconds; also in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a reason of the table.
    #[must_use]
    pub fn reason(status: StatusCode, code: ReasonCode) -> Self {
        let entry = code.entry();
        let next_step = Some(Text::from(&entry.next));
        Self { next_step, ..Self::new(status, code.as_str(), Text::from(&entry.text)) }
    }

    fn new(status: StatusCode, code: &str, text: Text) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: code.to_owned(),
            text,
            next_step: None,
            retry_after: None,
        }
    }

    fn plain(status: StatusCode, code: &str, da: &str, en: &str) -> Self {
        Self::new(status, code, Text { da: da.to_owned(), en: en.to_owned() })
    }

    /// A problem that is over after a while, told in whole seconds, at least one (RFC 9110 §10.2.3).
    #[must_use]
    pub fn later(status: StatusCode, code: ReasonCode, after: Duration) -> Self {
        Self { retry_after: Some(whole_seconds(after)), ..Self::reason(status, code) }
    }

    /// No such address.
    #[must_use]
    pub fn not_found() -> Self {
        let (da, en) = ("Adressen findes ikke.", "There is nothing at this address.");
        Self::plain(StatusCode::NOT_FOUND, "request.not_found", da, en)
    }

    /// The address does not take this method.
    #[must_use]
    pub fn method() -> Self {
        let (da, en) = ("Metoden bruges ikke her.", "This method is not used here.");
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, "request.method", da, en)
    }

    /// The body is not what is expected.
    #[must_use]
    pub fn malformed() -> Self {
        let da = "Forespørgslen kan ikke læses.";
        Self::plain(StatusCode::BAD_REQUEST, "request.malformed", da, "The request cannot be read.")
    }

    /// The body is too long.
    #[must_use]
    pub fn too_large() -> Self {
        let (da, en) = ("Indholdet er for stort.", "The content is too large.");
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", da, en)
    }

    /// The body's media type is not taken.
    #[must_use]
    pub fn media_type() -> Self {
        let (da, en) = ("Indholdets type bruges ikke her.", "The content type is not used here.");
        Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.media_type", da, en)
    }

    /// Requests should not be sent here now.
    #[must_use]
    pub fn not_ready() -> Self {
        let (da, en) = ("Tjenesten er ikke klar.", "The service is not ready.");
        Self::plain(StatusCode::SERVICE_UNAVAILABLE, "server.not_ready", da, en)
    }

    fn unauthorized() -> Self {
        let (da, en) = (
            "Adgangsnøglen mangler, er brugt eller passer ikke.",
            "The access token is missing, used or wrong.",
        );
        Self::plain(StatusCode::UNAUTHORIZED, "request.token", da, en)
    }

    fn unknown_case() -> Self {
        let (da, en) = ("Sagen findes ikke.", "There is no such case.");
        Self::plain(StatusCode::NOT_FOUND, "case.unknown", da, en)
    }

    fn internal() -> Self {
        let (da, en) = (
            "Noget gik galt hos os. Prøv igen om lidt.",
            "Something went wrong on our side. Try again in a moment.",
        );
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "server.error", da, en)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::UnknownCase => Self::unknown_case(),
            AppError::Unauthorized => Self::unauthorized(),
            AppError::Reason(code) => Self::reason(status_of(code), code),
            AppError::Malformed => Self::malformed(),
            AppError::Busy(Busy { after }) => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, ReasonCode::SERVER_BUSY, after)
            }
            AppError::TooOften(TooOften { after, .. }) => {
                Self::later(StatusCode::TOO_MANY_REQUESTS, ReasonCode::REQUEST_TOO_OFTEN, after)
            }
            AppError::Internal(source) => {
                tracing::error!(error = %chain(source.as_ref()), "a request failed");
                Self::internal()
            }
        }
    }
}

/// The status of a reason that ends a request: what the person did at the wrong moment is 409,
/// what they sent is 422, what we cannot do now is 503.
pub(crate) fn status_of(code: ReasonCode) -> StatusCode {
    match code.as_str() {
        "case.expired" | "activation.late" | "activation.dead" | "activation.window"
        | "copy.late" | "log_in.late" | "log_in.tries" | "user_id.tries" => StatusCode::GONE,
        "case.attempts" | "referral.visits" | "activation.too_often" => {
            StatusCode::TOO_MANY_REQUESTS
        }
        "user_id.taken"
        | "user_id.missing"
        | "pin.locked"
        | "activation.devices"
        | "activation.new_phone"
        | "activation.state"
        | "consent.biometrics"
        | "log_in.level"
        | "log_in.code_level"
        | "code_device.state"
        | "code_device.other"
        | "code_device.stock"
        | "code_device.many"
        | "log_in.parallel"
        | "log_in.already_approved"
        | "log_in.already_refused"
        | "log_in.other_person"
        | "contact.new_app"
        | "booking.taken" => StatusCode::CONFLICT,
        "officer.sign_in" => StatusCode::UNAUTHORIZED,
        "my_page.approval" => StatusCode::FORBIDDEN,
        "support.unknown" | "reference.unknown" | "booking.unknown" | "pick_up.unknown"
        | "log_in.nothing" => StatusCode::NOT_FOUND,
        code if code.starts_with("identity.") || code.starts_with("authenticator.") => {
            StatusCode::CONFLICT
        }
        code if code.starts_with("case.") => StatusCode::CONFLICT,
        code if code.ends_with(".unavailable") || code == "face.model" => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// When what failed may be tried again, in whole seconds.
pub(crate) fn after(error: &AppError) -> Option<u64> {
    match error {
        AppError::Busy(Busy { after }) | AppError::TooOften(TooOften { after, .. }) => {
            Some(whole_seconds(*after))
        }
        _ => None,
    }
}

fn whole_seconds(after: Duration) -> u64 {
    (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1)
}

/// An error and its causes on one line. Our errors name things and lengths, never contents.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::media_type(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            _ => Self::malformed(),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            _ => Self::malformed(),
        }
    }
}
