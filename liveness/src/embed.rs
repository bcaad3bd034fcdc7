//! A face as numbers: both recognition networks on the aligned face and on its mirror image.

use std::fmt;

use image::RgbImage;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crop::{Channel, Crop};
use crate::geometry::{Affine, Point};
use crate::model::{Failure, Network, RunError};

const SIDE: usize = 112;
const LENGTH_A: usize = 192;
const LENGTH_B: usize = 512;

/// Where the five points lie in the crop that both networks were trained on, left first.
const ALIGNED: [Point; 5] = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// What is compared: two lists of numbers of length 1, wiped when dropped.
///
/// It is biometric data: never logged, shown or serialised.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Template {
    a: Vec<f32>,
    b: Vec<f32>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(…)")
    }
}

/// How alike two templates are to each network: cosines, -1..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// By recognition A.
    pub a: f32,
    /// By recognition B.
    pub b: f32,
}

impl Template {
    /// What each network says of the two; [`crate::Engine::compare`] weighs it.
    pub fn agreement(&self, other: &Template) -> Agreement {
        Agreement { a: dot(&self.a, &other.a), b: dot(&self.b, &other.b) }
    }
}

/// Turns the face so that its five points lie where the networks expect them. None where the five
/// points fall together.
pub(crate) fn align(image: &RgbImage, five: &[Point; 5]) -> Option<Crop> {
    let to_source = Affine::similarity(five, &ALIGNED)?.inverse()?;
    Some(Crop::sample(image, &to_source, SIDE))
}

/// Describes an aligned face.
pub(crate) fn describe(a: &Network, b: &Network, face: &Crop) -> Result<Template, RunError> {
    let mirrored = face.mirrored();
    Ok(Template {
        a: both::<LENGTH_A>(a, [face, &mirrored], |v| (v - 127.5) / 128.0)?,
        b: both::<LENGTH_B>(b, [face, &mirrored], |v| (v - 127.0) / 128.0)?,
    })
}

/// The sum of the network's answers to the crops, brought to length 1.
fn both<const LENGTH: usize>(
    network: &Network,
    crops: [&Crop; 2],
    scale: fn(f32) -> f32,
) -> Result<Vec<f32>, RunError> {
    let mut sum = vec![0.0; LENGTH];
    for crop in crops {
        let [part] = network.run(crop.planes(Channel::RGB, scale), [LENGTH])?;
        let part = unit(part).ok_or_else(|| network.fails(Failure::Empty))?;
        sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p);
    }
    unit(sum).ok_or_else(|| network.fails(Failure::Empty))
}

fn unit(mut values: Vec<f32>) -> Option<Vec<f32>> {
    let length = dot(&values, &values).sqrt();
    if !length.is_normal() {
        return None;
    }
    values.iter_mut().for_each(|v| *v /= length);
    Some(values)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use crate::model::fake;

    fn crop() -> Crop {
        align(&RgbImage::from_fn(112, 112, |x, y| image::Rgb([x as u8, y as u8, 9])), &ALIGNED)
            .unwrap()
    }

    fn network(role: Role, answer: Vec<f32>) -> Network {
        fake::network(role, SIDE, move |_| vec![answer.clone()])
    }

    fn failure(a: Vec<f32>) -> Failure {
        let b = network(Role::RecognitionB, vec![1.0; LENGTH_B]);
        describe(&network(Role::RecognitionA, a), &b, &crop()).unwrap_err().failure
    }

    #[test]
    fn a_template_agrees_fully_with_itself() {
        let a = network(Role::RecognitionA, vec![2.0; LENGTH_A]);
        let b = network(Role::RecognitionB, vec![-3.0; LENGTH_B]);
        let template = describe(&a, &b, &crop()).unwrap();
        let Agreement { a, b } = template.agreement(&template);
        assert!((a - 1.0).abs() < 1e-5 && (b - 1.0).abs() < 1e-5);
        assert_eq!(format!("{template:?}"), "Template(…)");
    }

    #[test]
    fn zero_and_what_is_no_number_are_refused() {
        // proves D6
        assert_eq!(failure(vec![0.0; LENGTH_A]), Failure::Empty);
        assert_eq!(failure(vec![f32::NAN; LENGTH_A]), Failure::NotFinite);
        assert_eq!(failure(vec![1.0; LENGTH_B]), Failure::Shape);
        assert_eq!(failure(vec![f32::MAX; LENGTH_A]), Failure::Empty);
    }

    #[test]
    fn a_face_and_its_mirror_image_have_one_template() {
        let first = |scale: f32| {
            move |input: &[f32]| {
                let side = SIDE * SIDE;
                let mut answer = vec![1.0; LENGTH_A];
                answer.iter_mut().zip(&input[..side]).for_each(|(a, v)| *a += scale * v);
                vec![answer]
            }
        };
        let a = fake::network(Role::RecognitionA, SIDE, first(3.0));
        let b = network(Role::RecognitionB, vec![1.0; LENGTH_B]);
        let one = describe(&a, &b, &crop()).unwrap();
        let other = describe(&a, &b, &crop().mirrored()).unwrap();
        assert!((one.agreement(&other).a - 1.0).abs() < 1e-5);
    }
}
