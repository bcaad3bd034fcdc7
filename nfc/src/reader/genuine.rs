//! The states after passive authentication: the chip proves that it is the one that was signed for
//! (ICAO 9303-11 §6).
//!
//! Order matters: chip authentication changes the session keys, and the first answer under the new
//! ones is its proof. That first command is active authentication where there is a key for it.

use serde_json::{Value, json};

use super::{
    AccessReport, ActiveEvidence, ChipReading, Next, Opened, ReadError, State, Trip, open,
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

/// The commands of chip authentication were sent under the old keys.
pub(super) struct AwaitChipAuthentication {
    findings: Findings,
    old: SecureMessaging,
    prepared: ChipAuthentication,
}

/// A command was sent under the keys that are now in force.
pub(super) struct AwaitProof {
    findings: Findings,
    session: SecureMessaging,
    /// Set while the new keys of chip authentication are unproved.
    unproved: Option<Summary>,
    kind: Proof,
}

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
    match chip_auth::prepare(&lds, &mut *trip.request.random) {
        Ok(prepared) => {
            let batch = Batch::new(session.wrap_all(&prepared.commands)?);
            let state = AwaitChipAuthentication { findings, old: session, prepared };
            Ok(Next::transmit(batch, trip, State::ChipAuthentication(Box::new(state))))
        }
        Err(error) => {
            findings.chip = Some(chip_not_performed(&error));
            prove(trip, session, None, &lds, findings)
        }
    }
}

fn chip_not_performed(error: &ChipAuthError) -> Check {
    let reason = matches!(error, ChipAuthError::NoKey).then_some(Reason::ChipAuthenticationMissing);
    check(CHIP, Outcome::NotPerformed(reason), json!({ "why": error.to_string() }))
}

impl AwaitChipAuthentication {
    pub(super) fn step(self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let Self { mut findings, old, prepared } = self;
        let ChipAuthentication { commands, next, summary } = prepared;
        let Opened { replies, session } = open(old, commands.len(), replies)?;
        let lds = findings.report.verified.clone();
        let all_ok = replies.len() == commands.len() && replies.iter().all(|r| r.status.is_ok());
        match (session, lds) {
            (Ok(_), Some(lds)) if all_ok => prove(trip, next, Some(summary), &lds, findings),
            // A protected refusal leaves the old session as it was.
            (Ok(session), Some(lds)) => {
                let status = replies.last().map(|reply| reply.status.to_string());
                findings.chip = Some(failed(&summary, json!({ "status": status })));
                prove(trip, session, None, &lds, findings)
            }
            (Err(error), _) => {
                findings.chip = Some(failed(&summary, json!({ "error": error.to_string() })));
                Ok(session_over(trip, findings))
            }
            (Ok(_), None) => Ok(session_over(trip, findings)),
        }
    }
}

fn failed(summary: &Summary, found: Value) -> Check {
    let evidence = json!({ "protocol": summary, "found": found });
    check(CHIP, Outcome::Failed(Reason::ChipAuthenticationFailed), evidence)
}

/// Sends the command that proves new keys, active authentication if there is a key for it.
fn prove(
    trip: Trip,
    session: SecureMessaging,
    unproved: Option<Summary>,
    lds: &VerifiedLds,
    mut findings: Findings,
) -> Result<Next, ReadError> {
    let (command, kind) = match ActiveAuthentication::new(lds) {
        Ok(active) => {
            let ne = expected_signature(&trip, &session, &active);
            let command = active_auth::command(&trip.request.aa_challenge, ne);
            (command, Proof::Active(active))
        }
        Err(error) => {
            findings.active = Some(active_not_performed(&error));
            if unproved.is_none() {
                return Ok(finish(trip, findings));
            }
            let (command, expected) = reread(&trip);
            (command, Proof::Reread(expected))
        }
    };
    let batch = Batch::new(session.wrap_all(&[command])?);
    let state = AwaitProof { findings, session, unproved, kind };
    Ok(Next::transmit(batch, trip, State::Proof(Box::new(state))))
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
    let (outcome, why) = match error {
        ActiveAuthError::NoKey => {
            (Outcome::NotPerformed(Some(Reason::ActiveAuthenticationMissing)), error.to_string())
        }
        ActiveAuthError::Weak { .. } => {
            (Outcome::Failed(Reason::ActiveAuthenticationFailed), error.to_string())
        }
        _ => (Outcome::NotPerformed(None), error.to_string()),
    };
    check(ACTIVE, outcome, json!({ "why": why }))
}

/// READ BINARY of the first bytes of EF.SOD, which are known.
fn reread(trip: &Trip) -> (Command, Vec<u8>) {
    let known = trip.files.get(FileId::Sod).unwrap_or_default();
    let expected: Vec<u8> = known.iter().copied().take(8).collect();
    let command = Command::new(0x00, 0xB0, 0x80 | FileId::Sod.sfi(), 0x00).expecting(8);
    (command, expected)
}

impl AwaitProof {
    pub(super) fn step(self, trip: Trip, replies: &[Response]) -> Result<Next, ReadError> {
        let Self { mut findings, session, unproved, kind } = self;
        let Opened { replies, session } = open(session, 1, replies)?;
        let (reply, error) = match (replies.into_iter().next(), session) {
            (Some(reply), Ok(_)) => (reply, None),
            (_, Err(error)) => (Response::new([], crate::apdu::StatusWord(0)), Some(error)),
            (None, Ok(_)) => return Err(ReadError::NoReply),
        };
        if let Some(error) = error {
            return match unproved {
                // The chip did not follow to the new keys: it has not the private key.
                Some(summary) => {
                    findings.chip = Some(failed(&summary, json!({ "error": error.to_string() })));
                    Ok(session_over(trip, findings))
                }
                None => Err(error.into()),
            };
        }
        if let Some(summary) = unproved {
            findings.chip = Some(chip_proved(&summary, &kind, &reply));
        }
        if let Proof::Active(active) = kind {
            findings.active = Some(active_check(&active, &trip.request.aa_challenge, &reply));
            let signature = reply.data;
            let challenge = trip.request.aa_challenge;
            findings.evidence = Some(ActiveEvidence { challenge, signature });
        }
        Ok(finish(trip, findings))
    }
}

/// The answer was authentic under the new keys; file bytes must be those of before.
fn chip_proved(summary: &Summary, kind: &Proof, reply: &Response) -> Check {
    match kind {
        Proof::Reread(expected) if *expected != reply.data => {
            failed(summary, json!({ "error": "EF.SOD reads differently under the new keys" }))
        }
        _ => check(CHIP, Outcome::Passed, json!({ "protocol": summary })),
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
