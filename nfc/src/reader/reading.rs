//! The state that reads the files, and passive authentication when they are all there.

use super::{
    AccessReport, Granted, Next, ReadError, State, Trip,
    block::{Announced, Block, Known},
    fetch::{Broken, Fetch},
    genuine,
    kept::Kept,
    plan::{Plan, Purpose},
    select_application,
};
use crate::{
    apdu::{Command, Response},
    chip_auth,
    files::FileId,
    lds::dg14,
    passive,
};

/// The files of the application on their way.
pub(super) struct Reading {
    access: AccessReport,
    fetch: Fetch,
    /// EF.SOD must be seen to be the one of before, or all that was kept is dropped.
    resuming: bool,
}

/// Opens the application and asks for the first block of each file in one batch; after a lost link
/// for EF.SOD alone.
pub(super) fn start(trip: Trip, granted: Granted) -> Result<Next, ReadError> {
    let selects = granted.is_under_master();
    let Granted { session, access } = granted;
    let block = Block::new(&session, trip.request.limits, trip.kept.known);
    let kept = trip.kept.security_object().map(<[u8]>::len);
    let mut plan = match kept {
        Some(length) => Plan::once_more(FileId::Sod, length, block),
        None => Plan::new(&first_files(&trip, &access), block),
    };
    let mut planned = Vec::new();
    if selects {
        planned.push((select_application(), Purpose::SelectApplication));
    }
    planned.extend(plan.commands());
    let fetch = Fetch::new(session, plan);
    Reading { access, fetch, resuming: kept.is_some() }.send(trip, planned)
}

fn first_files(trip: &Trip, access: &AccessReport) -> Vec<FileId> {
    let mut files = vec![FileId::Com, FileId::Sod, FileId::DG1, FileId::DG2];
    // A chip that does PACE has a DG14 (ICAO 9303-11 §9.2): no need to see it listed first.
    if access.protocol == "PACE" && !trip.kept.cautious {
        files.push(FileId::DG14);
    }
    files
}

impl Reading {
    /// How much of what is known to be there has been read, 0 to 1.
    pub(super) fn fraction(&self) -> f32 {
        let (read, known) = self.fetch.plan.counts();
        #[expect(clippy::cast_precision_loss, reason = "shown to a person")]
        let share = read as f32 / known.max(1) as f32;
        share.min(1.0)
    }

    fn send(self, trip: Trip, planned: Vec<(Command, Purpose)>) -> Result<Next, ReadError> {
        let (batch, fetch) = self.fetch.send(planned)?;
        let state = Self { fetch, ..self };
        Ok(Next::transmit(batch, trip, State::Reading(Box::new(state))))
    }

    pub(super) fn step(mut self, mut trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        self.fetch = match self.fetch.take(replies) {
            Ok(fetch) => fetch,
            Err(Broken { error, block }) => return super::reopen(trip, error, block),
        };
        self.learn_limits(&mut trip);
        if self.resuming && self.fetch.plan.complete(FileId::Sod).is_some() {
            self.go_on(&mut trip);
        }
        let mut planned = match self.asks_for_info(&trip) {
            true => self.fetch.plan.info_commands(),
            false => self.fetch.plan.commands(),
        };
        if planned.is_empty() && self.asks_for_chains(&trip) {
            planned = self.fetch.plan.info_commands();
        }
        if !planned.is_empty() {
            return self.send(trip, planned);
        }
        self.fetch.plan.finish(&mut trip.files);
        let report = passive::verify(&trip.files, &trip.request.trust, trip.request.at);
        genuine::start(trip, self.fetch.session, self.access, report)
    }

    /// EF.SOD was read again: if it is the same, what was kept is of this document.
    fn go_on(&mut self, trip: &mut Trip) {
        self.resuming = false;
        let same = self.fetch.plan.complete(FileId::Sod) == trip.kept.security_object();
        if same {
            self.fetch.plan.go_on(std::mem::take(&mut trip.kept.files));
        } else {
            // Another one may be longer than what was asked for.
            self.fetch.plan.forget(FileId::Sod);
            trip.kept.files.clear();
        }
        self.fetch.plan.want(&first_files(trip, &self.access));
    }

    fn asks_for_info(&self, trip: &Trip) -> bool {
        self.fetch.plan.block.refused_long() && trip.kept.known.announced == Announced::Unasked
    }

    /// Whether a key of DG14 is too long for short commands, and the chip has not said yet whether
    /// it takes chains of them. Which key is used is for later, when DG14 is proved.
    fn asks_for_chains(&self, trip: &Trip) -> bool {
        let Known { short_only, announced, .. } = trip.kept.known;
        let short = short_only || !trip.request.limits.extended;
        let infos = || dg14::parse(self.fetch.plan.complete(FileId::DG14)?).ok();
        let asks = short && announced == Announced::Unasked;
        asks && infos().is_some_and(|infos| chip_auth::is_long(&infos))
    }

    /// What was found out about the chip's lengths outlives the session.
    fn learn_limits(&mut self, trip: &mut Trip) {
        let Fetch { session, plan, .. } = &mut self.fetch;
        if let (Some(info), Announced::Unasked) = (plan.info(), trip.kept.known.announced) {
            trip.kept.known.learn(info);
            plan.block.announced(info.announced, session);
        }
        trip.kept.known.block = Some(plan.block.now());
    }

    /// What stays if the link was lost and only `replies` to the last batch came.
    pub(super) fn keep(self, mut kept: Kept, replies: &[Response]) -> Kept {
        let was_long = self.fetch.plan.block.is_long();
        let plan = self.fetch.into_plan(replies);
        if was_long && !plan.block.long_proved() {
            kept.count_loss_on_long();
        }
        // What was kept before stays until EF.SOD has been seen to differ.
        if !self.resuming {
            kept.files = plan.keep();
        }
        kept
    }
}
