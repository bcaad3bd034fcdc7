//! X.509 certificates of issuers and document signers (RFC 5280 §4; ICAO 9303-12 §7), read
//! leniently: of the real ones many break strict parsers, and none of that may abort an import.
//!
//! A certificate here is only parsed. Nobody has verified it.

use time::OffsetDateTime;

use crate::{
    crypto::public_key::{KeyError, PublicKey, SignatureAlgorithm},
    der::{
        self, Algorithm, BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_0_PRIMITIVE, CONTEXT_3, INTEGER,
        OBJECT_ID, OCTET_STRING, Oid, SEQUENCE, SET,
    },
    tlv::{self, Reader, Tag, TlvError},
};

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const PRIVATE_KEY_USAGE: &str = "2.5.29.16";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// The most extensions that are read.
const MOST_EXTENSIONS: usize = 64;

/// A certificate: what passive authentication and the trust store need of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate.
    pub der: Vec<u8>,
    /// Serial number, content bytes of the INTEGER.
    pub serial: Vec<u8>,
    /// Issuer.
    pub issuer: Name,
    /// Subject.
    pub subject: Name,
    /// Start of validity.
    pub not_before: OffsetDateTime,
    /// End of validity.
    pub not_after: OffsetDateTime,
    /// SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Subject key identifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// Authority key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// Basic constraints: whether it is an authority, and its path length.
    pub authority: Option<(bool, Option<u32>)>,
    /// The first byte of key usage: `80` digital signature, `04` certificates, `02` CRLs.
    pub key_usage: Option<u8>,
    /// Purposes, and whether they are critical.
    pub extended_key_usage: Option<(bool, Vec<Oid>)>,
    /// Private key usage period.
    pub key_usage_period: Option<KeyUsagePeriod>,
    tbs: Vec<u8>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, hex::encode(&self.serial))
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
        let signature = der::whole_bytes(&mut fields)?.to_vec();
        let mut body = tbs.reader();
        body.optional(CONTEXT_0)?;
        let serial = body.expect(INTEGER)?.value.to_vec();
        if Algorithm::read(&mut body)? != algorithm {
            // RFC 5280 §4.1.1.2: the signed and the unsigned name of the algorithm are the same.
            return Err(der::malformed(&tbs));
        }
        let issuer = Name::read(&mut body)?;
        let mut validity = body.expect(SEQUENCE)?.reader();
        let (not_before, not_after) = (der::instant(&mut validity)?, der::instant(&mut validity)?);
        let subject = Name::read(&mut body)?;
        let spki = body.expect(SEQUENCE)?.bytes.to_vec();
        let mut certificate = Self {
            der: outer.bytes.to_vec(),
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
            tbs: tbs.bytes.to_vec(),
            algorithm,
            signature,
        };
        certificate.read_extensions(body);
        Ok(certificate)
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
                if self.read_extension(extension.reader()).is_err() {
                    continue;
                }
            }
            return;
        }
    }

    fn read_extension(&mut self, mut extension: Reader<'_>) -> Result<(), TlvError> {
        let oid = der::oid(&mut extension)?.to_string();
        let critical = extension.optional(BOOLEAN)?.is_some_and(|b| b.value != [0]);
        let value = extension.expect(OCTET_STRING)?;
        let mut reader = value.reader();
        match oid.as_str() {
            SUBJECT_KEY_ID => {
                self.subject_key_id = Some(reader.expect(OCTET_STRING)?.value.to_vec());
            }
            AUTHORITY_KEY_ID => {
                let mut fields = reader.expect(SEQUENCE)?.reader();
                let id = fields.optional(CONTEXT_0_PRIMITIVE)?;
                self.authority_key_id = id.map(|id| id.value.to_vec());
            }
            KEY_USAGE => {
                self.key_usage = reader.expect(BIT_STRING)?.value.get(1).copied();
            }
            BASIC_CONSTRAINTS => {
                let mut fields = reader.expect(SEQUENCE)?.reader();
                let is_ca = fields.optional(BOOLEAN)?.is_some_and(|b| b.value != [0]);
                let length = fields.optional(INTEGER)?.and_then(|i| der::unsigned(i.value));
                self.authority = Some((is_ca, length));
            }
            EXTENDED_KEY_USAGE => {
                let mut purposes = reader.expect(SEQUENCE)?.reader();
                let mut oids = Vec::new();
                while let Some(purpose) = purposes.optional(OBJECT_ID)? {
                    oids.push(Oid::new(purpose.value));
                }
                self.extended_key_usage = Some((critical, oids));
            }
            PRIVATE_KEY_USAGE => {
                self.key_usage_period = Some(period(reader.expect(SEQUENCE)?.reader())?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The public key.
    ///
    /// # Errors
    /// [`KeyError`] if it is of no known kind.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::parse(&self.spki)
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
        issuer.public_key()?.verify(&self.signature_algorithm()?, &self.tbs, &self.signature)
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

    /// The subject's country, else the issuer's, in upper case.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        self.subject.country().or_else(|| self.issuer.country())
    }
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

/// A distinguished name: its bytes, and its attributes as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// DER.
    pub der: Vec<u8>,
    attributes: Vec<(Oid, String)>,
}

const COUNTRY: &str = "2.5.4.6";

/// The most attributes of a name; real ones have up to ten.
const MOST_ATTRIBUTES: usize = 64;

impl Name {
    /// Reads `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }`.
    ///
    /// # Errors
    /// [`TlvError`] if it is malformed.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, TlvError> {
        let whole = reader.expect(SEQUENCE)?;
        let mut sets = whole.reader();
        let mut attributes = Vec::new();
        while !sets.is_empty() {
            let mut set = sets.expect(SET)?.reader();
            while !set.is_empty() {
                if attributes.len() == MOST_ATTRIBUTES {
                    return Err(der::malformed(&whole));
                }
                let mut attribute = set.expect(SEQUENCE)?.reader();
                let oid = der::oid(&mut attribute)?;
                let value = attribute.next_element()?;
                attributes.push((oid, value.map(|v| text(v.tag, v.value)).unwrap_or_default()));
            }
        }
        Ok(Self { der: whole.bytes.to_vec(), attributes })
    }

    /// Whether two names are the same but for string type, case, space and order: issuers and
    /// subjects that belong together differ so in real documents.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.der == other.der || self.normal() == other.normal()
    }

    fn normal(&self) -> Vec<(&Oid, String)> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut parts: Vec<_> =
            self.attributes.iter().map(|(o, text)| (o, words(text).to_lowercase())).collect();
        parts.sort();
        parts
    }

    /// The country, in upper case.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let found = self.attributes.iter().find(|(oid, _)| oid.is(COUNTRY))?;
        Some(found.1.trim().to_uppercase())
    }
}

/// Text of a directory string: BMPString is UTF-16, the rest are ASCII supersets. Anything else is
/// no text, and equals nothing that is.
fn text(tag: Tag, value: &[u8]) -> String {
    if !STRINGS.contains(&tag) {
        return format!("{tag}#{}", hex::encode(value));
    }
    if tag == BMP_STRING {
        let units = value.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
        return char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect();
    }
    String::from_utf8_lossy(value).into_owned()
}

const BMP_STRING: Tag = Tag(0x1E);
/// UTF8String, PrintableString, TeletexString, IA5String, BMPString.
const STRINGS: [Tag; 5] = [Tag(0x0C), Tag(0x13), Tag(0x14), Tag(0x16), BMP_STRING];

/// `C=DK, O=…, CN=…` in the order of the name.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (oid, value)) in self.attributes.iter().enumerate() {
            let dotted = oid.to_string();
            let key = match dotted.as_str() {
                "2.5.4.3" => "CN",
                "2.5.4.5" => "serialNumber",
                COUNTRY => "C",
                "2.5.4.7" => "L",
                "2.5.4.8" => "ST",
                "2.5.4.10" => "O",
                "2.5.4.11" => "OU",
                other => other,
            };
            write!(f, "{}{key}={value}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
