//! What passive authentication of a passport costs beside its bare public-key operations, by
//! algorithm (issue 4, Done-when 7): `cargo bench -p nfc --bench passive`.
//!
//! - whole: `passive::verify` over the files of a passport with a portrait of usual size, in a store
//!   of a thousand other issuers with a revocation list. Nothing is kept from one passport to the
//!   next but what is known of the store's own certificates and lists.
//! - SOD: the same over EF.SOD alone, without the data groups to hash and to parse.
//! - hash: OpenSSL hashes the data groups. This is neither a public-key operation nor work that could
//!   be saved, so that the last two columns leave it out of the whole.
//! - bare: OpenSSL verifies the two signatures, over EF.SOD and the signer's certificate, from
//!   digests, in the cheapest way that it offers. The issuer's key was parsed and used before, as a
//!   store's is. The signer's is new with every passport, so it is made from its
//!   SubjectPublicKeyInfo each time: of an elliptic curve only its point, on a curve that is kept;
//!   else by the function for its kind (`d2i_RSA_PUBKEY`), as OpenSSL's usual `d2i_PUBKEY` takes
//!   longer than a signature. What OpenSSL reckons ahead for a key is part of its first use.
//! - known: the same with both keys parsed and used before, which no verifier of a new certificate
//!   can have.
//!
//! The issue's line is a ratio of at most 1.5. By which of the five columns it is judged is for the
//! reader: the strictest is whole/known, the mildest (whole-hash)/bare. All are run equally often, in
//! turn, and each time is one that a tenth of the runs stays below: a busy machine lengthens most of
//! them. The last lines name the worst ratios. An argument picks the algorithms with it in their name.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a figure is measured by the clock, and a fault ends the run"
)]

#[path = "../tests/authority/mod.rs"]
mod authority;

use std::time::{Duration, Instant};

use authority::{Hash, Key, List, Scheme, Sod, Template, name, set};
use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use nfc::{
    files::{FileId, Files},
    passive,
    trust::{Domain, TrustStore},
};
use openssl::{
    bn::BigNumContext,
    dsa::Dsa,
    ec::{EcGroup, EcKey, EcPoint, PointConversionForm},
    ecdsa::EcdsaSig,
    nid::Nid,
    pkey::{Id, PKey, Public},
    pkey_ctx::PkeyCtx,
    rsa::{Padding, Rsa},
    sign::RsaPssSaltlen,
};
use time::macros::date;

const RUNS: usize = 300;
const OTHER_ISSUERS: usize = 1000;
const RATIOS: [&str; 5] =
    ["whole/bare", "SOD/bare", "(whole-hash)/bare", "whole/known", "(whole-hash)/known"];

fn main() {
    let files = passport();
    let size: usize = files.data_groups().map(|(_, bytes)| bytes.len()).sum();
    let (others, added) = others();
    println!("{OTHER_ISSUERS} issuers added in {} ms", added.as_millis());
    println!("data groups of {size} bytes in all, {RUNS} runs\n");
    println!(
        "{:<29} {:>8} {:>8} {:>8} {:>8} {:>8} {:>10} {:>8} {:>17} {:>11} {:>18}",
        "signer and issuer",
        "whole µs",
        "SOD µs",
        "hash µs",
        "bare µs",
        "known µs",
        RATIOS[0],
        RATIOS[1],
        RATIOS[2],
        RATIOS[3],
        RATIOS[4],
    );
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let mut worst = RATIOS.map(|_| (0.0, String::new()));
    for (label, key) in keys() {
        if only.as_ref().is_some_and(|only| !label.contains(only.as_str())) {
            continue;
        }
        let [whole, sod, hash, bare, known] = Case::new(&key(), &files, &others).measure();
        let rest = whole - hash;
        let ratios = [whole / bare, sod / bare, rest / bare, whole / known, rest / known];
        let [by_whole, by_sod, by_rest, by_known, least] = ratios;
        println!(
            "{label:<29} {whole:>8.1} {sod:>8.1} {hash:>8.1} {bare:>8.1} {known:>8.1} \
             {by_whole:>10.2} {by_sod:>8.2} {by_rest:>17.2} {by_known:>11.2} {least:>18.2}"
        );
        for (worst, ratio) in worst.iter_mut().zip(ratios) {
            if ratio > worst.0 {
                *worst = (ratio, label.clone());
            }
        }
    }
    for (name, (ratio, label)) in RATIOS.iter().zip(worst) {
        println!("worst {name}: {ratio:.2} ({label})");
    }
}

/// The data groups of a fixture passport.
fn passport() -> Files {
    let spec = &catalogue::find("good").expect("a good passport").spec;
    let made = Passport::make(spec, &Portraits::drawn(), date!(2026 - 11 - 22)).unwrap();
    let files: Files =
        made.files.iter().map(|(name, bytes)| (name.parse().unwrap(), bytes.clone())).collect();
    files.data_groups().map(|(number, bytes)| (FileId::Dg(number), bytes.to_vec())).collect()
}

/// Issuers that no document here chains to.
fn others() -> (TrustStore, Duration) {
    let certificates: Vec<_> = (0..OTHER_ISSUERS)
        .map(|i| {
            let key = Key::usual();
            let common = format!("CSCA {i}");
            let country = format!("{}{}", char::from(b'A' + (i % 26) as u8), i / 26 % 10);
            let template = Template {
                issuer: name(&country, &common),
                subject: name(&country, &common),
                ..Template::issuer(&key, &key)
            };
            template.sign(&key)
        })
        .collect();
    let mut store = TrustStore::new(Domain::Qa);
    let start = Instant::now();
    for der in &certificates {
        store.add_der(der).unwrap();
    }
    (store, start.elapsed())
}

/// A key when it is needed: some take long to make.
type Make = Box<dyn Fn() -> Key>;

fn keys() -> Vec<(String, Make)> {
    let mut keys: Vec<(String, Make)> = Vec::new();
    for bits in [2048, 3072, 4096] {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            for scheme in [Scheme::Pkcs1(hash), Scheme::Pss(hash, 32)] {
                keys.push((
                    format!("RSA-{bits} {scheme:?}"),
                    Box::new(move || Key::rsa(bits, scheme)),
                ));
            }
        }
    }
    for (curve, nid, hash) in [
        ("P-224", Nid::SECP224R1, Hash::Sha224),
        ("P-256", Nid::X9_62_PRIME256V1, Hash::Sha256),
        ("P-384", Nid::SECP384R1, Hash::Sha384),
        ("P-521", Nid::SECP521R1, Hash::Sha512),
        ("brainpoolP256r1", Nid::BRAINPOOL_P256R1, Hash::Sha256),
        ("brainpoolP384r1", Nid::BRAINPOOL_P384R1, Hash::Sha384),
        ("brainpoolP512r1", Nid::BRAINPOOL_P512R1, Hash::Sha512),
    ] {
        let scheme = Scheme::Ecdsa(hash);
        keys.push((format!("{curve} {scheme:?}"), Box::new(move || Key::ec(nid, scheme))));
        let explicit = Box::new(move || Key::ec_explicit(nid, scheme));
        keys.push((format!("{curve}, explicit"), explicit));
    }
    for (bits, order, hash) in
        [(1024, 160, Hash::Sha1), (2048, 224, Hash::Sha224), (2048, 256, Hash::Sha256)]
    {
        let key = Box::new(move || Key::dsa(bits, order, Scheme::Dsa(hash)));
        keys.push((format!("DSA-{bits} {hash:?}"), key));
    }
    keys
}

/// A passport whose signer and issuer have keys of one kind; the issuer's is the signer's own.
struct Case {
    store: TrustStore,
    files: Files,
    scheme: Scheme,
    /// By the signer, and by the issuer.
    signed: [Signed; 2],
}

/// A signature and what is needed to verify it.
struct Signed {
    key: PKey<Public>,
    /// Of an elliptic curve: the curve by its name, whatever the key says, and the point.
    point: Option<(EcGroup, Vec<u8>)>,
    spki: Vec<u8>,
    digest: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn new(message: &[u8], by: &Key) -> Self {
        let key = PKey::public_key_from_der(&by.spki).unwrap();
        Self {
            point: key.ec_key().ok().map(|key| point_of(&key)),
            key,
            spki: by.spki.clone(),
            digest: by.scheme.hash().digest(message),
            signature: by.sign(message),
        }
    }

    fn verify(&self, scheme: Scheme) {
        let valid = match self.key.ec_key() {
            Ok(key) => self.verify_ecdsa(&key),
            Err(_) => verify(&self.key, scheme, &self.digest, &self.signature),
        };
        assert!(valid);
    }

    fn verify_ecdsa(&self, key: &EcKey<Public>) -> bool {
        EcdsaSig::from_der(&self.signature).unwrap().verify(&self.digest, key).unwrap()
    }

    /// With the key as it comes in a certificate.
    fn verify_new(&self, scheme: Scheme) {
        if let Some((group, point)) = &self.point {
            let mut context = BigNumContext::new().unwrap();
            let point = EcPoint::from_bytes(group, point, &mut context).unwrap();
            assert!(self.verify_ecdsa(&EcKey::from_public_key(group, &point).unwrap()));
            return;
        }
        let key = match self.key.id() {
            Id::DSA => PKey::from_dsa(Dsa::public_key_from_der(&self.spki).unwrap()),
            _ => PKey::from_rsa(Rsa::public_key_from_der(&self.spki).unwrap()),
        };
        assert!(verify(&key.unwrap(), scheme, &self.digest, &self.signature));
    }
}

fn point_of(key: &EcKey<Public>) -> (EcGroup, Vec<u8>) {
    let group = EcGroup::from_curve_name(key.group().curve_name().unwrap()).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let form = PointConversionForm::UNCOMPRESSED;
    let point = key.public_key().to_bytes(&group, form, &mut context).unwrap();
    (group, point)
}

impl Case {
    fn new(key: &Key, files: &Files, others: &TrustStore) -> Self {
        let (csca, signer) = (key, sibling(key));
        let mut store = others.clone();
        store.add_der(&Template::issuer(csca, csca).sign(csca)).unwrap();
        store.add_crl_der(&List::of(&[(1, None), (2, None)]).sign(csca)).unwrap();
        let certificate = Template::signer(&signer, csca).sign(csca);
        let groups: Vec<_> =
            files.data_groups().map(|(n, bytes)| (n.number(), bytes.to_vec())).collect();
        let sod = Sod { hash: key.scheme.hash(), ..Sod::of(&groups, certificate) };
        let attributes = set(&sod.right_attributes(key.scheme.hash()));
        let mut files = files.clone();
        files.insert(FileId::Sod, sod.sign(&signer));
        let signed = [Signed::new(&attributes, &signer), Signed::new(&[7; 300], csca)];
        let report = passive::verify(&files, &store, date!(2026 - 07 - 01));
        assert!(report.verified.is_some(), "{:?}", report.checks);
        Self { store, files, scheme: csca.scheme, signed }
    }

    /// Microseconds: whole, EF.SOD alone, the data groups' hashes, bare, and bare with both keys
    /// known.
    fn measure(&self) -> [f64; 5] {
        let sod = self.files.get(FileId::Sod).map(|sod| (FileId::Sod, sod.to_vec()));
        let alone: Files = sod.into_iter().collect();
        let [of_signer, of_issuer] = &self.signed;
        let mut times = [const { Vec::new() }; 5];
        for _ in 0..RUNS {
            let [whole, sod, hash, bare, known] = &mut times;
            whole.push(timed(|| self.verify(&self.files)));
            sod.push(timed(|| self.verify(&alone)));
            hash.push(timed(|| {
                for (_, bytes) in self.files.data_groups() {
                    std::hint::black_box(self.scheme.hash().digest(bytes));
                }
            }));
            bare.push(timed(|| {
                of_signer.verify_new(self.scheme);
                of_issuer.verify(self.scheme);
            }));
            known.push(timed(|| {
                of_signer.verify(self.scheme);
                of_issuer.verify(self.scheme);
            }));
        }
        times.map(undisturbed)
    }

    fn verify(&self, files: &Files) {
        let report = passive::verify(files, &self.store, date!(2026 - 07 - 01));
        assert!(report.csca().is_some(), "{:?}", report.checks);
    }
}

/// Another key of the same kind.
fn sibling(key: &Key) -> Key {
    let scheme = key.scheme;
    if let Ok(rsa) = key.key.rsa() {
        return Key::rsa(rsa.size() * 8, scheme);
    }
    if let Ok(ec) = key.key.ec_key() {
        let curve = ec.group().curve_name().unwrap();
        let is_explicit = key.spki.len() > 200;
        return if is_explicit { Key::ec_explicit(curve, scheme) } else { Key::ec(curve, scheme) };
    }
    let dsa = key.key.dsa().unwrap();
    Key::dsa(dsa.p().num_bits().into(), dsa.q().num_bits().into(), scheme)
}

/// The public-key operation alone.
fn verify(key: &PKey<Public>, scheme: Scheme, digest: &[u8], signature: &[u8]) -> bool {
    let mut context = PkeyCtx::new(key).unwrap();
    context.verify_init().unwrap();
    let hash = openssl::md::Md::from_nid(scheme.hash().openssl().type_()).unwrap();
    match scheme {
        Scheme::Pss(_, salt) => {
            context.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            context.set_signature_md(hash).unwrap();
            context.set_rsa_mgf1_md(hash).unwrap();
            context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt.into())).unwrap();
        }
        Scheme::Pkcs1(_) => {
            context.set_rsa_padding(Padding::PKCS1).unwrap();
            context.set_signature_md(hash).unwrap();
        }
        _ => {}
    }
    context.verify(digest, signature).unwrap()
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The first decile.
fn undisturbed(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 10).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}
