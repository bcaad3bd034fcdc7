//! The person has their identity erased (GDPR article 17). What is kept is what the law asks for, for as long as
//! the page said before: what its issuing rested on, and the trail.

use super::super::subject::Subject;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::Holder;
use crate::ids::IdentityId;
use crate::notices::Notice;
use crate::oidc::Why;
use crate::storage::{AuthenticatorRow, Details, Tx};
use enroll_core::life::Actor;
use serde::Serialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// That an identity is erased.
#[derive(Debug, Serialize)]
pub struct Erased {
    /// Until when what the law asks for is kept.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

impl App {
    /// Until when what the law asks for would be kept of an identity that is erased now.
    #[must_use]
    pub fn evidence_until(&self) -> OffsetDateTime {
        // Years of 365 days and a quarter.
        let days = i64::from(self.policy.my_page.evidence_years) * 1461 / 4;
        self.now() + Duration::days(days)
    }

    /// Erases the person's identity: every session ends, no means is worth anything, and user ID, contacts,
    /// PINs, notices, activities, the personal number and under which identifiers organisations know the person
    /// are gone before it returns. They are told where they were reached.
    ///
    /// # Errors
    /// `my_page.approval`.
    pub async fn erase_mine(&self, holder: &Holder) -> Result<Erased, AppError> {
        self.need_fresh(holder)?;
        let (mut tx, mut profile) = self.hold_mine(holder).await?;
        let (identity, now) = (profile.identity, self.now());
        profile.life = profile.life.erase(now).map_err(AppError::Reason)?;
        // Profile, means, log-ins, P-codes, identity, trail: in this order everywhere, so that nobody waits in a
        // circle.
        for app in tx.authenticators(identity).await? {
            let state = app.state.clone().block(Actor::Holder, now);
            tx.save_authenticator(&AuthenticatorRow { state, ..app }).await?;
        }
        let all = (OffsetDateTime::UNIX_EPOCH, &Actor::Holder);
        self.block_devices_since(&mut tx, identity, all).await?;
        tx.hold_log_ins(identity, now).await?;
        erase_numbers_of_p_codes(&mut tx, identity).await?;
        tx.hold_identity(identity).await?;
        self.end_log_ins(&mut tx, identity, Why::Blocked).await?;
        self.notify(&mut tx, &profile, Notice::Erased, About::now(Blocks::Nothing)).await?;
        profile.details = Details::default();
        tx.save_profile(&profile).await?;
        let until = self.evidence_until();
        tx.erase_identity(identity, (now, until)).await?;
        let data =
            json!({ "epoch": profile.life.epoch, "evidence_until": until.date().to_string() });
        tx.audit(self.of_identity("identity.erased", identity, data)).await?;
        tx.commit().await?;
        self.parts.store.empty_log().await?;
        Ok(Erased { until })
    }
}

/// Erases the personal numbers that P-codes were issued for. The codes stay used; what an officer wrote down of who
/// has no number stays, too: by it they are known again.
async fn erase_numbers_of_p_codes(tx: &mut Tx, identity: IdentityId) -> Result<(), AppError> {
    for (code, ..) in tx.p_codes_of(identity).await? {
        if let Some(Subject::Cpr(_)) = Subject::of(&code.subject)? {
            tx.put_p_code_subject(code.id, &Subject::erased()?).await?;
        }
    }
    Ok(())
}
