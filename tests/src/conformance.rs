//! `docs/conformance.md`: which fixture plays which case of BSI TR-03105-5.1, what is expected of it
//! and what was found.

use std::{collections::BTreeMap, fmt::Write as _};

use fixtures::{
    catalogue::Entry,
    conformance::{Case, Expected, Unit},
};

use crate::report::Outcome;

/// What stands above the tables.
const HEAD: &str = "\
# Conformance

The units of BSI TR-03105-5.1 that are about a reader of this kind. Each case is played by fixture
passports enrolled from end to end, or does not apply, for the reason given. *Expected by* says where
the expectation comes from: `table` is the test plan's own, `ours` follows from the standards and from
what is right for a citizen. Where ours is the opposite of the table's, it says so and why.

Written by `fixtures conformance`; a test fails when it is out of date.
";

/// The fixtures that play cases.
#[must_use]
pub fn players(entries: Vec<Entry>) -> Vec<Entry> {
    entries.into_iter().filter(|entry| !entry.tests.is_empty()).collect()
}

/// The page: every case of `units`, played by those `entries` that `outcomes` tells of.
#[must_use]
pub fn page(units: &[Unit], entries: &[Entry], outcomes: &[Outcome]) -> String {
    let outcomes: BTreeMap<&str, &Outcome> =
        outcomes.iter().map(|outcome| (outcome.name.as_str(), outcome)).collect();
    let mut played: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for entry in entries {
        if let Some(outcome) = outcomes.get(entry.name.as_str()) {
            for id in &entry.tests {
                played.entry(id.as_str()).or_default().push(outcome);
            }
        }
    }
    let mut page = HEAD.to_owned();
    write_summary(&mut page, units, &played);
    for unit in units {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "\n## {}: {}\n", unit.id, unit.about);
        page.push_str("| Case | About | Fixture | Expected | Expected by | Found |\n");
        page.push_str("|---|---|---|---|---|---|\n");
        for case in &unit.cases {
            write_case(&mut page, case, played.get(case.id.as_str()).map_or(&[], Vec::as_slice));
        }
    }
    page
}

fn write_summary(page: &mut String, units: &[Unit], played: &BTreeMap<&str, Vec<&Outcome>>) {
    let _ = writeln!(page, "\n| Unit | Cases | Played | Not applicable | As expected |");
    page.push_str("|---|---|---|---|---|\n");
    for unit in units {
        let of_unit: Vec<_> =
            unit.cases.iter().filter_map(|case| played.get(case.id.as_str())).collect();
        let right =
            of_unit.iter().filter(|all| all.iter().all(|outcome| outcome.as_expected())).count();
        let apart = unit.cases.iter().filter(|case| case.not_applicable.is_some()).count();
        let (cases, of_unit) = (unit.cases.len(), of_unit.len());
        let _ = writeln!(page, "| {} | {cases} | {of_unit} | {apart} | {right} |", unit.id);
    }
}

fn write_case(page: &mut String, case: &Case, played: &[&Outcome]) {
    let (id, about) = (&case.id, cell(&case.about));
    if let Some(reason) = &case.not_applicable {
        let _ = writeln!(page, "| {id} | {about} | none | | | not applicable: {} |", cell(reason));
    } else if played.is_empty() {
        let _ = writeln!(page, "| {id} | {about} | none | | | not covered |");
    }
    let by = match (&case.deviates, case.expected) {
        (Some(why), _) => cell(&format!("ours, against the table: {why}")),
        (None, Expected::Table) => "table".to_owned(),
        (None, Expected::Ours) => "ours".to_owned(),
    };
    for outcome in played {
        let found = match &outcome.found {
            Ok(found) => cell(&found.to_string()),
            Err(error) => cell(&format!("error: {error}")),
        };
        let mark = if outcome.as_expected() { "" } else { " (DIFFERENT)" };
        let (name, expected) = (&outcome.name, cell(&outcome.expected.to_string()));
        let _ = writeln!(page, "| {id} | {about} | `{name}` | {expected} | {by} | {found}{mark} |");
    }
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Judgement;

    fn case(id: &str, not_applicable: Option<&str>) -> Case {
        let not_applicable = not_applicable.map(str::to_owned);
        let (id, about, expected) = (id.into(), "a | b".into(), Expected::Ours);
        Case { id, about, expected, deviates: None, not_applicable }
    }

    fn outcome(found: &str) -> Outcome {
        let judged = |verdict: &str| Judgement { verdict: verdict.into(), reasons: vec![] };
        let (expected, found) = (judged("accepted"), Ok(judged(found)));
        Outcome { name: "good".into(), deviation: None, expected, found, ms: 1, traced: None }
    }

    fn lines(found: &str) -> Vec<String> {
        let cases = vec![case("A_01", None), case("A_02", Some("no fingers")), case("A_03", None)];
        let unit = Unit { id: "A".into(), about: "unit".into(), cases };
        let mut entry = fixtures::catalogue::find("good").unwrap();
        entry.tests = vec!["A_01".into()];
        let page = page(&[unit], &[entry], &[outcome(found)]);
        page.lines().filter(|line| line.starts_with("| A")).map(str::to_owned).collect()
    }

    #[test]
    fn a_case_is_played_not_applicable_or_not_covered() {
        assert_eq!(
            lines("accepted"),
            [
                "| A | 3 | 1 | 1 | 1 |",
                "| A_01 | a \\| b | `good` | accepted | ours | accepted |",
                "| A_02 | a \\| b | none | | | not applicable: no fingers |",
                "| A_03 | a \\| b | none | | | not covered |",
            ]
        );
    }

    #[test]
    fn a_difference_is_marked() {
        let lines = lines("refused");
        assert_eq!(lines[0], "| A | 3 | 1 | 1 | 0 |");
        assert!(lines[1].ends_with("| refused (DIFFERENT) |"), "{}", lines[1]);
    }
}
