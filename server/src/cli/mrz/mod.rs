//! `enroll mrz`: parse what is printed, read it from a picture.

mod parse;
mod read;

use enroll_core::reason::ReasonCode;
use serde_json::{Value, json};

use super::output::{CliError, Output, Status};

/// Sub-commands of `enroll mrz`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Parse the lines of an MRZ
    Parse(parse::Args),
    /// Read the MRZ from pictures of the page
    Read(read::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Parse(args) => parse::run(args, out),
        Command::Read(args) => read::run(args, out),
    }
}

/// Says to a person what the reason means and what to do, as `enroll reasons` does.
fn explain(result: &mut Value) {
    let Some(code) = result.get("reason").and_then(Value::as_str) else { return };
    let entry = ReasonCode::nearest(code).entry();
    let (text, next) = (json!(entry.text), json!(entry.next));
    if let Value::Object(object) = result {
        object.insert("text".to_owned(), text);
        object.insert("next_step".to_owned(), next);
    }
}
