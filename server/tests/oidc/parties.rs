//! Relying parties, browsers and phones, as they are outside.

use super::desk::{Citizen, Desk, Device, PIN};
use enroll_core::device_key::Purpose;
use serde_json::{Value, json};
use server::app::{App, add_relying_party};
use server::clock::{SystemEntropy, random};
use server::keys::{base64url, base64url_decode};
use server::oidc::client::Registration;
use server::oidc::halves::Half;
use std::sync::{Arc, Mutex};

/// The service with its pages, on an address of its own.
pub struct Site<'a> {
    pub desk: &'a Desk,
    pub url: String,
    agent: ureq::Agent,
}

async fn serve(app: Arc<App>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server::http::router(app.clone())
        .merge(server::pages::log_in(app.clone()))
        .merge(server::pages::my_page(app.clone()))
        .merge(server::pages::router(app.clone(), server::pages::Design::default()))
        .merge(server::pages::assets());
    let router = server::pages::finish(router, app);
    tokio::spawn(async move { server::serve(listener, router, std::future::pending()).await });
    url
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub location: String,
    pub cookies: Vec<String>,
    /// `Retry-After`.
    pub retry_after: String,
    /// `WWW-Authenticate`.
    pub challenges: Vec<String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The status and the error of the standards.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    /// A parameter of the address that the browser is sent to.
    pub fn param(&self, name: &str) -> Option<String> {
        let (_, query) = self.location.split_once('?')?;
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

pub fn refused(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

impl<'a> Site<'a> {
    pub fn open(desk: &'a Desk) -> Self {
        let url = desk.runtime.block_on(serve(desk.app.clone()));
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.max_redirects(0).proxy(None).build().into();
        Self { desk, url, agent }
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut answer = self.agent.run(request.body(body.to_owned()).unwrap()).unwrap();
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
        Reply {
            status: answer.status().as_u16(),
            location: answer.headers().get("location").map(text).unwrap_or_default(),
            retry_after: answer.headers().get("retry-after").map(text).unwrap_or_default(),
            cookies: answer.headers().get_all("set-cookie").iter().map(text).collect(),
            challenges: answer.headers().get_all("www-authenticate").iter().map(text).collect(),
            text: answer.body_mut().read_to_string().unwrap(),
        }
    }

    /// A registered relying party: an authority, or `netbank` after changes.
    pub fn party(&self, change: impl FnOnce(&mut toml::Table)) -> Party<'_> {
        self.party_with(change, None)
    }

    /// The same, with another public key beside its own.
    pub fn party_with(
        &self,
        change: impl FnOnce(&mut toml::Table),
        beside: Option<Value>,
    ) -> Party<'_> {
        let mut table: toml::Table = toml::from_str(
            r#"
            client_id = "netbank"
            name = "Netbanken"
            organisation = "Banken A/S"
            sector = "private"
            redirect_uris = ["https://netbank.invalid/cb"]
            post_logout_redirect_uris = ["https://netbank.invalid/bye"]
            token_endpoint_auth_method = "private_key_jwt"
            scopes = ["openid", "mitid", "transaction_token"]
            ciba = true
            "#,
        )
        .unwrap();
        change(&mut table);
        let (device, secret) = (Device::new(), "a secret of the test".to_owned());
        let by_key = table["token_endpoint_auth_method"].as_str() == Some("private_key_jwt");
        let registration: Registration = table.try_into().unwrap();
        let mut jwks = jwks(&device);
        jwks["keys"].as_array_mut().unwrap().extend(beside);
        let jwks = by_key.then_some(jwks);
        let party = registration.accepted(openssl::sha::sha256(secret.as_bytes()), jwks).unwrap();
        let (id, redirect) = (party.client_id.clone(), party.redirect_uris.first().cloned());
        let auth = party.auth.name();
        let added = add_relying_party(&self.desk.store, &party, self.desk.now());
        assert!(self.desk.runtime.block_on(added).unwrap());
        Party { site: self, id, redirect: redirect.unwrap_or_default(), device, secret, auth }
    }
}

pub fn jwks(device: &Device) -> Value {
    let raw = base64url_decode(&device.public_key()).unwrap();
    let (x, y) = (base64url(&raw[1..33]), base64url(&raw[33..]));
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "x": x, "y": y }] })
}

/// The whole key, for a program that signs by itself (RFC 7518 §6.2).
pub fn private_jwk(device: &Device) -> Value {
    let mut jwk = jwks(device)["keys"][0].take();
    jwk["d"] = json!(base64url(&device.0.private_key().to_vec_padded(32).unwrap()));
    jwk
}

/// A relying party.
pub struct Party<'a> {
    pub site: &'a Site<'a>,
    pub id: String,
    pub redirect: String,
    pub device: Device,
    pub secret: String,
    pub auth: &'static str,
}

/// What a browser was sent with, and what the code needs.
pub struct Begun {
    pub request_uri: String,
    pub verifier: String,
}

pub fn fresh() -> String {
    base64url(&random::<32>(&SystemEntropy).unwrap())
}

pub fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Party<'_> {
    /// A signed assertion (RFC 7523) with changed claims; what is set to nothing is left out.
    pub fn assertion(&self, header: Value, change: impl FnOnce(&mut Value)) -> String {
        let now = self.site.desk.now().unix_timestamp();
        let mut claims = json!({
            "iss": self.id, "sub": self.id, "aud": self.site.url, "iat": now, "exp": now + 60, "jti": fresh(),
        });
        change(&mut claims);
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&header), part(&claims));
        format!("{text}.{}", self.device.sign_bytes(text.as_bytes()))
    }

    /// A form to `path`, with `proof` of who sends it.
    pub fn form_with(&self, path: &str, pairs: &[(&str, &str)], proof: &[(&str, &str)]) -> Reply {
        self.send(path, &[pairs, proof].concat(), &[])
    }

    fn send(&self, path: &str, pairs: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.site.send("POST", path, &[&kind, headers].concat(), &encoded(pairs))
    }

    /// The same with the proof that it is registered with.
    pub fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        self.form_beside(path, pairs, &[])
    }

    /// The same with headers beside it.
    pub fn form_beside(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Reply {
        match self.auth {
            "client_secret_basic" => {
                let secret: String =
                    form_urlencoded::byte_serialize(self.secret.as_bytes()).collect();
                let pair =
                    openssl::base64::encode_block(format!("{}:{secret}", self.id).as_bytes());
                let basic = format!("Basic {pair}");
                let headers = [&[("authorization", basic.as_str())], headers].concat();
                self.send(path, pairs, &headers)
            }
            "client_secret_post" => {
                let mut proof =
                    vec![("client_id", self.id.as_str()), ("client_secret", &self.secret)];
                proof.retain(|(name, _)| pairs.iter().all(|(given, _)| given != name));
                self.send(path, &[pairs, &proof].concat(), headers)
            }
            _ => {
                let assertion = self.assertion(json!({"alg": "ES256", "kid": "1"}), |_| {});
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                let proof = [("client_assertion_type", kind), ("client_assertion", &assertion)];
                self.send(path, &[pairs, &proof].concat(), headers)
            }
        }
    }

    /// A pushed request with changes; an empty value leaves a parameter out.
    pub fn push(&self, changes: &[(&str, &str)]) -> (Reply, String) {
        self.push_beside(changes, &[])
    }

    /// The same with headers beside it.
    pub fn push_beside(
        &self,
        changes: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> (Reply, String) {
        let verifier = fresh();
        let challenge = base64url(&openssl::sha::sha256(verifier.as_bytes()));
        let mut pairs = vec![
            ("client_id", self.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect),
            ("scope", "openid mitid"),
            ("state", "state of the test"),
            ("nonce", "nonce of the test"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        pairs.extend(changes);
        pairs.retain(|(_, value)| !value.is_empty());
        (self.form_beside("/oidc/par", &pairs, headers), verifier)
    }

    pub fn begin(&self, changes: &[(&str, &str)]) -> Begun {
        let (reply, verifier) = self.push(changes);
        assert_eq!(reply.status, 201, "{reply:?}");
        let request_uri = reply.json()["request_uri"].as_str().unwrap().to_owned();
        Begun { request_uri, verifier }
    }

    pub fn tokens(&self, code: &str, verifier: &str) -> Reply {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", verifier),
        ];
        self.form("/oidc/token", &pairs)
    }

    pub fn userinfo(&self, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.site.send("GET", "/oidc/userinfo", &[("authorization", &bearer)], "")
    }

    /// A whole log-in of `phone`, by QR code; gives the answer of the token endpoint.
    pub fn logged_in(&self, phone: &Phone<'_>, changes: &[(&str, &str)]) -> Value {
        let begun = self.begin(changes);
        let browser = Browser::at(self, &begun);
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        let back = browser.get("/log-in/continue");
        let tokens = self.tokens(&back.param("code").unwrap(), &begun.verifier);
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens.json()
    }
}

/// The claims of a token of ours, verified with the published keys.
pub fn claims(site: &Site<'_>, token: &str, typ: &str) -> Value {
    let jwks = site.send("GET", "/v1/keys", &[], "").json();
    server::oidc::jose::verified(token, &jwks, &[typ]).unwrap()
}

/// A browser with a log-in before it.
pub struct Browser<'a> {
    site: &'a Site<'a>,
    cookie: Mutex<String>,
    /// The address that a proxy says it comes from.
    from: Option<&'static str>,
}

impl<'a> Browser<'a> {
    /// One that has nothing.
    pub fn empty(site: &'a Site<'a>) -> Self {
        Self { site, cookie: Mutex::default(), from: None }
    }

    /// One that was sent here by a relying party.
    pub fn at(party: &'a Party<'a>, begun: &Begun) -> Self {
        Self::from(None, party, begun)
    }

    /// One that comes from this address, as a proxy says.
    pub fn from(from: Option<&'static str>, party: &'a Party<'a>, begun: &Begun) -> Self {
        let browser = Self { from, ..Self::empty(party.site) };
        let reply = browser.arrive(party, begun);
        assert_eq!((reply.status, reply.location.as_str()), (303, "/log-in"), "{reply:?}");
        browser
    }

    pub fn arrive(&self, party: &Party<'_>, begun: &Begun) -> Reply {
        let query = encoded(&[("client_id", &party.id), ("request_uri", &begun.request_uri)]);
        let reply = self.get_as(&format!("/oidc/authorize?{query}"));
        for cookie in &reply.cookies {
            if cookie.starts_with("indrul-log-in=") {
                assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
                *self.cookie.lock().unwrap() = cookie.split(';').next().unwrap().to_owned();
            }
        }
        self.own(reply)
    }

    /// As a page of its own log-in asks.
    pub fn get(&self, path: &str) -> Reply {
        self.own(self.get_as(&self.of(path)))
    }

    /// Just this address.
    pub fn get_as(&self, path: &str) -> Reply {
        let cookie = self.cookie.lock().unwrap().clone();
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(self.from.map(|from| ("x-forwarded-for", from)));
        self.site.send("GET", path, &headers, "")
    }

    /// The log-in before it.
    pub fn log_in(&self) -> String {
        let cookie = self.cookie.lock().unwrap().clone();
        let found = cookie.split_once('=').and_then(|(_, value)| value.split_once('.'));
        found.map(|(id, _)| id.to_owned()).unwrap_or_default()
    }

    fn of(&self, path: &str) -> String {
        if !path.starts_with("/log-in") || path.contains("log_in=") {
            return path.to_owned();
        }
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}log_in={}", self.log_in())
    }

    /// What was answered, without the identifier of its own log-in, by which two would differ.
    fn own(&self, reply: Reply) -> Reply {
        let id = self.log_in();
        if id.is_empty() {
            return reply;
        }
        let without = |text: &str| text.replace(&format!("?log_in={id}"), "").replace(&id, "");
        let (location, text) = (without(&reply.location), without(&reply.text));
        Reply { location, text, ..reply }
    }

    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        self.post_text(path, &encoded(pairs))
    }

    pub fn post_text(&self, path: &str, body: &str) -> Reply {
        let path = &self.of(path);
        let cookie = self.cookie.lock().unwrap().clone();
        let headers = [
            ("cookie", cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.own(self.site.send("POST", path, &headers, body))
    }

    pub fn state(&self) -> String {
        self.get("/log-in/state").json()["state"].as_str().unwrap().to_owned()
    }

    /// All that its page shows, with `user_id` typed on it first.
    pub fn seen(&self, user_id: Option<&str>) -> Vec<String> {
        let mut seen = vec![self.state()];
        if let Some(user_id) = user_id {
            let named = self.post("/log-in", &[("user_id", user_id)]);
            seen.extend([named.status.to_string(), named.location, named.text]);
        }
        for path in ["/log-in", "/log-in/qr", "/log-in/ended"] {
            let page = self.get(path);
            seen.extend([page.status.to_string(), page.location, page.text]);
        }
        seen.extend([self.get("/log-in/qr/2").status.to_string(), self.state()]);
        seen
    }

    /// What opens the log-in.
    pub fn secret(&self) -> String {
        self.cookie.lock().unwrap().split_once('.').unwrap().1.to_owned()
    }

    /// What a camera reads from its screen.
    pub fn halves(&self) -> [String; 2] {
        let (desk, secret) = (self.site.desk, &self.secret());
        [Half::First, Half::Second]
            .map(|half| desk.runtime.block_on(desk.app.half(secret, half)).unwrap())
    }
}

/// A person's phone with an app.
pub struct Phone<'a> {
    pub citizen: &'a Citizen<'a>,
    pub app: String,
}

impl<'a> Phone<'a> {
    pub fn of(citizen: &'a Citizen<'a>) -> Self {
        Self { citizen, app: citizen.with_app() }
    }

    pub fn user_id(&self) -> String {
        self.citizen.identity.to_string().replace(|c: char| c.is_ascii_digit(), "x")
    }

    /// What the server answers to what was read.
    pub fn claim(&self, read: &Value) -> (u16, Value) {
        let (status, answer) = self.citizen.challenge(&self.app);
        assert_eq!(status, 201, "{answer}");
        let challenge = answer["challenge"].as_str().unwrap();
        let mut body = json!({
            "challenge": challenge,
            "signature": self.citizen.device.sign(Purpose::LogIn, challenge),
        });
        for (name, value) in read.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.citizen.desk.post(&format!("/v1/authenticators/{}/log-ins", self.app), &body)
    }

    pub fn scan(&self, halves: &[String; 2]) -> (u16, Value) {
        self.claim(&json!({ "halves": halves }))
    }

    /// What is before the person still, with another challenge to sign.
    pub fn claimed_again(&self, claimed: &Value) -> Value {
        let (status, drawn) = self.citizen.challenge(&self.app);
        assert_eq!(status, 201, "{drawn}");
        let mut again = claimed.clone();
        again["challenge"] = drawn["challenge"].clone();
        again
    }

    /// What is before the person, after a scan that has to succeed.
    pub fn claimed(&self, browser: &Browser<'_>) -> Value {
        let (status, claimed) = self.scan(&browser.halves());
        assert_eq!(status, 200, "{claimed}");
        claimed
    }

    /// The proof of an approval of what was shown.
    pub fn proof(&self, claimed: &Value, purpose: Purpose) -> Value {
        let text = |name: &str| claimed[name].as_str().unwrap();
        let shown = base64url(&openssl::sha::sha256(text("transaction").as_bytes()));
        let signed = format!("{}.{shown}", text("challenge"));
        json!({
            "challenge": text("challenge"),
            "signature": self.citizen.device.sign(purpose, &signed),
        })
    }

    pub fn approve(&self, claimed: &Value, pin: &str) -> (u16, Value) {
        let mut body = self.proof(claimed, Purpose::Approve);
        body["pin"] = json!(pin);
        self.answer(claimed, "approval", &body)
    }

    pub fn refuse(&self, claimed: &Value) -> (u16, Value) {
        self.answer(claimed, "refusal", &self.proof(claimed, Purpose::Refuse))
    }

    pub fn answer(&self, claimed: &Value, what: &str, body: &Value) -> (u16, Value) {
        let log_in = claimed["log_in"].as_str().unwrap();
        let path = format!("/v1/authenticators/{}/log-ins/{log_in}/{what}", self.app);
        self.citizen.desk.post(&path, body)
    }
}
