//! `enroll trust import`: nothing that a file holds aborts the import; each certificate that cannot
//! be used is listed with its reason. All files of one command become visible together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use nfc::trust::{
    Domain, TrustStore,
    certificate::Certificate,
    crl::Crl,
    master_list::{self, MasterList},
};
use sha2::{Digest, Sha256};
use time::{Date, OffsetDateTime};

use super::{
    super::{
        output::{CliError, Format, Output, Status, describe, read},
        today,
    },
    report::{Horizon, Item, Report},
    signer::{self, Judged},
    source::{Offer, Source, What},
};
use crate::trust_dir::{Draft, Imported, Kind, TrustDir};

/// The longest file that is read.
const MOST_BYTES: u64 = 512 << 20;

/// Arguments of `enroll trust import`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store; made if it does not exist
    store: PathBuf,
    /// Master lists, LDIF, certificates, revocation lists, or folders of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The world the anchors belong to: production or qa
    #[arg(long)]
    domain: Domain,
    /// The certificate that must have issued (or be) the signer of a master list
    #[arg(long, value_name = "CERT")]
    signer: Option<PathBuf>,
    /// Import a master list even if its signature or signer is not verified
    #[arg(long)]
    unverified: bool,
    /// What to compare with; by default the country of a master list, or the name of the file
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Take out what the source held at its last import and no longer holds
    #[arg(long)]
    remove_gone: bool,
    /// Tell which anchors expire within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    expiring_within: u16,
    /// The day to count from; by default today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = today::parse)]
    at: Option<Date>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let signer = args.signer.as_deref().map(super::certificate).transpose()?;
    let draft = TrustDir::create(&args.store)?.import()?;
    let now = today::now();
    let at = args.at.unwrap_or_else(|| now.date());
    let horizon = Horizon { at, days: args.expiring_within };
    let mut import = Import { args, signer, draft, horizon, reports: Vec::new() };
    for path in &args.files {
        import.path(path)?;
    }
    import.compare();
    import.finish(now, out)
}

struct Import<'a> {
    args: &'a Args,
    signer: Option<Certificate>,
    draft: Draft,
    horizon: Horizon,
    reports: Vec<(Status, Report)>,
}

impl Import<'_> {
    /// A file, or each file of a folder, in order of name.
    fn path(&mut self, path: &Path) -> Result<(), CliError> {
        if !path.is_dir() {
            let report = self.file(path, None)?;
            self.reports.push(report);
            return Ok(());
        }
        let folder = format!("folder {}", name_of(path));
        for file in expand(path) {
            let (status, report) = self.file(&file, Some(&folder))?;
            // A folder may hold other things besides; it is said, and no fault.
            let is_other = report.kind == "unknown" && report.sha256.is_some();
            self.reports.push((if is_other { Status::Accepted } else { status }, report));
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, folder: Option<&str>) -> Result<(Status, Report), CliError> {
        let source = self.args.source.as_deref().or(folder);
        let source = source.map_or_else(|| usual_source(path), str::to_owned);
        let mut report = Report::empty(path, self.args.domain, source);
        let bytes = match std::fs::metadata(path) {
            Ok(found) if found.len() > MOST_BYTES => {
                return Ok((Status::Unusable, report.refused("too long")));
            }
            _ => match read(path) {
                Ok(bytes) => bytes,
                Err(error) => return Ok((Status::Unusable, report.refused(describe(&error)))),
            },
        };
        report.sha256 = Some(hex::encode(Sha256::digest(&bytes)));
        match Source::of(bytes) {
            Err(error) => {
                report.kind = "ldif";
                Ok((Status::Unusable, report.refused(error.to_string())))
            }
            Ok(None) => {
                let what = "neither certificate, revocation list, master list, LDIF nor PEM";
                Ok((Status::Unusable, report.refused(what)))
            }
            Ok(Some(found)) => {
                report.kind = found.kind;
                self.offers(found, report)
            }
        }
    }

    fn offers(&mut self, found: Source, mut report: Report) -> Result<(Status, Report), CliError> {
        if let [Offer { what: What::MasterList, bytes, entry: None }] = found.offers.as_slice() {
            return self.single_list(bytes, report);
        }
        let mut all_believed = true;
        for (index, offer) in found.offers.into_iter().enumerate() {
            let entry = offer.entry.as_ref().map(|entry| entry.name.clone());
            match offer.what {
                What::Broken(why) => report.reject(index, &offer.bytes, why, entry),
                What::MasterList => all_believed &= self.list_among(index, &offer, &mut report)?,
                _ => self.one(index, &offer, &mut report),
            }
        }
        Ok((Status::of(report.taken() > 0 && all_believed), report))
    }

    /// A file that is a master list.
    fn single_list(
        &mut self,
        bytes: &[u8],
        mut report: Report,
    ) -> Result<(Status, Report), CliError> {
        let list = match master_list::parse(bytes) {
            Ok(list) => list,
            Err(error) => {
                report.reject(0, bytes, describe(&error), None);
                return Ok((Status::Refused, report.refused("malformed master list")));
            }
        };
        let judged = self.judge(&list)?;
        if self.args.source.is_none()
            && let Some(country) = judged.country.as_deref().filter(|_| judged.verified)
        {
            report.source = format!("master list of {country}");
        }
        let verified = judged.verified;
        let why = judged.reason.unwrap_or_default();
        report.signer = Some(judged);
        if !verified && !self.args.unverified {
            let why = format!("{why}; --unverified imports it nevertheless");
            return Ok((Status::Refused, report.refused(why)));
        }
        self.anchors_of(&list, None, &mut report);
        Ok((Status::Accepted, report))
    }

    /// A master list among other things; whether it was believed. Nobody signed what it lies among,
    /// so its own root is nobody's word, and an anchor's word counts for its own state only.
    fn list_among(
        &mut self,
        index: usize,
        offer: &Offer,
        report: &mut Report,
    ) -> Result<bool, CliError> {
        let entry = offer.entry.as_ref().map(|entry| entry.name.clone());
        let list = match master_list::parse(&offer.bytes) {
            Ok(list) => list,
            Err(error) => {
                report.reject(index, &offer.bytes, describe(&error), entry);
                return Ok(true);
            }
        };
        let judged = self.judge(&list)?.among_others();
        let believed = judged.verified;
        if believed || self.args.unverified {
            let state = judged.vouches_for().filter(|_| !self.args.unverified);
            self.anchors_of(&list, state, report);
        } else {
            let why = judged.reason.unwrap_or_default().to_owned();
            report.reject(index, &offer.bytes, why, entry);
        }
        report.signers_of_lists.push(judged);
        Ok(believed)
    }

    fn judge(&self, list: &MasterList) -> Result<Judged, CliError> {
        let store = self.draft.store(self.args.domain)?;
        let at = self.horizon.at.midnight().assume_utc();
        Ok(signer::judge(list, self.signer.as_ref(), &store, at))
    }

    /// The certificates of a list, or only those of one state.
    fn anchors_of(&mut self, list: &MasterList, state: Option<&str>, report: &mut Report) {
        for (index, der) in list.certificates.iter().enumerate() {
            match state {
                Some(state) if !is_of(der, state) => {
                    let why = "of another state than the one whose anchor vouches for the list";
                    report.reject(index, der, why.to_owned(), None);
                }
                _ => self.certificate(index, der, Some(Kind::Anchor), None, report),
            }
        }
    }

    fn one(&mut self, index: usize, offer: &Offer, report: &mut Report) {
        let entry = offer.entry.as_ref().map(|entry| entry.name.clone());
        if offer.what == What::Certificate {
            // A directory holds what anybody with access to it put there.
            let said = entry.is_some().then_some(Kind::Signer);
            return self.certificate(index, &offer.bytes, said, entry, report);
        }
        match Crl::parse(&offer.bytes) {
            Ok(_) => self.take(Kind::RevocationList, &offer.bytes, report),
            Err(error) => report.reject(index, &offer.bytes, describe(&error), entry),
        }
    }

    /// Stores a certificate as what it is said to be, else as what it says itself.
    fn certificate(
        &mut self,
        index: usize,
        der: &[u8],
        said: Option<Kind>,
        entry: Option<String>,
        report: &mut Report,
    ) {
        match usable(der, said, self.args.domain) {
            Ok(kind) => self.take(kind, der, report),
            Err(why) => report.reject(index, der, why, entry),
        }
    }

    fn take(&mut self, kind: Kind, der: &[u8], report: &mut Report) {
        let stored = self.draft.add(self.args.domain, kind, der);
        report.count(kind, der, stored, self.horizon);
    }

    /// Tells of each source what is gone since its last import, and takes that out if asked to.
    /// Where a file of the source was refused nothing can be said.
    fn compare(&mut self) {
        let mut held: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for (_, report) in &self.reports {
            held.entry(report.source.clone()).or_default().extend(report.held.iter().copied());
        }
        for (source, now) in held {
            let of_source = |(_, report): &&mut (Status, Report)| report.source == source;
            let is_whole = |(_, report): &(Status, Report)| {
                report.source != source || report.refused.is_none() || report.kind == "unknown"
            };
            if now.is_empty() || !self.reports.iter().all(is_whole) {
                continue;
            }
            let before = self.draft.held(self.args.domain, &source).cloned().unwrap_or_default();
            let gone: Vec<_> = before.difference(&now).copied().collect();
            let gone: Vec<_> = gone
                .into_iter()
                .filter_map(|key| Some((key, self.draft.get(self.args.domain, &key)?.to_vec())))
                .collect();
            let mut removed = 0_usize;
            for (key, _) in gone.iter().filter(|_| self.args.remove_gone) {
                let elsewhere = self.draft.is_held_elsewhere(self.args.domain, &source, key);
                if !elsewhere && self.draft.remove(self.args.domain, key) {
                    removed = removed.saturating_add(1);
                }
            }
            self.draft.hold(self.args.domain, &source, now);
            if let Some((_, last)) = self.reports.iter_mut().rev().find(of_source) {
                last.gone = gone.iter().map(|(key, der)| Item::of(key, Some(der))).collect();
                last.removed = removed;
            }
        }
    }

    /// Makes it visible, then tells of it.
    fn finish(mut self, now: OffsetDateTime, out: &mut Output<'_>) -> Result<Status, CliError> {
        let taken: Vec<_> = self.reports.iter().filter(|(_, r)| r.taken() > 0).collect();
        let records: Vec<_> = taken.into_iter().map(|(_, report)| record(report, now)).collect();
        if !records.is_empty() {
            records.into_iter().for_each(|record| self.draft.record(record));
            self.draft.commit()?;
        }
        let mut worst = Status::Accepted;
        for (status, report) in &self.reports {
            out.result(self.args.format, report, Report::human)?;
            worst = worst.max(*status);
        }
        Ok(worst)
    }
}

fn record(report: &Report, now: OffsetDateTime) -> Imported {
    let stamp = now.format(&time::format_description::well_known::Rfc3339);
    Imported {
        file: report.file.display().to_string(),
        sha256: report.sha256.clone().unwrap_or_default(),
        source: report.source.clone(),
        domain: report.domain.to_string(),
        kind: report.kind.to_owned(),
        at: stamp.unwrap_or_default(),
        imported: report.imported,
        duplicates: report.duplicates,
        rejected: report.rejected.len(),
    }
}

fn is_of(der: &[u8], state: &str) -> bool {
    Certificate::parse(der).is_ok_and(|found| found.country().as_deref() == Some(state))
}

/// What a certificate is stored as, if it can be used at all. A document signer must not become an
/// anchor: it would be believed in whatever it signs.
fn usable(der: &[u8], said: Option<Kind>, domain: Domain) -> Result<Kind, String> {
    let certificate = Certificate::parse(der).map_err(|error| describe(&error))?;
    let is_signer = certificate.is_document_signer();
    let kind = match said {
        Some(Kind::Anchor) if is_signer && certificate.key_usage.is_some() => {
            return Err("a document signer, which is no issuer".to_owned());
        }
        Some(Kind::Anchor) => Kind::Anchor,
        Some(Kind::Signer) if !is_signer => {
            return Err("an issuer, which nobody vouches for here: import it from a master list, \
                        or as a file of its own"
                .to_owned());
        }
        _ if is_signer => Kind::Signer,
        _ => Kind::Anchor,
    };
    let mut alone = TrustStore::new(domain);
    let added = match kind {
        Kind::Signer => alone.add_signer_der(der),
        _ => alone.add_der(der),
    };
    added.map(|_| kind).map_err(|error| describe(&error))
}

/// The name of a file without a date or number at its end, so that the next one of a series is
/// compared with it.
fn usual_source(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default();
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit() || "-_.".contains(c));
    format!("file {}", if bare.is_empty() { &stem } else { bare })
}

fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The files of a folder and its folders, in order of name.
fn expand(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    // A link to a folder is not followed, so that there is no circle.
    paths.retain(|path| path.is_file() || (path.is_dir() && !path.is_symlink()));
    paths
        .iter()
        .flat_map(|path| if path.is_dir() { expand(path) } else { vec![path.clone()] })
        .collect()
}
