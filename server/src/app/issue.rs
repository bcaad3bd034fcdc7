//! Issuing an identity: one per person whatever number of enrolments leads to it (B11), signed,
//! with the evidence it rests on.

use super::evidence::Basis;
use super::identity::PublicIdentity;
use super::subject::Subject;
use super::{App, AppError};
use crate::ids::IdentityId;
use crate::storage::{self, Tx};
use enroll_core::audit::Hash;
use enroll_core::canonical;
use enroll_core::decide::Level;
use enroll_core::findings::person::PersonAnswer;
use enroll_core::identity::Identity;
use enroll_core::reason::ReasonCode;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

/// Who gets the identity.
pub(super) struct Holder<'a> {
    pub(super) identity: IdentityId,
    pub(super) person: [u8; 32],
    pub(super) document: Option<[u8; 32]>,
    pub(super) answer: Option<&'a PersonAnswer>,
}

impl App {
    /// Issues, at a level that only a decision can give (E1).
    pub(super) async fn issue(
        &self,
        tx: &mut Tx,
        level: Level,
        basis: &Basis<'_>,
        to: &Holder<'_>,
    ) -> Result<PublicIdentity, AppError> {
        let Some(PersonAnswer::Found(person)) = to.answer else {
            return Err(AppError::Reason(ReasonCode::CASE_STATE));
        };
        let evidence = basis.record(tx)?;
        let identity = Identity {
            id: to.identity.uuid(),
            issuer: self.server.issuer.clone(),
            issued_at: basis.now,
            level,
            name: format!("{} {}", person.given_names, person.surname),
            birth_date: person.birth_date,
            evidence_sha256: Hash(canonical::sha256(&evidence)),
        };
        let public = self.signed(&identity, to.identity)?;
        self.keep(tx, basis, to, &public, &evidence).await?;
        // For relying parties that may be told it, and for what the register says of protection: as long as
        // the identity may be used.
        let cpr = match self.subject(tx, basis.enrolment.id).await? {
            Subject::Cpr(cpr) => Some(cpr.to_string()),
            Subject::Known(_) => None,
        };
        let number = storage::PersonalNumber { cpr, protected: person.protected };
        tx.put_number(to.identity, &number).await?;
        let life = tx.life(to.identity).await?;
        self.keep_number(tx, to.identity, &life).await?;
        Ok(public)
    }

    fn signed(&self, identity: &Identity, id: IdentityId) -> Result<PublicIdentity, AppError> {
        Ok(PublicIdentity {
            id,
            level: identity.level.as_str().to_owned(),
            name: identity.name.clone(),
            birth_date: identity.birth_date.to_string(),
            issued_at: stamp(identity.issued_at)?,
            jws: identity.sign(self.parts.keys.as_ref())?,
        })
    }

    async fn keep(
        &self,
        tx: &mut Tx,
        basis: &Basis<'_>,
        to: &Holder<'_>,
        public: &PublicIdentity,
        evidence: &impl Serialize,
    ) -> Result<(), AppError> {
        let (enrolment, identity) = (basis.enrolment.id, to.identity);
        let record = json(public)?;
        let stored = storage::Identity { id: identity, enrolment, record };
        tx.put_identity(&stored, &to.person, basis.now).await?;
        if let Some(document) = &to.document {
            tx.put_document(document, &to.person, identity).await?;
            // Another case may have proved the document for another person meanwhile (B11).
            if tx.holder_of(document).await? != Some(to.person) {
                return Err(AppError::Reason(ReasonCode::CASE_STATE));
            }
        }
        let stored = storage::Evidence { enrolment, identity, record: json(evidence)? };
        Ok(tx.put_evidence(&stored, basis.now).await?)
    }
}

fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, AppError> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(AppError::internal)
}

fn stamp(at: OffsetDateTime) -> Result<String, AppError> {
    at.format(&Rfc3339).map_err(AppError::internal)
}
