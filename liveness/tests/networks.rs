//! Each network against what onnxruntime makes of the same numbers (`vectors/networks.json`, written by
//! `models/record.py`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, also in its helpers")]

mod models;

use std::collections::BTreeMap;

use liveness::{Engine, Role};
use serde_json::Value;

/// The last two are only there where they were installed.
const RANGES: [(Role, f64, f64); 9] = [
    (Role::Detection, -1.0, 1.0),
    (Role::Landmarks, 0.0, 1.0),
    (Role::RecognitionA, -1.0, 1.0),
    (Role::RecognitionB, -1.0, 1.0),
    (Role::RecognitionC, 0.0, 255.0),
    (Role::Attack, 0.0, 255.0),
    (Role::Eyes, 0.0, 1.0),
    (Role::AttackNear, 0.0, 255.0),
    (Role::AttackWide, 0.0, 255.0),
];

/// The numbers of `models/record.py`.
fn numbers(count: usize, low: f64, high: f64) -> Vec<f32> {
    let part = |at: usize| (at * 7 % 256 + at * at / 64 % 256) as f64 / 512.0;
    (0..count).map(|at| (low + (high - low) * part(at)) as f32).collect()
}

/// The distance of two lists as a part of the length of the recorded one.
fn difference(found: &[f32], recorded: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let apart = square(&mut found.iter().zip(recorded).map(|(a, b)| f64::from(*a) - b));
    apart / square(&mut recorded.iter().copied())
}

#[test]
fn every_network_answers_as_onnxruntime_does() {
    let text = include_str!("vectors/networks.json");
    let recorded: BTreeMap<String, Vec<Value>> = serde_json::from_str(text).unwrap();
    let engine = Engine::load(&models::folder()).unwrap();
    for (role, low, high) in RANGES {
        let Some(shape) = engine.input_shape(role) else {
            assert!(matches!(role, Role::AttackNear | Role::AttackWide), "{role}");
            continue;
        };
        let input = numbers(shape.iter().product(), low, high);
        let outputs = engine.infer(role, &[input]).unwrap().unwrap().pop().unwrap();
        let recorded = &recorded[&role.to_string()];
        assert_eq!(outputs.len(), recorded.len(), "{role}");
        for (output, recorded) in outputs.iter().zip(recorded) {
            assert_eq!(Some(output.len() as u64), recorded["length"].as_u64(), "{role}");
            let every = usize::try_from(recorded["every"].as_u64().unwrap()).unwrap();
            let found: Vec<f32> = output.iter().step_by(every).copied().collect();
            let values = recorded["values"].as_array().unwrap();
            let values: Vec<f64> = values.iter().map(|v| v.as_f64().unwrap()).collect();
            assert_eq!(found.len(), values.len(), "{role}");
            let difference = difference(&found, &values);
            println!("{role}: {difference:.1e}");
            assert!(difference < 1e-5, "{role}: {difference:e}");
        }
    }
}

#[test]
fn numbers_of_another_size_are_refused() {
    // proves D6
    let engine = Engine::load(&models::folder()).unwrap();
    for (role, ..) in RANGES {
        for size in [0, 1, 3 * 112 * 112 + 1] {
            let refused = |found: Result<_, _>| assert!(found.is_err(), "{role}: {size}");
            engine.infer(role, &[vec![0.5; size]]).map(refused);
        }
    }
}
