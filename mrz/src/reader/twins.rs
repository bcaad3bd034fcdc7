//! O and 0 differ by little but their width, and on many a page by nothing at all. In most columns
//! only one of the two may stand (ICAO 9303-3 §4.3), so that the column tells them apart, and what
//! the recogniser saw of either counts for that one, if it offered that one at all. Document numbers and optional data have both:
//! there it is left to the recogniser and the check digits.

use crate::{
    Format,
    format::{CODE, ISSUER, Span},
};

use super::decode::Cell;

/// Counts, in columns for letters, each 0 for an O, and in columns for digits each O for a 0.
pub(super) fn told(format: Format, lines: &mut [Vec<Cell>]) {
    let layout = format.layout();
    let letters = [CODE, ISSUER, layout.names, layout.nationality];
    let composite = layout.composite.map(|(digit, _)| digit);
    let digits =
        [layout.number_digit, layout.birth, layout.birth_digit, layout.expiry, layout.expiry_digit];
    let digits = digits.into_iter().chain(layout.optional_digit).chain(composite);
    letters.into_iter().for_each(|span| counted(lines, span, 'O', '0'));
    digits.for_each(|span| counted(lines, span, '0', 'O'));
}

fn counted(lines: &mut [Vec<Cell>], span: Span, symbol: char, twin: char) {
    let line = lines.get_mut(span.line);
    let cells = line.and_then(|line| line.get_mut(span.from..span.to));
    cells.into_iter().flatten().for_each(|cell| cell.count(twin, symbol));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::network::SYMBOLS;

    /// Cells of a line that could be O or 0 everywhere, the given one four times as likely.
    fn line(likelier: char) -> Vec<Cell> {
        let cost = |symbol: char| match symbol {
            'O' | '0' if symbol == likelier => 0.8f32.ln(),
            'O' | '0' => 0.2f32.ln(),
            _ => -20.0,
        };
        vec![Cell { costs: SYMBOLS.map(|symbol| -cost(symbol)), nothing: 20.0 }; 44]
    }

    fn read(cell: &Cell) -> (char, f64) {
        let choice = cell.best(|_| true).unwrap();
        (choice.symbol, choice.share)
    }

    #[test]
    fn a_column_tells_which_of_two_it_is() {
        for likelier in ['O', '0'] {
            let mut lines = [line(likelier), line(likelier)];
            told(Format::Td3, &mut lines);
            let [upper, lower] = &lines;
            for cell in [&upper[2], &upper[5], &upper[43], &lower[10]] {
                assert!(matches!(read(cell), ('O', 0.999..)));
            }
            for cell in [&lower[9], &lower[13], &lower[21], &lower[27], &lower[42], &lower[43]] {
                assert!(matches!(read(cell), ('0', 0.999..)));
            }
        }
    }

    #[test]
    fn what_the_recogniser_did_not_offer_is_not_put_in_its_place() {
        let mut lines = [line('0'), line('O')];
        let place = |symbol| SYMBOLS.iter().position(|each| *each == symbol).unwrap();
        lines[0][5].costs[place('O')] = 4.5;
        lines[1][15].costs[place('0')] = 14.0;
        told(Format::Td3, &mut lines);
        assert_eq!((read(&lines[0][5]).0, read(&lines[1][15]).0), ('0', 'O'));
    }

    #[test]
    fn where_both_may_stand_the_recogniser_says_which() {
        for likelier in ['O', '0'] {
            let mut lines = [line(likelier), line(likelier)];
            told(Format::Td3, &mut lines);
            for column in [0, 8, 28, 41] {
                let (symbol, share) = read(&lines[1][column]);
                assert_eq!(symbol, likelier);
                assert!((share - 0.8).abs() < 1e-3);
            }
        }
    }
}
