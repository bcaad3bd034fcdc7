//! `enroll demo` as a process, for tests.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::testing::{data, enroll};

/// A running demonstration, stopped when dropped.
#[derive(Debug)]
pub struct Demo {
    process: Child,
    url: String,
    folder: TempDir,
}

impl Demo {
    /// Starts one on a free port, with the program `fixtures` at this path, the program `enroll` beside it,
    /// and these environment variables.
    ///
    /// # Panics
    /// If it does not start: run `scripts/models` and build both programs first, as ./test does.
    #[must_use]
    pub fn start(fixtures: &str, settings: &[(&str, &str)]) -> Self {
        Self::with(fixtures, settings, "")
    }

    /// The same with a configuration file, before which those variables have their say.
    ///
    /// # Panics
    /// As [`Demo::start`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests only")]
    pub fn with(fixtures: &str, settings: &[(&str, &str)], config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("indrul.toml");
        fs::write(&file, config).expect("a configuration");
        let data = data().canonicalize().expect("run scripts/models first");
        for name in ["models", "portraits", "pages"] {
            symlink(data.join(name), folder.path().join(name)).expect("a link");
        }
        let mut process = enroll(fixtures)
            .args(["demo", "--listen", "127.0.0.1:0", "--fixtures", fixtures, "--data"])
            .arg(folder.path())
            .env("INDRUL_CONFIG", file)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("enroll beside fixtures");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening ").map(str::to_owned))
            .expect("the demonstration prints its address");
        Self { process, url, folder }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that the camera of a browser shows.
    #[must_use]
    pub fn video(&self) -> PathBuf {
        self.folder().join("camera.mjpeg")
    }

    /// The newest code sent by `channel`: `sms` or `email`.
    ///
    /// # Panics
    /// If none comes in two minutes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests only")]
    pub fn code(&self, channel: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(120);
        let text = |message: &Value, name: &str| {
            message.get(name).and_then(Value::as_str).map(str::to_owned)
        };
        loop {
            let answer = ureq::get(format!("{}/demo/messages", self.url)).call();
            let all: Vec<Value> =
                answer.expect("its messages").body_mut().read_json().expect("a list");
            // Notices come by the same channels, before and after it.
            let of_channel =
                all.iter().rev().filter(|m| text(m, "channel").as_deref() == Some(channel));
            let found = of_channel.filter_map(|message| text(message, "text"));
            if let Some(code) = found.filter_map(|text| digits_after(&text, "Din kode er ")).next()
            {
                return code;
            }
            assert!(Instant::now() < deadline, "no code by {channel}");
            sleep(Duration::from_millis(200));
        }
    }
}

/// The digits after `words`, if the text has them; an e-mail's soft line breaks (RFC 2045 §6.7) do not count.
fn digits_after(text: &str, words: &str) -> Option<String> {
    let text = text.replace("=\r\n", "").replace("=\n", "");
    let after = text.split(words).nth(1)?;
    Some(after.chars().take_while(char::is_ascii_digit).collect())
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
