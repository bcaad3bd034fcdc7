//! The channels there are.

use super::sms::SmsGateway;
use super::smtp::{Smtp, SmtpError};
use super::{Channel, Deliver, DeliveryError, Message};
use crate::config::Notices;
use std::time::Duration;

/// E-mail and SMS, as far as they are configured.
#[derive(Debug)]
pub struct Post {
    email: Option<Smtp>,
    sms: Option<SmsGateway>,
}

impl Post {
    /// The channels of `config`; takes its SMS token.
    ///
    /// # Errors
    /// [`SmtpError`] if the mail server's values cannot be used.
    pub fn new(config: &mut Notices) -> Result<Self, SmtpError> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let token = config.sms_token.take();
        let host = config.smtp_host.as_deref();
        Ok(Self {
            email: host.map(|host| Smtp::new(host, config)).transpose()?,
            sms: config.sms_url.clone().map(|base| SmsGateway::new(base, token, timeout)),
        })
    }
}

impl Deliver for Post {
    fn deliver(&self, id: &str, message: &Message) -> Result<(), DeliveryError> {
        match message.to.channel {
            Channel::Email => {
                self.email.as_ref().ok_or(DeliveryError::NotConfigured)?.send(id, message)
            }
            Channel::Sms => {
                self.sms.as_ref().ok_or(DeliveryError::NotConfigured)?.send(id, message)
            }
        }
    }
}
