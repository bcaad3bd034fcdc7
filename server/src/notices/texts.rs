//! What a notice says, in both languages, from `texts.toml`.

use crate::clock::copenhagen_time;
use enroll_core::reason::Text;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use time::OffsetDateTime;
use time::macros::format_description;

const SOURCE: &str = include_str!("texts.toml");

/// Something to tell a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A code to type.
    Code,
    /// An app was activated (E7).
    Activated,
    /// An app was copied (E6, E7).
    Copied,
    /// An app was blocked.
    Blocked,
    /// The PIN of an app was wrong too often (F3).
    Locked,
    /// The identity was issued again, by another enrolment of the same person (B11).
    Renewed,
    /// The whole identity was blocked.
    IdentityBlocked,
    /// A blocked identity was opened again (F2).
    IdentityReopened,
    /// A code device was ordered.
    CodeDeviceOrdered,
    /// The order of a code device was called off before it was sent.
    CodeDeviceOrderOff,
    /// A code device was handed out in a Borgercenter.
    CodeDeviceHandedOut,
    /// A code device was activated (E7).
    CodeDeviceActivated,
    /// A code device was blocked, or said to be lost.
    CodeDeviceBlocked,
    /// A code device was found or opened again: it can be activated.
    CodeDeviceBack,
    /// Codes for a code device were asked for so often that no further one is sent for a while.
    CodeDeviceCodes,
    /// Codes were wrong too often: nothing is taken for a while (G6).
    CodesRest,
    /// The password was changed.
    PasswordChanged,
    /// The person is reached elsewhere from now on; told where they were reached until now.
    ContactsChanged,
    /// Another user ID was chosen for an identity that is in use.
    UserIdChanged,
    /// A log-in was approved, for who wants to be told of each (M3).
    LoggedIn,
    /// The PIN of an app was changed.
    PinChanged,
    /// A blocked app was opened again (F2).
    AppReopened,
    /// The identity was erased at its person's wish.
    Erased,
}

/// What fills a notice.
#[derive(Default)]
pub struct Words<'a> {
    /// The service's name.
    pub service: &'a str,
    /// When it happened.
    pub at: Option<OffsetDateTime>,
    /// A code to type.
    pub code: Option<&'a str>,
    /// When a code ends, or an app begins, or codes are taken again.
    pub until: Option<OffsetDateTime>,
    /// The relying party's name.
    pub party: &'a str,
    /// Where to block.
    pub block_at: &'a str,
    /// The code that blocks.
    pub block_code: Option<&'a str>,
}

/// A notice in words. Personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// In a few words.
    pub subject: Text,
    /// All of it.
    pub text: Text,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told(…)")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    code: Told,
    activated: Told,
    copied: Told,
    blocked: Told,
    identity_blocked: Told,
    identity_reopened: Told,
    contacts_changed: Told,
    user_id_changed: Told,
    renewed: Told,
    locked: Told,
    logged_in: Told,
    pin_changed: Told,
    app_reopened: Told,
    erased: Told,
    code_device_ordered: Told,
    code_device_handed_out: Told,
    code_device_activated: Told,
    code_device_order_off: Told,
    code_device_blocked: Told,
    code_device_back: Told,
    code_device_codes: Told,
    codes_rest: Told,
    password_changed: Told,
    how_to_block: HowToBlock,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HowToBlock {
    with_code: Text,
    plain: Text,
}

#[expect(clippy::expect_used, reason = "the table is part of the program; a test parses it")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("texts.toml parses"));

impl Notice {
    /// The notice with `words` in it.
    #[must_use]
    pub fn told(self, words: &Words<'_>) -> Told {
        let table = &*TABLE;
        let source = match self {
            Self::Code => &table.code,
            Self::Activated => &table.activated,
            Self::Copied => &table.copied,
            Self::Blocked => &table.blocked,
            Self::IdentityBlocked => &table.identity_blocked,
            Self::IdentityReopened => &table.identity_reopened,
            Self::ContactsChanged => &table.contacts_changed,
            Self::UserIdChanged => &table.user_id_changed,
            Self::Renewed => &table.renewed,
            Self::Locked => &table.locked,
            Self::LoggedIn => &table.logged_in,
            Self::PinChanged => &table.pin_changed,
            Self::AppReopened => &table.app_reopened,
            Self::Erased => &table.erased,
            Self::CodeDeviceOrdered => &table.code_device_ordered,
            Self::CodeDeviceHandedOut => &table.code_device_handed_out,
            Self::CodeDeviceActivated => &table.code_device_activated,
            Self::CodeDeviceOrderOff => &table.code_device_order_off,
            Self::CodeDeviceBlocked => &table.code_device_blocked,
            Self::CodeDeviceBack => &table.code_device_back,
            Self::CodeDeviceCodes => &table.code_device_codes,
            Self::CodesRest => &table.codes_rest,
            Self::PasswordChanged => &table.password_changed,
        };
        let how = match words.block_code {
            Some(_) => &table.how_to_block.with_code,
            None => &table.how_to_block.plain,
        };
        let both = |text: &Text| Text {
            da: filled(&text.da, &words.block(&how.da), words),
            en: filled(&text.en, &words.block(&how.en), words),
        };
        Told { subject: both(&source.subject), text: both(&source.text) }
    }
}

impl Words<'_> {
    /// The page that blocks with one press; what opens it stands behind the `#`, where no server and no log
    /// sees it.
    fn link(&self) -> String {
        format!("{}#{}", self.block_at, self.block_code.unwrap_or_default())
    }

    fn block(&self, how: &str) -> String {
        let code = self.block_code.unwrap_or_default();
        how.replace("{at}", self.block_at).replace("{code}", code)
    }
}

fn filled(text: &str, block: &str, words: &Words<'_>) -> String {
    let moment = |at: Option<OffsetDateTime>| at.map(moment).unwrap_or_default();
    // A relying party's own words come last, so that nothing in them is filled.
    text.replace("{service}", words.service)
        .replace("{time}", &moment(words.at))
        .replace("{until}", &moment(words.until))
        .replace("{code}", words.code.unwrap_or_default())
        .replace("{block}", block)
        .replace("{link}", &words.link())
        .replace("{party}", words.party)
}

/// Date and time as both languages read them, in Denmark.
fn moment(at: OffsetDateTime) -> String {
    let form = format_description!("[day].[month].[year] [hour]:[minute]");
    // Numbers of a date always have this form.
    copenhagen_time(at).format(form).unwrap_or_default()
}

impl Told {
    /// Both languages, Danish first.
    #[must_use]
    pub fn lines(&self) -> String {
        format!("{}\n\n{}", self.text.da, self.text.en)
    }

    /// Both subjects on one line.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} / {}", self.subject.da, self.subject.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    // proves E7 (a notice names service, time, and how to block)
    #[test]
    fn every_notice_names_service_time_and_how_to_block() {
        let at = datetime!(2026-07-01 10:05 UTC);
        let words = Words {
            service: "Prøve",
            at: Some(at),
            code: None,
            until: Some(datetime!(2026-01-01 10:05 UTC)),
            block_at: "https://prøve.invalid",
            block_code: Some("00ff"),
            party: "Netbanken",
        };
        for notice in [
            Notice::Activated,
            Notice::Copied,
            Notice::Blocked,
            Notice::Locked,
            Notice::Renewed,
            Notice::IdentityReopened,
            Notice::ContactsChanged,
            Notice::UserIdChanged,
            Notice::LoggedIn,
            Notice::PinChanged,
            Notice::AppReopened,
            Notice::CodeDeviceOrdered,
            Notice::CodeDeviceHandedOut,
            Notice::CodeDeviceActivated,
            Notice::CodeDeviceOrderOff,
            Notice::CodeDeviceBlocked,
            Notice::CodeDeviceBack,
            Notice::CodeDeviceCodes,
            Notice::CodesRest,
            Notice::PasswordChanged,
        ] {
            let told = notice.told(&words);
            for text in [&told.text.da, &told.text.en] {
                for part in ["Prøve", "01.07.2026 12:05", "https://prøve.invalid#00ff"] {
                    assert!(text.contains(part), "{notice:?}: {text}");
                }
            }
            assert_ne!(told.text.da, told.text.en);
        }
        let blocked = Notice::IdentityBlocked.told(&words).lines();
        assert!(blocked.contains("01.07.2026 12:05") && !blocked.contains("00ff"), "{blocked}");
        let logged_in = Notice::LoggedIn.told(&words).lines();
        assert!(logged_in.contains("Netbanken"), "{logged_in}");
        assert!(logged_in.contains("https://prøve.invalid#00ff"), "{logged_in}");
        let copied = Notice::Copied.told(&words).lines();
        assert!(copied.contains("01.01.2026 11:05"), "{copied}");
    }

    #[test]
    fn no_place_is_left_empty_or_unknown() {
        let at = Some(datetime!(2026-07-01 10:05 UTC));
        let words = Words {
            service: "S",
            at,
            code: Some("123456"),
            until: at,
            block_at: "B",
            block_code: None,
            party: "P",
        };
        for notice in [
            Notice::Code,
            Notice::Activated,
            Notice::Copied,
            Notice::Blocked,
            Notice::LoggedIn,
            Notice::PinChanged,
            Notice::AppReopened,
            Notice::Erased,
        ] {
            let told = notice.told(&words);
            let all = format!("{} {}", told.title(), told.lines());
            assert!(!all.contains('{') && !all.contains('}'), "{all}");
        }
        let code = Notice::Code.told(&words);
        assert!(code.text.da.contains("123456") && code.text.en.contains("123456"));
        assert_eq!(format!("{code:?}"), "Told(…)");
    }
}
