//! The face challenge: drawn by the server, answered by pictures bound to it, judged once (D3).
//! What a client does is in docs/face-challenge.md. No picture and no template is stored.

use super::face::portrait_of;
use super::view::View;
use super::{Access, App, AppError};
use crate::clock::{copenhagen_date, random};
use crate::metrics::cpu::Work;
use enroll_core::reason::{ReasonCode, Step};
use liveness::challenge::Script;
use nfc::files::FileId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The name of the sealed row that a drawn challenge waits in.
const ROW: &str = "face-challenge";

/// What the person does and what the screen shows meanwhile.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FaceChallenge {
    /// What the pictures are bound to: 64 hexadecimal digits, for one capture.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub nonce: String,
    /// Turns of the head and colours of the screen, with their times.
    #[schema(value_type = Object)]
    pub script: Script,
}

impl std::fmt::Debug for FaceChallenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaceChallenge(…)")
    }
}

/// The pictures that answer a challenge, in their order.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    frames: Vec<CapturedFrame>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capture({} frames)", self.frames.len())
    }
}

/// One picture of a capture.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CapturedFrame {
    /// Its place, from 0.
    number: u32,
    /// When it was taken: milliseconds since the script began to play.
    at_ms: u32,
    /// What binds it to those before it: 64 hexadecimal digits.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    tag: String,
    /// The JPEG file, in base64.
    #[schema(
        content_encoding = "base64",
        pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
    )]
    picture: String,
}

/// A challenge as it waits for its answer.
#[derive(Serialize, Deserialize)]
struct Drawn {
    nonce: String,
    script: Script,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// A capture with the challenge that it has to answer, for the instrument that judges it.
pub struct Answered {
    /// What the frames are bound to.
    pub nonce: Zeroizing<[u8; 32]>,
    /// What was to be done.
    pub script: Script,
    /// Milliseconds from drawing the challenge to having all frames.
    pub after_ms: u64,
    /// The pictures in the order of the upload.
    pub frames: Vec<Answer>,
}

/// One picture of a capture, read.
pub struct Answer {
    /// Its place, from 0.
    pub number: u32,
    /// Milliseconds since the script began to play.
    pub at_ms: u32,
    /// What binds it to those before it.
    pub tag: [u8; 32],
    /// The JPEG file.
    pub picture: Vec<u8>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answered({} frames)", self.frames.len())
    }
}

impl Answered {
    fn new(drawn: Drawn, capture: Capture, now: OffsetDateTime) -> Result<Self, AppError> {
        let frames = capture.frames.into_iter().map(CapturedFrame::read);
        let mut nonce = Zeroizing::new([0; 32]);
        hex::decode_to_slice(&drawn.nonce, nonce.as_mut()).map_err(AppError::internal)?;
        // A clock that was set back counts as no time at all: too early.
        let after_ms = u64::try_from((now - drawn.at).whole_milliseconds()).unwrap_or(0);
        let frames = frames.collect::<Option<_>>().ok_or(AppError::Malformed)?;
        Ok(Self { nonce, script: drawn.script, after_ms, frames })
    }
}

impl CapturedFrame {
    fn read(self) -> Option<Answer> {
        let mut tag = [0; 32];
        hex::decode_to_slice(&self.tag, &mut tag).ok()?;
        let picture = openssl::base64::decode_block(&self.picture).ok()?;
        Some(Answer { number: self.number, at_ms: self.at_ms, tag, picture })
    }
}

impl App {
    /// Draws a challenge; an earlier one of the case is worth nothing from now on. That is one of the
    /// face's tries, answered or not.
    ///
    /// # Errors
    /// `case.*` if it is not the face's turn or it was tried too often.
    pub async fn draw_challenge(&self, access: Access) -> Result<FaceChallenge, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        let now = self.now();
        // The draw spends the try: who could draw again and again would wait for a script that an
        // old capture answers.
        enrolment.record.advance(|case| case.attempt(Step::Face, &self.policy, now))?;
        let entropy = self.parts.entropy.as_ref();
        let (seed, nonce): ([u8; 32], [u8; 32]) = (random(entropy)?, random(entropy)?);
        let script =
            self.parts.faces.draw(&seed).ok_or(AppError::Reason(ReasonCode::FACE_MODEL))?;
        let drawn = Drawn { nonce: hex::encode(nonce), script, at: now };
        let bytes = Zeroizing::new(serde_json::to_vec(&drawn).map_err(AppError::internal)?);
        tx.put(access.id(), ROW, &bytes).await?;
        tx.save(&enrolment).await?;
        tx.audit(self.event("face.challenge", access.id(), json!({}))).await?;
        tx.commit().await?;
        Ok(FaceChallenge { nonce: drawn.nonce, script: drawn.script })
    }

    /// Takes the pictures that answer the challenge drawn last, and compares the person on them with
    /// the portrait of the proved chip. A challenge is answered once, whatever comes of it.
    ///
    /// # Errors
    /// `face.challenge` without one or where the answer is refused; as [`App::face`] otherwise.
    pub async fn capture(
        self: Arc<Self>,
        access: Access,
        capture: Capture,
    ) -> Result<View, AppError> {
        let place = self.inference.reserve()?;
        let (mut tx, enrolment) = self.load(access).await?;
        let now = self.now();
        enrolment.record.case.is_turn(Step::Face, now)?;
        let Some(drawn) = tx.get(access.id(), ROW).await? else {
            return Err(AppError::Reason(ReasonCode::FACE_CHALLENGE));
        };
        // Whatever the answer is, there is none after it: saved before anything of it is looked at.
        tx.remove(access.id(), ROW).await?;
        tx.save(&enrolment).await?;
        let files = self.chip(&mut tx, access.id()).await?.files();
        tx.commit().await?;
        let drawn: Drawn = serde_json::from_slice(&drawn).map_err(AppError::internal)?;
        let answered = Answered::new(drawn, capture, now)?;
        // Saving counted the record's version up by one.
        let version = enrolment.version + 1;
        let (faces, app) = (self.parts.faces.clone(), self.clone());
        let looked = place.run(move || {
            let proved =
                app.cpu.spend(Work::Chip, || app.prove(&files, copenhagen_date(now)).verified);
            let portrait = proved.as_ref().and_then(|lds| portrait_of(lds.get(FileId::DG2)?));
            app.cpu.spend(Work::Inference, || faces.challenged(portrait.as_deref(), &answered))
        });
        let checks = looked.await.map_err(|_| AppError::Reason(ReasonCode::FACE_MODEL))?;
        self.keep_face(access, version, checks).await
    }
}
