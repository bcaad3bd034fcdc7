//! One citizen: a child process that enrols a fixture over the public interface.

use super::qa::Found;
use super::qa::trace::Said;
use super::{Demo, Run};
use crate::ids::EnrolmentId;
use serde::Deserialize;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longest wait for the child to have started its enrolment.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest life of a child.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Why no enrolment was started.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("the program that plays the citizen cannot be run")]
    Spawn(#[from] std::io::Error),
    #[error("the program that plays the citizen did not say which enrolment it started")]
    Silent,
    #[error("the program that plays the citizen said something else")]
    Speech(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct First {
    enrolment: EnrolmentId,
}

impl Demo {
    /// Starts the citizen of `fixture` and gives the enrolment that it started, and what ends when the
    /// citizen has left and what came of it is kept.
    pub(super) async fn enrol(
        self: Arc<Self>,
        fixture: &str,
    ) -> Result<(EnrolmentId, JoinHandle<()>), RunError> {
        let mut child = Command::new(&self.program)
            .args(["enrol", fixture, "--server", &self.url, "--json", "--trace"])
            .env("INDRUL_DATA", &self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or(RunError::Silent)?;
        let mut lines = BufReader::new(output).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.map_err(|_| RunError::Silent)??;
        let First { enrolment } = serde_json::from_str(&first.ok_or(RunError::Silent)?)?;
        self.keep(enrolment, Run { fixture: fixture.to_owned(), left: false });
        let run = Run { fixture: fixture.to_owned(), left: true };
        let ended = tokio::spawn(async move {
            let found = see_out(child, lines).await;
            self.results.keep(&run.fixture, Found { enrolment: Some(enrolment), ..found });
            self.keep(enrolment, run);
        });
        Ok((enrolment, ended))
    }
}

/// Reads what else the child says, so that it never blocks, and waits for its end.
async fn see_out(
    mut child: Child,
    mut lines: Lines<impl AsyncBufReadExt + AsyncRead + Unpin>,
) -> Found {
    let mut found = Found::default();
    let talk = async {
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(Said::Traced { traced }) => found.traced = Some(Arc::new(traced)),
                Ok(Said::Judged(judgement)) => found.judgement = Some(Ok(judgement)),
                Err(error) => tracing::error!(%error, "a citizen said something else"),
            }
        }
    };
    let in_time = timeout(LIFETIME, talk).await.is_ok();
    if !in_time {
        // One that has ended meanwhile is what is wanted.
        let _ = child.start_kill();
    }
    let end = match timeout(PATIENCE, child.wait()).await {
        _ if !in_time => "it did not end in time".to_owned(),
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "still running".to_owned(),
    };
    tracing::info!(in_time, end, "a citizen left");
    found.judgement.get_or_insert(Err(end));
    found
}
