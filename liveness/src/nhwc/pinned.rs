//! Tests on the pinned networks, from where `scripts/models` put them: which are run here and which by
//! tract, that vectors of every width find the same, and two pictures at once what each finds alone.

#[path = "../../tests/models/mod.rs"]
mod models;

use fearless_simd::Level;
use tract_onnx::onnx;
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::Framework;

use super::Program;
use crate::manifest::{Folder, Role};

const ROLES: [Role; 9] = [
    Role::Detection,
    Role::Landmarks,
    Role::RecognitionA,
    Role::RecognitionB,
    Role::RecognitionC,
    Role::Attack,
    Role::Eyes,
    Role::AttackNear,
    Role::AttackWide,
];

/// Small networks with operations that are not known here.
const LEFT_TO_TRACT: [Role; 3] = [Role::Eyes, Role::AttackNear, Role::AttackWide];

/// The networks that are installed: all but the optional ones must be.
fn graphs() -> Vec<(Role, GraphProto)> {
    let path = models::folder();
    let folder = Folder::open(&path).unwrap();
    let optional = |role| matches!(role, Role::AttackNear | Role::AttackWide);
    let (there, missing): (Vec<_>, Vec<_>) =
        ROLES.into_iter().partition(|role| folder.holds(*role) || !optional(*role));
    missing.iter().for_each(|role| println!("skipped {role}: not installed"));
    let graph = |role| {
        let bytes = folder.read(role).unwrap();
        onnx().proto_model_for_read(&mut &bytes[..]).unwrap().graph.unwrap()
    };
    there.into_iter().map(|role| (role, graph(role))).collect()
}

/// Those that are run here.
fn own() -> impl Iterator<Item = (Role, GraphProto)> {
    graphs().into_iter().filter(|(role, _)| !LEFT_TO_TRACT.contains(role))
}

/// Numbers between 0 and 1 that look a little like a picture.
fn waves(program: &Program, step: usize) -> Vec<f32> {
    let count = program.shape().iter().product();
    (0..count).map(|at| (at * step % 256 + at * at / 64 % 256) as f32 / 512.0).collect()
}

/// The greatest distance of two outputs as a part of the second's length.
fn difference(found: &[Vec<f32>], other: &[Vec<f32>]) -> f32 {
    let sizes = |outputs: &[Vec<f32>]| outputs.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(found), sizes(other));
    let apart = found.iter().zip(other).map(|(found, other)| {
        let apart = found.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        (apart / other.iter().map(|b| b.powi(2)).sum::<f32>()).sqrt()
    });
    apart.fold(0.0, |most, apart| if apart <= most { most } else { apart })
}

/// The best level of this processor and the lower ones that it has too.
fn levels() -> Vec<Level> {
    let best = Level::new();
    #[cfg(target_arch = "x86_64")]
    let middle = best.as_avx2().map(Level::Avx2);
    #[cfg(not(target_arch = "x86_64"))]
    let middle = None;
    [Some(best), middle, Some(Level::baseline())].into_iter().flatten().collect()
}

#[test]
fn the_large_networks_are_run_here_and_the_small_ones_by_tract() {
    for (role, graph) in graphs() {
        let left = Program::new(&graph).is_none();
        assert_eq!(left, LEFT_TO_TRACT.contains(&role), "{role}");
    }
}

#[test]
fn vectors_of_every_width_find_the_same() {
    for (role, graph) in own() {
        let answers = levels().into_iter().map(|level| {
            let program = Program::for_level(&graph, level).unwrap();
            let answer = program.run(&[&waves(&program, 7)]).pop().unwrap();
            (level, answer)
        });
        let answers: Vec<_> = answers.collect();
        let (_, best) = &answers[0];
        for (level, answer) in &answers[1..] {
            let difference = difference(answer, best);
            println!("{role} by {level:?}: {difference:.1e}");
            assert!(difference < 1e-5, "{role} by {level:?}: {difference:e}");
        }
    }
}

#[test]
fn two_pictures_at_once_find_what_each_finds_alone() {
    for (role, graph) in own() {
        let program = Program::new(&graph).unwrap();
        let (one, other) = (waves(&program, 7), waves(&program, 3));
        let alone = [&one, &other].map(|input| program.run(&[input]).pop().unwrap());
        assert_eq!(program.run(&[&one, &other]), alone, "{role}");
    }
}
