//! The Borgercenter: the way on for everybody who cannot or will not finish here (A2, H6). Free times are
//! shown at once; booking one hands a case over that is still open, and shows the reference that opens it
//! there.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::{access, to, trouble};
use crate::app::{Access, App, AppError, View};
use crate::clock::copenhagen_date;
use crate::limits::Kind;
use crate::registers::{Offers, Slot};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::Response;
use enroll_core::case::State as Case;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::time::Instant;

/// Where the page is.
const PATH: &str = "/enrol/borgercenter";
/// Most times on a page.
const MOST: usize = 20;
/// How long a browser keeps the reference, seconds: as long as a case waits.
const REFERENCE_AGE: u32 = 30 * 24 * 60 * 60;

#[derive(Template)]
#[template(path = "citizen/center.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    way: Way,
    times: Times,
    /// The case's identifier, which says nothing of the person.
    number: Option<String>,
}

/// How a Borgercenter can go on from where the case stands.
enum Way {
    /// There is no case, or nothing more comes of it: one has to begin.
    Begin,
    /// It is open at home, and is handed over with the first booking.
    Open,
    Referred(Box<Referred>),
    /// A kiosk goes on with it now.
    There,
    /// What was proved there is picked up with a code.
    PickUp,
    /// There is an identity already.
    Done,
}

/// A case that waits for a Borgercenter.
struct Referred {
    /// What opens it there, if this browser has it.
    reference: Option<String>,
    booking: Option<Slot>,
    /// What an officer has asked for.
    asked: Option<String>,
    /// The day until which it waits.
    until: String,
}

/// The free times.
pub(super) struct Times {
    pub(super) slots: Vec<Slot>,
    /// What to bring, in the language of the page.
    pub(super) bring: Vec<String>,
    /// Why there are none.
    pub(super) why: Option<Why>,
}

impl Times {
    /// The next free times. A service that does not answer takes no page away.
    pub(super) async fn next(app: &App, visit: &Visit) -> Self {
        let lang = visit.language;
        match app.offers().await {
            Ok(Offers { mut slots, bring }) => {
                slots.truncate(MOST);
                let bring = bring.iter().map(|text| lang.pick(&text.da, &text.en).to_owned());
                let why = slots.is_empty().then(|| Why::text(lang, "center-no-times"));
                Self { slots, bring: bring.collect(), why }
            }
            Err(error) => {
                let (_, why) = trouble::told(visit, error);
                Self { slots: Vec::new(), bring: Vec::new(), why: Some(why) }
            }
        }
    }
}

/// The time that is wanted, or none: then there is only the reference.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    slot: Option<String>,
    /// Level High is wished for.
    #[serde(default)]
    high: Option<String>,
}

/// What went wrong with the last booking.
#[derive(Deserialize)]
pub(super) struct Ended {
    reason: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visit: Visit,
    Query(ended): Query<Ended>,
) -> Response {
    let reason = ended.reason.as_deref().and_then(ReasonCode::known);
    let error = reason.map(|code| Why::reason(visit.language, code));
    match page(&app, &visit, error).await {
        Ok(page) => html(&page),
        Err(error) => trouble::of(&visit, error),
    }
}

async fn page(app: &App, visit: &Visit, error: Option<Why>) -> Result<Page, AppError> {
    let access = of_browser(app, visit).await?;
    let way = match access {
        Some(access) => way(app, visit, access).await?,
        None => Way::Begin,
    };
    let number = access.map(|access| access.id().to_string());
    let times = Times::next(app, visit).await;
    Ok(Page { l: Layout::of(visit, 0, "center-title"), error, way, times, number })
}

/// The access that this browser has to its case; nothing without one.
async fn of_browser(app: &App, visit: &Visit) -> Result<Option<Access>, AppError> {
    let Some((id, token)) = &visit.case else { return Ok(None) };
    match access(app, id, token).await {
        Ok(access) => app.spend(Kind::Case, id.as_bytes(), Instant::now()).map(|()| Some(access)),
        Err(AppError::UnknownCase | AppError::Unauthorized) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn way(app: &App, visit: &Visit, access: Access) -> Result<Way, AppError> {
    let record = app.record(access.id()).await?;
    let token = visit.case.as_ref().map_or("", |(_, token)| token.as_str());
    Ok(match &record.case.state {
        Case::Open { visit: Some(_), .. } => Way::There,
        Case::Started | Case::Open { .. } => Way::Open,
        Case::Referred { referral: Some(_), .. } => {
            let View { asked, .. } = app.view(access).await?;
            let booking = app.booking(access).await?.booking;
            let until = copenhagen_date(record.case.deadline).to_string();
            let reference = visit.reference.clone();
            Way::Referred(Box::new(Referred { reference, booking, asked, until }))
        }
        Case::IdentityCreated { identity, .. } | Case::Activated { identity, .. } => {
            match app.owner(&identity.to_string(), token).await {
                Err(AppError::Unauthorized) => Way::PickUp,
                owner => owner.map(|_| Way::Done)?,
            }
        }
        _ => Way::Begin,
    })
}

/// Books the time, and hands the case over first if it is still open.
pub(super) async fn book(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let Ok(Form(Wanted { slot, high })) = form else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let handed = async {
        let access = of_browser(&app, &visit).await?.ok_or(AppError::Unauthorized)?;
        let is_open = app.record(access.id()).await?.case.is_open();
        let reference = match is_open || visit.reference.is_none() {
            true => Some(draw(&app, access, high.is_some()).await?),
            false => None,
        };
        Ok((access, reference))
    };
    let (access, reference) = match handed.await {
        Ok(handed) => handed,
        Err(error) => return trouble::of(&visit, error),
    };
    let booked = match slot {
        Some(slot) => booked(&app, access, slot).await,
        None => Ok(()),
    };
    keep(&visit, done(&visit, booked), reference.as_deref())
}

async fn booked(app: &App, access: Access, slot: String) -> Result<(), AppError> {
    let wanted =
        serde_json::from_value(json!({ "slot": slot })).map_err(|_| AppError::Malformed)?;
    app.book(access, wanted).await.map(drop)
}

/// Draws a new reference: the one before is worth nothing any more.
pub(super) async fn reference(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let drawn = async {
        let access = of_browser(&app, &visit).await?.ok_or(AppError::Unauthorized)?;
        draw(&app, access, false).await
    };
    match drawn.await {
        Ok(reference) => keep(&visit, to(PATH), Some(&reference)),
        Err(error) => trouble::of(&visit, error),
    }
}

/// Cancels the time; the reference stays valid.
pub(super) async fn cancel(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let cancelled = async {
        let access = of_browser(&app, &visit).await?.ok_or(AppError::Unauthorized)?;
        app.cancel(access).await.map(drop)
    };
    done(&visit, cancelled.await)
}

/// A case that has begun for a Borgercenter: its page, with the reference in this browser.
pub(super) async fn referred(app: &App, visit: &Visit, id: &str, token: &str) -> Response {
    let drawn = async {
        let access = app.authorise(id, token).await?;
        draw(app, access, false).await
    };
    // Without one the case is there all the same: its page draws another.
    keep(visit, to(PATH), drawn.await.ok().as_deref())
}

async fn draw(app: &App, access: Access, high: bool) -> Result<String, AppError> {
    let wish = serde_json::from_value(json!({ "high": high })).map_err(|_| AppError::Malformed)?;
    Ok(app.refer(access, wish).await?.reference)
}

/// The page again, which says what went wrong, if anything did.
fn done(visit: &Visit, result: Result<(), AppError>) -> Response {
    match result {
        Ok(()) => to(PATH),
        Err(AppError::Reason(code)) => to(&format!("{PATH}?reason={}", code.as_str())),
        Err(error) => trouble::of(visit, error),
    }
}

/// Keeps the reference in this browser, so that it can be shown again.
fn keep(visit: &Visit, mut response: Response, reference: Option<&str>) -> Response {
    let cookie = reference.map(|text| visit.set(Cookie::Reference, text, Some(REFERENCE_AGE)));
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}
