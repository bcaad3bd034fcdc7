//! Certificates, revocation lists and EF.SOD made for a test, each right but for what the test
//! changes. Written over OpenSSL and plain TLV, apart from what it tests.

#![expect(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use nfc::{
    check::{Outcome, Reason},
    passive::Report,
    tlv::{Tag, encode},
};
use openssl::{
    asn1::Asn1Object,
    bn::BigNum,
    dsa::Dsa,
    ec::{Asn1Flag, EcGroup, EcKey},
    ecdsa::EcdsaSig,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::{Padding, Rsa},
    sign::{RsaPssSaltlen, Signer},
};
use time::{Date, OffsetDateTime, macros::date};

pub(crate) const SEQUENCE: u32 = 0x30;
pub(crate) const SET: u32 = 0x31;
pub(crate) const INTEGER: u32 = 0x02;
pub(crate) const OCTETS: u32 = 0x04;

pub(crate) fn tlv(tag: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    encode(Tag(tag), &parts.concat())
}

pub(crate) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(SEQUENCE, parts)
}

/// In DER order.
pub(crate) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    parts.sort();
    tlv(SET, &parts)
}

pub(crate) fn bytes(tag: u32, value: &[u8]) -> Vec<u8> {
    encode(Tag(tag), value)
}

pub(crate) fn integer(value: u8) -> Vec<u8> {
    bytes(INTEGER, &[value])
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    bytes(0x06, Asn1Object::from_str(dotted).unwrap().as_slice())
}

pub(crate) fn utc(day: Date) -> Vec<u8> {
    let (year, month, date) = day.to_calendar_date();
    let text = format!("{:02}{:02}{date:02}120000Z", year % 100, u8::from(month));
    bytes(0x17, text.as_bytes())
}

pub(crate) fn generalized(day: Date) -> String {
    let (year, month, date) = day.to_calendar_date();
    format!("{year:04}{:02}{date:02}120000Z", u8::from(month))
}

pub(crate) fn noon(day: Date) -> OffsetDateTime {
    day.with_hms(12, 0, 0).unwrap().assume_utc()
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Self::Md5 => MessageDigest::md5(),
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    pub(crate) fn algorithm(self) -> Vec<u8> {
        seq(&[oid(match self {
            Self::Md5 => "1.2.840.113549.2.5",
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha224 => "2.16.840.1.101.3.4.2.4",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        })])
    }

    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
        openssl::hash::hash(self.openssl(), data).unwrap().to_vec()
    }

    /// The place of SHA-1 to SHA-512 in a row of identifiers.
    fn place(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 => 0,
            Self::Sha224 => 1,
            Self::Sha256 => 2,
            Self::Sha384 => 3,
            Self::Sha512 => 4,
        }
    }
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pkcs1(Hash),
    /// `rsaEncryption` as the algorithm of the signature: the hash is named beside it.
    Pkcs1Bare(Hash),
    /// The hash's identifier within the signature lacks its NULL.
    Pkcs1NoNull(Hash),
    /// With a salt of so many bytes.
    Pss(Hash, u8),
    Ecdsa(Hash),
    /// `ecdsa-with-Specified`.
    EcdsaSpecified(Hash),
    /// `r ‖ s` under the identifiers of the BSI.
    EcdsaPlain(Hash),
    Dsa(Hash),
}

impl Scheme {
    pub(crate) fn hash(self) -> Hash {
        match self {
            Self::Pkcs1(hash)
            | Self::Pkcs1Bare(hash)
            | Self::Pkcs1NoNull(hash)
            | Self::Pss(hash, _)
            | Self::Ecdsa(hash)
            | Self::EcdsaSpecified(hash)
            | Self::EcdsaPlain(hash)
            | Self::Dsa(hash) => hash,
        }
    }

    pub(crate) fn algorithm(self) -> Vec<u8> {
        let null = vec![5, 0];
        let pick = |names: [&str; 5]| oid(names[self.hash().place()]);
        match self {
            Self::Pkcs1(Hash::Md5) => seq(&[oid("1.2.840.113549.1.1.4"), null]),
            Self::Pkcs1Bare(_) => seq(&[oid("1.2.840.113549.1.1.1"), null]),
            Self::Pkcs1(_) | Self::Pkcs1NoNull(_) => seq(&[
                pick([
                    "1.2.840.113549.1.1.5",
                    "1.2.840.113549.1.1.14",
                    "1.2.840.113549.1.1.11",
                    "1.2.840.113549.1.1.12",
                    "1.2.840.113549.1.1.13",
                ]),
                null,
            ]),
            Self::Pss(hash, salt) => {
                let mask = seq(&[oid("1.2.840.113549.1.1.8"), hash.algorithm()]);
                let parts = [
                    tlv(0xA0, &[hash.algorithm()]),
                    tlv(0xA1, &[mask]),
                    tlv(0xA2, &[integer(salt)]),
                ];
                seq(&[oid("1.2.840.113549.1.1.10"), seq(&parts)])
            }
            Self::Ecdsa(_) => seq(&[pick([
                "1.2.840.10045.4.1",
                "1.2.840.10045.4.3.1",
                "1.2.840.10045.4.3.2",
                "1.2.840.10045.4.3.3",
                "1.2.840.10045.4.3.4",
            ])]),
            Self::EcdsaSpecified(hash) => seq(&[oid("1.2.840.10045.4.3"), hash.algorithm()]),
            Self::EcdsaPlain(_) => seq(&[pick([
                "0.4.0.127.0.7.1.1.4.1.1",
                "0.4.0.127.0.7.1.1.4.1.2",
                "0.4.0.127.0.7.1.1.4.1.3",
                "0.4.0.127.0.7.1.1.4.1.4",
                "0.4.0.127.0.7.1.1.4.1.5",
            ])]),
            Self::Dsa(_) => seq(&[pick([
                "1.2.840.10040.4.3",
                "2.16.840.1.101.3.4.3.1",
                "2.16.840.1.101.3.4.3.2",
                "2.16.840.1.101.3.4.3.3",
                "2.16.840.1.101.3.4.3.4",
            ])]),
        }
    }
}

/// A private key and how it signs.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) key: PKey<Private>,
    pub(crate) scheme: Scheme,
    /// SubjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
}

impl Key {
    fn new(key: PKey<Private>, scheme: Scheme) -> Self {
        let spki = key.public_key_to_der().unwrap();
        Self { key, scheme, spki }
    }

    pub(crate) fn rsa(bits: u32, scheme: Scheme) -> Self {
        Self::new(PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(), scheme)
    }

    pub(crate) fn ec(curve: Nid, scheme: Scheme) -> Self {
        Self::ec_of(EcGroup::from_curve_name(curve).unwrap(), Asn1Flag::NAMED_CURVE, scheme)
    }

    pub(crate) fn ec_explicit(curve: Nid, scheme: Scheme) -> Self {
        Self::ec_of(EcGroup::from_curve_name(curve).unwrap(), Asn1Flag::EXPLICIT_CURVE, scheme)
    }

    fn ec_of(mut group: EcGroup, flag: Asn1Flag, scheme: Scheme) -> Self {
        group.set_asn1_flag(flag);
        Self::new(PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(), scheme)
    }

    /// A key of the usual kind.
    pub(crate) fn usual() -> Self {
        Self::ec(Nid::X9_62_PRIME256V1, Scheme::Ecdsa(Hash::Sha256))
    }

    /// On the parameters of `dsa.toml` with a prime and an order of so many bits.
    pub(crate) fn dsa(bits: i64, order_bits: i64, scheme: Scheme) -> Self {
        let table: toml::Table = include_str!("dsa.toml").parse().unwrap();
        let all = table["parameters"].as_array().unwrap();
        let row = all.iter().find(|row| {
            row["bits"].as_integer() == Some(bits)
                && row["order_bits"].as_integer() == Some(order_bits)
        });
        let number =
            |name: &str| BigNum::from_hex_str(row.unwrap()[name].as_str().unwrap()).unwrap();
        let parameters = Dsa::from_pqg(number("p"), number("q"), number("g")).unwrap();
        Self::new(PKey::from_dsa(parameters.generate_key().unwrap()).unwrap(), scheme)
    }

    /// SHA-1 of the key's bytes.
    pub(crate) fn id(&self) -> Vec<u8> {
        Hash::Sha1.digest(&self.spki)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let hash = self.scheme.hash();
        if let Scheme::Pkcs1NoNull(_) = self.scheme {
            let info = seq(&[hash.algorithm(), bytes(OCTETS, &hash.digest(message))]);
            let rsa = self.key.rsa().unwrap();
            let mut out = vec![0; rsa.size() as usize];
            rsa.private_encrypt(&info, &mut out, Padding::PKCS1).unwrap();
            return out;
        }
        let mut signer = Signer::new(hash.openssl(), &self.key).unwrap();
        if let Scheme::Pss(_, salt) = self.scheme {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer.set_rsa_mgf1_md(hash.openssl()).unwrap();
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt.into())).unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(message).unwrap();
        match self.scheme {
            Scheme::EcdsaPlain(_) => {
                let parsed = EcdsaSig::from_der(&signature).unwrap();
                let bits = self.key.ec_key().unwrap().group().order_bits();
                let length = bits.div_ceil(8).cast_signed();
                let padded = |n: &openssl::bn::BigNumRef| n.to_vec_padded(length).unwrap();
                [padded(parsed.r()), padded(parsed.s())].concat()
            }
            _ => signature,
        }
    }
}

/// `C=country, CN=common`.
pub(crate) fn name(country: &str, common: &str) -> Vec<u8> {
    let part = |kind, text: &str| tlv(SET, &[seq(&[oid(kind), bytes(0x0C, text.as_bytes())])]);
    seq(&[part("2.5.4.6", country), part("2.5.4.3", common)])
}

/// An extension.
pub(crate) fn extension(dotted: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(dotted)];
    parts.extend(critical.then(|| bytes(0x01, &[0xFF])));
    parts.push(bytes(OCTETS, value));
    seq(&parts)
}

pub(crate) const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(crate) const AUTHORITY_KEY_ID: &str = "2.5.29.35";
pub(crate) const SUBJECT_KEY_ID: &str = "2.5.29.14";
pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

pub(crate) fn key_usage(bits: u8) -> Vec<u8> {
    extension(KEY_USAGE, true, &bytes(0x03, &[0, bits]))
}

pub(crate) fn key_ids(subject: &Key, issuer: &Key) -> Vec<Vec<u8>> {
    vec![
        extension(SUBJECT_KEY_ID, false, &bytes(OCTETS, &subject.id())),
        extension(AUTHORITY_KEY_ID, false, &seq(&[bytes(0x80, &issuer.id())])),
    ]
}

/// A certificate to be issued.
#[derive(Clone)]
pub(crate) struct Template {
    /// 3, or 1 without extensions.
    pub(crate) version: u8,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

/// The state of every test that needs no other.
pub(crate) const STATE: &str = "UT";

impl Template {
    /// An issuer's certificate for `key`, to be signed with the key `by`: of 2020 to 2035.
    pub(crate) fn issuer(key: &Key, by: &Key) -> Self {
        let constraints = seq(&[bytes(0x01, &[0xFF]), integer(0)]);
        let mut extensions =
            vec![key_usage(0x06), extension(BASIC_CONSTRAINTS, true, &constraints)];
        extensions.extend(key_ids(key, by));
        Self {
            version: 3,
            serial: vec![1],
            issuer: name(STATE, "CSCA"),
            subject: name(STATE, "CSCA"),
            from: date!(2020 - 01 - 01),
            until: date!(2035 - 01 - 01),
            spki: key.spki.clone(),
            extensions,
        }
    }

    /// A document signer's certificate for `key`: of 2024 to 2034.
    pub(crate) fn signer(key: &Key, by: &Key) -> Self {
        let mut extensions = vec![key_usage(0x80)];
        extensions.extend(key_ids(key, by));
        Self {
            version: 3,
            serial: vec![0x21],
            issuer: name(STATE, "CSCA"),
            subject: name(STATE, "DS"),
            from: date!(2024 - 01 - 01),
            until: date!(2034 - 01 - 01),
            spki: key.spki.clone(),
            extensions,
        }
    }

    pub(crate) fn without(mut self, dotted: &str) -> Self {
        let start = oid(dotted);
        self.extensions.retain(|extension| !extension.windows(start.len()).any(|w| w == start));
        self
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn valid(mut self, from: Date, until: Date) -> Self {
        (self.from, self.until) = (from, until);
        self
    }

    pub(crate) fn sign(&self, by: &Key) -> Vec<u8> {
        let mut parts = Vec::new();
        parts.extend((self.version != 1).then(|| tlv(0xA0, &[integer(self.version - 1)])));
        parts.extend([
            bytes(INTEGER, &self.serial),
            by.scheme.algorithm(),
            self.issuer.clone(),
            seq(&[utc(self.from), utc(self.until)]),
            self.subject.clone(),
            self.spki.clone(),
        ]);
        if !self.extensions.is_empty() && self.version == 3 {
            parts.push(tlv(0xA3, &[seq(&self.extensions)]));
        }
        signed(&seq(&parts), by)
    }
}

/// `SEQUENCE { tbs, algorithm, signature }`.
fn signed(tbs: &[u8], by: &Key) -> Vec<u8> {
    let signature = [&[0], by.sign(tbs).as_slice()].concat();
    seq(&[tbs.to_vec(), by.scheme.algorithm(), bytes(0x03, &signature)])
}

/// A revocation list to be issued.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) issuer: Vec<u8>,
    pub(crate) this_update: Date,
    pub(crate) next_update: Option<Date>,
    /// Serial number and reason.
    pub(crate) entries: Vec<(Vec<u8>, Option<u8>)>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl List {
    /// Of June 2026 and good for three months.
    pub(crate) fn of(entries: &[(u8, Option<u8>)]) -> Self {
        Self {
            issuer: name(STATE, "CSCA"),
            this_update: date!(2026 - 06 - 01),
            next_update: Some(date!(2026 - 09 - 01)),
            entries: entries.iter().map(|(serial, reason)| (vec![*serial], *reason)).collect(),
            extensions: Vec::new(),
        }
    }

    pub(crate) fn dated(mut self, this_update: Date, next_update: Option<Date>) -> Self {
        (self.this_update, self.next_update) = (this_update, next_update);
        self
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn sign(&self, by: &Key) -> Vec<u8> {
        let entries: Vec<_> = self
            .entries
            .iter()
            .map(|(serial, reason)| {
                let mut parts = vec![bytes(INTEGER, serial), utc(date!(2026 - 05 - 01))];
                let code = reason.map(|code| extension("2.5.29.21", false, &bytes(0x0A, &[code])));
                parts.extend(code.map(|code| seq(&[code])));
                seq(&parts)
            })
            .collect();
        let mut parts =
            vec![integer(1), by.scheme.algorithm(), self.issuer.clone(), utc(self.this_update)];
        parts.extend(self.next_update.map(utc));
        parts.extend((!entries.is_empty()).then(|| seq(&entries)));
        if !self.extensions.is_empty() {
            parts.push(tlv(0xA0, &[seq(&self.extensions)]));
        }
        signed(&seq(&parts), by)
    }
}

/// EF.SOD to be signed.
#[derive(Clone)]
pub(crate) struct Sod {
    /// The hash of the data groups.
    pub(crate) hash: Hash,
    /// Number and bytes.
    pub(crate) groups: Vec<(u8, Vec<u8>)>,
    /// `eContentType`.
    pub(crate) content_type: &'static str,
    pub(crate) certificates: Vec<Vec<u8>>,
    /// `SignerIdentifier`.
    pub(crate) identifier: Vec<u8>,
    /// `CMSVersion` of the SignerInfo.
    pub(crate) version: u8,
    /// The hash that the SignerInfo names for the content, if not that of the signature.
    pub(crate) digest: Option<Hash>,
    pub(crate) signed_at: Option<Date>,
    /// Whole attributes in place of those that would be signed.
    pub(crate) attributes: Option<Vec<Vec<u8>>>,
    pub(crate) unsigned: Vec<Vec<u8>>,
    /// How often the SignerInfo stands there.
    pub(crate) signers: usize,
}

pub(crate) const SECURITY_OBJECT: &str = "2.23.136.1.1.1";

impl Sod {
    /// By the signer of [`Template::signer`], whose certificate is sent along.
    pub(crate) fn of(groups: &[(u8, Vec<u8>)], certificate: Vec<u8>) -> Self {
        Self {
            hash: Hash::Sha256,
            groups: groups.to_vec(),
            content_type: SECURITY_OBJECT,
            certificates: vec![certificate],
            identifier: seq(&[name(STATE, "CSCA"), bytes(INTEGER, &[0x21])]),
            version: 1,
            digest: None,
            signed_at: Some(date!(2025 - 01 - 01)),
            attributes: None,
            unsigned: Vec::new(),
            signers: 1,
        }
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        let hashes: Vec<_> = self
            .groups
            .iter()
            .map(|(number, file)| seq(&[integer(*number), bytes(OCTETS, &self.hash.digest(file))]))
            .collect();
        seq(&[integer(0), self.hash.algorithm(), seq(&hashes)])
    }

    pub(crate) fn attribute(kind: &str, values: &[Vec<u8>]) -> Vec<u8> {
        seq(&[oid(kind), tlv(SET, values)])
    }

    /// The attributes as they should be.
    pub(crate) fn right_attributes(&self, hash: Hash) -> Vec<Vec<u8>> {
        let digest = bytes(OCTETS, &hash.digest(&self.content()));
        let mut all = vec![
            Self::attribute("1.2.840.113549.1.9.3", &[oid(self.content_type)]),
            Self::attribute("1.2.840.113549.1.9.4", &[digest]),
        ];
        all.extend(self.signed_at.map(|at| Self::attribute("1.2.840.113549.1.9.5", &[utc(at)])));
        all
    }

    /// `ContentInfo`.
    pub(crate) fn message(&self, by: &Key) -> Vec<u8> {
        let hash = self.digest.unwrap_or(by.scheme.hash());
        let attributes = self.attributes.clone().unwrap_or_else(|| self.right_attributes(hash));
        let signature = by.sign(&set(&attributes));
        let mut info = vec![
            integer(self.version),
            self.identifier.clone(),
            hash.algorithm(),
            [&[0xA0], &set(&attributes)[1..]].concat(),
            by.scheme.algorithm(),
            bytes(OCTETS, &signature),
        ];
        info.extend((!self.unsigned.is_empty()).then(|| tlv(0xA1, &self.unsigned)));
        let infos = vec![seq(&info); self.signers];
        let mut data = vec![
            integer(3),
            set(&[hash.algorithm()]),
            seq(&[oid(self.content_type), tlv(0xA0, &[bytes(OCTETS, &self.content())])]),
        ];
        data.extend((!self.certificates.is_empty()).then(|| tlv(0xA0, &self.certificates)));
        data.push(tlv(SET, &infos));
        seq(&[oid("1.2.840.113549.1.7.2"), tlv(0xA0, &[seq(&data)])])
    }

    /// The file.
    pub(crate) fn sign(&self, by: &Key) -> Vec<u8> {
        tlv(0x77, &[self.message(by)])
    }
}

/// A DG1 of the specimen.
pub(crate) fn dg1() -> Vec<u8> {
    let lines = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\
                 L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    tlv(0x61, &[bytes(0x5F1F, lines.as_bytes())])
}

/// The reasons of the checks that failed.
pub(crate) fn failures(report: &Report) -> Vec<Reason> {
    let failed = report.checks.iter().filter_map(|check| match check.outcome {
        Outcome::Failed(reason) => Some(reason),
        _ => None,
    });
    failed.collect()
}
