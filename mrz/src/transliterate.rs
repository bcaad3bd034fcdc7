//! Names between their own spelling and the MRZ's 26 letters. ICAO 9303-3 §6 Table A.
//!
//! Going in, each letter has one recommended rendering (Æ → AE, Ø → OE, Å → AA); the standard allows
//! others for some, and issuers use them. Coming back is ambiguous (AA may be Å or AA), so names are
//! never turned back: [`same_name`] asks whether one can be a rendering of the other.

use std::collections::BTreeSet;

use thiserror::Error;

/// A character with no rendering in an MRZ; the column counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("column {column} has a character with no rendering in an MRZ")]
pub struct UnknownLetter {
    /// Where it is.
    pub column: usize,
}

/// The most renderings of one name that are compared.
const MOST_RENDERINGS: usize = 256;

/// A name in the MRZ's alphabet, upper case, the recommended rendering of each letter: `Ærø Søgård`
/// becomes `AEROE SOEGAARD`. Hyphens become spaces, apostrophes and dots go. ICAO 9303-3 §4.6, §6.
///
/// # Errors
///
/// Where a character has no rendering here.
pub fn transliterate(name: &str) -> Result<String, UnknownLetter> {
    let mut written = String::with_capacity(name.len());
    for (index, letter) in name.chars().enumerate() {
        let rendering = renderings(letter).ok_or(UnknownLetter { column: index + 1 })?;
        written.push_str(rendering.first().copied().unwrap_or_default());
    }
    Ok(spaced(&written))
}

/// Whether two spellings can be of the same name: one is a rendering of the other, or both are
/// renderings of one. Case, hyphens, apostrophes and repeated spaces do not count. A name with
/// characters that have no rendering is the same as none.
pub fn same_name(one: &str, other: &str) -> bool {
    match (all_renderings(one), all_renderings(other)) {
        (Some(one), Some(other)) => !one.is_disjoint(&other),
        _ => false,
    }
}

fn all_renderings(name: &str) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::from([String::new()]);
    for letter in name.chars() {
        let choices = renderings(letter)?;
        let used = if all.len() * choices.len() > MOST_RENDERINGS { 1 } else { choices.len() };
        let choices = choices.iter().take(used);
        all =
            choices.flat_map(|tail| all.iter().map(move |head| format!("{head}{tail}"))).collect();
    }
    Some(all.iter().map(|name| spaced(name)).collect())
}

fn spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How a character may be written, the recommended way first.
fn renderings(letter: char) -> Option<&'static [&'static str]> {
    let mut upper = letter.to_uppercase();
    let upper = upper.next().filter(|_| upper.len() == 0).unwrap_or(letter);
    if let Some(index) = LETTERS.find(upper).filter(|_| upper.is_ascii_uppercase()) {
        return LETTER.get(index..=index);
    }
    let row = TABLE.iter().find(|(letters, _)| letters.contains(upper) || letters.contains(letter));
    row.map(|(_, renderings)| *renderings)
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LETTER: [&str; 26] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S",
    "T", "U", "V", "W", "X", "Y", "Z",
];

/// ICAO 9303-3 §6 Table A, the letters of the Latin alphabets.
const TABLE: &[(&str, &[&str])] = &[
    (" -<\u{2010}\u{2011}\u{a0}", &[" "]),
    ("'’`´.,", &[""]),
    ("Æ", &["AE"]),
    ("Ø", &["OE", "O"]),
    ("Å", &["AA", "A"]),
    ("Ä", &["AE", "A"]),
    ("Ö", &["OE", "O"]),
    ("Ü", &["UE", "UXX", "U"]),
    ("ẞß", &["SS"]),
    ("Ð", &["D"]),
    ("Þ", &["TH"]),
    ("Œ", &["OE"]),
    ("Ĳ", &["IJ"]),
    ("Ñ", &["N", "NXX"]),
    ("ÀÁÂÃĀĂĄ", &["A"]),
    ("ÇĆĈĊČ", &["C"]),
    ("ĎĐ", &["D"]),
    ("ÈÉÊËĒĔĖĘĚ", &["E"]),
    ("ĜĞĠĢ", &["G"]),
    ("ĤĦ", &["H"]),
    ("ÌÍÎÏĨĪĬĮİı", &["I"]),
    ("Ĵ", &["J"]),
    ("Ķ", &["K"]),
    ("ĹĻĽĿŁ", &["L"]),
    ("ŃŅŇ", &["N"]),
    ("Ŋ", &["N"]),
    ("ÒÓÔÕŌŎŐ", &["O"]),
    ("ŔŖŘ", &["R"]),
    ("ŚŜŞŠȘ", &["S"]),
    ("ŢŤŦȚ", &["T"]),
    ("ÙÚÛŨŪŬŮŰŲ", &["U"]),
    ("Ŵ", &["W"]),
    ("ÝŶŸ", &["Y"]),
    ("ŹŻŽ", &["Z"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danish_letters_take_the_recommended_rendering() {
        assert_eq!(transliterate("Østergård").unwrap(), "OESTERGAARD");
        assert_eq!(transliterate("Hans-Jørgen  Ærø").unwrap(), "HANS JOERGEN AEROE");
        assert_eq!(transliterate("O'Brien").unwrap(), "OBRIEN");
        assert_eq!(transliterate("Weiß").unwrap(), "WEISS");
        assert_eq!(transliterate("Ля").unwrap_err(), UnknownLetter { column: 1 });
    }

    #[test]
    fn names_are_compared_both_ways() {
        assert!(same_name("Østergård", "OESTERGAARD"));
        assert!(same_name("OSTERGARD", "Østergård"), "renderings that other issuers use");
        assert!(same_name("Anne-Marie", "ANNE MARIE"));
        assert!(same_name("Østergaard", "ÖSTERGÅRD"));
        assert!(!same_name("Østergård", "ESTERGAARD"));
        assert!(!same_name("Aage", "Age"));
        assert!(!same_name("Ля", "Ля"), "no rendering, no comparison");
    }

    #[test]
    fn many_special_letters_stay_within_the_budget() {
        assert!(all_renderings(&"ü".repeat(400)).unwrap().len() <= MOST_RENDERINGS);
    }
}
