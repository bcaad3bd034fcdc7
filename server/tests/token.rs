//! The server's keys in a PKCS#11 token: SoftHSM, one token of its own for each test, used through
//! the command line, because a module is loaded once in a process.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// A data directory and a token beside it.
struct Station {
    dir: tempfile::TempDir,
    module: PathBuf,
}

impl Station {
    /// Nothing, said plainly, where SoftHSM is not installed.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    fn new() -> Option<Self> {
        let module = MODULES.iter().map(PathBuf::from).find(|path| path.exists());
        let Some(module) = module else {
            println!("skipped: SoftHSM (Debian softhsm2) is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tokens")).unwrap();
        let config = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            dir.path().join("tokens").display()
        );
        std::fs::write(dir.path().join("softhsm2.conf"), config).unwrap();
        let station = Self { dir, module };
        let args =
            ["--init-token", "--free", "--label", "indrul", "--pin", "0472", "--so-pin", "1111"];
        let made = Command::new("softhsm2-util")
            .args(args)
            .env("SOFTHSM2_CONF", station.dir.path().join("softhsm2.conf"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(station)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn keys(&self) -> PathBuf {
        self.data().join("keys")
    }

    fn command(&self, args: &[&str], token: bool) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enroll"));
        command
            .args(args)
            .args(["--json", "--data"])
            .arg(self.data())
            .env_remove("INDRUL_CONFIG")
            .env("SOFTHSM2_CONF", self.dir.path().join("softhsm2.conf"));
        if token {
            command
                .env("INDRUL_KEYS__TOKEN_MODULE", &self.module)
                .env("INDRUL_KEYS__TOKEN_PIN", "0472");
        }
        command
    }

    fn run(&self, args: &[&str], token: bool) -> Value {
        let output = self.command(args, token).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", errors(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes the first keys, as the first start of a server does.
    fn first_start(&self, token: bool) {
        // Without anchors the server does not start; its keys are made by whoever opens them.
        std::fs::create_dir_all(self.keys()).unwrap();
        self.run(&["keys", "init"], token);
        // An empty file is an empty database.
        std::fs::write(self.data().join("indrul.db"), b"").unwrap();
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn decode(text: &str) -> Vec<u8> {
    let standard = text.replace('-', "+").replace('_', "/");
    let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
    openssl::base64::decode_block(&padded).unwrap()
}

/// Which of the published keys a signature verifies with, by its `kid` and by the mathematics.
fn verified_with(jws: &str, jwks: &Value) -> usize {
    let parts: Vec<&str> = jws.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let at = keys.iter().position(|key| key["kid"] == header["kid"]).unwrap();
    let number =
        |name: &str| BigNum::from_slice(&decode(keys[at][name].as_str().unwrap())).unwrap();
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key =
        EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
    let pair = decode(parts[2]);
    let (r, s) = pair.split_at(32);
    let (r, s) = (BigNum::from_slice(r).unwrap(), BigNum::from_slice(s).unwrap());
    let signature = EcdsaSig::from_private_components(r, s).unwrap();
    let digest = openssl::sha::sha256(format!("{}.{}", parts[0], parts[1]).as_bytes());
    assert!(signature.verify(&digest, &key).unwrap(), "the signature is wrong");
    at
}

#[test]
fn keys_are_made_in_the_token_sign_after_a_restart_and_are_rotated_with_overlap() {
    // proves H5
    let Some(station) = Station::new() else { return };
    station.first_start(true);
    let files: Vec<_> =
        std::fs::read_dir(station.keys()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(!files.contains(&"signing-1.key".into()), "the signing key is in a file: {files:?}");
    let master = std::fs::read_to_string(station.keys().join("master.key")).unwrap();
    assert!(master.starts_with("token "), "the token does not wrap the master key");

    let first = station.run(&["keys", "check"], true);
    let jws = |of: &Value| of["jws"].as_str().unwrap().to_owned();
    assert_eq!(verified_with(&jws(&first), &first["jwks"]), 0);
    let again = station.run(&["keys", "check"], true);
    assert_eq!(again["jwks"], first["jwks"], "another key after a restart");

    let made = station.run(&["keys", "rotate", "--after", "0"], true);
    assert_eq!((&made["made"]["number"], &made["made"]["held"]), (&json!(2), &json!("token")));
    let now = station.run(&["keys", "check"], true);
    assert_eq!(verified_with(&jws(&now), &now["jwks"]), 1, "the new key signs");
    assert_eq!(verified_with(&jws(&first), &now["jwks"]), 0, "the old one is published");
    // The next rotation destroys the first one's private half, and its public half stays.
    let made = station.run(&["keys", "rotate", "--after", "3600"], true);
    assert_eq!(made["destroyed"], json!([1]));
    let later = station.run(&["keys", "check"], true);
    assert_eq!(verified_with(&jws(&later), &later["jwks"]), 1, "the third one's time has not come");
    assert_eq!(later["jwks"]["keys"].as_array().unwrap().len(), 3);
    assert_eq!(verified_with(&jws(&first), &later["jwks"]), 0);
}

#[test]
fn a_new_master_key_is_wrapped_by_the_token_and_the_old_one_is_gone() {
    // proves H5 (rotation of the master key)
    let Some(station) = Station::new() else { return };
    station.first_start(true);
    let master = || std::fs::read_to_string(station.keys().join("master.key")).unwrap();
    let (before, keys) = (master(), station.run(&["keys", "list"], true)["jwks"].clone());
    let begun = station.run(&["keys", "rotate-master"], true);
    assert_eq!(begun["finished"], false);
    assert!(master().starts_with("token ") && master() != before);
    assert!(station.keys().join("master-before.key").exists());
    let ended = station.run(&["keys", "rotate-master", "--finish"], true);
    assert_eq!((&ended["changed"], &ended["finished"]), (&json!(0), &json!(true)));
    assert!(!station.keys().join("master-before.key").exists());
    let check = station.run(&["keys", "check"], true);
    assert_eq!(check["jwks"], keys);
    assert_eq!(verified_with(check["jws"].as_str().unwrap(), &keys), 0);
    let trail = station.run(&["audit", "verify"], true);
    assert_eq!(trail["entries"], 2, "the rotation left no trace");
}

#[test]
fn keys_in_files_move_into_the_token_by_rotation() {
    let Some(station) = Station::new() else { return };
    station.first_start(false);
    let before = station.run(&["keys", "check"], false);
    station.run(&["keys", "rotate", "--after", "0"], true);
    let list = station.run(&["keys", "list"], true);
    assert_eq!(
        (&list["keys"][0]["held"], &list["keys"][1]["held"]),
        (&json!("file"), &json!("token"))
    );
    let after = station.run(&["keys", "check"], true);
    assert_eq!(verified_with(after["jws"].as_str().unwrap(), &after["jwks"]), 1);
    assert_eq!(verified_with(before["jws"].as_str().unwrap(), &after["jwks"]), 0);
}

#[test]
fn a_token_that_is_not_there_is_a_clear_error_with_status_3() {
    let Some(station) = Station::new() else { return };
    station.first_start(true);
    let mut without = station.command(&["keys", "check"], false);
    let mut empty = station.command(&["keys", "check"], true);
    empty.env("INDRUL_KEYS__TOKEN_LABEL", "another");
    let mut locked = station.command(&["keys", "check"], true);
    locked.env("INDRUL_KEYS__TOKEN_PIN", "9999");
    let mut no_pin = station.command(&["keys", "check"], true);
    no_pin.env_remove("INDRUL_KEYS__TOKEN_PIN");
    let mut no_module = station.command(&["keys", "check"], true);
    no_module.env("INDRUL_KEYS__TOKEN_MODULE", "/nowhere/module.so");
    let cases = [
        (without.output(), "a key lies in a PKCS#11 token: set keys.token_module"),
        (empty.output(), "there is no PKCS#11 token with the label \"another\""),
        (locked.output(), "the PKCS#11 token refuses the PIN"),
        (no_pin.output(), "the PKCS#11 token needs a PIN"),
        (no_module.output(), "the PKCS#11 module /nowhere/module.so cannot be loaded"),
    ];
    for (output, text) in cases {
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(errors(&output).contains(text), "{text}: {}", errors(&output));
        assert!(!errors(&output).contains("0472"), "the PIN is shown");
    }
    // Another token with the same label, as after a restore without the token.
    std::fs::remove_dir_all(station.dir.path().join("tokens")).unwrap();
    let gone = station.command(&["keys", "check"], true).output().unwrap();
    assert_eq!(gone.status.code(), Some(3), "{}", errors(&gone));
}
