//! How much memory the engine takes, in a process of its own: one test only.
#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod models;

use std::fs;
use std::sync::Barrier;
use std::thread;

use liveness::{Engine, portrait};

/// The most that the process may ever have held.
const MOST_KIB: u64 = 400 << 10;

/// `VmHWM` of proc(5).
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn two_comparisons_at_a_time_fit_in_400_megabytes() {
    let folder = models::folder();
    let engine = Engine::load(&folder).unwrap();
    let loaded = peak_kib();
    let picture = |name: &str| fs::read(folder.with_file_name("portraits").join(name)).unwrap();
    let (chip, selfies) = (picture("obama.jpg"), ["obama2.jpg", "obama3.jpg"].map(picture));
    let both = Barrier::new(2);
    let comparison = |selfie: &[u8]| {
        both.wait();
        let pictures = [&chip, selfie].map(|bytes| portrait::decode(bytes).unwrap());
        let [chip, live] = pictures.each_ref().map(|picture| engine.analyse(picture).unwrap());
        engine.attack(&pictures[1], &live).unwrap();
        engine.compare(&chip.template, &live.template).accepted
    };
    let accepted: Vec<bool> = thread::scope(|scope| {
        let running = selfies.each_ref().map(|selfie| scope.spawn(|| comparison(selfie)));
        running.map(|one| one.join().unwrap()).into()
    });
    assert_eq!(accepted, [true; 2]);
    let peak = peak_kib();
    println!("{} MiB loaded, {} MiB at the most", loaded >> 10, peak >> 10);
    assert!(peak < MOST_KIB, "{peak} KiB");
}
