//! What a check found: three-valued, with evidence (INTERFACES, *Check*).
//!
//! `Err` elsewhere means that a check could not be run at all; here a check that was run says
//! what it saw, and one that was not says why.

use serde::Serialize;

use crate::evidence::Evidence;

/// The stable reason codes of this crate (INTERFACES, *Reason codes*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The chip left the field.
    LinkLost,
    /// The key from the printed page does not open this chip.
    AccessDenied,
    /// No electronic passport application on this card.
    NotAnEmrtd,
    /// The chip answered against the protocol.
    Protocol,
    /// A reply under secure messaging was not authentic.
    SecureMessaging,
    /// The chip offered less than its signed data promise.
    Downgrade,
    /// EF.SOD cannot be parsed.
    SodMalformed,
    /// The signature over EF.SOD is wrong.
    SodSignatureInvalid,
    /// The signed digest is not that of the LDS security object.
    SodDigestMismatch,
    /// An algorithm that is not accepted.
    SodAlgorithm,
    /// A data group's hash differs from the signed one.
    DataGroupHashMismatch,
    /// A data group that is signed or required is missing.
    DataGroupMissing,
    /// A data group is signed as it is, but its content is not what the standard defines.
    DataGroupMalformed,
    /// EF.COM is not what the standard defines.
    ComMalformed,
    /// The document signer certificate was not found.
    SignerNotFound,
    /// The document signer was not valid when it signed.
    SignerExpired,
    /// The document signer is revoked.
    SignerRevoked,
    /// The document signer may not sign, or its own signature is wrong.
    SignerUntrusted,
    /// The countries of document, signer and issuer differ.
    SignerCountry,
    /// No trusted issuer of the document signer.
    CscaUnknown,
    /// The issuer was not valid when it issued.
    CscaExpired,
    /// The issuer belongs to another trust domain.
    CscaDomain,
    /// The revocation list is out of date.
    CrlStale,
    /// The chip did not prove its chip authentication key.
    ChipAuthenticationFailed,
    /// The chip has no chip authentication key.
    ChipAuthenticationMissing,
    /// The chip has a chip authentication key of a kind that is not supported.
    ChipAuthenticationUnsupported,
    /// The chip did not prove its active authentication key.
    ActiveAuthenticationFailed,
    /// The chip has no active authentication key.
    ActiveAuthenticationMissing,
    /// The chip has an active authentication key of a kind that is not supported.
    ActiveAuthenticationUnsupported,
}

impl Reason {
    /// The code as other parts and people know it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::LinkLost => "chip.link_lost",
            Self::AccessDenied => "chip.access_denied",
            Self::NotAnEmrtd => "chip.not_an_emrtd",
            Self::Protocol => "chip.protocol",
            Self::SecureMessaging => "chip.secure_messaging",
            Self::Downgrade => "chip.downgrade",
            Self::SodMalformed => "sod.malformed",
            Self::SodSignatureInvalid => "sod.signature.invalid",
            Self::SodDigestMismatch => "sod.digest_mismatch",
            Self::SodAlgorithm => "sod.algorithm",
            Self::DataGroupHashMismatch => "dg.hash_mismatch",
            Self::DataGroupMissing => "dg.missing",
            Self::DataGroupMalformed => "dg.malformed",
            Self::ComMalformed => "com.malformed",
            Self::SignerNotFound => "signer.not_found",
            Self::SignerExpired => "signer.expired",
            Self::SignerRevoked => "signer.revoked",
            Self::SignerUntrusted => "signer.untrusted",
            Self::SignerCountry => "signer.country",
            Self::CscaUnknown => "csca.unknown",
            Self::CscaExpired => "csca.expired",
            Self::CscaDomain => "csca.domain",
            Self::CrlStale => "crl.stale",
            Self::ChipAuthenticationFailed => "chip_authentication.failed",
            Self::ChipAuthenticationMissing => "chip_authentication.missing",
            Self::ChipAuthenticationUnsupported => "chip_authentication.unsupported",
            Self::ActiveAuthenticationFailed => "active_authentication.failed",
            Self::ActiveAuthenticationMissing => "active_authentication.missing",
            Self::ActiveAuthenticationUnsupported => "active_authentication.unsupported",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; the evidence says how.
    Passed,
    /// It does not hold.
    Failed(Reason),
    /// It could not be run, for this reason (or the reason lies in another check).
    NotPerformed(Option<Reason>),
}

/// One check with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Stable name, such as `sod.signature`.
    pub id: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What it saw.
    pub evidence: Evidence,
}

impl Check {
    /// A check with what it saw: written already, or to be.
    #[must_use]
    pub fn new(id: &'static str, outcome: Outcome, evidence: impl Into<Evidence>) -> Self {
        Self { id, outcome, evidence: evidence.into() }
    }
}
