//! `enroll demo` as a process, for tests.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    process::{Child, Stdio},
};

use tempfile::TempDir;

use crate::testing::{data, enroll};

/// A running demonstration, stopped when dropped.
#[derive(Debug)]
pub struct Demo {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Demo {
    /// Starts one on a free port, with the program `fixtures` at this path, the program `enroll` beside it,
    /// and these environment variables.
    ///
    /// # Panics
    /// If it does not start: run `scripts/models` and build both programs first, as ./test does.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests only")]
    pub fn start(fixtures: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = data().canonicalize().expect("run scripts/models first");
        for name in ["models", "portraits"] {
            symlink(data.join(name), folder.path().join(name)).expect("a link");
        }
        let mut process = enroll(fixtures)
            .args(["demo", "--listen", "127.0.0.1:0", "--fixtures", fixtures, "--data"])
            .arg(folder.path())
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("enroll beside fixtures");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening ").map(str::to_owned))
            .expect("the demonstration prints its address");
        Self { process, url, _folder: folder }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
