//! What the OpenID Foundation's test plans ask of a provider, and above all what it has to refuse: basic, config,
//! FAPI 2.0 Security Profile and FAPI-CIBA. `docs/conformance-openid.md` says which test here is which module.

mod basic;
mod ciba;
mod config;
mod dpop;
mod fapi2;
mod table;

use super::desk::{Device, PIN};
use super::parties::{Begun, Browser, Party, Phone, Reply, Site, fresh, jwks};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
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

/// The same claims signed with RS256, by a key that nobody knows.
fn rs256(claims: &Value) -> String {
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "1" })), part(claims));
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut signer = sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
    format!("{text}.{}", base64url(&signature))
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
