//! Fields to lines, check digits included. ICAO 9303-3 §4, 9303-4 to -7 §4.2.
//!
//! The fields must already be in the MRZ's alphabet: see [`crate::transliterate`].

use thiserror::Error;

use crate::{
    Fields, Format, PrintedDate, Sex,
    check_digit::{compute, is_printable},
    format::{CODE, ISSUER, Layout, Span},
    names,
};

/// Fields that no MRZ of the format can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A field has characters that it may not have in an MRZ; it is named.
    #[error("{field} has characters that it may not have")]
    Alphabet {
        /// Its name, as in the JSON form.
        field: &'static str,
    },
    /// A field does not fit its place; it is named. (Names are cut instead.)
    #[error("{field} does not fit")]
    TooLong {
        /// Its name, as in the JSON form.
        field: &'static str,
    },
    /// The format has no second optional data.
    #[error("the format has no second optional data")]
    OptionalData2,
    /// The lines would be read back as another format.
    #[error("a document code of another format")]
    DocumentCode,
    /// A date is not six characters of the MRZ alphabet; it is named.
    #[error("{field} is no date")]
    Date {
        /// Its name, as in the JSON form.
        field: &'static str,
    },
}

impl Fields {
    /// The lines of these fields in a format, with all check digits. Names that are too long are cut;
    /// a long document number takes the start of the optional data, which must then be empty or
    /// begin with its rest, digit and filler; it has at most 22 characters on a TD1 card, 14 on a TD2. The optional data's own digit is `<` where there are
    /// none.
    ///
    /// # Errors
    ///
    /// Where a field does not fit or is not in the alphabet.
    pub fn lines(&self, format: Format) -> Result<Vec<String>, WriteError> {
        let width = format.width();
        let mut page = Page(vec![vec!['<'; width]; format.lines()]);
        let layout = format.layout();
        page.put(CODE, "document_code", &self.document_code)?;
        page.put(ISSUER, "issuer", &self.issuer)?;
        page.put_names(layout, self)?;
        page.put_number(format, self)?;
        page.put(layout.nationality, "nationality", &self.nationality)?;
        page.put(layout.birth, "birth_date", self.birth_date.as_str())?;
        page.put(layout.sex, "sex", self.sex.printed().encode_utf8(&mut [0; 4]))?;
        page.put(layout.expiry, "expiry_date", self.expiry_date.as_str())?;
        match (layout.optional_2, self.optional_data_2.as_deref()) {
            (Some(span), Some(data)) => page.put(span, "optional_data_2", data)?,
            (None, Some(_)) => return Err(WriteError::OptionalData2),
            (_, None) => {}
        }
        page.put_digits(layout)?;
        let lines: Vec<String> = page.0.iter().map(|line| line.iter().collect()).collect();
        let first = lines.first().and_then(|line| line.chars().next());
        match Format::detect(format.lines(), width, first) == Some(format) {
            true => Ok(lines),
            false => Err(WriteError::DocumentCode),
        }
    }
}

/// Lines being written.
struct Page(Vec<Vec<char>>);

impl Page {
    fn put(&mut self, span: Span, field: &'static str, text: &str) -> Result<(), WriteError> {
        if !text.chars().all(is_printable) {
            return Err(WriteError::Alphabet { field });
        }
        if text.len() > span.width() {
            return Err(WriteError::TooLong { field });
        }
        let place = self.0.get_mut(span.line).and_then(|line| line.get_mut(span.from..span.to));
        let characters = text.chars().chain(std::iter::repeat('<'));
        place.into_iter().flatten().zip(characters).for_each(|(cell, character)| *cell = character);
        Ok(())
    }

    fn at(&self, span: Span) -> String {
        let place = self.0.get(span.line).and_then(|line| line.get(span.from..span.to));
        place.into_iter().flatten().collect()
    }

    fn put_names(&mut self, layout: &Layout, fields: &Fields) -> Result<(), WriteError> {
        // ICAO 9303-3 §4.6: no digits.
        let letters = |name: &str| name.chars().all(|c| c == ' ' || c.is_ascii_uppercase());
        if !letters(&fields.surname) {
            return Err(WriteError::Alphabet { field: "surname" });
        }
        if !letters(&fields.given_names) {
            return Err(WriteError::Alphabet { field: "given_names" });
        }
        let joined = names::join(&fields.surname, &fields.given_names, layout.names.width());
        self.put(layout.names, "names", &joined)
    }

    fn put_number(&mut self, format: Format, fields: &Fields) -> Result<(), WriteError> {
        let layout = format.layout();
        let field = "document_number";
        let number = fields.document_number.as_str();
        let optional = fields.optional_data.as_str();
        let (first, rest) = match number.split_at_checked(layout.number.width()) {
            Some((first, rest)) if !rest.is_empty() => (first, rest),
            _ => {
                self.put(layout.number, field, number)?;
                self.put(layout.number_digit, field, &digit(&self.at(layout.number)))?;
                return self.put(layout.optional, "optional_data", optional);
            }
        };
        if !format.allows_long_number() {
            return Err(WriteError::TooLong { field });
        }
        let more = format!("{rest}{}", compute(&[first, rest]));
        let data = if optional.is_empty() { more.as_str() } else { optional };
        // The check digit is followed by a filler (ICAO 9303-5 §4.2.2.3 and 9303-6 §4.2.2.2, note j).
        let room = more.len() < layout.optional.width();
        if !room || rest.contains('<') || data.split('<').next() != Some(&more) {
            return Err(WriteError::TooLong { field });
        }
        self.put(layout.number, field, first)?;
        self.put(layout.optional, "optional_data", data)
    }

    fn put_digits(&mut self, layout: &Layout) -> Result<(), WriteError> {
        self.put(layout.birth_digit, "birth_date", &digit(&self.at(layout.birth)))?;
        self.put(layout.expiry_digit, "expiry_date", &digit(&self.at(layout.expiry)))?;
        if let Some(span) = layout.optional_digit {
            let data = self.at(layout.optional);
            if data.chars().any(|c| c != '<') {
                self.put(span, "optional_data", &digit(&data))?;
            }
        }
        if let Some((span, covered)) = layout.composite {
            let covered: String = covered.iter().map(|span| self.at(*span)).collect();
            self.put(span, "composite", &digit(&covered))?;
        }
        Ok(())
    }
}

fn digit(text: &str) -> String {
    compute(&[text]).to_string()
}

/// The fields of a passport as plain text, for writing its MRZ. Dates are YYMMDD; `document_code`,
/// `issuer` and `nationality` may leave their fillers out; names are in the MRZ's alphabet with
/// spaces between parts.
#[derive(Clone, Copy)]
pub struct Td3Fields<'a> {
    /// `P`, or `P` and a letter.
    pub document_code: &'a str,
    /// Issuing state.
    pub issuer: &'a str,
    /// Surname.
    pub surname: &'a str,
    /// Given names.
    pub given_names: &'a str,
    /// At most nine characters.
    pub document_number: &'a str,
    /// Nationality.
    pub nationality: &'a str,
    /// YYMMDD; unknown parts are fillers.
    pub birth_date: &'a str,
    /// Sex.
    pub sex: Sex,
    /// YYMMDD.
    pub expiry_date: &'a str,
    /// At most fourteen characters.
    pub optional_data: &'a str,
}

impl Td3Fields<'_> {
    /// The two lines.
    ///
    /// # Errors
    ///
    /// Where a field does not fit or is not in the alphabet.
    pub fn lines(&self) -> Result<[String; 2], WriteError> {
        let lines = self.fields()?.lines(Format::Td3)?;
        lines.try_into().map_err(|_| WriteError::DocumentCode)
    }

    fn fields(&self) -> Result<Fields, WriteError> {
        let date = |field, text| PrintedDate::new(text).ok_or(WriteError::Date { field });
        Ok(Fields {
            document_code: self.document_code.to_owned(),
            issuer: self.issuer.to_owned(),
            surname: self.surname.to_owned(),
            given_names: self.given_names.to_owned(),
            names_truncated: false,
            document_number: self.document_number.to_owned(),
            nationality: self.nationality.to_owned(),
            birth_date: date("birth_date", self.birth_date)?,
            sex: self.sex,
            expiry_date: date("expiry_date", self.expiry_date)?,
            optional_data: self.optional_data.to_owned(),
            optional_data_2: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    const ERIKSSON: Td3Fields<'static> = Td3Fields {
        document_code: "P",
        issuer: "UTO",
        surname: "ERIKSSON",
        given_names: "ANNA MARIA",
        document_number: "L898902C3",
        nationality: "UTO",
        birth_date: "740812",
        sex: Sex::Female,
        expiry_date: "120415",
        optional_data: "ZE184226B",
    };

    #[test]
    fn the_specimen_of_the_standard() {
        // ICAO 9303-4 Appendix B
        let lines = ERIKSSON.lines().unwrap();
        assert_eq!(lines[0], "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<");
        assert_eq!(lines[1], "L898902C36UTO7408122F1204159ZE184226B<<<<<10");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |fields: Td3Fields<'_>| fields.lines().unwrap_err();
        let long = Td3Fields { document_number: "L898902C34", ..ERIKSSON };
        assert_eq!(refused(long), WriteError::TooLong { field: "document_number" });
        let small = Td3Fields { surname: "Eriksson", ..ERIKSSON };
        assert_eq!(refused(small), WriteError::Alphabet { field: "surname" });
        let visa = Td3Fields { document_code: "V", ..ERIKSSON };
        assert_eq!(refused(visa), WriteError::DocumentCode);
        let digits = Td3Fields { given_names: "ANNA 2", ..ERIKSSON };
        assert_eq!(refused(digits), WriteError::Alphabet { field: "given_names" });
        let date = Td3Fields { birth_date: "1974", ..ERIKSSON };
        assert_eq!(refused(date), WriteError::Date { field: "birth_date" });
    }

    #[test]
    fn a_long_number_runs_on_into_the_optional_data() {
        let mut fields = ERIKSSON.fields().unwrap();
        fields.document_code = "I".into();
        fields.document_number = "D23145890734".into();
        fields.optional_data = String::new();
        for format in [Format::Td1, Format::Td2] {
            let parsed = parse(&fields.lines(format).unwrap().join("\n")).unwrap();
            assert!(parsed.valid());
            assert_eq!(parsed.fields().document_number, "D23145890734");
            assert_eq!(parsed.fields().optional_data, "7349");
        }
    }

    #[test]
    fn a_long_number_leaves_room_for_digit_and_filler() {
        // ICAO 9303-5 §4.2.4: the digit is at most in position 29; 9303-6 §4.2.2.2 note j
        let mut fields = ERIKSSON.fields().unwrap();
        (fields.document_code, fields.optional_data) = ("I".into(), String::new());
        for (format, longest) in [(Format::Td1, 22), (Format::Td2, 14)] {
            fields.document_number = "A".repeat(longest);
            let parsed = parse(&fields.lines(format).unwrap().join("\n")).unwrap();
            assert!(parsed.valid());
            assert_eq!(parsed.fields().document_number, fields.document_number);
            fields.document_number.push('A');
            let long = WriteError::TooLong { field: "document_number" };
            assert_eq!(fields.lines(format).unwrap_err(), long);
        }
    }
}
