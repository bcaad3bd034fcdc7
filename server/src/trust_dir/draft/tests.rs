//! An import that stops at any of its steps leaves the old store or the new one.

use super::*;
use crate::trust_dir::Counts;

fn items(count: u8) -> Vec<Vec<u8>> {
    // Real certificates are not needed: what is counted here is only what is visible.
    (0..count).map(|n| vec![n; 64]).collect()
}

fn draft_with(store: &TrustDir, items: &[Vec<u8>]) -> Draft {
    let mut draft = store.import().unwrap();
    for der in items {
        draft.add(Domain::Production, Kind::Anchor, der);
    }
    draft.hold(Domain::Production, "source", BTreeSet::new());
    draft
}

fn counted(store: &TrustDir) -> Counts {
    let counts = store.counts(Domain::Production).unwrap();
    let bundle = store.settled(|manifest| store.content(manifest, Domain::Production)).unwrap().0;
    assert_eq!(bundle.count(Kind::Anchor), counts.anchors, "manifest and bundle agree");
    store.imports().unwrap();
    counts
}

/// Half of the last file that was being written.
fn half(step: &Step) {
    if let Step::Write(path, bytes) = step {
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }
}

#[test]
fn stopped_at_any_step_the_store_is_the_old_one_or_the_new_one() {
    let all = items(9);
    let mut seen = BTreeSet::new();
    for stop in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustDir::create(dir.path()).unwrap();
        draft_with(&store, &all[..4]).commit().unwrap();
        let steps = draft_with(&store, &all).steps().unwrap();
        let Some(last) = steps.get(stop) else { break };
        steps[..stop].iter().cloned().for_each(|step| step.run().unwrap());
        half(last);
        let found = counted(&store).anchors;
        assert!(found == 4 || found == 9, "{found} after {stop} steps");
        seen.insert(found);
        // The next import works on what is there, and sweeps up.
        draft_with(&store, &all).commit().unwrap();
        assert_eq!(counted(&store).anchors, 9);
        let left = fs::read_dir(dir.path().join(GENERATIONS)).unwrap();
        let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|n| !n.to_string_lossy().ends_with(".part")), "{names:?}");
        assert!(names.len() <= 4, "two generations: {names:?}");
    }
    assert_eq!(seen, BTreeSet::from([4, 9]), "both are met");
}

#[test]
fn imports_at_once_wait_for_each_other_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = TrustDir::create(dir.path()).unwrap();
    let all = items(12);
    std::thread::scope(|scope| {
        for der in &all {
            let store = store.clone();
            scope.spawn(move || {
                draft_with(&store, std::slice::from_ref(der)).commit().unwrap();
                counted(&store);
            });
        }
    });
    assert_eq!(counted(&store).anchors, all.len());
    assert_eq!(store.generation_number().unwrap(), all.len() as u64);
}

#[test]
fn what_sources_held_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let store = TrustDir::create(dir.path()).unwrap();
    let key = Key::of(Kind::Anchor, b"x");
    let mut draft = store.import().unwrap();
    assert_eq!(draft.held(Domain::Qa, "a"), None);
    draft.hold(Domain::Qa, "a", BTreeSet::from([key]));
    draft.commit().unwrap();
    let draft = store.import().unwrap();
    assert_eq!(draft.held(Domain::Qa, "a"), Some(&BTreeSet::from([key])));
    assert_eq!(draft.held(Domain::Production, "a"), None);
    assert!(draft.is_held_elsewhere(Domain::Qa, "b", &key));
    assert!(!draft.is_held_elsewhere(Domain::Qa, "a", &key));
    assert!(!draft.is_held_elsewhere(Domain::Production, "b", &key));
}
