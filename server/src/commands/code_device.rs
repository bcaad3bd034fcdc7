//! `enroll code-device import|list|posted`: the stock of code displays and audio code readers.

use super::rows::{on_rows, print, print_all, refused};
use super::setup::{Place, SetupError, ended};
use crate::app::{NewDevice, Parcel, StockError, import_code_devices, post_code_devices};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Keep the stock of code displays and audio code readers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add the devices of the maker's list to the stock (docs/code-devices.md); their seeds are sealed and
    /// never shown again, so destroy the list
    Import(Import),
    /// List devices by serial number: kind, state, and the number of the order where one is ordered and not sent
    List(List),
    /// Take note that ordered devices were posted: inactive, they are on the way. One whose order was called off
    /// after it was packed is refused
    Posted(Posted),
}

#[derive(Debug, clap::Args)]
struct Import {
    #[command(flatten)]
    place: Place,
    /// The list; `-` for standard input
    file: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Only those that stand so: in_stock, ordered, inactive, active, lost, blocked
    #[arg(long)]
    state: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Posted {
    #[command(flatten)]
    place: Place,
    /// SERIAL=ORDER of each: what is written on the device, and the number of the order on the packing slip
    #[arg(required = true, value_name = "SERIAL=ORDER")]
    parcels: Vec<Parcel>,
}

/// Runs: 0 done, 1 a parcel is not to be entered as posted, 2 a list that is none, 3 keys or database cannot be used.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Import(args) => import(&args),
        Command::List(args) => list(&args),
        Command::Posted(args) => posted(&args),
    }
}

fn import(args: &Import) -> ExitCode {
    let devices = match read(&args.file) {
        Ok(text) => NewDevice::list(&text),
        Err(error) => return ended(Err(error)),
    };
    let devices = match devices {
        Ok(devices) => devices,
        Err(error) => return told(&error),
    };
    let imported = on_rows(&args.place, async |rows| {
        Ok(import_code_devices(&rows.store, &SystemEntropy, &devices, SystemClock.now()).await)
    });
    match imported {
        Ok(Ok(done)) if args.json => {
            print(&json!({ "added": done.added, "known": done.known }).to_string(), 0)
        }
        Ok(Ok(done)) => print(&format!("{} added, {} known", done.added, done.known), 0),
        Ok(Err(error)) => told(&error),
        Err(error) => ended(Err(error)),
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, SetupError> {
    let failed = |source| SetupError::File { path: file.to_owned(), source };
    let mut text = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(failed)?;
    }
    Ok(text)
}

fn list(args: &List) -> ExitCode {
    let found = on_rows(&args.place, async |rows| {
        Ok(rows.store.read().await?.all_code_devices(args.state.as_deref()).await?)
    });
    print_all(found, |device| {
        let order = device.order().map(|order| order.to_string());
        let (serial, kind, state) = (device.serial, device.kind, device.state.name());
        if args.json {
            json!({
                "serial": serial, "kind": kind, "state": state, "identity": device.identity,
                "order": order,
            })
            .to_string()
        } else {
            let order = order.map(|order| format!(" {order}")).unwrap_or_default();
            format!("{serial} {} {state}{order}", kind.as_str())
        }
    })
}

fn posted(args: &Posted) -> ExitCode {
    let done = on_rows(&args.place, async |rows| {
        Ok(post_code_devices(&rows.store, &args.parcels, SystemClock.now()).await)
    });
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => told(&error),
        Err(error) => ended(Err(error)),
    }
}

fn told(error: &StockError) -> ExitCode {
    let status = match error {
        StockError::Line { .. } => 2,
        StockError::App(_) => 3,
        _ => 1,
    };
    refused(error, status)
}
