//! The state between access and the application: files under the master file that are read in the
//! session (ICAO 9303-10 §3.11; EF.CardSecurity: ICAO 9303-11 §9.2.11).
//!
//! After PACE the master file is still current; BAC has selected the application already, and then
//! nothing is read here. Where nothing is wanted no command is sent.

use super::{
    Granted, Next, ReadError, State, Trip,
    block::{Announced, Block},
    fetch::{Broken, Fetch},
    plan::Plan,
    reading,
};
use crate::{apdu::Response, files::FileId};

/// A session under the master file.
pub(super) struct UnderMaster {
    access: super::AccessReport,
    fetch: Fetch,
}

/// Reads what is wanted under the master file, then goes on to the application.
pub(super) fn start(mut trip: Trip, granted: Granted) -> Result<Next, ReadError> {
    trip.kept.had_pace |= granted.access.protocol == "PACE";
    let files = wanted(&trip, &granted);
    if files.is_empty() {
        return reading::start(trip, granted);
    }
    let Granted { session, access } = granted;
    let block = Block::new(&session, trip.request.limits, trip.kept.known);
    let fetch = Fetch::new(session, Plan::only(&files, block));
    UnderMaster { access, fetch }.next(trip)
}

fn wanted(trip: &Trip, granted: &Granted) -> Vec<FileId> {
    let known = trip.kept.known;
    if !granted.is_under_master() {
        return Vec::new();
    }
    let asks = known.short_only && known.announced == Announced::Unasked;
    let info = asks && trip.request.limits.extended;
    // The key that proves the chip authentication mapping.
    let key = trip.mapping.as_ref().is_some_and(Result::is_ok);
    let wanted = [info.then_some(FileId::AtrInfo), key.then_some(FileId::CardSecurity)];
    wanted.into_iter().flatten().collect()
}

impl UnderMaster {
    fn next(mut self, mut trip: Trip) -> Result<Next, ReadError> {
        let planned = self.fetch.plan.commands();
        if !planned.is_empty() {
            let (batch, fetch) = self.fetch.send(planned)?;
            let state = Self { fetch, ..self };
            return Ok(Next::transmit(batch, trip, State::Master(Box::new(state))));
        }
        let Fetch { session, plan, .. } = self.fetch;
        if let Some(info) = plan.info() {
            trip.kept.known.learn(info);
        }
        plan.finish(&mut trip.files);
        reading::start(trip, Granted { session, access: self.access })
    }

    pub(super) fn step(self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        match self.fetch.take(replies) {
            Ok(fetch) => Self { fetch, ..self }.next(trip),
            Err(Broken { error, block }) => super::reopen(trip, error, block),
        }
    }
}
