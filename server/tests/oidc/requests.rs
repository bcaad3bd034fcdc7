//! What relying parties must not ask for, and who they must be.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Begun, Browser, Party, Phone, Site, encoded, fresh, refused};
use serde_json::{Value, json};
use server::oidc::Level;
use time::Duration;

fn pushed(party: &Party<'_>, changes: &[(&str, &str)]) -> (u16, String) {
    party.push(changes).0.error()
}

#[test]
fn the_metadata_say_what_there_is() {
    // proves G8
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let found = site.send("GET", "/.well-known/openid-configuration", &[], "").json();
    assert_eq!(found["issuer"], json!(site.url));
    assert_eq!(found["require_pushed_authorization_requests"], true);
    assert_eq!(found["authorization_response_iss_parameter_supported"], true);
    assert_eq!(found["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(found["id_token_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(found["subject_types_supported"], json!(["pairwise"]));
    let jwks = found["jwks_uri"].as_str().unwrap().strip_prefix(&site.url).unwrap().to_owned();
    let keys = site.send("GET", &jwks, &[], "").json();
    assert_eq!((&keys["keys"][0]["alg"], &keys["keys"][0]["d"]), (&json!("ES256"), &Value::Null));
}

#[test]
fn a_redirect_that_is_not_exact_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        for other in [
            "https://netbank.invalid/cb/",
            "https://netbank.invalid/cb?x=1",
            "https://netbank.invalid/",
            "https://netbank.invalid.evil.invalid/cb",
            "http://netbank.invalid/cb",
            "https://NETBANK.invalid/cb",
            "",
        ] {
            let found = pushed(&netbank, &[("redirect_uri", other)]);
            assert_eq!(found, refused(400, "invalid_request"), "{other}");
        }
        // At the token endpoint too, where it has to be the one of the request and no other that is registered.
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let two = site.party(|table| {
            table["client_id"] = "two".into();
            let uris = ["https://netbank.invalid/cb", "https://netbank.invalid/other"];
            table["redirect_uris"] = uris.map(toml::Value::from).to_vec().into();
        });
        let begun = two.begin(&[]);
        let browser = Browser::at(&two, &begun);
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        let code = browser.get("/log-in/continue").param("code").unwrap();
        for other in ["https://netbank.invalid/other", "https://netbank.invalid/cb/", ""] {
            let pairs = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", other),
                ("code_verifier", &begun.verifier),
            ];
            let found = two.form("/oidc/token", &pairs).error();
            assert_eq!(found, refused(400, "invalid_grant"), "{other}");
        }
        assert_eq!(two.tokens(&code, &begun.verifier).status, 200);
    }
}

#[test]
fn no_pkce_and_plain_pkce_are_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let bad = refused(400, "invalid_request");
        let none = [("code_challenge", ""), ("code_challenge_method", "")];
        assert_eq!(pushed(&netbank, &none), bad);
        assert_eq!(pushed(&netbank, &[("code_challenge_method", "")]), bad, "absent means plain");
        assert_eq!(pushed(&netbank, &[("code_challenge_method", "plain")]), bad);
        assert_eq!(pushed(&netbank, &[("code_challenge", "short")]), bad);
    }
}

#[test]
fn what_is_not_offered_is_refused_by_its_name() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let long = "x".repeat(1025);
        let text = |text: &str| {
            let encoded = openssl::base64::encode_block(text.as_bytes());
            json!({ "mitid": { "reference_text": encoded } }).to_string()
        };
        let too_long = text(&"æ".repeat(131));
        for (changes, error) in [
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", ""), "unsupported_response_type"),
            (("response_type", "code id_token"), "unsupported_response_type"),
            (("response_mode", "fragment"), "invalid_request"),
            (("request", "a.b.c"), "request_not_supported"),
            (("request_uri", "urn:x"), "invalid_request"),
            (("scope", "openid ssn"), "invalid_scope"),
            (("scope", "mitid"), "invalid_scope"),
            (("scope", ""), "invalid_scope"),
            (("prompt", "none login"), "invalid_request"),
            (("max_age", "x"), "invalid_request"),
            (("state", long.as_str()), "invalid_request"),
            (("idp_params", "{"), "invalid_request"),
            (("idp_params", too_long.as_str()), "invalid_request"),
            (("client_id", "somebody-else"), "invalid_client"),
        ] {
            let status = if error == "invalid_client" { 401 } else { 400 };
            assert_eq!(pushed(&netbank, &[changes]), refused(status, error), "{changes:?}");
        }
        let (ok, _) = netbank.push(&[("scope", "openid profile email offline_access")]);
        assert_eq!(ok.status, 201, "unknown scopes are left out");
        let twice = netbank.form("/oidc/par", &[("state", "a"), ("state", "b")]);
        assert_eq!(twice.error(), refused(400, "invalid_request"));
    }
}

#[test]
fn a_request_uri_is_used_once_in_time_and_by_its_client() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let other = site.party(|table| table["client_id"] = "kommunen".into());
        let begun = netbank.begin(&[]);
        let browser = Browser::empty(&site);
        assert_eq!(browser.arrive(&other, &begun).status, 410, "another client's");
        assert_eq!(browser.arrive(&netbank, &begun).status, 303);
        assert_eq!(browser.arrive(&netbank, &begun).status, 410, "used before");
        let late = netbank.begin(&[]);
        desk.wait(Duration::seconds(91));
        assert_eq!(browser.arrive(&netbank, &late).status, 410, "too late");
        let guess = Begun {
            request_uri: format!("urn:ietf:params:oauth:request_uri:{}", fresh()),
            verifier: String::new(),
        };
        assert_eq!(browser.arrive(&netbank, &guess).status, 410);
        // What is not pushed is not looked at.
        let query =
            encoded(&[("client_id", "netbank"), ("response_type", "code"), ("scope", "openid")]);
        assert_eq!(browser.get(&format!("/oidc/authorize?{query}")).status, 400);
    }
}

#[test]
fn without_the_person_there_is_no_log_in() {
    // proves G1 (prompt=none never succeeds)
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let browser = Browser::empty(&site);
        let back =
            browser.arrive(&netbank, &netbank.begin(&[("prompt", "none"), ("max_age", "0")]));
        assert_eq!(back.param("error").as_deref(), Some("login_required"));
        assert_eq!(back.param("state").as_deref(), Some("state of the test"));
        assert_eq!(back.param("iss").as_deref(), Some(site.url.as_str()));
        assert_eq!(back.param("code"), None);
        let shown = browser
            .arrive(&netbank, &netbank.begin(&[("prompt", "login"), ("ui_locales", "en-GB da")]));
        assert!(shown.cookies.iter().any(|cookie| cookie.starts_with("indrul-language=en")));
        let acr = Level::Low.uri();
        assert_eq!(browser.arrive(&netbank, &netbank.begin(&[("acr_values", &acr)])).status, 303);
    }
}

fn by_method<'a>(site: &'a Site<'a>, id: &'static str, method: &'static str) -> Party<'a> {
    site.party(|table| {
        table["client_id"] = id.into();
        table["token_endpoint_auth_method"] = method.into();
    })
}

fn try_with(party: &Party<'_>, proof: &[(&str, &str)]) -> (u16, String) {
    party.form_with("/oidc/par", &[("scope", "openid")], proof).error()
}

#[test]
fn wrong_client_authentication_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let by_key = site.party(|_| {});
        let basic = by_method(&site, "by-basic", "client_secret_basic");
        let post = by_method(&site, "by-post", "client_secret_post");
        for party in [&by_key, &basic, &post] {
            assert_eq!(party.push(&[]).0.status, 201, "{}", party.id);
        }
        let bad = refused(401, "invalid_client");
        let secret = ("client_secret", post.secret.as_str());
        assert_eq!(try_with(&post, &[("client_id", "by-post"), ("client_secret", "guess")]), bad);
        assert_eq!(try_with(&post, &[("client_id", "by-post")]), bad, "nothing");
        assert_eq!(try_with(&post, &[("client_id", "by-basic"), secret]), bad, "another way");
        assert_eq!(try_with(&post, &[("client_id", "netbank"), secret]), bad, "another way");
        assert_eq!(try_with(&post, &[("client_id", "nobody"), secret]), bad);
        let assertion = by_key.assertion(json!({"alg": "ES256"}), |_| {});
        let proof = [("client_assertion_type", ASSERTION), ("client_assertion", &assertion)];
        let both = [("client_id", "by-post"), secret, proof[0], proof[1]];
        assert_eq!(try_with(&post, &both), refused(400, "invalid_request"), "two ways at once");
    }
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[test]
fn an_assertion_is_signed_of_now_for_us_and_used_once() {
    // proves G8 (no algorithm but ES256, none with them)
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let (bad, good) = (refused(401, "invalid_client"), refused(400, "invalid_request"));
        let try_one = |assertion: &str| {
            let proof = [("client_assertion_type", ASSERTION), ("client_assertion", assertion)];
            try_with(&netbank, &proof)
        };
        let with = |header: Value, change: &dyn Fn(&mut Value)| {
            try_one(&netbank.assertion(header, change))
        };
        let es256 = || json!({"alg": "ES256"});
        let now = desk.now().unix_timestamp();
        // One that is good reaches the request, which is not.
        assert_eq!(with(es256(), &|_| {}), good);
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES256", "kid": "2"}),
            json!({"alg": "ES256", "typ": "logout+jwt"}),
        ] {
            assert_eq!(with(header.clone(), &|_| {}), bad, "{header}");
        }
        let endpoint = format!("{}/oidc/token", site.url);
        let changes: [&dyn Fn(&mut Value); 12] = [
            &|claims| claims["aud"] = json!("https://elsewhere.invalid"),
            &|claims| claims["aud"] = json!([site.url]),
            &|claims| claims["aud"] = json!(endpoint),
            &|claims| claims["exp"] = json!(now - 61),
            &|claims| claims["exp"] = json!(now + 3600),
            // The last second of the year 9999, to which nothing can be added.
            &|claims| claims["exp"] = json!(253_402_300_799_i64),
            &|claims| claims["exp"] = json!(i64::MAX),
            &|claims| claims["iat"] = json!(now + 3600),
            &|claims| claims["sub"] = json!("by-post"),
            &|claims| claims["iss"] = json!("by-post"),
            &|claims| claims["jti"] = Value::Null,
            &|claims| claims["exp"] = Value::Null,
        ];
        for (index, change) in changes.iter().enumerate() {
            assert_eq!(with(es256(), change), bad, "{index}");
        }
        let once = netbank.assertion(es256(), |_| {});
        assert_eq!(try_one(&format!("{}.", once.rsplit_once('.').unwrap().0)), bad, "unsigned");
        assert_eq!(try_one(&once), good);
        assert_eq!(try_one(&once), bad, "replayed");
    }
}

#[test]
fn what_is_late_once_the_writer_was_waited_for_is_not_used() {
    // proves G8 (SQLite has one writer, which a request waits for; what is late may be forgotten meanwhile)
    let desk = Desk::changed(|_| {});
    let site = Site::open(&desk);
    let netbank = site.party(|_| {});
    let assertion = netbank.assertion(json!({"alg": "ES256"}), |_| {});
    let writer = desk.runtime.block_on(desk.store.begin()).unwrap();
    let proof = [("client_assertion_type", ASSERTION), ("client_assertion", &assertion)];
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| try_with(&netbank, &proof));
        // Were it slower than that, it would be refused by its time before it waits: never for another reason.
        std::thread::sleep(std::time::Duration::from_millis(500));
        desk.wait(Duration::seconds(121));
        desk.runtime.block_on(writer.commit()).unwrap();
        asking.join().unwrap()
    });
    assert_eq!(answer, refused(401, "invalid_client"));
}

#[test]
fn a_disabled_relying_party_does_nothing_more() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        let tokens = netbank.logged_in(&phone, &[]);
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(netbank.userinfo(token).status, 200);
        let begun = netbank.begin(&[]);
        // One that a person is about to approve, and one that is approved.
        let ways = ["in hand", "approved"].map(|_| Browser::at(&netbank, &netbank.begin(&[])));
        let approved = phone.claimed(&ways[1]);
        assert_eq!(phone.approve(&approved, PIN).0, 200);
        let in_hand = phone.claimed(&ways[0]);
        let disabling = server::app::disable_relying_party(&desk.store, "netbank", desk.now());
        assert!(desk.runtime.block_on(disabling).unwrap());
        assert_eq!(Browser::empty(&site).arrive(&netbank, &begun).status, 410);
        assert_eq!(refusal(phone.approve(&in_hand, PIN)), reason(410, "log_in.late"));
        assert_eq!(ways[1].get("/log-in/continue").location, "/log-in/ended", "no code");
        assert_eq!(pushed(&netbank, &[]), refused(401, "invalid_client"));
        assert_eq!(netbank.userinfo(token).error(), refused(401, "invalid_token"));
    }
}

#[test]
fn a_flood_of_parameters_is_refused_before_it_is_read() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let browser = Browser::empty(&site);
        let many: Vec<_> = (0..41).map(|number| format!("p{number}=1")).collect();
        let (many, long) = (many.join("&"), format!("state={}", "x".repeat(9000)));
        for path in ["/oidc/authorize", "/oidc/logout"] {
            for query in [&many, &long] {
                assert_eq!(browser.get(&format!("{path}?{query}")).status, 400, "{path}");
            }
            assert_eq!(browser.post_text(path, &many).status, 400, "{path}");
        }
        let pairs: Vec<_> = (0..41).map(|number| format!("p{number}")).collect();
        let pairs: Vec<_> = pairs.iter().map(|name| (name.as_str(), "1")).collect();
        assert_eq!(netbank.form("/oidc/token", &pairs).error(), refused(400, "invalid_request"));
    }
}

#[test]
fn without_a_public_address_nobody_answers_relying_parties() {
    // proves G8 (the issuer is nothing that a request says)
    let bare = Desk::changed(|config| config.server.answers_as_host = false);
    let site = Site::open(&bare);
    assert_eq!(site.send("GET", "/.well-known/openid-configuration", &[], "").status, 503);
    assert_eq!(site.send("POST", "/oidc/par", &[], "").status, 503);
    for method in ["GET", "POST"] {
        let page = site.send(method, "/oidc/logout", &[("accept", "text/html")], "");
        assert_eq!(page.status, 503, "{page:?}");
        assert!(page.text.contains("<html lang=\"da\"") && page.text.contains("Intet er sluttet"));
    }
    let desk = Desk::changed(|_| {});
    let site = Site::open(&desk);
    for host in ["127.0.0.1:80@evil.invalid", "127.0.0.1:@evil.invalid", "evil.invalid"] {
        let headers = [("host", host)];
        let answer = site.send("GET", "/.well-known/openid-configuration", &headers, "");
        assert!(answer.status >= 400, "{host}: {answer:?}");
    }
    let public = Desk::changed(|config| {
        config.server.public_url = Some("https://indrul.invalid".to_owned());
    });
    let site = Site::open(&public);
    let found = site.send("GET", "/.well-known/openid-configuration", &[], "").json();
    assert_eq!(found["issuer"], "https://indrul.invalid");
}

#[test]
fn a_browser_that_is_lost_is_shown_a_page_and_a_program_is_told_as_ever() {
    // REQUIREMENTS M1: what went wrong is told in words, in the person's language.
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let page = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        let english = [page[0], ("cookie", "indrul-language=en")];
        // Where people are sent, it is a page for everybody.
        for (method, path) in [
            ("GET", "/log-in/cancel"),
            ("GET", "/log-in/switch"),
            ("PUT", "/log-in"),
            ("DELETE", "/oidc/authorize"),
            ("PUT", "/oidc/logout"),
        ] {
            let danish = site.send(method, path, &[("sec-fetch-site", "same-origin")], "");
            assert_eq!(danish.status, 405, "{path}");
            assert!(danish.text.contains("<html lang=\"da\""), "{method} {path}: {}", danish.text);
            let found =
                site.send(method, path, &[english[1], ("sec-fetch-site", "same-origin")], "");
            assert!(found.text.contains("The page is not to be had in this way"), "{path}");
        }
        for path in ["/log-in/nowhere", "/oidc/nowhere", "/nowhere", "/nowhere/else?x=1"] {
            let danish = site.send("GET", path, &page, "");
            assert_eq!(danish.status, 404, "{path}");
            assert!(danish.text.contains("Siden findes ikke"), "{path}: {}", danish.text);
            let found = site.send("GET", path, &english, "");
            assert!(found.text.contains("There is no such page"), "{path}");
        }
        let chosen = site.send("GET", "/nowhere?lang=en", &page, "");
        assert_eq!((chosen.status, chosen.location.as_str()), (303, "/nowhere"));
        assert!(chosen.cookies.iter().any(|cookie| cookie.starts_with("indrul-language=en")));
        let own = [("sec-fetch-site", "same-origin")];
        let chosen = site.send("GET", "/log-in/cancel?lang=en", &own, "");
        assert_eq!((chosen.status, chosen.location.as_str()), (303, "/log-in/cancel"));
        // The interface answers a browser, too, as it is described.
        for (method, path, status, code) in [
            ("GET", "/v1/nowhere", 404, "request.not_found"),
            ("GET", "/v1/enrolments", 405, "request.method"),
            ("GET", "/oidc/par", 405, "request.method"),
        ] {
            let found = site.send(method, path, &page, "");
            assert_eq!((found.status, &found.json()["code"]), (status, &json!(code)), "{path}");
        }
        for accept in ["application/json", "*/*"] {
            let found = site.send("GET", "/nowhere", &[("accept", accept)], "");
            assert_eq!(found.json()["code"], "request.not_found", "{accept}");
        }
    }
}

#[test]
fn an_address_or_method_that_is_none_is_counted_and_not_named() {
    // proves H4 (metrics)
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    for (path, accept) in
        [("/wp-login.php", "text/html"), ("/wp-login.php?a=b", "*/*"), ("/v1/wp-login", "*/*")]
    {
        assert_eq!(site.send("GET", path, &[("accept", accept)], "").status, 404, "{path}");
    }
    for accept in ["text/html", "*/*"] {
        let own = [("accept", accept), ("sec-fetch-site", "same-origin")];
        for path in ["/assets/page.css", "/officer/cases"] {
            assert_eq!(site.send("DELETE", path, &own, "").status, 405, "{path}");
        }
    }
    let text = desk.runtime.block_on(server::metrics::gather(&desk.app));
    // A method that one of our pages does not take is that page's.
    for (operation, status, times) in
        [("elsewhere", 404, 3), ("elsewhere", 405, 2), ("pages", 405, 2)]
    {
        let line = format!(
            "indrul_http_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {times}"
        );
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    assert!(!text.contains("wp-login"), "{text}");
}

#[test]
fn no_address_of_ours_leads_to_another_host() {
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let page = [("accept", "text/html")];
    for path in
        ["//evil.invalid/?lang=en", "///evil.invalid?text=large", "/%5Cevil.invalid?lang=da"]
    {
        let chosen = site.send("GET", path, &page, "");
        assert_eq!(chosen.status, 303, "{path}: {chosen:?}");
        let mut signs = chosen.location.chars();
        assert_eq!(signs.next(), Some('/'), "{path}: {}", chosen.location);
        assert!(!matches!(signs.next(), Some('/' | '\\')), "{path}: {}", chosen.location);
    }
}

#[test]
fn who_is_lost_in_a_log_in_goes_on_with_it_and_never_to_an_enrolment() {
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let netbank = site.party(|_| {});
    let browser = Browser::at(&netbank, &netbank.begin(&[]));
    let own = format!("href=\"/log-in?log_in={}\"", browser.log_in());
    let lost = browser.get_as("/log-in/nowhere");
    assert!(lost.status == 404 && lost.text.contains(&own), "{lost:?}");
    for (method, path) in [("GET", "/log-in/cancel"), ("PUT", "/oidc/authorize")] {
        let lost = site.send(method, path, &[("sec-fetch-site", "same-origin")], "");
        assert_eq!(lost.status, 405, "{path}");
        assert!(lost.text.contains("den tjeneste, du ville logge på"), "{path}: {}", lost.text);
        assert!(!lost.text.contains("button-primary\" href=\"/enrol\""), "{path}: {}", lost.text);
    }
}
