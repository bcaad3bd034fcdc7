//! The fixture's document written another way, or put together otherwise, without a key: what
//! anyone could do who holds the file.

use nfc::tlv::Tag;
use openssl::{bn::BigNum, ec::EcGroup, ecdsa::EcdsaSig, nid::Nid, x509::X509};

use super::{
    Case,
    seeds::{
        ALGORITHM, ATTRIBUTES, BODY, CERTIFICATE, CERTIFICATES, CONTENT, DIGEST, DIGESTS,
        EXTENSIONS, KEY, SIGNATURE, SIGNED_DATA, SIGNER, SIGNER_ID, SIGNERS, Seed, field,
    },
    tree::{Body, Length, Node},
};

/// Where, what, and how.
type Change = (&'static [usize], &'static str, fn(&mut Node) -> Option<()>);

pub(crate) const SHA_1: &str = "2b0e03021a";
pub(crate) const SHA_256: &str = "608648016503040201";
pub(crate) const SHA_384: &str = "608648016503040202";
pub(crate) const SHA_512: &str = "608648016503040203";
pub(crate) const SHA_512_256: &str = "608648016503040206";
pub(crate) const MD5: &str = "2a864886f70d0205";
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];

pub(crate) fn null() -> Node {
    Node::bytes(0x05, &[])
}

/// Every change that makes sense for the seed.
pub(crate) fn all(seed: &Seed) -> Vec<Case> {
    let changes = [IDENTIFIERS, SETS, ALGORITHMS, SIGNATURES].concat();
    let make = |(place, how, change): &Change| {
        let mut tree = seed.tree.clone();
        change(&mut tree)?;
        Some(Case::of(seed, field(place), how, tree.write()))
    };
    changes.iter().filter_map(make).collect()
}

/// The signer's certificate named otherwise (RFC 5652 §5.3).
const IDENTIFIERS: &[Change] = &[
    (SIGNER_ID, "key identifier", |tree| by_key_id(tree, |id| id, 3)),
    (SIGNER_ID, "key identifier, version 1", |tree| by_key_id(tree, |id| id, 1)),
    (SIGNER_ID, "key identifier of another", |tree| {
        by_key_id(tree, |id| id.iter().map(|byte| !byte).collect(), 3)
    }),
    (SIGNER_ID, "key identifier cut short", |tree| by_key_id(tree, |id| id[1..].to_vec(), 3)),
    (SIGNER_ID, "issuer in other string types", |tree| {
        each_name_value(tree, |value| value.tag = Tag(0x0C))
    }),
    (SIGNER_ID, "issuer as Teletex strings", |tree| {
        each_name_value(tree, |value| value.tag = Tag(0x14))
    }),
    (SIGNER_ID, "issuer in lower case", |tree| {
        each_name_value(tree, |value| {
            value.body = Body::Bytes(value.value().to_ascii_lowercase());
        })
    }),
    (SIGNER_ID, "issuer with more spaces", |tree| {
        each_name_value(tree, |value| {
            value.body = Body::Bytes([b"  ", value.value().as_slice(), b" "].concat());
        })
    }),
    (SIGNER_ID, "issuer's parts in reverse", |tree| {
        tree.at_mut(SIGNER_ID).children_mut()[0].children_mut().reverse();
        Some(())
    }),
    (SIGNER_ID, "issuer without its last part", |tree| {
        tree.at_mut(SIGNER_ID).children_mut()[0].children_mut().pop().map(drop)
    }),
    (SIGNER_ID, "issuer empty", |tree| {
        tree.at_mut(SIGNER_ID).children_mut()[0].children_mut().clear();
        Some(())
    }),
];

fn by_key_id(tree: &mut Node, change: fn(Vec<u8>) -> Vec<u8>, version: u8) -> Option<()> {
    let extensions = tree.at(EXTENSIONS).children();
    let found = extensions.iter().find(|e| e.children()[0].value() == SUBJECT_KEY_ID)?;
    let id = Node::read(&found.children().last()?.value()).value();
    *tree.at_mut(SIGNER_ID) = Node::bytes(0x80, &change(id));
    tree.at_mut(SIGNER).children_mut()[0] = Node::bytes(0x02, &[version]);
    Some(())
}

fn each_name_value(tree: &mut Node, change: fn(&mut Node)) -> Option<()> {
    for part in tree.at_mut(SIGNER_ID).children_mut()[0].children_mut() {
        change(part.at_mut(&[0, 1]));
    }
    Some(())
}

/// More, fewer, other elements of the sets.
const SETS: &[Change] = &[
    (CERTIFICATES, "none", |tree| tree.at_mut(SIGNED_DATA).lose(3)),
    (CERTIFICATES, "no element", |tree| {
        tree.at_mut(CERTIFICATES).children_mut().clear();
        Some(())
    }),
    (CERTIFICATES, "twice the same", |tree| add_certificate(tree, 0, Some)),
    (CERTIFICATES, "another's first", |tree| {
        add_certificate(tree, 0, |mut other| {
            let serial = other.at_mut(&[0, 1]);
            serial.body = Body::Bytes(serial.value().iter().rev().map(|b| b & 0x7F).collect());
            Some(other)
        })
    }),
    (CERTIFICATES, "same name with another key first", |tree| add_certificate(tree, 0, other_key)),
    (CERTIFICATES, "same name with another key second", |tree| add_certificate(tree, 1, other_key)),
    (CERTIFICATES, "thirty more", |tree| (0..30).try_for_each(|_| add_certificate(tree, 1, Some))),
    (CERTIFICATES, "one of another format", |tree| {
        tree.at_mut(CERTIFICATES).children_mut().push(Node::parts(0xA1, &[Node::oid("2a03")]));
        Some(())
    }),
    (CERTIFICATES, "one malformed after it", |tree| {
        tree.at_mut(CERTIFICATES).children_mut().push(Node::parts(0x30, &[null()]));
        Some(())
    }),
    (CERTIFICATES, "revocation lists follow, malformed", |tree| {
        tree.at_mut(SIGNED_DATA).children_mut().insert(4, Node::parts(0xA1, &[null()]));
        Some(())
    }),
    (CERTIFICATES, "revocation lists follow, none", |tree| {
        tree.at_mut(SIGNED_DATA).children_mut().insert(4, Node::parts(0xA1, &[]));
        Some(())
    }),
    (SIGNERS, "none", |tree| {
        tree.at_mut(SIGNERS).children_mut().clear();
        Some(())
    }),
    (SIGNERS, "twice the same", |tree| {
        let signer = tree.at(SIGNER).clone();
        tree.at_mut(SIGNERS).children_mut().push(signer);
        Some(())
    }),
    (SIGNERS, "one with a wrong signature after it", |tree| {
        let mut signer = tree.at(SIGNER).clone();
        signer.at_mut(&[5]).body = Body::Bytes(vec![0; 64]);
        tree.at_mut(SIGNERS).children_mut().push(signer);
        Some(())
    }),
    (SIGNERS, "one with a wrong signature before it", |tree| {
        let mut signer = tree.at(SIGNER).clone();
        signer.at_mut(&[5]).body = Body::Bytes(vec![0; 64]);
        tree.at_mut(SIGNERS).children_mut().insert(0, signer);
        Some(())
    }),
    (SIGNER, "unsigned attributes follow", |tree| {
        let attribute =
            Node::parts(0x30, &[Node::oid("2a0304"), Node::parts(0x31, &[Node::bytes(4, &[7])])]);
        tree.at_mut(SIGNER).children_mut().push(Node::parts(0xA1, &[attribute]));
        Some(())
    }),
    (SIGNER, "signed attributes as unsigned ones", |tree| {
        let mut attributes = tree.at_mut(SIGNER).children_mut().remove(3);
        attributes.tag = Tag(0xA1);
        tree.at_mut(SIGNER).children_mut().push(attributes);
        Some(())
    }),
    (SIGNER, "unsigned attributes with another digest follow", |tree| {
        let mut attributes = tree.at(ATTRIBUTES).clone();
        attributes.tag = Tag(0xA1);
        tree.at_mut(SIGNER).children_mut().push(attributes);
        Some(())
    }),
    (ATTRIBUTES, "in reverse", |tree| {
        tree.at_mut(ATTRIBUTES).children_mut().reverse();
        Some(())
    }),
    (ATTRIBUTES, "none left", |tree| {
        tree.at_mut(ATTRIBUTES).children_mut().clear();
        Some(())
    }),
    (ATTRIBUTES, "left out", |tree| tree.at_mut(SIGNER).lose(3)),
    (ATTRIBUTES, "made the content instead", |tree| {
        let mut attributes = tree.at_mut(SIGNER).children_mut().remove(3);
        attributes.tag = Tag(0x31);
        tree.at_mut(CONTENT).body = Body::Bytes(attributes.write());
        Some(())
    }),
    (ATTRIBUTES, "tagged as the SET that is signed", |tree| {
        tree.at_mut(ATTRIBUTES).tag = Tag(0x31);
        Some(())
    }),
    (CONTENT, "left out", |tree| tree.at_mut(&[1, 0, 2]).lose(1)),
    (CONTENT, "as the element itself", |tree| {
        *tree.at_mut(CONTENT) = Node::read(&tree.at(CONTENT).value());
        Some(())
    }),
    (CONTENT, "in many parts", |tree| {
        let parts: Vec<_> =
            tree.at(CONTENT).value().chunks(50).map(|part| Node::bytes(0x04, part)).collect();
        *tree.at_mut(CONTENT) = Node::parts(0x24, &parts);
        Some(())
    }),
    (CONTENT, "in parts of parts", |tree| {
        let part = Node::bytes(0x04, &tree.at(CONTENT).value());
        *tree.at_mut(CONTENT) = Node::parts(0x24, &[Node::parts(0x24, &[part])]);
        Some(())
    }),
    (SIGNED_DATA, "every length indefinite", |tree| {
        for path in [&[][..], &[1], SIGNED_DATA, &[1, 0, 2], &[1, 0, 2, 1]] {
            tree.at_mut(path).length = Length::Indefinite;
        }
        Some(())
    }),
];

/// Puts another certificate into the set, made from the one that is there.
fn add_certificate(tree: &mut Node, index: usize, change: fn(Node) -> Option<Node>) -> Option<()> {
    let other = change(tree.at(CERTIFICATE).clone())?;
    tree.at_mut(CERTIFICATES).children_mut().insert(index, other);
    Some(())
}

/// The certificate with a key on P-256 that signed nothing.
fn other_key(mut certificate: Node) -> Option<Node> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = openssl::ec::EcKey::from_public_key(&group, group.generator_opt().unwrap()).unwrap();
    *certificate.at_mut(&[0, 6]) = Node::read(&key.public_key_to_der().unwrap());
    Some(certificate)
}

/// Other algorithms, and other ways to write the same.
const ALGORITHMS: &[Change] = &[
    (DIGESTS, "with parameters NULL", |tree| with_null(tree.at_mut(DIGESTS).at_mut(&[0]))),
    (DIGESTS, "none", |tree| {
        tree.at_mut(DIGESTS).children_mut().clear();
        Some(())
    }),
    (DIGESTS, "another only", |tree| announce(tree, &[Node::algorithm(SHA_512_256, &[])])),
    (DIGESTS, "another besides", |tree| {
        let known = tree.at(DIGESTS).children()[0].clone();
        announce(tree, &[Node::algorithm(SHA_512_256, &[]), known])
    }),
    (DIGESTS, "MD5 besides", |tree| {
        let known = tree.at(DIGESTS).children()[0].clone();
        announce(tree, &[known, Node::algorithm(MD5, &[null()])])
    }),
    (DIGEST, "with parameters NULL", |tree| with_null(tree.at_mut(DIGEST))),
    (DIGEST, "with parameters that are none", |tree| {
        tree.at_mut(DIGEST).children_mut().push(Node::bytes(0x02, &[7]));
        Some(())
    }),
    (DIGEST, "SHA-1 in both places", |tree| digest(tree, SHA_1)),
    (DIGEST, "SHA-256 in both places", |tree| digest(tree, SHA_256)),
    (DIGEST, "SHA-384 in both places", |tree| digest(tree, SHA_384)),
    (DIGEST, "SHA-512 in both places", |tree| digest(tree, SHA_512)),
    (DIGEST, "MD5 in both places", |tree| digest(tree, MD5)),
    (ALGORITHM, "that of the key alone", |tree| {
        let oid = match of_family(tree) {
            Family::Rsa => "2a864886f70d010101",
            Family::Ec => "2a8648ce3d0201",
            Family::Pss => return None,
        };
        *tree.at_mut(ALGORITHM) = Node::algorithm(oid, &[]);
        Some(())
    }),
    (ALGORITHM, "with parameters NULL", |tree| match of_family(tree) {
        Family::Ec => with_null(tree.at_mut(ALGORITHM)),
        _ => None,
    }),
    (ALGORITHM, "without parameters", |tree| {
        tree.at_mut(ALGORITHM).children_mut().truncate(1);
        (of_family(tree) != Family::Ec).then_some(())
    }),
    (ALGORITHM, "with parameters that are none", |tree| {
        tree.at_mut(ALGORITHM).children_mut().truncate(1);
        tree.at_mut(ALGORITHM).children_mut().push(Node::bytes(0x02, &[7]));
        Some(())
    }),
    (ALGORITHM, "RSA with SHA-1", |tree| algorithm(tree, "2a864886f70d010105")),
    (ALGORITHM, "RSA with SHA-256", |tree| algorithm(tree, "2a864886f70d01010b")),
    (ALGORITHM, "RSA with SHA-512", |tree| algorithm(tree, "2a864886f70d01010d")),
    (ALGORITHM, "RSA with MD5", |tree| algorithm(tree, "2a864886f70d010104")),
    (ALGORITHM, "ECDSA with SHA-1", |tree| algorithm(tree, "2a8648ce3d0401")),
    (ALGORITHM, "ECDSA with SHA-256", |tree| algorithm(tree, "2a8648ce3d040302")),
    (ALGORITHM, "ECDSA with SHA-512", |tree| algorithm(tree, "2a8648ce3d040304")),
    (ALGORITHM, "plain ECDSA with SHA-256", |tree| algorithm(tree, "04007f00070101040103")),
    (ALGORITHM, "PSS with defaults", |tree| {
        *tree.at_mut(ALGORITHM) = Node::algorithm("2a864886f70d01010a", &[Node::parts(0x30, &[])]);
        Some(())
    }),
    (KEY, "named as one for PSS", |tree| {
        let oid = tree.at_mut(&[KEY, &[0, 0]].concat());
        (oid.value() == hex::decode("2a864886f70d010101").unwrap())
            .then(|| *oid = Node::oid("2a864886f70d01010a"))
    }),
    (BODY, "signature algorithm another than the outer", |tree| {
        *tree.at_mut(&[BODY, &[2]].concat()) = Node::algorithm("2a864886f70d010104", &[null()]);
        Some(())
    }),
];

#[derive(PartialEq, Eq)]
enum Family {
    Ec,
    Rsa,
    Pss,
}

fn of_family(tree: &Node) -> Family {
    let oid = hex::encode(tree.at(ALGORITHM).children()[0].value());
    match oid.as_str() {
        "2a864886f70d01010a" => Family::Pss,
        oid if oid.starts_with("2a864886f70d0101") => Family::Rsa,
        _ => Family::Ec,
    }
}

fn with_null(algorithm: &mut Node) -> Option<()> {
    algorithm.children_mut().truncate(1);
    algorithm.children_mut().push(null());
    Some(())
}

fn announce(tree: &mut Node, digests: &[Node]) -> Option<()> {
    *tree.at_mut(DIGESTS).children_mut() = digests.to_vec();
    Some(())
}

fn digest(tree: &mut Node, oid: &str) -> Option<()> {
    let new = Node::algorithm(oid, &[]);
    (*tree.at(DIGEST) != new).then(|| *tree.at_mut(DIGEST) = new.clone())?;
    announce(tree, &[new])
}

fn algorithm(tree: &mut Node, oid: &str) -> Option<()> {
    let parameters = if oid.starts_with("2a864886f70d") { vec![null()] } else { Vec::new() };
    let new = Node::algorithm(oid, &parameters);
    (*tree.at(ALGORITHM) != new).then(|| *tree.at_mut(ALGORITHM) = new)
}

/// Other bytes that may be the same signature.
const SIGNATURES: &[Change] = &[
    (SIGNATURE, "s replaced by n - s", |tree| ecdsa(tree, |[r, s], n| [r, n - &s].map(positive))),
    (SIGNATURE, "r replaced by r + n", |tree| ecdsa(tree, |[r, s], n| [&r + n, s].map(positive))),
    (SIGNATURE, "s replaced by s + n", |tree| ecdsa(tree, |[r, s], n| [r, &s + n].map(positive))),
    (SIGNATURE, "r and s zero", |tree| ecdsa(tree, |_, _| [&[][..]; 2].map(positive_of))),
    (SIGNATURE, "r and s one", |tree| ecdsa(tree, |_, _| [&[1][..]; 2].map(positive_of))),
    (SIGNATURE, "r and s the order", |tree| {
        ecdsa(tree, |_, n| [0, 1].map(|_| positive_of(&n.to_vec())))
    }),
    (SIGNATURE, "r negative", |tree| {
        ecdsa(tree, |[r, s], n| [Node::bytes(0x02, &(n - &r).to_vec()), positive(s)])
    }),
    (SIGNATURE, "s negated", |tree| {
        ecdsa(tree, |[r, s], _| {
            let width = s.num_bytes() + 1;
            let mut twos = BigNum::new().unwrap();
            twos.set_bit(width * 8).unwrap();
            [positive(r), Node::bytes(0x02, &(&twos - &s).to_vec())]
        })
    }),
    (SIGNATURE, "zero bytes before r and s", |tree| {
        ecdsa(tree, |pair, _| {
            pair.map(|n| Node::bytes(0x02, &[&[0, 0, 0], n.to_vec().as_slice()].concat()))
        })
    }),
    (SIGNATURE, "sign bytes of r and s missing", |tree| {
        ecdsa(tree, |pair, _| pair.map(|n| Node::bytes(0x02, &n.to_vec())))
    }),
    (SIGNATURE, "r and s swapped", |tree| ecdsa(tree, |[r, s], _| [s, r].map(positive))),
    (SIGNATURE, "r and s without DER", |tree| {
        let pair = pair(tree)?;
        let width = pair.iter().map(|n| n.num_bytes()).max()?;
        let plain = pair.map(|n| n.to_vec_padded(width).unwrap()).concat();
        replace(tree, plain)
    }),
    (SIGNATURE, "its lengths in four bytes", |tree| {
        within(tree, |signature| {
            signature.length = Length::Long;
            signature.children_mut().iter_mut().for_each(|n| n.length = Length::Long);
        })
    }),
    (SIGNATURE, "its length indefinite", |tree| {
        within(tree, |signature| signature.length = Length::Indefinite)
    }),
    (SIGNATURE, "NULL after r and s", |tree| {
        within(tree, |signature| signature.children_mut().push(null()))
    }),
    (SIGNATURE, "bytes after it", |tree| bytes(tree, |value| value.extend([0, 0, 0]))),
    (SIGNATURE, "zero byte before it", |tree| bytes(tree, |value| value.insert(0, 0))),
    (SIGNATURE, "without its last byte", |tree| {
        bytes(tree, |value| value.truncate(value.len() - 1))
    }),
    (SIGNATURE, "empty", |tree| bytes(tree, Vec::clear)),
    (SIGNATURE, "all zero", |tree| bytes(tree, |value| value.fill(0))),
    (SIGNATURE, "one", |tree| {
        bytes(tree, |value| {
            value.fill(0);
            value.last_mut().into_iter().for_each(|byte| *byte = 1);
        })
    }),
    (SIGNATURE, "modulus added", |tree| {
        let modulus = certificate(tree).public_key().ok()?.rsa().ok()?.n().to_owned().ok()?;
        let signature = BigNum::from_slice(&tree.at(SIGNATURE).value()).ok()?;
        replace(tree, (&signature + &modulus).to_vec())
    }),
    (SIGNATURE, "modulus less it", |tree| {
        let modulus = certificate(tree).public_key().ok()?.rsa().ok()?.n().to_owned().ok()?;
        let signature = BigNum::from_slice(&tree.at(SIGNATURE).value()).ok()?;
        replace(tree, (&modulus - &signature).to_vec())
    }),
];

fn certificate(tree: &Node) -> X509 {
    X509::from_der(&tree.at(CERTIFICATE).write()).unwrap()
}

fn bytes(tree: &mut Node, change: fn(&mut Vec<u8>)) -> Option<()> {
    let mut value = tree.at(SIGNATURE).value();
    change(&mut value);
    replace(tree, value)
}

fn replace(tree: &mut Node, signature: Vec<u8>) -> Option<()> {
    tree.at_mut(SIGNATURE).body = Body::Bytes(signature);
    Some(())
}

/// Changes the elements of an ECDSA signature.
fn within(tree: &mut Node, change: fn(&mut Node)) -> Option<()> {
    (of_family(tree) == Family::Ec).then_some(())?;
    let mut signature = Node::read(&tree.at(SIGNATURE).value());
    change(&mut signature);
    replace(tree, signature.write())
}

fn pair(tree: &Node) -> Option<[BigNum; 2]> {
    let signature = EcdsaSig::from_der(&tree.at(SIGNATURE).value()).ok()?;
    Some([signature.r().to_owned().ok()?, signature.s().to_owned().ok()?])
}

/// Changes r and s, knowing the order.
fn ecdsa(tree: &mut Node, change: fn([BigNum; 2], &BigNum) -> [Node; 2]) -> Option<()> {
    let pair = pair(tree)?;
    let key = certificate(tree).public_key().ok()?.ec_key().ok()?;
    let mut order = BigNum::new().ok()?;
    let mut context = openssl::bn::BigNumContext::new().ok()?;
    key.group().order(&mut order, &mut context).ok()?;
    let signature = Node::parts(0x30, &change(pair, &order));
    replace(tree, signature.write())
}

fn positive(number: BigNum) -> Node {
    positive_of(&number.to_vec())
}

fn positive_of(bytes: &[u8]) -> Node {
    let sign = bytes.first().is_none_or(|first| first & 0x80 != 0);
    Node::bytes(0x02, &[if sign { &[0][..] } else { &[] }, bytes].concat())
}
