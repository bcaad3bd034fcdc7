//! `enroll trust list`: one object per anchor, or with `--summary` how much there is.

use std::{path::PathBuf, sync::Arc, time::Instant};

use nfc::trust::{Anchor, Domain, TrustStore};
use serde::Serialize;

use super::{
    super::output::{CliError, Format, Output, Status},
    Listed,
};
use crate::trust_dir::{Counts, TrustDir};

/// Arguments of `enroll trust list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store
    store: PathBuf,
    /// Only the anchors of this domain
    #[arg(long)]
    domain: Option<Domain>,
    /// Only the anchors of this country, such as DK
    #[arg(long, value_name = "CC")]
    country: Option<String>,
    /// The store as it was before the last import
    #[arg(long)]
    previous: bool,
    /// Only how much there is in each domain, and how long it took to load
    #[arg(long, conflicts_with = "country")]
    summary: bool,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let dir = match args.previous {
        true => TrustDir::open_previous(&args.store)?,
        false => TrustDir::open(&args.store)?,
    };
    for domain in dir.domains()? {
        if args.domain.is_some_and(|only| only != domain) {
            continue;
        }
        let start = Instant::now();
        let store = dir.load(domain)?;
        if args.summary {
            let summary = Summary {
                domain,
                counts: dir.counts(domain)?,
                generation: dir.generation_number()?,
                load_ms: start.elapsed().as_secs_f64() * 1e3,
            };
            out.result(args.format, &summary, Summary::human)?;
            continue;
        }
        let wanted = |anchor: &&Arc<Anchor>| args.country.is_none() || is_of(anchor, args);
        for anchor in store.anchors().iter().filter(wanted) {
            let listed = InStore::of(&store, anchor);
            out.result(args.format, &listed, InStore::human)?;
        }
    }
    Ok(Status::Accepted)
}

fn is_of(anchor: &Anchor, args: &Args) -> bool {
    let country = anchor.certificate.country().unwrap_or_default();
    args.country.as_ref().is_some_and(|wanted| wanted.eq_ignore_ascii_case(&country))
}

/// How much there is of a domain.
#[derive(Debug, Serialize)]
struct Summary {
    domain: Domain,
    #[serde(flatten)]
    counts: Counts,
    generation: u64,
    load_ms: f64,
}

impl Summary {
    fn human(&self) -> String {
        let Counts { anchors, signers, revocation_lists } = self.counts;
        format!(
            "{}: {anchors} anchors, {signers} document signers, {revocation_lists} revocation \
             lists; import number {}; loaded in {:.1} ms",
            self.domain, self.generation, self.load_ms
        )
    }
}

/// An anchor, and for a link certificate what it links to.
#[derive(Debug, Serialize)]
struct InStore {
    domain: Domain,
    #[serde(flatten)]
    listed: Listed,
    /// The anchor that a link certificate was issued by, if it is known.
    link_to: Option<String>,
    /// All anchors that have the key it was issued with.
    links: Vec<String>,
}

impl InStore {
    fn of(store: &TrustStore, anchor: &Anchor) -> Self {
        let links = store.links(anchor);
        let links: Vec<String> = links.iter().map(|issuer| hex::encode(issuer.sha256)).collect();
        Self {
            domain: store.domain(),
            listed: Listed::of(store, anchor),
            link_to: links.first().cloned(),
            links,
        }
    }

    fn human(&self) -> String {
        let short = |sha256: &String| sha256.get(..16).unwrap_or_default().to_owned();
        let role = match (self.listed.self_signed, &self.link_to) {
            (true, _) => "root".to_owned(),
            (false, Some(to)) => format!("link, issued by {}", short(to)),
            (false, None) => "link, its issuer is not in the store".to_owned(),
        };
        format!("{}  {}  {role}", self.domain, self.listed.line())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_is_flat() {
        let counts = Counts { anchors: 2, signers: 1, revocation_lists: 0 };
        let summary = Summary { domain: Domain::Qa, counts, generation: 3, load_ms: 1.25 };
        let expected = json!({"domain": "qa", "anchors": 2, "signers": 1, "revocation_lists": 0,
            "generation": 3, "load_ms": 1.25});
        assert_eq!(json!(summary), expected);
    }
}
