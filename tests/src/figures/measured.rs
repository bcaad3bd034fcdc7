//! The passport on which the figures are counted: its files have exactly the lengths of the one that
//! other readers were measured on. Length costs commands and bytes; everything else is a passport
//! like another, signed, with chip and active authentication.
//!
//! The issuer is as terse as one may be: `fixtures` makes certificates that say more.

use std::{cmp::Ordering, collections::BTreeMap, fs, io, path::Path};

use fixtures::{
    catalogue,
    chip::{Chip, PlainFilesError, Profile},
    passport::{MakeError, Passport},
    portraits::Portraits,
};
use nfc::tlv::{Tag, TlvError, encode, single};
use openssl::{
    bn::BigNum,
    ec::{Asn1Flag, EcGroup, EcKey},
    error::ErrorStack,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
};
use time::Date;

use crate::issuer::{Issuer, sequence};

/// The files and their lengths in bytes.
pub const LENGTHS: [(&str, usize); 6] =
    [("EF.COM", 24), ("EF.SOD", 856), ("DG1", 93), ("DG2", 15_083), ("DG14", 154), ("DG15", 164)];

/// How the chip is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Generic mapping over brainpoolP256r1, AES-128.
    Pace,
    /// Basic access control; the chip has no EF.CardAccess.
    Bac,
}

/// Why there is no such passport.
#[derive(Debug, thiserror::Error)]
pub enum MeasuredError {
    /// The passport it is made of.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// Keys or signatures.
    #[error("keys or signatures could not be made")]
    Crypto(#[from] ErrorStack),
    /// A file of the passport it is made of has another shape.
    #[error("a data group has another shape than expected")]
    Shape(#[from] TlvError),
    /// The folder that the chip is read from.
    #[error("the chip's folder cannot be written")]
    Io(#[from] io::Error),
    /// The chip.
    #[error(transparent)]
    Chip(#[from] PlainFilesError),
    /// A file that cannot be brought to its length.
    #[error("{file} cannot be given its length")]
    Length {
        /// Which.
        file: &'static str,
    },
}

/// A passport of the lengths in [`LENGTHS`].
pub struct Measured {
    files: BTreeMap<&'static str, Vec<u8>>,
    chip_key: PKey<Private>,
    active_key: PKey<Private>,
    /// Its issuer's certificate, DER.
    pub csca: Vec<u8>,
    /// The lines of its page.
    pub mrz_lines: Vec<String>,
}

impl Measured {
    /// Makes one as on the day `at`. The keys are new each time; the lengths are not.
    ///
    /// # Errors
    /// [`MeasuredError`].
    pub fn make(opened: Opened, at: Date) -> Result<Self, MeasuredError> {
        let good = catalogue::find("good").ok_or(MeasuredError::Length { file: "DG1" })?.spec;
        let good = Passport::make(&good, &Portraits::drawn(), at)?;
        let (chip_key, active_key) = (brainpool_key()?, short_rsa_key()?);
        let mut files = BTreeMap::new();
        for name in ["EF.COM", "DG1"] {
            files.insert(name, good.files.get(name).cloned().unwrap_or_default());
        }
        let dg2 = good.files.get("DG2").map(Vec::as_slice).unwrap_or_default();
        files.insert("DG2", longer_dg2(dg2, length_of("DG2"))?);
        files.insert("DG14", dg14(opened, &chip_key.public_key_to_der()?));
        files.insert("DG15", encode(Tag(0x6F), &active_key.public_key_to_der()?));
        let issuer = Issuer::new("DK", at)?;
        files.insert("EF.SOD", security_object(&issuer, &files)?);
        for (file, length) in LENGTHS {
            if files.get(file).is_none_or(|bytes| bytes.len() != length) {
                return Err(MeasuredError::Length { file });
            }
        }
        if opened == Opened::Pace {
            files.insert("EF.CardAccess", encode(Tag(0x31), &pace_info()));
        }
        let mrz_lines = good.mrz_lines.to_vec();
        Ok(Self { files, chip_key, active_key, csca: issuer.csca, mrz_lines })
    }

    /// Its chip.
    ///
    /// # Errors
    /// [`MeasuredError`].
    pub fn chip(&self) -> Result<Chip, MeasuredError> {
        let folder = tempfile::tempdir()?;
        for (name, bytes) in &self.files {
            fs::write(folder.path().join(format!("{name}.bin")), bytes)?;
        }
        write_key(folder.path(), "DG14_sk.pkcs8", &self.chip_key)?;
        write_key(folder.path(), "DG15_sk.pkcs8", &self.active_key)?;
        Ok(Chip::of(Profile::from_files(folder.path())?))
    }
}

fn write_key(folder: &Path, name: &str, key: &PKey<Private>) -> Result<(), MeasuredError> {
    Ok(fs::write(folder.join(name), key.private_key_to_pkcs8()?)?)
}

fn length_of(file: &str) -> usize {
    LENGTHS.iter().find(|(name, _)| *name == file).map_or(0, |(_, length)| *length)
}

fn brainpool_key() -> Result<PKey<Private>, ErrorStack> {
    let mut group = EcGroup::from_curve_name(Nid::BRAINPOOL_P256R1)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// 1024 bits with the public exponent 257: a byte shorter than with the usual one.
fn short_rsa_key() -> Result<PKey<Private>, ErrorStack> {
    let exponent = BigNum::from_u32(257)?;
    PKey::from_rsa(Rsa::generate_with_e(1024, &exponent)?)
}

/// The object identifier 0.4.0.127.0.7.2.2 (BSI protocols for smart cards) with `arcs` below it.
fn bsi(arcs: &[u8]) -> Vec<u8> {
    encode(Tag(0x06), &[&[0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02], arcs].concat())
}

fn integer(small: u8) -> Vec<u8> {
    encode(Tag(0x02), &[small])
}

/// `PACEInfo`: id-PACE-ECDH-GM-AES-CBC-CMAC-128, version 2, parameter 13 (ICAO 9303-11 §9.2.1).
fn pace_info() -> Vec<u8> {
    sequence(&[&bsi(&[4, 2, 2]), &integer(2), &integer(13)])
}

/// An information object of nobody's, as long as the one for PACE, which a chip without it has not.
fn unknown_info() -> Vec<u8> {
    let nobody = encode(Tag(0x06), &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xFE, 0x7F, 0x01, 0x01]);
    sequence(&[&nobody, &integer(1), &integer(1)])
}

/// DG14 with a numbered chip authentication key (TR-03110-3 §A.1.1).
fn dg14(opened: Opened, public_key: &[u8]) -> Vec<u8> {
    let first = match opened {
        Opened::Pace => pace_info(),
        Opened::Bac => unknown_info(),
    };
    let protocol = sequence(&[&bsi(&[3, 2, 2]), &integer(1), &integer(1)]);
    let key = sequence(&[&bsi(&[1, 2]), public_key, &integer(1)]);
    encode(Tag(0x6E), &encode(Tag(0x31), &[first, protocol, key].concat()))
}

/// Header of the facial record, information of the face and of the image (ISO/IEC 19794-5 §5.3-5.7).
const BEFORE_THE_IMAGE: usize = 14 + 20 + 12;

/// DG2 brought to `length` by a comment in its JPEG.
fn longer_dg2(dg2: &[u8], length: usize) -> Result<Vec<u8>, MeasuredError> {
    let too_long = MeasuredError::Length { file: "DG2" };
    let more = length.checked_sub(dg2.len()).filter(|more| *more >= 4).ok_or(too_long)?;
    let group = single(single(dg2, Tag(0x75))?.value, Tag(0x7F61))?;
    let mut parts = group.reader();
    let number = parts.expect(Tag(0x02))?.bytes;
    let mut template = parts.expect(Tag(0x7F60))?.reader();
    let header = template.expect(Tag(0xA1))?.bytes;
    let record = record_with_comment(template.expect(Tag(0x5F2E))?.value, more)?;
    let template = encode(Tag(0x7F60), &[header, &encode(Tag(0x5F2E), &record)].concat());
    let group = encode(Tag(0x7F61), &[number, &template].concat());
    Ok(encode(Tag(0x75), &group))
}

/// The record with a JPEG comment segment of `more` bytes after the image's first marker, and both
/// of its lengths as they then are.
fn record_with_comment(record: &[u8], more: usize) -> Result<Vec<u8>, MeasuredError> {
    let wrong = || MeasuredError::Length { file: "DG2" };
    let (head, image) = record.split_at_checked(BEFORE_THE_IMAGE).ok_or_else(wrong)?;
    let (start, rest) = image.split_at_checked(2).ok_or_else(wrong)?;
    let segment = u16::try_from(more.saturating_sub(2)).map_err(|_| wrong())?.to_be_bytes();
    let comment = [&[0xFF, 0xFE], segment.as_slice(), &vec![b' '; more.saturating_sub(4)]].concat();
    let mut head = head.to_vec();
    for at in [8, 14] {
        let field = head.get_mut(at..at + 4).and_then(|field| <&mut [u8; 4]>::try_from(field).ok());
        let field = field.ok_or_else(wrong)?;
        let more = u32::try_from(more).map_err(|_| wrong())?;
        *field = u32::from_be_bytes(*field).saturating_add(more).to_be_bytes();
    }
    Ok([head, start.to_vec(), comment, rest.to_vec()].concat())
}

/// EF.SOD of the wanted length: the signer's name is as long as that takes. Signatures over curves
/// vary by a byte or two, so it is signed until it fits.
fn security_object(
    issuer: &Issuer,
    files: &BTreeMap<&'static str, Vec<u8>>,
) -> Result<Vec<u8>, MeasuredError> {
    const TRIES: usize = 400;
    let wanted = length_of("EF.SOD");
    let groups: Vec<(u8, &[u8])> = [(1, "DG1"), (2, "DG2"), (14, "DG14"), (15, "DG15")]
        .into_iter()
        .filter_map(|(number, name)| Some((number, files.get(name)?.as_slice())))
        .collect();
    let mut padding = 0_usize;
    for _ in 0..TRIES {
        let file = issuer.sign(&groups, padding)?;
        match file.len().cmp(&wanted) {
            Ordering::Equal => return Ok(file),
            Ordering::Less => padding = padding.saturating_add(wanted - file.len()).min(60),
            Ordering::Greater => padding = padding.saturating_sub(file.len() - wanted),
        }
    }
    Err(MeasuredError::Length { file: "EF.SOD" })
}
