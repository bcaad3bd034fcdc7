//! Starting an enrolment: consent (A1, A2) and a personal number (A4).

use super::subject::Subject;
use super::{App, AppError};
use crate::ids::EnrolmentId;
use crate::record::Record;
use crate::storage::Enrolment;
use enroll_core::case::{Case, Consent};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

/// What a person says to begin.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What the person has agreed to.
    consent: Agreed,
    /// Personal number, ten digits, with or without a hyphen.
    #[schema(example = "0101900000", pattern = "^[0-9]{6}-?[0-9]{4}$")]
    #[serde(default)]
    cpr: Option<String>,
    /// Or a P-code from a Borgercenter, eight digits.
    #[schema(example = "12345678", pattern = "^[0-9]{8}$")]
    #[serde(default)]
    p_code: Option<String>,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Start({:?})", self.consent)
    }
}

/// Consent as it is given.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Agreed {
    /// The version of terms, precautions and privacy text that was accepted.
    #[schema(example = "2026-02")]
    terms_version: String,
    /// Whether the face may be recognised; if not, a Borgercenter goes on with the case.
    biometrics: bool,
    /// Language in which it was read.
    language: Language,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Language {
    Da,
    En,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Da => "da",
            Self::En => "en",
        }
    }
}

/// A started enrolment.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Started {
    /// Its identifier.
    #[schema(value_type = String)]
    pub id: EnrolmentId,
    /// The bearer token for it: shown once, kept as a hash.
    pub token: String,
    /// Where it stands.
    #[schema(example = "consented")]
    pub state: &'static str,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Started({})", self.id)
    }
}

/// What a person starts with (A4).
enum Given {
    /// Ten digits.
    Cpr(String),
    /// A P-code, as it was typed.
    PCode(Zeroizing<String>),
}

/// Either a personal number or a P-code.
fn given(start: &Start) -> Result<Given, AppError> {
    match (&start.cpr, &start.p_code) {
        (Some(cpr), None) => digits(cpr).map(Given::Cpr).ok_or(AppError::Malformed),
        (None, Some(code)) => Ok(Given::PCode(Zeroizing::new(code.clone()))),
        _ => Err(AppError::Malformed),
    }
}

/// The ten digits of a personal number, or `None`.
pub(super) fn digits(cpr: &str) -> Option<String> {
    let plain = match cpr.split_once('-') {
        Some((date, rest)) if date.len() == 6 => format!("{date}{rest}"),
        Some(_) => return None,
        None => cpr.to_owned(),
    };
    (plain.len() == 10 && plain.bytes().all(|b| b.is_ascii_digit())).then_some(plain)
}

impl App {
    /// Starts an enrolment. Without consent to biometrics it goes on at a Borgercenter (A2).
    ///
    /// # Errors
    /// [`AppError::Malformed`] for what is no personal number, or not one of number and P-code;
    /// `p_code.invalid`; `case.consent` for stale terms.
    pub async fn start(&self, start: Start) -> Result<Started, AppError> {
        let given = given(&start)?;
        let now = self.now();
        let consent = Consent {
            terms_version: start.consent.terms_version,
            biometrics: start.consent.biometrics,
            language: start.consent.language.name().to_owned(),
            at: now,
        };
        let case = Case::start(&self.policy, now).consent(consent, &self.case.terms_version)?;
        let (token, token_hash) = self.token()?;
        let id = EnrolmentId::random(self.parts.entropy.as_ref())?;
        let mut record = Record::new(case);
        if !record.case.allows_biometrics() {
            record.refer(vec![ReasonCode::CONSENT_BIOMETRICS], &self.policy, now)?;
        }
        let (state, expires) = (record.case.name(), record.case.deadline);
        let enrolment = Enrolment { id, token_hash, record, version: 0, created: now, expires };
        let mut tx = self.parts.store.begin().await?;
        let (subject, p_code) = match given {
            Given::Cpr(cpr) => (Subject::Cpr(Zeroizing::new(cpr)), None),
            Given::PCode(code) => {
                let (subject, p_code) = self.start_with(&mut tx, &code).await?;
                (subject, Some(p_code))
            }
        };
        tx.insert_enrolment(&enrolment).await?;
        self.keep_subject(&mut tx, id, (&subject, p_code)).await?;
        let terms = &self.case.terms_version;
        tx.audit(self.event(
            "case.started",
            id,
            json!({ "terms_version": terms, "state": state, "p_code": p_code }),
        ))
        .await?;
        tx.commit().await?;
        tracing::info!(enrolment = %id, "started");
        Ok(Started { id, token, state })
    }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_personal_number_has_ten_digits() {
        assert_eq!(digits("0101900000").as_deref(), Some("0101900000"));
        assert_eq!(digits("010190-0000").as_deref(), Some("0101900000"));
        for bad in ["", "010190", "01019-00000", "010190000a", "01019000000", "010190--000"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
