//! The command that is sent under the keys that must be in force, and what active authentication
//! comes to (ICAO 9303-11 §6.1).

use serde_json::{Value, json};

use super::{ActiveEvidence, Trip};
use crate::{
    active_auth::{self, ActiveAuthError, ActiveAuthentication},
    apdu::{Command, Response, StatusWord},
    check::{Check, Outcome, Reason},
    files::FileId,
    passive::VerifiedLds,
    sm::SecureMessaging,
};

const ID: &str = "active_authentication";
/// Ne of a short and of an extended command, and a response that short lengths carry.
const SHORT: usize = 256;
const EXTENDED: usize = 65_536;
const SHORT_RESPONSE: usize = 258;

/// What proves the keys in force.
pub(super) enum Proof {
    /// INTERNAL AUTHENTICATE.
    Active(Asked),
    /// The first bytes of EF.SOD once more.
    Reread(Vec<u8>),
}

/// Active authentication, and how its answer is asked for.
pub(super) struct Asked {
    active: ActiveAuthentication,
    /// Whether link and chip bear extended lengths, as far as is known.
    bears_long: bool,
    /// What a short answer carries.
    capacity: usize,
}

impl Proof {
    /// Active authentication if there is a key for it and the chip has not broken a session over it;
    /// or else why not.
    pub(super) fn new(trip: &Trip, lds: &VerifiedLds) -> (Self, Option<Check>) {
        let known = trip.kept.known;
        let bears_long = trip.request.limits.extended && !known.short_only;
        match ActiveAuthentication::new(lds) {
            Ok(active) if trip.silent.is_none() => {
                (Self::Active(Asked { active, bears_long, capacity: 0 }), None)
            }
            Ok(_) => (Self::Reread(reread(trip).1), None),
            Err(error) => (Self::Reread(reread(trip).1), Some(not_performed(&error))),
        }
    }

    /// The command, to be sent under `session`.
    pub(super) fn command(&mut self, trip: &Trip, session: &SecureMessaging) -> Command {
        match self {
            Self::Active(asked) => asked.command(trip, session),
            Self::Reread(_) => reread(trip).0,
        }
    }
}

/// READ BINARY of the first bytes of EF.SOD, which are known.
pub(super) fn reread(trip: &Trip) -> (Command, Vec<u8>) {
    let known = trip.files.get(FileId::Sod).unwrap_or_default();
    let expected: Vec<u8> = known.iter().copied().take(8).collect();
    let command = Command::new(0x00, 0xB0, 0x80 | FileId::Sod.sfi(), 0x00).expecting(8);
    (command, expected)
}

/// Whether the chip refused a length.
pub(super) fn is_of_length(status: StatusWord) -> bool {
    [0x67, 0x6C].contains(&(status.0 >> 8))
}

impl Asked {
    pub(super) fn command(&mut self, trip: &Trip, session: &SecureMessaging) -> Command {
        self.capacity = session.capacity(SHORT_RESPONSE);
        let ne = if self.is_long() { EXTENDED } else { SHORT };
        active_auth::command(&trip.request.aa_challenge, ne)
    }

    fn exceeds_short(&self) -> bool {
        self.active.signature_length() > self.capacity
    }

    /// Whether extended length was asked for: the signature is longer than a short answer carries
    /// (ICAO 9303-11 §6.1.4), and nothing speaks against it.
    pub(super) fn is_long(&self) -> bool {
        self.exceeds_short() && self.bears_long
    }

    /// The same in short lengths, under which the chip may still send the answer in parts
    /// (`61xx`, ISO 7816-4 §5.3.4).
    pub(super) fn in_short(self) -> Self {
        Self { bears_long: false, ..self }
    }

    /// What the answer comes to, and the signature if there is one.
    pub(super) fn judge(&self, trip: &Trip, reply: &Response) -> (Check, Option<ActiveEvidence>) {
        let challenge = trip.request.aa_challenge;
        if !reply.status.is_ok() {
            return (self.refused(reply.status, true), None);
        }
        if self.is_cut(reply) {
            return (too_long(json!({ "bytes": reply.data.len() })), None);
        }
        let failed = Outcome::Failed(Reason::ActiveAuthenticationFailed);
        let check = match self.active.verify(&challenge, &reply.data) {
            Ok(Some(summary)) => check(Outcome::Passed, json!({ "signature": summary })),
            Ok(None) => check(failed, json!({ "found": "the signature does not verify" })),
            Err(error) => check(failed, json!({ "error": error.to_string() })),
        };
        (check, Some(ActiveEvidence { challenge, signature: reply.data.clone() }))
    }

    /// As much of the signature as a short answer holds.
    fn is_cut(&self, reply: &Response) -> bool {
        let length = reply.data.len();
        !self.is_long() && self.exceeds_short() && length < self.active.signature_length()
    }

    /// A status instead of a signature. For its length it says nothing about the key, where the
    /// signature is longer than what could be asked for.
    pub(super) fn refused(&self, status: StatusWord, protected: bool) -> Check {
        if !self.is_long() && self.exceeds_short() && is_of_length(status) {
            return too_long(json!({ "status": status.to_string() }));
        }
        refused(status, protected)
    }
}

/// The chip answered with a status, and outside secure messaging if not `protected`, which ended the
/// session.
pub(super) fn refused(status: StatusWord, protected: bool) -> Check {
    let failed = Outcome::Failed(Reason::ActiveAuthenticationFailed);
    check(failed, json!({ "status": status.to_string(), "protected": protected }))
}

/// Neither passed nor failed: the answer cannot be carried.
fn too_long(found: Value) -> Check {
    let why = "the signature does not fit a short answer, and the chip sends it in no other";
    let unsupported = Outcome::NotPerformed(Some(Reason::ActiveAuthenticationUnsupported));
    check(unsupported, json!({ "why": why, "found": found }))
}

fn not_performed(error: &ActiveAuthError) -> Check {
    check(error.outcome(), json!({ "why": error.to_string() }))
}

fn check(outcome: Outcome, evidence: Value) -> Check {
    Check::new(ID, outcome, evidence)
}
