//! The state that reads the files, and passive authentication when they are all there.

use super::plan::{Plan, Purpose};
use super::{
    AccessReport, Next, Opened, ReadError, State, Trip, access, genuine, open, select_application,
};
use crate::{
    apdu::{Command, Response, StatusWord},
    files::FileId,
    link::Batch,
    passive,
    sm::{SecureMessaging, SmError},
};

/// A session, what it is to read, and what was asked for last.
pub(super) struct Reading {
    session: SecureMessaging,
    access: AccessReport,
    plan: Plan,
    sent: Vec<Purpose>,
}

/// What READ BINARY with extended length asks for at most: the reach of even INS.
const LONGEST_BLOCK: usize = 0x7FFF;
/// Short responses: 256 bytes and the status.
const SHORT_RESPONSE: usize = 258;

/// Opens the application and asks for the first block of each file in one batch.
pub(super) fn start(
    trip: Trip,
    session: SecureMessaging,
    access: AccessReport,
) -> Result<Next, ReadError> {
    let limits = trip.request.limits;
    let short = session.capacity(limits.max_response.min(SHORT_RESPONSE)).max(1);
    let block = match limits.extended && !trip.cautious {
        true => session.capacity(limits.max_response).clamp(1, LONGEST_BLOCK),
        false => short,
    };
    let mut files = vec![FileId::Com, FileId::Sod, FileId::DG1, FileId::DG2];
    // A chip that does PACE has a DG14 (ICAO 9303-11 §9.2): no need to see it listed first.
    if access.protocol == "PACE" && !trip.cautious {
        files.push(FileId::DG14);
    }
    let mut plan = Plan::new(&files, block, short);
    let mut planned = Vec::new();
    if access.protocol == "PACE" {
        planned.push((select_application(), Purpose::SelectApplication));
    }
    planned.extend(plan.commands());
    let sent = Vec::new();
    Reading { session, access, plan, sent }.transmit(trip, planned)
}

impl Reading {
    /// How much of what is known to be there has been read, 0 to 1.
    pub(super) fn fraction(&self) -> f32 {
        let (read, known) = self.plan.counts();
        #[expect(clippy::cast_precision_loss, reason = "shown to a person")]
        let share = read as f32 / known.max(1) as f32;
        share.min(1.0)
    }

    fn transmit(mut self, trip: Trip, planned: Vec<(Command, Purpose)>) -> Result<Next, ReadError> {
        let (commands, purposes): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let batch = Batch::new(self.session.wrap_all(&commands)?);
        self.sent = purposes;
        let batch = batch.continue_on(StatusWord::END_OF_FILE);
        Ok(Next::transmit(batch, trip, State::Reading(Box::new(self))))
    }

    pub(super) fn step(mut self, mut trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let Opened { replies, session } = open(self.session, self.sent.len(), replies)?;
        self.session = match session {
            Ok(session) => session,
            // Some chips break off at a length or a file that they do not have: once more, with
            // short lengths and nothing unasked-for.
            Err(SmError::Unprotected { .. }) if !trip.cautious => {
                trip.cautious = true;
                trip.had_pace |= self.access.protocol == "PACE";
                return Ok(access::start_again(trip));
            }
            Err(error) => return Err(error.into()),
        };
        for (purpose, reply) in self.sent.iter().zip(&replies) {
            self.plan.take(*purpose, reply)?;
        }
        let planned = self.plan.commands();
        if !planned.is_empty() {
            return self.transmit(trip, planned);
        }
        self.plan.finish(&mut trip.files);
        let report = passive::verify(&trip.files, &trip.request.trust, trip.request.at);
        genuine::start(trip, self.session, self.access, report)
    }
}
