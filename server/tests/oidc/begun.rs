//! Where a log-in began, as the person is shown before they answer, and as they sign it.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Browser, Party, Phone, Site};
use enroll_core::device_key::Purpose;
use serde_json::{Value, json};

fn behind_proxy(config: &mut server::config::Config) {
    config.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
}

/// A log-in whose browser comes from `from`, read by the phone's camera; the phone is at 127.0.0.1.
fn claimed<'a>(party: &'a Party<'a>, phone: &Phone<'_>, from: Option<&'static str>) -> Value {
    phone.claimed(&Browser::from(from, party, &party.begin(&[])))
}

/// What the app shows: of what is signed, and of nothing else.
fn begun(claimed: &Value) -> String {
    let text = claimed["transaction"].as_str().unwrap();
    let shown: Value = serde_json::from_str(text).unwrap();
    assert_eq!(shown["begun"], claimed["begun"]);
    assert!(!text.contains("/16") && !text.contains("/32"), "no network is in it: {text}");
    shown["begun"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_is_shown_whether_a_log_in_began_on_their_network_or_where() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (home, office, far) = ("203.0.113.77", "198.51.100.7", "2001:db8::9");
        for (from, shown, is_mine) in [
            // Whoever has approved nothing has nothing to compare with.
            (Some(home), "other_network", true),
            (None, "same_network", true),
            (Some("203.0.200.1"), "other_network", false),
            (Some(office), "new_network", false),
            (Some(office), "new_network", true),
            (Some(office), "other_network", true),
            (Some(far), "new_network", false),
        ] {
            let claimed = claimed(&netbank, &phone, from);
            assert_eq!(begun(&claimed), shown, "{from:?}");
            let (status, answer) =
                if is_mine { phone.approve(&claimed, PIN) } else { phone.refuse(&claimed) };
            assert_eq!(status, 200, "{answer}");
        }
    }
}

#[test]
fn an_app_that_a_page_opened_shows_where_the_page_is() {
    // proves G2 (where it began is shown)
    for desk in Desk::all_changed(behind_proxy) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        for (from, shown) in [(None, "same_network"), (Some("203.0.113.77"), "new_network")] {
            let browser = Browser::from(from, &netbank, &netbank.begin(&[]));
            let answer = browser.post("/log-in/switch", &[]).json();
            let (_, secret) = answer["url"].as_str().unwrap().split_once("#log-in=").unwrap();
            let (status, claimed) = phone.claim(&json!({ "switch": secret }));
            assert_eq!(status, 200, "{claimed}");
            assert_eq!(begun(&claimed), shown);
            assert_eq!(phone.approve(&claimed, PIN).0, 200);
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
        assert_eq!(phone.approve(&claimed(&netbank, &phone, None), PIN).0, 200);
        let first = claimed(&netbank, &phone, Some("203.0.113.77"));
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
