//! One fixture: expected against found, the times as a picture, and what went between reader and chip.

use super::explain::{Protocols, Shown, shown};
use super::timing::Chart;
use super::{Demo, Row};
use crate::demo::http::{Choice, trouble};
use crate::pages::html;
use crate::pages::texts::Language;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "qa/fixture.html")]
struct Page {
    lang: Language,
    row: Row,
    deviation: Option<String>,
    group: String,
    /// A run goes on that may change this page.
    going: bool,
    /// The enrolment, where it can be watched.
    enrolment: Option<String>,
    chart: Option<Chart>,
    exchanges: Vec<Shown>,
    /// How many commands there were.
    count: String,
}

pub(super) async fn show(
    State(demo): State<Arc<Demo>>,
    Path(name): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let lang = choice.language();
    let Some(listed) = demo.catalogue.listed.iter().find(|listed| listed.name == name) else {
        return trouble(lang, StatusCode::NOT_FOUND);
    };
    let found = demo.results.of(&name);
    let traced = found.traced.as_deref();
    let mut protocols = Protocols::default();
    let exchanges = traced.map_or(&[][..], |traced| &traced.exchanges);
    let exchanges: Vec<Shown> = exchanges
        .iter()
        .zip(1..)
        .map(|(exchange, number)| shown(number, exchange, &mut protocols, lang))
        .collect();
    html(&Page {
        lang,
        row: Row::of(listed, &demo, lang),
        deviation: listed.deviation.clone(),
        group: listed.group.clone(),
        going: demo.results.going().is_some(),
        enrolment: found.enrolment.map(|id| id.to_string()),
        chart: traced.and_then(|traced| Chart::of(traced, lang)),
        count: exchanges.len().to_string(),
        exchanges,
    })
}
