//! A case: why it waits, whose it is to be, every check, the portrait where it has to be compared, and the
//! decision. Each look is in the trail.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::checks::{self, Group};
use super::draft::Draft;
use super::ruling::Given;
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, Evidence, Officer};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use enroll_core::findings::person::Nearness;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/case.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
    reasons: Vec<Why>,
    groups: Vec<Group>,
    evidence: Evidence,
    /// Whether the portrait is shown.
    portrait: bool,
    given: Given,
}

impl Page {
    /// How the names of document and register are alike, in words.
    fn names(&self) -> Option<&'static str> {
        self.evidence.names.map(|names| match names {
            Nearness::Same => "names-same",
            Nearness::Near => "names-near",
            Nearness::Different => "names-different",
        })
    }

    /// The name of the text that says what to look for in the portrait.
    fn faces_lead(&self) -> &'static str {
        faces_lead(&self.groups)
    }

    /// Document and register beside each other: name of the text, what the document says, what the
    /// register says, and whether the names differ.
    fn rows(&self) -> Vec<(&'static str, String, String, bool)> {
        let (document, person) = (&self.evidence.document, &self.evidence.person);
        let (printed, known) = (document.as_ref(), person.as_ref());
        let day = |date: &str| self.l.day(date);
        // The chip has no æ, ø and å: what is written otherwise may be the same.
        let same = self.evidence.names == Some(Nearness::Same);
        let rows = [
            (
                "case-given-names",
                printed.map(|d| d.given_names.clone()),
                known.map(|p| p.given_names.clone()),
            ),
            ("case-surname", printed.map(|d| d.surname.clone()), known.map(|p| p.surname.clone())),
            (
                "case-birth",
                printed.map(|d| d.birth_date.clone()),
                known.map(|p| day(&p.birth_date)),
            ),
        ];
        let row = |(name, one, other): (_, Option<String>, Option<String>)| {
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            let differ = !same
                && name != "case-birth"
                && !one.is_empty()
                && !other.is_empty()
                && one.to_lowercase() != other.to_lowercase();
            (name, one, other, differ)
        };
        rows.into_iter().map(row).collect()
    }

    /// The name of the text for a decision that was made.
    fn decided(decision: &str) -> &'static str {
        match decision {
            "approve" => "ruling-approve",
            "refuse" => "ruling-refuse",
            "more" => "ruling-more",
            _ => "ruling-reopen",
        }
    }
}

/// A portrait that may be a morph is like the person, so that there is more to look for than likeness (D7).
fn faces_lead(groups: &[Group]) -> &'static str {
    let suspected = Some(ReasonCode::FACE_MORPH_SUSPECTED.as_str());
    let mut found = groups.iter().flat_map(|group| &group.lines);
    match found.any(|line| line.why.as_ref().is_some_and(|why| why.code == suspected)) {
        true => "faces-morph",
        false => "faces-lead",
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    portrait: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let draft = Draft::own(&visit, &officer, &format!("/officer/cases/{id}"));
    let given = draft.map(Given::of).unwrap_or_default();
    let portrait = asked.portrait.as_deref() == Some("show") || given.portrait.is_some();
    match page(&app, (&visit, &officer), &id, (portrait, given, None)).await {
        Ok(page) => page,
        Err(error) => trouble::of(&visit, Some(&officer), error),
    }
}

/// The case with what was filled in, and what was wrong with it.
pub(super) async fn page(
    app: &App,
    (visit, officer): (&Visit, &Officer),
    id: &str,
    (portrait, given, error): (bool, Given, Option<Why>),
) -> Result<Response, AppError> {
    let evidence = app.look_at(officer, id).await?;
    let lang = visit.language;
    let known = evidence.reasons.iter().filter_map(|reason| ReasonCode::known(&reason.code));
    let reasons = known.map(|code| Why::reason(lang, code)).collect();
    let groups = checks::groups(lang, &app.policy, &evidence.checks);
    let (l, frame) = (Layout::of_staff(visit, "case-title"), Frame::of(Some(officer), At::Queue));
    let portrait = portrait && evidence.portrait;
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = html(&Page { l, frame, error, reasons, groups, evidence, portrait, given });
    Ok((status, page).into_response())
}

/// The chip's portrait as PNG, which nothing keeps.
pub(super) async fn portrait(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Path(id): Path<String>,
) -> Response {
    match app.portrait(&officer, &id).await {
        Ok(png) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        Err(error) => trouble::of(&visit, Some(&officer), error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fluent;
    use super::super::super::texts::Language;
    use super::*;
    use crate::app::CheckView;
    use enroll_core::check::Check;
    use enroll_core::policy::Policy;
    use serde_json::json;

    // proves D7 (the officer is told what to look for)
    #[test]
    fn a_suspected_morph_is_looked_at_for_more_than_likeness() {
        let lead = |reason| {
            let check = Check::failed("face.morph", reason, json!({ "similarity": 0.27 }));
            let checks = [CheckView::from(&check)];
            faces_lead(&checks::groups(Language::Da, &Policy::default(), &checks))
        };
        let (morph, other) =
            (lead(ReasonCode::FACE_MORPH_SUSPECTED), lead(ReasonCode::CONSENT_BIOMETRICS));
        assert_eq!((morph, other), ("faces-morph", "faces-lead"));
        assert!(fluent::text(Language::Da, morph).contains("to personer"));
        assert!(fluent::text(Language::En, morph).contains("two people"));
    }
}
