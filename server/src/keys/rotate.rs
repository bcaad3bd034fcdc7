//! Rotation of the keys, with overlap (H5).
//!
//! A new signing key is published as soon as it is made and signs from a moment on; the one before is
//! published until its last signature is worth nothing. A new master key seals from now on, and what
//! the one before has sealed is sealed anew; until that is done both open.

use super::files::{read, remove, replace, write_new};
use super::ledger::{Held, Ledger, Line, key_files};
use super::master::{self, BEFORE, CURRENT};
use super::signing::{file, label, make, place, row, sealed_bytes};
use super::{KeyError, Master, Protection};
use crate::clock::{Clock, Entropy};
use std::path::Path;
use time::Duration;

/// What a rotation of the signing key has done.
#[derive(Debug)]
pub struct Rotated {
    /// The new key.
    pub made: Line,
    /// Numbers of keys whose private halves were destroyed: they had signed their last.
    pub destroyed: Vec<u32>,
}

/// Makes a signing key that takes over `after` from now, and destroys the private halves of those
/// that were replaced before now.
///
/// # Errors
/// [`KeyError`].
pub fn rotate_signing(
    dir: &Path,
    protection: &Protection,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
    after: Duration,
) -> Result<Rotated, KeyError> {
    let master = Master::load(dir, protection, entropy)?;
    let mut ledger = match Ledger::read(dir, &master)? {
        Some(ledger) => ledger,
        None => Ledger::found(dir, &master, protection, entropy)?,
    };
    let now = clock.now();
    let number = next_number(dir, &ledger, protection)?;
    let from = (now + after).unix_timestamp();
    let made = make(dir, number, from, (&master, protection, entropy))?;
    let destroyed = mark_replaced(&mut ledger, now.unix_timestamp());
    ledger.keys.push(made.clone());
    ledger.write(dir, &master)?;
    for (number, held) in &destroyed {
        destroy(dir, *number, *held, protection)?;
    }
    Ok(Rotated { made, destroyed: destroyed.into_iter().map(|(number, _)| number).collect() })
}

/// One more than every number in use, also by a key that a rotation cut off has left behind.
fn next_number(dir: &Path, ledger: &Ledger, protection: &Protection) -> Result<u32, KeyError> {
    let listed = ledger.keys.iter().map(|line| line.number);
    let files = key_files(dir)?;
    let last = listed.chain(files.into_iter().map(|(number, _)| number)).max().unwrap_or(0);
    let mut number = last.saturating_add(1);
    if let Some(token) = &protection.token {
        while token.has_signing(&label(number))? {
            number = number.saturating_add(1);
        }
    }
    Ok(number)
}

/// Marks the keys that another one has replaced by `now` as destroyed.
fn mark_replaced(ledger: &mut Ledger, now: i64) -> Vec<(u32, Held)> {
    let begun = ledger.keys.iter().filter(|line| line.from <= now);
    let Some(signs) = begun.map(|line| (line.from, line.number)).max() else { return Vec::new() };
    let replaced = ledger
        .keys
        .iter_mut()
        .filter(|line| (line.from, line.number) < signs && line.held != Held::Destroyed);
    replaced.map(|line| (line.number, std::mem::replace(&mut line.held, Held::Destroyed))).collect()
}

fn destroy(dir: &Path, number: u32, held: Held, protection: &Protection) -> Result<(), KeyError> {
    match held {
        Held::File => remove(&file(dir, number)),
        Held::Token => {
            let token = protection.token.as_ref().ok_or(KeyError::TokenMissing)?;
            Ok(token.destroy_signing(&label(number))?)
        }
        Held::Destroyed => Ok(()),
    }
}

/// Puts a new master key in the place of the one there is, or goes on with a rotation that was cut
/// off; then the other keys are sealed under it. What the database holds is `storage::rewrap`'s.
///
/// # Errors
/// [`KeyError`]. May be repeated.
pub fn begin_master_rotation(
    dir: &Path,
    protection: &Protection,
    entropy: &dyn Entropy,
) -> Result<(), KeyError> {
    let (current, before) = (dir.join(CURRENT), dir.join(BEFORE));
    // Opened first: a key that does not open is not replaced.
    let master = Master::load(dir, protection, entropy)?;
    let under_way = read(&before)?.is_some();
    if !under_way {
        let text = read(&current)?.ok_or(KeyError::Malformed { path: current.clone() })?;
        write_new(&before, text.as_bytes())?;
    }
    if !under_way || master.is_unchanged() {
        replace(&current, master::fresh(protection, entropy)?.as_bytes())?;
    }
    let master = Master::load(dir, protection, entropy)?;
    master.rewrap_hashing(dir, entropy)?;
    for (_, path) in key_files(dir)? {
        let anew = master.rewrap(entropy, place(&row(&path)), &sealed_bytes(&path)?)?;
        if let Some(sealed) = anew {
            replace(&path, format!("{}\n", hex::encode(sealed)).as_bytes())?;
        }
    }
    Ok(())
}

/// Destroys the master key before: nothing may be sealed under it any more.
///
/// # Errors
/// [`KeyError::File`].
pub fn end_master_rotation(dir: &Path) -> Result<(), KeyError> {
    remove(&dir.join(BEFORE))
}
