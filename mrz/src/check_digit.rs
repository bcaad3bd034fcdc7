//! Check digits over MRZ characters. ICAO 9303-3 §4.9.

/// The check digit of the parts taken one after another: Σ value·weight mod 10, the weights 7, 3, 1
/// repeating over the whole. Characters outside the MRZ alphabet count as fillers.
pub fn compute(parts: &[&str]) -> char {
    let characters = parts.iter().flat_map(|part| part.chars());
    let sum: u32 =
        characters.zip([7, 3, 1].iter().cycle()).map(|(c, weight)| value(c) * weight).sum();
    char::from_digit(sum % 10, 10).unwrap_or('0')
}

/// Whether `printed` is the check digit of the parts.
pub fn holds(printed: &str, parts: &[&str]) -> bool {
    printed.chars().eq([compute(parts)])
}

/// `0`-`9` count as themselves, `A`-`Z` as 10-35, `<` as 0.
pub(crate) fn value(character: char) -> u32 {
    match character {
        '0'..='9' | 'A'..='Z' => character.to_digit(36).unwrap_or(0),
        _ => 0,
    }
}

/// Whether the character may stand in an MRZ at all. ICAO 9303-3 §4.3.
pub(crate) fn is_printable(character: char) -> bool {
    matches!(character, '0'..='9' | 'A'..='Z' | '<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_standard() {
        // ICAO 9303-3 §4.9, examples 1 to 3
        assert_eq!(compute(&["520727"]), '3');
        assert_eq!(compute(&["AB2134<<<"]), '5');
        assert_eq!(compute(&["HA672242<6", "5802254", "9601086<<<<<<<<<<<<<<0"]), '8');
    }

    #[test]
    fn a_filler_is_no_check_digit() {
        assert!(!holds("<", &["<<<<<<<<<<<<<<"]));
        assert!(holds("0", &["<<<<<<<<<<<<<<"]));
    }
}
