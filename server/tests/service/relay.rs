//! Hostile relay clients: each is closed with a code that says why, the case goes on, and the
//! service answers the next client.

use super::problems::with_page;
use super::station::{Call, Station};
use serde_json::{Value, json};
use std::net::TcpStream;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{ClientRequestBuilder, Message, WebSocket};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

fn ticket(station: &Station, case: &(String, String)) -> Value {
    let path = format!("{}/relay-tickets", case.0);
    let (status, ticket) = station.call(Call { token: &case.1, ..Call::new("POST", &path, b"") });
    assert_eq!(status, 201, "{ticket}");
    ticket
}

fn open(url: &str, protocol: &str) -> Result<Socket, u16> {
    let request = ClientRequestBuilder::new(url.parse().unwrap()).with_sub_protocol(protocol);
    match tungstenite::connect(request) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

fn opened(station: &Station, case: &(String, String)) -> Socket {
    open(ticket(station, case)["url"].as_str().unwrap(), "chip-relay.v1").unwrap()
}

fn hello() -> Value {
    json!({"type": "hello", "version": 1, "link": "nfc", "max_command": 261,
           "max_response": 258, "extended_length": false})
}

fn send(socket: &mut Socket, text: impl Into<String>) {
    socket.send(Message::text(text.into())).unwrap();
}

/// The next frame of the type, or the close code; 1006 if the connection broke off without one
/// (RFC 6455 §7.4.1).
fn until(socket: &mut Socket, kind: &str) -> Result<Value, u16> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == kind {
                    return Ok(frame);
                }
            }
            Ok(Message::Close(frame)) => return Err(frame.unwrap().code.into()),
            Ok(_) => {}
            Err(_) => return Err(1006),
        }
    }
}

fn replies(seq: u64, replies: &[&str]) -> String {
    json!({"type": "replies", "seq": seq, "replies": replies}).to_string()
}

#[test]
fn a_client_out_of_protocol_is_closed_with_the_code_that_says_why() {
    let station = Station::start(&[], |config| {
        config.relay.max_frame = 4096;
        config.policy.attempts.chip = 100;
    });
    let case = with_page(&station);
    let long = replies(1, &["00".repeat(2100).as_str()]);
    let huge = "0".repeat(300_000);
    let many = vec!["9000"; 400];
    let cases: Vec<(&str, u16)> = vec![
        ("{\"type\":\"replies\",\"seq\":1,\"repl", 4400),
        ("{\"type\":\"verified\"}", 4400),
        ("{\"type\":\"link_lost\",\"seq\":1,\"passive_auth\":true}", 4400),
        ("{\"type\":\"replies\",\"seq\":1,\"replies\":[\"9Z00\"]}", 4400),
        ("{\"type\":\"link_lost\",\"seq\":2}", 4409),
        ("{\"type\":\"replies\",\"seq\":0,\"replies\":[\"9000\"]}", 4409),
        (&long, 1009),
    ];
    for (bad, code) in cases {
        let mut socket = opened(&station, &case);
        send(&mut socket, hello().to_string());
        assert_eq!(until(&mut socket, "transmit").unwrap()["seq"], 1);
        send(&mut socket, bad);
        let failed = until(&mut socket, "failed");
        let found = failed.as_ref().map_or_else(|code| *code, |_| 0);
        if found == 0 {
            let failed = failed.unwrap();
            assert_eq!(failed["reason"], "chip.protocol", "{failed}");
            assert_eq!(
                until(&mut socket, "").unwrap_err(),
                code,
                "{}",
                bad.get(..60).unwrap_or(bad)
            );
        } else {
            assert_eq!(found, code, "{}", bad.get(..60).unwrap_or(bad));
        }
    }
    // Far beyond the limit the socket is cut while the client still sends: TCP may drop the code.
    let mut socket = opened(&station, &case);
    send(&mut socket, hello().to_string());
    until(&mut socket, "transmit").unwrap();
    let _ = socket.send(Message::text(huge));
    let code = until(&mut socket, "").unwrap_err();
    assert!([1009, 1006].contains(&code), "{code}");
    for bad in [vec![], vec!["90"], many] {
        let mut socket = opened(&station, &case);
        send(&mut socket, hello().to_string());
        until(&mut socket, "transmit").unwrap();
        send(&mut socket, replies(1, &bad));
        assert_eq!(until(&mut socket, "").unwrap_err(), 4422, "{} replies", bad.len());
    }
    let (_, view) = station.call(Call { token: &case.1, ..Call::new("GET", &case.0, b"") });
    assert_eq!(view["state"], "page_read");
}

#[test]
fn a_first_frame_that_is_no_possible_hello_is_closed() {
    let station = Station::start(&[], |_| {});
    let case = with_page(&station);
    let mut odd = vec![replies(1, &["9000"]), json!({"type": "link_lost", "seq": 1}).to_string()];
    for (key, value) in [("version", 2), ("max_command", 4), ("max_response", 2)] {
        let mut frame = hello();
        frame[key] = json!(value);
        odd.push(frame.to_string());
    }
    for frame in odd {
        let mut socket = opened(&station, &case);
        send(&mut socket, frame.as_str());
        assert_eq!(until(&mut socket, "").unwrap_err(), 4401, "{frame}");
    }
    let mut socket = opened(&station, &case);
    socket.send(Message::binary(vec![1, 2])).unwrap();
    assert_eq!(until(&mut socket, "").unwrap_err(), 4400);
}

#[test]
fn silence_past_the_deadline_is_a_lost_link() {
    let station = Station::start(&[], |config| config.relay.deadline_ms = 2_000);
    let case = with_page(&station);
    for speak in [false, true] {
        let mut socket = opened(&station, &case);
        if speak {
            send(&mut socket, hello().to_string());
            until(&mut socket, "transmit").unwrap();
        }
        let failed = until(&mut socket, "failed").unwrap();
        assert_eq!((&failed["reason"], &failed["retry"]), (&json!("chip.link_lost"), &json!(true)));
        assert_eq!(until(&mut socket, "").unwrap_err(), 4408);
    }
}

#[test]
fn a_lost_link_waits_for_a_new_hello_and_starts_anew() {
    // proves B5
    let station = Station::start(&[], |config| config.relay.max_starts = 3);
    let case = with_page(&station);
    let mut socket = opened(&station, &case);
    for seq in 1..=3 {
        send(&mut socket, hello().to_string());
        let frame = until(&mut socket, "transmit").unwrap();
        assert_eq!((&frame["seq"], &frame["commands"][0]), (&json!(seq), &json!("00B09C0000")));
        send(&mut socket, json!({"type": "link_lost", "seq": seq}).to_string());
    }
    send(&mut socket, hello().to_string());
    assert_eq!(until(&mut socket, "").unwrap_err(), 4429);
}

#[test]
fn a_ticket_opens_one_socket_in_time_and_of_this_protocol() {
    let station = Station::start(&[], |_| {});
    let case = with_page(&station);
    let first = ticket(&station, &case);
    assert_eq!(first["expires_in"], 120);
    let url = first["url"].as_str().unwrap();
    assert_eq!(open(url, "chip-relay.v2").unwrap_err(), 400);
    let socket = open(url, "chip-relay.v1").unwrap();
    assert_eq!(open(url, "chip-relay.v1").unwrap_err(), 401, "replayed");
    drop(socket);
    let (old, new) = (ticket(&station, &case), ticket(&station, &case));
    assert_eq!(open(old["url"].as_str().unwrap(), "chip-relay.v1").unwrap_err(), 401, "replaced");
    assert!(open(new["url"].as_str().unwrap(), "chip-relay.v1").is_ok());
    let late = Station::start(&[], |config| config.relay.ticket_seconds = 0);
    let case = with_page(&late);
    let stale = ticket(&late, &case);
    assert_eq!(open(stale["url"].as_str().unwrap(), "chip-relay.v1").unwrap_err(), 401, "late");
}

#[test]
fn the_chip_can_be_started_only_so_often() {
    let station = Station::start(&[], |config| config.policy.attempts.chip = 2);
    let case = with_page(&station);
    let mut socket = opened(&station, &case);
    for seq in 1..=2 {
        send(&mut socket, hello().to_string());
        until(&mut socket, "transmit").unwrap();
        send(&mut socket, json!({"type": "link_lost", "seq": seq}).to_string());
    }
    send(&mut socket, hello().to_string());
    let failed = until(&mut socket, "failed").unwrap();
    assert_eq!((&failed["reason"], &failed["retry"]), (&json!("case.attempts"), &json!(false)));
    let path = format!("{}/relay-tickets", case.0);
    let (status, _) = station.call(Call { token: &case.1, ..Call::new("POST", &path, b"") });
    assert_eq!(status, 429);
}
