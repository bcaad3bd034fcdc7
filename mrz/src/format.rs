//! The five MRZ formats and where each keeps its fields.
//! ICAO 9303-4 §4.2, 9303-5 §4.2, 9303-6 §4.2, 9303-7 §4.2 and §5.2.

use serde::Serialize;

/// The format of an MRZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// Card, three lines of 30 characters (ICAO 9303-5).
    #[serde(rename = "TD1")]
    Td1,
    /// Larger card, two lines of 36 characters (ICAO 9303-6).
    #[serde(rename = "TD2")]
    Td2,
    /// Passport, two lines of 44 characters (ICAO 9303-4).
    #[serde(rename = "TD3")]
    Td3,
    /// Full-size visa, two lines of 44 characters (ICAO 9303-7 §4).
    #[serde(rename = "MRV-A")]
    MrvA,
    /// Small visa, two lines of 36 characters (ICAO 9303-7 §5).
    #[serde(rename = "MRV-B")]
    MrvB,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Td1, Self::Td2, Self::Td3, Self::MrvA, Self::MrvB];

    /// The format of that many lines of that width, the first of which begins with `first`: a visa
    /// begins with `V` and has the size of a card or passport otherwise.
    pub fn detect(lines: usize, width: usize, first: Option<char>) -> Option<Self> {
        match (lines, width, first) {
            (3, 30, _) => Some(Self::Td1),
            (2, 36, Some('V')) => Some(Self::MrvB),
            (2, 36, _) => Some(Self::Td2),
            (2, 44, Some('V')) => Some(Self::MrvA),
            (2, 44, _) => Some(Self::Td3),
            _ => None,
        }
    }

    /// How many lines.
    pub const fn lines(self) -> usize {
        match self {
            Self::Td1 => 3,
            _ => 2,
        }
    }

    /// How many characters each line has.
    pub const fn width(self) -> usize {
        match self {
            Self::Td1 => 30,
            Self::Td2 | Self::MrvB => 36,
            Self::Td3 | Self::MrvA => 44,
        }
    }

    /// Whether a document number may run on into the optional data (ICAO 9303-5 §4.2.4 note j,
    /// 9303-6 §4.2.4 note j).
    pub(crate) const fn allows_long_number(self) -> bool {
        matches!(self, Self::Td1 | Self::Td2)
    }

    pub(crate) const fn layout(self) -> &'static Layout {
        match self {
            Self::Td1 => &TD1,
            Self::Td2 => &TD2,
            Self::Td3 => &TD3,
            Self::MrvA => &MRV_A,
            Self::MrvB => &MRV_B,
        }
    }
}

/// Characters `from..to` of one line, counted from 0.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Span {
    pub(crate) const fn width(self) -> usize {
        self.to - self.from
    }
}

/// Where a format keeps its fields. The document code and the issuer are everywhere the first five
/// characters of the first line.
pub(crate) struct Layout {
    pub(crate) names: Span,
    pub(crate) number: Span,
    pub(crate) number_digit: Span,
    pub(crate) nationality: Span,
    pub(crate) birth: Span,
    pub(crate) birth_digit: Span,
    pub(crate) sex: Span,
    pub(crate) expiry: Span,
    pub(crate) expiry_digit: Span,
    pub(crate) optional: Span,
    pub(crate) optional_digit: Option<Span>,
    pub(crate) optional_2: Option<Span>,
    /// The composite digit and what it covers, in order.
    pub(crate) composite: Option<(Span, &'static [Span])>,
}

pub(crate) const CODE: Span = span(0, 0, 2);
pub(crate) const ISSUER: Span = span(0, 2, 5);

const fn span(line: usize, from: usize, to: usize) -> Span {
    Span { line, from, to }
}

/// The second line of every two-line format is the same up to the optional data.
const fn two_lines(width: usize, optional_to: usize) -> Layout {
    Layout {
        names: span(0, 5, width),
        number: span(1, 0, 9),
        number_digit: span(1, 9, 10),
        nationality: span(1, 10, 13),
        birth: span(1, 13, 19),
        birth_digit: span(1, 19, 20),
        sex: span(1, 20, 21),
        expiry: span(1, 21, 27),
        expiry_digit: span(1, 27, 28),
        optional: span(1, 28, optional_to),
        optional_digit: None,
        optional_2: None,
        composite: None,
    }
}

static TD1: Layout = Layout {
    names: span(2, 0, 30),
    number: span(0, 5, 14),
    number_digit: span(0, 14, 15),
    nationality: span(1, 15, 18),
    birth: span(1, 0, 6),
    birth_digit: span(1, 6, 7),
    sex: span(1, 7, 8),
    expiry: span(1, 8, 14),
    expiry_digit: span(1, 14, 15),
    optional: span(0, 15, 30),
    optional_digit: None,
    optional_2: Some(span(1, 18, 29)),
    composite: Some((
        span(1, 29, 30),
        &[span(0, 5, 30), span(1, 0, 7), span(1, 8, 15), span(1, 18, 29)],
    )),
};

static TD2: Layout = Layout {
    composite: Some((span(1, 35, 36), &[span(1, 0, 10), span(1, 13, 20), span(1, 21, 35)])),
    ..two_lines(36, 35)
};

static TD3: Layout = Layout {
    optional_digit: Some(span(1, 42, 43)),
    composite: Some((span(1, 43, 44), &[span(1, 0, 10), span(1, 13, 20), span(1, 21, 43)])),
    ..two_lines(44, 42)
};

static MRV_A: Layout = two_lines(44, 44);
static MRV_B: Layout = two_lines(36, 36);
