//! Every requirement has a test that names it, or says why it has none.

use std::path::Path;

use indrul_tests::requirements;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates")
}

#[test]
fn every_requirement_is_named_by_a_test_or_says_why_not() {
    let (list, proofs) = requirements::read(root()).unwrap();
    assert_eq!(requirements::unproved(&list, &proofs), Vec::<&str>::new());
    assert_eq!(requirements::unknown(&list, &proofs), Vec::<&str>::new());
}
