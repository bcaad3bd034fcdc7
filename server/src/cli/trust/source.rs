//! What a file offers for import. Its content says what it is, not its name; nothing in it is
//! trusted yet.

use nfc::trust::{
    certificate::Certificate,
    crl::Crl,
    master_list::{self, MasterList},
};
use openssl::base64;

/// The most PEM blocks in one file.
const MOST_BLOCKS: usize = 10_000;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Source {
    /// A CSCA master list.
    MasterList(Box<MasterList>),
    /// A certificate, or several as PEM, DER each.
    Certificates(Vec<Vec<u8>>),
    /// A revocation list, or several as PEM, DER each.
    RevocationLists(Vec<Vec<u8>>),
    /// None of these.
    Unknown,
}

impl Source {
    /// Looks at the bytes of a file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if let Ok(list) = master_list::parse(bytes) {
            return Self::MasterList(Box::new(list));
        }
        if Crl::parse(bytes).is_ok() {
            return Self::RevocationLists(vec![bytes.to_vec()]);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => pem(text),
            // One sequence may still be a certificate too odd to parse: it is listed as rejected.
            _ if Certificate::parse(bytes).is_ok() || is_sequence(bytes) => {
                Self::Certificates(vec![bytes.to_vec()])
            }
            _ => Self::Unknown,
        }
    }

    /// Its name in results.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::MasterList(_) => "master_list",
            Self::Certificates(_) => "certificate",
            Self::RevocationLists(_) => "crl",
            Self::Unknown => "unknown",
        }
    }
}

fn is_sequence(bytes: &[u8]) -> bool {
    nfc::tlv::single(bytes, nfc::tlv::Tag(0x30)).is_ok()
}

/// The blocks of a PEM file (RFC 7468 §2): certificates, or else revocation lists.
fn pem(text: &str) -> Source {
    let certificates = blocks(text, "CERTIFICATE");
    if certificates.is_empty() {
        match blocks(text, "X509 CRL") {
            lists if lists.is_empty() => Source::Unknown,
            lists => Source::RevocationLists(lists),
        }
    } else {
        Source::Certificates(certificates)
    }
}

fn blocks(text: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    text.split(begin.as_str())
        .skip(1)
        .take(MOST_BLOCKS)
        .filter_map(|rest| rest.split_once(end.as_str()))
        // What is no base64 stays in its place as no bytes, and is listed as rejected.
        .map(|(body, _)| decode(body).unwrap_or_default())
        .collect()
}

fn decode(body: &str) -> Option<Vec<u8>> {
    let dense: String = body.split_whitespace().collect();
    base64::decode_block(&dense).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_what_a_file_is() {
        assert!(matches!(Source::of(b""), Source::Unknown));
        assert!(matches!(Source::of(b"\x89PNG"), Source::Unknown));
        assert!(matches!(Source::of(&[0x30, 0x01, 0x00]), Source::Certificates(_)));
        let text = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n";
        let Source::Certificates(found) = Source::of(text.repeat(2).as_bytes()) else {
            panic!("two certificates")
        };
        assert_eq!(found, vec![vec![0x30, 0x01, 0x00]; 2]);
        let broken = "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n";
        assert_eq!(Source::of(broken.as_bytes()).kind(), "crl");
    }
}
