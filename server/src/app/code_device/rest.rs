//! Telling a person that their codes rest after wrong tries (G6). Not while somebody waits for the answer to a
//! try: the time that it takes would tell them that something of it was right (G4).

use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use crate::ids::IdentityId;
use crate::notices::Notice;
use serde_json::json;
use time::OffsetDateTime;

/// Most who are told in one round.
const ROUND: i64 = 100;

impl App {
    /// Tells whoever was not told yet; how many.
    ///
    /// # Errors
    /// [`AppError`]; who was told before it is told.
    pub async fn tell_rests(&self) -> Result<usize, AppError> {
        let mut tx = self.parts.store.read().await?;
        let untold = tx.untold_rests(ROUND).await?;
        drop(tx);
        for (identity, until) in &untold {
            self.tell_rest(*identity, *until).await?;
        }
        Ok(untold.len())
    }

    async fn tell_rest(&self, identity: IdentityId, until: OffsetDateTime) -> Result<(), AppError> {
        let (mut tx, profile) = self.hold(identity).await?;
        if !tx.told_rest(identity).await? {
            return Ok(());
        }
        let device = tx.hold_active_code_device(identity).await?;
        let blocks = device.map_or(Blocks::Identity, |row| Blocks::CodeDevice(row.id));
        let about = About { until: Some(until), ..About::now(blocks) };
        self.notify(&mut tx, &profile, Notice::CodesRest, about).await?;
        tx.audit(self.of_identity("codes.rest", identity, json!({}))).await?;
        Ok(tx.commit().await?)
    }
}
