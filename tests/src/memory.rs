//! The whole enrolment in this process: the service's use cases called directly, the chip driven
//! by the reader without a socket between them.

use std::sync::Arc;

use enroll_core::reason::ReasonCode;
use fixtures::{chip::Chip, passport::Passport};
use nfc::{
    link,
    random::SystemRandom,
    reader::{self, AccessKey, Limits, ReadError, ReadRequest},
};
use serde_json::json;
use server::app::{Access, App, AppError, Page};

use crate::{chip_link::ChipLink, report::Judgement, station::Station};

/// What stopped an enrolment in memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// A step was refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// The service did not take what a client may say.
    #[error(transparent)]
    Start(#[from] serde_json::Error),
    /// The fixture's data page could not be drawn.
    #[error(transparent)]
    Page(#[from] fixtures::page::PageError),
}

/// Enrols the presenter of `passport`.
///
/// # Errors
/// [`MemoryError`] if a step could not be taken; a refusal is a result.
pub fn enrol(station: &Station, passport: &Passport) -> Result<Judgement, MemoryError> {
    let page = passport.page_png()?;
    station.runtime.block_on(async {
        let app = &station.app;
        let access = start(app, passport).await?;
        app.page(access, Page::Picture(page)).await?;
        read_chip(station, access, passport).await?;
        if let Some(selfie) = passport.selfies.first() {
            match Arc::clone(app).face(access, selfie.clone()).await {
                // A case whose document was not proved takes no face; finishing says why.
                Err(AppError::Reason(ReasonCode::CASE_STATE)) => {}
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

async fn read_chip(
    station: &Station,
    access: Access,
    passport: &Passport,
) -> Result<(), MemoryError> {
    let start = station.app.chip_start(access).await?;
    let request = ReadRequest {
        key: AccessKey::Mrz(start.key),
        trust: Arc::clone(&station.trust),
        at: start.today,
        aa_challenge: start.challenge,
        limits: Limits::default(),
        random: Box::new(SystemRandom),
    };
    let mut link = ChipLink(Chip::new(passport));
    match link::drive::<_, ReadError>(reader::start(request), &mut link) {
        Ok(reading) => drop(station.app.chip_read(access, Box::new(reading)).await?),
        Err(error) => drop(station.app.chip_failed(access, error.reason().into()).await?),
    }
    Ok(())
}
