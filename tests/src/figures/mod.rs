//! What a reading costs, counted: commands, round trips and bytes, never time. Open readers take 88
//! to 97 commands with short and 30 to 36 with extended lengths for the same files, and receive 17,145
//! bytes at best.

mod measured;

use std::{fmt, sync::Arc};

use nfc::{
    apdu::{Command, Response},
    link::{self, Batch, Link, LinkError, Traffic},
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustError, TrustStore},
};
use serde::Serialize;
use time::Date;

pub use self::measured::{LENGTHS, Measured, MeasuredError, Opened};
use crate::chip_link::ChipLink;

/// Why nothing could be counted.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The passport.
    #[error(transparent)]
    Measured(#[from] MeasuredError),
    /// Its issuer.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Its page.
    #[error(transparent)]
    Mrz(#[from] mrz::ParseError),
    /// The reading broke off.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The reading ended with something unproved: it is not the one that is counted.
    #[error("the check {check} has not passed")]
    NotPassed {
        /// Which.
        check: String,
    },
}

/// The most that one reading may cost. Only what the design sets a figure for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Most {
    /// Commands for access and files alone. With answers of 256 bytes, 223 of a file fit into one:
    /// 76 blocks, EF.CardAccess, five commands of PACE and SELECT are 83, and no reader can do with
    /// fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading_apdus: Option<usize>,
    /// Commands in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apdus: Option<usize>,
    /// Batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trips: Option<usize>,
    /// Bytes of replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_received: Option<usize>,
}

/// One way of reading the passport and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// `PACE` or `BAC`.
    pub access: &'static str,
    /// `short` or `extended`.
    pub lengths: &'static str,
    /// Access and all files.
    pub reading: Traffic,
    /// Chip and active authentication.
    pub authentication: Traffic,
    /// Both together.
    pub all: Traffic,
    /// What is to be reached.
    pub at_most: Most,
}

impl Figure {
    /// Whether it costs no more than it may.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let within = |most: Option<usize>, found: usize| most.is_none_or(|most| found <= most);
        within(self.at_most.reading_apdus, self.reading.apdus)
            && within(self.at_most.apdus, self.all.apdus)
            && within(self.at_most.round_trips, self.all.round_trips)
            && within(self.at_most.bytes_received, self.all.bytes_received)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access, lengths, reading, authentication, all, at_most } = self;
        writeln!(
            f,
            "{access}, {lengths} lengths: {}",
            if self.is_held() { "held" } else { "TOO MANY" }
        )?;
        writeln!(f, "  {:16}{:>10}{:>16}{:>8}", "", "reading", "authentication", "all")?;
        let count = |of: fn(&Traffic) -> usize| [reading, authentication, all].map(of);
        let rows = [
            ("APDUs", count(|t| t.apdus), at_most.apdus),
            ("round trips", count(|t| t.round_trips), at_most.round_trips),
            ("bytes sent", count(|t| t.bytes_sent), None),
            ("bytes received", count(|t| t.bytes_received), at_most.bytes_received),
        ];
        for (name, [files, keys, whole], most) in rows {
            write!(f, "  {name:16}{files:>10}{keys:>16}{whole:>8}")?;
            if let Some(most) = at_most.reading_apdus.filter(|_| name == "APDUs") {
                write!(f, "   at most {most} for reading")?;
            }
            match most {
                Some(most) => writeln!(f, "   at most {most}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

/// The ways of reading that have figures to reach.
const WAYS: [(Opened, Limits, Most); 4] = [
    (Opened::Pace, Limits::SHORT, Most { reading_apdus: Some(83), ..ROUND_TRIPS_PACE }),
    (
        Opened::Pace,
        Limits::EXTENDED,
        Most { apdus: Some(17), bytes_received: Some(17_100), ..ROUND_TRIPS_PACE },
    ),
    (Opened::Bac, Limits::SHORT, ROUND_TRIPS_BAC),
    (Opened::Bac, Limits::EXTENDED, ROUND_TRIPS_BAC),
];
const ROUND_TRIPS_PACE: Most =
    Most { reading_apdus: None, apdus: None, round_trips: Some(9), bytes_received: None };
const ROUND_TRIPS_BAC: Most = Most { round_trips: Some(7), ..ROUND_TRIPS_PACE };

/// Reads the measured passport in every way, on the day `at`.
///
/// # Errors
/// [`FiguresError`] if a reading did not prove everything.
pub fn count(at: Date) -> Result<Vec<Figure>, FiguresError> {
    WAYS.into_iter().map(|(opened, limits, at_most)| figure(opened, limits, at_most, at)).collect()
}

fn figure(opened: Opened, limits: Limits, at_most: Most, at: Date) -> Result<Figure, FiguresError> {
    let passport = Measured::make(opened, at)?;
    let mut ledger = Ledger::new(ChipLink(passport.chip()?));
    let request = request(&passport, limits, at)?;
    let reading = link::drive::<_, ReadError>(reader::start(request), &mut ledger)?;
    proved(&reading)?;
    let Ledger { reading, authentication, .. } = ledger;
    let lengths = if limits.extended { "extended" } else { "short" };
    let access = match opened {
        Opened::Pace => "PACE",
        Opened::Bac => "BAC",
    };
    let all = sum(reading, authentication);
    Ok(Figure { access, lengths, reading, authentication, all, at_most })
}

fn request(passport: &Measured, limits: Limits, at: Date) -> Result<ReadRequest, FiguresError> {
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(&passport.csca)?;
    Ok(ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n"))?.access_key()),
        trust: Arc::new(trust),
        at,
        policy: AccessPolicy::default(),
        aa_challenge: [0x5A; 8],
        limits,
        random: Box::new(SystemRandom),
    })
}

/// Everything but the issuer's missing revocation list must have passed.
fn proved(reading: &ChipReading) -> Result<(), FiguresError> {
    let mut checks = reading.checks.iter().filter(|check| check.id != "signer.revocation");
    match checks.find(|check| check.outcome != nfc::check::Outcome::Passed) {
        Some(check) => Err(FiguresError::NotPassed { check: check.id.to_owned() }),
        None => Ok(()),
    }
}

/// A link that keeps what chip and active authentication cost apart from the reading before it.
struct Ledger<L> {
    link: L,
    reading: Traffic,
    authentication: Traffic,
    /// Set by the first command of an authentication inside the session.
    authenticating: bool,
}

impl<L> Ledger<L> {
    fn new(link: L) -> Self {
        let none = Traffic::default();
        Self { link, reading: none, authentication: none, authenticating: false }
    }

    fn record(&mut self, command: &Command, reply: &Response) {
        self.authenticating |= authenticates(command);
        let traffic =
            if self.authenticating { &mut self.authentication } else { &mut self.reading };
        let one = Traffic {
            apdus: 1,
            round_trips: 0,
            bytes_sent: command.encode().len(),
            bytes_received: reply.encode().len(),
        };
        *traffic = sum(*traffic, one);
    }
}

impl<L: Link> Link for Ledger<L> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        let replies = self.link.transmit(batch)?;
        let first = batch.commands.first().is_some_and(authenticates);
        let traffic = match self.authenticating || first {
            true => &mut self.authentication,
            false => &mut self.reading,
        };
        traffic.round_trips = traffic.round_trips.saturating_add(1);
        for (command, reply) in batch.commands.iter().zip(&replies) {
            self.record(command, reply);
        }
        Ok(replies)
    }
}

/// MANAGE SECURITY ENVIRONMENT, GENERAL AUTHENTICATE and INTERNAL AUTHENTICATE under secure
/// messaging: access is gained without it (ICAO 9303-11 §4.4, §6).
fn authenticates(command: &Command) -> bool {
    command.cla & 0x0C == 0x0C && [0x22, 0x86, 0x88].contains(&command.ins)
}

fn sum(one: Traffic, other: Traffic) -> Traffic {
    Traffic {
        apdus: one.apdus.saturating_add(other.apdus),
        round_trips: one.round_trips.saturating_add(other.round_trips),
        bytes_sent: one.bytes_sent.saturating_add(other.bytes_sent),
        bytes_received: one.bytes_received.saturating_add(other.bytes_received),
    }
}
