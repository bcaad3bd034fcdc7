//! What is required of an enrolment, as data: checks, ages, documents, attempts and deadlines.
//!
//! Nothing here is trusted to be complete: a failed check that a policy does not name still
//! decides (see [`crate::decide`]).

use serde::{Deserialize, Serialize};

use crate::reason::Step;

/// The rules of an enrolment at home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Checks that must have passed.
    pub required: Vec<String>,
    /// Of each group one check must have passed, and any other may be missing only because the
    /// chip has no such key (B4).
    pub any_of: Vec<Vec<String>>,
    /// Checks that are recorded and never decide.
    pub advisory: Vec<String>,
    /// Years of age on the day (A3).
    pub minimum_age: u8,
    /// Document codes of the MRZ that are taken (B9).
    pub document_codes: Vec<String>,
    /// How often each step may be tried (D5).
    pub attempts: Attempts,
    /// Seconds from the start of a case to its end.
    pub lifetime_s: u32,
    /// Codes, apps and PINs after the decision.
    pub activation: Activation,
    /// Cases that go on at a Borgercenter.
    pub desk: Desk,
    /// Who may vouch for somebody there.
    pub witness: Witness,
    /// How its officers sign in.
    pub officer: Officer,
    /// P-codes.
    pub p_codes: PCodes,
    /// The person's own page.
    pub my_page: MyPage,
    /// Code displays and audio code readers, and the password beside them.
    pub code_devices: CodeDevices,
}

/// Rules for My page and what is kept for it (F5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MyPage {
    /// Seconds without a request after which one logs in again.
    pub idle_s: u32,
    /// Seconds for which an app's own session lasts; a browser's ends with its log-in.
    pub session_s: u32,
    /// Seconds for which an approval is fresh: enough to open an app again, change a PIN or password, or erase (F2).
    pub fresh_s: u32,
    /// Seconds after a new app or an activated code device in which contacts are not changed.
    pub new_app_s: u32,
    /// Days for which activities are kept.
    pub activity_days: u16,
    /// Activities on a page.
    pub page: u16,
    /// Years for which what an erased identity rested on is kept.
    pub evidence_years: u16,
}

impl Default for MyPage {
    fn default() -> Self {
        Self {
            idle_s: 15 * 60,
            session_s: 60 * 60,
            fresh_s: 5 * 60,
            new_app_s: 60 * 60,
            activity_days: 365,
            page: 20,
            evidence_years: 5,
        }
    }
}

/// Rules for code displays and audio code readers (E10, G6), and the password beside them. How many digits
/// a code has and how long its step lasts is not data: see [`crate::totp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeDevices {
    /// Wrong tries in a row after which nothing is taken for a while (G6).
    pub wrong: u16,
    /// For how long the first time, seconds; twice as long each further time.
    pub rest_s: u32,
    /// At most so long, seconds.
    pub longest_rest_s: u32,
    /// Wrong tries of one log-in page, whoever they are of, after which it ends.
    pub page_tries: u16,
    /// A refusal of what was typed is answered after the next whole number of so long, milliseconds, counted from
    /// when it begins to wait for its turn: what the work differs by does not tell whom it was of (G4).
    pub refusal_ms: u16,
    /// Steps by which a device may be off from where it was last (RFC 6238 §5.2).
    pub window: u8,
    /// Steps by which it may be off when it is activated: its clock is learnt then (RFC 6238 §6).
    pub activation_window: u8,
    /// How many a person may order; further ones come from the Borgercenter (M2).
    pub each: u16,
}

impl Default for CodeDevices {
    fn default() -> Self {
        Self {
            wrong: 3,
            rest_s: 15 * 60,
            longest_rest_s: 24 * 60 * 60,
            page_tries: 3,
            refusal_ms: 250,
            window: 1,
            activation_window: 10,
            each: 3,
        }
    }
}

/// Rules for P-codes (A4). How many digits one has is not data: see [`crate::p_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PCodes {
    /// Seconds in which one can start an enrolment.
    pub life_s: u32,
    /// How many enrolments one can start.
    pub starts: u16,
}

impl Default for PCodes {
    fn default() -> Self {
        Self { life_s: 60 * 24 * 60 * 60, starts: 3 }
    }
}

/// Rules for officers who sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Officer {
    /// Seconds after which an officer signs in again.
    pub session_s: u32,
    /// The last of them, in which the pages say so (WCAG 2.2 §2.2.1).
    pub warn_s: u32,
    /// Wrong tries in a row after which nothing is tried for a while.
    pub wrong: u16,
    /// For how long, seconds.
    pub rest_s: u32,
    /// Fewest signs of a password.
    pub password: u16,
}

impl Default for Officer {
    fn default() -> Self {
        Self { session_s: 30 * 60, warn_s: 5 * 60, wrong: 5, rest_s: 15 * 60, password: 12 }
    }
}

/// Rules for cases that are referred to a Borgercenter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Seconds in which a referred case can be taken on there.
    pub referral_s: u32,
    /// How often one case may be opened there.
    pub visits: u16,
    /// How often each step may be tried at each visit (D5).
    pub attempts: Attempts,
    /// Seconds for which a kiosk may go on with a case that it has opened.
    pub session_s: u32,
    /// Life of the code by which the person picks up what they proved there, seconds (E4, on paper).
    pub pick_up_s: u32,
    /// When a kiosk takes it that nobody is there any more.
    pub idle: Idle,
}

/// When a kiosk takes it that nobody is there any more, and clears itself (M1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Idle {
    /// Seconds without a sign of a person.
    pub after_s: u32,
    /// The last of them, which are counted down where the person can stop it (WCAG 2.2 §2.2.1), seconds.
    pub warn_s: u32,
    /// The same while the pick-up code is shown, which somebody may be writing down, seconds.
    pub code_s: u32,
}

impl Default for Idle {
    fn default() -> Self {
        Self { after_s: 60, warn_s: 20, code_s: 5 * 60 }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            referral_s: 30 * 24 * 60 * 60,
            visits: 5,
            attempts: Attempts::default(),
            session_s: 30 * 60,
            pick_up_s: 48 * 60 * 60,
            idle: Idle::default(),
        }
    }
}

/// Who may vouch for a person at a Borgercenter (REQUIREMENTS M1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Witness {
    /// Years of age on the day.
    pub minimum_age: u8,
    /// Seconds for which they must have had their own identity.
    pub identity_s: u32,
    /// For how many people one may vouch in `period_s`.
    pub most: u16,
    /// Seconds over which these are counted.
    pub period_s: u32,
}

impl Default for Witness {
    fn default() -> Self {
        const DAY: u32 = 24 * 60 * 60;
        Self { minimum_age: 18, identity_s: 30 * DAY, most: 3, period_s: 120 * DAY }
    }
}

/// Rules for codes, apps and PINs (E4-E6, E9). How many digits a code has is not data: see
/// [`crate::codes`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Activation {
    /// Seconds from the decision in which its enrolment may still activate an app.
    pub window_s: u32,
    /// Wrong tries after which a pair of codes is dead (E4).
    pub wrong_codes: u8,
    /// Life of a code by SMS, seconds (E4).
    pub sms_s: u32,
    /// Life of a code by e-mail, seconds (NIST SP 800-63A-4).
    pub email_s: u32,
    /// Life of a code on paper, seconds (E4).
    pub letter_s: u32,
    /// Seconds after a change in which a phone number gets no codes (E5).
    pub phone_rest_s: u32,
    /// How often codes may be asked for in `starts_period_s`.
    pub starts: u16,
    /// Seconds over which these are counted.
    pub starts_period_s: u32,
    /// Seconds before an app that was copied can be used (E6).
    pub quarantine_s: u32,
    /// Life of the QR code to copy an app with, seconds (E6).
    pub copy_s: u32,
    /// Active apps of one identity (E6).
    pub apps: u16,
    /// Life of a challenge for a device's key, seconds.
    pub challenge_s: u32,
    /// Life of the code in a notice that blocks what it tells of, seconds (E7).
    pub block_s: u32,
    /// Wrong user IDs after which an enrolment sets nothing up any more.
    pub wrong_user_ids: u16,
    /// Wrong PINs in a row after which an app is locked (F3).
    pub wrong_pins: u16,
    /// Memory of one PIN hash, KiB (RFC 9106).
    pub pin_memory_kib: u32,
    /// Passes of one PIN hash.
    pub pin_passes: u32,
}

impl Default for Activation {
    fn default() -> Self {
        const HOUR: u32 = 60 * 60;
        Self {
            window_s: 72 * HOUR,
            wrong_codes: 3,
            sms_s: HOUR / 2,
            email_s: 24 * HOUR,
            letter_s: 48 * HOUR,
            phone_rest_s: 120 * HOUR,
            starts: 5,
            starts_period_s: 24 * HOUR,
            quarantine_s: HOUR,
            copy_s: 180,
            apps: 3,
            challenge_s: 120,
            block_s: 30 * 24 * HOUR,
            wrong_user_ids: 5,
            wrong_pins: 5,
            pin_memory_kib: 19 * 1024,
            pin_passes: 2,
        }
    }
}

/// How often each step of one case may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempts {
    /// Pictures of the printed page, or typed lines.
    pub page: u16,
    /// Readings of the chip. A lost link is common (FIELD-NOTES), so there are many.
    pub chip: u16,
    /// Pictures of the face (BSI TR-03166: at most 4 at Substantial).
    pub face: u16,
}

impl Attempts {
    /// The count of `step`; starting is not counted.
    #[must_use]
    pub fn of(&self, step: Step) -> u16 {
        match step {
            Step::Start => 0,
            Step::Page => self.page,
            Step::Chip => self.chip,
            Step::Face => self.face,
        }
    }

    /// With one more of `step`.
    #[must_use]
    pub(crate) fn plus(mut self, step: Step) -> Self {
        match step {
            Step::Start => {}
            Step::Page => self.page = self.page.saturating_add(1),
            Step::Chip => self.chip = self.chip.saturating_add(1),
            Step::Face => self.face = self.face.saturating_add(1),
        }
        self
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self { page: 10, chip: 20, face: 4 }
    }
}

const REQUIRED: [&str; 19] = [
    "mrz.check_digits",
    "chip.access",
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "signer.country",
    "document.type",
    "document.validity",
    "document.page_match",
    "document.status",
    "face.detected",
    "face.quality",
    "face.match",
    "face.morph",
    "person.match",
    "person.status",
    "person.age",
];

impl Policy {
    /// Whether this check must have passed.
    #[must_use]
    pub fn requires(&self, check: &str) -> bool {
        self.required.iter().any(|required| required == check)
    }
}

impl Default for Policy {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            required: owned(&REQUIRED),
            any_of: vec![owned(&["chip_authentication", "active_authentication"])],
            advisory: owned(&["mrz.confidence", "face.attack"]),
            minimum_age: 13,
            document_codes: owned(&["P", "PP", "PD", "PO"]),
            attempts: Attempts::default(),
            lifetime_s: 60 * 60,
            activation: Activation::default(),
            desk: Desk::default(),
            witness: Witness::default(),
            officer: Officer::default(),
            p_codes: PCodes::default(),
            my_page: MyPage::default(),
            code_devices: CodeDevices::default(),
        }
    }
}
