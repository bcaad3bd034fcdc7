//! All that is kept of a person, for them to read and to take along (GDPR articles 15 and 20). No secret is in it:
//! of PINs, codes and keys only what can be public, of notices not the text, which has codes in it.

use super::super::activity::{Activity, ActivityView, What};
use super::super::queue::RulingView;
use super::super::subject::Subject;
use super::super::tell::told;
use super::super::{App, AppError, PublicIdentity};
use super::{Holder, Means, MyProfile};
use crate::ids::MessageId;
use crate::limits::Kind;
use crate::oidc::LogIn;
use crate::relay::wire::Text;
use crate::storage::{StorageError, Tx};
use enroll_core::findings::person::{PersonRecord, PersonSex};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;

/// Notices that are told of at most.
const NOTICES: i64 = 1000;
/// Activities that are told of at most.
const ACTIVITIES: usize = 100_000;

/// All that is kept of a person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Export {
    /// When this was written.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    /// The identity with its signed record.
    pub identity: PublicIdentity,
    /// The personal number, where there is one.
    pub personal_number: Option<String>,
    /// User ID, contacts, notices, language.
    pub profile: MyProfile,
    /// What the person can log in with.
    pub means: Vec<Means>,
    /// What has happened.
    pub activities: Vec<ActivityView>,
    /// Sessions that are open at relying parties.
    pub sessions: Vec<OpenSession>,
    /// Under which identifiers organisations know the person.
    pub known_to: Vec<KnownTo>,
    /// Notices to the person's apps.
    pub notices: Vec<NoticeTold>,
    /// What each issuing rested on: the record as it is proved again, with the chip's files that sign it.
    pub evidence: Vec<Value>,
    /// What officers decided and why.
    pub rulings: Vec<RulingView>,
    /// P-codes that were issued to the person.
    pub p_codes: Vec<PCodeTold>,
    /// When the person vouched for somebody else, who is not named.
    pub vouched: Vec<Vouched>,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Export({})", self.identity.id)
    }
}

/// A session that is open at a relying party.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OpenSession {
    /// Where.
    pub service: String,
    /// When the person approved.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub since: OffsetDateTime,
    /// When it ends here.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub until: OffsetDateTime,
}

/// An organisation that knows the person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KnownTo {
    /// Which.
    pub organisation: String,
    /// By what.
    pub subject: String,
}

/// A P-code that was issued to the person: not the code.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PCodeTold {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    /// By whom.
    pub officer: String,
    /// Of who has no personal number: what the officer wrote down.
    pub person: Option<WrittenDown>,
}

/// A person without a personal number, as an officer wrote them down.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WrittenDown {
    /// All given names.
    pub given_names: String,
    /// Surname.
    pub surname: String,
    /// Date of birth.
    #[schema(example = "1974-08-12")]
    pub birth_date: String,
    /// Sex.
    #[schema(value_type = String)]
    pub sex: PersonSex,
}

impl WrittenDown {
    fn of(person: PersonRecord) -> Self {
        let PersonRecord { given_names, surname, birth_date, sex, .. } = person;
        // A date is written as ISO 8601 does.
        Self { given_names, surname, birth_date: birth_date.to_string(), sex }
    }
}

impl std::fmt::Debug for WrittenDown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrittenDown(…)")
    }
}

impl std::fmt::Debug for PCodeTold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PCodeTold(…)")
    }
}

/// That the person vouched for somebody.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Vouched {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
}

/// A notice to the person's apps.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NoticeTold {
    /// Which.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    /// In a few words.
    pub subject: Text,
}

impl App {
    /// All that is kept of the person, by a fresh approval. That they asked is an activity, too. It is read with nothing
    /// held, and shown if the session still is there when that is written down.
    ///
    /// # Errors
    /// `my_page.approval`; [`AppError::Unauthorized`] where the session is over; [`AppError::TooOften`].
    pub async fn export_mine(&self, holder: &Holder) -> Result<Export, AppError> {
        self.need_fresh(holder)?;
        let id = holder.identity;
        self.spend(Kind::Export, id.as_bytes(), Instant::now())?;
        let export = self.all_of_mine(holder).await?;
        let (mut tx, _) = self.hold_mine(holder).await?;
        let activity = Activity::of(What::Exported).from(&holder.place);
        self.note(&mut tx, id, activity).await?;
        tx.audit(self.of_identity("my_page.exported", id, json!({}))).await?;
        tx.commit().await?;
        Ok(export)
    }

    async fn all_of_mine(&self, holder: &Holder) -> Result<Export, AppError> {
        let id = holder.identity;
        let mut tx = self.parts.store.read().await?;
        let profile = tx.seen_profile(id).await?;
        let found = tx.identity(id).await?.ok_or(AppError::UnknownCase)?;
        let identity: PublicIdentity =
            serde_json::from_slice(&found.record).map_err(AppError::internal)?;
        let number = tx.number(id).await?;
        let everything = (None, None);
        let known = |(organisation, subject)| KnownTo { organisation, subject };
        let vouched = tx.vouched_at(id).await?;
        Ok(Export {
            at: self.now(),
            identity,
            personal_number: number.and_then(|number| number.cpr.clone()),
            profile: MyProfile::of(&profile.details),
            means: self.means_of(&mut tx, &profile).await?,
            activities: self.activities_of(&mut tx, id, everything, ACTIVITIES).await?.activities,
            sessions: self.open_sessions(&mut tx, holder).await?,
            known_to: tx.subjects(id).await?.into_iter().map(known).collect(),
            notices: notices(&mut tx, holder).await?,
            evidence: evidence(&mut tx, holder).await?,
            rulings: rulings(&mut tx, holder).await?,
            p_codes: p_codes(&mut tx, holder).await?,
            vouched: vouched.into_iter().map(|at| Vouched { at }).collect(),
        })
    }

    async fn open_sessions(
        &self,
        tx: &mut Tx,
        holder: &Holder,
    ) -> Result<Vec<OpenSession>, AppError> {
        let mut open = Vec::new();
        for row in tx.log_ins(holder.identity, self.now()).await? {
            if let LogIn::Granted { approval, .. } = &row.state {
                let (since, until) = (approval.at, row.expires);
                open.push(OpenSession {
                    service: self.service_name(tx, &row).await?,
                    since,
                    until,
                });
            }
        }
        Ok(open)
    }
}

async fn notices(tx: &mut Tx, holder: &Holder) -> Result<Vec<NoticeTold>, AppError> {
    let impossible = || StorageError::ImpossibleRow { table: "inbox", column: "sealed" };
    let kept = tx.notices(holder.identity, NOTICES).await?;
    let view = |kept: &crate::storage::Kept| {
        let told = told(&kept.payload).ok_or_else(impossible)?;
        Ok(NoticeTold { id: kept.id, at: kept.at, subject: Text::from(&told.subject) })
    };
    kept.iter().map(view).collect()
}

async fn evidence(tx: &mut Tx, holder: &Holder) -> Result<Vec<Value>, AppError> {
    let kept = tx.evidence(holder.identity).await?;
    kept.iter()
        .map(|kept| serde_json::from_slice(&kept.record).map_err(AppError::internal))
        .map(|record| record.map(without_witness))
        .collect()
}

/// The record without who vouched for the person, who is somebody else. Only what is kept is proved again.
fn without_witness(mut record: Value) -> Value {
    let checks = record.get_mut("checks").and_then(Value::as_array_mut);
    for check in checks.into_iter().flatten() {
        if let Some(evidence) = check.get_mut("evidence").and_then(Value::as_object_mut) {
            evidence.remove("witness");
        }
    }
    record
}

/// Without who vouched for the person, who is somebody else.
async fn rulings(tx: &mut Tx, holder: &Holder) -> Result<Vec<RulingView>, AppError> {
    let mut found = Vec::new();
    for kept in tx.rulings_on(holder.identity).await? {
        found.push(RulingView::of(kept)?);
    }
    Ok(found)
}

async fn p_codes(tx: &mut Tx, holder: &Holder) -> Result<Vec<PCodeTold>, AppError> {
    let mut found = Vec::new();
    for (code, officer, at) in tx.p_codes_of(holder.identity).await? {
        let person = match Subject::of(&code.subject)? {
            Some(Subject::Known(known)) => Some(WrittenDown::of(known.person)),
            Some(Subject::Cpr(_)) | None => None,
        };
        found.push(PCodeTold { at, officer, person });
    }
    Ok(found)
}
