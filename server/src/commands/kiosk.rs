//! `enroll kiosk`: carries commands from the relay to a PC/SC reader and back; for one ticket, or for
//! every page of the server in a browser of this machine (`super::bridge`).

use super::bridge;
use super::rows::{print, refused};
use crate::relay::wire::{Hello, LinkKind};
use crate::relay_client::{ClientError, Ended, Reader, run as relay};
use nfc::apdu::Response;
use nfc::link::{Batch, Link, LinkError};
use nfc::pcsc::PcscLink;
use serde_json::json;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// Bridge a PC/SC reader to the chip relay
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The server, such as http://127.0.0.1:8480
    #[arg(long)]
    server: String,
    /// The ticket for the relay
    #[arg(long, required_unless_present = "listen")]
    ticket: Option<String>,
    /// Serve the server's pages on this machine: loopback address and port; they ask at 127.0.0.1:8490
    #[arg(long, conflicts_with = "ticket")]
    listen: Option<SocketAddr>,
    /// Name of the reader, as `enroll chip readers` lists it
    #[arg(long)]
    reader: String,
    /// Longest wait for a passport on the reader, seconds
    #[arg(long, default_value_t = 30)]
    patience: u32,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs until the server says how it ended: 0 accepted, 1 refused or not read, 2 wrong address, 3
/// no reader or no server.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let patience = Duration::from_secs(args.patience.into());
    if let Some(listen) = args.listen {
        let server = args.server.trim_end_matches('/').to_owned();
        let rules = bridge::Rules { listen, server, reader: args.reader, patience };
        return match bridge::serve(&rules) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refused(&error, 2),
        };
    }
    let mut reader = Bridge::new(args.reader, patience);
    let mut watch = |_: &crate::relay::wire::FromServer| {};
    let url = address(&args.server, &args.ticket.unwrap_or_default());
    match relay(&url, &mut reader, &mut watch) {
        Ok(ended) => tell(&ended, args.json),
        Err(error) => refused(&error, if matches!(error, ClientError::Address(_)) { 2 } else { 3 }),
    }
}

fn address(server: &str, ticket: &str) -> String {
    let socket = server.trim_end_matches('/').replacen("http", "ws", 1);
    format!("{socket}/v1/relay?ticket={ticket}")
}

fn tell(ended: &Ended, as_json: bool) -> ExitCode {
    let (status, value) = match ended {
        Ended::Finished { verdict } => {
            (u8::from(verdict != "accepted"), json!({ "verdict": verdict, "reasons": [] }))
        }
        Ended::Failed { reason, retry } => {
            (1, json!({ "verdict": "inconclusive", "reasons": [reason], "retry": retry }))
        }
    };
    let line = if as_json {
        value.to_string()
    } else {
        match ended {
            Ended::Finished { verdict } => verdict.clone(),
            Ended::Failed { reason, .. } => reason.clone(),
        }
    };
    print(&line, status)
}

/// A PC/SC reader with whatever card lies on it.
pub struct Bridge {
    name: String,
    link: Option<PcscLink>,
    /// How long to wait for a card.
    patience: Duration,
}

/// How often a reader without a card is asked again.
const AGAIN: Duration = Duration::from_millis(250);

impl Bridge {
    /// The reader `name`, which is given `patience` to have a card on it.
    #[must_use]
    pub fn new(name: impl Into<String>, patience: Duration) -> Self {
        Self { name: name.into(), link: None, patience }
    }
}

impl Link for Bridge {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        self.link.as_mut().ok_or(LinkError::Lost)?.transmit(batch)
    }
}

impl Reader for Bridge {
    fn start(&mut self) -> Result<Hello, LinkError> {
        self.link = None;
        let mut left = self.patience;
        loop {
            match PcscLink::connect(&self.name) {
                Ok(link) => {
                    self.link = Some(link);
                    return Ok(Hello {
                        version: 1,
                        link: LinkKind::Pcsc,
                        max_command: 65_544,
                        max_response: 65_538,
                        extended_length: true,
                    });
                }
                // No card yet, or one that is just being put down.
                Err(_) if !left.is_zero() => left = left.saturating_sub(AGAIN),
                Err(error) => return Err(error),
            }
            std::thread::sleep(AGAIN);
        }
    }
}
