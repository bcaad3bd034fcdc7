//! Names between their own spelling and the MRZ's 26 letters. ICAO 9303-3 §4.6 (punctuation) and §6
//! (Latin, Cyrillic and Arabic letters); the table is `data/letters.txt`.
//!
//! Going in, each letter has one recommended rendering (Æ → AE, Ø → OE, Å → AA); the standard allows
//! others for some, and issuers use them. Coming back is ambiguous (AA may be Å or AA): [`spellings`]
//! lists what a name may have been, and [`same_name`] asks whether two can be of one name.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use thiserror::Error;

/// A character with no rendering in an MRZ; the column counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("column {column} has a character with no rendering in an MRZ")]
pub struct UnknownLetter {
    /// Where it is.
    pub column: usize,
}

/// The letters that Danish has and an MRZ has not, for [`spellings`].
pub const DANISH: &str = "ÆØÅ";

/// The longest name, in letters, that is compared or spelled in more ways than the recommended one.
const LONGEST: usize = 128;
/// The most spellings of one name that are listed.
const MOST_SPELLINGS: usize = 64;
/// Arabic shadda: what stands before it is doubled.
const SHADDA: char = '\u{651}';
/// Arabic teh marbuta: written otherwise at the end of a word.
const TEH_MARBUTA: char = '\u{629}';

/// A name in the MRZ's alphabet, upper case, the recommended rendering of each letter: `Ærø Søgård`
/// becomes `AEROE SOEGAARD`. Hyphens and commas become spaces, other punctuation goes. ICAO 9303-3
/// §4.6, §6.
///
/// # Errors
///
/// Where a character has no rendering; digits have none, for names have no digits (§4.6).
pub fn transliterate(name: &str) -> Result<String, UnknownLetter> {
    let units = units(name)?;
    Ok(units.iter().filter_map(|unit| unit.first().map(String::as_str)).collect())
}

/// Whether two spellings can be of the same name: one is a rendering of the other, or both are
/// renderings of one. Case, hyphens, punctuation and repeated spaces do not count. A name with
/// characters that have no rendering is the same as none.
pub fn same_name(one: &str, other: &str) -> bool {
    match (units(one), units(other)) {
        (Ok(one), Ok(other)) if one.len().max(other.len()) <= LONGEST => meet(&one, &other),
        (Ok(_), Ok(_)) => transliterate(one) == transliterate(other),
        _ => false,
    }
}

/// What a name of an MRZ, `OESTERGAARD`, may have been in an alphabet with these letters beside the
/// plain ones, [`DANISH`] for instance: `ØSTERGÅRD`, `OESTERGÅRD`, `ØSTERGAARD`, `OESTERGAARD`; those
/// with more of the letters first, the name as it is printed last. At most 64; only the recommended
/// renderings and those with the escape X (`NXX`) are undone, and none of a single letter.
pub fn spellings(name: &str, alphabet: &str) -> Vec<String> {
    if name.len() > LONGEST {
        return vec![name.to_owned()];
    }
    let letters: Vec<(char, &str)> = alphabet.chars().flat_map(undone).collect();
    // By what is left to spell, so that each part of the name is spelled once.
    let mut heads: Vec<Vec<String>> = vec![Vec::new(); name.len() + 1];
    if let Some(start) = heads.first_mut() {
        start.push(String::new());
    }
    for (at, plain) in name.char_indices() {
        let here = heads.get_mut(at).map(std::mem::take).unwrap_or_default();
        let rest = name.get(at..).unwrap_or_default();
        let written = letters.iter().filter(|(_, written)| rest.starts_with(written));
        let tails = written.copied().chain([(plain, rest.get(..plain.len_utf8()).unwrap_or(""))]);
        for (letter, written) in tails {
            let Some(there) = heads.get_mut(at + written.len()) else { continue };
            let room = MOST_SPELLINGS.saturating_sub(there.len());
            there.extend(here.iter().take(room).map(|head| format!("{head}{letter}")));
        }
    }
    let mut found = heads.pop().unwrap_or_default();
    found.retain(|spelling| spelling != name);
    found.sort_by_key(|spelling| spelling.chars().count());
    found.truncate(MOST_SPELLINGS - 1);
    found.push(name.to_owned());
    found
}

/// The renderings of a letter that are undone.
fn undone(letter: char) -> impl Iterator<Item = (char, &'static str)> {
    let all = TABLE.get(&letter).map(Vec::as_slice).unwrap_or_default().iter();
    let is_undone = |(index, written): &(usize, &&str)| {
        written.len() > 1 && (*index == 0 || written.ends_with("XX"))
    };
    all.enumerate().filter(is_undone).map(move |(_, written)| (letter, *written))
}

/// The ways to write one letter, or a space, the recommended one first; none is empty.
type Ways = Vec<String>;

/// A name's letters, with one space between words.
fn units(name: &str) -> Result<Vec<Ways>, UnknownLetter> {
    let mut words: Vec<Vec<Letter>> = vec![Vec::new()];
    for (index, character) in name.chars().enumerate() {
        match Kind::of(character) {
            Kind::Separator => words.push(Vec::new()),
            Kind::Omitted => {}
            Kind::Mark => {
                let letter = words.last_mut().and_then(|word| word.last_mut());
                letter.into_iter().for_each(|letter| letter.mark(character));
            }
            Kind::Letter => {
                let letter = Letter { capital: capital(character), doubled: false };
                let ways = letter.renderings().ok_or(UnknownLetter { column: index + 1 })?;
                // What is not written takes no mark either.
                if let Some(word) = words.last_mut()
                    && ways.iter().any(|way| !way.is_empty())
                {
                    word.push(letter);
                }
            }
        }
    }
    let words = words.iter().filter(|word| !word.is_empty()).map(|word| {
        let ends_word = |index: usize| index + 1 == word.len();
        word.iter().enumerate().map(|(index, letter)| letter.ways(ends_word(index))).collect()
    });
    let words: Vec<Vec<Ways>> = words.collect();
    Ok(words.join(&vec![" ".to_owned()]))
}

/// What a character of a name is.
#[derive(Clone, Copy)]
enum Kind {
    Letter,
    /// Between two parts of a name: a space, a hyphen, a comma, and the filler itself.
    Separator,
    /// Changes the letter before it.
    Mark,
    /// Other punctuation.
    Omitted,
}

impl Kind {
    /// ICAO 9303-3 §4.6: hyphens and commas separate, apostrophes and all else vanish.
    fn of(character: char) -> Self {
        match character {
            '-' | '<' | ',' | '\u{60c}' | '\u{2010}'..='\u{2015}' => Self::Separator,
            space if space.is_whitespace() => Self::Separator,
            '\u{300}'..='\u{36f}' | SHADDA => Self::Mark,
            '\u{2016}'..='\u{205e}' | '\u{a1}'..='\u{bf}' | '\u{2b0}'..='\u{2ff}' => Self::Omitted,
            other if other.is_ascii_punctuation() => Self::Omitted,
            _ => Self::Letter,
        }
    }
}

/// A letter of a name.
struct Letter {
    capital: char,
    /// Arabic shadda.
    doubled: bool,
}

impl Letter {
    /// A mark that Unicode keeps apart from its letter: those that change how it is written. The plain
    /// letter stands for it with any other.
    fn mark(&mut self, mark: char) {
        match (self.capital, mark) {
            (_, SHADDA) => self.doubled = true,
            ('A', '\u{30a}') => self.capital = 'Å',
            ('A', '\u{308}') => self.capital = 'Ä',
            ('O', '\u{308}') => self.capital = 'Ö',
            ('U', '\u{308}') => self.capital = 'Ü',
            ('N', '\u{303}') => self.capital = 'Ñ',
            _ => {}
        }
    }

    fn renderings(&self) -> Option<&'static [&'static str]> {
        if let Some(index) = LETTERS.find(self.capital) {
            return LETTER.get(index..=index);
        }
        TABLE.get(&self.capital).map(Vec::as_slice)
    }

    fn ways(&self, ends_word: bool) -> Ways {
        let all = self.renderings().unwrap_or_default().iter();
        let mut ways: Ways = all.map(|way| (*way).to_owned()).collect();
        if self.capital == TEH_MARBUTA && ends_word {
            ways.reverse();
        }
        if self.doubled {
            // The escape X is not repeated. A reader cannot rely on shadda's being written.
            let twice = |way: &String| format!("{way}{}", way.strip_prefix('X').unwrap_or(way));
            ways = ways.iter().map(twice).chain(ways.iter().cloned()).collect();
        }
        ways
    }
}

fn capital(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match letter {
        'ß' => 'ẞ',
        _ => upper.next().filter(|_| upper.len() == 0).unwrap_or(letter),
    }
}

/// Whether two names have a rendering in common: both are written in step, and what one has written
/// more than the other is matched by the other's next letter.
fn meet<'a>(one: &'a [Ways], other: &'a [Ways]) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<(usize, usize, &'a str, bool)> = vec![(0, 0, "", false)];
    while let Some(state @ (at_one, at_other, more, one_leads)) = open.pop() {
        if !seen.insert(state) {
            continue;
        }
        let (next_one, next_other) = (one.get(at_one), other.get(at_other));
        if more.is_empty() && next_one.is_none() && next_other.is_none() {
            return true;
        }
        let next = if one_leads { next_other } else { next_one };
        for way in next.into_iter().flatten() {
            let (at_one, at_other) =
                (at_one + usize::from(!one_leads), at_other + usize::from(one_leads));
            if let Some(more) = more.strip_prefix(way.as_str()) {
                // Who leads by nothing leads no more: one goes first.
                open.push((at_one, at_other, more, one_leads && !more.is_empty()));
            } else if let Some(more) = way.strip_prefix(more) {
                open.push((at_one, at_other, more, !one_leads));
            }
        }
    }
    false
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LETTER: [&str; 26] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S",
    "T", "U", "V", "W", "X", "Y", "Z",
];

/// ICAO 9303-3 §6, and what is met beyond it.
static TABLE: LazyLock<HashMap<char, Vec<&'static str>>> = LazyLock::new(|| {
    let text = include_str!("../data/letters.txt");
    let mut table: HashMap<char, Vec<&str>> = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '['])) {
        let mut cells = line.split(' ');
        let Some(letter) = cells.next().and_then(named) else { continue };
        table.entry(letter).or_default().extend(cells.map(|way| way.trim_matches('-')));
    }
    table
});

/// A letter as it is, or as `U+0621` where it would be hard to see.
fn named(cell: &str) -> Option<char> {
    match cell.strip_prefix("U+") {
        Some(number) => u32::from_str_radix(number, 16).ok().and_then(char::from_u32),
        None => cell.chars().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str) -> String {
        transliterate(name).unwrap()
    }

    #[test]
    fn danish_letters_take_the_recommended_rendering() {
        assert_eq!(written("Østergård"), "OESTERGAARD");
        assert_eq!(written("Hans-Jørgen  Ærø"), "HANS JOERGEN AEROE");
        assert_eq!(written("Weiß"), "WEISS");
    }

    #[test]
    fn punctuation_as_in_the_standard() {
        // ICAO 9303-3 §4.6
        assert_eq!(written("D'ARTAGNAN"), "DARTAGNAN");
        assert_eq!(written("O’Brien"), "OBRIEN");
        assert_eq!(written("MARIE-ELISE"), "MARIE ELISE");
        assert_eq!(written("ANNA, MARIA"), "ANNA MARIA");
        assert_eq!(written("ANNA,MARIA"), "ANNA MARIA");
        assert_eq!(written("(Anna) M./K. «Pia»"), "ANNA MK PIA");
        assert_eq!(written(" . "), "");
    }

    #[test]
    fn what_has_no_rendering_is_named_by_its_place() {
        assert_eq!(transliterate("ab7").unwrap_err(), UnknownLetter { column: 3 });
        assert_eq!(transliterate("山").unwrap_err(), UnknownLetter { column: 1 });
        assert_eq!(transliterate("Å\u{1f600}").unwrap_err(), UnknownLetter { column: 2 });
    }

    #[test]
    fn the_table_is_whole() {
        // ICAO 9303-3 §6.A: 95 letters, §6.B: 48, §6.C: 79 and shadda
        let text = include_str!("../data/letters.txt");
        let part = |name: &str| {
            let from = text.split_once(&format!("[{name}]")).unwrap().1;
            let rows = from.lines().skip(1).take_while(|line| !line.starts_with('['));
            rows.filter(|line| !line.is_empty()).count()
        };
        assert_eq!((part("latin"), part("cyrillic"), part("arabic")), (95, 48, 79));
        for (letter, ways) in TABLE.iter() {
            assert!(!ways.is_empty(), "{letter}");
            assert!(ways.iter().all(|way| way.bytes().all(|b| b.is_ascii_uppercase())), "{letter}");
        }
        for row in [0x410..=0x42f, 0x621..=0x63a, 0x641..=0x64a] {
            for letter in row.filter_map(char::from_u32) {
                assert!(TABLE.contains_key(&letter), "{letter}");
            }
        }
    }

    #[test]
    fn other_scripts_follow_the_standard() {
        // ICAO 9303-3 §6.B
        assert_eq!(written("Щербаков Юрий"), "SHCHERBAKOV IURII");
        assert_eq!(written("Татьяна"), "TATIANA");
        assert!(same_name("Щербаков", "SHTERBAKOV") && same_name("Їжак", "YIZHAK"));
        // ICAO 9303-3 §6.C: both examples of doubling, and teh marbuta within a word and at its end
        assert_eq!(written("عب\u{651}اس"), "EBBAS");
        assert_eq!(written("فض\u{651}ة"), "FXDZDZXAH");
        assert_eq!(written("فاطمة"), "FAXTTMXAH");
        assert!(same_name("فاطمة", "FAXTTMXTA"));
        assert_eq!(written("ابو بكر محمد بن زكريا الرازي"), "ABW BKR MXHMD BN ZKRYA ALRAZY");
        assert!(same_name("عب\u{64e}\u{651}اس", "EBAS"), "shadda may be left out");
    }

    #[test]
    fn marks_may_stand_apart_from_their_letter() {
        assert_eq!(written("A\u{30a}rup Mu\u{308}ller"), "AARUP MUELLER");
        assert_eq!(written("Rene\u{301} \u{301}"), "RENE");
        assert!(same_name("Pen\u{303}a", "PENXXA"));
    }

    #[test]
    fn names_are_compared_both_ways() {
        assert!(same_name("Østergård", "OESTERGAARD"));
        assert!(same_name("OSTERGARD", "Østergård"), "renderings that other issuers use");
        assert!(same_name("Anne-Marie", "ANNE MARIE"));
        assert!(same_name("Østergaard", "ÖSTERGÅRD"));
        assert!(same_name("", "'"));
        assert!(!same_name("Østergård", "ESTERGAARD"));
        assert!(!same_name("Aage", "Age"));
        assert!(!same_name("Anne Marie", "Annemarie"));
        assert!(!same_name("Anne", "Anne M"));
        assert!(!same_name("山", "山"), "no rendering, no comparison");
    }

    #[test]
    fn many_special_letters_are_compared_in_all_their_ways() {
        let name = "üØå".repeat(20);
        assert!(same_name(&name, &"UOA".repeat(20)));
        assert!(same_name(&"UXXOEAAUOEA".repeat(10), &name));
        assert!(!same_name(&name, &"UOA".repeat(19)));
        assert!(same_name(&"ü".repeat(400), &"UE".repeat(400)), "beyond the budget");
    }

    #[test]
    fn spellings_are_what_a_name_may_have_been() {
        assert_eq!(
            spellings("OESTERGAARD", DANISH),
            ["ØSTERGÅRD", "OESTERGÅRD", "ØSTERGAARD", "OESTERGAARD"]
        );
        assert_eq!(spellings("HANSEN", DANISH), ["HANSEN"]);
        assert_eq!(spellings("PENXXA", "Ñ"), ["PEÑA", "PENXXA"]);
        assert_eq!(spellings("MUELLER", "ÄÖÜẞ"), ["MÜLLER", "MUELLER"]);
        let many = spellings(&"AEOEAA ".repeat(15), DANISH);
        assert_eq!(many.len(), MOST_SPELLINGS);
        assert!(many.iter().all(|name| same_name(name, &"AEOEAA ".repeat(15))));
    }
}
