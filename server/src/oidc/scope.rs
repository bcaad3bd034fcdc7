//! Scopes (RFC 6749 §3.3, REQUIREMENTS M5).

use serde::{Deserialize, Serialize};

/// What a relying party may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// A log-in; always there.
    #[serde(rename = "openid")]
    OpenId,
    /// Name, date of birth and age.
    #[serde(rename = "mitid")]
    MitId,
    /// The personal number.
    #[serde(rename = "ssn")]
    Ssn,
    /// The name, as the register has it.
    #[serde(rename = "ssn.details_name")]
    SsnName,
    /// A signed record of what was approved.
    #[serde(rename = "transaction_token")]
    TransactionToken,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OpenId, Self::MitId, Self::Ssn, Self::SsnName, Self::TransactionToken];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::MitId => "mitid",
            Self::Ssn => "ssn",
            Self::SsnName => "ssn.details_name",
            Self::TransactionToken => "transaction_token",
        }
    }

    /// Those of `text` that there are, each once; unknown ones are left out (OpenID Connect Core
    /// §3.1.2.1).
    #[must_use]
    pub fn read(text: &str) -> Vec<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        Self::ALL.into_iter().filter(|scope| words.contains(&scope.name())).collect()
    }

    /// As a parameter.
    #[must_use]
    pub fn write(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_scopes_are_read_once_and_unknown_ones_left_out() {
        let read = Scope::read("ssn openid  email ssn");
        assert_eq!(read, [Scope::OpenId, Scope::Ssn]);
        assert_eq!(Scope::write(&read), "openid ssn");
        assert!(Scope::read("").is_empty() && Scope::read("OPENID").is_empty());
    }
}
