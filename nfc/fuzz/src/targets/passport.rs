//! The small passport: real signatures by an issuer of its own, a picture that is none.

use std::{collections::BTreeMap, sync::Arc};

use nfc::{
    files::FileId,
    trust::{Domain, TrustStore},
};

/// The chip authentication key, a scalar of P-256.
pub const CHIP_KEY: &[u8; 32] = include_bytes!("../../passport/chip-authentication.key");
/// The active authentication key, a scalar of P-256.
pub const ACTIVE_KEY: &[u8; 32] = include_bytes!("../../passport/active-authentication.key");
/// The issuer's certificate.
pub const ISSUER: &[u8] = include_bytes!("../../passport/csca.der");
const REVOKED: &[u8] = include_bytes!("../../passport/csca.crl");
const ZONE: &str = include_str!("../../passport/mrz.txt");

/// The files as the issuer signed them.
pub const FILES: [(FileId, &[u8]); 7] = [
    (FileId::CardAccess, include_bytes!("../../passport/EF.CardAccess.bin")),
    (FileId::Com, include_bytes!("../../passport/EF.COM.bin")),
    (FileId::Sod, include_bytes!("../../passport/EF.SOD.bin")),
    (FileId::DG1, include_bytes!("../../passport/DG1.bin")),
    (FileId::DG2, include_bytes!("../../passport/DG2.bin")),
    (FileId::DG14, include_bytes!("../../passport/DG14.bin")),
    (FileId::DG15, include_bytes!("../../passport/DG15.bin")),
];

/// The files by short identifier.
pub fn files() -> BTreeMap<u8, Vec<u8>> {
    FILES.iter().map(|(id, bytes)| (id.sfi(), bytes.to_vec())).collect()
}

/// The key printed on the page.
pub fn key() -> mrz::AccessKey {
    mrz::parse(ZONE.trim_end()).expect("the zone is right").access_key()
}

/// What the access keys are derived from.
pub fn information() -> String {
    key().information().as_str().to_owned()
}

/// The issuer, trusted.
pub fn trust() -> Arc<TrustStore> {
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(ISSUER).expect("the issuer's certificate is right");
    store.add_crl_der(REVOKED).expect("the revocation list is right");
    Arc::new(store)
}
