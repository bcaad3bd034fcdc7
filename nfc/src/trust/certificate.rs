//! X.509 certificates of issuers and document signers (RFC 5280 §4; ICAO 9303-12 §7), read
//! leniently: of the real ones many break strict parsers, and none of that may abort an import.
//!
//! A certificate here is only parsed. Nobody has verified it.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use time::OffsetDateTime;

pub use super::name::Name;
use crate::{
    crypto::public_key::{KeyError, PublicKey, SignatureAlgorithm},
    der::{
        self, Algorithm, BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_0_PRIMITIVE, CONTEXT_3, INTEGER,
        Id, OBJECT_ID, OCTET_STRING, Oid, SEQUENCE, SET,
    },
    tlv::{self, Reader, Tag, Tlv, TlvError},
};

const SUBJECT_KEY_ID: Id = Id::new("2.5.29.14");
const KEY_USAGE: Id = Id::new("2.5.29.15");
const PRIVATE_KEY_USAGE: Id = Id::new("2.5.29.16");
const BASIC_CONSTRAINTS: Id = Id::new("2.5.29.19");
const AUTHORITY_KEY_ID: Id = Id::new("2.5.29.35");
const EXTENDED_KEY_USAGE: Id = Id::new("2.5.29.37");
/// `id-icao-mrtd-security-extensions-documentTypeList` (ICAO 9303-12 §7.1.1.6).
const DOCUMENT_TYPES: Id = Id::new("2.23.136.1.1.6.2");

/// The most extensions that are read.
const MOST_EXTENSIONS: usize = 64;

/// Key usage: signatures over data (RFC 5280 §4.2.1.3).
pub const DIGITAL_SIGNATURE: u8 = 0x80;
/// Key usage: signatures over certificates.
pub const CERTIFICATE_SIGN: u8 = 0x04;
/// Key usage: signatures over revocation lists.
pub const REVOCATION_SIGN: u8 = 0x02;

/// A certificate: what passive authentication and the trust store need of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate; most other fields say where they stand in it.
    pub der: Vec<u8>,
    /// The version as people count it: 3 for any with extensions.
    pub version: u32,
    serial: Range<usize>,
    /// Issuer.
    pub issuer: Name,
    /// Subject.
    pub subject: Name,
    /// Start of validity.
    pub not_before: OffsetDateTime,
    /// End of validity.
    pub not_after: OffsetDateTime,
    spki: Range<usize>,
    subject_key_id: Option<Range<usize>>,
    authority_key_id: Option<Range<usize>>,
    /// Basic constraints: whether it is an authority, and its path length.
    pub authority: Option<(bool, Option<u32>)>,
    /// The first byte of key usage: [`DIGITAL_SIGNATURE`] and so on.
    pub key_usage: Option<u8>,
    /// Purposes, and whether they are critical.
    pub extended_key_usage: Option<(bool, Vec<Oid>)>,
    /// Private key usage period.
    pub key_usage_period: Option<KeyUsagePeriod>,
    /// The document codes that it may sign for.
    pub document_types: Option<Vec<String>>,
    /// Which extensions are critical.
    pub critical: Vec<Oid>,
    /// Extensions that are known and could not be read; they count as absent.
    pub unreadable: Vec<Oid>,
    /// The signed part.
    tbs: Range<usize>,
    algorithm: Algorithm,
    signature: Range<usize>,
    key: ParsedKey,
}

/// The public key, once it was asked for: it follows from the certificate.
#[derive(Clone, Default)]
struct ParsedKey(OnceLock<Arc<PublicKey>>);

impl PartialEq for ParsedKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ParsedKey {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, hex::encode(self.serial()))
    }
}

impl Certificate {
    /// Parses a DER certificate. Extensions that cannot be read are taken as absent.
    ///
    /// # Errors
    /// [`TlvError`] if the certificate or a field that must be there is malformed.
    pub fn parse(der: &[u8]) -> Result<Self, TlvError> {
        let outer = Reader::new(der).expect(SEQUENCE)?;
        let mut fields = outer.reader();
        let tbs = fields.expect(SEQUENCE)?;
        let algorithm = Algorithm::read(&mut fields)?;
        let signature = fields.expect(BIT_STRING)?;
        let signature_length = der::bytes_of(&signature)?.len();
        let mut body = tbs.reader();
        let version = version(&mut body)?;
        let serial = place(&body.expect(INTEGER)?);
        if Algorithm::read(&mut body)? != algorithm {
            // RFC 5280 §4.1.1.2: the signed and the unsigned name of the algorithm are the same.
            return Err(der::malformed(&tbs));
        }
        let issuer = Name::read(&mut body)?;
        let mut validity = body.expect(SEQUENCE)?.reader();
        let (not_before, not_after) = (der::instant(&mut validity)?, der::instant(&mut validity)?);
        let subject = Name::read(&mut body)?;
        let spki = whole_place(&body.expect(SEQUENCE)?);
        let mut certificate = Self {
            der: outer.bytes.to_vec(),
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            subject_key_id: None,
            authority_key_id: None,
            authority: None,
            key_usage: None,
            extended_key_usage: None,
            key_usage_period: None,
            document_types: None,
            critical: Vec::new(),
            unreadable: Vec::new(),
            tbs: whole_place(&tbs),
            algorithm,
            signature: last(&signature, signature_length),
            key: ParsedKey::default(),
        };
        certificate.read_extensions(body);
        Ok(certificate)
    }

    fn part(&self, place: &Range<usize>) -> &[u8] {
        self.der.get(place.clone()).unwrap_or_default()
    }

    /// Serial number, content bytes of the INTEGER.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.part(&self.serial)
    }

    /// SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        self.part(&self.spki)
    }

    /// Subject key identifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.as_ref().map(|place| self.part(place))
    }

    /// Authority key identifier.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.as_ref().map(|place| self.part(place))
    }

    /// Extensions stand in `[3]`, after optional unique identifiers; what follows is ignored.
    fn read_extensions(&mut self, mut body: Reader<'_>) {
        while let Ok(Some(element)) = body.next_element() {
            if element.tag != CONTEXT_3 {
                continue;
            }
            let Ok(list) = element.reader().expect(SEQUENCE) else { return };
            let mut list = list.reader();
            for _ in 0..MOST_EXTENSIONS {
                let Ok(extension) = list.expect(SEQUENCE) else { return };
                let mut fields = extension.reader();
                let Ok(oid) = der::oid(&mut fields) else { continue };
                if self.read_extension(&oid, fields).is_err() {
                    self.unreadable.push(oid);
                }
            }
            return;
        }
    }

    fn read_extension(&mut self, oid: &Oid, mut fields: Reader<'_>) -> Result<(), TlvError> {
        let critical = fields.optional(BOOLEAN)?.is_some_and(|b| b.value != [0]);
        if critical {
            self.critical.push(oid.clone());
        }
        let value = fields.expect(OCTET_STRING)?;
        let mut value = value.reader();
        let Some((_, known)) = EXTENSIONS.iter().find(|(known, _)| oid.is(*known)) else {
            return Ok(());
        };
        match known {
            Known::SubjectKeyId => {
                self.subject_key_id = Some(place(&value.expect(OCTET_STRING)?));
            }
            Known::AuthorityKeyId => {
                let mut fields = value.expect(SEQUENCE)?.reader();
                let id = fields.optional(CONTEXT_0_PRIMITIVE)?;
                self.authority_key_id = id.map(|id| place(&id));
            }
            Known::KeyUsage => {
                // A BIT STRING of no bits allows nothing.
                let bits = value.expect(BIT_STRING)?.value;
                self.key_usage = Some(bits.get(1).copied().unwrap_or(0));
            }
            Known::BasicConstraints => self.authority = Some(constraints(&mut value)?),
            Known::ExtendedKeyUsage => {
                self.extended_key_usage = Some((critical, purposes(&mut value)?));
            }
            Known::PrivateKeyUsage => {
                self.key_usage_period = Some(period(value.expect(SEQUENCE)?.reader())?);
            }
            Known::DocumentTypes => self.document_types = Some(document_types(&mut value)?),
        }
        Ok(())
    }

    /// Whether the extension is critical.
    #[must_use]
    pub fn is_critical(&self, known: impl Into<Id>) -> bool {
        let known = known.into();
        self.critical.iter().any(|oid| oid.is(known))
    }

    /// Whether key usage is marked critical, as it must be (ICAO 9303-12 §7.1, table 3).
    #[must_use]
    pub fn is_key_usage_critical(&self) -> bool {
        self.is_critical(KEY_USAGE)
    }

    /// Critical extensions that nobody here understands.
    pub fn unknown_critical(&self) -> impl Iterator<Item = &Oid> {
        self.critical.iter().filter(|oid| !EXTENSIONS.iter().any(|(known, _)| oid.is(*known)))
    }

    /// The public key.
    ///
    /// # Errors
    /// [`KeyError`] if it is of no known kind.
    pub fn public_key(&self) -> Result<Arc<PublicKey>, KeyError> {
        if let Some(key) = self.key.0.get() {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(PublicKey::parse(self.spki())?);
        Ok(Arc::clone(self.key.0.get_or_init(|| key)))
    }

    /// The algorithm that the certificate is signed with.
    ///
    /// # Errors
    /// [`KeyError`] if it is not known.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, KeyError> {
        SignatureAlgorithm::new(&self.algorithm, None)
    }

    /// Whether `issuer`'s key made this certificate's signature. Names are not looked at.
    ///
    /// # Errors
    /// [`KeyError`] if the key or algorithm cannot be used.
    pub fn is_signed_by(&self, issuer: &Self) -> Result<bool, KeyError> {
        self.is_signed_with(issuer.public_key()?.as_ref())
    }

    /// Whether `key` made this certificate's signature.
    ///
    /// # Errors
    /// [`KeyError`] if the key or algorithm cannot be used.
    pub fn is_signed_with(&self, key: &PublicKey) -> Result<bool, KeyError> {
        let [signed, signature] = [&self.tbs, &self.signature].map(|place| self.part(place));
        key.verify(&self.signature_algorithm()?, signed, signature)
    }

    /// Whether issuer and subject are the same (a root or a link certificate).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer.is_like(&self.subject)
    }

    /// Whether it is signed with its own key.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.is_signed_by(self).unwrap_or(false)
    }

    /// Whether `at` lies in its validity.
    #[must_use]
    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        (self.not_before..=self.not_after).contains(&at)
    }

    /// Whether it says of itself that it signs documents, not certificates. Only where the two are
    /// mixed does it matter: what lies among the document signers of a directory is one.
    #[must_use]
    pub fn is_document_signer(&self) -> bool {
        let usage = self.key_usage.unwrap_or(DIGITAL_SIGNATURE);
        usage & DIGITAL_SIGNATURE != 0 && !self.may_issue() && !self.is_self_issued()
    }

    /// Whether basic constraints or key usage say that it issues certificates; real issuers lack
    /// one or the other.
    #[must_use]
    pub fn may_issue(&self) -> bool {
        self.authority.is_some_and(|(is_ca, _)| is_ca)
            || self.key_usage.is_some_and(|usage| usage & CERTIFICATE_SIGN != 0)
    }

    /// The subject's country, else the issuer's, in upper case.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        self.subject.country().or_else(|| self.issuer.country())
    }
}

/// Where the value of an element stands.
fn place(tlv: &Tlv<'_>) -> Range<usize> {
    last(tlv, tlv.value.len())
}

/// Where a whole element stands.
fn whole_place(tlv: &Tlv<'_>) -> Range<usize> {
    last(tlv, tlv.bytes.len())
}

/// Where the last `length` bytes of an element stand.
fn last(tlv: &Tlv<'_>, length: usize) -> Range<usize> {
    let end = tlv.value_offset.saturating_add(tlv.value.len());
    end.saturating_sub(length)..end
}

/// Extensions that are understood.
#[derive(Debug, Clone, Copy)]
enum Known {
    SubjectKeyId,
    AuthorityKeyId,
    KeyUsage,
    BasicConstraints,
    ExtendedKeyUsage,
    PrivateKeyUsage,
    DocumentTypes,
}

static EXTENSIONS: [(Id, Known); 7] = [
    (SUBJECT_KEY_ID, Known::SubjectKeyId),
    (AUTHORITY_KEY_ID, Known::AuthorityKeyId),
    (KEY_USAGE, Known::KeyUsage),
    (BASIC_CONSTRAINTS, Known::BasicConstraints),
    (EXTENDED_KEY_USAGE, Known::ExtendedKeyUsage),
    (PRIVATE_KEY_USAGE, Known::PrivateKeyUsage),
    (DOCUMENT_TYPES, Known::DocumentTypes),
];

/// `[0] EXPLICIT Version DEFAULT v1`, v1 being 0 (RFC 5280 §4.1.2.1).
fn version(body: &mut Reader<'_>) -> Result<u32, TlvError> {
    let Some(outer) = body.optional(CONTEXT_0)? else { return Ok(1) };
    Ok(der::small_integer(&mut outer.reader())?.saturating_add(1))
}

/// `BasicConstraints ::= SEQUENCE { cA DEFAULT FALSE, pathLenConstraint OPTIONAL }`.
fn constraints(value: &mut Reader<'_>) -> Result<(bool, Option<u32>), TlvError> {
    let mut fields = value.expect(SEQUENCE)?.reader();
    let is_ca = fields.optional(BOOLEAN)?.is_some_and(|b| b.value != [0]);
    Ok((is_ca, fields.optional(INTEGER)?.and_then(|i| der::unsigned(i.value))))
}

/// `ExtKeyUsageSyntax ::= SEQUENCE OF KeyPurposeId`.
fn purposes(value: &mut Reader<'_>) -> Result<Vec<Oid>, TlvError> {
    let mut list = value.expect(SEQUENCE)?.reader();
    let mut oids = Vec::new();
    while let Some(purpose) = list.optional(OBJECT_ID)? {
        oids.push(Oid::new(purpose.value));
    }
    Ok(oids)
}

/// `DocumentTypeListSyntax ::= SEQUENCE { version, docTypeList SET OF PrintableString }`
/// (ICAO 9303-12 §7.1.1.6).
fn document_types(value: &mut Reader<'_>) -> Result<Vec<String>, TlvError> {
    let mut fields = value.expect(SEQUENCE)?.reader();
    fields.expect(INTEGER)?;
    let mut list = fields.expect(SET)?.reader();
    let mut types = Vec::new();
    while let Some(code) = list.next_element()? {
        types.push(String::from_utf8_lossy(code.value).into_owned());
    }
    Ok(types)
}

/// When the private key may be used; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsagePeriod {
    /// From when.
    pub not_before: Option<OffsetDateTime>,
    /// Until when.
    pub not_after: Option<OffsetDateTime>,
}

impl KeyUsagePeriod {
    /// Whether `at` lies in the period.
    #[must_use]
    pub fn contains(self, at: OffsetDateTime) -> bool {
        self.not_before.is_none_or(|start| start <= at)
            && self.not_after.is_none_or(|end| at <= end)
    }
}

/// `PrivateKeyUsagePeriod ::= SEQUENCE { notBefore [0], notAfter [1] }` of GeneralizedTime.
fn period(mut fields: Reader<'_>) -> Result<KeyUsagePeriod, TlvError> {
    let mut end = |tag| -> Result<Option<OffsetDateTime>, TlvError> {
        let Some(field) = fields.optional(tag)? else { return Ok(None) };
        der::instant(&mut Reader::new(&tlv::encode(der::GENERALIZED_TIME, field.value))).map(Some)
    };
    Ok(KeyUsagePeriod { not_before: end(Tag(0x80))?, not_after: end(Tag(0x81))? })
}
