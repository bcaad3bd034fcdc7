//! Passive authentication of EF.CardSecurity: the rules of EF.SOD for the signature and its signer
//! (ICAO 9303-11 §4.4.3.5.2, §9.2.11).
//!
//! [`VerifiedCardSecurity`] is made here and nowhere else, so that the chip authentication mapping
//! cannot be proved with a key that nobody signed.

use std::sync::Arc;

use serde_json::json;
use time::{Date, Time};

use super::{Document, chain, chain_of, signature};
use crate::{
    check::{Check, Outcome, Reason},
    files::Files,
    lds::{
        card_security::{self, CARD_SECURITY_OBJECT},
        security_infos::SecurityInfos,
    },
    trust::TrustStore,
};

/// SecurityInfos of the master file that the issuing state signed.
#[derive(Debug, Clone)]
pub struct VerifiedCardSecurity {
    infos: SecurityInfos,
}

impl VerifiedCardSecurity {
    /// The signed entries.
    #[must_use]
    pub fn infos(&self) -> &SecurityInfos {
        &self.infos
    }
}

/// What was found about EF.CardSecurity. The checks bear the names of those of EF.SOD; they are
/// evidence for chip authentication and no checks of the document.
#[derive(Debug, Clone)]
pub struct CardSecurityReport {
    /// All checks in order.
    pub checks: Vec<Check>,
    /// The entries, if none of the checks failed and signature, digest and chain hold.
    pub verified: Option<VerifiedCardSecurity>,
}

/// Runs every check that can be run over EF.CardSecurity, as of `at`. The country of the document
/// is that of DG1 among `files`.
#[must_use]
pub fn verify_card_security(
    card_security: &[u8],
    files: &Files,
    trust: &TrustStore,
    at: Date,
) -> CardSecurityReport {
    let signed = match card_security::parse(card_security) {
        Ok(signed) => Arc::new(signed),
        Err(error) => {
            let outcome = Outcome::Failed(Reason::SodMalformed);
            let evidence = json!({ "error": chain_of(&error) });
            let checks = vec![Check::new("sod.signature", outcome, evidence)];
            return CardSecurityReport { checks, verified: None };
        }
    };
    let at = at.with_time(Time::MIDNIGHT).assume_utc();
    let signature = signature::verify(&signed, &[CARD_SECURITY_OBJECT], trust);
    let chain = chain::verify(&signature, &Document::new(files), trust, at);
    let checks: Vec<_> = signature.checks.into_iter().chain(chain.checks).collect();
    let holds = |id: &str| checks.iter().any(|c| c.id == id && c.outcome == Outcome::Passed);
    let proved = ["sod.signature", "sod.digest", "signer.chain"].iter().all(|id| holds(id));
    let failed = checks.iter().any(|check| matches!(check.outcome, Outcome::Failed(_)));
    let infos = SecurityInfos::parse(&signed.content).ok().filter(|_| proved && !failed);
    CardSecurityReport { checks, verified: infos.map(|infos| VerifiedCardSecurity { infos }) }
}
