//! What `fixtures enrol --trace` and `fixtures run --trace` say: each fixture's verdict, how long the steps
//! took, and what went between reader and chip. The emulated chip, which is in that program, opened its secure
//! messaging: the service has no way to, and no key of a session gets here.

use serde::{Deserialize, Deserializer};

/// How an enrolment went.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Traced {
    /// The steps in their order.
    pub(super) steps: Vec<StepTime>,
    /// Commands and answers in their order.
    pub(super) exchanges: Vec<Exchange>,
}

/// A step and its time, in microseconds since the start.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StepTime {
    pub(super) name: String,
    pub(super) at_us: u64,
    pub(super) took_us: u64,
}

/// One command and its answer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exchange {
    pub(super) at_us: u64,
    pub(super) took_us: u64,
    #[serde(deserialize_with = "bytes")]
    pub(super) command: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    pub(super) reply: Vec<u8>,
    #[serde(default)]
    pub(super) opened: Option<Opened>,
}

/// The inside of a protected command and of its answer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Opened {
    pub(super) cipher: String,
    #[serde(deserialize_with = "bytes")]
    pub(super) counter: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    pub(super) command: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    pub(super) reply: Vec<u8>,
}

impl Exchange {
    /// The command without protection.
    pub(super) fn plain(&self) -> &[u8] {
        self.opened.as_ref().map_or(&self.command, |opened| &opened.command)
    }
}

/// A verdict with its reasons, worst first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Judgement {
    pub(crate) verdict: String,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
}

/// A line of `fixtures enrol` after the first.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Said {
    Traced { traced: Traced },
    Judged(Judgement),
}

/// A line of `fixtures run --trace --json`.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) outcome: Outcome,
}

/// What came of one fixture.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) found: Result<Judgement, String>,
    #[serde(default)]
    pub(super) traced: Traced,
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::decode(text).map_err(serde::de::Error::custom)
}
