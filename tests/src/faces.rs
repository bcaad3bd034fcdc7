//! The face networks, asked once for every different pair of pictures. The catalogue shows the
//! same two people hundreds of times over: what the networks say of the same bytes is the same.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use enroll_core::check::Check;
use liveness::challenge::Script;
use openssl::sha::Sha256;
use server::app::{Answered, Faces};

/// The SHA-256 of a portrait and a picture.
type Pair = [u8; 32];

/// What `faces` said of each pair, kept in this process only.
pub struct SeenFaces<F> {
    faces: F,
    seen: Mutex<HashMap<Pair, Arc<OnceLock<Vec<Check>>>>>,
}

impl<F> fmt::Debug for SeenFaces<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenFaces").finish_non_exhaustive()
    }
}

impl<F: Faces> SeenFaces<F> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(faces: F) -> Self {
        Self { faces, seen: Mutex::default() }
    }

    /// How many different pairs the networks were asked about.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Where the answer for `pair` stands or will stand: who comes second waits for the first.
    fn place(&self, pair: Pair) -> Arc<OnceLock<Vec<Check>>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(seen.entry(pair).or_default())
    }
}

impl<F: Faces> Faces for SeenFaces<F> {
    fn checks(&self, portrait: Option<&[u8]>, picture: &[u8]) -> Vec<Check> {
        let place = self.place(pair(portrait, picture));
        place.get_or_init(|| self.faces.checks(portrait, picture)).clone()
    }

    fn draw(&self, seed: &[u8; 32]) -> Option<Script> {
        self.faces.draw(seed)
    }

    fn challenged(&self, portrait: Option<&[u8]>, answered: &Answered) -> Vec<Check> {
        self.faces.challenged(portrait, answered)
    }

    fn models(&self) -> BTreeMap<String, String> {
        self.faces.models()
    }
}

/// The length of the portrait goes first, so that no other two pictures make the same bytes; none
/// is not an empty one.
fn pair(portrait: Option<&[u8]>, picture: &[u8]) -> Pair {
    let mut hash = Sha256::new();
    hash.update(&[u8::from(portrait.is_some())]);
    let portrait = portrait.unwrap_or_default();
    hash.update(&portrait.len().to_be_bytes());
    hash.update(portrait);
    hash.update(picture);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;

    /// Says what it was asked about, and counts.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Faces for Counted {
        fn checks(&self, portrait: Option<&[u8]>, picture: &[u8]) -> Vec<Check> {
            self.0.fetch_add(1, Ordering::Relaxed);
            vec![Check::passed("face.match", json!([portrait, picture]))]
        }

        fn models(&self) -> BTreeMap<String, String> {
            BTreeMap::new()
        }
    }

    #[test]
    fn the_same_pair_is_looked_at_once() {
        let faces = SeenFaces::new(Counted::default());
        let first = faces.checks(Some(b"portrait"), b"picture");
        assert_eq!(faces.checks(Some(b"portrait"), b"picture"), first);
        assert_eq!(faces.faces.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn every_other_pair_is_looked_at() {
        let pairs: [(Option<&[u8]>, &[u8]); 6] = [
            (Some(b"ab"), b"c"),
            (Some(b"a"), b"bc"),
            (Some(b""), b"abc"),
            (None, b"abc"),
            (Some(b"abc"), b""),
            (Some(b"c"), b"ab"),
        ];
        let faces = SeenFaces::new(Counted::default());
        for (portrait, picture) in pairs {
            let said = faces.checks(portrait, picture);
            assert_eq!(said, Counted::default().checks(portrait, picture));
        }
        assert_eq!(faces.pairs(), pairs.len());
        assert_eq!(faces.faces.0.load(Ordering::Relaxed), pairs.len());
    }
}
