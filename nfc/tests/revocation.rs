//! Revocation lists of every kind, and what they say of a document signer: `signer.revocation`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authority;

use authority::{
    Hash, Key, List, STATE, Scheme, Sod, Template, bytes, dg1, extension, integer, name, seq, tlv,
};
use nfc::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    passive,
    trust::{Domain, TrustStore, crl::Crl},
};
use time::{Date, macros::date};

/// The signer's serial number.
const OURS: u8 = 0x21;
const TODAY: Date = date!(2026 - 07 - 01);

/// A state with a root, and a document of its signer.
struct State {
    csca: Key,
    store: TrustStore,
    files: Files,
}

impl State {
    fn new() -> Self {
        let (csca, signer) = (Key::usual(), Key::usual());
        let mut store = TrustStore::new(Domain::Qa);
        store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
        let certificate = Template::signer(&signer, &csca).sign(&csca);
        let sod = Sod::of(&[(1, dg1())], certificate).sign(&signer);
        let files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
        Self { csca, store, files }
    }

    fn check(&self, lists: &[Vec<u8>], at: Date) -> Check {
        let mut store = self.store.clone();
        for list in lists {
            store.add_crl_der(list).unwrap();
        }
        let report = passive::verify(&self.files, &store, at);
        report.checks.into_iter().find(|check| check.id == "signer.revocation").unwrap()
    }

    fn outcome(&self, lists: &[Vec<u8>]) -> Outcome {
        self.check(lists, TODAY).outcome
    }
}

const REVOKED: Outcome = Outcome::Failed(Reason::SignerRevoked);
const STALE: Outcome = Outcome::NotPerformed(Some(Reason::CrlStale));
const SILENT: Outcome = Outcome::NotPerformed(None);

#[test]
fn a_list_revokes_by_serial_number_for_any_reason_but_removal() {
    let state = State::new();
    let of = |entries: &[(u8, Option<u8>)]| state.outcome(&[List::of(entries).sign(&state.csca)]);
    assert_eq!(state.outcome(&[]), SILENT);
    assert_eq!(of(&[]), Outcome::Passed);
    assert_eq!(of(&[(0x20, None), (0x22, Some(1))]), Outcome::Passed);
    assert_eq!(of(&[(0x20, None), (OURS, None), (0x22, None)]), REVOKED);
    for reason in [0, 1, 2, 3, 4, 5, 6, 9, 10] {
        assert_eq!(of(&[(OURS, Some(reason))]), REVOKED, "{reason}");
    }
    assert_eq!(of(&[(OURS, Some(8))]), Outcome::Passed, "removed");
    assert_eq!(of(&[(OURS, Some(8)), (OURS, Some(1))]), REVOKED, "both");
    let odd = List { entries: vec![(vec![0, OURS], None)], ..List::of(&[]) };
    assert_eq!(state.outcome(&[odd.sign(&state.csca)]), REVOKED, "a zero too many");
}

#[test]
fn the_evidence_names_lists_and_entry() {
    let state = State::new();
    let list = List::of(&[(OURS, Some(1))]).sign(&state.csca);
    let check = state.check(std::slice::from_ref(&list), TODAY);
    assert_eq!(check.evidence["entry"]["reason"], 1);
    let sha256 = hex::encode(Hash::Sha256.digest(&list));
    assert_eq!(check.evidence["lists"][0]["sha256"], sha256);
    assert_eq!(check.evidence["next_update"], "2026-09-01T12:00:00Z");
}

#[test]
fn a_list_is_fresh_until_the_next_is_due() {
    let state = State::new();
    let at = |list: &List, day| state.check(&[list.sign(&state.csca)], day).outcome;
    let list = List::of(&[]);
    assert_eq!(at(&list, date!(2026 - 09 - 01)), Outcome::Passed);
    assert_eq!(at(&list, date!(2026 - 09 - 02)), STALE);
    assert_eq!(at(&list, date!(2026 - 06 - 01)), Outcome::Passed, "of the day itself");
    assert_eq!(at(&list, date!(2026 - 05 - 31)), SILENT, "not out yet");
    // One that does not say is good for the ninety days in which another must come.
    let silent = List::of(&[]).dated(date!(2026 - 06 - 01), None);
    assert_eq!(at(&silent, date!(2026 - 08 - 30)), Outcome::Passed);
    assert_eq!(at(&silent, date!(2026 - 08 - 31)), STALE);
    // What an old list revoked stays so.
    let old = List::of(&[(OURS, None)]);
    assert_eq!(at(&old, date!(2029 - 01 - 01)), REVOKED);
}

#[test]
fn the_newest_list_of_a_key_counts() {
    let state = State::new();
    let sign = |list: List| list.sign(&state.csca);
    let old = List::of(&[(OURS, Some(6))]);
    let new = List::of(&[]).dated(date!(2026 - 06 - 20), Some(date!(2026 - 09 - 20)));
    for lists in [[old.clone(), new.clone()], [new, old]] {
        assert_eq!(state.outcome(&lists.map(sign)), Outcome::Passed);
    }
}

#[test]
fn after_a_change_of_keys_either_key_revokes() {
    let mut state = State::new();
    let new = Key::usual();
    state.store.add_der(&Template::issuer(&new, &state.csca).sign(&state.csca)).unwrap();
    let later = List::of(&[]).dated(date!(2026 - 06 - 20), Some(date!(2026 - 09 - 20)));
    let by_new = List { entries: vec![(vec![OURS], None)], ..later.clone() };
    assert_eq!(state.outcome(&[by_new.sign(&new)]), REVOKED);
    assert_eq!(state.outcome(&[later.sign(&new)]), Outcome::Passed);
    // A later list of the new key says nothing against an earlier one of the old.
    let by_old = List::of(&[(OURS, None)]).sign(&state.csca);
    assert_eq!(state.outcome(&[by_old, later.sign(&new)]), REVOKED);
}

#[test]
fn a_list_of_another_issuer_or_key_says_nothing() {
    let state = State::new();
    let stranger = Key::usual();
    let forged = List::of(&[(OURS, None)]).sign(&stranger);
    let check = state.check(std::slice::from_ref(&forged), TODAY);
    assert_eq!(check.outcome, SILENT);
    let reported = &check.evidence["not_signed_by_the_issuer"][0];
    assert_eq!(*reported, hex::encode(Hash::Sha256.digest(&forged)));
    let good = List::of(&[]).sign(&state.csca);
    assert_eq!(state.outcome(&[forged, good]), Outcome::Passed);

    let mut changed = List::of(&[(0x20, None)]).sign(&state.csca);
    let at = changed.windows(3).position(|window| window == [2, 1, 0x20]).unwrap();
    changed[at + 2] = OURS;
    assert_eq!(state.outcome(&[changed]), SILENT);

    let other = List { issuer: name(STATE, "Other"), ..List::of(&[(OURS, None)]) };
    assert_eq!(state.outcome(&[other.sign(&state.csca)]), SILENT);
}

const DELTA: &str = "2.5.29.27";
const DISTRIBUTION_POINT: &str = "2.5.29.28";

fn delta(entries: &[(u8, Option<u8>)]) -> List {
    let later = List::of(entries).dated(date!(2026 - 06 - 20), Some(date!(2026 - 10 - 01)));
    later.with(extension(DELTA, true, &integer(1)))
}

#[test]
fn changes_add_to_a_whole_list_and_say_nothing_alone() {
    let state = State::new();
    let sign = |list: List| list.sign(&state.csca);
    assert_eq!(state.outcome(&[sign(delta(&[]))]), SILENT);
    assert_eq!(state.outcome(&[sign(delta(&[(OURS, None)]))]), REVOKED);
    let with = |base: &[_], change: &[_]| [sign(List::of(base)), sign(delta(change))];
    assert_eq!(state.outcome(&with(&[], &[])), Outcome::Passed);
    assert_eq!(state.outcome(&with(&[], &[(OURS, None)])), REVOKED);
    assert_eq!(state.outcome(&with(&[(OURS, Some(6))], &[])), REVOKED);
    assert_eq!(state.outcome(&with(&[(OURS, Some(6))], &[(OURS, Some(8))])), Outcome::Passed);
    let final_one = with(&[(OURS, Some(1))], &[(OURS, Some(8))]);
    assert_eq!(state.outcome(&final_one), REVOKED, "only a hold ends");
    // The changes are newer than the whole list, and so is what they leave out.
    let late = state.check(&with(&[], &[]), date!(2026 - 09 - 15));
    assert_eq!(late.outcome, Outcome::Passed);
}

#[test]
fn a_list_of_some_certificates_cannot_clear_one() {
    let state = State::new();
    let point =
        |tag: u32, value: &[u8]| extension(DISTRIBUTION_POINT, true, &seq(&[bytes(tag, value)]));
    let outcome = |entries: &[(u8, Option<u8>)], extension: Vec<u8>| {
        state.outcome(&[List::of(entries).with(extension).sign(&state.csca)])
    };
    for (what, extension, clears) in [
        ("user certificates", point(0x81, &[0xFF]), true),
        ("authorities", point(0x82, &[0xFF]), false),
        ("some reasons", point(0x83, &[1, 0x40]), false),
        ("indirect", point(0x84, &[0xFF]), true),
        ("attribute certificates", point(0x85, &[0xFF]), false),
        ("an unknown critical extension", extension("1.2.3.4", true, &[5, 0]), false),
        ("an unknown extension", extension("1.2.3.4", false, &[5, 0]), true),
        ("its number", extension("2.5.29.20", true, &integer(7)), true),
    ] {
        let expected = if clears { Outcome::Passed } else { SILENT };
        assert_eq!(outcome(&[], extension.clone()), expected, "{what}");
        assert_eq!(outcome(&[(OURS, None)], extension), REVOKED, "{what}");
    }
}

/// A list whose entries are the parts of an entry's SEQUENCE, signed by `by` under `issuer`.
fn indirect(by: &Key, issuer: &[u8], entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let template = List::of(&[]);
    let mut parts = vec![
        integer(1),
        by.scheme.algorithm(),
        issuer.to_vec(),
        authority::utc(template.this_update),
        authority::utc(template.next_update.unwrap()),
        seq(entries),
    ];
    parts.extend((!extensions.is_empty()).then(|| tlv(0xA0, &[seq(extensions)])));
    let tbs = seq(&parts);
    let signature = [&[0], by.sign(&tbs).as_slice()].concat();
    seq(&[tbs, by.scheme.algorithm(), bytes(3, &signature)])
}

fn entry(serial: u8, more: Vec<u8>) -> Vec<u8> {
    seq(&[bytes(2, &[serial]), authority::utc(date!(2026 - 05 - 01)), more])
}

/// `certificateIssuer`.
fn whose(issuers: &[&[u8]]) -> Vec<u8> {
    let names: Vec<_> = issuers.iter().map(|issuer| tlv(0xA4, &[issuer.to_vec()])).collect();
    seq(&[extension("2.5.29.29", true, &seq(&names))])
}

/// In an indirect list entries are another issuer's from the one on that says so.
#[test]
fn entries_of_other_issuers_do_not_count() {
    let state = State::new();
    let csca = name(STATE, "CSCA");
    let outcome =
        |entries: &[Vec<u8>]| state.outcome(&[indirect(&state.csca, &csca, entries, &[])]);
    let elsewhere = name("XX", "CSCA");
    let (own, other) = (whose(&[&csca]), whose(&[&elsewhere]));
    assert_eq!(outcome(&[entry(1, other.clone()), entry(OURS, vec![])]), Outcome::Passed);
    assert_eq!(outcome(&[entry(1, other), entry(OURS, own)]), REVOKED);
    assert_eq!(outcome(&[entry(OURS, whose(&[&elsewhere, &csca]))]), REVOKED);
    assert_eq!(outcome(&[entry(OURS, vec![])]), REVOKED);
}

/// A state that took another name lists what it issued under the old one.
#[test]
fn an_entry_that_names_the_issuer_counts_in_a_list_of_the_same_country() {
    let mut state = State::new();
    let (renamed, foreign) = (Key::usual(), Key::usual());
    let new_name = name(STATE, "New CSCA");
    for (key, subject) in [(&renamed, new_name.clone()), (&foreign, name("XX", "CSCA"))] {
        let root = Template { issuer: subject.clone(), subject, ..Template::issuer(key, key) };
        state.store.add_der(&root.sign(key)).unwrap();
    }
    let named = whose(&[&name(STATE, "CSCA")]);
    let by = |key: &Key, issuer: &[u8], more: Vec<u8>| {
        state.outcome(&[indirect(key, issuer, &[entry(OURS, more)], &[])])
    };
    assert_eq!(by(&renamed, &new_name, named.clone()), REVOKED);
    assert_eq!(by(&renamed, &new_name, vec![]), SILENT, "of the new name's own");
    assert_eq!(by(&foreign, &name("XX", "CSCA"), named.clone()), SILENT, "another country");
    assert_eq!(by(&foreign, &new_name, named.clone()), SILENT, "another key");
    // What does not have it says nothing, and another list may still clear it.
    let empty = indirect(&renamed, &new_name, &[entry(0x20, named)], &[]);
    assert_eq!(state.outcome(std::slice::from_ref(&empty)), SILENT);
    let own = List::of(&[]).sign(&state.csca);
    assert_eq!(state.outcome(&[empty, own]), Outcome::Passed);
}

/// A name that stands for many entries is neither copied for each nor of any length.
#[test]
fn a_long_name_for_many_entries_is_refused() {
    let state = State::new();
    let of_length = |length: usize| {
        let named = whose(&[&name(STATE, &"x".repeat(length))]);
        let rest = seq(&[bytes(2, &[OURS]), authority::utc(date!(2026 - 05 - 01))]);
        let mut entries = vec![rest; 90_000];
        entries[0] = entry(OURS, named);
        indirect(&state.csca, &name(STATE, "CSCA"), &entries, &[])
    };
    assert_eq!(state.outcome(&[of_length(4000)]), Outcome::Passed);
    assert!(Crl::parse(&of_length(5000)).is_err());
}

/// The evidence holds such a list and who signed it, so that the verdict can be reached again.
#[test]
fn a_list_by_another_name_belongs_to_the_basis() {
    let mut state = State::new();
    let renamed = Key::usual();
    let subject = name(STATE, "New CSCA");
    let root =
        Template { issuer: subject.clone(), subject, ..Template::issuer(&renamed, &renamed) };
    state.store.add_der(&root.sign(&renamed)).unwrap();
    let named = whose(&[&name(STATE, "CSCA")]);
    let list = indirect(&renamed, &name(STATE, "New CSCA"), &[entry(OURS, named)], &[]);
    state.store.add_crl_der(&list).unwrap();
    let report = passive::verify(&state.files, &state.store, TODAY);
    let alone = report.basis().store(Domain::Qa).unwrap();
    let again = passive::verify(&state.files, &alone, TODAY);
    let outcome = |report: &passive::Report| {
        report.checks.iter().find(|check| check.id == "signer.revocation").unwrap().outcome
    };
    assert_eq!((outcome(&report), outcome(&again)), (REVOKED, REVOKED));
}

/// The issuer's key under another name is still the issuer.
#[test]
fn a_list_of_the_issuers_key_revokes_under_any_name() {
    let state = State::new();
    let other = name(STATE, "Other");
    let id = |key: &Key| extension("2.5.29.35", false, &seq(&[bytes(0x80, &key.id())]));
    let by = |key: &Key, serial: u8| {
        let entries = [entry(serial, vec![])];
        state.outcome(&[indirect(key, &other, &entries, &[id(&state.csca)])])
    };
    assert_eq!(by(&state.csca, OURS), REVOKED);
    assert_eq!(by(&state.csca, 0x20), SILENT, "it clears nothing");
    assert_eq!(by(&Key::usual(), OURS), SILENT, "another key that says it is this one");
}

/// An issuer's own certificate on the list: its key is in other hands, or it was only replaced, or
/// a document signer with the same serial number is meant.
#[test]
fn an_issuer_that_lost_its_key_vouches_for_nobody() {
    let state = State::new();
    let root = 1;
    for (reason, expected) in [
        (None, Outcome::Passed),
        (Some(1), Outcome::Passed),
        (Some(2), REVOKED),
        (Some(4), Outcome::Passed),
        (Some(5), Outcome::Passed),
    ] {
        let list = List::of(&[(root, reason)]).sign(&state.csca);
        assert_eq!(state.outcome(&[list]), expected, "{reason:?}");
    }
}

#[test]
fn lists_are_signed_with_any_algorithm_of_a_certificate() {
    for csca in [
        Key::rsa(2048, Scheme::Pss(Hash::Sha256, 32)),
        Key::dsa(2048, 256, Scheme::Dsa(Hash::Sha256)),
    ] {
        let mut state = State::new();
        let signer = Key::usual();
        let mut store = TrustStore::new(Domain::Qa);
        store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
        let sod = Sod::of(&[(1, dg1())], Template::signer(&signer, &csca).sign(&csca));
        state.files.insert(FileId::Sod, sod.sign(&signer));
        (state.csca, state.store) = (csca, store);
        assert_eq!(state.outcome(&[List::of(&[]).sign(&state.csca)]), Outcome::Passed);
        let revoked = List::of(&[(OURS, None)]).sign(&state.csca);
        assert_eq!(state.outcome(&[revoked]), REVOKED);
    }
}

#[test]
fn what_is_no_list_is_an_error() {
    let state = State::new();
    let list = List::of(&[(OURS, None)]).sign(&state.csca);
    assert_eq!(Crl::parse(&list).unwrap().len(), 1);
    for end in (0..list.len()).step_by(7) {
        assert!(Crl::parse(&list[..end]).is_err(), "{end}");
    }
}
