//! What Linux tells of a process (proc(5)), and what the server's metrics tell of it.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use serde::Serialize;

/// Memory of a process, KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All that is resident (`VmRSS`).
    pub resident_kib: u64,
    /// What is resident and backed by no file (`RssAnon`): heaps and stacks.
    pub anonymous_kib: u64,
    /// The most that was ever resident (`VmHWM`).
    pub peak_kib: u64,
}

/// The memory of `process`.
///
/// # Errors
/// If it is gone.
pub fn memory(process: u32) -> io::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Ok(Memory { resident_kib: kib("VmRSS"), anonymous_kib: kib("RssAnon"), peak_kib: kib("VmHWM") })
}

/// Processor time of the living threads of `process`, by the name of the thread without its number.
/// The time of threads that have ended is not told.
///
/// # Errors
/// If it is gone.
pub fn threads(process: u32) -> io::Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let stat: PathBuf = task?.path().join("stat");
        // A thread that has just ended is passed over.
        let Some((name, time)) = fs::read_to_string(stat).ok().and_then(|s| thread(&s)) else {
            continue;
        };
        *times.entry(name).or_default() += time;
    }
    Ok(times)
}

/// Name, and user and system time, of a line of `stat`: the name is in parentheses and may hold any
/// character; the times are fields 14 and 15, in ticks of 10 ms (`USER_HZ`).
fn thread(stat: &str) -> Option<(String, Duration)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
    Some((name, Duration::from_millis(10 * (ticks(11)? + ticks(12)?))))
}

/// The metrics at `url`, each under its name with its labels, as it stands in the text.
///
/// # Errors
/// If the server does not answer.
pub fn metrics(url: &str) -> Result<BTreeMap<String, f64>, Box<ureq::Error>> {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let text = agent.get(url).call()?.into_body().read_to_string()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_be_called_anything() {
        let stat = "7 (a) b (c)-12) S 1 7 7 0 -1 4194304 1 0 0 0 25 5 0 0 20 0 1 0 9 0 0";
        assert_eq!(thread(stat), Some(("a) b (c)".to_owned(), Duration::from_millis(300))));
        assert_eq!(thread("7 (x"), None);
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let me = std::process::id();
        let found = memory(me).unwrap();
        assert!(found.resident_kib > found.anonymous_kib && found.anonymous_kib > 0, "{found:?}");
        assert!(found.peak_kib >= found.resident_kib, "{found:?}");
        assert!(!threads(me).unwrap().is_empty());
    }
}
