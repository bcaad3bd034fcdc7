//! Who signed a master list, and why it is believed (ICAO 9303-12 §9).
//!
//! The signature is one thing, who made it another: the signer's certificate must lead to the
//! certificate that the caller gave (`--signer`), else to an anchor of the store, else to a root
//! that comes with the list. The last proves that the list is whole and its own issuer consistent,
//! no more, and is named so.

use std::collections::HashSet;

use nfc::trust::{
    TrustStore,
    certificate::Certificate,
    master_list::{MasterList, Signer},
};
use serde::Serialize;
use time::OffsetDateTime;

/// `id-icao-cscaMasterListSigningKey`.
const MASTER_LIST_SIGNING: &str = "2.23.136.1.1.3";
/// The most signatures that are tried for one list.
const MOST_TRIES: usize = 256;
/// The longest way from a signer to its root.
const LONGEST: usize = 8;

/// Whose word it is that the signer may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TrustedBy {
    /// The certificate that the caller gave.
    Signer,
    /// An anchor of the store.
    Store,
    /// A root that comes with the list.
    List,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    Fine,
    Remark,
    Fault,
}

/// Something about the signer's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    what: &'static str,
    grade: Grade,
    text: &'static str,
}

/// What is known of the signer of a list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Judged {
    /// Signature, way and findings allow the list.
    pub(super) verified: bool,
    signature: bool,
    pub(super) trusted_by: Option<TrustedBy>,
    pub(super) country: Option<String>,
    pub(super) subject: Option<String>,
    serial: Option<String>,
    /// From the signer's issuer to the root.
    pub(super) path: Vec<Step>,
    /// The country of what the signer leads to; its own certificate may name any.
    #[serde(skip)]
    state: Option<String>,
    findings: Vec<Finding>,
    /// Why the list is not believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
}

/// A certificate on the way to the root.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Step {
    pub(super) subject: String,
    serial: String,
    pub(super) sha256: String,
}

/// Judges the signer of `list`; `given` is the certificate that the caller believes.
pub(super) fn judge(
    list: &MasterList,
    given: Option<&Certificate>,
    store: &TrustStore,
    at: OffsetDateTime,
) -> Judged {
    let Signer { certificate, verified: signature, .. } = &list.signer;
    let way = certificate.as_ref().and_then(|signer| way(list, signer, given, store));
    let findings: Vec<Finding> =
        certificate.iter().flat_map(|c| [purpose(c), validity(c, at)]).collect();
    let fault = findings.iter().find(|finding| finding.grade == Grade::Fault);
    let reason = match (certificate, signature, &way) {
        (None, ..) => Some("the certificate of its signer is not in it"),
        (_, false, _) => Some("its signature does not verify"),
        (.., None) if given.is_some() => {
            Some("its signer does not lead to the certificate given with --signer")
        }
        (.., None) => Some("its signer leads to no root: give its root with --signer"),
        _ => fault.map(|finding| finding.text),
    };
    let (trusted_by, path) = way.map_or((None, Vec::new()), |(by, path)| (Some(by), path));
    let state = path.last().or(certificate.as_ref()).and_then(Certificate::country);
    Judged {
        verified: reason.is_none(),
        signature: *signature,
        trusted_by,
        country: certificate.as_ref().and_then(Certificate::country),
        subject: certificate.as_ref().map(|c| c.subject.to_string()),
        serial: certificate.as_ref().map(|c| hex::encode(c.serial())),
        path: path.iter().map(Step::of).collect(),
        state,
        findings,
        reason,
    }
}

impl Judged {
    /// As of a list that came among other things, whose own root is no reason to believe it.
    pub(super) fn among_others(self) -> Self {
        if !self.verified || self.trusted_by != Some(TrustedBy::List) {
            return self;
        }
        let reason = "its signer leads to no certificate that is believed: import the root of its \
                      state first, or give it with --signer";
        Self { verified: false, trusted_by: None, reason: Some(reason), ..self }
    }

    /// The one state whose certificates an anchor's word counts for; `None` if the caller vouches.
    pub(super) fn vouches_for(&self) -> Option<&str> {
        let by_store = self.trusted_by == Some(TrustedBy::Store);
        by_store.then(|| self.state.as_deref().unwrap_or_default())
    }
}

impl Step {
    fn of(certificate: &Certificate) -> Self {
        use sha2::{Digest, Sha256};
        Self {
            subject: certificate.subject.to_string(),
            serial: hex::encode(certificate.serial()),
            sha256: hex::encode(Sha256::digest(&certificate.der)),
        }
    }
}

/// A list is signed with a key for that alone; an issuer that signs with its own key is met. A
/// document signer is certified by every state, and must not be able to name issuers.
fn purpose(signer: &Certificate) -> Finding {
    let what = "purpose";
    let purposes = signer.extended_key_usage.as_ref().map(|(_, purposes)| purposes);
    let (grade, text) = match purposes {
        Some(oids) if oids.iter().any(|oid| oid.is(MASTER_LIST_SIGNING)) => {
            (Grade::Fine, "its signer is certified for master lists")
        }
        None if signer.may_issue() || signer.is_self_issued() => {
            (Grade::Remark, "its signer is an issuer of certificates itself")
        }
        _ => (Grade::Fault, "its signer is not certified for master lists"),
    };
    Finding { what, grade, text }
}

/// A list may be imported long after it was signed.
fn validity(signer: &Certificate, at: OffsetDateTime) -> Finding {
    let (grade, text) = match signer.is_valid_at(at) {
        true => (Grade::Fine, "its signer is valid on the day of the import"),
        false => (Grade::Remark, "its signer is not valid on the day of the import"),
    };
    Finding { what: "validity", grade, text }
}

/// The certificates from the signer's issuer on to one that is believed, and by whom.
fn way(
    list: &MasterList,
    signer: &Certificate,
    given: Option<&Certificate>,
    store: &TrustStore,
) -> Option<(TrustedBy, Vec<Certificate>)> {
    let sent = || list.signer.others.iter().chain(&list.certificates);
    let mut pool: Vec<Certificate> =
        sent().filter_map(|der| Certificate::parse(der).ok()).collect();
    if let Some(given) = given {
        pool.push(given.clone());
        let is_given = |found: &Certificate| found.der == given.der;
        return Search::new(&pool, &is_given).from(signer).map(|path| (TrustedBy::Signer, path));
    }
    pool.extend(store.anchors().iter().map(|anchor| anchor.certificate.clone()));
    let is_anchor = |found: &Certificate| {
        store.anchors().iter().any(|anchor| anchor.certificate.der == found.der)
    };
    if let Some(path) = Search::new(&pool, &is_anchor).from(signer) {
        return Some((TrustedBy::Store, path));
    }
    Search::new(&pool, &Certificate::is_self_signed)
        .from(signer)
        .map(|path| (TrustedBy::List, path))
}

/// A search up from a certificate, with a budget.
struct Search<'a> {
    pool: &'a [Certificate],
    is_end: &'a dyn Fn(&Certificate) -> bool,
    tries: usize,
    seen: HashSet<&'a [u8]>,
}

impl<'a> Search<'a> {
    fn new(pool: &'a [Certificate], is_end: &'a dyn Fn(&Certificate) -> bool) -> Self {
        Self { pool, is_end, tries: MOST_TRIES, seen: HashSet::new() }
    }

    /// The way from `certificate`, which may be the end itself.
    fn from(mut self, certificate: &Certificate) -> Option<Vec<Certificate>> {
        if (self.is_end)(certificate) {
            return Some(Vec::new());
        }
        let mut path = Vec::new();
        self.climb(certificate, &mut path).then_some(path)
    }

    fn climb(&mut self, below: &Certificate, path: &mut Vec<Certificate>) -> bool {
        if path.len() == LONGEST {
            return false;
        }
        let pool = self.pool;
        for issuer in pool.iter().filter(|issuer| could_issue(issuer, below)) {
            if self.tries == 0 {
                return false;
            }
            if self.seen.contains(issuer.der.as_slice()) {
                continue;
            }
            self.tries = self.tries.saturating_sub(1);
            if !below.is_signed_by(issuer).unwrap_or(false) {
                continue;
            }
            self.seen.insert(&issuer.der);
            path.push(issuer.clone());
            if (self.is_end)(issuer) || self.climb(issuer, path) {
                return true;
            }
            path.pop();
        }
        false
    }
}

/// By key identifier or name; never a document signer.
fn could_issue(issuer: &Certificate, below: &Certificate) -> bool {
    let by_key =
        below.authority_key_id().is_some() && below.authority_key_id() == issuer.subject_key_id();
    (by_key || below.issuer.is_like(&issuer.subject)) && !issuer.is_document_signer()
}

#[cfg(test)]
mod tests {
    use nfc::trust::Domain;
    use openssl::{
        asn1::Asn1Time,
        bn::BigNum,
        ec::{EcGroup, EcKey},
        hash::MessageDigest,
        nid::Nid,
        pkey::{PKey, Private},
        x509::{
            X509, X509Name,
            extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage},
        },
    };
    use time::macros::datetime;

    use super::*;

    type Key = PKey<Private>;

    fn key() -> Key {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    }

    fn name(country: &str, common: &str) -> X509Name {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_nid(Nid::COUNTRYNAME, country).unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, common).unwrap();
        name.build()
    }

    /// A certificate of `subject` for `own`, issued by `issuer` with `with`; a list's signer or a root.
    fn certificate(subject: &X509Name, own: &Key, issuer: &X509Name, with: &Key) -> Certificate {
        let mut made = X509::builder().unwrap();
        made.set_version(2).unwrap();
        made.set_serial_number(&BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap()).unwrap();
        made.set_subject_name(subject).unwrap();
        made.set_issuer_name(issuer).unwrap();
        made.set_not_before(&Asn1Time::from_str("20250101000000Z").unwrap()).unwrap();
        made.set_not_after(&Asn1Time::from_str("20350101000000Z").unwrap()).unwrap();
        made.set_pubkey(own).unwrap();
        if subject.try_cmp(issuer).unwrap().is_eq() {
            made.append_extension(BasicConstraints::new().critical().ca().build().unwrap())
                .unwrap();
            made.append_extension(KeyUsage::new().key_cert_sign().build().unwrap()).unwrap();
        } else {
            let usage = ExtendedKeyUsage::new().other(MASTER_LIST_SIGNING).build().unwrap();
            made.append_extension(usage).unwrap();
        }
        made.sign(with, MessageDigest::sha256()).unwrap();
        Certificate::parse(&made.build().to_der().unwrap()).unwrap()
    }

    #[test]
    fn an_anchor_vouches_for_its_own_state_whatever_the_signer_calls_itself() {
        let (root_key, signer_key) = (key(), key());
        let (denmark, germany) = (name("DK", "CSCA"), name("DE", "signer"));
        let root = certificate(&denmark, &root_key, &denmark, &root_key);
        let signer = certificate(&germany, &signer_key, &denmark, &root_key);
        let signer = Signer { certificate: Some(signer), verified: true, others: Vec::new() };
        let list = MasterList { certificates: Vec::new(), signer };
        let mut store = TrustStore::new(Domain::Qa);
        store.add_der(&root.der).unwrap();
        let at = datetime!(2026-03-02 00:00 UTC);
        let judged = judge(&list, None, &store, at).among_others();
        assert_eq!((judged.verified, judged.country.as_deref()), (true, Some("DE")));
        assert_eq!(judged.vouches_for(), Some("DK"));
        let given = judge(&list, Some(&root), &store, at).among_others();
        assert_eq!((given.verified, given.vouches_for()), (true, None));
        let own = MasterList { certificates: vec![root.der.clone()], ..list };
        let alone = judge(&own, None, &TrustStore::new(Domain::Qa), at);
        assert_eq!((alone.verified, alone.trusted_by), (true, Some(TrustedBy::List)));
        assert!(!alone.among_others().verified);
    }
}
