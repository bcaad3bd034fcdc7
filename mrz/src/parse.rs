//! Text to [`Mrz`]: lines of the right number, width and alphabet, taken apart by the format's
//! layout. A check digit that does not hold is a finding, not an error; so is a date that is none.
//! ICAO 9303-3 §4.3 and §4.9.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use thiserror::Error;

use crate::{
    AccessKey, Checks, Fields, Format, PrintedDate, Sex, Warning,
    check_digit::{compute, holds, is_printable},
    format::{CODE, ISSUER, Layout, Span},
    names,
    states::{StatePart, state},
};

/// The longest text looked at, in bytes: three lines with room for white space around them.
const LONGEST: usize = 512;

/// Text that is no MRZ: what is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} (line {line}, column {column})")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The line, counted from 1 over those that are not empty.
    pub line: usize,
    /// The character in that line, counted from 1.
    pub column: usize,
}

impl ParseError {
    /// The stable reason code.
    pub const fn code(&self) -> &'static str {
        "mrz.format"
    }
}

/// What makes text no MRZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// There is no text.
    #[error("no text")]
    Empty,
    /// More text than any MRZ has.
    #[error("more text than an MRZ has")]
    TooLong,
    /// A character other than `A`-`Z`, `0`-`9` and `<`.
    #[error("a character that no MRZ has")]
    Character,
    /// The lines differ in width.
    #[error("a line of {found} characters after one of {expected}")]
    Uneven {
        /// Width of the first line.
        expected: usize,
        /// Width of this line.
        found: usize,
    },
    /// No format has that many lines of that width.
    #[error("no format has {lines} lines of {width} characters")]
    Shape {
        /// How many lines.
        lines: usize,
        /// How many characters in each.
        width: usize,
    },
}

/// A parsed MRZ. Personal data: `Debug` shows its format and check digits only.
///
/// Serialises as `{"format", "valid", "checks", "fields", "warnings"}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    format: Format,
    lines: Vec<String>,
    checks: Checks,
    fields: Fields,
    warnings: Vec<Warning>,
}

impl Mrz {
    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The lines as printed.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Which check digits hold.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// What it says.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// What is odd about it beyond check digits.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Whether every check digit holds.
    pub fn valid(&self) -> bool {
        self.checks.all()
    }

    /// The key to the chip, from the printed number and dates with the check digits they should
    /// have. It is there even if a printed digit, such as the composite one, does not hold; see
    /// [`Checks::access_key`] for whether the chip will take it.
    pub fn access_key(&self) -> AccessKey {
        let Fields { document_number, birth_date, expiry_date, .. } = &self.fields;
        AccessKey::printed(document_number, *birth_date, *expiry_date)
    }
}

impl fmt::Debug for Mrz {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Mrz");
        shown.field("format", &self.format).field("checks", &self.checks).finish_non_exhaustive()
    }
}

impl Serialize for Mrz {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Mrz", 5)?;
        object.serialize_field("format", &self.format)?;
        object.serialize_field("valid", &self.valid())?;
        object.serialize_field("checks", &self.checks)?;
        object.serialize_field("fields", &self.fields)?;
        object.serialize_field("warnings", &self.warnings)?;
        object.end()
    }
}

/// Which codes of issuer and nationality are taken without a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Every code of ICAO 9303-3 §5, that of specimens included (Part G, Utopia).
    WithSpecimens,
    /// Only those that documents of real people bear.
    Issued,
}

impl Codes {
    fn include(self, code: &str) -> bool {
        let specimens = self == Self::WithSpecimens;
        state(code).is_some_and(|state| specimens || state.part != StatePart::Specimen)
    }
}

/// Parses an MRZ of any format, a specimen's too.
///
/// Lines are separated by newlines; white space around them and empty lines are skipped. One line
/// of 72, 88 or 90 characters is taken as all lines in a row, as DG1 stores them (ICAO 9303-10
/// §4.7.1).
///
/// # Errors
///
/// Where number, width or alphabet of the lines are no MRZ's.
pub fn parse(text: &str) -> Result<Mrz, ParseError> {
    parse_as(text, Codes::WithSpecimens)
}

/// As [`parse`], with a warning for each code that `codes` leaves out.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_as(text: &str, codes: Codes) -> Result<Mrz, ParseError> {
    let lines = lines(text)?;
    let width = lines.first().map_or(0, String::len);
    let first = lines.first().and_then(|line| line.chars().next());
    let format = Format::detect(lines.len(), width, first).ok_or(ParseError {
        kind: ParseErrorKind::Shape { lines: lines.len(), width },
        line: 1,
        column: 1,
    })?;
    let taken = Taken { lines: &lines, format, layout: format.layout() };
    let fields = taken.fields();
    let checks = taken.checks();
    let mut warnings = taken.warnings(&fields, &checks);
    let unknown = [
        (&fields.issuer, Warning::IssuerUnknown),
        (&fields.nationality, Warning::NationalityUnknown),
    ];
    warnings.extend(unknown.iter().filter(|(code, _)| !codes.include(code)).map(|(_, odd)| *odd));
    Ok(Mrz { format, lines, checks, fields, warnings })
}

fn lines(text: &str) -> Result<Vec<String>, ParseError> {
    let at = |kind, line, column| ParseError { kind, line, column };
    if text.len() > LONGEST {
        return Err(at(ParseErrorKind::TooLong, 1, 1));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = *lines.first().ok_or(at(ParseErrorKind::Empty, 1, 1))?;
    for (number, line) in lines.iter().enumerate() {
        if let Some(column) = line.chars().position(|c| !is_printable(c)) {
            return Err(at(ParseErrorKind::Character, number + 1, column + 1));
        }
        if line.len() != first.len() {
            let kind = ParseErrorKind::Uneven { expected: first.len(), found: line.len() };
            return Err(at(kind, number + 1, line.len().min(first.len()) + 1));
        }
    }
    Ok(match (lines.len(), first.len()) {
        (1, 72 | 88) => in_rows(first, first.len() / 2),
        (1, 90) => in_rows(first, 30),
        _ => lines.into_iter().map(str::to_owned).collect(),
    })
}

fn in_rows(mut text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    while let Some((row, rest)) = text.split_at_checked(width).filter(|(row, _)| !row.is_empty()) {
        rows.push(row.to_owned());
        text = rest;
    }
    rows
}

/// Lines with the layout that takes them apart.
struct Taken<'a> {
    lines: &'a [String],
    format: Format,
    layout: &'static Layout,
}

/// A document number of more than nine characters: what of it stands in the optional data.
struct LongNumber<'a> {
    rest: &'a str,
    digit: &'a str,
}

impl<'a> Taken<'a> {
    fn at(&self, span: Span) -> &'a str {
        self.lines.get(span.line).and_then(|line| line.get(span.from..span.to)).unwrap_or_default()
    }

    fn trimmed(&self, span: Span) -> String {
        self.at(span).trim_end_matches('<').to_owned()
    }

    fn date(&self, span: Span) -> PrintedDate {
        PrintedDate::new(self.at(span)).unwrap_or(PrintedDate::UNKNOWN)
    }

    fn fields(&self) -> Fields {
        let layout = self.layout;
        let names = names::split(self.at(layout.names));
        Fields {
            document_code: self.trimmed(CODE),
            issuer: self.trimmed(ISSUER),
            surname: names.surname,
            given_names: names.given,
            names_truncated: names.truncated,
            document_number: self.number(),
            nationality: self.trimmed(layout.nationality),
            birth_date: self.date(layout.birth),
            sex: Sex::new(self.at(layout.sex).chars().next().unwrap_or('<')),
            expiry_date: self.date(layout.expiry),
            optional_data: self.trimmed(layout.optional),
            optional_data_2: layout.optional_2.map(|span| self.trimmed(span)),
        }
    }

    fn number(&self) -> String {
        match self.long_number() {
            Some(long) => format!("{}{}", self.at(self.layout.number), long.rest),
            None => self.trimmed(self.layout.number),
        }
    }

    /// A filler in place of the digit says that number and digit go on at the start of the optional
    /// data, up to a filler. ICAO 9303-5 §4.2.4 note j.
    fn long_number(&self) -> Option<LongNumber<'a>> {
        let full = !self.at(self.layout.number).ends_with('<');
        if !self.format.allows_long_number() || !full || self.at(self.layout.number_digit) != "<" {
            return None;
        }
        let more = self.at(self.layout.optional).split('<').next()?;
        let (rest, digit) = more.split_at_checked(more.len().checked_sub(1)?)?;
        Some(LongNumber { rest, digit })
    }

    fn checks(&self) -> Checks {
        let layout = self.layout;
        Checks {
            document_number: self.number_check(),
            birth_date: holds(self.at(layout.birth_digit), &[self.at(layout.birth)]),
            expiry_date: holds(self.at(layout.expiry_digit), &[self.at(layout.expiry)]),
            optional_data: layout.optional_digit.map(|digit| self.optional_check(self.at(digit))),
            composite: layout.composite.map(|(digit, covered)| {
                let parts: Vec<&str> = covered.iter().map(|span| self.at(*span)).collect();
                holds(self.at(digit), &parts)
            }),
        }
    }

    fn number_check(&self) -> bool {
        let number = self.at(self.layout.number);
        match self.long_number() {
            Some(long) => holds(long.digit, &[number, long.rest]),
            None => holds(self.at(self.layout.number_digit), &[number]),
        }
    }

    /// ICAO 9303-4 §4.2.2.2: where there are no optional data the digit may be 0 or `<`.
    fn optional_check(&self, digit: &str) -> bool {
        let data = self.at(self.layout.optional);
        holds(digit, &[data]) || (digit == "<" && data.chars().all(|c| c == '<'))
    }

    fn warnings(&self, fields: &Fields, checks: &Checks) -> Vec<Warning> {
        let digit_in = |name: &str| name.contains(|c: char| c.is_ascii_digit());
        let no_digit = |span| self.at(span) == "<";
        let filler_counted = self.long_number().is_some_and(|long| {
            compute(&[self.at(self.layout.number), "<", long.rest]).to_string() == long.digit
        });
        let found = [
            (!self.class_fits(), Warning::DocumentClass),
            (!self.letter_fits(), Warning::DocumentLetter),
            (digit_in(&fields.surname) || digit_in(&fields.given_names), Warning::NameDigit),
            (names::split(self.at(self.layout.names)).separated_again, Warning::NameSeparator),
            (fields.surname.is_empty(), Warning::SurnameEmpty),
            (fields.document_number.is_empty(), Warning::NumberEmpty),
            (!checks.document_number && filler_counted, Warning::NumberFillerCounted),
            (!fields.birth_date.is_possible(), Warning::BirthImpossible),
            (fields.birth_date.is_partial(), Warning::BirthPartial),
            (!fields.expiry_date.is_complete(), Warning::ExpiryImpossible),
            (matches!(fields.sex, Sex::Other(_)), Warning::SexUnknown),
            (
                !checks.optional_data.unwrap_or(true)
                    && self.layout.optional_digit.is_some_and(no_digit),
                Warning::OptionalNoDigit,
            ),
        ];
        found.into_iter().filter_map(|(is_so, warning)| is_so.then_some(warning)).collect()
    }

    /// ICAO 9303-4, -5, -6, -7 §4.2.2: `P` for passports, `A`, `C`, `I` for cards (and `P`, which
    /// issuers of passport cards print beyond the standard), `V` for visas.
    fn class_fits(&self) -> bool {
        let classes: &[char] = match self.format {
            Format::Td1 | Format::Td2 => &['A', 'C', 'I', 'P'],
            Format::Td3 => &['P'],
            Format::MrvA | Format::MrvB => &['V'],
        };
        self.at(CODE).starts_with(classes)
    }

    /// A letter or a filler; ICAO 9303-5 §4.2.2.3 note k: no card has `V`, nor `AI`; `AC` is a crew
    /// member's certificate, a TD1 card; 9303-6 §4.2.2.2 note k: no other card has `AC`.
    fn letter_fits(&self) -> bool {
        let code = self.at(CODE);
        let letter = code.ends_with(|c: char| c.is_ascii_uppercase() || c == '<');
        letter
            && match self.format {
                Format::Td1 => !code.ends_with('V') && code != "AI",
                Format::Td2 => !code.ends_with('V') && code != "AC",
                Format::Td3 | Format::MrvA | Format::MrvB => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn error(text: &str) -> (ParseErrorKind, usize, usize) {
        let error = parse(text).unwrap_err();
        (error.kind, error.line, error.column)
    }

    #[test]
    fn errors_say_what_and_where() {
        assert_eq!(error(" \n"), (ParseErrorKind::Empty, 1, 1));
        assert_eq!(error(&"A".repeat(600)), (ParseErrorKind::TooLong, 1, 1));
        assert_eq!(error(&TD3.replace("MARIA", "MARIÄ")), (ParseErrorKind::Character, 1, 25));
        assert_eq!(error(&TD3.to_lowercase()), (ParseErrorKind::Character, 1, 1));
        let uneven = ParseErrorKind::Uneven { expected: 44, found: 43 };
        assert_eq!(error(TD3.get(..TD3.len() - 1).unwrap()), (uneven, 2, 44));
        let shape = ParseErrorKind::Shape { lines: 1, width: 44 };
        assert_eq!(error(TD3.lines().next().unwrap()), (shape, 1, 1));
    }

    #[test]
    fn lines_in_a_row_or_with_space_around_are_the_same() {
        let parsed = parse(TD3).unwrap();
        assert_eq!(parse(&TD3.replace('\n', "")).unwrap(), parsed);
        assert_eq!(parse(&TD3.replace('\n', "\r\n\r\n  ")).unwrap(), parsed);
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let shown = format!("{:?} {:?}", parse(TD3).unwrap(), parse(TD3).unwrap().fields());
        for secret in ["ERIKSSON", "L898902C3", "740812", "120415", "UTO"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn the_access_key_is_there_when_the_composite_digit_fails() {
        let parsed = parse(TD3.replace("<10", "<11").as_str()).unwrap();
        assert_eq!(parsed.checks().composite, Some(false));
        assert!(!parsed.valid() && parsed.checks().access_key());
        assert_eq!(*parsed.access_key().information(), "L898902C3674081221204159");
    }
}
