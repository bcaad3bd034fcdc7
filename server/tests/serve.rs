//! `enroll serve` as a process: it starts from a production trust store, is watched over its metrics,
//! is copied while it runs, and ends when it is asked to.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use fixtures::leaks::leak;
use fixtures::passport::Passport;
use fixtures::portraits::Portraits;
use serde_json::{Value, json};
use server::clock::{Clock, SystemClock, copenhagen_date};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The face models, or nothing, said plainly, where `scripts/models` has not been run.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn models() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let data = std::env::var_os("INDRUL_DATA").map_or(beside, PathBuf::from);
    let models = data.join("models").canonicalize().ok();
    if models.is_none() {
        println!("skipped: no face models; run scripts/models");
    }
    models
}

fn enroll(args: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enroll"));
    command.args(args).arg("--data").arg(data).env_remove("INDRUL_CONFIG").env_remove("INDRUL_LOG");
    command
}

/// Imports the issuer of a fixture as if it were a real one.
fn trust_somebody(data: &Path) {
    let spec = fixtures::catalogue::find("good").unwrap().spec;
    let day = copenhagen_date(SystemClock.now());
    let passport = Passport::make(&spec, &Portraits::drawn(), day).unwrap();
    let file = data.join("csca.der");
    std::fs::write(&file, &passport.trust.csca).unwrap();
    let imported = Command::new(env!("CARGO_BIN_EXE_enroll"))
        .args(["trust", "import", "--domain", "production"])
        .args([&data.join("trust"), &file])
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
}

/// A running server with its address and that of its metrics.
struct Served {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
    url: String,
    metrics: String,
}

impl Served {
    fn start(data: &Path) -> Self {
        let mut process = enroll(&["serve", "--listen", "127.0.0.1:0"], data)
            .env("INDRUL_SERVER__METRICS_LISTEN", "127.0.0.1:0")
            .env("INDRUL_LOG_FORMAT", "json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut lines = log.by_ref().lines().map(|line| line.unwrap());
        let told = lines.find_map(|line| {
            let told: Value = serde_json::from_str(&line).unwrap();
            (told["fields"]["message"] == "metrics").then_some(told)
        });
        let metrics = format!("http://{}/metrics", told.unwrap()["fields"]["at"].as_str().unwrap());
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening ").unwrap().to_owned();
        Self { process, log, url, metrics }
    }

    /// Asks it to end, and returns what it has logged.
    fn stop(mut self) -> String {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        assert!(self.process.wait().unwrap().success(), "{log}");
        log
    }
}

fn read(url: &str) -> String {
    ureq::get(url).call().unwrap().into_body().read_to_string().unwrap()
}

#[test]
fn it_is_watched_copied_and_stopped_and_tells_nobody_who_was_there() {
    // proves H4
    let Some(models) = models() else { return };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink(models, data.join("models")).unwrap();
    trust_somebody(&data);
    let served = Served::start(&data);
    assert_eq!(read(&format!("{}/health/ready", served.url)), r#"{"status":"ready"}"#);
    // The address alone leads to the citizen's pages, in Danish, with or without the design system.
    let page = read(&served.url);
    assert!(page.contains("<html lang=\"da\"") && page.contains("/enrol/consent"), "{page}");
    // Of the demonstration and of QA's console it has nothing.
    for path in ["/qa", "/qa/registers", "/qa/fixtures/good", "/reasons", "/demo/messages"] {
        let answer = ureq::get(format!("{}{path}", served.url)).call();
        assert!(matches!(answer, Err(ureq::Error::StatusCode(404))), "{path}: {answer:?}");
    }
    let body = json!({
        "consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"},
        "cpr": "120874-0002",
    });
    let started = ureq::post(format!("{}/v1/enrolments", served.url)).send_json(body).unwrap();
    let started: Value = started.into_body().read_json().unwrap();
    let metrics = read(&served.metrics);
    let counted = "indrul_http_requests_total{operation=\"start\",status=\"201\"} 1\n";
    assert!(metrics.contains(counted), "{metrics}");

    let copy = dir.path().join("copy");
    let copied = enroll(&["backup", "--to", copy.to_str().unwrap()], &data).output().unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let verified = enroll(&["audit", "verify"], &copy).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let again = enroll(&["backup", "--to", copy.to_str().unwrap()], &data).status().unwrap();
    assert_eq!(again.code(), Some(2), "a copy is written over");

    let log = served.stop();
    assert!(log.contains("stopping"), "{log}");
    let token = started["token"].as_str().unwrap();
    for word in ["120874", "120874-0002", "1208740002", token] {
        let told = leak(&log, word).is_some() || leak(&metrics, word).is_some();
        assert!(!told, "it is told who was there");
    }
}

#[test]
fn metrics_are_served_on_this_machine_only() {
    let Some(models) = models() else { return };
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(models, dir.path().join("models")).unwrap();
    trust_somebody(dir.path());
    let output = enroll(&["serve", "--listen", "127.0.0.1:0"], dir.path())
        .env("INDRUL_SERVER__METRICS_LISTEN", "0.0.0.0:0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("0.0.0.0:0 is no loopback address"), "{errors}");
}

#[test]
fn what_a_demonstration_left_to_log_in_at_is_disabled_and_nothing_else() {
    // proves G8
    let Some(models) = models() else { return };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    std::os::unix::fs::symlink(models, data.join("models")).unwrap();
    trust_somebody(data);
    let listed = |client_id: &str| {
        let told = enroll(&["relying-party", "list", "--json"], data).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let mut rows = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.find(|row| row["client_id"] == client_id).unwrap()["disabled"].clone()
    };
    let starts_and_ends = || {
        let served = Served::start(data);
        assert_eq!(read(&format!("{}/health/ready", served.url)), r#"{"status":"ready"}"#);
        served.stop();
    };
    // The store is there from an earlier start.
    starts_and_ends();
    for client_id in ["demo-borger", "demo-netbank", "demo-other"] {
        let file = data.join("party.toml");
        let text = format!(
            r#"
            client_id = "{client_id}"
            name = "Netbanken"
            organisation = "Banken A/S (demo)"
            sector = "private"
            redirect_uris = ["https://demo.invalid/callback"]
            token_endpoint_auth_method = "client_secret_basic"
            scopes = ["openid", "mitid"]
            "#
        );
        std::fs::write(&file, text).unwrap();
        let added = enroll(&["relying-party", "add", file.to_str().unwrap()], data).output();
        assert!(added.as_ref().unwrap().status.success(), "{added:?}");
        assert_eq!(listed(client_id), Value::Null);
    }
    starts_and_ends();
    assert!(listed("demo-borger").is_string() && listed("demo-netbank").is_string());
    assert_eq!(listed("demo-other"), Value::Null, "another's name is another's");
}
