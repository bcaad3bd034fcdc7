//! Hostile clients of the chip relay, drawn from a seed: each does one thing that the protocol
//! (`docs/chip-relay.md`) does not allow, and must be refused as it says; the server's memory comes
//! back, and the next person enrols.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Shutdown, TcpStream},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Value, json};
use tungstenite::{
    ClientRequestBuilder, Error, HandshakeError, Message, WebSocket, client, http::Uri,
};

use crate::{
    citizen::Enrolment,
    letters::Letters,
    load::{Journey, LoadError},
    people::People,
    process::{self, Memory},
    run::chain,
    served::Served,
};

/// Silence is told apart from work, and is over soon.
pub const CONFIG: &str = "[relay]\ndeadline_ms = 3000\nhello_ms = 3000\n";
/// As many at once.
const AT_ONCE: u32 = 8;
/// How often the chip of one case may be started.
const STARTS: u32 = 20;
/// Longest wait for the server's refusal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Random numbers that a seed gives again (Steele, Lea and Flood: *SplitMix64*, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Of the `nth` client under `seed`.
    #[must_use]
    pub fn new(seed: u64, nth: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 = dice.roll() ^ nth;
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(end)).unwrap_or(0)
    }

    fn text(&mut self, length: u32) -> String {
        let letter = |n| char::from_u32(0x20 + n).unwrap_or(' ');
        (0..length).map(|_| letter(self.below(0x2FF))).collect()
    }
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trick {
    /// Replies under another `seq`.
    WrongSeq,
    /// A frame over the limit.
    Oversize,
    /// A type that there is not.
    UnknownType,
    /// A binary frame.
    Binary,
    /// Nothing, before the hello or after it.
    Silence,
    /// The same ticket a second time.
    TicketAgain,
    /// A ticket that nobody drew.
    TicketForged,
    /// No subprotocol, or another.
    OtherProtocol,
    /// Closes its half of the connection and waits.
    HalfClose,
    /// Text that is no JSON, or JSON cut off.
    Garbage,
    /// Thousands of pings and frames without reading one.
    Flood,
    /// Replies that cannot be.
    Replies,
    /// Limits that cannot be, or a hello where none is due.
    Hello,
    /// Loses the chip again and again.
    LinkLost,
    /// Is gone without a word.
    Vanish,
}

impl Trick {
    /// All.
    pub const ALL: [Self; 15] = [
        Self::WrongSeq,
        Self::Oversize,
        Self::UnknownType,
        Self::Binary,
        Self::Silence,
        Self::TicketAgain,
        Self::TicketForged,
        Self::OtherProtocol,
        Self::HalfClose,
        Self::Garbage,
        Self::Flood,
        Self::Replies,
        Self::Hello,
        Self::LinkLost,
        Self::Vanish,
    ];

    /// How often it starts the chip at most.
    fn starts(self) -> u32 {
        // Ten on one socket, and one too many.
        if self == Self::LinkLost { 11 } else { 1 }
    }

    /// What may come of it.
    fn may_end(self, end: End) -> bool {
        let closed = |codes: &[u16]| matches!(end, End::Closed(code) if codes.contains(&code));
        match self {
            Self::WrongSeq => closed(&[4409]),
            // One much longer is cut off while it arrives.
            Self::Oversize => closed(&[1009]) || end == End::Gone,
            Self::UnknownType | Self::Binary | Self::Garbage => closed(&[4400]),
            Self::Silence => closed(&[4408]),
            Self::TicketAgain | Self::TicketForged => end == End::Refused(401),
            Self::OtherProtocol => end == End::Refused(400),
            Self::HalfClose => closed(&[1000]) || end == End::Gone,
            Self::Vanish => end == End::Gone,
            // What was flooded may be cut off before the close is read.
            Self::Flood => closed(&[4400, 4401, 4409]) || end == End::Gone,
            Self::Replies => closed(&[4422]),
            Self::Hello => closed(&[4401]),
            Self::LinkLost => closed(&[4429]),
        }
    }
}

/// How the server ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// An HTTP status before the socket opened.
    Refused(u16),
    /// A close code.
    Closed(u16),
    /// The connection is gone.
    Gone,
    /// It did not end it, or said that all was well.
    NotAtAll,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => write!(f, "HTTP {status}"),
            Self::Closed(code) => write!(f, "close {code}"),
            Self::Gone => f.write_str("gone"),
            Self::NotAtAll => f.write_str("not ended"),
        }
    }
}

/// What came of them.
#[derive(Debug, Serialize)]
pub struct Hostile {
    /// So many clients.
    pub clients: u32,
    /// The seed they were drawn from.
    pub seed: u64,
    /// How often each trick ended how.
    pub ends: BTreeMap<Trick, BTreeMap<String, u32>>,
    /// Those that did not end as they must.
    pub unexpected: Vec<String>,
    /// The server's memory after one client of each kind.
    pub before: Memory,
    /// … after half of them.
    pub middle: Memory,
    /// … after all.
    pub after: Memory,
    /// Relays that the server still holds open.
    pub open: f64,
    /// Why the next person could not enrol, if they could not.
    pub next_person: Option<String>,
}

impl Hostile {
    /// Whether each was refused as it must be, nothing is left, and the next person enrolled.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.unexpected.is_empty() && is_none(self.open) && self.next_person.is_none()
    }

    /// MiB more resident than after one client of each kind.
    #[must_use]
    pub fn grown_mib(&self) -> u64 {
        self.after.resident_kib.saturating_sub(self.before.resident_kib) / 1024
    }
}

/// Plays `count` clients under `seed`.
///
/// # Errors
/// [`LoadError`] if cases cannot be prepared or the server is gone.
pub fn play(served: &Served, people: &People, count: u32, seed: u64) -> Result<Hostile, LoadError> {
    let process = served.process().unwrap_or_default();
    let person = people.person(0)?;
    let (cpr, lines) = (&*person.cpr, &*person.lines);
    let stage = Stage { url: served.url(), cpr, lines, seed, seen: Mutex::default() };
    let kinds = u32::try_from(Trick::ALL.len()).unwrap_or(1);
    stage.act(0..kinds)?;
    let before = settled(served, process)?;
    let half = kinds.max(count / 2);
    stage.act(kinds..half)?;
    let middle = settled(served, process)?;
    stage.act(half..count)?;
    let after = settled(served, process)?;
    let open = relays_open(served)?;
    let letters = Letters::new(served.post.mailbox.clone());
    let next = Journey::make(&served.url(), people.person(1)?, &letters);
    let Seen { ends, unexpected } = stage.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let next_person = next.err().map(|error| chain(&error));
    let clients = count.max(kinds);
    Ok(Hostile { clients, seed, ends, unexpected, before, middle, after, open, next_person })
}

/// The memory once it is noticed of every client that it has gone, or a minute has passed; and a second later,
/// in which what was theirs is given back.
fn settled(served: &Served, process: u32) -> Result<Memory, LoadError> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_none(relays_open(served)?) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(200));
    }
    thread::sleep(Duration::from_secs(1));
    Ok(process::memory(process)?)
}

/// Where the server does not say, there may be some.
fn is_none(open: f64) -> bool {
    open.abs() < 0.5
}

/// How many the server counts; fewer than none where it does not say.
fn relays_open(served: &Served) -> Result<f64, LoadError> {
    let counted = process::metrics(&served.metrics())?;
    Ok(counted.get("indrul_relays_open").copied().unwrap_or(-1.0))
}

#[derive(Default)]
struct Seen {
    ends: BTreeMap<Trick, BTreeMap<String, u32>>,
    unexpected: Vec<String>,
}

struct Stage<'a> {
    url: String,
    cpr: &'a str,
    lines: &'a [String],
    seed: u64,
    seen: Mutex<Seen>,
}

impl Stage<'_> {
    fn act(&self, range: std::ops::Range<u32>) -> Result<(), LoadError> {
        let next = AtomicU32::new(range.start);
        thread::scope(|scope| {
            let actors = (0..AT_ONCE).map(|_| scope.spawn(|| self.some(&next, range.end)));
            let actors: Vec<_> = actors.collect();
            actors.into_iter().try_for_each(|actor| {
                actor.join().map_err(|_| LoadError::BrokeOff).and_then(|done| done)
            })
        })
    }

    fn some(&self, next: &AtomicU32, end: u32) -> Result<(), LoadError> {
        let (mut case, mut starts) = (self.case()?, 0);
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= end {
                return Ok(());
            }
            let mut dice = Dice::new(self.seed, nth.into());
            let trick = drawn(nth, &mut dice);
            starts += trick.starts();
            if starts > STARTS {
                (case, starts) = (self.case()?, trick.starts());
            }
            self.see(nth, trick, perform(trick, &case.ticket()?, &mut dice));
        }
    }

    fn case(&self) -> Result<Enrolment, LoadError> {
        let case = Enrolment::start(&self.url, self.cpr)?;
        case.typed_page(self.lines)?;
        Ok(case)
    }

    fn see(&self, nth: u32, trick: Trick, end: End) {
        let mut seen: MutexGuard<'_, Seen> =
            self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.ends.entry(trick).or_default().entry(end.to_string()).or_default() += 1;
        if !trick.may_end(end) {
            seen.unexpected.push(format!("client {nth}: {trick:?} ended with {end}"));
        }
    }
}

/// What the `nth` client does: the first are one of each kind.
fn drawn(nth: u32, dice: &mut Dice) -> Trick {
    let kinds = u32::try_from(Trick::ALL.len()).unwrap_or(1);
    let at = if nth < kinds { nth } else { dice.below(kinds) };
    let trick = usize::try_from(at).ok().and_then(|at| Trick::ALL.get(at).copied());
    trick.unwrap_or(Trick::Vanish)
}

type Socket = WebSocket<TcpStream>;

/// Does it, and tells how the server ended it.
fn perform(trick: Trick, url: &str, dice: &mut Dice) -> End {
    let played = match trick {
        Trick::TicketAgain => open(url).and_then(|_first| open(url)).map(|_| End::NotAtAll),
        Trick::TicketForged => {
            let (base, _) = url.split_once('=').unwrap_or((url, ""));
            open(&format!("{base}={:064x}", dice.roll())).map(|_| End::NotAtAll)
        }
        Trick::OtherProtocol => {
            let other = match dice.below(3) {
                0 => "chip-relay.v2",
                1 => "chip-relay",
                _ => "mqtt",
            };
            opened(url, other).map(|_| End::NotAtAll)
        }
        _ => open(url).map(|socket| within(socket, trick, dice)),
    };
    played.unwrap_or_else(|end| end)
}

/// On an open socket.
fn within(mut socket: Socket, trick: Trick, dice: &mut Dice) -> End {
    let early = match trick {
        Trick::Silence | Trick::Garbage | Trick::Binary | Trick::UnknownType => dice.below(2) == 0,
        Trick::Hello => true,
        _ => false,
    };
    if !early {
        say(&mut socket, &hello(261, 65_538));
        if commands(&mut socket).is_none() {
            return End::NotAtAll;
        }
    }
    match trick {
        Trick::Flood => flood(&mut socket, dice),
        Trick::LinkLost => lose(&mut socket),
        Trick::Vanish => {
            let _ = socket.get_ref().shutdown(Shutdown::Both);
            return End::Gone;
        }
        Trick::HalfClose => {
            let _ = socket.get_ref().shutdown(Shutdown::Write);
        }
        Trick::Silence => {}
        // What the server cuts off while it is sent is refused all the same.
        _ => drop(socket.send(message(trick, dice))),
    }
    ended(&mut socket)
}

fn hello(max_command: u32, max_response: u32) -> Value {
    json!({"type": "hello", "version": 1, "link": "nfc", "max_command": max_command,
        "max_response": max_response, "extended_length": true})
}

/// The one message that is not allowed.
fn message(trick: Trick, dice: &mut Dice) -> Message {
    let text = match trick {
        Trick::WrongSeq => {
            let seq = match dice.below(3) {
                0 => 0,
                1 => u32::MAX,
                _ => 2 + dice.below(1_000),
            };
            json!({"type": "replies", "seq": seq, "replies": ["9000"]}).to_string()
        }
        Trick::Oversize => {
            let more = match dice.below(3) {
                0 => 1,
                1 => 60_000,
                _ => 3_000_000,
            };
            "0".repeat((1 << 20) + more)
        }
        Trick::UnknownType => {
            let length = dice.below(40);
            json!({"type": dice.text(length), "seq": 1}).to_string()
        }
        Trick::Binary => {
            let length = dice.below(5_000);
            return Message::binary((0..length).map(|n| n.to_le_bytes()[0]).collect::<Vec<_>>());
        }
        Trick::Garbage => garbage(dice),
        Trick::Replies => replies(dice).to_string(),
        Trick::Hello => {
            let other = json!({"type": "hello", "version": 2, "link": "nfc", "max_command": 261,
                "max_response": 258, "extended_length": false});
            let bad = match dice.below(4) {
                0 => hello(0, 65_538),
                1 => hello(261, 0),
                2 => hello(4_000_000_000, 258),
                _ => other,
            };
            bad.to_string()
        }
        _ => String::new(),
    };
    Message::text(text)
}

fn garbage(dice: &mut Dice) -> String {
    let whole = json!({"type": "replies", "seq": 1, "replies": ["6A82"]}).to_string();
    match dice.below(4) {
        0 => (0..dice.below(40)).zip(whole.chars()).map(|(_, letter)| letter).collect(),
        1 => format!("{whole}{whole}"),
        2 => (0..=dice.below(100_000)).map(|_| '[').collect(),
        _ => {
            let length = 1 + dice.below(2_000);
            format!("\u{1}{}", dice.text(length))
        }
    }
}

/// None, too many, without a status, too long, or going on where it was to stop.
fn replies(dice: &mut Dice) -> Value {
    // Longer than was said, and no longer than a reply can be at all.
    let long = "00".repeat(65_540) + "9000";
    let bad = match dice.below(4) {
        0 => json!([]),
        1 => (0..100 + dice.below(900)).map(|_| json!("9000")).collect(),
        2 => json!(["90"]),
        _ => json!([long]),
    };
    json!({"type": "replies", "seq": 1, "replies": bad})
}

/// Thousands of messages, none of the server's read.
fn flood(socket: &mut Socket, dice: &mut Dice) {
    let wrong = json!({"type": "replies", "seq": 99, "replies": ["9000"]}).to_string();
    for _ in 0..500 + dice.below(2_000) {
        let message = match dice.below(3) {
            0 => Message::Ping(vec![0; 100].into()),
            1 => Message::Pong(vec![0; 100].into()),
            _ => Message::text(wrong.clone()),
        };
        if socket.send(message).is_err() {
            return;
        }
    }
}

/// The chip leaves the field at every command, until the server has enough.
fn lose(socket: &mut Socket) {
    let mut seq = 1;
    for _ in 0..20 {
        say(socket, &json!({"type": "link_lost", "seq": seq}));
        say(socket, &hello(261, 65_538));
        match commands(socket) {
            Some(next) => seq = next,
            None => return,
        }
    }
}

fn open(url: &str) -> Result<Socket, End> {
    opened(url, "chip-relay.v1")
}

fn opened(url: &str, protocol: &str) -> Result<Socket, End> {
    let uri: Uri = url.parse().map_err(|_| End::NotAtAll)?;
    let address = uri.authority().map(ToString::to_string).unwrap_or_default();
    let stream = TcpStream::connect(address).map_err(|_| End::NotAtAll)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|_| End::NotAtAll)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(|_| End::NotAtAll)?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(protocol);
    match client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(answer))) => {
            Err(End::Refused(answer.status().as_u16()))
        }
        Err(_) => Err(End::NotAtAll),
    }
}

/// Says it; a server that has had enough does not hear it.
fn say(socket: &mut Socket, frame: &Value) {
    let _ = socket.send(Message::text(frame.to_string()));
}

/// Waits for commands, and tells their `seq`; `None` if the server ends it instead.
fn commands(socket: &mut Socket) -> Option<u64> {
    loop {
        match socket.read().ok()? {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).ok()?;
                match frame.get("type")?.as_str()? {
                    "transmit" => return frame.get("seq")?.as_u64(),
                    "failed" => return None,
                    _ => {}
                }
            }
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

/// How the server ends it.
fn ended(socket: &mut Socket) -> End {
    let mut last = None;
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => {
                last = Some(frame.map_or(End::Gone, |frame| End::Closed(frame.code.into())));
            }
            Ok(Message::Text(text)) if text.contains("\"finished\"") => return End::NotAtAll,
            Ok(_) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                return last.unwrap_or(End::NotAtAll);
            }
            Err(_) => return last.unwrap_or(End::Gone),
        }
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} hostile clients of seed {}", self.clients, self.seed)?;
        for (trick, ends) in &self.ends {
            let ends: Vec<_> = ends.iter().map(|(end, count)| format!("{end} {count}")).collect();
            writeln!(f, "  {:14} {}", format!("{trick:?}"), ends.join(", "))?;
        }
        let mib = [self.before, self.middle, self.after].map(|memory| memory.resident_kib / 1024);
        let [before, middle, after] = mib;
        write!(
            f,
            "memory: {before} MiB after one of each, {middle} MiB after half, {after} MiB after all; \
             {} relays open",
            self.open
        )?;
        self.unexpected.iter().try_for_each(|line| write!(f, "\nUNEXPECTED {line}"))?;
        match &self.next_person {
            None => write!(f, "\nthe next person enrolled"),
            Some(why) => write!(f, "\nthe next person did not enrol: {why}"),
        }
    }
}
