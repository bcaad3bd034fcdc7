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
const LIFETIME: Duration = Duration::from_secs(15 * 60);

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
        let free = self.results.begin(names.len());
        if free {
            tokio::spawn(async move {
                let (own, others): (Vec<_>, Vec<_>) =
                    names.into_iter().partition(|name| self.catalogue.find(name).is_some());
                for name in own {
                    self.run_own(&name).await;
                    self.results.count(1);
                }
                for names in others.chunks(AT_ONCE) {
                    self.run_variations(names).await;
                    self.results.count(names.len());
                }
                self.results.end();
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
        let mut child = Command::new(&self.program)
            .arg("run")
            .args(names)
            .args(["--trace", "--json"])
            .env("INDRUL_DATA", &self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
        let mut lines = BufReader::new(output).lines();
        let read = async {
            while let Some(line) = lines.next_line().await? {
                let Line { outcome: Outcome { name, found, traced } } =
                    serde_json::from_str(&line)?;
                let traced = Some(Arc::new(traced));
                self.results.keep(&name, Found { judgement: Some(found), traced, enrolment: None });
            }
            Ok::<(), VariationError>(())
        };
        timeout(LIFETIME, read).await??;
        child.wait().await?;
        Ok(())
    }

    fn keep_error(&self, name: &str, error: String) {
        let judgement = Some(Err(error));
        self.results.keep(name, Found { judgement, ..Found::default() });
    }
}
