//! The states after passive authentication: the chip proves that it is the one that was signed for
//! (ICAO 9303-11 §6).
//!
//! Order matters: chip authentication changes the session keys, and the first answer under the new
//! ones is its proof. That first command is active authentication where there is a key for it. The
//! last is sent under the old keys, which must be dead. All go in one batch; what a refusal leaves
//! over is sent after it.

use serde_json::json;

use super::{
    AccessReport, ActiveEvidence, ChipReading, Next, Opened, ReadError, State, Trip,
    active::{Asked, Proof, is_of_length, reread},
    agreed::{self, Agreed, Refused},
    mapping, open, prove_again,
};
use crate::{
    apdu::{Response, StatusWord},
    check::{Check, Outcome, Reason},
    chip_auth::{self, ChipAuthentication, Lengths, Offered},
    files::Files,
    link::{Batch, Step},
    passive::{self, VerifiedLds},
    sm::{SecureMessaging, SmError},
};

/// What has been found so far.
struct Findings {
    access: AccessReport,
    report: passive::Report,
    /// PACE's chip authentication mapping, if it passed.
    mapping: Option<Check>,
    chip: Option<Check>,
    active: Option<Check>,
    evidence: Option<ActiveEvidence>,
}

/// The commands by which the chip proves itself were sent, in one batch.
pub(super) struct AwaitGenuine {
    findings: Findings,
    sent: Sent,
}

/// What was sent under which keys.
enum Sent {
    /// Chip authentication under the old keys, the proof under the new, and a last command under
    /// the old ones, which must be dead.
    Chip(Box<Agreement>),
    /// Active authentication alone, before or after chip authentication.
    Active { session: SecureMessaging, asked: Asked, agreed: Option<Agreed> },
    /// The command under the old keys alone.
    OldKeys(Agreed),
}

/// Chip authentication under way.
struct Agreement {
    old: SecureMessaging,
    prepared: ChipAuthentication,
    trying: Trying,
    tries_old_keys: bool,
}

/// The keys still to be tried, those that the chip refused, and what is to prove the next.
struct Trying {
    offered: Offered,
    refused: Vec<Refused>,
    proof: Proof,
}

/// The most keys that are tried.
const MOST_TRIED: usize = 4;

/// Goes on to chip authentication, active authentication, or the end.
pub(super) fn start(
    mut trip: Trip,
    session: SecureMessaging,
    access: AccessReport,
    report: passive::Report,
) -> Result<Next, ReadError> {
    let mut findings =
        Findings { access, report, mapping: None, chip: None, active: None, evidence: None };
    let Some(lds) = findings.report.verified.clone() else {
        let why = "no signed key: passive authentication did not pass";
        findings.chip = Some(passive::not_performed("chip_authentication", why));
        findings.active = Some(passive::not_performed("active_authentication", why));
        return Ok(findings.end(trip.files));
    };
    let (proof, active) = Proof::new(&trip, &lds);
    findings.active = active;
    if let Some(mapping) = trip.mapping.take() {
        let check = mapping::check(mapping, findings.report.card_security.as_ref());
        if check.outcome != Outcome::Passed {
            findings.chip = Some(check);
            return authenticate(trip, session, proof, findings);
        }
        findings.mapping = Some(check);
    }
    match chip_auth::offered(&lds) {
        Ok(offered) => {
            agree(trip, session, Trying { offered, refused: Vec::new(), proof }, findings)
        }
        Err(error) => {
            findings.chip = Some(agreed::not_performed(&error));
            authenticate(trip, session, proof, findings)
        }
    }
}

/// The new keys are known before the chip answers: what proves them goes with what makes them.
fn agree(
    mut trip: Trip,
    old: SecureMessaging,
    mut trying: Trying,
    mut findings: Findings,
) -> Result<Next, ReadError> {
    let lengths = lengths(&trip, &old);
    let prepared = match trying.offered.prepare(lengths, &mut *trip.request.random) {
        Ok(prepared) if trying.refused.len() < MOST_TRIED => prepared,
        Ok(_) => return refused_all(trip, old, trying, findings),
        Err(_) if !trying.refused.is_empty() => return refused_all(trip, old, trying, findings),
        Err(error) => {
            findings.chip = Some(agreed::not_performed(&error));
            return authenticate(trip, old, trying.proof, findings);
        }
    };
    let tries_old_keys = trip.kept.tries_old_keys();
    let mut commands = prepared.commands.clone();
    commands.push(reread(&trip).0);
    let mut commands = old.wrap_all(&commands)?;
    let last = commands.pop().filter(|_| tries_old_keys);
    commands.extend(prepared.next.wrap_all(&[trying.proof.command(&trip, &prepared.next)])?);
    commands.extend(last);
    let sent = Sent::Chip(Box::new(Agreement { old, prepared, trying, tries_old_keys }));
    Ok(AwaitGenuine { findings, sent }.after(Batch::new(commands), trip))
}

/// Chains where the link has no extended lengths or the chip broke off at one, if the chip says that
/// it takes chains. Otherwise extended lengths, which a chip must bear whose keys need them
/// (ICAO 9303-11 §9.3.1.1), if the link has them.
fn lengths(trip: &Trip, session: &SecureMessaging) -> Lengths {
    let known = trip.kept.known;
    let room = session.outgoing();
    let link_is_long = trip.request.limits.extended && !trip.kept.link_is_short();
    let either_is_short = known.short_only || !link_is_long;
    match (known.takes_chains, link_is_long) {
        (true, _) if either_is_short => Lengths::Chained(room),
        (_, true) => Lengths::Extended,
        (_, false) => Lengths::Short(room),
    }
}

fn refused_all(
    trip: Trip,
    old: SecureMessaging,
    trying: Trying,
    mut findings: Findings,
) -> Result<Next, ReadError> {
    findings.chip = agreed::all_refused(&trying.refused);
    authenticate(trip, old, trying.proof, findings)
}

/// Active authentication in the session as it is, if there is a key for it.
fn authenticate(
    trip: Trip,
    session: SecureMessaging,
    proof: Proof,
    mut findings: Findings,
) -> Result<Next, ReadError> {
    match proof {
        Proof::Active(asked) => ask(trip, (session, asked, None), findings),
        Proof::Reread(_) => {
            findings.say_silent(&trip);
            Ok(findings.end(trip.files))
        }
    }
}

fn ask(
    trip: Trip,
    (session, mut asked, agreed): (SecureMessaging, Asked, Option<Agreed>),
    findings: Findings,
) -> Result<Next, ReadError> {
    let batch = Batch::new(session.wrap_all(&[asked.command(&trip, &session)])?);
    let sent = Sent::Active { session, asked, agreed };
    Ok(AwaitGenuine { findings, sent }.after(batch, trip))
}

/// The command under the old keys, where nothing has followed a refusal.
fn try_old_keys(trip: Trip, agreed: Agreed, mut findings: Findings) -> Result<Next, ReadError> {
    if !trip.kept.tries_old_keys() {
        findings.chip = Some(agreed.check(None));
        return Ok(findings.end(trip.files));
    }
    let batch = Batch::new(agreed.old.wrap_all(&[reread(&trip).0])?);
    Ok(AwaitGenuine { findings, sent: Sent::OldKeys(agreed) }.after(batch, trip))
}

impl AwaitGenuine {
    fn after(self, batch: Batch, trip: Trip) -> Next {
        Next::transmit(batch, trip, State::Genuine(Box::new(self)))
    }

    /// Whether nothing but the answer under the old keys was missing when the link was lost after so
    /// many replies.
    pub(super) fn lost_on_old_keys(&self, replies: usize) -> bool {
        match &self.sent {
            Sent::Chip(agreement) => {
                let before = agreement.prepared.commands.len().saturating_add(1);
                agreement.tries_old_keys && replies == before
            }
            Sent::Active { .. } => false,
            Sent::OldKeys(_) => true,
        }
    }

    pub(super) fn step(self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let Self { mut findings, sent } = self;
        match sent {
            Sent::Chip(agreement) => chip_step(trip, findings, *agreement, replies),
            Sent::Active { session, asked, agreed } => {
                active_step(trip, findings, (session, asked, agreed), only(replies)?)
            }
            Sent::OldKeys(agreed) => {
                findings.chip = Some(agreed.check(Some(only(replies)?)));
                Ok(findings.end(trip.files))
            }
        }
    }
}

fn only(replies: &[Response]) -> Result<&Response, ReadError> {
    match replies {
        [] => Err(ReadError::NoReply),
        [reply] => Ok(reply),
        replies => Err(ReadError::Replies { commands: 1, replies: replies.len() }),
    }
}

/// The answers under the old keys, then the one under the new, then the refusal of the old.
fn chip_step(
    trip: Trip,
    mut findings: Findings,
    agreement: Agreement,
    replies: &[Response],
) -> Result<Next, ReadError> {
    let Agreement { old, prepared, mut trying, .. } = agreement;
    let ChipAuthentication { commands, next, summary } = prepared;
    let at = commands.len().min(replies.len());
    let (agreed, after) = replies.split_at_checked(at).unwrap_or((replies, &[]));
    let Opened { replies: agreed, session } = open(old, commands.len(), agreed)?;
    let old = match session {
        Ok(session) => session,
        Err(error) => {
            findings.chip = Some(agreed::failed(&summary, json!({ "error": error.to_string() })));
            return Ok(findings.session_over(trip.files));
        }
    };
    // A protected refusal leaves the old session as it was (ICAO 9303-11 §6.2.2).
    if let Some(refused) = agreed.iter().find(|reply| !reply.status.is_ok()) {
        trying.refused.push(Refused { summary, status: refused.status });
        return agree(trip, old, trying, findings);
    }
    let (proved, last) = match after {
        [] => return Err(ReadError::NoReply),
        [proved] => (proved, None),
        [proved, last, ..] => (proved, Some(last)),
    };
    let Trying { proof, refused, .. } = trying;
    match (next.unwrap(proved), proof) {
        (Ok((session, reply)), proof) => {
            let agreed = Agreed { summary, refused, old, differs: differs(&proof, &reply) };
            proved_step(trip, findings, (session, proof, agreed), (reply, last))
        }
        (Err(SmError::Unprotected { status }), Proof::Active(asked)) => {
            let error = SmError::Unprotected { status };
            findings.chip = Some(agreed::failed(&summary, json!({ "error": error.to_string() })));
            active_broke(trip, findings, &asked, status)
        }
        // The chip did not follow to the new keys: it has not the private key.
        (Err(error), _) => {
            findings.chip = Some(agreed::failed(&summary, json!({ "error": error.to_string() })));
            Ok(findings.session_over(trip.files))
        }
    }
}

/// File bytes must be those of before. Any other answer was authentic all the same, be it a refusal,
/// which some chips give to short identifiers.
fn differs(proof: &Proof, reply: &Response) -> bool {
    matches!(proof, Proof::Reread(expected) if reply.status.is_ok() && *expected != reply.data)
}

/// The new keys hold. Active authentication that was refused for its length is asked for once more
/// in short lengths.
fn proved_step(
    trip: Trip,
    mut findings: Findings,
    (session, proof, agreed): (SecureMessaging, Proof, Agreed),
    (reply, last): (Response, Option<&Response>),
) -> Result<Next, ReadError> {
    match proof {
        Proof::Active(asked) if asked.is_long() && is_of_length(reply.status) => {
            return ask(trip, (session, asked.in_short(), Some(agreed)), findings);
        }
        Proof::Active(asked) => findings.judge(&trip, &asked, &reply),
        Proof::Reread(_) => findings.say_silent(&trip),
    }
    match last {
        Some(last) => {
            findings.chip = Some(agreed.check(Some(last)));
            Ok(findings.end(trip.files))
        }
        None => try_old_keys(trip, agreed, findings),
    }
}

/// The answer to active authentication alone.
fn active_step(
    trip: Trip,
    mut findings: Findings,
    (session, asked, agreed): (SecureMessaging, Asked, Option<Agreed>),
    reply: &Response,
) -> Result<Next, ReadError> {
    match session.unwrap(reply) {
        Ok((session, reply)) if asked.is_long() && is_of_length(reply.status) => {
            return ask(trip, (session, asked.in_short(), agreed), findings);
        }
        Ok((_, reply)) => findings.judge(&trip, &asked, &reply),
        Err(SmError::Unprotected { status }) if asked.is_long() && is_of_length(status) => {
            return active_broke(trip, findings, &asked, status);
        }
        // A lone error ends the session, and with it nothing that was found before.
        Err(SmError::Unprotected { status }) => {
            findings.active = Some(asked.refused(status, false));
        }
        Err(error) => return Err(error.into()),
    }
    match agreed {
        Some(agreed) => try_old_keys(trip, agreed, findings),
        None => Ok(findings.end(trip.files)),
    }
}

/// The chip ended the session when it was asked for active authentication. It is opened again: in
/// short lengths, if it broke off at a length; else to prove the keys of chip authentication without
/// active authentication, of which nobody can say otherwise whether they were ever in force.
fn active_broke(
    mut trip: Trip,
    findings: Findings,
    asked: &Asked,
    status: StatusWord,
) -> Result<Next, ReadError> {
    if asked.is_long() && is_of_length(status) {
        trip.kept.known.short_only = true;
    } else {
        trip.silent = Some(asked.refused(status, false));
    }
    let mut otherwise = findings;
    if otherwise.chip.is_none() {
        otherwise.active = Some(asked.refused(status, false));
    }
    let otherwise = otherwise.cut_off(trip.files.clone());
    Ok(prove_again(trip, otherwise))
}

impl Findings {
    fn judge(&mut self, trip: &Trip, asked: &Asked, reply: &Response) {
        let (check, evidence) = asked.judge(trip, reply);
        (self.active, self.evidence) = (Some(check), evidence);
    }

    /// What active authentication came to in the session that it ended.
    fn say_silent(&mut self, trip: &Trip) {
        if let (None, Some(silent)) = (&self.active, &trip.silent) {
            self.active = Some(silent.clone());
        }
    }

    /// The chip can be asked nothing more.
    fn session_over(self, files: Files) -> Next {
        Next(Step::Done(self.cut_off(files)))
    }

    /// What was found if nothing more is.
    fn cut_off(mut self, files: Files) -> ChipReading {
        if self.active.is_none() {
            let why = "the session ended with chip authentication";
            self.active = Some(passive::not_performed("active_authentication", why));
        }
        self.reading(files)
    }

    fn end(self, files: Files) -> Next {
        Next(Step::Done(self.reading(files)))
    }

    fn reading(self, files: Files) -> ChipReading {
        let Self { access, mut report, mapping, chip, active, evidence } = self;
        refuse_hidden_pace(&access, &mut report);
        let chip = match (mapping, chip) {
            (Some(mapping), Some(own)) => Some(agreed::with_mapping(mapping, own)),
            (_, chip) => chip,
        };
        let passed = Check::new("chip.access", Outcome::Passed, json!(access));
        let mut checks = vec![passed];
        checks.extend(report.checks.iter().cloned());
        checks.extend(chip);
        checks.extend(active);
        ChipReading { access, files, report, checks, aa_evidence: evidence }
    }
}

/// A chip whose signed DG14 promises PACE, but that offered none, was tampered with on the way
/// (ICAO 9303-11 §4.2).
fn refuse_hidden_pace(access: &AccessReport, report: &mut passive::Report) {
    let infos = report.verified.as_ref().and_then(VerifiedLds::security_infos);
    let promised = infos.is_some_and(|infos| infos.pace().next().is_some());
    if access.pace_offered || !promised {
        return;
    }
    for check in report.checks.iter_mut().filter(|check| check.id == "chip.downgrade") {
        check.outcome = Outcome::Failed(Reason::Downgrade);
        let evidence = json!({
            "EF.CardAccess": "offers no PACE", "DG14": "promises PACE", "access": access.protocol,
        });
        check.evidence = evidence.into();
    }
}
