//! A citizen's mishaps and a hostile client's tricks over HTTP and the relay: each ends in a clear
//! answer, and the service keeps running.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::net::TcpStream;

use fixtures::{chip::Chip, passport::Passport, spec::Fault};
use indrul_tests::{
    chip_link::ChipLink,
    citizen::{CitizenError, Enrolment},
    station::Station,
    testing::{data, passport},
};
use nfc::{
    apdu::Response,
    link::{Batch, Link, LinkError},
};
use serde_json::{Value, json};
use server::{
    relay::wire::Hello,
    relay_client::{Ended, Reader},
};
use tungstenite::{ClientRequestBuilder, Message, WebSocket, stream::MaybeTlsStream};

fn station(passports: &[Passport]) -> Station {
    Station::start(passports, &data().join("models")).unwrap()
}

/// An enrolment whose page was read.
fn with_page(station: &Station, passport: &Passport) -> Enrolment {
    let enrolment = Enrolment::start(&station.url(), &passport.holder.cpr).unwrap();
    enrolment.typed_page(&passport.mrz_lines).unwrap();
    enrolment
}

fn problem(result: Result<Value, CitizenError>) -> (u16, String) {
    match result {
        Err(CitizenError::Problem { status, code, .. }) => (status, code),
        other => panic!("expected a problem, found {other:?}"),
    }
}

/// An enrolment of `passport` that is finished from where it stands.
fn goes_on_to_an_identity(enrolment: &Enrolment, passport: &Passport) {
    let read = enrolment.read_chip(&mut ChipLink(Chip::new(passport))).unwrap();
    assert_eq!(read, Ended::Finished { verdict: "accepted".into() });
    enrolment.face(&passport.selfies[0]).unwrap();
    let end = enrolment.finish().unwrap();
    assert_eq!(end["verdict"], "accepted", "{end}");
    assert_eq!(end["identity"]["level"], "Substantial", "{end}");
}

#[test]
fn a_wrong_mrz_is_access_denied_and_the_case_goes_on() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let enrolment = Enrolment::start(&station.url(), &good.holder.cpr).unwrap();
    let other = [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<".to_owned(),
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10".to_owned(),
    ];
    enrolment.typed_page(&other).unwrap();
    let ended = enrolment.read_chip(&mut ChipLink(Chip::new(&good))).unwrap();
    assert_eq!(ended, Ended::Failed { reason: "chip.access_denied".into(), retry: true });
    enrolment.typed_page(&good.mrz_lines).unwrap();
    goes_on_to_an_identity(&enrolment, &good);
}

// proves B5
#[test]
fn a_card_pulled_out_in_the_middle_is_read_anew_on_the_same_socket() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let enrolment = with_page(&station, &good);
    let torn = Chip::new(&good).with_faults(vec![Fault::tear_after(20)]);
    let ended = enrolment.read_chip(&mut ChipLink(torn)).unwrap();
    assert_eq!(ended, Ended::Finished { verdict: "accepted".into() });
}

/// A chip on a phone that carries short answers only, and how many commands it was sent.
struct Short {
    chip: ChipLink,
    commands: usize,
    starts: usize,
}

impl Link for Short {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        let replies = self.chip.transmit(batch);
        self.commands += match &replies {
            Ok(replies) | Err(LinkError::LostAfter { replies }) => replies.len(),
            Err(_) => 0,
        };
        replies
    }
}

impl Reader for Short {
    fn start(&mut self) -> Result<Hello, LinkError> {
        self.starts += 1;
        let hello = self.chip.start()?;
        Ok(Hello { max_response: 258, extended_length: false, ..hello })
    }
}

// proves B5
#[test]
fn after_a_lost_link_only_what_is_missing_is_read() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let read = |faults: Vec<Fault>| {
        let enrolment = with_page(&station, &good);
        let chip = ChipLink(Chip::new(&good).with_faults(faults));
        let mut phone = Short { chip, commands: 0, starts: 0 };
        let ended = enrolment.read_chip(&mut phone).unwrap();
        assert_eq!(ended, Ended::Finished { verdict: "accepted".into() });
        phone
    };
    let whole = read(Vec::new()).commands;
    let torn = read(vec![Fault::tear_after(60)]);
    assert_eq!(torn.starts, 2);
    // Again: EF.CardAccess, PACE in 5, SELECT, EF.SOD, SELECT of the portrait; and no block of that
    // twice.
    let again = 1 + 5 + 1 + 1 + good.files["EF.SOD"].len().div_ceil(223);
    assert_eq!(torn.commands, whole + again);
}

#[test]
fn a_relay_closed_in_the_middle_leaves_the_case_as_it_was() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let enrolment = with_page(&station, &good);
    let mut socket = open(&enrolment);
    hello(&mut socket);
    assert_eq!(frame(&mut socket)["type"], "transmit");
    send(&mut socket, &json!({"type": "link_lost", "seq": 1}));
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    goes_on_to_an_identity(&enrolment, &good);
}

#[test]
fn bad_frames_close_the_socket_and_the_service_goes_on() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    // The default limit is 1 MiB.
    let oversize = "0".repeat((1 << 20) + 1000);
    let bad: [&str; 8] = [
        "{\"type\":\"replies\",\"seq\":1,\"repl",
        "not json at all",
        "{\"type\":\"unknown\"}",
        "{\"type\":\"replies\",\"seq\":7,\"replies\":[\"9000\"]}",
        "{\"type\":\"replies\",\"seq\":1,\"replies\":[]}",
        "{\"type\":\"replies\",\"seq\":1,\"replies\":[\"90\"]}",
        "{\"type\":\"replies\",\"seq\":1,\"replies\":[\"zz9000\"]}",
        &oversize,
    ];
    for text in bad {
        let enrolment = with_page(&station, &good);
        let mut socket = open(&enrolment);
        hello(&mut socket);
        assert_eq!(frame(&mut socket)["type"], "transmit");
        let _ = socket.send(Message::text(text));
        let shown = &text[..text.len().min(60)];
        assert!(closed_with_code(&mut socket), "{shown}");
        assert_eq!(enrolment.view().unwrap()["state"], "page_read", "{shown}");
    }
    goes_on_to_an_identity(&with_page(&station, &good), &good);
}

#[test]
fn a_ticket_is_used_once() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let enrolment = with_page(&station, &good);
    let ticket = enrolment.ticket().unwrap();
    let request =
        || ClientRequestBuilder::new(ticket.parse().unwrap()).with_sub_protocol("chip-relay.v1");
    let (_first, _) = tungstenite::connect(request()).unwrap();
    assert!(tungstenite::connect(request()).is_err());
}

#[test]
fn unknown_cases_wrong_steps_and_wrong_bodies_have_clear_answers() {
    let good = passport("good");
    let station = station(std::slice::from_ref(&good));
    let mut enrolment = Enrolment::start(&station.url(), &good.holder.cpr).unwrap();
    assert_eq!(problem(enrolment.face(&good.selfies[0])), (409, "case.state".into()));
    assert_eq!(problem(enrolment.page(b"no picture")).0, 422);
    let short = ["P<UTO".to_owned(), "L898902C3".to_owned()];
    assert_eq!(problem(enrolment.typed_page(&short)).1, "mrz.format");
    enrolment.id = "00000000-0000-4000-8000-000000000000".into();
    assert_eq!(problem(enrolment.view()).0, 404);
    enrolment.id = "not-an-id".into();
    assert_eq!(problem(enrolment.view()).0, 404);
}

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

fn open(enrolment: &Enrolment) -> Socket {
    let url = enrolment.ticket().unwrap().parse().unwrap();
    let request = ClientRequestBuilder::new(url).with_sub_protocol("chip-relay.v1");
    tungstenite::connect(request).unwrap().0
}

fn hello(socket: &mut Socket) {
    let hello = json!({"type": "hello", "version": 1, "link": "nfc", "max_command": 261,
        "max_response": 65538, "extended_length": true});
    send(socket, &hello);
}

fn send(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).unwrap();
}

/// The next frame that is not about progress.
fn frame(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] != "progress" {
                return frame;
            }
        }
    }
}

/// Whether the server closes, with a code that is not "all went well", before saying anything else.
fn closed_with_code(socket: &mut Socket) -> bool {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return frame.is_some_and(|f| u16::from(f.code) > 1001),
            Ok(Message::Text(text)) if text.contains("\"transmit\"") => return false,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
