//! The `[verification]` table of `models/thresholds.toml`.

use std::fs;
use std::path::Path;

use liveness::Role;

use crate::Outcome;
use crate::fusion::{Fusion, Weight};
use crate::rates::{Point, RATES, Rates};

pub(crate) const TABLE: &str = "[verification]";
const CHOSEN: f64 = 1e-4;

/// What the table says.
pub(crate) struct Measured {
    pub(crate) pictures: usize,
    pub(crate) unusable: usize,
    pub(crate) fusion: Fusion,
    pub(crate) one: Rates,
    pub(crate) several: Rates,
}

impl Measured {
    pub(crate) fn table(&self, models: &Path) -> Outcome<String> {
        let Measured { pictures, unusable, one, several, .. } = self;
        let mut lines = vec![
            TABLE.to_string(),
            "# Measured by `cargo run --release -p liveness --example verification` on LFW pictures:".into(),
            format!("# {pictures} pictures, {unusable} unusable."),
            format!("false_match_rate = {CHOSEN}"),
            "recognition = [".into(),
        ];
        for (role, Weight { mean, deviation }) in Role::RECOGNITION.into_iter().zip(&self.fusion.0)
        {
            let sha256 = sha256(models, role)?;
            lines.push(format!(
                "  {{ sha256 = \"{sha256}\", mean = {mean:.5}, deviation = {deviation:.5} }},"
            ));
        }
        lines.push("]".into());
        lines.push(format!("# One a side: {}.", counts(one)));
        lines.extend(points("operating_point", one));
        lines.push(format!("# One against a template of five: {}.", counts(several)));
        lines.extend(points("operating_point_of_several", several));
        Ok(lines.join("\n") + "\n")
    }
}

fn counts(rates: &Rates) -> String {
    format!("{} of the same people, {} of different people", rates.same(), rates.different())
}

fn points(name: &str, rates: &Rates) -> Vec<String> {
    let lines = RATES.into_iter().filter_map(|rate| rates.at(rate)).map(|point| {
        let Point { rate, threshold, matched } = point;
        format!(
            "  {{ threshold = {threshold:.4}, false_match_rate = {rate}, true_match_rate = {matched:.4} }},"
        )
    });
    [format!("{name} = [")].into_iter().chain(lines).chain(["]".into()]).collect()
}

/// As models.toml names the file that was measured.
fn sha256(models: &Path, role: Role) -> Outcome<String> {
    let role = role.to_string();
    let manifest: toml::Table = fs::read_to_string(models.join("models.toml"))?.parse()?;
    let listed = manifest.get("model").and_then(|m| m.as_array()).ok_or("no models")?;
    let model =
        listed.iter().find(|m| m.get("role").and_then(|r| r.as_str()) == Some(role.as_str()));
    let sha256 = model.and_then(|m| m.get("sha256")).and_then(|s| s.as_str());
    Ok(sha256.ok_or("no such model")?.to_string())
}
