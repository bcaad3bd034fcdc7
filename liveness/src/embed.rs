//! A face as numbers: each recognition network on the aligned face and on its mirror image.

use std::fmt;

use image::RgbImage;
use serde::Deserialize;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crop::{Channel, Crop};
use crate::geometry::{Affine, Point};
use crate::model::{Failure, Network, RunError};

const SIDE: usize = 112;

/// Where the five points lie in the crop that quality is judged by, left first: that of the first two
/// networks.
const ALIGNED: [[f32; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];

/// How a recognition network takes a face: `[model.embedder]` of `models/pins.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embedder {
    colours: Colours,
    /// Taken from each value of 0 to 255.
    minus: f32,
    /// What that is divided by.
    over: f32,
    /// Where the five points lie in the crop.
    points: [[f32; 2]; 5],
    /// How many numbers come out.
    length: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colours {
    Rgb,
    Bgr,
}

/// A recognition network with how it takes a face.
pub(crate) struct Recogniser {
    pub(crate) network: Network,
    pub(crate) embedder: Embedder,
}

/// What is compared: a direction for each network, of one picture or of several, wiped when dropped.
///
/// It is biometric data: never logged, shown or serialised.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Template {
    parts: Vec<Part>,
    pictures: usize,
}

/// What a network answered to pictures of a face: their sum, as a direction and a length.
///
/// A network tends to answer a poor picture with a shorter vector, so that a sum weighs pictures by
/// their quality (Meng et al. 2021, *MagFace*, arXiv:2103.06627, teaches networks to).
#[derive(Zeroize)]
struct Part {
    direction: Vec<f32>,
    length: f32,
}

/// Templates that cannot become one.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub enum TemplateError {
    /// There is none.
    #[error("there is no picture to make a template of")]
    Missing,
    /// They were not made by the same networks.
    #[error("the templates were made by different networks")]
    Mixed,
    /// They cancel each other out.
    #[error("the templates have no direction in common")]
    Empty,
}

impl TemplateError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            TemplateError::Missing => "face.not_found",
            TemplateError::Mixed | TemplateError::Empty => "face.model",
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(…)")
    }
}

/// How alike two templates are to each network: cosines, -1..=1, in the order of the networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement(pub Vec<f32>);

impl Template {
    /// One template of one person's templates, each weighing what its pictures are worth. Frames of one
    /// capture belong together; that they show one person is for the caller to know.
    pub fn of<'a>(
        templates: impl IntoIterator<Item = &'a Template>,
    ) -> Result<Template, TemplateError> {
        let templates: Vec<&Template> = templates.into_iter().collect();
        let first = templates.first().ok_or(TemplateError::Missing)?;
        if templates.iter().any(|template| !template.is_like(first)) {
            return Err(TemplateError::Mixed);
        }
        let merged = (0..first.parts.len())
            .map(|at| Part::sum(templates.iter().filter_map(|template| template.parts.get(at))));
        let parts = merged.collect::<Option<_>>().ok_or(TemplateError::Empty)?;
        Ok(Template { parts, pictures: templates.iter().map(|template| template.pictures).sum() })
    }

    /// How many pictures it was made of.
    pub fn pictures(&self) -> usize {
        self.pictures
    }

    /// What each network says of the two; [`crate::Engine::compare`] weighs it.
    pub fn agreement(&self, other: &Template) -> Agreement {
        let parts = self.parts.iter().zip(&other.parts);
        Agreement(parts.map(|(one, other)| dot(&one.direction, &other.direction)).collect())
    }

    fn is_like(&self, other: &Template) -> bool {
        let lengths = |template: &Template| -> Vec<usize> {
            template.parts.iter().map(|part| part.direction.len()).collect()
        };
        lengths(self) == lengths(other)
    }
}

impl Part {
    /// None where the values have no length or no finite one.
    fn of(mut values: Vec<f32>) -> Option<Part> {
        let length = dot(&values, &values).sqrt();
        if !length.is_normal() {
            return None;
        }
        values.iter_mut().for_each(|value| *value /= length);
        Some(Part { direction: values, length })
    }

    /// None of nothing, and where the parts cancel each other out.
    fn sum<'a>(parts: impl Iterator<Item = &'a Part>) -> Option<Part> {
        let mut sum: Vec<f32> = Vec::new();
        for part in parts {
            sum.resize(part.direction.len(), 0.0);
            add(&mut sum, part.direction.iter().map(|value| value * part.length));
        }
        Part::of(sum)
    }
}

/// The face turned so that its five points lie in one place, for judging its quality. None where the
/// five points fall together.
pub(crate) fn align(image: &RgbImage, five: &[Point; 5]) -> Option<Crop> {
    aligned(image, five, &ALIGNED, SIDE)
}

fn aligned(
    image: &RgbImage,
    five: &[Point; 5],
    places: &[[f32; 2]; 5],
    side: usize,
) -> Option<Crop> {
    let places = places.map(|[x, y]| Point { x, y });
    let to_source = Affine::similarity(five, &places)?.inverse()?;
    Some(Crop::sample(image, &to_source, side))
}

/// Describes a face with its five points. None where they fall together.
pub(crate) fn describe(
    recognisers: &[Recogniser],
    image: &RgbImage,
    five: &[Point; 5],
) -> Result<Option<Template>, RunError> {
    let parts = recognisers.iter().map(|recogniser| recogniser.describe(image, five));
    let parts = parts.collect::<Result<Option<Vec<_>>, _>>()?;
    Ok(parts.map(|parts| Template { parts, pictures: 1 }))
}

impl Recogniser {
    /// The sum of the network's answers to the face and to its mirror image.
    fn describe(&self, image: &RgbImage, five: &[Point; 5]) -> Result<Option<Part>, RunError> {
        let side = self.network.side();
        let Some(face) = aligned(image, five, &self.embedder.points, side) else {
            return Ok(None);
        };
        let both = [&face, &face.mirrored()].map(|crop| self.input(crop));
        let mut sum = vec![0.0; self.embedder.length];
        for [answer] in self.network.run_each(&both, [self.embedder.length])? {
            add(&mut sum, answer.into_iter());
        }
        Part::of(sum).map(Some).ok_or_else(|| self.network.fails(Failure::Empty))
    }

    fn input(&self, crop: &Crop) -> Vec<f32> {
        let order = match self.embedder.colours {
            Colours::Rgb => Channel::RGB,
            Colours::Bgr => Channel::BGR,
        };
        crop.planes(order, |value| (value - self.embedder.minus) / self.embedder.over)
    }
}

fn add(sum: &mut [f32], values: impl Iterator<Item = f32>) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use crate::model::fake;

    const LENGTH: usize = 192;
    const FIVE: [Point; 5] = [
        Point { x: 38.2946, y: 51.6963 },
        Point { x: 73.5318, y: 51.5014 },
        Point { x: 56.0252, y: 71.7366 },
        Point { x: 41.5493, y: 92.3655 },
        Point { x: 70.7299, y: 92.2041 },
    ];

    fn picture() -> RgbImage {
        RgbImage::from_fn(112, 112, |x, y| image::Rgb([x as u8, y as u8, 9]))
    }

    fn recogniser(answer: impl Fn(&[f32]) -> Vec<f32> + Send + Sync + 'static) -> Recogniser {
        let network = fake::network(Role::RecognitionA, SIDE, move |input| vec![answer(input)]);
        let embedder = Embedder {
            colours: Colours::Bgr,
            minus: 9.0,
            over: 2.0,
            points: ALIGNED,
            length: LENGTH,
        };
        Recogniser { network, embedder }
    }

    fn failure(answer: Vec<f32>) -> Failure {
        let recognisers = [recogniser(|_| vec![1.0; LENGTH]), recogniser(move |_| answer.clone())];
        describe(&recognisers, &picture(), &FIVE).unwrap_err().failure
    }

    #[test]
    fn a_template_agrees_fully_with_itself() {
        let recognisers = [recogniser(|_| vec![2.0; LENGTH]), recogniser(|_| vec![-3.0; LENGTH])];
        let template = describe(&recognisers, &picture(), &FIVE).unwrap().unwrap();
        let Agreement(cosines) = template.agreement(&template);
        assert_eq!(cosines.len(), 2);
        assert!(cosines.iter().all(|cosine| (cosine - 1.0).abs() < 1e-5));
        assert_eq!(format!("{template:?}"), "Template(…)");
    }

    #[test]
    fn zero_and_what_is_no_number_are_refused() {
        // proves D6
        assert_eq!(failure(vec![0.0; LENGTH]), Failure::Empty);
        assert_eq!(failure(vec![f32::NAN; LENGTH]), Failure::NotFinite);
        assert_eq!(failure(vec![1.0; LENGTH + 1]), Failure::Shape);
        assert_eq!(failure(vec![f32::MAX; LENGTH]), Failure::Empty);
    }

    #[test]
    fn points_that_fall_together_are_no_face() {
        let one = [recogniser(|_| vec![1.0; LENGTH])];
        assert!(describe(&one, &picture(), &[FIVE[0]; 5]).unwrap().is_none());
    }

    /// A template of one network that answered so.
    fn answered(answer: &[f32]) -> Template {
        Template { parts: vec![Part::of(answer.to_vec()).unwrap()], pictures: 1 }
    }

    #[test]
    fn a_poorer_picture_weighs_less_in_a_template_of_several() {
        let (good, poor) = (answered(&[3.0, 0.0]), answered(&[0.0, 1.0]));
        let both = Template::of([&good, &poor]).unwrap();
        assert_eq!(both.pictures(), 2);
        let Agreement(with_good) = both.agreement(&good);
        let Agreement(with_poor) = both.agreement(&poor);
        assert!((with_good[0] - 3.0 / 10f32.sqrt()).abs() < 1e-6);
        assert!((with_poor[0] - 1.0 / 10f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn it_does_not_matter_in_which_order_templates_become_one() {
        let all =
            [answered(&[1.0, 2.0, 0.5]), answered(&[3.0, -1.0, 0.0]), answered(&[0.1, 1.0, 1.0])];
        let [a, b, c] = &all;
        let at_once = Template::of(&all).unwrap();
        let stepwise = Template::of([c, &Template::of([b, a]).unwrap()]).unwrap();
        assert_eq!(stepwise.pictures(), 3);
        assert!((at_once.agreement(&stepwise).0[0] - 1.0).abs() < 1e-6);
        assert!((Template::of([a]).unwrap().agreement(a).0[0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn templates_that_cannot_become_one_are_refused() {
        // proves D6
        let refusal = |templates: &[&Template]| {
            let error = Template::of(templates.iter().copied()).unwrap_err();
            (error, error.code())
        };
        let (one, opposite) = (answered(&[1.0, 1.0]), answered(&[-1.0, -1.0]));
        assert_eq!(refusal(&[]), (TemplateError::Missing, "face.not_found"));
        assert_eq!(refusal(&[&one, &opposite]), (TemplateError::Empty, "face.model"));
        assert_eq!(refusal(&[&one, &answered(&[1.0])]), (TemplateError::Mixed, "face.model"));
        let two = Template { parts: vec![], pictures: 1 };
        assert_eq!(refusal(&[&one, &two]), (TemplateError::Mixed, "face.model"));
    }

    #[test]
    fn a_network_gets_its_colours_in_its_scale() {
        // Blue, which is 9 everywhere in the picture, comes first and becomes 0; red grows by column.
        let seen = recogniser(|input| {
            let middle = SIDE * SIDE / 2 + SIDE / 2;
            let mut answer = vec![0.0; LENGTH];
            answer[0] = 1.0 + input[middle].abs();
            answer[1] = input[2 * SIDE * SIDE + middle];
            answer
        });
        let template = describe(&[seen], &picture(), &FIVE).unwrap().unwrap();
        let ratio = template.parts[0].direction[1] / template.parts[0].direction[0];
        // The face and its mirror image: columns 56 and 55 of 112.
        assert!((ratio - (55.5 - 9.0) / 2.0).abs() < 0.6, "{ratio}");
    }

    #[test]
    fn a_face_and_its_mirror_image_have_one_template() {
        // What a network sees of red in the middle of the crop.
        let seeing = || {
            recogniser(|input| {
                let middle = input.iter().skip(2 * SIDE * SIDE + SIDE * SIDE / 2);
                middle.take(LENGTH).copied().collect()
            })
        };
        let picture = RgbImage::from_fn(112, 112, |x, _| image::Rgb([(x * x / 60) as u8, 0, 0]));
        let mirrored = image::imageops::flip_horizontal(&picture);
        let flipped = [1, 0, 2, 4, 3].map(|index: usize| {
            let Point { x, y } = FIVE[index];
            Point { x: 112.0 - x, y }
        });
        let describe = |image, five| describe(&[seeing()], image, five).unwrap().unwrap();
        let (one, other) = (describe(&picture, &FIVE), describe(&mirrored, &flipped));
        assert!(one.agreement(&other).0[0] > 0.999, "{:?}", one.agreement(&other));
    }
}
