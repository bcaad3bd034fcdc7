//! What a verdict rests on besides the files, and the certificates in brief.

use std::sync::Arc;

use serde::Serialize;

use super::{chain::Chain, stamp};
use crate::{
    crypto::public_key::SignatureAlgorithm,
    trust::{Anchor, Domain, Path, TrustError, TrustStore, certificate::Certificate, crl::Crl},
};

/// The certificates and lists themselves, shared with the store: what is told of them is written
/// down when somebody asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Ground {
    /// Algorithm of the signature over EF.SOD.
    pub(super) algorithm: Option<SignatureAlgorithm>,
    /// The signer and the issuers on its path.
    pub(super) chain: Option<Arc<Chain>>,
    pub(super) lists: Vec<Arc<Crl>>,
    /// Those who signed the lists and are not on the path.
    pub(super) list_signers: Vec<Arc<Anchor>>,
}

impl Ground {
    fn path(&self) -> Option<&Path> {
        self.chain.as_ref()?.path.as_ref().ok()
    }

    pub(super) fn signer(&self) -> Option<SignerSummary> {
        let algorithm = self.algorithm.as_ref().map(SignatureAlgorithm::describe);
        self.chain.as_ref().map(|chain| SignerSummary::new(&chain.signer, algorithm))
    }

    pub(super) fn csca(&self) -> Option<AnchorSummary> {
        self.path().and_then(Path::issuer).map(|issuer| AnchorSummary::new(issuer))
    }

    pub(super) fn basis(&self) -> Basis {
        let der = |anchor: &Arc<Anchor>| anchor.certificate.der.clone();
        Basis {
            signer: self.chain.as_ref().map(|chain| chain.signer.der.clone()),
            chain: self.path().into_iter().flat_map(Path::anchors).map(der).collect(),
            revocation_lists: self.lists.iter().map(|list| list.der.clone()).collect(),
            list_signers: self.list_signers.iter().map(der).collect(),
        }
    }
}

/// The certificates and revocation lists that a verdict rests on: with the files and the date they
/// are all that is needed to reach it again, whatever the store has come to hold since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis {
    /// The document signer's certificate, DER: in the document, or found in the store.
    pub signer: Option<Vec<u8>>,
    /// The issuers from the signer's own up, DER.
    pub chain: Vec<Vec<u8>>,
    /// The revocation lists that were consulted, DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// The issuers that signed these and are not on the chain, DER: after a change of keys a state
    /// may sign its lists with the new key alone.
    pub list_signers: Vec<Vec<u8>>,
}

impl Basis {
    /// A store of these alone. That its anchors are to be trusted is for the caller to know.
    ///
    /// # Errors
    /// [`TrustError`] if something in it cannot be parsed.
    pub fn store(&self, domain: Domain) -> Result<TrustStore, TrustError> {
        let mut store = TrustStore::new(domain);
        if let Some(signer) = &self.signer {
            store.add_signer_der(signer)?;
        }
        for issuer in self.chain.iter().chain(&self.list_signers) {
            store.add_der(issuer)?;
        }
        for list in &self.revocation_lists {
            store.add_crl_der(list)?;
        }
        Ok(store)
    }
}

/// The document signer's certificate in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignerSummary {
    /// Country, two letters.
    pub country: Option<String>,
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// Algorithm of the signature over EF.SOD.
    pub algorithm: Option<String>,
    /// Kind and size of the key.
    pub key: Option<String>,
    /// Start of validity, RFC 3339.
    pub not_before: String,
    /// End of validity, RFC 3339.
    pub not_after: String,
}

/// The trusted issuer's certificate in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorSummary {
    /// Country, two letters.
    pub country: Option<String>,
    /// Subject.
    pub subject: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// SHA-256 of the certificate, lower-case hex.
    pub sha256: String,
}

impl SignerSummary {
    fn new(certificate: &Certificate, algorithm: Option<String>) -> Self {
        Self {
            country: certificate.country(),
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: hex::encode(certificate.serial()),
            algorithm,
            key: certificate.public_key().ok().map(|key| key.describe()),
            not_before: stamp(certificate.not_before),
            not_after: stamp(certificate.not_after),
        }
    }
}

impl AnchorSummary {
    pub(super) fn new(anchor: &Anchor) -> Self {
        Self {
            country: anchor.certificate.country(),
            subject: anchor.certificate.subject.to_string(),
            serial: hex::encode(anchor.certificate.serial()),
            sha256: hex::encode(anchor.sha256),
        }
    }
}
