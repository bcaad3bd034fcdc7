//! Several frames of one document: what every frame says of a character counts, and a frame of another
//! document begins anew.

use super::{
    decode::Cell,
    judge::{self, Judged},
};

/// The most that one frame can say for one symbol against another: a finger over a line must not
/// outvote the rest.
const MOST_AHEAD: f32 = 9.0;
/// What each frame after the first adds: frames share the document, its print and often the light.
const OWN_SHARE: f32 = 0.5;
/// What all frames together may weigh: what misleads in one frame misleads in a hundred. A doubt that
/// all have is believed no sooner than one frame is: 0.95 so often is 0.99.
const MOST_WEIGHT: f32 = 1.55;
/// The share of characters that differ from which on it is another document.
const OTHER_DOCUMENT: f32 = 0.25;
/// How much a frame may contradict those before it: the sum, over characters that differ, of how far
/// ahead of the second the best symbol is on the side that is less sure.
const MOST_CONTRADICTION: f32 = 8.0;
/// The most that one character counts for in this sum: a single one may be a stroke's fault.
const ONE_CONTRADICTION: f32 = 6.0;
/// The contradiction from which on frames may be of two documents, if not surely. Half of it is
/// forgotten with every frame.
const SOME_CONTRADICTION: f32 = 2.0;
/// The most texts of frames that are kept.
const MOST_READ: usize = 16;

/// What the frames so far say of each character.
#[derive(Default)]
pub(super) struct Votes {
    /// The sums of the costs.
    sums: Vec<Vec<Cell>>,
    frames: u16,
    contradiction: f32,
    /// What the frames said alone, each text once, the last of them last.
    read: Vec<Vec<String>>,
}

impl Votes {
    pub(super) fn frames(&self) -> u16 {
        self.frames
    }

    /// Whether the frames seem to be of one document: they hardly contradict one another, and one of
    /// them says alone what all say together. No frame says what is made of two documents, though each
    /// be dim where the other is clear.
    pub(super) fn agree_on(&self, lines: &[String]) -> bool {
        self.contradiction < SOME_CONTRADICTION && self.read.iter().any(|read| read == lines)
    }

    /// Counts a frame in, with what it says alone.
    pub(super) fn add(&mut self, lines: &[Vec<Cell>], read: &[String]) {
        if !self.are_alike(lines) || self.contradict(lines) {
            *self = Self::default();
        }
        self.contradiction = self.contradiction_of(lines).max(self.contradiction / 2.0);
        if self.frames == 0 {
            self.sums = lines.iter().map(|line| vec![Cell::NONE; line.len()]).collect();
        }
        for (sum, cell) in self.sums.iter_mut().flatten().zip(lines.iter().flatten()) {
            let least = cell.costs.into_iter().fold(cell.nothing, f32::min);
            let ahead = |cost: f32| (cost - least).min(MOST_AHEAD);
            sum.costs.iter_mut().zip(cell.costs).for_each(|(sum, cost)| *sum += ahead(cost));
            sum.nothing += ahead(cell.nothing);
        }
        self.frames = self.frames.saturating_add(1);
        self.read.retain(|other| other != read);
        self.read.push(read.to_vec());
        let surplus = self.read.len().saturating_sub(MOST_READ);
        self.read.drain(..surplus);
    }

    /// What all frames together say.
    pub(super) fn judged(&self) -> Option<Judged> {
        let cells = self.cells();
        judge::judge(&cells.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn cells(&self) -> Vec<Vec<Cell>> {
        let frames = f32::from(self.frames.max(1));
        let factor = (1.0 + OWN_SHARE * (frames - 1.0)).min(MOST_WEIGHT) / frames;
        let line = |line: &Vec<Cell>| line.iter().map(|sum| sum.weighed(factor)).collect();
        self.sums.iter().map(line).collect()
    }

    /// Whether a frame shows as many characters and about the same ones.
    fn are_alike(&self, lines: &[Vec<Cell>]) -> bool {
        let lengths = |lines: &[Vec<Cell>]| lines.iter().map(Vec::len).collect::<Vec<_>>();
        let other = self.pairs(lines).filter(|(one, other)| ahead(one).0 != ahead(other).0);
        lengths(&self.sums) == lengths(lines)
            && (other.count() as f32) < OTHER_DOCUMENT * self.pairs(lines).count() as f32
    }

    /// Whether a frame shows other characters than those before it, and more than doubts explain:
    /// one of a sibling's document may be clear where the other is dim.
    pub(super) fn contradict(&self, lines: &[Vec<Cell>]) -> bool {
        self.contradiction_of(lines) > MOST_CONTRADICTION
    }

    fn contradiction_of(&self, lines: &[Vec<Cell>]) -> f32 {
        let frames = f32::from(self.frames.max(1));
        let against = |(sum, cell): (&Cell, &Cell)| {
            let ((before, sure), (now, clear)) = (ahead(sum), ahead(cell));
            let less = (sure / frames).min(clear).min(ONE_CONTRADICTION);
            if before == now { 0.0 } else { less }
        };
        self.pairs(lines).map(against).sum()
    }

    fn pairs<'a>(&'a self, lines: &'a [Vec<Cell>]) -> impl Iterator<Item = (&'a Cell, &'a Cell)> {
        self.sums.iter().zip(lines).flat_map(|(sums, cells)| sums.iter().zip(cells))
    }
}

/// The likeliest symbol's number, and how far it is ahead of the second.
fn ahead(cell: &Cell) -> (usize, f32) {
    let mut costs: Vec<(usize, f32)> = cell.costs.into_iter().enumerate().collect();
    costs.sort_by(|one, other| one.1.total_cmp(&other.1));
    match costs.as_slice() {
        [(symbol, least), (_, second), ..] => (*symbol, second - least),
        _ => (0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{look::SURE, network::SYMBOLS, reading::LEAST_CHANCE};

    const LINES: [&str; 2] = [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ];

    /// A frame that is sure of all but what is given: line, column, symbol, what it costs less than
    /// the right one.
    fn frame(lines: [&str; 2], doubts: &[(usize, usize, char, f32)]) -> Vec<Vec<Cell>> {
        let cell = |c: char| Cell {
            costs: SYMBOLS.map(|s| if s == c { 0.01 } else { 9.0 }),
            nothing: 12.0,
        };
        let mut cells: Vec<Vec<Cell>> =
            lines.iter().map(|line| line.chars().map(cell).collect()).collect();
        for (line, column, symbol, ahead) in doubts {
            let index = SYMBOLS.iter().position(|s| s == symbol).unwrap();
            let right = SYMBOLS.iter().position(|s| lines[*line].chars().nth(*column) == Some(*s));
            cells[*line][*column].costs[index] = 0.5;
            cells[*line][*column].costs[right.unwrap()] = 0.5 + ahead;
        }
        cells
    }

    fn add(votes: &mut Votes, frame: &[Vec<Cell>]) {
        let lines: Vec<&[Cell]> = frame.iter().map(Vec::as_slice).collect();
        votes.add(frame, &judge::judge(&lines).unwrap().lines);
    }

    fn agree(votes: &Votes) -> bool {
        votes.agree_on(&votes.judged().unwrap().lines)
    }

    #[test]
    fn a_doubt_of_one_frame_is_settled_by_others() {
        let mut votes = Votes::default();
        // A name's letter, which no check digit covers.
        add(&mut votes, &frame(LINES, &[(0, 7, 'J', 0.8)]));
        assert!(votes.judged().unwrap().chance < 0.75);
        add(&mut votes, &frame(LINES, &[]));
        add(&mut votes, &frame(LINES, &[]));
        let judged = votes.judged().unwrap();
        assert_eq!((votes.frames(), judged.lines), (3, LINES.map(String::from).to_vec()));
        assert!(judged.chance > 0.9);
    }

    #[test]
    fn a_doubt_that_every_frame_has_stays_one() {
        let mut votes = Votes::default();
        (0..60).for_each(|_| add(&mut votes, &frame(LINES, &[(0, 7, 'J', 0.5)])));
        assert!(votes.judged().unwrap().chance < 0.9);
        // What one frame alone would not be believed for is not believed for its repetition.
        for ahead in [2.2, 2.5, 2.8] {
            let doubtful = frame(LINES, &[(0, 7, 'J', ahead)]);
            let mut votes = Votes::default();
            add(&mut votes, &doubtful);
            assert!(votes.judged().unwrap().chance < LEAST_CHANCE);
            for _ in 0..60 {
                add(&mut votes, &doubtful);
                assert!(votes.judged().unwrap().chance < SURE, "{ahead}");
            }
        }
    }

    #[test]
    fn no_one_is_made_of_two() {
        // A sibling's page, dim where the other is clear, so that nothing is beyond doubt twice.
        let sibling = [LINES[0].replacen("ANNA<MARIA", "INGE<MARIE", 1), LINES[1].to_owned()];
        let sibling = [sibling[0].as_str(), sibling[1].as_str()];
        let dim = |lines: [&str; 2], other: [&str; 2]| -> Vec<(usize, usize, char, f32)> {
            let pairs = lines[0].chars().zip(other[0].chars()).enumerate();
            let pairs = pairs.filter(|(_, (one, other))| one != other);
            pairs.map(|(at, (_, other))| (0, at, other, -3.0)).collect()
        };
        let mut votes = Votes::default();
        add(&mut votes, &frame(LINES, &dim(LINES, sibling)));
        add(&mut votes, &frame(sibling, &[]));
        assert_eq!((votes.frames(), votes.judged().unwrap().lines[0].as_str()), (1, sibling[0]));
    }

    #[test]
    fn the_document_of_a_sibling_begins_anew() {
        let mut votes = Votes::default();
        (0..3).for_each(|_| add(&mut votes, &frame(LINES, &[])));
        let sibling = [LINES[0].replacen("ANNA<MARIA", "INGA<MARIA", 1), LINES[1].to_owned()];
        let sibling = [sibling[0].as_str(), sibling[1].as_str()];
        assert!(votes.contradict(&frame(sibling, &[])));
        add(&mut votes, &frame(sibling, &[]));
        assert_eq!((votes.frames(), votes.judged().unwrap().lines[0].as_str()), (1, sibling[0]));
    }

    #[test]
    fn two_in_turn_do_not_agree() {
        // Dim in two letters of three, and in the third.
        let sibling = [LINES[0].replacen("ANNA<MARIA", "INGA<MARIE", 1), LINES[1].to_owned()];
        let sibling = [sibling[0].as_str(), sibling[1].as_str()];
        let one = frame(LINES, &[(0, 15, 'I', -2.0), (0, 17, 'G', -2.0)]);
        let other = frame(sibling, &[(0, 24, 'A', -2.0)]);
        let mut votes = Votes::default();
        for _ in 0..6 {
            add(&mut votes, &one);
            add(&mut votes, &other);
            assert!(votes.frames() == 1 || !agree(&votes));
        }
        let mut votes = Votes::default();
        (0..3).for_each(|_| add(&mut votes, &frame(LINES, &[(0, 7, 'J', -1.0)])));
        assert!(agree(&votes));
    }

    #[test]
    fn what_no_frame_says_is_of_two_documents() {
        // Twins with passports of one batch: one's names are dim, and the other's number.
        let one = [
            "P<UTOJENSEN<<IDA<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
            "2000000015UTO7408122F1204159<<<<<<<<<<<<<<<0",
        ];
        let other = [
            "P<UTOJENSEN<<EVA<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
            "2000000093UTO7408122F1204159<<<<<<<<<<<<<<<4",
        ];
        for ahead in [0.1, 0.3, 0.6] {
            let names = [(0, 13, 'E', -ahead), (0, 14, 'V', -ahead)];
            let number = [(1, 8, '1', -ahead), (1, 9, '5', -ahead), (1, 43, '0', -ahead)];
            let (one, other) = (frame(one, &names), frame(other, &number));
            for turns in ["AB", "ABB", "ABBB", "AABB", "ABAB", "ABBA"] {
                let mut votes = Votes::default();
                for turn in turns.chars() {
                    add(&mut votes, if turn == 'A' { &one } else { &other });
                }
                let judged = votes.judged().unwrap();
                let mixed = judged.lines[0].contains("EVA") && judged.lines[1].contains("15UTO");
                assert!(!mixed || !votes.agree_on(&judged.lines), "{turns}, {ahead}");
            }
        }
    }

    #[test]
    fn frames_that_each_misread_a_letter_agree_once_one_is_right() {
        let mut votes = Votes::default();
        (7..10).for_each(|at| add(&mut votes, &frame(LINES, &[(0, at, '<', 0.3)])));
        assert!(!agree(&votes));
        add(&mut votes, &frame(LINES, &[]));
        assert_eq!(votes.judged().unwrap().lines, LINES.map(String::from));
        assert!(agree(&votes));
    }

    #[test]
    fn one_frame_cannot_outvote_many() {
        let mut votes = Votes::default();
        (0..4).for_each(|_| add(&mut votes, &frame(LINES, &[])));
        add(&mut votes, &frame(LINES, &[(0, 7, 'J', 20.0)]));
        assert_eq!(votes.judged().unwrap().lines[0], LINES[0]);
    }

    #[test]
    fn another_document_begins_anew() {
        let mut votes = Votes::default();
        (0..3).for_each(|_| add(&mut votes, &frame(LINES, &[])));
        let other = [
            "P<DNKOESTERGAARD<<HANNE<KRISTINE<<<<<<<<<<<<",
            "0000000000DNK8510068F2202015061085<1178<<<58",
        ];
        add(&mut votes, &frame(other, &[]));
        assert_eq!((votes.frames(), votes.judged().unwrap().lines[0].as_str()), (1, other[0]));
        votes.add(&[], &[]);
        assert!(votes.judged().is_none());
    }
}
