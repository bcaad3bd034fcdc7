//! The reference client of `chip-relay.v1` (`docs/chip-relay.md`): a pipe between the server and
//! any [`nfc::link::Link`]. It knows no key and reads nothing of what it carries.
//!
//! The kiosk runs it over a PC/SC reader, tests over the emulated chip. It blocks: one thread per
//! chip.

use crate::relay::wire::{Apdu, FromClient, FromServer, Hello, SUBPROTOCOL, Status};
use nfc::apdu::{ApduError, Command, Response};
use nfc::link::{Batch, Link, LinkError};
use std::net::TcpStream;
use tungstenite::http::Uri;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{ClientRequestBuilder, Message, WebSocket};

/// A link that can say what it can do.
pub trait Reader: Link {
    /// Waits for a chip, starts it anew and tells the limits towards it. Called at the beginning
    /// and after each lost link.
    ///
    /// # Errors
    /// [`LinkError`] if no chip came.
    fn start(&mut self) -> Result<Hello, LinkError>;
}

/// How the relay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The chip was read; this is what its checks say.
    Finished {
        /// `accepted`, `refused` or `inconclusive`.
        verdict: String,
    },
    /// The chip could not be read.
    Failed {
        /// Reason code.
        reason: String,
        /// Whether a new ticket may be asked for.
        retry: bool,
    },
}

/// Why the relay broke off.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none.
    #[error("the relay's address is not valid")]
    Address(#[from] tungstenite::http::uri::InvalidUri),
    /// The socket failed.
    #[error("the relay's socket failed")]
    Socket(#[from] Box<tungstenite::Error>),
    /// The server closed without saying how it ended.
    #[error("the server closed the relay with code {code}")]
    Closed {
        /// The close code (RFC 6455 §7.4); 1005 for none.
        code: u16,
    },
    /// The server sent what is no frame of the protocol.
    #[error("the server sent no frame of the protocol")]
    Frame(#[from] serde_json::Error),
    /// The server sent what is no command.
    #[error("the server sent no command")]
    Command(#[from] ApduError),
    /// No chip came.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// Carries commands from `url` (`ws://…/v1/relay?ticket=…`) to `reader` and replies back until the
/// server says how it ended. `watch` sees every frame of the server.
///
/// # Errors
/// [`ClientError`] if the socket breaks or no chip comes.
pub fn run(
    url: &str,
    reader: &mut dyn Reader,
    watch: &mut dyn FnMut(&FromServer),
) -> Result<Ended, ClientError> {
    let uri: Uri = url.parse()?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    let (mut socket, _) = tungstenite::connect(request)?;
    send(&mut socket, &FromClient::Hello(reader.start()?))?;
    loop {
        let frame = receive(&mut socket)?;
        watch(&frame);
        match frame {
            FromServer::Progress { .. } => {}
            FromServer::Finished { verdict } => return finish(socket, Ended::Finished { verdict }),
            FromServer::Failed { reason, retry, .. } => {
                return finish(socket, Ended::Failed { reason, retry });
            }
            FromServer::Transmit { seq, commands, continue_on } => {
                transmit(&mut socket, reader, seq, batch(commands, continue_on)?)?;
            }
        }
    }
}

fn batch(commands: Vec<Apdu>, continue_on: Vec<Status>) -> Result<Batch, ClientError> {
    let commands =
        commands.iter().map(|Apdu(bytes)| Command::decode(bytes)).collect::<Result<_, _>>()?;
    Ok(Batch { commands, continue_on: continue_on.into_iter().map(|Status(s)| s).collect() })
}

fn transmit(
    socket: &mut Socket,
    reader: &mut dyn Reader,
    seq: u64,
    batch: Batch,
) -> Result<(), ClientError> {
    match reader.transmit(&batch) {
        Ok(replies) => {
            let replies = replies.iter().map(Response::encode).map(Apdu).collect();
            send(socket, &FromClient::Replies { seq, replies })
        }
        Err(error) => {
            let replies = error.clone().into_replies().ok_or(error)?;
            let replies = replies.iter().map(Response::encode).map(Apdu).collect();
            send(socket, &FromClient::LinkLost { seq, replies })?;
            send(socket, &FromClient::Hello(reader.start()?))
        }
    }
}

fn send(socket: &mut Socket, frame: &FromClient) -> Result<(), ClientError> {
    Ok(socket.send(Message::text(serde_json::to_string(frame)?))?)
}

fn receive(socket: &mut Socket) -> Result<FromServer, ClientError> {
    loop {
        match socket.read()? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                return Err(ClientError::Closed { code });
            }
            _ => {}
        }
    }
}

/// Answers the server's close; the end is known already, so a socket that breaks now is no error.
fn finish(mut socket: Socket, ended: Ended) -> Result<Ended, ClientError> {
    while socket.read().is_ok() {}
    Ok(ended)
}
