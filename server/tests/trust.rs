//! `enroll trust` as its users meet it: imports of every kind of file, what they find, and that
//! they are whole or not there at all.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use nfc::{
    files::{FileId, Files},
    passive,
    trust::{Domain, TrustStore},
};
use openssl::base64;
use serde_json::{Value, json};
use server::trust_dir::{Counts, TrustDir};
use tempfile::TempDir;

const DAY: time::Date = time::macros::date!(2026 - 03 - 02);

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enroll"));
    command.args(["trust"]).args(args).env_remove("INDRUL_DATA").env_remove("INDRUL_LOG");
    command
}

fn trust(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn make(name: &str) -> Passport {
    Passport::make(&catalogue::find(name).unwrap().spec, &Portraits::drawn(), DAY).unwrap()
}

/// A passport of another issuer.
fn stranger() -> Passport {
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.seed = "stranger".to_owned();
    Passport::make(&spec, &Portraits::drawn(), DAY).unwrap()
}

/// The document signer's certificate, which EF.SOD carries.
fn signer_of(passport: &Passport) -> Vec<u8> {
    let mut files = Files::new();
    let sod = passport.files.iter().find(|(name, _)| *name == "EF.SOD").unwrap();
    files.insert(FileId::Sod, sod.1.clone());
    let report = passive::verify(&files, &TrustStore::new(Domain::Qa), DAY);
    report.basis().signer.unwrap()
}

/// A place for one test, with a store that does not exist yet.
struct Place {
    dir: TempDir,
    store: String,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store").to_str().unwrap().to_owned();
        Self { dir, store }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Exit status and the result of the last file.
    fn import(&self, file: &str, more: &[&str]) -> (i32, Value) {
        let args = ["import", "--json", &self.store, file, "--domain", "qa", "--at", "2026-03-02"];
        let output = trust(&[&args, more].concat());
        (status(&output), objects(&output).pop().unwrap_or_default())
    }

    fn counts(&self, domain: Domain) -> Counts {
        TrustDir::open(Path::new(&self.store)).unwrap().counts(domain).unwrap()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64::encode_block(der))
}

fn ldif(attribute: &str, bytes: &[u8]) -> String {
    let folded: Vec<String> =
        format!("{attribute}:: {}", base64::encode_block(bytes).replace('\n', ""))
            .as_bytes()
            .chunks(76)
            .map(|chunk| String::from_utf8(chunk.to_vec()).unwrap())
            .collect();
    folded.join("\n ") + "\n"
}

#[test]
fn what_a_directory_holds_goes_where_it_belongs() {
    let (place, made) = (Place::new(), make("good"));
    let text = format!(
        "version: 1\n\n# signers\ndn: cn=a\\,C\\=XX,o=dsc,c=DK,dc=data\n{}\n\
         dn: cn=b,o=crl,c=DK\n{}\ndn: o=ml,c=DK\n{}\ndn: o=dsc,c=SE\nuserCertificate:: AA=A\n\n\
         no name: x\n",
        ldif("userCertificate;binary", &signer_of(&made)),
        ldif("certificateRevocationList;binary", &made.trust.crl),
        ldif("pkdMasterListContent", &made.trust.master_list),
    );
    let directory = place.file("icaopkd-001-complete-000042.ldif", text);
    let (status, result) = place.import(&directory, &[]);
    assert_eq!(status, 1, "the list's own root is nobody's word: {result:#}");
    assert_eq!(result["signers_of_lists"][0]["trusted_by"], Value::Null);
    assert_eq!(place.counts(Domain::Qa).anchors, 0);
    let root = place.file("root.cer", &made.trust.csca);
    let (status, result) = place.import(&directory, &["--signer", &root]);
    assert_eq!(status, 0, "{result:#}");
    assert_eq!(result["kind"], "ldif");
    assert_eq!(result["source"], "file icaopkd-001-complete");
    let counts = Counts { anchors: 1, signers: 1, revocation_lists: 1 };
    assert_eq!(place.counts(Domain::Qa), counts, "{result:#}");
    assert_eq!(result["signers_of_lists"][0]["verified"], true);
    let rejected = result["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 2, "{result:#}");
    assert_eq!(rejected[0]["entry"], "o=dsc,c=SE");
    assert!(rejected.iter().all(|r| r["sha256"].is_string() && r["reason"].is_string()));
    // The signer is no anchor, and leads to one.
    assert_eq!(objects(&trust(&["list", "--json", &place.store])).len(), 1);
    let all = trust(&["chain", "--json", "--all", &place.store]);
    let found = objects(&all);
    assert_eq!((status_and_count(&all), found.len()), ((0, 2), 2), "{found:#?}");
    assert_eq!(found[1]["path"][0]["self_signed"], true);
    // Changes of a directory are refused.
    let change = place.file("change.ldif", "dn: c=DK\nchangetype: delete\n");
    let (status, result) = place.import(&change, &[]);
    assert_eq!(status, 2);
    assert!(result["refused"].as_str().unwrap().contains("change records"), "{result}");
    assert_eq!(place.counts(Domain::Qa), counts);
}

#[test]
fn a_directory_makes_nobody_an_issuer_and_no_state_names_the_issuers_of_another() {
    let (place, made) = (Place::new(), make("good"));
    let issuer = format!(
        "version: 1\n\ndn: cn=a,o=dsc,c=DK\n{}\n",
        ldif("userCertificate;binary", &stranger().trust.csca)
    );
    let (status, result) = place.import(&place.file("issuer.ldif", issuer), &[]);
    assert_eq!(status, 1, "{result:#}");
    let why = result["rejected"][0]["reason"].as_str().unwrap();
    assert!(why.contains("nobody vouches"), "{why}");
    assert_eq!(place.counts(Domain::Qa), Counts::default());
    // A list in it, signed under an anchor of the store, adds that state's certificates.
    place.import(&place.file("root.cer", &made.trust.csca), &[]);
    let list = format!(
        "version: 1\n\ndn: o=ml,c=DK\n{}",
        ldif("pkdMasterListContent", &made.trust.master_list)
    );
    let (status, result) = place.import(&place.file("list.ldif", list), &[]);
    assert_eq!((status, &result["duplicates"]), (0, &json!(1)), "{result:#}");
    assert_eq!(result["signers_of_lists"][0]["trusted_by"], "store");
}

fn status_and_count(output: &Output) -> (i32, usize) {
    let found = objects(output).iter().filter(|found| found["found"] == true).count();
    (status(output), found)
}

#[test]
fn files_of_every_form_and_folders_of_them_are_taken() {
    let (place, good, other) = (Place::new(), make("good"), stranger());
    let both = pem("CERTIFICATE", &good.trust.csca) + &pem("X509 CRL", &good.trust.crl);
    place.file("in/a.pem", format!("for people\n{both}"));
    place.file("in/deeper/b.cer", &other.trust.csca);
    place.file("in/deeper/c.crl", &other.trust.crl);
    place.file("in/deeper/d.ml", &other.trust.master_list);
    place.file("in/README", "not for import");
    place.file("in/z.der", [0x30, 0x03, 0x02, 0x01, 0x05]);
    let folder = place.dir.path().join("in");
    let args = ["import", "--json", &place.store, folder.to_str().unwrap(), "--domain", "qa"];
    let output = trust(&args);
    let results = objects(&output);
    let kinds: Vec<_> = results.iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unknown", "pem", "certificate", "crl", "master_list", "certificate"]);
    assert_eq!(status(&output), 1, "one is rejected");
    assert_eq!(results[5]["rejected"][0]["index"], 0);
    assert_eq!(results[4]["duplicates"], 1, "its anchor came by itself before");
    let counts = Counts { anchors: 2, signers: 0, revocation_lists: 2 };
    assert_eq!(place.counts(Domain::Qa), counts);
    assert_eq!(place.counts(Domain::Production), Counts::default());
    // Again: nothing is new, and nothing gone.
    let again = objects(&trust(&args));
    assert!(again.iter().all(|r| r["imported"] == 0 && r["gone"] == json!([])), "{again:#?}");
    // People are told in words.
    let told = trust(&["list", &place.store]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told.lines().filter(|line| line.contains("root")).count(), 2, "{told}");
}

#[test]
fn a_list_that_nobody_signed_is_imported_only_if_told_to() {
    let (place, made) = (Place::new(), make("good"));
    let mut altered = made.trust.master_list.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let file = place.file("list.ml", altered);
    let (status, result) = place.import(&file, &[]);
    assert_eq!((status, &result["signer"]["signature"]), (1, &json!(false)), "{result:#}");
    assert!(result["refused"].as_str().unwrap().contains("does not verify"), "{result}");
    assert_eq!(place.counts(Domain::Qa), Counts::default());
    let (status, result) = place.import(&file, &["--unverified"]);
    assert_eq!((status, &result["imported"]), (0, &json!(1)), "{result:#}");
    assert_eq!(result["signer"]["verified"], false, "and it is said");
}

#[test]
fn the_signer_of_a_list_leads_to_a_certificate_that_is_believed() {
    let (place, made) = (Place::new(), make("good"));
    let list = place.file("list.ml", &made.trust.master_list);
    let root = place.file("root.cer", &made.trust.csca);
    let other = place.file("other.pem", pem("CERTIFICATE", &stranger().trust.csca));
    let (status, result) = place.import(&list, &["--signer", &other]);
    assert_eq!((status, &result["signer"]["verified"]), (1, &json!(false)), "{result:#}");
    assert!(result["refused"].as_str().unwrap().contains("--signer"));
    let (status, result) = place.import(&list, &["--signer", &root]);
    assert_eq!((status, &result["signer"]["trusted_by"]), (0, &json!("signer")), "{result:#}");
    assert_eq!(result["signer"]["findings"][0]["grade"], "fine");
    let (_, result) = place.import(&list, &[]);
    assert_eq!(
        (&result["signer"]["trusted_by"], &result["duplicates"]),
        (&json!("store"), &json!(1))
    );
    let fresh = Place::new();
    let (_, result) = fresh.import(&list, &[]);
    assert_eq!(result["signer"]["trusted_by"], "list");
    assert_eq!(result["source"], "master list of DK");
    let (status, _) = place.import(&list, &["--signer", "no-such-file"]);
    assert_eq!(status, 2);
}

#[test]
fn what_is_gone_from_a_source_is_told_and_removed_only_if_asked_to() {
    let (place, good, other) = (Place::new(), make("good"), stranger());
    let (first, second) =
        (pem("CERTIFICATE", &good.trust.csca), pem("CERTIFICATE", &other.trust.csca));
    let whole = place.file("anchors-2026-01.pem", format!("{first}{second}"));
    let part = place.file("anchors-2026-02.pem", &first);
    assert_eq!(place.import(&whole, &[]).1["imported"], 2);
    let (status, result) = place.import(&part, &[]);
    assert_eq!((status, &result["source"]), (0, &json!("file anchors")));
    let gone = result["gone"].as_array().unwrap();
    assert_eq!(
        (gone.len(), &gone[0]["kind"], &result["removed"]),
        (1, &json!("anchor"), &json!(0))
    );
    assert_eq!(place.counts(Domain::Qa).anchors, 2);
    // Another source has it too: it stays, also if asked to remove what is gone.
    place.import(&place.file("elsewhere.pem", &second), &[]);
    place.import(&whole, &[]);
    let (_, result) = place.import(&part, &["--remove-gone"]);
    assert_eq!((result["gone"].as_array().unwrap().len(), &result["removed"]), (1, &json!(0)));
    // Of a file that cannot be read nothing is gone.
    place.import(&whole, &[]);
    let (status, result) =
        place.import(&place.file("anchors-2026-03.pem", "junk"), &["--remove-gone"]);
    assert_eq!((status, &result["gone"]), (2, &json!([])));
    let alone = Place::new();
    alone.import(&whole, &[]);
    let (_, result) = alone.import(&part, &["--remove-gone"]);
    assert_eq!((result["gone"].as_array().unwrap().len(), &result["removed"]), (1, &json!(1)));
    assert_eq!(alone.counts(Domain::Qa).anchors, 1);
    let before = objects(&trust(&["list", "--json", "--previous", &alone.store]));
    assert_eq!(before.len(), 2, "the store before the last import is still readable");
}

#[test]
fn anchors_that_expire_soon_are_told() {
    let (place, made) = (Place::new(), make("good"));
    let file = place.file("csca.cer", &made.trust.csca);
    let (_, result) = place.import(&file, &[]);
    assert_eq!((&result["expiring"], &result["expired"]), (&json!([]), &json!(0)));
    let until = objects(&trust(&["list", "--json", &place.store]))[0]["not_after"].clone();
    let (_, result) = place.import(&file, &["--expiring-within", "65535"]);
    assert_eq!(result["expiring"][0]["not_after"], until, "{result:#}");
    let args = ["import", "--json", &place.store, &file, "--domain", "qa", "--at", "2090-01-01"];
    assert_eq!(objects(&trust(&args))[0]["expired"], 1);
}

#[test]
fn an_anchor_of_the_other_domain_only_gives_the_reason() {
    let (place, made) = (Place::new(), make("good"));
    let files = place.dir.path().join("files");
    for (name, bytes) in &made.files {
        place.file(&format!("files/{name}.bin"), bytes);
    }
    place.import(&place.file("qa.cer", &made.trust.csca), &[]);
    let other = place.file("production.cer", &stranger().trust.csca);
    import_real(&place.store, Path::new(&other), &[]);
    let verify = |domain: &str| {
        let args = ["--trust", &place.store, "--at", "2026-03-02", "--domain", domain];
        let output = Command::new(env!("CARGO_BIN_EXE_enroll"))
            .args(["chip", "verify", "--json", files.to_str().unwrap()])
            .args(args)
            .output()
            .unwrap();
        objects(&output).remove(0)
    };
    assert_eq!(verify("qa")["verdict"], "accepted");
    let refused = verify("production");
    assert_eq!(refused["verdict"], "refused");
    assert!(refused["reasons"].as_array().unwrap().contains(&json!("csca.domain")), "{refused:#}");
}

/// Distinct certificates that can be parsed: one, with another signature each.
fn many(seed: &[u8], count: u32, mark: u8) -> String {
    let one = |n: u32| {
        let mut der = seed.to_vec();
        let place = der.len() - 5;
        der[place] ^= mark;
        for (byte, with) in der[place + 1..].iter_mut().zip(n.to_be_bytes()) {
            *byte = with;
        }
        pem("CERTIFICATE", &der)
    };
    (0..count).map(one).collect()
}

#[test]
fn an_import_that_is_killed_at_any_time_is_whole_or_not_there() {
    const EACH: usize = 150;
    let (place, made) = (Place::new(), make("good"));
    let old = place.file("old.pem", many(&made.trust.csca, EACH as u32, 0));
    let new = place.file("new.pem", many(&made.trust.csca, EACH as u32, 1));
    assert_eq!(place.import(&old, &[]).1["imported"], EACH);
    let mut seen = [0_usize; 2];
    let args = ["import", &place.store, &new, "--domain", "qa"];
    let start = Instant::now();
    let copy = place.dir.path().join("copy");
    copy_folder(Path::new(&place.store), &copy);
    assert!(command(&args).output().unwrap().status.success());
    let whole = start.elapsed();
    for round in 0..24_u32 {
        fs::remove_dir_all(&place.store).unwrap();
        copy_folder(&copy, Path::new(&place.store));
        let mut child = command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / 22);
        child.kill().unwrap();
        child.wait().unwrap();
        let dir = TrustDir::open(Path::new(&place.store)).unwrap();
        let anchors = dir.load(Domain::Qa).unwrap().anchors().len();
        assert!(anchors == EACH || anchors == 2 * EACH, "{anchors} in round {round}");
        assert_eq!(dir.counts(Domain::Qa).unwrap().anchors, anchors);
        assert_eq!(dir.imports().unwrap().len() * EACH, anchors, "the record goes with it");
        seen[usize::from(anchors > EACH)] += 1;
    }
    println!("killed before it was visible: {}, after: {}", seen[0], seen[1]);
    assert!(seen[0] > 0, "some were killed before");
    // What the killed ones left does not disturb the next.
    assert!(trust(&args).status.success());
    assert_eq!(place.counts(Domain::Qa).anchors, 2 * EACH);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn two_imports_at_once_are_both_there() {
    let (place, made) = (Place::new(), make("good"));
    let files: Vec<_> =
        (0..4_u8).map(|n| place.file(&format!("{n}.pem"), many(&made.trust.csca, 20, n))).collect();
    let children: Vec<_> = files
        .iter()
        .map(|file| {
            let mut command = command(&["import", &place.store, file, "--domain", "qa"]);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(120);
    for mut child in children {
        assert!(child.wait().unwrap().success());
        assert!(Instant::now() < deadline);
    }
    assert_eq!(place.counts(Domain::Qa).anchors, 80);
}

fn field_data(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let root = std::env::var_os("INDRUL_FIELD_DATA").map_or(beside, PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no field data ({part})");
    None
}

fn import_real(store: &str, path: &Path, more: &[&str]) -> (i32, Vec<Value>) {
    let args = ["import", "--json", store, path.to_str().unwrap(), "--domain", "production"];
    let output = trust(&[&args, more].concat());
    (status(&output), objects(&output))
}

/// The list in the folder whose name begins so.
fn list_in(folder: &Path, prefix: &str) -> PathBuf {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_list = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(prefix) && name.ends_with(".ml")
    };
    paths.into_iter().find(is_list).unwrap()
}

#[test]
fn the_lists_of_two_states_are_imported_whole_and_verified_to_their_roots() {
    let Some(folder) = field_data("masterlists") else { return };
    let lists =
        [("DE_ML", 588, "DE_ROOT_CA_CSCA07.cer", "DE"), ("NL_ML", 411, "NL_ROOT_CA.cer", "NL")];
    for (prefix, count, root, country) in lists {
        let list = list_in(&folder, prefix);
        let root = folder.join(root);
        for (more, by) in [(vec![], "list"), (vec!["--signer", root.to_str().unwrap()], "signer")] {
            let place = Place::new();
            let (status, results) = import_real(&place.store, &list, &more);
            let result = &results[0];
            assert_eq!(status, 0, "{result:#}");
            assert_eq!(
                (&result["signer"]["verified"], &result["signer"]["trusted_by"]),
                (&json!(true), &json!(by))
            );
            assert_eq!(result["source"], format!("master list of {country}"));
            let sum = ["imported", "duplicates"].map(|name| result[name].as_u64().unwrap());
            let rejected = result["rejected"].as_array().unwrap();
            assert_eq!(sum[0] + sum[1] + rejected.len() as u64, count, "{prefix}");
            println!(
                "{prefix}: {sum:?} imported and duplicate, {} rejected, by {by}",
                rejected.len()
            );
            assert!(rejected.is_empty(), "{rejected:#?}");
        }
        let other = if country == "DE" { "NL_ROOT_CA.cer" } else { "DE_ROOT_CA_CSCA07.cer" };
        let place = Place::new();
        let (status, _) =
            import_real(&place.store, &list, &["--signer", folder.join(other).to_str().unwrap()]);
        assert_eq!(status, 1, "another state's root");
    }
}

#[test]
fn real_certificates_are_imported_listed_and_chained() {
    let (Some(lists), Some(certs)) = (field_data("masterlists"), field_data("certs")) else {
        return;
    };
    let place = Place::new();
    for path in [list_in(&lists, "DE_ML"), list_in(&lists, "NL_ML"), certs] {
        let (status, results) = import_real(&place.store, &path, &[]);
        let rejected: Vec<_> =
            results.iter().flat_map(|r| r["rejected"].as_array().unwrap()).collect();
        println!("{}: {} rejected: {rejected:?}", path.display(), rejected.len());
        assert_eq!(status, 0, "{}", path.display());
    }
    let counts = place.counts(Domain::Production);
    println!("{counts:?}");
    let danish = objects(&trust(&["list", "--json", "--country", "DK", &place.store]));
    let links: Vec<_> = danish.iter().filter(|anchor| anchor["self_signed"] == false).collect();
    assert_eq!((danish.len(), links.len()), (9, 3), "{danish:#?}");
    for link in links {
        let to = danish.iter().find(|anchor| anchor["sha256"] == link["link_to"]).unwrap();
        assert_eq!(to["country"], "DK");
        assert_ne!(to["sha256"], link["sha256"]);
    }
    let all = trust(&["chain", "--json", "--all", &place.store]);
    let (_, found) = status_and_count(&all);
    let total = objects(&all).len();
    println!("{found} of {total} lead to a self-signed anchor");
    assert_eq!(total, counts.anchors + counts.signers);
    assert!(objects(&all).iter().all(|one| one["found"] == true || one["reason"].is_string()));
    let roots =
        objects(&all).iter().filter(|one| one["certificate"]["self_signed"] == true).count();
    assert!(found >= roots, "every root leads to itself");
    let summary = objects(&trust(&["list", "--json", "--summary", &place.store]));
    println!("{}", summary[0]);
    assert_eq!(summary[0]["anchors"], counts.anchors);
}
