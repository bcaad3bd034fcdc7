//! The queue: the cases that wait, those that wait longest first.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::{At, Frame, Signed, trouble};
use crate::app::{After, App, AppError, Queue, Waiting};
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use enroll_core::case::Stage;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

/// Cases on a page.
const MOST: i64 = 25;

#[derive(Template)]
#[template(path = "officer/queue.html")]
struct Page {
    l: Layout,
    frame: Frame,
    cases: Vec<Waiting>,
    /// Whether there are pages before this one.
    later: bool,
    next: Option<After>,
}

impl Page {
    /// The worst reason in words.
    fn reason(&self, case: &Waiting) -> String {
        let worst = case.reasons.first().and_then(|code| ReasonCode::known(code));
        worst.map(|code| Why::reason(self.l.lang, code).text).unwrap_or_default()
    }
}

/// The name of the text for how far a case has come.
pub(super) fn stage(stage: &Stage) -> &'static str {
    match stage {
        Stage::Consented => "stage-consented",
        Stage::PageRead => "stage-page",
        Stage::ChipRead => "stage-chip",
        Stage::DocumentVerified => "stage-document",
        Stage::FaceCaptured | Stage::FaceVerified | Stage::PersonMatched => "stage-face",
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    after: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Query(asked): Query<Asked>,
) -> Response {
    let found = async {
        let after: Option<After> = asked.after.as_deref().map(str::parse).transpose()?;
        let queue = app.waiting(&officer, after, MOST).await?;
        Ok::<_, AppError>((queue, after.is_some()))
    };
    match found.await {
        Ok((Queue { cases, next }, later)) => {
            let (l, frame) =
                (Layout::of_staff(&visit, "officer-queue"), Frame::of(Some(&officer), At::Queue));
            html(&Page { l, frame, cases, later, next })
        }
        Err(error) => trouble::of(&visit, Some(&officer), error),
    }
}
