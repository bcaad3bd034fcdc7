//! The figures of a reading, held: counted, never timed.

use indrul_tests::{
    chip_link::ChipLink,
    citizen::Enrolment,
    figures::{self, Measured, Opened},
    station::{Instruments, Station},
    testing::{data, today},
};
use nfc::trust::{Domain, TrustStore};
use server::{
    registers::standin::Scripted,
    relay::wire::FromServer,
    relay_client::{self, Ended},
};

#[test]
fn a_reading_costs_no_more_than_it_may() {
    let figures = figures::count(today()).unwrap();
    assert_eq!(figures.len(), 4);
    for figure in &figures {
        println!("{figure}");
        assert!(figure.is_held(), "{figure}");
    }
}

/// Round trips are what a phone waits for: the batches that the relay sends.
#[test]
fn the_relay_asks_no_more_often_than_it_may() {
    let instruments = Instruments::load(&data().join("models")).unwrap();
    for (opened, most) in [(Opened::Pace, 9), (Opened::Bac, 7)] {
        let passport = Measured::make(opened, today()).unwrap();
        let mut trust = TrustStore::new(Domain::Qa);
        trust.add_der(&passport.csca).unwrap();
        let station = Station::trusting(&instruments, trust, Scripted::default()).unwrap();
        let enrolment = Enrolment::start(&station.url(), "0101010000").unwrap();
        enrolment.typed_page(&passport.mrz_lines).unwrap();
        let mut batches = 0;
        let mut watch = |frame: &FromServer| {
            batches += usize::from(matches!(frame, FromServer::Transmit { .. }));
        };
        let mut link = ChipLink(passport.chip().unwrap());
        let ended = relay_client::run(&enrolment.ticket().unwrap(), &mut link, &mut watch);
        assert_eq!(ended.unwrap(), Ended::Finished { verdict: "accepted".into() }, "{opened:?}");
        println!("{opened:?}: {batches} round trips over the relay");
        assert!(batches <= most, "{opened:?}: {batches}");
    }
}
