//! `idp_params` (REQUIREMENTS M5): what the person is shown before they approve (G3), and the level, as
//! relying parties of the national identity send them.

use super::{Level, OauthError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most characters of a text that is shown before an approval.
pub const LONGEST: usize = 130;

/// What a person is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// Log on.
    #[default]
    LogOn,
    /// Approve.
    Approve,
    /// Confirm.
    Confirm,
    /// Accept.
    Accept,
    /// Sign.
    Sign,
}

/// What the relying party wants shown, and the level it wants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct IdpParams {
    /// What the person is asked to do.
    pub action: Action,
    /// In the relying party's words.
    pub text: Option<String>,
    /// The least level, if it is said here.
    pub level: Option<Level>,
}

/// A text that can be shown: 1 to [`LONGEST`] characters, none of them a control.
#[must_use]
pub fn shown(text: &str) -> Option<String> {
    let fits = (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(is_hidden);
    fits.then(|| text.to_owned())
}

/// Controls, and signs that turn the direction of writing or take no room: what is shown would not be what
/// is read (Unicode UAX #9 §2).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl IdpParams {
    /// Reads the parameter; members that are not known are left out.
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] for what is no JSON, an unknown action or level, or a text that is no
    /// base64 of 1 to 130 characters.
    pub fn read(text: Option<&str>) -> Result<Self, OauthError> {
        let Some(text) = text else { return Ok(Self::default()) };
        let wrong = OauthError::InvalidRequest;
        let all: Value = serde_json::from_str(text).map_err(|_| wrong("idp_params is no JSON"))?;
        let get = |name: &str| match all.pointer(&format!("/mitid/{name}")) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(wrong("a member of idp_params.mitid is no text")),
        };
        let action = match get("action_text")? {
            None => Action::default(),
            Some(name) => serde_json::from_value(Value::from(name))
                .map_err(|_| wrong("idp_params.mitid.action_text is unknown"))?,
        };
        let level = match get("loa_value")? {
            None => None,
            Some(uri) => {
                Some(Level::of_uri(uri).ok_or(wrong("idp_params.mitid.loa_value is unknown"))?)
            }
        };
        let text = match get("reference_text")? {
            None => None,
            Some(encoded) => Some(reference(encoded).ok_or(wrong(
                "idp_params.mitid.reference_text is no base64 of 1 to 130 characters",
            ))?),
        };
        Ok(Self { action, text, level })
    }
}

/// Base64 (RFC 4648 §4), of UTF-8.
fn reference(encoded: &str) -> Option<String> {
    let bytes = openssl::base64::decode_block(encoded).ok()?;
    shown(std::str::from_utf8(&bytes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(member: &str, value: &str) -> Result<IdpParams, OauthError> {
        let text = serde_json::json!({ "mitid": { member: value, "uuid_hint": "x" } }).to_string();
        IdpParams::read(Some(&text))
    }

    fn encoded(text: &str) -> String {
        openssl::base64::encode_block(text.as_bytes())
    }

    // proves G3
    #[test]
    fn a_reference_text_has_at_most_130_characters_that_show() {
        let longest = "æ".repeat(130);
        let found = read("reference_text", &encoded(&longest)).unwrap();
        assert_eq!(found.text, Some(longest));
        for bad in ["", &"a".repeat(131), "a\nb", "a\u{202e}b", "a\u{200b}b"] {
            assert!(read("reference_text", &encoded(bad)).is_err(), "{bad:?}");
        }
        assert!(read("reference_text", "no base64!").is_err());
    }

    #[test]
    fn actions_and_levels_are_known_ones() {
        assert_eq!(read("action_text", "SIGN").unwrap().action, Action::Sign);
        assert_eq!(IdpParams::read(None).unwrap().action, Action::LogOn);
        assert!(read("action_text", "sign").is_err());
        let high = read("loa_value", &Level::High.uri()).unwrap();
        assert_eq!(high.level, Some(Level::High));
        assert!(read("loa_value", "High").is_err());
        assert!(IdpParams::read(Some("{")).is_err());
    }
}
