//! The pages of a site: who is logged in, log in, log in at Høj, log out; and where the service tells that a
//! session has ended.

use super::Party;
use super::exchange::{ExchangeError, Outcome, Wanted};
use super::sessions::Session;
use crate::clock::{Clock, SystemClock, SystemEntropy, copenhagen_time, random};
use crate::http::problem::chain;
use crate::keys::base64url;
use crate::oidc::Level;
use crate::pages::html;
use crate::pages::texts::Language;
use crate::pages::visit::is_ours;
use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::Arc;

/// The routes of `site`.
pub(super) fn router(site: Arc<Party>) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route("/log-in", post(log_in))
        .route("/callback", get(callback))
        .route("/pay", post(pay))
        .route("/log-out", post(log_out))
        .route("/logged-out", get(logged_out))
        .layer(from_fn(ours))
        // The service asks it, and proves itself by the token.
        .route("/back-channel-logout", post(ended));
    let router = pages
        .layer(from_fn_with_state(site.clone(), policy))
        .with_state(site)
        .merge(crate::pages::assets());
    crate::http::finish(router)
}

/// What changes something must come from our own page.
async fn ours(request: Request, next: Next) -> Response {
    if request.method() != Method::GET && !is_ours(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// A form may lead on to the service.
async fn policy(State(site): State<Arc<Party>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let to = format!("form-action 'self' {}", site.provider.issuer());
    let policy = crate::http::POLICY.replace("form-action 'self'", &to);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[derive(Template)]
#[template(path = "party/home.html")]
struct Page {
    lang: Language,
    site: Arc<Party>,
    session: Option<Session>,
    /// Name of a text that says what has happened.
    told: Option<&'static str>,
}

impl Page {
    /// The level in words.
    fn level(&self, level: &Level) -> String {
        self.lang.t(match level {
            Level::Low => "level-low",
            Level::Substantial => "level-substantial",
            Level::High => "level-high",
        })
    }

    /// The time of day in Copenhagen at which a session runs out.
    fn until(&self, session: &Session) -> String {
        let local = copenhagen_time(session.until);
        let (hour, minute) = (local.hour(), local.minute());
        self.lang.pick(&format!("{hour}.{minute:02}"), &format!("{hour:02}:{minute:02}")).to_owned()
    }
}

#[derive(Deserialize)]
struct Choice {
    lang: Option<String>,
    error: Option<String>,
}

/// The cookie by which a site knows a browser: others on loopback have theirs.
fn cookie_name(site: &Party) -> String {
    format!("indrul-{}", site.kind.client_id)
}

fn browser(site: &Party, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(site);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// Goes on to `address` as a browser that is known by `key`.
fn known(site: &Party, key: &str, address: &str) -> Response {
    let mut response = Redirect::to(address).into_response();
    let cookie = format!("{}={key}; Path=/; HttpOnly; SameSite=Lax", cookie_name(site));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A browser's secret, new at each log-in and after it (no session is fixed beforehand).
fn key() -> Result<String, ExchangeError> {
    Ok(base64url(&random::<32>(&SystemEntropy)?))
}

async fn home(
    State(site): State<Arc<Party>>,
    Query(Choice { lang, error }): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let key = browser(&site, &headers).unwrap_or_default();
    let paid = payment(&site, &key).await;
    let session = site.sessions.of(&key, SystemClock.now());
    let (ended, session) = match session {
        Some(session) if session.ended => (true, None),
        open => (false, open),
    };
    let told = match error.as_deref() {
        Some("access_denied") => Some("party-denied"),
        Some("unmet_authentication_requirements") => Some("party-level"),
        Some("logged_out") => Some("party-out"),
        Some(_) => Some("party-trouble"),
        None if ended => Some("party-ended"),
        None => paid,
    };
    html(&Page { lang: Language::of(lang.as_deref()), site, session, told })
}

/// What has come of a payment that waits in the app of whoever `browser` is, if one does: name of the text.
async fn payment(site: &Party, browser: &str) -> Option<&'static str> {
    let now = SystemClock.now();
    let waiting = site.sessions.of(browser, now).filter(|session| !session.ended)?.waiting?;
    let told = match site.provider.poll(waiting, now).await {
        Ok(Outcome::Waits(waiting)) => {
            site.sessions.wait(browser, Some(waiting));
            return Some("party-waits");
        }
        Ok(Outcome::Approved) => "party-paid",
        Ok(Outcome::Not) => "party-not-paid",
        Err(error) => {
            tracing::warn!(error = %chain(&error), "a payment of the demonstration failed");
            "party-not-paid"
        }
    };
    site.sessions.wait(browser, None);
    Some(told)
}

/// Asks the person's app for a payment (CIBA).
async fn pay(
    State(site): State<Arc<Party>>,
    headers: HeaderMap,
    form: Result<Form<Leave>, FormRejection>,
) -> Response {
    let Ok(Form(Leave { lang })) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let lang = Language::of(Some(&lang)).code();
    let key = browser(&site, &headers).unwrap_or_default();
    let session = site.sessions.of(&key, SystemClock.now()).filter(|session| !session.ended);
    let Some((session, message)) = session.zip(site.kind.payment) else {
        return Redirect::to(&format!("/?lang={lang}")).into_response();
    };
    match site.provider.ask(session.subject, message, SystemClock.now()).await {
        Ok(waiting) => {
            site.sessions.wait(&key, Some(waiting));
            Redirect::to(&format!("/?lang={lang}")).into_response()
        }
        Err(error) => failed(&error, lang),
    }
}

#[derive(Deserialize)]
struct Begin {
    level: String,
    lang: String,
}

async fn log_in(
    State(site): State<Arc<Party>>,
    headers: HeaderMap,
    form: Result<Form<Begin>, FormRejection>,
) -> Response {
    let Ok(Form(Begin { level, lang })) = form else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let language = Language::of(Some(&lang)).code();
    let wanted = Wanted {
        redirect_uri: format!("{}/callback", site.url),
        scopes: site.kind.scopes,
        reference: site.kind.reference,
        level: Level::named(&level).unwrap_or(Level::Substantial),
        language,
    };
    match site.provider.begin(wanted).await {
        Ok((address, begun)) => {
            // A session that is open stays what it is until another one takes its place.
            let key = browser(&site, &headers).map_or_else(key, Ok);
            let Ok(key) = key else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
            site.sessions.begin(key.clone(), begun);
            known(&site, &key, &address)
        }
        Err(error) => failed(&error, language),
    }
}

/// Back to the page, which says that it did not work; what went wrong is logged.
fn failed(error: &ExchangeError, lang: &str) -> Response {
    tracing::warn!(error = %chain(error), "a log-in at a relying party of the demonstration failed");
    Redirect::to(&format!("/?lang={lang}&error=trouble")).into_response()
}

#[derive(Deserialize)]
struct Answer {
    state: Option<String>,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// The answer of the service (OpenID Connect Core §3.1.2.5, RFC 9207 §2.4).
async fn callback(
    State(site): State<Arc<Party>>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Response {
    let Answer { state, iss, code, error } = answer;
    let before = browser(&site, &headers).unwrap_or_default();
    let is_ours = iss.as_deref() == Some(site.provider.issuer());
    let begun = || site.sessions.begun(&before, &state.unwrap_or_default());
    let Some(begun) = is_ours.then(begun).flatten() else {
        return Redirect::to("/?error=trouble").into_response();
    };
    let lang = begun.language();
    let Some(code) = code else {
        let error =
            error.filter(|error| error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        let error = error.unwrap_or_else(|| "trouble".to_owned());
        return Redirect::to(&format!("/?lang={lang}&error={error}")).into_response();
    };
    match site.provider.finish(code, begun, SystemClock.now()).await {
        Ok(logged_in) => match (Session::of(logged_in), key()) {
            (Some(session), Ok(key)) => {
                site.sessions.close(&before);
                site.sessions.open(key.clone(), session);
                known(&site, &key, &format!("/?lang={lang}"))
            }
            _ => Redirect::to(&format!("/?lang={lang}&error=trouble")).into_response(),
        },
        Err(error) => failed(&error, lang),
    }
}

#[derive(Deserialize)]
struct Leave {
    lang: String,
}

async fn log_out(
    State(site): State<Arc<Party>>,
    headers: HeaderMap,
    form: Result<Form<Leave>, FormRejection>,
) -> Response {
    let Ok(Form(Leave { lang })) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let lang = Language::of(Some(&lang)).code();
    let session = browser(&site, &headers).and_then(|key| site.sessions.close(&key));
    let Some(session) = session else { return Redirect::to("/").into_response() };
    let back = format!("{}/logged-out", site.url);
    Redirect::to(&site.provider.logout(&session.id_token, (&back, lang))).into_response()
}

#[derive(Deserialize)]
struct Left {
    state: Option<String>,
}

async fn logged_out(Query(Left { state }): Query<Left>) -> Response {
    let lang = Language::of(state.as_deref()).code();
    Redirect::to(&format!("/?lang={lang}&error=logged_out")).into_response()
}

#[derive(Deserialize)]
struct Ended {
    logout_token: String,
}

/// Ends a session that the service says is over (Back-Channel Logout 1.0 §2.5, §2.8).
async fn ended(
    State(site): State<Arc<Party>>,
    form: Result<Form<Ended>, FormRejection>,
) -> StatusCode {
    let Ok(Form(Ended { logout_token })) = form else { return StatusCode::BAD_REQUEST };
    match site.provider.logged_out(logout_token, SystemClock.now()).await {
        Ok(sid) => {
            site.sessions.end(&sid);
            StatusCode::OK
        }
        Err(ExchangeError::Silent(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "a logout token was refused");
            StatusCode::BAD_REQUEST
        }
    }
}
