//! The name field: two identifiers separated by two fillers, parts by one. ICAO 9303-3 §4.6,
//! truncation 9303-4 §4.2.3.

/// A name field taken apart.
pub(crate) struct Names {
    pub(crate) surname: String,
    pub(crate) given: String,
    pub(crate) truncated: bool,
}

/// Splits at the first `<<`; the field is truncated where its last character is not a filler.
pub(crate) fn split(field: &str) -> Names {
    let (surname, given) = field.split_once("<<").unwrap_or((field, ""));
    Names { surname: spaced(surname), given: spaced(given), truncated: !field.ends_with('<') }
}

fn spaced(identifier: &str) -> String {
    let parts: Vec<&str> = identifier.split('<').filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// The name field of `width` characters. Names that do not fit are cut so that the last character
/// is a letter, which is how a reader knows, and so that a letter of the given names is left.
pub(crate) fn join(surname: &str, given: &str, width: usize) -> String {
    let surname = filled(surname);
    let given = filled(given);
    let field = if given.is_empty() {
        cut(&surname, width)
    } else {
        let surname = cut(&surname, width.saturating_sub(3));
        let rest = width.saturating_sub(surname.len() + 2);
        format!("{surname}<<{}", cut(&given, rest))
    };
    format!("{field:<<width$}")
}

fn filled(identifier: &str) -> String {
    identifier.split_whitespace().collect::<Vec<_>>().join("<")
}

/// At most `width` characters, the last of them a letter: a cut that would fall behind a filler
/// takes one letter from the part before it instead, so that the next part keeps its first. (Not
/// from a part of one letter: then the cut cannot be shown.)
fn cut(identifier: &str, width: usize) -> String {
    let Some((kept, lost)) = identifier.split_at_checked(width) else {
        return identifier.to_owned();
    };
    match (kept.strip_suffix('<'), lost.chars().next()) {
        (Some(whole), Some(next)) => {
            let mut shorter = whole.to_owned();
            shorter.pop();
            match shorter.ends_with('<') || shorter.is_empty() {
                true => whole.to_owned(),
                false => format!("{shorter}<{next}"),
            }
        }
        _ => kept.to_owned(),
    }
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
        assert!(split(&join("ABCDEFGHIJ", "K", 8)).truncated);
    }
}
