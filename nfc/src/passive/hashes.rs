//! The hashes of what was read, and whether the unsigned files agree with the signed ones
//! (ICAO 9303-11 §5.1; ICAO 9303-10 §4.6): `dg.hash`, `chip.downgrade`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{VerifiedCardSecurity, chain_of, not_performed};
use crate::{
    check::{Check, Outcome, Reason},
    crypto::{Hash, equal},
    evidence::Evidence,
    files::{DgNumber, FileId, Files},
    lds::{LdsError, card_access, com, dg14, sod::SecurityObject},
};

/// Data groups that a document which lists them must show: without them it is either no travel
/// document, or its chip's genuineness went unchecked.
pub(super) const REQUIRED: [FileId; 4] = [FileId::DG1, FileId::DG2, FileId::DG14, FileId::DG15];

/// How the hash of each data group compares with the signed one.
pub(super) struct Compared(Vec<(DgNumber, &'static str)>);

impl Compared {
    /// Hashes every data group that is there, once.
    pub(super) fn new(files: &Files, object: &SecurityObject) -> Self {
        let hash = object.hash();
        let compared = files.data_groups().map(|(number, bytes)| {
            (number, hash.map_or("not computed", |hash| compare(number, bytes, object, hash)))
        });
        Self(compared.collect())
    }

    /// Whether the data group has the hash that is signed for it.
    pub(super) fn is_signed(&self, number: DgNumber) -> bool {
        self.0.iter().any(|(found, result)| *found == number && *result == "equal")
    }

    fn results(&self) -> Map<String, Value> {
        self.0.iter().map(|(number, result)| (name(number), json!(result))).collect()
    }
}

/// Without the LDS security object nothing can be compared.
pub(super) fn without_object(error: &LdsError) -> [Check; 2] {
    let outcome = Outcome::Failed(Reason::SodMalformed);
    let check = Check::new("dg.hash", outcome, json!({ "error": chain_of(error) }));
    [check, not_performed("chip.downgrade", "the LDS security object is malformed")]
}

/// The SOD's list decides what exists. What was read must have the hash listed there; a data group
/// that is not listed is no part of the document and proves nothing, and a document without a
/// signed MRZ and face is none.
pub(super) fn hash_check(
    files: &Files,
    object: &Arc<SecurityObject>,
    compared: &Arc<Compared>,
    required: &[FileId],
) -> Check {
    let id = "dg.hash";
    let Compared(groups) = compared.as_ref();
    if groups.is_empty() {
        return not_performed(id, "no data group was read");
    }
    let Some(hash) = object.hash() else {
        let outcome = Outcome::Failed(Reason::SodAlgorithm);
        return Check::new(id, outcome, json!({ "algorithm": object.algorithm }));
    };
    let missing: Vec<_> = required
        .iter()
        .copied()
        .filter(|id| object.lists(*id) && files.get(*id).is_none())
        .collect();
    let holds = |(number, result): &(DgNumber, &str)| match *result {
        "not listed" => ![FileId::DG1, FileId::DG2].contains(&FileId::Dg(*number)),
        result => result == "equal",
    };
    let outcome = match groups.iter().all(holds) {
        false => Outcome::Failed(Reason::DataGroupHashMismatch),
        true if !missing.is_empty() => Outcome::Failed(Reason::DataGroupMissing),
        true => Outcome::Passed,
    };
    let (object, compared) = (Arc::clone(object), Arc::clone(compared));
    let evidence = Evidence::new(move || {
        json!({
            "algorithm": hash.name(),
            "listed": object.hashes.keys().map(name).collect::<Vec<_>>(),
            "missing": missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "data_groups": compared.results(),
        })
    });
    Check::new(id, outcome, evidence)
}

fn compare(number: DgNumber, bytes: &[u8], object: &SecurityObject, hash: Hash) -> &'static str {
    match (object.hashes.get(&number), hash.digest(bytes)) {
        (Some(signed), Ok(found)) if equal(signed, &found) => "equal",
        (Some(_), Ok(_)) => "different",
        (None, _) => "not listed",
        (_, Err(_)) => "not computed",
    }
}

fn name(number: &DgNumber) -> String {
    FileId::Dg(*number).to_string()
}

/// EF.COM and EF.CardAccess are unsigned: what they say must be what the signed files say.
pub(super) fn downgrade_check(
    files: &Files,
    object: &SecurityObject,
    card_security: Option<&VerifiedCardSecurity>,
) -> Check {
    let id = "chip.downgrade";
    let com = files.get(FileId::Com).map(|file| com_agrees(file, object));
    let access =
        files.get(FileId::CardAccess).map(|file| card_access_agrees(file, files, card_security));
    let found = [com, access];
    let outcome = match found.iter().flatten().any(|found| found.is_disagreement()) {
        true => Outcome::Failed(Reason::Downgrade),
        false if found.contains(&Some(Agreement::Agrees)) => Outcome::Passed,
        false => Outcome::NotPerformed(None),
    };
    let evidence = Evidence::new(move || json!({ "EF.COM": com, "EF.CardAccess": access }));
    Check::new(id, outcome, evidence)
}

/// How an unsigned file compares with the signed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Agreement {
    Agrees,
    /// EF.COM or DG14 is malformed; [`super::content`] judges that.
    NotComparable,
    Malformed,
    DataGroupsDiffer,
    VersionsDiffer,
    NotInDg14,
    NotInCardSecurity,
    NoDg14,
    /// DG14 names no PACE at all, and there is no EF.CardSecurity.
    Unsigned,
}

impl Agreement {
    fn is_disagreement(self) -> bool {
        !matches!(self, Self::Agrees | Self::NotComparable | Self::NoDg14 | Self::Unsigned)
    }
}

/// EF.COM lists the data groups of the SOD (ICAO 9303-10 §4.6.1), and the versions if the SOD signs
/// any. Version 0 of the security object signs none, and passports with it say 1.6 as well as 1.7.
fn com_agrees(file: &[u8], object: &SecurityObject) -> Agreement {
    let Ok(com) = com::parse(file) else { return Agreement::NotComparable };
    if com.odd_tags > 0 || !com.data_groups.iter().eq(object.hashes.keys()) {
        return Agreement::DataGroupsDiffer;
    }
    let versions = match &object.versions {
        Some((lds, unicode)) => {
            lds.as_bytes() == com.lds_version && unicode.as_bytes() == com.unicode_version
        }
        None => true,
    };
    if versions { Agreement::Agrees } else { Agreement::VersionsDiffer }
}

/// What EF.CardAccess offers must stand in DG14, and in EF.CardSecurity where that was read
/// (ICAO 9303-11 §4.2, §9.2.11). EF.CardSecurity is enough where DG14 says nothing of PACE.
///
/// Where neither names PACE the issuer signed nothing that EF.CardAccess could contradict. That
/// falls short of §9.2.11 and is a remark, as a missing DG14 is: the chip was opened by more than
/// its signed files promise, and an offer that is added hides none.
fn card_access_agrees(
    file: &[u8],
    files: &Files,
    card_security: Option<&VerifiedCardSecurity>,
) -> Agreement {
    let Ok(offered) = card_access::parse(file) else { return Agreement::Malformed };
    let by_card = card_security.map(|signed| offered.has_same_pace(signed.infos()));
    match (by_card, files.get(FileId::DG14).map(dg14::parse)) {
        (Some(false), _) => Agreement::NotInCardSecurity,
        (Some(true), None) => Agreement::Agrees,
        (None, None) => Agreement::NoDg14,
        (_, Some(Ok(signed))) if offered.has_same_pace(&signed) => Agreement::Agrees,
        (by_card, Some(Ok(signed))) if signed.pace().next().is_none() => {
            by_card.map_or(Agreement::Unsigned, |_| Agreement::Agrees)
        }
        (_, Some(Ok(_))) => Agreement::NotInDg14,
        // Refused as malformed, or as changed; what it promises is not known.
        (_, Some(Err(_))) => Agreement::NotComparable,
    }
}
