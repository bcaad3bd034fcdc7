//! Telling a person of what happened to their identity (E7): in the unit of work in which it
//! happens, so that no notice is lost and none is sent of what did not happen.

use super::{App, AppError};
use crate::ids::{AuthenticatorId, CodeDeviceId, IdentityId};
use crate::notices::{Address, Channel, Message, Notice, Told, Words};
use crate::storage::{Pass, Profile, Tx};
use enroll_core::codes::Code;
use serde::Serialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Both channels there are.
const CHANNELS: [Channel; 2] = [Channel::Sms, Channel::Email];

/// What the code in a notice blocks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blocks {
    /// There is no code in it.
    Nothing,
    /// This app.
    App(AuthenticatorId),
    /// This code device.
    CodeDevice(CodeDeviceId),
    /// The whole identity.
    Identity,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// What its code blocks.
    pub(super) blocks: Blocks,
    /// When an app can be used, if later than now.
    pub(super) until: Option<OffsetDateTime>,
    /// At which relying party.
    pub(super) at: Option<&'a str>,
}

impl About<'_> {
    /// About something that holds at once, with a code that blocks `blocks`.
    pub(super) fn now(blocks: Blocks) -> Self {
        Self { blocks, until: None, at: None }
    }
}

impl App {
    /// Sends a code; it is delivered while it is worth something, and to nowhere else.
    pub(super) async fn send_code(
        &self,
        tx: &mut Tx,
        (identity, to): (IdentityId, Address),
        code: &Code,
        until: OffsetDateTime,
    ) -> Result<(), AppError> {
        let identity = Some(identity);
        let words = Words { code: Some(code.expose()), until: Some(until), ..self.words() };
        let told = Notice::Code.told(&words);
        self.post(tx, &Message { identity, to, told, until: Some(until), otherwise: None }).await
    }

    /// Tells of `notice` by every channel the person chose, and in the inbox of their apps. Each
    /// carries a code that blocks what it is about.
    pub(super) async fn notify(
        &self,
        tx: &mut Tx,
        profile: &Profile,
        notice: Notice,
        about: About<'_>,
    ) -> Result<(), AppError> {
        let block_code = self.block_code(tx, profile.identity, about.blocks).await?;
        let block_code = block_code.as_ref().map(|code| code.as_str());
        let (at, party) = (Some(self.now()), about.at.unwrap_or_default());
        let told =
            notice.told(&Words { at, until: about.until, block_code, party, ..self.words() });
        tx.put_notice(profile.identity, &sealable(&told)?, self.now()).await?;
        for (to, otherwise) in addresses(profile) {
            let (identity, told) = (Some(profile.identity), told.clone());
            self.post(tx, &Message { identity, to, told, until: None, otherwise }).await?;
        }
        Ok(())
    }

    /// 64 random bits: a code that blocks one app, code device or identity and does nothing else.
    async fn block_code(
        &self,
        tx: &mut Tx,
        identity: IdentityId,
        blocks: Blocks,
    ) -> Result<Option<Zeroizing<String>>, AppError> {
        let bytes: [u8; 8] = crate::clock::random(self.parts.entropy.as_ref())?;
        let code = Zeroizing::new(hex::encode(bytes));
        let hash = openssl::sha::sha256(code.as_bytes());
        let end = self.now() + Duration::seconds(i64::from(self.policy.activation.block_s));
        match blocks {
            Blocks::Nothing => return Ok(None),
            Blocks::App(app) => tx.add_pass(Pass::Block, &hash, app, end).await?,
            Blocks::CodeDevice(id) => tx.add_code_device_block(&hash, (id, identity), end).await?,
            Blocks::Identity => tx.add_identity_block(&hash, identity, end).await?,
        }
        Ok(Some(code))
    }

    async fn post(&self, tx: &mut Tx, message: &Message) -> Result<(), AppError> {
        let channel = message.to.channel;
        let id = tx.send(channel.as_str(), &sealable(message)?, self.now()).await?;
        let identity = message.identity;
        let data = json!({ "message": id, "channel": channel, "identity": identity });
        let kind = "notice.sent".to_owned();
        let event = enroll_core::audit::Event { time: self.now(), kind, case: None, data };
        Ok(tx.audit(event).await?)
    }

    fn words(&self) -> Words<'_> {
        Words { service: &self.server.name, block_at: &self.server.block_at, ..Words::default() }
    }
}

/// Where notices go, each with where it goes if it cannot be delivered there: the other address,
/// unless a notice of its own goes to it (M3).
fn addresses(profile: &Profile) -> Vec<(Address, Option<Address>)> {
    let Some(contacts) = &profile.details.contacts else { return Vec::new() };
    let chosen = |channel: &Channel| contacts.notices.contains(channel);
    let other = CHANNELS.iter().find(|channel| !chosen(channel));
    let otherwise = other.and_then(|channel| contacts.address(*channel));
    let to = CHANNELS.iter().filter(|channel| chosen(channel));
    to.filter_map(|channel| Some((contacts.address(*channel)?, otherwise.clone()))).collect()
}

fn sealable(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, AppError> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(AppError::internal)
}

/// A notice as it is kept in the inbox.
pub(super) fn told(payload: &[u8]) -> Option<Told> {
    serde_json::from_slice(payload).ok()
}
