//! What the pages say, in both languages. Reasons have their own table in `enroll-core`.

use crate::relay::wire::Text;

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

    /// The text in this language.
    #[must_use]
    pub fn text(self, text: &enroll_core::reason::Text) -> &str {
        self.pick(&text.da, &text.en)
    }
}

/// How far a reading is, in words.
#[must_use]
pub fn reading(step: &str) -> Text {
    let (da, en) = match step {
        "waiting" => (
            "Forbindelsen gik tabt. Læg passet på igen.",
            "The link was lost. Put the passport back.",
        ),
        "access" | "pace" | "bac" => {
            ("Åbner chippen. Hold passet stille.", "Opening the chip. Hold the passport still.")
        }
        "authenticating" => ("Prøver, om chippen er ægte.", "Testing whether the chip is genuine."),
        _ => ("Læser chippen. Hold passet stille.", "Reading the chip. Hold the passport still."),
    };
    Text { da: da.to_owned(), en: en.to_owned() }
}

/// A group of checks on the page, in the order in which people meet them.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Which.
    pub id: &'static str,
    /// Danish title.
    pub da: &'static str,
    /// English title.
    pub en: &'static str,
    /// Its checks: id, Danish, English.
    pub checks: &'static [(&'static str, &'static str, &'static str)],
}

/// Every check that the pages have words for.
pub const GROUPS: [Group; 7] = [
    Group {
        id: "page",
        da: "Den trykte side",
        en: "The printed page",
        checks: &[
            ("mrz.check_digits", "Kontrolcifrene passer", "The check digits hold"),
            ("mrz.confidence", "Aflæsningen er sikker", "The reading is certain"),
        ],
    },
    Group {
        id: "access",
        da: "Adgang til chippen",
        en: "Access to the chip",
        checks: &[
            ("chip.access", "Siden åbner chippen", "The page opens the chip"),
            ("chip.downgrade", "Chippen skjuler ikke noget", "The chip hides nothing"),
            ("com.content", "Indholdsfortegnelsen er hel", "The table of contents is whole"),
        ],
    },
    Group {
        id: "issuer",
        da: "Statens underskrift",
        en: "The state’s signature",
        checks: &[
            ("sod.signature", "Underskriften er ægte", "The signature is genuine"),
            ("sod.digest", "Underskriften dækker indholdet", "The signature covers the content"),
            ("dg.hash", "Indholdet er uændret", "The content is unchanged"),
            ("dg.content", "Indholdet kan læses sikkert", "The content can be read safely"),
            ("signer.chain", "Udstederen er kendt", "The issuer is known"),
            ("signer.validity", "Underskriveren var gyldig", "The signer was valid"),
            ("signer.country", "Landet er det samme overalt", "The country is the same throughout"),
            ("signer.revocation", "Underskriveren er ikke spærret", "The signer is not revoked"),
        ],
    },
    Group {
        id: "genuine",
        da: "Chippen er original",
        en: "The chip is the original",
        checks: &[
            ("chip_authentication", "Chippen beviser sin nøgle", "The chip proves its key"),
            (
                "active_authentication",
                "Chippen svarer på vores udfordring",
                "The chip answers our challenge",
            ),
        ],
    },
    Group {
        id: "document",
        da: "Passet",
        en: "The passport",
        checks: &[
            ("document.type", "Typen kan bruges", "The type is accepted"),
            ("document.validity", "Passet er ikke udløbet", "The passport has not expired"),
            ("document.page_match", "Side og chip siger det samme", "Page and chip say the same"),
            (
                "document.status",
                "Ikke meldt bortkommet eller stjålet",
                "Not reported lost or stolen",
            ),
            ("document.unused", "Ikke brugt af en anden", "Not used by somebody else"),
        ],
    },
    Group {
        id: "face",
        da: "Ansigtet",
        en: "The face",
        checks: &[
            ("face.detected", "Der er ét ansigt i billedet", "There is one face in the picture"),
            ("face.quality", "Billedet er godt nok", "The picture is good enough"),
            ("face.match", "Ansigtet er det i passet", "The face is that of the passport"),
            (
                "face.attack",
                "Billedet ligner en levende person (vejledende)",
                "The picture looks live (advisory)",
            ),
        ],
    },
    Group {
        id: "person",
        da: "Personen",
        en: "The person",
        checks: &[
            ("person.match", "Personen findes i CPR", "The person is in the register"),
            ("person.status", "Personen er aktiv i CPR", "The person is active in the register"),
            ("person.age", "Personen er gammel nok", "The person is old enough"),
        ],
    },
];
