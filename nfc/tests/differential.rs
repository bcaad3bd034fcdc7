//! Our verdict on the signature of EF.SOD beside that of OpenSSL's CMS (`openssl cms -verify`), on
//! documents that `fixtures` made and on thousands that were spoiled, reworded or signed anew.
//!
//! The verdicts are the same, or the difference is of a kind that `differential/differences.toml`
//! explains. A difference of no listed kind fails, and so does a kind that no longer occurs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "differential/resigned.rs"]
mod resigned;
#[path = "differential/reworded.rs"]
mod reworded;
#[path = "differential/seeds.rs"]
mod seeds;
#[path = "differential/spoil.rs"]
mod spoil;
#[path = "differential/tree.rs"]
mod tree;
#[path = "differential/verdict.rs"]
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use seeds::{BODY, CONTENT, Seed};
use serde::Deserialize;
use spoil::Dice;
use verdict::Verdict;

/// One document with one thing done to it.
pub(crate) struct Case {
    /// The field that was changed.
    pub(crate) field: &'static str,
    /// What was done to it.
    pub(crate) how: &'static str,
    /// The CMS message.
    pub(crate) message: Vec<u8>,
    /// The content and the certificate's body that the issuing state signed; none if a key of our
    /// own signed.
    pub(crate) signed: Option<(Vec<u8>, Vec<u8>)>,
}

impl Case {
    /// Made from `seed` without a key.
    pub(crate) fn of(
        seed: &Seed,
        field: &'static str,
        how: &'static str,
        message: Vec<u8>,
    ) -> Self {
        let signed = Some((seed.tree.at(CONTENT).value(), seed.tree.at(BODY).write()));
        Self { field, how, message, signed }
    }

    /// Signed anew, with a key of our own.
    pub(crate) fn signed(field: &'static str, how: &'static str, message: Vec<u8>) -> Self {
        Self { field, how, message, signed: None }
    }

    /// Our verdict; what it takes to be signed by the state is what the state signed.
    fn ours(&self) -> Verdict {
        let Self { field, how, message, signed } = self;
        let ours = verdict::ours(message, &SEEDS[0].csca);
        if ours.verdict.is_ok() && ours.relied_on.is_some() {
            assert_eq!(ours.relied_on, *signed, "{field}: {how}");
        }
        ours.verdict
    }
}

/// The differences that are known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    difference: Vec<Difference>,
}

/// A kind of difference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    name: String,
    /// Who accepts: `nfc` or `openssl`.
    accepted_by: String,
    /// Which fields, any if there are none; `*` ends the beginning of a name.
    #[serde(default)]
    fields: Vec<String>,
    /// What was done to them; anything if there is nothing.
    #[serde(default)]
    how: Vec<String>,
    /// Why the other refuses; for any reason if there is none.
    #[serde(default)]
    refused_for: Vec<String>,
    /// Why it is right, or does no harm.
    #[expect(dead_code, reason = "for people")]
    why: String,
}

impl Difference {
    fn is(&self, case: &Case, accepted_by: &str, reason: &str) -> bool {
        let one = |known: &String, value: &str| match known.strip_suffix('*') {
            Some(start) => value.starts_with(start),
            None => known == value,
        };
        let fits =
            |list: &[String], value| list.is_empty() || list.iter().any(|known| one(known, value));
        self.accepted_by == accepted_by
            && fits(&self.fields, case.field)
            && fits(&self.how, case.how)
            && fits(&self.refused_for, reason)
    }
}

static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(seeds::all);

/// Everything is done to a document of the first family; to those of the others some of it.
fn cases() -> Vec<Case> {
    let dice = &mut Dice(0x1D7_0001);
    let mut cases = resigned::all(&SEEDS[0]);
    for (index, seed) in SEEDS.iter().enumerate() {
        cases.push(Case::of(seed, "ContentInfo", "left alone", seed.tree.write()));
        cases.extend(reworded::all(seed));
        cases.extend(match index {
            0 => spoil::every(seed),
            1 | 2 => spoil::some(seed, dice, 300),
            _ => spoil::some(seed, dice, 40),
        });
        cases.extend(spoil::bytewise(seed, dice, if index < 3 { 150 } else { 40 }));
    }
    cases
}

/// Both verdicts of a document.
struct Compared {
    case: Case,
    ours: Verdict,
    theirs: Verdict,
}

/// Every document, judged by both.
static COMPARED: LazyLock<Vec<Compared>> = LazyLock::new(|| {
    let judge = |case: Case| {
        let (ours, theirs) = (case.ours(), verdict::library(&case.message));
        Compared { case, ours, theirs }
    };
    cases().into_iter().map(judge).collect()
});

impl Compared {
    /// Who accepts alone, and why the other does not.
    fn difference(&self) -> Option<(&'static str, &str)> {
        match (&self.ours, &self.theirs) {
            (Ok(()), Err(reason)) => Some(("nfc", reason)),
            (Err(reason), Ok(())) => Some(("openssl", reason)),
            _ => None,
        }
    }
}

#[test]
fn verdicts_are_openssls_or_differ_for_a_listed_reason() {
    let known: Known = toml::from_str(include_str!("differential/differences.toml")).unwrap();
    let known = known.difference;
    let mut found = vec![0_usize; known.len()];
    let mut unknown: BTreeMap<_, usize> = BTreeMap::new();
    for compared in &*COMPARED {
        let Some((accepted_by, reason)) = compared.difference() else { continue };
        let Case { field, how, .. } = compared.case;
        match known.iter().position(|kind| kind.is(&compared.case, accepted_by, reason)) {
            Some(kind) => found[kind] += 1,
            None => *unknown.entry((accepted_by, field, how, reason)).or_default() += 1,
        }
    }
    let says = |c: &Compared, ok| c.ours.is_ok() == ok && c.theirs.is_ok() == ok;
    let both = |ok| COMPARED.iter().filter(|compared| says(compared, ok)).count();
    println!("{} documents", COMPARED.len());
    println!("{:>5} accepted by both", both(true));
    println!("{:>5} refused by both", both(false));
    for (Difference { name, accepted_by, .. }, count) in known.iter().zip(&found) {
        println!("{count:>5} accepted by {accepted_by} alone: {name}");
    }
    for ((accepted_by, field, how, reason), count) in &unknown {
        println!("{count:>5} NOT LISTED, {accepted_by} alone: {field}: {how}: {reason}");
    }
    assert!(unknown.is_empty(), "{} kinds of difference are not listed", unknown.len());
    let gone: Vec<_> = known.iter().zip(&found).filter(|(_, count)| **count == 0).collect();
    let gone: Vec<_> = gone.iter().map(|(difference, _)| &difference.name).collect();
    assert!(gone.is_empty(), "listed, and no longer there: {gone:?}");
}

/// The `openssl` command says what its library says, on one document in so many and on one of each
/// field on which we differ.
#[test]
fn the_command_agrees_with_the_library() {
    let mut fields = BTreeSet::new();
    let mut is_new = |compared: &Compared| {
        let difference = compared.difference();
        difference.is_some_and(|(by, _)| fields.insert((by, compared.case.field)))
    };
    let asked = COMPARED.iter().enumerate().filter(|(i, c)| is_new(c) || i % 33 == 0);
    let mut accepted = [0, 0];
    for (_, Compared { case, theirs, .. }) in asked {
        let Some(verdict) = verdict::command(&case.message) else {
            println!("not compared: there is no openssl command");
            return;
        };
        assert_eq!(verdict, theirs.is_ok(), "{}: {}: {theirs:?}", case.field, case.how);
        accepted[usize::from(verdict)] += 1;
    }
    println!("openssl cms -verify: {} refused, {} accepted", accepted[0], accepted[1]);
    assert!(accepted.iter().sum::<usize>() >= 100 && !accepted.contains(&0));
}

#[test]
fn documents_that_were_left_alone_are_accepted() {
    for Seed { family, tree, csca } in &*SEEDS {
        let ours = verdict::ours(&tree.write(), csca);
        assert_eq!((ours.verdict, ours.relied_on.is_some()), (Ok(()), true), "{family}");
        assert_eq!(verdict::library(&tree.write()), Ok(()), "{family}");
    }
}

/// What no signer means and an attacker would try: the other side may think what it likes.
#[test]
fn attacks_are_refused() {
    let attacks = [
        ("Certificate.key", "explicit parameters, the public key as generator"),
        ("Certificate.key", "explicit parameters, prime composite, generator compressed"),
        ("Certificate.key", "point at infinity"),
        ("SignedData.eContent", "attributes for another document"),
        ("SignerInfo.signedAttrs", "made the content instead"),
        ("SignerInfo.signedAttrs", "left out"),
        ("SignerInfo.signedAttrs", "digest twice, the right one last"),
        ("SignerInfo.signedAttrs", "two values of the digest, the right one first"),
        ("SignerInfo.digestAlgorithm", "MD5, signed with it"),
        ("SignerInfo.signature", "r and s zero"),
        ("SignerInfo.signature", "r and s the order"),
        ("SignedData.signerInfos", "one with a wrong signature before it"),
    ];
    for (field, how) in attacks {
        let mut same = COMPARED.iter().filter(|c| (c.case.field, c.case.how) == (field, how));
        let first = same.next().unwrap_or_else(|| panic!("no case {field}: {how}"));
        for Compared { ours, .. } in std::iter::once(first).chain(same) {
            assert!(ours.is_err(), "{field}: {how}");
        }
    }
}
