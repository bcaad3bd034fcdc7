//! From a relying party over the page and the phone and back.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Browser, Party, Phone, Site, claims};
use super::timing;
use enroll_core::device_key::{DeviceKey, Purpose};
use serde_json::{Value, json};
use server::keys::{base64url, base64url_decode};
use server::oidc::Level;
use time::Duration;

#[test]
fn a_person_logs_in_by_qr_code_with_key_and_pin() {
    // proves G1, G3, G5, G8, E2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        let text = openssl::base64::encode_block("Betal 100 kr. til Bent".as_bytes());
        let params =
            json!({ "mitid": { "reference_text": text, "action_text": "APPROVE" } }).to_string();
        let acr = "https://data.gov.dk/concept/core/nsis/loa/Substantial";
        let begun = netbank.begin(&[
            ("idp_params", &params),
            ("acr_values", acr),
            ("scope", "openid mitid transaction_token"),
        ]);
        let browser = Browser::at(&netbank, &begun);
        let start = browser.get("/log-in");
        assert!(start.status == 200 && start.text.contains("Netbanken"), "{start:?}");
        let named = browser.post("/log-in", &[("user_id", &phone.user_id().to_uppercase())]);
        assert_eq!((named.status, named.location.as_str()), (303, "/log-in/qr"));
        assert!(browser.get("/log-in/qr").text.contains("/log-in/qr/1"));
        let half = browser.get("/log-in/qr/1");
        assert!(half.status == 200 && half.text.starts_with("<svg "), "{half:?}");
        assert_eq!(browser.state(), "showing");

        let claimed = phone.claimed(&browser);
        assert_eq!(claimed["relying_party"], "Netbanken");
        assert_eq!(claimed["reference_text"], "Betal 100 kr. til Bent");
        assert_eq!(
            (&claimed["action"], &claimed["level"]),
            (&json!("APPROVE"), &json!("Substantial"))
        );
        assert_eq!(browser.state(), "claimed");
        let wrong = phone.approve(&claimed, "111112");
        assert_eq!(refusal(wrong), reason(422, "pin.wrong"));
        // The page shows the code no more.
        assert_eq!(browser.get("/log-in/qr/1").status, 410);
        let again = phone.claim(&json!({ "halves": ["", ""] }));
        assert_eq!(refusal(again), reason(422, "log_in.qr"));

        let (_, challenge) = anna.challenge(&phone.app);
        let mut claimed = claimed;
        claimed["challenge"] = challenge["challenge"].clone();
        let (status, answer) = phone.approve(&claimed, PIN);
        assert_eq!((status, &answer["state"]), (200, &json!("approved")), "{answer}");
        assert_eq!(answer["return_to"], Value::Null);
        assert_eq!(browser.state(), "approved");
        let back = browser.get("/log-in/continue");
        assert!(back.location.starts_with("https://netbank.invalid/cb?code="), "{back:?}");
        assert_eq!(back.param("state").as_deref(), Some("state of the test"));
        assert_eq!(back.param("iss").as_deref(), Some(site.url.as_str()), "RFC 9207");
        let tokens = netbank.tokens(&back.param("code").unwrap(), &begun.verifier).json();
        is_told(&site, &netbank, &tokens);
    }
}

/// What the relying party is told of the person and the log-in.
fn is_told(site: &Site<'_>, netbank: &Party<'_>, tokens: &Value) {
    let told = claims(site, tokens["id_token"].as_str().unwrap(), "JWT");
    let substantial = Level::Substantial.uri();
    for (name, value) in [
        ("iss", json!(site.url)),
        ("aud", json!("netbank")),
        ("nonce", json!("nonce of the test")),
        ("acr", json!(substantial)),
        ("loa", json!(substantial)),
        ("ial", json!(substantial)),
        ("aal", json!(substantial)),
        ("auth_time", json!(site.desk.now().unix_timestamp())),
        ("session_expiry", json!(site.desk.now().unix_timestamp() + 3600)),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    let info = netbank.userinfo(tokens["access_token"].as_str().unwrap()).json();
    assert_eq!((&info["sub"], &info["mitid.date_of_birth"]), (&told["sub"], &json!("1974-08-12")));
    assert_eq!(info["mitid.age"], 51);
    assert_eq!(info["dk.cpr"], Value::Null, "the scope is not asked for");
}

#[test]
fn a_replayed_approval_is_refused() {
    // proves G1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let begun = netbank.begin(&[]);
        let browser = Browser::at(&netbank, &begun);
        let claimed = phone.claimed(&browser);
        let mut approval = phone.proof(&claimed, Purpose::Approve);
        approval["pin"] = json!(PIN);
        // A signature for one purpose is none for another, and one over the challenge alone is none.
        let mut other = phone.proof(&claimed, Purpose::LogIn);
        other["pin"] = json!(PIN);
        let key = reason(422, "activation.device_key");
        assert_eq!(refusal(phone.answer(&claimed, "approval", &other)), key);
        let challenge = claimed["challenge"].as_str().unwrap();
        let mut bare = approval.clone();
        bare["signature"] = json!(anna.device.sign(Purpose::Approve, challenge));
        assert_eq!(refusal(phone.answer(&claimed, "approval", &bare)), key);
        assert_eq!(phone.answer(&claimed, "approval", &approval).0, 200);
        assert_eq!(refusal(phone.answer(&claimed, "approval", &approval)), key, "it is used up");
        browser.get("/log-in/continue");

        // The same proof for another log-in of the same relying party.
        let second = Browser::at(&netbank, &netbank.begin(&[]));
        let later = phone.claimed(&second);
        assert_eq!(refusal(phone.answer(&later, "approval", &approval)), key);
        // What was shown is bound: another text's hash, with this one's challenge.
        let mut mixed = later.clone();
        mixed["transaction"] = claimed["transaction"].clone();
        let mut forged = phone.proof(&mixed, Purpose::Approve);
        forged["pin"] = json!(PIN);
        assert_eq!(refusal(phone.answer(&later, "approval", &forged)), key);
        assert_eq!(second.state(), "claimed");
    }
}

#[test]
fn an_approval_whose_answer_was_lost_is_answered_again() {
    // proves G1, G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let begun = netbank.begin(&[]);
        let browser = Browser::at(&netbank, &begun);
        let url = browser.post("/log-in/switch", &[]).json()["url"].as_str().unwrap().to_owned();
        let (_, claimed) = phone.claim(&json!({ "switch": url.split_once("#log-in=").unwrap().1 }));
        let (_, first) = phone.approve(&claimed, PIN);
        let again = || phone.claimed_again(&claimed);
        assert_eq!(refusal(phone.approve(&again(), "111112")), reason(422, "pin.wrong"));
        let (status, second) = phone.approve(&again(), PIN);
        assert_eq!((status, &second["state"]), (200, &json!("approved")), "{second}");
        // The way back of before, which may have been read by somebody, leads nowhere any more.
        let way = |answer: &Value| {
            answer["return_to"].as_str().unwrap().strip_prefix(&site.url).unwrap().to_owned()
        };
        let approved = reason(409, "log_in.already_approved");
        assert_eq!(refusal(phone.refuse(&again())), approved);
        assert!(browser.get(&way(&first)).location.starts_with("/log-in/ended"));
        let code = browser.get(&way(&second)).param("code").unwrap();
        // Also once the browser has gone on, which needs no way back any more.
        for when in ["with a code", "with tokens"] {
            let (status, third) = phone.approve(&again(), PIN);
            assert_eq!((status, &third["state"]), (200, &json!("approved")), "{when}: {third}");
            assert_eq!(third["return_to"], Value::Null, "{when}");
            assert_eq!(refusal(phone.refuse(&again())), approved, "{when}");
            if when == "with a code" {
                assert_eq!(netbank.tokens(&code, &begun.verifier).status, 200);
            }
        }
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let approved = trail.iter().filter(|entry| entry.kind == "log_in.approved");
        assert_eq!(approved.count(), 1, "it was approved once");
    }
}

#[test]
fn a_refusal_whose_answer_was_lost_is_answered_again() {
    // proves G1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        let first = phone.refuse(&claimed);
        assert_eq!((first.0, &first.1["state"]), (200, &json!("refused")));
        assert_eq!(phone.refuse(&phone.claimed_again(&claimed)), first);
        let approved = phone.approve(&phone.claimed_again(&claimed), PIN);
        assert_eq!(refusal(approved), reason(409, "log_in.already_refused"));
        assert_eq!(browser.state(), "over");
    }
}

#[test]
fn a_claimed_log_in_is_found_again_by_its_app_alone() {
    // proves G1, G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, other) = (Phone::of(&anna), Phone::of(&bert));
        let again = desk.enrolled(1);
        let sibling = Phone::of(&again);
        let netbank = site.party(|_| {});
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let by_qr = phone.claimed(&browser);
        assert_eq!(by_qr["way"], "qr");
        // The app was closed, or its answer lost: opened anew it has nothing but its key.
        let (status, found) = phone.claim(&json!({}));
        assert_eq!((status, &found["log_in"]), (200, &by_qr["log_in"]), "{found}");
        assert_eq!((&found["way"], &found["transaction"]), (&by_qr["way"], &by_qr["transaction"]));
        assert_eq!(refusal(other.claim(&json!({}))), reason(404, "log_in.nothing"));
        // Another app of the same person neither finds it nor answers it, now or again.
        assert_eq!(refusal(sibling.claim(&json!({}))), reason(404, "log_in.nothing"));
        let late = reason(410, "log_in.late");
        assert_eq!(refusal(sibling.refuse(&sibling.claimed_again(&found))), late);
        assert_eq!(phone.refuse(&found).0, 200);
        assert_eq!(refusal(sibling.refuse(&sibling.claimed_again(&found))), late);
        assert_eq!(refusal(phone.claim(&json!({}))), reason(404, "log_in.nothing"));

        let second = Browser::at(&netbank, &netbank.begin(&[]));
        let url = second.post("/log-in/switch", &[]).json()["url"].as_str().unwrap().to_owned();
        phone.claim(&json!({ "switch": url.split_once("#log-in=").unwrap().1 }));
        let (_, found) = phone.claim(&json!({}));
        assert_eq!(found["way"], "switch");
        let (_, answer) = phone.approve(&found, PIN);
        assert!(answer["return_to"].is_string(), "{answer}");
        assert_eq!(refusal(sibling.approve(&sibling.claimed_again(&found), PIN)), late);
    }
}

#[test]
fn an_approval_is_verified_from_the_trail_and_the_public_key_alone() {
    // proves G1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        let (trail, key) = desk.runtime.block_on(async {
            let mut tx = desk.store.read().await.unwrap();
            let trail = tx.audit_after(0, 1000).await.unwrap();
            let app = tx.authenticator(phone.app.parse().unwrap()).await.unwrap().unwrap();
            (trail, app.public_key)
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        let kept = &trail.iter().find(|entry| entry.kind == "log_in.approved").unwrap().data;
        let text = |name: &str| kept[name].as_str().unwrap();
        assert_eq!(text("authenticator"), phone.app);
        let key = DeviceKey::from_raw(&key).unwrap();
        let signature = base64url_decode(text("signature")).unwrap();
        let proves = |shown: &str| {
            let signed = format!("{}.{shown}", text("challenge"));
            key.proves(Purpose::Approve, &signed, &signature)
        };
        proves(text("shown")).unwrap();
        // What the app was shown is what was signed, and nothing else is.
        let shown = claimed["transaction"].as_str().unwrap();
        assert_eq!(text("shown"), base64url(&openssl::sha::sha256(shown.as_bytes())));
        let other = shown.replace("Netbanken", "Netbanker");
        assert!(proves(&base64url(&openssl::sha::sha256(other.as_bytes()))).is_err());
    }
}

#[test]
fn a_qr_code_is_good_with_both_halves_for_twenty_seconds_and_for_one_app() {
    // proves G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, other) = (Phone::of(&anna), Phone::of(&bert));
        let netbank = site.party(|_| {});
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        // Who has not the browser's secret is shown nothing.
        let stranger = Browser::empty(&site);
        assert_eq!(stranger.get("/log-in/qr/1").status, 410);
        assert_eq!(stranger.state(), "over");
        let halves = browser.halves();
        let qr = reason(422, "log_in.qr");
        // A picture of the screen has one half.
        assert_eq!(refusal(phone.scan(&[halves[0].clone(), halves[0].clone()])), qr);
        // Pictures that were sent on come too late.
        desk.wait(Duration::seconds(21));
        assert_eq!(refusal(phone.scan(&halves)), qr);
        let guessed = halves[0].rsplit_once('.').unwrap().0.to_owned() + ".AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(refusal(phone.scan(&[guessed, browser.halves()[1].clone()])), qr);
        // What one app has before it, another cannot take.
        let fresh = browser.halves();
        assert_eq!(other.scan(&fresh).0, 200);
        assert_eq!(refusal(phone.scan(&fresh)), reason(410, "log_in.late"));
    }
}

#[test]
fn what_was_begun_with_anothers_user_id_is_never_approved() {
    // proves G2, G4: Datatilsynet 2022-442-16688
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, bertha) = (Phone::of(&anna), Phone::of(&bert));
        let netbank = site.party(|_| {});
        let thief = Browser::at(&netbank, &netbank.begin(&[]));
        thief.post("/log-in", &[("user_id", &phone.user_id())]);
        // Nothing comes before the person whose user ID was typed.
        assert_eq!(refusal(phone.claim(&json!({}))), reason(404, "log_in.nothing"));
        // And the code of a user ID is of no use to another person.
        let scanned = bertha.scan(&thief.halves());
        assert_eq!(refusal(scanned), reason(409, "log_in.other_person"));
        assert_eq!(thief.state(), "over");
        let ended = thief.get("/log-in/ended");
        assert!(ended.text.contains("et andet bruger-ID"), "{}", ended.text);
        assert!(ended.text.contains("error=access_denied"), "the way back");
    }
}

#[test]
fn a_switch_goes_back_to_the_browser_that_began() {
    // proves G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let begun = netbank.begin(&[]);
        let (browser, others) = (Browser::at(&netbank, &begun), Browser::empty(&site));
        let url = browser.post("/log-in/switch", &[]).json()["url"].as_str().unwrap().to_owned();
        let (_, token) = url.split_once("#log-in=").unwrap();
        let (status, claimed) = phone.claim(&json!({ "switch": token }));
        assert_eq!(status, 200, "{claimed}");
        let (_, answer) = phone.approve(&claimed, PIN);
        let to = answer["return_to"].as_str().unwrap().strip_prefix(&site.url).unwrap();
        // The browser of who sent the link on waits for ever; that of who followed it did not begin.
        assert_eq!(browser.state(), "back");
        assert_eq!(browser.get("/log-in/continue").location, "/log-in/ended");
        assert_eq!(browser.get("/log-in/continue?back=guess").location, "/log-in/ended");
        assert!(others.get(to).location.starts_with("/log-in/ended"));
        assert!(browser.get(to).param("code").is_some());
    }
}

#[test]
fn two_log_ins_of_one_person_at_once_stop_both() {
    // proves G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        // Two pages of one user ID have not reached the person; once the app has one, the other stops both.
        let [one, other] = [(); 2].map(|()| Browser::at(&netbank, &netbank.begin(&[])));
        for browser in [&one, &other] {
            let named = browser.post("/log-in", &[("user_id", &phone.user_id())]);
            assert_eq!(
                (named.location.as_str(), browser.state().as_str()),
                ("/log-in/qr", "showing")
            );
        }
        phone.claimed(&one);
        let scanned = phone.scan(&other.halves());
        assert_eq!(refusal(scanned), reason(409, "log_in.parallel"));
        assert_eq!((one.state(), other.state()), ("over".to_owned(), "over".to_owned()));
        assert!(one.get("/log-in/ended").text.contains("to log-in i gang"));
        // The next one is alone.
        let third = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&third);
        assert_eq!(phone.refuse(&claimed).0, 200);
        // A second page in the same browser leaves the first.
        let same = Browser::at(&netbank, &netbank.begin(&[]));
        phone.claimed(&same);
        assert_eq!(same.arrive(&netbank, &netbank.begin(&[])).status, 303);
        same.post("/log-in", &[("user_id", &phone.user_id())]);
        assert_eq!(phone.scan(&same.halves()).0, 200);
    }
}

#[test]
fn what_an_app_cannot_take_it_does_not_stop() {
    // proves G2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, other) = (Phone::of(&anna), Phone::of(&bert));
        let netbank = site.party(|_| {});
        // A session that came of a switch, whose link is followed again.
        let begun = netbank.begin(&[]);
        let first = Browser::at(&netbank, &begun);
        let url = first.post("/log-in/switch", &[]).json()["url"].as_str().unwrap().to_owned();
        let switch = json!({ "switch": url.split_once("#log-in=").unwrap().1 });
        let (_, claimed) = phone.claim(&switch);
        let (_, answer) = phone.approve(&claimed, PIN);
        let to = answer["return_to"].as_str().unwrap().strip_prefix(&site.url).unwrap();
        let code = first.get(to).param("code").unwrap();
        let tokens = netbank.tokens(&code, &begun.verifier).json();
        let annas = Browser::at(&netbank, &netbank.begin(&[]));
        let halves = annas.halves();
        assert_eq!(phone.scan(&halves).0, 200);
        assert_eq!(refusal(phone.claim(&switch)), reason(410, "log_in.late"));
        assert_eq!(netbank.userinfo(tokens["access_token"].as_str().unwrap()).status, 200);
        assert_eq!(annas.state(), "claimed");
        // What another person's app has in hand.
        let berts = Browser::at(&netbank, &netbank.begin(&[]));
        other.claimed(&berts);
        assert_eq!(refusal(other.scan(&halves)), reason(410, "log_in.late"));
        assert_eq!((annas.state(), berts.state()), ("claimed".to_owned(), "claimed".to_owned()));
    }
}

#[test]
fn a_page_with_anothers_user_id_tells_nothing_of_them_and_stops_nothing() {
    // proves G2, G4
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let typed = |user_id: &str| {
            let browser = Browser::at(&netbank, &netbank.begin(&[]));
            browser.post("/log-in", &[("user_id", user_id)]);
            browser
        };
        let (known, unknown) = (typed(&phone.user_id()), typed("nobody.has.this"));
        let same = |when: &str| {
            let seen = known.seen(None);
            assert_eq!(seen, unknown.seen(None), "{when}");
            assert!(seen.contains(&"showing".to_owned()), "{when}");
        };
        same("before");
        let (begun, own) = (netbank.begin(&[]), Browser::empty(&site));
        own.arrive(&netbank, &begun);
        own.post("/log-in", &[("user_id", &phone.user_id())]);
        same("the person has typed the user ID");
        let claimed = phone.claimed(&own);
        same("the person has scanned");
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        same("the person has approved");
        let back = own.get("/log-in/continue");
        let tokens = netbank.tokens(&back.param("code").unwrap(), &begun.verifier);
        assert_eq!(tokens.status, 200, "nothing has stopped it: {tokens:?}");
        same("the person has logged in");
        // A block leaves the page to nobody; an app that is still good does not fit it.
        let again = desk.enrolled(1);
        let second = Phone::of(&again);
        let path = format!("/v1/authenticators/{}/block", phone.app);
        assert_eq!(again.call("POST", &path, &Value::Null).0, 200);
        same("the person has blocked an app");
        let scanned = second.scan(&known.halves());
        assert_eq!(refusal(scanned), reason(409, "log_in.other_person"));
    }
}

#[test]
fn an_unknown_user_id_is_answered_as_a_known_one() {
    // proves G4
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let seen = |user_id: &str| {
            let browser = Browser::at(&netbank, &netbank.begin(&[]));
            browser.seen(Some(user_id))
        };
        let known = seen(&phone.user_id());
        for unknown in ["anna.eriksson", "1", "", " ", "0101900000", &"x".repeat(400)] {
            assert_eq!(seen(unknown), known, "{unknown}");
        }
    }
}

/// `INDRUL_TIMING=10000` asks so often each; what it prints is the figure.
#[test]
fn the_time_of_an_answer_does_not_tell_whether_there_is_a_user_id() {
    // proves G4
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let (secret, known) = (browser.secret(), phone.user_id());
        let unknown: String = known.chars().rev().collect();
        let measure = |tries: usize| {
            let [of_known, of_unknown] = timing::times(tries, |one| {
                let user_id = [&known, &unknown][one];
                timing::time_of(|| desk.runtime.block_on(desk.app.name(&secret, user_id)).unwrap())
            });
            let (t, percent) =
                (timing::welch(&of_known, &of_unknown), timing::percent(&of_known, &of_unknown));
            println!(
                "{:?}, {tries} answers each, known and unknown: Welch's t {t:.2}, {percent:.2} %",
                desk.store
            );
            vec![t]
        };
        assert!(!timing::told_apart(timing::tries(300), measure));
    }
}

#[test]
fn refusing_leaving_and_time_each_say_what_they_are() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        let (status, answer) = phone.refuse(&claimed);
        assert_eq!((status, &answer["state"]), (200, &json!("refused")));
        assert_eq!(
            refusal(phone.approve(&phone.claimed_again(&claimed), PIN)),
            reason(409, "log_in.already_refused")
        );
        assert!(browser.get("/log-in/ended").text.contains("Du har afvist"));

        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        assert_eq!(browser.post("/log-in/cancel", &[]).location, "/log-in/ended");
        let ended = browser.get("/log-in/ended");
        assert!(
            ended.text.contains("Du har afbrudt") && ended.text.contains("error=access_denied")
        );
        assert!(ended.text.contains("state=state+of+the+test"), "{}", ended.text);

        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        desk.wait(Duration::seconds(301));
        assert_eq!(refusal(phone.approve(&claimed, PIN)), reason(410, "log_in.late"));
        assert_eq!(browser.state(), "over");
        let ended = browser.get("/log-in/ended").text;
        assert!(ended.contains("er udløbet") && ended.contains("error=access_denied"), "{ended}");

        // Approved, and not gone on with in time.
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        desk.wait(Duration::seconds(61));
        assert_eq!(browser.get("/log-in/continue").location, "/log-in/ended");
        let ended = browser.get("/log-in/ended").text;
        assert!(ended.contains("er udløbet") && ended.contains("error=access_denied"), "{ended}");
    }
}

#[test]
fn level_high_is_refused_with_the_way_to_get_it() {
    // proves G5, E1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let high = Level::High.uri();
        let by_params = json!({ "mitid": { "loa_value": high } }).to_string();
        for asked in [("acr_values", high.as_str()), ("idp_params", &by_params)] {
            let browser = Browser::at(&netbank, &netbank.begin(&[asked]));
            let (status, answer) = phone.scan(&browser.halves());
            assert_eq!((status, &answer["code"]), (409, &json!("log_in.level")));
            assert!(answer["next_step"]["da"].as_str().unwrap().contains("Borgercenteret"));
            let ended = browser.get("/log-in/ended").text;
            assert!(ended.contains("personligt fremmøde"), "{ended}");
            assert!(ended.contains("error=unmet_authentication_requirements"), "{ended}");
        }
    }
}

#[test]
fn only_an_app_that_can_be_used_is_shown_a_log_in() {
    // proves F1, E6
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        // Wrong PINs lock the app, and end what is before it.
        let mut last = (0, String::new());
        for _ in 0..20 {
            let challenge = anna.challenge(&phone.app);
            if challenge.0 != 201 {
                break;
            }
            let mut next = claimed.clone();
            next["challenge"] = challenge.1["challenge"].clone();
            last = refusal(phone.approve(&next, "111112"));
        }
        assert_eq!(last, reason(409, "pin.locked"));
        assert_eq!(browser.state(), "over");
        let path = format!("/v1/authenticators/{}/challenges", phone.app);
        assert_eq!(refusal(desk.post(&path, &Value::Null)), reason(409, "pin.locked"));
    }
}

#[test]
fn a_page_acts_in_its_own_log_in_and_not_in_that_of_another_tab() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let other = site.party(|table| {
            table["client_id"] = "kommunen".into();
            table["name"] = "Kommunen".into();
        });
        // One browser with two tabs: the second has the cookie.
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let first = browser.log_in();
        assert_eq!(browser.arrive(&other, &other.begin(&[])).status, 303);
        let stale = |path: &str| format!("{path}?log_in={first}");
        let over = format!("/log-in/ended?log_in={first}");
        for path in ["/log-in", "/log-in/qr", "/log-in/continue"] {
            assert_eq!(browser.get_as(&stale(path)).location, over, "{path}");
        }
        assert_eq!(browser.get_as(&stale("/log-in/qr/1")).status, 410);
        assert_eq!(browser.get_as("/log-in/qr/1").status, 410, "it has to say which");
        assert_eq!(browser.get_as(&stale("/log-in/state")).json()["state"], "over");
        assert!(!browser.get_as(&over).text.contains("Kommunen"));
        let named = browser.post(&stale("/log-in"), &[("user_id", "somebody.else")]);
        assert_eq!(named.location, over);
        assert_eq!(browser.post(&stale("/log-in/switch"), &[]).status, 410);
        assert_eq!(browser.post(&stale("/log-in/cancel"), &[]).location, over);
        // The second goes on as if nothing had been.
        assert_eq!(browser.state(), "showing");
        let claimed = phone.claimed(&browser);
        assert_eq!(claimed["relying_party"], "Kommunen");
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        assert_eq!(browser.get_as(&stale("/log-in/continue")).location, over);
        assert_eq!(browser.get_as("/log-in/continue").location, "/log-in/ended");
        assert!(browser.get("/log-in/continue").param("code").is_some());
    }
}

#[test]
fn nobody_elses_page_acts_in_a_log_in() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let cookie = format!("indrul-log-in={}.{}", browser.log_in(), browser.secret());
        for path in ["/log-in", "/log-in/cancel", "/log-in/switch"] {
            // The browser of the person sends the cookie along.
            let headers = [
                ("cookie", cookie.as_str()),
                ("sec-fetch-site", "cross-site"),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            let path = format!("{path}?log_in={}", browser.log_in());
            assert_eq!(site.send("POST", &path, &headers, "user_id=annax").status, 403, "{path}");
        }
        assert_eq!(browser.state(), "showing");
        let policy = site.send("GET", "/log-in/qr", &[], "");
        assert_eq!(policy.location, "/log-in/ended", "without the cookie nothing is shown");
    }
}
