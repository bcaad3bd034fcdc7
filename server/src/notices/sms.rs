//! SMS over a gateway's HTTP interface: `POST {base}/messages` with `{"id", "to", "text"}`.
//!
//! Any 2xx is delivered. 4xx is a refusal, but 401, 403 (our token), 408 and 429 pass, as does 5xx.

use super::{DeliveryError, Message};
use crate::config::Secret;
use serde_json::json;
use std::time::Duration;
use ureq::Agent;

/// A gateway.
pub struct SmsGateway {
    agent: Agent,
    base: String,
    token: Option<Secret>,
}

impl std::fmt::Debug for SmsGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmsGateway")
    }
}

impl SmsGateway {
    /// The gateway below `base`.
    #[must_use]
    pub fn new(base: String, token: Option<Secret>, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self { agent: config.into(), base, token }
    }

    /// Sends `message`.
    ///
    /// # Errors
    /// [`DeliveryError`].
    pub fn send(&self, id: &str, message: &Message) -> Result<(), DeliveryError> {
        let mut request = self.agent.post(format!("{}/messages", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose()));
        }
        let body = json!({ "id": id, "to": message.to.at, "text": message.told.lines() });
        let answer = request.send_json(body).map_err(|_| DeliveryError::Unreachable)?;
        match answer.status().as_u16() {
            200..300 => Ok(()),
            status @ (401 | 403 | 408 | 429 | 500..) => Err(DeliveryError::Busy { status }),
            status => Err(DeliveryError::Refused { status }),
        }
    }
}
