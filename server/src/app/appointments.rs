//! Times at a Borgercenter for a referred case (H6). The appointment service may be down: the
//! reference opens the case without a time too.

use super::officer::Officer;
use super::{Access, App, AppError, blocking};
use crate::ids::EnrolmentId;
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

/// A time that is booked for a case, to an officer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Appointment {
    /// The case.
    #[schema(value_type = String)]
    pub case: EnrolmentId,
    /// The time.
    pub booking: Slot,
}

/// Most times shown to an officer.
const MOST: i64 = 500;
/// Under which name the booking is sealed.
const NAME: &str = "booking";

impl App {
    /// The free times, and what to bring, for who has no case yet.
    ///
    /// # Errors
    /// `appointments.unavailable`.
    pub(crate) async fn offers(&self) -> Result<Offers, AppError> {
        let appointments = self.parts.appointments.clone();
        done(blocking(move || appointments.offers()).await?)
    }

    /// The times that are booked for cases which have not ended, earliest first. The look is in the trail.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn appointments(&self, officer: &Officer) -> Result<Vec<Appointment>, AppError> {
        let mut tx = self.parts.store.begin().await?;
        let mut found = Vec::new();
        for case in tx.holding(NAME, MOST).await? {
            found.extend(kept(&mut tx, case).await?.map(|booking| Appointment { case, booking }));
        }
        found.sort_by_key(|appointment| appointment.booking.starts);
        let data = json!({ "officer": officer.name, "appointments": found.len() });
        let kind = "appointments.looked".to_owned();
        let event = enroll_core::audit::Event { time: self.now(), kind, case: None, data };
        tx.audit(event).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The free times, and what to bring.
    ///
    /// # Errors
    /// `case.state` if the case is not referred, `appointments.unavailable`.
    pub async fn slots(&self, access: Access) -> Result<Offers, AppError> {
        drop(self.referred(access).await?);
        self.offers().await
    }

    /// The time that is booked for the case.
    ///
    /// # Errors
    /// `case.state` if the case is not referred.
    pub async fn booking(&self, access: Access) -> Result<Booked, AppError> {
        let mut tx = self.referred(access).await?;
        Ok(Booked { booking: kept(&mut tx, access.id()).await? })
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

/// The time that is kept for a case.
async fn kept(tx: &mut Tx, id: EnrolmentId) -> Result<Option<Slot>, AppError> {
    let impossible = StorageError::ImpossibleRow { table: "sealed", column: NAME };
    let kept = tx.get(id, NAME).await?;
    let booking = kept.map(|bytes| serde_json::from_slice(&bytes)).transpose();
    Ok(booking.map_err(|_| impossible)?)
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
