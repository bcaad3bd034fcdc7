//! The record that an identity rests on (H2, H3), filled from what the case holds. No portrait and
//! no picture of the person is in it (D8).

use super::AppError;
use super::document::Chip;
use crate::storage::{Enrolment, Tx};
use enroll_core::case::Case;
use enroll_core::evidence::{self, Record};
use mrz::Mrz;
use nfc::passive::Report;
use nfc::trust::Domain;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::{Date, OffsetDateTime};

/// What a decision rests on.
pub(super) struct Basis<'a> {
    pub(super) enrolment: &'a Enrolment,
    pub(super) chip: &'a Chip,
    pub(super) report: &'a Report,
    pub(super) dg1: Option<&'a Mrz>,
    /// How the person was proved.
    pub(super) method: &'static str,
    pub(super) models: BTreeMap<String, String>,
    /// The day as of which `report` was made, and the domain of its trust store.
    pub(super) judged: (Date, Domain),
    pub(super) now: OffsetDateTime,
}

impl Basis<'_> {
    /// The record as JSON.
    ///
    /// # Errors
    /// If the keyed hash cannot be made.
    pub(super) fn record(&self, tx: &Tx) -> Result<Value, AppError> {
        let record = Record {
            version: evidence::VERSION,
            enrolment: self.enrolment.id.to_string(),
            completed_at: self.now,
            judged_on: self.judged.0,
            method: self.method.to_owned(),
            software: concat!("indrul ", env!("CARGO_PKG_VERSION")).to_owned(),
            document: self.document(tx)?,
            access: self.chip.access.clone(),
            signer: json!(self.report.signer()),
            csca: json!(self.report.csca()),
            basis: evidence::Basis::of(self.report, self.judged.1),
            checks: self.enrolment.record.checks().to_vec(),
            files: evidence::kept(&self.chip.files()),
            active_authentication: self.chip.answer.clone(),
            models: self.models.clone(),
        };
        serde_json::to_value(&record).map_err(AppError::internal)
    }

    fn document(&self, tx: &Tx) -> Result<Value, AppError> {
        let Some(dg1) = self.dg1 else { return Ok(Value::Null) };
        let fields = dg1.fields();
        let hash = tx.keyed_hash("document", document_key(dg1).as_bytes())?;
        Ok(json!({
            "issuer": fields.issuer,
            "number_hash": hex::encode(hash),
            "code": fields.document_code,
            "expires": fields.expiry_date.as_str(),
        }))
    }
}

/// How an open case that is decided without an officer proves the person.
pub(super) fn method(case: &Case) -> &'static str {
    if case.visit().is_some() { "kiosk_chip_and_face" } else { "self_service_chip_and_face" }
}

/// Issuer and number name a document.
pub(super) fn document_key(dg1: &Mrz) -> String {
    format!("{}|{}", dg1.fields().issuer, dg1.fields().document_number)
}
