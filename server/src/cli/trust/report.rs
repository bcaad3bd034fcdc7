//! What an import came to, as JSON and for people.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use nfc::trust::{Domain, certificate::Certificate};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::{Date, Duration};

use super::signer::{Judged, TrustedBy};
use crate::trust_dir::{Key, Kind, Stored};

/// The most items of a kind that are told to people; JSON has all.
const MOST_TOLD: usize = 20;

/// What one file came to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) file: PathBuf,
    pub(super) kind: &'static str,
    pub(super) sha256: Option<String>,
    pub(super) domain: Domain,
    /// What this import is compared with.
    pub(super) source: String,
    /// New items.
    pub(super) imported: usize,
    pub(super) duplicates: usize,
    /// What the file holds of each kind, new or not.
    anchors: usize,
    signers: usize,
    revocation_lists: usize,
    pub(super) new: Vec<Item>,
    /// What the source held when it was last imported, and no longer does.
    pub(super) gone: Vec<Item>,
    /// How many of them were removed.
    pub(super) removed: usize,
    pub(super) expiring: Vec<Item>,
    expired: usize,
    pub(super) rejected: Vec<Rejected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signer: Option<Judged>,
    /// Signers of the master lists in a directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) signers_of_lists: Vec<Judged>,
    /// Why nothing of the file was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    #[serde(skip)]
    pub(super) held: BTreeSet<Key>,
}

/// A certificate or list that could not be used.
#[derive(Debug, Serialize)]
pub(super) struct Rejected {
    pub(super) index: usize,
    pub(super) sha256: String,
    pub(super) reason: String,
    /// The entry of the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<String>,
}

/// A certificate or list in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    kind: Kind,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
}

impl Item {
    pub(super) fn of(key: &Key, der: Option<&[u8]>) -> Self {
        let certificate = der
            .filter(|_| key.kind != Kind::RevocationList)
            .and_then(|der| Certificate::parse(der).ok());
        Self {
            kind: key.kind,
            sha256: hex::encode(key.sha256),
            country: certificate.as_ref().and_then(Certificate::country),
            subject: certificate.as_ref().map(|c| c.subject.to_string()),
            not_after: certificate.as_ref().map(|c| c.not_after.date().to_string()),
        }
    }

    fn line(&self) -> String {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let short = self.sha256.get(..16).unwrap_or_default();
        format!(
            "{:2} {short} until {} {}",
            of(&self.country),
            of(&self.not_after),
            of(&self.subject)
        )
    }
}

/// From when on a certificate expires soon, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Horizon {
    pub(super) at: Date,
    pub(super) days: u16,
}

impl Report {
    pub(super) fn empty(file: &Path, domain: Domain, source: String) -> Self {
        Self {
            file: file.to_owned(),
            kind: "unknown",
            sha256: None,
            domain,
            source,
            imported: 0,
            duplicates: 0,
            anchors: 0,
            signers: 0,
            revocation_lists: 0,
            new: Vec::new(),
            gone: Vec::new(),
            removed: 0,
            expiring: Vec::new(),
            expired: 0,
            rejected: Vec::new(),
            signer: None,
            signers_of_lists: Vec::new(),
            refused: None,
            held: BTreeSet::new(),
        }
    }

    pub(super) fn refused(mut self, why: impl Into<String>) -> Self {
        self.refused = Some(why.into());
        self
    }

    pub(super) fn taken(&self) -> usize {
        self.imported.saturating_add(self.duplicates)
    }

    /// Counts an item that is in the store now.
    pub(super) fn count(&mut self, kind: Kind, der: &[u8], stored: Stored, horizon: Horizon) {
        let key = Key::of(kind, der);
        let of_kind = match kind {
            Kind::Anchor => &mut self.anchors,
            Kind::Signer => &mut self.signers,
            Kind::RevocationList => &mut self.revocation_lists,
        };
        *of_kind = of_kind.saturating_add(1);
        let is_first = self.held.insert(key);
        match stored {
            Stored::Duplicate => self.duplicates = self.duplicates.saturating_add(1),
            Stored::New => {
                self.imported = self.imported.saturating_add(1);
                self.new.push(Item::of(&key, Some(der)));
            }
        }
        if kind == Kind::Anchor && is_first {
            self.watch(&key, der, horizon);
        }
    }

    fn watch(&mut self, key: &Key, der: &[u8], horizon: Horizon) {
        let Ok(certificate) = Certificate::parse(der) else { return };
        let (until, at) = (certificate.not_after.date(), horizon.at);
        if until < at {
            self.expired = self.expired.saturating_add(1);
        } else if until <= at.saturating_add(Duration::days(horizon.days.into())) {
            self.expiring.push(Item::of(key, Some(der)));
        }
    }

    pub(super) fn reject(
        &mut self,
        index: usize,
        der: &[u8],
        reason: String,
        entry: Option<String>,
    ) {
        let sha256 = hex::encode(Sha256::digest(der));
        self.rejected.push(Rejected { index, sha256, reason, entry });
    }

    /// For people: what happened, and what to do.
    pub(super) fn human(&self) -> String {
        let mut text = format!("{}: {}", self.file.display(), self.kind.replace('_', " "));
        for signer in self.signer.iter().chain(&self.signers_of_lists) {
            text.push_str(&said_of(signer));
        }
        if let Some(why) = &self.refused {
            // Writing to a string does not fail.
            let _ = write!(text, "\n  nothing imported: {why}");
            return text;
        }
        let (new, known, rejected) = (self.imported, self.duplicates, self.rejected.len());
        let _ = write!(
            text,
            "\n  {} anchors, {} document signers, {} revocation lists: {new} new, {known} known \
             already, {rejected} rejected",
            self.anchors, self.signers, self.revocation_lists
        );
        for Rejected { index, sha256, reason, .. } in &self.rejected {
            let _ = write!(text, "\n    rejected: number {index}, {sha256}: {reason}");
        }
        text.push_str(&self.gone_text());
        text.push_str(&told("expire soon", &self.expiring));
        if self.expired > 0 {
            let _ = write!(
                text,
                "\n  {} have expired; documents that they cover have not",
                self.expired
            );
        }
        text
    }

    fn gone_text(&self) -> String {
        let what = match self.removed {
            0 => "are gone from the source and stay in the store: --remove-gone takes them out",
            _ => "are gone from the source and were removed, but for those that another source has",
        };
        told(what, &self.gone)
    }
}

fn told(what: &str, items: &[Item]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut text = format!("\n  {} {what}", items.len());
    for item in items.iter().take(MOST_TOLD) {
        let _ = write!(text, "\n    {}", item.line());
    }
    if items.len() > MOST_TOLD {
        let _ = write!(text, "\n    … all with --json");
    }
    text
}

fn said_of(signer: &Judged) -> String {
    let by = signer.subject.as_deref().unwrap_or("an unknown signer");
    let root = signer.path.last().map(|root| format!("{} ({})", root.subject, root.sha256));
    let root = root.unwrap_or_else(|| "itself".to_owned());
    let trust = match (signer.reason, signer.trusted_by) {
        (Some(why), _) => return format!("\n  signed by {by}; NOT VERIFIED: {why}"),
        (None, Some(TrustedBy::Signer)) => "the certificate given with --signer",
        (None, Some(TrustedBy::Store)) => "an anchor that was in the store",
        (None, _) => {
            "a root that comes with the list itself: compare its SHA-256 with what its state \
             publishes, or give the root with --signer"
        }
    };
    format!("\n  signed by {by}; verified to {root}, {trust}")
}
