//! Everything of one domain in one file, so that a thousand anchors are one read.
//!
//! ```text
//! indrul trust bundle 1 LF
//! kind (A anchor, C revocation list, S document signer)  length (4, big-endian)  DER      … sorted
//! ```
//!
//! Equal contents are equal bytes: the file is named by its SHA-256, and is never changed.

use std::collections::BTreeMap;

use nfc::trust::{Domain, TrustError, TrustStore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: &[u8] = b"indrul trust bundle 1\n";

/// What an item of a trust store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An issuer's certificate, which documents may chain to.
    Anchor,
    /// A revocation list.
    RevocationList,
    /// A document signer's certificate: found here by documents that leave it out, trusted for
    /// nothing.
    Signer,
}

impl Kind {
    fn letter(self) -> u8 {
        match self {
            Self::Anchor => b'A',
            Self::RevocationList => b'C',
            Self::Signer => b'S',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        [Self::Anchor, Self::RevocationList, Self::Signer]
            .into_iter()
            .find(|k| k.letter() == letter)
    }
}

/// What an item is, and the SHA-256 of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What.
    pub kind: Kind,
    /// Of the DER.
    pub sha256: [u8; 32],
}

impl Key {
    /// The key of `der`.
    #[must_use]
    pub fn of(kind: Kind, der: &[u8]) -> Self {
        Self { kind, sha256: Sha256::digest(der).into() }
    }
}

/// `A` and the hash in hex.
impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = char::from(self.kind.letter());
        serializer.collect_str(&format_args!("{kind}{}", hex::encode(self.sha256)))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.split_at_checked(1).and_then(|(letter, digits)| {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(digits, &mut sha256).ok()?;
            Some(Self { kind: Kind::of(*letter.as_bytes().first()?)?, sha256 })
        });
        parsed.ok_or_else(|| serde::de::Error::custom("not the key of an item"))
    }
}

/// The bytes are no bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no trust bundle")]
pub struct NotABundle;

/// The items of one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    items: BTreeMap<Key, Vec<u8>>,
}

impl Bundle {
    /// Adds an item; whether it was new.
    pub fn add(&mut self, kind: Kind, der: &[u8]) -> bool {
        self.items.insert(Key::of(kind, der), der.to_vec()).is_none()
    }

    /// Takes an item out; whether it was there.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.items.remove(key).is_some()
    }

    /// The bytes of an item.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&[u8]> {
        self.items.get(key).map(Vec::as_slice)
    }

    /// How many of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.items.keys().filter(|key| key.kind == kind).count()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items, sorted.
    pub fn items(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.items.iter().map(|(key, der)| (key, der.as_slice()))
    }

    /// The trust store with all items.
    ///
    /// # Errors
    /// The first item that cannot be used, and why: a store that has lost a part must not silently
    /// trust less, or revoke less.
    pub fn store(&self, domain: Domain) -> Result<TrustStore, (Key, TrustError)> {
        let mut store = TrustStore::new(domain);
        for (key, der) in &self.items {
            let added = match key.kind {
                Kind::Anchor => store.add_der(der).map(drop),
                Kind::RevocationList => store.add_crl_der(der),
                Kind::Signer => store.add_signer_der(der).map(drop),
            };
            added.map_err(|error| (*key, error))?;
        }
        Ok(store)
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (key, der) in &self.items {
            out.push(key.kind.letter());
            out.extend(u32::try_from(der.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(der);
        }
        out
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`NotABundle`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NotABundle> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(NotABundle)?;
        let mut bundle = Self::default();
        while let Some((letter, after)) = rest.split_first() {
            let kind = Kind::of(*letter).ok_or(NotABundle)?;
            let (length, after) = after.split_first_chunk().ok_or(NotABundle)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| NotABundle)?;
            let (der, after) = after.split_at_checked(length).ok_or(NotABundle)?;
            bundle.add(kind, der);
            rest = after;
        }
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bundle {
        let mut bundle = Bundle::default();
        assert!(bundle.add(Kind::Signer, b"signer"));
        assert!(bundle.add(Kind::Anchor, b"anchor"));
        assert!(bundle.add(Kind::RevocationList, b""));
        assert!(!bundle.add(Kind::Anchor, b"anchor"));
        bundle
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written_and_order_does_not_matter() {
        let bundle = sample();
        assert_eq!(Bundle::decode(&bundle.encode()), Ok(bundle.clone()));
        let mut other = Bundle::default();
        for (key, der) in bundle.items().collect::<Vec<_>>().into_iter().rev() {
            other.add(key.kind, der);
        }
        assert_eq!(other.encode(), bundle.encode());
    }

    #[test]
    fn a_part_of_a_bundle_is_none_unless_it_ends_with_an_item() {
        let whole = sample().encode();
        let read = |length| Bundle::decode(&whole[..length]);
        let whole_items = [MAGIC.len(), MAGIC.len() + 11, MAGIC.len() + 16];
        for length in 0..whole.len() {
            assert_eq!(read(length).is_ok(), whole_items.contains(&length), "{length}");
        }
        assert_eq!(Bundle::decode(b"indrul trust bundle 1\nX\0\0\0\0"), Err(NotABundle));
    }

    #[test]
    fn keys_survive_being_written() {
        for (key, _) in sample().items() {
            let text = serde_json::to_string(key).unwrap();
            assert_eq!(serde_json::from_str::<Key>(&text).unwrap(), *key);
        }
        for text in ["\"\"", "\"A00\"", "\"é\"", "1"] {
            assert!(serde_json::from_str::<Key>(text).is_err(), "{text}");
        }
    }
}
