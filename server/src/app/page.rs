//! The printed page: read from a picture, or typed (B1). Its lines give the chip's access key.

use super::view::CheckView;
use super::{Access, App, AppError};
use crate::ids::EnrolmentId;
use crate::metrics::cpu::Work;
use enroll_core::check::Check;
use enroll_core::findings::page;
use enroll_core::reason::{ReasonCode, Step};
use mrz::Mrz;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// What a client has of the page.
pub enum Page {
    /// The bytes of a picture.
    Picture(Vec<u8>),
    /// Lines as a person typed them.
    Typed(Vec<String>),
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Picture(bytes) => write!(f, "Picture({} bytes)", bytes.len()),
            Self::Typed(lines) => write!(f, "Typed({} lines)", lines.len()),
        }
    }
}

/// What the page says, to the person whose page it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PageAnswer {
    /// The enrolment.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// Where it stands.
    pub state: &'static str,
    /// What was checked so far.
    pub checks: Vec<CheckView>,
    /// Format, check digits, fields and warnings, as `enroll mrz parse` prints them.
    #[schema(value_type = Object)]
    pub mrz: Value,
}

impl std::fmt::Debug for PageAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PageAnswer({}, {})", self.id, self.state)
    }
}

/// A page that was read, with its checks.
pub(super) type Read = (Mrz, Vec<Check>);

impl App {
    /// Reads the page. What the chip said before is void (B5).
    ///
    /// # Errors
    /// `mrz.*` if the page cannot be read for sure; `case.*` if it is not its turn;
    /// [`AppError::Busy`], and then the try is not counted.
    pub async fn page(&self, access: Access, page: Page) -> Result<PageAnswer, AppError> {
        let (version, read) = match page {
            Page::Picture(bytes) => {
                let place = self.inference.reserve()?;
                let version = self.count_page(access).await?;
                let (reader, cpu) = (self.parts.mrz.clone(), self.cpu.clone());
                let look = move || cpu.spend(Work::Inference, || read_picture(&reader, &bytes));
                (version, place.run(look).await?)
            }
            Page::Typed(lines) => (self.count_page(access).await?, read_typed(&lines)),
        };
        self.keep_page(access, version, read.map_err(AppError::Reason)?).await
    }

    /// Keeps what was read of the page of the case as it was at `version`.
    pub(super) async fn keep_page(
        &self,
        access: Access,
        version: i64,
        (found, checks): Read,
    ) -> Result<PageAnswer, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        if enrolment.version != version {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        }
        let now = self.now();
        enrolment.record.advance(|case| case.page_read(now))?;
        enrolment.record.findings.forget(&[""]);
        enrolment.record.findings.record_all(checks);
        let lines = Zeroizing::new(found.lines().join("\n"));
        tx.put(access.id(), "mrz", lines.as_bytes()).await?;
        self.forget_chip(&mut tx, access.id()).await?;
        tx.save(&enrolment).await?;
        tx.audit(self.event("page.read", access.id(), json!({}))).await?;
        tx.commit().await?;
        let record = &enrolment.record;
        let checks = record.checks().iter().map(CheckView::from).collect();
        let mrz = serde_json::to_value(&found).map_err(AppError::internal)?;
        Ok(PageAnswer { id: access.id(), state: record.case.name(), checks, mrz })
    }

    /// Counts the try before it is run, so that a client that leaves has still tried. Returns the
    /// record's version, by which a change meanwhile is seen.
    pub(super) async fn count_page(&self, access: Access) -> Result<i64, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        let now = self.now();
        enrolment.record.advance(|case| case.attempt(Step::Page, &self.policy, now))?;
        tx.save(&enrolment).await?;
        tx.commit().await?;
        Ok(enrolment.version + 1)
    }
}

fn read_picture(reader: &mrz::reader::MrzReader, bytes: &[u8]) -> Result<Read, ReasonCode> {
    let picture = mrz::picture::decode(bytes).map_err(|error| ReasonCode::nearest(error.code()))?;
    let reading = reader.read(&picture);
    let code = reading.reason.map(|reason| ReasonCode::nearest(reason.code()));
    match reading.mrz {
        Some(found) if reading.valid => {
            let sure = page::confidence(reading.confidence, true);
            let digits = page::check_digits(&found);
            Ok((found, vec![digits, sure]))
        }
        Some(_) => Err(code.unwrap_or(ReasonCode::MRZ_UNSURE)),
        None => Err(code.unwrap_or(ReasonCode::MRZ_NOT_FOUND)),
    }
}

fn read_typed(lines: &[String]) -> Result<Read, ReasonCode> {
    let text = Zeroizing::new(lines.join("\n"));
    let found = mrz::parse(&text).map_err(|_| ReasonCode::MRZ_FORMAT)?;
    let digits = page::check_digits(&found);
    match digits.reason {
        Some(reason) => Err(reason),
        None => Ok((found, vec![digits, page::typed()])),
    }
}
