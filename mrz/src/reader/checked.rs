//! The cheapest text of the columns that check digits cover, of those for which every check digit
//! holds, and how likely it is beside all the others.
//!
//! A check digit is a sum modulo 10, so the search needs to remember only the sum of the field so
//! far, the sum of the composite so far, and whether the field is all fillers: two hundred states,
//! in each the cheapest text and the likelihood of all. That is exact: no text is passed over. ICAO 9303-3 §4.9.
//!
//! A document number of more than nine characters runs on in the optional data of cards (ICAO
//! 9303-5 §4.2.4 note j): each length it may have is a search of its own.

use crate::{
    Format, check_digit,
    format::{Layout, Span},
};

use super::{decode::Cell, network::SYMBOLS};

/// The cost from which a symbol is not one of the recogniser's alternatives.
const NOT_OFFERED: f32 = 10.0;
/// How often a document is printed so that its check digits do not hold. What a reading for which
/// they hold must be weighed against: a digit that is wrong on the paper is not to be mended.
const PRINTED_WRONG: f64 = 0.003;

/// What stands in one column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Any symbol.
    Any,
    /// Any symbol but a filler.
    Filled,
    /// A filler.
    Filler,
    /// A digit, or a filler where a date's part is unknown.
    DateDigit,
    /// The field's check digit.
    Digit,
    /// The field's check digit, or a filler where the field is empty.
    DigitOrFiller,
    /// The composite check digit.
    Composite,
}

impl Role {
    /// Whether a symbol may stand here, whatever the sums are.
    fn may_be(self, symbol: char) -> bool {
        match self {
            Self::Any => true,
            Self::Filled => symbol != '<',
            Self::Filler => symbol == '<',
            Self::DateDigit | Self::DigitOrFiller => symbol.is_ascii_digit() || symbol == '<',
            Self::Digit | Self::Composite => symbol.is_ascii_digit(),
        }
    }
}

/// A column of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A column that check digits cover, with its weights in the sums.
#[derive(Clone, Copy)]
struct Step {
    place: Place,
    role: Role,
    field_weight: u32,
    composite_weight: u32,
}

/// A text for some places.
#[derive(Clone, Default)]
pub(super) struct Text {
    pub(super) cost: f32,
    pub(super) symbols: Vec<(Place, char)>,
}

/// The steps in the making.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    /// The columns of a format that check digits cover; `long` characters of the document number
    /// stand in the optional data.
    fn of(layout: &Layout, long: Option<usize>) -> Vec<Step> {
        let mut steps = Self::default();
        match long {
            Some(more) => steps.long_number(layout, more),
            None => steps.field(layout.number, Role::Any, (layout.number_digit, Role::Digit)),
        }
        steps.field(layout.birth, Role::DateDigit, (layout.birth_digit, Role::Digit));
        steps.field(layout.expiry, Role::DateDigit, (layout.expiry_digit, Role::Digit));
        match layout.optional_digit {
            Some(digit) => steps.field(layout.optional, Role::Any, (digit, Role::DigitOrFiller)),
            None if long.is_none() && layout.composite.is_some() => {
                steps.put(layout.optional, Role::Any);
            }
            None => {}
        }
        layout.optional_2.into_iter().for_each(|span| steps.put(span, Role::Any));
        steps.composite(layout);
        steps.0
    }

    /// Columns that no digit of their own covers.
    fn put(&mut self, span: Span, role: Role) {
        let step = |place| Step { place, role, field_weight: 0, composite_weight: 0 };
        self.0.extend(places(span).map(step));
    }

    /// Columns with weights from the `first` character of their field on.
    fn put_weighted(&mut self, span: Span, role: Role, first: usize) {
        let from = self.0.len();
        self.put(span, role);
        let weights = [7, 3, 1].into_iter().cycle().skip(first % 3);
        let new = self.0.iter_mut().skip(from);
        new.zip(weights).for_each(|(step, weight)| step.field_weight = weight);
    }

    fn field(&mut self, span: Span, role: Role, (digit, digit_role): (Span, Role)) {
        self.put_weighted(span, role, 0);
        self.put(digit, digit_role);
    }

    /// All nine characters and a filler; then `more`, their digit, and a filler where there is room.
    fn long_number(&mut self, layout: &Layout, more: usize) {
        let Span { line, from, to } = layout.optional;
        let part = |from: usize, until: usize| Span { line, from, to: until.min(to) };
        let (digit, rest) = (from + more, from + more + 2);
        self.put_weighted(layout.number, Role::Any, 0);
        if let Some(last) = self.0.last_mut() {
            last.role = Role::Filled;
        }
        self.put(layout.number_digit, Role::Filler);
        self.put_weighted(part(from, digit), Role::Filled, layout.number.width());
        self.put(part(digit, digit + 1), Role::Digit);
        self.put(part(digit + 1, rest), Role::Filler);
        self.put(part(rest.min(to), to), Role::Any);
    }

    fn composite(&mut self, layout: &Layout) {
        let Some((digit, covered)) = layout.composite else { return };
        let columns = covered.iter().copied().flat_map(places);
        for (place, weight) in columns.zip([7, 3, 1].into_iter().cycle()) {
            let step = self.0.iter_mut().find(|step| step.place == place);
            step.into_iter().for_each(|step| step.composite_weight = weight);
        }
        self.put(digit, Role::Composite);
    }
}

fn places(span: Span) -> impl Iterator<Item = Place> {
    (span.from..span.to).map(move |column| Place { line: span.line, column })
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
            Role::Digit => is(self.field),
            Role::DigitOrFiller => is(self.field) || (symbol == '<' && self.empty),
            Role::Composite => is(self.composite),
            role => role.may_be(symbol),
        };
        let next = match step.role {
            Role::Digit | Role::DigitOrFiller | Role::Composite => {
                Self { composite, ..Self::START }
            }
            _ => Self {
                field: (self.field + value * step.field_weight) % 10,
                composite,
                empty: self.empty && symbol == '<',
            },
        };
        allowed.then_some(next)
    }
}

/// The cheapest text of a format's columns for which the check digits hold, and how likely it is
/// beside all others together, those printed wrong included. `None` where they hold for none.
pub(super) fn likeliest(format: Format, lines: &[&[Cell]]) -> Option<(Text, f64)> {
    let layout = format.layout();
    let goes_on = format.allows_long_number()
        && places(layout.number_digit)
            .all(|place| at(lines, place).is_some_and(|cell| cell.cost('<') < NOT_OFFERED));
    let longer = (1..layout.optional.width()).filter(|_| goes_on).map(Some);
    let numbers: Vec<Vec<Step>> =
        std::iter::once(None).chain(longer).map(|long| Steps::of(layout, long)).collect();
    let end = |steps: &Vec<Step>| Some((ended(steps, lines)?, usual(steps, lines)));
    let ends: Vec<(End, f64)> = numbers.iter().filter_map(end).collect();
    let holding: f64 = ends.iter().map(|(end, _)| end.likelihood).sum();
    let wrong = numbers.iter().map(|steps| any(steps, lines)).fold(0.0, f64::max);
    let all = holding + PRINTED_WRONG * wrong;
    let cost = |(end, _): &(End, f64)| end.text.cost;
    let (best, usual) = ends.into_iter().min_by(|one, other| cost(one).total_cmp(&cost(other)))?;
    let share = usual * likelihood(best.text.cost) / all;
    Some((best.text, share))
}

/// The share of what may stand in the columns, beside what is seldom printed there, as a letter in a
/// date.
fn usual(steps: &[Step], lines: &[&[Cell]]) -> f64 {
    let step = |step: &Step| Some(at(lines, step.place)?.usual(|c| step.role.may_be(c)));
    steps.iter().map(|each| step(each).unwrap_or(0.0)).product()
}

/// The likelihood of all texts of the columns, whether the check digits hold or not.
fn any(steps: &[Step], lines: &[&[Cell]]) -> f64 {
    let step = |step: &Step| -> f64 {
        let cell = at(lines, step.place);
        let costs = SYMBOLS.into_iter().zip(cell.map_or(Cell::NONE.costs, |cell| cell.costs));
        let allowed = costs.filter(|(symbol, _)| step.role.may_be(*symbol));
        allowed.map(|(_, cost)| likelihood(cost)).sum()
    };
    steps.iter().map(step).product()
}

fn at<'a>(lines: &[&'a [Cell]], place: Place) -> Option<&'a Cell> {
    lines.get(place.line)?.get(place.column)
}

/// What leads to a state: the cheapest text, and the likelihood of all texts together.
#[derive(Clone, Default)]
struct End {
    text: Text,
    likelihood: f64,
}

fn likelihood(cost: f32) -> f64 {
    f64::from(-cost).exp()
}

/// All texts of the columns, with a document number of one length.
fn ended(steps: &[Step], lines: &[&[Cell]]) -> Option<End> {
    let mut states: Vec<Option<End>> = vec![None; State::COUNT];
    if let Some(start) = states.get_mut(State::START.number()) {
        *start = Some(End { text: Text::default(), likelihood: 1.0 });
    }
    for step in steps {
        states = advanced(&states, step, at(lines, step.place)?);
    }
    let ends = || states.iter().flatten();
    let best = ends().min_by(|one, other| one.text.cost.total_cmp(&other.text.cost))?;
    let likelihood = ends().map(|end| end.likelihood).sum();
    Some(End { text: best.text.clone(), likelihood })
}

/// What leads to a state with one more symbol: the cheapest text before it, and the sum of all.
struct Lead<'a> {
    cost: f32,
    before: &'a Text,
    symbol: char,
    likelihood: f64,
}

fn advanced(states: &[Option<End>], step: &Step, cell: &Cell) -> Vec<Option<End>> {
    let mut leads: Vec<Option<Lead<'_>>> = states.iter().map(|_| None).collect();
    let offered = SYMBOLS.into_iter().zip(cell.costs).filter(|(_, cost)| *cost < NOT_OFFERED);
    let offered: Vec<(char, f32, f64)> =
        offered.map(|(symbol, cost)| (symbol, cost, likelihood(cost))).collect();
    let ends = states.iter().enumerate();
    for (number, end) in ends.filter_map(|(number, end)| Some((number, end.as_ref()?))) {
        for (symbol, cost, chance) in &offered {
            let next = State::numbered(number).after(step, *symbol);
            let Some(lead) = next.and_then(|next| leads.get_mut(next.number())) else { continue };
            let (cost, likelihood) = (end.text.cost + cost, end.likelihood * chance);
            let new = Lead { cost, before: &end.text, symbol: *symbol, likelihood };
            *lead = Some(match lead.take() {
                Some(old) => old.or(new),
                None => new,
            });
        }
    }
    leads.into_iter().map(|lead| lead.map(|lead| lead.end(step))).collect()
}

impl Lead<'_> {
    fn or(self, other: Self) -> Self {
        let likelihood = self.likelihood + other.likelihood;
        let best = if other.cost < self.cost { other } else { self };
        Self { likelihood, ..best }
    }

    fn end(self, step: &Step) -> End {
        let symbols = self.before.symbols.iter().copied().chain([(step.place, self.symbol)]);
        let text = Text { cost: self.cost, symbols: symbols.collect() };
        End { text, likelihood: self.likelihood }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPPER: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    // ICAO 9303-5 appendix A, with an example of a document number of more than nine characters.
    const CARD: [&str; 3] = [
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ];
    const LONG: [&str; 3] = [
        "I<UTOD23145890<7349<<<<<<<<<<<",
        "3407127M9507122UTO<<<<<<<<<<<2",
        "STEVENSON<<PETER<JOHN<<<<<<<<<",
    ];

    /// Cells sure of a text, but for what else is given as likely: line, column, symbol, cost.
    fn cells(lines: &[&str], also: &[(usize, usize, char, f32)]) -> Vec<Vec<Cell>> {
        let cell = |c: char| Cell {
            costs: SYMBOLS.map(|symbol| if symbol == c { 0.0 } else { 9.0 }),
            nothing: 20.0,
        };
        let mut cells: Vec<Vec<Cell>> =
            lines.iter().map(|line| line.chars().map(cell).collect()).collect();
        for (line, column, symbol, cost) in also {
            let index = SYMBOLS.iter().position(|s| s == symbol).unwrap();
            cells[*line][*column].costs[index] = *cost;
        }
        cells
    }

    /// What was read in the places that check digits cover, the rest as given; its cost, and how
    /// likely it is.
    fn read(
        format: Format,
        lines: &[&str],
        also: &[(usize, usize, char, f32)],
    ) -> (Vec<String>, f32, f64) {
        let cells = cells(lines, also);
        let cells: Vec<&[Cell]> = cells.iter().map(Vec::as_slice).collect();
        let (text, share) = likeliest(format, &cells).unwrap();
        let mut read: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
        text.symbols.iter().for_each(|(place, c)| read[place.line][place.column] = *c);
        (read.into_iter().map(|line| line.into_iter().collect()).collect(), text.cost, share)
    }

    fn passport(lower: &str, also: &[(usize, char, f32)]) -> (Vec<String>, f32, f64) {
        let also: Vec<_> = also.iter().map(|(at, c, cost)| (1, *at, *c, *cost)).collect();
        read(Format::Td3, &[UPPER, lower], &also)
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_line_whose_digits_hold_is_taken_as_it_is() {
        let (lines, cost, share) = passport(LOWER, &[]);
        assert_eq!((lines, cost), (owned(&[UPPER, LOWER]), 0.0));
        assert!(share > 0.9);
    }

    #[test]
    fn the_recognisers_own_alternative_mends_a_line() {
        let misread = LOWER.replacen("L8989", "L8B89", 1);
        let (lines, cost, _) = passport(&misread, &[(2, '9', 1.5)]);
        assert_eq!((lines, cost), (owned(&[UPPER, LOWER]), 1.5));
    }

    #[test]
    fn what_no_digit_tells_apart_is_a_close_second() {
        // 8, I and S are all 8 modulo 10.
        let share = |also: &[(usize, char, f32)]| passport(LOWER, also).2;
        let half = 1.0 / (1.0 + f64::from(-0.7f32).exp());
        assert!((share(&[(1, 'S', 0.7)]) / share(&[]) - half).abs() < 0.01);
        let many: Vec<_> = (28..40).map(|at| (at, 'A', 3.0)).collect();
        assert!(share(&many) < share(&[(29, 'A', 3.0)]), "every one takes its part");
    }

    #[test]
    fn a_letter_in_a_date_is_not_taken_for_the_digit_like_it() {
        let misread = LOWER.replacen("740812", "74O812", 1);
        let share = |ahead: f32| passport(&misread, &[(15, '0', ahead)]).2;
        assert!(share(0.5) > 0.95, "hardly told apart");
        assert!(share(3.5) < 0.8, "a letter is what is seen");
    }

    #[test]
    fn a_digit_that_is_printed_wrong_is_not_mended_for_sure() {
        let wrong = LOWER.replacen("ZE184226B", "ZE184226C", 1);
        let share = |ahead: f32| passport(&wrong, &[(36, 'B', ahead)]).2;
        assert!(share(1.0) > 0.95, "a near miss");
        assert!(share(3.5) < 0.9, "far from what is seen");
    }

    #[test]
    fn an_empty_fields_digit_may_be_a_filler() {
        let line = "AA000261<7BRA0403162M2507053<<<<<<<<<<<<<<<0";
        assert_eq!(passport(line, &[]).0[1], line);
        let zero = "AA000261<7BRA0403162M2507053<<<<<<<<<<<<<<00";
        assert_eq!(passport(zero, &[]).0[1], zero);
        let full = "XX00000000NLD7110195F1108280123456782<<<<<<2";
        assert!(passport(full, &[]).1 >= 9.0, "optional data without a digit");
    }

    #[test]
    fn a_cards_composite_covers_two_lines() {
        let (lines, cost, _) = read(Format::Td1, &CARD, &[]);
        assert_eq!((lines, cost), (owned(&CARD), 0.0));
        let misread = [&CARD[0].replacen("D23", "D28", 1), CARD[1], CARD[2]];
        let (lines, cost, _) = read(Format::Td1, &misread, &[(0, 7, '3', 2.0)]);
        assert_eq!((lines, cost), (owned(&CARD), 2.0));
    }

    #[test]
    fn a_long_number_goes_on_in_the_optional_data() {
        let (lines, cost, _) = read(Format::Td1, &LONG, &[]);
        assert_eq!((lines, cost), (owned(&LONG), 0.0));
        let misread = [&LONG[0].replacen("7349", "7849", 1), LONG[1], LONG[2]];
        let (lines, cost, _) = read(Format::Td1, &misread, &[(0, 16, '3', 1.0)]);
        assert_eq!((lines, cost), (owned(&LONG), 1.0));
    }

    #[test]
    fn a_visa_has_no_composite() {
        let lines =
            ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226"];
        assert_eq!(read(Format::MrvB, &lines, &[]).1, 0.0);
    }
}
