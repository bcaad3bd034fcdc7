//! Whether what is signed is also what the standard defines: `dg.content` over the data groups
//! whose hash is the signed one, and `com.content` over EF.COM, which nobody signed.
//!
//! A hash says only that nobody changed a file. What an identity rests on must besides be read in
//! one way alone, or two readers would see two documents. So the structure is strict, and what is
//! merely described is free: a false refusal costs a citizen weeks.
//!
//! | file | malformed: `dg.malformed` (EF.COM: `com.malformed`) | a remark in the evidence |
//! |---|---|---|
//! | any | wrong tag, a length that leaves bytes out or runs beyond the file (before signing; after it the hash differs: `dg.hash_mismatch`) | DG7, 11, 12, 13, 16 malformed: nothing rests on them |
//! | EF.COM | version or Unicode version missing, not of LDS 1 or Unicode 4; list of tags missing; other elements | a version other than the signed one's when EF.SOD signs none |
//! | DG1 | no MRZ element; not TD1, TD2, TD3; a check digit wrong; issuer or nationality with anything but letters; no name at all; no document number; birth or expiry no possible date; sex none of F, M, X, `<` | code of document, issuer or nationality unknown; no surname; digit in a name; birth or expiry partial; sex X; `<` for the optional data's digit; truncated names |
//! | DG2 | no count of templates or a wrong one; no header; format owner or type missing or not a face's; biometric type another; no block; record of another identifier or version; lengths that contradict; picture of no bytes, or neither JPEG nor JPEG 2000 | [`Remark`](crate::lds::dg2::Remark): sex, colours, pose, image type, named coding, size zero, record length, block length zero, padding, dropped biometric type |
//! | DG14 | no SET OF; an entry without an object identifier; a `ChipAuthenticationInfo`, `ChipAuthenticationPublicKeyInfo` or `ActiveAuthenticationInfo` of another form; a public key identifier other than DH and ECDH; version of `ChipAuthenticationInfo` other than 1 | entries of unknown protocols |
//! | DG15 | no SubjectPublicKeyInfo | |
//!
//! What stands elsewhere: EF.COM listing other data groups than EF.SOD, or other versions than it
//! signs, is `chip.downgrade`; a document code that is not taken is `document.type`; another issuer
//! than the signer's is `signer.country`; a key that is well formed and of a kind that is not
//! supported is `chip_authentication.unsupported` or `active_authentication.unsupported`, and one
//! that cannot be a key at all (no point of its curve, a reference to no key) is
//! `chip_authentication.failed`.

use mrz::{Format, Mrz, Warning};
use serde_json::{Value, json};

use super::{Document, chain_of, hashes::Compared, not_performed};
use crate::{
    check::{Check, Outcome, Reason},
    crypto::public_key::{KeyError, PublicKey},
    der::Oid,
    evidence::Evidence,
    files::FileId,
    lds::{
        LdsError,
        com::{self, Com},
        dg2, dg7, dg11, dg12, dg13, dg14, dg15, dg16,
        security_infos::{SecurityInfo, SecurityInfos},
    },
};

/// Judges what EF.SOD signs and is there, and EF.COM.
pub(super) fn verify(document: &Document<'_>, compared: Option<&Compared>) -> [Check; 2] {
    let signed = match compared {
        Some(compared) => signed_content(document, compared),
        None => not_performed("dg.content", "the LDS security object is malformed"),
    };
    [signed, com_content(document.files.get(FileId::Com))]
}

/// What a file holds that is well formed, or why it is not.
type Judged = Result<Content, Malformed>;

/// What evidence tells of a well-formed file.
enum Content {
    Zone {
        format: Format,
        remarks: Vec<Warning>,
    },
    Faces {
        standard: dg2::Standard,
        faces: usize,
        remarks: Vec<dg2::Remark>,
    },
    Options(SecurityInfos),
    Key(Result<PublicKey, KeyError>),
    Versions(Com),
    /// Nothing rests on it; whether it could be parsed.
    Free(Result<(), LdsError>),
}

impl Content {
    fn evidence(&self) -> Value {
        match self {
            Self::Zone { format, remarks } => json!({ "format": format, "remarks": remarks }),
            Self::Faces { standard, faces, remarks } => {
                json!({ "standard": standard, "faces": faces, "remarks": remarks })
            }
            Self::Options(infos) => {
                json!({ "entries": infos.iter().count(), "unknown": unknown(infos) })
            }
            Self::Key(Ok(key)) => json!({ "key": key.describe() }),
            Self::Key(Err(error)) => json!({ "key": error.to_string() }),
            Self::Versions(com) => json!({
                "lds_version": String::from_utf8_lossy(&com.lds_version),
                "unicode_version": String::from_utf8_lossy(&com.unicode_version),
            }),
            Self::Free(Ok(())) => json!({ "remarks": [] }),
            Self::Free(Err(error)) => {
                json!({ "remarks": ["malformed"], "malformed": chain_of(error) })
            }
        }
    }
}

/// The protocols of DG14 that nobody here knows.
fn unknown(infos: &SecurityInfos) -> Vec<&Oid> {
    let unknown = infos.iter().filter_map(|info| match info {
        SecurityInfo::Unknown(oid) => oid.as_ref(),
        _ => None,
    });
    unknown.collect()
}

/// Why content is malformed.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    #[error(transparent)]
    Lds(#[from] LdsError),
    #[error("{0}")]
    Field(&'static str),
    #[error("malformed public key")]
    Key(#[from] KeyError),
}

impl Malformed {
    fn evidence(&self) -> Value {
        match self {
            Self::Lds(error) => json!({ "malformed": chain_of(error) }),
            _ => json!({ "malformed": self.to_string() }),
        }
    }
}

fn signed_content(document: &Document<'_>, compared: &Compared) -> Check {
    let id = "dg.content";
    let signed = document.files.data_groups().filter(|(number, _)| compared.is_signed(*number));
    let judged: Vec<(FileId, Judged)> = signed
        .filter_map(|(number, bytes)| {
            let file = FileId::Dg(number);
            Some((file, judge(file, bytes, document)?))
        })
        .collect();
    if judged.is_empty() {
        return not_performed(id, "no data group with the signed hash is there");
    }
    let outcome = match judged.iter().all(|(_, result)| result.is_ok()) {
        true => Outcome::Passed,
        false => Outcome::Failed(Reason::DataGroupMalformed),
    };
    let evidence = Evidence::new(move || {
        let files = judged.iter().map(|(file, judged)| (file.to_string(), told(judged)));
        Value::Object(files.collect())
    });
    Check::new(id, outcome, evidence)
}

fn told(judged: &Judged) -> Value {
    judged.as_ref().map_or_else(Malformed::evidence, Content::evidence)
}

/// Of files that are never read `None`.
fn judge(file: FileId, bytes: &[u8], document: &Document<'_>) -> Option<Judged> {
    match file {
        FileId::DG1 => document.zone().map(judge_dg1),
        FileId::DG2 => Some(judge_dg2(bytes)),
        FileId::DG14 => Some(judge_dg14(bytes)),
        FileId::DG15 => Some(judge_dg15(bytes)),
        FileId::DG7 => Some(Ok(Content::Free(dg7::parse(bytes).map(drop)))),
        FileId::DG11 => Some(Ok(Content::Free(dg11::parse(bytes).map(drop)))),
        FileId::DG12 => Some(Ok(Content::Free(dg12::parse(bytes).map(drop)))),
        FileId::DG13 => Some(Ok(Content::Free(dg13::parse(bytes).map(drop)))),
        FileId::DG16 => Some(Ok(Content::Free(dg16::parse(bytes).map(drop)))),
        _ => None,
    }
}

fn judge_dg1(zone: Result<&Mrz, &LdsError>) -> Judged {
    let mrz = zone.map_err(Clone::clone)?;
    match first_fault(mrz) {
        Some(fault) => Err(Malformed::Field(fault)),
        None => Ok(Content::Zone { format: mrz.format(), remarks: mrz.warnings().to_vec() }),
    }
}

/// What makes a machine readable zone none that ICAO 9303-3 §4 allows.
fn first_fault(mrz: &Mrz) -> Option<&'static str> {
    let (fields, checks, odd) = (mrz.fields(), mrz.checks(), mrz.warnings());
    let warns = |warning| odd.contains(&warning);
    // Old German codes are one letter; an empty nationality is met, an empty issuer is not.
    let letters = |code: &str| code.bytes().all(|byte| byte.is_ascii_uppercase());
    let faults = [
        (!matches!(mrz.format(), Format::Td1 | Format::Td2 | Format::Td3), "format"),
        (!letters(&fields.issuer) || fields.issuer.is_empty(), "issuer"),
        (!letters(&fields.nationality), "nationality"),
        (fields.surname.is_empty() && fields.given_names.is_empty(), "names"),
        (warns(Warning::NumberEmpty), "document number"),
        (!fields.birth_date.is_possible(), "date of birth"),
        (!fields.expiry_date.is_possible(), "date of expiry"),
        (warns(Warning::SexUnknown) && fields.sex.printed() != 'X', "sex"),
        (
            !checks.document_number && !warns(Warning::NumberFillerCounted),
            "check digit of the document number",
        ),
        (!checks.birth_date, "check digit of the date of birth"),
        (!checks.expiry_date, "check digit of the date of expiry"),
        (
            checks.optional_data == Some(false) && !warns(Warning::OptionalNoDigit),
            "check digit of the optional data",
        ),
        (checks.composite == Some(false), "composite check digit"),
    ];
    faults.into_iter().find_map(|(wrong, what)| wrong.then_some(what))
}

fn judge_dg2(bytes: &[u8]) -> Judged {
    let dg2::Frame { pictures, standard, remarks } = dg2::frame(bytes)?;
    Ok(Content::Faces { standard, faces: pictures.len(), remarks })
}

fn judge_dg14(bytes: &[u8]) -> Judged {
    let infos = dg14::parse(bytes)?;
    if infos.iter().any(SecurityInfo::is_malformed) {
        return Err(Malformed::Field("an entry of a known protocol has another form"));
    }
    Ok(Content::Options(infos))
}

/// A key of an unknown kind is well formed: active authentication says what it is worth.
fn judge_dg15(bytes: &[u8]) -> Judged {
    match PublicKey::parse(dg15::parse(bytes)?) {
        Err(error @ KeyError::Malformed(_)) => Err(error.into()),
        key => Ok(Content::Key(key)),
    }
}

fn com_content(file: Option<&[u8]>) -> Check {
    let id = "com.content";
    let Some(file) = file else { return not_performed(id, "there is no EF.COM") };
    let judged = judge_com(file);
    let outcome = match judged {
        Ok(_) => Outcome::Passed,
        Err(_) => Outcome::Failed(Reason::ComMalformed),
    };
    Check::new(id, outcome, Evidence::new(move || told(&judged)))
}

/// LDS 1, such as `0107`, and Unicode 4, such as `040000` (ICAO 9303-10 §4.6.1).
fn judge_com(file: &[u8]) -> Judged {
    let com = com::parse(file)?;
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    match (&com.lds_version, &com.unicode_version) {
        ([b'0', b'1', update @ ..], [b'0', b'4', rest @ ..]) if digits(update) && digits(rest) => {
            Ok(Content::Versions(com))
        }
        ([b'0', b'1', update @ ..], _) if digits(update) => {
            Err(Malformed::Field("Unicode version"))
        }
        _ => Err(Malformed::Field("LDS version")),
    }
}

#[cfg(test)]
mod tests;
