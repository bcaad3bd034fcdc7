//! `enroll reasons`: every reason code, worst first.

use enroll_core::reason::{Entry, table};

use super::output::{CliError, Format, Output, Status};

/// Arguments of `enroll reasons`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    for entry in table() {
        out.result(args.format, entry, human)?;
    }
    Ok(Status::Accepted)
}

fn human(entry: &Entry) -> String {
    let Entry { code, text, next, .. } = entry;
    format!("{code}\n  {} {}\n  {} {}", text.da, next.da, text.en, next.en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_one_object_per_reason_with_both_languages() {
        let mut sink = Vec::new();
        let args = Args { format: Format { json: true } };
        assert_eq!(run(&args, &mut Output::to(&mut sink)).unwrap(), Status::Accepted);
        let lines: Vec<serde_json::Value> = String::from_utf8(sink)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), table().len());
        for line in lines {
            assert!(line["text"]["da"].is_string() && line["next_step"]["en"].is_string());
        }
    }
}
