//! The bridge of a desk's reader, `indrul-bridge.v1` (docs/bridges.md): a page in a browser of this machine
//! asks over a loopback WebSocket to have the passport on the reader read, and the bridge opens the relay
//! that the page names.
//!
//! The page is believed in nothing but which relay of the one server it means: only pages of that server
//! may ask (their origin is checked, RFC 6454 §7), and only its relay is opened.

use super::kiosk::Bridge;
use crate::relay_client::{self, ClientError, Ended};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::{HeaderValue, StatusCode};
use tungstenite::{HandshakeError, Message, WebSocket};

/// The WebSocket subprotocol.
const SUBPROTOCOL: &str = "indrul-bridge.v1";
/// Longest wait for what the page says.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whom the bridge serves, and with what.
pub(super) struct Rules {
    /// Loopback address and port.
    pub(super) listen: SocketAddr,
    /// The server's pages and relay, such as `https://indrul.invalid`.
    pub(super) server: String,
    /// Name of the reader.
    pub(super) reader: String,
    /// Longest wait for a passport on it.
    pub(super) patience: Duration,
}

/// Why there is no bridge, or why a page was not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum BridgeError {
    /// Others than this machine could ask.
    #[error("{0} is no loopback address")]
    Address(SocketAddr),
    /// The address cannot be listened on, or the connection broke.
    #[error("the connection cannot be used")]
    Io(#[from] std::io::Error),
    /// No WebSocket, another protocol, or a page of somebody else.
    #[error("the handshake was refused")]
    Handshake,
    /// The socket failed.
    #[error("the socket failed")]
    Socket(#[from] Box<tungstenite::Error>),
    /// Not a frame of the protocol, or a relay of another server.
    #[error("the page asked for what is not served")]
    Ask,
    /// The relay broke off.
    #[error(transparent)]
    Relay(#[from] ClientError),
}

impl From<tungstenite::Error> for BridgeError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// What a page says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Ask {
    /// Read the passport on the reader for this relay.
    Read { url: String },
    /// Say whether the reader is there.
    Status,
}

/// Serves pages, one after the other, for as long as the process runs.
///
/// # Errors
/// [`BridgeError`] if the address is not loopback's or cannot be listened on.
pub(super) fn serve(rules: &Rules) -> Result<(), BridgeError> {
    if !rules.listen.ip().is_loopback() {
        return Err(BridgeError::Address(rules.listen));
    }
    let listener = TcpListener::bind(rules.listen)?;
    writeln!(std::io::stdout(), "listening ws://{}", listener.local_addr()?)?;
    for stream in listener.incoming() {
        if let Err(error) = stream.map_err(BridgeError::from).and_then(|s| answer(rules, s)) {
            tracing::warn!(error = %crate::http::problem::chain(&error), "a page was not served");
        }
    }
    Ok(())
}

fn answer(rules: &Rules, stream: TcpStream) -> Result<(), BridgeError> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut socket = accept(rules, stream)?;
    let Message::Text(text) = socket.read()? else { return Err(BridgeError::Ask) };
    let told = match serde_json::from_str(&text).map_err(|_| BridgeError::Ask)? {
        Ask::Read { url } if url.starts_with(&relay_of(&rules.server)) => read(rules, &url)?,
        Ask::Read { .. } => return Err(BridgeError::Ask),
        Ask::Status => json!({ "type": "status", "reader": is_there(&rules.reader) }),
    };
    socket.send(Message::text(told.to_string()))?;
    socket.close(None)?;
    // The page's own close; one that is gone already is no error.
    while socket.read().is_ok() {}
    Ok(())
}

/// Reads the passport on the reader, and tells how it ended.
fn read(rules: &Rules, url: &str) -> Result<Value, BridgeError> {
    let mut reader = Bridge::new(&*rules.reader, rules.patience);
    match relay_client::run(url, &mut reader, &mut |_| {}) {
        Ok(ended) => Ok(frame(&ended)),
        // No passport came, or it left and did not come back.
        Err(ClientError::Link(_)) => Ok(frame(&Ended::Failed {
            reason: ReasonCode::CHIP_LINK_LOST.as_str().to_owned(),
            retry: true,
        })),
        Err(error) => Err(error.into()),
    }
}

/// Whether a reader of that name is connected.
fn is_there(reader: &str) -> bool {
    nfc::pcsc::readers().is_ok_and(|names| names.iter().any(|name| name == reader))
}

#[expect(clippy::result_large_err, reason = "the refusal is of tungstenite's type")]
fn accept(rules: &Rules, stream: TcpStream) -> Result<WebSocket<TcpStream>, BridgeError> {
    let accepted = tungstenite::accept_hdr(stream, |request: &Request, mut response: Response| {
        let header = |name| request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let speaks = header("sec-websocket-protocol")
            .is_some_and(|protocols| protocols.split(',').any(|p| p.trim() == SUBPROTOCOL));
        if header("origin") != Some(rules.server.as_str()) || !speaks {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            return Err(refusal);
        }
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    });
    accepted.map_err(|error| match error {
        HandshakeError::Failure(tungstenite::Error::Io(error)) => BridgeError::Io(error),
        _ => BridgeError::Handshake,
    })
}

/// How the addresses of the server's relay begin.
fn relay_of(server: &str) -> String {
    format!("{}/v1/relay?ticket=", server.replacen("http", "ws", 1))
}

fn frame(ended: &Ended) -> Value {
    match ended {
        Ended::Finished { verdict } => json!({ "type": "finished", "verdict": verdict }),
        Ended::Failed { reason, retry } => {
            json!({ "type": "failed", "reason": reason, "retry": retry })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use tungstenite::ClientRequestBuilder;

    const SERVER: &str = "http://127.0.0.1:9";

    /// What a page of `origin` hears to `text`; `None` if it is not let in or the socket is closed.
    fn asked(origin: &str, protocol: &str, text: &str) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap();
        let rules = Rules {
            listen,
            server: SERVER.to_owned(),
            reader: "no such reader".to_owned(),
            patience: Duration::ZERO,
        };
        let served = thread::spawn(move || answer(&rules, listener.accept().unwrap().0).is_ok());
        let request = ClientRequestBuilder::new(format!("ws://{listen}").parse().unwrap())
            .with_header("origin", origin)
            .with_sub_protocol(protocol);
        let heard = tungstenite::connect(request).ok().and_then(|(mut socket, _)| {
            socket.send(Message::text(text)).ok()?;
            socket.read().ok()?.into_text().ok().map(|text| text.to_string())
        });
        served.join().unwrap();
        heard.filter(|text| !text.is_empty())
    }

    #[test]
    fn only_pages_of_the_server_are_served_and_only_with_its_relay() {
        let url = format!("{}x", relay_of(SERVER));
        let read = json!({ "type": "read", "url": url }).to_string();
        assert_eq!(asked("http://elsewhere.invalid", SUBPROTOCOL, &read), None);
        assert_eq!(asked(SERVER, "other.v1", &read), None);
        let other = json!({ "type": "read", "url": "ws://elsewhere.invalid/v1/relay?ticket=x" });
        assert_eq!(asked(SERVER, SUBPROTOCOL, &other.to_string()), None);
        assert_eq!(asked(SERVER, SUBPROTOCOL, "{}"), None);
    }

    #[test]
    fn a_page_hears_whether_the_reader_is_there() {
        let told = asked(SERVER, SUBPROTOCOL, r#"{"type":"status"}"#).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told, json!({ "type": "status", "reader": false }));
        assert_eq!(asked("http://elsewhere.invalid", SUBPROTOCOL, r#"{"type":"status"}"#), None);
    }

    #[test]
    fn others_than_this_machine_cannot_ask() {
        let listen: SocketAddr = "192.0.2.1:8490".parse().unwrap();
        let (server, reader) = (SERVER.to_owned(), String::new());
        let rules = Rules { listen, server, reader, patience: Duration::ZERO };
        assert!(matches!(serve(&rules), Err(BridgeError::Address(_))));
    }
}
