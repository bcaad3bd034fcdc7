//! Which issuer a document chains to, over the changes of keys that states make and the tricks that
//! an attacker has: `signer.chain`, `signer.validity`, and the paths of the trust store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authority;

use std::sync::Arc;

use authority::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, Hash, KEY_USAGE, Key, STATE,
    SUBJECT_KEY_ID, Scheme, Sod, Template, bytes, dg1, extension, failures, integer, key_usage,
    name, oid, seq, tlv,
};
use nfc::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    passive::{self, Report},
    trust::{
        Added, Domain, Path, PathError, TrustStore,
        certificate::Certificate,
        profile::{Misuse, misuse},
    },
};
use time::macros::date;

fn store(certificates: &[Vec<u8>]) -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    for der in certificates {
        store.add_der(der).unwrap();
    }
    store
}

fn parse(der: &[u8]) -> Certificate {
    Certificate::parse(der).unwrap()
}

fn root(key: &Key) -> Vec<u8> {
    Template::issuer(key, key).sign(key)
}

/// The certificate of `key` by `by`, under the one name.
fn link(key: &Key, by: &Key) -> Vec<u8> {
    Template::issuer(key, by).sign(by)
}

/// The places in the store of the path's steps, and whether it is whole.
fn shape(store: &TrustStore, der: &[u8]) -> Result<(Vec<usize>, bool), PathError> {
    let certificate = parse(der);
    let path = store.path(&certificate)?;
    let place = |path: &Path| -> Vec<usize> {
        let all = store.anchors();
        path.anchors().map(|step| all.iter().position(|a| a == step).unwrap()).collect()
    };
    Ok((place(&path), path.is_whole()))
}

fn judge(template: &Template, signer: &Key, by: &Key, store: &TrustStore) -> Report {
    let sod = Sod::of(&[(1, dg1())], template.sign(by));
    let identifier = seq(&[template.issuer.clone(), bytes(0x02, &template.serial)]);
    let sod = Sod { identifier, ..sod }.sign(signer);
    let files: Files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
    passive::verify(&files, store, date!(2026 - 07 - 01))
}

fn chain(report: &Report) -> &Check {
    report.checks.iter().find(|check| check.id == "signer.chain").unwrap()
}

#[test]
fn a_new_key_is_reached_through_the_link_from_the_old_and_the_other_way() {
    let (old, new, ds) = (Key::usual(), Key::usual(), Key::usual());
    let forward = store(&[root(&old), link(&new, &old)]);
    let by_new = Template::signer(&ds, &new).sign(&new);
    assert_eq!(shape(&forward, &by_new), Ok((vec![1, 0], true)));
    let back = store(&[link(&old, &new), root(&new)]);
    let by_old = Template::signer(&ds, &old).sign(&old);
    assert_eq!(shape(&back, &by_old), Ok((vec![0, 1], true)));
    // With the root itself there, the link is not needed.
    let both = store(&[root(&old), link(&new, &old), root(&new)]);
    assert_eq!(shape(&both, &by_new), Ok((vec![2], true)));

    let linked = &both.anchors()[1];
    assert!(both.links(linked).iter().all(|anchor| **anchor == both.anchors()[0]));
    assert_eq!(both.links(linked).len(), 1);
    assert!(!both.is_self_signed(linked) && both.is_self_signed(&both.anchors()[0]));
    assert!(both.links(&both.anchors()[0]).is_empty(), "a root is no link");
    for (key, store) in [(&new, &forward), (&old, &back), (&new, &both)] {
        assert_eq!(failures(&judge(&Template::signer(&ds, key), &ds, key, store)), []);
    }
}

#[test]
fn roots_of_one_name_are_told_apart_by_the_signature_alone() {
    let keys: Vec<_> = (0..7).map(|_| Key::usual()).collect();
    let roots: Vec<_> = keys.iter().map(root).collect();
    let (store, ds) = (store(&roots), Key::usual());
    for (i, key) in keys.iter().enumerate() {
        let right = Template::signer(&ds, key);
        assert_eq!(shape(&store, &right.sign(key)), Ok((vec![i], true)));
        let none = right.clone().without(AUTHORITY_KEY_ID);
        assert_eq!(shape(&store, &none.sign(key)), Ok((vec![i], true)));
        // The key identifier of another root misleads nobody.
        let other = Template::signer(&ds, &keys[(i + 1) % 7]);
        assert_eq!(shape(&store, &other.sign(key)), Ok((vec![i], true)));
    }
}

/// A state certified its key again: the certificate counts that was valid when the signer's was
/// issued, whichever came first into the store.
#[test]
fn of_equal_keys_the_certificate_counts_that_was_valid() {
    let (key, ds) = (Key::usual(), Key::usual());
    let early = Template::issuer(&key, &key).valid(date!(2015 - 01 - 01), date!(2022 - 01 - 01));
    let late = Template::issuer(&key, &key).valid(date!(2022 - 01 - 01), date!(2035 - 01 - 01));
    let certificates = [early.sign(&key), late.sign(&key)];
    let signer = Template::signer(&ds, &key);
    for (order, expected) in [([0, 1], 1), ([1, 0], 0)] {
        let store = store(&order.map(|i| certificates[i].clone()));
        assert_eq!(shape(&store, &signer.sign(&key)), Ok((vec![expected], true)));
        assert_eq!(failures(&judge(&signer, &ds, &key, &store)), []);
    }
    let only_early = store(&certificates[..1]);
    assert_eq!(failures(&judge(&signer, &ds, &key, &only_early)), [Reason::CscaExpired]);
}

#[test]
fn circles_and_long_ways_end() {
    let (one, two, ds) = (Key::usual(), Key::usual(), Key::usual());
    let circle = store(&[link(&one, &two), link(&two, &one)]);
    let by_one = Template::signer(&ds, &one).sign(&one);
    assert_eq!(shape(&circle, &by_one), Ok((vec![0, 1], false)));

    let keys: Vec<_> = (0..12).map(|_| Key::usual()).collect();
    let mut certificates = vec![root(&keys[0])];
    certificates.extend(keys.windows(2).map(|pair| link(&pair[1], &pair[0])));
    let long = store(&certificates);
    let from = |i: usize| shape(&long, &Template::signer(&ds, &keys[i]).sign(&keys[i])).unwrap();
    assert_eq!(from(7), ((0..8).rev().collect(), true));
    let (way, whole) = from(11);
    assert_eq!((way.len(), whole), (8, false));
}

/// One key is tried once, and not more than 64 are.
#[test]
fn work_is_bounded() {
    let keys: Vec<_> = (0..70).map(|_| Key::usual()).collect();
    let all: Vec<_> = keys.iter().map(root).collect();
    let full = store(&all);
    let (stranger, ds) = (Key::usual(), Key::usual());
    let by_stranger = Template::signer(&ds, &stranger).sign(&stranger);
    assert_eq!(shape(&full, &by_stranger), Err(PathError::Budget));
    assert_eq!(shape(&store(&all[..60]), &by_stranger), Err(PathError::Unknown));
    // The key identifier finds the last of them at once.
    let last = Template::signer(&ds, &keys[69]).sign(&keys[69]);
    assert_eq!(full.path(&parse(&last)).unwrap().tried(), 1);

    let key = &keys[0];
    let again = |serial| Template { serial: vec![serial], ..Template::issuer(key, key) }.sign(key);
    let same: Vec<_> = (1..100).map(again).collect();
    assert_eq!(shape(&store(&same), &by_stranger), Err(PathError::Unknown));
}

#[test]
fn a_self_made_issuer_is_unknown_by_whatever_name() {
    let (real, fake, ds) = (Key::usual(), Key::usual(), Key::usual());
    let trusted = store(&[root(&real)]);
    let by_name = Template::signer(&ds, &fake);
    let report = judge(&by_name, &ds, &fake, &trusted);
    assert_eq!(failures(&report), [Reason::CscaUnknown]);
    let by_key_id = Template::signer(&ds, &real);
    let report = judge(&by_key_id, &ds, &fake, &trusted);
    assert_eq!(failures(&report), [Reason::SignerUntrusted]);
    assert!(report.verified.is_none());

    // The attacker sends the self-made issuer along.
    let certificates = vec![by_name.sign(&fake), root(&fake)];
    let sod = Sod { certificates, ..Sod::of(&[(1, dg1())], Vec::new()) }.sign(&ds);
    let files: Files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
    let report = passive::verify(&files, &trusted, date!(2026 - 07 - 01));
    assert_eq!(failures(&report), [Reason::CscaUnknown]);
}

#[test]
fn a_signer_of_the_other_domain_is_named_so_and_not_trusted() {
    let (ours, theirs, ds) = (Key::usual(), Key::usual(), Key::usual());
    let mut other = TrustStore::new(Domain::Production);
    other.add_der(&root(&theirs)).unwrap();
    let store = store(&[root(&ours)]).with_foreign(Arc::new(other));
    let report = judge(&Template::signer(&ds, &theirs), &ds, &theirs, &store);
    assert_eq!(failures(&report), [Reason::CscaDomain]);
    assert_eq!(chain(&report).evidence["other_domain"], "production");
    assert!(report.verified.is_none() && report.csca().is_none());
    assert_eq!(failures(&judge(&Template::signer(&ds, &ours), &ds, &ours, &store)), []);
    let stranger = Key::usual();
    let report = judge(&Template::signer(&ds, &stranger), &ds, &stranger, &store);
    assert_eq!(failures(&report), [Reason::CscaUnknown]);
}

fn purposes(critical: bool, oids: &[&str]) -> Vec<u8> {
    let list: Vec<_> = oids.iter().map(|dotted| oid(dotted)).collect();
    extension(EXTENDED_KEY_USAGE, critical, &seq(&list))
}

const MASTER_LIST: &str = "2.23.136.1.1.3";
const TLS_SERVER: &str = "1.3.6.1.5.5.7.3.1";
const EMAIL: &str = "1.3.6.1.5.5.7.3.4";
const ANY: &str = "2.5.29.37.0";

/// A right signature with a key that the state certified for something else.
#[test]
fn the_right_key_with_the_wrong_usage_is_refused() {
    let (csca, ds) = (Key::usual(), Key::usual());
    let trusted = store(&[root(&csca)]);
    let right = || Template::signer(&ds, &csca);
    let is_ca = |is: &[u8]| extension(BASIC_CONSTRAINTS, true, &seq(&[bytes(0x01, is)]));
    let usage = |bits| right().without(KEY_USAGE).with(key_usage(bits));
    for (what, template, expected) in [
        ("an authority", right().with(is_ca(&[0xFF])), Misuse::IssuesCertificates),
        ("an authority, BER", right().with(is_ca(&[0x01])), Misuse::IssuesCertificates),
        ("signs certificates", usage(0x84), Misuse::IssuesCertificates),
        ("signs lists only", usage(0x02), Misuse::NoDigitalSignature),
        ("enciphers", usage(0x20), Misuse::NoDigitalSignature),
        ("no usage at all", usage(0x00), Misuse::NoDigitalSignature),
        ("master lists", right().with(purposes(true, &[MASTER_LIST])), Misuse::OtherPurpose),
        ("master lists, lax", right().with(purposes(false, &[MASTER_LIST])), Misuse::OtherPurpose),
        ("TLS", right().with(purposes(false, &[EMAIL, TLS_SERVER])), Misuse::OtherPurpose),
        ("unknown, critical", right().with(purposes(true, &["1.2.3.4"])), Misuse::OtherPurpose),
        ("version 1", Template { version: 1, ..right() }, Misuse::Version),
    ] {
        let report = judge(&template, &ds, &csca, &trusted);
        assert_eq!(failures(&report), [Reason::SignerUntrusted], "{what}");
        let found = misuse(&parse(&template.sign(&csca)), None);
        assert_eq!(found, [expected], "{what}");
        assert!(report.verified.is_none(), "{what}");
    }
    // The issuer signs by itself, under its own certificate or one for the same key.
    for template in [Template::issuer(&csca, &csca), Template::signer(&csca, &csca)] {
        let report = judge(&template, &csca, &csca, &trusted);
        assert_eq!(failures(&report), [Reason::SignerUntrusted]);
    }
    let short = Key::rsa(768, Scheme::Pkcs1(Hash::Sha256));
    let report = judge(&Template::signer(&short, &csca), &short, &csca, &trusted);
    assert_eq!(failures(&report), [Reason::SodAlgorithm], "a modulus of 768 bits");
}

/// A certificate that says twice that it issues none, though it lies among the anchors.
/// San Marino's certificates name no country; whoever else names none is believed for none.
#[test]
fn an_issuer_without_a_country_is_known_or_believed_for_none() {
    let outcome = |issuer: &str, state: &str, signer: Vec<u8>| {
        let (csca, ds) = (Key::usual(), Key::usual());
        let subject = seq(&[tlv(0x31, &[seq(&[oid("2.5.4.3"), bytes(0x13, issuer.as_bytes())])])]);
        let root = Template { issuer: subject.clone(), subject, ..Template::issuer(&csca, &csca) };
        let template = Template {
            issuer: root.subject.clone(),
            subject: signer,
            ..Template::signer(&ds, &csca)
        };
        let mut dg1 = dg1();
        let at = dg1.windows(3).position(|window| window == b"UTO").unwrap();
        dg1.get_mut(at..at + 3).unwrap().copy_from_slice(state.as_bytes());
        let identifier = seq(&[root.subject.clone(), bytes(0x02, &[0x21])]);
        let sod = Sod::of(&[(1, dg1.clone())], template.sign(&csca));
        let sod = Sod { identifier, ..sod }.sign(&ds);
        let files = [(FileId::DG1, dg1), (FileId::Sod, sod)].into_iter().collect();
        let trusted = store(&[root.sign(&csca)]);
        let report = passive::verify(&files, &trusted, date!(2026 - 07 - 01));
        report.checks.into_iter().find(|check| check.id == "signer.country").unwrap().outcome
    };
    let bare = || seq(&[tlv(0x31, &[seq(&[oid("2.5.4.3"), bytes(0x13, b"DS")])])]);
    let refused = Outcome::Failed(Reason::SignerCountry);
    assert_eq!(outcome("RSM-CSCA", "SMR", bare()), Outcome::Passed);
    assert_eq!(outcome("RSM-CSCA", "SMR", name("SM", "DS")), Outcome::Passed);
    assert_eq!(outcome("RSM-CSCA", "DNK", bare()), refused);
    assert_eq!(outcome("RSM-CSCA", "DNK", name("DK", "DS")), refused);
    assert_eq!(outcome("CSCA", "SMR", bare()), refused);
    assert_eq!(outcome("CSCA", "SMR", name("SM", "DS")), refused);
}

#[test]
fn a_document_signer_issues_no_document_signers() {
    let (csca, ds, below) = (Key::usual(), Key::usual(), Key::usual());
    let no_ca = extension(BASIC_CONSTRAINTS, true, &seq(&[]));
    let signer = Template::signer(&ds, &csca).with(no_ca).sign(&csca);
    let trusted = store(&[root(&csca), signer]);
    let template = Template { issuer: name(STATE, "DS"), ..Template::signer(&below, &ds) };
    let report = judge(&template, &below, &ds, &trusted);
    assert_eq!(failures(&report), [Reason::SignerUntrusted]);
    assert_eq!(chain(&report).evidence["misuse"][0], "issuer_is_none");
}

/// FIELD-NOTES: a strict profile would refuse real documents.
/// Not even one that was put among the issuers by mistake.
#[test]
fn a_document_signer_among_the_issuers_issues_none() {
    let (csca, first, second) = (Key::usual(), Key::usual(), Key::usual());
    let among = Template::signer(&first, &csca).sign(&csca);
    let below = Template { issuer: name(STATE, "DS"), ..Template::signer(&second, &first) };
    let report = judge(&below, &second, &first, &store(&[root(&csca), among]));
    assert_eq!(failures(&report), [Reason::SignerUntrusted]);
    assert!(report.verified.is_none());
}

#[test]
fn what_real_signers_get_wrong_is_a_remark() {
    let (csca, ds) = (Key::usual(), Key::usual());
    let trusted = store(&[root(&csca)]);
    let right = || Template::signer(&ds, &csca);
    let lax = extension(KEY_USAGE, false, &bytes(0x03, &[0, 0x80]));
    let period = |from: &str, until: &str| {
        let times = [bytes(0x80, from.as_bytes()), bytes(0x81, until.as_bytes())];
        extension("2.5.29.16", false, &seq(&times))
    };
    let types = |codes: &[&str]| {
        let codes: Vec<_> = codes.iter().map(|code| bytes(0x13, code.as_bytes())).collect();
        let list = seq(&[integer(0), tlv(0x31, &codes)]);
        extension("2.23.136.1.1.6.2", false, &list)
    };
    for (remark, template) in [
        ("no_authority_key_id", right().without(AUTHORITY_KEY_ID)),
        ("no_key_usage", right().without(KEY_USAGE)),
        ("key_usage_not_critical", right().without(KEY_USAGE).with(lax)),
        ("more_key_usage", right().without(KEY_USAGE).with(key_usage(0xA0))),
        ("unknown_purpose", right().with(purposes(false, &[EMAIL]))),
        ("unknown_purpose", right().with(purposes(true, &[ANY, TLS_SERVER]))),
        ("unknown_critical_extension", right().with(extension("1.2.3.4", true, &[5, 0]))),
        (
            "unreadable_extension",
            right().without(SUBJECT_KEY_ID).with(extension(SUBJECT_KEY_ID, false, &[1, 2, 3])),
        ),
        ("document_code_not_listed", right().with(types(&["V", "PD"]))),
        ("outside_key_usage_period", right().with(period("20240101120000Z", "20240401120000Z"))),
        ("issuer_name_differs", Template { issuer: name(STATE, "Renamed"), ..right() }),
        ("self_issued", Template { subject: name(STATE, "CSCA"), ..right() }),
    ] {
        let report = judge(&template, &ds, &csca, &trusted);
        assert_eq!(failures(&report), [], "{remark}");
        assert_eq!(chain(&report).evidence["remarks"], serde_json::json!([remark]));
        assert!(report.verified.is_some(), "{remark}");
    }
    let fine = right().with(types(&["P"])).with(period("20240101120000Z", "20250401120000Z"));
    let report = judge(&fine, &ds, &csca, &trusted);
    assert_eq!(chain(&report).evidence["remarks"], serde_json::json!([]));
}

#[test]
fn what_real_issuers_get_wrong_is_a_remark() {
    let (csca, ds) = (Key::usual(), Key::usual());
    let right = || Template::issuer(&csca, &csca);
    let usage = |bits| right().without(KEY_USAGE).with(key_usage(bits));
    let no_ca = extension(BASIC_CONSTRAINTS, true, &seq(&[integer(0)]));
    for (remark, template) in [
        ("issuer_without_basic_constraints", right().without(BASIC_CONSTRAINTS)),
        ("issuer_without_basic_constraints", right().without(BASIC_CONSTRAINTS).with(no_ca)),
        ("issuer_without_key_usage", right().without(KEY_USAGE)),
        ("issuer_without_key_usage", usage(0x82)),
        (
            "issuer_outside_key_usage_period",
            right().with(extension("2.5.29.16", false, &seq(&[bytes(0x81, b"20230101120000Z")]))),
        ),
    ] {
        let report =
            judge(&Template::signer(&ds, &csca), &ds, &csca, &store(&[template.sign(&csca)]));
        assert_eq!(failures(&report), [], "{remark}");
        assert_eq!(chain(&report).evidence["remarks"], serde_json::json!([remark]));
    }
}

/// A link to a key under a new name makes a path one longer than a root of length 0 allows.
#[test]
fn path_lengths_are_counted_without_self_issued_certificates() {
    let (old, new, ds) = (Key::usual(), Key::usual(), Key::usual());
    let signer = |issuer| Template { issuer, ..Template::signer(&ds, &new) };
    let renamed = Template { subject: name(STATE, "CSCA 2"), ..Template::issuer(&new, &old) };
    let trusted = store(&[root(&old), renamed.sign(&old)]);
    let report = judge(&signer(name(STATE, "CSCA 2")), &ds, &new, &trusted);
    assert_eq!(failures(&report), []);
    assert_eq!(chain(&report).evidence["remarks"], serde_json::json!(["path_length"]));
    let trusted = store(&[root(&old), link(&new, &old)]);
    let report = judge(&signer(name(STATE, "CSCA")), &ds, &new, &trusted);
    assert_eq!(chain(&report).evidence["remarks"], serde_json::json!([]));
}

/// A verdict can be reached again from what the report says that it rests on.
#[test]
fn the_basis_of_a_verdict_is_enough_to_reach_it_again() {
    let (old, new, ds) = (Key::usual(), Key::usual(), Key::usual());
    let (linked, rooted) = (link(&new, &old), root(&old));
    let mut trusted = store(&[root(&Key::usual()), rooted.clone(), linked.clone()]);
    let template = Template::signer(&ds, &new);
    let list = authority::List::of(&[(9, None)]).sign(&new);
    trusted.add_crl_der(&list).unwrap();
    trusted.add_signer_der(&template.sign(&new)).unwrap();
    let sod = Sod { certificates: vec![], ..Sod::of(&[(1, dg1())], Vec::new()) }.sign(&ds);
    let files: Files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
    let first = passive::verify(&files, &trusted, date!(2026 - 07 - 01));
    assert!(first.basis().chain == [linked, rooted]);
    assert!(first.basis().revocation_lists == [list]);

    let store = first.basis().store(Domain::Qa).unwrap();
    let again = passive::verify_kept(&files, &store, date!(2026 - 07 - 01));
    let outcomes =
        |report: &Report| report.checks.iter().map(|c| (c.id, c.outcome)).collect::<Vec<_>>();
    assert_eq!(outcomes(&first), outcomes(&again));
    assert_eq!(failures(&again), []);
    assert_eq!((first.signer(), first.csca()), (again.signer(), again.csca()));
}

/// After a change of keys the lists may be signed with a key that is not on the signer's path.
#[test]
fn who_signed_a_list_beside_the_path_belongs_to_the_basis() {
    let (old, new, ds) = (Key::usual(), Key::usual(), Key::usual());
    let (first_root, second_root) = (root(&old), root(&new));
    let mut trusted = store(&[first_root.clone(), second_root.clone()]);
    trusted.add_crl_der(&authority::List::of(&[(9, None)]).sign(&new)).unwrap();
    let sod = Sod::of(&[(1, dg1())], Template::signer(&ds, &old).sign(&old)).sign(&ds);
    let files: Files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
    let first = passive::verify(&files, &trusted, date!(2026 - 07 - 01));
    assert!(first.basis().chain == [first_root]);
    assert!(first.basis().list_signers == [second_root]);
    let revocation = |report: &Report| {
        let check = report.checks.iter().find(|check| check.id == "signer.revocation").unwrap();
        (check.outcome, check.evidence.clone())
    };
    let store = first.basis().store(Domain::Qa).unwrap();
    let again = passive::verify_kept(&files, &store, date!(2026 - 07 - 01));
    assert_eq!(revocation(&again), revocation(&first));
    assert_eq!(revocation(&first).0, Outcome::Passed);
}

#[test]
fn a_store_counts_what_it_has() {
    let key = Key::usual();
    let mut store = TrustStore::new(Domain::Qa);
    let root = root(&key);
    assert_eq!(store.add_der(&root).unwrap(), Added::New);
    assert_eq!(store.add_der(&root).unwrap(), Added::Duplicate);
    let signer = Template::signer(&key, &key).sign(&key);
    assert_eq!(store.add_signer_der(&signer).unwrap(), Added::New);
    assert_eq!(store.add_signer_der(&signer).unwrap(), Added::Duplicate);
    assert_eq!((store.anchors().len(), store.signers().len()), (1, 1));
    assert!(parse(&signer).is_document_signer() && !parse(&root).is_document_signer());
}

/// What was found out is forgotten when an issuer is added.
#[test]
fn a_later_issuer_is_found() {
    let (old, new, ds) = (Key::usual(), Key::usual(), Key::usual());
    let mut store = store(&[link(&new, &old)]);
    let signer = Template::signer(&ds, &new).sign(&new);
    assert_eq!(shape(&store, &signer), Ok((vec![0], false)));
    assert!(store.links(&store.anchors()[0]).is_empty());
    store.add_der(&root(&old)).unwrap();
    assert_eq!(shape(&store, &signer), Ok((vec![0, 1], true)));
    assert_eq!(store.links(&store.anchors()[0]).len(), 1);
}
