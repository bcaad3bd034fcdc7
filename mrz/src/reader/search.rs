//! Looks for an MRZ in a picture, zone after zone, within a budget of runs of the networks: a picture
//! made to look like a hundred of them costs no more than that.

use std::cell::Cell;

use super::{
    advice::{self, Advice},
    line::Line,
    locate,
    look::{self, Attempt, Look},
    network::{LineNetwork, Locators, Networks, Scores},
    pyramid::Pyramid,
    reading::Reading,
    trace::Trace,
    zone::Zone,
};

/// What a run of each network costs, in runs of the recogniser.
const WHOLE_COST: u32 = 4;
const ZONE_COST: u32 = 2;
/// How often a zone that is not quite where the lines are is looked at again.
const CORRECTIONS: usize = 4;

/// The most that a picture may cost, in runs of the recogniser; a clear one costs eight.
#[derive(Clone, Copy)]
pub(super) struct Budget(u32);

impl Budget {
    /// A picture that somebody waits for.
    pub(super) const PICTURE: Self = Self(160);
    /// A frame after which the next one comes.
    pub(super) const FRAME: Self = Self(60);
}

/// Lines that were found, read or not.
pub(super) struct Found {
    /// What they say, where they are text.
    pub(super) attempt: Option<Attempt>,
    pub(super) lines: Vec<Line>,
    pub(super) zone: Zone,
}

impl Found {
    /// The lower, the better.
    fn rank(&self) -> (bool, (u8, usize, f32)) {
        let rank = self.attempt.as_ref().map(Attempt::rank);
        (rank.is_none(), rank.unwrap_or((0, 0, 0.0)))
    }

    pub(super) fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.rank() < one.rank() { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    /// Whether the rules keep what all its characters say.
    pub(super) fn settled(&self) -> bool {
        self.attempt.as_ref().is_some_and(Attempt::settled)
    }

    /// What it comes to alone.
    pub(super) fn reading(&self, pyramid: &Pyramid) -> Reading {
        match &self.attempt {
            Some(attempt) => attempt.reading(|| self.advice(pyramid)),
            None => Reading::not_found(self.advice(pyramid)),
        }
    }

    /// What would help.
    pub(super) fn advice(&self, pyramid: &Pyramid) -> Vec<Advice> {
        let clear = self.attempt.as_ref().is_some_and(Attempt::is_clear);
        advice::advice(pyramid, &self.lines, clear)
    }
}

/// The networks, with the runs that are left.
struct Metered<'a> {
    networks: &'a Networks,
    left: Cell<u32>,
}

impl Metered<'_> {
    fn spend(&self, cost: u32) -> Option<()> {
        self.left.set(self.left.get().checked_sub(cost)?);
        Some(())
    }
}

impl LineNetwork for Metered<'_> {
    fn scores(&self, crop: &[f32]) -> Option<Scores> {
        self.spend(1)?;
        self.networks.recogniser.scores(crop)
    }
}

impl Locators for Metered<'_> {
    fn whole(&self, input: &[f32]) -> Option<Vec<f32>> {
        self.spend(WHOLE_COST)?;
        self.networks.locators.whole(input)
    }

    fn zone(&self, input: &[f32]) -> Option<Vec<f32>> {
        self.spend(ZONE_COST)?;
        self.networks.locators.zone(input)
    }
}

/// The search in one picture.
pub(super) struct Search<'a> {
    networks: Metered<'a>,
    pyramid: &'a Pyramid,
}

impl<'a> Search<'a> {
    pub(super) fn new(networks: &'a Networks, pyramid: &'a Pyramid, Budget(most): Budget) -> Self {
        Self { networks: Metered { networks, left: Cell::new(most) }, pyramid }
    }

    /// The first lines that are settled, else the best; in a large picture that shows none, in its
    /// parts.
    pub(super) fn everywhere(&self) -> Option<Found> {
        let found = self.best(locate::zones_of(&self.networks, self.pyramid));
        let read = |found: &Found| {
            found.attempt.as_ref().is_some_and(|attempt| attempt.whole || attempt.judged.kept)
        };
        if found.as_ref().is_some_and(read) {
            return found;
        }
        let small = locate::small_zones_of(&self.networks, self.pyramid);
        Found::better(found, self.best(small))
    }

    fn best(&self, zones: impl Iterator<Item = Zone>) -> Option<Found> {
        let mut best = None;
        for zone in zones {
            best = Found::better(best, self.in_zone(zone));
            if best.as_ref().is_some_and(Found::settled) {
                break;
            }
        }
        best
    }

    /// Reads the lines of a zone, which is looked at again where they are not quite where it is.
    pub(super) fn in_zone(&self, zone: Zone) -> Option<Found> {
        let mut found = locate::lines_of(&self.networks, self.pyramid, &zone)?;
        for _ in 0..CORRECTIONS {
            if !found.amiss {
                break;
            }
            found = locate::lines_of(&self.networks, self.pyramid, &found.zone)?;
        }
        let attempt = self.attempt(&found.traces).filter(Attempt::is_text);
        let lines = match &attempt {
            Some(attempt) => attempt.lines.clone(),
            None => {
                let [characters, _] = look::characters(&found.traces);
                found.traces.iter().map(|trace| Line::new(trace.clone(), characters)).collect()
            }
        };
        Some(Found { attempt, lines, zone: found.zone })
    }

    /// Three lines may be a card's, or two with print above or below.
    fn attempt(&self, traces: &[Trace]) -> Option<Attempt> {
        let look = Look { network: &self.networks, pyramid: self.pyramid };
        let [upper @ .., _] = traces else { return None };
        let [_, lower @ ..] = traces else { return None };
        let choices = if traces.len() > 2 { vec![traces, lower, upper] } else { vec![traces] };
        let mut best: Option<Attempt> = None;
        for choice in choices.into_iter().filter(|choice| choice.len() >= 2) {
            best = Attempt::better(best, look.attempt(choice));
            if best.as_ref().is_some_and(Attempt::settled) {
                break;
            }
        }
        best
    }
}
