//! The table: people and species that the coefficients have not seen.

use std::fmt::{self, Write as _};

use fixtures::attacks::Species;
use liveness::{Cue, Fusion, Unknown};
use serde::Serialize;

use super::{
    fit::{self, Known},
    sample::Sample,
};

/// What was measured, and the coefficients of all of it.
#[derive(Debug)]
pub struct Report {
    /// How many people there were.
    pub people: usize,
    /// One for each set of networks and species.
    pub lines: Vec<Line>,
    fusions: Vec<Fusion>,
}

/// Errors on the other half of the people, both halves in turn (ISO/IEC 30107-3 §13.2, 13.3).
#[derive(Debug, Serialize)]
pub struct Line {
    /// How many networks were asked.
    pub networks: usize,
    /// The attack.
    pub species: &'static str,
    /// Attacks taken for people where calibration had no attack of this species.
    pub apcer_held_out: Rate,
    /// People taken for attacks then.
    pub bpcer_held_out: Rate,
    /// Attacks taken for people where it had.
    pub apcer: Rate,
    /// People taken for attacks then.
    pub bpcer: Rate,
    /// Attacks in which no single face was found; they count as neither.
    pub apnrr: Rate,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Rate {
    /// How many did.
    pub count: u32,
    /// How many there were.
    pub of: u32,
}

impl Rate {
    pub(crate) fn note(&mut self, hit: bool) {
        self.count += u32::from(hit);
        self.of += 1;
    }

    /// In percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        100.0 * f64::from(self.count) / f64::from(self.of.max(1))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5.1} % ({} of {})", self.percent(), self.count, self.of)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} networks, {:6}: unknown to calibration APCER {} at BPCER {}; known APCER {} at BPCER {}; no face {}",
            self.networks,
            self.species,
            self.apcer_held_out,
            self.bpcer_held_out,
            self.apcer,
            self.bpcer,
            self.apnrr
        )
    }
}

/// What refuses an attack of the pair of halves.
#[derive(Default)]
struct Counts {
    attacks: [Rate; Species::ALL.len()],
    people: Rate,
}

/// Measures with the optional networks, where they were there, and without.
pub(super) fn report(samples: &[Sample], networks: &[String]) -> Report {
    let people = samples.iter().map(|sample| sample.person + 1).max().unwrap_or_default();
    let known: Vec<Known<'_>> = samples.iter().filter_map(known).collect();
    let (mut lines, mut fusions) = (Vec::new(), Vec::new());
    for count in [1, networks.len()].into_iter().take(networks.len().min(2)) {
        let (cues, named) = (cues(count), networks.get(..count).unwrap_or_default());
        let all = halves(samples, &cues, None);
        for (at, species) in Species::ALL.into_iter().enumerate() {
            let held = halves(samples, &cues, Some(species));
            lines.push(Line {
                networks: count,
                species: species.name(),
                apcer_held_out: held.attacks.get(at).copied().unwrap_or_default(),
                bpcer_held_out: held.people,
                apcer: all.attacks.get(at).copied().unwrap_or_default(),
                bpcer: all.people,
                apnrr: without_face(samples, Some(species)),
            });
        }
        fusions.push(fit::fit(&known, &cues, named));
    }
    Report { people, lines, fusions }
}

fn known(sample: &Sample) -> Option<Known<'_>> {
    let (person, species) = (sample.person, sample.species);
    sample.signs.as_ref().map(|signs| Known { person, signs, species })
}

fn cues(networks: usize) -> Vec<Cue> {
    let pair = [Cue::NearNetwork, Cue::WideNetwork];
    Cue::ALL.into_iter().filter(|cue| networks > 1 || !pair.contains(cue)).collect()
}

/// Calibrates on each half of the people without a species, and counts on the other.
fn halves(samples: &[Sample], cues: &[Cue], without: Option<Species>) -> Counts {
    let mut counts = Counts::default();
    for half in [0, 1] {
        let (own, others): (Vec<&Sample>, Vec<&Sample>) =
            samples.iter().partition(|sample| sample.person % 2 == half);
        let learnt = own.into_iter().filter(|s| s.species.is_none() || s.species != without);
        let fusion = fit::fit(&learnt.filter_map(known).collect::<Vec<_>>(), cues, &[]);
        for Known { signs, species, .. } in others.into_iter().filter_map(known) {
            let live = fusion.judge(signs).is_some_and(|judged| judged.live);
            let place = species.and_then(|own| Species::ALL.iter().position(|s| *s == own));
            match place.and_then(|at| counts.attacks.get_mut(at)) {
                Some(rate) => rate.note(live),
                None => counts.people.note(!live),
            }
        }
    }
    counts
}

fn without_face(samples: &[Sample], species: Option<Species>) -> Rate {
    let mut rate = Rate::default();
    let own = samples.iter().filter(|sample| sample.species == species);
    own.for_each(|sample| rate.note(sample.signs.is_none()));
    rate
}

fn unknown(Unknown { bias, own, networks }: Unknown) -> String {
    format!("unknown = {{ bias = {bias:.4}, own = {own:.4}, networks = {networks:.4} }}\n")
}

impl Report {
    /// The worst of the species that calibration did not know (ISO/IEC 30107-3: APCER is the maximum
    /// over species).
    #[must_use]
    pub fn worst(&self) -> Option<&Line> {
        let by = |a: &&Line, b: &&Line| {
            a.apcer_held_out.percent().total_cmp(&b.apcer_held_out.percent())
        };
        self.lines.iter().max_by(by)
    }

    /// The `[attack]` table of thresholds.toml.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = String::from("[attack]\n");
        self.explain(&mut text);
        for fusion in &self.fusions {
            let species: Vec<String> = fusion.species.iter().map(|s| format!("\"{s}\"")).collect();
            let networks: Vec<String> =
                fusion.networks.iter().map(|hash| format!("  \"{hash}\",\n")).collect();
            let cues = fusion.cues.iter().map(|weighed| {
                let name = serde_json::to_string(&weighed.cue).unwrap_or_default();
                let (mean, deviation, weights) =
                    (weighed.mean, weighed.deviation, &weighed.weights);
                format!("  {{ cue = {name}, mean = {mean:.4}, deviation = {deviation:.4}, weights = {weights:.4?} }},\n")
            });
            let lines = [
                format!("\n[[attack.fusion]]\nnetworks = [\n{}]\n", networks.concat()),
                format!("threshold = {:.4}\n", fusion.threshold),
                unknown(fusion.unknown),
                format!("species = [{}]\n", species.join(", ")),
                format!("bias = {:.4?}\n", fusion.bias),
                format!("cues = [\n{}]\n", cues.collect::<String>()),
            ];
            text.push_str(&lines.concat());
        }
        text
    }

    fn explain(&self, text: &mut String) {
        let intro = "# Measured by `fixtures attacks` on generated attacks and press photographs: wiring and trend,\n# not certification.";
        let worst = self.worst().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "{intro} {} people; the worst species:\n# {worst}", self.people);
    }
}
