//! Path building (ICAO 9303-12 §5, §7; RFC 5280 §6 where it fits real documents).
//!
//! A library's chain builder is not used: real chains break it. Candidates are found by key
//! identifier, then by name, then by country; whether one issued the certificate, its key and the
//! signature decide alone. Several anchors can hold the same key: a root, and link certificates
//! to it from older keys or, after it was renamed, from itself.
//!
//! Work is bounded: every distinct key is tried once, [`MOST_TRIES`] keys at most, and paths have
//! [`LONGEST_PATH`] certificates at most. What was found out about the anchors themselves is kept,
//! so that a link is verified once.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use super::{Anchor, TrustStore, certificate::Certificate, index::FoundBy, name::Agreement};
use crate::check::Reason;

/// The most keys that are tried for one certificate.
const MOST_TRIES: usize = 64;
/// The longest path of link certificates that is followed.
const LONGEST_PATH: usize = 8;

/// Why no path leads from a certificate to an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No anchor could have issued it, or none of those that could did.
    #[error("no issuer is known")]
    Unknown,
    /// An anchor with the issuer's key identifier is there, and did not make the signature.
    #[error("the issuer's key did not make the signature")]
    Signature,
    /// The certificate is signed with an algorithm that is not supported.
    #[error("the algorithm of the certificate's signature is not supported")]
    Algorithm,
    /// More keys could have signed it than are tried.
    #[error("more than {MOST_TRIES} keys could have signed the certificate")]
    Budget,
}

impl PathError {
    /// The reason that it is for a document.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Unknown | Self::Budget => Reason::CscaUnknown,
            Self::Signature => Reason::SignerUntrusted,
            Self::Algorithm => Reason::SodAlgorithm,
        }
    }
}

/// A certificate's issuer and, as far as they are known, the issuers above it. Each was verified to
/// have signed the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
    tried: usize,
    is_whole: bool,
}

/// One issuer on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The issuer.
    pub anchor: Arc<Anchor>,
    /// How it was found.
    pub found_by: FoundBy,
    /// How its subject agrees with the issuer that the certificate below names.
    pub names: Agreement,
}

impl Path {
    /// The steps from the issuer of the certificate up.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The anchors of the steps.
    pub fn anchors(&self) -> impl Iterator<Item = &Arc<Anchor>> {
        self.steps.iter().map(|step| &step.anchor)
    }

    /// The issuer of the certificate.
    #[must_use]
    pub fn issuer(&self) -> Option<&Arc<Anchor>> {
        self.anchors().next()
    }

    /// Whether it ends at a self-signed anchor. Every anchor is trusted as it is: a document needs
    /// the first step only.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many signatures were tried to find the first step.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.tried
    }
}

impl TrustStore {
    /// The path from `certificate`'s issuer up. Of several anchors with the key that signed it, the
    /// one counts that was valid when it was issued; then one that leads to a self-signed anchor,
    /// and that by the shortest way.
    ///
    /// # Errors
    /// [`PathError`] if no anchor issued it.
    pub fn path(&self, certificate: &Certificate) -> Result<Path, PathError> {
        let Issuers { mut places, tried } = self.issuers(certificate)?;
        places.sort_by_cached_key(|(place, by)| self.rank(certificate, *place, *by));
        let first = *places.first().ok_or(PathError::Unknown)?;
        let Way { above, is_whole } = self.way_up(first.0);
        let way = || std::iter::once(&first).chain(above);
        let below = std::iter::once(certificate)
            .chain(way().filter_map(|(place, _)| Some(&self.anchors.get(*place)?.certificate)));
        let steps = way().zip(below).filter_map(|(found, below)| self.step(*found, below));
        Ok(Path { steps: steps.collect(), tried, is_whole: *is_whole })
    }

    /// The anchor that issued `certificate`.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn issuer_of(&self, certificate: &Certificate) -> Result<Arc<Anchor>, PathError> {
        self.path(certificate)?.issuer().cloned().ok_or(PathError::Unknown)
    }

    /// For a link certificate the anchors whose key signed it, for any other none.
    #[must_use]
    pub fn links(&self, anchor: &Anchor) -> Vec<&Arc<Anchor>> {
        let Some(place) = self.index.place(&anchor.sha256) else { return Vec::new() };
        match self.issued_itself(place) {
            true => Vec::new(),
            false => {
                let issuers = self.issuers_of(place).iter();
                issuers.filter_map(|(issuer, _)| self.anchors.get(*issuer)).collect()
            }
        }
    }

    /// Whether an anchor of this store is signed with its own key.
    #[must_use]
    pub fn is_self_signed(&self, anchor: &Anchor) -> bool {
        let place = self.index.place(&anchor.sha256);
        place.is_some_and(|place| self.issued_itself(place))
    }

    fn issued_itself(&self, place: usize) -> bool {
        self.issuers_of(place).iter().any(|(issuer, _)| *issuer == place)
    }

    fn step(&self, (place, found_by): (usize, FoundBy), below: &Certificate) -> Option<Step> {
        let anchor = Arc::clone(self.anchors.get(place)?);
        let names = below.issuer.agreement(&anchor.certificate.subject);
        Some(Step { anchor, found_by, names })
    }

    /// Lower is better.
    fn rank(&self, below: &Certificate, place: usize, by: FoundBy) -> impl Ord + use<> {
        let anchor = self.anchors.get(place).map(|anchor| &anchor.certificate);
        let is_itself = anchor.is_some_and(|anchor| anchor.der == below.der);
        let was_valid = anchor.is_some_and(|anchor| anchor.is_valid_at(below.not_before));
        let Way { above, is_whole } = self.way_up(place);
        (!is_itself, !was_valid, !is_whole, above.len(), by, place)
    }

    /// The way from the anchor at `place`, found out once.
    fn way_up(&self, place: usize) -> &Way {
        static NONE: Way = Way { above: Vec::new(), is_whole: false };
        let slot = self.learnt().ways.get(place);
        slot.map_or(&NONE, |slot| slot.get_or_init(|| self.find_way(place)))
    }

    fn find_way(&self, from: usize) -> Way {
        let mut seen = HashSet::from([from]);
        let mut open = VecDeque::from([Vec::new()]);
        let mut last = Vec::new();
        while let Some(above) = open.pop_front() {
            let top = above.last().map_or(from, |(top, _)| *top);
            if self.issued_itself(top) {
                return Way { above, is_whole: true };
            }
            if above.len().saturating_add(1) < LONGEST_PATH {
                let more = self.issuers_of(top).iter().filter(|(issuer, _)| seen.insert(*issuer));
                open.extend(more.map(|issuer| [above.as_slice(), &[*issuer]].concat()));
            }
            last = above;
        }
        Way { above: last, is_whole: false }
    }

    /// The anchors that issued the anchor at `place`, found out once.
    fn issuers_of(&self, place: usize) -> &[(usize, FoundBy)] {
        let find = || Some(self.issuers(&self.anchors.get(place)?.certificate).ok()?.places);
        let slot = self.learnt().issuers.get(place);
        slot.map(|slot| slot.get_or_init(|| find().unwrap_or_default())).map_or(&[], Vec::as_slice)
    }

    /// The anchors whose key signed `certificate`.
    fn issuers(&self, certificate: &Certificate) -> Result<Issuers, PathError> {
        let algorithm = certificate.signature_algorithm().map_err(|_| PathError::Algorithm)?;
        let candidates = self.index.candidates(certificate);
        let mut keys: Vec<&[u8]> = Vec::new();
        let mut tried = 0_usize;
        for (place, _) in &candidates {
            let Some(anchor) = self.anchors.get(*place) else { continue };
            let is_seen = keys.contains(&anchor.identity.as_slice());
            if is_seen || !anchor.verifying.fits(&algorithm) {
                continue;
            }
            keys.push(&anchor.identity);
            if tried == MOST_TRIES {
                return Err(PathError::Budget);
            }
            tried = tried.saturating_add(1);
            if signed(certificate, anchor) {
                let places = candidates.iter().copied().filter(|(place, _)| {
                    self.anchors.get(*place).is_some_and(|other| other.identity == anchor.identity)
                });
                return Ok(Issuers { places: places.collect(), tried });
            }
        }
        match candidates.first() {
            Some((_, FoundBy::KeyIdentifier)) => Err(PathError::Signature),
            _ => Err(PathError::Unknown),
        }
    }
}

/// The shortest way from an anchor to a self-signed one, if there is one; else the longest that is
/// known.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// The anchors above it, from its own issuer up.
    above: Vec<(usize, FoundBy)>,
    is_whole: bool,
}

/// Anchors with the one key that signed a certificate.
struct Issuers {
    places: Vec<(usize, FoundBy)>,
    tried: usize,
}

/// A key that cannot be used made no signature.
fn signed(certificate: &Certificate, anchor: &Anchor) -> bool {
    certificate.is_signed_with(&anchor.verifying).unwrap_or(false)
}
