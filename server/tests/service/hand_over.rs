//! What was made on a helper's device goes on to the person's own.

use super::borgercenter::pick_up;
use super::desk::{refusal, refused};
use super::enrolment::Case;
use super::station::{Call, Station, passport};
use enroll_core::reason::ReasonCode;
use serde_json::json;
use server::app::AppError;

/// The code for the person's own device.
fn drawn(case: &Case<'_>) -> Result<String, AppError> {
    let app = &case.station.app;
    case.station.runtime.block_on(async {
        let access = app.authorise(&case.id, &case.token).await?;
        Ok(app.hand_over(access).await?.code)
    })
}

#[test]
fn what_was_handed_over_is_for_whoever_picks_it_up() {
    // proves E4
    let good = passport("good");
    for station in Station::all(&[&good], |_| {}) {
        let case = Case::start(&station, &good.holder.cpr);
        let early = drawn(&case);
        assert!(matches!(early, Err(AppError::Reason(ReasonCode::CASE_STATE))), "{early:?}");
        let done = case.through(&good);
        let path = format!("/v1/identities/{}/user-id", done["identity"]["id"].as_str().unwrap());
        let name = json!({ "user_id": "soerenk" }).to_string();
        let chosen =
            |token: &str| station.call(Call { token, ..Call::new("PUT", &path, name.as_bytes()) });
        let lost = drawn(&case).unwrap();
        assert_eq!(refusal(chosen(&case.token)), refused(401, "request.token"), "from now on");
        let code = drawn(&case).unwrap();
        assert_eq!(refusal(pick_up(&station, &lost)), refused(404, "pick_up.unknown"));
        let (status, picked) = pick_up(&station, &code);
        assert_eq!((status, &picked["identity"]), (201, &done["identity"]), "{picked}");
        assert_eq!(refusal(pick_up(&station, &code)), refused(404, "pick_up.unknown"), "once");
        assert!(matches!(drawn(&case), Err(AppError::Unauthorized)), "it is gone");
        assert_eq!(refusal(chosen(&case.token)), refused(401, "request.token"), "still");
        assert_eq!(chosen(picked["token"].as_str().unwrap()).0, 200);
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 100).await.unwrap()
        });
        let trail = format!("{trail:?}");
        assert!(
            trail.contains("case.handed_over") && !trail.contains(&code) && !trail.contains(&lost)
        );
    }
}
