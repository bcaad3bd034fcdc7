//! CMS SignedData as EF.SOD and master lists use it (RFC 5652 §5). Parsed leniently; signed bytes
//! are kept as they came.
//!
//! What differs from the standard and is taken all the same, since real documents have it, is told
//! by [`SignerInfo::oddities`]; unsigned attributes are never read.

use time::OffsetDateTime;

use crate::{
    ber,
    crypto::{
        CryptoError, Hash,
        public_key::{KeyError, PublicKey, SignatureAlgorithm},
    },
    der::{
        self, Algorithm, CONTEXT_0, CONTEXT_0_PRIMITIVE, CONTEXT_1, INTEGER, Id, OCTET_STRING, Oid,
        SEQUENCE, SET,
    },
    tlv::{self, Reader, Tlv, TlvError, TlvErrorKind},
    trust::certificate::{Certificate, Name},
};

const SIGNED_DATA: Id = Id::new("1.2.840.113549.1.7.2");
const CONTENT_TYPE: Id = Id::new("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: Id = Id::new("1.2.840.113549.1.9.4");
const SIGNING_TIME: Id = Id::new("1.2.840.113549.1.9.5");

/// `SignedData` with its first signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedData {
    /// Type of the content.
    pub content_type: Oid,
    /// The content, as signed.
    pub content: Vec<u8>,
    /// The certificates sent along, DER; unparsed.
    pub certificates: Vec<Vec<u8>>,
    /// The signers; a document has one.
    pub signers: Vec<SignerInfo>,
}

/// `SignerInfo` (RFC 5652 §5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerInfo {
    /// Which certificate signed.
    pub identifier: SignerIdentifier,
    /// Hash of the content.
    pub(crate) digest: Algorithm,
    /// Signature algorithm.
    pub(crate) algorithm: Algorithm,
    /// The signature.
    pub signature: Vec<u8>,
    /// `CMSVersion`.
    version: u8,
    /// Whether there are attributes that nobody signed.
    has_unsigned_attributes: bool,
    /// The content of the signed attributes' SET, if there are any.
    signed_attributes: Option<Vec<u8>>,
}

/// How the signer's certificate is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial(Name, Vec<u8>),
    /// By subject key identifier.
    KeyIdentifier(Vec<u8>),
}

impl SignerIdentifier {
    /// Whether `certificate` is the one named.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                der::minimal(certificate.serial()) == der::minimal(serial)
                    && certificate.issuer.is_like(issuer)
            }
            Self::KeyIdentifier(id) => certificate.subject_key_id() == Some(id),
        }
    }

    /// Whether `certificate` is not the one named and could yet be meant: the issuer's name differs,
    /// or it has no key identifier. Nobody signed the identifier; the signature decides.
    fn resembles(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                der::minimal(certificate.serial()) == der::minimal(serial)
                    && !certificate.issuer.is_like(issuer)
            }
            Self::KeyIdentifier(_) => certificate.subject_key_id().is_none(),
        }
    }
}

/// The signed attributes that count (RFC 5652 §11).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignedAttributes {
    /// Digest of the content.
    pub message_digest: Option<Vec<u8>>,
    /// Type of the content.
    pub content_type: Option<Oid>,
    /// When the signer says that it signed.
    pub signing_time: Option<OffsetDateTime>,
}

impl SignedData {
    /// Parses a `ContentInfo` of signed data, in DER or, as some states write it, in BER.
    ///
    /// # Errors
    /// [`TlvError`] at the first element that is not as RFC 5652 has it.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlvError> {
        match Self::parse_definite(bytes) {
            Err(error) if error.kind == TlvErrorKind::Length => {
                Self::parse_definite(&ber::to_definite(bytes)?)
            }
            result => result,
        }
    }

    fn parse_definite(bytes: &[u8]) -> Result<Self, TlvError> {
        // Bytes after it are tolerated: some files are longer than their content.
        let mut outer = Reader::new(bytes).expect(SEQUENCE)?.reader();
        let kind = outer.expect(der::OBJECT_ID)?;
        if !Oid::new(kind.value).is(SIGNED_DATA) {
            return Err(der::malformed(&kind));
        }
        let mut data = outer.expect(CONTEXT_0)?.reader().expect(SEQUENCE)?.reader();
        version(&mut data)?;
        let digests = digests(&data.expect(SET)?)?;
        let mut encapsulated = data.expect(SEQUENCE)?.reader();
        let content_type = der::oid(&mut encapsulated)?;
        let content = der::octets(&mut encapsulated.expect(CONTEXT_0)?.reader())?;
        let certificates = elements(data.optional(CONTEXT_0)?)?;
        let certificates = certificates.into_iter().map(<[u8]>::to_vec).collect();
        data.optional(CONTEXT_1)?;
        let signers = elements(Some(data.expect(SET)?))?;
        let signers = signers
            .iter()
            .map(|bytes| SignerInfo::parse(bytes, &digests))
            .collect::<Result<_, _>>()?;
        Ok(Self { content_type, content, certificates, signers })
    }

    /// The certificates sent along that `signer` names: one, but hostile messages have several.
    pub fn certificates_of<'a>(
        &'a self,
        signer: &'a SignerInfo,
    ) -> impl Iterator<Item = Certificate> + 'a {
        self.parsed().filter(|certificate| signer.identifier.names(certificate))
    }

    /// The certificates sent along that `signer` does not name and could yet mean.
    pub(crate) fn certificates_resembling<'a>(
        &'a self,
        signer: &'a SignerInfo,
    ) -> impl Iterator<Item = Certificate> + 'a {
        self.parsed().filter(|certificate| signer.identifier.resembles(certificate))
    }

    fn parsed(&self) -> impl Iterator<Item = Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::parse(der).ok())
    }

    /// The first certificate sent along that `signer` names.
    #[must_use]
    pub fn certificate_of(&self, signer: &SignerInfo) -> Option<Certificate> {
        self.certificates_of(signer).next()
    }
}

/// `CMSVersion` of SignedData and SignerInfo (RFC 5652 §5.1, §5.3): 1 or 3. Which of them is not
/// compared with the contents, since signers get it wrong.
fn version(reader: &mut Reader<'_>) -> Result<u8, TlvError> {
    let tlv = reader.expect(INTEGER)?;
    match tlv.value {
        [version @ (1 | 3)] => Ok(*version),
        _ => Err(der::malformed(&tlv)),
    }
}

/// The hashes announced before the content.
fn digests(set: &Tlv<'_>) -> Result<Vec<Algorithm>, TlvError> {
    let mut reader = set.reader();
    let mut out = Vec::new();
    while !reader.is_empty() {
        out.push(Algorithm::read(&mut reader)?);
    }
    Ok(out)
}

/// The most certificates, or revocation lists, that a message carries along.
const MOST_ELEMENTS: usize = 16;

/// The bytes of each element in a constructed one.
fn elements(outer: Option<Tlv<'_>>) -> Result<Vec<&[u8]>, TlvError> {
    let mut out = Vec::new();
    let Some(outer) = outer else { return Ok(out) };
    let mut reader = outer.reader();
    while let Some(element) = reader.next_element()? {
        if out.len() == MOST_ELEMENTS {
            return Err(der::malformed(&outer));
        }
        out.push(element.bytes);
    }
    Ok(out)
}

impl SignerInfo {
    /// `announced` are the hashes of SignedData, among which the signer's own must be, if there
    /// are any.
    fn parse(bytes: &[u8], announced: &[Algorithm]) -> Result<Self, TlvError> {
        let whole = tlv::single(bytes, SEQUENCE)?;
        let mut reader = whole.reader();
        let version = version(&mut reader)?;
        let identifier = match reader.optional(CONTEXT_0_PRIMITIVE)? {
            Some(id) => SignerIdentifier::KeyIdentifier(id.value.to_vec()),
            None => {
                let mut pair = reader.expect(SEQUENCE)?.reader();
                let issuer = Name::read(&mut pair)?;
                SignerIdentifier::IssuerAndSerial(issuer, pair.expect(INTEGER)?.value.to_vec())
            }
        };
        let digest = Algorithm::read(&mut reader)?;
        let same = |known: &Algorithm| known.oid == digest.oid && known.is_bare();
        if !announced.is_empty() && !announced.iter().any(same) {
            return Err(der::malformed(&whole));
        }
        let signed_attributes = reader.optional(CONTEXT_0)?.map(|set| set.value.to_vec());
        let algorithm = Algorithm::read(&mut reader)?;
        let signature = reader.expect(OCTET_STRING)?.value.to_vec();
        let has_unsigned_attributes = reader.optional(CONTEXT_1)?.is_some();
        Ok(Self {
            identifier,
            digest,
            algorithm,
            signature,
            version,
            has_unsigned_attributes,
            signed_attributes,
        })
    }

    /// What differs from RFC 5652 and does not count.
    #[must_use]
    pub fn oddities(&self) -> Vec<Oddity> {
        let by_issuer = matches!(self.identifier, SignerIdentifier::IssuerAndSerial(..));
        let of_signature = self.signature_algorithm().map(|algorithm| algorithm.hash());
        let differ = self.hash().ok().zip(of_signature.ok()).is_some_and(|(one, two)| one != two);
        let sorted = self.signed_attributes.as_ref().map(|set| der_order(set).as_ref() == Ok(set));
        let found = [
            ((self.version == 1) != by_issuer, Oddity::SignerInfoVersion),
            (differ, Oddity::HashesDiffer),
            (sorted == Some(false), Oddity::AttributesNotSorted),
            (self.has_unsigned_attributes, Oddity::UnsignedAttributes),
        ];
        found.into_iter().filter_map(|(found, oddity)| found.then_some(oddity)).collect()
    }

    /// The hash of the content.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] if it is not known.
    pub fn hash(&self) -> Result<Hash, KeyError> {
        Hash::from_algorithm(&self.digest)
            .ok_or_else(|| KeyError::Unsupported { oid: self.digest.oid.clone() })
    }

    /// The signature algorithm that the signer names.
    ///
    /// # Errors
    /// [`KeyError`] if it or its parameters are not known.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, KeyError> {
        SignatureAlgorithm::new(&self.algorithm, self.hash().ok())
    }

    /// The attributes, if any are signed.
    ///
    /// # Errors
    /// [`TlvError`] if they are malformed.
    pub fn attributes(&self) -> Result<Option<SignedAttributes>, TlvError> {
        self.signed_attributes.as_deref().map(SignedAttributes::parse).transpose()
    }

    /// Whether the signature over the signed attributes, as the DER SET OF that they must be
    /// (RFC 5652 §5.4), or without any over `content` itself, verifies under `key`.
    ///
    /// # Errors
    /// [`KeyError`] if algorithm or key cannot be used.
    pub fn verify(&self, content: &[u8], key: &PublicKey) -> Result<bool, KeyError> {
        let algorithm = self.signature_algorithm()?;
        let Some(attributes) = &self.signed_attributes else {
            return key.verify(&algorithm, content, &self.signature);
        };
        let sorted = der_order(attributes)?;
        let verify = |set: &[u8]| key.verify(&algorithm, &tlv::encode(SET, set), &self.signature);
        if verify(&sorted)? {
            return Ok(true);
        }
        // Some signers signed the attributes in the order in which they wrote them.
        Ok(sorted != *attributes && verify(attributes)?)
    }
}

/// What real messages have that RFC 5652 does not allow or nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// Version 1 goes with issuer and serial number, 3 with a key identifier (RFC 5652 §5.3).
    SignerInfoVersion,
    /// The content is hashed with another function than the attributes. Which function hashed the
    /// content nobody signed, but each accepted one has a digest of its own length.
    HashesDiffer,
    /// The signed attributes stand in another order than that of a DER SET OF.
    AttributesNotSorted,
    /// Attributes that nobody signed; they are not read.
    UnsignedAttributes,
}

/// The elements of a SET OF in ascending order of their encodings (ITU-T X.690 §11.6).
fn der_order(set: &[u8]) -> Result<Vec<u8>, TlvError> {
    let mut reader = Reader::new(set);
    let mut parts = Vec::new();
    while let Some(element) = reader.next_element()? {
        parts.push(element.bytes);
    }
    parts.sort_unstable();
    Ok(parts.concat())
}

impl SignedAttributes {
    /// Each attribute stands once and has one value (RFC 5652 §11).
    fn parse(set: &[u8]) -> Result<Self, TlvError> {
        let mut out = Self::default();
        let mut reader = Reader::new(set);
        let mut has_time = false;
        while !reader.is_empty() {
            let whole = reader.expect(SEQUENCE)?;
            let mut attribute = whole.reader();
            let kind = der::oid(&mut attribute)?;
            let mut values = attribute.expect(SET)?.reader();
            let twice = match () {
                () if kind.is(MESSAGE_DIGEST) => {
                    out.message_digest.replace(der::octets(&mut values)?).is_some()
                }
                () if kind.is(CONTENT_TYPE) => {
                    out.content_type.replace(der::oid(&mut values)?).is_some()
                }
                () if kind.is(SIGNING_TIME) => {
                    out.signing_time = der::instant(&mut values).ok();
                    std::mem::replace(&mut has_time, true)
                }
                () => continue,
            };
            if twice || !values.is_empty() {
                return Err(der::malformed(&whole));
            }
        }
        Ok(out)
    }
}

/// Whether `digest` is the hash of `content`.
pub(crate) fn digest_matches(
    hash: Hash,
    content: &[u8],
    digest: &[u8],
) -> Result<bool, CryptoError> {
    Ok(hash.digest(content)? == digest)
}
