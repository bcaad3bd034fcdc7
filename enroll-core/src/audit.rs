//! The audit trail as a chain of hashes (H1): pure; the server stores it.
//!
//! ```text
//! hash(n) = SHA-256( canonical JSON { seq, time, kind, case, data, previous } )
//! previous(1) = 32 zero bytes;  previous(n) = hash(n - 1)
//! ```
//!
//! A changed entry breaks its own hash, a removed or swapped one the link to its neighbour. The
//! end of the chain cannot be seen from within: [`verify`] therefore also takes the head that was
//! kept elsewhere, if there is one.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::canonical;

/// A SHA-256 value, written as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first entry follows.
    pub const ZERO: Self = Self([0; 32]);
}

/// The text is not 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 value in hex")]
pub struct HashError;

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashError)?;
        Ok(Self(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What happened, before it has a place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When; kept to the millisecond, in UTC.
    pub time: OffsetDateTime,
    /// What, such as `case.started`.
    pub kind: String,
    /// The case it belongs to, if any.
    pub case: Option<String>,
    /// More, as a JSON object; no personal data (H4).
    pub data: Value,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first.
    pub seq: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// What.
    pub kind: String,
    /// The case it belongs to, if any.
    pub case: Option<String>,
    /// More.
    pub data: Value,
    /// The hash of the entry before.
    pub previous_hash: Hash,
    /// The hash of this entry.
    pub hash: Hash,
}

/// The end of a chain: what the next entry follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub seq: u64,
    /// Hash of the last one.
    pub hash: Hash,
}

impl Head {
    /// Of a chain without entries.
    pub const EMPTY: Self = Self { seq: 0, hash: Hash::ZERO };

    /// The entry that `event` becomes after this head.
    #[must_use]
    pub fn append(self, event: Event) -> Entry {
        let Event { time, kind, case, data } = event;
        let utc = time.to_offset(time::UtcOffset::UTC);
        // Milliseconds are in range, so the time stays as it was only if it already had none.
        let time = utc.replace_millisecond(utc.millisecond()).unwrap_or(utc);
        let mut entry = Entry {
            seq: self.seq.saturating_add(1),
            time,
            kind,
            case,
            data: canonical::normal(&data),
            previous_hash: self.hash,
            hash: Hash::ZERO,
        };
        entry.hash = entry.computed();
        entry
    }
}

impl Entry {
    /// The head after this entry.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The hash that the content of this entry has.
    #[must_use]
    pub fn computed(&self) -> Hash {
        let millis = self.time.unix_timestamp_nanos() / 1_000_000;
        Hash(canonical::sha256(&json!({
            "seq": self.seq,
            "time": millis.to_string(),
            "kind": self.kind,
            "case": self.case,
            "data": self.data,
            "previous": self.previous_hash,
        })))
    }
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The entry's content is not what was hashed.
    #[error("entry {seq} has been changed")]
    Changed {
        /// Its number.
        seq: u64,
    },
    /// Another entry stands where this one belongs: removed, swapped or inserted.
    #[error("entry {found} stands where entry {expected} belongs")]
    Order {
        /// The number that belongs here.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// The entry does not follow the one before it.
    #[error("entry {seq} does not follow the one before it")]
    Unlinked {
        /// Its number.
        seq: u64,
    },
    /// The chain does not end where it was last known to end.
    #[error("the chain ends at entry {found}, expected {expected}")]
    Truncated {
        /// Entries known.
        expected: u64,
        /// Entries found.
        found: u64,
    },
}

/// Verifies a chain from its first entry and gives its head. With `known`, the chain must contain
/// that head: entries cut off the end are then found as well.
///
/// # Errors
/// The first break.
pub fn verify<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    known: Option<Head>,
) -> Result<Head, AuditError> {
    let mut head = Head::EMPTY;
    let mut seen = known.is_none_or(|known| known == Head::EMPTY);
    for entry in entries {
        head = follow(head, entry)?;
        seen |= known == Some(head);
    }
    match known {
        Some(known) if !seen => Err(AuditError::Truncated { expected: known.seq, found: head.seq }),
        _ => Ok(head),
    }
}

/// Verifies that `entry` is whole and follows `head`, for chains too long for memory.
///
/// # Errors
/// As [`verify`], but for [`AuditError::Truncated`].
pub fn follow(head: Head, entry: &Entry) -> Result<Head, AuditError> {
    let expected = head.seq.saturating_add(1);
    if entry.seq != expected {
        return Err(AuditError::Order { expected, found: entry.seq });
    }
    if entry.computed() != entry.hash {
        return Err(AuditError::Changed { seq: entry.seq });
    }
    if entry.previous_hash != head.hash {
        return Err(AuditError::Unlinked { seq: entry.seq });
    }
    Ok(entry.head())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn chain(length: usize) -> Vec<Entry> {
        let mut head = Head::EMPTY;
        let mut entries = Vec::new();
        for index in 0..length {
            let entry = head.append(Event {
                time: datetime!(2026-03-01 12:00:00.123456 +1),
                kind: "case.started".to_owned(),
                case: Some(format!("case-{index}")),
                data: json!({"n": index, "score": 1.0 / 3.0}),
            });
            head = entry.head();
            entries.push(entry);
        }
        entries
    }

    // proves H1
    #[test]
    fn a_whole_chain_verifies_also_after_storage() {
        let entries = chain(5);
        let stored = serde_json::to_string(&entries).unwrap();
        let again: Vec<Entry> = serde_json::from_str(&stored).unwrap();
        assert_eq!(verify(&again, None), Ok(entries[4].head()));
        assert_eq!(verify(&again, Some(entries[2].head())), Ok(entries[4].head()));
        assert_eq!(verify(&[], None), Ok(Head::EMPTY));
    }

    // proves H1
    #[test]
    fn every_changed_field_is_found() {
        let changes: [fn(&mut Entry); 5] = [
            |entry| entry.data = json!({"n": 9}),
            |entry| entry.kind.push('x'),
            |entry| entry.case = None,
            |entry| entry.time += time::Duration::milliseconds(1),
            |entry| entry.hash = Hash::ZERO,
        ];
        for change in changes {
            let mut entries = chain(3);
            change(&mut entries[1]);
            assert_eq!(verify(&entries, None), Err(AuditError::Changed { seq: 2 }));
        }
    }

    // proves H1
    #[test]
    fn a_change_hashed_anew_breaks_the_next_link() {
        let mut entries = chain(3);
        entries[1].data = json!({});
        entries[1].hash = entries[1].computed();
        assert_eq!(verify(&entries, None), Err(AuditError::Unlinked { seq: 3 }));
    }

    // proves H1
    #[test]
    fn removed_swapped_and_cut_entries_are_found() {
        let whole = chain(4);
        let mut removed = whole.clone();
        removed.remove(1);
        assert_eq!(verify(&removed, None), Err(AuditError::Order { expected: 2, found: 3 }));
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert_eq!(verify(&swapped, None), Err(AuditError::Order { expected: 2, found: 3 }));
        let head = whole[3].head();
        let cut = verify(&whole[..2], Some(head));
        assert_eq!(cut, Err(AuditError::Truncated { expected: 4, found: 2 }));
    }
}
