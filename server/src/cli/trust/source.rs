//! What a file offers for import. Its content says what it is, not its name; nothing in it is
//! trusted yet.

use nfc::{
    tlv::{Reader, Tag, single},
    trust::{crl::Crl, ldif},
};
use openssl::base64;

/// The most PEM blocks in one file.
const MOST_BLOCKS: usize = 10_000;

/// What a file holds, in its order.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in results.
    pub(super) kind: &'static str,
    pub(super) offers: Vec<Offer>,
}

/// One thing that a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) what: What,
    pub(super) bytes: Vec<u8>,
    /// The entry of a directory that it stands in.
    pub(super) entry: Option<Entry>,
}

/// An entry of an LDIF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Certificate,
    RevocationList,
    MasterList,
    /// It cannot be taken, and why.
    Broken(String),
}

impl Source {
    /// Looks at the bytes of a file; `None` if they are nothing that can be imported.
    ///
    /// # Errors
    /// Why a file is refused as a whole.
    pub(super) fn of(bytes: Vec<u8>) -> Result<Option<Self>, ldif::LdifError> {
        if ldif::is_ldif(&bytes) {
            return Ok(Some(Self { kind: "ldif", offers: directory(&bytes)? }));
        }
        if let Some(text) = std::str::from_utf8(&bytes).ok().filter(|t| t.contains(BEGIN)) {
            return Ok(Self::pem(text));
        }
        Ok(binary(&bytes).map(|what| {
            let offer = Offer { what, bytes, entry: None };
            Self { kind: offer.what.name(), offers: vec![offer] }
        }))
    }

    fn pem(text: &str) -> Option<Self> {
        let offers = blocks(text);
        let first = offers.first()?.what.name();
        let one_kind = offers.iter().all(|offer| offer.what.name() == first);
        Some(Self { kind: if one_kind { first } else { "pem" }, offers })
    }

    /// The first certificate, where one is asked for.
    pub(super) fn certificate(self) -> Option<Vec<u8>> {
        let mut offers = self.offers.into_iter();
        offers.find(|offer| offer.what == What::Certificate).map(|offer| offer.bytes)
    }
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Certificate | Self::Broken(_) => "certificate",
            Self::RevocationList => "crl",
            Self::MasterList => "master_list",
        }
    }
}

/// One element that may still be too odd to parse: then it is listed as rejected.
fn binary(bytes: &[u8]) -> Option<What> {
    let is_sequence = Reader::new(bytes).expect(SEQUENCE).is_ok();
    if is_signed_data(bytes).unwrap_or(false) {
        Some(What::MasterList)
    } else if Crl::parse(bytes).is_ok() {
        Some(What::RevocationList)
    } else {
        is_sequence.then_some(What::Certificate)
    }
}

const SEQUENCE: Tag = Tag(0x30);
/// `id-signedData` (RFC 5652 §5.1).
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

fn is_signed_data(bytes: &[u8]) -> Option<bool> {
    let kind = Reader::new(bytes).expect(SEQUENCE).ok()?.reader().next_element().ok()??;
    Some(kind.tag == Tag(0x06) && kind.value == SIGNED_DATA)
}

/// The entries of an LDIF file.
fn directory(bytes: &[u8]) -> Result<Vec<Offer>, ldif::LdifError> {
    let mut offers = Vec::new();
    for entry in ldif::entries(bytes)? {
        match entry {
            Err(error) => offers.push(Offer::broken(error.to_string(), None)),
            Ok(found) => {
                let entry = Entry { name: found.name, country: found.country };
                offers.extend(found.values.into_iter().map(|value| Offer::of(value, &entry)));
            }
        }
    }
    Ok(offers)
}

impl Offer {
    fn broken(why: String, entry: Option<Entry>) -> Self {
        Self { what: What::Broken(why), bytes: Vec::new(), entry }
    }

    fn of(value: ldif::Value, entry: &Entry) -> Self {
        let what = match value.kind {
            ldif::Kind::Certificate => What::Certificate,
            ldif::Kind::RevocationList => What::RevocationList,
            ldif::Kind::MasterList => What::MasterList,
        };
        match value.content {
            Ok(bytes) => Self { what, bytes, entry: Some(entry.clone()) },
            Err(error) => Self::broken(error.to_string(), Some(entry.clone())),
        }
    }
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The blocks of a PEM file (RFC 7468 §2); what stands between them is for people.
fn blocks(text: &str) -> Vec<Offer> {
    text.split(BEGIN)
        .skip(1)
        .take(MOST_BLOCKS)
        .map(|block| {
            let (label, rest) = block.split_once(DASHES).unwrap_or_default();
            let body = rest.split_once(END).map(|(body, _)| body).and_then(decode);
            offer(label, body)
        })
        .collect()
}

/// What is no base64 stays in its place, and is listed as rejected.
fn offer(label: &str, body: Option<Vec<u8>>) -> Offer {
    let what = match label {
        "CERTIFICATE" | "X509 CERTIFICATE" => What::Certificate,
        "X509 CRL" | "CRL" => What::RevocationList,
        "CMS" | "PKCS7" => What::MasterList,
        _ => return Offer::broken("a PEM block of another kind".to_owned(), None),
    };
    match body {
        Some(bytes) => Offer { what, bytes, entry: None },
        None => Offer::broken("no base64".to_owned(), None),
    }
}

fn decode(body: &str) -> Option<Vec<u8>> {
    let dense: String = body.split_whitespace().collect();
    let bytes = base64::decode_block(&dense).ok()?;
    single(&bytes, SEQUENCE).is_ok().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<&'static str> {
        Source::of(bytes.to_vec()).unwrap().map(|source| source.kind)
    }

    #[test]
    fn content_decides_what_a_file_is() {
        assert_eq!(kind(b""), None);
        assert_eq!(kind(b"\x89PNG"), None);
        assert_eq!(kind(b"some text"), None);
        assert_eq!(kind(&[0x30, 0x01, 0x00]), Some("certificate"));
        let list = [&[0x30, 0x0D, 0x06, 0x09][..], SIGNED_DATA, &[0x05, 0x00]].concat();
        assert_eq!(kind(&list), Some("master_list"));
        assert_eq!(kind(b"dn: c=DK\n"), Some("ldif"));
        assert!(Source::of(b"dn: c=DK\nchangetype: add\n".to_vec()).is_err());
    }

    #[test]
    fn blocks_of_every_kind_are_taken_in_their_order() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMAMC\nAQU=\n-----END CERTIFICATE-----\n";
        let list = "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n";
        let source = Source::of(format!("for people\n{certificate}between\n{list}").into_bytes());
        let source = source.unwrap().unwrap();
        assert_eq!(source.kind, "certificate");
        assert_eq!(source.offers[0].bytes, [0x30, 0x03, 0x02, 0x01, 0x05]);
        assert_eq!(source.offers[1].what, What::Broken("no base64".to_owned()));
        let key = "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n";
        let source = Source::of(key.as_bytes().to_vec()).unwrap().unwrap();
        assert!(matches!(source.offers[0].what, What::Broken(_)));
        assert!(source.offers[0].bytes.is_empty(), "a key is not kept");
    }
}
