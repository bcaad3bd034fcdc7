//! Measures how well the engine tells people apart, and writes the thresholds that it found.
//!
//! ```sh
//! cargo run --release -p liveness --example verification -- data/models [THRESHOLDS_TOML]
//! ```
//!
//! Reads `faces/lfw-subset` with its `PAIRS.tsv` under `INDRUL_FIELD_DATA`: of every picture the face
//! nearest its middle, which is the one that its name means, is described once; the pairs labelled 1
//! are the same people, and every two pictures of people of different name are different people. With
//! a second argument the `[verification]` table of that file is replaced by what was measured.
//! Third-party photographs: for measuring only.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use liveness::{Agreement, Engine, Face, Role, portrait};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const RATES: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];
const CHOSEN: f64 = 1e-4;
const LEAST_ERRORS: usize = 10;
const TABLE: &str = "[verification]";

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let models = arguments.next().ok_or("usage: verification MODELS_DIR [THRESHOLDS_TOML]")?;
    let field = env::var("INDRUL_FIELD_DATA").unwrap_or_else(|_| "../shared/data".into());
    let faces = PathBuf::from(field).join("faces");
    let engine = Engine::load(Path::new(&models))?;
    let measured = Measured::take(&engine, &faces)?;
    let table = measured.table(Path::new(&models))?;
    measured.show();
    show(&table);
    if let Some(target) = arguments.next() {
        let text = fs::read_to_string(&target)?;
        let kept = text.split_once(TABLE).map_or(text.as_str(), |(before, _)| before);
        fs::write(target, format!("{kept}{table}"))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
fn show(text: &str) {
    println!("{text}");
}

/// What each network says of every pair.
struct Measured {
    pictures: usize,
    unusable: Vec<String>,
    genuine: Vec<Agreement>,
    impostor: Vec<Agreement>,
    faces: BTreeMap<String, Face>,
}

impl Measured {
    fn take(engine: &Engine, folder: &Path) -> Outcome<Measured> {
        let folder = folder.join("lfw-subset");
        let pairs = fs::read_to_string(folder.join("PAIRS.tsv"))?;
        let names = pictures(&folder)?;
        let mut faces = BTreeMap::new();
        let mut unusable = Vec::new();
        for (name, face) in describe(engine, &folder, &names) {
            match face {
                Ok(face) => drop(faces.insert(name, face)),
                Err(code) => unusable.push(format!("{name}: {code}")),
            }
        }
        let genuine = same_people(&pairs, &faces);
        let impostor = different_people(&faces);
        Ok(Measured { pictures: names.len(), unusable, genuine, impostor, faces })
    }

    fn show(&self) {
        show(&format!("{} pictures, {} unusable", self.pictures, self.unusable.len()));
        self.unusable.iter().for_each(|line| show(line));
        for (name, of) in MEASURES {
            let mut values: Vec<f32> = self.faces.values().map(of).collect();
            values.sort_by(f32::total_cmp);
            let at = |share: f64| values.get((share * values.len() as f64) as usize).copied();
            let shares = [0.0, 0.01, 0.05, 0.5, 0.95, 0.99];
            show(&format!("{name} at {shares:?}: {:.3?}", shares.map(|s| at(s).unwrap_or(0.0))));
        }
    }

    /// The `[verification]` table.
    fn table(&self, models: &Path) -> Outcome<String> {
        let weights: Vec<Weight> =
            (0..Role::RECOGNITION.len()).map(|at| Weight::of(&self.impostor, at)).collect();
        let fused = |agreement: &Agreement| similarity(&weights, agreement);
        let genuine: Vec<f64> = self.genuine.iter().map(fused).collect();
        let mut impostor: Vec<f64> = self.impostor.iter().map(fused).collect();
        impostor.sort_by(|x, y| y.total_cmp(x));
        for (at, role) in Role::RECOGNITION.into_iter().enumerate() {
            let alone = |agreement: &Agreement| cosine(agreement, at);
            let own: Vec<f64> = self.genuine.iter().map(alone).collect();
            let mut others: Vec<f64> = self.impostor.iter().map(alone).collect();
            others.sort_by(|x, y| y.total_cmp(x));
            let rates = RATES.into_iter().filter_map(|r| operating_point(r, &own, &others));
            show(&format!("{role} alone:\n{}", rates.collect::<Vec<_>>().join("\n")));
        }
        let mut lines = vec![
            TABLE.to_string(),
            "# Measured by `cargo run --release -p liveness --example verification` on LFW pictures,".into(),
            format!("# one a side: {} pictures, {} unusable;", self.pictures, self.unusable.len()),
            format!("# {} pairs of the same people,", genuine.len()),
            format!("# {} pairs of different people.", impostor.len()),
            format!("false_match_rate = {CHOSEN}"),
            "recognition = [".into(),
        ];
        for (role, weight) in Role::RECOGNITION.into_iter().zip(&weights) {
            let (sha256, Weight { mean, deviation }) = (sha256(models, role)?, weight);
            lines.push(format!(
                "  {{ sha256 = \"{sha256}\", mean = {mean:.5}, deviation = {deviation:.5} }},"
            ));
        }
        lines.extend(["]".into(), "operating_point = [".into()]);
        lines.extend(RATES.into_iter().filter_map(|r| operating_point(r, &genuine, &impostor)));
        lines.push("]\n".into());
        Ok(lines.join("\n"))
    }
}

type Measure = (&'static str, fn(&Face) -> f32);
const MEASURES: [Measure; 9] = [
    ("inter_eye_px", |f| f.quality.measures.inter_eye_px),
    ("yaw_deg", |f| f.quality.measures.yaw_deg),
    ("pitch_deg", |f| f.quality.measures.pitch_deg),
    ("roll_deg", |f| f.quality.measures.roll_deg),
    ("sharpness", |f| f.quality.measures.sharpness),
    ("brightness", |f| f.quality.measures.brightness),
    ("contrast", |f| f.quality.measures.contrast),
    ("evenness", |f| f.quality.measures.evenness),
    ("in_picture", |f| f.quality.measures.in_picture),
];

/// The line of one false-match rate: the threshold lies just above the last pair that may pass.
/// None where too few pairs were measured to speak of the rate.
fn operating_point(rate: f64, genuine: &[f64], impostor: &[f64]) -> Option<String> {
    let allowed = (rate * impostor.len() as f64).floor() as usize;
    if allowed < LEAST_ERRORS {
        return None;
    }
    let threshold = impostor.get(allowed).map_or(1.0, |s| (s * 1e4).ceil() / 1e4);
    let accepted = genuine.iter().filter(|s| **s >= threshold).count();
    let matched = accepted as f64 / genuine.len().max(1) as f64;
    Some(format!(
        "  {{ threshold = {threshold:.4}, false_match_rate = {rate}, true_match_rate = {matched:.4} }},"
    ))
}

/// What a network's cosines are over different people.
struct Weight {
    mean: f64,
    deviation: f64,
}

impl Weight {
    fn of(impostor: &[Agreement], at: usize) -> Weight {
        let values = || impostor.iter().map(|agreement| cosine(agreement, at));
        let count = impostor.len().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        // As the table will say them.
        let rounded = |value: f64| (value * 1e5).round() / 1e5;
        Weight { mean: rounded(mean), deviation: rounded(deviation) }
    }
}

/// What one network says of a pair.
fn cosine(Agreement(cosines): &Agreement, at: usize) -> f64 {
    cosines.get(at).copied().map_or(f64::NAN, f64::from)
}

/// As `liveness` fuses cosines.
fn similarity(weights: &[Weight], Agreement(cosines): &Agreement) -> f64 {
    let above =
        |(weight, cosine): (&Weight, &f32)| (f64::from(*cosine) - weight.mean) / weight.deviation;
    let all: f64 = weights.iter().map(|weight| above((weight, &1.0))).sum();
    weights.iter().zip(cosines).map(above).sum::<f64>() / all
}

fn sha256(models: &Path, role: Role) -> Outcome<String> {
    let role = role.to_string();
    let manifest: toml::Table = fs::read_to_string(models.join("models.toml"))?.parse()?;
    let listed = manifest.get("model").and_then(|m| m.as_array()).ok_or("no models")?;
    let model =
        listed.iter().find(|m| m.get("role").and_then(|r| r.as_str()) == Some(role.as_str()));
    let sha256 = model.and_then(|m| m.get("sha256")).and_then(|s| s.as_str());
    Ok(sha256.ok_or("no such model")?.to_string())
}

/// `Name/Name_0001.jpg` for every picture.
fn pictures(folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for person in fs::read_dir(folder)? {
        let person = person?;
        if !person.file_type()?.is_dir() {
            continue;
        }
        for picture in fs::read_dir(person.path())? {
            let (person, picture) = (person.file_name(), picture?.file_name());
            names.push(format!("{}/{}", person.display(), picture.display()));
        }
    }
    names.sort();
    Ok(names)
}

fn describe<'a>(
    engine: &Engine,
    folder: &Path,
    names: &'a [String],
) -> Vec<(String, Result<Face, &'static str>)> {
    let one = |name: &'a String| (name.clone(), face(engine, &folder.join(name)));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let parts = names.chunks(names.len().div_ceil(workers).max(1));
        let running: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn face(engine: &Engine, path: &Path) -> Result<Face, &'static str> {
    let bytes = fs::read(path).map_err(|_| "unreadable")?;
    let image = portrait::decode(&bytes).map_err(|e| e.code())?;
    let faces = engine.analyse_each(&image).map_err(|e| e.code())?;
    let (right, low) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    let off = |Face { bounds, .. }: &Face| {
        (bounds.x + bounds.width / 2.0 - right).hypot(bounds.y + bounds.height / 2.0 - low)
    };
    let nearest = faces.into_iter().min_by(|one, other| off(one).total_cmp(&off(other)));
    nearest.ok_or("face.not_found")
}

fn same_people(pairs: &str, faces: &BTreeMap<String, Face>) -> Vec<Agreement> {
    let same = pairs.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let label = parts.next()?;
        let (a, b) = (faces.get(parts.next()?)?, faces.get(parts.next()?)?);
        (label == "1").then(|| a.template.agreement(&b.template))
    });
    same.collect()
}

fn different_people(faces: &BTreeMap<String, Face>) -> Vec<Agreement> {
    let person = |name: &str| name.split('/').next().unwrap_or_default().to_string();
    let all: Vec<_> = faces.iter().map(|(name, face)| (person(name), face)).collect();
    let mut agreements = Vec::new();
    for (i, (person, face)) in all.iter().enumerate() {
        let others = all.iter().skip(i + 1).filter(|(other, _)| other != person);
        agreements.extend(others.map(|(_, other)| face.template.agreement(&other.template)));
    }
    agreements
}
