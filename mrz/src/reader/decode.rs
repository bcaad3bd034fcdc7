//! From the recogniser's scores to cells: where each of the line's characters is, and what each
//! symbol costs there.
//!
//! Connectionist temporal classification: a path names one class for each place; repeated classes
//! are one symbol, class 0 is none. The likeliest path with exactly as many symbols as the line has
//! characters cuts the places into cells; within its cell each symbol is judged on its own.

use super::network::{CLASSES, SYMBOLS, Scores};

/// How often a symbol stands where the rules allow none like it, as a digit in a name.
pub(super) const PRINTED_ODD: f64 = 0.01;
/// The cost of a symbol that is counted for another.
const COUNTED: f32 = 30.0;
/// The most that the symbol costs for which another is counted: one must be offered to be taken.
const MOST_OFFERED: f32 = 4.0;

/// One character of a line.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// For each symbol the negative natural logarithm of its probability in this cell.
    pub(super) costs: [f32; SYMBOLS.len()],
    /// The same of nothing being here at all.
    pub(super) nothing: f32,
}

impl Cell {
    /// A cell of which nothing is known.
    pub(super) const NONE: Self = Self { costs: [0.0; SYMBOLS.len()], nothing: 0.0 };

    /// Costs multiplied, and again those of probabilities that are 1 together.
    pub(super) fn weighed(&self, factor: f32) -> Self {
        let (costs, nothing) = (self.costs.map(|cost| cost * factor), self.nothing * factor);
        let least = costs.into_iter().fold(nothing, f32::min);
        let all = costs.iter().chain([&nothing]);
        let off = least - all.map(|cost| (least - cost).exp()).sum::<f32>().ln();
        Self { costs: costs.map(|cost| cost - off), nothing: nothing - off }
    }

    /// Counts one symbol's likelihood for another symbol that the recogniser offered as well.
    pub(super) fn count(&mut self, one: char, other: char) {
        if self.cost(other) > MOST_OFFERED {
            return;
        }
        let place = |symbol| SYMBOLS.iter().position(|each| *each == symbol);
        let (Some(one), Some(other)) = (place(one), place(other)) else { return };
        let likelihood = |at: usize| self.costs.get(at).map_or(0.0, |cost| (-cost).exp());
        let both = (likelihood(one) + likelihood(other)).max(f32::MIN_POSITIVE);
        for (at, cost) in [(one, COUNTED), (other, -both.ln())] {
            self.costs.iter_mut().skip(at).take(1).for_each(|each| *each = cost);
        }
    }

    /// The probability that a character is here, whichever.
    pub(super) fn shown(&self) -> f64 {
        1.0 - f64::from(-self.nothing).exp()
    }

    /// The cost of a character; infinite for one that is no symbol.
    pub(super) fn cost(&self, character: char) -> f32 {
        let index = SYMBOLS.iter().position(|symbol| *symbol == character);
        index.and_then(|index| self.costs.get(index)).copied().unwrap_or(f32::INFINITY)
    }

    /// The likelihood of all symbols together, nothing at all left out.
    pub(super) fn any(&self) -> f64 {
        self.costs.iter().map(|cost| f64::from(-cost).exp()).sum()
    }

    /// The share of those symbols that `may` stand here, beside those that are seldom printed here.
    pub(super) fn usual(&self, may: impl Fn(char) -> bool) -> f64 {
        let (mut allowed, mut others) = (0.0, 0.0);
        for (cost, symbol) in self.costs.iter().zip(SYMBOLS) {
            let part = if may(symbol) { &mut allowed } else { &mut others };
            *part += f64::from(-cost).exp();
        }
        allowed / (allowed + PRINTED_ODD * others)
    }

    /// The cheapest symbol of those that `may` stand here, and how likely it is among them, nothing
    /// at all, and those that are seldom printed here.
    pub(super) fn best(&self, may: impl Fn(char) -> bool) -> Option<Choice> {
        let symbols = || self.costs.iter().copied().zip(SYMBOLS);
        let allowed = symbols().filter(|(_, symbol)| may(*symbol));
        let (cost, symbol) = allowed.min_by(|one, other| one.0.total_cmp(&other.0))?;
        let weight = |symbol: char| if may(symbol) { 1.0 } else { PRINTED_ODD };
        let beside = |other: f32| f64::from(cost - other).exp();
        let all: f64 = symbols().map(|(other, symbol)| weight(symbol) * beside(other)).sum();
        Some(Choice { symbol, cost, share: 1.0 / (all + beside(self.nothing)) })
    }
}

/// A symbol chosen for a cell.
pub(super) struct Choice {
    pub(super) symbol: char,
    pub(super) cost: f32,
    /// Its probability: see [`Cell::best`].
    pub(super) share: f64,
}

/// A symbol as the recogniser saw it: the places `from..to` that name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) class: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Seen {
    /// The middle of its places.
    pub(super) fn middle(&self) -> f32 {
        (self.from + self.to) as f32 / 2.0
    }

    /// Whether it is the same symbol in the same place, if not in all of it.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.class == other.class && self.from < other.to && other.from < self.to
    }
}

/// The symbols of the likeliest path, whatever their number.
pub(super) fn seen(scores: &Scores) -> Vec<Seen> {
    let best = scores.iter().map(|row| {
        let classes = row.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
        classes.map_or(0, |(class, _)| class)
    });
    runs(best)
}

fn runs(path: impl Iterator<Item = usize>) -> Vec<Seen> {
    let mut found: Vec<Seen> = Vec::new();
    for (at, class) in path.enumerate() {
        match found.last_mut() {
            Some(last) if last.class == class && last.to == at => last.to = at + 1,
            _ => found.push(Seen { class, from: at, to: at + 1 }),
        }
    }
    found.retain(|run| run.class != 0);
    found
}

/// A line cut into cells.
pub(super) struct Aligned {
    pub(super) cells: Vec<Cell>,
    /// The symbol of each cell in the path that cut it.
    pub(super) symbols: Vec<Seen>,
    /// The logarithm of the likelihood of the path that cut it.
    pub(super) score: f32,
}

/// Cuts the line into `count` cells. `None` where there are not enough places.
pub(super) fn align(scores: &Scores, count: usize) -> Option<Aligned> {
    let (path, score) = Lattice::new(scores, count).path()?;
    let symbols = runs(path.into_iter());
    let cut = |index: usize| -> usize {
        let before = index.checked_sub(1).and_then(|before| symbols.get(before));
        match (before, symbols.get(index)) {
            (Some(before), Some(next)) => (before.to + next.from).div_ceil(2),
            (None, Some(first)) => first.from.saturating_sub(2),
            (Some(last), None) => (last.to + 2).min(scores.len()),
            (None, None) => 0,
        }
    };
    let cell = |index: usize| Some(cell(scores.get(cut(index)..cut(index + 1))?));
    let cells: Vec<Cell> = (0..symbols.len()).map_while(cell).collect();
    (cells.len() == count).then_some(Aligned { cells, symbols, score })
}

/// The likeliest path to each place, by how many symbols it has and which class it ends with.
struct Lattice {
    count: usize,
    /// At the last place: by symbols so far and class.
    scores: Vec<[f32; CLASSES]>,
    /// For each place as `scores`: the class of the place before.
    back: Vec<Vec<[u8; CLASSES]>>,
}

impl Lattice {
    fn new(scores: &Scores, count: usize) -> Self {
        let mut start = vec![[f32::NEG_INFINITY; CLASSES]; count + 1];
        if let Some([blank, ..]) = start.first_mut() {
            *blank = 0.0;
        }
        let mut lattice = Self { count, scores: start, back: Vec::with_capacity(scores.len()) };
        scores.iter().for_each(|row| lattice.advance(row));
        lattice
    }

    fn advance(&mut self, row: &[f32; CLASSES]) {
        let mut next = vec![[f32::NEG_INFINITY; CLASSES]; self.count + 1];
        let mut back = vec![[0u8; CLASSES]; self.count + 1];
        let mut into_symbol: Option<Two> = None;
        for (now, (new, from)) in self.scores.iter().zip(next.iter_mut().zip(back.iter_mut())) {
            let into_blank = Two::of(now);
            for (class, (score, (to, from))) in row.iter().zip(new.iter_mut().zip(from)).enumerate()
            {
                let stay = now.get(class).map_or(Best::NONE, |score| Best { score: *score, class });
                let best = match &into_symbol {
                    _ if class == 0 => into_blank.first,
                    Some(two) => stay.or(two.other_than(class)),
                    None => Best::NONE,
                };
                *to = best.score + score;
                *from = best.class as u8;
            }
            into_symbol = Some(into_blank);
        }
        self.scores = next;
        self.back.push(back);
    }

    fn path(&self) -> Option<(Vec<usize>, f32)> {
        let last = Two::of(self.scores.last()?).first;
        let (mut count, mut class) = (self.count, last.class);
        let mut path = Vec::with_capacity(self.back.len());
        for back in self.back.iter().rev() {
            path.push(class);
            let before = usize::from(*back.get(count)?.get(class)?);
            if class != 0 && before != class {
                count = count.checked_sub(1)?;
            }
            class = before;
        }
        path.reverse();
        last.score.is_finite().then_some((path, last.score))
    }
}

#[derive(Clone, Copy)]
struct Best {
    score: f32,
    class: usize,
}

impl Best {
    const NONE: Self = Self { score: f32::NEG_INFINITY, class: 0 };

    fn or(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }
}

/// The two best classes of a row.
struct Two {
    first: Best,
    second: Best,
}

impl Two {
    fn of(row: &[f32; CLASSES]) -> Self {
        let mut two = Self { first: Best::NONE, second: Best::NONE };
        for (class, score) in row.iter().enumerate() {
            let this = Best { score: *score, class };
            if this.score > two.first.score {
                two = Self { first: this, second: two.first };
            } else if this.score > two.second.score {
                two.second = this;
            }
        }
        two
    }

    fn other_than(&self, class: usize) -> Best {
        if self.first.class == class { self.second } else { self.first }
    }
}

/// What each symbol costs in these places: the share of all paths with at most one symbol that are
/// of this symbol.
fn cell(places: &[[f32; CLASSES]]) -> Cell {
    // Before the symbol (the same for each), within and after it.
    let mut before = 1.0;
    let (mut within, mut after) = ([0.0f64; SYMBOLS.len()], [0.0f64; SYMBOLS.len()]);
    for row in places {
        let [blank, symbols @ ..] = row.map(probability);
        for ((within, after), symbol) in within.iter_mut().zip(&mut after).zip(symbols) {
            *after = (*after + *within) * blank;
            *within = (*within + before) * symbol;
        }
        before *= blank;
    }
    let mut likelihoods = within;
    likelihoods.iter_mut().zip(after).for_each(|(within, after)| *within += after);
    let total = likelihoods.iter().sum::<f64>() + before;
    let cost = |likelihood: f64| -((likelihood / total).max(1e-12).ln() as f32);
    Cell { costs: likelihoods.map(cost), nothing: cost(before) }
}

fn probability(score: f32) -> f64 {
    f64::from(score).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that spell a text, a letter every three places, each `sure` of itself.
    fn spelled(text: &str, sure: f32) -> Scores {
        let row = |class: usize| {
            let rest = ((1.0 - sure) / (CLASSES - 1) as f32).ln();
            let mut row = [rest; CLASSES];
            row[class] = sure.ln();
            row
        };
        let class = |c: char| SYMBOLS.iter().position(|symbol| *symbol == c).unwrap() + 1;
        text.chars().flat_map(|c| [row(0), row(class(c)), row(class(c))]).collect()
    }

    fn text(aligned: &Aligned) -> String {
        aligned.cells.iter().map(|cell| cell.best(|_| true).unwrap().symbol).collect()
    }

    #[test]
    fn a_sure_line_is_read_with_its_doubled_letters() {
        let scores = spelled("AA<B8<<", 0.99);
        let aligned = align(&scores, 7).unwrap();
        assert_eq!(text(&aligned), "AA<B8<<");
        assert_eq!(seen(&scores).len(), 7);
        assert!(aligned.cells[0].best(|_| true).unwrap().share > 0.95);
    }

    #[test]
    fn the_count_of_cells_is_forced() {
        let mut scores = spelled("AB<C", 0.9);
        // The third character is all but gone.
        scores[7][0] = 0.85f32.ln();
        scores[8][0] = 0.85f32.ln();
        scores[7][1] = 0.10f32.ln();
        assert_eq!(text(&align(&scores, 4).unwrap()), "AB<C");
        assert!(align(&scores, 13).is_none());
    }

    #[test]
    fn what_is_hardly_there_is_doubtful() {
        let mut scores = spelled("<", 0.98);
        for row in &mut scores[1..] {
            (row[0], row[1]) = (0.69f32.ln(), 0.3f32.ln());
        }
        let cell = &align(&scores, 1).unwrap().cells[0];
        let Choice { symbol, share, .. } = cell.best(|_| true).unwrap();
        assert_eq!(symbol, '<');
        assert!(share < 0.6 && cell.shown() < 0.6, "{share}");
        assert!(align(&spelled("<", 0.98), 1).unwrap().cells[0].shown() > 0.99);
    }

    #[test]
    fn a_choice_keeps_to_what_may_stand_there() {
        let cell = &align(&spelled("O", 0.6), 1).unwrap().cells[0];
        assert_eq!(cell.best(|c| c.is_ascii_digit()).unwrap().symbol, '0');
        assert!(cell.cost('O') < cell.cost('0'));
        let sure = &align(&spelled("O", 0.999), 1).unwrap().cells[0];
        assert!(sure.best(|c| c.is_ascii_digit()).unwrap().share < 0.1, "a letter is printed");
        assert_eq!(cell.cost('o'), f32::INFINITY);
    }
}
