//! The stock of code devices: imported from the maker's list, and sent to who ordered one. A seed comes in here
//! and never goes out again.

use super::super::AppError;
use crate::clock::Entropy;
use crate::ids::CodeDeviceId;
use crate::storage::{CodeDeviceRow, OrderNumber, Store};
use enroll_core::audit::Event;
use enroll_core::code_device::{Kind, is_serial};
use enroll_core::totp::{Algorithm, Seed};
use serde_json::json;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A device of the maker's list.
#[derive(Debug)]
pub struct NewDevice {
    /// What is written on it.
    pub serial: String,
    /// Whether it shows or speaks.
    pub kind: Kind,
    /// What its codes are made of.
    pub seed: Seed,
}

/// Why the stock was not changed. Says nothing of a seed.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// A line of the list is none.
    #[error("line {line}: not SERIAL KIND ALGORITHM SEED, as docs/code-devices.md describes them")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// It is not waiting to be sent.
    #[error(
        "{serial} is not ordered: its order was called off, or it was entered as posted before. If it lies packed, \
         take it out and put it back into the stock; nothing was entered"
    )]
    NotOrdered {
        /// Which device.
        serial: String,
    },
    /// It waits to be sent to somebody else than whom it was packed for.
    #[error(
        "{serial} is not order {order} any more: that one was called off, and the device has been ordered anew. Do \
         not send the parcel: take the device out and pack it for the order that `enroll code-device list --state \
         ordered` names; nothing was entered"
    )]
    OtherOrder {
        /// Which device.
        serial: String,
        /// The order that it was packed for.
        order: OrderNumber,
    },
    /// Our own fault.
    #[error("the stock could not be changed")]
    App(#[from] AppError),
}

/// What came of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Added to the stock.
    pub added: usize,
    /// There already: left as they are.
    pub known: usize,
}

/// A device as it was packed: which, and for which order. Written `SERIAL=ORDER`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parcel {
    /// What is written on the device.
    pub serial: String,
    /// The number that [`CodeDeviceRow::order`] gave when it was packed.
    pub order: OrderNumber,
}

/// The text is no `SERIAL=ORDER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not SERIAL=ORDER, such as KV-000123=01234567: `enroll code-device list --state ordered` names both, and the \
     number of the order is on the packing slip"
)]
pub struct ParcelError;

impl std::str::FromStr for Parcel {
    type Err = ParcelError;

    fn from_str(text: &str) -> Result<Self, ParcelError> {
        let (serial, order) = text.split_once('=').ok_or(ParcelError)?;
        let order = OrderNumber::read(order).filter(|_| is_serial(serial)).ok_or(ParcelError)?;
        Ok(Self { serial: serial.to_owned(), order })
    }
}

impl NewDevice {
    /// Reads a list: a line `SERIAL KIND ALGORITHM SEED` for each device, the seed in hexadecimal; empty lines
    /// and those after `#` say nothing.
    ///
    /// # Errors
    /// [`StockError::Line`].
    pub fn list(text: &str) -> Result<Vec<Self>, StockError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|(number, line)| Self::read(line).ok_or(StockError::Line { line: number }))
            .collect()
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split_whitespace();
        let (serial, kind) = (parts.next()?, Kind::named(parts.next()?)?);
        let algorithm = Algorithm::named(parts.next()?)?;
        let key = hex::decode(parts.next()?).map(Zeroizing::new).ok()?;
        let seed = Seed::new(algorithm, key)?;
        let whole = is_serial(serial) && parts.next().is_none();
        whole.then(|| Self { serial: serial.to_owned(), kind, seed })
    }
}

/// Adds devices to the stock, all or none. One whose serial number is there already is left as it is, so that
/// an import can be repeated.
///
/// # Errors
/// [`StockError::App`].
pub async fn import_code_devices(
    store: &Store,
    entropy: &dyn Entropy,
    devices: &[NewDevice],
    now: OffsetDateTime,
) -> Result<Imported, StockError> {
    let mut tx = store.begin().await.map_err(AppError::from)?;
    let mut added = 0;
    for NewDevice { serial, kind, seed } in devices {
        let id = CodeDeviceId::random(entropy).map_err(AppError::from)?;
        let new = (id, serial.as_str(), *kind);
        added += usize::from(tx.add_code_device(new, seed, now).await.map_err(AppError::from)?);
    }
    let known = devices.len() - added;
    let (kind, data) =
        ("code_devices.imported".to_owned(), json!({ "added": added, "known": known }));
    tx.audit(Event { time: now, kind, case: None, data }).await.map_err(AppError::from)?;
    tx.commit().await.map_err(AppError::from)?;
    Ok(Imported { added, known })
}

/// Takes note that ordered devices were posted, all or none: inactive, they are on the way. A device whose order was
/// called off after it was packed can be another one's order by then, and is not sent.
///
/// # Errors
/// [`StockError::NotOrdered`], [`StockError::OtherOrder`].
pub async fn post_code_devices(
    store: &Store,
    parcels: &[Parcel],
    now: OffsetDateTime,
) -> Result<(), StockError> {
    let mut tx = store.begin().await.map_err(AppError::from)?;
    // In the order in which whoever holds several does, and all of them before the trail.
    let mut parcels = parcels.to_vec();
    parcels.sort();
    let mut events = Vec::new();
    for Parcel { serial, order } in &parcels {
        let not_ordered = || StockError::NotOrdered { serial: serial.clone() };
        let found = tx.code_device_of(serial).await.map_err(AppError::from)?;
        let id = found.ok_or_else(not_ordered)?.id;
        let row = tx.hold_code_device(id).await.map_err(AppError::from)?.ok_or_else(not_ordered)?;
        let state = row.state.clone().post(now).map_err(|_| not_ordered())?;
        if row.order() != Some(*order) {
            return Err(StockError::OtherOrder { serial: serial.clone(), order: *order });
        }
        let order = order.to_string();
        let data = json!({ "code_device": id, "identity": row.identity, "order": order });
        tx.save_code_device(&CodeDeviceRow { state, ..row }).await.map_err(AppError::from)?;
        let kind = "code_device.posted".to_owned();
        events.push(Event { time: now, kind, case: None, data });
    }
    for event in events {
        tx.audit(event).await.map_err(AppError::from)?;
    }
    Ok(tx.commit().await.map_err(AppError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_a_serial_number_and_that_of_its_order() {
        let parcel: Parcel = "KV-0001=00012345".parse().unwrap();
        assert_eq!(
            (parcel.serial.as_str(), parcel.order.to_string()),
            ("KV-0001", "00012345".into())
        );
        for bad in
            ["KV-0001", "KV-0001=", "=00012345", "KV-0001=12345", "KV-0001=+0012345", "kv=00012345"]
        {
            assert_eq!(bad.parse::<Parcel>(), Err(ParcelError), "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_line_by_line_and_a_bad_line_is_named() {
        let key = "31".repeat(20);
        let text = format!(
            "# the maker's\n\nKV-0001 display sha1 {key}\n KO-0001  reader sha256 {key} \n"
        );
        let read = NewDevice::list(&text).unwrap();
        let found: Vec<_> = read.iter().map(|new| (new.serial.as_str(), new.kind)).collect();
        assert_eq!(found, [("KV-0001", Kind::Display), ("KO-0001", Kind::Reader)]);
        for bad in [
            "KV-0001",
            &format!("kv-0001 display sha1 {key}"),
            &format!("KV-0001 app sha1 {key}"),
            &format!("KV-0001 display md5 {key}"),
            "KV-0001 display sha1 313131",
            "KV-0001 display sha1 xyz",
            &format!("KV-0001 display sha1 {key} more"),
        ] {
            let wrong = NewDevice::list(&format!("\n{bad}\n")).unwrap_err();
            assert!(matches!(wrong, StockError::Line { line: 2 }), "{bad}");
            assert!(!wrong.to_string().contains("3131"));
        }
    }
}
