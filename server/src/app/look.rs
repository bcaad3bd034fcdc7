//! Looking through a camera: frames that advise the person before anything is decided (D4).
//!
//! A page is read from the frames of one video, and that is one try, however many they are; a face is
//! only judged for its quality, which is no try at all. What the page's frames have shown so far is kept
//! in this process: it is lost with it, and the video begins anew.

use super::page::Read;
use super::{Access, App, AppError};
use crate::ids::EnrolmentId;
use crate::inference::Busy;
use enroll_core::findings::page;
use enroll_core::reason::{ReasonCode, Step};
use mrz::reader::{Advice, MrzReader, Reading};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Frames of one video: two minutes at five a second.
const MOST_FRAMES: u32 = 600;
/// A video without frames for so long is over.
const IDLE: Duration = Duration::from_secs(60);
/// A frame that is looked at for so long was left behind by its client.
const LEFT: Duration = Duration::from_secs(5);
/// Videos remembered at once.
const MOST_VIDEOS: usize = 1024;

/// What a frame of the page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageLook {
    /// The page is read for sure, and kept.
    Read,
    /// Lines are seen, but not for sure; what would help, if that is known.
    Unsure(Option<Advice>),
    /// No lines are seen; what would help, if that is known.
    NotFound(Option<Advice>),
}

/// The frames of one page so far.
struct Video {
    reader: MrzReader,
    /// The record's version when it began.
    version: i64,
    frames: u32,
}

/// A video of a case, or nothing while a frame of it is looked at.
struct Slot {
    video: Option<Video>,
    used: Instant,
}

/// The videos under way.
#[derive(Default)]
pub(super) struct Videos(Mutex<HashMap<EnrolmentId, Slot>>);

impl Videos {
    /// Takes the video of `id` out; nothing if there is none, or if it has had its frames.
    fn take(&self, id: EnrolmentId, now: Instant) -> Result<Option<Video>, Busy> {
        let mut videos = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        videos.retain(|_, slot| now.duration_since(slot.used) < IDLE);
        if videos.len() >= MOST_VIDEOS && !videos.contains_key(&id) {
            return Err(Busy { after: IDLE });
        }
        let found = match videos.get_mut(&id) {
            Some(slot) => match slot.video.take() {
                None if now.duration_since(slot.used) < LEFT => {
                    return Err(Busy { after: Duration::from_millis(200) });
                }
                video => video,
            },
            None => None,
        };
        videos.insert(id, Slot { video: None, used: now });
        Ok(found.filter(|video| video.frames < MOST_FRAMES))
    }

    /// Puts a video back, or ends it.
    fn put(&self, id: EnrolmentId, video: Option<Video>, now: Instant) {
        let mut videos = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match video {
            Some(video) => videos.insert(id, Slot { video: Some(video), used: now }),
            None => videos.remove(&id),
        };
    }
}

impl App {
    /// Looks at the next frame of the page. The first of a video counts as a try; the one with which
    /// the page is sure is kept as [`App::page`] keeps a picture.
    ///
    /// # Errors
    /// `mrz.picture.*` for what is no picture; `case.*` if it is not its turn; [`AppError::Busy`] also
    /// while another frame of the case is looked at.
    pub async fn look_at_page(&self, access: Access, frame: Vec<u8>) -> Result<PageLook, AppError> {
        let id = access.id();
        let place = self.inference.reserve()?;
        let known = self.videos.take(id, Instant::now())?;
        let video = match known {
            Some(video) => Ok(video),
            None => self.count_page(access).await.map(|version| Video {
                reader: self.parts.mrz.fresh(),
                version,
                frames: 0,
            }),
        };
        let looked = match video {
            Ok(video) => place.run(move || video.look(&frame)).await.map_err(AppError::from),
            Err(error) => Err(error),
        };
        let (video, reading) = looked.inspect_err(|_| self.videos.put(id, None, Instant::now()))?;
        let version = video.version;
        let reading = match reading {
            Ok(reading) => reading,
            Err(reason) => {
                self.videos.put(id, Some(video), Instant::now());
                return Err(AppError::Reason(reason));
            }
        };
        match sure(&reading) {
            Some(read) => {
                self.videos.put(id, None, Instant::now());
                self.keep_page(access, version, read).await?;
                Ok(PageLook::Read)
            }
            None => {
                self.videos.put(id, Some(video), Instant::now());
                let advice = reading.advice.first().copied();
                let found = reading.found();
                Ok(if found { PageLook::Unsure(advice) } else { PageLook::NotFound(advice) })
            }
        }
    }

    /// What to mend before `frame` can be taken as the picture of the face; nothing if it can.
    ///
    /// # Errors
    /// `case.*` if it is not the face's turn; [`AppError::Busy`].
    pub async fn look_at_face(
        &self,
        access: Access,
        frame: Vec<u8>,
    ) -> Result<Option<ReasonCode>, AppError> {
        let place = self.inference.reserve()?;
        let (tx, enrolment) = self.load(access).await?;
        // Only asks whether a face may be taken now: taking it counts the try.
        enrolment.record.case.attempt(Step::Face, &self.policy, self.now())?;
        drop(tx);
        let faces = self.parts.faces.clone();
        Ok(place.run(move || faces.advice(&frame)).await?)
    }
}

impl Video {
    fn look(mut self, frame: &[u8]) -> (Self, Result<Reading, ReasonCode>) {
        let picture = match mrz::picture::decode(frame) {
            Ok(picture) => picture,
            Err(error) => return (self, Err(ReasonCode::nearest(error.code()))),
        };
        self.frames += 1;
        let reading = self.reader.push(&picture);
        (self, Ok(reading))
    }
}

/// What is kept of a reading that leaves no doubt.
fn sure(reading: &Reading) -> Option<Read> {
    let found = reading.mrz.clone().filter(|_| reading.valid)?;
    let checks = vec![page::check_digits(&found), page::confidence(reading.confidence, true)];
    Some((found, checks))
}
