//! Light and sharpness of an aligned face.

use std::ops::Range;

/// The aligned face is a square of this many pixels; most measures look at its middle, where there
/// is skin and no background.
const SIDE: usize = 112;
const MARGIN: usize = 20;
/// Brightness up to which a pixel is black and from which it is white (ISO/IEC 29794-5: 25 and 247
/// of 255).
const BLACK: f32 = 25.0 / 255.0;
const WHITE: f32 = 247.0 / 255.0;
/// The eyes with their lids, and the cheeks below them, in columns and rows of the aligned face.
const EYES: [[Range<usize>; 2]; 2] = [[29..47, 44..58], [65..83, 44..58]];
const CHEEKS: [[Range<usize>; 2]; 2] = [[31..43, 68..80], [69..81, 68..80]];

pub(super) struct Light {
    pub(super) brightness: f32,
    pub(super) contrast: f32,
    pub(super) evenness: f32,
    pub(super) sharpness: f32,
    pub(super) under_exposed: f32,
    pub(super) over_exposed: f32,
    pub(super) eye_light: f32,
}

impl Light {
    /// Of the brightness 0..=1 of an aligned face, row by row.
    pub(super) fn of(luma: &[f32]) -> Light {
        let rows: Vec<&[f32]> = luma.chunks(SIDE).collect();
        let middle: Vec<f32> = inner(&rows).map(|(_, [_, _, centre, _, _])| centre).collect();
        let half = |left: bool| {
            let half = inner(&rows).filter(|(x, _)| (*x < SIDE / 2) == left);
            mean(&half.map(|(_, [_, _, centre, _, _])| centre).collect::<Vec<_>>())
        };
        let (left, right) = (half(true), half(false));
        let edges: Vec<f32> =
            inner(&rows).map(|(_, [n, w, c, e, s])| n + w + e + s - 4.0 * c).collect();
        Light {
            brightness: mean(&middle),
            contrast: variance(&middle).sqrt(),
            evenness: left.min(right) / left.max(right).max(f32::EPSILON),
            sharpness: variance(&edges) / variance(&middle).max(f32::EPSILON),
            under_exposed: share(&middle, |v| v <= BLACK),
            over_exposed: share(&middle, |v| v >= WHITE),
            eye_light: mean(&within(&rows, &EYES))
                / mean(&within(&rows, &CHEEKS)).max(f32::EPSILON),
        }
    }
}

/// Each pixel of the middle with its column and its neighbours: north, west, itself, east, south.
fn inner<'a>(rows: &'a [&'a [f32]]) -> impl Iterator<Item = (usize, [f32; 5])> + 'a {
    let middle = MARGIN..SIDE - MARGIN;
    rows.windows(3).skip(MARGIN - 1).take(middle.len()).flat_map(move |three| {
        let middle = middle.clone();
        let (north, row, south) = match three {
            [north, row, south] => (*north, *row, *south),
            _ => (&[][..], &[][..], &[][..]),
        };
        let rows = row.windows(3).zip(north.iter().skip(1)).zip(south.iter().skip(1));
        rows.zip(1..).filter_map(move |(((across, north), south), x)| match across {
            [west, centre, east] if middle.contains(&x) => {
                Some((x, [*north, *west, *centre, *east, *south]))
            }
            _ => None,
        })
    })
}

/// The pixels of some rectangles, each as columns and rows.
fn within(rows: &[&[f32]], parts: &[[Range<usize>; 2]]) -> Vec<f32> {
    let of = |[columns, lines]: &[Range<usize>; 2]| {
        let lines = rows.get(lines.clone()).unwrap_or_default().iter();
        lines
            .flat_map(|row| row.get(columns.clone()).unwrap_or_default())
            .copied()
            .collect::<Vec<_>>()
    };
    parts.iter().flat_map(of).collect()
}

fn share(values: &[f32], counts: impl Fn(f32) -> bool) -> f32 {
    values.iter().filter(|value| counts(**value)).count() as f32 / values.len().max(1) as f32
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn variance(values: &[f32]) -> f32 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(value: impl Fn(usize, usize) -> f32) -> Light {
        let luma: Vec<f32> = (0..SIDE * SIDE).map(|i| value(i % SIDE, i / SIDE)).collect();
        Light::of(&luma)
    }

    #[test]
    fn light_is_measured_in_the_middle() {
        let even = light(|x, _| if x < MARGIN { 1.0 } else { 0.25 });
        assert!((even.brightness - 0.25).abs() < 1e-6);
        assert!(even.contrast < 1e-6 && (even.evenness - 1.0).abs() < 1e-6);
        let sided = light(|x, _| if x < SIDE / 2 { 0.2 } else { 0.8 });
        assert!((sided.evenness - 0.25).abs() < 1e-6);
        assert!((sided.contrast - 0.3).abs() < 1e-5);
    }

    #[test]
    fn a_fine_pattern_is_sharper_than_a_coarse_one() {
        let stripes = |width: f32| light(move |x, _| 0.5 + 0.4 * (x as f32 / width).sin());
        assert!(stripes(1.0).sharpness > 10.0 * stripes(6.0).sharpness);
    }

    #[test]
    fn black_and_white_pixels_are_counted() {
        let halves = light(|x, _| if x < SIDE / 2 { 0.05 } else { 0.99 });
        assert!((halves.under_exposed - 0.5).abs() < 1e-6);
        assert!((halves.over_exposed - 0.5).abs() < 1e-6);
        let grey = light(|_, _| 0.5);
        assert_eq!((grey.under_exposed, grey.over_exposed), (0.0, 0.0));
    }

    #[test]
    fn dark_lenses_make_the_eyes_darker_than_the_cheeks() {
        let lenses = light(|_, y| if (40..62).contains(&y) { 0.1 } else { 0.5 });
        assert!((lenses.eye_light - 0.2).abs() < 1e-6);
    }
}
