//! The demonstration's pages.

use super::{Demo, Fixture, Run};
use crate::http::problem::chain;
use crate::ids::EnrolmentId;
use crate::pages::html;
use crate::pages::texts::Language;
use crate::pages::watch::{Live, Watched};
use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

/// The routes of the demonstration.
pub fn router(demo: Arc<Demo>) -> Router {
    Router::new()
        .route("/", get(catalogue))
        .route("/demo/fixtures/{name}/{picture}", get(picture))
        .route("/demo/enrolments", post(start))
        .route("/demo/enrolments/{id}", get(watch))
        .route("/demo/enrolments/{id}/live", get(live))
        .merge(super::qa::router())
        .merge(super::devices::router())
        .route_layer(from_fn(super::qa::ours))
        .with_state(demo)
}

/// What an address chooses.
#[derive(Deserialize)]
pub(super) struct Choice {
    lang: Option<String>,
    saved: Option<String>,
}

impl Choice {
    /// Something was just saved.
    pub(super) fn saved(&self) -> bool {
        self.saved.is_some()
    }

    pub(super) fn language(&self) -> Language {
        Language::of(self.lang.as_deref())
    }
}

#[derive(Deserialize)]
struct StartForm {
    fixture: String,
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    lang: Language,
    fixtures: Vec<Card>,
}

#[derive(Template)]
#[template(path = "watch.html")]
struct WatchPage {
    lang: Language,
    id: EnrolmentId,
    fixture: Card,
    live: Live,
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePart {
    lang: Language,
    live: Live,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Trouble {
    lang: Language,
    title: String,
    text: String,
}

/// A fixture in words.
struct Card {
    name: String,
    title: String,
    holder: String,
    what: String,
    class: &'static str,
    icon: &'static str,
    expected: String,
    selfie: bool,
}

impl Card {
    fn of(fixture: &Fixture, lang: Language) -> Self {
        let listed = &fixture.listed;
        let (title, what) = words(fixture, lang);
        let (class, icon) = match listed.expect.verdict.as_str() {
            "accepted" => ("good", "✓"),
            "refused" => ("bad", "✕"),
            _ => ("warn", "!"),
        };
        Self {
            name: listed.name.clone(),
            title,
            holder: fixture.holder.clone(),
            what,
            class,
            icon,
            expected: expected(fixture, lang),
            selfie: fixture.selfie.is_some(),
        }
    }
}

/// The list's title, and in our words what is wrong, for the fixtures that we know.
fn words(fixture: &Fixture, lang: Language) -> (String, String) {
    let listed = &fixture.listed;
    let what = match listed.name.as_str() {
        "other-face" => lang.t("demo-what-other-face"),
        "dg1-changed" => lang.t("demo-what-changed"),
        "unknown-csca" => lang.t("demo-what-unknown"),
        "clone" => lang.t("demo-what-clone"),
        "expired" => lang.t("demo-what-expired"),
        _ => match &listed.deviation {
            Some(deviation) => lang.with("demo-what-deviation", "deviation", deviation),
            None => lang.t("demo-what-good"),
        },
    };
    (lang.pick(&listed.title.da, &listed.title.en).to_owned(), what)
}

/// The verdict's name in words.
pub(super) fn verdict(name: &str, lang: Language) -> String {
    match name {
        "accepted" => lang.t("demo-verdict-accepted"),
        "refused" => lang.t("demo-verdict-refused"),
        _ => lang.t("demo-verdict-inconclusive"),
    }
}

/// What is expected of a fixture: verdict, and the worst reason in words.
fn expected(fixture: &Fixture, lang: Language) -> String {
    let expect = &fixture.listed.expect;
    let verdict = verdict(&expect.verdict, lang);
    let reason = expect.reasons.first().and_then(|code| ReasonCode::known(code));
    reason.map_or_else(
        || verdict.clone(),
        |reason| format!("{verdict} – {}", lang.text(&reason.entry().text)),
    )
}

async fn catalogue(State(demo): State<Arc<Demo>>, Query(choice): Query<Choice>) -> Response {
    let lang = choice.language();
    let fixtures = demo.catalogue.fixtures.iter().map(|f| Card::of(f, lang)).collect();
    html(&CataloguePage { lang, fixtures })
}

async fn picture(
    State(demo): State<Arc<Demo>>,
    Path((name, picture)): Path<(String, String)>,
) -> Response {
    let found = demo.catalogue.find(&name).and_then(|fixture| match picture.as_str() {
        "portrait" => fixture.portrait.clone(),
        "selfie" => fixture.selfie.clone(),
        _ => None,
    });
    match found {
        Some(bytes) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn start(
    State(demo): State<Arc<Demo>>,
    form: Result<Form<StartForm>, FormRejection>,
) -> Response {
    let Ok(Form(StartForm { fixture, lang })) = form else {
        return trouble(Language::Da, StatusCode::BAD_REQUEST);
    };
    let lang = Language::of(lang.as_deref());
    if demo.catalogue.find(&fixture).is_none() {
        return trouble(lang, StatusCode::NOT_FOUND);
    }
    match demo.enrol(&fixture).await {
        Ok((id, _)) => {
            Redirect::to(&format!("/demo/enrolments/{id}?lang={}", lang.code())).into_response()
        }
        Err(error) => {
            tracing::error!(error = %chain(&error), fixture, "no enrolment was started");
            trouble(lang, StatusCode::BAD_GATEWAY)
        }
    }
}

/// A page that says what happened and what to do now.
pub(super) fn trouble(lang: Language, status: StatusCode) -> Response {
    let (title, text) = match status {
        StatusCode::FORBIDDEN => (lang.t("trouble-origin-title"), lang.t("trouble-origin")),
        StatusCode::CONFLICT => (lang.t("qa-busy-title"), lang.t("qa-busy")),
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
            (lang.t("qa-form-title"), lang.t("trouble-form"))
        }
        StatusCode::BAD_GATEWAY => (lang.t("demo-not-started"), lang.t("demo-no-answer")),
        _ => (lang.t("trouble-missing-title"), lang.t("demo-choose-again")),
    };
    (status, html(&Trouble { lang, title, text })).into_response()
}

async fn watch(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    let Some((id, run)) = known(&demo, &id) else { return trouble(lang, StatusCode::NOT_FOUND) };
    let Some(fixture) = demo.catalogue.find(&run.fixture) else {
        return trouble(lang, StatusCode::NOT_FOUND);
    };
    match watched(&demo, id, &run, lang).await {
        Some(watched) => {
            let live = Live::of(watched, lang);
            html(&WatchPage { lang, id, fixture: Card::of(fixture, lang), live })
        }
        None => trouble(lang, StatusCode::NOT_FOUND),
    }
}

async fn live(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    let Some((id, run)) = known(&demo, &id) else { return StatusCode::NOT_FOUND.into_response() };
    match watched(&demo, id, &run, lang).await {
        Some(watched) => html(&LivePart { lang, live: Live::of(watched, lang) }),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn known(demo: &Demo, id: &str) -> Option<(EnrolmentId, Run)> {
    let id = id.parse().ok()?;
    Some((id, demo.run_of(id)?))
}

/// What is known of the case now. Only cases that the demonstration started get here: nobody
/// watches a citizen's case.
async fn watched(demo: &Demo, id: EnrolmentId, run: &Run, lang: Language) -> Option<Watched> {
    let record = match demo.app.record(id).await {
        Ok(record) => record,
        Err(error) => {
            tracing::error!(error = %chain(&error), "a case cannot be shown");
            return None;
        }
    };
    let identity = match record.settled.as_ref().and_then(|settled| settled.identity) {
        Some(identity) => demo.app.issued(identity, id).await.ok().flatten(),
        None => None,
    };
    let expected =
        demo.catalogue.find(&run.fixture).map(|fixture| comparison(fixture, &record, lang));
    let progress = demo.app.progress(id);
    Some(Watched { record, progress, identity, left: run.left, expected })
}

/// Whether the end is the one expected, in words.
fn comparison(fixture: &Fixture, record: &crate::record::Record, lang: Language) -> String {
    let expect = &fixture.listed.expect;
    let found = record.settled.as_ref();
    let same = found.is_some_and(|found| {
        let reasons = found.reasons.iter().map(|reason| reason.as_str());
        crate::app::verdict_name(found.verdict) == expect.verdict
            && reasons.eq(expect.reasons.iter().map(String::as_str))
    });
    let reasons = expect.reasons.join(", ");
    let what = if reasons.is_empty() {
        expect.verdict.clone()
    } else {
        format!("{}: {reasons}", expect.verdict)
    };
    if same {
        format!("✓ {} ({what})", lang.t("demo-as-expected"))
    } else {
        format!("✕ {} ({what})", lang.t("demo-not-as-expected"))
    }
}
