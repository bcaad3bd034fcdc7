//! `enroll chip readers`: the readers of this machine.

use nfc::pcsc::readers;
use serde_json::{Value, json};

use super::super::output::{CliError, Format, Output, Status};

/// Arguments of `enroll chip readers`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let names = readers()?;
    for name in &names {
        out.result(args.format, &json!({ "reader": name }), |_: &Value| name.clone())?;
    }
    if names.is_empty() { Err(CliError::NoReader) } else { Ok(Status::Accepted) }
}
