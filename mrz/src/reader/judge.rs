//! From the cells of all lines to one reading: the cheapest text that the format, the lists of
//! codes and the check digits allow, and how likely it is among all of them. ICAO 9303-3 §4.9, 9303-4
//! §4.2.2, 9303-7 §4.2.2.
//!
//! A character is never replaced by one that the recogniser did not itself offer (an O for a 0 and a
//! 0 for an O where only that may stand, as [`twins`](super::twins) tells): what a reading
//! costs more than the cheapest text without any rule is its *repair*, and a reading beyond
//! [`MOST_REPAIR`] is not taken.

use crate::{
    Format,
    format::{CODE, ISSUER, Span},
    states,
};

use super::{
    checked::{self, Place},
    decode::{Cell, Choice, PRINTED_ODD},
};

/// The most that rules may cost a reading: -ln of the probability given up.
const MOST_REPAIR: f32 = 4.0;

/// What was read, and how sure it is.
pub(super) struct Judged {
    pub(super) lines: Vec<String>,
    /// How likely each character is for the recogniser, whatever the rules say; where O or 0 may
    /// stand but not both, both together.
    pub(super) confidences: Vec<Vec<f32>>,
    /// How likely the reading is among all that the rules allow, and what is seldom printed against
    /// them; 0 where they allow none.
    pub(super) chance: f64,
    /// The rules cost no more than the recogniser's own alternatives bear.
    pub(super) kept: bool,
}

/// Reads the cells of all lines of an MRZ. `None` where no format has as many lines of as many
/// characters.
pub(super) fn judge(lines: &[&[Cell]]) -> Option<Judged> {
    let format = format_of(lines)?;
    let layout = format.layout();
    let mut draft = Draft::new(lines)?;
    // Of cards only: a passport's page has 44 columns, and 36 of them are part of it.
    draft.allowed &= format != Format::Td2 || draft.at(CODE).first().is_some_and(is_cards);
    draft.loose(CODE, |c| is_letter(c) || c == '<', 1);
    draft.code(ISSUER);
    draft.loose(layout.names, |c| is_letter(c) || c == '<', 0);
    draft.code(layout.nationality);
    draft.loose(layout.sex, |c| matches!(c, 'M' | 'F' | '<' | 'X'), 0);
    if layout.composite.is_none() {
        draft.loose(layout.optional, |_| true, 0);
    }
    draft.checked(format);
    let (seen, free) = draft.seen;
    let kept = draft.allowed && draft.cost - free <= MOST_REPAIR;
    let (text, chance) = if kept {
        let read = draft.read.iter().map(|line| line.iter().collect());
        (read.collect(), draft.chance)
    } else {
        (seen, 0.0)
    };
    Some(Judged { confidences: confidences(lines, &text), lines: text, chance, kept })
}

fn confidences(lines: &[&[Cell]], text: &[String]) -> Vec<Vec<f32>> {
    let line = |(cells, text): (&&[Cell], &String)| {
        cells.iter().zip(text.chars()).map(|(cell, symbol)| (-cell.cost(symbol)).exp()).collect()
    };
    lines.iter().zip(text).map(line).collect()
}

/// A visa has the size of a passport or card: its first letter tells them apart, and the likelier of
/// the two readings of that letter is taken.
pub(super) fn format_of(lines: &[&[Cell]]) -> Option<Format> {
    let first = lines.first()?;
    let letter = first.first()?.best(|c| matches!(c, 'A' | 'C' | 'I' | 'P' | 'V'))?.symbol;
    let even = lines.iter().all(|line| line.len() == first.len());
    Format::detect(lines.len(), first.len(), Some(letter)).filter(|_| even)
}

/// Whether a first letter is one of a card's (ICAO 9303-6 §4.2.2.1).
fn is_cards(cell: &Cell) -> bool {
    cell.best(is_letter).is_some_and(|choice| matches!(choice.symbol, 'A' | 'C' | 'I'))
}

fn is_letter(character: char) -> bool {
    character.is_ascii_uppercase()
}

/// A reading in the making.
struct Draft<'a> {
    lines: &'a [&'a [Cell]],
    read: Vec<Vec<char>>,
    /// The cheapest text without any rule, and its cost.
    seen: (Vec<String>, f32),
    cost: f32,
    chance: f64,
    allowed: bool,
}

impl<'a> Draft<'a> {
    fn new(lines: &'a [&'a [Cell]]) -> Option<Self> {
        let mut free = 0.0;
        let mut seen = Vec::new();
        for cells in lines {
            let choices: Vec<Choice> =
                cells.iter().map(|cell| cell.best(|_| true)).collect::<Option<_>>()?;
            free += choices.iter().map(|choice| choice.cost).sum::<f32>();
            seen.push(choices.iter().map(|choice| choice.symbol).collect::<String>());
        }
        let read = seen.iter().map(|line| line.chars().collect()).collect();
        let seen = (seen, free);
        Some(Self { lines, read, seen, cost: 0.0, chance: 1.0, allowed: true })
    }

    fn at(&self, span: Span) -> &'a [Cell] {
        let line = self.lines.get(span.line).copied().unwrap_or_default();
        line.get(span.from..span.to).unwrap_or_default()
    }

    fn put(&mut self, span: Span, text: impl Iterator<Item = char>) {
        let line = self.read.get_mut(span.line);
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
            self.chance *= choice.share;
            text.push(choice.symbol);
        }
        self.put(span, text.chars());
    }

    /// A state's code: the cheapest of the list, which may lack one.
    fn code(&mut self, span: Span) {
        let cells = self.at(span);
        let cost = |code: &str| -> f32 {
            cells.iter().zip(code.chars().chain(['<', '<'])).map(|(cell, c)| cell.cost(c)).sum()
        };
        let mut codes: Vec<(f32, &str)> = states::codes().map(|code| (cost(code), code)).collect();
        codes.sort_by(|one, other| one.0.total_cmp(&other.0));
        let Some((cost, code)) = codes.first().copied() else { return };
        self.cost += cost;
        let listed = codes.iter().map(|(other, _)| f64::from(cost - other).exp()).sum::<f64>();
        let any = cells.iter().map(Cell::any).product::<f64>() * f64::from(cost).exp();
        self.chance /= listed + PRINTED_ODD * (any - listed).max(0.0);
        self.chance *= cells.iter().map(Cell::shown).product::<f64>();
        self.put(span, code.chars().chain(['<', '<']));
    }

    /// All that check digits cover.
    fn checked(&mut self, format: Format) {
        let Some((text, share)) = checked::likeliest(format, self.lines) else {
            self.allowed = false;
            return;
        };
        self.cost += text.cost;
        self.chance *= share;
        for (Place { line, column }, symbol) in text.symbols {
            let cell = self.lines.get(line).and_then(|line| line.get(column));
            self.chance *= cell.map_or(0.0, Cell::shown);
            let at = Span { line, from: column, to: column + 1 };
            self.put(at, std::iter::once(symbol));
        }
    }
}
