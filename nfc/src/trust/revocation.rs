//! What the revocation lists of the store say of a certificate (ICAO 9303-12 §7.1.4; RFC 5280 §6.3
//! where it fits).
//!
//! A list counts if its issuer has the certificate's issuer's name and an anchor's key made its
//! signature. After a change of keys a state signs its lists with the new key for all its
//! certificates, or with each key its own: so of every key the newest list counts, and a
//! certificate is revoked if one of them says so. Only a list of the whole scope can say that it is
//! not.
//!
//! A state may also name the issuer of each entry, or sign with the same key under a name that it
//! had or took later. Such a list can revoke, and say no more.

use std::{cell::LazyCell, sync::Arc};

use time::{Duration, OffsetDateTime};

use super::{
    Anchor, TrustStore,
    certificate::Certificate,
    crl::{Crl, Entry, Scope},
    sha256,
};

/// The most keys that are tried for one list.
const MOST_TRIES: usize = 64;

/// What is known of a certificate's revocation.
#[derive(Debug, Clone)]
pub struct Revocation<'a> {
    /// In one word.
    pub status: Status<'a>,
    /// The lists that were consulted, newest last.
    pub lists: Vec<&'a Arc<Crl>>,
    /// The anchors that signed them, in the same order.
    pub signers: Vec<&'a Arc<Anchor>>,
    /// Lists by the issuer's name that no anchor signed; they say nothing.
    pub unsigned: Vec<&'a Arc<Crl>>,
}

/// Whether a certificate is revoked.
#[derive(Debug, Clone, Copy)]
pub enum Status<'a> {
    /// No list of the whole scope speaks of it.
    Unknown,
    /// The newest such list does not have it, and is fresh.
    Good,
    /// The newest such list does not have it, and is out of date.
    Stale,
    /// A list has it.
    Revoked(&'a Entry),
}

impl TrustStore {
    /// What the lists that were out by the end of the day `at` say of `certificate`, which `issuer`
    /// issued.
    #[must_use]
    pub fn revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> Revocation<'_> {
        let known = at.saturating_add(Duration::DAY);
        let (mut signed, mut unsigned) = (Vec::new(), Vec::new());
        for place in self.lists_of(issuer) {
            match (self.lists.get(*place), self.list_signer(*place)) {
                (Some(list), Some(signer)) if list.this_update < known => {
                    signed.push((list, signer));
                }
                (Some(list), None) => unsigned.push(list),
                _ => {}
            }
        }
        signed.sort_by_key(|(list, _)| list.this_update);
        let current: Vec<_> = signed.iter().filter(|one| counts(one, &signed)).copied().collect();
        let status = status(&current, certificate.serial(), at);
        let beside = match status {
            Status::Revoked(_) => None,
            _ => self.revoked_beside(certificate, issuer, known),
        };
        let status = beside.map_or(status, |(_, entry)| Status::Revoked(entry));
        let found = beside.map(|(signed, _)| signed).into_iter().chain(current);
        let (lists, signers) = found.unzip();
        Revocation { status, lists, signers, unsigned }
    }

    /// A list by another name than the issuer's that revokes `certificate`: an anchor of the same
    /// country signed it and the entry names the issuer (RFC 5280 §5.3.3), or the issuer's own key
    /// signed it.
    fn revoked_beside(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        known: OffsetDateTime,
    ) -> Option<(Signed<'_>, &Entry)> {
        let name = issuer.subject.normal();
        let naming = self.lists_by_entry.get(name).into_iter().flatten();
        let by_name = naming.filter_map(|place| {
            let found = (self.lists.get(*place)?, self.list_signer(*place)?);
            let country = found.1.certificate.country();
            (country.is_some() && country == issuer.country()).then_some((found, Some(name)))
        });
        let by_key = issuer.subject_key_id().and_then(|id| self.lists_by_key_id.get(id));
        let own_key = LazyCell::new(|| {
            let place = sha256(&issuer.der).ok().and_then(|hash| self.index.place(&hash))?;
            self.anchors.get(place)
        });
        let by_key = by_key.into_iter().flatten().take(MOST_TRIES).filter_map(|place| {
            let list = self.lists.get(*place)?;
            if list.issuer.is_like(&issuer.subject) {
                return None;
            }
            let own_key = (*own_key)?;
            let signed = list.is_signed_with(&own_key.verifying).unwrap_or(false);
            signed.then_some(((list, own_key), None))
        });
        let mut all: Vec<_> = by_name.chain(by_key).collect();
        all.retain(|((list, _), _)| list.this_update < known);
        let signed: Vec<_> = all.iter().map(|(found, _)| *found).collect();
        all.into_iter().filter(|(found, _)| counts(found, &signed)).find_map(|(found, whose)| {
            let entry = found.0.find_of(certificate.serial(), whose)?;
            (!entry.is_removal()).then_some((found, entry))
        })
    }

    fn lists_of(&self, issuer: &Certificate) -> &[usize] {
        let places = self.lists_by_name.get(issuer.subject.normal());
        places.map(Vec::as_slice).unwrap_or_default()
    }

    /// The anchor that signed the list at `place`, found out once.
    fn list_signer(&self, place: usize) -> Option<&Arc<Anchor>> {
        let list = self.lists.get(place)?;
        let find = || {
            let named = self.index.named(list.issuer.normal()).iter().copied();
            let fits = |place: &usize| {
                let anchor = self.anchors.get(*place);
                anchor.is_some_and(|anchor| list.is_signed_with(&anchor.verifying).unwrap_or(false))
            };
            named.take(MOST_TRIES).find(fits)
        };
        let slot = self.learnt().list_signers.get(place)?;
        self.anchors.get((*slot.get_or_init(find))?)
    }
}

/// A list and who signed it.
type Signed<'a> = (&'a Arc<Crl>, &'a Arc<Anchor>);

/// Whether a list is the newest of its key, or changes the newest whole one.
fn counts(one: &Signed<'_>, all: &[Signed<'_>]) -> bool {
    let same_key = |other: &&Signed<'_>| other.1.identity == one.1.identity;
    let mut later = all.iter().filter(same_key).filter(|o| o.0.this_update > one.0.this_update);
    match one.0.scope {
        // A partial list may speak of others than a later one does.
        Scope::Partial => true,
        Scope::Whole | Scope::Delta => !later.any(|other| other.0.scope == Scope::Whole),
    }
}

/// `lists` are sorted by date.
fn status<'a>(lists: &[Signed<'a>], serial: &[u8], at: OffsetDateTime) -> Status<'a> {
    let found =
        lists.iter().filter_map(|(list, signer)| Some((*list, *signer, list.find(serial)?)));
    let revoked = found.filter(|(_, _, entry)| !entry.is_removal());
    let mut standing = revoked.filter(|(list, signer, entry)| {
        !(entry.is_hold() && is_lifted(list, signer, lists, serial))
    });
    if let Some((_, _, entry)) = standing.next() {
        return Status::Revoked(entry);
    }
    let Some((whole, signer)) = lists.iter().rev().find(|(list, _)| list.scope == Scope::Whole)
    else {
        return Status::Unknown;
    };
    let changes = lists
        .iter()
        .filter(|(list, by)| list.scope == Scope::Delta && by.identity == signer.identity);
    let fresh_until =
        changes.map(|(list, _)| list.fresh_until()).chain([whole.fresh_until()]).max();
    match fresh_until.is_some_and(|until| at <= until) {
        true => Status::Good,
        false => Status::Stale,
    }
}

/// Whether a later change by the same key ends a hold (RFC 5280 §5.2.4).
fn is_lifted(held: &Crl, signer: &Anchor, lists: &[Signed<'_>], serial: &[u8]) -> bool {
    lists.iter().any(|(list, by)| {
        list.scope == Scope::Delta
            && list.this_update > held.this_update
            && by.identity == signer.identity
            && list.find(serial).is_some_and(Entry::is_removal)
    })
}
