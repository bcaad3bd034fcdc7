//! What is looked for in a picture, each sign a number of bounded size.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::{cuts, edges, spectrum, stripes};
use crate::detect::Bounds;
use crate::geometry::Point;
use crate::manifest::Role;

/// One sign. None of them looks at how light or of what colour the skin is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cue {
    /// The odds of a live face by the network that always is there.
    Network,
    /// By the MiniFASNet that sees the face and a little around it.
    NearNetwork,
    /// By the MiniFASNet that sees the room as well.
    WideNetwork,
    /// A regular grid in the brightness: the dots of a print, the beat of two grids.
    Grid,
    /// A regular grid in the colours.
    ColourGrid,
    /// Colours side by side as in a screen's pixels, beyond what photographs of faces have.
    Stripes,
    /// How much of the detail is fine detail.
    Fineness,
    /// How much of the detail is in the colours.
    ColourDetail,
    /// A straight edge on one side of the face.
    Edge,
    /// Straight edges on two sides.
    Edges,
    /// A cut edge about the face.
    Outline,
    /// Cut edges about both eyes.
    Holes,
}

impl Cue {
    /// All of them, networks first.
    pub const ALL: [Cue; 12] = [
        Cue::Network,
        Cue::NearNetwork,
        Cue::WideNetwork,
        Cue::Grid,
        Cue::ColourGrid,
        Cue::Stripes,
        Cue::Fineness,
        Cue::ColourDetail,
        Cue::Edge,
        Cue::Edges,
        Cue::Outline,
        Cue::Holes,
    ];

    /// What a larger number speaks for: 1 an attack, -1 a face, 0 one or the other.
    #[must_use]
    pub fn direction(self) -> f32 {
        match self {
            Cue::Network | Cue::NearNetwork | Cue::WideNetwork => -1.0,
            Cue::Fineness => 0.0,
            Cue::Grid | Cue::ColourGrid | Cue::Stripes | Cue::ColourDetail => 1.0,
            Cue::Edge | Cue::Edges | Cue::Outline | Cue::Holes => 1.0,
        }
    }

    /// The least deviation that it may be taken to have over faces: one that nearly no face shows has
    /// none to speak of.
    #[must_use]
    pub fn least_deviation(self) -> f32 {
        if self == Cue::Stripes { 0.3 } else { 1e-3 }
    }

    /// The network that gives it; none for what is measured here.
    pub(super) fn network(self) -> Option<Role> {
        match self {
            Cue::Network => Some(Role::Attack),
            Cue::NearNetwork => Some(Role::AttackNear),
            Cue::WideNetwork => Some(Role::AttackWide),
            _ => None,
        }
    }
}

/// What was seen, by sign; a network that is not installed says nothing.
#[derive(Clone, Debug, Default)]
pub struct Signs([Option<f32>; Cue::ALL.len()]);

impl Signs {
    /// Our own signs; the networks are asked elsewhere.
    pub(super) fn seen(image: &RgbImage, face: &Bounds, eyes: [Point; 2]) -> Signs {
        let mut signs = Signs::default();
        let texture = spectrum::Texture::of(image, face);
        signs.set(Cue::Grid, texture.grid);
        signs.set(Cue::ColourGrid, texture.colour_grid);
        signs.set(Cue::Stripes, stripes::strongest(image, face));
        signs.set(Cue::Fineness, texture.fineness);
        signs.set(Cue::ColourDetail, texture.colour_detail);
        let [strongest, second] = edges::strongest(image, face);
        signs.set(Cue::Edge, strongest);
        signs.set(Cue::Edges, second);
        let [outline, holes] = cuts::strongest(image, face, eyes);
        signs.set(Cue::Outline, outline);
        signs.set(Cue::Holes, holes);
        signs
    }

    /// What was seen of one sign.
    #[must_use]
    pub fn of(&self, cue: Cue) -> Option<f32> {
        self.0.get(cue as usize).copied().flatten()
    }

    /// Notes what was seen of one sign.
    pub fn set(&mut self, cue: Cue, value: f32) {
        if let Some(place) = self.0.get_mut(cue as usize) {
            *place = Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn every_sign_of_every_picture_is_a_number() {
        // proves D6
        let face = Bounds { x: -3.0, y: 5.0, width: 30.0, height: 40.0 };
        let noise = RgbImage::from_fn(90, 70, |x, y| Rgb([(x * y % 251) as u8, (x ^ y) as u8, 9]));
        let white = RgbImage::from_pixel(400, 300, Rgb([255; 3]));
        for image in [RgbImage::new(1, 1), RgbImage::new(2, 300), noise, white] {
            let huge = Bounds { x: -1e4, y: -1e4, width: 1e5, height: 1e5 };
            let flat = Bounds { width: 0.0, height: 0.0, ..face };
            for face in [face, huge, flat] {
                let signs = Signs::seen(&image, &face, [face.centre(), Point::new(-9.0, 1e4)]);
                for cue in Cue::ALL.into_iter().skip(3) {
                    let value = signs.of(cue).unwrap();
                    assert!(value.is_finite() && value.abs() < 100.0, "{cue:?} {value}");
                }
                assert_eq!(signs.of(Cue::Network), None);
            }
        }
    }
}
