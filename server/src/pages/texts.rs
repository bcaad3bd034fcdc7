//! The languages of the pages, and what the checks are called in them. Reasons have their own table in
//! `enroll-core`.

use super::fluent;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Danish, the first.
    #[default]
    Da,
    /// English.
    En,
}

/// A moment of RFC 3339 to the minute: `2026-11-22 14:56 UTC`.
#[must_use]
pub(crate) fn moment(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

impl Language {
    /// The language named by `code`; Danish for any other.
    #[must_use]
    pub fn of(code: Option<&str>) -> Self {
        if code == Some("en") { Self::En } else { Self::Da }
    }

    /// As in `lang="…"`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.pick("da", "en")
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn pick<'a>(self, da: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Da => da,
            Self::En => en,
        }
    }

    /// The text of the pages by this name.
    #[must_use]
    pub(crate) fn t(self, id: &str) -> String {
        fluent::text(self, id)
    }

    /// The same with one variable.
    #[must_use]
    pub(crate) fn with(self, id: &str, name: &'static str, value: &str) -> String {
        fluent::with(self, id, &[(name, value)])
    }

    /// The text in this language.
    #[must_use]
    pub fn text(self, text: &enroll_core::reason::Text) -> &str {
        self.pick(&text.da, &text.en)
    }
}

/// The name of the text that says how far a reading is.
#[must_use]
pub fn reading(step: &str) -> &'static str {
    match step {
        "waiting" => "chip-lost",
        "access" | "pace" | "bac" => "chip-access",
        "authenticating" => "chip-authenticating",
        _ => "chip-reading",
    }
}

/// A group of checks on the page, in the order in which people meet them.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Which.
    pub id: &'static str,
    /// The name of its title's text.
    pub title: &'static str,
    /// Its checks: id, and the name of its text.
    pub checks: &'static [(&'static str, &'static str)],
}

/// Every check that the pages have words for.
pub const GROUPS: [Group; 7] = [
    Group {
        id: "page",
        title: "group-page",
        checks: &[
            ("mrz.check_digits", "check-mrz-check-digits"),
            ("mrz.confidence", "check-mrz-confidence"),
        ],
    },
    Group {
        id: "access",
        title: "group-access",
        checks: &[
            ("chip.access", "check-chip-access"),
            ("chip.downgrade", "check-chip-downgrade"),
            ("com.content", "check-com-content"),
        ],
    },
    Group {
        id: "issuer",
        title: "group-issuer",
        checks: &[
            ("sod.signature", "check-sod-signature"),
            ("sod.digest", "check-sod-digest"),
            ("dg.hash", "check-dg-hash"),
            ("dg.content", "check-dg-content"),
            ("signer.chain", "check-signer-chain"),
            ("signer.validity", "check-signer-validity"),
            ("signer.country", "check-signer-country"),
            ("signer.revocation", "check-signer-revocation"),
        ],
    },
    Group {
        id: "genuine",
        title: "group-genuine",
        checks: &[
            ("chip_authentication", "check-chip-authentication"),
            ("active_authentication", "check-active-authentication"),
        ],
    },
    Group {
        id: "document",
        title: "group-document",
        checks: &[
            ("document.type", "check-document-type"),
            ("document.validity", "check-document-validity"),
            ("document.page_match", "check-document-page-match"),
            ("document.status", "check-document-status"),
            ("document.unused", "check-document-unused"),
        ],
    },
    Group {
        id: "face",
        title: "group-face",
        checks: &[
            ("face.detected", "check-face-detected"),
            ("face.quality", "check-face-quality"),
            ("face.match", "check-face-match"),
            ("face.morph", "check-face-morph"),
            ("face.attack", "check-face-attack"),
        ],
    },
    Group {
        id: "person",
        title: "group-person",
        checks: &[
            ("person.match", "check-person-match"),
            ("person.status", "check-person-status"),
            ("person.age", "check-person-age"),
        ],
    },
];
