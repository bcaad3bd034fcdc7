//! Asking for the code that activates a code device (E10). Whoever asks is answered at once, the same whatever fits,
//! and it is looked up and sent after that: neither the answer nor the time it takes tells whether there is such a
//! user ID (G4).

use super::super::register::within_reach;
use super::super::tell::{About, Blocks};
use super::super::{App, AppError};
use super::{Theirs, code_hash, limited};
use crate::clock::random;
use crate::ids::IdentityId;
use crate::inference::Busy;
use crate::limits::Kind;
use crate::notices::{Channel, Notice};
use crate::storage::{CodeDeviceRow, Tx};
use enroll_core::code_device::CodeDevice;
use enroll_core::codes::{self, Code, Issued};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

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

/// That a code is sent, if user ID and device belong together, the device is not active, and no code by the same
/// channel is under way.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct CodeSent {
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

/// Most that wait to be sent.
const LONGEST: usize = 1000;
/// When to ask again once so many wait.
const AFTER: Duration = Duration::from_secs(10);

/// How often one is tried that could not be looked up or sent.
const TRIES: u8 = 3;
/// How long after that.
const PAUSE: Duration = Duration::from_secs(2);

/// What was asked for and not looked up yet, and how often that failed. In memory: who asked a server that ended
/// asks once more.
#[derive(Default)]
pub(in crate::app) struct Asks {
    waiting: Mutex<VecDeque<(AskedCode, u8)>>,
    more: Notify,
}

impl Asks {
    fn add(&self, asked: AskedCode) -> Result<(), Busy> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= LONGEST {
            return Err(Busy { after: AFTER });
        }
        waiting.push_back((asked, 0));
        self.more.notify_one();
        Ok(())
    }

    fn next(&self) -> Option<(AskedCode, u8)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Those that failed, after all that came meanwhile; each so often and no more.
    fn again(&self, failed: Vec<(AskedCode, u8)>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failed.into_iter().map(|(asked, tries)| (asked, tries + 1));
        waiting.extend(failed.filter(|(_, tries)| *tries < TRIES));
    }

    fn is_any(&self) -> bool {
        !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl App {
    /// Takes note that the code which activates a device is wanted. The answer is the same whatever fits.
    ///
    /// # Errors
    /// [`AppError::TooOften`] by the device, whoever it is of; [`AppError::Busy`] where too many wait.
    pub fn ask_device_code(&self, asked: AskedCode) -> Result<CodeSent, AppError> {
        let device = limited(&asked.serial, &asked.user_id);
        self.spend(Kind::CodeDevice, device.as_bytes(), Instant::now())?;
        let life = codes::Channel::from(asked.channel).life(&self.policy.activation);
        self.asked.add(asked)?;
        Ok(CodeSent { expires_in: u32::try_from(life.whole_seconds()).unwrap_or(0) })
    }

    /// Sends what is asked for, for as long as it runs.
    pub(in crate::app) async fn send_codes_as_asked(&self) {
        loop {
            self.asked.more.notified().await;
            self.send_asked_codes().await;
            while self.asked.is_any() {
                tokio::time::sleep(PAUSE).await;
                self.send_asked_codes().await;
            }
        }
    }

    /// Sends what was asked for so far; how many were sent. What fails waits again, three times at most.
    pub async fn send_asked_codes(&self) -> usize {
        let (mut sent, mut failed) = (0, Vec::new());
        while let Some((asked, tries)) = self.asked.next() {
            match self.send_device_code(&asked).await {
                Ok(is_sent) => sent += usize::from(is_sent),
                Err(error) => {
                    let error = crate::http::problem::chain(&error);
                    tracing::error!(%error, tries, "a code for a code device could not be sent");
                    failed.push((asked, tries));
                }
            }
        }
        self.asked.again(failed);
        sent
    }

    /// Forgets the codes that were sent where the person was reached until now, in a unit of work that holds the
    /// profile: who reads there activates nothing, and a new one can be asked for.
    pub(in crate::app) async fn forget_device_codes(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
    ) -> Result<(), AppError> {
        for CodeDeviceRow { id, state, .. } in tx.code_devices(identity).await? {
            // Only one that waits to be activated has some, and it does not become that but under the profile.
            if matches!(state, CodeDevice::Inactive { .. })
                && let Some(row) = tx.hold_code_device(id).await?
            {
                let state = row.state.clone().forget_codes();
                tx.save_code_device(&row.becomes(state)).await?;
            }
        }
        Ok(())
    }

    /// Sends the code, if the device is the person's and inactive, no code by the channel is under way, codes were
    /// not asked for too often, and the phone number is not new (E5). Who has asked for the last one is told.
    async fn send_device_code(&self, asked: &AskedCode) -> Result<bool, AppError> {
        let (channel, policy) = (codes::Channel::from(asked.channel), &self.policy.activation);
        let found = self.theirs(&asked.user_id, &asked.serial).await?;
        let Some(Theirs { mut tx, profile, row, .. }) = found.filter(|found| found.fits) else {
            return Ok(false);
        };
        let reached = profile.details.contacts.as_ref().and_then(|c| c.address(asked.channel));
        let is_near = within_reach(&profile, &[asked.channel], policy, self.now()).is_ok();
        let Some(to) = reached.filter(|_| is_near) else { return Ok(false) };
        let code = Code::draw(random(self.parts.entropy.as_ref())?);
        let expires = self.now() + channel.life(policy);
        let hash = code_hash(&tx, row.id, channel, code.expose())?;
        let issued = Issued { channel, hash, expires };
        let Ok(state) = row.state.clone().send_code(issued, policy, self.now()) else {
            return Ok(false);
        };
        let (id, identity, asked_out) = (row.id, profile.identity, state.asked_out_until(policy));
        tx.save_code_device(&row.becomes(state)).await?;
        self.send_code(&mut tx, (identity, to), &code, expires).await?;
        if asked_out.is_some() {
            let about = About { until: asked_out, ..About::now(Blocks::CodeDevice(id)) };
            self.notify(&mut tx, &profile, Notice::CodeDeviceCodes, about).await?;
        }
        let data = json!({ "code_device": id, "channel": asked.channel });
        tx.audit(self.of_identity("code_device.code_sent", identity, data)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_wait_and_no_more() {
        let asks = Asks::default();
        let asked = || AskedCode {
            user_id: "anna.eriksson".to_owned(),
            serial: "KV-0001".to_owned(),
            channel: Channel::Sms,
        };
        for _ in 0..LONGEST {
            asks.add(asked()).unwrap();
        }
        assert_eq!(asks.add(asked()), Err(Busy { after: AFTER }));
        assert!(asks.next().is_some());
        asks.add(asked()).unwrap();
        // What fails is tried three times.
        while asks.next().is_some() {}
        asks.add(asked()).unwrap();
        for tries in 0..3 {
            let failed = asks.next().unwrap();
            assert!(failed.1 == tries && !asks.is_any());
            asks.again(vec![failed]);
        }
        assert!(!asks.is_any());
        assert_eq!(format!("{:?}", asked()), "AskedCode(sms)");
    }
}
