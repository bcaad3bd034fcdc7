//! `enroll mrz parse`: text to fields and check digits.

use std::path::Path;

use enroll_core::reason::ReasonCode;
use mrz::{Codes, Mrz};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, text_in, text_of},
    explain,
};

/// Arguments of `enroll mrz parse`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Warn of the codes that only specimens bear (Utopia)
    #[arg(long)]
    no_specimens: bool,
    /// The lines: one argument with newlines, several arguments, or `-` for standard input
    #[arg(required = true)]
    text: Vec<String>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let text = match args.text.as_slice() {
        [only] if only == "-" => text_of(Path::new("-"))?,
        // A shell passes a backslash and an n where a person meant a newline.
        lines => lines.join("\n").replace("\\n", "\n"),
    };
    let codes = if args.no_specimens { Codes::Issued } else { Codes::WithSpecimens };
    let (status, mut result) = judge(&text, codes);
    explain(&mut result);
    out.result(args.format, &result, human)?;
    Ok(status)
}

fn judge(text: &str, codes: Codes) -> (Status, Value) {
    match mrz::parse_as(text, codes) {
        Ok(mrz) => (Status::of(mrz.valid()), found(&mrz)),
        Err(error) => {
            let (line, column) = (error.line, error.column);
            let reason = error.code();
            let error = error.kind.to_string();
            let result = json!({
                "format": null, "valid": false, "reason": reason,
                "error": error, "line": line, "column": column,
            });
            (Status::Refused, result)
        }
    }
}

fn found(mrz: &Mrz) -> Value {
    let mut object = json!(mrz);
    let reason = (!mrz.valid()).then_some(ReasonCode::MRZ_CHECK_DIGIT);
    if let Value::Object(object) = &mut object {
        object.insert("reason".to_owned(), json!(reason));
    }
    object
}

/// The fields, one a line, and the check digits that do not hold.
pub(super) fn human(result: &Value) -> String {
    let members = |name: &str| {
        let object = result.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        object.into_iter()
    };
    let mut lines: Vec<String> = members("fields")
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}: {text}"),
            None => format!("{name}: {value}"),
        })
        .collect();
    let wrong = members("checks").filter(|(_, holds)| *holds == Value::Bool(false));
    lines.extend(wrong.map(|(name, _)| format!("check digit does not hold: {name}")));
    let list = |name: &str| result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let odd = list("warnings").into_iter().filter_map(|odd| odd.as_str().map(str::to_owned));
    lines.extend(odd.map(|odd| format!("odd: {odd}")));
    if let Some(reason) = result.get("reason").and_then(Value::as_str) {
        lines.push(reason.to_owned());
        // To the citizen, Danish first.
        let told = ["text", "next_step"].iter().filter_map(|name| result.get(name));
        let both =
            told.flat_map(|text| ["da", "en"].map(|tongue| text_in(text, tongue).to_owned()));
        lines.extend(both.filter(|line| !line.is_empty()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn run_json(text: &[&str]) -> (Status, Value) {
        let mut sink = Vec::new();
        let text = text.iter().map(|&line| line.to_owned()).collect();
        let args = Args { format: Format { json: true }, no_specimens: false, text };
        let status = run(&args, &mut Output::to(&mut sink)).unwrap();
        (status, serde_json::from_slice(&sink).unwrap())
    }

    #[test]
    fn lines_may_come_in_any_of_three_ways() {
        let (status, expected) = run_json(&[FIRST, SECOND]);
        assert_eq!(status, Status::Accepted);
        assert_eq!(expected["fields"]["surname"], "ERIKSSON");
        assert_eq!(expected["checks"]["composite"], true);
        assert_eq!(run_json(&[&format!("{FIRST}\n{SECOND}")]).1, expected);
        assert_eq!(run_json(&[&format!("{FIRST}\\n{SECOND}")]).1, expected);
    }

    #[test]
    fn a_wrong_digit_and_no_mrz_are_refused_with_a_reason() {
        let (status, wrong) = run_json(&[FIRST, &SECOND.replace("7408122", "7408123")]);
        assert_eq!((status, &wrong["reason"]), (Status::Refused, &json!("mrz.check_digit")));
        assert_eq!(wrong["checks"]["birth_date"], false);
        let (status, none) = run_json(&["hello"]);
        assert_eq!((status, &none["reason"]), (Status::Refused, &json!("mrz.format")));
        for result in [wrong, none] {
            for told in ["text", "next_step"] {
                assert!(result[told]["da"].is_string() && result[told]["en"].is_string());
            }
            let shown = human(&result);
            assert!(shown.contains(result["text"]["da"].as_str().unwrap()), "{shown}");
        }
    }

    #[test]
    fn specimens_are_warned_of_where_that_is_asked() {
        let text = format!("{FIRST}\n{SECOND}");
        let warnings = |codes| judge(&text, codes).1["warnings"].clone();
        assert_eq!(warnings(Codes::WithSpecimens), json!([]));
        assert_eq!(warnings(Codes::Issued), json!(["issuer.unknown", "nationality.unknown"]));
    }
}
