//! The states after passive authentication: the chip proves that it is the one that was signed for
//! (ICAO 9303-11 §6).
//!
//! Order matters: chip authentication changes the session keys, and the first answer under the new
//! ones is its proof. That first command is active authentication where there is a key for it. The
//! last is sent under the old keys, which must be dead.

use serde_json::{Value, json};

use super::{
    AccessReport, ActiveEvidence, ChipReading, Next, Opened, ReadError, State, Trip, mapping, open,
};
use crate::{
    active_auth::{self, ActiveAuthError, ActiveAuthentication},
    apdu::{Command, Response},
    check::{Check, Outcome, Reason},
    chip_auth::{self, ChipAuthError, ChipAuthentication, Summary},
    files::FileId,
    link::{Batch, Step},
    passive::{self, VerifiedLds},
    sm::SecureMessaging,
};

/// What has been found so far.
struct Findings {
    access: AccessReport,
    report: passive::Report,
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
    Chip { old: SecureMessaging, prepared: ChipAuthentication, proof: Proof },
    /// Active authentication alone.
    Active { session: SecureMessaging, proof: Proof },
}

/// The command that is sent under the keys that must be in force.
enum Proof {
    /// INTERNAL AUTHENTICATE.
    Active(ActiveAuthentication),
    /// The first bytes of EF.SOD once more.
    Reread(Vec<u8>),
}

const CHIP: &str = "chip_authentication";
const ACTIVE: &str = "active_authentication";

fn check(id: &'static str, outcome: Outcome, evidence: Value) -> Check {
    Check { id, outcome, evidence }
}

/// Goes on to chip authentication, active authentication, or the end.
pub(super) fn start(
    mut trip: Trip,
    session: SecureMessaging,
    access: AccessReport,
    report: passive::Report,
) -> Result<Next, ReadError> {
    let mut findings = Findings { access, report, chip: None, active: None, evidence: None };
    let Some(lds) = findings.report.verified.clone() else {
        let why = "no signed key: passive authentication did not pass";
        findings.chip = Some(passive::not_performed(CHIP, why));
        findings.active = Some(passive::not_performed(ACTIVE, why));
        return Ok(finish(trip, findings));
    };
    let proof = Proof::new(&trip, &lds, &mut findings);
    // The chip authentication mapping stands for chip authentication (ICAO 9303-11 §6).
    if let Some(mapping) = trip.mapping.take() {
        let card_security = findings.report.card_security.as_ref();
        findings.chip = Some(mapping::check(mapping, card_security));
        return active(trip, session, proof, findings);
    }
    match chip_auth::prepare(&lds, &mut *trip.request.random) {
        Ok(prepared) => chip(trip, session, prepared, proof, findings),
        Err(error) => {
            findings.chip = Some(chip_not_performed(&error));
            active(trip, session, proof, findings)
        }
    }
}

/// The new keys are known before the chip answers: what proves them goes with what makes them.
fn chip(
    trip: Trip,
    old: SecureMessaging,
    prepared: ChipAuthentication,
    proof: Proof,
    findings: Findings,
) -> Result<Next, ReadError> {
    let mut commands = prepared.commands.clone();
    commands.push(reread(&trip).0);
    let mut commands = old.wrap_all(&commands)?;
    let last = commands.pop().filter(|_| !trip.kept.lost_on_proof);
    commands.extend(prepared.next.wrap_all(&[proof.command(&trip, &prepared.next)])?);
    commands.extend(last);
    let sent = Sent::Chip { old, prepared, proof };
    let state = AwaitGenuine { findings, sent };
    Ok(Next::transmit(Batch::new(commands), trip, State::Genuine(Box::new(state))))
}

/// Active authentication in the session as it is, if there is a key for it.
fn active(
    trip: Trip,
    session: SecureMessaging,
    proof: Proof,
    findings: Findings,
) -> Result<Next, ReadError> {
    if matches!(proof, Proof::Reread(_)) {
        return Ok(finish(trip, findings));
    }
    let batch = Batch::new(session.wrap_all(&[proof.command(&trip, &session)])?);
    let state = AwaitGenuine { findings, sent: Sent::Active { session, proof } };
    Ok(Next::transmit(batch, trip, State::Genuine(Box::new(state))))
}

fn chip_not_performed(error: &ChipAuthError) -> Check {
    check(CHIP, error.outcome(), json!({ "why": error.to_string() }))
}

impl AwaitGenuine {
    pub(super) fn step(self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let Self { mut findings, sent } = self;
        match sent {
            Sent::Chip { old, prepared, proof } => {
                chip_step(trip, findings, (old, prepared, proof), replies)
            }
            Sent::Active { session, proof } => {
                let Opened { replies, session } = open(session, 1, replies)?;
                session?;
                let reply = replies.into_iter().next().ok_or(ReadError::NoReply)?;
                take_proof(&trip, &mut findings, proof, reply);
                Ok(finish(trip, findings))
            }
        }
    }
}

/// The answers under the old keys, then the one under the new, then the refusal of the old.
fn chip_step(
    trip: Trip,
    mut findings: Findings,
    (old, prepared, proof): (SecureMessaging, ChipAuthentication, Proof),
    replies: &[Response],
) -> Result<Next, ReadError> {
    let ChipAuthentication { commands, next, summary } = prepared;
    let at = commands.len().min(replies.len());
    let (agreed, after) = replies.split_at_checked(at).unwrap_or((replies, &[]));
    let Opened { replies: agreed, session } = open(old, commands.len(), agreed)?;
    let old = match session {
        Ok(session) => session,
        Err(error) => {
            findings.chip = Some(failed(&summary, json!({ "error": error.to_string() })));
            return Ok(session_over(trip, findings));
        }
    };
    // A protected refusal leaves the old session as it was.
    if let Some(refused) = agreed.iter().find(|reply| !reply.status.is_ok()) {
        let found = json!({ "status": refused.status.to_string() });
        findings.chip = Some(failed(&summary, found));
        return active(trip, old, proof, findings);
    }
    let (proved, last) = match after {
        [] => return Err(ReadError::NoReply),
        [proved] => (proved, None),
        [proved, last, ..] => (proved, Some(last)),
    };
    match next.unwrap(proved) {
        Ok((_, reply)) => {
            findings.chip = Some(chip_proved(&summary, &proof, &reply, old_keys(old, last)));
            take_proof(&trip, &mut findings, proof, reply);
            Ok(finish(trip, findings))
        }
        // The chip did not follow to the new keys: it has not the private key.
        Err(error) => {
            findings.chip = Some(failed(&summary, json!({ "error": error.to_string() })));
            Ok(session_over(trip, findings))
        }
    }
}

/// What became of the keys that chip authentication replaced.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum OldKeys {
    Dead,
    Alive,
    NotTried,
}

/// The old session ends with chip authentication (ICAO 9303-11 §6.2.3): an answer under its keys
/// shows that it did not.
fn old_keys(old: SecureMessaging, last: Option<&Response>) -> OldKeys {
    match last.map(|last| old.unwrap(last)) {
        None => OldKeys::NotTried,
        Some(Ok(_)) => OldKeys::Alive,
        Some(Err(_)) => OldKeys::Dead,
    }
}

fn failed(summary: &Summary, found: Value) -> Check {
    let evidence = json!({ "protocol": summary, "found": found });
    check(CHIP, Outcome::Failed(Reason::ChipAuthenticationFailed), evidence)
}

impl Proof {
    /// Active authentication if there is a key for it; why not is found at once.
    fn new(trip: &Trip, lds: &VerifiedLds, findings: &mut Findings) -> Self {
        match ActiveAuthentication::new(lds) {
            Ok(active) => Self::Active(active),
            Err(error) => {
                findings.active = Some(active_not_performed(&error));
                Self::Reread(reread(trip).1)
            }
        }
    }

    fn command(&self, trip: &Trip, session: &SecureMessaging) -> Command {
        match self {
            Self::Active(active) => {
                let ne = expected_signature(trip, session, active);
                active_auth::command(&trip.request.aa_challenge, ne)
            }
            Self::Reread(_) => reread(trip).0,
        }
    }
}

/// Le: what a short answer carries, unless the signature is longer and the link bears more.
fn expected_signature(
    trip: &Trip,
    session: &SecureMessaging,
    active: &ActiveAuthentication,
) -> usize {
    let longer = active.signature_length() > session.capacity(258);
    if longer && trip.request.limits.extended { 65_536 } else { 256 }
}

fn active_not_performed(error: &ActiveAuthError) -> Check {
    check(ACTIVE, error.outcome(), json!({ "why": error.to_string() }))
}

/// READ BINARY of the first bytes of EF.SOD, which are known.
fn reread(trip: &Trip) -> (Command, Vec<u8>) {
    let known = trip.files.get(FileId::Sod).unwrap_or_default();
    let expected: Vec<u8> = known.iter().copied().take(8).collect();
    let command = Command::new(0x00, 0xB0, 0x80 | FileId::Sod.sfi(), 0x00).expecting(8);
    (command, expected)
}

/// The answer was authentic under the new keys, be it a refusal, which some chips give to short
/// identifiers; file bytes must be those of before, and the old keys must be dead.
fn chip_proved(summary: &Summary, proof: &Proof, reply: &Response, old: OldKeys) -> Check {
    match proof {
        Proof::Reread(expected) if reply.status.is_ok() && *expected != reply.data => {
            failed(summary, json!({ "error": "EF.SOD reads differently under the new keys" }))
        }
        _ if old == OldKeys::Alive => {
            failed(summary, json!({ "error": "the old session keys are still valid" }))
        }
        _ => check(CHIP, Outcome::Passed, json!({ "protocol": summary, "old_keys": old })),
    }
}

/// The answer to active authentication, if that was the proof.
fn take_proof(trip: &Trip, findings: &mut Findings, proof: Proof, reply: Response) {
    if let Proof::Active(active) = proof {
        let challenge = trip.request.aa_challenge;
        findings.active = Some(active_check(&active, &challenge, &reply));
        findings.evidence = Some(ActiveEvidence { challenge, signature: reply.data });
    }
}

fn active_check(active: &ActiveAuthentication, challenge: &[u8; 8], reply: &Response) -> Check {
    let failed = Outcome::Failed(Reason::ActiveAuthenticationFailed);
    if !reply.status.is_ok() {
        return check(ACTIVE, failed, json!({ "status": reply.status.to_string() }));
    }
    match active.verify(challenge, &reply.data) {
        Ok(Some(summary)) => check(ACTIVE, Outcome::Passed, json!({ "signature": summary })),
        Ok(None) => check(ACTIVE, failed, json!({ "found": "the signature does not verify" })),
        Err(error) => check(ACTIVE, failed, json!({ "error": error.to_string() })),
    }
}

/// The chip can be asked nothing more.
fn session_over(trip: Trip, mut findings: Findings) -> Next {
    if findings.active.is_none() {
        let why = "the session ended with chip authentication";
        findings.active = Some(passive::not_performed(ACTIVE, why));
    }
    finish(trip, findings)
}

fn finish(trip: Trip, findings: Findings) -> Next {
    let Findings { access, mut report, chip, active, evidence } = findings;
    refuse_hidden_pace(&access, &mut report);
    let mut checks = vec![check("chip.access", Outcome::Passed, json!(access))];
    checks.extend(report.checks.iter().cloned());
    checks.extend(chip);
    checks.extend(active);
    let files = trip.files;
    Next(Step::Done(ChipReading { access, files, report, checks, aa_evidence: evidence }))
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
        check.evidence = json!({
            "EF.CardAccess": "offers no PACE", "DG14": "promises PACE", "access": access.protocol,
        });
    }
}
