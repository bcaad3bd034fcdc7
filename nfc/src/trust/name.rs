//! Distinguished names (RFC 5280 §4.1.2.4), compared as real documents need it.

use std::{borrow::Cow, sync::OnceLock};

use crate::{
    der::{self, Id, Oid, SEQUENCE, SET},
    tlv::{Reader, Tag, Tlv, TlvError},
};

/// A distinguished name: its bytes, whose attributes are read as text when they are asked for.
#[derive(Clone)]
pub struct Name {
    /// DER.
    pub der: Vec<u8>,
    /// [`Self::normal`], once it was asked for.
    normal: OnceLock<Vec<u8>>,
}

/// The bytes say everything.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Name {}

/// How well two names agree, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The same but for string type, case, space and order.
    Same,
    /// Besides, `serialNumber` differs or is missing on one side.
    ButSerialNumber,
    /// Other names.
    Different,
}

const COUNTRY: Id = Id::new("2.5.4.6");
const SERIAL_NUMBER: Id = Id::new("2.5.4.5");

/// The most attributes of a name; real ones have up to ten.
const MOST_ATTRIBUTES: usize = 64;

impl Name {
    /// Reads `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }`.
    ///
    /// # Errors
    /// [`TlvError`] if it is malformed.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, TlvError> {
        let whole = reader.expect(SEQUENCE)?;
        let mut sets = whole.reader();
        let mut count = 0_usize;
        while !sets.is_empty() {
            let mut set = sets.expect(SET)?.reader();
            while !set.is_empty() {
                if count == MOST_ATTRIBUTES {
                    return Err(der::malformed(&whole));
                }
                attribute(&mut set)?;
                count = count.saturating_add(1);
            }
        }
        Ok(Self { der: whole.bytes.to_vec(), normal: OnceLock::new() })
    }

    /// Type and text of each attribute. When the name was read it was seen that they can be.
    fn attributes(&self) -> impl Iterator<Item = (Oid, Cow<'_, str>)> {
        let mut sets = Reader::new(&self.der).expect(SEQUENCE).map(|whole| whole.reader()).ok();
        let mut set = Reader::new(&[]);
        std::iter::from_fn(move || {
            while set.is_empty() {
                set = sets.as_mut()?.next_element().ok()??.reader();
            }
            let (oid, value) = attribute(&mut set).ok()?;
            Some((oid, value.map(|value| text(value.tag, value.value)).unwrap_or_default()))
        })
    }

    /// Whether two names are the same but for string type, case, space and order: issuers and
    /// subjects that belong together differ so in real documents.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.der == other.der || self.normal() == other.normal()
    }

    /// How well it agrees with another name.
    #[must_use]
    pub fn agreement(&self, other: &Self) -> Agreement {
        if self.is_like(other) {
            return Agreement::Same;
        }
        let is_other = |oid: &Oid| !oid.is(SERIAL_NUMBER);
        let (ours, theirs) = (self.parts(is_other), other.parts(is_other));
        match !ours.is_empty() && ours == theirs {
            true => Agreement::ButSerialNumber,
            false => Agreement::Different,
        }
    }

    /// The name in one form for all names that [`Self::is_like`] it.
    #[must_use]
    pub(crate) fn normal(&self) -> &[u8] {
        self.normal.get_or_init(|| {
            let mut normal = Vec::with_capacity(self.der.len().saturating_mul(2));
            for (oid, text) in self.parts(|_| true) {
                for part in [oid.as_bytes(), text.as_bytes()] {
                    normal.extend(part.len().to_be_bytes());
                    normal.extend(part);
                }
            }
            normal
        })
    }

    fn parts(&self, keep: impl Fn(&Oid) -> bool) -> Vec<(Oid, String)> {
        let kept = self.attributes().filter(|(oid, _)| keep(oid));
        let mut parts: Vec<_> = kept.map(|(oid, text)| (oid, normal_text(&text))).collect();
        parts.sort();
        parts
    }

    /// Whether it has no attributes, as no issuer's may (RFC 5280 §4.1.2.4).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes().next().is_none()
    }

    /// The country, in upper case.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let found = self.attributes().find(|(oid, _)| oid.is(COUNTRY))?;
        Some(found.1.trim().to_uppercase())
    }
}

/// `AttributeTypeAndValue ::= SEQUENCE { type, value }`, the value being left out by some.
fn attribute<'a>(set: &mut Reader<'a>) -> Result<(Oid, Option<Tlv<'a>>), TlvError> {
    let mut attribute = set.expect(SEQUENCE)?.reader();
    Ok((der::oid(&mut attribute)?, attribute.next_element()?))
}

/// In lower case, every space as one blank.
fn normal_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    match out.is_ascii() {
        true => out.make_ascii_lowercase(),
        false => out = out.to_lowercase(),
    }
    out
}

const UTF8_STRING: Tag = Tag(0x0C);
const UNIVERSAL_STRING: Tag = Tag(0x1C);
const BMP_STRING: Tag = Tag(0x1E);
/// PrintableString, TeletexString, IA5String, VisibleString.
const ONE_BYTE_STRINGS: [Tag; 4] = [Tag(0x13), Tag(0x14), Tag(0x16), Tag(0x1A)];

/// Text of a directory string. Anything that is none equals nothing that is.
fn text(tag: Tag, value: &[u8]) -> Cow<'_, str> {
    match tag {
        BMP_STRING => {
            let units = value.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect::<String>().into()
        }
        UNIVERSAL_STRING => {
            let units = value.as_chunks::<4>().0.iter().map(|unit| u32::from_be_bytes(*unit));
            units.map(|unit| char::from_u32(unit).unwrap_or('\u{FFFD}')).collect::<String>().into()
        }
        tag if tag == UTF8_STRING || ONE_BYTE_STRINGS.contains(&tag) => {
            // Either kind is met in the place of the other; T.61 is used as Latin-1.
            match std::str::from_utf8(value) {
                Ok(text) => text.into(),
                Err(_) => value.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
            }
        }
        tag => format!("{tag}#{}", hex::encode(value)).into(),
    }
}

/// `C=DK, O=…, CN=…` in the order of the name.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (oid, value)) in self.attributes().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            match KEYWORDS.iter().find(|(known, _)| oid.is(*known)) {
                Some((_, keyword)) => write!(f, "{separator}{keyword}={value}")?,
                None => write!(f, "{separator}{oid}={value}")?,
            }
        }
        Ok(())
    }
}

static KEYWORDS: [(Id, &str); 7] = [
    (COUNTRY, "C"),
    (Id::new("2.5.4.10"), "O"),
    (Id::new("2.5.4.11"), "OU"),
    (Id::new("2.5.4.3"), "CN"),
    (SERIAL_NUMBER, "serialNumber"),
    (Id::new("2.5.4.7"), "L"),
    (Id::new("2.5.4.8"), "ST"),
];

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv;

    /// A name of `(type, string tag, text)`, each in a SET of its own.
    fn name(attributes: &[(&str, u32, &[u8])]) -> Name {
        let sets: Vec<_> = attributes
            .iter()
            .map(|(oid, tag, value)| {
                let kind = tlv::encode(Tag(0x06), &hex::decode(oid).unwrap());
                let pair = [kind, tlv::encode(Tag(*tag), value)].concat();
                tlv::encode(SET, &tlv::encode(SEQUENCE, &pair))
            })
            .collect();
        Name::read(&mut Reader::new(&tlv::encode(SEQUENCE, &sets.concat()))).unwrap()
    }

    const C: &str = "550406";
    const O: &str = "55040a";
    const CN: &str = "550403";
    const SERIAL: &str = "550405";

    #[test]
    fn string_type_case_space_and_order_do_not_count() {
        let one = name(&[(C, 0x13, b"DK"), (O, 0x0C, "Ø  og å".as_bytes()), (CN, 0x13, b"CSCA")]);
        let utf16: Vec<u8> = "ø og Å".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let utf32: Vec<u8> = "csca ".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        for other in [
            name(&[(CN, 0x13, b"csca"), (O, 0x1E, &utf16), (C, 0x0C, b" dk ")]),
            name(&[(C, 0x16, b"dk"), (CN, 0x1C, &utf32), (O, 0x14, b"\xD8 og \xE5")]),
        ] {
            assert!(one.is_like(&other), "{one} {other}");
            assert_eq!(one.normal(), other.normal());
        }
        assert_eq!(one.to_string(), "C=DK, O=Ø  og å, CN=CSCA");
        assert_eq!(name(&[(C, 0x13, b"dk")]).country().unwrap(), "DK");
    }

    #[test]
    fn other_names_differ() {
        let one = name(&[(C, 0x13, b"DK"), (CN, 0x13, b"CSCA")]);
        for other in [
            name(&[(C, 0x13, b"DE"), (CN, 0x13, b"CSCA")]),
            name(&[(C, 0x13, b"DK")]),
            name(&[(C, 0x13, b"DK"), (CN, 0x13, b"CSCA"), (O, 0x13, b"")]),
            // No string at all, with the same bytes.
            name(&[(C, 0x13, b"DK"), (CN, 0x04, b"CSCA")]),
            // Not an attribute with a line feed in it that reads as two.
            name(&[(C, 0x13, b"DK\n2.5.4.3=CSCA")]),
            name(&[]),
        ] {
            assert_eq!(one.agreement(&other), Agreement::Different, "{other}");
            assert_ne!(one.normal(), other.normal());
        }
    }

    #[test]
    fn a_serial_number_may_be_missing_or_differ() {
        let with = |serial: &[u8]| {
            name(&[(C, 0x13, b"EE"), (SERIAL, 0x13, serial), (CN, 0x13, b"CSCA Estonia")])
        };
        let without = name(&[(C, 0x13, b"EE"), (CN, 0x13, b"CSCA Estonia")]);
        assert_eq!(with(b"1").agreement(&with(b"1")), Agreement::Same);
        assert_eq!(with(b"1").agreement(&with(b"2")), Agreement::ButSerialNumber);
        assert_eq!(with(b"1").agreement(&without), Agreement::ButSerialNumber);
        let only = |serial: &[u8]| name(&[(SERIAL, 0x13, serial)]);
        assert_eq!(only(b"1").agreement(&only(b"2")), Agreement::Different);
    }
}
