//! The stock of code devices: imported from the maker's list, and sent to who ordered one. A seed comes in here
//! and never goes out again.

use super::super::AppError;
use crate::clock::Entropy;
use crate::ids::CodeDeviceId;
use crate::storage::{CodeDeviceRow, OrderNumber, Store};
use enroll_core::audit::Event;
use enroll_core::code_device::{CodeDevice, Kind, is_serial};
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
    /// There is no such device.
    #[error(
        "there is no code device {serial}: compare the number with what is written on it; nothing was entered"
    )]
    Unknown {
        /// What was given.
        serial: String,
    },
    /// It is in stock.
    #[error(
        "{serial} is not ordered: the order that it was packed for was called off. Do not send the parcel: take the \
         device out and put it back into the stock; nothing was entered"
    )]
    CalledOff {
        /// Which device.
        serial: String,
    },
    /// It was sent, so it is somebody's.
    #[error(
        "{serial} was entered as posted before, and is its person's: do not put it back into the stock. Enter the \
         other parcels without it; nothing was entered"
    )]
    Posted {
        /// Which device.
        serial: String,
    },
    /// One device was packed for two orders.
    #[error(
        "{serial} is named twice, with two orders: name it with the one that `enroll code-device list --state ordered` \
         names; nothing was entered"
    )]
    Twice {
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
/// called off after it was packed can be another one's order by then, and is not sent. A parcel that is named twice
/// is one.
///
/// # Errors
/// [`StockError`], of the first parcel, by serial number, that does not fit.
pub async fn post_code_devices(
    store: &Store,
    parcels: &[Parcel],
    now: OffsetDateTime,
) -> Result<(), StockError> {
    // In the order in which whoever holds several does, and all of them before the trail.
    let parcels = each_once(parcels)?;
    let mut tx = store.begin().await.map_err(AppError::from)?;
    let mut events = Vec::new();
    for Parcel { serial, order } in &parcels {
        let unknown = || StockError::Unknown { serial: serial.clone() };
        let found = tx.code_device_of(serial).await.map_err(AppError::from)?;
        let id = found.ok_or_else(unknown)?.id;
        let row = tx.hold_code_device(id).await.map_err(AppError::from)?.ok_or_else(unknown)?;
        let state = row.state.clone().post(now).map_err(|_| match row.state {
            CodeDevice::InStock => StockError::CalledOff { serial: serial.clone() },
            _ => StockError::Posted { serial: serial.clone() },
        })?;
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

/// By serial number, each parcel once.
fn each_once(parcels: &[Parcel]) -> Result<Vec<Parcel>, StockError> {
    let mut parcels = parcels.to_vec();
    parcels.sort();
    parcels.dedup();
    let twice = parcels.iter().zip(parcels.iter().skip(1)).find(|(a, b)| a.serial == b.serial);
    let twice = twice.map(|(parcel, _)| StockError::Twice { serial: parcel.serial.clone() });
    twice.map_or(Ok(parcels), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_named_once_and_for_one_order() {
        let [one, same, other] = ["KV-0001=00000001", "KV-0001=00000001", "KV-0001=00000002"]
            .map(|text| text.parse::<Parcel>().unwrap());
        let next: Parcel = "KV-0002=00000001".parse().unwrap();
        let once = each_once(&[next.clone(), one.clone(), same]).unwrap();
        assert_eq!(once, [one.clone(), next.clone()]);
        let twice = each_once(&[one, next, other]).unwrap_err();
        assert!(matches!(&twice, StockError::Twice { serial } if serial == "KV-0001"), "{twice:?}");
    }

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
