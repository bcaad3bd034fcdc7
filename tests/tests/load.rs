//! `fixtures load` at its smallest, against a real `enroll serve` process: two people, some relays, and
//! every kind of hostile client. `INDRUL_HOSTILE=10000` plays so many, `INDRUL_SOCKETS=2000` opens so
//! many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use clap::Parser;
use indrul_tests::{
    load::{self, Figures, Places, Plan},
    testing::{data, today},
};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    plan: Plan,
}

/// As the command line reads it.
fn carried_out(words: &[&str]) -> Figures {
    let plan = Line::parse_from([&["load"], words].concat()).plan;
    let program = Path::new(env!("CARGO_BIN_EXE_fixtures")).with_file_name("enroll");
    let places = Places { program: &program, data: &data(), today: today() };
    load::carry_out(&plan, places).unwrap()
}

fn number(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

#[test]
fn two_people_enrol_and_the_processor_s_time_is_told_apart() {
    let Figures::Enrolments(report) = carried_out(&["--people", "2", "--at-once", "2"]) else {
        panic!("no report of enrolments")
    };
    println!("{report}");
    assert!(report.is_whole(), "{report}");
    assert!(report.steps.iter().all(|step| step.count == 2 && step.p50_ms > 0.0), "{report}");
    let spent = &report.processor;
    let parts = [spent.inference_s, spent.chip_s, spent.pin_s];
    assert!(parts.iter().all(|part| *part > 0.0), "{report}");
    assert!(parts.iter().sum::<f64>() <= spent.total_s, "{report}");
}

#[test]
fn people_log_in_by_a_switch_to_their_app() {
    let Figures::LogIns(log_ins) =
        carried_out(&["--people", "3", "--at-once", "2", "--log-ins", "6"])
    else {
        panic!("no figures of log-ins")
    };
    println!("{log_ins}");
    assert!(log_ins.is_whole(), "{log_ins}");
    assert!(log_ins.steps.iter().all(|step| step.count == 6 && step.p50_ms > 0.0), "{log_ins:?}");
}

#[test]
fn relays_that_wait_take_little_memory() {
    let count = number("INDRUL_SOCKETS", "50");
    let Figures::Sockets(sockets) = carried_out(&["--sockets", &count]) else {
        panic!("no figures of sockets")
    };
    println!("{sockets}");
    assert_eq!(sockets.open.to_string(), count, "{sockets}");
    // 300 MiB for 2,000 is 153 KiB each; a few relays pay for the threads that serve them.
    let most = 300.0 * 1024.0 * f64::from(sockets.open) / 2_000.0 + 16.0 * 1024.0;
    assert!(sockets.each_kib * f64::from(sockets.open) < most, "{sockets}");
}

#[test]
fn hostile_relay_clients_are_refused_and_leave_nothing_behind() {
    let count = number("INDRUL_HOSTILE", "45");
    let Figures::Hostile(hostile) = carried_out(&["--hostile", &count]) else {
        panic!("no figures of hostile clients")
    };
    println!("{hostile}");
    assert!(hostile.is_right(), "{hostile}");
    assert!(hostile.grown_mib() < 64, "{hostile}");
}
