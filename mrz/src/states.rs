//! Codes of states and organisations. ICAO 9303-3 §5; the table is `data/states.txt`.
//!
//! No check digit covers issuer and nationality, so an unknown code is the only sign of a misread
//! letter there.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../data/states.txt");

/// Whether the code (without fillers) may stand for issuer or nationality.
pub fn is_state_code(code: &str) -> bool {
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut sorted: Vec<_> = codes().collect();
        sorted.sort_unstable();
        sorted
    });
    SORTED.binary_search(&code).is_ok()
}

/// Every code, without fillers.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    let bare = |line: &'static str| line.split('#').next().unwrap_or_default();
    TABLE.lines().flat_map(move |line| bare(line).split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_states_and_what_icao_adds() {
        for code in ["DNK", "GRL", "FRO", "D", "UTO", "XXA", "RKS", "EUE", "GBN"] {
            assert!(is_state_code(code), "{code}");
        }
        for code in ["", "#", "DN", "DMK", "MC0", "States"] {
            assert!(!is_state_code(code), "{code}");
        }
        assert!(codes().all(|code| matches!(code.len(), 1 | 3)));
    }
}
