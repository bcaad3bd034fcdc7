//! Times at a Borgercenter: `GET {appointments}/slots`, `PUT` and `DELETE
//! {appointments}/bookings/{key}`. The key is ours and names a case to nobody but us; each call can be
//! made again without doing more than once.

use crate::relay::wire::Text;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A free time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Slot {
    /// The appointment service's identifier of it.
    #[schema(example = "kbh-0301-0900")]
    pub id: String,
    /// Which Borgercenter.
    #[schema(example = "Borgercenter København")]
    pub centre: String,
    /// Where it is.
    pub address: String,
    /// When it begins.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub starts: OffsetDateTime,
    /// How long it is.
    pub minutes: u16,
}

/// The free times, and what a person brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Offers {
    /// Earliest first.
    pub slots: Vec<Slot>,
    /// What to bring, each in both languages.
    pub bring: Vec<Text>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    /// It was done.
    Done(T),
    /// There is no such slot or booking.
    Unknown,
    /// Somebody else has the slot.
    Taken,
    /// The appointment service did not answer, or not in time: nothing is known.
    Unavailable,
}

/// The appointment service. Calls may block: run them where that is allowed.
pub trait Appointments: Send + Sync {
    /// The free times.
    fn offers(&self) -> Reply<Offers>;

    /// Books `slot` under `key`, in place of what was booked under it.
    fn book(&self, key: &str, slot: &str) -> Reply<Slot>;

    /// Cancels what is booked under `key`.
    fn cancel(&self, key: &str) -> Reply<()>;
}

/// No appointment service: every answer is *unavailable*.
impl Appointments for super::NoRegisters {
    fn offers(&self) -> Reply<Offers> {
        Reply::Unavailable
    }

    fn book(&self, _: &str, _: &str) -> Reply<Slot> {
        Reply::Unavailable
    }

    fn cancel(&self, _: &str) -> Reply<()> {
        Reply::Unavailable
    }
}
