//! What has happened to the identity, newest first (F5).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::{At, Signed, called, failed};
use crate::app::{ActivityKind, ActivityView, App, AppError, Before, By, Means, What};
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use enroll_core::life::Happened;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/activities.html")]
struct Page {
    l: Layout,
    at: At,
    rows: Vec<Row>,
    kinds: Vec<Filter>,
    /// Of the kind that is shown.
    kind: Option<ActivityKind>,
    next: Option<Before>,
    later: bool,
}

/// A kind that can be chosen.
struct Filter {
    name: &'static str,
    text: &'static str,
    here: bool,
}

/// An activity in words.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) name: &'static str,
    pub(super) at: String,
    pub(super) service: Option<String>,
    pub(super) means: Option<String>,
    pub(super) place: Option<String>,
    pub(super) begun: Option<String>,
    pub(super) by: Option<String>,
    pub(super) detail: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    kind: Option<String>,
    before: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, holder }: Signed,
    Query(asked): Query<Asked>,
) -> Response {
    let l = Layout::of(&visit, 0, "my-nav-activities");
    let found = async {
        let kind = asked.kind.as_deref().filter(|kind| !kind.is_empty());
        let kind: Option<ActivityKind> = kind.map(str::parse).transpose()?;
        let before: Option<Before> = asked.before.as_deref().map(str::parse).transpose()?;
        let means = app.my_means(&holder).await?;
        let page = app.my_activities(&holder, (kind, before)).await?;
        let rows = rows(&l, &page.activities, &means);
        Ok::<_, AppError>((kind, rows, page.next, before.is_some()))
    };
    match found.await {
        Ok((kind, rows, next, later)) => {
            html(&Page { l, at: At::Activities, rows, kinds: kinds(kind), kind, next, later })
        }
        Err(error) => failed(&visit, error),
    }
}

impl Page {
    /// The address of the older ones.
    fn older(&self, next: &Before) -> String {
        let kind = self.kind.map(|kind| format!("&kind={}", kind.as_str())).unwrap_or_default();
        format!("/my/activities?before={next}{kind}")
    }
}

fn kinds(here: Option<ActivityKind>) -> Vec<Filter> {
    let one = |kind: ActivityKind| {
        let text = match kind {
            ActivityKind::LogIn => "my-kind-log-in",
            ActivityKind::Means => "my-kind-means",
            ActivityKind::Profile => "my-kind-profile",
            ActivityKind::Identity => "my-kind-identity",
            ActivityKind::Look => "my-kind-look",
        };
        Filter { name: kind.as_str(), text, here: here == Some(kind) }
    };
    let all = Filter { name: "", text: "my-kind-all", here: here.is_none() };
    std::iter::once(all).chain(ActivityKind::ALL.into_iter().map(one)).collect()
}

/// Activities in words; of the person's means by what these are called.
pub(super) fn rows(l: &Layout, activities: &[ActivityView], means: &[Means]) -> Vec<Row> {
    activities.iter().map(|activity| row(l, activity, means)).collect()
}

fn row(l: &Layout, activity: &ActivityView, means: &[Means]) -> Row {
    let (name, text) = words(activity.what);
    let with = activity.means.as_ref().and_then(|id| means.iter().find(|means| means.id == *id));
    Row {
        id: activity.id.to_string(),
        what: l.t(text),
        name,
        at: l.moment(&activity.at),
        service: activity.service.clone(),
        means: with.map(|means| called(l, means)),
        place: activity.place.clone(),
        begun: activity.begun.clone(),
        by: activity.by.as_ref().map(|by| who(l, by)),
        detail: activity.detail.as_deref().map(|detail| said(l, detail)),
    }
}

/// Who did it.
fn who(l: &Layout, by: &By) -> String {
    match by {
        By::Notice => l.t("my-by-notice"),
        By::Officer(name) => l.with("my-by-officer", "party", name),
        By::Support(name) => l.with("my-by-support", "party", name),
        By::Register(event) => l.t(match event {
            Happened::Deceased => "my-by-register-deceased",
            Happened::Emigrated => "my-by-register-emigrated",
            Happened::DocumentExpired => "my-by-register-expired",
            Happened::DocumentRevoked => "my-by-register-revoked",
        }),
    }
}

/// What a code says more.
fn said(l: &Layout, detail: &str) -> String {
    match ReasonCode::known(detail) {
        Some(code) => Why::reason(l.lang, code).text,
        None if detail == "portrait" => l.t("my-detail-portrait"),
        None => detail.to_owned(),
    }
}

/// The name of what happened, and of its text.
fn words(what: What) -> (&'static str, &'static str) {
    match what {
        What::LogInApproved => ("log_in_approved", "my-log-in-approved"),
        What::LogInRefused => ("log_in_refused", "my-log-in-refused"),
        What::LogInStopped => ("log_in_stopped", "my-log-in-stopped"),
        What::LogInLeft => ("log_in_left", "my-log-in-left"),
        What::LogInAsked => ("log_in_asked", "my-log-in-asked"),
        What::NumberCompared => ("number_compared", "my-number-compared"),
        What::MyPageOpened => ("my_page_opened", "my-opened"),
        What::PinWrong => ("pin_wrong", "my-pin-wrong"),
        What::AppRegistered => ("app_registered", "my-app-registered"),
        What::AppActivated => ("app_activated", "my-app-activated"),
        What::AppCopied => ("app_copied", "my-app-copied"),
        What::AppBlocked => ("app_blocked", "my-app-blocked"),
        What::AppLocked => ("app_locked", "my-app-locked"),
        What::AppReopened => ("app_reopened", "my-app-reopened"),
        What::PinChanged => ("pin_changed", "my-pin-changed"),
        What::CodesSent => ("codes_sent", "my-codes-sent"),
        What::UserIdChosen => ("user_id_chosen", "my-user-id-chosen"),
        What::ContactsChanged => ("contacts_changed", "my-contacts-changed"),
        What::NoticesChanged => ("notices_changed", "my-notices-changed"),
        What::Exported => ("exported", "my-exported"),
        What::IdentityIssued => ("identity_issued", "my-identity-issued"),
        What::IdentityBlocked => ("identity_blocked", "my-identity-blocked"),
        What::IdentityReopened => ("identity_reopened", "my-identity-reopened"),
        What::CodeDeviceOrdered => ("code_device_ordered", "my-device-ordered"),
        What::CodeDeviceOrderOff => ("code_device_order_off", "my-device-order-off"),
        What::CodeDeviceHandedOut => ("code_device_handed_out", "my-device-handed-out"),
        What::CodeDeviceActivated => ("code_device_activated", "my-device-activated"),
        What::CodeDeviceBlocked => ("code_device_blocked", "my-device-blocked"),
        What::CodeDeviceLost => ("code_device_lost", "my-device-lost"),
        What::CodeDeviceBack => ("code_device_back", "my-device-back"),
        What::CodesRest => ("codes_rest", "my-codes-rest"),
        What::PasswordChanged => ("password_changed", "my-password-changed"),
        What::Looked => ("looked", "my-looked"),
        What::RegisterTold => ("register_told", "my-register-told"),
    }
}
