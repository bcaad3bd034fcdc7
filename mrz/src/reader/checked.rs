//! The two cheapest texts of a second line for which every check digit holds.
//!
//! A check digit is a sum modulo 10, so the search needs to remember only the sum of the field so
//! far, the sum of the composite so far, and whether the field is all fillers: two hundred states,
//! in each the two cheapest texts. That is exact: no text is passed over. ICAO 9303-3 §4.9.

use crate::{
    check_digit,
    format::{Layout, Span},
};

use super::{decode::Cell, network::SYMBOLS};

/// The cost from which a symbol is not one of the recogniser's alternatives.
const NOT_OFFERED: f32 = 10.0;

/// What stands in one column of the second line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Any symbol.
    Any,
    /// A digit, or a filler where a date's part is unknown.
    DateDigit,
    /// The field's check digit.
    Digit,
    /// The field's check digit, or a filler where the field is empty.
    DigitOrFiller,
    /// The composite check digit.
    Composite,
}

/// A column that check digits cover, with its weights in the sums.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) at: usize,
    role: Role,
    field_weight: u32,
    composite_weight: u32,
}

/// A text for the steps.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) cost: f32,
    pub(super) symbols: Vec<char>,
}

/// The columns of a layout's second line that check digits cover, in order.
pub(super) fn steps(layout: &Layout) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut field = |span: Span, role: Role, digit: Span, digit_role: Role| {
        let columns = (span.from..span.to).map(|at| (at, role, [7, 3, 1]));
        let columns = columns.chain([(digit.from, digit_role, [0; 3])]);
        let weighted = columns.enumerate().map(|(index, (at, role, weights))| Step {
            at,
            role,
            field_weight: weights.get(index % 3).copied().unwrap_or(0),
            composite_weight: 0,
        });
        steps.extend(weighted);
    };
    field(layout.number, Role::Any, layout.number_digit, Role::Digit);
    field(layout.birth, Role::DateDigit, layout.birth_digit, Role::Digit);
    field(layout.expiry, Role::DateDigit, layout.expiry_digit, Role::Digit);
    if let Some(digit) = layout.optional_digit {
        field(layout.optional, Role::Any, digit, Role::DigitOrFiller);
    }
    if let Some((digit, covered)) = layout.composite {
        let columns = covered.iter().flat_map(|span| span.from..span.to);
        for (at, weight) in columns.zip([7, 3, 1].into_iter().cycle()) {
            let step = steps.iter_mut().find(|step| step.at == at);
            step.into_iter().for_each(|step| step.composite_weight = weight);
        }
        let role = Role::Composite;
        steps.push(Step { at: digit.from, role, field_weight: 0, composite_weight: 0 });
    }
    steps
}

/// The sums so far.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    field: u32,
    composite: u32,
    empty: bool,
}

impl State {
    const START: Self = Self { field: 0, composite: 0, empty: true };
    const COUNT: usize = 200;

    fn number(self) -> usize {
        (self.field * 20 + self.composite * 2 + u32::from(self.empty)) as usize
    }

    fn numbered(number: usize) -> Self {
        let number = number as u32;
        Self { field: number / 20, composite: number / 2 % 10, empty: number % 2 == 1 }
    }

    /// The state after a symbol; `None` where it may not stand there.
    fn after(self, step: &Step, symbol: char) -> Option<Self> {
        let value = check_digit::value(symbol);
        let composite = (self.composite + value * step.composite_weight) % 10;
        let is = |sum: u32| char::from_digit(sum, 10) == Some(symbol);
        let allowed = match step.role {
            Role::Any => true,
            Role::DateDigit => symbol.is_ascii_digit() || symbol == '<',
            Role::Digit => is(self.field),
            Role::DigitOrFiller => is(self.field) || (symbol == '<' && self.empty),
            Role::Composite => is(self.composite),
        };
        let next = match step.role {
            Role::Any | Role::DateDigit => Self {
                field: (self.field + value * step.field_weight) % 10,
                composite,
                empty: self.empty && symbol == '<',
            },
            _ => Self { composite, ..Self::START },
        };
        allowed.then_some(next)
    }
}

/// The two cheapest texts, the cheaper first; fewer where fewer are allowed.
pub(super) fn best_two(steps: &[Step], cells: &[Cell]) -> Vec<Text> {
    let mut states: Vec<Vec<Text>> = vec![Vec::new(); State::COUNT];
    if let Some(start) = states.get_mut(State::START.number()) {
        start.push(Text { cost: 0.0, symbols: Vec::new() });
    }
    for step in steps {
        let Some(cell) = cells.get(step.at) else { return Vec::new() };
        states = advanced(&states, step, cell);
    }
    let mut ends: Vec<Text> = states.into_iter().flatten().collect();
    ends.sort_by(|one, other| one.cost.total_cmp(&other.cost));
    ends.truncate(2);
    ends
}

fn advanced(states: &[Vec<Text>], step: &Step, cell: &Cell) -> Vec<Vec<Text>> {
    // What leads to each state: the cost, the text so far and the symbol.
    let mut leads: Vec<Vec<(f32, &Text, char)>> = vec![Vec::new(); states.len()];
    for (number, texts) in states.iter().enumerate().filter(|(_, texts)| !texts.is_empty()) {
        let offered = SYMBOLS.into_iter().zip(cell.costs).filter(|(_, cost)| *cost < NOT_OFFERED);
        for (symbol, cost) in offered {
            let next = State::numbered(number).after(step, symbol);
            let Some(leads) = next.and_then(|next| leads.get_mut(next.number())) else { continue };
            leads.extend(texts.iter().map(|text| (text.cost + cost, text, symbol)));
        }
    }
    let cheapest = |mut leads: Vec<(f32, &Text, char)>| {
        leads.sort_by(|one, other| one.0.total_cmp(&other.0));
        let text = |(cost, text, symbol): (f32, &Text, char)| {
            let symbols = text.symbols.iter().copied().chain([symbol]).collect();
            Text { cost, symbols }
        };
        leads.into_iter().take(2).map(text).collect()
    };
    leads.into_iter().map(cheapest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    /// Cells sure of a text, but for what else is given as likely.
    fn cells(text: &str, also: &[(usize, char, f32)]) -> Vec<Cell> {
        let cell =
            |c: char| Cell { costs: SYMBOLS.map(|symbol| if symbol == c { 0.0 } else { 9.0 }) };
        let mut cells: Vec<Cell> = text.chars().map(cell).collect();
        for (at, symbol, cost) in also {
            let index = SYMBOLS.iter().position(|s| s == symbol).unwrap();
            cells[*at].costs[index] = *cost;
        }
        cells
    }

    fn read(text: &str, also: &[(usize, char, f32)]) -> Vec<(String, f32)> {
        let steps = steps(Format::Td3.layout());
        let texts = best_two(&steps, &cells(text, also)).into_iter();
        texts.map(|text| (text.symbols.into_iter().collect(), text.cost)).collect()
    }

    fn without_loose(text: &str) -> String {
        let loose = |at: usize| (10..13).contains(&at) || at == 20;
        text.chars().enumerate().filter(|(at, _)| !loose(*at)).map(|(_, c)| c).collect()
    }

    #[test]
    fn a_line_whose_digits_hold_is_taken_as_it_is() {
        let texts = read(LOWER, &[]);
        assert_eq!(texts[0], (without_loose(LOWER), 0.0));
        assert!(texts[1].1 >= 9.0);
    }

    #[test]
    fn the_recognisers_own_alternative_mends_a_line() {
        let misread = LOWER.replacen("L8989", "L8B89", 1);
        let texts = read(&misread, &[(2, '9', 1.5)]);
        assert_eq!(texts[0], (without_loose(LOWER), 1.5));
    }

    #[test]
    fn what_no_digit_tells_apart_is_a_close_second() {
        // 8, I and S are all 8 modulo 10.
        let texts = read(LOWER, &[(1, 'S', 0.7)]);
        assert_eq!(texts[1].1, 0.7);
    }

    #[test]
    fn an_empty_fields_digit_may_be_a_filler() {
        let line = "AA000261<7BRA0403162M2507053<<<<<<<<<<<<<<<0";
        assert_eq!(read(line, &[])[0], (without_loose(line), 0.0));
        let zero = "AA000261<7BRA0403162M2507053<<<<<<<<<<<<<<00";
        assert_eq!(read(zero, &[])[0], (without_loose(zero), 0.0));
        let full = "XX00000000NLD7110195F1108280123456782<<<<<<2";
        assert!(read(full, &[])[0].1 >= 9.0, "optional data without a digit");
    }
}
