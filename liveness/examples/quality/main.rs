//! Measures how often each quality limit refuses pictures that are good, and spoiled ones.
//!
//! ```sh
//! cargo run --release -p liveness --example quality -- data/models [EVERY_NTH]
//! ```
//!
//! Reads `faces/lfw-subset` under `INDRUL_FIELD_DATA`: press photographs, taken as bona fide. Every
//! picture, or every nth, is measured; every tenth of those that have nothing to mend but that they
//! are small is spoiled in each way of `tests/spoil` and measured again. Third-party photographs: for
//! measuring only.

#[path = "../../tests/spoil/mod.rs"]
mod spoil;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use image::RgbImage;
use liveness::{Engine, FaceError, Look, QualityReason, portrait};
use serde_json::Value;
use spoil::{FAULTS, Fault};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SHARES: [f64; 11] = [0.0, 0.005, 0.01, 0.02, 0.05, 0.5, 0.95, 0.98, 0.99, 0.995, 1.0];
const SPOILED: usize = 10;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let models = arguments.next().ok_or("usage: quality MODELS_DIR [EVERY_NTH]")?;
    let nth = arguments.next().map_or(Ok(1), |nth| nth.parse::<usize>())?.max(1);
    let field = env::var("INDRUL_FIELD_DATA").unwrap_or_else(|_| "../shared/data".into());
    let engine = Engine::load(Path::new(&models))?;
    let names = pictures(&PathBuf::from(field).join("faces/lfw-subset"))?;
    let names: Vec<PathBuf> = names.into_iter().step_by(nth).collect();
    let seen = each(&names, |name| Some((name.clone(), engine.look(&picture(name)?))));
    show(&format!("{} pictures", seen.len()));
    bona_fide(&seen);
    spoiled(&engine, &seen);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
fn show(text: &str) {
    println!("{text}");
}

fn picture(path: &Path) -> Option<RgbImage> {
    portrait::decode(&fs::read(path).ok()?).ok()
}

type Seen = (PathBuf, Result<Look, FaceError>);

fn bona_fide(seen: &[Seen]) {
    let mut errors = BTreeMap::<&str, usize>::new();
    let codes = seen.iter().filter_map(|(_, look)| look.as_ref().err().map(FaceError::code));
    codes.for_each(|code| *errors.entry(code).or_default() += 1);
    let looks: Vec<&Look> = seen.iter().filter_map(|(_, look)| look.as_ref().ok()).collect();
    let straight: Vec<&Look> =
        looks.iter().copied().filter(|look| !has(look, QualityReason::Turned)).collect();
    show(&format!("one face in {}; otherwise {errors:?}", looks.len()));
    show(&format!("\nmeasures of the {} that look straight, at {SHARES:?}", straight.len()));
    quantiles(&straight);
    show("\nrefused, of all and of those that look straight");
    let rate = |looks: &[&Look], reason| {
        let refused = looks.iter().filter(|look| has(look, reason)).count();
        percent(refused, looks.len())
    };
    for reason in QualityReason::ALL {
        show(&format!("{:26} {} {}", reason.code(), rate(&looks, reason), rate(&straight, reason)));
    }
    let good = straight.iter().filter(|look| good(look)).count();
    show(&format!("nothing to mend but the distance: {}", percent(good, looks.len())));
}

fn has(look: &Look, reason: QualityReason) -> bool {
    look.quality.reasons.contains(&reason)
}

/// The press photographs are small.
fn good(look: &Look) -> bool {
    look.quality.reasons.iter().all(|reason| *reason == QualityReason::TooFar)
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:5.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn quantiles(looks: &[&Look]) {
    let mut values = BTreeMap::<String, Vec<f64>>::new();
    for look in looks {
        let Ok(Value::Object(measures)) = serde_json::to_value(look.quality.measures) else {
            continue;
        };
        for (name, value) in measures {
            values.entry(name).or_default().extend(value.as_f64());
        }
    }
    for (name, mut values) in values {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1) as f64;
        let at = |share: f64| values.get((share * last) as usize).copied().unwrap_or(f64::NAN);
        let row: Vec<String> = SHARES.iter().map(|share| format!("{:8.3}", at(*share))).collect();
        show(&format!("{name:14} {}", row.join(" ")));
    }
}

fn spoiled(engine: &Engine, seen: &[Seen]) {
    let sound = seen.iter().filter_map(|(path, look)| Some((path, look.as_ref().ok()?)));
    let sound: Vec<(&PathBuf, &Look)> =
        sound.filter(|(_, look)| good(look)).step_by(SPOILED).collect();
    show(&format!(
        "\nof {} sound pictures, spoiled, are refused with the reason (with any)",
        sound.len()
    ));
    for fault in &FAULTS {
        let caught = each(&sound, |(path, look)| {
            let image = picture(path)?;
            Some(fault.levels.map(|level| judged(engine, fault, level, (&image, look))))
        });
        show(&format!("{:16} {:22} {}", fault.name, fault.unit, rates(fault, &caught)));
    }
}

/// Whether the picture is refused for what was done to it, and whether it is refused at all. One in
/// which no face is found is refused, but without the reason.
fn judged(
    engine: &Engine,
    fault: &Fault,
    level: f32,
    (image, look): (&RgbImage, &Look),
) -> (bool, bool) {
    match engine.look(&(fault.apply)(image, look, level)) {
        Ok(spoiled) => {
            (has(&spoiled, fault.wanted), !good(&spoiled) || has(&spoiled, fault.wanted))
        }
        Err(_) => (false, true),
    }
}

fn rates(fault: &Fault, caught: &[[(bool, bool); 4]]) -> String {
    let level = |(at, level): (usize, &f32)| {
        let of = |which: fn(&(bool, bool)) -> bool| {
            caught.iter().filter(|levels| levels.get(at).is_some_and(which)).count()
        };
        let (wanted, any) = (of(|(wanted, _)| *wanted), of(|(_, any)| *any));
        format!("{level}: {} ({})", percent(wanted, caught.len()), percent(any, caught.len()))
    };
    fault.levels.iter().enumerate().map(level).collect::<Vec<_>>().join("  ")
}

fn pictures(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut names = Vec::new();
    for person in fs::read_dir(folder)? {
        let person = person?;
        if person.file_type()?.is_dir() {
            let pictures = fs::read_dir(person.path())?.map(|entry| Ok(entry?.path()));
            names.extend(pictures.collect::<Outcome<Vec<_>>>()?);
        }
    }
    names.sort();
    Ok(names)
}

/// On every processor.
fn each<T: Sync, R: Send>(items: &[T], one: impl Fn(&T) -> Option<R> + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let one = &one;
    thread::scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(workers).max(1));
        let running: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter_map(one).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}
