//! Similarities of the same people and of different ones, and the rates at thresholds between them.

/// The false-match rates that thresholds are looked up for.
pub(crate) const RATES: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];
const LEAST_ERRORS: usize = 10;

/// What was measured.
pub(crate) struct Rates {
    pub(crate) same: Vec<f64>,
    /// The most alike first.
    pub(crate) different: Vec<f64>,
}

/// A threshold with the share of the same people that reach it.
pub(crate) struct Point {
    pub(crate) rate: f64,
    pub(crate) threshold: f64,
    pub(crate) matched: f64,
}

impl Rates {
    pub(crate) const HEADING: &'static str = "same people accepted where of different people one in 100, 1,000, 10,000, 100,000 is, with the threshold";

    pub(crate) fn new(same: Vec<f64>, mut different: Vec<f64>) -> Rates {
        different.sort_by(|x, y| y.total_cmp(x));
        Rates { same, different }
    }

    pub(crate) fn same(&self) -> usize {
        self.same.len()
    }

    pub(crate) fn different(&self) -> usize {
        self.different.len()
    }

    /// The threshold lies just above the last pair that may pass. None where too few pairs were
    /// measured to speak of the rate.
    pub(crate) fn at(&self, rate: f64) -> Option<Point> {
        let allowed = (rate * self.different.len() as f64).floor() as usize;
        if allowed < LEAST_ERRORS {
            return None;
        }
        let threshold = self.different.get(allowed).map_or(1.0, |s| (s * 1e4).floor() / 1e4 + 1e-4);
        Some(Point { rate, threshold, matched: self.matched(threshold) })
    }

    /// One line for people.
    pub(crate) fn row(&self, name: &str) -> String {
        let points = RATES.map(|rate| match self.at(rate) {
            Some(Point { threshold, matched, .. }) => {
                percent(matched) + &format!(" {threshold:.4}")
            }
            None => "too few        ".into(),
        });
        format!(
            "{name:62}{} | {} same, {} different",
            points.join(" | "),
            self.same(),
            self.different()
        )
    }

    /// The same people, and the false matches, at the thresholds that another measurement found.
    pub(crate) fn at_row(&self, name: &str, other: &Rates) -> String {
        let points = RATES.map(|rate| match other.at(rate) {
            Some(Point { threshold, .. }) => {
                percent(self.matched(threshold)) + &format!(" {:.0e}", self.mistaken(threshold))
            }
            None => "too few        ".into(),
        });
        format!("{name:62}{} | and false matches", points.join(" | "))
    }

    fn matched(&self, threshold: f64) -> f64 {
        let accepted = self.same.iter().filter(|s| **s >= threshold).count();
        accepted as f64 / self.same.len().max(1) as f64
    }

    fn mistaken(&self, threshold: f64) -> f64 {
        let accepted = self.different.partition_point(|s| *s >= threshold);
        accepted as f64 / self.different.len().max(1) as f64
    }
}

fn percent(share: f64) -> String {
    format!("{:6.2} %", 100.0 * share)
}
