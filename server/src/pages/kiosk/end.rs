//! The end of a visit: what was decided, and what the person takes home.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::qr::{Qr, pick_up_address};
use super::super::texts::Language;
use super::super::visit::{Cookie, Visit};
use crate::app::{App, Finished, PickUp, ReasonView};
use crate::record::Outcome;
use askama::Template;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use enroll_core::reason::ReasonCode;

#[derive(Template)]
#[template(path = "kiosk/end.html")]
struct Page {
    l: Layout,
    end: End,
    number: String,
    /// Where the code is typed on the person's own device, and that with the code, for its camera.
    address: String,
    qr: Option<Qr>,
}

enum End {
    /// An identity, and the code by which the person picks it up.
    Issued(Option<PickUp>),
    /// An officer decides.
    Referred(Vec<Why>),
    Refused(Vec<Why>),
}

impl End {
    fn title(&self) -> &'static str {
        match self {
            Self::Issued(_) => "kiosk-issued-title",
            Self::Referred(_) => "kiosk-referred-title",
            Self::Refused(_) => "kiosk-refused-title",
        }
    }

    fn is_referred(&self) -> bool {
        matches!(self, Self::Referred(_))
    }

    fn reasons(&self) -> &[Why] {
        match self {
            Self::Issued(_) => &[],
            Self::Referred(reasons) | Self::Refused(reasons) => reasons,
        }
    }
}

/// The page for a decision that ends the visit: the case's token is worth nothing any more, and goes.
pub(in super::super) fn ended(
    app: &App,
    (visit, headers): (&Visit, &HeaderMap),
    done: Finished,
) -> Response {
    let reasons = || whys(visit.language, &done.reasons);
    let end = match done.decision {
        Outcome::Issue => End::Issued(done.pick_up),
        Outcome::Refer | Outcome::TryAgain => End::Referred(reasons()),
        Outcome::Refuse => End::Refused(reasons()),
    };
    let l = Layout::of(visit, 0, end.title());
    let address = pick_up_address(app, headers);
    let qr = match &end {
        End::Issued(Some(pick_up)) => Qr::of_pick_up(&address, &pick_up.code),
        _ => None,
    };
    let mut response = html(&Page { l, end, number: done.id.to_string(), address, qr });
    response.headers_mut().append(header::SET_COOKIE, visit.erase(Cookie::Case));
    response
}

/// Reasons as they are answered, in words.
fn whys(lang: Language, reasons: &[ReasonView]) -> Vec<Why> {
    let known = reasons.iter().filter_map(|reason| ReasonCode::known(&reason.code));
    known.map(|code| Why::reason(lang, code)).collect()
}
