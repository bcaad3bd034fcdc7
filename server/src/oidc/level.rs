//! Levels of assurance (NSIS; REQUIREMENTS M5, G5).

use serde::{Deserialize, Serialize};

/// Where the levels are named. In `acr_values` the class of OIOSAML, with `/loa/`, is read too.
const CONCEPT: &str = "https://data.gov.dk/concept/core/nsis/";

/// A level, of an identity, of a means, or of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// *Lav*.
    Low,
    /// *Betydelig*.
    Substantial,
    /// *Høj*.
    High,
}

impl Level {
    /// All of them, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Substantial, Self::High];

    /// Its name: `Substantial`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Substantial => "Substantial",
            Self::High => "High",
        }
    }

    /// The level named so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// As `acr` and the claims say it.
    #[must_use]
    pub fn uri(self) -> String {
        format!("{CONCEPT}{}", self.name())
    }

    /// The level that a URI names, in either spelling.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix(CONCEPT)?;
        Self::named(name.strip_prefix("loa/").unwrap_or(name))
    }

    /// What a log-in is worth: `loa = min(ial, aal)` (NSIS §4).
    #[must_use]
    pub fn of_log_in(ial: Self, aal: Self) -> Self {
        ial.min(aal)
    }

    /// What `acr_values` asks for at least (OpenID Connect Core §3.1.2.1): the lowest of those known.
    /// `None` where all are unknown.
    #[must_use]
    pub fn asked(acr_values: &str) -> Option<Self> {
        acr_values.split(' ').filter_map(Self::of_uri).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves G5
    #[test]
    fn a_log_in_is_worth_the_lesser_of_identity_and_means() {
        for ial in Level::ALL {
            for aal in Level::ALL {
                let loa = Level::of_log_in(ial, aal);
                assert!(loa <= ial && loa <= aal && (loa == ial || loa == aal));
            }
        }
    }

    #[test]
    fn both_spellings_are_read_and_one_is_written() {
        for level in Level::ALL {
            let name = level.name();
            let saml = format!("https://data.gov.dk/concept/core/nsis/loa/{name}");
            assert_eq!(Level::of_uri(&level.uri()), Some(level));
            assert_eq!(Level::of_uri(&saml), Some(level));
            assert!(!level.uri().contains("/loa/"));
        }
        for bad in ["", "High", "https://data.gov.dk/concept/core/nsis/", "urn:grn:authn:dk:mitid"]
        {
            assert_eq!(Level::of_uri(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_least_that_is_asked_for_counts() {
        let (low, high) = (Level::Low.uri(), Level::High.uri());
        assert_eq!(Level::asked(&format!("{high} {low}")), Some(Level::Low));
        assert_eq!(Level::asked(&format!("urn:other {high}")), Some(Level::High));
        assert_eq!(Level::asked("urn:other"), None);
    }
}
