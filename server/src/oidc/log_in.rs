//! One log-in, from the pushed request to the end of its session. A transition consumes the state and may
//! refuse; what has ended stays as it ended.
//!
//! ```text
//! Pushed → Begun → Claimed → Approved → Coded → Granted → Ended
//!          Asked ↗ (CIBA)         ↘ Granted (CIBA)
//! ```

use super::dpop::Thumbprint;
use crate::ids::{AuthenticatorId, CodeDeviceId, IdentityId};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Where a log-in stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LogIn {
    /// A relying party has pushed it; no browser has come.
    Pushed,
    /// A browser shows it.
    Begun,
    /// A relying party began it by itself: it waits for the person's app (CIBA).
    Asked {
        /// The person.
        identity: IdentityId,
        /// When it was last asked for, and how many seconds must lie between two polls.
        poll: Poll,
    },
    /// An app knows what it asks for.
    Claimed {
        /// The app, and how it came to know.
        by: Claim,
    },
    /// The person has approved it.
    Approved {
        /// Their approval.
        approval: Approval,
    },
    /// The browser has taken the code.
    Coded {
        /// The approval that it rests on.
        approval: Approval,
    },
    /// The relying party has the tokens: a session.
    Granted {
        /// The approval that it rests on.
        approval: Approval,
        /// Until when the access token is good.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
        /// Personal numbers that were compared so far (G7).
        numbers: u16,
        /// The key that the access token is bound to, if it is (RFC 9449 §6).
        #[serde(default)]
        key: Option<Thumbprint>,
    },
    /// It is over.
    Ended {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// Why.
        why: Why,
        /// The claim of the app that refused it, so that it can be answered again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Claim>,
    },
}

/// How an app came to know of a log-in, or the person approved it without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It read both halves of the QR code.
    Qr,
    /// It was opened on the device of the browser, and goes back there.
    Switch,
    /// The relying party began it (CIBA).
    Backchannel,
    /// The person typed user ID, password and the code of a device on the page.
    Code,
}

/// Where a log-in began, as its person is shown before they answer (G2): the network of the browser beside that of
/// their app. A network is what is kept of an address: it names a provider and no home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// In a browser on the app's network.
    SameNetwork,
    /// On another one: known from log-ins that the person approved a day ago or before, or they have approved none to
    /// compare with.
    OtherNetwork,
    /// On another one, in which none of the newest log-ins began that the person approved a day ago or before.
    NewNetwork,
    /// The network of one of the two is not known, or names no provider.
    UnknownNetwork,
    /// In no browser that came here: the relying party began (CIBA), and who asked it to is not known.
    Service,
}

/// What a person approved a log-in with. An app is kept as approvals were before there were code devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// An app, with its key and PIN.
    App(AuthenticatorId),
    /// A code display, and the password.
    CodeDisplay(CodeDeviceId),
    /// An audio code reader, and the password.
    AudioReader(CodeDeviceId),
}

impl Means {
    /// The app, if it was one.
    #[must_use]
    pub fn app(self) -> Option<AuthenticatorId> {
        match self {
            Self::App(id) => Some(id),
            Self::CodeDisplay(_) | Self::AudioReader(_) => None,
        }
    }

    /// The methods as `amr` names them (RFC 8176 §1; REQUIREMENTS M5).
    #[must_use]
    pub fn amr(self) -> &'static [&'static str] {
        match self {
            Self::App(_) => &["code_app"],
            Self::CodeDisplay(_) => &["password", "code_token"],
            Self::AudioReader(_) => &["password", "code_reader"],
        }
    }
}

/// The polls of a relying party (CIBA §11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// The last one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    /// Seconds to the next.
    pub interval: u32,
}

impl Poll {
    /// Takes note of a poll at `now`; whether it came too soon.
    #[must_use]
    pub fn again(self, now: OffsetDateTime) -> (Self, bool) {
        let early = self.at.is_some_and(|at| (now - at).whole_seconds() < i64::from(self.interval));
        let interval = if early { self.interval.saturating_add(5) } else { self.interval };
        (Self { at: Some(now), interval }, early)
    }
}

/// An app that knows what a log-in asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The app.
    pub app: AuthenticatorId,
    /// Whose.
    pub identity: IdentityId,
    /// How it came to know.
    pub way: Way,
    /// SHA-256 of what the app was shown, in base64url: what it approves and nothing else.
    pub shown: String,
    /// Where it began, as the app was shown: claimed again, it is shown the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// For a relying party that polls.
    pub poll: Option<Poll>,
}

/// What a person approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// With what.
    #[serde(flatten)]
    pub means: Means,
    /// Who.
    pub identity: IdentityId,
    /// How the app came to know.
    pub way: Way,
    /// When: `auth_time`.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The identity's epoch then: in a later one this is worth nothing (F1).
    pub epoch: u64,
    /// Level of the identity then.
    pub ial: super::Level,
    /// Level of the means.
    pub aal: super::Level,
    /// For a relying party that polls.
    pub poll: Option<Poll>,
    /// SHA-256 of what the app takes back to the browser that began, in hexadecimal; for a switch.
    pub back: Option<String>,
    /// SHA-256 of what an app was shown, in base64url: who approves the same again is answered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// Why a log-in is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The person refused it in the app.
    Refused,
    /// The person left the page.
    Cancelled,
    /// Another one of the same person was under way (G2).
    Parallel,
    /// The app was somebody else's than the user ID that was typed.
    OtherPerson,
    /// Identity or means do not reach the level.
    Level,
    /// Something of the identity was blocked (F1).
    Blocked,
    /// The code was used twice, or with a wrong proof.
    Code,
    /// What was typed on the page was wrong too often.
    Tries,
    /// The person or the relying party ended the session.
    LoggedOut,
}

impl Why {
    /// What the person is told, where it is one of the table's.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        match self {
            Self::Parallel => ReasonCode::LOG_IN_PARALLEL,
            Self::OtherPerson => ReasonCode::LOG_IN_OTHER_PERSON,
            Self::Level => ReasonCode::LOG_IN_LEVEL,
            Self::Blocked => ReasonCode::IDENTITY_BLOCKED,
            Self::Tries => ReasonCode::LOG_IN_TRIES,
            Self::Refused | Self::Cancelled | Self::Code | Self::LoggedOut => {
                ReasonCode::LOG_IN_LATE
            }
        }
    }
}

impl LogIn {
    /// A browser takes it: once (RFC 9126 §4).
    ///
    /// # Errors
    /// `log_in.late`.
    pub fn begin(self) -> Result<Self, ReasonCode> {
        match self {
            Self::Pushed => Ok(Self::Begun),
            other => Err(other.over()),
        }
    }

    /// An app learns of it. The same app may ask again.
    ///
    /// # Errors
    /// `log_in.late` where it is another app's, or over.
    pub fn claim(self, by: Claim) -> Result<Self, ReasonCode> {
        match self {
            Self::Begun if matches!(by.way, Way::Qr | Way::Switch) => Ok(Self::Claimed { by }),
            Self::Asked { identity, poll }
                if by.way == Way::Backchannel && identity == by.identity =>
            {
                Ok(Self::Claimed { by: Claim { poll: Some(poll), ..by } })
            }
            Self::Claimed { by: known } if known.app == by.app && known.way == by.way => {
                Ok(Self::Claimed { by: Claim { poll: known.poll, ..by } })
            }
            other => Err(other.over()),
        }
    }

    /// The claim of `app`, if it has the log-in before it now.
    ///
    /// # Errors
    /// `log_in.late`, why it is over, and how `app` has answered.
    pub fn claimed_by(&self, app: AuthenticatorId) -> Result<&Claim, ReasonCode> {
        match self {
            Self::Claimed { by } if by.app == app => Ok(by),
            other => Err(other.over_for(app)),
        }
    }

    /// What is told `app` of one that it cannot answer, or not so: it may have answered, and not know.
    fn over_for(&self, app: AuthenticatorId) -> ReasonCode {
        match self {
            Self::Ended { refused: Some(by), .. } if by.app == app => {
                ReasonCode::LOG_IN_ALREADY_REFUSED
            }
            other if other.approval_by(app).is_some() => ReasonCode::LOG_IN_ALREADY_APPROVED,
            other => other.over(),
        }
    }

    /// The SHA-256 of what `app` was shown: of a log-in that it has before it now, or has answered.
    ///
    /// # Errors
    /// `log_in.late`, and why it is over.
    pub fn shown_to(&self, app: AuthenticatorId) -> Result<&str, ReasonCode> {
        let shown = match self {
            Self::Claimed { by } | Self::Ended { refused: Some(by), .. } if by.app == app => {
                Some(&by.shown)
            }
            other => other.approval_by(app).and_then(|approval| approval.shown.as_ref()),
        };
        shown.map(String::as_str).ok_or_else(|| self.over())
    }

    /// Its approval, if `app` gave it.
    #[must_use]
    pub fn approval_by(&self, app: AuthenticatorId) -> Option<&Approval> {
        self.approval().filter(|approval| approval.means.app() == Some(app))
    }

    /// The person refuses what `app` has before it. Repeated, it stays as it is.
    ///
    /// # Errors
    /// `log_in.late`, why it is over, and that `app` has approved it.
    pub fn refuse(self, app: AuthenticatorId, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Claimed { by } if by.app == app => {
                Ok(Self::Ended { at, why: Why::Refused, refused: Some(by) })
            }
            Self::Ended { refused: Some(ref by), .. } if by.app == app => Ok(self),
            other => Err(other.over_for(app)),
        }
    }

    /// What is told of one that cannot go on.
    #[must_use]
    pub fn over(&self) -> ReasonCode {
        match self {
            Self::Ended { why, .. } => why.reason(),
            _ => ReasonCode::LOG_IN_LATE,
        }
    }

    /// Ends it; what has ended stays as it ended.
    #[must_use]
    pub fn end(self, why: Why, at: OffsetDateTime) -> Self {
        match self {
            Self::Ended { .. } => self,
            _ => Self::Ended { at, why, refused: None },
        }
    }

    /// Whether it is before a person who has not answered: an app has it in hand, or it waits for one. A
    /// page is before nobody, whatever was typed on it.
    #[must_use]
    pub fn is_before_person(&self) -> bool {
        matches!(self, Self::Asked { .. } | Self::Claimed { .. })
    }

    /// Whether a second log-in of the same person beside it stops both (G2): it is before them, or they have
    /// typed a code and the relying party has nothing of it yet. Nobody holds a code in hand as an app does, so
    /// for it the time up to the tokens counts.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        let by_code = |approval: &Approval| approval.way == Way::Code;
        match self {
            Self::Approved { approval } | Self::Coded { approval } => by_code(approval),
            other => other.is_before_person(),
        }
    }

    /// What was approved, from then to the end.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved { approval }
            | Self::Coded { approval }
            | Self::Granted { approval, .. } => Some(approval),
            _ => None,
        }
    }

    /// Who it is of, as soon as that is known.
    #[must_use]
    pub fn identity(&self) -> Option<IdentityId> {
        match self {
            Self::Asked { identity, .. } => Some(*identity),
            Self::Claimed { by } => Some(by.identity),
            other => other.approval().map(|approval| approval.identity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use time::Duration;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 11:00 UTC);

    fn claim(way: Way) -> Claim {
        let app = AuthenticatorId::random(&SystemEntropy).unwrap();
        let identity = IdentityId::random(&SystemEntropy).unwrap();
        Claim { app, identity, way, shown: String::new(), begun: None, poll: None }
    }

    // proves G1
    #[test]
    fn one_app_claims_a_log_in_and_what_is_over_stays_over() {
        let late = Err(ReasonCode::LOG_IN_LATE);
        assert_eq!(LogIn::Pushed.claim(claim(Way::Qr)), late, "no browser has it");
        let begun = LogIn::Pushed.begin().unwrap();
        assert_eq!(begun.clone().begin(), late, "a request is used once");
        assert_eq!(begun.clone().claim(claim(Way::Backchannel)), late, "without its code");
        let mine = claim(Way::Qr);
        let claimed = begun.claim(mine.clone()).unwrap();
        assert_eq!(claimed.clone().claim(claim(Way::Qr)), late, "somebody else's app");
        assert_eq!(claimed.clone().claim(mine.clone()), Ok(claimed.clone()), "the same again");
        let ended = claimed.end(Why::Parallel, NOW);
        assert_eq!(ended.clone().end(Why::Refused, NOW), ended);
        assert_eq!(ended.claimed_by(mine.app), Err(ReasonCode::LOG_IN_PARALLEL));
        let stored = serde_json::to_string(&ended).unwrap();
        assert_eq!(serde_json::from_str::<LogIn>(&stored).unwrap(), ended);
    }

    // proves G1
    #[test]
    fn a_refusal_is_answered_again_to_the_app_that_refused_alone() {
        let mine = claim(Way::Qr);
        let claimed = LogIn::Claimed { by: mine.clone() };
        let late = Err(ReasonCode::LOG_IN_LATE);
        assert_eq!(claimed.clone().refuse(claim(Way::Qr).app, NOW), late);
        let refused = claimed.refuse(mine.app, NOW).unwrap();
        assert_eq!(refused.shown_to(mine.app), Ok(mine.shown.as_str()));
        assert_eq!(refused.claimed_by(mine.app), Err(ReasonCode::LOG_IN_ALREADY_REFUSED));
        assert_eq!(refused.claimed_by(claim(Way::Qr).app), Err(ReasonCode::LOG_IN_LATE));
        assert_eq!(refused.clone().refuse(mine.app, NOW + Duration::MINUTE), Ok(refused.clone()));
        assert_eq!(refused.shown_to(claim(Way::Qr).app), Err(ReasonCode::LOG_IN_LATE));
        assert_eq!(refused.clone().refuse(claim(Way::Qr).app, NOW), late);
        let stored = serde_json::to_string(&refused).unwrap();
        assert_eq!(serde_json::from_str::<LogIn>(&stored).unwrap(), refused);
        let before = r#"{"state":"ended","at":"2026-03-01T11:00:00Z","why":"refused"}"#;
        let before: LogIn = serde_json::from_str(before).unwrap();
        assert_eq!(before.refuse(mine.app, NOW), late, "one of before");
    }

    // proves G5 (each means says what it is), G2
    #[test]
    fn a_code_device_is_told_by_its_methods_and_an_approval_of_before_is_an_apps() {
        let id = CodeDeviceId::random(&SystemEntropy).unwrap();
        let identity = IdentityId::random(&SystemEntropy).unwrap();
        assert_eq!(Means::CodeDisplay(id).amr(), ["password", "code_token"]);
        assert_eq!(Means::AudioReader(id).amr(), ["password", "code_reader"]);
        let before = serde_json::json!({
            "app": id, "identity": identity, "way": "qr", "at": "2026-03-01T11:00:00Z", "epoch": 0,
            "ial": "Substantial", "aal": "Substantial", "poll": null, "back": null,
        });
        let mut approval: Approval = serde_json::from_value(before.clone()).unwrap();
        assert_eq!(approval.means.amr(), ["code_app"]);
        assert_eq!(serde_json::to_value(&approval).unwrap(), before);
        assert!(!LogIn::Approved { approval: approval.clone() }.is_under_way());
        approval.means = Means::AudioReader(id);
        approval.way = Way::Code;
        let stored = serde_json::to_string(&approval).unwrap();
        assert_eq!(serde_json::from_str::<Approval>(&stored).unwrap(), approval, "{stored}");
        assert!(LogIn::Coded { approval }.is_under_way() && !LogIn::Begun.is_under_way());
    }

    #[test]
    fn a_poll_that_comes_too_soon_makes_the_next_one_later() {
        let poll = Poll { at: None, interval: 3 };
        let (poll, early) = poll.again(NOW);
        assert!(!early);
        let (poll, early) = poll.again(NOW + Duration::seconds(2));
        assert!(early && poll.interval == 8);
        let (poll, early) = poll.again(NOW + Duration::seconds(9));
        assert!(early && poll.interval == 13);
        assert!(!poll.again(NOW + Duration::seconds(22)).1);
    }
}
