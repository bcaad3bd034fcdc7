//! How far open relays are, for people who watch. Lost with the process, as the sockets are.

use super::App;
use crate::ids::EnrolmentId;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How far a reading is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// Stable name of the step.
    pub step: &'static str,
    /// 0 to 1.
    pub done: f32,
}

#[derive(Default)]
pub(super) struct Live(Mutex<HashMap<EnrolmentId, Progress>>);

impl App {
    /// How far the reading of this enrolment's chip is, while a relay is open.
    #[must_use]
    pub fn progress(&self, id: EnrolmentId) -> Option<Progress> {
        self.live.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn set_progress(&self, id: EnrolmentId, progress: Option<Progress>) {
        let mut live = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Some(progress) => live.insert(id, progress),
            None => live.remove(&id),
        };
    }
}
