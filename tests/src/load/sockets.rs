//! Many open relays, each waiting for its chip.

use std::{fmt, net::TcpStream};

use serde::Serialize;
use serde_json::json;
use tungstenite::{ClientRequestBuilder, Message, WebSocket, stream::MaybeTlsStream};

use super::{LoadError, build, memory};
use crate::{citizen::Enrolment, people::People, process::Memory, served::Served};

/// Relays that wait are not closed, and tickets for all can be drawn beforehand.
pub(super) const CONFIG: &str = "[relay]\ndeadline_ms = 3600000\nticket_seconds = 3600\n";

/// The server's memory with and without them.
#[derive(Debug, Serialize)]
pub struct Sockets {
    /// Open relays, as the server counts them.
    pub open: u32,
    /// How the programs were built.
    pub build: &'static str,
    /// Before the first was opened, all cases being there.
    pub before: Memory,
    /// With all open, each having been sent its first commands.
    pub with: Memory,
    /// KiB more than before.
    pub more_kib: u64,
    /// KiB for each.
    pub each_kib: f64,
    /// MiB more than before; the goal is at most 300 for 2,000.
    pub more_mib: u64,
}

/// Opens `count` relays, each of a case of its own.
pub(super) fn measure(served: &Served, people: &People, count: u32) -> Result<Sockets, LoadError> {
    let person = people.person(0)?;
    let mut tickets = Vec::new();
    for _ in 0..count {
        let case = Enrolment::start(&served.url(), &person.cpr)?;
        case.typed_page(&person.lines)?;
        tickets.push(case.ticket()?);
    }
    let before = memory(served)?;
    let open = tickets.iter().map(|url| waiting(url)).collect::<Result<Vec<_>, _>>()?;
    let with = memory(served)?;
    let counted = crate::process::metrics(&served.metrics())?;
    let counted = counted.get("indrul_relays_open").copied().unwrap_or(0.0);
    drop(open);
    let more_kib = with.resident_kib.saturating_sub(before.resident_kib);
    let each_kib = f64::from(u32::try_from(more_kib).unwrap_or(u32::MAX)) / f64::from(count.max(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let open = counted as u32;
    let more_mib = more_kib.div_ceil(1024);
    Ok(Sockets { open, build: build(), before, with, more_kib, each_kib, more_mib })
}

/// A relay whose chip has been sent its first commands and says nothing.
fn waiting(url: &str) -> Result<WebSocket<MaybeTlsStream<TcpStream>>, LoadError> {
    let uri = url.parse().map_err(tungstenite::Error::from)?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol("chip-relay.v1");
    let (mut socket, _) = tungstenite::connect(request)?;
    let hello = json!({"type": "hello", "version": 1, "link": "nfc", "max_command": 261,
        "max_response": 65538, "extended_length": true});
    socket.send(Message::text(hello.to_string()))?;
    loop {
        if socket.read()?.to_text().is_ok_and(|text| text.contains("\"transmit\"")) {
            return Ok(socket);
        }
    }
}

impl fmt::Display for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, with) = (self.before.resident_kib / 1024, self.with.resident_kib / 1024);
        write!(
            f,
            "{} relays open ({} build): {before} MiB before, {with} MiB with them; {} MiB more, \
             {:.1} KiB each",
            self.open, self.build, self.more_mib, self.each_kib
        )
    }
}
