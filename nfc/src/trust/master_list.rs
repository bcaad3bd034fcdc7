//! CSCA master lists (ICAO 9303-12 §9): CMS over `CscaMasterList`.
//!
//! The list's own signature is checked under the certificate that it names; whether that
//! certificate is to be trusted is for the caller to say.

use super::certificate::Certificate;
use crate::{
    cms::{SignedData, SignerInfo, digest_matches},
    crypto::public_key::KeyError,
    der::{INTEGER, Id, SEQUENCE, SET},
    tlv::{self, TlvError},
};

/// `id-icao-cscaMasterList`.
const MASTER_LIST: Id = Id::new("2.23.136.1.1.2");

/// A parsed master list.
#[derive(Debug, Clone)]
pub struct MasterList {
    /// The certificates in the list, DER; unparsed, since some break any parser.
    pub certificates: Vec<Vec<u8>>,
    /// Who signed it, and whether the signature holds.
    pub signer: Signer,
}

/// The signer of a master list.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Its certificate, if it was sent along.
    pub certificate: Option<Certificate>,
    /// Whether signature and content digest verify under it.
    pub verified: bool,
    /// The certificates sent along, which may lead from the signer to its issuer.
    pub others: Vec<Vec<u8>>,
}

/// Parses a master list and checks its signature.
///
/// # Errors
/// [`TlvError`] if it is no CMS over a `CscaMasterList`.
pub fn parse(bytes: &[u8]) -> Result<MasterList, TlvError> {
    let signed = SignedData::parse(bytes)?;
    let mut list = tlv::single(&signed.content, SEQUENCE)?.reader();
    list.expect(INTEGER)?;
    let mut set = list.expect(SET)?.reader();
    let mut certificates = Vec::new();
    while let Some(element) = set.next_element()? {
        certificates.push(element.bytes.to_vec());
    }
    let info = signed.signers.first();
    let certificate = info.and_then(|info| signed.certificate_of(info));
    let verified = info
        .zip(certificate.as_ref())
        .is_some_and(|(info, certificate)| holds(&signed, info, certificate).unwrap_or(false));
    Ok(MasterList {
        certificates,
        signer: Signer { certificate, verified, others: signed.certificates },
    })
}

fn holds(
    signed: &SignedData,
    info: &SignerInfo,
    certificate: &Certificate,
) -> Result<bool, KeyError> {
    let Some(attributes) = info.attributes()? else { return Ok(false) };
    let Some(digest) = attributes.message_digest else { return Ok(false) };
    Ok(signed.content_type.is(MASTER_LIST)
        && attributes.content_type.as_ref() == Some(&signed.content_type)
        && digest_matches(info.hash()?, &signed.content, &digest)?
        && info.verify(&signed.content, certificate.public_key()?.as_ref())?)
}
