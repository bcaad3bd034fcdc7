//! Whether a personal number is that of whom has logged in (G7), for relying parties that know it and may
//! not be told it: three tries in a session, in its first quarter of an hour.

use super::super::App;
use super::super::activity::{Activity, What};
use super::session::Presented;
use crate::oidc::{LogIn, OauthError, Params, Scope};
use crate::storage::LogInRow;
use serde::Serialize;
use serde_json::json;
use time::Duration;

/// Whether a number is the person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NumberMatch {
    /// Whether it is.
    pub matches: bool,
    /// Tries that are left in this session.
    pub tries_left: u16,
}

impl App {
    /// Compares `cpr` with the number of whom the session is of.
    ///
    /// # Errors
    /// [`OauthError::InvalidToken`], [`OauthError::UnprovenToken`], [`OauthError::InsufficientScope`];
    /// [`OauthError::AccessDenied`] once the tries are used up or the time is over.
    pub async fn match_number(
        &self,
        given: &Presented<'_>,
        params: &Params,
    ) -> Result<NumberMatch, OauthError> {
        let cpr = super::super::start::digits(params.need("cpr", "cpr is required")?);
        let cpr =
            cpr.ok_or(OauthError::InvalidRequest("cpr is no personal number of ten digits"))?;
        // The time is that of the session (G7): the token lives no longer for anything else.
        let mut tx = self.parts.store.read().await?;
        let session = self.session_of(&mut tx, given.token).await?;
        tx.commit().await?;
        self.proves(given, &session).await?;
        let mut tx = self.parts.store.begin().await?;
        // What was looked at before is looked at again, now that nothing changes it.
        let session = self.session_of(&mut tx, given.token).await?;
        if !session.row.request.scopes.contains(&Scope::MitId) {
            return Err(OauthError::InsufficientScope);
        }
        let identity = session.approval.identity;
        tx.hold_profile(identity).await?;
        let row = tx.hold_log_in(session.row.id).await?.ok_or(OauthError::InvalidToken)?;
        let LogIn::Granted { approval, until, numbers, key } = row.state.clone() else {
            return Err(OauthError::InvalidToken);
        };
        let end = approval.at + Duration::seconds(i64::from(self.oidc.number_s));
        if self.now() > end {
            return Err(OauthError::AccessDenied("too long after the log-in"));
        }
        if numbers >= self.oidc.number_tries {
            return Err(OauthError::AccessDenied("the tries of this session are used up"));
        }
        let numbers = numbers + 1;
        let state = LogIn::Granted { approval, until, numbers, key };
        tx.save_log_in(&LogInRow { state, ..row }).await?;
        let person = tx.keyed_hash("person", cpr.as_bytes())?;
        let matches = tx.is_person(identity, &person).await?;
        let compared = Activity::of(What::NumberCompared).at(&session.party.name);
        self.note(&mut tx, identity, compared).await?;
        let data = json!({ "log_in": session.row.id, "client_id": session.row.client_id, "matches": matches });
        tx.audit(self.of_identity("number.compared", identity, data)).await?;
        tx.commit().await?;
        Ok(NumberMatch { matches, tries_left: self.oidc.number_tries - numbers })
    }
}
