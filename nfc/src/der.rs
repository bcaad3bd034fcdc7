//! The few ASN.1 types that certificates, CMS and SecurityInfos are made of (ITU-T X.690), read
//! leniently over [`crate::tlv`]: real documents break strict parsers.
//!
//! Nothing here is trusted; what is read keeps its own bytes so that signatures and hashes are
//! taken over them.

use std::{fmt, ops::Deref};

use time::{Date, Month, OffsetDateTime, Time};

use crate::tlv::{Reader, Tag, Tlv, TlvError, TlvErrorKind};

pub(crate) const BOOLEAN: Tag = Tag(0x01);
pub(crate) const INTEGER: Tag = Tag(0x02);
pub(crate) const BIT_STRING: Tag = Tag(0x03);
pub(crate) const OCTET_STRING: Tag = Tag(0x04);
pub(crate) const OBJECT_ID: Tag = Tag(0x06);
pub(crate) const UTC_TIME: Tag = Tag(0x17);
pub(crate) const GENERALIZED_TIME: Tag = Tag(0x18);
pub(crate) const SEQUENCE: Tag = Tag(0x30);
pub(crate) const SET: Tag = Tag(0x31);
/// Context tag 0, primitive and constructed, and so on.
pub(crate) const CONTEXT_0_PRIMITIVE: Tag = Tag(0x80);
pub(crate) const CONTEXT_0: Tag = Tag(0xA0);
pub(crate) const CONTEXT_1: Tag = Tag(0xA1);
pub(crate) const CONTEXT_3: Tag = Tag(0xA3);

/// Bytes of which there are mostly few: those stand in the value itself, since certificates and
/// messages have dozens of such strings. Equal bytes have one form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Short {
    Here { length: u8, bytes: [u8; LONGEST_HERE] },
    There(Box<[u8]>),
}

const LONGEST_HERE: usize = 22;

impl Short {
    pub(crate) fn new(content: &[u8]) -> Self {
        let mut bytes = [0; LONGEST_HERE];
        match (bytes.get_mut(..content.len()), u8::try_from(content.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(content);
                Self::Here { length, bytes }
            }
            _ => Self::There(content.into()),
        }
    }
}

impl Deref for Short {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::There(bytes) => bytes,
        }
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(other)
    }
}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// An object identifier, as its content bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(Short);

impl Oid {
    /// From content bytes.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        Self(Short::new(content))
    }

    /// The content bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the known identifier.
    #[must_use]
    pub fn is(&self, known: impl Into<Id>) -> bool {
        !self.0.is_empty() && *self.0 == *known.into().as_bytes()
    }

    /// Whether each arc is whole, as short as it can be, and no longer than 63 bits
    /// (ITU-T X.690 §8.19.2): other bytes could read like a known identifier.
    fn is_well_formed(&self) -> bool {
        let mut arcs = self.0.split_inclusive(|byte| byte & 0x80 == 0);
        arcs.all(|arc| {
            arc.len() <= 9
                && arc.first() != Some(&0x80)
                && arc.last().is_some_and(|last| last & 0x80 == 0)
        })
    }

    /// The arcs; the first octets hold two of them (ITU-T X.690 §8.19).
    fn arcs(&self) -> impl Iterator<Item = u64> {
        let mut value = 0_u64;
        let mut first = true;
        self.0.iter().flat_map(move |byte| {
            value = value.wrapping_shl(7) | u64::from(byte & 0x7F);
            let arcs = match (byte & 0x80 != 0, first) {
                (true, _) => [None, None],
                (false, true) => {
                    let top = (value / 40).min(2);
                    [Some(top), Some(value.saturating_sub(top.saturating_mul(40)))]
                }
                (false, false) => [Some(value), None],
            };
            if byte & 0x80 == 0 {
                (value, first) = (0, false);
            }
            arcs.into_iter().flatten()
        })
    }

    /// The last arcs, if the identifier starts with the content bytes `prefix`.
    #[must_use]
    pub fn after(&self, prefix: &[u8]) -> Option<&[u8]> {
        self.0.strip_prefix(prefix)
    }
}

/// Dotted, such as `2.23.136.1.1.5`; what is no identifier as `#` and hexadecimal digits, so that it
/// is never taken for a known one.
impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_well_formed() {
            return write!(f, "#{}", hex::encode(&*self.0));
        }
        for (i, arc) in self.arcs().enumerate() {
            write!(f, "{}{arc}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Oid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A known object identifier: written dotted, and as a constant encoded when the program is
/// compiled, since known ones are looked for often.
#[derive(Debug, Clone, Copy)]
pub struct Id {
    bytes: [u8; LONGEST_KNOWN],
    length: usize,
}

/// The most content bytes of a known identifier.
const LONGEST_KNOWN: usize = 32;

impl Id {
    /// The identifier written `dotted` (ITU-T X.690 §8.19). What is none, or is longer than any
    /// known one, equals no identifier.
    #[must_use]
    pub const fn new(dotted: &str) -> Self {
        let none = Self { bytes: [0; LONGEST_KNOWN], length: 0 };
        let mut id = none;
        let (mut rest, mut top, mut arcs) = (dotted.as_bytes(), 0_u64, 0_usize);
        loop {
            let Some((arc, after)) = number(rest) else { return none };
            match arcs {
                0 => top = arc,
                1 => id = id.with(top.wrapping_mul(40).wrapping_add(arc)),
                _ => id = id.with(arc),
            }
            arcs = arcs.saturating_add(1);
            match after {
                [] if arcs < 2 || id.length > LONGEST_KNOWN => return none,
                [] => return id,
                [b'.', more @ ..] => rest = more,
                _ => return none,
            }
        }
    }

    /// One arc more, in groups of seven bits; bytes without a place are counted only.
    #[expect(clippy::indexing_slicing, reason = "the place was compared with the length")]
    const fn with(mut self, arc: u64) -> Self {
        let mut shift = 63_u32.saturating_sub(arc.leading_zeros()) / 7;
        loop {
            let more = if shift == 0 { 0 } else { 0x80 };
            let [.., low] = (arc >> (shift * 7)).to_be_bytes();
            if self.length < LONGEST_KNOWN {
                self.bytes[self.length] = low & 0x7F | more;
            }
            self.length = self.length.saturating_add(1);
            match shift.checked_sub(1) {
                Some(less) => shift = less,
                None => return self,
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl From<&str> for Id {
    fn from(dotted: &str) -> Self {
        Self::new(dotted)
    }
}

/// The decimal number of up to 18 digits that `text` starts with, and what follows it.
const fn number(mut text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut digits) = (0_u64, 0_usize);
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        number = number.wrapping_mul(10).wrapping_add(digit.wrapping_sub(b'0') as u64);
        digits = digits.saturating_add(1);
        text = rest;
    }
    if digits == 0 || digits > 18 { None } else { Some((number, text)) }
}

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm, parameters OPTIONAL }` (RFC 5280 §4.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) oid: Oid,
    /// The parameters' bytes with tag and length, empty if absent.
    pub(crate) parameters: Short,
}

impl Algorithm {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, TlvError> {
        let mut inner = reader.expect(SEQUENCE)?.reader();
        let oid = oid(&mut inner)?;
        Ok(Self { oid, parameters: Short::new(inner.remaining()) })
    }

    /// Whether there are no parameters, or NULL, as hashes and most signatures have it.
    pub(crate) fn is_bare(&self) -> bool {
        self.parameters.is_empty() || *self.parameters == [0x05, 0x00]
    }
}

pub(crate) fn oid(reader: &mut Reader<'_>) -> Result<Oid, TlvError> {
    reader.expect(OBJECT_ID).map(|tlv| Oid::new(tlv.value))
}

/// A non-negative INTEGER that fits 32 bits.
pub(crate) fn small_integer(reader: &mut Reader<'_>) -> Result<u32, TlvError> {
    let tlv = reader.expect(INTEGER)?;
    unsigned(tlv.value).ok_or(malformed(&tlv))
}

/// Big-endian bytes as a number, leading zeros allowed.
pub(crate) fn unsigned(bytes: &[u8]) -> Option<u32> {
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    (significant.clone().count() <= 4)
        .then(|| significant.fold(0, |n: u32, byte| n.wrapping_shl(8) | u32::from(*byte)))
}

/// The content of an INTEGER without superfluous leading zeros (ITU-T X.690 §8.3.2): serial numbers
/// are met with and without.
pub(crate) fn minimal(mut integer: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = integer
        && rest.first().is_some_and(|byte| *byte < 0x80)
    {
        integer = rest;
    }
    integer
}

/// The bytes of a BIT STRING whose bits all count.
pub(crate) fn whole_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], TlvError> {
    reader.expect(BIT_STRING).and_then(|bits| bytes_of(&bits))
}

/// As [`whole_bytes`], of the element itself: they are the last ones in it.
pub(crate) fn bytes_of<'a>(bits: &Tlv<'a>) -> Result<&'a [u8], TlvError> {
    match bits.value.split_first() {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(malformed(bits)),
    }
}

/// A UTCTime or GeneralizedTime; seconds and fractions may be absent, the zone must be `Z`.
pub(crate) fn instant(reader: &mut Reader<'_>) -> Result<OffsetDateTime, TlvError> {
    let mut ahead = reader.clone();
    let tlv = match ahead.next_element()? {
        Some(tlv) if [UTC_TIME, GENERALIZED_TIME].contains(&tlv.tag) => tlv,
        _ => return reader.expect(UTC_TIME).and_then(|tlv| Err(malformed(&tlv))),
    };
    *reader = ahead;
    parse_instant(tlv.tag == GENERALIZED_TIME, tlv.value).ok_or(malformed(&tlv))
}

fn parse_instant(four_digit_year: bool, text: &[u8]) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = text.as_bytes().split(|byte| *byte == b'.').next()?;
    let (year, rest) = text.split_at_checked(if four_digit_year { 4 } else { 2 })?;
    let year: i32 = digits(year)?.into();
    // RFC 5280 §4.1.2.5.1: two-digit years from 50 are of the last century.
    let year = match (four_digit_year, year) {
        (true, y) => y,
        (false, y) if y >= 50 => y.saturating_add(1900),
        (false, y) => y.saturating_add(2000),
    };
    let mut pairs = rest.chunks(2).map(digits);
    let mut pair = || pairs.next().flatten().and_then(|n| u8::try_from(n).ok());
    let (month, day, hour, minute) = (pair()?, pair()?, pair()?, pair()?);
    let second = if rest.len() > 8 { pair()? } else { 0 };
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let time = Time::from_hms(hour, minute, second.min(59)).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// The decimal number that one to four digits are.
fn digits(text: &[u8]) -> Option<u16> {
    let number = text.iter().try_fold(0_u16, |number, byte| match byte {
        b'0'..=b'9' => Some(number.wrapping_mul(10).wrapping_add(u16::from(byte & 0x0F))),
        _ => None,
    });
    number.filter(|_| !text.is_empty())
}

pub(crate) fn malformed(tlv: &Tlv<'_>) -> TlvError {
    TlvError { kind: TlvErrorKind::Expected(tlv.tag), offset: tlv.value_offset }
}

/// The contents of an OCTET STRING, whose constructed form some signers use.
pub(crate) fn octets(reader: &mut Reader<'_>) -> Result<Vec<u8>, TlvError> {
    if let Some(whole) = reader.optional(Tag(0x24))? {
        let mut parts = whole.reader();
        let mut out = Vec::new();
        while !parts.is_empty() {
            out.extend_from_slice(parts.expect(OCTET_STRING)?.value);
        }
        return Ok(out);
    }
    reader.expect(OCTET_STRING).map(|tlv| tlv.value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv;

    #[test]
    fn identifiers_are_written_dotted() {
        let dotted = |hex_bytes: &str| Oid::new(&hex::decode(hex_bytes).unwrap()).to_string();
        assert_eq!(dotted("04007f00070202040202"), "0.4.0.127.0.7.2.2.4.2.2");
        assert_eq!(dotted("678108010105"), "2.23.136.1.1.5");
        assert_eq!(dotted("2a864886f70d010702"), "1.2.840.113549.1.7.2");
    }

    #[test]
    fn bytes_that_only_resemble_an_identifier_are_not_it() {
        for (bytes, why) in [
            ("802a864886f70d010702", "a padded arc"),
            ("2a80864886f70d010702", "a padded arc"),
            ("2a864886f70d01078002", "a padded arc"),
            ("2a864886f70d01070282", "half an arc"),
            ("2a82808080808080808080864886f70d010702", "an arc beyond 64 bits"),
        ] {
            let oid = Oid::new(&hex::decode(bytes).unwrap());
            assert!(!oid.is("1.2.840.113549.1.7.2"), "{why}");
            assert_eq!(oid.to_string(), format!("#{bytes}"), "{why}");
        }
        assert!(!Oid::new(&[]).is(""));
    }

    #[test]
    fn identifiers_are_what_they_are_written_as() {
        for dotted in [
            "0.4.0.127.0.7.2.2.4.2.2",
            "2.23.136.1.1.5",
            "1.2.840.113549.1.7.2",
            "2.5.29.0",
            "1.3.14.3.2.26",
            "2.999.128.16384",
        ] {
            let object = openssl::asn1::Asn1Object::from_str(dotted).unwrap();
            let oid = Oid::new(object.as_slice());
            assert!(oid.is(dotted), "{dotted}");
            assert_eq!(oid.to_string(), dotted);
            assert!(
                !oid.is(format!("{dotted}.1").as_str()) && !oid.is(&dotted[..dotted.len() - 2])
            );
            assert!(
                !oid.is(format!("{dotted}1").as_str()) && !oid.is(dotted.replace('.', "").as_str())
            );
        }
        assert!(
            !Oid::new(&[]).is("1.2") && !Oid::new(&[0x2A]).is("") && !Oid::new(&[0x2A]).is("a")
        );
        assert!(Oid::new(&[0x2A]).is("1.2"));
        let long = format!("1.2{}", ".840".repeat(16));
        let object = openssl::asn1::Asn1Object::from_str(&long).unwrap();
        assert!(!Oid::new(object.as_slice()).is(long.as_str()), "longer than any known one");
    }

    #[test]
    fn both_time_forms_are_read() {
        let read = |tag, text: &str| {
            instant(&mut Reader::new(&tlv::encode(tag, text.as_bytes()))).map(|t| t.to_string())
        };
        assert_eq!(read(UTC_TIME, "490102030405Z").unwrap(), "2049-01-02 3:04:05.0 +00:00:00");
        assert_eq!(read(UTC_TIME, "5001020304Z").unwrap(), "1950-01-02 3:04:00.0 +00:00:00");
        assert_eq!(
            read(GENERALIZED_TIME, "20510102030405.5Z").unwrap(),
            "2051-01-02 3:04:05.0 +00:00:00"
        );
        for text in ["491302030405Z", "490102030405", "4901Z", "+90102030405Z", ""] {
            assert!(read(UTC_TIME, text).is_err(), "{text}");
        }
    }
}
