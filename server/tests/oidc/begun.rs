//! Where a log-in began, as the person is shown before they answer, and as they sign it.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Browser, Party, Phone, Site};
use enroll_core::device_key::Purpose;
use serde_json::{Value, json};
use time::Duration;

fn behind_proxy(config: &mut server::config::Config) {
    config.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
}

/// Where phone and browsers are, each with a provider of its own. The proxy itself is at 127.0.0.1.
const MOBILE: &str = "192.0.2.8";
const HOME: &str = "203.0.113.77";
const OFFICE: &str = "198.51.100.7";
const FAR: &str = "2001:db8::9";

/// A log-in whose browser comes from `from`, read by the phone's camera.
fn claimed<'a>(party: &'a Party<'a>, phone: &Phone<'_>, from: Option<&'static str>) -> Value {
    phone.claimed(&Browser::from(from, party, &party.begin(&[])))
}

/// What the app shows: of what is signed, and of nothing else.
fn begun(claimed: &Value) -> String {
    let text = claimed["transaction"].as_str().unwrap();
    let shown: Value = serde_json::from_str(text).unwrap();
    assert_eq!(shown["begun"], claimed["begun"]);
    let named: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let all = ["action", "begun", "client_id", "level", "log_in", "reference_text"];
    assert_eq!(named, [&all[..], &["relying_party"]].concat(), "and no network");
    shown["begun"].as_str().unwrap().to_owned()
}

/// Begins a log-in in a browser at `from`, that is shown so, and is answered.
fn goes(party: &Party<'_>, phone: &Phone<'_>, (from, shown, is_mine): (&'static str, &str, bool)) {
    let claimed = claimed(party, phone, Some(from));
    assert_eq!(begun(&claimed), shown, "{from}");
    let (status, answer) =
        if is_mine { phone.approve(&claimed, PIN) } else { phone.refuse(&claimed) };
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_person_is_shown_whether_a_log_in_began_on_their_network_or_where() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        desk.calls_come_from(MOBILE);
        for one in [
            // Whoever has approved nothing for a day has nothing to compare with.
            (HOME, "other_network", true),
            ("192.0.77.1", "same_network", true),
            (OFFICE, "other_network", false),
        ] {
            goes(&netbank, &phone, one);
        }
        desk.wait(Duration::DAY);
        for one in [
            ("203.0.200.1", "other_network", false),
            (OFFICE, "new_network", false),
            // One that was approved makes no network known the same day.
            (OFFICE, "new_network", true),
            (OFFICE, "new_network", false),
        ] {
            goes(&netbank, &phone, one);
        }
        desk.wait(Duration::DAY);
        for one in [(OFFICE, "other_network", false), (FAR, "new_network", false)] {
            goes(&netbank, &phone, one);
        }
        desk.calls_come_from("2001:db8:77::1");
        for one in [(FAR, "same_network", false), (HOME, "other_network", false)] {
            goes(&netbank, &phone, one);
        }
    }
}

#[test]
fn an_address_that_no_provider_gave_is_nobodys_network() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        // Both are the proxy's, as where no proxy says who comes.
        let nobodys = claimed(&netbank, &phone, None);
        assert_eq!(begun(&nobodys), "unknown_network");
        assert_eq!(phone.refuse(&nobodys).0, 200);
        for (app, browser) in [
            (MOBILE, "127.0.0.1"),
            (MOBILE, "10.0.0.7"),
            ("10.0.0.8", "10.0.0.7"),
            ("10.0.0.8", HOME),
            ("64:ff9b::c000:208", "64:ff9b::c633:6407"),
        ] {
            desk.calls_come_from(app);
            goes(&netbank, &phone, (browser, "unknown_network", false));
        }
    }
}

#[test]
fn no_number_of_other_things_hides_where_a_person_was_before() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        desk.calls_come_from(MOBILE);
        goes(&netbank, &phone, (HOME, "other_network", true));
        let payments = |number: usize| {
            desk.wait(Duration::DAY);
            desk.runtime.block_on(async {
                let mut tx = desk.store.begin().await.unwrap();
                for _ in 0..number {
                    for what in ["log_in_asked", "log_in_approved"] {
                        let payment = json!({ "what": what, "service": "Netbanken" }).to_string();
                        let payment = ("log_in", payment.as_bytes());
                        tx.add_activity(anna.identity, payment, desk.now()).await.unwrap();
                    }
                }
                tx.commit().await.unwrap();
            });
        };
        payments(120);
        for one in [(FAR, "new_network", false), (HOME, "other_network", false)] {
            goes(&netbank, &phone, one);
        }
        // What is looked through has an end, and what is not found by then is new.
        payments(400);
        goes(&netbank, &phone, (HOME, "new_network", false));
    }
}

#[test]
fn an_app_that_a_page_opened_shows_where_the_page_is() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        desk.calls_come_from(MOBILE);
        for (from, shown) in
            [(MOBILE, "same_network"), (HOME, "other_network"), (OFFICE, "new_network")]
        {
            let browser = Browser::from(Some(from), &netbank, &netbank.begin(&[]));
            let answer = browser.post("/log-in/switch", &[]).json();
            let (_, secret) = answer["url"].as_str().unwrap().split_once("#log-in=").unwrap();
            let (status, claimed) = phone.claim(&json!({ "switch": secret }));
            assert_eq!(status, 200, "{claimed}");
            assert_eq!((&claimed["way"], begun(&claimed).as_str()), (&json!("switch"), shown));
            assert_eq!(phone.approve(&claimed, PIN).0, 200);
            if from == HOME {
                desk.wait(Duration::DAY);
            }
        }
    }
}

#[test]
fn where_it_began_is_signed_stays_the_same_and_is_in_the_trail() {
    // proves G1, G2 (where it began is shown), G3
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        desk.calls_come_from(MOBILE);
        goes(&netbank, &phone, (MOBILE, "same_network", true));
        desk.wait(Duration::DAY);
        let first = claimed(&netbank, &phone, Some(HOME));
        // Claimed again it is shown the same: a signature over the first answer is good still.
        let (_, second) = phone.claim(&json!({}));
        assert_eq!(
            (&second["transaction"], begun(&second).as_str()),
            (&first["transaction"], "new_network")
        );
        let mut other = phone.claimed_again(&first);
        let text = first["transaction"].as_str().unwrap();
        other["transaction"] = json!(text.replace("new_network", "same_network"));
        let mut forged = phone.proof(&other, Purpose::Approve);
        forged["pin"] = json!(PIN);
        let answer = phone.answer(&first, "approval", &forged);
        assert_eq!(refusal(answer), reason(422, "activation.device_key"));
        assert_eq!(phone.approve(&first, PIN).0, 200);
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let approved = trail.iter().filter(|entry| entry.kind == "log_in.approved");
        let kept: Vec<&Value> = approved.map(|entry| &entry.data["begun"]).collect();
        assert_eq!(kept, ["same_network", "new_network"]);
    }
}
