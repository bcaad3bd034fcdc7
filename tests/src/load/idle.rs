//! Light pages while every instrument is at work.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{LoadError, build, report::percentile};
use crate::{citizen::Enrolment, people::People, process, served::Served};

/// How long light pages took meanwhile.
#[derive(Debug, Serialize)]
pub struct IdlePage {
    /// How the programs were built.
    pub build: &'static str,
    /// People who had pictures looked at all the time.
    pub at_once: u32,
    /// Pictures looked at meanwhile.
    pub pictures: u64,
    /// Each page.
    pub pages: Vec<PageFigures>,
}

/// Waits for one page.
#[derive(Debug, Serialize)]
pub struct PageFigures {
    /// Which.
    pub page: String,
    /// How often it was asked for.
    pub count: usize,
    /// Half took at most this, milliseconds.
    pub p50_ms: f64,
    /// Of a hundred, 99 took at most this.
    pub p99_ms: f64,
    /// The longest. The goal is 50.
    pub worst_ms: f64,
}

/// Time between two requests: they are not to be a load themselves.
const PAUSE: Duration = Duration::from_millis(10);

/// `at_once` people have pages of passports read without a pause for `time`.
pub(super) fn measure(
    served: &Served,
    people: &People,
    at_once: u32,
    time: Duration,
) -> Result<IdlePage, LoadError> {
    let person = people.person(0)?;
    let seen = Enrolment::start(&served.url(), &person.cpr)?;
    // Once before: what is loaded on the first use is no wait for anybody after.
    seen.page(&person.page)?;
    let (over, pictures) = (AtomicBool::new(false), AtomicU64::new(0));
    let paths = ["/health/live".to_owned(), "/health/ready".to_owned(), "/v1/keys".to_owned()];
    let waits = thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    pictures
                        .fetch_add(looked_at(served, &person.cpr, &person.page), Ordering::Relaxed);
                }
            });
        }
        // The instruments are at work before the first page is asked for.
        thread::sleep(Duration::from_secs(1));
        let waits = ask(&served.url(), &paths, time);
        over.store(true, Ordering::Relaxed);
        waits
    })?;
    let pages = paths.into_iter().zip(waits).map(|(page, waits)| figures(page, waits)).collect();
    // That it still stands after all that.
    process::metrics(&served.metrics())?;
    Ok(IdlePage { build: build(), at_once, pictures: pictures.into_inner(), pages })
}

/// A case whose page is read as often as it may be; how often it was.
fn looked_at(served: &Served, cpr: &str, page: &[u8]) -> u64 {
    let Ok(case) = Enrolment::start(&served.url(), cpr) else { return 0 };
    (0..10).map(|_| u64::from(case.page(page).is_ok())).sum()
}

/// The waits for each of `paths`, asked in turn over one connection.
fn ask(base: &str, paths: &[String], time: Duration) -> Result<Vec<Vec<Duration>>, LoadError> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let mut waits = vec![Vec::new(); paths.len()];
    let begun = Instant::now();
    while begun.elapsed() < time {
        for (path, waits) in paths.iter().zip(&mut waits) {
            let asked = Instant::now();
            let answer = agent.get(format!("{base}{path}")).call().map_err(Box::new)?;
            answer.into_body().read_to_vec().map_err(Box::new)?;
            waits.push(asked.elapsed());
            thread::sleep(PAUSE);
        }
    }
    Ok(waits)
}

fn figures(page: String, mut waits: Vec<Duration>) -> PageFigures {
    waits.sort_unstable();
    let [p50_ms, p99_ms, worst_ms] = [50, 99, 100].map(|percent| percentile(&waits, percent));
    PageFigures { page, count: waits.len(), p50_ms, p99_ms, worst_ms }
}

impl fmt::Display for IdlePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { build, at_once, pictures, pages } = self;
        write!(f, "{at_once} people had {pictures} pages read meanwhile ({build} build)")?;
        pages.iter().try_for_each(|PageFigures { page, count, p50_ms, p99_ms, worst_ms }| {
            write!(
                f,
                "\n  {page:14} {count:5} times  p50 {p50_ms:5.1} ms  p99 {p99_ms:5.1} ms  worst {worst_ms:5.1} ms"
            )
        })
    }
}
