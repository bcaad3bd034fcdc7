//! How far a share of accepted pairs can be trusted that comes of few people: the bootstrap over people
//! (Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, §13.3), at thresholds that stay.

use std::collections::BTreeMap;

use crate::protocol::shuffle;
use crate::rates::{Point, RATES, Rates};

const DRAWS: usize = 1000;

/// One line for people.
pub(crate) fn row(name: &str, rates: &Rates, people: &[String]) -> String {
    let points = RATES.map(|rate| match rates.at(rate) {
        Some(Point { threshold, .. }) => {
            let (low, high) = within(&accepted(rates, people, threshold));
            format!("{:6.2} to {:5.2} ", 100.0 * low, 100.0 * high)
        }
        None => "too few        ".into(),
    });
    format!("{name:62}{}", points.join(" | "))
}

/// Of each person how many pairs are accepted, and how many there are.
fn accepted(rates: &Rates, people: &[String], threshold: f64) -> Vec<(f64, f64)> {
    let mut counts: BTreeMap<&String, (f64, f64)> = BTreeMap::new();
    for (similarity, person) in rates.same.iter().zip(people) {
        let (accepted, all) = counts.entry(person).or_default();
        *accepted += f64::from(u8::from(*similarity >= threshold));
        *all += 1.0;
    }
    counts.into_values().collect()
}

fn within(people: &[(f64, f64)]) -> (f64, f64) {
    let mut chance = 1;
    let mut share = || {
        let drawn = (0..people.len()).map(|_| {
            let at = shuffle(&mut chance) % people.len().max(1) as u64;
            people.get(at as usize).copied().unwrap_or_default()
        });
        let (accepted, all) = drawn.fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        accepted / all
    };
    let mut shares: Vec<f64> = (0..DRAWS).map(|_| share()).collect();
    shares.sort_by(f64::total_cmp);
    let at = |place: usize| shares.get(place).copied().unwrap_or(f64::NAN);
    (at(DRAWS / 40), at(DRAWS - DRAWS / 40))
}
