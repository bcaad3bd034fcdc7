//! The stable reason codes with what each means to the citizen (INTERFACES, *Reason codes*; H6).
//!
//! The table is `reasons.toml`, a file for people: its order is the order of severity, worst
//! first. A [`ReasonCode`] can only be a code of that table.

use std::{cmp::Ordering, fmt, sync::LazyLock};

use serde::{Deserialize, Serialize, de};

const SOURCE: &str = include_str!("reasons.toml");

/// A text in both languages of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Danish.
    pub da: String,
    /// English.
    pub en: String,
}

/// The step of an enrolment that a person does again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// From the beginning, or from where the case stands.
    Start,
    /// The printed page.
    Page,
    /// Reading the chip.
    Chip,
    /// The picture of the face.
    Face,
}

/// What a finding leads to when there is nothing worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadsTo {
    /// The enrolment is refused.
    Refuse,
    /// A Borgercenter takes the case over.
    Refer,
    /// The person does this step again.
    Retry(Step),
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The code, such as `document.expired`.
    pub code: String,
    /// What it leads to.
    pub leads_to: LeadsTo,
    /// Whether the person may begin again at home.
    pub again: bool,
    /// What happened.
    pub text: Text,
    /// What to do now.
    #[serde(rename(serialize = "next_step"))]
    pub next: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    reason: Vec<Entry>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program; a test parses it")]
static TABLE: LazyLock<Vec<Entry>> =
    LazyLock::new(|| toml::from_str::<Table>(SOURCE).expect("reasons.toml parses").reason);

/// All reasons, worst first.
#[must_use]
pub fn table() -> &'static [Entry] {
    &TABLE
}

/// A code of the table. Ordered by severity: the worst is the least, so that sorting puts it
/// first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonCode(&'static str);

macro_rules! codes {
    ($($name:ident = $code:literal;)*) => {
        impl ReasonCode {
            $(#[doc = concat!("`", $code, "`")] pub const $name: Self = Self($code);)*
            #[cfg(test)]
            const NAMED: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    MRZ_NOT_FOUND = "mrz.not_found";
    MRZ_CHECK_DIGIT = "mrz.check_digit";
    MRZ_FORMAT = "mrz.format";
    MRZ_UNSURE = "mrz.unsure";
    MRZ_PICTURE_UNREADABLE = "mrz.picture.unreadable";
    MRZ_PICTURE_TOO_LARGE = "mrz.picture.too_large";
    CHIP_LINK_LOST = "chip.link_lost";
    CHIP_ACCESS_DENIED = "chip.access_denied";
    CHIP_NOT_AN_EMRTD = "chip.not_an_emrtd";
    CHIP_PROTOCOL = "chip.protocol";
    CHIP_SECURE_MESSAGING = "chip.secure_messaging";
    CHIP_AUTHENTICATION_MISSING = "chip_authentication.missing";
    ACTIVE_AUTHENTICATION_MISSING = "active_authentication.missing";
    DOCUMENT_EXPIRED = "document.expired";
    DOCUMENT_TYPE = "document.type";
    DOCUMENT_LOST = "document.status.lost";
    DOCUMENT_STOLEN = "document.status.stolen";
    DOCUMENT_REVOKED = "document.status.revoked";
    DOCUMENT_UNKNOWN = "document.status.unknown";
    DOCUMENT_UNAVAILABLE = "document.status.unavailable";
    DOCUMENT_PAGE_MISMATCH = "document.page_mismatch";
    DOCUMENT_ALREADY_USED = "document.already_used";
    FACE_NOT_FOUND = "face.not_found";
    FACE_SEVERAL = "face.several";
    FACE_QUALITY_POOR = "face.quality.poor";
    FACE_QUALITY_UNREADABLE = "face.quality.unreadable";
    FACE_MISMATCH = "face.mismatch";
    FACE_ATTACK = "face.attack";
    FACE_CHALLENGE = "face.challenge";
    FACE_MODEL = "face.model";
    FACE_PORTRAIT_UNREADABLE = "face.portrait_unreadable";
    FACE_MORPH_SUSPECTED = "face.morph_suspected";
    PERSON_NOT_FOUND = "person.not_found";
    PERSON_MISMATCH = "person.mismatch";
    PERSON_DECEASED = "person.deceased";
    PERSON_MISSING = "person.missing";
    PERSON_EMIGRATED = "person.emigrated";
    PERSON_TOO_YOUNG = "person.too_young";
    PERSON_UNAVAILABLE = "person.unavailable";
    CASE_EXPIRED = "case.expired";
    CASE_ATTEMPTS = "case.attempts";
    CASE_STATE = "case.state";
    CASE_CONSENT = "case.consent";
    CASE_REPLAY = "case.replay";
    CONSENT_BIOMETRICS = "consent.biometrics";
    REFERRAL_WISH = "referral.wish";
    REFERRAL_VISIT_ENDED = "referral.visit_ended";
    REFERRAL_VISITS = "referral.visits";
    REFERRAL_HIGH = "referral.high";
    REFERENCE_FORM = "reference.form";
    REFERENCE_UNKNOWN = "reference.unknown";
    BOOKING_TAKEN = "booking.taken";
    BOOKING_UNKNOWN = "booking.unknown";
    PICK_UP_FORM = "pick_up.form";
    PICK_UP_UNKNOWN = "pick_up.unknown";
    P_CODE_KNOWN_AS = "p_code.known_as";
    P_CODE_INVALID = "p_code.invalid";
    OFFICER_REFUSED = "officer.refused";
    OFFICER_MORE = "officer.more";
    OFFICER_PRESENCE = "officer.presence";
    OFFICER_PORTRAIT = "officer.portrait";
    OFFICER_HIGH_FACE = "officer.high_face";
    OFFICER_REASON = "officer.reason";
    OFFICER_SIGN_IN = "officer.sign_in";
    WITNESS_NOT_ALLOWED = "witness.not_allowed";
    APPOINTMENTS_UNAVAILABLE = "appointments.unavailable";
    CASE_INCOMPLETE = "case.incomplete";
    EVIDENCE_MISMATCH = "evidence.mismatch";
    IDENTITY_BLOCKED = "identity.blocked";
    IDENTITY_REVOKED = "identity.revoked";
    IDENTITY_ERASED = "identity.erased";
    USER_ID_FORM = "user_id.form";
    USER_ID_TAKEN = "user_id.taken";
    USER_ID_MISSING = "user_id.missing";
    USER_ID_OTHER = "user_id.other";
    USER_ID_TRIES = "user_id.tries";
    CONTACT_FORM = "contact.form";
    PIN_WEAK = "pin.weak";
    PIN_WRONG = "pin.wrong";
    PIN_LOCKED = "pin.locked";
    ACTIVATION_CHANNELS = "activation.channels";
    ACTIVATION_NEW_PHONE = "activation.new_phone";
    ACTIVATION_DEVICE_KEY = "activation.device_key";
    ACTIVATION_CODES = "activation.codes";
    ACTIVATION_DEAD = "activation.dead";
    ACTIVATION_LATE = "activation.late";
    ACTIVATION_WINDOW = "activation.window";
    ACTIVATION_TOO_OFTEN = "activation.too_often";
    ACTIVATION_DEVICES = "activation.devices";
    ACTIVATION_STATE = "activation.state";
    COPY_LATE = "copy.late";
    AUTHENTICATOR_WAITING = "authenticator.waiting";
    AUTHENTICATOR_BLOCKED = "authenticator.blocked";
    AUTHENTICATOR_FOR_GOOD = "authenticator.for_good";
    SERVER_BUSY = "server.busy";
    REQUEST_TOO_OFTEN = "request.too_often";
    LOG_IN_LEVEL = "log_in.level";
    LOG_IN_PARALLEL = "log_in.parallel";
    LOG_IN_OTHER_PERSON = "log_in.other_person";
    LOG_IN_QR = "log_in.qr";
    LOG_IN_LATE = "log_in.late";
    LOG_IN_ALREADY_APPROVED = "log_in.already_approved";
    LOG_IN_ALREADY_REFUSED = "log_in.already_refused";
    LOG_IN_NOTHING = "log_in.nothing";
    MY_PAGE_APPROVAL = "my_page.approval";
    CONTACT_NEW_APP = "contact.new_app";
    SUPPORT_UNKNOWN = "support.unknown";
    SUPPORT_CALL = "support.call";
    LOG_IN_CODE = "log_in.code";
    LOG_IN_TRIES = "log_in.tries";
    LOG_IN_CODE_LEVEL = "log_in.code_level";
    PASSWORD_WEAK = "password.weak";
    PASSWORD_WRONG = "password.wrong";
    CODE_DEVICE_STATE = "code_device.state";
    CODE_DEVICE_ACTIVATION = "code_device.activation";
    CODE_DEVICE_OTHER = "code_device.other";
    CODE_DEVICE_STOCK = "code_device.stock";
    CODE_DEVICE_MANY = "code_device.many";
}

impl ReasonCode {
    /// The code if the table has it.
    #[must_use]
    pub fn known(code: &str) -> Option<Self> {
        table().iter().find(|entry| entry.code == code).map(|entry| Self(&entry.code))
    }

    /// The code, or the nearest general one the table has: an instrument newer than the table
    /// still ends in a reason with a text, never in none.
    #[must_use]
    pub fn nearest(code: &str) -> Self {
        Self::known(code).unwrap_or(match code.split('.').next() {
            Some("mrz") => Self::MRZ_FORMAT,
            Some("face") if code.starts_with("face.quality.") => Self::FACE_QUALITY_POOR,
            Some("face") => Self::FACE_MODEL,
            Some("chip" | "sod" | "dg" | "com" | "signer" | "csca" | "crl") => Self::CHIP_PROTOCOL,
            _ => Self::CASE_INCOMPLETE,
        })
    }

    /// The code itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Its place in the order of severity; 0 is worst.
    #[must_use]
    pub fn severity(self) -> usize {
        table().iter().position(|entry| entry.code == self.0).unwrap_or(0)
    }

    /// Its line in the table. Every code has one; a test proves it for those named here.
    #[must_use]
    #[expect(clippy::expect_used, reason = "codes are made from the table or tested against it")]
    pub fn entry(self) -> &'static Entry {
        table().iter().find(|entry| entry.code == self.0).expect("a code of the table")
    }

    /// What it leads to when there is nothing worse.
    #[must_use]
    pub fn leads_to(self) -> LeadsTo {
        self.entry().leads_to
    }
}

impl From<nfc::check::Reason> for ReasonCode {
    fn from(reason: nfc::check::Reason) -> Self {
        Self::nearest(reason.code())
    }
}

impl Ord for ReasonCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.severity().cmp(&other.severity()).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for ReasonCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::known(&code).ok_or_else(|| de::Error::custom("unknown reason code"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use nfc::check::Reason;

    use super::*;

    #[test]
    fn every_named_code_is_in_the_table_once() {
        for code in ReasonCode::NAMED {
            assert_eq!(ReasonCode::known(code.as_str()), Some(*code), "{code}");
        }
        let distinct: HashSet<_> = table().iter().map(|entry| &entry.code).collect();
        assert_eq!(distinct.len(), table().len());
    }

    // proves H6 (texts and a way on in both languages)
    #[test]
    fn every_reason_has_both_languages_and_a_next_step() {
        for entry in table() {
            for text in [&entry.text, &entry.next] {
                for language in [&text.da, &text.en] {
                    assert!(language.len() > 10 && language.ends_with('.'), "{}", entry.code);
                }
                assert_ne!(text.da, text.en, "{}", entry.code);
            }
        }
    }

    #[test]
    fn refusals_outrank_referrals_and_these_retries() {
        let rank = |entry: &Entry| match entry.leads_to {
            LeadsTo::Refuse => 0,
            LeadsTo::Refer => 1,
            LeadsTo::Retry(_) => 2,
        };
        assert!(table().is_sorted_by_key(rank));
        assert!(table().iter().all(|entry| rank(entry) < 2 || entry.again), "a retry is one");
    }

    // proves A5 (a register never tells which attribute differed)
    #[test]
    fn person_mismatch_and_not_found_read_alike() {
        let [mismatch, not_found] =
            [ReasonCode::PERSON_MISMATCH, ReasonCode::PERSON_NOT_FOUND].map(ReasonCode::entry);
        assert_eq!((&mismatch.text, &mismatch.next), (&not_found.text, &not_found.next));
    }

    #[test]
    fn every_chip_reason_is_known() {
        use Reason as R;
        let all = [
            R::LinkLost,
            R::AccessDenied,
            R::NotAnEmrtd,
            R::Protocol,
            R::SecureMessaging,
            R::Downgrade,
            R::SodMalformed,
            R::SodSignatureInvalid,
            R::SodDigestMismatch,
            R::SodAlgorithm,
            R::DataGroupHashMismatch,
            R::DataGroupMissing,
            R::DataGroupMalformed,
            R::ComMalformed,
            R::SignerNotFound,
            R::SignerExpired,
            R::SignerRevoked,
            R::SignerUntrusted,
            R::SignerCountry,
            R::CscaUnknown,
            R::CscaExpired,
            R::CscaDomain,
            R::CrlStale,
            R::ChipAuthenticationFailed,
            R::ChipAuthenticationMissing,
            R::ChipAuthenticationUnsupported,
            R::ActiveAuthenticationFailed,
            R::ActiveAuthenticationMissing,
            R::ActiveAuthenticationUnsupported,
        ];
        for reason in all {
            assert_eq!(ReasonCode::from(reason).as_str(), reason.code());
        }
    }

    #[test]
    fn a_newer_instrument_still_ends_in_a_known_reason() {
        assert_eq!(ReasonCode::nearest("face.quality.hat"), ReasonCode::FACE_QUALITY_POOR);
        assert_eq!(ReasonCode::nearest("face.new"), ReasonCode::FACE_MODEL);
        assert_eq!(ReasonCode::nearest("new"), ReasonCode::CASE_INCOMPLETE);
        assert_eq!(ReasonCode::known("new"), None);
    }
}
