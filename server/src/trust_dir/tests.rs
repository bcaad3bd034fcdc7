//! Stores that are altered, half written, or of the layout before there were bundles.

use super::*;
use sha2::{Digest, Sha256};

/// The certificate of an issuer, and a revocation list of it.
fn issuer(name: &str) -> (Vec<u8>, Vec<u8>) {
    use fixtures::{catalogue, passport::Passport, portraits::Portraits};
    let spec = catalogue::find(name).unwrap().spec;
    let day = time::macros::date!(2026 - 03 - 02);
    let made = Passport::make(&spec, &Portraits::drawn(), day).unwrap();
    (made.trust.csca, made.trust.crl)
}

fn import(store: &TrustDir, items: &[(Kind, &[u8])]) {
    let mut draft = store.import().unwrap();
    for (kind, der) in items {
        draft.add(Domain::Qa, *kind, der);
    }
    draft.commit().unwrap();
}

#[test]
fn a_missing_store_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = TrustDir::open(&dir.path().join("none"));
    assert!(matches!(missing, Err(TrustDirError::Missing { .. })));
    let made = TrustDir::create(&dir.path().join("a/b")).unwrap();
    assert_eq!(made.domains().unwrap(), []);
    assert_eq!(made.load(Domain::Qa).unwrap().anchors().len(), 0);
    assert!(matches!(TrustDir::open_previous(dir.path()), Err(TrustDirError::Missing { .. })));
}

#[test]
fn what_is_not_committed_is_not_there_and_the_one_before_stays_readable() {
    let dir = tempfile::tempdir().unwrap();
    let store = TrustDir::create(dir.path()).unwrap();
    let (csca, crl) = issuer("good");
    let mut draft = store.import().unwrap();
    assert_eq!(draft.add(Domain::Qa, Kind::Anchor, &csca), Stored::New);
    assert_eq!(draft.add(Domain::Qa, Kind::Anchor, &csca), Stored::Duplicate);
    drop(draft);
    assert_eq!(store.domains().unwrap(), []);
    import(&store, &[(Kind::Anchor, &csca)]);
    assert_eq!(store.domains().unwrap(), [Domain::Qa]);
    assert_eq!(store.usual_domain().unwrap(), Domain::Qa);
    import(&store, &[(Kind::RevocationList, &crl)]);
    let now = Counts { anchors: 1, signers: 0, revocation_lists: 1 };
    assert_eq!(store.counts(Domain::Qa).unwrap(), now);
    assert_eq!(store.generation_number().unwrap(), 2);
    let before = TrustDir::open_previous(dir.path()).unwrap();
    assert_eq!(before.counts(Domain::Qa).unwrap(), Counts { revocation_lists: 0, ..now });
    assert_eq!(before.load(Domain::Qa).unwrap().anchors().len(), 1);
    assert_eq!(store.load(Domain::Production).unwrap().anchors().len(), 0);
}

#[test]
fn an_altered_store_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = TrustDir::create(dir.path()).unwrap();
    import(&store, &[(Kind::Anchor, &issuer("good").0)]);
    let path = fs::read_dir(dir.path().join("generations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "bundle"))
        .unwrap();
    let whole = fs::read(&path).unwrap();
    for place in [0, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[place] ^= 1;
        fs::write(&path, altered).unwrap();
        assert!(matches!(store.load(Domain::Qa), Err(TrustDirError::Altered { .. })));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.load(Domain::Qa), Err(TrustDirError::File { .. })));
    fs::write(dir.path().join("manifest.json"), b"{}").unwrap();
    assert!(matches!(store.load(Domain::Qa), Err(TrustDirError::Altered { .. })));
    assert!(store.import().is_err(), "what cannot be read is not written over");
}

#[test]
fn a_store_of_single_files_is_read_and_taken_in_by_the_next_import() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("qa");
    fs::create_dir(&folder).unwrap();
    let (csca, crl) = issuer("good");
    let named = folder.join(hex::encode(Sha256::digest(&csca))).with_extension("der");
    fs::write(&named, &csca).unwrap();
    fs::write(folder.join("by-hand.crl"), &crl).unwrap();
    fs::write(folder.join("README"), b"not looked at").unwrap();
    let store = TrustDir::open(dir.path()).unwrap();
    let all = Counts { anchors: 1, signers: 0, revocation_lists: 1 };
    assert_eq!(store.counts(Domain::Qa).unwrap(), all);
    assert_eq!(store.load(Domain::Qa).unwrap().anchors().len(), 1);
    import(&store, &[]);
    assert!(!named.exists() && !folder.join("by-hand.crl").exists());
    assert!(folder.join("README").exists());
    assert_eq!(store.counts(Domain::Qa).unwrap(), all);
    // One that an import could not delete any more is not counted twice.
    fs::write(&named, &csca).unwrap();
    assert_eq!(store.counts(Domain::Qa).unwrap(), all);
    import(&store, &[]);
    assert!(!named.exists());
    // One that is not what its name says is an error.
    fs::write(&named, b"other").unwrap();
    assert!(matches!(store.load(Domain::Qa), Err(TrustDirError::Altered { .. })));
}
