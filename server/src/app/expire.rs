//! Cases whose time ran out: they end, and their personal data with them (D8), also after a crash. Visits
//! to a Borgercenter that were left end, and what was read at them goes.

use super::chip::OF_THE_CHIP;
use super::code_device::know_password_costs;
use super::{App, AppError};
use crate::ids::EnrolmentId;
use crate::storage::StorageError;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most cases ended in one round.
const ROUND: i64 = 100;
/// Time between rounds.
const PAUSE: Duration = Duration::from_secs(30);

/// Ends overdue cases, tells people that their codes rest, and sends the codes that activate code devices, for as
/// long as it runs.
#[derive(Debug)]
pub struct Sweeper([tokio::task::JoinHandle<()>; 2]);

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Sweeper {
    /// Starts it.
    #[must_use]
    pub fn start(app: Arc<App>) -> Self {
        let asked = app.clone();
        let sends = tokio::spawn(async move { asked.send_codes_as_asked().await });
        let sweeps = tokio::spawn(async move {
            let mut unreadable = BTreeSet::new();
            loop {
                match know_password_costs(&app.parts.store).await {
                    Ok(found) => {
                        found.into_iter().filter(|identity| unreadable.insert(*identity)).for_each(
                            |identity| tracing::error!(%identity, "a password cannot be read"),
                        )
                    }
                    Err(error) => {
                        let error = crate::http::problem::chain(&error);
                        tracing::error!(%error, "at what cost passwords were hashed could not be filled in");
                    }
                }
                if let Err(error) = app.expire_overdue().await {
                    let error = crate::http::problem::chain(&error);
                    tracing::error!(%error, "overdue cases could not be ended");
                }
                if let Err(error) = app.tell_rests().await {
                    let error = crate::http::problem::chain(&error);
                    tracing::error!(%error, "people could not be told that their codes rest");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self([sweeps, sends])
    }
}

impl App {
    /// Ends the cases whose time has run out, and tells how many.
    ///
    /// # Errors
    /// [`AppError`]; cases ended before it stay ended.
    pub async fn expire_overdue(&self) -> Result<usize, AppError> {
        let mut tx = self.parts.store.read().await?;
        let overdue = tx.overdue(self.now(), ROUND).await?;
        drop(tx);
        for id in &overdue {
            self.expire(*id).await?;
        }
        let mut tx = self.parts.store.read().await?;
        let left = tx.left_visits(self.now(), ROUND).await?;
        drop(tx);
        for id in left {
            self.leave(id).await?;
        }
        let mut tx = self.parts.store.begin().await?;
        tx.forget_passes(self.now()).await?;
        tx.forget_my_sessions(self.now()).await?;
        let kept = time::Duration::days(i64::from(self.policy.my_page.activity_days));
        tx.forget_activities(self.now() - kept).await?;
        // Those of late log-ins can still be told what happened, and used codes are known, for a while.
        tx.forget_log_ins(self.now() - time::Duration::minutes(10)).await?;
        // Before the trail is held: whoever erases an identity holds that and then such rows.
        tx.commit().await?;
        let mut tx = self.parts.store.begin().await?;
        for identity in tx.erase_numbers(self.now()).await? {
            tx.audit(self.of_identity("number.erased", identity, json!({}))).await?;
        }
        for identity in tx.erase_evidence(self.now()).await? {
            tx.audit(self.of_identity("evidence.erased", identity, json!({}))).await?;
        }
        tx.commit().await?;
        // Each round, not only after an expiry: a crash may have come between an erasure and this.
        self.parts.store.empty_log().await?;
        Ok(overdue.len())
    }

    /// Ends a visit whose session ran out: the case waits again, without what was read of the chip.
    pub(super) async fn leave(&self, id: EnrolmentId) -> Result<(), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let now = self.now();
        // Another visit may have begun meanwhile.
        if !tx.end_left_session(id, now).await? {
            return Ok(());
        }
        let mut enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        if enrolment.record.leave(now).is_ok() {
            enrolment.record.findings.forget(&OF_THE_CHIP);
            self.forget_chip(&mut tx, id).await?;
            tx.drop_tickets(id).await?;
            match tx.save(&enrolment).await {
                // A step that began in time is done first.
                Err(StorageError::Conflict) => return Ok(()),
                saved => saved?,
            }
            tx.audit(self.event("case.visit_ended", id, json!({}))).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn expire(&self, id: EnrolmentId) -> Result<(), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let mut enrolment = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        let now = self.now();
        // A case that has ended meanwhile, or whose last second still runs, is left alone.
        if enrolment.record.advance(|case| case.expire(now)).is_err() {
            return Ok(());
        }
        tx.save(&enrolment).await?;
        tx.erase(id).await?;
        tx.end_desk_session(id).await?;
        tx.audit(self.event("case.expired", id, json!({}))).await?;
        tx.commit().await?;
        tracing::info!(enrolment = %id, "expired");
        Ok(())
    }
}
