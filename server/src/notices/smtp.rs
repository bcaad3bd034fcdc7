//! E-mail over SMTP (RFC 5321) with STARTTLS (RFC 3207) or TLS from the first byte (RFC 8314).

use super::{DeliveryError, Message};
use crate::config::{Notices, Tls};
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Protection, TlsParameters};
use lettre::{SmtpTransport, Transport};
use std::time::Duration;

/// Why no e-mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The sender is no address.
    #[error("notices.from is not an e-mail address")]
    Sender(#[source] lettre::address::AddressError),
    /// TLS cannot be set up.
    #[error("TLS to the mail server cannot be set up")]
    Tls(#[source] smtp::Error),
}

/// A mail server.
pub struct Smtp {
    transport: SmtpTransport,
    from: Mailbox,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

/// Whether `text` is an e-mail address.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

impl Smtp {
    /// The mail server `host` as `config` describes it.
    ///
    /// # Errors
    /// [`SmtpError`].
    pub fn new(host: &str, config: &Notices) -> Result<Self, SmtpError> {
        let from = config.from.parse().map_err(SmtpError::Sender)?;
        let parameters = || TlsParameters::new(host.to_owned()).map_err(SmtpError::Tls);
        let tls = match config.smtp_tls {
            Tls::None => Protection::None,
            Tls::Starttls => Protection::Required(parameters()?),
            Tls::Implicit => Protection::Wrapper(parameters()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(host)
            .port(config.smtp_port)
            .tls(tls)
            .timeout(Some(Duration::from_millis(config.timeout_ms)));
        if let (Some(user), Some(password)) = (&config.smtp_user, &config.smtp_password) {
            let password = password.expose().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: builder.build(), from })
    }

    /// Sends `message`.
    ///
    /// # Errors
    /// [`DeliveryError`].
    pub fn send(&self, id: &str, message: &Message) -> Result<(), DeliveryError> {
        let to: lettre::Address = message.to.at.parse().map_err(|_| DeliveryError::Unfit)?;
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .subject(message.told.title())
            .header(ContentType::TEXT_PLAIN)
            .body(message.told.lines())
            .map_err(|_| DeliveryError::Unfit)?;
        self.transport.send(&mail).map(drop).map_err(|error| failure(&error))
    }
}

/// What is about the mailbox or the message is for ever (RFC 5321 §4.2.2); all else may pass, also
/// 5yz: a greeting of 554, a TLS that is asked for or a password that is refused (RFC 4954 §6) is
/// between us and the server. What the server wrote is left out.
fn failure(error: &smtp::Error) -> DeliveryError {
    match error.status().map(u16::from) {
        Some(status @ (550..=553 | 555)) => DeliveryError::Refused { status },
        Some(status) => DeliveryError::Busy { status },
        None => DeliveryError::Unreachable,
    }
}
