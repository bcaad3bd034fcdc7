//! A reason takes time to write: the end of a session does not take it, with a script (`officer.js`) or without.

use super::super::visit::{Cookie, Visit};
use super::{Signed, sign_in};
use crate::app::{App, Officer};
use crate::keys::{base64url, base64url_decode};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A form of an officer who is signed in. Of one whose session has ended nothing is done, and what was filled in
/// waits in a cookie of this browser until the same officer has signed in and sent it.
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
                let visit = Visit::to(app, request.headers());
                let written = Form::<Draft>::from_request(request, app).await;
                Err(sign_in::over_with(&visit, written.ok().and_then(|Form(draft)| draft.of(at))))
            }
            Err(response) => Err(response),
        }
    }
}

/// What an officer had filled in, and where. What they say to have seen is not among it: that is said anew.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    /// The address of its form.
    pub(super) at: String,
    /// The identity that it is about, where the address does not say that.
    pub(super) id: String,
    pub(super) reason: String,
    pub(super) decision: String,
    pub(super) level: String,
    pub(super) in_person: Option<String>,
    pub(super) witness: String,
    pub(super) portrait: Option<String>,
    /// Who wrote it: nobody else gets it back.
    pub(super) by: String,
}

/// How long it waits, seconds.
const WAITS: u32 = 15 * 60;
/// What one cookie holds of it, bytes: browsers keep 4096 with name and attributes (RFC 6265 §6.1).
const PART: usize = 3500;

impl Draft {
    fn of(self, at: String) -> Option<Self> {
        let is_some = !self.reason.trim().is_empty() && !self.by.is_empty();
        is_some.then_some(Self { at, ..self })
    }

    /// The headers that keep it; none for what two cookies do not hold.
    pub(super) fn keep(&self, visit: &Visit) -> Option<[HeaderValue; 2]> {
        let kept = base64url(&serde_json::to_vec(self).ok()?);
        let (first, rest) = kept.split_at(kept.len().min(PART));
        (rest.len() <= PART).then(|| {
            [(Cookie::Draft, first), (Cookie::DraftRest, rest)]
                .map(|(cookie, part)| visit.set(cookie, part, Some(WAITS)))
        })
    }

    /// The headers that forget it.
    pub(super) fn forget(visit: &Visit) -> [HeaderValue; 2] {
        [Cookie::Draft, Cookie::DraftRest].map(|cookie| visit.erase(cookie))
    }

    /// What waits in this browser for whoever wrote it.
    pub(super) fn waiting(visit: &Visit) -> Option<Self> {
        let kept = base64url_decode(visit.draft.as_deref()?)?;
        let draft: Self = serde_json::from_slice(&kept).ok()?;
        let is_form = draft.at == "/officer/identities" || draft.at.starts_with("/officer/cases/");
        is_form.then_some(draft)
    }

    /// What `officer` had filled in on the form at `at`.
    pub(super) fn own(visit: &Visit, officer: &Officer, at: &str) -> Option<Self> {
        Self::waiting(visit).filter(|draft| draft.by == officer.name() && draft.at == at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    fn visit(cookies: &str) -> Visit {
        let pairs = [("host", "127.0.0.1"), ("cookie", cookies)];
        let headers: HeaderMap = pairs
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Visit::of(&headers, None)
    }

    #[test]
    fn all_that_was_chosen_comes_back_and_what_two_cookies_do_not_hold_is_not_begun() {
        let draft = |signs: usize| Draft {
            at: "/officer/cases/1".to_owned(),
            reason: "æ".repeat(signs),
            decision: "approve".to_owned(),
            level: "high".to_owned(),
            in_person: Some("on".to_owned()),
            witness: "2".to_owned(),
            portrait: Some("show".to_owned()),
            by: "bc-17".to_owned(),
            ..Draft::default()
        };
        for signs in [10, 2000] {
            let kept = draft(signs).keep(&visit("")).unwrap();
            let pairs: Vec<_> = kept
                .iter()
                .map(|header| header.to_str().unwrap().split(';').next().unwrap().to_owned())
                .collect();
            assert!(kept.iter().all(|header| header.len() < 4096));
            let found = Draft::waiting(&visit(&pairs.join("; "))).unwrap();
            let expected = serde_json::to_value(draft(signs)).unwrap();
            assert_eq!(serde_json::to_value(found).unwrap(), expected);
        }
        assert!(draft(4000).keep(&visit("")).is_none());
        assert!(Draft::waiting(&visit("indrul-draft=x")).is_none());
    }
}
