//! Where anchors are found: by their own hash, key identifier, name and country, so that a
//! thousand of them cost a verification nothing.

use std::collections::{HashMap, HashSet};

use super::certificate::Certificate;

/// Places of anchors in the store.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_hash: HashMap<[u8; 32], usize>,
    by_key_id: HashMap<Vec<u8>, Vec<usize>>,
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    by_country: HashMap<String, Vec<usize>>,
}

/// What made an anchor a candidate, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Its subject key identifier is the certificate's authority key identifier.
    KeyIdentifier,
    /// Its subject is the certificate's issuer, compared tolerantly.
    Name,
    /// Its country is the issuer's.
    Country,
}

impl Index {
    /// The place of the certificate with this SHA-256.
    pub(super) fn place(&self, sha256: &[u8; 32]) -> Option<usize> {
        self.by_hash.get(sha256).copied()
    }

    pub(super) fn add(&mut self, place: usize, certificate: &Certificate, sha256: [u8; 32]) {
        self.by_hash.insert(sha256, place);
        if let Some(id) = &certificate.subject_key_id {
            self.by_key_id.entry(id.clone()).or_default().push(place);
        }
        self.by_name.entry(certificate.subject.normal().to_vec()).or_default().push(place);
        if let Some(country) = certificate.subject.country() {
            self.by_country.entry(country).or_default().push(place);
        }
    }

    /// Who may have issued `certificate`, likeliest first, each once.
    pub(super) fn candidates(&self, certificate: &Certificate) -> Vec<(usize, FoundBy)> {
        let by_key_id = certificate.authority_key_id.as_ref().and_then(|id| self.by_key_id.get(id));
        let by_name = self.by_name.get(certificate.issuer.normal());
        let country = certificate.issuer.country();
        let by_country = country.and_then(|country| self.by_country.get(&country));
        let groups = [
            (by_key_id, FoundBy::KeyIdentifier),
            (by_name, FoundBy::Name),
            (by_country, FoundBy::Country),
        ];
        let mut seen = HashSet::new();
        let places = groups
            .into_iter()
            .flat_map(|(places, by)| places.into_iter().flatten().map(move |place| (*place, by)));
        places.filter(|(place, _)| seen.insert(*place)).collect()
    }

    /// Anchors whose subject is like `name`, and those with the key identifier.
    pub(super) fn named(&self, normal: &[u8]) -> &[usize] {
        self.by_name.get(normal).map(Vec::as_slice).unwrap_or_default()
    }
}
