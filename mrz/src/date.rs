//! Dates as an MRZ prints them: two digits each of year, month and day, without a century, and a
//! birth date's unknown parts as fillers. ICAO 9303-3 §4.8.

use std::fmt;

use serde::{Serialize, Serializer};
use time::{Date, Month};

/// Six MRZ characters that stand where a date belongs, as printed. They need not be a date:
/// [`PrintedDate::is_possible`] says whether they can be one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrintedDate([u8; 6]);

impl PrintedDate {
    /// Nothing known.
    pub(crate) const UNKNOWN: Self = Self(*b"<<<<<<");

    /// Takes six characters of the MRZ alphabet; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let alphabet = text.chars().all(crate::check_digit::is_printable);
        alphabet.then(|| text.as_bytes().try_into().ok().map(Self)).flatten()
    }

    /// The six characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether parts of the date are unknown, that is, printed as fillers.
    pub fn is_partial(&self) -> bool {
        self.is_possible() && self.0.contains(&b'<')
    }

    /// Whether this is a whole date, every part known.
    pub fn is_complete(&self) -> bool {
        self.is_possible() && !self.is_partial()
    }

    /// Whether this can be a date: each part two digits or two fillers, month 1-12 and day 1-31
    /// where known, and the whole a real day of some century where all is known.
    pub fn is_possible(&self) -> bool {
        let [year, month, day] = self.parts();
        let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
        match (year, month, day) {
            (Part::Known(year), Part::Known(month), Part::Known(day)) => [1900, 2000]
                .iter()
                .any(|century| date(century + i32::from(year), month, day).is_some()),
            (_, month, day) => month.within(1, 12) && day.within(1, 31),
        }
    }

    /// Year (of its century), month and day, where they are two digits; `None` where they are fillers
    /// or anything else.
    pub fn known(&self) -> [Option<u8>; 3] {
        self.parts().map(|part| match part {
            Some(Part::Known(value)) => Some(value),
            _ => None,
        })
    }

    /// The birth date that is meant: the latest one not after `today`. `None` where the date is
    /// partial or impossible.
    pub fn birth(&self, today: Date) -> Option<Date> {
        self.candidates(today).filter(|date| *date <= today).max()
    }

    /// The expiry date that is meant: the one nearest to `today`. `None` where the date is partial
    /// or impossible.
    pub fn expiry(&self, today: Date) -> Option<Date> {
        self.candidates(today).min_by_key(|date| (*date - today).abs())
    }

    fn candidates(&self, today: Date) -> impl Iterator<Item = Date> {
        let century = today.year() - today.year().rem_euclid(100);
        let parts = self.parts();
        [century - 100, century, century + 100].into_iter().filter_map(move |century| match parts {
            [Some(Part::Known(year)), Some(Part::Known(month)), Some(Part::Known(day))] => {
                date(century + i32::from(year), month, day)
            }
            _ => None,
        })
    }

    fn parts(&self) -> [Option<Part>; 3] {
        let [y, ear, m, onth, d, ay] = self.0;
        [Part::new(y, ear), Part::new(m, onth), Part::new(d, ay)]
    }
}

fn date(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

#[derive(Clone, Copy)]
enum Part {
    Unknown,
    Known(u8),
}

impl Part {
    fn new(tens: u8, ones: u8) -> Option<Self> {
        match (tens, ones) {
            (b'<', b'<') => Some(Self::Unknown),
            (b'0'..=b'9', b'0'..=b'9') => Some(Self::Known((tens - b'0') * 10 + ones - b'0')),
            _ => None,
        }
    }

    fn within(self, low: u8, high: u8) -> bool {
        match self {
            Self::Unknown => true,
            Self::Known(value) => (low..=high).contains(&value),
        }
    }
}

impl fmt::Debug for PrintedDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrintedDate(..)")
    }
}

impl Serialize for PrintedDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn printed(text: &str) -> PrintedDate {
        PrintedDate::new(text).unwrap()
    }

    #[test]
    fn the_century_follows_from_today() {
        let today = date!(2026 - 06 - 01);
        assert_eq!(printed("740812").birth(today), Some(date!(1974 - 08 - 12)));
        assert_eq!(printed("240101").birth(today), Some(date!(2024 - 01 - 01)));
        assert_eq!(printed("260602").birth(today), Some(date!(1926 - 06 - 02)));
        assert_eq!(printed("120415").expiry(today), Some(date!(2012 - 04 - 15)));
        assert_eq!(printed("980415").expiry(today), Some(date!(1998 - 04 - 15)));
        assert_eq!(printed("000229").birth(date!(2101 - 01 - 01)), Some(date!(2000 - 02 - 29)));
    }

    #[test]
    fn unknown_parts_are_possible_and_no_date() {
        for text in ["7408<<", "74<<<<", "<<<<<<", "<<0812"] {
            assert!(printed(text).is_possible() && printed(text).is_partial(), "{text}");
            assert_eq!(printed(text).birth(date!(2026 - 06 - 01)), None);
        }
        // ICAO 9303-3 §4.8
        assert_eq!(printed("7408<<").known(), [Some(74), Some(8), None]);
        assert_eq!(printed("<<<<12").known(), [None, None, Some(12)]);
        assert_eq!(printed("7A<812").known(), [None, None, Some(12)]);
    }

    #[test]
    fn the_century_follows_at_its_turns() {
        let turn = date!(2000 - 01 - 01);
        assert_eq!(printed("000101").birth(turn), Some(turn));
        assert_eq!(printed("000102").birth(turn), Some(date!(1900 - 01 - 02)));
        assert_eq!(printed("991231").expiry(turn), Some(date!(1999 - 12 - 31)));
        assert_eq!(printed("050101").expiry(date!(1999 - 06 - 01)), Some(date!(2005 - 01 - 01)));
        // 29 February: 1900 had none, so whoever is born on one in "00" is born in 2000.
        assert_eq!(printed("000229").birth(date!(2000 - 02 - 28)), None);
        assert_eq!(printed("000229").expiry(date!(1999 - 06 - 01)), Some(date!(2000 - 02 - 29)));
    }

    #[test]
    fn dates_at_the_ends_of_the_calendar_are_no_panic() {
        for today in [Date::MIN, Date::MAX] {
            let _ = (printed("991231").birth(today), printed("000101").expiry(today));
        }
        assert_eq!(printed("991231").birth(Date::MAX), Some(date!(9999 - 12 - 31)));
    }

    #[test]
    fn what_no_calendar_has_is_impossible() {
        for text in ["741312", "740832", "740231", "7A0812", "7408<1", "7413<<", "31080W"] {
            assert!(!printed(text).is_possible(), "{text}");
            assert!(!printed(text).is_partial(), "{text}");
        }
        assert!(PrintedDate::new("74081").is_none());
        assert!(PrintedDate::new("74081é").is_none());
    }
}
