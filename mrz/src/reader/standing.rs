//! Whether lines stand to one another as those of one MRZ: each a line's distance below the one
//! before, and of three the last one in line with the others. The names of a card stand in a line
//! without check digits: a mark beside it must not move them by a character.

use std::ops::RangeInclusive;

use super::geometry::Point;

/// From line to line, in characters of 2.54 mm: lines lie 4 to 7 mm apart, and tilted by 30° they
/// seem nearer or further.
const GAPS: RangeInclusive<f32> = 1.1..=3.6;
/// How far a line may be moved along the one before it, for what lies between them: pages that are
/// seen from aside are sheared, by 0.31 where they are tilted by 28° about both axes.
const MOST_SHEAR: f32 = 0.4;
/// How far, in characters, the third line may be from where the first two say.
const MOST_OFF: f32 = 0.4;

/// Where a line's characters are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The mean of the middles of all its characters.
    pub(super) middle: Point,
    /// The direction of reading.
    pub(super) along: Point,
    /// The width of one character, in pixels.
    pub(super) pitch: f32,
}

/// Whether the rows, from top to bottom, can be lines of one MRZ.
pub(super) fn together(rows: &[Row]) -> bool {
    let below = rows.iter().zip(rows.iter().skip(1)).all(|(upper, lower)| is_below(upper, lower));
    let [first, second, third] = rows else { return below };
    let expected = second.middle.times(2.0).plus(first.middle, -1.0);
    let off = third.middle.plus(expected, -1.0).dot(third.along);
    below && off.abs() <= MOST_OFF * third.pitch
}

fn is_below(upper: &Row, lower: &Row) -> bool {
    let apart = lower.middle.plus(upper.middle, -1.0);
    let gap = apart.dot(lower.along.turned());
    let moved = apart.dot(lower.along).abs();
    GAPS.contains(&(gap * 2.0 / (upper.pitch + lower.pitch))) && moved <= MOST_SHEAR * gap
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows so many pixels moved, of characters of 10 pixels, 20 apart.
    fn rows(moved: &[f32]) -> Vec<Row> {
        let row = |(number, moved): (usize, &f32)| Row {
            middle: Point { x: 200.0 + moved, y: 50.0 + 20.0 * number as f32 },
            along: Point { x: 1.0, y: 0.0 },
            pitch: 10.0,
        };
        moved.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_third_line_that_is_moved_by_a_character_is_none() {
        assert!(together(&rows(&[0.0, 0.0, 0.0])));
        assert!(together(&rows(&[0.0, 4.0, 8.0])), "sheared");
        for off in [-10.0, 10.0] {
            assert!(!together(&rows(&[0.0, 0.0, off])));
            assert!(!together(&rows(&[0.0, 4.0, 8.0 + off])));
        }
    }

    #[test]
    fn lines_of_two_documents_do_not_stand_together() {
        let [upper, lower] = rows(&[0.0, 0.0]).try_into().unwrap();
        let far = Row { middle: Point { x: 200.0, y: 110.0 }, ..lower };
        let aside = Row { middle: Point { x: 210.0, y: 70.0 }, ..lower };
        assert!(together(&[upper, lower]));
        assert!(
            !together(&[upper, far]) && !together(&[upper, aside]) && !together(&[lower, upper])
        );
    }
}
