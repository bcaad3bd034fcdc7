//! From the cells of two lines to one reading: the cheapest text that the format, the lists of
//! codes and the check digits allow, and how far the next one is behind. ICAO 9303-3 §4.9, 9303-4
//! §4.2.2, 9303-7 §4.2.2.
//!
//! A character is never replaced by one that the recogniser did not itself offer: what a reading
//! costs more than the cheapest text without any rule is its *repair*, and a reading beyond
//! [`MOST_REPAIR`] is not taken.

use crate::{
    Format,
    format::{CODE, ISSUER, Layout, Span},
    states,
};

use super::{checked, decode::Cell};

/// The most that rules may cost a reading: -ln of the probability given up.
const MOST_REPAIR: f32 = 4.0;

/// What was read, and how sure it is.
pub(super) struct Judged {
    pub(super) lines: [String; 2],
    /// What the next best text that the rules allow costs more; 0 where none is allowed at all.
    pub(super) margin: f32,
    /// The rules cost no more than the recogniser's own alternatives bear.
    pub(super) kept: bool,
}

/// Reads the cells of an upper and a lower line of a passport or large visa. `None` where there are
/// no cells.
pub(super) fn judge(cells: [&[Cell]; 2]) -> Option<Judged> {
    let [upper, lower] = cells;
    let visa = upper.first()?.best(|c| matches!(c, 'P' | 'V'))?.symbol == 'V';
    let layout = if visa { Format::MrvA.layout() } else { Format::Td3.layout() };
    let mut draft = Draft::new(cells)?;
    draft.loose(CODE, |c| is_letter(c) || c == '<', 1);
    draft.code(ISSUER);
    draft.loose(layout.names, |c| is_letter(c) || c == '<', 0);
    draft.code(layout.nationality);
    draft.loose(layout.sex, |c| matches!(c, 'M' | 'F' | '<' | 'X'), 0);
    if layout.composite.is_none() {
        draft.loose(layout.optional, |_| true, 0);
    }
    draft.checked(layout, lower);
    let (seen, free) = draft.seen;
    let kept = draft.allowed && draft.cost - free <= MOST_REPAIR;
    if !kept {
        return Some(Judged { lines: seen, margin: 0.0, kept });
    }
    let lines = draft.lines.map(|line| line.into_iter().collect());
    Some(Judged { lines, margin: draft.margin, kept })
}

fn is_letter(character: char) -> bool {
    character.is_ascii_uppercase()
}

/// A reading in the making.
struct Draft<'a> {
    cells: [&'a [Cell]; 2],
    lines: [Vec<char>; 2],
    /// The cheapest text without any rule, and its cost.
    seen: ([String; 2], f32),
    cost: f32,
    margin: f32,
    allowed: bool,
}

impl<'a> Draft<'a> {
    fn new(cells: [&'a [Cell]; 2]) -> Option<Self> {
        let (mut free, mut seen) = (0.0, [String::new(), String::new()]);
        for (line, cells) in seen.iter_mut().zip(cells) {
            for cell in cells {
                let choice = cell.best(|_| true)?;
                line.push(choice.symbol);
                free += choice.cost;
            }
        }
        let lines = seen.clone().map(|line| line.chars().collect());
        let seen = (seen, free);
        Some(Self { cells, lines, seen, cost: 0.0, margin: f32::INFINITY, allowed: true })
    }

    fn at(&self, span: Span) -> &'a [Cell] {
        let line = self.cells.get(span.line).copied().unwrap_or_default();
        line.get(span.from..span.to).unwrap_or_default()
    }

    fn put(&mut self, span: Span, text: impl Iterator<Item = char>) {
        let line = self.lines.get_mut(span.line);
        let place = line.and_then(|line| line.get_mut(span.from..span.to));
        place.into_iter().flatten().zip(text).for_each(|(cell, symbol)| *cell = symbol);
    }

    /// Characters that nothing but their alphabet constrains; the first `letters` are not fillers.
    fn loose(&mut self, span: Span, may: impl Fn(char) -> bool, letters: usize) {
        let mut text = String::new();
        for (index, cell) in self.at(span).iter().enumerate() {
            let Some(choice) = cell.best(|c| may(c) && (index >= letters || c != '<')) else {
                self.allowed = false;
                return;
            };
            self.cost += choice.cost;
            self.margin = self.margin.min(choice.margin);
            text.push(choice.symbol);
        }
        self.put(span, text.chars());
    }

    /// A state's code: the cheapest of the list.
    fn code(&mut self, span: Span) {
        let cells = self.at(span);
        let cost = |code: &str| -> f32 {
            cells.iter().zip(code.chars().chain(['<', '<'])).map(|(cell, c)| cell.cost(c)).sum()
        };
        let mut codes: Vec<(f32, &str)> = states::codes().map(|code| (cost(code), code)).collect();
        codes.sort_by(|one, other| one.0.total_cmp(&other.0));
        let [(cost, code), (next, _), ..] = *codes.as_slice() else { return };
        self.cost += cost;
        self.margin = self.margin.min(next - cost);
        self.put(span, code.chars().chain(['<', '<']));
    }

    /// All that check digits cover.
    fn checked(&mut self, layout: &Layout, cells: &[Cell]) {
        let steps = checked::steps(layout);
        let mut best = checked::best_two(&steps, cells).into_iter();
        let Some(first) = best.next() else {
            self.allowed = false;
            return;
        };
        self.cost += first.cost;
        let next = best.next().map_or(f32::INFINITY, |next| next.cost);
        self.margin = self.margin.min(next - first.cost);
        for (step, symbol) in steps.iter().zip(first.symbols) {
            let at = Span { line: 1, from: step.at, to: step.at + 1 };
            self.put(at, std::iter::once(symbol));
        }
    }
}
