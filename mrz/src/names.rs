//! The name field: two identifiers separated by two fillers, parts by one. ICAO 9303-3 §4.6,
//! truncation 9303-4, -5, -6, -7 §4.2.3.

/// A name field taken apart.
pub(crate) struct Names {
    pub(crate) surname: String,
    pub(crate) given: String,
    pub(crate) truncated: bool,
    /// Two fillers in a row stand between letters once more after the surname.
    pub(crate) separated_again: bool,
}

/// Splits at the first `<<`; the field is truncated where its last character is not a filler.
pub(crate) fn split(field: &str) -> Names {
    let (surname, given) = field.split_once("<<").unwrap_or((field, ""));
    let truncated = !field.ends_with('<');
    let separated_again = given.trim_matches('<').contains("<<");
    Names { surname: spaced(surname), given: spaced(given), truncated, separated_again }
}

fn spaced(identifier: &str) -> String {
    let parts: Vec<&str> = identifier.split('<').filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// The name field of `width` characters. Names that do not fit are cut so that the last character
/// is a letter, which is how a reader knows, and so that a letter of the given names is left.
/// ICAO 9303-4 §4.2.2.1.
pub(crate) fn join(surname: &str, given: &str, width: usize) -> String {
    let (surname, given) = (filled(surname), filled(given));
    let whole = match given.as_str() {
        "" => surname.clone(),
        given => format!("{surname}<<{given}"),
    };
    if whole.len() <= width {
        return format!("{whole:<<width$}");
    }
    if given.is_empty() {
        return format!("{:<<width$}", cut(&surname, width));
    }
    // Of all initials only every other width ends with a letter: then the surname gives one more.
    let shorter = |less: usize| {
        let most = surname.len().min(width.saturating_sub(3));
        let surname = cut(&surname, most.saturating_sub(less));
        let rest = width.saturating_sub(surname.len() + 2);
        format!("{surname}<<{}", cut(&given, rest))
    };
    let mut fields = (0..2).map(shorter);
    let full = fields.find(|field| field.len() == width && !field.ends_with('<'));
    format!("{:<<width$}", full.unwrap_or_else(|| shorter(0)))
}

fn filled(identifier: &str) -> String {
    identifier.split_whitespace().collect::<Vec<_>>().join("<")
}

/// At most `width` characters, the last of them a letter: a cut that would fall behind a filler
/// takes a letter from the last part before it that has two, so that the next part keeps its first.
/// (Where none has, the cut cannot be shown.)
fn cut(identifier: &str, width: usize) -> String {
    let Some((kept, lost)) = identifier.split_at_checked(width) else {
        return identifier.to_owned();
    };
    let (Some(whole), Some(next)) = (kept.strip_suffix('<'), lost.chars().next()) else {
        return kept.to_owned();
    };
    let mut parts: Vec<&str> = whole.split('<').collect();
    let longer = parts.iter_mut().rev().find(|part| part.len() > 1);
    let Some(part) = longer else { return whole.to_owned() };
    *part = part.split_at_checked(part.len() - 1).map_or("", |(kept, _)| kept);
    format!("{}<{next}", parts.join("<"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_are_filled_up() {
        assert_eq!(join("VAN DER BERG", "ANNA", 24), "VAN<DER<BERG<<ANNA<<<<<<");
        assert_eq!(join("SUHARTO", "", 10), "SUHARTO<<<");
    }

    #[test]
    fn names_that_do_not_fit_end_with_a_letter() {
        assert_eq!(
            join("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", 39),
            "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"
        );
        assert_eq!(join("AB", "CD EF", 7), "AB<<C<E");
        assert_eq!(join("ABCDEFGHIJ", "K", 8), "ABCDE<<K");
        assert_eq!(join("ABC D E", "", 6), "AB<D<E");
        assert_eq!(join("ABCDEF", "G H I", 10), "ABCDE<<G<H");
        assert!(split(&join("ABCDEFGHIJ", "K", 8)).truncated);
    }

    #[test]
    fn a_second_separator_is_seen() {
        assert!(split("BRUIJN<<ANNA<<MARIA<<<").separated_again);
        assert!(!split("BRUIJN<<ANNA<MARIA<<<<").separated_again);
        assert!(!split("<<<<<KEIKO<INOUE<<<<<<").separated_again);
    }
}
