//! How chips prove that they are the ones that were signed for, against the emulated chip: every
//! kind of key, what cannot be a key, and what is signed but is not what the standard defines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use fixtures::{chip::Chip, passport::Passport, portraits::Portraits, spec::Spec};
use nfc::{
    apdu::Response,
    check::{Check, Outcome, Reason},
    link::{self, Batch, Link, LinkError, one_by_one},
    random::SystemRandom,
    reader::{self, AccessKey, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);

struct InProcess(Chip);

impl Link for InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

/// The good passport with `changes`, and a small picture.
fn make(changes: &str) -> Passport {
    let text = format!(
        "base = 'good'\n{changes}\n[portrait]\nwho = 'obama'\nencoding = 'jpeg'\nwidth = 60\n\
         height = 80\nmax_bytes = 3000\n"
    );
    let spec = Spec::parse(&text).unwrap_or_else(|error| panic!("{error:?}: {text}"));
    Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap()
}

fn read(passport: &Passport) -> ChipReading {
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(&passport.trust.csca).unwrap();
    let request = ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key()),
        trust: Arc::new(trust),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits: Limits::EXTENDED,
        policy: reader::AccessPolicy::default(),
        random: Box::new(SystemRandom),
    };
    let mut chip = InProcess(Chip::new(passport));
    link::drive::<_, ReadError>(reader::start(request), &mut chip).unwrap()
}

fn find<'a>(reading: &'a ChipReading, id: &str) -> &'a Check {
    reading.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id}"))
}

/// Reads the good passport with these chip authentication keys.
fn with_keys(keys: &str) -> ChipReading {
    read(&make(&format!("active_authentication = false\n[chip_authentication]\nkeys = [{keys}]")))
}

#[test]
fn chips_prove_keys_of_every_kind() {
    for (keys, agreement, curve, cipher) in [
        (
            "{group='modp-1024-160',cipher='aes-128',parameters='standardized'}",
            "DH",
            "modp-1024-160",
            "AES-128",
        ),
        (
            "{group='modp-2048-224',cipher='3des',parameters='explicit'}",
            "DH",
            "modp-2048-224",
            "3DES",
        ),
        (
            "{group='modp-2048-256',cipher='aes-256',parameters='pkcs3'}",
            "DH",
            "modp-2048-256",
            "AES-256",
        ),
        (
            "{group='modp-2048-256',cipher='aes-192',parameters='named'}",
            "DH",
            "modp-2048-256",
            "AES-192",
        ),
        ("{group='P-192',cipher='3des',parameters='named'}", "ECDH", "secp192r1", "3DES"),
        (
            "{group='P-256',cipher='aes-192',parameters='standardized'}",
            "ECDH",
            "secp256r1",
            "AES-192",
        ),
        (
            "{group='brainpoolP320r1',cipher='aes-128',parameters='explicit'}",
            "ECDH",
            "brainpoolP320r1",
            "AES-128",
        ),
        ("{group='P-521',cipher='aes-256',parameters='named'}", "ECDH", "secp521r1", "AES-256"),
        (
            "{group='P-256',cipher='3des',parameters='named',info='absent'}",
            "ECDH",
            "secp256r1",
            "3DES",
        ),
    ] {
        let reading = with_keys(keys);
        let check = find(&reading, "chip_authentication");
        assert_eq!(check.outcome, Outcome::Passed, "{keys} {:?}", check.evidence);
        let found = &check.evidence["protocol"];
        assert_eq!(found["agreement"], agreement, "{keys}");
        assert_eq!((&found["curve"], &found["cipher"]), (&curve.into(), &cipher.into()), "{keys}");
    }
}

#[test]
fn the_reference_chooses_among_keys() {
    let [one, two, three] = [
        "{group='P-256',cipher='3des',parameters='named',key_id=1}",
        "{group='modp-2048-256',cipher='aes-128',parameters='named',key_id=200}",
        "{group='brainpoolP256r1',cipher='aes-256',parameters='named',key_id=65536}",
    ];
    for (keys, key_id) in [
        (one.to_owned(), "01"),
        (format!("{one},{two}"), "c8"),
        (format!("{one},{two},{three}"), "010000"),
    ] {
        let reading = with_keys(&keys);
        let check = find(&reading, "chip_authentication");
        assert_eq!(check.outcome, Outcome::Passed, "{keys} {:?}", check.evidence);
        assert_eq!(check.evidence["protocol"]["key_id"], key_id);
    }
}

#[test]
fn what_cannot_be_a_key_fails() {
    let failed = Outcome::Failed(Reason::ChipAuthenticationFailed);
    let unsupported = Outcome::NotPerformed(Some(Reason::ChipAuthenticationUnsupported));
    for (change, outcome) in [
        ("published='corrupt'", failed),
        ("published='neutral'", failed),
        ("published='absent'", failed),
        ("key_id=1,info_key_id=2", failed),
        ("info='wrong-version'", Outcome::NotPerformed(None)),
    ] {
        for group in ["P-256", "modp-2048-256"] {
            let parameters = "parameters='named'";
            let keys = format!("{{group='{group}',cipher='aes-128',{parameters},{change}}}");
            let reading = with_keys(&keys);
            let check = find(&reading, "chip_authentication");
            assert_eq!(check.outcome, outcome, "{keys} {:?}", check.evidence);
        }
    }
    let unknown = "{group='P-256',cipher='aes-128',parameters='named',info='unknown-protocol'}";
    let check = find(&with_keys(unknown), "chip_authentication").clone();
    assert_eq!(check.outcome, unsupported, "{:?}", check.evidence);
    for group in ["P-256", "modp-2048-256"] {
        let base = format!("group='{group}',cipher='aes-128',parameters='explicit'");
        for change in ["published='wrong-parameters'", "published='unknown-algorithm'"] {
            let reading = with_keys(&format!("{{{base},{change}}}"));
            let check = find(&reading, "chip_authentication");
            assert!([failed, unsupported].contains(&check.outcome), "{change} {check:?}");
        }
    }
}

/// EF.SOD is reached by SELECT alone: the answer under the new keys is a refusal, and proves them.
#[test]
fn chips_that_refuse_short_identifiers_prove_their_keys() {
    let refuses = |nth: usize| {
        format!(
            "[[chip.faults]]\non = {{ command = 'read-binary', protected = true, file = 'EF.SOD', \
             nth = {nth} }}\ndo = {{ status = '6A82' }}\n"
        )
    };
    // The first READ BINARY, then the one after SELECT, then the proof.
    let changes = format!("active_authentication = false\n{}{}", refuses(1), refuses(3));
    let reading = read(&make(&changes));
    let check = find(&reading, "chip_authentication");
    assert_eq!(check.outcome, Outcome::Passed, "{:?}", check.evidence);
    // The refusal stopped the batch; the old keys were tried after it.
    assert_eq!(check.evidence["old_keys"], "dead");
}

fn with_signature(key: &str) -> ChipReading {
    read(&make(&format!("[active_authentication]\n{}", key.replace(", ", "\n"))))
}

#[test]
fn chips_sign_with_keys_of_every_kind() {
    for (key, describe, hash, form) in [
        ("key='rsa-1024', digest='sha1', parameters='named'", "RSA-1024", "SHA-1", "ISO 9796-2"),
        (
            "key='rsa-2048', digest='sha224', parameters='named'",
            "RSA-2048",
            "SHA-224",
            "ISO 9796-2",
        ),
        (
            "key='rsa-1536', digest='sha256', parameters='named'",
            "RSA-1536",
            "SHA-256",
            "ISO 9796-2",
        ),
        (
            "key='rsa-2048', digest='sha384', parameters='named'",
            "RSA-2048",
            "SHA-384",
            "ISO 9796-2",
        ),
        (
            "key='rsa-2048', digest='sha512', parameters='named'",
            "RSA-2048",
            "SHA-512",
            "ISO 9796-2",
        ),
        (
            "key='brainpoolP512r1', digest='sha512', parameters='explicit'",
            "EC brainpoolP512r1",
            "SHA-512",
            "plain",
        ),
        (
            "key='P-224', digest='sha224', parameters='named', signature='der'",
            "EC secp224r1",
            "SHA-224",
            "DER",
        ),
        ("key='P-521', digest='sha384', parameters='named'", "EC secp521r1", "SHA-384", "plain"),
        (
            "key='P-256', digest='sha256', parameters='named', info='absent'",
            "EC secp256r1",
            "SHA-256",
            "plain",
        ),
        (
            "key='P-256', digest='sha1', parameters='named', info='absent'",
            "EC secp256r1",
            "SHA-1",
            "plain",
        ),
    ] {
        let reading = with_signature(key);
        let check = find(&reading, "active_authentication");
        assert_eq!(check.outcome, Outcome::Passed, "{key} {:?}", check.evidence);
        let found = &check.evidence["signature"];
        assert_eq!((&found["key"], &found["hash"]), (&describe.into(), &hash.into()), "{key}");
        assert_eq!(found["form"], form, "{key}");
        assert_eq!(find(&reading, "chip_authentication").outcome, Outcome::Passed, "{key}");
    }
}

#[test]
fn a_signature_algorithm_that_nobody_knows_leaves_the_question_open() {
    let reading = with_signature(
        "key='P-256', digest='sha256', parameters='named', info='unknown-algorithm'",
    );
    let unsupported = Outcome::NotPerformed(Some(Reason::ActiveAuthenticationUnsupported));
    let check = find(&reading, "active_authentication");
    assert_eq!(check.outcome, unsupported, "{:?}", check.evidence);
}

#[test]
fn what_is_signed_must_be_what_the_standard_defines() {
    let malformed = Outcome::Failed(Reason::DataGroupMalformed);
    for (file, at, change, outcome) in [
        ("DG1", "61", "{ tag = '62' }", malformed),
        ("DG1", "61/5F1F", "{ mrz = { field = 'sex', value = 'Q' } }", malformed),
        ("DG2", "75/7F61/02", "'drop'", malformed),
        ("DG2", "75/7F61/7F60/A1/87", "'drop'", malformed),
        ("DG14", "6E", "{ tag = '6F' }", malformed),
        ("DG15", "6F", "{ tag = '70' }", malformed),
        ("DG15", "6F/30/30", "'drop'", malformed),
        // Eye colour, in the facial information of the only picture.
        ("DG2", "75/7F61/7F60/5F2E", "{ patch = { offset = 21, bytes = '63' } }", Outcome::Passed),
    ] {
        let deviation = format!(
            "[deviation]\nkind = 'issued-wrong'\nfile = '{file}'\nedits = [{{ at = '{at}', do = {change} }}]"
        );
        let reading = read(&make(&deviation));
        assert_eq!(find(&reading, "dg.hash").outcome, Outcome::Passed, "{file} {at} {change}");
        let check = find(&reading, "dg.content");
        assert_eq!(check.outcome, outcome, "{file} {at} {change} {:?}", check.evidence);
    }
}

#[test]
fn ef_com_must_be_one() {
    let malformed = Outcome::Failed(Reason::ComMalformed);
    for (at, change, content, agrees) in [
        ("60", "{ tag = '61' }", malformed, Outcome::Passed),
        ("60/5F01", "{ text = '0300' }", malformed, Outcome::Failed(Reason::Downgrade)),
        ("60/5F36", "'drop'", malformed, Outcome::Passed),
        ("60/5C", "'drop'", malformed, Outcome::Passed),
        ("60/5C", "{ value = '6175' }", Outcome::Passed, Outcome::Failed(Reason::Downgrade)),
    ] {
        let deviation = format!(
            "[deviation]\nkind = 'altered'\nfile = 'EF.COM'\nedits = [{{ at = '{at}', do = {change} }}]"
        );
        let reading = read(&make(&deviation));
        assert_eq!(find(&reading, "com.content").outcome, content, "{at} {change}");
        let check = find(&reading, "chip.downgrade");
        assert_eq!(check.outcome, agrees, "{at} {change} {:?}", check.evidence);
    }
}

/// Version 0 of the security object signs no versions: what EF.COM says of them is no downgrade.
#[test]
fn a_version_that_nobody_signed_is_no_downgrade() {
    for version in ["0106", "0107", "0108"] {
        let reading = read(&make(&format!(
            "sod = {{ digest = 'sha256', version = 0 }}\n[deviation]\nkind = 'altered'\n\
             file = 'EF.COM'\nedits = [{{ at = '60/5F01', do = {{ text = '{version}' }} }}]"
        )));
        for id in ["com.content", "chip.downgrade"] {
            assert_eq!(find(&reading, id).outcome, Outcome::Passed, "{version} {id}");
        }
    }
}
