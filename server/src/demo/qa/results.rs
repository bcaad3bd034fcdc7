//! What came of each fixture in this process, and the run that goes on.

use super::trace::{Judgement, Traced};
use crate::demo::catalogue::Expect;
use crate::ids::EnrolmentId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Traces kept: the others' verdicts stay.
const MOST_TRACES: usize = 64;

/// What came of a fixture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// What it ended in; why it did not, as an error.
    pub(crate) judgement: Option<Result<Judgement, String>>,
    /// How it went, while that is kept.
    pub(crate) traced: Option<Arc<Traced>>,
    /// The enrolment that it was, if it was one of the demonstration.
    pub(crate) enrolment: Option<EnrolmentId>,
}

impl Found {
    /// Whether that was expected; nothing while nothing was found.
    pub(crate) fn as_expected(&self, expect: &Expect) -> Option<bool> {
        let same =
            |found: &Judgement| found.verdict == expect.verdict && found.reasons == expect.reasons;
        self.judgement.as_ref().map(|found| found.as_ref().is_ok_and(same))
    }
}

/// A run of several.
#[derive(Debug, Clone)]
pub(super) struct Going {
    pub(super) done: usize,
    pub(super) total: usize,
}

#[derive(Debug, Default)]
struct Kept {
    found: HashMap<String, Found>,
    /// Those with a trace, oldest first.
    traced: VecDeque<String>,
    going: Option<Going>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Results(Mutex<Kept>);

impl Results {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came of `fixture` last.
    pub(crate) fn of(&self, fixture: &str) -> Found {
        self.kept().found.get(fixture).cloned().unwrap_or_default()
    }

    /// Keeps what came of `fixture`.
    pub(crate) fn keep(&self, fixture: &str, found: Found) {
        let mut kept = self.kept();
        if found.traced.is_some() {
            kept.traced.retain(|name| name != fixture);
            kept.traced.push_back(fixture.to_owned());
        }
        kept.found.insert(fixture.to_owned(), found);
        while kept.traced.len() > MOST_TRACES {
            let oldest = kept.traced.pop_front();
            let found = oldest.and_then(|name| kept.found.get_mut(&name));
            found.into_iter().for_each(|found| found.traced = None);
        }
    }

    /// Begins a run of `names`, of which nothing from before is shown any more; not while another goes on.
    pub(super) fn begin(&self, names: &[String]) -> bool {
        let mut kept = self.kept();
        let free = kept.going.is_none();
        if free {
            kept.going = Some(Going { done: 0, total: names.len() });
            for name in names {
                kept.found.remove(name);
                kept.traced.retain(|traced| traced != name);
            }
        }
        free
    }

    /// So many more are done.
    pub(super) fn count(&self, done: usize) {
        if let Some(going) = &mut self.kept().going {
            going.done += done;
        }
    }

    /// The run of `names` is over: of what has no result by now it broke off, and `why` is its result.
    pub(super) fn end(&self, names: &[String], why: &str) {
        let mut kept = self.kept();
        for name in names {
            kept.found
                .entry(name.clone())
                .or_default()
                .judgement
                .get_or_insert(Err(why.to_owned()));
        }
        kept.going = None;
    }

    /// The run that goes on.
    pub(super) fn going(&self) -> Option<Going> {
        self.kept().going.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(verdict: &str, reasons: &[&str]) -> Found {
        let reasons = reasons.iter().map(|&reason| reason.to_owned()).collect();
        let judgement = Some(Ok(Judgement { verdict: verdict.to_owned(), reasons }));
        Found { judgement, traced: Some(Arc::default()), enrolment: None }
    }

    #[test]
    fn another_reason_or_an_error_is_not_as_expected() {
        let expect = Expect { verdict: "refused".to_owned(), reasons: vec!["a.b".to_owned()] };
        assert_eq!(found("refused", &["a.b"]).as_expected(&expect), Some(true));
        assert_eq!(found("refused", &["a.b", "c"]).as_expected(&expect), Some(false));
        assert_eq!(found("accepted", &[]).as_expected(&expect), Some(false));
        let broken = Found { judgement: Some(Err("no chip".to_owned())), ..Found::default() };
        assert_eq!(broken.as_expected(&expect), Some(false));
        assert_eq!(Found::default().as_expected(&expect), None);
    }

    #[test]
    fn old_traces_go_and_their_verdicts_stay() {
        let results = Results::default();
        for number in 0..=MOST_TRACES {
            results.keep(&number.to_string(), found("accepted", &[]));
        }
        assert!(results.of("0").traced.is_none() && results.of("0").judgement.is_some());
        assert!(results.of("1").traced.is_some());
    }

    #[test]
    fn a_run_that_breaks_off_shows_that_and_not_what_was_found_before() {
        let results = Results::default();
        let [one, two] = ["good", "clone"].map(str::to_owned);
        let both = [one.clone(), two];
        both.iter().for_each(|name| results.keep(name, found("accepted", &[])));
        assert!(results.begin(&both) && !results.begin(&both[..1]), "one at a time");
        assert!(results.of("good").judgement.is_none() && results.of("good").traced.is_none());
        results.keep("good", found("accepted", &[]));
        results.end(&both, "it broke off");
        let judged = |name: &str| results.of(name).judgement.unwrap().map(|found| found.verdict);
        assert_eq!(judged("good"), Ok("accepted".to_owned()));
        assert_eq!(judged("clone"), Err("it broke off".to_owned()));
        assert!(results.begin(&[one]), "it is over");
    }
}
