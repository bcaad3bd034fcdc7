//! Certificate revocation lists (RFC 5280 §5; ICAO 9303-12 §7.1.4).
//!
//! A list is only parsed here. Which lists count, and what they say of a certificate, is for
//! [`super::revocation`].

use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
    sync::Arc,
};

use time::{Duration, OffsetDateTime};

use super::{
    certificate::{Certificate, Name},
    sha256,
};
use crate::{
    crypto::public_key::{KeyError, PublicKey, SignatureAlgorithm},
    der::{
        self, Algorithm, BOOLEAN, CONTEXT_0, CONTEXT_0_PRIMITIVE, GENERALIZED_TIME, INTEGER, Id,
        OCTET_STRING, SEQUENCE, UTC_TIME,
    },
    tlv::{Reader, Tag, TlvError},
};

const AUTHORITY_KEY_ID: Id = Id::new("2.5.29.35");
const CRL_NUMBER: Id = Id::new("2.5.29.20");
const REASON_CODE: Id = Id::new("2.5.29.21");
const DELTA: Id = Id::new("2.5.29.27");
const DISTRIBUTION_POINT: Id = Id::new("2.5.29.28");
const CERTIFICATE_ISSUER: Id = Id::new("2.5.29.29");

/// `removeFromCRL`: no revocation, but the end of one (RFC 5280 §5.3.1).
const REMOVE: u8 = 8;

/// The most revoked certificates that are read.
const MOST: usize = 100_000;
/// The most names of an entry's issuer that are read, and the longest: one is compared often.
const MOST_NAMES: usize = 4;
const LONGEST_NAME: usize = 4096;
/// The most extensions of a list or of an entry that are read.
const MOST_EXTENSIONS: usize = 32;
/// Lists come at least this often (ICAO 9303-12 §7.1.4): how long one is fresh that does not say.
const USUAL_LIFE: Duration = Duration::days(90);

/// A revocation list.
#[derive(Clone, PartialEq, Eq)]
pub struct Crl {
    /// The whole list.
    pub der: Vec<u8>,
    /// SHA-256 of its bytes: evidence names it at every check, so it is kept with the list.
    sha256: Option<[u8; 32]>,
    /// Who issued it.
    pub issuer: Name,
    /// When.
    pub this_update: OffsetDateTime,
    /// When the next one is due.
    pub next_update: Option<OffsetDateTime>,
    /// Which key signed it, if it says so.
    pub authority_key_id: Option<Vec<u8>>,
    /// What it covers.
    pub scope: Scope,
    /// By serial number.
    entries: Vec<Entry>,
    tbs: Range<usize>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {}, {} entries)", self.issuer, self.this_update, self.entries.len())
    }
}

/// A revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Content bytes of the serial number, without superfluous leading zeros.
    serial: Vec<u8>,
    /// Since when.
    pub date: OffsetDateTime,
    /// `CRLReason` (RFC 5280 §5.3.1).
    pub reason: Option<u8>,
    /// Who issued the certificate, where that is not the issuer of the list: the name in its one
    /// form. Shared, since one name may stand for a hundred thousand entries.
    issuer: Option<Arc<[u8]>>,
}

impl Entry {
    /// Whether it ends a revocation instead of making one.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.reason == Some(REMOVE)
    }

    /// Whether the certificate may be taken back into use.
    #[must_use]
    pub fn is_hold(&self) -> bool {
        self.reason == Some(6)
    }

    /// Whether an issuer's key is in other hands: the one reason that is given of issuers only, so
    /// that no document signer with the same serial number can be meant.
    #[must_use]
    pub fn is_lost_authority(&self) -> bool {
        self.reason == Some(2)
    }
}

/// Which certificates a list speaks of. Only a whole one can say that a certificate is *not*
/// revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All certificates of its issuer.
    Whole,
    /// What changed since another list (RFC 5280 §5.2.4).
    Delta,
    /// Some certificates or reasons only, or a critical extension that nobody here understands
    /// (RFC 5280 §5.2, §5.2.5).
    Partial,
}

impl Crl {
    /// Parses a DER CertificateList.
    ///
    /// # Errors
    /// [`TlvError`] if it is malformed or has too many entries.
    pub fn parse(der: &[u8]) -> Result<Self, TlvError> {
        let outer = Reader::new(der).expect(SEQUENCE)?;
        let mut fields = outer.reader();
        let tbs = fields.expect(SEQUENCE)?;
        let algorithm = Algorithm::read(&mut fields)?;
        let signature = der::whole_bytes(&mut fields)?.to_vec();
        let mut body = tbs.reader();
        body.optional(INTEGER)?;
        if Algorithm::read(&mut body)? != algorithm {
            return Err(der::malformed(&tbs));
        }
        let issuer = Name::read(&mut body)?;
        let this_update = der::instant(&mut body)?;
        let has_next = [UTC_TIME, GENERALIZED_TIME]
            .iter()
            .any(|tag| body.clone().optional(*tag).is_ok_and(|found| found.is_some()));
        let next_update = if has_next { Some(der::instant(&mut body)?) } else { None };
        let mut entries = match body.optional(SEQUENCE)? {
            Some(list) => entries(list.reader(), &issuer)?,
            None => Vec::new(),
        };
        entries.sort_by(|one, other| {
            let key = |entry: &Entry| (entry.date, entry.reason);
            one.serial.cmp(&other.serial).then_with(|| key(one).cmp(&key(other)))
        });
        let end = tbs.value_offset.saturating_add(tbs.value.len());
        let mut crl = Self {
            der: outer.bytes.to_vec(),
            sha256: sha256(outer.bytes).ok(),
            issuer,
            this_update,
            next_update,
            authority_key_id: None,
            scope: Scope::Whole,
            entries,
            tbs: end.saturating_sub(tbs.bytes.len())..end,
            algorithm,
            signature,
        };
        if let Some(extensions) = body.optional(CONTEXT_0)? {
            crl.read_extensions(extensions.reader().expect(SEQUENCE)?.reader())?;
        }
        Ok(crl)
    }

    fn read_extensions(&mut self, mut list: Reader<'_>) -> Result<(), TlvError> {
        for _ in 0..MOST_EXTENSIONS {
            if list.is_empty() {
                break;
            }
            let extension = Extension::read(&mut list)?;
            let is = |known: Id| extension.oid.is(known);
            match () {
                () if is(AUTHORITY_KEY_ID) => {
                    let mut fields = extension.value.clone().expect(SEQUENCE)?.reader();
                    let id = fields.optional(CONTEXT_0_PRIMITIVE)?;
                    self.authority_key_id = id.map(|id| id.value.to_vec());
                }
                () if is(CRL_NUMBER) => {}
                () if is(DELTA) => self.scope = self.scope.max(Scope::Delta),
                () if is(DISTRIBUTION_POINT) => {
                    if is_partial(extension.value.clone())? {
                        self.scope = Scope::Partial;
                    }
                }
                () if extension.critical => self.scope = Scope::Partial,
                () => {}
            }
        }
        Ok(())
    }

    /// Whether `key` made the list's signature.
    ///
    /// # Errors
    /// [`KeyError`] if the key or algorithm cannot be used.
    pub fn is_signed_with(&self, key: &PublicKey) -> Result<bool, KeyError> {
        let algorithm = SignatureAlgorithm::new(&self.algorithm, None)?;
        let signed = self.der.get(self.tbs.clone()).unwrap_or_default();
        key.verify(&algorithm, signed, &self.signature)
    }

    /// Whether `issuer`, by that name, signed the list.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let verify = || self.is_signed_with(issuer.public_key()?.as_ref());
        self.issuer.is_like(&issuer.subject) && verify().unwrap_or(false)
    }

    /// SHA-256 of its bytes, if OpenSSL has the function.
    #[must_use]
    pub fn sha256(&self) -> Option<&[u8; 32]> {
        self.sha256.as_ref()
    }

    /// Whether the list is out of date at `at`.
    #[must_use]
    pub fn is_stale(&self, at: OffsetDateTime) -> bool {
        self.fresh_until() < at
    }

    /// Until when it counts as fresh.
    #[must_use]
    pub fn fresh_until(&self) -> OffsetDateTime {
        self.next_update.unwrap_or_else(|| self.this_update.saturating_add(USUAL_LIFE))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the list says of the certificate of its issuer with this serial number. Where it says
    /// several things, a revocation counts.
    #[must_use]
    pub fn find(&self, serial: &[u8]) -> Option<&Entry> {
        self.find_of(serial, None)
    }

    /// As [`Self::find`], of the certificate of another issuer whose name has the form `issuer`.
    pub(super) fn find_of(&self, serial: &[u8], issuer: Option<&[u8]>) -> Option<&Entry> {
        let serial = der::minimal(serial);
        let start = self.entries.partition_point(|entry| entry.serial.as_slice() < serial);
        let rest = self.entries.get(start..).unwrap_or_default();
        let same = rest.iter().take_while(|entry| entry.serial == serial);
        let mut same = same.filter(|entry| entry.issuer.as_deref() == issuer).peekable();
        let first = same.peek().copied();
        same.find(|entry| !entry.is_removal()).or(first)
    }

    /// The other issuers whose certificates it lists, by the one form of their names.
    pub(super) fn other_issuers(&self) -> BTreeSet<Arc<[u8]>> {
        let mut seen = HashSet::new();
        let named = self.entries.iter().filter_map(|entry| entry.issuer.as_ref());
        named.filter(|name| seen.insert(Arc::as_ptr(name))).cloned().collect()
    }

    /// Whether a serial number is on the list.
    #[must_use]
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.find(serial).is_some_and(|entry| !entry.is_removal())
    }
}

/// `Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }`.
struct Extension<'a> {
    oid: der::Oid,
    critical: bool,
    value: Reader<'a>,
}

impl<'a> Extension<'a> {
    fn read(list: &mut Reader<'a>) -> Result<Self, TlvError> {
        let mut fields = list.expect(SEQUENCE)?.reader();
        let oid = der::oid(&mut fields)?;
        let critical = fields.optional(BOOLEAN)?.is_some_and(|b| b.value != [0]);
        Ok(Self { oid, critical, value: fields.expect(OCTET_STRING)?.reader() })
    }
}

/// `SEQUENCE OF SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL }`. In an
/// indirect list an entry may be another issuer's, and so are those after it (RFC 5280 §5.3.3).
fn entries(mut list: Reader<'_>, issuer: &Name) -> Result<Vec<Entry>, TlvError> {
    let mut entries = Vec::new();
    // Of the entry before; none is the issuer of the list.
    let mut whose: Vec<Option<Arc<[u8]>>> = vec![None];
    let own_name = issuer.normal();
    while let Some(element) = list.next_element()? {
        if entries.len() >= MOST {
            return Err(der::malformed(&element));
        }
        let mut fields = element.reader();
        let serial = der::minimal(fields.expect(INTEGER)?.value).to_vec();
        let date = der::instant(&mut fields)?;
        let mut reason = None;
        if let Some(extensions) = fields.optional(SEQUENCE)? {
            let mut extensions = extensions.reader();
            for _ in 0..MOST_EXTENSIONS {
                if extensions.is_empty() {
                    break;
                }
                let mut extension = Extension::read(&mut extensions)?;
                if extension.oid.is(REASON_CODE) {
                    let code = extension.value.expect(ENUMERATED)?;
                    reason = code.value.first().copied();
                } else if extension.oid.is(CERTIFICATE_ISSUER) {
                    let names = names(extension.value)?;
                    let names = names.iter().take(MOST_NAMES).map(Name::normal);
                    let other = |name: &[u8]| (name != own_name).then(|| Arc::from(name));
                    whose = names.map(other).collect();
                }
            }
        }
        entries.extend(whose.iter().map(|issuer| {
            let (serial, issuer) = (serial.clone(), issuer.clone());
            Entry { serial, date, reason, issuer }
        }));
    }
    Ok(entries)
}

const ENUMERATED: Tag = Tag(0x0A);
/// `directoryName [4]` of GeneralName.
const DIRECTORY_NAME: Tag = Tag(0xA4);

/// The directory names among GeneralNames.
fn names(mut value: Reader<'_>) -> Result<Vec<Name>, TlvError> {
    let mut list = value.expect(SEQUENCE)?.reader();
    let mut names = Vec::new();
    while let Some(name) = list.next_element()? {
        if name.tag == DIRECTORY_NAME {
            if name.bytes.len() > LONGEST_NAME {
                return Err(der::malformed(&name));
            }
            names.push(Name::read(&mut name.reader())?);
        }
    }
    Ok(names)
}

/// `IssuingDistributionPoint` (RFC 5280 §5.2.5): whether document signers, or some reasons, are
/// left out. That it is for user certificates only, or indirect, leaves none of them out.
fn is_partial(mut value: Reader<'_>) -> Result<bool, TlvError> {
    let mut fields = value.expect(SEQUENCE)?.reader();
    let mut partial = false;
    while let Some(field) = fields.next_element()? {
        let is_set = field.value != [0];
        // [2] onlyContainsCACerts, [3] onlySomeReasons, [5] onlyContainsAttributeCerts.
        partial |= matches!(field.tag.0, 0x82 | 0x83 | 0xA3 | 0x85) && is_set;
    }
    Ok(partial)
}
