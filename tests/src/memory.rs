//! The whole enrolment in this process: the service's use cases called directly, the chip driven
//! by the reader without a socket between them. A lost link is taken up again as the relay does.

use std::sync::Arc;

use enroll_core::reason::ReasonCode;
use fixtures::{chip::Chip, passport::Passport};
use nfc::{
    link::{Link, LinkError, Protocol as _, Step},
    random::SystemRandom,
    reader::{
        self, AccessKey, AccessPolicy, ChipReading, Kept, Limits, ReadError, ReadPassport,
        ReadRequest,
    },
};
use serde_json::json;
use server::{
    app::{Access, App, AppError, ChipStart, Page},
    relay::wire::Hello,
    relay_client::Reader as _,
};

use crate::{chip_link::ChipLink, citizen, report::Judgement, station::Station};

/// What stopped an enrolment in memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// A step was refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// The service did not take what a client may say.
    #[error(transparent)]
    Start(#[from] serde_json::Error),
    /// The chip could not be started.
    #[error("the chip cannot be started")]
    Chip(#[source] LinkError),
    /// The fixture's data page could not be drawn.
    #[error(transparent)]
    Page(#[from] fixtures::page::PageError),
}

/// Enrols the presenter of `passport`.
///
/// # Errors
/// [`MemoryError`] if a step could not be taken; a refusal is a result.
pub fn enrol(station: &Station, passport: &Passport) -> Result<Judgement, MemoryError> {
    let page = match citizen::is_read_from_a_picture(passport) {
        true => Page::Picture(passport.page_png()?),
        false => Page::Typed(passport.mrz_lines.to_vec()),
    };
    station.runtime.block_on(async {
        let app = &station.app;
        let access = start(app, passport).await?;
        match app.page(access, page).await {
            Err(AppError::Reason(reason)) => return Ok(Judgement::stopped_by(reason)),
            other => drop(other?),
        }
        if let Err(reason) = read_chip(station, access, passport).await? {
            return Ok(Judgement::stopped_by(reason));
        }
        if let Some(selfie) = passport.selfies.first() {
            match Arc::clone(app).face(access, selfie.clone()).await {
                // No face is taken of a case whose document was not proved, and a picture may be
                // unfit: finishing says so.
                Err(AppError::Reason(_)) => {}
                other => drop(other?),
            }
        }
        let end = Arc::clone(app).finish(access).await?;
        let reasons = end.reasons.into_iter().map(|r| r.code).collect();
        Ok(Judgement { verdict: end.verdict.to_owned(), reasons })
    })
}

async fn start(app: &App, passport: &Passport) -> Result<Access, MemoryError> {
    let start = serde_json::from_value(json!({
        "consent": {"terms_version": app.terms_version(), "biometrics": true, "language": "da"},
        "cpr": passport.holder.cpr,
    }))?;
    let started = app.start(start).await?;
    Ok(app.authorise(&started.id.to_string(), &started.token).await?)
}

/// How often the chip may be started, as over the relay.
const STARTS: usize = 10;

/// Reads the chip; `Err` within says why it could not be read.
async fn read_chip(
    station: &Station,
    access: Access,
    passport: &Passport,
) -> Result<Result<(), ReasonCode>, MemoryError> {
    let app = &station.app;
    let mut link = ChipLink(Chip::new(passport));
    let mut kept = Kept::default();
    for _ in 0..STARTS {
        let hello = link.start().map_err(MemoryError::Chip)?;
        let start = match app.chip_start(access).await {
            Err(AppError::Reason(reason)) => return Ok(Err(reason)),
            other => other?,
        };
        match read(reader::resume(request(station, start, &hello), kept), &mut link) {
            Turn::Read(reading) => {
                return Ok(app.chip_read(access, reading).await.map(|_| Ok(()))?);
            }
            Turn::Failed(error) => {
                let reason = ReasonCode::from(error.reason());
                app.chip_failed(access, reason).await?;
                return Ok(Err(reason));
            }
            Turn::Lost(files) => {
                app.chip_lost(access).await?;
                kept = files;
            }
        }
    }
    app.chip_failed(access, ReasonCode::CHIP_LINK_LOST).await?;
    Ok(Err(ReasonCode::CHIP_LINK_LOST))
}

/// What came of one start of the chip.
enum Turn {
    Read(Box<ChipReading>),
    Failed(ReadError),
    Lost(Kept),
}

fn read(mut step: Step<ReadPassport, ChipReading>, link: &mut dyn Link) -> Turn {
    loop {
        let (batch, state) = match step {
            Step::Done(reading) => return Turn::Read(Box::new(reading)),
            Step::Transmit(batch, state) => (batch, state),
        };
        let next = match link.transmit(&batch) {
            Ok(replies) => state.step(replies),
            Err(error) => match error.clone().into_replies() {
                Some(replies) => return Turn::Lost(state.link_lost(replies)),
                None => Err(error.into()),
            },
        };
        step = match next {
            Ok(step) => step,
            Err(error) => return Turn::Failed(error),
        };
    }
}

fn request(station: &Station, start: ChipStart, hello: &Hello) -> ReadRequest {
    ReadRequest {
        key: AccessKey::Mrz(start.key),
        trust: Arc::clone(&station.trust),
        at: start.today,
        aa_challenge: start.challenge,
        limits: Limits {
            max_command: hello.max_command,
            max_response: hello.max_response,
            extended: hello.extended_length,
        },
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    }
}
