//! What would help the person who holds the camera.

use serde::Serialize;

use super::{
    geometry::Point,
    line::{Line, MARGIN},
    network::CROP_WIDTH,
    pyramid::Pyramid,
};

/// Pixels per character below which to ask for a closer picture.
const SMALL_CHARACTERS: f32 = 9.0;
/// How bright every pixel of a character's place is where light hides it.
const DAZZLED: f32 = 235.0;
/// How many characters of a line may be hidden so before it is said.
const MOST_DAZZLED: usize = 1;
/// The mean brightness below which there is too little light.
const DARK: f32 = 45.0;

/// What the person can do for a better picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Come closer, or use a picture with more pixels.
    Closer,
    /// Show the whole page: nothing that is an MRZ is seen, or a line is cut off. Upside down is
    /// fine.
    WholePage,
    /// Tilt the page or the lamp: light is mirrored on the lines.
    Glare,
    /// More light.
    Light,
    /// Hold still, and let the camera focus.
    Sharper,
    /// The picture has more pixels than are looked at.
    TooLarge,
}

/// What was wrong with the picture of lines that could not be read for sure, the worst first. What
/// is `clear` needs no sharper picture.
pub(super) fn advice(pyramid: &Pyramid, lines: &[Line], clear: bool) -> Vec<Advice> {
    let small = lines.iter().any(|line| line.pitch() < SMALL_CHARACTERS);
    let light: Vec<Light> = lines.iter().map(|line| Light::of(pyramid, line)).collect();
    let found = [
        (lines.iter().any(|line| is_cut_off(pyramid, line)), Advice::WholePage),
        (light.iter().any(|light| light.dazzled > MOST_DAZZLED), Advice::Glare),
        (light.iter().any(|light| light.mean < DARK), Advice::Light),
        (small, Advice::Closer),
        (!small && !clear, Advice::Sharper),
    ];
    found.into_iter().filter_map(|(is_so, advice)| is_so.then_some(advice)).collect()
}

/// Whether a line ends less than a character from the picture's edge.
fn is_cut_off(pyramid: &Pyramid, line: &Line) -> bool {
    let (width, height) = (pyramid.picture.width as f32, pyramid.picture.height as f32);
    let room = |Point { x, y }| x.min(y).min(width - x).min(height - y);
    line.ends().into_iter().any(|end| room(end) < line.pitch())
}

/// How light a line is.
struct Light {
    mean: f32,
    /// Characters in whose place all is light; each has ink, a filler too.
    dazzled: usize,
}

impl Light {
    fn of(pyramid: &Pyramid, line: &Line) -> Self {
        let values = line.sampled(pyramid, 0.6, 0.0);
        let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
        let mut darkest = vec![f32::INFINITY; line.characters];
        for (index, value) in values.iter().enumerate() {
            let along = (index % CROP_WIDTH) as f32 / CROP_WIDTH as f32;
            let at = along * (line.characters as f32 + 2.0 * MARGIN) - MARGIN;
            if let Some(darkest) = darkest.get_mut(at.max(0.0) as usize) {
                *darkest = darkest.min(*value);
            }
        }
        let dazzled = darkest.iter().filter(|darkest| **darkest >= DAZZLED).count();
        Self { mean, dazzled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{gray::Gray, trace::Trace};

    fn advised(from: f32, to: f32, value: fn(usize) -> u8) -> Vec<Advice> {
        let pyramid = Pyramid::new(Gray::compute(900, 200, |x, _| value(x)));
        let points = [from, (from + to) / 2.0, to].map(|x| Point { x, y: 100.0 }).to_vec();
        advice(&pyramid, &[Line::new(Trace { points, height: 9.0 }, 44)], false)
    }

    fn usual(x: usize) -> u8 {
        if x % 9 < 3 { 30 } else { 250 }
    }

    #[test]
    fn each_fault_has_its_advice() {
        assert_eq!(advised(100.0, 800.0, usual), [Advice::Sharper]);
        assert_eq!(advised(100.0, 400.0, usual), [Advice::Closer]);
        assert_eq!(advised(4.0, 800.0, usual), [Advice::WholePage, Advice::Sharper]);
        let glare = |x: usize| if (300..400).contains(&x) { 250 } else { usual(x) };
        assert_eq!(advised(100.0, 800.0, glare), [Advice::Glare, Advice::Sharper]);
        assert_eq!(advised(100.0, 800.0, |x| usual(x) / 8), [Advice::Light, Advice::Sharper]);
    }
}
