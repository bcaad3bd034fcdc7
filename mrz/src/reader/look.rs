//! Reads the lines of a zone with no more runs of the recogniser than leave no doubt: the networks
//! are what costs most.

use super::{
    advice::Advice,
    decode::{self, Aligned, Cell, Seen},
    geometry::Point,
    judge::{self, Judged},
    line::{Line, MARGIN, spread},
    network::{LineNetwork, PLACES, Scores},
    pyramid::Pyramid,
    reading::{LEAST_CHANCE, Reading},
    spacing::{self, Pitch, are_even},
    standing::{self, Row},
    trace::Trace,
    twins,
};

/// The mean cost of a character above which what was found is no text.
const MOST_MEAN_COST: f32 = 0.7;
/// The mean cost of a character up to which a line is text beyond doubt.
const CLEAR_MEAN_COST: f32 = 0.1;
/// How likely a reading must be that no second look could change.
pub(super) const SURE: f64 = 0.99;
/// Half heights (in characters) and shifts of the crops whose scores are averaged.
const CROPS: [(f32, f32); 3] = [(0.70, 0.0), (0.78, 0.04), (0.80, -0.04)];
/// The length of a line in distances to the next below which two lines have 36 characters: 36 and 44
/// of 2.54 mm, 6.35 mm apart (ICAO 9303-4 §3.2, 9303-6 §3.2).
const SHORT_LINES: f32 = 16.0;

/// How many characters of a line may be hidden, and how many symbols may be seen beside it; beside a
/// line of 36 characters none, which might else be a part of one of 44.
const MOST_AMISS: f32 = 6.0;
/// What is paper behind the end of a line differs by less than this share of what ink does.
const MOST_PATTERN: f32 = 0.2;
/// How far, in characters, a character reaches to each side of its middle: less than its pitch, as the
/// locator's ends are not exact.
const REACH: f32 = 0.45;

/// The lines of an MRZ, read.
pub(super) struct Attempt {
    pub(super) judged: Judged,
    pub(super) mean_cost: f32,
    pub(super) lines: Vec<Line>,
    pub(super) cells: Vec<Vec<Cell>>,
    /// Every line shows one symbol for each of its characters, and they stand to one another as
    /// lines do: what is hidden, cut off, made up or moved by a character shows in one of these.
    pub(super) whole: bool,
    /// By how many a line shows more or fewer symbols than characters, at most.
    amiss: usize,
}

impl Attempt {
    /// Whether the rules keep what all characters say.
    pub(super) fn settled(&self) -> bool {
        self.whole && self.judged.kept
    }

    /// What it comes to alone: without doubt only if every character was seen.
    pub(super) fn reading(&self, advice: impl Fn() -> Vec<Advice>) -> Reading {
        let reading = Reading::judged(&self.judged, LEAST_CHANCE, &advice);
        if self.whole { reading } else { reading.unsettled(advice) }
    }

    /// The one of which more was seen, that the rules keep, or that is clearer.
    pub(super) fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.rank() < one.rank() { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    /// The lower, the better. What symbols beside those that were taken cost does not show in the mean
    /// cost.
    pub(super) fn rank(&self) -> (u8, usize, f32) {
        let class = match (self.whole, self.judged.kept) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        (class, self.amiss, self.mean_cost)
    }

    /// Whether more looks would not change it.
    pub(super) fn sure(&self) -> bool {
        self.settled() && self.judged.chance >= SURE
    }

    /// Whether a better picture would show no more.
    pub(super) fn is_clear(&self) -> bool {
        self.mean_cost <= CLEAR_MEAN_COST
    }

    /// Whether it is text at all.
    pub(super) fn is_text(&self) -> bool {
        self.mean_cost <= MOST_MEAN_COST
    }
}

/// What a character costs in the mean, whatever the rules say of it.
fn mean_cost(cells: &[Cell]) -> f32 {
    let cost = |cell: &Cell| cell.best(|_| true).map_or(f32::INFINITY, |choice| choice.cost);
    cells.iter().map(cost).sum::<f32>() / cells.len().max(1) as f32
}

/// The picture, and the network that looks at its lines.
pub(super) struct Look<'a, N> {
    pub(super) network: &'a N,
    pub(super) pyramid: &'a Pyramid,
}

impl<N: LineNetwork> Look<'_, N> {
    /// Reads two or three lines of as many characters as their length makes likeliest; where the
    /// rules do not keep that, of the other number that two lines may have.
    pub(super) fn attempt(&self, traces: &[Trace]) -> Option<Attempt> {
        let [likely, unlikely] = characters(traces);
        let found = self.attempt_of(traces, likely);
        if unlikely == likely || found.as_ref().is_some_and(Attempt::settled) {
            return found;
        }
        Attempt::better(found, self.attempt_of(traces, unlikely))
    }

    /// Reads lines of so many characters: first as they were found, then placed by the characters
    /// seen in them, then from several crops of each, as far as the runs of the networks go.
    fn attempt_of(&self, traces: &[Trace], count: usize) -> Option<Attempt> {
        let placed = self.first(traces, count)?;
        let found = self.of(&placed);
        if found.as_ref().is_some_and(Attempt::sure) {
            return found;
        }
        let Some(placed) = all(placed, |line| self.spaced(line)) else { return found };
        let placed = self.in_line(placed);
        let found = self.of(&placed).or(found);
        if found.as_ref().is_some_and(Attempt::sure) {
            return found;
        }
        let averaged = all(placed, |line| self.averaged(line));
        averaged.and_then(|placed| self.of(&placed)).or(found)
    }

    /// The lines of a card with the third where the first two say that it is, if it was found elsewhere:
    /// a mark before the names, or fillers that fade into the background, move it.
    fn in_line(&self, mut placed: Vec<Placed>) -> Vec<Placed> {
        let [first, second, third] = placed.as_mut_slice() else { return placed };
        if !(first.whole() && second.whole()) || are_together([&*first, second, third]) {
            return placed;
        }
        let line = Line::below(&first.line, &second.line);
        let found = self.at(line).filter(|found| found.amiss() <= third.amiss());
        found.into_iter().for_each(|found| *third = found);
        placed
    }

    fn of(&self, placed: &[Placed]) -> Option<Attempt> {
        let mut cells: Vec<Vec<Cell>> = placed.iter().map(Placed::cells).collect::<Option<_>>()?;
        let format = judge::format_of(&cells.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        twins::told(format, &mut cells);
        let judged = judge::judge(&cells.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        let costs = cells.iter().map(|cells| mean_cost(cells)).sum::<f32>();
        let lines = placed.iter().map(|placed| placed.line.clone()).collect();
        let mean_cost = costs / placed.len().max(1) as f32;
        let whole = placed.iter().all(Placed::whole)
            && are_together(placed)
            && !placed.iter().any(|placed| self.may_go_on(&placed.line, &judged))
            && placed.iter().all(|placed| self.is_in_view(&placed.line));
        let amiss = placed.iter().map(Placed::amiss).max()?;
        Some(Attempt { judged, mean_cost, lines, cells, whole, amiss })
    }

    /// Whether no character of the line is cut off by the picture's edge: half an O is a C, and sure
    /// of it.
    fn is_in_view(&self, line: &Line) -> bool {
        let (width, height) =
            (self.pyramid.picture.width as f32, self.pyramid.picture.height as f32);
        let within = |Point { x, y }: Point| {
            (-0.5..=width - 0.5).contains(&x) && (-0.5..=height - 0.5).contains(&y)
        };
        let corners = |index: usize| {
            let middle = index as f32 + 0.5;
            [-REACH, REACH].into_iter().flat_map(move |right| {
                [-REACH, REACH].map(|down| line.beside(middle + right, down))
            })
        };
        (0..line.characters).flat_map(corners).all(within)
    }

    /// Whether a line of 36 characters may be the beginning of one of 44: where it ends near the
    /// picture's edge; and a visa's, which no composite digit covers, where it does not end on paper.
    fn may_go_on(&self, line: &Line, judged: &Judged) -> bool {
        let (width, height) =
            (self.pyramid.picture.width as f32, self.pyramid.picture.height as f32);
        let Point { x, y } = line.place(line.characters as f32 + 2.0);
        let is_visa = judged.lines.first().is_some_and(|line| line.starts_with('V'));
        let is_cut = x < 0.0 || y < 0.0 || x > width || y > height;
        line.characters == 36 && (is_cut || (is_visa && !self.ends_on_paper(line)))
    }

    /// Whether what is behind a line is as light as between its last characters.
    fn ends_on_paper(&self, line: &Line) -> bool {
        let [(half_height, shift), ..] = CROPS;
        let sampled = |line: &Line| spread(line.sampled(self.pyramid, half_height, shift), 0.05);
        let (ink, paper) = sampled(&line.last(6));
        let (dark, light) = sampled(&line.beyond());
        let pattern = MOST_PATTERN * (paper - ink);
        dark >= paper - pattern && light <= paper + pattern
    }

    /// The lines with the scores of one crop each. `None` as soon as one is no text.
    fn first(&self, traces: &[Trace], count: usize) -> Option<Vec<Placed>> {
        let (upper, others) = traces.split_first()?;
        let upper = self.seen(upper, count)?;
        // No cost is negative, so the other lines cannot mend this.
        if mean_cost(&upper.cells()?) > MOST_MEAN_COST * traces.len() as f32 {
            return None;
        }
        let others = others.iter().map(|trace| self.at(Line::new(trace.clone(), count)));
        std::iter::once(Some(upper)).chain(others).collect()
    }

    /// A line as it was found, placed by the characters seen in it where it is not clear.
    fn seen(&self, trace: &Trace, count: usize) -> Option<Placed> {
        let placed = self.at(Line::new(trace.clone(), count))?;
        if placed.clear() { Some(placed) } else { self.spaced(placed.clone()).or(Some(placed)) }
    }

    fn scores(&self, line: &Line, (half_height, shift): (f32, f32)) -> Option<Scores> {
        self.network.scores(&line.crop(self.pyramid, half_height, shift))
    }

    fn at(&self, line: Line) -> Option<Placed> {
        let [crop, ..] = CROPS;
        let scores = self.scores(&line, crop)?;
        Some(Placed { line, scores })
    }

    /// The line so that the symbols seen in it are evenly spaced over it.
    fn spaced(&self, placed: Placed) -> Option<Placed> {
        self.evenly(self.evenly(placed)?)
    }

    /// One character for each symbol seen. Where more or fewer are seen than there are characters,
    /// the likeliest of the places that fit.
    fn evenly(&self, placed: Placed) -> Option<Placed> {
        let Some(lines) = fitting(&placed.line, &middles(&placed)) else {
            return Some(placed);
        };
        if let [found] = lines.as_slice() {
            return if found.is_as(&placed.line) { Some(placed) } else { self.at(found.clone()) };
        }
        let scored = lines.into_iter().filter_map(|line| {
            let placed = self.at(line)?;
            let score = decode::align(&placed.scores, placed.line.characters)?.score;
            Some((placed.is_filled(), score, placed))
        });
        let best = scored.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        best.map(|(_, _, placed)| placed)
    }

    /// The same line with the mean of the scores of all crops.
    fn averaged(&self, placed: Placed) -> Option<Placed> {
        let [_, others @ ..] = CROPS;
        let others = others.map(|crop| self.scores(&placed.line, crop));
        let others: Vec<Scores> = others.into_iter().collect::<Option<_>>()?;
        Some(Placed { line: placed.line, scores: mean(placed.scores, &others) })
    }
}

/// Whether the lines stand to one another as those of one MRZ.
fn are_together<'a>(placed: impl IntoIterator<Item = &'a Placed>) -> bool {
    let rows: Option<Vec<Row>> = placed.into_iter().map(Placed::row).collect();
    rows.is_some_and(|rows| standing::together(&rows))
}

fn all(placed: Vec<Placed>, each: impl Fn(Placed) -> Option<Placed>) -> Option<Vec<Placed>> {
    placed.into_iter().map(each).collect()
}

/// The mean of the scores of several crops.
fn mean(mut first: Scores, others: &[Scores]) -> Scores {
    let count = (1 + others.len()) as f32;
    for (place, row) in first.iter_mut().enumerate() {
        for (class, score) in row.iter_mut().enumerate() {
            let at = |scores: &Scores| scores.get(place).and_then(|row| row.get(class)).copied();
            let sum: f32 = others.iter().filter_map(at).sum();
            *score = (*score + sum) / count;
        }
    }
    first
}

/// A line with its scores.
#[derive(Clone)]
struct Placed {
    line: Line,
    scores: Scores,
}

impl Placed {
    fn cells(&self) -> Option<Vec<Cell>> {
        Some(decode::align(&self.scores, self.line.characters)?.cells)
    }

    /// Whether there is one symbol for each character, in its place, and the cells are cut at them:
    /// where one was seen twice, the likeliest cut may take it for two and leave another one out.
    fn whole(&self) -> bool {
        let seen = decode::seen(&self.scores);
        let joined = spacing::joined(&seen);
        joined.len() == self.line.characters
            && are_even(&middles(self))
            && (joined.len() == seen.len() || self.is_cut_at(&joined))
    }

    fn is_cut_at(&self, symbols: &[Seen]) -> bool {
        let cut = decode::align(&self.scores, self.line.characters);
        let pairs =
            |cut: Aligned| cut.symbols.iter().zip(symbols).all(|(one, other)| one.is_of(other));
        cut.is_some_and(pairs)
    }

    /// Whether the first and the last symbol seen are where its first and last characters are: then
    /// one that was made up between them does not push another out.
    fn is_filled(&self) -> bool {
        let middles = middles(self);
        let (first, last) = (middles.first(), middles.last());
        let last = last.map(|last| self.line.characters as f32 - last);
        [first.copied(), last].into_iter().all(|off| off.is_some_and(|off| (off - 0.5).abs() < 0.5))
    }

    /// How many symbols too many or too few are seen.
    fn amiss(&self) -> usize {
        middles(self).len().abs_diff(self.line.characters)
    }

    /// Where its characters are.
    fn row(&self) -> Option<Row> {
        let places: Vec<Point> =
            middles(self).into_iter().map(|middle| self.line.place(middle)).collect();
        let (first, last) = (*places.first()?, *places.last()?);
        let sum = places.iter().fold(Point { x: 0.0, y: 0.0 }, |sum, at| sum.plus(*at, 1.0));
        let middle = sum.times(1.0 / places.len() as f32);
        let along = last.plus(first, -1.0).unit();
        Some(Row { middle, along, pitch: self.line.pitch() })
    }

    /// Whether it is text beyond doubt.
    fn clear(&self) -> bool {
        self.cells().is_some_and(|cells| mean_cost(&cells) <= CLEAR_MEAN_COST)
    }
}

/// How many characters the lines have, the likelier number first: by how long they are beside how
/// far apart they lie.
pub(super) fn characters(traces: &[Trace]) -> [usize; 2] {
    let [first, second, others @ ..] = traces else { return [44, 36] };
    let middle = |trace: &Trace| trace.points.get(trace.points.len() / 2).copied();
    let apart = middle(first).zip(middle(second)).map(|(one, other)| one.distance(other));
    match apart {
        _ if !others.is_empty() => [30, 30],
        Some(apart) if first.length().max(second.length()) < SHORT_LINES * apart => [36, 44],
        _ => [44, 36],
    }
}

/// The middles of the symbols seen, in characters from the line's start.
fn middles(placed: &Placed) -> Vec<f32> {
    let width = placed.line.characters as f32 + 2.0 * MARGIN;
    let seen = spacing::joined(&decode::seen(&placed.scores));
    seen.iter().map(|symbol| symbol.middle() / PLACES as f32 * width - MARGIN).collect()
}

/// The lines of one pitch that symbols seen at `middles` fit; one where there are as many as
/// characters. `None` where there are far more or far fewer.
fn fitting(line: &Line, middles: &[f32]) -> Option<Vec<Line>> {
    let characters = line.characters as f32;
    let (first, last) = (*middles.first()?, *middles.last()?);
    let pitch = Pitch::of(middles)?;
    let steps = pitch.count(first, last);
    let count = steps.round() + 1.0;
    let beside = if line.characters == 36 { 0.0 } else { MOST_AMISS };
    if !(characters - MOST_AMISS..=characters + beside).contains(&count) {
        return None;
    }
    let pitch = pitch.denser((count - 1.0) / steps);
    let missing = line.characters as i32 - count as i32;
    let shifts = missing.min(0)..=missing.max(0);
    let lines = shifts.map(|shift| {
        let from = pitch.beyond(first, -0.5 - shift as f32);
        let to = pitch.beyond(first, characters - 0.5 - shift as f32);
        line.part(from, to).tapered(pitch.taper(from, to))
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::network::CLASSES;

    fn trace(y: f32, length: f32) -> Trace {
        Trace {
            points: vec![Point { x: 0.0, y }, Point { x: length / 2.0, y }, Point { x: length, y }],
            height: 10.0,
        }
    }

    #[test]
    fn length_beside_distance_tells_the_format() {
        assert_eq!(characters(&[trace(0.0, 440.0), trace(25.0, 440.0)]), [44, 36]);
        assert_eq!(characters(&[trace(0.0, 360.0), trace(25.0, 360.0)]), [36, 44]);
        let card = [0.0, 22.0, 44.0].map(|y| trace(y, 300.0));
        assert_eq!(characters(&card), [30, 30]);
    }

    /// A line of 44 letters, each seen at two places as surely as said; the one of this number at its
    /// two sides, once each.
    fn placed(twice: usize, sure: impl Fn(usize) -> f32) -> Placed {
        let line = Line::new(trace(0.0, 440.0), 44);
        let nothing = |at: f32| row(0, at);
        let mut scores = vec![nothing(0.995); PLACES];
        let width = 44.0 + 2.0 * MARGIN;
        for index in 0..44 {
            let from = ((index as f32 + 0.5 + MARGIN) / width * PLACES as f32) as usize - 1;
            let class = 2 + index % 7;
            let places = if index == twice { [from, from + 2] } else { [from, from + 1] };
            places.into_iter().for_each(|at| scores[at] = row(class, sure(index)));
        }
        Placed { line, scores }
    }

    /// The scores of a place that shows a class as surely as said, and else nothing.
    fn row(class: usize, sure: f32) -> [f32; CLASSES] {
        let rest = (1.0 - sure).max(1e-3);
        let mut row = [(rest * 0.1 / CLASSES as f32).ln(); CLASSES];
        row[0] = (rest * 0.9).ln();
        row[class] = sure.ln();
        row
    }

    #[test]
    fn a_letter_seen_twice_is_cut_once_or_the_line_is_not_whole() {
        let clear = placed(44, |_| 0.99);
        assert!(clear.whole() && decode::seen(&clear.scores).len() == 44);
        // Of the letter seen twice one is easily left out...
        let twice = placed(21, |index| if index == 21 { 0.9 } else { 0.999 });
        assert_eq!(decode::seen(&twice.scores).len(), 45);
        assert!(twice.whole());
        // ... unless the last one is left out more easily: it takes the place of its neighbour.
        for weak in [0.6, 0.7, 0.9] {
            let pushed = placed(21, |index| if index == 43 { weak } else { 0.9999 });
            assert_eq!(middles(&pushed).len(), 44);
            assert!(!pushed.whole(), "{weak}");
        }
    }

    #[test]
    fn symbols_seen_say_where_a_line_begins() {
        let line = Line::new(trace(0.0, 440.0), 44);
        let seen: Vec<f32> = (0..44).map(|i| 1.5 + i as f32).collect();
        let [found] = fitting(&line, &seen).unwrap().try_into().unwrap();
        assert!(found.is_as(&line.part(1.0, 45.0)));
        // One is missing: it may be the first or the last.
        assert_eq!(fitting(&line, &seen[1..]).unwrap().len(), 2);
        assert!(fitting(&line, &seen[..20]).is_none());
    }
}
