//! Identifiers as distinct types (STYLE 20), each a random UUID.

use crate::clock::{Entropy, EntropyError, random};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct IdError;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, version 4.
            ///
            /// # Errors
            /// [`EntropyError`] if the random source fails.
            pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                Ok(Self(uuid::Builder::from_random_bytes(random(entropy)?).into_uuid()))
            }

            /// The same as a UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }

            /// Its 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError)
            }
        }
    };
}

identifier! {
    /// One enrolment.
    EnrolmentId
}
identifier! {
    /// One issued identity.
    IdentityId
}
identifier! {
    /// One authenticator: an app on a device.
    AuthenticatorId
}
identifier! {
    /// One code display or audio code reader.
    CodeDeviceId
}
identifier! {
    /// One P-code.
    PCodeId
}
identifier! {
    /// One decision of an officer.
    RulingId
}
identifier! {
    /// One message to somebody outside.
    MessageId
}
identifier! {
    /// One thing that has happened to an identity.
    ActivityId
}
identifier! {
    /// One log-in, from its request to the end of its session.
    LogInId
}
