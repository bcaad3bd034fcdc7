//! Relying parties are registered by an operator.

use super::super::AppError;
use crate::oidc::RelyingParty;
use crate::storage::Store;
use enroll_core::audit::Event;
use serde_json::json;
use time::OffsetDateTime;

/// Adds a relying party. `false` if there is one with its identifier.
///
/// # Errors
/// [`AppError`].
pub async fn add_relying_party(
    store: &Store,
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let mut tx = store.begin().await?;
    if !tx.add_relying_party(party, now).await? {
        return Ok(false);
    }
    tx.audit(of("relying_party.added", &party.client_id, now)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Adds a relying party, in the place of one with its identifier: what was begun at that goes on.
///
/// # Errors
/// [`AppError`].
pub async fn put_relying_party(
    store: &Store,
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let mut tx = store.begin().await?;
    tx.put_relying_party(party, now).await?;
    tx.audit(of("relying_party.put", &party.client_id, now)).await?;
    Ok(tx.commit().await?)
}

/// Lets a relying party do nothing more: no log-in, and no token of its sessions is good. `false` if there
/// is none, or it was disabled before.
///
/// # Errors
/// [`AppError`].
pub async fn disable_relying_party(
    store: &Store,
    client_id: &str,
    now: OffsetDateTime,
) -> Result<bool, AppError> {
    let mut tx = store.begin().await?;
    if !tx.disable_relying_party(client_id, now).await? {
        return Ok(false);
    }
    tx.audit(of("relying_party.disabled", client_id, now)).await?;
    tx.commit().await?;
    Ok(true)
}

fn of(kind: &str, client_id: &str, time: OffsetDateTime) -> Event {
    Event { time, kind: kind.to_owned(), case: None, data: json!({ "client_id": client_id }) }
}
