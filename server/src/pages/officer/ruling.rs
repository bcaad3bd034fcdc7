//! The decision of a case, and what comes of it. That is shown on a page of its own, which is asked for with GET:
//! loading it again, or in the other language, neither decides again nor loses the code that the person takes home.

use super::super::citizen::to;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::qr::{Qr, pick_up_address};
use super::super::texts::Language;
use super::super::visit::{Cookie, Visit};
use super::draft::{Draft, Sent};
use super::{At, Frame, Signed, case, trouble};
use crate::app::{App, AppError, Finished, PickUp, Ruling};
use crate::ids::IdentityId;
use crate::record::Outcome;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// How long what was decided can be shown again, seconds.
const SHOWN: u32 = 10 * 60;

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
    pub(super) portrait: Option<String>,
    /// Whether the reason is from before the officer signed in.
    #[serde(skip)]
    pub(super) kept: bool,
}

impl Given {
    /// The form as it was filled in before its officer signed in.
    pub(super) fn of(draft: Draft) -> Self {
        let Draft { reason, decision, level, in_person, witness, portrait, .. } = draft;
        let (portrait_compared, kept) = (None, true);
        Self { decision, reason, level, in_person, portrait_compared, witness, portrait, kept }
    }

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
    Path(id): Path<String>,
    Sent { signed: Signed { visit, officer }, form }: Sent<Given>,
) -> Response {
    let whose = (&visit, Some(&officer));
    let Ok(Form(given)) = form else {
        return trouble::of(&visit, Some(&officer), AppError::Malformed);
    };
    let why = match given.ruling(visit.language) {
        Ok(ruling) => match app.rule(&officer, &id, ruling).await {
            Ok(done) => {
                let mut response = to(&format!("/officer/cases/{}/ruled", done.id));
                let kept = Ruled::of(done, officer.name()).beside(Ruled::all(&visit));
                let cookie = visit.set(Cookie::Ruled, &kept, Some(SHOWN));
                response.headers_mut().append(header::SET_COOKIE, cookie);
                for cookie in Draft::forget(&visit) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                return response;
            }
            Err(AppError::Reason(code)) => Why::reason(visit.language, code),
            Err(error) => return trouble::unsent(whose, error, given.reason),
        },
        Err(why) => why,
    };
    let (shows, written) = (given.portrait.is_some(), given.reason.clone());
    match case::page(&app, (&visit, &officer), &id, (shows, given, Some(why))).await {
        Ok(page) => page,
        Err(error) => trouble::unsent(whose, error, written),
    }
}

/// What was decided of this case, if that was just now, in this browser and by this officer.
pub(super) async fn ruled(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let is_it = |ruled: &Ruled| ruled.number == id && ruled.by == officer.name();
    let Some(ruled) = Ruled::all(&visit).into_iter().find(is_it) else {
        return trouble::over((&visit, &officer), "ruled-over");
    };
    let (l, frame) =
        (Layout::of_staff(&visit, ruled.title()), Frame::of(Some(&officer), At::Queue));
    let address = pick_up_address(&app, &headers);
    let Ruled { decision, number, level, pick_up, reasons, by: _ } = ruled;
    let level = level.map(|level| l.level(&level));
    let reasons = reasons.into_iter().map(|code| Why::reason(l.lang, code)).collect();
    let qr = pick_up.as_ref().and_then(|pick_up| Qr::of_pick_up(&address, &pick_up.code));
    html(&Page { l, frame, decision, number, level, pick_up, address, qr, reasons })
}

/// What is shown of a decision.
struct Ruled {
    number: String,
    decision: Outcome,
    level: Option<String>,
    pick_up: Option<PickUp>,
    reasons: Vec<ReasonCode>,
    /// Who decided: nobody else is shown it.
    by: String,
}

/// How many decisions are kept beside the last one: several tabs may show one each.
const BESIDE: usize = 3;

/// Whether what is kept of decisions in this browser is of `officer`, or nothing is.
pub(super) fn is_of(visit: &Visit, officer: &str) -> bool {
    Ruled::all(visit).iter().all(|ruled| ruled.by == officer)
}

impl Ruled {
    /// What this browser keeps, the last one first.
    fn all(visit: &Visit) -> Vec<Self> {
        let kept = visit.ruled.as_ref().map_or("", |kept| kept.as_str());
        kept.split('~').filter_map(Self::read).collect()
    }

    /// As the cookie keeps it beside `earlier` ones of the same officer: those with a code before those without, for
    /// a code is shown nowhere else.
    fn beside(self, mut earlier: Vec<Self>) -> Zeroizing<String> {
        earlier.retain(|ruled| ruled.by == self.by && ruled.number != self.number);
        earlier.sort_by_key(|ruled| ruled.pick_up.is_none());
        earlier.truncate(BESIDE);
        let mut text = self.kept();
        for ruled in earlier {
            text.push('~');
            text.push_str(&ruled.kept());
        }
        text
    }

    fn of(done: Finished, by: &str) -> Self {
        let known = done.reasons.iter().filter_map(|reason| ReasonCode::known(&reason.code));
        Self {
            number: done.id.to_string(),
            decision: done.decision,
            level: done.identity.map(|identity| identity.level),
            reasons: known.collect(),
            pick_up: done.pick_up,
            by: by.to_owned(),
        }
    }

    fn title(&self) -> &'static str {
        match self.decision {
            Outcome::Issue => "ruled-approved",
            Outcome::Refuse => "ruled-refused",
            Outcome::Refer | Outcome::TryAgain => "ruled-more",
        }
    }

    /// As the cookie keeps it: `NUMBER/DECISION/LEVEL/CODE/UNTIL/REASON+REASON/OFFICER`, an officer's name being
    /// small letters, digits and `-`.
    fn kept(&self) -> Zeroizing<String> {
        let decision = match self.decision {
            Outcome::Issue => "issue",
            Outcome::TryAgain => "again",
            Outcome::Refer => "refer",
            Outcome::Refuse => "refuse",
        };
        let (code, until) = match &self.pick_up {
            Some(pick_up) => (pick_up.code.as_str(), pick_up.until.unix_timestamp().to_string()),
            None => ("", String::new()),
        };
        let level = self.level.as_deref().unwrap_or_default();
        let reasons: Vec<_> = self.reasons.iter().map(|code| code.as_str()).collect();
        let (number, reasons, by) = (&self.number, reasons.join("+"), &self.by);
        Zeroizing::new(format!("{number}/{decision}/{level}/{code}/{until}/{reasons}/{by}"))
    }

    /// What [`Self::kept`] wrote; nothing of anything else.
    fn read(kept: &str) -> Option<Self> {
        let mut parts = kept.split('/');
        let number = parts.next()?.to_owned();
        let decision = match parts.next()? {
            "issue" => Outcome::Issue,
            "again" => Outcome::TryAgain,
            "refer" => Outcome::Refer,
            "refuse" => Outcome::Refuse,
            _ => return None,
        };
        let level = Some(parts.next()?).filter(|level| !level.is_empty()).map(str::to_owned);
        let pick_up = match (parts.next()?, parts.next()?) {
            ("", "") => None,
            (code, until) => {
                let until = OffsetDateTime::from_unix_timestamp(until.parse().ok()?).ok()?;
                Some(PickUp { code: code.to_owned(), until })
            }
        };
        let reasons = parts.next()?.split('+').filter_map(ReasonCode::known).collect();
        let by = parts.next().filter(|by| !by.is_empty())?.to_owned();
        Some(Self { number, decision, level, pick_up, reasons, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_is_kept_as_it_was() {
        let until = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        let code = "7KQ2-M4XB-9RDT-H3W2".to_owned();
        let reasons = vec![ReasonCode::CASE_STATE, ReasonCode::REQUEST_TOO_OFTEN];
        for (decision, level, pick_up, reasons) in [
            (Outcome::Issue, Some("High".to_owned()), Some(PickUp { code, until }), vec![]),
            (Outcome::Issue, Some("Substantial".to_owned()), None, vec![]),
            (Outcome::Refuse, None, None, reasons),
            (Outcome::Refer, None, None, vec![]),
            (Outcome::TryAgain, None, None, vec![]),
        ] {
            let number = uuid::Uuid::from_u128(7).to_string();
            let ruled = Ruled { number, decision, level, pick_up, reasons, by: "bc-17".to_owned() };
            let cookie = ruled.kept();
            // RFC 6265 §4.1.1.
            assert!(
                cookie.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"/.+-_".contains(&sign)),
                "{}",
                *cookie
            );
            let again = Ruled::read(&cookie).unwrap();
            assert_eq!((&again.number, again.decision), (&ruled.number, decision));
            assert_eq!((again.kept(), again.reasons), (cookie, ruled.reasons));
        }
        for other in
            ["", "1", "1/issue", "1/issue/High/x/y/", "1/else////", "1/issue///", "1/issue/////"]
        {
            assert!(Ruled::read(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_code_outlives_the_decisions_that_have_none() {
        let until = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        let ruled = |number: &str, code: Option<&str>, by: &str| Ruled {
            number: number.to_owned(),
            decision: Outcome::Issue,
            level: None,
            pick_up: code.map(|code| PickUp { code: code.to_owned(), until }),
            reasons: vec![],
            by: by.to_owned(),
        };
        let read = |kept: &str| kept.split('~').filter_map(Ruled::read).collect::<Vec<_>>();
        let mut kept = ruled("0", Some("7KQ2"), "bc-17").beside(vec![]);
        for number in ["1", "2", "3", "4", "5"] {
            kept = ruled(number, None, "bc-17").beside(read(&kept));
        }
        let numbers: Vec<_> = read(&kept).into_iter().map(|ruled| ruled.number).collect();
        assert_eq!(numbers, ["5", "0", "4", "3"]);
        let others = ruled("6", None, "bc-18").beside(read(&kept));
        assert_eq!(read(&others).len(), 1, "nothing of another officer's");
    }
}
