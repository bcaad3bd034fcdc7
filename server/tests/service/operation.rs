//! The service under load and at its end: busy, limited, watched, stopped.

use super::enrolment::Case;
use super::problems::{started, with_page};
use super::station::{Call, Station, passport};
use fixtures::chip::Chip;
use serde_json::{Value, json};
use server::metrics::gather;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tungstenite::{ClientRequestBuilder, Message};

/// Answers `call` with its `Retry-After`, where the plain client of the station hides it.
fn retry_after(
    station: &Station,
    method: &str,
    path: &str,
    token: &str,
    body: &[u8],
) -> (u16, Value, Option<u64>) {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", station.url))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "image/jpeg")
        .body(body.to_vec())
        .unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let mut answer = agent.run(request).unwrap();
    let header = answer.headers().get("retry-after");
    let after = header.map(|value| value.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap(), after)
}

pub fn until(is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_busy_server_says_when_to_come_again_counts_no_try_and_answers_everybody_else() {
    let good = passport("good");
    let station = Station::start(&[&good], |config| {
        (config.inference.workers, config.inference.queue) = (1, 0);
        config.policy.attempts.face = 1;
    });
    let (first, second) =
        (Case::start(&station, &good.holder.cpr), Case::start(&station, &good.holder.cpr));
    for case in [&first, &second] {
        case.page(&good.mrz_lines);
        case.chip(Chip::new(&good));
    }
    std::thread::scope(|scope| {
        let hold = station.faces.hold.lock().unwrap();
        let taken = scope.spawn(|| first.call("PUT", "/face", "image/jpeg", b"a face"));
        until(|| station.faces.busy.load(Ordering::Relaxed));
        let path = format!("{}/face", second.path);
        // As often as one likes: the one try of this case is still there.
        for _ in 0..3 {
            let (status, answer, after) =
                retry_after(&station, "PUT", &path, &second.token, b"a face");
            assert_eq!((status, &answer["code"]), (503, &json!("server.busy")), "{answer}");
            assert_eq!(after, Some(1), "{answer}");
            assert_eq!(answer["retry_after"], 1);
        }
        // Idle pages do not wait for the instrument.
        assert_eq!(second.call("GET", "", "", b"").0, 200);
        assert_eq!(station.call(Call::new("GET", "/v1/keys", b"")).0, 200);
        drop(hold);
        assert_eq!(taken.join().unwrap().0, 200);
    });
    let (status, answer) = second.call("PUT", "/face", "image/jpeg", b"a face");
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn an_instrument_that_panics_refuses_the_picture_and_serves_the_next() {
    // proves D6
    let good = passport("good");
    let station = Station::start(&[&good], |config| config.inference.workers = 1);
    let case = Case::start(&station, &good.holder.cpr);
    case.page(&good.mrz_lines);
    case.chip(Chip::new(&good));
    station.faces.breaks.store(true, Ordering::Relaxed);
    let (status, answer) = case.call("PUT", "/face", "image/jpeg", b"a face");
    assert_eq!((status, &answer["code"]), (503, &json!("face.model")));
    assert_eq!(case.call("POST", "/finish", "", b"").0, 409, "nothing was found");
    station.faces.breaks.store(false, Ordering::Relaxed);
    assert_eq!(case.call("PUT", "/face", "image/jpeg", b"a face").0, 200);
}

#[test]
fn addresses_documents_and_cases_have_their_limits() {
    let station = Station::start(&[], |config| {
        (config.limits.start_burst, config.limits.case_burst) = (2, 5);
        config.limits.case_per_minute = 1;
        config.limits.document_burst = 1;
    });
    let (case, token) = with_page(&station);
    let tickets = format!("{case}/relay-tickets");
    let first = retry_after(&station, "POST", &tickets, &token, b"");
    assert_eq!(first.0, 201, "{}", first.1);
    let (status, answer, after) = retry_after(&station, "POST", &tickets, &token, b"");
    assert_eq!((status, &answer["code"]), (429, &json!("request.too_often")));
    // Forty an hour: another one after a minute and a half.
    assert!((80..=90).contains(&after.unwrap()), "{after:?}");
    // The same document in another case is the same document; another page of it is not needed.
    let (other, its) = started(&station);
    // Who only knows its number uses up nothing.
    for _ in 0..10 {
        let guess = station.call(Call { token: "guessed", ..Call::new("GET", &other, b"") });
        assert_eq!(guess.0, 401);
    }
    let statuses: Vec<u16> = (0..6)
        .map(|_| station.call(Call { token: &its, ..Call::new("GET", &other, b"") }).0)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let body = json!({"consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"}, "cpr": "120874-0002"}).to_string();
    let (status, answer) = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
    assert_eq!((status, &answer["code"]), (429, &json!("request.too_often")));
    let text = station.runtime.block_on(gather(&station.app));
    for kind in ["case", "document", "start"] {
        assert!(text.contains(&format!("indrul_limited_total{{kind=\"{kind}\"}} 1\n")), "{text}");
    }
}

#[test]
fn the_limit_of_an_address_is_the_clients_only_behind_a_trusted_proxy() {
    let ask = |station: &Station, client: &str| {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let request = agent.get(format!("{}/v1/keys", station.url));
        request.header("x-forwarded-for", client).call().unwrap().status().as_u16()
    };
    // The station itself has asked for the description once.
    let direct = Station::start(&[], |config| {
        (config.limits.address_burst, config.limits.address_per_minute) = (3, 1);
    });
    let statuses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|client| ask(&direct, client));
    assert_eq!(statuses, [200, 200, 429]);
    let behind = Station::start(&[], |config| {
        (config.limits.address_burst, config.limits.address_per_minute) = (2, 1);
        config.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let statuses =
        ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|client| ask(&behind, client));
    assert_eq!(statuses, [200, 200, 429, 200]);
}

#[test]
fn health_and_metrics_tell_how_it_is_and_nothing_of_anybody() {
    // proves H4 (metrics)
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    case.through(&good);
    assert_eq!(
        station.call(Call::new("GET", "/health/live", b"")),
        (200, json!({"status": "live"}))
    );
    assert_eq!(
        station.call(Call::new("GET", "/health/ready", b"")),
        (200, json!({"status": "ready"}))
    );
    let text = station.runtime.block_on(gather(&station.app));
    for line in [
        "indrul_decisions_total{verdict=\"accepted\"} 1",
        "indrul_http_requests_total{operation=\"face\",status=\"200\"} 1",
        "indrul_http_request_seconds_count{operation=\"finish\"} 1",
        "indrul_relays_closed_total{code=\"1000\"} 1",
        "indrul_relays_open 0",
        "indrul_inference_done_total 1",
        "indrul_outbox_waiting 0",
        "indrul_outbox_dead 0",
        "indrul_register_calls_total{register=\"persons\",outcome=\"answered\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
    }
    let holder = &good.holder;
    let words = [&holder.cpr, &holder.surname, &holder.document_number, &case.id, &case.token];
    for word in words {
        assert!(!text.contains(word.as_str()), "the metrics hold something personal");
    }
    station.app.ending.begin();
    let (status, answer) = station.call(Call::new("GET", "/health/ready", b""));
    assert_eq!((status, &answer["code"]), (503, &json!("server.not_ready")));
}

#[test]
fn a_stop_closes_relays_with_a_word_finishes_requests_and_takes_nothing_new() {
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let (face, relay) =
        (Case::start(&station, &good.holder.cpr), Case::start(&station, &good.holder.cpr));
    for case in [&face, &relay] {
        case.page(&good.mrz_lines);
    }
    face.chip(Chip::new(&good));
    let (_, ticket) = relay.call("POST", "/relay-tickets", "", b"");
    let url = ticket["url"].as_str().unwrap().parse().unwrap();
    let request = ClientRequestBuilder::new(url).with_sub_protocol("chip-relay.v1");
    let (mut socket, _) = tungstenite::connect(request).unwrap();
    until(|| station.app.ending.relays() == 1);
    std::thread::scope(|scope| {
        let hold = station.faces.hold.lock().unwrap();
        let taken = scope.spawn(|| face.call("PUT", "/face", "image/jpeg", b"a face"));
        until(|| station.faces.busy.load(Ordering::Relaxed));
        station.stop();
        let mut closed = None;
        while let Ok(message) = socket.read() {
            match message {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!((&frame["type"], &frame["retry"]), (&json!("failed"), &json!(true)));
                }
                Message::Close(frame) => closed = frame.map(|frame| u16::from(frame.code)),
                _ => {}
            }
        }
        assert_eq!(closed, Some(1012));
        assert!(!station.has_ended(), "a request is still under way");
        drop(hold);
        assert_eq!(taken.join().unwrap().0, 200);
    });
    until(|| station.has_ended());
    assert!(ureq::get(format!("{}/health/live", station.url)).call().is_err());
}

#[test]
fn a_stop_waits_only_so_long() {
    let good = passport("good");
    let station = Station::start(&[&good], |config| config.server.grace_ms = 300);
    let case = Case::start(&station, &good.holder.cpr);
    case.page(&good.mrz_lines);
    case.chip(Chip::new(&good));
    std::thread::scope(|scope| {
        let hold = station.faces.hold.lock().unwrap();
        let stuck = scope.spawn(|| case.call("PUT", "/face", "image/jpeg", b"a face"));
        until(|| station.faces.busy.load(Ordering::Relaxed));
        station.stop();
        until(|| station.has_ended());
        drop(hold);
        // It ends too late to be recorded: the database is closed.
        assert_eq!(stuck.join().unwrap().0, 500);
    });
}
