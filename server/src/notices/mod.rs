//! Telling people (E7, REQUIREMENTS M3): by SMS and e-mail from the outbox, at least once; and in the
//! app's inbox.
//!
//! A channel is trusted with nothing: what it answers is a status, never a text that gets into a
//! log, since mail servers repeat addresses in theirs.

mod post;
pub mod sms;
pub mod smtp;
pub mod standin;
mod texts;
mod worker;

pub use post::Post;
pub use texts::{Notice, Told, Words};
pub use worker::{Round, Running, Worker};

use crate::ids::IdentityId;
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// A way to somebody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Text message.
    Sms,
    /// E-mail.
    Email,
}

impl Channel {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

impl From<Channel> for enroll_core::codes::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::Email => Self::Email,
        }
    }
}

/// A person on a channel. Personal data: `Debug` shows the channel only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Which way.
    pub channel: Channel,
    /// Phone number or e-mail address.
    pub at: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.channel.as_str())
    }
}

/// A message as it lies in the outbox, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    /// Of whose identity it tells; nothing in messages of before.
    #[serde(default)]
    pub identity: Option<IdentityId>,
    /// To whom.
    pub to: Address,
    /// What it says.
    pub told: Told,
    /// After this nobody needs it any more.
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
    /// Where it goes if it cannot be delivered here (M3).
    pub otherwise: Option<Address>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({})", self.to.channel.as_str())
    }
}

/// Why a message was not delivered. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// There is no such channel here.
    #[error("the channel is not configured")]
    NotConfigured,
    /// The channel did not answer, or not in time.
    #[error("the channel does not answer")]
    Unreachable,
    /// The channel cannot take it now.
    #[error("the channel answers {status}")]
    Busy {
        /// Its status.
        status: u16,
    },
    /// The channel will never take it.
    #[error("the channel refuses with {status}")]
    Refused {
        /// Its status.
        status: u16,
    },
    /// The address or text cannot be sent by this channel.
    #[error("the message does not fit the channel")]
    Unfit,
}

impl DeliveryError {
    /// Whether another try may help.
    #[must_use]
    pub fn may_pass(self) -> bool {
        match self {
            Self::NotConfigured | Self::Unreachable | Self::Busy { .. } => true,
            Self::Refused { .. } | Self::Unfit => false,
        }
    }
}

/// Delivers messages. Calls may block: run them where that is allowed.
pub trait Deliver: Send + Sync {
    /// Delivers `message`; `id` is the same at each try, so that the channel can drop doubles.
    ///
    /// # Errors
    /// [`DeliveryError`].
    fn deliver(&self, id: &str, message: &Message) -> Result<(), DeliveryError>;
}
