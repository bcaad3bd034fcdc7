//! The command `enroll` as its users meet it: the real binary, its JSON and its exit status
//! (INTERFACES, *Results*).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod mrz_read;

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn enroll(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_enroll"))
        .args(args)
        .env_remove("INDRUL_DATA")
        .env_remove("INDRUL_LOG")
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn mrz_parse_tells_valid_from_invalid_from_misuse() {
    let good = enroll(&["mrz", "parse", "--json", &format!("{FIRST}\n{SECOND}")]);
    assert_eq!(status(&good), 0);
    let parsed = &objects(&good)[0];
    assert_eq!(parsed["format"], "TD3");
    assert_eq!(parsed["valid"], true);
    assert_eq!(parsed["fields"]["document_number"], "L898902C3");
    assert_eq!(parsed["fields"]["birth_date"], "740812");
    let wrong = enroll(&["mrz", "parse", "--json", FIRST, &SECOND.replace("<10", "<11")]);
    assert_eq!(status(&wrong), 1);
    assert_eq!(objects(&wrong)[0]["checks"]["composite"], false);
    assert_eq!(objects(&wrong)[0]["reason"], "mrz.check_digit");
    let none = enroll(&["mrz", "parse", "--json", "hello"]);
    assert_eq!((status(&none), &objects(&none)[0]["reason"]), (1, &"mrz.format".into()));
    assert!(objects(&none)[0]["next_step"]["da"].is_string());
    let strict = enroll(&["mrz", "parse", "--json", "--no-specimens", FIRST, SECOND]);
    assert_eq!(objects(&strict)[0]["warnings"][0], "issuer.unknown");
    assert_eq!(status(&enroll(&["mrz", "parse"])), 2);
    assert_eq!(status(&enroll(&["mrz", "parse", "--no-such-option", FIRST])), 2);
}

#[test]
fn mrz_read_tells_a_file_that_is_no_picture() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.png");
    std::fs::write(&file, b"no picture").unwrap();
    let output = enroll(&["mrz", "read", "--json", text(&file)]);
    assert_eq!(status(&output), 2);
    assert_eq!(objects(&output)[0]["found"], false);
}

#[test]
fn every_code_of_the_interface_is_listed() {
    let output = enroll(&["reasons", "--json"]);
    assert_eq!(status(&output), 0);
    let listed = objects(&output);
    let codes: Vec<&str> = listed.iter().map(|line| line["code"].as_str().unwrap()).collect();
    let interface = "mrz.not_found mrz.check_digit mrz.format mrz.unsure chip.link_lost \
        chip.access_denied chip.not_an_emrtd chip.protocol chip.secure_messaging chip.downgrade \
        sod.malformed sod.signature.invalid sod.digest_mismatch sod.algorithm dg.hash_mismatch \
        dg.missing signer.not_found signer.expired signer.revoked signer.untrusted signer.country \
        csca.unknown csca.expired csca.domain crl.stale chip_authentication.failed \
        chip_authentication.missing active_authentication.failed active_authentication.missing \
        document.expired document.type document.status.lost document.status.stolen \
        document.status.revoked document.status.unknown document.status.unavailable \
        document.page_mismatch document.already_used face.not_found face.several face.mismatch \
        face.attack face.challenge face.model face.portrait_unreadable face.morph_suspected person.not_found \
        person.mismatch person.deceased person.missing person.emigrated person.too_young \
        person.unavailable case.expired case.attempts case.state case.consent case.replay";
    for code in interface.split_whitespace() {
        assert!(codes.contains(&code), "{code}");
    }
    for line in &listed {
        for member in ["text", "next_step"] {
            assert!(line[member]["da"].is_string() && line[member]["en"].is_string());
        }
    }
}

#[test]
fn without_models_the_message_names_the_command_that_fetches_them() {
    let dir = tempfile::tempdir().unwrap();
    let data = text(dir.path());
    for args in [
        vec!["face", "compare", "--data", data, "a.png", "b.png"],
        vec!["face", "quality", "--data", data, "a.png"],
        vec!["face", "attack", "--data", data, "a.png"],
    ] {
        let output = enroll(&args);
        assert_eq!(status(&output), 3, "{args:?}");
        assert!(complaint(&output).contains("scripts/models"), "{}", complaint(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn without_a_trust_store_nothing_can_be_verified() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none");
    let store = text(&missing);
    let folder = text(dir.path());
    for args in [
        vec!["chip", "verify", folder, "--trust", store],
        vec!["trust", "list", store],
        vec!["trust", "chain", store, "cert.der"],
    ] {
        let output = enroll(&args);
        assert_eq!(status(&output), 3, "{args:?}: {}", complaint(&output));
    }
    assert_eq!(status(&enroll(&["chip", "verify", folder])), 2, "--trust is required");
}

#[test]
fn a_folder_without_a_chip_is_unusable() {
    let dir = tempfile::tempdir().unwrap();
    let folder = text(dir.path());
    assert_eq!(status(&enroll(&["chip", "verify", folder, "--trust", folder])), 2);
}

#[test]
fn a_reader_that_is_not_there_is_not_a_refusal() {
    let key = ["--document-number", "L898902C3", "--birth", "740812", "--expiry", "120415"];
    let mut args = vec!["chip", "read", "--json", "--reader", "No such reader"];
    assert_eq!(status(&enroll(&args)), 2, "no key");
    args.extend(key);
    let output = enroll(&args);
    assert_eq!(status(&output), 3, "{}", complaint(&output));
    assert!(output.stdout.is_empty());
    args.extend(["--can", "123456"]);
    assert_eq!(status(&enroll(&args)), 2, "two keys");
}

#[test]
fn a_key_that_cannot_be_printed_is_misuse() {
    let args = ["chip", "read", "--reader", "x", "--document-number", "L898902C3"];
    let with = |birth, expiry| {
        let mut args = args.to_vec();
        args.extend(["--birth", birth, "--expiry", expiry]);
        status(&enroll(&args))
    };
    assert_eq!(with("741312", "120415"), 2);
    assert_eq!(with("740812", "soon"), 2);
    assert_eq!(status(&enroll(&args)), 2, "no dates");
}

#[test]
fn an_import_lists_what_it_cannot_use_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (store, odd) = (dir.path().join("store"), dir.path().join("odd.der"));
    std::fs::write(&odd, [0x30, 0x03, 0x02, 0x01, 0x05]).unwrap();
    let noise = dir.path().join("noise.ml");
    std::fs::write(&noise, b"noise").unwrap();
    let args = ["trust", "import", "--json", text(&store), text(&odd), "--domain", "qa"];
    let output = enroll(&args);
    assert_eq!(status(&output), 1);
    let result = &objects(&output)[0];
    assert_eq!(result["rejected"][0]["index"], 0);
    assert!(!result["rejected"][0]["reason"].as_str().unwrap().is_empty());
    let mut both = args.to_vec();
    both.insert(5, text(&noise));
    let output = enroll(&both);
    assert_eq!(status(&output), 2);
    assert_eq!(objects(&output).len(), 2, "one result a file");
    assert_eq!(status(&enroll(&["trust", "import", text(&store), text(&odd)])), 2, "no domain");
    assert_eq!(status(&enroll(&["trust", "list", text(&store)])), 0);
}

/// Writes the files of a fixture passport and imports its issuer.
fn passport(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    use fixtures::{catalogue, passport::Passport, portraits::Portraits};
    let spec = catalogue::find("good").unwrap().spec;
    let day = time::macros::date!(2026 - 03 - 02);
    let made = Passport::make(&spec, &Portraits::drawn(), day).unwrap();
    let (files, store) = (dir.join("files"), dir.join("store"));
    std::fs::create_dir(&files).unwrap();
    for (name, bytes) in &made.files {
        std::fs::write(files.join(format!("{name}.bin")), bytes).unwrap();
    }
    let list = dir.join("list.ml");
    std::fs::write(&list, &made.trust.master_list).unwrap();
    let csca = dir.join("csca.cer");
    std::fs::write(&csca, &made.trust.csca).unwrap();
    let crl = dir.join("csca.crl");
    std::fs::write(&crl, &made.trust.crl).unwrap();
    let imported = enroll(&[
        "trust",
        "import",
        "--json",
        "--domain",
        "qa",
        text(&store),
        text(&csca),
        text(&list),
        text(&crl),
    ]);
    assert_eq!(status(&imported), 0, "{}", complaint(&imported));
    let results = objects(&imported);
    assert_eq!(results[0]["imported"], 1);
    assert_eq!(results[1]["kind"], "master_list");
    assert_eq!(results[1]["signer"]["verified"], true, "{}", results[1]);
    assert_eq!(results[2]["kind"], "crl");
    (files, store)
}

#[test]
fn a_passport_is_verified_and_one_changed_byte_of_any_file_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (files, store) = passport(dir.path());
    let verify = || {
        let at = ["--at", "2026-03-02"];
        let base = ["chip", "verify", "--json", text(&files), "--trust", text(&store)];
        enroll(&[base.as_slice(), at.as_slice()].concat())
    };
    let good = verify();
    let result = &objects(&good)[0];
    assert_eq!(status(&good), 0, "{result}");
    assert_eq!(result["verdict"], "accepted");
    assert_eq!(result["document"]["issuer"], "DNK");
    assert_eq!(result["csca"]["sha256"].as_str().unwrap().len(), 64);
    for entry in std::fs::read_dir(&files).unwrap() {
        let path = entry.unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        for place in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let output = verify();
            assert_eq!(status(&output), 1, "{} at {place}", path.display());
            assert_eq!(objects(&output)[0]["verdict"], "refused");
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(status(&verify()), 0);
}

#[test]
fn the_signature_alone_can_be_verified_and_its_chain_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (files, store) = passport(dir.path());
    for entry in std::fs::read_dir(&files).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("EF.SOD.bin") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let args = ["chip", "verify", "--json", text(&files), "--trust", text(&store)];
    let output = enroll(&[args.as_slice(), &["--at", "2026-03-02"]].concat());
    let result = &objects(&output)[0];
    assert_eq!(status(&output), 0, "{result}");
    let checks = result["checks"].as_array().unwrap();
    let hashes = checks.iter().find(|check| check["id"] == "dg.hash").unwrap();
    assert_eq!(hashes["outcome"], "not_performed");
    let listed = objects(&enroll(&["trust", "list", "--json", text(&store)]));
    assert!(listed.iter().all(|anchor| anchor["domain"] == "qa" && anchor["sha256"].is_string()));
    let csca = dir.path().join("csca.cer");
    let chain = enroll(&["trust", "chain", "--json", text(&store), text(&csca)]);
    assert_eq!(status(&chain), 0);
    assert_eq!(objects(&chain)[0]["path"][0]["self_signed"], true);
}
