//! Relying parties that others wrote log in: npm's `openid-client` (also by CIBA, and with DPoP), PyPI's Authlib and the crate
//! `openidconnect`, each with PAR and PKCE. The test is the browser and the phone.

use super::desk::{Desk, PIN};
use super::parties::{Begun, Browser, Party, Phone, Reply, Site, private_jwk};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
};
use serde_json::{Value, json};
use server::clock::{Clock, SystemClock};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use time::Duration;

/// A program that is a relying party.
struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    /// What it says next.
    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("it ended: {:?}", self.child.wait()))
    }

    fn hears(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn ends(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

/// Where `scripts/openid-clients` put them.
#[expect(clippy::print_stdout, reason = "says what is skipped")]
fn installed() -> Option<PathBuf> {
    let folder = std::env::var_os("INDRUL_OPENID_CLIENTS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: no clients; ./test and scripts/openid-clients bring them");
    }
    folder
}

fn source(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/clients").join(name)
}

/// A service whose clock is that of the clients.
fn now(desk: &Desk) {
    desk.wait(SystemClock.now() - desk.now());
}

/// A browser goes where the relying party sends it, and the person approves; the address that it comes back to.
fn approved(party: &Party<'_>, phone: &Phone<'_>, address: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "request_uri");
    let request_uri = found.unwrap().1.into_owned();
    let browser = Browser::at(party, &Begun { request_uri, verifier: String::new() });
    let claimed = phone.claimed(&browser);
    assert_eq!(phone.approve(&claimed, PIN).0, 200);
    let Reply { location, .. } = browser.get("/log-in/continue");
    location
}

#[test]
fn npms_openid_client_logs_in_with_par_and_pkce_and_by_ciba() {
    openid_client(false);
}

#[test]
fn npms_openid_client_logs_in_with_tokens_that_are_bound_to_its_key() {
    openid_client(true);
}

fn openid_client(bound: bool) {
    let Some(folder) = installed() else { return };
    for desk in Desk::all() {
        now(&desk);
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|table| {
            table.insert("dpop_bound_access_tokens".to_owned(), bound.into());
        });
        // A module is looked for beside the file that asks for it.
        let script =
            folder.join(format!("openid-client-{}.mjs", if bound { "dpop" } else { "bearer" }));
        std::fs::copy(source("openid-client.mjs"), &script).unwrap();
        let key = desk.folder().join("key.json");
        std::fs::write(&key, private_jwk(&netbank.device).to_string()).unwrap();
        let mut command = Command::new("node");
        command.arg(script).args([&site.url, &netbank.id]).arg(&key).arg(&netbank.redirect);
        command.args(bound.then_some("dpop"));
        // What it signs is of its own clock's now, and the service's stands: after each wait it is set anew.
        now(&desk);
        let mut client = Client::start(&mut command);
        let address = client.says()["authorize"].as_str().unwrap().to_owned();
        now(&desk);
        let back = approved(&netbank, &phone, &address);
        now(&desk);
        client.hears(&back);
        let told = client.says();
        assert_eq!(told["info"]["mitid.date_of_birth"], "1974-08-12", "{told}");
        assert_eq!(told["active"], true);
        // The client writes the type in small letters (RFC 6749 §7.1).
        let of = if bound { "dpop" } else { "bearer" };
        assert_eq!((&told["type"], told["key"].is_string()), (&json!(of), bound));

        assert_eq!(client.says(), json!({ "waits": 300 }));
        let (status, claimed) = phone.claim(&json!({}));
        assert_eq!((status, &claimed["reference_text"]), (200, &json!("Kundeservice W4SCT")));
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        // The service's clock stands: it goes on while the client waits for its next poll.
        desk.wait(Duration::seconds(10));
        let later = client.says();
        assert_eq!(later, json!({ "sub": told["claims"]["sub"], "active": false, "type": of }));
        client.ends();
    }
}

#[test]
fn authlib_logs_in_with_par_and_pkce() {
    let Some(folder) = installed() else { return };
    for desk in Desk::all() {
        now(&desk);
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|table| {
            table["token_endpoint_auth_method"] = "client_secret_basic".into();
        });
        let mut command = Command::new(folder.join("python/bin/python"));
        let arguments = [&site.url, &netbank.id, &netbank.secret, &netbank.redirect];
        command.arg(source("authlib_client.py")).args(arguments);
        let mut client = Client::start(&mut command);
        let address = client.says()["authorize"].as_str().unwrap().to_owned();
        client.hears(&approved(&netbank, &phone, &address));
        let told = client.says();
        assert_eq!(told["info"]["mitid.date_of_birth"], "1974-08-12", "{told}");
        assert_eq!(told["claims"]["aud"], "netbank");
        client.ends();
    }
}

/// How the crate reaches the service.
fn http(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.max_redirects(0).proxy(None).build().into();
    let (parts, mut body) = agent.run(request)?.into_parts();
    let bytes = body.read_to_vec()?;
    Ok(HttpResponse::from_parts(parts, bytes))
}

#[test]
fn the_crate_openidconnect_logs_in_with_par_and_pkce() {
    for desk in Desk::all() {
        now(&desk);
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|table| {
            table["token_endpoint_auth_method"] = "client_secret_basic".into();
        });
        let issuer = IssuerUrl::new(site.url.clone()).unwrap();
        let metadata = CoreProviderMetadata::discover(&issuer, &http).unwrap();
        let secret = ClientSecret::new(netbank.secret.clone());
        let id = ClientId::new(netbank.id.clone());
        let client = CoreClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(netbank.redirect.clone()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("mitid".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        // The crate has no PAR: what it would have sent with the browser is pushed as it is.
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let pushed = netbank.form("/oidc/par", &pairs).json();
        let request_uri = pushed["request_uri"].as_str().unwrap();
        let query = super::parties::encoded(&[("request_uri", request_uri)]);
        let back = approved(&netbank, &phone, &format!("?{query}"));
        let (_, query) = back.split_once('?').unwrap();
        let found = |name: &str| {
            let pair = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
            pair.unwrap().1.into_owned()
        };
        assert_eq!((&found("state"), found("iss")), (state.secret(), site.url.clone()));
        let code = AuthorizationCode::new(found("code"));
        let exchange = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
        let tokens = exchange.request(&http).unwrap();
        let es256 = [CoreJwsSigningAlgorithm::EcdsaP256Sha256];
        let judge = client.id_token_verifier().set_allowed_algs(es256);
        let claims = tokens.id_token().unwrap().claims(&judge, &nonce).unwrap();
        let asked = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()));
        let info: CoreUserInfoClaims = asked.unwrap().request(&http).unwrap();
        assert_eq!(info.subject(), claims.subject());
    }
}
