//! Code displays (*kodevisere*) and audio code readers (*kodeoplæsere*), from the stock to their end
//! (E10, M2): shipped inactive, and tied to a user ID only by an independent code and one of their own.
//!
//! ```text
//! InStock → Ordered → Inactive → Active → Lost | Blocked
//!        ↘ (handed out) ↗   ↖ found, opened ↙
//! ```
//!
//! One that is lost or blocked before it was sent has not left the stock: the order is off, and it is nobody's.
//!
//! A transition consumes the state and may refuse. What was lost and is found again, and what was blocked
//! and is opened again, is inactive: it is activated anew, at the same assurance (F2).

use serde::{Deserialize, Deserializer, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    audit::Hash,
    codes::{Channel, Issued},
    life::Actor,
    policy::{Activation, CodeDevices},
    reason::ReasonCode,
};

/// What shows the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It shows them.
    Display,
    /// It speaks them.
    Reader,
}

impl Kind {
    /// Its name: `display`, `reader`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Reader => "reader",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Display, Self::Reader].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether `text` can be a serial number: 4 to 32 signs of `A-Z0-9-`.
#[must_use]
pub fn is_serial(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    (4..=32).contains(&text.len()) && text.chars().all(is_sign)
}

/// How a device came to its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Delivery {
    /// By letter.
    Posted,
    /// In the Borgercenter.
    HandedOut {
        /// The officer who did.
        officer: String,
    },
    /// They had it: it was found, or is opened again.
    Kept,
}

/// The code under way that activates a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The code.
    pub issued: Issued,
    /// Wrong tries so far.
    pub wrong: u8,
}

/// Where a device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CodeDevice {
    /// Nobody's.
    InStock,
    /// Somebody's, and not yet sent.
    Ordered {
        /// When it was ordered.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// With its person or on the way, and good for nothing.
    Inactive {
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// How it came there.
        delivery: Delivery,
        /// The codes that activate it, once asked for: one by each channel.
        #[serde(default, alias = "code", deserialize_with = "read_codes")]
        codes: Vec<UnderWay>,
        /// When codes were asked for, seconds since 1970: the latest ones.
        asked: Vec<i64>,
    },
    /// Its codes count.
    Active {
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// How it came to its person.
        delivery: Delivery,
        /// Steps by which its clock was ahead when it was last used (RFC 6238 §6).
        drift: i64,
    },
    /// Its person has lost it.
    Lost {
        /// When that was said.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// By whom.
        #[serde(flatten)]
        by: Actor,
        /// When codes were asked for, as of an inactive one.
        #[serde(default)]
        asked: Vec<i64>,
    },
    /// Somebody blocked it (F1).
    Blocked {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// Who.
        #[serde(flatten)]
        by: Actor,
        /// When codes were asked for, as of an inactive one.
        #[serde(default)]
        asked: Vec<i64>,
    },
}

/// The codes under way: several, or one or none, as they were kept before there was one by each channel.
fn read_codes<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<UnderWay>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Codes {
        Each(Vec<UnderWay>),
        One(Option<UnderWay>),
    }
    Ok(match Codes::deserialize(source)? {
        Codes::Each(codes) => codes,
        Codes::One(code) => code.into_iter().collect(),
    })
}

/// The next state, and whether what was tried is granted.
pub type Tried = (CodeDevice, Result<(), ReasonCode>);

/// How few may open what `by` has blocked.
const fn firmness(by: &Actor) -> u8 {
    match by {
        Actor::Holder => 0,
        Actor::Notice | Actor::Register { .. } => 1,
        Actor::Officer { .. } => 2,
    }
}

const fn refused<T>() -> Result<T, ReasonCode> {
    Err(ReasonCode::CODE_DEVICE_STATE)
}

impl CodeDevice {
    /// It is to be sent to somebody.
    ///
    /// # Errors
    /// `code_device.state` unless it is in stock.
    pub fn order(self, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        if self == Self::InStock { Ok(Self::Ordered { at }) } else { refused() }
    }

    /// It is on the way.
    ///
    /// # Errors
    /// `code_device.state` unless it was ordered.
    pub fn post(self, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Ordered { .. } => Ok(Self::inactive(at, Delivery::Posted, Vec::new())),
            _ => refused(),
        }
    }

    /// An officer hands it out.
    ///
    /// # Errors
    /// `code_device.state` unless it is in stock.
    pub fn hand_out(self, officer: String, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::InStock => Ok(Self::inactive(at, Delivery::HandedOut { officer }, Vec::new())),
            _ => refused(),
        }
    }

    fn inactive(at: OffsetDateTime, delivery: Delivery, asked: Vec<i64>) -> Self {
        Self::Inactive { at, delivery, codes: Vec::new(), asked }
    }

    /// When codes were asked for. What is lost and found, or blocked and opened again, does not forget it (E4).
    fn asked(&self) -> Vec<i64> {
        match self {
            Self::Inactive { asked, .. }
            | Self::Lost { asked, .. }
            | Self::Blocked { asked, .. } => asked.clone(),
            Self::InStock | Self::Ordered { .. } | Self::Active { .. } => Vec::new(),
        }
    }

    /// A code is sent that activates it, beside one by another channel. Whoever asks again changes nothing: the code
    /// that is under way stays good.
    ///
    /// # Errors
    /// `code_device.state` unless it is inactive; `activation.channels` for a code by letter, which comes
    /// the way that a posted device does (E10); `activation.too_often` while one by the same channel is good, and
    /// after so many in a period.
    pub fn send_code(
        self,
        issued: Issued,
        policy: &Activation,
        now: OffsetDateTime,
    ) -> Result<Self, ReasonCode> {
        let Self::Inactive { at, delivery, mut codes, mut asked } = self else {
            return refused();
        };
        if issued.channel == Channel::Letter {
            return Err(ReasonCode::ACTIVATION_CHANNELS);
        }
        let since = now.unix_timestamp() - i64::from(policy.starts_period_s);
        asked.retain(|time| *time > since);
        codes.retain(|code| now <= code.issued.expires);
        let is_good = codes.iter().any(|code| code.issued.channel == issued.channel);
        if is_good || asked.len() >= usize::from(policy.starts) {
            return Err(ReasonCode::ACTIVATION_TOO_OFTEN);
        }
        asked.push(now.unix_timestamp());
        codes.push(UnderWay { issued, wrong: 0 });
        Ok(Self::Inactive { at, delivery, codes, asked })
    }

    /// The codes under way are worth nothing: they went where the person is not reached any more. Those that were
    /// asked for are still counted.
    #[must_use]
    pub fn forget_codes(self) -> Self {
        match self {
            Self::Inactive { at, delivery, asked, .. } => Self::inactive(at, delivery, asked),
            other => other,
        }
    }

    /// Until when no further code is sent, if so many were asked for.
    #[must_use]
    pub fn asked_out_until(&self, policy: &Activation) -> Option<OffsetDateTime> {
        let Self::Inactive { asked, .. } = self else { return None };
        let first = asked.first().filter(|_| asked.len() >= usize::from(policy.starts))?;
        let until = first.checked_add(i64::from(policy.starts_period_s))?;
        OffsetDateTime::from_unix_timestamp(until).ok()
    }

    /// Whether a code is under way that may be tried at `now`.
    #[must_use]
    pub fn awaits_code(&self, now: OffsetDateTime) -> bool {
        match self {
            Self::Inactive { codes, .. } => codes.iter().any(|code| now <= code.issued.expires),
            _ => false,
        }
    }

    /// Tries to activate it with the independent code, given as its hash by each channel, and with two of its
    /// own, which a clock that is `drift` steps ahead showed: all or none, and which was wrong is not told. A wrong
    /// try counts, and after too many an independent code is dead (E4).
    pub fn activate(
        self,
        (code, drift): ([(Channel, Hash); 2], Option<i64>),
        policy: &Activation,
        now: OffsetDateTime,
    ) -> Tried {
        let wrong = Err(ReasonCode::CODE_DEVICE_ACTIVATION);
        if !self.awaits_code(now) {
            return (self, wrong);
        }
        let Self::Inactive { at, delivery, mut codes, asked } = self else {
            return (self, wrong);
        };
        codes.retain(|code| now <= code.issued.expires);
        let mut fits = false;
        for UnderWay { issued, .. } in &codes {
            for (channel, hash) in code {
                fits |= channel == issued.channel && issued.fits(hash);
            }
        }
        if let (true, Some(drift)) = (fits, drift) {
            return (Self::Active { at: now, delivery, drift }, Ok(()));
        }
        codes.iter_mut().for_each(|code| code.wrong = code.wrong.saturating_add(1));
        codes.retain(|code| code.wrong < policy.wrong_codes);
        (Self::Inactive { at, delivery, codes, asked }, wrong)
    }

    /// Where its clock was, if its codes count.
    #[must_use]
    pub fn drift(&self) -> Option<i64> {
        match self {
            Self::Active { drift, .. } => Some(*drift),
            _ => None,
        }
    }

    /// A code was taken that its clock shows `offset` steps after now (RFC 6238 §6). Whoever types slowly has a code
    /// of some steps ago: where that explains it, at most `window` from now, a clock that is further ahead is taken
    /// to be where it was.
    #[must_use]
    pub fn drifted(self, offset: i64, window: i64) -> Self {
        match self {
            Self::Active { at, delivery, drift } => {
                let is_slow = offset.abs() <= window && offset.abs() < drift;
                Self::Active { at, delivery, drift: if is_slow { drift } else { offset } }
            }
            other => other,
        }
    }

    /// Its person has lost it; one that was not sent yet stays in stock. Said again, it stays as it is.
    ///
    /// # Errors
    /// `code_device.state` for one that nobody has, or that is blocked.
    pub fn lose(self, by: Actor, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Ordered { .. } => Ok(Self::InStock),
            Self::Inactive { .. } | Self::Active { .. } => {
                Ok(Self::Lost { at, by, asked: self.asked() })
            }
            Self::Lost { .. } => Ok(self),
            Self::InStock | Self::Blocked { .. } => refused(),
        }
    }

    /// It is found again: inactive, to be activated anew. Said again, it stays as it is.
    ///
    /// # Errors
    /// `code_device.state` unless it was lost.
    pub fn find(self, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match self {
            Self::Lost { asked, .. } => Ok(Self::inactive(at, Delivery::Kept, asked)),
            Self::Inactive { .. } => Ok(self),
            _ => refused(),
        }
    }

    /// Blocks it; one that was not sent yet stays in stock. One that is blocked stays as it was blocked first,
    /// unless fewer may open it again now: a block by its person gives way to any other, and any to an officer's.
    ///
    /// # Errors
    /// `code_device.state` for one that nobody has.
    pub fn block(self, by: Actor, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match &self {
            Self::InStock => refused(),
            Self::Ordered { .. } => Ok(Self::InStock),
            Self::Blocked { by: first, .. } if firmness(first) >= firmness(&by) => Ok(self),
            _ => Ok(Self::Blocked { at, by, asked: self.asked() }),
        }
    }

    /// Opens a blocked one: inactive, to be activated anew. Its person opens what they have blocked
    /// themselves, an officer whatever is blocked. Said again, it stays as it is.
    ///
    /// # Errors
    /// `code_device.state`.
    pub fn reopen(self, by: &Actor, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        match (&self, by) {
            (Self::Blocked { .. }, Actor::Officer { .. })
            | (Self::Blocked { by: Actor::Holder, .. }, Actor::Holder) => {
                Ok(Self::inactive(at, Delivery::Kept, self.asked()))
            }
            (Self::Inactive { .. }, _) => Ok(self),
            _ => refused(),
        }
    }

    /// Whether its codes count.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// Whether it is on the way to its person or waits to be activated.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Ordered { .. } | Self::Inactive { .. })
    }

    /// The state's name, such as `active`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::InStock => "in_stock",
            Self::Ordered { .. } => "ordered",
            Self::Inactive { .. } => "inactive",
            Self::Active { .. } => "active",
            Self::Lost { .. } => "lost",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Since when it stands so; nothing for one in stock.
    #[must_use]
    pub fn since(&self) -> Option<OffsetDateTime> {
        match self {
            Self::InStock => None,
            Self::Ordered { at }
            | Self::Inactive { at, .. }
            | Self::Active { at, .. }
            | Self::Lost { at, .. }
            | Self::Blocked { at, .. } => Some(*at),
        }
    }
}

/// Tries of a password with a code: a wrong one in which one of the two was right counts, and after too
/// many in a row nothing is taken for a while (G6). One in which both are wrong comes from somebody who
/// has neither, and must not shut the person out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// Wrong ones in a row.
    pub wrong: u16,
    /// How often in a row there were too many.
    pub rests: u16,
    /// Until when nothing is taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
}

impl Tries {
    /// Whether one counts at `now`.
    #[must_use]
    pub fn may_try(&self, now: OffsetDateTime) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// One more wrong one; none is counted while nothing is taken. Whether there were too many with it.
    #[must_use]
    pub fn failed(self, policy: &CodeDevices, now: OffsetDateTime) -> (Self, bool) {
        if !self.may_try(now) {
            return (self, false);
        }
        let wrong = self.wrong.saturating_add(1);
        if wrong < policy.wrong {
            return (Self { wrong, until: None, ..self }, false);
        }
        let doubled = policy.rest_s.saturating_mul(1 << self.rests.min(20));
        let rest = doubled.min(policy.longest_rest_s);
        let until = Some(now + Duration::seconds(i64::from(rest)));
        (Self { wrong: 0, rests: self.rests.saturating_add(1), until }, true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-07-01 12:00 UTC);
    const CODE: Hash = Hash([1; 32]);

    fn policy() -> Activation {
        Activation::default()
    }

    /// The same hash by both channels.
    fn typed(hash: Hash) -> [(Channel, Hash); 2] {
        [(Channel::Sms, hash), (Channel::Email, hash)]
    }

    fn issued(channel: Channel) -> Issued {
        Issued { channel, hash: CODE, expires: NOW + channel.life(&policy()) }
    }

    fn posted() -> CodeDevice {
        CodeDevice::InStock.order(NOW).unwrap().post(NOW).unwrap()
    }

    fn coded() -> CodeDevice {
        posted().send_code(issued(Channel::Sms), &policy(), NOW).unwrap()
    }

    fn active() -> CodeDevice {
        coded().activate((typed(CODE), Some(2)), &policy(), NOW).0
    }

    // proves E10
    #[test]
    fn a_device_is_active_only_by_an_independent_code_and_one_of_its_own() {
        let officer = "bc-17".to_owned();
        let handed = CodeDevice::InStock.hand_out(officer.clone(), NOW).unwrap();
        for device in
            [CodeDevice::InStock, posted(), handed, active().lose(Actor::Holder, NOW).unwrap()]
        {
            let (device, granted) = device.activate((typed(CODE), Some(0)), &policy(), NOW);
            assert!(granted.is_err() && !device.is_active(), "no code is under way");
            assert_eq!(device.drift(), None, "its codes do not count");
        }
        let wrong = Err(ReasonCode::CODE_DEVICE_ACTIVATION);
        for (code, drift) in [(CODE, None), (Hash([2; 32]), Some(0)), (Hash([2; 32]), None)] {
            assert_eq!(coded().activate((typed(code), drift), &policy(), NOW).1, wrong);
        }
        let other = [(Channel::Sms, Hash([2; 32])), (Channel::Email, CODE)];
        assert_eq!(coded().activate((other, Some(0)), &policy(), NOW).1, wrong, "another channel");
        let (device, granted) = coded().activate((typed(CODE), Some(-3)), &policy(), NOW);
        assert_eq!((device.drift(), granted), (Some(-3), Ok(())));
        let late = NOW + Duration::minutes(31);
        assert_eq!(coded().activate((typed(CODE), Some(0)), &policy(), late).1, wrong, "too late");
        assert!(posted().hand_out(officer, NOW).is_err(), "somebody has it");
    }

    // proves E10, E4 (the code comes another way than the device, and dies of three wrong tries)
    #[test]
    fn the_code_comes_another_way_and_dies_of_three_wrong_tries() {
        let letter = posted().send_code(issued(Channel::Letter), &policy(), NOW);
        assert_eq!(letter, Err(ReasonCode::ACTIVATION_CHANNELS));
        let mut device = coded();
        for _ in 0..3 {
            assert!(device.awaits_code(NOW));
            device = device.activate((typed(Hash([2; 32])), Some(0)), &policy(), NOW).0;
        }
        assert!(!device.awaits_code(NOW));
        let (mut device, granted) = device.activate((typed(CODE), Some(0)), &policy(), NOW);
        assert!(granted.is_err());
        let again =
            |device: CodeDevice, now| device.send_code(issued(Channel::Sms), &policy(), now);
        let mut now = NOW;
        for _ in 1..policy().starts {
            assert_eq!(device.asked_out_until(&policy()), None);
            device = again(device, now).unwrap();
            // Whoever asks meanwhile takes nothing from the one that is under way.
            assert_eq!(again(device.clone(), now), Err(ReasonCode::ACTIVATION_TOO_OFTEN));
            for _ in 0..3 {
                device = device.activate((typed(Hash([2; 32])), None), &policy(), now).0;
            }
            now += Duration::SECOND;
        }
        assert_eq!(again(device.clone(), now), Err(ReasonCode::ACTIVATION_TOO_OFTEN), "so many");
        let until = NOW + Duration::seconds(i64::from(policy().starts_period_s));
        assert_eq!(device.asked_out_until(&policy()), Some(until));
        let tomorrow = NOW + Duration::seconds(i64::from(policy().starts_period_s));
        assert!(device.send_code(issued(Channel::Email), &policy(), tomorrow).is_ok());
    }

    // proves E4, E10 (whoever knows the serial number takes no code from its person)
    #[test]
    fn a_code_stays_good_beside_one_by_the_other_channel() {
        let mail = Hash([3; 32]);
        let code = Issued { hash: mail, ..issued(Channel::Email) };
        let both = coded().send_code(code, &policy(), NOW).unwrap();
        for hash in [CODE, mail] {
            let (device, granted) = both.clone().activate((typed(hash), Some(0)), &policy(), NOW);
            assert!(granted.is_ok() && device.is_active());
        }
        let late = NOW + Duration::minutes(31);
        let by_sms = both.clone().activate((typed(CODE), Some(0)), &policy(), late);
        assert!(by_sms.1.is_err(), "too late by one");
        assert!(by_sms.0.activate((typed(mail), Some(0)), &policy(), late).1.is_ok());
        // Wrong tries are of both.
        let mut device = both;
        for _ in 0..3 {
            device = device.activate((typed(Hash([2; 32])), Some(0)), &policy(), NOW).0;
        }
        assert!(!device.awaits_code(NOW));
    }

    // proves E4, E10 (so many a day, whatever is said of the device meanwhile)
    #[test]
    fn codes_that_were_asked_for_are_counted_also_after_a_loss_or_a_block() {
        let policy = Activation { starts: 4, ..policy() };
        let ask = |device: CodeDevice, channel| device.send_code(issued(channel), &policy, NOW);
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        let back: [&dyn Fn(CodeDevice) -> CodeDevice; 4] = [
            &|device| device.lose(Actor::Holder, NOW).unwrap().find(NOW).unwrap(),
            &|device| {
                device.block(Actor::Holder, NOW).unwrap().reopen(&Actor::Holder, NOW).unwrap()
            },
            &|device| {
                let lost = device.lose(Actor::Holder, NOW).unwrap();
                lost.block(officer.clone(), NOW).unwrap().reopen(&officer, NOW).unwrap()
            },
            &CodeDevice::forget_codes,
        ];
        for back in back {
            let mut device = posted();
            for _ in 0..2 {
                device = ask(ask(device, Channel::Sms).unwrap(), Channel::Email).unwrap();
                device = back(device);
                assert!(!device.awaits_code(NOW), "those before are worth nothing");
            }
            assert_eq!(ask(device, Channel::Sms), Err(ReasonCode::ACTIVATION_TOO_OFTEN));
        }
    }

    // proves G6 (RFC 6238 §6)
    #[test]
    fn a_clock_is_followed_and_who_types_slowly_takes_it_nowhere() {
        let drift = |from: i64, offset: i64| {
            let device = coded().activate((typed(CODE), Some(from)), &policy(), NOW).0;
            device.drifted(offset, 1).drift()
        };
        // Ahead, step by step, and behind; and a right clock that somebody was slow at.
        for (from, offset) in [(0, 1), (1, 2), (0, -1), (-1, -2), (-6, 0), (-6, 1), (1, -1)] {
            assert_eq!(drift(from, offset), Some(offset), "{from}");
        }
        // A code of the clock ahead, some steps late.
        for (from, offset) in [(2, 1), (2, 0), (2, -1), (1, 0), (7, 0)] {
            assert_eq!(drift(from, offset), Some(from), "{offset}");
        }
        assert_eq!(posted().drifted(1, 1), posted());
    }

    // proves F2, E10 (what is found or opened again is activated anew)
    #[test]
    fn what_is_found_or_opened_again_is_inactive() {
        let lost = active().lose(Actor::Holder, NOW).unwrap();
        assert_eq!(lost.clone().lose(Actor::Notice, NOW), Ok(lost.clone()), "said twice");
        let found = lost.find(NOW).unwrap();
        assert_eq!((found.name(), found.clone().find(NOW)), ("inactive", Ok(found)), "said twice");
        assert!(
            active().find(NOW).is_err() && CodeDevice::InStock.lose(Actor::Holder, NOW).is_err()
        );
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        let own = active().block(Actor::Holder, NOW).unwrap();
        assert_eq!(own.clone().block(Actor::Holder, NOW), Ok(own.clone()), "the first is kept");
        for by in [Actor::Notice, officer.clone()] {
            let firmer = own.clone().block(by, NOW).unwrap();
            assert_eq!(firmer.clone().block(Actor::Holder, NOW), Ok(firmer.clone()));
            assert!(firmer.clone().reopen(&Actor::Holder, NOW).is_err(), "{firmer:?}");
            assert!(firmer.clone().reopen(&Actor::Notice, NOW).is_err(), "{firmer:?}");
            assert_eq!(firmer.reopen(&officer, NOW).unwrap().name(), "inactive");
        }
        assert!(own.clone().reopen(&Actor::Notice, NOW).is_err());
        assert_eq!(own.reopen(&Actor::Holder, NOW).unwrap().name(), "inactive");
        let by_officer = active().block(officer.clone(), NOW).unwrap();
        assert!(by_officer.clone().reopen(&Actor::Holder, NOW).is_err());
        assert_eq!(by_officer.reopen(&officer, NOW).unwrap().name(), "inactive");
    }

    #[test]
    fn what_is_lost_or_blocked_before_it_was_sent_is_in_stock_again() {
        let ordered = || CodeDevice::InStock.order(NOW).unwrap();
        assert_eq!(ordered().lose(Actor::Holder, NOW), Ok(CodeDevice::InStock));
        for by in [Actor::Holder, Actor::Notice, Actor::Officer { officer: "bc-17".to_owned() }] {
            assert_eq!(ordered().block(by, NOW), Ok(CodeDevice::InStock));
        }
        assert_eq!(posted().lose(Actor::Holder, NOW).unwrap().name(), "lost", "on the way");
    }

    // proves G6 (the third wrong one blocks for a time)
    #[test]
    fn the_third_wrong_try_rests_and_each_time_longer() {
        let policy = CodeDevices::default();
        let (mut tries, mut now) = (Tries::default(), NOW);
        for minutes in [15, 30, 60] {
            for _ in 1..policy.wrong {
                let (next, over) = tries.failed(&policy, now);
                assert!(!over && next.may_try(now));
                tries = next;
            }
            let (next, over) = tries.failed(&policy, now);
            assert!(over && !next.may_try(now));
            assert_eq!(next.failed(&policy, now), (next, false), "nothing counts meanwhile");
            now += Duration::minutes(minutes);
            assert!(!next.may_try(now - Duration::SECOND) && next.may_try(now));
            tries = next;
        }
        let long = Tries { wrong: 2, rests: 60_000, until: None }.failed(&policy, NOW).0;
        assert_eq!(long.until, Some(NOW + Duration::days(1)));
    }

    #[test]
    fn each_state_survives_storage_and_serials_are_readable() {
        let lost = active().lose(Actor::Notice, NOW).unwrap();
        for state in [CodeDevice::InStock, posted(), coded(), active(), lost] {
            let stored = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<CodeDevice>(&stored).unwrap(), state, "{stored}");
        }
        // As they were kept before.
        let CodeDevice::Inactive { codes, .. } = coded() else { panic!("not inactive") };
        for (code, kept) in [(serde_json::to_value(&codes[0]).unwrap(), 1), (json!(null), 0)] {
            let mut old = serde_json::to_value(coded()).unwrap();
            old.as_object_mut().unwrap().remove("codes");
            old["code"] = code;
            let read = serde_json::from_value::<CodeDevice>(old).unwrap();
            let CodeDevice::Inactive { codes: found, .. } = read else { panic!("not inactive") };
            assert_eq!(found, codes[..kept]);
        }
        let mut lost = serde_json::to_value(active().lose(Actor::Notice, NOW).unwrap()).unwrap();
        lost.as_object_mut().unwrap().remove("asked");
        assert_eq!(serde_json::from_value::<CodeDevice>(lost).unwrap().name(), "lost");
        for good in ["KV-0001", "1234", "A234567890-234567890-234567890-2"] {
            assert!(is_serial(good), "{good}");
        }
        for bad in ["", "KV1", "kv-0001", "KV 0001", "KVÆ0001", "A234567890-234567890-234567890-23"]
        {
            assert!(!is_serial(bad), "{bad}");
        }
        assert_eq!(Kind::named("reader"), Some(Kind::Reader));
        assert_eq!(Kind::named("app"), None);
    }
}
