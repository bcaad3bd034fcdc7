//! What the OpenID Foundation's test plans ask of a provider, and above all what it has to refuse: basic, config,
//! FAPI 2.0 Security Profile and FAPI-CIBA. `docs/conformance-openid.md` says which test here is which module.

mod basic;
mod ciba;
mod config;
mod dpop;
mod fapi2;
mod table;

use super::desk::{Desk, Device, PIN};
use super::parties::{Begun, Browser, Party, Phone, Reply, Site, fresh, jwks};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign;
use serde_json::{Value, json};
use server::keys::base64url;

fn part(value: &Value) -> String {
    base64url(value.to_string().as_bytes())
}

/// A token that `device` signed.
fn signed(device: &Device, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    format!("{text}.{}", device.sign_bytes(text.as_bytes()))
}

/// Tokens signed with HS256 (RFC 7518 §3.2) by what everybody knows of the key of `device`: a server that takes the
/// algorithm from the token takes one of them.
fn by_public_key(device: &Device, claims: &Value) -> Vec<String> {
    let key = PKey::from_ec_key(device.0.clone()).unwrap();
    let jwk = jwks(device)["keys"][0].to_string().into_bytes();
    let der = key.public_key_to_der().unwrap();
    let known = [jwk, key.public_key_to_pem().unwrap(), der, b"\0".to_vec()];
    let text = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": "1" })), part(claims));
    let signed = |secret: Vec<u8>| {
        let secret = PKey::hmac(&secret).unwrap();
        let mut signer = sign::Signer::new(MessageDigest::sha256(), &secret).unwrap();
        let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
        format!("{text}.{}", base64url(&signature))
    };
    known.into_iter().map(signed).collect()
}

/// A key that no server of ours takes a signature of, though it may be registered.
struct Rsa(PKey<Private>);

impl Rsa {
    fn new() -> Self {
        Self(PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap())
    }

    /// The public key as it is registered (RFC 7518 §6.3.1).
    fn jwk(&self) -> Value {
        let key = self.0.rsa().unwrap();
        let (n, e) = (base64url(&key.n().to_vec()), base64url(&key.e().to_vec()));
        json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": n, "e": e })
    }

    /// A token that it signed with RS256 (RFC 7518 §3.3).
    fn signed(&self, claims: &Value) -> String {
        let text = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "rsa" })), part(claims));
        let mut signer = sign::Signer::new(MessageDigest::sha256(), &self.0).unwrap();
        let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
        format!("{text}.{}", base64url(&signature))
    }
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client sends beside a form in the place of a good proof: every way to be wrong that the modules on
/// client assertions have, but for audiences of ours. `rsa` is a registered key of the client.
fn wrong_proofs(party: &Party<'_>, rsa: &Rsa) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let now = party.site.desk.now().unix_timestamp();
    let issuer = &party.site.url;
    let by = |header: Value, change: &dyn Fn(&mut Value)| party.assertion(header, change);
    let with = |change: &dyn Fn(&mut Value)| by(json!({ "alg": "ES256" }), change);
    let whole = with(&|_| {});
    let (text, _) = whole.rsplit_once('.').unwrap();
    let mut claims = Value::Null;
    party.assertion(json!({}), |all| claims = all.clone());
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let beside = with(&|claims| claims["aud"] = json!([issuer, "https://example.com/"]));
    let typed = |(what, assertion): (&'static str, String)| {
        let kind = ("client_assertion_type", ASSERTION.to_owned());
        (what, vec![kind, ("client_assertion", assertion)])
    };
    let wrong = [
        ("no sub", with(&|claims| claims["sub"] = Value::Null)),
        ("sub of another", with(&|claims| claims["sub"] = json!("other"))),
        ("no iss", with(&|claims| claims["iss"] = Value::Null)),
        ("iss of another", with(&|claims| claims["iss"] = json!("other"))),
        ("no aud", with(&|claims| claims["aud"] = Value::Null)),
        ("aud elsewhere", with(&|claims| claims["aud"] = json!("https://example.com/"))),
        ("aud a list", with(&|claims| claims["aud"] = json!([issuer]))),
        ("aud a list with another", beside),
        ("aud with a slash", with(&|claims| claims["aud"] = json!(format!("{issuer}/")))),
        ("exp five minutes ago", with(&|claims| claims["exp"] = json!(now - 300))),
        ("iat 70 s ahead", with(&|claims| claims["iat"] = json!(now + 70))),
        ("nbf 70 s ahead", with(&|claims| claims["nbf"] = json!(now + 70))),
        ("no jti", with(&|claims| claims["jti"] = Value::Null)),
        ("RS256 by a registered key", rsa.signed(&claims)),
        ("alg none", unsigned),
        ("another signature", format!("{text}.{}", party.device.sign_bytes(b"something else"))),
        ("no signature", format!("{text}.")),
        ("a key that nobody registered", signed(&Device::new(), &json!({"alg": "ES256"}), &claims)),
    ];
    let symmetric = by_public_key(&party.device, &claims).into_iter().map(|token| ("HS256", token));
    let mut proofs: Vec<_> = wrong.into_iter().chain(symmetric).map(typed).collect();
    let other = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer".to_owned();
    let assertion = || ("client_assertion", with(&|_| {}));
    proofs.push(("no assertion", vec![("client_id", party.id.clone())]));
    proofs.push(("no client_assertion_type", vec![assertion()]));
    proofs.push(("another one", vec![("client_assertion_type", other), assertion()]));
    proofs
}

/// What `path` answers to a form with `proof` beside it.
fn answered(
    party: &Party<'_>,
    path: &str,
    pairs: &[(&str, &str)],
    proof: &[(&str, String)],
) -> Reply {
    let proof: Vec<_> = proof.iter().map(|(name, value)| (*name, value.as_str())).collect();
    party.form_with(path, pairs, &proof)
}

/// A proof by an assertion with changed claims.
fn asserted(party: &Party<'_>, change: impl FnOnce(&mut Value)) -> [(&'static str, String); 2] {
    let assertion = party.assertion(json!({ "alg": "ES256", "kid": "1" }), change);
    [("client_assertion_type", ASSERTION.to_owned()), ("client_assertion", assertion)]
}

/// Whether what was signed for one use is known still, once what is late was forgotten.
fn is_known(desk: &Desk, known_by: &str) -> bool {
    let hash = openssl::sha::sha256(known_by.as_bytes());
    desk.runtime.block_on(async {
        let mut tx = desk.store.begin().await.unwrap();
        tx.forget_log_ins(desk.now()).await.unwrap();
        tx.commit().await.unwrap();
        // Only looked at: nothing of this is kept.
        let mut tx = desk.store.begin().await.unwrap();
        !tx.use_once(&hash, desk.now()).await.unwrap()
    })
}

/// The browser comes back from a log-in that the person has approved.
fn back(party: &Party<'_>, phone: &Phone<'_>, begun: &Begun) -> Reply {
    let browser = Browser::at(party, begun);
    let claimed = phone.claimed(&browser);
    assert_eq!(phone.approve(&claimed, PIN).0, 200);
    browser.get("/log-in/continue")
}

/// A code, and the verifier that it needs.
fn code(party: &Party<'_>, phone: &Phone<'_>, changes: &[(&str, &str)]) -> (String, String) {
    let begun = party.begin(changes);
    (back(party, phone, &begun).param("code").unwrap(), begun.verifier)
}

/// A key that tokens are bound to, and whose requests it proves.
struct Key<'a> {
    site: &'a Site<'a>,
    device: Device,
}

impl<'a> Key<'a> {
    fn new(site: &'a Site<'a>) -> Self {
        Self { site, device: Device::new() }
    }

    /// The public key, as a proof has it in its header.
    fn jwk(&self) -> Value {
        let jwk = jwks(&self.device)["keys"][0].take();
        json!({ "kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"] })
    }

    /// Its thumbprint (RFC 7638 §3), written here anew.
    fn thumbprint(&self) -> String {
        let (x, y) = (self.jwk()["x"].clone(), self.jwk()["y"].clone());
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#);
        base64url(&openssl::sha::sha256(members.as_bytes()))
    }

    /// A proof for a request, with a token or without (RFC 9449 §4.2), after changes of header and claims.
    fn proof_with(
        &self,
        (method, path): (&str, &str),
        token: Option<&str>,
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> String {
        let mut header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let mut claims = json!({
            "jti": fresh(),
            "htm": method,
            "htu": format!("{}{path}", self.site.url),
            "iat": self.site.desk.now().unix_timestamp(),
        });
        if let Some(token) = token {
            claims["ath"] = json!(base64url(&openssl::sha::sha256(token.as_bytes())));
        }
        change(&mut header, &mut claims);
        for value in [&mut header, &mut claims] {
            value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        }
        signed(&self.device, &header, &claims)
    }

    fn proof(&self, method: &str, path: &str) -> String {
        self.proof_with((method, path), None, |_, _| {})
    }

    /// Tokens for a code, with a proof.
    fn tokens(&self, party: &Party<'_>, code: &str, verifier: &str) -> Reply {
        self.tokens_with(party, (code, verifier), &self.proof("POST", "/oidc/token"))
    }

    fn tokens_with(&self, party: &Party<'_>, (code, verifier): (&str, &str), proof: &str) -> Reply {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &party.redirect),
            ("code_verifier", verifier),
        ];
        party.form_beside("/oidc/token", &pairs, &[("dpop", proof)])
    }

    /// A token that is bound to the key, of a whole log-in.
    fn token(&self, party: &Party<'_>, phone: &Phone<'_>) -> String {
        let (code, verifier) = code(party, phone, &[]);
        let tokens = self.tokens(party, &code, &verifier);
        assert_eq!((tokens.status, &tokens.json()["token_type"]), (200, &json!("DPoP")));
        tokens.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Userinfo with these headers `DPoP`.
    fn userinfo_with(&self, token: &str, proofs: &[&str]) -> Reply {
        let scheme = format!("DPoP {token}");
        let mut headers = vec![("authorization", scheme.as_str())];
        headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
        self.site.send("GET", "/oidc/userinfo", &headers, "")
    }

    /// Userinfo, as it is meant.
    fn userinfo(&self, token: &str) -> Reply {
        let proof = self.proof_with(("GET", "/oidc/userinfo"), Some(token), |_, _| {});
        self.userinfo_with(token, &[&proof])
    }
}
