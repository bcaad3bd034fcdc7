//! A whole run leaves no personal data, key or image byte in the log (STYLE 19).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
};

use fixtures::{chip::Chip, leaks::leak, passport::Passport};
use indrul_tests::{
    chip_link::ChipLink,
    citizen,
    letters::Letters,
    load::Journey,
    people::{People, Person},
    served::{Database, Served, Setup},
    station::Station,
    testing::{data, passport, today},
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
        words.extend(pieces(file));
    }
    words
}

/// Some bytes of a file as they would look in a log.
fn pieces(file: &[u8]) -> [String; 4] {
    // At the beginning of a group of base64.
    let at = file.len() / 6 * 3;
    let piece = &file[at..at + 9];
    [
        hex::encode(piece),
        hex::encode_upper(piece),
        openssl::base64::encode_block(piece),
        piece.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
    ]
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
        let found = leak(&log, &word);
        assert_eq!(found, None, "the log holds personal data ({} characters)", word.len());
    }
}

/// The same of somebody in a `Served`, who has contacts, too.
fn forbidden_of(person: &Person) -> Vec<String> {
    let mut words = person.lines.clone();
    words.extend([&person.cpr, &person.phone, &person.email, &person.user_id].map(Clone::clone));
    words.push(person.cpr.replace('-', ""));
    words.push(person.lines[1][..9].to_owned());
    words.extend([&person.page, &person.selfie].into_iter().flat_map(|file| pieces(file)));
    words
}

// proves H4
#[test]
fn a_server_logs_and_counts_nothing_personal_from_the_terms_to_an_active_app() {
    let portraits = fixtures::portraits::Portraits::load(&data().join("portraits")).unwrap();
    let people = People::new(2, portraits, today()).unwrap();
    for database in [Database::Sqlite, Database::Postgres] {
        if database == Database::Postgres && std::env::var_os("INDRUL_TEST_POSTGRES").is_none() {
            println!("skipped on PostgreSQL: INDRUL_TEST_POSTGRES is not set");
            continue;
        }
        let program = Path::new(env!("CARGO_BIN_EXE_fixtures")).with_file_name("enroll");
        let models = data().join("models");
        // All there is, of ours and of the libraries that see what people send.
        let log = "debug,server=trace,enroll_core=trace,nfc=trace,mrz=trace,liveness=trace,\
                   sqlx=trace,tower_http=trace,hyper=trace,lettre=trace";
        let setup = Setup { program: &program, models: &models, database, more: "", log };
        let mut served = Served::new(&setup, &people).unwrap();
        served.start().unwrap();
        let letters = Letters::new(served.post.mailbox.clone());
        let mut words = Vec::new();
        for nth in 0..people.count() {
            let person = people.person(nth).unwrap();
            words.extend(forbidden_of(&person));
            let journey = Journey::make(&served.url(), person, &letters).unwrap();
            words.extend_from_slice(journey.secrets());
        }
        let counted = counted(&served.metrics());
        let log = served.log();
        assert!(log.contains("activation"), "nothing of the run was logged");
        assert!(counted.contains("indrul_"), "nothing was counted");
        for word in &words {
            let what = format!("personal data ({} characters)", word.len());
            assert_eq!(leak(&log, word), None, "the log holds {what}");
            assert_eq!(leak(&counted, word), None, "the metrics hold {what}");
        }
    }
}

fn counted(metrics: &str) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    agent.get(metrics).call().unwrap().into_body().read_to_string().unwrap()
}
