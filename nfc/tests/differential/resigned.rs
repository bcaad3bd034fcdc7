//! Documents signed anew with keys of our own, whose signature is right of its kind: what a signer
//! could have meant, and what an attacker with a certificate of his own would try.
//!
//! The certificate's own signature is no longer right; neither side looks at it here.

use nfc::tlv::{Tag, encode};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey, EcPoint, PointConversionForm},
    hash::{MessageDigest, hash},
    nid::Nid,
    pkey::{PKey, Private},
    rsa::{Padding, Rsa},
    sign::{RsaPssSaltlen, Signer},
};

use super::{
    Case,
    reworded::{MD5, SHA_1, SHA_256, SHA_512, SHA_512_256, null},
    seeds::{
        ALGORITHM, ATTRIBUTES, CONTENT, CONTENT_TYPE, DIGEST, DIGESTS, KEY, SIGNATURE, SIGNER,
        Seed, field,
    },
    tree::{Body, Length, Node},
};

const DATA: &str = "2a864886f70d010701";
const CONTENT_TYPE_ATTRIBUTE: &str = "2a864886f70d010903";
const MESSAGE_DIGEST: &str = "2a864886f70d010904";
const SIGNING_TIME: &str = "2a864886f70d010905";
const RSA: &str = "2a864886f70d010101";
const RSA_SHA_256: &str = "2a864886f70d01010b";
const PSS: &str = "2a864886f70d01010a";
const MGF_1: &str = "2a864886f70d010108";
const EC: &str = "2a8648ce3d0201";
const ECDSA_SHA_256: &str = "2a8648ce3d040302";
const PRIME_FIELD: &str = "2a8648ce3d0101";
const P_256: &str = "2a8648ce3d030107";

/// How a document is signed: each case changes one thing.
struct Plan {
    key: PKey<Private>,
    /// SubjectPublicKeyInfo, if it is not the key's own.
    info: Option<Node>,
    digest: Node,
    /// What the content is hashed with.
    content_hash: MessageDigest,
    algorithm: Node,
    /// What is signed with.
    hash: MessageDigest,
    /// Mask hash and salt, for PSS.
    pss: Option<(MessageDigest, i32)>,
    attributes: Attributes,
    order: Order,
    /// In place of the LDS security object and its type.
    content: Option<Vec<u8>>,
    content_type: Option<&'static str>,
}

/// The order of the attributes.
#[derive(PartialEq, Eq)]
enum Order {
    /// That of DER, in the message and in what is signed.
    Der,
    /// Another in the message, that of DER in what is signed.
    Other,
    /// Another in both.
    OtherSigned,
}

/// Changes the attributes, given the right ones: content type, signing time, digest.
type Attributes = Option<Change<Vec<Node>>>;

type Change<T> = fn(&mut T);

impl Plan {
    fn ecdsa() -> Self {
        let sha_256 = MessageDigest::sha256();
        Self {
            key: ec_key(),
            info: None,
            digest: Node::algorithm(SHA_256, &[]),
            content_hash: sha_256,
            algorithm: Node::algorithm(ECDSA_SHA_256, &[]),
            hash: sha_256,
            pss: None,
            attributes: Some(|_| ()),
            order: Order::Der,
            content: None,
            content_type: None,
        }
    }

    fn rsa(key: &PKey<Private>) -> Self {
        let algorithm = Node::algorithm(RSA_SHA_256, &[null()]);
        Self { key: key.clone(), algorithm, ..Self::ecdsa() }
    }

    fn pss(key: &PKey<Private>, parameters: &[Node], mask: MessageDigest, salt: i32) -> Self {
        let algorithm = Node::algorithm(PSS, &[Node::parts(0x30, parameters)]);
        Self { key: key.clone(), algorithm, pss: Some((mask, salt)), ..Self::ecdsa() }
    }

    /// The document.
    fn sign(&self, seed: &Seed) -> Node {
        let mut tree = seed.tree.clone();
        let own = Node::read(&self.key.public_key_to_der().unwrap());
        *tree.at_mut(KEY) = self.info.clone().unwrap_or(own);
        *tree.at_mut(DIGESTS).children_mut() = vec![self.digest.clone()];
        *tree.at_mut(DIGEST) = self.digest.clone();
        *tree.at_mut(ALGORITHM) = self.algorithm.clone();
        if let Some(content) = &self.content {
            tree.at_mut(CONTENT).body = Body::Bytes(content.clone());
        }
        if let Some(kind) = self.content_type {
            *tree.at_mut(CONTENT_TYPE) = Node::oid(kind);
        }
        let content = tree.at(CONTENT).value();
        let signed = match self.attributes {
            Some(change) => {
                let digest = hash(self.content_hash, &content).unwrap();
                let mut attributes = attributes(tree.at(CONTENT_TYPE), &digest);
                change(&mut attributes);
                let mut sorted = attributes.clone();
                sorted.sort_by_key(Node::write);
                let [written, signed] = match self.order {
                    Order::Der => [sorted.clone(), sorted],
                    Order::Other => [attributes, sorted],
                    Order::OtherSigned => [attributes.clone(), attributes],
                };
                tree.at_mut(ATTRIBUTES).body = Body::Parts(written);
                Node::parts(0x31, &signed).write()
            }
            None => {
                tree.at_mut(SIGNER).children_mut().remove(3);
                content
            }
        };
        let place = if self.attributes.is_some() { SIGNATURE } else { &[1, 0, 4, 0, 4][..] };
        tree.at_mut(place).body = Body::Bytes(self.signature(&signed));
        tree
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(self.hash, &self.key).unwrap();
        if let Some((mask, salt)) = self.pss {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer.set_rsa_mgf1_md(mask).unwrap();
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt)).unwrap();
        }
        signer.sign_oneshot_to_vec(message).unwrap()
    }
}

/// The right ones, in DER order.
fn attributes(content_type: &Node, digest: &[u8]) -> Vec<Node> {
    vec![
        attribute(CONTENT_TYPE_ATTRIBUTE, std::slice::from_ref(content_type)),
        attribute(SIGNING_TIME, &[Node::bytes(0x17, b"260101120000Z")]),
        attribute(MESSAGE_DIGEST, &[Node::bytes(0x04, digest)]),
    ]
}

fn attribute(kind: &str, values: &[Node]) -> Node {
    Node::parts(0x30, &[Node::oid(kind), Node::parts(0x31, values)])
}

fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    on_curve(&group, &BigNum::from_slice(&[0x17; 32]).unwrap())
}

/// The key of a scalar.
fn on_curve(group: &EcGroup, scalar: &BigNum) -> PKey<Private> {
    let mut point = EcPoint::new(group).unwrap();
    let mut context = BigNumContext::new().unwrap();
    point.mul_generator2(group, scalar, &mut context).unwrap();
    let key = EcKey::from_private_components(group, scalar, &point).unwrap();
    PKey::from_ec_key(key).unwrap()
}

/// All of them, on one document.
pub(crate) fn all(seed: &Seed) -> Vec<Case> {
    let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let plans =
        [attribute_plans(), content_plans(), digest_plans(&rsa), pss_plans(&rsa), key_plans()];
    let cases = plans.into_iter().flatten();
    cases
        .map(|(place, how, plan)| Case::signed(field(place), how, plan.sign(seed).write()))
        .collect()
}

type Planned = Vec<(&'static [usize], &'static str, Plan)>;

fn attribute_plans() -> Planned {
    let with = |change| Plan { attributes: Some(change), ..Plan::ecdsa() };
    let reversed = |order| Plan { order, ..with(|all| all.reverse()) };
    let plans = [
        ("as they should be", with(|_| ())),
        ("in another order, signed as DER", reversed(Order::Other)),
        ("in another order, signed as written", reversed(Order::OtherSigned)),
    ];
    let changed = ATTRIBUTE_CHANGES.map(|(how, change)| (how, with(change)));
    plans.into_iter().chain(changed).map(|(how, plan)| (ATTRIBUTES, how, plan)).collect()
}

/// How, and what becomes of content type, signing time and digest.
const ATTRIBUTE_CHANGES: [(&str, Change<Vec<Node>>); 18] = [
    ("without content type", |all| drop(all.remove(0))),
    ("without signing time", |all| drop(all.remove(1))),
    ("without digest", |all| drop(all.remove(2))),
    ("content type of another kind", |all| {
        all[0] = attribute(CONTENT_TYPE_ATTRIBUTE, &[Node::oid(DATA)]);
    }),
    ("content type twice", |all| {
        all.insert(1, attribute(CONTENT_TYPE_ATTRIBUTE, &[Node::oid(DATA)]));
        all.swap(0, 1);
    }),
    ("digest twice, the right one first", |all| {
        all.push(attribute(MESSAGE_DIGEST, &[Node::bytes(4, &[0xFF; 32])]));
    }),
    ("digest twice, the right one last", |all| {
        all.insert(2, attribute(MESSAGE_DIGEST, &[Node::bytes(4, &[0; 32])]));
    }),
    ("two values of the digest, the right one first", |all| {
        all[2].at_mut(&[1]).children_mut().push(Node::bytes(4, &[0xFF; 32]));
    }),
    ("two values of the digest, the right one last", |all| {
        all[2].at_mut(&[1]).children_mut().insert(0, Node::bytes(4, &[0; 32]));
    }),
    ("no value of the digest", |all| all[2].at_mut(&[1]).children_mut().clear()),
    ("digest cut short", |all| {
        let digest = all[2].at_mut(&[1, 0]);
        digest.body = Body::Bytes(digest.value()[..16].to_vec());
    }),
    ("digest empty", |all| all[2].at_mut(&[1, 0]).body = Body::Bytes(Vec::new())),
    ("digest as a bit string", |all| all[2].at_mut(&[1, 0]).tag = Tag(0x03)),
    ("signing time that is none", |all| {
        all[1] = attribute(SIGNING_TIME, &[Node::bytes(0x17, b"soon")]);
    }),
    ("signing time twice", |all| {
        all.insert(1, attribute(SIGNING_TIME, &[Node::bytes(0x17, b"270101120000Z")]));
    }),
    ("one more, unknown", |all| all.push(attribute("2a0304", &[Node::bytes(4, &[7])]))),
    ("an unknown one without values", |all| all.push(attribute("2a0304", &[]))),
    ("long forms of lengths, signed as written", |all| all[0].length = Length::Long),
];

fn content_plans() -> Planned {
    let nested = |plan: &Plan| {
        let digest = hash(plan.content_hash, b"another document").unwrap();
        let all = attributes(&Node::oid(DATA), &digest);
        encode(Tag(0x31), &all.iter().flat_map(Node::write).collect::<Vec<_>>())
    };
    let bare = Plan { attributes: None, ..Plan::ecdsa() };
    vec![
        (CONTENT, "empty", Plan { content: Some(Vec::new()), ..Plan::ecdsa() }),
        (CONTENT_TYPE, "data, also signed so", Plan { content_type: Some(DATA), ..Plan::ecdsa() }),
        (
            CONTENT_TYPE,
            "data, without signed attributes",
            Plan { content_type: Some(DATA), attributes: None, ..Plan::ecdsa() },
        ),
        (CONTENT, "attributes for another document", Plan { content: Some(nested(&bare)), ..bare }),
        (CONTENT, "signed without attributes", Plan { attributes: None, ..Plan::ecdsa() }),
    ]
}

/// Digest and signature that name different hash functions, or such as are not taken.
fn digest_plans(rsa: &PKey<Private>) -> Planned {
    let (sha_1, sha_512) = (MessageDigest::sha1(), MessageDigest::sha512());
    let digest = |oid, content_hash| Plan {
        digest: Node::algorithm(oid, &[]),
        content_hash,
        ..Plan::ecdsa()
    };
    let both = |oid, content_hash| Plan { hash: content_hash, ..digest(oid, content_hash) };
    let bare = |oid, hash| Plan { algorithm: Node::algorithm(EC, &[]), ..both(oid, hash) };
    let rsa_with = |oid, content_hash, hash| Plan {
        digest: Node::algorithm(oid, &[]),
        content_hash,
        hash,
        ..Plan::rsa(rsa)
    };
    let rsa_bare = || Plan { algorithm: Node::algorithm(RSA, &[null()]), ..Plan::rsa(rsa) };
    vec![
        (DIGEST, "another than the signature's, signed with the signature's", digest(SHA_1, sha_1)),
        (DIGEST, "another than the signature's, signed with it", both(SHA_512, sha_512)),
        (
            DIGEST,
            "another than the signature's, signed with the signature's",
            rsa_with(SHA_512, sha_512, MessageDigest::sha256()),
        ),
        (DIGEST, "another than the signature's, signed with it", rsa_with(SHA_1, sha_1, sha_1)),
        (ALGORITHM, "that of the key alone, signed anew", bare(SHA_512, sha_512)),
        (ALGORITHM, "that of the key alone, signed anew", rsa_bare()),
        (DIGEST, "MD5, signed with it", bare(MD5, MessageDigest::md5())),
        (DIGEST, "SHA-512/256, signed with it", {
            let hash = MessageDigest::from_name("SHA512-256").unwrap();
            bare(SHA_512_256, hash)
        }),
        (DIGEST, "SHA3-256, signed with it", {
            bare("608648016503040208", MessageDigest::sha3_256())
        }),
        (ALGORITHM, "as it should be", Plan::rsa(rsa)),
    ]
}

/// `RSASSA-PSS-params` (RFC 4055 §3.1) right and wrong.
fn pss_plans(rsa: &PKey<Private>) -> Planned {
    let (sha_1, sha_256) = (MessageDigest::sha1(), MessageDigest::sha256());
    let hash = |oid| Node::parts(0xA0, &[Node::algorithm(oid, &[])]);
    let mask =
        |oid| Node::parts(0xA1, &[Node::algorithm(MGF_1, &[Node::algorithm(oid, &[null()])])]);
    let salt = |bytes: &[u8]| Node::parts(0xA2, &[Node::bytes(0x02, bytes)]);
    let trailer = |value| Node::parts(0xA3, &[Node::bytes(0x02, &[value])]);
    let plan = |parameters: &[Node], mask, length| Plan::pss(rsa, parameters, mask, length);
    let right = |length: u8| [hash(SHA_256), mask(SHA_256), salt(&[length])];
    let with = |more: Node| [right(32).as_slice(), &[more]].concat();
    let sha_1_digest =
        |plan| Plan { digest: Node::algorithm(SHA_1, &[]), content_hash: sha_1, ..plan };
    vec![
        (ALGORITHM, "PSS, as it should be", plan(&right(32), sha_256, 32)),
        (ALGORITHM, "PSS, no salt", plan(&right(0), sha_256, 0)),
        (ALGORITHM, "PSS, salt of 20", plan(&right(20), sha_256, 20)),
        (ALGORITHM, "PSS, salt of 64", plan(&right(64), sha_256, 64)),
        (ALGORITHM, "PSS, salt longer than stated", plan(&right(20), sha_256, 32)),
        (ALGORITHM, "PSS, salt shorter than stated", plan(&right(64), sha_256, 32)),
        (ALGORITHM, "PSS, negative salt", {
            plan(&[hash(SHA_256), mask(SHA_256), salt(&[0xE0])], sha_256, 32)
        }),
        (ALGORITHM, "PSS, salt longer than the key", {
            plan(&[hash(SHA_256), mask(SHA_256), salt(&[0x7F, 0xFF])], sha_256, 32)
        }),
        (ALGORITHM, "PSS, masked with SHA-1", {
            plan(&[hash(SHA_256), mask(SHA_1), salt(&[32])], sha_1, 32)
        }),
        (ALGORITHM, "PSS, mask absent", plan(&[hash(SHA_256), salt(&[32])], sha_1, 32)),
        (ALGORITHM, "PSS, another mask than stated", plan(&right(32), sha_1, 32)),
        (ALGORITHM, "PSS, defaults, signed so", {
            Plan { hash: sha_1, ..sha_1_digest(plan(&[], sha_1, 20)) }
        }),
        (
            ALGORITHM,
            "PSS, no parameters, signed with defaults",
            Plan {
                hash: sha_1,
                algorithm: Node::algorithm(PSS, &[]),
                ..sha_1_digest(plan(&[], sha_1, 20))
            },
        ),
        (ALGORITHM, "PSS, another hash than the digest's", {
            sha_1_digest(plan(&right(32), sha_256, 32))
        }),
        (ALGORITHM, "PSS, trailer 1", plan(&with(trailer(1)), sha_256, 32)),
        (ALGORITHM, "PSS, trailer 2", plan(&with(trailer(2)), sha_256, 32)),
        (ALGORITHM, "PSS, more than parameters", plan(&with(null()), sha_256, 32)),
        (ALGORITHM, "PSS, parameters in another order", {
            let mut turned = right(32);
            turned.reverse();
            plan(&turned, sha_256, 32)
        }),
        (ALGORITHM, "PSS, signed with PKCS#1", Plan { pss: None, ..plan(&right(32), sha_256, 32) }),
        (ALGORITHM, "PKCS#1, signed with PSS", {
            Plan { algorithm: Node::algorithm(RSA_SHA_256, &[null()]), ..plan(&[], sha_256, 32) }
        }),
    ]
}

/// Keys written otherwise, and keys that are none.
fn key_plans() -> Planned {
    let info = |info: Node| Plan { info: Some(info), ..Plan::ecdsa() };
    let point = |form| info(ec_info(Node::oid(P_256), &own_point(form)));
    let changed = |change: fn(&mut Node)| {
        let point = own_point(PointConversionForm::UNCOMPRESSED);
        let mut key = ec_info(Node::oid(P_256), &point);
        change(&mut key);
        info(key)
    };
    let explicit = CURVE_CHANGES.map(|(how, change)| {
        let mut parameters = parameters();
        change(&mut parameters);
        let point = own_point(PointConversionForm::UNCOMPRESSED);
        (KEY, how, info(ec_info(parameters, &point)))
    });
    let plans = [
        (KEY, "compressed point", point(PointConversionForm::COMPRESSED)),
        (KEY, "hybrid point", point(PointConversionForm::HYBRID)),
        (KEY, "point at infinity", info(ec_info(Node::oid(P_256), &[0]))),
        (KEY, "point beside the curve", {
            let mut point = own_point(PointConversionForm::UNCOMPRESSED);
            point[64] ^= 1;
            info(ec_info(Node::oid(P_256), &point))
        }),
        (KEY, "explicit parameters, the public key as generator", chosen_generator()),
        (KEY, "curve secp256k1", other_curve(Nid::SECP256K1)),
        (KEY, "curve K-283", other_curve(Nid::SECT283K1)),
        (KEY, "named as one for key agreement", {
            changed(|key| *key.at_mut(&[0, 0]) = Node::oid("2b8104010c"))
        }),
        (KEY, "parameters by number", {
            changed(|key| *key.at_mut(&[0, 1]) = Node::bytes(0x02, &[12]))
        }),
        (KEY, "parameters left out", {
            changed(|key| key.at_mut(&[0]).children_mut().truncate(1))
        }),
    ];
    plans.into_iter().chain(explicit).collect()
}

/// How, and what becomes of the parameters of P-256.
const CURVE_CHANGES: [(&str, Change<Node>); 7] = [
    ("explicit parameters", |_| ()),
    ("explicit parameters without cofactor", |p| drop(p.children_mut().pop())),
    ("explicit parameters, another cofactor", |p| {
        p.at_mut(&[5]).body = Body::Bytes(vec![2]);
    }),
    ("explicit parameters, compressed generator", |p| {
        let generator = p.at(&[3]).value();
        let form = 2 | generator[64] & 1;
        p.at_mut(&[3]).body = Body::Bytes([&[form], &generator[1..33]].concat());
    }),
    ("explicit parameters, another order", |p| {
        let mut order = p.at(&[4]).value();
        order.iter_mut().rev().take(1).for_each(|byte| *byte ^= 2);
        p.at_mut(&[4]).body = Body::Bytes(order);
    }),
    ("explicit parameters, another b", |p| {
        p.at_mut(&[2, 1]).body = Body::Bytes(vec![7; 32]);
    }),
    ("explicit parameters, prime composite, generator compressed", |p| {
        p.at_mut(&[1, 1]).body = Body::Bytes(vec![0x02, 0xB9]);
        p.at_mut(&[3]).body = Body::Bytes(vec![0x02, 0x00, 0x08]);
    }),
];

fn ec_info(parameters: Node, point: &[u8]) -> Node {
    let bits = Node::bytes(0x03, &[&[0], point].concat());
    Node::parts(0x30, &[Node::algorithm(EC, &[parameters]), bits])
}

fn own_point(form: PointConversionForm) -> Vec<u8> {
    let key = ec_key().ec_key().unwrap();
    key.public_key().to_bytes(key.group(), form, &mut BigNumContext::new().unwrap()).unwrap()
}

/// `ECParameters` of P-256 (RFC 3279 §2.3.5).
fn parameters() -> Node {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let [mut p, mut a, mut b, mut order] = [0; 4].map(|_| BigNum::new().unwrap());
    group.components_gfp(&mut p, &mut a, &mut b, &mut context).unwrap();
    group.order(&mut order, &mut context).unwrap();
    let form = PointConversionForm::UNCOMPRESSED;
    let generator = group.generator_opt().unwrap().to_bytes(&group, form, &mut context).unwrap();
    let unsigned = |n: &BigNum| Node::bytes(0x02, &[&[0], n.to_vec().as_slice()].concat());
    Node::parts(
        0x30,
        &[
            Node::bytes(0x02, &[1]),
            Node::parts(0x30, &[Node::oid(PRIME_FIELD), unsigned(&p)]),
            Node::parts(0x30, &[a, b].map(|n| Node::bytes(0x04, &n.to_vec_padded(32).unwrap()))),
            Node::bytes(0x04, &generator),
            unsigned(&order),
            Node::bytes(0x02, &[1]),
        ],
    )
}

/// CVE-2020-0601: on a curve whose generator is somebody's public key, that key's secret is one.
fn chosen_generator() -> Plan {
    let known = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let [mut p, mut a, mut b, mut order] = [0; 4].map(|_| BigNum::new().unwrap());
    known.components_gfp(&mut p, &mut a, &mut b, &mut context).unwrap();
    known.order(&mut order, &mut context).unwrap();
    let one = BigNum::from_u32(1).unwrap();
    let point = own_point(PointConversionForm::UNCOMPRESSED);
    let mut group = EcGroup::from_components(p, a, b, &mut context).unwrap();
    let public = EcPoint::from_bytes(&group, &point, &mut context).unwrap();
    let generator = public.to_owned(&group).unwrap();
    group.set_generator(generator, order, one.to_owned().unwrap()).unwrap();
    let key = EcKey::from_private_components(&group, &one, &public).unwrap();
    let mut parameters = parameters();
    parameters.at_mut(&[3]).body = Body::Bytes(point.clone());
    let info = Some(ec_info(parameters, &point));
    Plan { key: PKey::from_ec_key(key).unwrap(), info, ..Plan::ecdsa() }
}

fn other_curve(curve: Nid) -> Plan {
    let group = EcGroup::from_curve_name(curve).unwrap();
    let key = on_curve(&group, &BigNum::from_slice(&[0x17; 32]).unwrap());
    Plan { key, ..Plan::ecdsa() }
}
