//! Runs of several fixtures, one after the other: those of the demonstration through its own service and
//! registers, the variations, whose issuers this service does not know, each on a service of its own
//! (`fixtures run`).

use super::results::Found;
use super::trace::{Line, Outcome};
use crate::demo::Demo;
use crate::http::problem::chain;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Variations that one child process runs: it loads the models once.
const AT_ONCE: usize = 8;
/// Longest life of such a child.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// What is shown of a fixture of which a run has told nothing.
const BROKE_OFF: &str = "the run broke off before this fixture";

/// A run that goes on: over when dropped, also where its task broke off.
struct Turn {
    demo: Arc<Demo>,
    names: Vec<String>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.demo.results.end(&self.names, BROKE_OFF);
    }
}

/// Why variations did not run.
#[derive(Debug, thiserror::Error)]
enum VariationError {
    #[error("the program fixtures cannot be run")]
    Spawn(#[from] std::io::Error),
    #[error("the program fixtures said something else than an outcome")]
    Speech(#[from] serde_json::Error),
    #[error("the program fixtures did not end in time")]
    Late(#[from] tokio::time::error::Elapsed),
}

impl Demo {
    /// Begins to run the fixtures `names`; false while another run goes on.
    pub(super) fn run_all(self: Arc<Self>, names: Vec<String>) -> bool {
        let free = self.results.begin(&names);
        if free {
            let turn = Turn { demo: self, names };
            tokio::spawn(async move {
                let Turn { demo, names } = &turn;
                let (own, others): (Vec<_>, Vec<_>) =
                    names.iter().cloned().partition(|name| demo.catalogue.find(name).is_some());
                for name in own {
                    demo.run_own(&name).await;
                    demo.results.count(1);
                }
                for names in others.chunks(AT_ONCE) {
                    demo.run_variations(names).await;
                    demo.results.count(names.len());
                }
            });
        }
        free
    }

    async fn run_own(self: &Arc<Self>, name: &str) {
        match self.clone().enrol(name).await {
            // A child that panicked left no result, which the page shows.
            Ok((_, ended)) => drop(ended.await),
            Err(error) => self.keep_error(name, chain(&error)),
        }
    }

    async fn run_variations(&self, names: &[String]) {
        if let Err(error) = self.variations(names).await {
            tracing::error!(error = %chain(&error), "variations did not run");
            for name in names.iter().filter(|name| self.results.of(name).judgement.is_none()) {
                self.keep_error(name, chain(&error));
            }
        }
    }

    async fn variations(&self, names: &[String]) -> Result<(), VariationError> {
        let mut command = Command::new(&self.program);
        command.arg("run").args(names).args(["--trace", "--json"]).env("INDRUL_DATA", &self.data);
        heard(command, LIFETIME, |Line { outcome: Outcome { name, found, traced } }| {
            let traced = Some(Arc::new(traced));
            self.results.keep(&name, Found { judgement: Some(found), traced, enrolment: None });
        })
        .await
    }

    fn keep_error(&self, name: &str, error: String) {
        let judgement = Some(Err(error));
        self.results.keep(name, Found { judgement, ..Found::default() });
    }
}

/// Runs `command` to its end, and gives each line that it says to `keep`. One that does not end within `limit` is
/// killed.
async fn heard(
    mut command: Command,
    limit: Duration,
    mut keep: impl FnMut(Line),
) -> Result<(), VariationError> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
    let mut lines = BufReader::new(output).lines();
    let ended = timeout(limit, async {
        while let Some(line) = lines.next_line().await? {
            keep(serde_json::from_str(&line)?);
        }
        child.wait().await?;
        Ok::<(), VariationError>(())
    });
    ended.await?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(script: &str, limit: u64) -> Result<usize, VariationError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut heard_of = 0;
        let done = heard(command, Duration::from_millis(limit), |_| heard_of += 1);
        runtime.block_on(done).map(|()| heard_of)
    }

    #[test]
    fn a_program_that_does_not_end_or_says_something_else_is_told() {
        assert_eq!(says("exit 3", 20_000).unwrap(), 0, "nothing was told of any fixture");
        assert!(matches!(says("echo no JSON", 20_000), Err(VariationError::Speech(_))));
        assert!(matches!(says("exec sleep 60", 100), Err(VariationError::Late(_))));
        // It has closed its output, and stays.
        assert!(matches!(says("exec >&-; exec sleep 60", 100), Err(VariationError::Late(_))));
    }
}
