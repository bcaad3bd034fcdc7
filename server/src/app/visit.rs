//! A referred case goes on at a Borgercenter: a kiosk opens it with the person's reference and gets a
//! token for it. From then on the kiosk alone does its steps, and the chip is read anew (B5).

use super::chip::OF_THE_CHIP;
use super::{Access, App, AppError};
use crate::ids::EnrolmentId;
use crate::limits::Kind;
use enroll_core::reason::ReasonCode;
use enroll_core::reference::Reference;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Duration;
use tokio::time::Instant;

/// A kiosk of a Borgercenter: made only from its credential.
#[derive(Debug, Clone)]
pub struct Kiosk {
    name: String,
}

/// The case that a person wants to go on with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedCase {
    /// The person's reference, in any case, with or without hyphen.
    #[schema(example = "7KQ2-M4XB")]
    reference: String,
}

impl std::fmt::Debug for WantedCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WantedCase(…)")
    }
}

/// A case that a kiosk goes on with.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Visited {
    /// Which.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// The kiosk's bearer token for it.
    pub token: String,
    /// Where it stands.
    #[schema(example = "page_read")]
    pub state: &'static str,
    /// Seconds until the token is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for Visited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visited({})", self.id)
    }
}

impl App {
    /// The kiosk whose credential `token` is.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`].
    pub fn kiosk(&self, token: &str) -> Result<Kiosk, AppError> {
        let hash = openssl::sha::sha256(token.as_bytes());
        let known = self.kiosks.iter().find(|(_, known)| openssl::memcmp::eq(&hash, known));
        let (name, _) = known.ok_or(AppError::Unauthorized)?;
        Ok(Kiosk { name: name.clone() })
    }

    /// Opens a referred case at `kiosk`, again if a visit broke off: the token before is dead then. What
    /// comes of the case is not for the token of its start any more.
    ///
    /// # Errors
    /// `reference.form`, `reference.unknown`; `case.attempts` if it was opened too often;
    /// `case.state`; [`AppError::TooOften`].
    pub async fn visit(&self, kiosk: &Kiosk, wanted: WantedCase) -> Result<Visited, AppError> {
        self.spend(Kind::Reference, kiosk.name.as_bytes(), Instant::now())?;
        let reference =
            Reference::parse(&wanted.reference).map_err(|e| AppError::Reason(e.reason()))?;
        let unknown = AppError::Reason(ReasonCode::REFERENCE_UNKNOWN);
        let now = self.now();
        let mut tx = self.parts.store.begin().await?;
        let hash = tx.keyed_hash("booking reference", reference.expose().as_bytes())?;
        let Some(id) = tx.find_reference(&hash, now).await? else { return Err(unknown) };
        let mut enrolment = tx.enrolment(id).await?.ok_or(unknown)?;
        let name = kiosk.name.clone();
        enrolment.record.advance(|case| case.visited(name, &self.policy, now))?;
        enrolment.record.findings.forget(&OF_THE_CHIP);
        self.forget_chip(&mut tx, id).await?;
        tx.disown(id).await?;
        tx.save(&enrolment).await?;
        let (token, hash) = self.token()?;
        let expires_in = self.policy.desk.session_s;
        let expires = now + Duration::seconds(i64::from(expires_in));
        tx.put_desk_session(&hash, id, (&kiosk.name, expires)).await?;
        let visit = enrolment.record.case.visit().map(|visit| visit.number);
        let data = json!({ "kiosk": kiosk.name, "visit": visit });
        tx.audit(self.event("case.visited", id, data)).await?;
        tx.commit().await?;
        Ok(Visited { id, token, state: enrolment.record.case.name(), expires_in })
    }

    /// The person has left the kiosk before the case was decided: its token is worth nothing from now on,
    /// and the case waits again, without what was read of the chip.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] unless it is a kiosk's.
    pub async fn end_visit(&self, access: Access) -> Result<(), AppError> {
        if !access.desk {
            return Err(AppError::Unauthorized);
        }
        let mut tx = self.parts.store.begin().await?;
        tx.cut_desk_session(access.id, self.now()).await?;
        tx.commit().await?;
        self.leave(access.id).await
    }
}
