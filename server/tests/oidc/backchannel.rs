//! Log-ins that a relying party begins (CIBA, poll mode).

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Browser, Party, Phone, Reply, Site, claims, refused};
use serde_json::{Value, json};
use server::oidc::Level;
use time::Duration;

const MESSAGE: (&str, &str) = ("binding_message", "Kundeservice ringer: W4SCT");

fn begin(party: &Party<'_>, hint: (&str, &str), more: &[(&str, &str)]) -> Reply {
    let mut pairs = vec![("scope", "openid mitid"), MESSAGE, hint];
    pairs.retain(|(name, _)| more.iter().all(|(changed, _)| changed != name));
    pairs.extend(more);
    party.form("/oidc/ciba", &pairs)
}

fn begun(party: &Party<'_>, subject: &str) -> String {
    let reply = begin(party, ("login_hint", subject), &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&json!(300), &json!(3)));
    answer["auth_req_id"].as_str().unwrap().to_owned()
}

fn poll(party: &Party<'_>, id: &str) -> Reply {
    let grant = ("grant_type", "urn:openid:params:grant-type:ciba");
    party.form("/oidc/token", &[grant, ("auth_req_id", id)])
}

fn subject(site: &Site<'_>, tokens: &Value) -> String {
    let told = claims(site, tokens["id_token"].as_str().unwrap(), "JWT");
    told["sub"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_approves_what_a_relying_party_began() {
    // proves G1, G2 (who began is told), G3
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let before = netbank.logged_in(&phone, &[]);
        let subject = subject(&site, &before);
        let id = begun(&netbank, &subject);
        assert_eq!(poll(&netbank, &id).error(), refused(400, "authorization_pending"));
        let (status, claimed) = phone.claim(&json!({}));
        assert_eq!(status, 200, "{claimed}");
        assert_eq!(claimed["reference_text"], MESSAGE.1);
        assert_eq!(claimed["begun"], "service");
        assert!(claimed["transaction"].as_str().unwrap().contains(r#""begun":"service""#));
        desk.wait(Duration::seconds(3));
        assert_eq!(poll(&netbank, &id).error(), refused(400, "authorization_pending"));
        let (status, answer) = phone.approve(&claimed, PIN);
        assert_eq!((status, &answer["return_to"]), (200, &Value::Null));
        desk.wait(Duration::seconds(3));
        let tokens = poll(&netbank, &id);
        assert_eq!(tokens.status, 200, "{tokens:?}");
        let token = tokens.json();
        assert_eq!(self::subject(&site, &token), subject);
        assert_eq!(netbank.userinfo(token["access_token"].as_str().unwrap()).status, 200);
        desk.wait(Duration::seconds(9));
        assert_eq!(poll(&netbank, &id).error(), refused(400, "invalid_grant"), "used before");
        // The ID token is as good a hint.
        let hint = ("id_token_hint", token["id_token"].as_str().unwrap());
        assert_eq!(begin(&netbank, hint, &[]).status, 200);
    }
}

#[test]
fn polls_that_come_too_fast_too_late_and_after_a_refusal_say_so() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let other = site.party(|table| table["client_id"] = "other".into());
        let subject = subject(&site, &netbank.logged_in(&phone, &[]));
        let id = begun(&netbank, &subject);
        let (pending, slow) = (refused(400, "authorization_pending"), refused(400, "slow_down"));
        assert_eq!(poll(&netbank, &id).error(), pending);
        desk.wait(Duration::seconds(2));
        assert_eq!(poll(&netbank, &id).error(), slow);
        desk.wait(Duration::seconds(7));
        assert_eq!(poll(&netbank, &id).error(), slow, "five seconds more each time");
        desk.wait(Duration::seconds(13));
        assert_eq!(poll(&netbank, &id).error(), pending);
        assert_eq!(poll(&other, &id).error(), refused(400, "invalid_grant"), "another client's");
        assert_eq!(poll(&netbank, "guess").error(), refused(400, "invalid_grant"));
        desk.wait(Duration::seconds(279));
        assert_eq!(poll(&netbank, &id).error(), refused(400, "expired_token"));
        assert_eq!(refusal(phone.claim(&json!({}))), reason(404, "log_in.nothing"));

        let id = begun(&netbank, &subject);
        let (_, claimed) = phone.claim(&json!({}));
        assert_eq!(phone.refuse(&claimed).0, 200);
        assert_eq!(poll(&netbank, &id).error(), refused(400, "access_denied"));
    }
}

#[test]
fn nobody_is_asked_by_who_knows_a_user_id_or_less() {
    // proves G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        let other = site.party(|table| {
            table["client_id"] = "other".into();
            table["organisation"] = "En anden".into();
        });
        let plain = site.party(|table| {
            table["client_id"] = "plain".into();
            table["ciba"] = false.into();
        });
        let tokens = netbank.logged_in(&phone, &[]);
        let (subject, token) = (subject(&site, &tokens), tokens["id_token"].as_str().unwrap());
        let unknown = refused(400, "unknown_user_id");
        for hint in [phone.user_id(), bert.identity.to_string(), anna.identity.to_string()] {
            assert_eq!(begin(&netbank, ("login_hint", &hint), &[]).error(), unknown, "{hint}");
        }
        assert_eq!(
            begin(&other, ("login_hint", &subject), &[]).error(),
            unknown,
            "another organisation"
        );
        let bad = refused(400, "invalid_request");
        assert_eq!(begin(&other, ("id_token_hint", token), &[]).error(), bad);
        assert_eq!(begin(&netbank, ("id_token_hint", "a.b.c"), &[]).error(), bad);
        let both = [("id_token_hint", token)];
        assert_eq!(begin(&netbank, ("login_hint", &subject), &both).error(), bad);
        assert_eq!(begin(&netbank, ("scope", "openid"), &[]).error(), bad, "no hint");
        let hint = ("login_hint", subject.as_str());
        let silent = begin(&netbank, hint, &[("binding_message", "")]);
        assert_eq!(silent.error(), refused(400, "invalid_binding_message"));
        assert_eq!(begin(&plain, hint, &[]).error(), refused(400, "unauthorized_client"));
        assert_eq!(poll(&plain, "x").error(), refused(400, "unauthorized_client"));
        assert_eq!(refusal(phone.claim(&json!({}))), reason(404, "log_in.nothing"));
    }
}

#[test]
fn a_level_another_log_in_and_a_block_stop_it() {
    // proves G2, G5, F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let subject = subject(&site, &netbank.logged_in(&phone, &[]));
        let hint = ("login_hint", subject.as_str());
        let high = begin(&netbank, hint, &[("acr_values", &Level::High.uri())]).json();
        assert_eq!(refusal(phone.claim(&json!({}))), reason(409, "log_in.level"));
        let unmet = poll(&netbank, high["auth_req_id"].as_str().unwrap()).error();
        assert_eq!(unmet, refused(400, "unmet_authentication_requirements"));

        let id = begun(&netbank, &subject);
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let parallel = phone.scan(&browser.halves());
        assert_eq!(refusal(parallel), reason(409, "log_in.parallel"));
        assert_eq!(poll(&netbank, &id).error(), refused(400, "access_denied"));

        let id = begun(&netbank, &subject);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        assert_eq!(poll(&netbank, &id).error(), refused(400, "access_denied"));
        assert_eq!(begin(&netbank, hint, &[]).error(), refused(400, "unknown_user_id"));
    }
}
