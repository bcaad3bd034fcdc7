//! A whole run leaves no personal data, key or image byte in the log (STYLE 19).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use fixtures::{chip::Chip, passport::Passport};
use indrul_tests::{
    chip_link::ChipLink,
    citizen,
    station::Station,
    testing::{data, passport},
};
use tracing_subscriber::EnvFilter;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Vec<u8>>>);

impl Write for Trap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What must not be in the log: words of the page and register, and pieces of the chip's files, as
/// text, hex or decimal lists.
fn forbidden(passport: &Passport) -> Vec<String> {
    let holder = &passport.holder;
    let mut words = vec![
        passport.mrz_lines[0].clone(),
        passport.mrz_lines[1].clone(),
        holder.document_number.clone(),
        holder.cpr.clone(),
        holder.cpr.replace('-', ""),
        holder.surname.clone(),
        holder.given_names.clone(),
    ];
    for file in passport.files.values().chain(&passport.selfies).chain([&passport.portrait]) {
        let piece = &file[file.len() / 2..file.len() / 2 + 8];
        words.push(hex::encode(piece));
        words.push(hex::encode_upper(piece));
        words.push(piece.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
    }
    words
}

// proves H4
#[test]
fn a_full_run_logs_no_personal_data() {
    // Made first: what the fixtures' own encoder says is not the service's log.
    let passports = [passport("good"), passport("clone"), passport("good-jp2")];
    let trap = Trap::default();
    let sink = trap.clone();
    let ours = "debug,server=trace,enroll_core=trace,nfc=trace,mrz=trace,liveness=trace";
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(ours))
        .with_writer(move || sink.clone())
        .init();
    let station = Station::start(&passports, &data().join("models")).unwrap();
    for passport in &passports {
        let mut link = ChipLink(Chip::new(passport));
        citizen::enrol(&station.url(), passport, &mut link, &mut |_| {}).unwrap();
    }
    let log = String::from_utf8_lossy(&trap.0.lock().unwrap()).into_owned();
    assert!(log.contains("chip"), "nothing of the run was logged:\n{log}");
    for word in passports.iter().flat_map(forbidden) {
        assert!(!log.contains(&word), "the log holds personal data ({} characters)", word.len());
    }
}
