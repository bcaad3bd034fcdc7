//! Documents of every algorithm family, made by `fixtures`, and where things stand in them.

use fixtures::{passport::Passport, portraits::Portraits, spec::Spec};
use nfc::tlv::{self, Tag};
use time::{Date, macros::date};

use super::tree::Node;

pub(crate) const TODAY: Date = date!(2026 - 11 - 22);

/// A right document: the CMS of its EF.SOD.
pub(crate) struct Seed {
    pub(crate) family: &'static str,
    pub(crate) tree: Node,
    /// The issuer that its signer's certificate is of.
    pub(crate) csca: Vec<u8>,
}

/// Name, key, digest, parameters of the curve, digest of the data groups, version of the object.
const FAMILIES: [[&str; 6]; 18] = [
    ["ECDSA P-256 SHA-256", "P-256", "sha256", "named", "sha256", "1"],
    ["RSA-2048 SHA-256", "rsa-2048", "sha256", "named", "sha256", "0"],
    ["PSS-2048 SHA-256", "rsa-pss-2048", "sha256", "named", "sha256", "1"],
    ["ECDSA brainpoolP256r1 SHA-1, explicit", "brainpoolP256r1", "sha1", "explicit", "sha1", "0"],
    ["ECDSA P-192 SHA-1", "P-192", "sha1", "named", "sha1", "0"],
    ["ECDSA P-224 SHA-224, explicit", "P-224", "sha224", "explicit", "sha256", "1"],
    ["ECDSA brainpoolP224r1 SHA-224", "brainpoolP224r1", "sha224", "named", "sha224", "0"],
    ["ECDSA brainpoolP320r1 SHA-256", "brainpoolP320r1", "sha256", "named", "sha384", "1"],
    ["ECDSA P-384 SHA-384, explicit", "P-384", "sha384", "explicit", "sha256", "1"],
    ["ECDSA brainpoolP384r1 SHA-384", "brainpoolP384r1", "sha384", "named", "sha1", "1"],
    ["ECDSA P-521 SHA-512", "P-521", "sha512", "named", "sha512", "0"],
    [
        "ECDSA brainpoolP512r1 SHA-512, explicit",
        "brainpoolP512r1",
        "sha512",
        "explicit",
        "sha512",
        "1",
    ],
    ["RSA-1536 SHA-1", "rsa-1536", "sha1", "named", "sha1", "0"],
    ["RSA-2048 SHA-224", "rsa-2048", "sha224", "named", "sha224", "1"],
    ["RSA-3072 SHA-384", "rsa-3072", "sha384", "named", "sha256", "1"],
    ["RSA-2048 SHA-512", "rsa-2048", "sha512", "named", "sha512", "1"],
    ["PSS-2048 SHA-1", "rsa-pss-2048", "sha1", "named", "sha1", "0"],
    ["PSS-2048 SHA-512", "rsa-pss-2048", "sha512", "named", "sha256", "1"],
];

/// One document of every family.
pub(crate) fn all() -> Vec<Seed> {
    let portraits = Portraits::drawn();
    let make = |[family, key, digest, parameters, hashes, version]: [&'static str; 6]| {
        let text = format!(
            "base = 'good'\nchip_authentication = false\nactive_authentication = false\n\
             portrait.width = 30\nportrait.height = 40\naccess.pace = []\n\
             csca = {{ key = 'P-256', digest = 'sha256' }}\n\
             signer = {{ key = '{key}', digest = '{digest}', parameters = '{parameters}' }}\n\
             sod = {{ digest = '{hashes}', version = {version} }}"
        );
        let passport = Passport::make(&Spec::parse(&text).unwrap(), &portraits, TODAY).unwrap();
        let message = tlv::single(&passport.files["EF.SOD"], Tag(0x77)).unwrap().value.to_vec();
        Seed { family, tree: Node::read(&message), csca: passport.trust.csca }
    };
    FAMILIES.map(make).into()
}

/// Paths of the elements (RFC 5652 §5.1, §5.3; RFC 5280 §4.1). Of a path that is not here the
/// longest beginning counts.
pub(crate) const SIGNED_DATA: &[usize] = &[1, 0];
pub(crate) const DIGESTS: &[usize] = &[1, 0, 1];
pub(crate) const CONTENT_TYPE: &[usize] = &[1, 0, 2, 0];
pub(crate) const CONTENT: &[usize] = &[1, 0, 2, 1, 0];
pub(crate) const CERTIFICATES: &[usize] = &[1, 0, 3];
pub(crate) const CERTIFICATE: &[usize] = &[1, 0, 3, 0];
pub(crate) const BODY: &[usize] = &[1, 0, 3, 0, 0];
pub(crate) const KEY: &[usize] = &[1, 0, 3, 0, 0, 6];
pub(crate) const EXTENSIONS: &[usize] = &[1, 0, 3, 0, 0, 7, 0];
pub(crate) const SIGNERS: &[usize] = &[1, 0, 4];
pub(crate) const SIGNER: &[usize] = &[1, 0, 4, 0];
pub(crate) const SIGNER_ID: &[usize] = &[1, 0, 4, 0, 1];
pub(crate) const DIGEST: &[usize] = &[1, 0, 4, 0, 2];
pub(crate) const ATTRIBUTES: &[usize] = &[1, 0, 4, 0, 3];
pub(crate) const ALGORITHM: &[usize] = &[1, 0, 4, 0, 4];
pub(crate) const SIGNATURE: &[usize] = &[1, 0, 4, 0, 5];

const NAMES: [(&[usize], &str); 31] = [
    (&[], "ContentInfo"),
    (&[0], "ContentInfo.contentType"),
    (&[1], "ContentInfo.content"),
    (SIGNED_DATA, "SignedData"),
    (&[1, 0, 0], "SignedData.version"),
    (DIGESTS, "SignedData.digestAlgorithms"),
    (&[1, 0, 2], "SignedData.encapContentInfo"),
    (CONTENT_TYPE, "SignedData.eContentType"),
    (&[1, 0, 2, 1], "SignedData.eContent"),
    (CERTIFICATES, "SignedData.certificates"),
    (CERTIFICATE, "Certificate"),
    (BODY, "Certificate.tbs"),
    (&[1, 0, 3, 0, 0, 0], "Certificate.version"),
    (&[1, 0, 3, 0, 0, 1], "Certificate.serialNumber"),
    (&[1, 0, 3, 0, 0, 2], "Certificate.tbs.signature"),
    (&[1, 0, 3, 0, 0, 3], "Certificate.issuer"),
    (&[1, 0, 3, 0, 0, 4], "Certificate.validity"),
    (&[1, 0, 3, 0, 0, 5], "Certificate.subject"),
    (KEY, "Certificate.key"),
    (&[1, 0, 3, 0, 0, 7], "Certificate.extensions"),
    (&[1, 0, 3, 0, 1], "Certificate.signatureAlgorithm"),
    (&[1, 0, 3, 0, 2], "Certificate.signature"),
    (SIGNERS, "SignedData.signerInfos"),
    (SIGNER, "SignerInfo"),
    (&[1, 0, 4, 0, 0], "SignerInfo.version"),
    (SIGNER_ID, "SignerInfo.sid"),
    (DIGEST, "SignerInfo.digestAlgorithm"),
    (ATTRIBUTES, "SignerInfo.signedAttrs"),
    (ALGORITHM, "SignerInfo.signatureAlgorithm"),
    (SIGNATURE, "SignerInfo.signature"),
    (&[1, 0, 5], "SignedData, at its end"),
];

/// The field that an element stands in.
pub(crate) fn field(path: &[usize]) -> &'static str {
    let around = NAMES.iter().filter(|(place, _)| path.starts_with(place));
    around.max_by_key(|(place, _)| place.len()).map(|(_, name)| *name).unwrap()
}
