//! The certificate profiles (ICAO 9303-12 §7.1), graded.
//!
//! What makes a certificate one that may not sign documents is a [`Misuse`], and hard: a state
//! certifies other keys besides. Everything else that a profile asks for and real certificates get
//! wrong is an [`Oddity`], a remark in the evidence: the key is the state's own either way, and a
//! false refusal costs a citizen weeks.
//!
//! | of the document signer | graded |
//! |---|---|
//! | it may issue certificates (basic constraints or key usage), or holds its issuer's key | hard |
//! | key usage without digital signature | hard |
//! | extended key usage for lists, other seals or TLS; any that is critical | hard |
//! | not of version 3, so that nothing restricts it | hard |
//! | key shorter than 1024 bits, or an exponent that anybody can invert | hard |
//! | no authority key identifier; key usage missing, not critical or with more; other purposes; unknown critical extensions; document code not listed; period of the private key; names that differ | remark |
//! | its issuer denies in both extensions that it issues, or is a document signer itself | hard |
//! | its issuer lacks one of them, exceeds its path length or the period of its private key | remark |

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    Anchor,
    certificate::{CERTIFICATE_SIGN, Certificate, DIGITAL_SIGNATURE},
    name::Agreement,
    path::Path,
};
use crate::{
    crypto::public_key::SignatureAlgorithm,
    der::{Id, Oid},
};

/// Why a certificate with a right signature may not sign documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Misuse {
    /// It is an issuer's.
    IssuesCertificates,
    /// It certifies its issuer's own key.
    KeyOfIssuer,
    /// Its key usage leaves out signatures over data.
    NoDigitalSignature,
    /// It is for another purpose.
    OtherPurpose,
    /// It is not of version 3.
    Version,
    /// Its key proves nothing.
    WeakKey,
    /// Its issuer says that it is none.
    IssuerIsNone,
}

/// What differs from the profile and does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// No authority key identifier.
    NoAuthorityKeyId,
    /// No key usage.
    NoKeyUsage,
    /// Key usage is not critical.
    KeyUsageNotCritical,
    /// Key usage allows more than signatures.
    MoreKeyUsage,
    /// Purposes that are not for documents, and not known to be for anything else.
    UnknownPurpose,
    /// A critical extension that is not known.
    UnknownCriticalExtension,
    /// An extension that is known and cannot be read.
    UnreadableExtension,
    /// The document's code is not among those that it signs for.
    DocumentCodeNotListed,
    /// The signing time lies outside the period of its private key.
    OutsideKeyUsagePeriod,
    /// It is signed with SHA-1.
    Sha1,
    /// Its issuer's name differs in `serialNumber`.
    IssuerSerialNumberDiffers,
    /// Its issuer has another name.
    IssuerNameDiffers,
    /// Subject and issuer have the same name.
    SelfIssued,
    /// The issuer's basic constraints do not say that it issues certificates.
    IssuerWithoutBasicConstraints,
    /// The issuer's key usage does not say that it signs certificates.
    IssuerWithoutKeyUsage,
    /// The issuer's private key was used outside its period.
    IssuerOutsideKeyUsagePeriod,
    /// A certificate above has fewer certificates below it than there are.
    PathLength,
}

/// What makes `signer` one that may not sign documents, worst first.
#[must_use]
pub fn misuse(signer: &Certificate, issuer: Option<&Anchor>) -> Vec<Misuse> {
    let usage = signer.key_usage.unwrap_or(DIGITAL_SIGNATURE);
    let key = signer.public_key().ok();
    let is_weak = key.as_ref().is_some_and(|key| key.is_weak());
    let of_issuer = issuer.zip(key).is_some_and(|(issuer, key)| issuer.verifying.is_same(&key));
    let found = [
        (signer.may_issue(), Misuse::IssuesCertificates),
        (of_issuer, Misuse::KeyOfIssuer),
        (usage & DIGITAL_SIGNATURE == 0, Misuse::NoDigitalSignature),
        (has_other_purpose(signer), Misuse::OtherPurpose),
        (signer.version != 3, Misuse::Version),
        (is_weak, Misuse::WeakKey),
        (issuer.is_some_and(|issuer| is_none(&issuer.certificate)), Misuse::IssuerIsNone),
    ];
    found.into_iter().filter_map(|(found, misuse)| found.then_some(misuse)).collect()
}

/// Whether an anchor says in both ways that it issues no certificates, or is a document signer's,
/// which has no basic constraints to say so (ICAO 9303-12 §7.1, table 3).
fn is_none(issuer: &Certificate) -> bool {
    let says = issuer.key_usage.is_some();
    says && (issuer.authority.is_some() && !issuer.may_issue() || issuer.is_document_signer())
}

/// `anyExtendedKeyUsage` (RFC 5280 §4.2.1.12).
const ANY_PURPOSE: Id = Id::new("2.5.29.37.0");
/// `id-icao-mrtd-security`: master lists, deviation lists, visible digital seals.
const ICAO: &[u8] = &[0x67, 0x81, 0x08, 0x01, 0x01];
/// TLS server and client, code, time stamps, OCSP.
static OTHER_PURPOSES: [Id; 5] = [
    Id::new("1.3.6.1.5.5.7.3.1"),
    Id::new("1.3.6.1.5.5.7.3.2"),
    Id::new("1.3.6.1.5.5.7.3.3"),
    Id::new("1.3.6.1.5.5.7.3.8"),
    Id::new("1.3.6.1.5.5.7.3.9"),
];

/// No purpose is defined for document signers (ICAO 9303-12 §7.1, table 4), so any that is given
/// and must be heeded is another one.
fn has_other_purpose(signer: &Certificate) -> bool {
    let Some((critical, purposes)) = &signer.extended_key_usage else { return false };
    let is_other =
        |oid: &Oid| oid.after(ICAO).is_some() || OTHER_PURPOSES.iter().any(|known| oid.is(*known));
    let any = purposes.iter().any(|oid| oid.is(ANY_PURPOSE));
    !any && (*critical || purposes.iter().any(is_other))
}

/// What differs from the profile in `signer` and the issuers above it. `signed` is when it signed,
/// `code` the code of the document, where they are known.
#[must_use]
pub fn oddities(
    signer: &Certificate,
    path: Option<&Path>,
    signed: Option<OffsetDateTime>,
    code: Option<&str>,
) -> Vec<Oddity> {
    let usage = signer.key_usage.unwrap_or(DIGITAL_SIGNATURE);
    let allowed = DIGITAL_SIGNATURE | NON_REPUDIATION | CERTIFICATE_SIGN;
    let listed = |code: &str| {
        let list = signer.document_types.as_ref();
        list.is_none_or(|list| list.iter().any(|listed| covers(listed, code)))
    };
    let outside = signer.key_usage_period.zip(signed).is_some_and(|(p, at)| !p.contains(at));
    let found = [
        (signer.authority_key_id().is_none(), Oddity::NoAuthorityKeyId),
        (signer.key_usage.is_none(), Oddity::NoKeyUsage),
        (
            signer.key_usage.is_some() && !signer.is_key_usage_critical(),
            Oddity::KeyUsageNotCritical,
        ),
        (usage & !allowed != 0, Oddity::MoreKeyUsage),
        (signer.extended_key_usage.is_some(), Oddity::UnknownPurpose),
        (signer.unknown_critical().next().is_some(), Oddity::UnknownCriticalExtension),
        (!signer.unreadable.is_empty(), Oddity::UnreadableExtension),
        (code.is_some_and(|code| !listed(code)), Oddity::DocumentCodeNotListed),
        (outside, Oddity::OutsideKeyUsagePeriod),
        (is_sha1(signer), Oddity::Sha1),
        (signer.is_self_issued(), Oddity::SelfIssued),
    ];
    let own = found.into_iter().filter_map(|(found, oddity)| found.then_some(oddity));
    let above = path.map(|path| above(signer, path)).unwrap_or_default();
    own.chain(above).collect()
}

/// `contentCommitment`, once called non-repudiation.
const NON_REPUDIATION: u8 = 0x40;

/// Whether a listed code is the document's: the list has `P` for every passport, or all letters of
/// the code (ICAO 9303-12 §7.1.1.6).
fn covers(listed: &str, code: &str) -> bool {
    let trim = |text: &str| text.trim_matches(['<', ' ']).to_uppercase();
    let (listed, code) = (trim(listed), trim(code));
    !listed.is_empty() && code.starts_with(&listed)
}

fn is_sha1(certificate: &Certificate) -> bool {
    let algorithm = certificate.signature_algorithm();
    algorithm
        .is_ok_and(|algorithm: SignatureAlgorithm| algorithm.hash() == crate::crypto::Hash::Sha1)
}

fn above(signer: &Certificate, path: &Path) -> Vec<Oddity> {
    let Some(step) = path.steps().first() else { return Vec::new() };
    let issuer = &step.anchor.certificate;
    let is_ca = issuer.authority.is_some_and(|(is_ca, _)| is_ca);
    let signs = issuer.key_usage.is_some_and(|usage| usage & CERTIFICATE_SIGN != 0);
    let outside = issuer.key_usage_period.is_some_and(|p| !p.contains(signer.not_before));
    let found = [
        (step.names == Agreement::ButSerialNumber, Oddity::IssuerSerialNumberDiffers),
        (step.names == Agreement::Different, Oddity::IssuerNameDiffers),
        (!is_ca, Oddity::IssuerWithoutBasicConstraints),
        (!signs, Oddity::IssuerWithoutKeyUsage),
        (outside, Oddity::IssuerOutsideKeyUsagePeriod),
        (exceeds(path), Oddity::PathLength),
    ];
    found.into_iter().filter_map(|(found, oddity)| found.then_some(oddity)).collect()
}

/// Whether a path length is exceeded: self-issued certificates do not count (RFC 5280 §4.2.1.9).
fn exceeds(path: &Path) -> bool {
    let mut below = 0_u32;
    path.anchors().any(|anchor| {
        let certificate = &anchor.certificate;
        let most = certificate.authority.and_then(|(_, most)| most);
        let exceeded = most.is_some_and(|most| below > most);
        below = below.saturating_add(u32::from(!certificate.is_self_issued()));
        exceeded
    })
}
