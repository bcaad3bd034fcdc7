//! `enroll relying-party`.

use serde_json::{Value, json};
use server::clock::SystemEntropy;
use server::keys::KeyRing;
use server::storage::{Store, embedded_url};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

const NETBANK: &str = r#"
client_id = "netbank"
name = "Netbanken"
organisation = "Banken A/S"
sector = "private"
redirect_uris = ["https://netbank.invalid/cb"]
token_endpoint_auth_method = "client_secret_basic"
scopes = ["openid", "mitid"]
"#;

/// The same that signs the requests by which it begins log-ins.
fn signing(alg: &str) -> String {
    format!("{NETBANK}backchannel_authentication_request_signing_alg = \"{alg}\"\n")
}

fn enroll(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enroll"));
    let (verb, rest) = arguments.split_first().unwrap();
    command.args(["relying-party", verb, "--data"]).arg(data).args(rest).output().unwrap()
}

#[test]
fn a_relying_party_is_added_listed_and_disabled() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let keys = KeyRing::open(&data.join("keys"), None, &SystemEntropy).unwrap();
        Store::open(&embedded_url(data), Arc::new(keys), Arc::new(SystemEntropy)).await.unwrap();
    });
    let file = data.join("netbank.toml");
    std::fs::write(&file, NETBANK).unwrap();
    let path = file.to_str().unwrap();
    let code = |output: &Output| output.status.code().unwrap();

    let added = enroll(data, &["add", path, "--json"]);
    let answer: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!((code(&added), &answer["client_id"]), (0, &json!("netbank")));
    assert_eq!(answer["client_secret"].as_str().unwrap().len(), 43, "256 bits");
    assert_eq!(code(&enroll(data, &["add", path])), 1, "taken");

    let listed = enroll(data, &["list", "--json"]);
    let row: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&row["auth"], &row["disabled"]), (&json!("client_secret_basic"), &Value::Null));
    assert_eq!(row["dpop_bound_access_tokens"], false);
    let secret = answer["client_secret"].as_str().unwrap();
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(secret), "shown once");

    for (wrong, said) in [
        (
            NETBANK.replace("https://netbank.invalid/cb", "http://netbank.invalid/cb"),
            "https, or http",
        ),
        (NETBANK.replace("client_secret_basic", "none"), "is no registration"),
        (NETBANK.replace("client_secret_basic", "private_key_jwt"), "jwks_file"),
        (signing("RS256"), "is no registration"),
        (signing("ES256"), "needs ciba and private_key_jwt"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let refused = enroll(data, &["add", path]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(code(&refused) == 2 && told.contains(said), "{told}");
    }
    assert_eq!(code(&enroll(data, &["disable", "netbank"])), 0);
    assert_eq!(code(&enroll(data, &["disable", "netbank"])), 1, "it was");
    let listed = enroll(data, &["list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("disabled"));
}
