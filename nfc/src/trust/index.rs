//! Where anchors are found: by their own hash, key identifier, name and country, so that a
//! thousand of them cost a verification nothing.

use std::collections::HashMap;

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
        if let Some(id) = certificate.subject_key_id() {
            self.by_key_id.entry(id.to_vec()).or_default().push(place);
        }
        self.by_name.entry(certificate.subject.normal().to_vec()).or_default().push(place);
        if let Some(country) = certificate.subject.country() {
            self.by_country.entry(country).or_default().push(place);
        }
    }

    /// Who may have issued `certificate`, likeliest first, each once.
    pub(super) fn candidates(&self, certificate: &Certificate) -> Vec<(usize, FoundBy)> {
        let by_key_id = certificate.authority_key_id().and_then(|id| self.by_key_id.get(id));
        let by_name = self.by_name.get(certificate.issuer.normal());
        let country = certificate.issuer.country();
        let by_country = country.and_then(|country| self.by_country.get(&country));
        let [by_key_id, by_name, by_country] =
            [by_key_id, by_name, by_country].map(|places| places.map_or(&[][..], Vec::as_slice));
        // Anchors are added in order of their places, so that each group is sorted.
        let is_in = |group: &[usize], place: &usize| group.binary_search(place).is_ok();
        let named = by_name.iter().filter(|place| !is_in(by_key_id, place));
        let near =
            by_country.iter().filter(|place| !is_in(by_key_id, place) && !is_in(by_name, place));
        let by_key_id = by_key_id.iter().map(|place| (*place, FoundBy::KeyIdentifier));
        let named = named.map(|place| (*place, FoundBy::Name));
        let near = near.map(|place| (*place, FoundBy::Country));
        by_key_id.chain(named).chain(near).collect()
    }

    /// Anchors whose subject is like `name`, and those with the key identifier.
    pub(super) fn named(&self, normal: &[u8]) -> &[usize] {
        self.by_name.get(normal).map(Vec::as_slice).unwrap_or_default()
    }
}
