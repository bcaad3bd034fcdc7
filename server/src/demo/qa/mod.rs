//! The QA console: the catalogue of fixtures, expected against found, what went between reader and chip, the
//! times, and the script of the stand-in registers.
//!
//! It is part of the demonstration, which [`Demo::new`](super::Demo::new) makes in the domain `qa` only: a
//! production server has neither its routes nor a fixture. Traces come from the emulated chip, in the program
//! `fixtures`; the reader of this crate keeps no key and no command, so that there is none of a real chip.

mod explain;
mod fixture;
mod reasons;
mod registers;
mod results;
mod run;
mod timing;
pub(super) mod trace;

pub(super) use results::{Found, Results};

use super::Demo;
use super::catalogue::Listed;
use super::http::{Choice, trouble};
use crate::pages::html;
use crate::pages::texts::Language;
use crate::pages::visit::is_ours;
use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The routes of the console.
pub(super) fn router() -> Router<Arc<Demo>> {
    Router::new()
        .route("/qa", get(catalogue))
        .route("/qa/live", get(live))
        .route("/qa/groups/{group}", get(group))
        .route("/qa/groups/{group}/live", get(group_live))
        .route("/qa/runs", post(start))
        .route("/qa/fixtures/{name}", get(fixture::show))
        .route("/qa/registers", get(registers::show).post(registers::set))
        .route("/reasons", get(reasons::show))
}

/// What changes something must come from our own page.
pub(super) async fn ours(request: Request, next: Next) -> Response {
    if request.method() != Method::GET && !is_ours(request.headers()) {
        return trouble(Language::Da, StatusCode::FORBIDDEN);
    }
    next.run(request).await
}

#[derive(Template)]
#[template(path = "qa/catalogue.html")]
struct CataloguePage {
    lang: Language,
    list: List,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "qa/group.html")]
struct GroupPage {
    lang: Language,
    list: List,
}

#[derive(Template)]
#[template(path = "qa/list.html")]
struct ListPart {
    lang: Language,
    list: List,
}

/// Fixtures and how far the run that goes on is.
struct List {
    /// The group; empty for the fixtures of the demonstration.
    group: String,
    rows: Vec<Row>,
    going: Option<String>,
    /// How many were found as expected, found otherwise, and not run yet.
    summary: String,
}

/// A group of variations.
struct Group {
    name: String,
    count: usize,
    /// What was found, once one of it was run.
    summary: Option<String>,
}

/// A fixture in the list.
struct Row {
    name: String,
    title: String,
    expected: Judged,
    found: Option<Judged>,
    /// Class and word for whether the two are the same.
    class: &'static str,
    same: String,
}

/// A verdict in words, with its reasons.
pub(super) struct Judged {
    pub(super) verdict: String,
    pub(super) reasons: Vec<&'static str>,
    /// What went wrong before there was one.
    pub(super) error: Option<String>,
}

impl Judged {
    fn of(verdict: &str, reasons: &[String], lang: Language) -> Self {
        let known = reasons.iter().filter_map(|code| ReasonCode::known(code));
        let reasons = known.map(ReasonCode::as_str).collect();
        Self { verdict: super::http::verdict(verdict, lang), reasons, error: None }
    }

    fn found(found: &Found, lang: Language) -> Option<Self> {
        Some(match found.judgement.as_ref()? {
            Ok(found) => Self::of(&found.verdict, &found.reasons, lang),
            Err(error) => Self {
                verdict: lang.t("qa-broken"),
                reasons: Vec::new(),
                error: Some(error.clone()),
            },
        })
    }
}

impl Row {
    fn of(listed: &Listed, demo: &Demo, lang: Language) -> Self {
        let found = demo.results.of(&listed.name);
        let (class, same) = match found.as_expected(&listed.expect) {
            None => ("none", "qa-not-run"),
            Some(true) => ("good", "demo-as-expected"),
            Some(false) => ("bad", "demo-not-as-expected"),
        };
        Self {
            name: listed.name.clone(),
            title: lang.pick(&listed.title.da, &listed.title.en).to_owned(),
            expected: Judged::of(&listed.expect.verdict, &listed.expect.reasons, lang),
            found: Judged::found(&found, lang),
            class,
            same: lang.t(same),
        }
    }
}

impl List {
    fn of(demo: &Demo, group: &str, lang: Language) -> Option<Self> {
        let mine = demo.catalogue.listed.iter().filter(|listed| listed.group == group);
        let rows: Vec<Row> = mine.clone().map(|listed| Row::of(listed, demo, lang)).collect();
        let going = demo.results.going().map(|going| {
            let (done, total) = (going.done.to_string(), going.total.to_string());
            crate::pages::fluent::with(lang, "qa-going", &[("done", &done), ("total", &total)])
        });
        let summary = summary(mine, demo, lang);
        (!rows.is_empty() || group.is_empty()).then(|| Self {
            group: group.to_owned(),
            rows,
            going,
            summary,
        })
    }
}

fn summary<'a>(listed: impl Iterator<Item = &'a Listed>, demo: &Demo, lang: Language) -> String {
    let (mut right, mut wrong, mut open) = (0, 0, 0);
    for one in listed {
        match demo.results.of(&one.name).as_expected(&one.expect) {
            Some(true) => right += 1,
            Some(false) => wrong += 1,
            None => open += 1,
        }
    }
    let [right, wrong, open] = [right, wrong, open].map(|count: usize| count.to_string());
    let counts = [("right", right.as_str()), ("wrong", &wrong), ("open", &open)];
    crate::pages::fluent::with(lang, "qa-summary", &counts)
}

async fn catalogue(State(demo): State<Arc<Demo>>, Query(choice): Query<Choice>) -> Response {
    let lang = choice.language();
    let mut by_name: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for listed in demo.catalogue.listed.iter().filter(|listed| !listed.group.is_empty()) {
        by_name.entry(&listed.group).or_default().push(listed);
    }
    let groups = by_name.into_iter().map(|(name, listed)| {
        let run = listed.iter().any(|listed| demo.results.of(&listed.name).judgement.is_some());
        let count = listed.len();
        let summary = run.then(|| summary(listed.into_iter(), &demo, lang));
        Group { name: name.to_owned(), count, summary }
    });
    let groups = groups.collect();
    match List::of(&demo, "", lang) {
        Some(list) => html(&CataloguePage { lang, list, groups }),
        None => trouble(lang, StatusCode::NOT_FOUND),
    }
}

async fn group(
    State(demo): State<Arc<Demo>>,
    Path(group): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    match List::of(&demo, &group, lang).filter(|list| !list.group.is_empty()) {
        Some(list) => html(&GroupPage { lang, list }),
        None => trouble(lang, StatusCode::NOT_FOUND),
    }
}

async fn live(demo: State<Arc<Demo>>, choice: Query<Choice>) -> Response {
    group_live(demo, Path(String::new()), choice).await
}

async fn group_live(
    State(demo): State<Arc<Demo>>,
    Path(group): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    match List::of(&demo, &group, lang) {
        Some(list) => html(&ListPart { lang, list }),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What is to run: one fixture, those of a group, or all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    fixture: Option<String>,
    group: Option<String>,
    lang: Option<String>,
}

async fn start(
    State(demo): State<Arc<Demo>>,
    form: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let Ok(Form(Wanted { fixture, group, lang })) = form else {
        return trouble(Language::Da, StatusCode::BAD_REQUEST);
    };
    let lang = Language::of(lang.as_deref());
    let wanted = |listed: &&Listed| match (&fixture, &group) {
        (Some(name), _) => listed.name == *name,
        (None, Some(group)) => listed.group == *group,
        (None, None) => true,
    };
    let listed = demo.catalogue.listed.iter().filter(wanted);
    let names: Vec<String> = listed.map(|listed| listed.name.clone()).collect();
    if names.is_empty() {
        return trouble(lang, StatusCode::NOT_FOUND);
    }
    if !demo.clone().run_all(names) {
        return trouble(lang, StatusCode::CONFLICT);
    }
    let code = lang.code();
    Redirect::to(&match (fixture, group) {
        (Some(name), _) => format!("/qa/fixtures/{name}?lang={code}"),
        (None, Some(group)) if !group.is_empty() => format!("/qa/groups/{group}?lang={code}"),
        _ => format!("/qa?lang={code}"),
    })
    .into_response()
}
