//! Certificate revocation lists (RFC 5280 §5; ICAO 9303-12 §7.1.4).

use time::OffsetDateTime;

use super::certificate::{Certificate, Name};
use crate::{
    crypto::public_key::SignatureAlgorithm,
    der::{self, Algorithm, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME},
    tlv::{Reader, TlvError},
};

/// The most revoked certificates that are read.
const MOST: usize = 100_000;

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// Who issued it.
    pub issuer: Name,
    /// When.
    pub this_update: OffsetDateTime,
    /// When the next one is due.
    pub next_update: Option<OffsetDateTime>,
    /// Serial numbers of revoked certificates, content bytes.
    pub revoked: Vec<Vec<u8>>,
    tbs: Vec<u8>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

impl Crl {
    /// Parses a DER CertificateList.
    ///
    /// # Errors
    /// [`TlvError`] if it is malformed or has too many entries.
    pub fn parse(der: &[u8]) -> Result<Self, TlvError> {
        let mut outer = Reader::new(der).expect(SEQUENCE)?.reader();
        let tbs = outer.expect(SEQUENCE)?;
        let algorithm = Algorithm::read(&mut outer)?;
        let signature = der::whole_bytes(&mut outer)?.to_vec();
        let mut body = tbs.reader();
        body.optional(INTEGER)?;
        Algorithm::read(&mut body)?;
        let issuer = Name::read(&mut body)?;
        let this_update = der::instant(&mut body)?;
        let has_next = [UTC_TIME, GENERALIZED_TIME]
            .iter()
            .any(|tag| body.clone().optional(*tag).is_ok_and(|found| found.is_some()));
        let next_update = if has_next { Some(der::instant(&mut body)?) } else { None };
        let mut revoked = Vec::new();
        if let Some(list) = body.optional(SEQUENCE)? {
            let mut entries = list.reader();
            while let Some(entry) = entries.next_element()? {
                if revoked.len() == MOST {
                    return Err(der::malformed(&list));
                }
                revoked.push(entry.reader().expect(INTEGER)?.value.to_vec());
            }
        }
        let tbs = tbs.bytes.to_vec();
        Ok(Self { issuer, this_update, next_update, revoked, tbs, algorithm, signature })
    }

    /// Whether `issuer`, by that name, signed the list.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let verify = || {
            let algorithm = SignatureAlgorithm::new(&self.algorithm, None)?;
            issuer.public_key()?.verify(&algorithm, &self.tbs, &self.signature)
        };
        self.issuer.is_like(&issuer.subject) && verify().unwrap_or(false)
    }

    /// Whether the list is out of date at `at`.
    #[must_use]
    pub fn is_stale(&self, at: OffsetDateTime) -> bool {
        self.next_update.is_some_and(|next| next < at)
    }

    /// Whether a serial number is on the list.
    #[must_use]
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.iter().any(|revoked| revoked == serial)
    }
}
