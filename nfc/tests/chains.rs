//! The paths of the trust store against every signature that there is, over the certificates of two
//! real master lists, where they lie (`INDRUL_FIELD_DATA`).
//!
//! The signatures are tried here a second time, by another way: keys are parsed by OpenSSL, an RSA
//! signature is opened and looked at, and nothing decides who could have signed what. Over all
//! pairs that takes minutes (`--ignored`); by default the pairs of one country, and all pairs with
//! a certificate that names none, are tried. That leaves out only signatures across countries: the
//! ignored test shows that there are none among real certificates.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "shared/field_data.rs"]
mod field_data;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use field_data::field_data;
use nfc::{
    tlv::{self, Reader, Tag},
    trust::{Agreement, Domain, FoundBy, TrustStore, master_list},
};
use openssl::{
    ecdsa::EcdsaSig,
    hash::MessageDigest,
    pkey::{Id, PKey, Public},
    rsa::Padding,
    sign::{RsaPssSaltlen, Verifier},
};

/// The certificates of each list.
fn lists() -> Option<Vec<(String, Vec<Vec<u8>>)>> {
    let dir = field_data("masterlists")?;
    let mut lists = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ml") {
            let list = master_list::parse(&std::fs::read(&path).unwrap()).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            lists.push((name, list.certificates));
        }
    }
    lists.sort();
    Some(lists)
}

/// A certificate cut into what a signature needs.
struct Cut {
    tbs: Vec<u8>,
    signature: Vec<u8>,
    /// The last byte of an ECDSA algorithm's identifier, which names the hash.
    hash: u8,
    key: PKey<Public>,
    /// Of issuer and subject, in lower case.
    countries: BTreeSet<Vec<u8>>,
}

const SEQUENCE: Tag = Tag(0x30);

impl Cut {
    fn of(der: &[u8]) -> Self {
        let mut outer = Reader::new(der).expect(SEQUENCE).unwrap().reader();
        let tbs = outer.expect(SEQUENCE).unwrap();
        let algorithm = outer.expect(SEQUENCE).unwrap().reader().expect(Tag(6)).unwrap();
        let signature = outer.expect(Tag(3)).unwrap().value[1..].to_vec();
        let mut fields = tbs.reader();
        let _version = fields.expect(Tag(0xA0)).unwrap();
        let _serial = fields.expect(Tag(2)).unwrap();
        let _algorithm = fields.expect(SEQUENCE).unwrap();
        let issuer = fields.expect(SEQUENCE).unwrap();
        let _validity = fields.expect(SEQUENCE).unwrap();
        let subject = fields.expect(SEQUENCE).unwrap();
        let spki = fields.expect(SEQUENCE).unwrap();
        Self {
            tbs: tbs.bytes.to_vec(),
            signature,
            hash: *algorithm.value.last().unwrap(),
            key: PKey::public_key_from_der(spki.bytes).unwrap(),
            countries: [issuer.value, subject.value].into_iter().filter_map(country).collect(),
        }
    }

    /// Whether `issuer`'s key made the signature, with any hash and padding.
    fn is_signed_by(&self, issuer: &Self) -> bool {
        match issuer.key.id() {
            Id::EC => self.ecdsa(&issuer.key),
            _ => self.rsa(&issuer.key),
        }
    }

    fn ecdsa(&self, key: &PKey<Public>) -> bool {
        let Ok(signature) = EcdsaSig::from_der(&self.signature) else { return false };
        let hash = match self.hash {
            1 if self.tbs.len() > 1 => MessageDigest::sha224(),
            2 => MessageDigest::sha256(),
            3 => MessageDigest::sha384(),
            4 => MessageDigest::sha512(),
            _ => MessageDigest::sha1(),
        };
        let verify = |hash| {
            let digest = openssl::hash::hash(hash, &self.tbs).unwrap();
            signature.verify(&digest, &key.ec_key().unwrap()).unwrap_or(false)
        };
        // `ecdsa-with-SHA1` ends in the same byte as `ecdsa-with-SHA224`.
        verify(hash) || (self.hash == 1 && verify(MessageDigest::sha1()))
    }

    fn rsa(&self, key: &PKey<Public>) -> bool {
        let rsa = key.rsa().unwrap();
        let size = rsa.size() as usize;
        if self.signature.len() != size {
            return false;
        }
        let mut opened = vec![0; size];
        if rsa.public_decrypt(&self.signature, &mut opened, Padding::NONE).is_err() {
            return false;
        }
        let hashes = [
            MessageDigest::sha1(),
            MessageDigest::sha224(),
            MessageDigest::sha256(),
            MessageDigest::sha384(),
            MessageDigest::sha512(),
        ];
        if opened.starts_with(&[0, 1, 0xFF, 0xFF]) {
            return hashes.into_iter().any(|hash| {
                let digest = openssl::hash::hash(hash, &self.tbs).unwrap();
                opened.ends_with(&digest)
            });
        }
        opened.last() == Some(&0xBC) && hashes.into_iter().any(|hash| self.pss(key, hash))
    }

    fn pss(&self, key: &PKey<Public>, hash: MessageDigest) -> bool {
        // A key that names its own parameters would allow no others.
        let key = PKey::from_rsa(key.rsa().unwrap()).unwrap();
        let mut verifier = Verifier::new(hash, &key).unwrap();
        verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        verifier.set_rsa_mgf1_md(hash).unwrap();
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::custom(-2)).unwrap();
        verifier.verify_oneshot(&self.signature, &self.tbs).unwrap_or(false)
    }
}

/// What follows the first `countryName` in a name.
fn country(name: &[u8]) -> Option<Vec<u8>> {
    let kind = tlv::encode(Tag(6), &[0x55, 0x04, 0x06]);
    let at = name.windows(kind.len()).position(|window| window == kind)?;
    let value = Reader::new(&name[at + kind.len()..]).next_element().unwrap()?;
    Some(value.value.trim_ascii().to_ascii_lowercase())
}

/// For every certificate those whose keys signed it.
type Edges = BTreeMap<usize, BTreeSet<usize>>;

fn edges(cuts: &[Cut], all: bool) -> Edges {
    let mut tried = 0_usize;
    let mut found = Edges::new();
    // Equal keys sign alike.
    let mut keys: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (i, cut) in cuts.iter().enumerate() {
        keys.entry(cut.key.public_key_to_der().unwrap()).or_default().push(i);
    }
    for (i, certificate) in cuts.iter().enumerate() {
        for holders in keys.values() {
            let near = |holder: &usize| {
                let (one, other) = (&certificate.countries, &cuts[*holder].countries);
                one.is_empty() || other.is_empty() || !one.is_disjoint(other)
            };
            if !all && !holders.iter().any(near) {
                continue;
            }
            tried += 1;
            if certificate.is_signed_by(&cuts[holders[0]]) {
                found.entry(i).or_default().extend(holders);
            }
        }
    }
    println!("{tried} signatures tried by hand, {} certificates signed", found.len());
    found
}

/// Whether a chain of signatures leads to a certificate that signed itself.
fn ends(edges: &Edges, from: usize) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::from([from]));
    while let Some(certificate) = open.pop() {
        let issuers = edges.get(&certificate).cloned().unwrap_or_default();
        if issuers.contains(&certificate) {
            return true;
        }
        open.extend(issuers.into_iter().filter(|issuer| seen.insert(*issuer)));
    }
    false
}

/// A path is found if and only if a chain of signatures is there, and every step of it is one.
fn compare(name: &str, certificates: &[Vec<u8>], all: bool) {
    let mut store = TrustStore::new(Domain::Production);
    for der in certificates {
        store.add_der(der).unwrap();
    }
    let place: HashMap<&[u8], usize> = store
        .anchors()
        .iter()
        .enumerate()
        .map(|(i, a)| (a.certificate.der.as_slice(), i))
        .collect();
    let cuts: Vec<_> = store.anchors().iter().map(|a| Cut::of(&a.certificate.der)).collect();
    let edges = edges(&cuts, all);
    let (mut links, mut roots, mut whole) = (0, 0, 0);
    for (i, anchor) in store.anchors().iter().enumerate() {
        let by_hand = edges.get(&i).cloned().unwrap_or_default();
        let what = format!("{name}: {}", anchor.certificate.subject);
        let path = store.path(&anchor.certificate);
        assert_eq!(path.is_ok(), !by_hand.is_empty(), "{what}: {path:?} {by_hand:?}");
        assert_eq!(store.is_self_signed(anchor), by_hand.contains(&i), "{what}");
        let linked: BTreeSet<_> =
            store.links(anchor).iter().map(|link| place[link.certificate.der.as_slice()]).collect();
        let expected = if by_hand.contains(&i) { BTreeSet::new() } else { by_hand };
        assert_eq!(linked, expected, "{what}");
        roots += usize::from(store.is_self_signed(anchor));
        links += usize::from(!linked.is_empty());
        let Ok(path) = path else { continue };
        assert_eq!(path.is_whole(), ends(&edges, i), "{what}");
        whole += usize::from(path.is_whole());
        let mut below = i;
        for step in path.anchors() {
            let above = place[step.certificate.der.as_slice()];
            assert!(edges[&below].contains(&above), "{what}");
            below = above;
        }
    }
    let total = store.anchors().len();
    println!("{name}: {total} certificates, {roots} roots, {links} links, {whole} whole paths");
}

/// proves issue 4, Done-when 2
#[test]
fn every_path_of_the_master_lists_is_found() {
    for (name, certificates) in lists().unwrap_or_default() {
        compare(&name, &certificates, false);
    }
}

#[test]
#[ignore = "tries every pair of certificates, which takes minutes"]
fn every_path_of_all_lists_together_is_found() {
    let lists = lists().unwrap_or_default();
    let all: Vec<_> = lists.into_iter().flat_map(|(_, certificates)| certificates).collect();
    compare("all lists", &all, true);
}

/// Where a real issuer's name differs from the one that its certificate bears, only the key
/// identifier and the signature tell: a rule that names must agree would refuse such a document.
#[test]
fn names_differ_only_where_the_key_identifier_agrees() {
    let mut counts = BTreeMap::<String, usize>::new();
    for (_, certificates) in lists().unwrap_or_default() {
        let mut store = TrustStore::new(Domain::Production);
        for der in &certificates {
            store.add_der(der).unwrap();
        }
        for anchor in store.anchors() {
            let Ok(path) = store.path(&anchor.certificate) else { continue };
            let step = &path.steps()[0];
            let agrees = step.names == Agreement::Same || step.found_by == FoundBy::KeyIdentifier;
            assert!(agrees, "{}", anchor.certificate.issuer);
            *counts.entry(format!("{:?}, {:?}", step.found_by, step.names)).or_default() += 1;
        }
    }
    println!("{counts:?}");
}
