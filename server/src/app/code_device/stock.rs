//! The stock of code devices: imported from the maker's list, and sent to who ordered one. A seed comes in here
//! and never goes out again.

use super::super::AppError;
use crate::clock::Entropy;
use crate::ids::CodeDeviceId;
use crate::storage::{CodeDeviceRow, Store};
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
    #[error("{serial} was not ordered")]
    NotOrdered {
        /// Which device.
        serial: String,
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

/// Takes note that ordered devices were posted, all or none: inactive, they are on the way.
///
/// # Errors
/// [`StockError::NotOrdered`].
pub async fn post_code_devices(
    store: &Store,
    serials: &[String],
    now: OffsetDateTime,
) -> Result<(), StockError> {
    let mut tx = store.begin().await.map_err(AppError::from)?;
    // In the order in which whoever holds several does, and all of them before the trail.
    let mut serials = serials.to_vec();
    serials.sort();
    let mut events = Vec::new();
    for serial in &serials {
        let not_ordered = || StockError::NotOrdered { serial: serial.clone() };
        let found = tx.code_device_of(serial).await.map_err(AppError::from)?;
        let id = found.ok_or_else(not_ordered)?.id;
        let row = tx.hold_code_device(id).await.map_err(AppError::from)?.ok_or_else(not_ordered)?;
        let state = row.state.clone().post(now).map_err(|_| not_ordered())?;
        let data = json!({ "code_device": id, "identity": row.identity });
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
