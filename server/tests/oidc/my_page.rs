//! My page, as a browser and as an app use it: who gets in, what they see and change, and what ends it.

mod devices;
mod overtaken;
mod reopening;

use self::reopening::{code_in, second};
use super::desk::{Citizen, Desk, EMAIL, PHONE, PIN, refusal, refused as reason};
use super::parties::{Phone, Reply, Site, encoded};
use super::station::Call;
use enroll_core::device_key::Purpose;
use enroll_core::life::Actor;
use fixtures::leaks::leak;
use serde_json::{Value, json};
use server::oidc::halves::Half;
use std::collections::BTreeMap;
use std::sync::Mutex;
use time::Duration;

/// A browser with all of its cookies.
pub struct Guest<'a> {
    site: &'a Site<'a>,
    jar: Mutex<BTreeMap<String, String>>,
    /// The address that a proxy says it comes from.
    from: Option<&'static str>,
}

impl<'a> Guest<'a> {
    pub fn new(site: &'a Site<'a>) -> Self {
        Self { site, jar: Mutex::default(), from: None }
    }

    fn send(&self, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        let pairs: Vec<String> = self
            .jar
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = pairs.join("; ");
        let mut headers = vec![("cookie", cookies.as_str())];
        headers.extend(more);
        headers.extend(self.from.map(|from| ("x-forwarded-for", from)));
        let reply = self.site.send(method, path, &headers, body);
        let mut jar = self.jar.lock().unwrap();
        for cookie in &reply.cookies {
            assert!(cookie.contains("; HttpOnly; "), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match cookie.contains("Max-Age=0") {
                true => drop(jar.remove(name)),
                false => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        reply
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path.trim_start_matches(&self.site.url), "", &[])
    }

    /// As a form of our own page does.
    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &encoded(pairs), &[("sec-fetch-site", "same-origin"), kind])
    }

    /// Has a cookie of ours from before.
    pub fn keeps(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    /// From the page of the log-in, which `to` leads to, to where the approval leads.
    fn approves(&self, to: &Reply, phone: &Phone<'_>, pin: &str) -> Reply {
        assert!(to.location.starts_with("/oidc/authorize?client_id=my_page&"), "{to:?}");
        let arrived = self.get(&to.location);
        assert!(arrived.location.starts_with("/log-in?log_in="), "{arrived:?}");
        let log_in = self.cookie("indrul-log-in").unwrap();
        let (id, secret) = log_in.split_once('.').unwrap();
        let desk = self.site.desk;
        let halves = [Half::First, Half::Second]
            .map(|half| desk.runtime.block_on(desk.app.half(secret, half)).unwrap());
        let (status, claimed) = phone.scan(&halves);
        assert_eq!(status, 200, "{claimed}");
        assert_eq!(claimed["relying_party"], "Min side");
        let approved = phone.approve(&claimed, pin);
        assert_eq!(approved.0, 200, "{approved:?}");
        let on = self.get(&format!("/log-in/continue?log_in={id}"));
        assert!(on.location.starts_with(&format!("{}/my/back?code=", self.site.url)), "{on:?}");
        on
    }

    /// A whole log-in.
    pub fn logs_in(&self, phone: &Phone<'_>) {
        self.logs_in_with(phone, PIN);
    }

    fn logs_in_with(&self, phone: &Phone<'_>, pin: &str) {
        let on = self.approves(&self.post("/my/log-in", &[]), phone, pin);
        let back = self.get(&on.location);
        assert_eq!((back.status, back.location.as_str()), (303, "/my"), "{back:?}");
        assert!(self.is_in());
    }

    /// A fresh approval, and back to `place`.
    fn steps_up(&self, phone: &Phone<'_>, place: &str) {
        let on = self.approves(&self.post("/my/approve", &[("to", place)]), phone, PIN);
        let back = self.get(&on.location);
        assert_eq!((back.status, back.location), (303, format!("/my/{place}")));
    }

    /// Whether My page shows the person's own things.
    pub fn is_in(&self) -> bool {
        let page = self.get("/my");
        assert_eq!(page.status, 200, "{page:?}");
        let is_in = page.text.contains("id=\"user-id\"");
        assert_eq!(!is_in, page.text.contains("id=\"log-in-button\""), "one or the other");
        is_in
    }
}

/// What a page lists of activities, newest first.
fn whats(page: &str) -> Vec<String> {
    let found = page.split("data-what=\"").skip(1);
    found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn block_by(desk: &Desk, who: &Citizen<'_>) {
    let path = format!("/v1/identities/{}/block", who.identity);
    let call = Call { token: &who.token, ..Call::new("POST", &path, b"") };
    assert_eq!(desk.call(call).0, 200);
}

#[test]
fn a_person_sees_what_happened_and_a_block_ends_my_page_at_once() {
    // proves F1, F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        desk.wait(Duration::SECOND);
        netbank.logged_in(&phone, &[]);
        let guest = Guest::new(&site);
        assert!(!guest.is_in());
        desk.wait(Duration::SECOND);
        guest.logs_in(&phone);
        let page = guest.get("/my/activities");
        assert_eq!(page.status, 200);
        let listed = whats(&page.text);
        assert_eq!(&listed[..2], ["log_in_approved", "log_in_approved"], "{listed:?}");
        assert!(listed.contains(&"app_activated".to_owned()));
        for part in ["Netbanken", "fra et ukendt net", "kl. 12."] {
            assert!(page.text.contains(part), "{part} in {}", page.text);
        }
        let (mine, netbanks) = (page.text.find("Min side (My"), page.text.find("Netbanken"));
        assert!(mine < netbanks, "newest first");
        let means = guest.get("/my/activities?kind=means");
        // Of one moment: in any order.
        let mut listed = whats(&means.text);
        listed.sort();
        assert_eq!(listed, ["app_activated", "app_registered"]);
        assert_eq!(guest.get("/my/activities?kind=hats").status, 400);
        // A second browser, and the block by somebody else's hand: both are out before it returns.
        let other = Guest::new(&site);
        other.logs_in(&phone);
        block_by(&desk, &anna);
        assert!(!guest.is_in() && !other.is_in());
        assert_eq!(guest.get("/my/export").location, "/my");
        assert_eq!(guest.post("/my/block", &[]).status, 401);
    }
}

#[test]
fn refused_stopped_and_wrong_tries_are_seen_too() {
    // proves F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, berts) = (Phone::of(&anna), Phone::of(&bert));
        let netbank = site.party(|_| {});
        let browser = super::parties::Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        desk.wait(Duration::SECOND);
        assert_eq!(refusal(phone.approve(&claimed, "111112")), reason(422, "pin.wrong"));
        desk.wait(Duration::SECOND);
        let again = phone.claimed_again(&claimed);
        assert_eq!(phone.refuse(&again).0, 200);
        desk.wait(Duration::SECOND);
        // Somebody has typed Bert's user ID, and Anna reads the code: stopped, and hers to see.
        let browser = super::parties::Browser::at(&netbank, &netbank.begin(&[]));
        browser.post("/log-in", &[("user_id", &berts.user_id())]);
        assert_eq!(refusal(phone.scan(&browser.halves())), reason(409, "log_in.other_person"));
        desk.wait(Duration::SECOND);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let page = guest.get("/my/activities?kind=log_in");
        let listed = whats(&page.text);
        let expected = ["log_in_approved", "log_in_stopped", "log_in_refused", "pin_wrong"];
        assert_eq!(listed, expected, "{listed:?}");
        let of_bert = Guest::new(&site);
        of_bert.logs_in(&berts);
        let listed = whats(&of_bert.get("/my/activities?kind=log_in").text);
        assert_eq!(listed, ["log_in_approved"], "he learns nothing of who typed his user ID");
    }
}

#[test]
fn what_officers_and_registers_do_is_seen() {
    // proves F5
    let token = "a token of the register, of 32 signs or more";
    let desk = Desk::changed(|config| {
        config.registers.events_token = Some(server::config::Secret::from(token.to_owned()));
    });
    let site = Site::open(&desk);
    let person = desk.runtime.block_on(async {
        desk.store.read().await.unwrap().keyed_hash("person", b"1208740002").unwrap()
    });
    let anna = desk.enrolled_with(person);
    let phone = Phone::of(&anna);
    let event = json!({ "id": "cpr-1", "kind": "emigrated", "cpr": "1208740002" }).to_string();
    let call = Call { token, ..Call::new("POST", "/v1/register-events", event.as_bytes()) };
    assert_eq!(desk.call(call).0, 200);
    desk.wait(Duration::SECOND);
    let officer = Actor::Officer { officer: "bc-17".to_owned() };
    desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).unwrap();
    desk.wait(Duration::SECOND);
    let guest = Guest::new(&site);
    guest.logs_in(&phone);
    let page = guest.get("/my/activities");
    let listed = whats(&page.text);
    assert_eq!(listed[1], "identity_reopened", "{listed:?}");
    assert!(listed.contains(&"register_told".to_owned()));
    assert!(listed.contains(&"identity_blocked".to_owned()));
    assert!(page.text.contains("bc-17") && page.text.contains("udrejst"), "{}", page.text);
}

#[test]
fn a_strangers_session_and_guessed_identifiers_lead_nowhere() {
    // proves F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, berts) = (Phone::of(&anna), Phone::of(&bert));
        let guest = Guest::new(&site);
        guest.logs_in(&berts);
        let nobody = "00000000-0000-4000-8000-000000000000";
        for id in [phone.app.as_str(), nobody, "x"] {
            for path in ["block", "reopen", "name"] {
                let form = [("id", id), ("name", "mine")];
                let answer = guest.post(&format!("/my/means/{path}"), &form);
                assert_eq!(answer.status, 404, "{path} {id}: {answer:?}");
            }
            assert_eq!(guest.get(&format!("/my/means/block?id={id}")).status, 404);
            let pin = [("app", id), ("old", PIN), ("new", "739104"), ("again", "739104")];
            assert_eq!(guest.post("/my/pin", &pin).status, 404, "{id}");
        }
        for path in ["/my", "/my/activities", "/my/means", "/my/contacts", "/my/pin", "/my/export"]
        {
            let text = guest.get(path).text;
            assert!(!text.contains(&phone.app), "{path}");
            assert!(!text.contains(&phone.user_id()), "{path}");
        }
        // A guessed session is none, nor is the token of something else.
        for token in ["", "x", anna.token.as_str()] {
            let call = Call { token, ..Call::new("GET", "/v1/my/export", b"") };
            assert_eq!(refusal(desk.call(call)), reason(401, "request.token"));
        }
        assert_eq!(anna.offer(&phone.app, PIN).0, 201, "untouched");
    }
}

#[test]
fn a_session_ends_after_fifteen_minutes_alone_and_with_its_log_in() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        for _ in 0..3 {
            desk.wait(Duration::minutes(14));
            assert!(guest.is_in());
        }
        desk.wait(Duration::minutes(15) + Duration::SECOND);
        assert!(!guest.is_in(), "alone");
        guest.logs_in(&phone);
        for _ in 0..5 {
            desk.wait(Duration::minutes(11));
            assert!(guest.is_in());
        }
        desk.wait(Duration::minutes(6));
        assert!(!guest.is_in(), "an hour after the log-in");
        guest.logs_in(&phone);
        let out = guest.post("/my/log-out", &[]);
        assert!(out.status == 200 && out.text.contains("id=\"ended\""), "{out:?}");
        assert!(!guest.is_in());
        desk.wait(Duration::hours(2));
        desk.runtime.block_on(desk.app.expire_overdue()).unwrap();
        assert!(!guest.is_in());
    }
}

#[test]
fn only_our_own_pages_and_the_browser_that_began_get_anywhere() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, berts) = (Phone::of(&anna), Phone::of(&bert));
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let kind = ("content-type", "application/x-www-form-urlencoded");
        for path in [
            "/my/log-in",
            "/my/approve",
            "/my/log-out",
            "/my/block",
            "/my/means/block",
            "/my/means/reopen",
            "/my/means/name",
            "/my/contacts",
            "/my/pin",
            "/my/erase",
            "/block",
        ] {
            for from in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.invalid")] {
                let answer = guest.send("POST", path, "sure=on&id=x&code=x", &[from, kind]);
                assert_eq!(answer.status, 403, "{path}: {answer:?}");
            }
        }
        assert!(guest.is_in(), "nothing was done");
        // Bert's answer, in Anna's browser: she is not logged in as him.
        let bad = Guest::new(&site);
        let on = bad.approves(&bad.post("/my/log-in", &[]), &berts, PIN);
        let stolen = guest.get(&on.location);
        assert_eq!(stolen.status, 401, "{stolen:?}");
        assert!(guest.is_in() && guest.get("/my").text.contains(&phone.user_id()));
        // Nor is what comes without an answer, or with another one.
        for query in ["", "?error=access_denied", "?code=x&state=y&iss=z"] {
            assert_eq!(bad.get(&format!("/my/back{query}")).status, 401);
        }
        assert!(!bad.is_in());
    }
}

#[test]
fn nobody_outside_is_the_relying_party_that_my_page_is() {
    // proves F1
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let anna = desk.enrolled(1);
    let guest = Guest::new(&site);
    guest.logs_in(&Phone::of(&anna));
    for proof in [
        vec![("client_id", "my_page")],
        vec![("client_id", "my_page"), ("client_secret", "")],
        vec![("client_id", "my_page"), ("client_secret", "my_page")],
    ] {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        for path in ["/oidc/par", "/oidc/token", "/oidc/introspect"] {
            let answer = site.send("POST", path, &kind, &encoded(&proof));
            assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{path}");
        }
    }
}

#[test]
fn each_log_in_is_told_to_who_wants_it_with_a_link_that_blocks_by_one_press() {
    // proves E7, F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        desk.deliver();
        netbank.logged_in(&phone, &[]);
        assert_eq!(desk.deliver().len(), 0, "not unless it is chosen");
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let form = [
            ("phone", PHONE),
            ("email", EMAIL),
            ("sms_notices", "on"),
            ("email_notices", "on"),
            ("log_in_notices", "on"),
            ("language", "en"),
        ];
        let kept = guest.post("/my/contacts", &form);
        assert!(kept.status == 200 && kept.text.contains("id=\"kept\""), "{kept:?}");
        assert!(kept.text.contains("lang=\"en\""), "{kept:?}");
        assert_eq!(desk.deliver().len(), 0, "no contact has changed");
        let tokens = netbank.logged_in(&phone, &[]);
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "{told:?}");
        let sms = told.iter().find(|message| message.channel == "sms").unwrap();
        for part in ["Netbanken", "01.03.2026 12:00", "Prøvetjenesten"] {
            assert!(sms.text.contains(part), "{part}: {}", sms.text);
        }
        let (_, rest) = sms.text.split_once("https://indrul.invalid/block#").unwrap();
        let code: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        let stranger = Guest::new(&site);
        assert_eq!(stranger.get("/block").status, 200);
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(netbank.userinfo(token).status, 200, "a GET blocks nothing");
        assert!(guest.is_in());
        let done = stranger.post("/block", &[("code", &code)]);
        assert!(done.text.contains("id=\"blocked\""), "{done:?}");
        assert_eq!(netbank.userinfo(token).status, 401);
        assert!(!guest.is_in());
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "authenticator.blocked"));
    }
}

#[test]
fn contacts_change_by_a_fresh_approval_and_not_in_the_hour_of_a_new_app() {
    // proves E5, E7
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let form = [("phone", "+4599887766"), ("email", EMAIL), ("sms_notices", "on")];
        let new = guest.post("/my/contacts", &form);
        assert!(new.status == 422 && new.text.contains("contact.new_app"), "{new:?}");
        desk.wait(Duration::HOUR);
        guest.logs_in(&phone);
        desk.wait(Duration::minutes(6));
        let late = guest.post("/my/contacts", &form);
        assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        guest.steps_up(&phone, "contacts");
        let bad = guest.post("/my/contacts", &[("phone", "1"), ("email", EMAIL)]);
        assert!(bad.status == 422 && bad.text.contains("contact.form"), "{bad:?}");
        desk.deliver();
        let kept = guest.post("/my/contacts", &form);
        assert!(kept.text.contains("id=\"kept\""), "{kept:?}");
        let told = desk.deliver();
        assert!(
            told.iter().any(|message| message.to == PHONE),
            "where they were reached: {told:?}"
        );
        assert!(told.iter().all(|message| message.to != "+4599887766"), "{told:?}");
        let listed = whats(&guest.get("/my/activities?kind=profile").text);
        assert_eq!(listed[0], "contacts_changed", "{listed:?}");
    }
}

#[test]
fn notices_are_taken_away_as_contacts_are_changed() {
    // proves E7
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let keep = |ticked: &[&'static str]| {
            let mut form = vec![("phone", PHONE), ("email", EMAIL)];
            form.extend(ticked.iter().map(|name| (*name, "on")));
            guest.post("/my/contacts", &form)
        };
        let all = ["sms_notices", "email_notices", "log_in_notices"];
        assert!(keep(&all).text.contains("id=\"kept\""), "more notices come at once");
        let (fewer, silent) = (["sms_notices", "log_in_notices"], ["sms_notices", "email_notices"]);
        for less in [&fewer, &silent] {
            let new = keep(less);
            assert!(new.status == 422 && new.text.contains("contact.new_app"), "{less:?}: {new:?}");
        }
        desk.wait(Duration::HOUR);
        guest.logs_in(&phone);
        desk.wait(Duration::minutes(6));
        for less in [&fewer, &silent] {
            let late = keep(less);
            assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        }
        for less in [&silent[..], &["sms_notices"]] {
            guest.steps_up(&phone, "contacts");
            desk.deliver();
            let kept = keep(less);
            assert!(kept.text.contains("id=\"kept\""), "{kept:?}");
            let told = desk.deliver();
            let to: Vec<&str> = told.iter().map(|message| message.to.as_str()).collect();
            assert!(to.len() == 2 && to.contains(&PHONE) && to.contains(&EMAIL), "{told:?}");
        }
        assert!(keep(&["sms_notices"]).text.contains("id=\"kept\""));
        assert_eq!(desk.deliver().len(), 0, "nothing has changed");
    }
}

#[test]
fn all_that_is_kept_is_shown_by_a_fresh_approval() {
    // proves F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        assert_eq!(guest.get("/my/export.json").status, 200);
        let token = opened(&phone);
        desk.wait(Duration::minutes(5) + Duration::SECOND);
        let asked = guest.get("/my/export");
        assert!(asked.status == 200 && asked.text.contains("id=\"approve-first\""), "{asked:?}");
        assert!(!asked.text.contains(PHONE) && !asked.text.contains("id=\"fetch\""), "{asked:?}");
        assert_eq!(guest.get("/my/export.json").location, "/my/export");
        let call = Call { token: &token, ..Call::new("GET", "/v1/my/export", b"") };
        assert_eq!(refusal(desk.call(call)), reason(403, "my_page.approval"));
        guest.steps_up(&phone, "export");
        assert!(guest.get("/my/export").text.contains("id=\"fetch\""));
        let file = guest.get("/my/export.json");
        assert!(file.status == 200 && file.text.contains(PHONE), "{file:?}");
    }
}

#[test]
fn a_pin_is_changed_with_the_old_one_which_is_counted() {
    // proves E9, E7, F3
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        desk.deliver();
        let change = |old: &str, new: &str, again: &str| {
            let app = phone.app.as_str();
            guest.post("/my/pin", &[("app", app), ("old", old), ("new", new), ("again", again)])
        };
        for (old, new, again, code) in [
            (PIN, "345678", "345678", "pin.weak"),
            (PIN, "120874", "120874", "pin.weak"),
            ("111112", "739104", "739104", "pin.wrong"),
        ] {
            let answer = change(old, new, again);
            assert!(answer.status == 422 && answer.text.contains(code), "{code}: {answer:?}");
        }
        let differ = change(PIN, "739104", "739105");
        assert!(differ.status == 422 && differ.text.contains("ikke ens"), "{differ:?}");
        let kept = change(PIN, "739104", "739104");
        assert!(kept.status == 200 && kept.text.contains("id=\"kept\""), "{kept:?}");
        assert_eq!(desk.deliver().len(), 2, "by both channels");
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(422, "pin.wrong"));
        assert_eq!(anna.offer(&phone.app, "739104").0, 201);
        desk.wait(Duration::minutes(6));
        let late = change("739104", PIN, PIN);
        assert!(late.text.contains("my_page.approval"), "{late:?}");
        guest.logs_in_with(&phone, "739104");
        for _ in 0..4 {
            assert_eq!(change("111112", PIN, PIN).status, 422);
        }
        let locked = change("111112", PIN, PIN);
        assert!(locked.text.contains("id=\"ended\""), "{locked:?}");
        assert!(!guest.is_in(), "locked, and out");
        assert_eq!(refusal(anna.offer(&phone.app, "739104")), reason(409, "pin.locked"));
    }
}

#[test]
fn an_identity_is_erased_but_for_what_the_page_said() {
    // proves F5
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        let tokens = netbank.logged_in(&phone, &[]);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let page = guest.get("/my/erase");
        assert!(page.text.contains("til 01.03.2031"), "{page:?}");
        desk.wait(Duration::minutes(6));
        let late = guest.post("/my/erase", &[("sure", "on")]);
        assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        guest.steps_up(&phone, "erase");
        assert_eq!(guest.post("/my/erase", &[]).status, 422, "not without the tick");
        desk.deliver();
        let done = guest.post("/my/erase", &[("sure", "on")]);
        assert!(done.status == 200 && done.text.contains("id=\"ended\""), "{done:?}");
        assert_eq!(desk.deliver().len(), 2, "told where they were reached");
        assert!(!guest.is_in());
        assert_eq!(netbank.userinfo(tokens["access_token"].as_str().unwrap()).status, 401);
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "authenticator.blocked"));
        assert_eq!(refusal(anna.own("GET", "", &Value::Null)), reason(404, "case.unknown"));
        let left = || {
            desk.runtime.block_on(async {
                let mut tx = desk.store.begin().await.unwrap();
                let id = anna.identity;
                let details = tx.hold_profile(id).await.unwrap().details;
                assert!(details.user_id.is_none() && details.contacts.is_none());
                assert!(tx.activities(id, None, None, 9).await.unwrap().is_empty());
                assert!(tx.notices(id, 9).await.unwrap().is_empty());
                assert!(tx.number(id).await.unwrap().is_none());
                assert!(tx.subjects(id).await.unwrap().is_empty());
                assert!(tx.pin(phone.app.parse().unwrap()).await.unwrap().is_none());
                tx.evidence(id).await.unwrap().len()
            })
        };
        assert_eq!(left(), 1, "the evidence is kept");
        // The same person gets another identity, and no officer brings this one back.
        let anew = desk.enrolled(1);
        assert_ne!(anew.identity, anna.identity);
        anew.with_app();
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        assert!(desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).is_err());
        desk.wait(Duration::days(5 * 366));
        desk.runtime.block_on(desk.app.expire_overdue()).unwrap();
        assert_eq!(left(), 0);
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        for kind in ["identity.erased", "evidence.erased"] {
            let told = trail.iter().filter(|entry| entry.kind == kind).count();
            assert_eq!(told, 1, "{kind}: proof of it");
        }
    }
}

#[test]
fn activities_are_forgotten_after_a_year_and_come_in_pages() {
    // proves F5
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let token = opened(&phone);
        for _ in 0..24 {
            desk.wait(Duration::SECOND);
            assert_eq!(refusal(anna.offer(&phone.app, "1")).0, 422);
            assert_eq!(anna.offer(&phone.app, PIN).0, 201);
        }
        let mut path = "/v1/my/activities?kind=log_in".to_owned();
        let mut seen = Vec::new();
        for count in [20, 5] {
            let (page, next) = page_of(&desk, &path, &token);
            assert_eq!(page.len(), count);
            seen.extend(page.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            path = next;
        }
        assert_eq!(path, "", "no more");
        let all: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(all.len(), 25, "each once");
        for wrong in ["?kind=hats", "?before=x", "?hat=1"] {
            let path = format!("/v1/my/activities{wrong}");
            let call = Call { token: &token, ..Call::new("GET", &path, b"") };
            assert_eq!(refusal(desk.call(call)), reason(400, "request.malformed"));
        }
        desk.wait(Duration::days(366));
        desk.runtime.block_on(desk.app.expire_overdue()).unwrap();
        let left = desk.runtime.block_on(async {
            let mut tx = desk.store.read().await.unwrap();
            tx.activities(anna.identity, None, None, 99).await.unwrap().len()
        });
        assert_eq!(left, 0);
    }
}

/// A page of activities, and the address of the next one.
fn page_of(desk: &Desk, path: &str, token: &str) -> (Vec<Value>, String) {
    let call = Call { token, ..Call::new("GET", path, b"") };
    let (status, page) = desk.call(call);
    assert_eq!(status, 200, "{page}");
    let link = desk.link(path, token);
    let next = link.strip_prefix('<').and_then(|link| link.split_once('>'));
    (page.as_array().unwrap().clone(), next.map(|(to, _)| to.to_owned()).unwrap_or_default())
}

/// The token of a session that the app opens.
fn opened(phone: &Phone<'_>) -> String {
    let (status, answer) = opens(phone, PIN);
    assert_eq!(status, 201, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

fn opens(phone: &Phone<'_>, pin: &str) -> (u16, Value) {
    let citizen = phone.citizen;
    let (status, drawn) = citizen.challenge(&phone.app);
    if status != 201 {
        return (status, drawn);
    }
    let challenge = drawn["challenge"].as_str().unwrap();
    let signature = citizen.device.sign(Purpose::MyPage, challenge);
    let body = json!({ "challenge": challenge, "signature": signature, "pin": pin });
    citizen.desk.post(&format!("/v1/authenticators/{}/my-page", phone.app), &body)
}

#[test]
fn an_app_sees_exports_blocks_and_opens_again() {
    // proves F1, F2, F5
    for desk in Desk::all() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let phone = Phone::of(&anna);
        let berts = Phone::of(&bert);
        let code = code_in(&desk);
        let (other, id) = second(&desk, &anna, &phone.app);
        let tablet = Phone { citizen: &other, app: id };
        assert_eq!(refusal(opens(&phone, "111112")), reason(422, "pin.wrong"));
        let wrong = anna.proof(&phone.app, PIN);
        let path = format!("/v1/authenticators/{}/my-page", phone.app);
        assert_eq!(refusal(desk.post(&path, &wrong)), reason(422, "activation.device_key"));
        let token = opened(&phone);
        let call = |token: &str, method: &str, path: &str| {
            desk.call(Call { token, ..Call::new(method, path, b"") })
        };
        let (status, export) = call(&token, "GET", "/v1/my/export");
        assert_eq!(status, 200, "{export}");
        let text = export.to_string();
        for part in [&phone.user_id(), PHONE, EMAIL, "Anna Maria Eriksson", &phone.app] {
            assert!(text.contains(part), "{part}");
        }
        for secret in [PIN, &code, &anna.token, &token, "argon"] {
            assert_eq!(leak(&text, secret), None, "{secret} is in the export");
        }
        assert_eq!(export["evidence"].as_array().unwrap().len(), 1);
        let (_, means) = call(&token, "GET", "/v1/my/means");
        assert_eq!(means.as_array().unwrap().len(), 2);
        // Bert, with a session of his own.
        let his = opened(&berts);
        let theirs = format!("/v1/my/means/{}/block", phone.app);
        assert_eq!(refusal(call(&his, "POST", &theirs)), reason(404, "case.unknown"));
        let (_, export) = call(&his, "GET", "/v1/my/export");
        assert!(!export.to_string().contains(&phone.app));

        let (status, blocked) = call(&token, "POST", &theirs);
        assert_eq!((status, &blocked["state"]), (200, &json!("blocked")), "{blocked}");
        assert_eq!(refusal(call(&token, "GET", "/v1/my/means")), reason(401, "request.token"));
        assert_eq!(refusal(opens(&phone, PIN)), reason(409, "authenticator.blocked"));
        let token = opened(&tablet);
        let reopening = format!("/v1/my/means/{}/reopening", phone.app);
        let own = format!("/v1/my/means/{}/reopening", tablet.app);
        assert_eq!(refusal(call(&token, "POST", &own)), reason(409, "authenticator.for_good"));
        desk.wait(Duration::minutes(6));
        let late = call(&token, "POST", &reopening);
        assert_eq!(refusal(late), reason(403, "my_page.approval"));
        let token = opened(&tablet);
        let (status, open) = call(&token, "POST", &reopening);
        assert_eq!((status, &open["state"]), (200, &json!("active")), "{open}");
        assert_eq!(call(&token, "DELETE", "/v1/my/session").0, 200);
        assert_eq!(refusal(call(&token, "GET", "/v1/my/means")), reason(401, "request.token"));
        let token = opened(&tablet);
        let (status, life) = call(&token, "POST", "/v1/my/block");
        assert_eq!((status, &life["blocked"]), (200, &json!(true)));
        assert_eq!(refusal(call(&token, "GET", "/v1/my/means")), reason(401, "request.token"));
    }
}

#[test]
fn two_servers_over_one_database_know_one_session_and_end_it_at_once() {
    // proves F1
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let token = opened(&phone);
        let beside = desk.beside();
        let there = |path: &str| {
            let call = Call { token: &token, ..Call::new("GET", path, b"") };
            desk.call_at(&beside, call)
        };
        assert_eq!(there("/v1/my/means").0, 200);
        let mine = format!("/v1/my/means/{}/block", phone.app);
        let call = Call { token: &token, ..Call::new("POST", &mine, b"") };
        assert_eq!(desk.call(call).0, 200);
        assert_eq!(refusal(there("/v1/my/means")), reason(401, "request.token"));
        assert_eq!(refusal(there("/v1/my/export")), reason(401, "request.token"));
    }
}
