//! Codes of states and organisations. ICAO 9303-3 §5; the table is `data/states.txt`.
//!
//! No check digit covers issuer and nationality, so an unknown code is the only sign of a misread
//! letter there.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../data/states.txt");

/// A code that may stand for issuer or nationality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Without fillers: three letters, or `D` for Germany.
    pub code: &'static str,
    /// The code of two letters that certificates of the same issuer name.
    pub two_letters: Option<&'static str>,
    /// Whose it is, in English.
    pub name: &'static str,
    /// Where it comes from.
    pub part: StatePart,
}

/// The parts of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatePart {
    /// Part A: ISO 3166-1.
    Iso3166,
    /// Part A: not in ISO 3166-1.
    Extension,
    /// Part B: reserved in ISO 3166.
    Reserved,
    /// Part C: travel documents of the United Nations.
    UnitedNations,
    /// Part D: other issuing authorities.
    Organisation,
    /// Part E: persons without a defined nationality.
    NoNationality,
    /// Part F: no longer in ISO 3166.
    Former,
    /// Part G: specimens only, never a document of anyone.
    Specimen,
    /// In no list, but printed by issuers.
    Met,
}

impl StatePart {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "state" => Self::Iso3166,
            "extension" => Self::Extension,
            "reserved" => Self::Reserved,
            "united-nations" => Self::UnitedNations,
            "organisation" => Self::Organisation,
            "no-nationality" => Self::NoNationality,
            "former" => Self::Former,
            "specimen" => Self::Specimen,
            "met" => Self::Met,
            _ => return None,
        })
    }
}

/// Every state, by code.
static STATES: LazyLock<Vec<State>> = LazyLock::new(|| {
    let (mut part, mut states) = (None, Vec::new());
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            Some((name, _)) => part = StatePart::named(name),
            None => states.extend(part.and_then(|part| row(line, part))),
        }
    }
    states.sort_unstable_by_key(|state: &State| state.code);
    states
});

fn row(line: &'static str, part: StatePart) -> Option<State> {
    let mut cells = line.splitn(3, ' ');
    let (code, two, name) = (cells.next()?, cells.next()?, cells.next()?);
    Some(State { code, two_letters: (two != "-").then_some(two), name, part })
}

/// What the code (without fillers) stands for.
pub fn state(code: &str) -> Option<&'static State> {
    let at = STATES.binary_search_by(|state| state.code.cmp(code)).ok()?;
    STATES.get(at)
}

/// Whether the code (without fillers) may stand for issuer or nationality; a specimen's may, too.
pub fn is_state_code(code: &str) -> bool {
    state(code).is_some()
}

/// Every code, without fillers.
#[cfg_attr(not(feature = "reader"), expect(dead_code, reason = "the reader of pictures asks"))]
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    STATES.iter().map(|state| state.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_state() {
        let rows = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        assert_eq!(STATES.len(), rows.count());
        for pair in STATES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[0].code);
        }
        for State { code, two_letters, name, .. } in STATES.iter() {
            assert!(matches!(code.len(), 1 | 3) && code.bytes().all(|b| b.is_ascii_uppercase()));
            assert!(two_letters.is_none_or(|two| two.len() == 2), "{code}");
            assert!(!name.is_empty(), "{code}");
        }
        let iso = STATES.iter().filter(|state| state.part == StatePart::Iso3166).count();
        assert_eq!(iso, 249);
    }

    #[test]
    fn each_part_of_the_standard_is_there() {
        // ICAO 9303-3 §5 Parts A to G, code by code but for ISO 3166-1
        let parts = [
            (StatePart::Iso3166, "DNK GRL FRO DEU GBR MCO"),
            (StatePart::Extension, "D GBD GBN GBO GBP GBS RKS"),
            (StatePart::Reserved, "EUE"),
            (StatePart::UnitedNations, "UNA UNK UNO"),
            (StatePart::Organisation, "XBA XCC XCE XCO XDC XEC XES XIM XMP XOM XPO"),
            (StatePart::NoNationality, "XXA XXB XXC XXX"),
            (StatePart::Former, "ANT NTZ"),
            (StatePart::Specimen, "UTO"),
            (StatePart::Met, "BDR"),
        ];
        for (part, codes) in parts {
            for code in codes.split(' ') {
                assert_eq!(state(code).map(|state| state.part), Some(part), "{code}");
            }
        }
        let german = ["D", "DEU", "BDR"].map(|code| state(code).and_then(|s| s.two_letters));
        assert_eq!(german, [Some("DE"); 3]);
    }

    #[test]
    fn what_is_none_is_not_there() {
        // Part H, IAO, signs lists of certificates and is on no document.
        for code in ["", "#", "-", "DN", "DE", "DMK", "MC0", "IAO", "[state]", "Denmark"] {
            assert!(!is_state_code(code), "{code}");
        }
    }
}
