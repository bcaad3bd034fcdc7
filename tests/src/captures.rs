//! `fixtures captures`: simulated captures of the face challenge before the engine that judges them.
//!
//! Wiring and trend, not certification: see `fixtures::capture`.

use std::{collections::BTreeMap, fmt, fs, ops::Range, path::Path};

use fixtures::{
    capture::{self, Capture, Cast, Scene, Species},
    portraits::Portraits,
};
use liveness::{
    Engine, FaceError,
    challenge::{Arrival, Evidence, Frame, Judgement, Nonce, Refusal, Script},
};
use openssl::sha::sha256;
use serde::Serialize;
use serde_json::json;

/// The size of the pictures.
const SIZE: (u16, u16) = (300, 400);

/// Why captures cannot be made or judged.
#[derive(Debug, thiserror::Error)]
pub enum CapturesError {
    /// The portraits.
    #[error(transparent)]
    Portraits(#[from] fixtures::portraits::PortraitError),
    /// A capture could not be made.
    #[error(transparent)]
    Capture(#[from] capture::CaptureError),
    /// A portrait is not found in.
    #[error("no face was found in {file}")]
    Face {
        /// Which.
        file: &'static str,
        /// Why.
        source: FaceError,
    },
    /// The script is not as the page describes it.
    #[error("the script is not as a client expects it")]
    Script(#[from] serde_json::Error),
    /// There are fewer than two portraits.
    #[error("two portraits are needed")]
    TooFew,
    /// A file cannot be written.
    #[error("the capture cannot be written")]
    Write(#[from] std::io::Error),
}

/// The people to film and the engine that judges.
pub struct Studio {
    engine: Engine,
    scenes: Vec<(&'static str, Scene)>,
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Studio").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// One capture judged.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// What it is.
    pub species: &'static str,
    /// Whose picture it is made of.
    pub portrait: &'static str,
    /// Which of its kind.
    pub seed: u64,
    /// Whether it was accepted.
    pub accepted: bool,
    /// Whether that is as expected.
    pub right: bool,
    /// Why it was refused, each reason once.
    pub refusals: Vec<Refusal>,
    /// What was measured.
    pub evidence: Evidence,
}

/// A challenge and what was uploaded for it.
struct Taken {
    nonce: [u8; 32],
    script: Script,
    capture: Capture,
}

impl Studio {
    /// With the real portraits.
    ///
    /// # Errors
    /// [`CapturesError`].
    pub fn new(engine: Engine, portraits: &Portraits) -> Result<Self, CapturesError> {
        let mut scenes = Vec::new();
        for (file, picture) in portraits.each(SIZE.0, SIZE.1)? {
            let face = |source| CapturesError::Face { file, source };
            let points = engine.landmarks(&picture).map_err(face)?;
            let none = CapturesError::Face { file, source: FaceError::NotFound };
            scenes.push((file, Scene::new(&picture, &points).ok_or(none)?));
        }
        Ok(Self { engine, scenes })
    }

    /// The place of a portrait's file among those that are filmed.
    #[must_use]
    pub fn portrait(&self, file: &str) -> Option<usize> {
        self.scenes.iter().position(|(name, _)| *name == file)
    }

    /// Each species of each portrait, or of one, with each seed, told as soon as it is judged.
    ///
    /// # Errors
    /// [`CapturesError`].
    pub fn each(
        &self,
        species: &[Species],
        portrait: Option<&str>,
        seeds: Range<u64>,
        mut then: impl FnMut(Judged),
    ) -> Result<(), CapturesError> {
        let wanted = |file: &str| portrait.is_none_or(|name| name == file);
        let portraits: Vec<usize> =
            (0..).zip(&self.scenes).filter(|(_, (file, _))| wanted(file)).map(|(i, _)| i).collect();
        for species in species {
            for portrait in &portraits {
                for seed in seeds.clone() {
                    then(self.one(*species, *portrait, seed)?);
                }
            }
        }
        Ok(())
    }

    /// Makes and judges one capture of a portrait, counted from 0.
    ///
    /// # Errors
    /// [`CapturesError`].
    pub fn one(
        &self,
        species: Species,
        portrait: usize,
        seed: u64,
    ) -> Result<Judged, CapturesError> {
        let taken = self.take(species, portrait, seed)?;
        let Judgement { refusals, evidence, .. } = self.judge(&taken);
        let accepted = refusals.is_empty();
        let right = accepted == (species.is_genuine() || species.is_known_to_pass());
        let portrait = self.scenes.get(portrait).ok_or(CapturesError::TooFew)?.0;
        let species = species.name();
        Ok(Judged { species, portrait, seed, accepted, right, refusals, evidence })
    }

    fn take(&self, species: Species, portrait: usize, seed: u64) -> Result<Taken, CapturesError> {
        let drawn = |what: &str| sha256(format!("{what} {portrait} {seed}").as_bytes());
        let (nonce, script) = (drawn("nonce"), self.engine.draw_challenge(&drawn("script")));
        let capture = self.answer(species, portrait, seed, (&nonce, &script))?;
        Ok(Taken { nonce, script, capture })
    }

    /// What a client uploads that answers a nonce and a script, of a portrait counted from 0.
    ///
    /// # Errors
    /// [`CapturesError`].
    pub fn answer(
        &self,
        species: Species,
        portrait: usize,
        seed: u64,
        (nonce, script): (&[u8; 32], &Script),
    ) -> Result<Capture, CapturesError> {
        let drawn = |what: &str| sha256(format!("{what} {portrait} {seed}").as_bytes());
        let other_script = self.engine.draw_challenge(&drawn("other script"));
        let (_, scene) = self.scenes.get(portrait).ok_or(CapturesError::TooFew)?;
        let other = (portrait + 1) % self.scenes.len();
        let (_, other) =
            self.another(portrait).or(self.scenes.get(other)).ok_or(CapturesError::TooFew)?;
        let cast = Cast {
            scene,
            other,
            script: &client_script(script)?,
            other_script: &client_script(&other_script)?,
            nonce,
        };
        Ok(species.make(&cast, seed * 1000 + portrait as u64)?)
    }

    /// A picture of somebody else: the files' names tell people apart.
    fn another(&self, portrait: usize) -> Option<&(&'static str, Scene)> {
        let own = person(self.scenes.get(portrait)?.0);
        self.scenes.iter().find(|(file, _)| person(file) != own)
    }

    fn judge(&self, taken: &Taken) -> Judgement {
        let Taken { nonce, script, capture } = taken;
        let nonce = Nonce::new(*nonce);
        let frames: Vec<Frame<'_>> = capture.shots.iter().map(frame).collect();
        let arrival = Arrival { nonce: &nonce, script, after_ms: capture.after_ms };
        self.engine.judge_challenge(&arrival, &frames)
    }

    /// Writes one capture as `enroll face challenge` reads it.
    ///
    /// # Errors
    /// [`CapturesError`].
    pub fn write(&self, species: Species, seed: u64, folder: &Path) -> Result<(), CapturesError> {
        let Taken { nonce, script, capture } = self.take(species, 0, seed)?;
        fs::create_dir_all(folder)?;
        let mut frames = Vec::new();
        for shot in &capture.shots {
            let file = format!("{:03}.jpg", shot.number);
            fs::write(folder.join(&file), &shot.picture)?;
            let tag = hex::encode(shot.tag);
            let (number, at_ms) = (shot.number, shot.at_ms);
            frames.push(json!({"number": number, "at_ms": at_ms, "file": file, "tag": tag}));
        }
        let nonce = hex::encode(nonce);
        let after_ms = capture.after_ms;
        let page =
            json!({"nonce": nonce, "script": script, "after_ms": after_ms, "frames": frames});
        Ok(fs::write(folder.join("challenge.json"), serde_json::to_vec_pretty(&page)?)?)
    }
}

/// The script as it goes over the wire.
fn client_script(script: &Script) -> Result<capture::Script, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(script)?)
}

fn person(file: &str) -> &str {
    file.trim_end_matches(".jpg").trim_end_matches(char::is_numeric)
}

fn frame(shot: &capture::Shot) -> Frame<'_> {
    let capture::Shot { number, at_ms, picture, tag } = shot;
    Frame { number: *number, at_ms: *at_ms, bytes: picture, tag: *tag }
}

/// A table: for each species how many were accepted, and the reasons of those refused.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<(&'static str, Row)>,
}

#[derive(Debug, Default)]
struct Row {
    judged: u32,
    accepted: u32,
    wrong: u32,
    reasons: BTreeMap<String, u32>,
}

impl Table {
    /// Counts one.
    pub fn add(&mut self, judged: &Judged) {
        if self.rows.last().is_none_or(|(species, _)| *species != judged.species) {
            self.rows.push((judged.species, Row::default()));
        }
        let Some((_, row)) = self.rows.last_mut() else { return };
        row.judged += 1;
        row.accepted += u32::from(judged.accepted);
        row.wrong += u32::from(!judged.right);
        let mut names: Vec<String> = judged.refusals.iter().map(reason).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *row.reasons.entry(name).or_default() += 1;
        }
    }

    /// Whether all were judged rightly.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.rows.iter().all(|(_, row)| row.wrong == 0)
    }
}

/// The name of a refusal without its number.
fn reason(refusal: &Refusal) -> String {
    let value = serde_json::to_value(refusal).unwrap_or_default();
    value.get("reason").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:22}{:>9}  refused for", "species", "accepted")?;
        for (species, row) in &self.rows {
            let reasons: Vec<String> =
                row.reasons.iter().map(|(name, count)| format!("{name} {count}")).collect();
            let accepted = format!("{}/{}", row.accepted, row.judged);
            writeln!(f, "{species:22}{accepted:>9}  {}", reasons.join(", "))?;
        }
        write!(f, "simulated captures: wiring and trend, no measure of people or of real attacks")
    }
}
