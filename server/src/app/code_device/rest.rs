//! Telling a person that their codes rest after wrong tries (G6). Not while somebody waits for the answer to a
//! try: the time that it takes would tell them that something of it was right (G4).

use super::super::activity::{Activity, What};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use crate::ids::IdentityId;
use crate::notices::Notice;
use serde_json::json;
use time::OffsetDateTime;

/// Most who are told in one round.
const ROUND: i64 = 100;

impl App {
    /// Tells whoever was not told yet; how many. Whoever cannot be told stays so for the next round, and keeps
    /// nobody else from it.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn tell_rests(&self) -> Result<usize, AppError> {
        let mut tx = self.parts.store.read().await?;
        let untold = tx.untold_rests(ROUND).await?;
        drop(tx);
        let mut told = 0;
        for (identity, until) in untold {
            match self.tell_rest(identity, until).await {
                Ok(is_told) => told += usize::from(is_told),
                Err(error) => {
                    let error = crate::http::problem::chain(&error);
                    tracing::error!(%identity, %error, "a person could not be told that codes rest");
                }
            }
        }
        Ok(told)
    }

    /// `false` if somebody else did, or there is a later rest to tell of.
    async fn tell_rest(
        &self,
        identity: IdentityId,
        until: OffsetDateTime,
    ) -> Result<bool, AppError> {
        let (mut tx, profile) = self.hold(identity).await?;
        if !tx.told_rest(identity, until).await? {
            return Ok(false);
        }
        let device = tx.hold_active_code_device(identity).await?;
        let blocks = device.map_or(Blocks::Identity, |row| Blocks::CodeDevice(row.id));
        let about = About { until: Some(until), ..About::now(blocks) };
        self.notify(&mut tx, &profile, Notice::CodesRest, about).await?;
        self.note(&mut tx, identity, Activity::of(What::CodesRest)).await?;
        tx.audit(self.of_identity("codes.rest", identity, json!({}))).await?;
        tx.commit().await?;
        Ok(true)
    }
}
