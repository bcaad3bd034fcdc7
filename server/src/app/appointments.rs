//! Times at a Borgercenter for a referred case (H6). The appointment service may be down: the
//! reference opens the case without a time too.

use super::{Access, App, AppError, blocking};
use crate::registers::{Offers, Reply, Slot};
use crate::storage::{StorageError, Tx};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The time that a person wants.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedSlot {
    /// Its identifier, as it was offered.
    #[schema(example = "kbh-0301-0900")]
    slot: String,
}

/// The time that is booked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Booked {
    /// Nothing if none is.
    pub booking: Option<Slot>,
}

/// Under which name the booking is sealed.
const NAME: &str = "booking";

impl App {
    /// The free times, and what to bring.
    ///
    /// # Errors
    /// `case.state` if the case is not referred, `appointments.unavailable`.
    pub async fn slots(&self, access: Access) -> Result<Offers, AppError> {
        drop(self.referred(access).await?);
        let appointments = self.parts.appointments.clone();
        done(blocking(move || appointments.offers()).await?)
    }

    /// The time that is booked for the case.
    ///
    /// # Errors
    /// `case.state` if the case is not referred.
    pub async fn booking(&self, access: Access) -> Result<Booked, AppError> {
        let mut tx = self.referred(access).await?;
        let impossible = StorageError::ImpossibleRow { table: "sealed", column: NAME };
        let kept = tx.get(access.id(), NAME).await?;
        let booking = kept.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        Ok(Booked { booking: booking.map_err(|_| impossible)? })
    }

    /// Books a time, in place of the one before. Repeated, it answers the same.
    ///
    /// # Errors
    /// `booking.taken`; `case.state` if the case is not referred; `appointments.unavailable`.
    pub async fn book(&self, access: Access, wanted: WantedSlot) -> Result<Booked, AppError> {
        let key = key(&self.referred(access).await?, access)?;
        let appointments = self.parts.appointments.clone();
        let slot = match blocking(move || appointments.book(&key, &wanted.slot)).await? {
            Reply::Unknown => Reply::Taken,
            reply => reply,
        };
        let slot = done(slot)?;
        let mut tx = self.referred(access).await?;
        let bytes = serde_json::to_vec(&slot).map_err(AppError::internal)?;
        tx.put(access.id(), NAME, &bytes).await?;
        tx.audit(self.event("appointment.booked", access.id(), json!({}))).await?;
        tx.commit().await?;
        Ok(Booked { booking: Some(slot) })
    }

    /// Cancels the time.
    ///
    /// # Errors
    /// `booking.unknown` if none is booked; `case.state`; `appointments.unavailable`.
    pub async fn cancel(&self, access: Access) -> Result<Booked, AppError> {
        let key = key(&self.referred(access).await?, access)?;
        let appointments = self.parts.appointments.clone();
        let reply = blocking(move || appointments.cancel(&key)).await?;
        if reply == Reply::Unavailable {
            return done(reply).map(|()| Booked { booking: None });
        }
        let mut tx = self.referred(access).await?;
        tx.remove(access.id(), NAME).await?;
        tx.audit(self.event("appointment.cancelled", access.id(), json!({}))).await?;
        tx.commit().await?;
        done(reply).map(|()| Booked { booking: None })
    }

    /// A unit of work on a case that is referred.
    async fn referred(&self, access: Access) -> Result<Tx, AppError> {
        let (tx, enrolment) = self.load(access).await?;
        match enrolment.record.case.referral() {
            Some(_) => Ok(tx),
            None => Err(AppError::Reason(ReasonCode::CASE_STATE)),
        }
    }
}

/// The key of a case's booking, which tells nobody else which case it is.
fn key(tx: &Tx, access: Access) -> Result<String, AppError> {
    let hash = tx.keyed_hash("appointment", access.id().to_string().as_bytes())?;
    Ok(hex::encode(hash))
}

fn done<T>(reply: Reply<T>) -> Result<T, AppError> {
    Err(AppError::Reason(match reply {
        Reply::Done(found) => return Ok(found),
        Reply::Unknown => ReasonCode::BOOKING_UNKNOWN,
        Reply::Taken => ReasonCode::BOOKING_TAKEN,
        Reply::Unavailable => ReasonCode::APPOINTMENTS_UNAVAILABLE,
    }))
}
