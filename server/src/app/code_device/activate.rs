//! Activating a code device (E10): with a code that comes another way than the device did, one code of the
//! device itself, and the user ID that it is tied to from then on; the person chooses a password with it (E2).
//!
//! Nobody needs to have logged in: a device comes when the enrolment is long over. What fits is found by the
//! serial number, which is on the device, and the user ID only compared, so that nothing here tells whether
//! there is such a user ID (G4).

use super::super::activity::{Activity, What};
use super::super::oidc::user_hash;
use super::super::register::within_reach;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::{CodeDeviceView, serial};
use crate::clock::random;
use crate::config::Secret;
use crate::ids::{CodeDeviceId, IdentityId};
use crate::notices::{Channel, Notice};
use crate::storage::{CodeDeviceRow, Profile, Tx};
use enroll_core::audit::Hash;
use enroll_core::case::State;
use enroll_core::code_device::CodeDevice;
use enroll_core::codes::{self, Code, Issued};
use enroll_core::password::Password;
use enroll_core::reason::ReasonCode;
use enroll_core::totp::step_at;
use enroll_core::user_id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

/// Which device a code is wanted for, and how it is to come.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedCode {
    /// The user ID of the person.
    #[schema(example = "anna.eriksson")]
    pub(crate) user_id: String,
    /// What is written on the device.
    #[schema(example = "KV-000123")]
    pub(crate) serial: String,
    /// How the code comes.
    pub(crate) channel: Channel,
}

impl std::fmt::Debug for AskedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AskedCode({})", self.channel.as_str())
    }
}

/// That a code was sent, if user ID and device belong together and the device is not active.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct CodeSent {
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

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
    /// The code that the device shows or speaks now.
    #[schema(value_type = String, example = "654321")]
    pub(crate) device_code: Secret,
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
    /// Sends the code that activates a device, if it is the person's and inactive. The answer is the same
    /// whatever fits, also where codes were asked for too often or the phone number is new (E5).
    ///
    /// # Errors
    /// [`AppError`] of our own.
    pub async fn send_device_code(&self, asked: AskedCode) -> Result<CodeSent, AppError> {
        let channel = codes::Channel::from(asked.channel);
        let life = channel.life(&self.policy.activation);
        let sent = CodeSent { expires_in: u32::try_from(life.whole_seconds()).unwrap_or(0) };
        let Some((mut tx, profile, row)) = self.hold_theirs(&asked.user_id, &asked.serial).await?
        else {
            return Ok(sent);
        };
        let reached = profile.details.contacts.as_ref().and_then(|c| c.address(asked.channel));
        let Some(to) = reached.filter(|_| {
            within_reach(&profile, &[asked.channel], &self.policy.activation, self.now()).is_ok()
        }) else {
            return Ok(sent);
        };
        let code = Code::draw(random(self.parts.entropy.as_ref())?);
        let expires = self.now() + life;
        let hash = code_hash(&tx, row.id, channel, code.expose())?;
        let issued = Issued { channel, hash, expires };
        let state = row.state.clone().send_code(issued, &self.policy.activation, self.now());
        let Ok(state) = state else { return Ok(sent) };
        let (id, identity) = (row.id, profile.identity);
        tx.save_code_device(&CodeDeviceRow { state, ..row }).await?;
        self.send_code(&mut tx, (identity, to), &code, expires).await?;
        let data = json!({ "code_device": id, "channel": asked.channel });
        tx.audit(self.of_identity("code_device.code_sent", identity, data)).await?;
        tx.commit().await?;
        Ok(sent)
    }

    /// Activates a device and sets the password. The first use of an identity without an app is open from
    /// then on (E2).
    ///
    /// # Errors
    /// `password.weak`; `code_device.activation` for all that does not fit, which counts; `code_device.other`
    /// where another device of the person is active (M2).
    pub async fn activate_code_device(
        &self,
        given: ActivatedDevice,
    ) -> Result<CodeDeviceView, AppError> {
        let password = Password::choose(given.password.expose(), given.user_id.trim())
            .map_err(|error| AppError::Reason(error.reason()))?;
        let identity = self.awaiting(&given).await?;
        // Only now, and with nothing held: it takes its time.
        let hash = self.password_hash(password, identity).await?;
        let theirs = self.hold_theirs(&given.user_id, &given.serial).await?;
        let (mut tx, profile, row) = theirs.ok_or(WRONG)?;
        let (code, drift) = self.compared(&mut tx, &row, &given).await?;
        let CodeDeviceRow { id, .. } = row;
        let used = drift.map(|drift| step_at(self.now()) + drift);
        let (state, granted) =
            row.state.clone().activate((code, drift), &self.policy.activation, self.now());
        let row = CodeDeviceRow { state, ..row };
        if let Err(reason) = granted {
            tx.save_code_device(&row).await?;
            let data = json!({ "code_device": id });
            tx.audit(self.of_identity("code_device.not_activated", identity, data)).await?;
            tx.commit().await?;
            return Err(AppError::Reason(reason));
        }
        if tx.hold_active_code_device(identity).await?.is_some() {
            return Err(AppError::Reason(ReasonCode::CODE_DEVICE_OTHER));
        }
        let is_fresh = match used {
            Some(step) => tx.use_step(id, step).await?,
            None => false,
        };
        if !is_fresh {
            return Err(WRONG);
        }
        tx.save_code_device(&row).await?;
        tx.put_password(identity, &hash).await?;
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

    /// Whose device it is, if it waits for the code. Nothing is held.
    async fn awaiting(&self, given: &ActivatedDevice) -> Result<IdentityId, AppError> {
        match self.hold_theirs(&given.user_id, &given.serial).await? {
            Some((_tx, profile, row)) if row.state.awaits_code(self.now()) => Ok(profile.identity),
            _ => Err(WRONG),
        }
    }

    /// The device with its person's profile, held, if it is that of the person with this user ID and both can
    /// be used.
    async fn hold_theirs(
        &self,
        user_id: &str,
        typed: &str,
    ) -> Result<Option<(Tx, Profile, CodeDeviceRow)>, AppError> {
        let Ok(user_id) = UserId::parse(user_id.trim()) else { return Ok(None) };
        let mut tx = self.parts.store.begin().await?;
        let given = tx.keyed_hash("user_id", user_id.as_str().as_bytes())?;
        let Some(found) = tx.code_device_of(&serial(typed)).await? else { return Ok(None) };
        let Some(identity) = found.identity else { return Ok(None) };
        let profile = tx.hold_profile(identity).await?;
        // Read again: somebody may have held it until now.
        let Some(row) = tx.hold_code_device(found.id).await? else { return Ok(None) };
        let fits = profile.details.user_id.is_some()
            && openssl::memcmp::eq(&user_hash(&tx, &profile)?, &given)
            && row.identity == Some(identity)
            && profile.life.open().is_ok();
        Ok(fits.then_some((tx, profile, row)))
    }

    /// The hash of the code that was typed, as the one under way was kept, and by how many steps the clock is
    /// off that shows the device's.
    async fn compared(
        &self,
        tx: &mut Tx,
        row: &CodeDeviceRow,
        given: &ActivatedDevice,
    ) -> Result<(Hash, Option<i64>), AppError> {
        let channel = match &row.state {
            CodeDevice::Inactive { code: Some(under_way), .. } => under_way.issued.channel,
            _ => return Err(WRONG),
        };
        let code = code_hash(tx, row.id, channel, given.code.expose().trim())?;
        let seed = tx.seed(row.id).await?.ok_or(WRONG)?;
        let here = step_at(self.now());
        let window = i64::from(self.policy.code_devices.activation_window);
        let step = seed.step_of(given.device_code.expose().trim(), row.step, (here, window));
        Ok((code, step.map_err(AppError::internal)?.map(|step| step - here)))
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

/// What is kept of a code: bound to its device and channel (E4).
fn code_hash(
    tx: &Tx,
    id: CodeDeviceId,
    channel: codes::Channel,
    code: &str,
) -> Result<Hash, AppError> {
    let bound = Zeroizing::new(format!("{id} {} {code}", channel.as_str()));
    Ok(Hash(tx.keyed_hash("code device code", bound.as_bytes())?))
}
