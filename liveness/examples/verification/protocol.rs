//! Which faces are compared with which.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use image::RgbImage;
use liveness::{Agreement, Engine, Face, Template};

use crate::field::{Field, person};
use crate::fusion::Fusion;
use crate::portraits::{self, Variant};
use crate::rates::Rates;
use crate::{Outcome, measures, show};

/// People are parted into so many groups to learn on some and judge others.
const FOLDS: usize = 5;
/// The false-match rate whose threshold says in which scale weights measure.
const SCALE: f64 = 1e-3;
/// A template of several is made of so many pictures,
const SEVERAL: usize = 5;
/// so many times for each person with more of them.
const DRAWS: u64 = 40;

/// The faces that were found, by the names of their pictures.
pub(crate) struct Faces {
    pub(crate) found: BTreeMap<String, Face>,
    pub(crate) unusable: Vec<String>,
}

/// All pictures as they are.
pub(crate) type Pictures = Faces;

impl Faces {
    pub(crate) fn describe(engine: &Engine, field: &Field) -> Faces {
        Faces::of(&field.names, |name| middle(engine, &field.picture(name)?))
    }

    fn of(
        names: &[String],
        face: impl Fn(&str) -> Result<Face, &'static str> + Send + Sync,
    ) -> Faces {
        let mut faces = Faces { found: BTreeMap::new(), unusable: Vec::new() };
        for (name, face) in side_by_side(names, face) {
            match face {
                Ok(face) => drop(faces.found.insert(name, face)),
                Err(code) => faces.unusable.push(format!("{name}: {code}")),
            }
        }
        faces
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len() + self.unusable.len()
    }

    pub(crate) fn show(&self) {
        show(&format!("{} pictures, in {} no face was found", self.count(), self.unusable.len()));
        self.unusable.iter().for_each(|line| show(line));
        measures::lines(self.found.values()).for_each(|line| show(&line));
    }
}

fn side_by_side<'a>(
    names: &'a [String],
    face: impl Fn(&str) -> Result<Face, &'static str> + Send + Sync,
) -> Vec<(String, Result<Face, &'static str>)> {
    let face = &face;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let parts = names.chunks(names.len().div_ceil(workers).max(1));
        let describe = |part: &'a [String]| {
            move || part.iter().map(|name| (name.clone(), face(name))).collect::<Vec<_>>()
        };
        let running: Vec<_> = parts.map(|part| scope.spawn(describe(part))).collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// The face nearest the middle.
fn middle(engine: &Engine, image: &RgbImage) -> Result<Face, &'static str> {
    let faces = engine.analyse_each(image).map_err(|e| e.code())?;
    let (right, low) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    let off = |Face { bounds, .. }: &Face| {
        (bounds.x + bounds.width / 2.0 - right).hypot(bounds.y + bounds.height / 2.0 - low)
    };
    let nearest = faces.into_iter().min_by(|one, other| off(one).total_cmp(&off(other)));
    nearest.ok_or("face.not_found")
}

/// Two pictures and the groups that their people are in.
pub(crate) struct Pair {
    folds: [usize; 2],
    agreement: Agreement,
}

/// One picture a side.
pub(crate) struct Pairs {
    same: Vec<Pair>,
    different: Vec<Pair>,
}

impl Pairs {
    pub(crate) fn of(pictures: &Pictures, field: &Field) -> Pairs {
        let people: BTreeSet<&str> = pictures.found.keys().map(|name| person(name)).collect();
        let folds: BTreeMap<&str, usize> =
            people.into_iter().enumerate().map(|(at, person)| (person, at % FOLDS)).collect();
        let fold = |name: &str| folds.get(person(name)).copied().unwrap_or_default();
        let pair = |(one, a): (&String, &Face), (other, b): (&String, &Face)| {
            let agreement = a.template.agreement(&b.template);
            Pair { folds: [fold(one), fold(other)], agreement }
        };
        let same = field.same.iter().filter_map(|(one, other)| {
            let (a, b) = (pictures.found.get(one)?, pictures.found.get(other)?);
            Some(pair((one, a), (other, b)))
        });
        let mut different = Vec::new();
        for (at, one) in pictures.found.iter().enumerate() {
            let others = pictures.found.iter().skip(at + 1);
            let others = others.filter(|(other, _)| person(other) != person(one.0));
            different.extend(others.map(|other| pair(one, other)));
        }
        Pairs { same: same.collect(), different }
    }

    /// What the networks say of different people.
    pub(crate) fn cosines(&self) -> Vec<&Agreement> {
        self.different.iter().map(|pair| &pair.agreement).collect()
    }

    pub(crate) fn rates(&self, similarity: impl Fn(&Agreement) -> f64) -> Rates {
        let of = |pairs: &[Pair]| pairs.iter().map(|pair| similarity(&pair.agreement)).collect();
        Rates::new(of(&self.same), of(&self.different))
    }
}

/// Each group's pairs by weights that were learnt without its people. Weights differ a little in scale,
/// so that each group's similarities are divided by its own threshold at [`SCALE`] first.
pub(crate) fn learnt_on_others(pairs: &Pairs) -> Outcome<Rates> {
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for group in 0..FOLDS {
        let own = |pair: &&Pair| pair.folds.contains(&group);
        let learnt = pairs.different.iter().filter(|pair| !own(pair)).map(|pair| &pair.agreement);
        let fusion = Fusion::fit(&learnt.collect::<Vec<_>>())?;
        let judged = |pairs: &[Pair]| -> Vec<f64> {
            let judged = pairs.iter().filter(own);
            judged.map(|pair| fusion.similarity(&pair.agreement)).collect()
        };
        let rates = Rates::new(judged(&pairs.same), judged(&pairs.different));
        let scale = rates.at(SCALE).ok_or("too few different people in a group")?.threshold;
        same.extend(rates.same.iter().map(|similarity| similarity / scale));
        different.extend(rates.different.iter().map(|similarity| similarity / scale));
    }
    Ok(Rates::new(same, different))
}

/// A template of several pictures of a person.
struct Several<'a> {
    used: Vec<&'a str>,
    template: Template,
}

/// The pictures of everyone who has more than a template takes.
fn many(pictures: &Pictures) -> impl Iterator<Item = Vec<(&str, &Face)>> {
    let mut people: BTreeMap<&str, Vec<(&str, &Face)>> = BTreeMap::new();
    for (name, face) in &pictures.found {
        people.entry(person(name)).or_default().push((name, face));
    }
    people.into_values().filter(|own| own.len() > SEVERAL)
}

/// Of everyone with many pictures, templates of pictures drawn by chance. So many draws are no more
/// people, but what they say depends less on which pictures were drawn.
fn templates(pictures: &Pictures) -> Vec<Several<'_>> {
    let drawn = |own: Vec<_>| (0..DRAWS).filter_map(move |seed| Several::draw(&own, seed));
    many(pictures).flat_map(drawn).collect()
}

impl<'a> Several<'a> {
    fn draw(own: &[(&'a str, &'a Face)], seed: u64) -> Option<Several<'a>> {
        let mut chance = seed + 1;
        let mut drawn: Vec<_> = own.iter().map(|of| (shuffle(&mut chance), *of)).collect();
        drawn.sort_by_key(|(order, _)| *order);
        let drawn = drawn.into_iter().take(SEVERAL).map(|(_, of)| of);
        let template = Template::of(drawn.clone().map(|(_, face)| &face.template)).ok()?;
        Some(Several { used: drawn.map(|(name, _)| name).collect(), template })
    }

    fn person(&self) -> &str {
        self.used.first().map_or("", |name| person(name))
    }
}

/// Steele, Lea and Flood 2014, SplitMix64: chance that is the same every time.
pub(crate) fn shuffle(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Templates of several against every picture that they are not made of, and whom each pair of the
/// same people shows.
pub(crate) fn several(faces: &Faces, pictures: &Pictures, fusion: &Fusion) -> (Rates, Vec<String>) {
    let (mut same, mut different, mut people) = (Vec::new(), Vec::new(), Vec::new());
    for several in templates(pictures) {
        for (name, face) in &faces.found {
            let similarity = || fusion.similarity(&several.template.agreement(&face.template));
            if person(name) != several.person() {
                different.push(similarity());
            } else if !several.used.contains(&name.as_str()) {
                same.push(similarity());
                people.push(several.person().to_owned());
            }
        }
    }
    (Rates::new(same, different), people)
}

/// Pictures as a chip would hold them: one of each pair labelled as the same, and where the variant
/// takes all, those of the people that templates of several are made of.
pub(crate) fn chips(engine: &Engine, field: &Field, pictures: &Pictures, to: &Variant) -> Faces {
    let mut names: BTreeSet<&String> =
        field.same.iter().step_by(to.every).map(|(one, _)| one).collect();
    if to.every == 1 {
        let many: BTreeSet<&str> = many(pictures).flatten().map(|(name, _)| name).collect();
        names.extend(pictures.found.keys().filter(|name| many.contains(name.as_str())));
    }
    let names: Vec<String> = names.into_iter().cloned().collect();
    Faces::of(&names, |name| {
        let Face { points, .. } = pictures.found.get(name).ok_or("face.not_found")?;
        let file = portraits::on_a_chip(&field.picture(name)?, points, to);
        let file = file.map_err(|_| "not compressed")?;
        middle(engine, &liveness::portrait::decode(&file).map_err(|e| e.code())?)
    })
}

/// Portraits against every picture of others, and against the picture that a pair names.
pub(crate) fn against_pictures(
    chips: &Faces,
    pictures: &Pictures,
    field: &Field,
    fusion: &Fusion,
) -> Rates {
    let similarity = |a: &Face, b: &Face| fusion.similarity(&a.template.agreement(&b.template));
    let same = field.same.iter().filter_map(|(one, other)| {
        Some(similarity(chips.found.get(one)?, pictures.found.get(other)?))
    });
    let different = chips.found.iter().flat_map(|(one, portrait)| {
        let others = pictures.found.iter().filter(move |(other, _)| person(other) != person(one));
        others.map(move |(_, face)| similarity(portrait, face))
    });
    Rates::new(same.collect(), different.collect())
}
