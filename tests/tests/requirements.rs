//! Every requirement has a test that names it, or says why it has none.

use indrul_tests::{requirements, testing::root};

#[test]
fn every_requirement_is_named_by_a_test_or_says_why_not() {
    let (list, proofs) = requirements::read(&root()).unwrap();
    assert_eq!(requirements::unproved(&list, &proofs), Vec::<&str>::new());
    assert_eq!(requirements::unknown(&list, &proofs), Vec::<&str>::new());
}
