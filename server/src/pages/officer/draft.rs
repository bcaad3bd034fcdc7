//! A reason takes time to write: the end of a session does not take it, with a script (`officer.js`) or without.

use super::{Signed, sign_in};
use crate::app::App;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A form of an officer who is signed in. Of one whose session has ended nothing is done, and what was written stands
/// on the page to sign in, whose form brings it back.
pub(super) struct Sent<T> {
    pub(super) signed: Signed,
    pub(super) form: Result<Form<T>, FormRejection>,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, app).await;
        let at = parts.uri.path().to_owned();
        let request = Request::from_parts(parts, body);
        match signed {
            Ok(signed) => Ok(Self { signed, form: Form::from_request(request, app).await }),
            Err(response) if response.status() == StatusCode::UNAUTHORIZED => {
                let visit = super::Visit::to(app, request.headers());
                let written = Form::<Written>::from_request(request, app).await;
                Err(sign_in::over_with(&visit, written.ok().and_then(|Form(w)| w.draft(at))))
            }
            Err(response) => Err(response),
        }
    }
}

/// What of a form took time to write.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    id: String,
    reason: String,
    /// Who was signed in as it was written.
    by: String,
}

impl Written {
    fn draft(self, at: String) -> Option<Draft> {
        let Self { id, reason, by } = self;
        (!reason.trim().is_empty()).then_some(Draft { at, id, reason, by })
    }
}

/// A reason that was not sent, and where it stood.
pub(super) struct Draft {
    /// The address of its form.
    pub(super) at: String,
    /// The identity that it is about, where the address does not say that.
    pub(super) id: String,
    /// What was written.
    pub(super) reason: String,
    /// Who wrote it: nobody else gets it back.
    pub(super) by: String,
}
