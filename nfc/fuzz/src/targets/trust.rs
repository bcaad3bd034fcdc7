//! What a trust store is filled with, and the paths through it.

use nfc::{
    tlv::Reader,
    trust::{
        Domain, TrustStore,
        certificate::Certificate,
        crl::Crl,
        ldif::{self, Kind},
        master_list,
        path::PathError,
        revocation::Status,
    },
};
use time::Time;

use super::{Script, TODAY, passport};

/// A master list, and its certificates as anchors.
pub fn master_list(data: &[u8]) {
    let Ok(list) = master_list::parse(data) else { return };
    let whole: usize = list.certificates.iter().map(Vec::len).sum();
    assert!(whole <= data.len(), "more certificates than bytes");
    assert!(!list.signer.verified || list.signer.certificate.is_some(), "signed by nobody");
    let mut store = TrustStore::new(Domain::Qa);
    for certificate in &list.certificates {
        let _ = store.add_der(certificate);
    }
    assert!(store.anchors().len() <= list.certificates.len());
    if let Some(signer) = &list.signer.certificate {
        let _ = store.path(signer);
    }
}

/// A revocation list beside an issuer who may not have signed it.
pub fn crl(data: &[u8]) {
    let Ok(list) = Crl::parse(data) else { return };
    assert!(list.len() <= data.len());
    assert!(!list.revokes(&[1]) || list.find(&[1]).is_some());
    let issuer = Certificate::parse(passport::ISSUER).expect("the issuer's certificate is right");
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(passport::ISSUER).expect("the issuer's certificate is right");
    store.add_crl_der(data).expect("it was parsed before");
    let at = TODAY.with_time(Time::MIDNIGHT).assume_utc();
    let found = store.revocation(&issuer, &issuer, at);
    assert!(found.lists.len() + found.unsigned.len() <= 1);
    let says_nothing = matches!(found.status, Status::Unknown);
    assert!(
        says_nothing || list.is_signed_by(&issuer),
        "a list counts that the issuer did not sign"
    );
}

/// A directory, and what its values hold.
pub fn ldif(data: &[u8]) {
    assert!(ldif::is_ldif(data) || ldif::entries(data).is_err());
    let Ok(entries) = ldif::entries(data) else { return };
    let (mut last, mut whole) = (0, 0);
    for entry in entries {
        let line = match &entry {
            Ok(entry) => entry.line,
            Err(error) => error.line,
        };
        assert!(line >= last, "lines are counted backwards");
        last = line;
        for value in entry.into_iter().flat_map(|entry| entry.values) {
            let Ok(bytes) = value.content else { continue };
            whole += bytes.len();
            match value.kind {
                Kind::Certificate => drop(Certificate::parse(&bytes)),
                Kind::RevocationList => drop(Crl::parse(&bytes)),
                Kind::MasterList => drop(master_list::parse(&bytes)),
            }
        }
    }
    assert!(whole <= data.len(), "more is decoded than was there");
}

/// The most keys that are tried for one certificate, and the longest path (as `nfc` has them).
const MOST_TRIES: usize = 64;
const LONGEST_PATH: usize = 8;
/// The most certificates that are taken of the input.
const MOST_ANCHORS: usize = 16;

/// A byte, and certificates one after the other: a path is looked for from the first through the
/// others. The byte says how often the second is copied, each copy with another key.
pub fn paths(data: &[u8]) {
    let script = Script::new(data);
    let copies = script.byte() % 100;
    let mut rest = Reader::new(script.take(data.len()));
    let mut elements = Vec::new();
    while let Ok(Some(element)) = rest.next_element() {
        elements.push(element.bytes);
    }
    let Some((first, anchors)) = elements.split_first() else { return };
    let mut store = TrustStore::new(Domain::Qa);
    for (index, anchor) in anchors.iter().take(MOST_ANCHORS).enumerate() {
        let _ = store.add_der(anchor);
        for copy in 1..=if index == 0 { copies } else { 0 } {
            let _ = with_other_key(anchor, copy).map(|copy| store.add_der(&copy));
        }
    }
    let Ok(certificate) = Certificate::parse(first) else { return };
    let mut tried = look(&store, &certificate);
    for anchor in anchors.iter().take(MOST_ANCHORS) {
        if let Ok(anchor) = Certificate::parse(anchor) {
            tried += look(&store, &anchor);
        }
    }
    assert!(tried <= MOST_TRIES * (1 + MOST_ANCHORS), "{tried} signatures were tried");
}

/// The certificate with another byte within its key.
fn with_other_key(der: &[u8], copy: u8) -> Option<Vec<u8>> {
    let key = Certificate::parse(der).ok()?.spki().to_vec();
    let at = der.windows(key.len()).position(|window| window == key)?;
    let mut changed = der.to_vec();
    *changed.get_mut(at + key.len() - key.len().min(20))? ^= copy;
    Some(changed)
}

/// The path from a certificate up, every step of it checked again; how many signatures it took to
/// find the first.
fn look(store: &TrustStore, certificate: &Certificate) -> usize {
    let path = match store.path(certificate) {
        Ok(path) => path,
        Err(PathError::Budget) => return MOST_TRIES,
        Err(error) => {
            let _ = error.reason();
            return 0;
        }
    };
    let mut below = certificate;
    let mut seen = Vec::new();
    for anchor in path.anchors() {
        assert_eq!(below.is_signed_by(&anchor.certificate).ok(), Some(true), "nobody signed that");
        assert!(!seen.contains(&anchor.sha256), "a path in a circle");
        seen.push(anchor.sha256);
        below = &anchor.certificate;
    }
    assert!((1..=LONGEST_PATH).contains(&seen.len()) && path.tried() <= MOST_TRIES);
    let ends = path.anchors().last().is_some_and(|last| store.is_self_signed(last));
    assert_eq!(ends, path.is_whole());
    path.tried()
}
