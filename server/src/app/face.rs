//! The face: a picture of the person against the portrait of the proved chip (D1), and instructions
//! where the picture cannot be used (D4). Neither picture nor template is stored.

use super::capture::{Answer, Answered};
use super::view::View;
use super::{Access, App, AppError};
use crate::clock::copenhagen_date;
use crate::metrics::cpu::Work;
use enroll_core::check::Check;
use enroll_core::findings::face;
use enroll_core::reason::{LeadsTo, ReasonCode, Step};
use image::RgbImage;
use liveness::challenge::{Arrival, Frame, Nonce, Script};
use liveness::{Engine, ModelError, Template, portrait};
use nfc::files::FileId;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// The face instrument: what uses it is tested without models (STYLE 30).
pub trait Faces: Send + Sync {
    /// `face.detected`, `face.quality`, `face.match`, `face.morph` and `face.attack` of `picture`, compared with
    /// `portrait` where there is a proved one. Both are the bytes of picture files.
    fn checks(&self, portrait: Option<&[u8]>, picture: &[u8]) -> Vec<Check>;

    /// What the person does and the screen shows, from a random seed that stays here; nothing from an
    /// instrument that judges no captures.
    fn draw(&self, seed: &[u8; 32]) -> Option<Script> {
        let _ = seed;
        None
    }

    /// `face.challenge` of a capture, and of one that passed what [`Faces::checks`] says of the worst of
    /// the pictures that look straight.
    fn challenged(&self, portrait: Option<&[u8]>, answered: &Answered) -> Vec<Check> {
        let _ = (portrait, answered);
        vec![Check::not_performed("face.challenge", ReasonCode::FACE_MODEL, json!({}))]
    }

    /// What to mend in `picture` before it is taken; nothing if it can be.
    fn advice(&self, picture: &[u8]) -> Option<ReasonCode> {
        instruction(&self.checks(None, picture))
    }

    /// Role and SHA-256 of each model used (H2).
    fn models(&self) -> BTreeMap<String, String>;
}

/// The models of `liveness`.
#[derive(Debug)]
pub struct LoadedFaces {
    engine: Engine,
    models: BTreeMap<String, String>,
}

impl LoadedFaces {
    /// Loads the models in `folder`.
    ///
    /// # Errors
    /// [`ModelError`] if one is missing or altered.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let engine = Engine::load(folder)?;
        Ok(Self { engine, models: listed(folder) })
    }

    /// `face.match` and `face.morph` of a template with the proved portrait.
    fn compared(&self, portrait: Option<&[u8]>, live: &Template) -> [Check; 2] {
        let Some(portrait) = portrait else { return waiting("passive authentication") };
        let unknown =
            |error| [face::no_portrait(error), Check::waiting("face.morph", "face.match")];
        let Ok(picture) = portrait::decode(portrait) else { return unknown(None) };
        match self.engine.analyse(&picture) {
            Ok(known) => [
                face::matched(&self.engine.compare(&known.template, live)),
                face::morph(&self.engine.morph(&known.template, live)),
            ],
            Err(error) => unknown(Some(&error)),
        }
    }

    /// Everything of one picture, with another template in place of its own where there is one.
    fn looked_at(
        &self,
        portrait: Option<&[u8]>,
        picture: &RgbImage,
        template: Option<&Template>,
    ) -> Vec<Check> {
        let found = self.engine.analyse(picture);
        let mut checks = face::of_picture(found.as_ref());
        match &found {
            Ok(live) => {
                checks.extend(self.compared(portrait, template.unwrap_or(&live.template)));
                checks.push(face::attack(self.engine.attack(picture, live).as_ref()));
            }
            Err(_) => checks.extend(waiting("face.detected")),
        }
        checks
    }
}

impl Faces for LoadedFaces {
    fn checks(&self, portrait: Option<&[u8]>, picture: &[u8]) -> Vec<Check> {
        match portrait::decode(picture) {
            Ok(picture) => self.looked_at(portrait, &picture, None),
            Err(_) => {
                let mut checks = face::unreadable();
                checks.extend(waiting("face.detected"));
                checks
            }
        }
    }

    fn draw(&self, seed: &[u8; 32]) -> Option<Script> {
        Some(self.engine.draw_challenge(seed))
    }

    fn challenged(&self, portrait: Option<&[u8]>, answered: &Answered) -> Vec<Check> {
        let Answered { nonce, script, after_ms, frames } = answered;
        let nonce = Nonce::new(**nonce);
        let frames: Vec<Frame<'_>> = frames
            .iter()
            .map(|Answer { number, at_ms, tag, picture }| Frame {
                number: *number,
                at_ms: *at_ms,
                bytes: picture,
                tag: *tag,
            })
            .collect();
        let arrival = Arrival { nonce: &nonce, script, after_ms: *after_ms };
        let judgement = self.engine.judge_challenge(&arrival, &frames);
        let mut checks = vec![face::challenge(&judgement)];
        let all = Template::of(judgement.kept.iter().map(|kept| &kept.template)).ok();
        let Some(all) = all else { return checks };
        let kept = judgement.kept.iter();
        let looked = kept.map(|kept| self.looked_at(portrait, &kept.picture, Some(&all)));
        // The picture with the most against it counts: an attack needs all of them clean.
        let against =
            |checks: &Vec<Check>| checks.iter().filter(|check| !check.is_passed()).count();
        checks.extend(looked.max_by_key(against).unwrap_or_default());
        checks
    }

    /// Without the template, which is most of the work.
    fn advice(&self, picture: &[u8]) -> Option<ReasonCode> {
        let Ok(image) = portrait::decode(picture) else {
            return Some(ReasonCode::FACE_QUALITY_UNREADABLE);
        };
        match self.engine.look(&image) {
            Ok(look) => look.quality.reasons.first().map(|r| ReasonCode::nearest(r.code())),
            Err(error) => Some(ReasonCode::nearest(error.code())),
        }
    }

    fn models(&self) -> BTreeMap<String, String> {
        self.models.clone()
    }
}

/// `face.match` and `face.morph` where there is nothing to compare.
fn waiting(needs: &str) -> [Check; 2] {
    ["face.match", "face.morph"].map(|id| Check::waiting(id, needs))
}

/// Role and SHA-256 as `models.toml` lists them, which loading has just compared with the pins.
fn listed(folder: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder.join("models.toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let models = table.get("model").and_then(toml::Value::as_array);
    models
        .into_iter()
        .flatten()
        .filter_map(|model| {
            let word = |name: &str| model.get(name)?.as_str().map(ToOwned::to_owned);
            Some((word("role")?, word("sha256")?))
        })
        .collect()
}

/// The reason to ask for another picture, if the picture itself cannot be used.
fn instruction(checks: &[Check]) -> Option<ReasonCode> {
    checks
        .iter()
        .filter(|check| {
            ["face.detected", "face.quality", "face.challenge"].contains(&check.id.as_str())
        })
        .filter_map(|check| check.reason)
        .find(|reason| reason.leads_to() == LeadsTo::Retry(Step::Face))
}

impl App {
    /// Takes a picture of the face. The picture may also be taken of a case whose document is not
    /// proved: then there is nothing to compare it with, and the decision refuses.
    ///
    /// # Errors
    /// `face.*` with an instruction if the picture cannot be used; `case.*` if it is not its turn;
    /// [`AppError::Busy`], and then the try is not counted.
    pub async fn face(
        self: std::sync::Arc<Self>,
        access: Access,
        picture: Vec<u8>,
    ) -> Result<View, AppError> {
        if self.policy.requires("face.challenge") {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        let place = self.inference.reserve()?;
        let (mut tx, mut enrolment) = self.load(access).await?;
        let now = self.now();
        enrolment.record.advance(|case| case.attempt(Step::Face, &self.policy, now))?;
        tx.save(&enrolment).await?;
        let files = self.chip(&mut tx, access.id()).await?.files();
        tx.commit().await?;
        // Saving counted the record's version up by one.
        let version = enrolment.version + 1;
        let (faces, app) = (self.parts.faces.clone(), self.clone());
        let looked = place.run(move || {
            let day = copenhagen_date(now);
            let proved = app.cpu.spend(Work::Chip, || app.prove(&files, day).verified);
            let portrait = proved.as_ref().and_then(|lds| portrait_of(lds.get(FileId::DG2)?));
            app.cpu.spend(Work::Inference, || faces.checks(portrait.as_deref(), &picture))
        });
        let checks = looked.await.map_err(|_| AppError::Reason(ReasonCode::FACE_MODEL))?;
        self.keep_face(access, version, checks).await
    }

    /// Records what was found, of the case as it was when the picture was taken: if another page or
    /// chip has come in meanwhile, the face was compared with nothing that still counts.
    pub(super) async fn keep_face(
        &self,
        access: Access,
        version: i64,
        checks: Vec<Check>,
    ) -> Result<View, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        if enrolment.version != version || !enrolment.record.case.is_open() {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        if checks.iter().any(|check| check.reason == Some(ReasonCode::FACE_MODEL)) {
            return Err(AppError::Reason(ReasonCode::FACE_MODEL));
        }
        let now = self.now();
        let again = instruction(&checks);
        let record = &mut enrolment.record;
        record.findings.forget(&["face."]);
        record.findings.record_all(checks);
        // A picture that cannot be used leaves the case where it was.
        record.advance(|case| if again.is_some() { Ok(case) } else { case.face_captured(now) })?;
        tx.save(&enrolment).await?;
        tx.audit(self.event("face.taken", access.id(), json!({ "reason": again }))).await?;
        tx.commit().await?;
        match again {
            Some(reason) => Err(AppError::Reason(reason)),
            None => Ok(View::of(enrolment.id, &enrolment.record)),
        }
    }
}

/// The first portrait of a data group 2.
pub(super) fn portrait_of(dg2: &[u8]) -> Option<Vec<u8>> {
    nfc::lds::dg2::portraits(dg2).ok()?.into_iter().next().map(|portrait| portrait.bytes.to_vec())
}
