//! How often what may be asked: per address, per document and per case, as the configuration says.
//!
//! Each limit is the generic cell rate algorithm (ITU-T I.371 §A): of a key only the moment is kept
//! at which it will have had its share, under a hash that is this process's alone. The table has a
//! largest size; when it is full, what would have been forgotten soonest is forgotten.

mod address;

pub use address::{Proxies, ProxyRange, ProxyRangeError, network};

use crate::config;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Requests from one address.
    Address,
    /// Cases started from one address.
    Start,
    /// Tickets for the chip of one document, whatever the case.
    Document,
    /// Requests about one case, or by the owner of one identity or app.
    Case,
    /// Frames of a camera for one case.
    Frame,
    /// Challenges and proofs of one app, by whomever: not the owner's, who can always block it.
    App,
    /// References of cases that one kiosk tries, or user IDs that one of support does.
    Reference,
    /// Requests of one relying party that has proved who it is, or has a token.
    Client,
    /// What a page asks about one log-in, by whoever has its cookie.
    LogIn,
    /// Log-ins of one person that one relying party begins (CIBA).
    Asked,
    /// Activations of one code device and codes for it, with one user ID, by whomever.
    CodeDevice,
    /// Exports of all that is kept of one person.
    Export,
}

impl Kind {
    /// Its name in the metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Start => "start",
            Self::Document => "document",
            Self::Case => "case",
            Self::Frame => "frame",
            Self::App => "app",
            Self::Reference => "reference",
            Self::Client => "client",
            Self::LogIn => "log_in",
            Self::Asked => "asked",
            Self::CodeDevice => "code_device",
            Self::Export => "export",
        }
    }
}

/// Asked too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests by {}", kind.name())]
pub struct TooOften {
    /// Of what.
    pub kind: Kind,
    /// When it may be asked again.
    pub after: Duration,
}

/// One more every `every`, and `burst` at once after a silence.
#[derive(Debug, Clone, Copy)]
struct Rate {
    every: Duration,
    burst: u32,
}

impl Rate {
    /// Nothing for a burst of 0: no limit.
    fn of(burst: u32, per_hour: u32) -> Option<Self> {
        let every = Duration::from_secs(3600) / per_hour.max(1);
        (burst > 0).then_some(Self { every, burst })
    }

    /// When a key that would have had its share at `due` will have, after one more request at
    /// `now`; or how long it has to wait.
    fn next(self, due: Option<Instant>, now: Instant) -> Result<Instant, Duration> {
        let due = due.map_or(now, |due| due.max(now));
        let ahead = due.duration_since(now);
        let allowed = self.every * (self.burst - 1);
        if ahead > allowed { Err(ahead - allowed) } else { Ok(due + self.every) }
    }
}

struct Table {
    due: HashMap<u64, Instant>,
    swept: Option<Instant>,
}

/// The limits and what has been asked.
pub struct Limiter {
    address: Option<Rate>,
    start: Option<Rate>,
    document: Option<Rate>,
    case: Option<Rate>,
    reference: Option<Rate>,
    frame: Option<Rate>,
    client: Option<Rate>,
    log_in: Option<Rate>,
    asked: Option<Rate>,
    export: Option<Rate>,
    largest: usize,
    hashing: RandomState,
    table: Mutex<Table>,
    proxies: Proxies,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limiter")
    }
}

/// How many entries are looked at for one to forget.
const SAMPLE: usize = 8;
/// Time between two looks at the whole table.
const SWEEP: Duration = Duration::from_secs(1);

impl Limiter {
    /// The limits that `rules` say.
    #[must_use]
    pub fn new(rules: &config::Limits) -> Self {
        Self {
            address: Rate::of(rules.address_burst, rules.address_per_minute.saturating_mul(60)),
            start: Rate::of(rules.start_burst, rules.start_per_hour),
            document: Rate::of(rules.document_burst, rules.document_per_hour),
            case: Rate::of(rules.case_burst, rules.case_per_minute.saturating_mul(60)),
            reference: Rate::of(rules.reference_burst, rules.reference_per_hour),
            frame: Rate::of(rules.frame_burst, rules.frame_per_minute.saturating_mul(60)),
            client: Rate::of(rules.client_burst, rules.client_per_minute.saturating_mul(60)),
            log_in: Rate::of(rules.log_in_burst, rules.log_in_per_minute.saturating_mul(60)),
            asked: Rate::of(rules.asked_burst, rules.asked_per_hour),
            export: Rate::of(rules.export_burst, rules.export_per_hour),
            largest: rules.entries.max(SAMPLE),
            hashing: RandomState::new(),
            table: Mutex::new(Table { due: HashMap::new(), swept: None }),
            proxies: Proxies::new(rules.trusted_proxies.clone()),
        }
    }

    /// Whose headers are believed.
    #[must_use]
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// Counts one request of `kind` by `key`.
    ///
    /// # Errors
    /// [`TooOften`]; then it is not counted.
    pub fn spend(&self, kind: Kind, key: &[u8], now: Instant) -> Result<(), TooOften> {
        let Some(rate) = self.rate(kind) else { return Ok(()) };
        let name = self.hashing.hash_one((kind, key));
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let due = rate
            .next(table.due.get(&name).copied(), now)
            .map_err(|after| TooOften { kind, after })?;
        if !table.due.contains_key(&name) && table.due.len() >= self.largest {
            table.make_room(self.largest, now);
        }
        table.due.insert(name, due);
        Ok(())
    }

    /// Whether one more request of `kind` by `key` would be let in; it is not counted.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn check(&self, kind: Kind, key: &[u8], now: Instant) -> Result<(), TooOften> {
        let Some(rate) = self.rate(kind) else { return Ok(()) };
        let name = self.hashing.hash_one((kind, key));
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let due = table.due.get(&name).copied();
        rate.next(due, now).map(|_| ()).map_err(|after| TooOften { kind, after })
    }

    fn rate(&self, kind: Kind) -> Option<Rate> {
        match kind {
            Kind::Address => self.address,
            Kind::Start => self.start,
            Kind::Document => self.document,
            Kind::Case | Kind::App | Kind::CodeDevice => self.case,
            Kind::Reference => self.reference,
            Kind::Frame => self.frame,
            Kind::Client => self.client,
            Kind::LogIn => self.log_in,
            Kind::Asked => self.asked,
            Kind::Export => self.export,
        }
    }
}

impl Table {
    fn make_room(&mut self, largest: usize, now: Instant) {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP) {
            self.swept = Some(now);
            self.due.retain(|_, due| *due > now);
        }
        if self.due.len() >= largest {
            // Which entries come first depends on the hash alone, which nobody outside can aim at.
            let soonest = self.due.iter().take(SAMPLE).min_by_key(|(_, due)| **due);
            if let Some(name) = soonest.map(|(name, _)| *name) {
                self.due.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(change: impl FnOnce(&mut config::Limits)) -> Limiter {
        let mut rules = config::Limits::default();
        change(&mut rules);
        Limiter::new(&rules)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let limiter = limiter(|rules| (rules.case_burst, rules.case_per_minute) = (3, 60));
        let start = Instant::now();
        let spend = |after: Duration| limiter.spend(Kind::Case, b"1", start + after);
        for _ in 0..3 {
            spend(Duration::ZERO).unwrap();
        }
        let refused = spend(Duration::ZERO).unwrap_err();
        assert_eq!(refused, TooOften { kind: Kind::Case, after: SECOND });
        assert!(spend(SECOND / 2).is_err());
        spend(SECOND).unwrap();
        assert!(spend(SECOND).is_err());
        // After a silence the whole burst is back, and no more than that.
        for _ in 0..3 {
            spend(SECOND * 100).unwrap();
        }
        assert!(spend(SECOND * 100).is_err());
    }

    #[test]
    fn keys_and_kinds_do_not_share() {
        let limiter = limiter(|rules| (rules.case_burst, rules.document_burst) = (1, 1));
        let now = Instant::now();
        limiter.spend(Kind::Case, b"1", now).unwrap();
        limiter.spend(Kind::Case, b"2", now).unwrap();
        limiter.spend(Kind::Document, b"1", now).unwrap();
        assert!(limiter.spend(Kind::Case, b"1", now).is_err());
    }

    #[test]
    fn what_is_only_checked_is_not_counted() {
        let limiter = limiter(|rules| (rules.address_burst, rules.address_per_minute) = (1, 1));
        let now = Instant::now();
        assert!((0..10).all(|_| limiter.check(Kind::Address, b"1", now).is_ok()));
        limiter.spend(Kind::Address, b"1", now).unwrap();
        assert!(limiter.check(Kind::Address, b"1", now).is_err());
        assert!(limiter.check(Kind::Address, b"2", now).is_ok());
    }

    #[test]
    fn no_burst_is_no_limit() {
        let limiter = limiter(|rules| rules.case_burst = 0);
        let now = Instant::now();
        assert!((0..10_000).all(|_| limiter.spend(Kind::Case, b"1", now).is_ok()));
    }

    #[test]
    fn the_table_never_grows_beyond_its_largest_size_and_keeps_the_busiest() {
        let limiter = limiter(|rules| {
            (rules.case_burst, rules.case_per_minute, rules.entries) = (1000, 1, 100);
        });
        let now = Instant::now();
        for _ in 0..1000 {
            limiter.spend(Kind::Case, b"busy", now).unwrap();
        }
        for other in 0..10_000_u32 {
            limiter.spend(Kind::Case, &other.to_be_bytes(), now).unwrap();
            assert!(limiter.table.lock().unwrap().due.len() <= 100);
        }
        assert!(limiter.spend(Kind::Case, b"busy", now).is_err(), "the busiest is forgotten");
        // What has had its share is no longer kept.
        limiter.spend(Kind::Case, b"late", now + SECOND * 3600 * 24).unwrap();
        assert_eq!(limiter.table.lock().unwrap().due.len(), 1);
    }
}
