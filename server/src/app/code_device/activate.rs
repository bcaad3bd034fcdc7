//! Activating a code device (E10): with a code that comes another way than the device did, two codes in a row of the
//! device itself, and the user ID that it is tied to from then on; the person chooses a password with it (E2).
//!
//! Nobody needs to have logged in: a device comes when the enrolment is long over. What fits is found by the
//! serial number, which is on the device, and the user ID only compared, so that nothing here tells whether
//! there is such a user ID (G4).

use super::super::activity::{Activity, What};
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::password::NewHash;
use super::{CodeDeviceView, Theirs, code_hash, limited};
use crate::config::Secret;
use crate::ids::{CodeDeviceId, IdentityId};
use crate::limits::Kind;
use crate::notices::Notice;
use crate::storage::{CodeDeviceRow, Profile, Tx};
use enroll_core::audit::{Event, Hash};
use enroll_core::case::State;
use enroll_core::codes;
use enroll_core::password::Password;
use enroll_core::reason::ReasonCode;
use enroll_core::totp::step_at;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

/// What activates a device.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivatedDevice {
    /// The user ID of the person.
    #[schema(example = "anna.eriksson")]
    pub(crate) user_id: String,
    /// What is written on the device.
    #[schema(example = "KV-000123")]
    pub(crate) serial: String,
    /// The code that was sent.
    #[schema(value_type = String, example = "123456")]
    pub(crate) code: Secret,
    /// A code that the device shows or speaks.
    #[schema(value_type = String, example = "654321")]
    pub(crate) device_code: Secret,
    /// The one that it shows or speaks next, 30 seconds later: two in a row tell how its clock is off (RFC 4226 §7.4).
    #[schema(value_type = String, example = "210987")]
    pub(crate) next_code: Secret,
    /// The password that the person chose: 8 to 64 characters.
    #[schema(value_type = String)]
    pub(crate) password: Secret,
}

impl std::fmt::Debug for ActivatedDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActivatedDevice(…)")
    }
}

const WRONG: AppError = AppError::Reason(ReasonCode::CODE_DEVICE_ACTIVATION);

impl App {
    /// Activates a device and sets the password. The first use of an identity without an app is open from
    /// then on (E2). Nothing of what it does, but the answer to what fits, depends on the user ID (G4).
    ///
    /// # Errors
    /// `password.weak`; `code_device.activation` for all that does not fit, which counts; `code_device.other`
    /// where another device of the person is active (M2); [`AppError::TooOften`], [`AppError::Busy`].
    pub async fn activate_code_device(
        &self,
        given: ActivatedDevice,
    ) -> Result<CodeDeviceView, AppError> {
        let password = Password::choose(given.password.expose(), given.user_id.trim())
            .map_err(|error| AppError::Reason(error.reason()))?;
        let device = limited(&given.serial, &given.user_id);
        self.spend(Kind::CodeDevice, device.as_bytes(), Instant::now())?;
        let identity = self.inactive(&given.serial).await?.ok_or(WRONG)?;
        // With nothing held, since it takes its time, and before anything is decided.
        let turn = self.typing.turn().await?;
        let hash = self.password_hash(&turn, password, identity).await?;
        drop(turn);
        let theirs = self.theirs(&given.user_id, &given.serial).await?;
        let Theirs { mut tx, profile, row, fits } = theirs.ok_or(WRONG)?;
        // Of somebody else since.
        let fits = fits && profile.identity == identity;
        let (codes, drift) = self.compared(&mut tx, &row, &given).await?;
        let used = drift.map(|drift| step_at(self.now()) + drift);
        // A try with another's user ID counts for nobody: serial numbers are known to many.
        let (state, granted) = match fits {
            true => row.state.clone().activate((codes, drift), &self.policy.activation, self.now()),
            false => (row.state.clone(), Err(ReasonCode::CODE_DEVICE_ACTIVATION)),
        };
        let row = row.becomes(state);
        match (granted, used) {
            (Ok(()), Some(step)) => self.activated(tx, (profile, row), hash, step).await,
            (granted, _) => self.not_activated(tx, (row, fits), granted).await,
        }
    }

    async fn not_activated(
        &self,
        mut tx: Tx,
        (row, fits): (CodeDeviceRow, bool),
        granted: Result<(), ReasonCode>,
    ) -> Result<CodeDeviceView, AppError> {
        let (kind, data) = ("code_device.not_activated", json!({ "code_device": row.id }));
        // What somebody tried with another user ID is no event of the person's.
        let event = match row.identity.filter(|_| fits) {
            Some(identity) => self.of_identity(kind, identity, data),
            None => Event { time: self.now(), kind: kind.to_owned(), case: None, data },
        };
        tx.save_code_device(&row).await?;
        tx.audit(event).await?;
        tx.commit().await?;
        Err(granted.err().map_or(WRONG, AppError::Reason))
    }

    async fn activated(
        &self,
        mut tx: Tx,
        (profile, row): (Profile, CodeDeviceRow),
        hash: NewHash,
        step: i64,
    ) -> Result<CodeDeviceView, AppError> {
        let (id, identity) = (row.id, profile.identity);
        if tx.hold_active_code_device(identity).await?.is_some() {
            return Err(AppError::Reason(ReasonCode::CODE_DEVICE_OTHER));
        }
        if !tx.use_step(id, step).await? {
            return Err(WRONG);
        }
        tx.save_code_device(&row).await?;
        tx.put_password(identity, hash.row()).await?;
        self.close_open_case(&mut tx, identity, id).await?;
        let about = About::now(Blocks::CodeDevice(id));
        self.notify(&mut tx, &profile, Notice::CodeDeviceActivated, about).await?;
        let activity = Activity::of(What::CodeDeviceActivated).with(id);
        self.note(&mut tx, identity, activity).await?;
        let data = json!({ "code_device": id, "kind": row.kind });
        tx.audit(self.of_identity("code_device.activated", identity, data)).await?;
        tx.commit().await?;
        Ok(CodeDeviceView::from(&row))
    }

    /// The hashes of the code that was typed, as one by each channel is kept, and by how many steps the clock is
    /// off that shows the device's two. As much work whether a code is under way or not.
    async fn compared(
        &self,
        tx: &mut Tx,
        row: &CodeDeviceRow,
        given: &ActivatedDevice,
    ) -> Result<([(codes::Channel, Hash); 2], Option<i64>), AppError> {
        let code = given.code.expose().trim();
        let (sms, email) = (codes::Channel::Sms, codes::Channel::Email);
        let by_sms = code_hash(tx, row.id, sms, code)?;
        let hashes = [(sms, by_sms), (email, code_hash(tx, row.id, email, code)?)];
        let seed = tx.seed(row.id).await?.ok_or(WRONG)?;
        let here = step_at(self.now());
        let window = i64::from(self.policy.code_devices.activation_window);
        let own = (given.device_code.expose().trim(), given.next_code.expose().trim());
        let step = seed.step_of_two(own, row.step, (here, window));
        Ok((hashes, step.map_err(AppError::internal)?.map(|step| step - here)))
    }

    /// The enrolment that issued the identity last has done what it was for, as when an app is activated.
    async fn close_open_case(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        device: CodeDeviceId,
    ) -> Result<(), AppError> {
        let last = tx.identity(identity).await?.ok_or(AppError::UnknownCase)?.enrolment;
        let mut enrolment = tx.enrolment(last).await?.ok_or(AppError::UnknownCase)?;
        if !matches!(enrolment.record.case.state, State::IdentityCreated { .. }) {
            return Ok(());
        }
        let (policy, now) = (&self.policy, self.now());
        // One whose window is over gives no right any more and stays as it is.
        let done = enrolment.record.advance(|case| case.activated(device.uuid(), policy, now));
        if done.is_ok() {
            tx.save(&enrolment).await?;
            let data = json!({ "code_device": device });
            tx.audit(self.event("case.activated", last, data)).await?;
        }
        Ok(())
    }
}
