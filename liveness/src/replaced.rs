//! Tests that another embedder takes the place of ours by its ONNX file and its entry in pins.toml.

use std::fs;

use image::{Rgb, RgbImage};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::embed::{self, Agreement, Template};
use crate::engine;
use crate::geometry::Point;
use crate::manifest::{Folder, ModelError, PINS, Role, ThresholdFault, hex};
use crate::model::Failure;

const THRESHOLDS: &str = include_str!("../models/thresholds.toml");
const SIDE: u8 = 8;
const FILE: &str = "recognition-b.onnx";
const FIVE: [Point; 5] = [
    Point { x: 2.0, y: 2.0 },
    Point { x: 6.0, y: 2.0 },
    Point { x: 4.0, y: 4.0 },
    Point { x: 2.0, y: 6.0 },
    Point { x: 6.0, y: 6.0 },
];

/// A network that answers the mean of each colour plane, as an ONNX file written field by field
/// (onnx.proto, IR version 8, opset 13).
fn small() -> Vec<u8> {
    let node = |from, to, operator| [text(1, from), text(2, to), text(4, operator)].concat();
    let value = |name, shape: &[u8]| {
        let dimensions: Vec<_> = shape.iter().map(|side| field(1, &number(1, *side))).collect();
        let tensor = [number(1, 1), field(2, &dimensions.concat())].concat();
        [text(1, name), field(2, &field(1, &tensor))].concat()
    };
    let graph = [
        field(1, &node("in", "means", "GlobalAveragePool")),
        field(1, &node("means", "out", "Flatten")),
        text(2, "means"),
        field(11, &value("in", &[1, 3, SIDE, SIDE])),
        field(12, &value("out", &[1, 3])),
    ];
    [number(1, 8), field(7, &graph.concat()), field(8, &number(2, 13))].concat()
}

/// A message or a text of fewer than 16,384 bytes.
fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = [value.len() as u8 | 0x80, (value.len() >> 7) as u8];
    [&[tag << 3 | 2], &length[..], value].concat()
}

fn text(tag: u8, value: &str) -> Vec<u8> {
    field(tag, value.as_bytes())
}

fn number(tag: u8, value: u8) -> Vec<u8> {
    vec![tag << 3, value]
}

/// The SHA-256 that the pins name for the second recognition network, and that of the small one.
fn hashes() -> (String, String) {
    let (_, own) = PINS.split_once("role = \"recognition-b\"").unwrap();
    let (_, own) = own.split_once("sha256 = \"").unwrap();
    (own[..64].to_string(), hex(&Sha256::digest(small())))
}

/// The pins with the small network in the place of the second, of so many numbers.
fn pins(length: usize) -> String {
    let (ours, theirs) = hashes();
    let (before, own) = PINS.split_once("role = \"recognition-b\"").unwrap();
    let (entry, after) = own.split_once("[model.embedder]").unwrap();
    let (_, after) = after.split_once("\n\n").unwrap();
    let points = FIVE.map(|Point { x, y }| [x, y]);
    format!(
        "{before}role = \"recognition-b\"{}[model.embedder]\ncolours = \"bgr\"\nminus = 100.0\n\
         over = 50.0\npoints = {points:?}\nlength = {length}\n\n{after}",
        entry.replace(&ours, &theirs)
    )
}

/// A folder whose models.toml lists what these pins name, with these thresholds.
fn folder(pins: &str, thresholds: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let listed = pins.split("[[portrait]]").next().unwrap();
    fs::write(folder.path().join("models.toml"), format!("{listed}\n{thresholds}")).unwrap();
    fs::write(folder.path().join(FILE), small()).unwrap();
    folder
}

fn fault(thresholds: &str) -> ThresholdFault {
    let pins = pins(3);
    let folder = folder(&pins, thresholds);
    match Folder::against(folder.path(), &pins) {
        Err(error @ ModelError::Thresholds { fault }) => {
            assert_eq!(error.code(), "face.model");
            fault
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("opened"),
    }
}

#[test]
fn another_embedder_takes_the_place_of_ours_by_its_entry() {
    let (pins, (ours, theirs)) = (pins(3), hashes());
    let folder = folder(&pins, &THRESHOLDS.replace(&ours, &theirs));
    let opened = Folder::against(folder.path(), &pins).unwrap();
    let recognisers = [engine::recogniser(&opened, Role::RecognitionB).unwrap()];
    let described = |colour| {
        let picture = RgbImage::from_pixel(8, 8, Rgb(colour));
        embed::describe(&recognisers, &picture, &FIVE).unwrap().unwrap()
    };
    // 100 becomes 0 and 50 more 1: what the network answers is the colour's direction from there.
    let (red, blue) = (described([150, 100, 100]), described([100, 100, 200]));
    let between = |one: &Template, other: &Template| {
        let Agreement(cosines) = one.agreement(other);
        cosines[0]
    };
    assert!(between(&red, &blue).abs() < 1e-5);
    assert!((between(&red, &described([200, 100, 100])) - 1.0).abs() < 1e-5);
    assert!((between(&red, &described([150, 100, 150])) - 0.5f32.sqrt()).abs() < 1e-5);
}

#[test]
fn an_embedder_of_another_length_than_its_entry_says_is_refused() {
    // proves D6
    let (pins, (ours, theirs)) = (pins(4), hashes());
    let folder = folder(&pins, &THRESHOLDS.replace(&ours, &theirs));
    let opened = Folder::against(folder.path(), &pins).unwrap();
    let recognisers = [engine::recogniser(&opened, Role::RecognitionB).unwrap()];
    let error = embed::describe(&recognisers, &RgbImage::new(8, 8), &FIVE).unwrap_err();
    assert_eq!((error.role, error.failure), (Role::RecognitionB, Failure::Shape));
}

#[test]
fn thresholds_go_with_the_files_they_were_measured_with_in_their_order() {
    // proves D6
    let (ours, theirs) = hashes();
    assert_eq!(fault(THRESHOLDS), ThresholdFault::OtherModels);
    let measured = THRESHOLDS.replace(&ours, &theirs);
    let (weights, points) = measured.split_once("operating_point").unwrap();
    let mut lines: Vec<&str> = weights.lines().collect();
    let at = lines.iter().position(|line| line.contains(&theirs)).unwrap();
    lines.swap(at - 1, at);
    let swapped = format!("{}\noperating_point{points}", lines.join("\n"));
    assert_eq!(fault(&swapped), ThresholdFault::OtherModels);
    lines.remove(at);
    let missing = format!("{}\noperating_point{points}", lines.join("\n"));
    assert_eq!(fault(&missing), ThresholdFault::OtherModels);
}

#[test]
fn a_file_that_is_not_the_pinned_one_takes_no_place() {
    // proves D6
    let (pins, (ours, theirs)) = (pins(3), hashes());
    let folder = folder(&pins, &THRESHOLDS.replace(&ours, &theirs));
    assert!(matches!(Folder::open(folder.path()), Err(ModelError::Unlisted { .. })));
    fs::write(folder.path().join(FILE), b"another").unwrap();
    let opened = Folder::against(folder.path(), &pins).unwrap();
    let refused = engine::recogniser(&opened, Role::RecognitionB);
    assert!(matches!(refused, Err(ModelError::Altered { role: Role::RecognitionB })));
}
