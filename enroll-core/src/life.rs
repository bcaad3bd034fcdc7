//! The life of an issued identity: open, blocked (F1, F2), revoked (F4) or erased by its person (F5), with an epoch that every session and
//! token is checked against: one from an earlier epoch is worth nothing.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::reason::ReasonCode;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Actor {
    /// The person, with the enrolment's token or an app.
    Holder,
    /// Whoever holds the code of a notice.
    Notice,
    /// An officer of a Borgercenter.
    Officer {
        /// The officer's own identifier, for the record.
        officer: String,
    },
    /// A register.
    Register {
        /// What it told.
        event: Happened,
    },
}

/// What a register tells of a person or their document (F4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The person has died.
    Deceased,
    /// The person has left the country for good.
    Emigrated,
    /// The document that proved the person has expired.
    DocumentExpired,
    /// It was reported lost or stolen, or withdrawn.
    DocumentRevoked,
}

/// Whether an identity can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// It can.
    Open,
    /// It cannot, nor can anything of it.
    Blocked {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// By whom.
        #[serde(flatten)]
        by: Actor,
    },
    /// It cannot, for ever.
    Revoked {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// Why.
        event: Happened,
    },
    /// The person had it erased: nothing of it can be used, and nobody opens it again.
    Erased {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// The life of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Whether it can be used.
    #[serde(flatten)]
    pub standing: Standing,
    /// Grows whenever something of it is blocked.
    pub epoch: u64,
    /// When it was opened again last: an enrolment decided before gives no right to set it up.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub reopened: Option<OffsetDateTime>,
}

impl Default for Life {
    fn default() -> Self {
        Self { standing: Standing::Open, epoch: 0, reopened: None }
    }
}

impl Life {
    /// That it is open.
    ///
    /// # Errors
    /// `identity.blocked`, `identity.revoked`, `identity.erased`.
    pub fn open(&self) -> Result<(), ReasonCode> {
        match self.standing {
            Standing::Open => Ok(()),
            Standing::Blocked { .. } => Err(ReasonCode::IDENTITY_BLOCKED),
            Standing::Revoked { .. } => Err(ReasonCode::IDENTITY_REVOKED),
            Standing::Erased { .. } => Err(ReasonCode::IDENTITY_ERASED),
        }
    }

    /// That an enrolment decided at `issued` gives a right to set it up: it is open, and was not
    /// blocked and opened again since.
    ///
    /// # Errors
    /// `identity.blocked`, `activation.window`.
    pub fn may_be_set_up(&self, issued: OffsetDateTime) -> Result<(), ReasonCode> {
        self.open()?;
        match self.reopened {
            Some(reopened) if issued <= reopened => Err(ReasonCode::ACTIVATION_WINDOW),
            _ => Ok(()),
        }
    }

    /// Blocks it. One that is blocked stays as it was blocked first.
    #[must_use]
    pub fn block(self, by: Actor, at: OffsetDateTime) -> Self {
        match self.standing {
            Standing::Open => Self { standing: Standing::Blocked { at, by }, ..self.next() },
            Standing::Blocked { .. } | Standing::Revoked { .. } | Standing::Erased { .. } => self,
        }
    }

    /// Erases it, at the wish of its person: for ever.
    ///
    /// # Errors
    /// `identity.blocked`, `identity.revoked`, `identity.erased` unless it is open.
    pub fn erase(self, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        self.open()?;
        Ok(Self { standing: Standing::Erased { at }, ..self.next() })
    }

    /// What a register tells: a death revokes it for ever, whatever it was; anything else blocks it
    /// until an officer has looked.
    #[must_use]
    pub fn happened(self, event: Happened, at: OffsetDateTime) -> Self {
        match (event, &self.standing) {
            (_, Standing::Revoked { .. } | Standing::Erased { .. }) => self,
            (Happened::Deceased, _) => {
                Self { standing: Standing::Revoked { at, event }, ..self.next() }
            }
            (_, _) => self.block(Actor::Register { event }, at),
        }
    }

    /// The next epoch: what was opened before is worth nothing.
    #[must_use]
    pub fn next(self) -> Self {
        Self { epoch: self.epoch.saturating_add(1), ..self }
    }

    /// Opens it again at `at`, which only an officer may (F2). The epoch stays: no old session comes
    /// back, and no enrolment of before sets it up. One that is open stays as it is.
    ///
    /// # Errors
    /// `identity.blocked` for anybody else, `identity.revoked` and `identity.erased` for one that does not come
    /// back.
    pub fn reopen(self, by: &Actor, at: OffsetDateTime) -> Result<Self, ReasonCode> {
        if self.is_of_the_dead() {
            return Err(ReasonCode::IDENTITY_REVOKED);
        }
        match (by, &self.standing) {
            (_, Standing::Erased { .. }) => Err(ReasonCode::IDENTITY_ERASED),
            (Actor::Officer { .. }, Standing::Open) => Ok(self),
            (Actor::Officer { .. }, _) => {
                Ok(Self { standing: Standing::Open, reopened: Some(at), ..self })
            }
            (Actor::Holder | Actor::Notice | Actor::Register { .. }, _) => {
                Err(ReasonCode::IDENTITY_BLOCKED)
            }
        }
    }

    /// Whether it is revoked, or a death has blocked it.
    fn is_of_the_dead(&self) -> bool {
        let deceased = Actor::Register { event: Happened::Deceased };
        match &self.standing {
            Standing::Open | Standing::Erased { .. } => false,
            Standing::Blocked { by, .. } => *by == deceased,
            Standing::Revoked { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

    // proves F1, F2 (a whole identity is opened again by an officer only)
    #[test]
    fn only_an_officer_opens_a_blocked_identity() {
        let blocked = Life::default().block(Actor::Holder, NOW);
        assert_eq!((blocked.open(), blocked.epoch), (Err(ReasonCode::IDENTITY_BLOCKED), 1));
        for actor in [Actor::Holder, Actor::Notice] {
            assert_eq!(blocked.clone().reopen(&actor, NOW), Err(ReasonCode::IDENTITY_BLOCKED));
        }
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        let open = blocked.clone().reopen(&officer, NOW).unwrap();
        assert_eq!((open.open(), open.epoch), (Ok(()), 1), "old sessions stay dead");
        assert_eq!(open.may_be_set_up(NOW), Err(ReasonCode::ACTIVATION_WINDOW));
        assert_eq!(open.may_be_set_up(NOW + time::Duration::SECOND), Ok(()));
        assert_eq!(Life::default().may_be_set_up(NOW), Ok(()));
        let later = NOW + time::Duration::DAY;
        assert_eq!(open.clone().reopen(&officer, later), Ok(open.clone()), "it is open already");
        let dead = Actor::Register { event: Happened::Deceased };
        let dead = Life::default().block(dead, NOW).reopen(&officer, later);
        assert_eq!(dead, Err(ReasonCode::IDENTITY_REVOKED));
        assert_eq!(blocked.clone().block(officer, NOW), blocked, "the first block is kept");
    }

    // proves F4
    #[test]
    fn a_death_revokes_for_ever_and_the_rest_waits_for_an_officer() {
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        for event in [Happened::Emigrated, Happened::DocumentExpired, Happened::DocumentRevoked] {
            let life = Life::default().happened(event, NOW);
            assert_eq!((life.open(), life.epoch), (Err(ReasonCode::IDENTITY_BLOCKED), 1));
            assert_eq!(life.clone().happened(event, NOW), life, "repeated");
            assert!(life.clone().reopen(&Actor::Register { event }, NOW).is_err());
            assert_eq!(life.clone().reopen(&officer, NOW).unwrap().open(), Ok(()));
            let dead = life.happened(Happened::Deceased, NOW);
            assert_eq!((dead.open(), dead.epoch), (Err(ReasonCode::IDENTITY_REVOKED), 2));
            assert_eq!(dead.clone().reopen(&officer, NOW), Err(ReasonCode::IDENTITY_REVOKED));
            assert_eq!(dead.clone().block(Actor::Holder, NOW), dead);
            assert_eq!(dead.clone().happened(event, NOW), dead);
            let stored = serde_json::to_string(&dead).unwrap();
            assert_eq!(serde_json::from_str::<Life>(&stored).unwrap(), dead, "{stored}");
        }
    }

    // proves F5
    #[test]
    fn what_its_person_erases_never_comes_back() {
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        let erased = Life::default().erase(NOW).unwrap();
        assert_eq!((erased.open(), erased.epoch), (Err(ReasonCode::IDENTITY_ERASED), 1));
        assert_eq!(erased.clone().reopen(&officer, NOW), Err(ReasonCode::IDENTITY_ERASED));
        assert_eq!(erased.clone().erase(NOW), Err(ReasonCode::IDENTITY_ERASED));
        assert_eq!(erased.clone().block(officer, NOW), erased);
        assert_eq!(erased.clone().happened(Happened::Deceased, NOW), erased);
        let blocked = Life::default().block(Actor::Holder, NOW);
        assert_eq!(blocked.erase(NOW), Err(ReasonCode::IDENTITY_BLOCKED));
        let stored = serde_json::to_string(&erased).unwrap();
        assert_eq!(serde_json::from_str::<Life>(&stored).unwrap(), erased, "{stored}");
    }

    #[test]
    fn each_standing_survives_storage() {
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        let blocked = Life::default().block(officer.clone(), NOW);
        let before = r#"{"standing":"open","epoch":3}"#;
        assert_eq!(serde_json::from_str::<Life>(before).unwrap().reopened, None);
        let open = blocked.clone().reopen(&officer, NOW).unwrap();
        for life in [Life::default(), blocked, open] {
            let stored = serde_json::to_string(&life).unwrap();
            assert_eq!(serde_json::from_str::<Life>(&stored).unwrap(), life, "{stored}");
        }
    }
}
