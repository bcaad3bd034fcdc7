//! Support: who calls is seen, blocked, and sent codes anew; each look and act is the citizen's to see.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::devices::quick;
use super::my_page::Guest;
use super::parties::{Phone, Reply, Site, encoded};
use super::station::Call;
use enroll_core::code_device::Kind;
use enroll_core::totp::TotpSecret;
use server::app::add_officer;
use server::clock::{Entropy, SystemEntropy};
use server::config::Config;
use server::ids::IdentityId;
use server::storage::Role;
use time::Duration;

const PASSWORD: &str = "hest batteri hæfteklamme";

fn added(desk: &Desk, name: &str, role: Role) -> TotpSecret {
    let keys = desk.app.keys();
    let mut policy = Config::default().policy;
    (policy.activation.pin_memory_kib, policy.activation.pin_passes) = (64, 1);
    let parts = (&desk.store, keys.as_ref(), &SystemEntropy as &dyn Entropy);
    let new = add_officer(parts, &policy, (name, role), PASSWORD, desk.now());
    desk.runtime.block_on(new).unwrap()
}

/// Signs in on the page; where it leads.
fn signs_in(guest: &Guest<'_>, desk: &Desk, name: &str, role: Role) -> Reply {
    let secret = added(desk, name, role);
    signs_in_with(guest, desk, (name, &secret))
}

fn signs_in_with(guest: &Guest<'_>, desk: &Desk, (name, secret): (&str, &TotpSecret)) -> Reply {
    let code = secret.code(desk.now().unix_timestamp() / 30).unwrap().to_string();
    guest.post("/officer", &[("name", name), ("password", PASSWORD), ("code", &code)])
}

/// What has happened to an identity, as it is kept for its person.
fn told(desk: &Desk, identity: IdentityId) -> Vec<String> {
    let kept = desk.runtime.block_on(async {
        desk.store.read().await.unwrap().activities(identity, None, None, 99).await.unwrap()
    });
    kept.iter().map(|one| String::from_utf8(one.payload.to_vec()).unwrap()).collect()
}

#[test]
fn support_sees_and_blocks_who_called_and_the_citizen_sees_that() {
    // proves F1, F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        let signed = signs_in(&guest, &desk, "su-3", Role::Support);
        assert_eq!((signed.status, signed.location.as_str()), (303, "/support"), "{signed:?}");
        assert_eq!(guest.get("/officer").location, "/support");
        let user_id = phone.user_id();
        let find = |called: bool, user_id: &str| {
            let mut form = vec![("user_id", user_id)];
            form.extend(called.then_some(("called", "on")));
            guest.post("/support", &form)
        };
        let without = find(false, &user_id);
        assert!(without.status == 422 && without.text.contains("support.call"), "{without:?}");
        for unknown in ["anna", "", "%", &user_id[..8], "nobody.at.all"] {
            let answer = find(true, unknown);
            assert!(answer.status == 422 && answer.text.contains("support.unknown"), "{unknown}");
        }
        let seen = find(true, &user_id.to_uppercase());
        assert!(seen.status == 200 && seen.text.contains(&phone.app), "{seen:?}");
        // The name of the app is drawn, and may be anything.
        let shown = seen.text.replace(&phone.app, "");
        for hidden in ["+4520304050", "anna.eriksson@", "Eriksson", "1974", PIN] {
            assert!(!shown.contains(hidden), "{hidden} is shown");
        }
        let bert = desk.enrolled(2);
        let berts = Phone::of(&bert);
        let wrong = [("user_id", user_id.as_str()), ("called", "on"), ("id", &berts.app)];
        assert_eq!(guest.post("/support/block", &wrong).status, 404, "not hers");
        desk.wait(Duration::SECOND);
        let form = [("user_id", user_id.as_str()), ("called", "on"), ("id", &phone.app)];
        let blocked = guest.post("/support/block", &form);
        assert!(blocked.status == 200 && blocked.text.contains("id=\"done\""), "{blocked:?}");
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "authenticator.blocked"));

        let told = told(&desk, anna.identity);
        let by = "\"by\":{\"support\":\"su-3\"}";
        let looks = told.iter().filter(|one| one.contains("\"looked\"") && one.contains(by));
        assert_eq!(looks.count(), 3, "asked for, tried what is not hers, blocked: {told:?}");
        assert!(told.iter().any(|one| one.contains("\"app_blocked\"") && one.contains(by)));
        let all = guest.post("/support/block-all", &form[..2]);
        assert!(all.text.contains("data-open=\"false\""), "{all:?}");
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        let looked = trail.iter().filter(|entry| entry.kind == "support.looked");
        assert_eq!(looked.filter(|entry| entry.data["officer"] == "su-3").count(), 4);
        assert!(!serde_json::to_string(&trail).unwrap().contains(&user_id));
        assert_eq!(guest.post("/support/sign-out", &[]).location, "/officer");
        assert_eq!(guest.get("/support").location, "/officer");
        assert_eq!(find(true, &user_id).status, 401);
    }
}

#[test]
fn support_blocks_a_code_device_and_the_trail_says_that_it_was_support() {
    // proves F1, F5
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        anna.with_device("KV-0001", Kind::Display);
        let guest = Guest::new(&site);
        signs_in(&guest, &desk, "su-3", Role::Support);
        let user_id = anna.user_id();
        let form = [("user_id", user_id.as_str()), ("called", "on")];
        let seen = guest.post("/support", &form).text;
        assert!(seen.contains("Kodeviser 1") && !seen.contains("KV-0001"), "{seen}");
        let (_, rest) = seen.split_once("data-means=\"").unwrap();
        let id = rest.split('"').next().unwrap();
        let done = guest.post("/support/block", &[form[0], form[1], ("id", id)]);
        assert!(done.text.contains("id=\"done\""), "{done:?}");
        assert!(done.text.contains("data-state=\"blocked\""), "{done:?}");
        let all = guest.post("/support/block-all", &form);
        assert!(all.text.contains("data-open=\"false\""), "{all:?}");
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let by: Vec<_> = trail.iter().filter(|entry| entry.kind == "support.blocked").collect();
        assert_eq!(by.len(), 2, "{trail:?}");
        assert!(by.iter().all(|entry| entry.data["officer"] == "su-3"), "{by:?}");
        assert_eq!(by[0].data["code_device"], id);
        assert!(told(&desk, anna.identity).iter().any(|one| one.contains("code_device_blocked")));
    }
}

#[test]
fn what_support_did_is_said_also_at_the_limit() {
    // proves F1
    // None is given back while the test runs.
    let few = |config: &mut Config| {
        (config.limits.reference_burst, config.limits.reference_per_hour) = (5, 1);
    };
    for desk in Desk::all_changed(few) {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, berts) = (Phone::of(&anna), Phone::of(&bert));
        let guest = Guest::new(&site);
        signs_in(&guest, &desk, "su-3", Role::Support);
        let user_id = phone.user_id();
        let form = [("user_id", user_id.as_str()), ("called", "on"), ("id", &phone.app)];
        for status in [200, 200, 200, 200, 200, 429] {
            assert_eq!(guest.post("/support", &form[..2]).status, status, "no more are tried");
        }
        // Whom it has not seen it cannot find by an act, whether there is one or not, and each try is counted.
        for other in [berts.user_id().as_str(), "nobody.at.all"] {
            let form = [("user_id", other), ("called", "on")];
            assert_eq!(guest.post("/support/block-all", &form).status, 429, "{other}");
        }
        // An act on what is not theirs tells that there is such a citizen, and is a look.
        let looks = |told: Vec<String>| told.iter().filter(|one| one.contains("looked")).count();
        let before = looks(told(&desk, anna.identity));
        let guess = [("user_id", user_id.as_str()), ("called", "on"), ("id", "x")];
        assert_eq!(guest.post("/support/block", &guess).status, 404);
        assert_eq!(looks(told(&desk, anna.identity)), before + 1);
        // Of whom support has just seen it blocks all the same, and that is seen.
        let done = guest.post("/support/block", &form);
        assert!(done.status == 200 && done.text.contains("id=\"done\""), "{done:?}");
        assert!(done.text.contains("data-state=\"blocked\""), "and seen: {done:?}");
        let all = guest.post("/support/block-all", &form[..2]);
        assert!(all.status == 200 && all.text.contains("data-open=\"false\""), "{all:?}");
        assert_eq!(guest.post("/support/block-all", &form[..2]).status, 429, "not without end");
        assert_eq!(bert.offer(&berts.app, PIN).0, 201);
    }
}

#[test]
fn what_support_saw_a_while_ago_is_no_call() {
    // proves F5
    let one = |config: &mut Config| {
        (config.limits.reference_burst, config.limits.reference_per_hour) = (1, 1);
    };
    for desk in Desk::all_changed(one) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        signs_in(&guest, &desk, "su-3", Role::Support);
        let user_id = phone.user_id();
        let form = [("user_id", user_id.as_str()), ("called", "on"), ("id", &phone.app)];
        assert_eq!(guest.post("/support", &form[..2]).status, 200);
        desk.wait(Duration::minutes(15));
        assert_eq!(guest.post("/support/block", &form).status, 429);
        assert_eq!(anna.offer(&phone.app, PIN).0, 201);
    }
}

#[test]
fn what_its_person_blocked_support_blocks_for_good() {
    // proves F1, F2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let citizen = Guest::new(&site);
        citizen.logs_in(&phone);
        assert_eq!(citizen.post("/my/means/block", &[("id", &phone.app)]).status, 200);
        let guest = Guest::new(&site);
        signs_in(&guest, &desk, "su-3", Role::Support);
        let user_id = phone.user_id();
        let form = [("user_id", user_id.as_str()), ("called", "on"), ("id", &phone.app)];
        let seen = guest.post("/support", &form[..2]);
        assert!(seen.text.contains("id=\"block-1\""), "it could be opened again: {seen:?}");
        let done = guest.post("/support/block", &form);
        assert!(done.status == 200 && done.text.contains("id=\"done\""), "{done:?}");
        assert!(!done.text.contains("id=\"block-1\""), "for good: {done:?}");
    }
}

#[test]
fn codes_are_sent_anew_by_the_channels_on_record_and_support_sees_none() {
    // proves E3, E4
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        anna.reach("+4520304050");
        let pending = anna.registered();
        let guest = Guest::new(&site);
        signs_in(&guest, &desk, "su-3", Role::Support);
        let user_id = anna.identity.to_string().replace(|c: char| c.is_ascii_digit(), "x");
        let form = [("user_id", user_id.as_str()), ("called", "on"), ("id", &pending.id)];
        let wrong = anna.activation(&pending).to_string().replace(&pending.sms, "000000");
        let wrong = serde_json::from_str(&wrong).unwrap();
        assert_eq!(refusal(anna.activate(&pending, &wrong)), reason(422, "activation.codes"));
        desk.wait(Duration::MINUTE);
        let sent = guest.post("/support/codes", &form);
        assert!(sent.status == 200 && sent.text.contains("id=\"done\""), "{sent:?}");
        let anew = anna.arrived(&pending);
        assert!(anew.sms != pending.sms && anew.email != pending.email);
        for code in [&anew.sms, &anew.email] {
            assert!(!sent.text.contains(code), "support sees a code");
        }
        let again = guest.post("/support/codes", &form);
        assert!(again.status == 429 || again.text.contains("activation.too_often"), "{again:?}");
        let old = anna.activation(&pending);
        assert_eq!(refusal(anna.activate(&pending, &old)), reason(422, "activation.codes"));
        assert_eq!(anna.activate(&anew, &anna.activation(&anew)).0, 200, "the third try");
        let over = guest.post("/support/codes", &form);
        assert!(over.text.contains("activation.state"), "{over:?}");
    }
}

#[test]
fn support_and_borgercenter_have_nothing_of_each_other() {
    // proves F5
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let anna = desk.enrolled(1);
    let phone = Phone::of(&anna);
    let (support, center) = (Guest::new(&site), Guest::new(&site));
    signs_in(&support, desk, "su-3", Role::Support);
    let signed = signs_in(&center, desk, "bc-17", Role::Borgercenter);
    assert_eq!(signed.location, "/officer/cases");
    for path in ["cases", "appointments", "p-codes", "identities"] {
        assert_eq!(support.get(&format!("/officer/{path}")).location, "/officer", "{path}");
    }
    let reopen = [("id", anna.identity.to_string()), ("reason", "Set og hørt.".to_owned())];
    let reopen = reopen.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(support.post("/officer/identities", &reopen).status, 401);
    let token = support.cookie("indrul-officer").unwrap();
    let call = Call { token: &token, ..Call::new("GET", "/v1/officer/cases", b"") };
    assert_eq!(refusal(desk.call(call)), reason(401, "request.token"));
    assert_eq!(center.get("/support").location, "/officer");
    let user_id = phone.user_id();
    let form = [("user_id", user_id.as_str()), ("called", "on")];
    assert_eq!(center.post("/support", &form).status, 401);
}

#[test]
fn a_reason_outlives_the_session_in_which_it_was_written() {
    // proves F2 (no script is needed to keep what an officer wrote)
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let officer = Guest::new(&site);
        let secret = added(&desk, "bc-17", Role::Borgercenter);
        let code = || secret.code(desk.now().unix_timestamp() / 30).unwrap().to_string();
        let sign_in = |code: &str| {
            officer.post("/officer", &[("name", "bc-17"), ("password", PASSWORD), ("code", code)])
        };
        assert_eq!(sign_in(&code()).location, "/officer/cases");
        desk.wait(Duration::hours(24));
        let (id, written) = (anna.identity.to_string(), "Set og hørt <her> & nu.\nTo linjer.");
        let shown = "Set og hørt &#60;her&#62; &#38; nu.\nTo linjer.";
        let (at, waits) = ("/officer/identities", "Log på som bc-17");
        let nothing = officer.post(at, &[("id", &id), ("reason", " "), ("by", "bc-17")]);
        assert!(nothing.status == 401 && !nothing.text.contains("draft-waits"));
        let over = officer.post(at, &[("id", &id), ("reason", written), ("by", "bc-17")]);
        assert!(over.status == 401 && over.text.contains(waits), "{}", over.text);
        assert!(!over.text.contains(shown), "a page that may be shown again: {}", over.text);
        // The other language leads to the form to sign in, on which that still stands.
        assert_eq!(officer.get("/officer/identities?lang=da").location, at);
        assert_eq!(officer.get(at).location, "/officer");
        assert!(officer.get("/officer").text.contains(waits));
        let wrong = sign_in("000000");
        assert!(wrong.status == 401 && wrong.text.contains(waits), "{}", wrong.text);
        let again = sign_in(&code());
        assert_eq!(
            (again.status, again.location.as_str()),
            (303, at),
            "no password in the history"
        );
        let said = r#"id="draft-kept" role="status">"#;
        for _ in 0..2 {
            let again = officer.get(at);
            assert!(again.text.contains(shown) && again.text.contains(&id), "{}", again.text);
            assert!(again.text.contains(said), "and it is said: {}", again.text);
        }
        let sent = officer.post(at, &[("id", &id), ("reason", "")]);
        assert_eq!(sent.status, 422, "{sent:?}");
        // A decision that can no longer be made does not take its reason with it.
        let gone = "/officer/cases/00000000-0000-4000-8000-000000000000";
        let given = [("decision", "approve"), ("reason", written)];
        let gone = officer.post(gone, &given);
        assert!(gone.status == 404 && gone.text.contains(shown), "{gone:?}");
        let done = officer.post(at, &[("id", &id), ("reason", written)]);
        assert_eq!((done.status, officer.cookie("indrul-draft")), (200, None), "{done:?}");
    }
}

#[test]
fn what_an_officer_wrote_is_shown_to_nobody_else_and_leads_nowhere_else() {
    // proves F5
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let officer = Guest::new(&site);
    let form = [("id", "1"), ("reason", "Set og sammenlignet."), ("by", "bc-17")];
    assert_eq!(officer.post("/officer/identities", &form).status, 401);
    assert!(officer.cookie("indrul-draft").is_some());
    let other = signs_in(&officer, desk, "bc-18", Role::Borgercenter);
    assert_eq!((other.location.as_str(), officer.cookie("indrul-draft")), ("/officer/cases", None));
    assert!(!officer.get("/officer/identities").text.contains("Set og sammenlignet."));
    let ruled = officer.get("/officer/cases/00000000-0000-4000-8000-000000000000/ruled");
    assert!(ruled.status == 404 && ruled.text.contains("ti minutter"), "it is said: {ruled:?}");
    // One that somebody made up.
    let secret = added(desk, "bc-17", Role::Borgercenter);
    let code = secret.code(desk.now().unix_timestamp() / 30).unwrap().to_string();
    let body = encoded(&[("name", "bc-17"), ("password", PASSWORD), ("code", &code)]);
    let made = r#"{"at":"https://evil.invalid/","reason":"x","by":"bc-17"}"#;
    let cookie = format!("indrul-draft={}", server::keys::base64url(made.as_bytes()));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [kind, ("sec-fetch-site", "same-origin"), ("cookie", cookie.as_str())];
    assert_eq!(site.send("POST", "/officer", &headers, &body).location, "/officer/cases");
}

#[test]
fn what_was_decided_in_a_browser_is_for_who_decided_and_gone_when_they_leave() {
    // proves H4 (what was decided of a person is shown to nobody else)
    const RULED: &str = "indrul-ruled";
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let guest = Guest::new(&site);
        let [own, other] =
            ["bc-17", "bc-18"].map(|name| (name, added(&desk, name, Role::Borgercenter)));
        let signs_in = |(name, secret): &(&str, TotpSecret)| {
            desk.wait(Duration::seconds(30));
            let signed = signs_in_with(&guest, &desk, (name, secret));
            assert_eq!((signed.status, signed.location.as_str()), (303, "/officer/cases"));
        };
        let at = format!("/officer/cases/{}", referred(&desk));
        let ruled = format!("{at}/ruled");
        let shows = || guest.get(&ruled).text.contains("data-done");
        signs_in(&own);
        assert!(!shows(), "nothing is decided");
        let given = [("decision", "refuse"), ("reason", "Passet er en andens."), ("by", "bc-17")];
        let sent = guest.post(&at, &given);
        assert_eq!((sent.status, &sent.location), (303, &ruled), "{sent:?}");
        let kept = guest.cookie(RULED).unwrap();
        assert!(shows());
        // The session was over, and the same officer has signed in again.
        signs_in(&own);
        assert!(shows() && guest.cookie(RULED).is_some());
        signs_in(&other);
        assert_eq!(guest.cookie(RULED), None);
        assert!(!shows());
        guest.keeps(RULED, &kept);
        assert!(!shows(), "another's");
        signs_in(&own);
        assert!(shows());
        assert_eq!(guest.post("/officer/sign-out", &[]).location, "/officer");
        assert_eq!(guest.cookie(RULED), None);
        signs_in(&own);
        assert!(!shows(), "it was left behind by nobody");
    }
}

/// A case that waits for an officer.
fn referred(desk: &Desk) -> String {
    let body = serde_json::json!({
        "consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"},
        "cpr": "120874-0002",
    });
    let (status, started) = desk.post("/v1/enrolments", &body);
    assert_eq!(status, 201, "{started}");
    let id = started["id"].as_str().unwrap();
    let path = format!("/v1/enrolments/{id}/referral");
    let token = started["token"].as_str().unwrap();
    let (status, answer) = desk.call(Call { token, ..Call::new("POST", &path, b"{}") });
    assert_eq!(status, 201, "{answer}");
    id.to_owned()
}

#[test]
fn a_case_page_comes_back_as_it_was_filled_in_for_whoever_did() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let guest = Guest::new(&site);
        let at = format!("/officer/cases/{}", referred(&desk));
        let [own, other] =
            ["bc-17", "bc-18"].map(|name| (name, added(&desk, name, Role::Borgercenter)));
        let signs_in = |(name, secret): &(&str, TotpSecret)| {
            desk.wait(Duration::seconds(30));
            signs_in_with(&guest, &desk, (name, secret)).location
        };
        let fills = || {
            let sent = guest.post(
                &at,
                &[("decision", "refuse"), ("reason", "Passet er en andens."), ("by", "bc-17")],
            );
            assert_eq!(sent.status, 401, "{sent:?}");
        };
        let shows = || {
            let page = guest.get(&at);
            assert_eq!(page.status, 200, "{page:?}");
            let chosen = page.text.split("value=\"refuse\"").nth(1).unwrap();
            let chosen = chosen.split('>').next().unwrap().contains("checked");
            (page.text.contains("Passet er en andens."), chosen)
        };
        fills();
        assert_eq!(signs_in(&own), at);
        for _ in 0..2 {
            assert_eq!(shows(), (true, true), "also when it is loaded again");
        }
        guest.post("/officer/sign-out", &[]);
        assert_eq!(signs_in(&own), "/officer/cases");
        assert_eq!(shows(), (false, false), "it went with the sign-out");
        guest.post("/officer/sign-out", &[]);
        fills();
        assert_eq!(signs_in(&other), "/officer/cases");
        assert_eq!(shows(), (false, false), "another's");
    }
}
