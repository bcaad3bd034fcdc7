//! One person's way from the terms to an app, with the time of each step.

use std::{
    fmt,
    time::{Duration, Instant},
};

use enroll_core::device_key::Purpose;
use serde::Serialize;
use serde_json::{Value, json};
use server::relay_client::Ended;

use crate::{
    citizen::{CitizenError, Enrolment, Method},
    device::Device,
    letters::Letters,
    people::Person,
};

/// A step of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Terms and number.
    Start,
    /// A picture of the page is read.
    Page,
    /// A ticket, the relay, and the chip read and proved.
    Chip,
    /// A picture of the face is compared.
    Face,
    /// The registers are asked, and the identity is issued.
    Finish,
    /// User ID and contacts.
    Profile,
    /// The device is registered, until both codes have arrived.
    Codes,
    /// The app is activated.
    Activate,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Page,
        Self::Chip,
        Self::Face,
        Self::Finish,
        Self::Profile,
        Self::Codes,
        Self::Activate,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Page => "page",
            Self::Chip => "chip",
            Self::Face => "face",
            Self::Finish => "finish",
            Self::Profile => "profile",
            Self::Codes => "codes",
            Self::Activate => "activate",
        }
    }
}

/// Why somebody did not get there.
#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    /// A step was refused or could not be taken.
    #[error(transparent)]
    Citizen(#[from] CitizenError),
    /// The device.
    #[error("a device's key cannot be used")]
    Device(#[from] openssl::error::ErrorStack),
    /// The chip was not accepted.
    #[error("the chip was read with {0:?}")]
    Chip(Ended),
    /// No identity.
    #[error("the case was decided {0}")]
    Decided(String),
    /// No code came.
    #[error("no code came by {0}")]
    NoCode(&'static str),
    /// The app is not active.
    #[error("the app is {0}")]
    App(String),
}

/// How long each step took.
#[derive(Default)]
pub struct Journey {
    took: Vec<(Step, Duration)>,
    secrets: Vec<String>,
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journey").field("took", &self.took).finish_non_exhaustive()
    }
}

/// Longest wait for a code.
const CODE: Duration = Duration::from_secs(60);

/// The PIN that everybody chooses.
pub(crate) const PIN: &str = "284917";

impl Journey {
    /// Goes it at the server `base`.
    ///
    /// # Errors
    /// [`JourneyError`].
    pub fn make(base: &str, mut person: Person, letters: &Letters) -> Result<Self, JourneyError> {
        let mut journey = Self::default();
        let case = journey.timed(Step::Start, || Enrolment::start(base, &person.cpr))?;
        journey.timed(Step::Page, || case.page(&person.page))?;
        match journey.timed(Step::Chip, || case.read_chip(&mut person.chip))? {
            Ended::Finished { verdict } if verdict == "accepted" => {}
            other => return Err(JourneyError::Chip(other)),
        }
        journey.timed(Step::Face, || case.face(&person.selfie))?;
        let end = journey.timed(Step::Finish, || case.finish())?;
        let identity = end.get("identity").map(|identity| word(identity, "id")).unwrap_or_default();
        if identity.is_empty() {
            return Err(JourneyError::Decided(reasons(&end)));
        }
        let own = format!("/v1/identities/{identity}");
        journey.timed(Step::Profile, || {
            let user_id = json!({ "user_id": person.user_id });
            case.send(Method::Put, &format!("{own}/user-id"), &user_id)?;
            let contacts = json!({ "phone": person.phone, "email": person.email });
            case.send(Method::Put, &format!("{own}/contacts"), &contacts)
        })?;
        let device = Device::new()?;
        let (to_phone, to_mail) = (("sms", &*person.phone), ("email", &*person.email));
        let body = json!({
            "public_key": device.public_key()?, "channels": ["sms", "email"],
            "user_id": person.user_id,
        });
        let (app, sms, email) = journey.timed(Step::Codes, || {
            let app = case.send(Method::Post, &format!("{own}/authenticators"), &body)?;
            let sms = letters.await_code(to_phone, 0, CODE).ok_or(JourneyError::NoCode("sms"))?;
            let email =
                letters.await_code(to_mail, 0, CODE).ok_or(JourneyError::NoCode("email"))?;
            Ok::<_, JourneyError>((app, sms, email))
        })?;
        let signature = device.sign(Purpose::Activate, &word(&app, "challenge"))?;
        let codes = json!({ "sms": sms, "email": email });
        let secrets = [case.token(), &sms, &email, &signature, PIN];
        journey.secrets.extend(secrets.map(str::to_owned));
        let body = json!({ "codes": codes, "pin": PIN, "signature": signature });
        let path = format!("/v1/authenticators/{}/activation", word(&app, "id"));
        let view = journey.timed(Step::Activate, || case.send(Method::Post, &path, &body))?;
        let state = word(&view, "state");
        if state == "active" { Ok(journey) } else { Err(JourneyError::App(state)) }
    }

    fn timed<T, E>(&mut self, step: Step, take: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = Instant::now();
        let taken = take()?;
        self.took.push((step, begun.elapsed()));
        Ok(taken)
    }

    /// The token, the codes, the signature and the PIN that were used.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// How long `step` took.
    #[must_use]
    pub fn took(&self, step: Step) -> Option<Duration> {
        self.took.iter().find(|(of, _)| *of == step).map(|(_, took)| *took)
    }
}

/// The text under `name`, or nothing.
pub(crate) fn word(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The decision and its codes.
pub(crate) fn reasons(end: &Value) -> String {
    let codes = end.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let codes = codes.map(|reason| word(reason, "code"));
    format!("{}: {}", word(end, "decision"), codes.collect::<Vec<_>>().join(" "))
}
