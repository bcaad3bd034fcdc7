//! The files of the logical data structure, and what signs them.

use nfc::{
    cms::SignedData,
    files::{FileId, Files},
    lds::{
        atr_info, card_access, card_security, com, dg1, dg2, dg7, dg11, dg12, dg13, dg14, dg15,
        dg16, security_infos::SecurityInfos, sod,
    },
    pace::Suite,
    passive,
    tlv::{self, Tag},
    trust::{Domain, TrustStore, certificate::Certificate, crl::Crl, master_list},
};

use super::TODAY;

/// Every file but EF.SOD. The first byte names the file; its top bit puts the file's own tag and
/// length around the rest.
pub fn lds(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let (tag, parse) = LDS[usize::from(choice & 0x7F) % LDS.len()];
    let framed = tlv::encode(tag, body);
    parse(if choice & 0x80 == 0 { body } else { &framed });
}

/// Parses a file, and asserts what must hold of it.
type Parse = fn(&[u8]);

/// Each file's tag, and what parses it. New ones come last: the corpus counts on the order.
const LDS: [(Tag, Parse); 12] = [
    (Tag(0x60), |file| drop(com::parse(file))),
    (Tag(0x61), zone),
    (Tag(0x75), portraits),
    (Tag(0x6E), |file| drop(dg14::parse(file))),
    (Tag(0x6F), |file| drop(dg15::parse(file))),
    (Tag(0x31), |file| drop(card_access::parse(file))),
    (Tag(0x7F66), |file| drop(atr_info::parse(file))),
    (Tag(0x67), |file| drop(dg7::parse(file))),
    (Tag(0x6B), |file| drop(dg11::parse(file))),
    (Tag(0x6C), |file| drop(dg12::parse(file))),
    (Tag(0x6D), |file| drop(dg13::parse(file))),
    (Tag(0x70), |file| drop(dg16::parse(file))),
];

/// DG1, and the access key that its zone yields.
fn zone(file: &[u8]) {
    let _ = dg1::issuer(file);
    let Ok(zone) = dg1::parse(file) else { return };
    let _ = zone.access_key().information();
}

fn portraits(file: &[u8]) {
    let Ok(portraits) = dg2::portraits(file) else { return };
    assert!(!portraits.is_empty() && portraits.len() <= 8);
    let whole: usize = portraits.iter().map(|portrait| portrait.bytes.len()).sum();
    assert!(whole <= file.len(), "portraits longer than their file");
}

/// `SecurityInfos`, alone and compared with each other.
pub fn security_infos(data: &[u8]) {
    let Ok(infos) = SecurityInfos::parse(data) else { return };
    assert!(infos.has_same_pace(&infos));
    assert!(Suite::choose(&infos).len() <= infos.pace().count());
    let _ = nfc::chip_auth::is_offered(&infos);
    let _ = infos.active_authentication().map(ToString::to_string);
}

/// EF.SOD: the signed message, the security object in it, and passive authentication over it.
pub fn sod(data: &[u8]) {
    let framed = match tlv::single(data, FileId::Sod.tag()) {
        Ok(_) => data.to_vec(),
        Err(_) => tlv::encode(FileId::Sod.tag(), data),
    };
    let _ = sod::SecurityObject::parse(data);
    if let Ok(signed) = sod::parse(&framed) {
        let _ = sod::SecurityObject::parse(&signed.content);
        signers(&signed);
    }
    if let Ok(signed) = card_security::parse(data) {
        signers(&signed);
    }
    let com = tlv::encode(FileId::Com.tag(), &[]);
    let files: Files = [(FileId::Sod, framed), (FileId::Com, com)].into_iter().collect();
    let nobody = TrustStore::new(Domain::Qa);
    let report = passive::verify(&files, &nobody, TODAY);
    assert!(report.verified.is_none(), "nobody is trusted");
    let report = passive::verify_card_security(data, &files, &nobody, TODAY);
    assert!(report.verified.is_none(), "nobody is trusted");
}

fn signers(signed: &SignedData) {
    for signer in &signed.signers {
        let _ = (signer.hash(), signer.signature_algorithm(), signer.attributes());
        if let Some(certificate) = signed.certificate_of(signer)
            && let Ok(key) = certificate.public_key()
        {
            let _ = signer.verify(&signed.content, &key);
        }
    }
}

/// Certificates, revocation lists and master lists, also as anchors of their own.
pub fn certificates(data: &[u8]) {
    if let Ok(certificate) = Certificate::parse(data) {
        let _ = (certificate.public_key(), certificate.signature_algorithm());
        let _ = (certificate.is_self_signed(), certificate.country());
        let mut store = TrustStore::new(Domain::Qa);
        if store.add_der(data).is_ok() {
            let _ = store.path(&certificate);
        }
    }
    if let Ok(list) = Crl::parse(data) {
        let _ = list.revokes(&[1]);
    }
    let _ = master_list::parse(data);
}
