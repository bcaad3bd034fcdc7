//! One authenticator (an app on a device) from the codes that activate it to its end (E3-E6, F1-F3).
//!
//! ```text
//! Pending → Active → Locked | Blocked        Pending → Dead
//!          Active ← Blocked, by its person, with another means (F2)
//! ```
//!
//! A transition consumes the state and gives the next one also where it refuses: a wrong code or
//! PIN is counted, whatever the caller makes of the reason.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    audit::Hash,
    codes::{Channel, Issued},
    life::Actor,
    policy::Activation,
    reason::ReasonCode,
};

/// Where an authenticator stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Authenticator {
    /// Its codes are under way.
    Pending {
        /// The codes, each by another channel.
        codes: Vec<Issued>,
        /// Wrong tries so far.
        wrong: u8,
        /// When they were sent.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// It can be used from `usable` on.
    Active {
        /// When it was activated.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// Later than `at` for an app that was copied (E6).
        #[serde(with = "time::serde::rfc3339")]
        usable: OffsetDateTime,
        /// Wrong PINs in a row.
        wrong_pins: u16,
    },
    /// The PIN was wrong too often (F3).
    Locked {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Somebody blocked it (F1).
    Blocked {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// Who.
        #[serde(flatten)]
        by: Actor,
        /// What it was, if it was active: nothing for one that never comes back.
        #[serde(default)]
        was: Option<Was>,
    },
    /// Never activated: the codes were wrong too often, or others took their place.
    Dead {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// An app that was active when it was blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    /// When it was activated.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// From when it could be used.
    #[serde(with = "time::serde::rfc3339")]
    pub usable: OffsetDateTime,
    /// Wrong PINs in a row: blocking forgives none.
    pub wrong_pins: u16,
}

/// The next state, and whether what was tried is granted.
pub type Tried = (Authenticator, Result<(), ReasonCode>);

impl Authenticator {
    /// One whose `codes` are under way.
    ///
    /// # Errors
    /// `activation.channels` unless there are two by two channels (E3).
    pub fn pending(codes: Vec<Issued>, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match codes.as_slice() {
            [one, other] if one.channel != other.channel => {
                Ok(Self::Pending { codes, wrong: 0, at })
            }
            _ => Err(ReasonCode::ACTIVATION_CHANNELS),
        }
    }

    /// One that another app vouched for: it waits before it can be used (E6).
    #[must_use]
    pub fn copied(policy: &Activation, at: OffsetDateTime) -> Self {
        let usable = at + Duration::seconds(i64::from(policy.quarantine_s));
        Self::Active { at, usable, wrong_pins: 0 }
    }

    /// Tries the codes (E4). Each is compared, also after one that is wrong, and which was wrong
    /// is not told.
    pub fn try_codes(
        self,
        given: &[(Channel, Hash)],
        policy: &Activation,
        now: OffsetDateTime,
    ) -> Tried {
        if let Err(reason) = self.awaits_codes(now) {
            return (self, Err(reason));
        }
        let Self::Pending { codes, wrong, at } = self else {
            return (self, Err(ReasonCode::ACTIVATION_STATE));
        };
        if fitting(&codes, given) == codes.len() {
            return (Self::Active { at: now, usable: now, wrong_pins: 0 }, Ok(()));
        }
        match wrong.saturating_add(1) {
            wrong if wrong >= policy.wrong_codes => {
                (Self::Dead { at: now }, Err(ReasonCode::ACTIVATION_DEAD))
            }
            wrong => (Self::Pending { codes, wrong, at }, Err(ReasonCode::ACTIVATION_CODES)),
        }
    }

    /// That codes may be tried at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn awaits_codes(&self, now: OffsetDateTime) -> Result<(), ReasonCode> {
        match self {
            Self::Pending { codes, .. } if codes.iter().any(|code| now > code.expires) => {
                Err(ReasonCode::ACTIVATION_LATE)
            }
            Self::Pending { .. } => Ok(()),
            Self::Dead { .. } => Err(ReasonCode::ACTIVATION_DEAD),
            _ => Err(ReasonCode::ACTIVATION_STATE),
        }
    }

    /// Takes note of a PIN that was `right` or not; too many wrong ones in a row lock it (F3).
    pub fn try_pin(self, right: bool, policy: &Activation, now: OffsetDateTime) -> Tried {
        if let Err(reason) = self.usable(now) {
            return (self, Err(reason));
        }
        let Self::Active { at, usable, wrong_pins } = self else {
            return (self, Err(ReasonCode::ACTIVATION_STATE));
        };
        if right {
            return (Self::Active { at, usable, wrong_pins: 0 }, Ok(()));
        }
        match wrong_pins.saturating_add(1) {
            wrong if wrong >= policy.wrong_pins => {
                (Self::Locked { at: now }, Err(ReasonCode::PIN_LOCKED))
            }
            wrong_pins => (Self::Active { at, usable, wrong_pins }, Err(ReasonCode::PIN_WRONG)),
        }
    }

    /// That it can be used at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn usable(&self, now: OffsetDateTime) -> Result<(), ReasonCode> {
        match self {
            Self::Active { usable, .. } if now >= *usable => Ok(()),
            Self::Active { .. } => Err(ReasonCode::AUTHENTICATOR_WAITING),
            Self::Locked { .. } => Err(ReasonCode::PIN_LOCKED),
            Self::Blocked { .. } => Err(ReasonCode::AUTHENTICATOR_BLOCKED),
            Self::Pending { .. } | Self::Dead { .. } => Err(ReasonCode::ACTIVATION_STATE),
        }
    }

    /// Blocks it. What has ended before stays as it is, but what its person blocked and could open again is blocked
    /// for good by anybody else.
    #[must_use]
    pub fn block(self, by: Actor, at: OffsetDateTime) -> Self {
        match self {
            Self::Active { at: since, usable, wrong_pins } => {
                Self::Blocked { at, by, was: Some(Was { at: since, usable, wrong_pins }) }
            }
            Self::Pending { .. } | Self::Locked { .. } => Self::Blocked { at, by, was: None },
            Self::Blocked { by: Actor::Holder, was: was @ Some(_), .. } if by != Actor::Holder => {
                Self::Blocked { at, by, was }
            }
            Self::Blocked { .. } | Self::Dead { .. } => self,
        }
    }

    /// Opens it again (F2), which its person does with another means of the same assurance: only what they
    /// blocked themselves. What a notice's code, an officer or a register blocked was somebody else's, or is
    /// proved anew.
    ///
    /// # Errors
    /// `authenticator.for_good`.
    pub fn reopen(self) -> Result<Self, ReasonCode> {
        match self {
            Self::Blocked {
                by: Actor::Holder, was: Some(Was { at, usable, wrong_pins }), ..
            } => Ok(Self::Active { at, usable, wrong_pins }),
            _ => Err(ReasonCode::AUTHENTICATOR_FOR_GOOD),
        }
    }

    /// New codes in place of those under way, with the tries that are left.
    ///
    /// # Errors
    /// `activation.state` for one whose codes are not under way, `activation.channels` unless they come by
    /// the same channels.
    pub fn send_anew(self, anew: Vec<Issued>, now: OffsetDateTime) -> Result<Self, ReasonCode> {
        let Self::Pending { codes, wrong, .. } = self else {
            return Err(ReasonCode::ACTIVATION_STATE);
        };
        let same = codes.len() == anew.len()
            && codes.iter().all(|code| anew.iter().any(|new| new.channel == code.channel));
        if same {
            Ok(Self::Pending { codes: anew, wrong, at: now })
        } else {
            Err(ReasonCode::ACTIVATION_CHANNELS)
        }
    }

    /// When it was activated, if it was, as far as can be told.
    #[must_use]
    pub fn activated(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Active { at, .. } => Some(*at),
            Self::Blocked { was, .. } => was.map(|was| was.at),
            Self::Pending { .. } | Self::Locked { .. } | Self::Dead { .. } => None,
        }
    }

    /// Others take the place of its codes.
    #[must_use]
    pub fn replace(self, at: OffsetDateTime) -> Self {
        match self {
            Self::Pending { .. } => Self::Dead { at },
            other => other,
        }
    }

    /// Whether it counts as an app of the identity (E6).
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// Whether it was an app of the identity at any time, as far as can be told.
    #[must_use]
    pub fn was_active(&self) -> bool {
        !matches!(self, Self::Pending { .. } | Self::Dead { .. })
    }

    /// The state's name at `now`, such as `active`.
    #[must_use]
    pub fn name(&self, now: OffsetDateTime) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Active { usable, .. } if now < *usable => "waiting",
            Self::Active { .. } => "active",
            Self::Locked { .. } => "locked",
            Self::Blocked { .. } => "blocked",
            Self::Dead { .. } => "dead",
        }
    }
}

/// How many of `codes` are among `given`.
fn fitting(codes: &[Issued], given: &[(Channel, Hash)]) -> usize {
    let fits = |code: &&Issued| {
        let of_channel = given.iter().filter(|(channel, _)| *channel == code.channel);
        of_channel.filter(|(_, hash)| code.fits(*hash)).count() == 1
    };
    codes.iter().filter(fits).count()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
    const SMS: Hash = Hash([1; 32]);
    const EMAIL: Hash = Hash([2; 32]);

    fn policy() -> Activation {
        Activation::default()
    }

    fn code(channel: Channel, hash: Hash) -> Issued {
        Issued { channel, hash, expires: NOW + channel.life(&policy()) }
    }

    fn pending() -> Authenticator {
        let codes = vec![code(Channel::Sms, SMS), code(Channel::Email, EMAIL)];
        Authenticator::pending(codes, NOW).unwrap()
    }

    fn right() -> [(Channel, Hash); 2] {
        [(Channel::Sms, SMS), (Channel::Email, EMAIL)]
    }

    fn active() -> Authenticator {
        pending().try_codes(&right(), &policy(), NOW).0
    }

    // proves E3
    #[test]
    fn activation_needs_two_codes_by_two_channels() {
        for codes in [
            vec![],
            vec![code(Channel::Sms, SMS)],
            vec![code(Channel::Sms, SMS), code(Channel::Sms, EMAIL)],
        ] {
            let refused = Authenticator::pending(codes, NOW);
            assert_eq!(refused, Err(ReasonCode::ACTIVATION_CHANNELS));
        }
        let (sms, email) = ((Channel::Sms, SMS), (Channel::Email, EMAIL));
        let crossed = [(Channel::Sms, EMAIL), (Channel::Email, SMS)];
        for given in [&[][..], &[sms], &[email], &[sms, sms], &crossed, &[sms, email, sms]] {
            let (_, granted) = pending().try_codes(given, &policy(), NOW);
            assert_eq!(granted, Err(ReasonCode::ACTIVATION_CODES), "{given:?}");
        }
        let (state, granted) = pending().try_codes(&right(), &policy(), NOW);
        assert_eq!((state.name(NOW), granted), ("active", Ok(())));
    }

    // proves E4 (three wrong tries, one use, 30 minutes)
    #[test]
    fn codes_die_of_three_wrong_tries_of_use_and_of_age() {
        let mut state = pending();
        for reason in [ReasonCode::ACTIVATION_CODES, ReasonCode::ACTIVATION_CODES] {
            let (next, granted) = state.try_codes(&[], &policy(), NOW);
            assert_eq!(granted, Err(reason));
            state = next;
        }
        let (dead, granted) = state.try_codes(&[], &policy(), NOW);
        assert_eq!((dead.name(NOW), granted), ("dead", Err(ReasonCode::ACTIVATION_DEAD)));
        let (dead, granted) = dead.try_codes(&right(), &policy(), NOW);
        assert_eq!((dead.name(NOW), granted), ("dead", Err(ReasonCode::ACTIVATION_DEAD)));

        let (_, again) = active().try_codes(&right(), &policy(), NOW);
        assert_eq!(again, Err(ReasonCode::ACTIVATION_STATE), "used");

        let end = NOW + Duration::minutes(30);
        assert_eq!(pending().try_codes(&right(), &policy(), end).1, Ok(()));
        let late = pending().try_codes(&right(), &policy(), end + Duration::SECOND).1;
        assert_eq!(late, Err(ReasonCode::ACTIVATION_LATE));
        assert_eq!(pending().replace(NOW).name(NOW), "dead");
    }

    // proves E6 (one hour of quarantine)
    #[test]
    fn a_copied_app_waits() {
        let copied = Authenticator::copied(&policy(), NOW);
        let end = NOW + Duration::hours(1);
        let early = copied.usable(end - Duration::SECOND);
        assert_eq!(early, Err(ReasonCode::AUTHENTICATOR_WAITING));
        assert_eq!(
            (copied.usable(end), copied.name(NOW), copied.name(end)),
            (Ok(()), "waiting", "active")
        );
        let (copied, granted) = copied.try_pin(false, &policy(), NOW);
        assert_eq!((copied.is_active(), granted), (true, Err(ReasonCode::AUTHENTICATOR_WAITING)));
    }

    // proves F3 (an app whose PIN was wrong too often stays locked)
    #[test]
    fn wrong_pins_in_a_row_lock_for_good() {
        let mut state = active();
        for _ in 1..policy().wrong_pins {
            let (next, granted) = state.try_pin(false, &policy(), NOW);
            assert_eq!(granted, Err(ReasonCode::PIN_WRONG));
            state = next;
        }
        let forgiven = state.clone().try_pin(true, &policy(), NOW).0.try_pin(false, &policy(), NOW);
        assert_eq!(forgiven.1, Err(ReasonCode::PIN_WRONG), "counted from the last right one");
        let (locked, granted) = state.try_pin(false, &policy(), NOW);
        assert_eq!((locked.name(NOW), granted), ("locked", Err(ReasonCode::PIN_LOCKED)));
        let (locked, granted) = locked.try_pin(true, &policy(), NOW);
        assert_eq!((locked.name(NOW), granted), ("locked", Err(ReasonCode::PIN_LOCKED)));
    }

    // proves F2 (only what its person blocked is opened again, as it was)
    #[test]
    fn what_its_person_blocked_is_opened_again_as_it_was() {
        let (tried, _) = active().try_pin(false, &policy(), NOW);
        let blocked = tried.clone().block(Actor::Holder, NOW);
        assert_eq!(blocked.activated(), Some(NOW));
        assert_eq!(blocked.clone().reopen(), Ok(tried), "with its wrong PINs");
        let for_good = Err(ReasonCode::AUTHENTICATOR_FOR_GOOD);
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        for by in [Actor::Notice, officer] {
            assert_eq!(active().block(by, NOW).reopen(), for_good);
        }
        let later = NOW + Duration::HOUR;
        for by in [Actor::Notice, Actor::Officer { officer: "bc-17".to_owned() }] {
            let taken = blocked.clone().block(by.clone(), later);
            assert_eq!(taken.activated(), Some(NOW));
            assert_eq!(taken.clone().block(Actor::Holder, later), taken);
            assert_eq!(taken.reopen(), for_good, "{by:?}");
        }
        for other in [pending(), pending().block(Actor::Holder, NOW), active()] {
            assert_eq!(other.reopen(), for_good);
        }
        // As it was written before.
        let before = r#"{"state":"blocked","at":"2026-03-01T12:00:00Z","by":"holder"}"#;
        let before: Authenticator = serde_json::from_str(before).unwrap();
        assert_eq!(before.reopen(), for_good);
    }

    // proves E4 (new codes bring no new tries)
    #[test]
    fn codes_are_sent_anew_by_the_same_channels_with_the_tries_that_are_left() {
        let (tried, _) = pending().try_codes(&[], &policy(), NOW);
        let fresh = || vec![code(Channel::Sms, EMAIL), code(Channel::Email, SMS)];
        let anew = tried.clone().send_anew(fresh(), NOW).unwrap();
        assert_eq!(
            anew.clone().try_codes(&right(), &policy(), NOW).1,
            Err(ReasonCode::ACTIVATION_CODES)
        );
        let given = [(Channel::Sms, EMAIL), (Channel::Email, SMS)];
        assert_eq!(anew.clone().try_codes(&given, &policy(), NOW).1, Ok(()));
        let (last, _) = anew.try_codes(&[], &policy(), NOW);
        assert_eq!(last.try_codes(&[], &policy(), NOW).1, Err(ReasonCode::ACTIVATION_DEAD));
        let one = vec![code(Channel::Sms, SMS)];
        assert_eq!(tried.send_anew(one, NOW), Err(ReasonCode::ACTIVATION_CHANNELS));
        assert_eq!(active().send_anew(fresh(), NOW), Err(ReasonCode::ACTIVATION_STATE));
    }

    // proves F1 (a blocked app is dead until it is opened again)
    #[test]
    fn a_blocked_app_stays_blocked() {
        let blocked = active().block(Actor::Notice, NOW);
        assert_eq!(blocked.usable(NOW), Err(ReasonCode::AUTHENTICATOR_BLOCKED));
        let (blocked, granted) = blocked.try_codes(&right(), &policy(), NOW);
        assert_eq!(granted, Err(ReasonCode::ACTIVATION_STATE));
        assert_eq!(blocked.clone().block(Actor::Holder, NOW), blocked, "the first block is kept");
        assert_eq!(pending().block(Actor::Holder, NOW).name(NOW), "blocked");
    }

    #[test]
    fn each_state_survives_storage() {
        let locked = Authenticator::Locked { at: NOW };
        for state in [
            pending(),
            active(),
            locked,
            active().block(Actor::Holder, NOW),
            pending().replace(NOW),
        ] {
            let stored = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<Authenticator>(&stored).unwrap(), state, "{stored}");
        }
    }
}
