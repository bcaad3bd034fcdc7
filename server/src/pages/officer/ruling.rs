//! The decision of a case, and what comes of it.

use super::super::html;
use super::super::kiosk::whys;
use super::super::layout::{Layout, Why};
use super::super::qr::{Qr, pick_up_address};
use super::super::texts::Language;
use super::{At, Frame, Signed, case, trouble};
use crate::app::{App, AppError, Finished, PickUp, Ruling};
use crate::ids::IdentityId;
use crate::record::Outcome;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Given {
    pub(super) decision: String,
    pub(super) reason: String,
    pub(super) level: String,
    pub(super) in_person: Option<String>,
    pub(super) portrait_compared: Option<String>,
    pub(super) witness: String,
    /// Whether the portrait was shown when it was sent.
    portrait: Option<String>,
}

impl Given {
    /// Value, label and hint of each decision.
    pub(super) fn choices(&self) -> [(&'static str, &'static str, &'static str); 3] {
        [
            ("approve", "decide-approve", "decide-approve-hint"),
            ("more", "decide-more", "decide-more-hint"),
            ("refuse", "decide-refuse", "decide-refuse-hint"),
        ]
    }

    /// The ruling, or what is missing in the form.
    fn ruling(&self, lang: Language) -> Result<Ruling, Why> {
        let missing = |id| Why::text(lang, id);
        let witness = match self.witness.trim() {
            "" => None,
            text => Some(text.parse::<IdentityId>().map_err(|_| missing("decide-witness-form"))?),
        };
        let said = match self.decision.as_str() {
            "approve" => json!({
                "decision": "approve", "reason": self.reason, "level": self.wanted(),
                "in_person": self.in_person.is_some(),
                "portrait_compared": self.portrait_compared.is_some(), "witness": witness,
            }),
            decision => json!({ "decision": decision, "reason": self.reason }),
        };
        serde_json::from_value(said).map_err(|_| missing("decide-choose"))
    }

    fn wanted(&self) -> &'static str {
        if self.level == "high" { "high" } else { "substantial" }
    }
}

#[derive(Template)]
#[template(path = "officer/ruled.html")]
struct Page {
    l: Layout,
    frame: Frame,
    decision: Outcome,
    number: String,
    level: Option<String>,
    pick_up: Option<PickUp>,
    /// Where the code is typed on the person's own device, and that with the code, for its camera.
    address: String,
    qr: Option<Qr>,
    reasons: Vec<Why>,
}

/// Decides. What cannot be decided so is told beside the form, which stands as it was filled in.
pub(super) async fn rule(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let failed = |error| trouble::of(&visit, Some(&officer), error);
    let Ok(Form(given)) = form else { return failed(AppError::Malformed) };
    let why = match given.ruling(visit.language) {
        Ok(ruling) => match app.rule(&officer, &id, ruling).await {
            Ok(done) => {
                let (l, frame) =
                    (Layout::of_staff(&visit, title(&done)), Frame::of(Some(&officer), At::Queue));
                return ruled((l, frame), pick_up_address(&app, &headers), done);
            }
            Err(AppError::Reason(code)) => Why::reason(visit.language, code),
            Err(error) => return failed(error),
        },
        Err(why) => why,
    };
    let shows = given.portrait.is_some();
    match case::page(&app, (&visit, &officer), &id, (shows, given, Some(why))).await {
        Ok(page) => page,
        Err(error) => failed(error),
    }
}

fn title(done: &Finished) -> &'static str {
    match done.decision {
        Outcome::Issue => "ruled-approved",
        Outcome::Refuse => "ruled-refused",
        Outcome::Refer | Outcome::TryAgain => "ruled-more",
    }
}

fn ruled((l, frame): (Layout, Frame), address: String, done: Finished) -> Response {
    let level = done.identity.as_ref().map(|identity| l.level(&identity.level));
    let reasons = whys(l.lang, &done.reasons);
    let (decision, number, pick_up) = (done.decision, done.id.to_string(), done.pick_up);
    let qr = pick_up.as_ref().and_then(|pick_up| Qr::of_pick_up(&address, &pick_up.code));
    html(&Page { l, frame, decision, number, level, pick_up, address, qr, reasons })
}
