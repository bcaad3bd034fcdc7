//! A small chip with a small passport: PACE (generic mapping, P-256, AES-128), BAC, chip
//! authentication and active authentication (ICAO 9303-11 §4.3, §4.4, §6), honest unless its
//! script says otherwise.
//!
//! It is written for fuzzing alone: it believes the reader everything.

use std::collections::BTreeMap;

use nfc::{
    apdu::{Command, Response, StatusWord},
    crypto::{Cipher, Hash, Purpose, Secret, kdf, mac},
    link::{Batch, Link, LinkError, one_by_one},
    tlv::{self, Tag},
};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey, EcPoint, PointConversionForm},
    ecdsa::EcdsaSig,
    nid::Nid,
};

use super::{
    Script,
    fault::{Fault, Place},
    passport,
    session::Session,
};

/// What the chip is, apart from its faults.
#[derive(Debug, Clone, Copy)]
pub struct Nature {
    /// It has no private keys.
    pub clone: bool,
    /// It offers no PACE.
    pub bac_only: bool,
    /// It warns with `6282` when a file ends.
    pub warns_at_end: bool,
    /// The most bytes that it answers with, before protection.
    pub block: usize,
    /// What it does beyond.
    pub beyond: Beyond,
}

/// What a chip does when asked for more than it bears.
#[derive(Debug, Clone, Copy)]
pub enum Beyond {
    /// It gives what it can.
    Short,
    /// `6700`.
    Refuses,
    /// `6Cxx`.
    Corrects,
}

/// The chip in the field.
pub struct Chip<'s, 'a> {
    script: &'s Script<'a>,
    nature: Nature,
    files: BTreeMap<u8, Vec<u8>>,
    current: Option<u8>,
    session: Option<Session>,
    /// Keys that are in force after the answer in hand.
    agreed: Option<Session>,
    stage: Stage,
    commands: usize,
    /// Answers to the batch in hand that came before the link was lost.
    came: Vec<Response>,
}

/// Where PACE stands.
enum Stage {
    Idle,
    Pace,
    Nonce(BigNum),
    Mapped(EcPoint),
    Agreed { shared: Vec<u8>, theirs: Vec<u8> },
    ChipAuthentication,
}

/// More commands than any reading needs: the reader does not end.
const MOST_COMMANDS: usize = 60_000;
const CHALLENGE: [u8; 8] = [0x46, 0x08, 0xF9, 0x19, 0x88, 0x70, 0x22, 0x12];
const NONCE: [u8; 16] = [0x3F; 16];
const PACE: [u8; 10] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, 0x02, 0x02];
const REFUSED: StatusWord = StatusWord(0x6A80);

impl<'s, 'a> Chip<'s, 'a> {
    /// A chip with `files` by short identifier.
    pub fn new(nature: Nature, files: BTreeMap<u8, Vec<u8>>, script: &'s Script<'a>) -> Self {
        let (session, agreed) = (None, None);
        let stage = Stage::Idle;
        Self {
            script,
            nature,
            files,
            current: None,
            session,
            agreed,
            stage,
            commands: 0,
            came: Vec::new(),
        }
    }

    /// Out of the field and back again.
    pub fn reset(&mut self) {
        (self.session, self.agreed, self.current) = (None, None, None);
        self.stage = Stage::Idle;
    }

    /// The answers that came before the link was lost.
    pub fn came(&mut self) -> Vec<Response> {
        std::mem::take(&mut self.came)
    }

    fn answer(&mut self, command: &Command) -> Result<Response, LinkError> {
        self.commands += 1;
        assert!(self.commands < MOST_COMMANDS, "the reader does not end");
        let fault = Fault::next(self.script);
        if matches!(fault, Fault::Lost) {
            return Err(LinkError::Lost);
        }
        let protected = command.cla & 0x0C == 0x0C;
        let plain = match (&mut self.session, protected) {
            (Some(session), true) => session.open(command),
            _ => Some(command.clone()),
        };
        // Keys that do not fit: the session is over.
        let Some(plain) = plain else {
            self.session = None;
            return Ok(Response::status(StatusWord(0x6988)));
        };
        let mut reply = self.plain(&plain);
        fault.apply(Place::Inside, &mut reply);
        if protected && !matches!(fault, Fault::Plain) {
            if let Some(session) = &mut self.session {
                reply = session.seal(plain.ins, &reply);
            }
        } else if !protected {
            // A command outside ends the session (ICAO 9303-11 §9.8.2).
            self.session = None;
        }
        if let Some(agreed) = self.agreed.take() {
            self.session = Some(agreed);
        }
        fault.apply(Place::Outside, &mut reply);
        Ok(reply)
    }

    fn plain(&mut self, command: &Command) -> Response {
        let status = |status| Response::status(StatusWord(status));
        match command.header() {
            [_, 0xA4, 0x02, _] => self.select(&command.data),
            [_, 0xA4, ..] => status(0x9000),
            [_, 0xB0, high, low] if high & 0x80 != 0 => {
                self.current = Some(high & 0x1F);
                self.read(low.into(), command.ne.unwrap_or(0))
            }
            [_, 0xB0, high, low] => {
                self.read(u16::from_be_bytes([high, low]).into(), command.ne.unwrap_or(0))
            }
            [_, 0xB1, ..] => self.read_odd(command),
            [_, 0x84, ..] => Response::new(CHALLENGE, StatusWord::OK),
            [_, 0x82, ..] => answered(self.mutual(&command.data)),
            [_, 0x22, 0xC1, 0xA4] => self.begin(Stage::Pace),
            [_, 0x22, 0x41, 0xA4] => self.begin(Stage::ChipAuthentication),
            [_, 0x22, 0x41, 0xA6] => answered(self.key_agreement(&command.data, Tag(0x91))),
            [_, 0x86, ..] => answered(self.general(&command.data)),
            [_, 0x88, ..] => answered(self.sign(&command.data)),
            _ => status(0x6D00),
        }
    }

    fn begin(&mut self, stage: Stage) -> Response {
        self.stage = stage;
        Response::status(StatusWord::OK)
    }

    fn select(&mut self, identifier: &[u8]) -> Response {
        self.current = identifier.last().map(|low| low & 0x1F);
        let there = self.current.is_some_and(|file| self.files.contains_key(&file));
        Response::status(if there { StatusWord::OK } else { StatusWord::NOT_FOUND })
    }

    fn read(&self, offset: usize, ne: usize) -> Response {
        let file = self.current.and_then(|file| self.files.get(&file));
        let Some(file) = file else { return Response::status(StatusWord::NOT_FOUND) };
        if self.current != Some(0x1C) && self.session.is_none() {
            return Response::status(StatusWord(0x6982));
        }
        let Some(rest) = file.get(offset..) else { return Response::status(StatusWord(0x6B00)) };
        let most = match self.nature.beyond {
            Beyond::Refuses if ne > self.nature.block => {
                return Response::status(StatusWord(0x6700));
            }
            Beyond::Corrects if ne > self.nature.block => {
                return Response::status(StatusWord(0x6C00 | self.nature.block as u16 & 0xFF));
            }
            _ => ne.min(self.nature.block),
        };
        let data = rest.get(..most).unwrap_or(rest);
        let ends = data.len() < ne && self.nature.warns_at_end;
        Response::new(data, if ends { StatusWord::END_OF_FILE } else { StatusWord::OK })
    }

    fn read_odd(&self, command: &Command) -> Response {
        let Ok(object) = tlv::single(&command.data, Tag(0x54)) else {
            return Response::status(REFUSED);
        };
        let offset = object.value.iter().fold(0, |at: usize, byte| at << 8 | usize::from(*byte));
        let reply = self.read(offset, command.ne.unwrap_or(0).saturating_sub(4));
        match reply.data.is_empty() {
            true => reply,
            false => Response::new(tlv::encode(Tag(0x53), &reply.data), reply.status),
        }
    }

    /// BAC (ICAO 9303-11 §4.3.1): `R = RND.IC ‖ RND.IFD ‖ K.IC`.
    fn mutual(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        let seed = Hash::Sha1.digest(passport::information().as_bytes()).ok()?;
        let seed = seed.get(..16)?;
        let cipher = Cipher::TripleDes;
        let encryption = kdf(seed, Purpose::Encryption, cipher).ok()?;
        let authentication = kdf(seed, Purpose::Authentication, cipher).ok()?;
        let plain = cipher.decrypt(&encryption, &[0; 8], sealed.get(..32)?).ok()?;
        let (nonce, share) = (plain.get(..8)?, plain.get(16..32)?);
        let own = [0x0B; 16];
        let answer = cipher.encrypt(&encryption, &[0; 8], &[&CHALLENGE, nonce, &own].concat());
        let mut answer = answer.ok()?;
        answer.extend(mac(cipher, &authentication, &answer).ok()?);
        let shared: Vec<u8> = share.iter().zip(own).map(|(a, b)| a ^ b).collect();
        let start = [CHALLENGE.get(4..)?, nonce.get(4..)?].concat();
        let start = u64::from_be_bytes(start.try_into().ok()?);
        self.agreed = Some(Session::new(cipher, &shared, start));
        Some(answer)
    }

    /// GENERAL AUTHENTICATE of PACE and of chip authentication.
    fn general(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let wrapped = |tag, value: &[u8]| Some(tlv::encode(Tag(0x7C), &tlv::encode(tag, value)));
        let inner = tlv::single(data, Tag(0x7C)).ok()?.value;
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Pace => {
                let sealed = Cipher::Aes128.encrypt(&password_key()?, &[0; 16], &NONCE).ok()?;
                self.stage = Stage::Nonce(BigNum::from_slice(&NONCE).ok()?);
                wrapped(Tag(0x80), &sealed)
            }
            Stage::Nonce(nonce) => {
                let curve = Curve::new()?;
                let own = BigNum::from_slice(&[0x21; 32]).ok()?;
                let theirs = curve.point(tlv::single(inner, Tag(0x81)).ok()?.value)?;
                let generator =
                    curve.sum(&curve.public(&nonce)?, &curve.multiply(&theirs, &own)?)?;
                self.stage = Stage::Mapped(generator);
                wrapped(Tag(0x82), &curve.bytes(&curve.public(&own)?)?)
            }
            Stage::Mapped(generator) => {
                let curve = Curve::new()?;
                let own = BigNum::from_slice(&[0x37; 32]).ok()?;
                let theirs = tlv::single(inner, Tag(0x83)).ok()?.value;
                let shared = curve.multiply(&curve.point(theirs)?, &own)?;
                let shared = curve.bytes(&shared)?.get(1..33)?.to_vec();
                self.stage = Stage::Agreed { shared, theirs: theirs.to_vec() };
                wrapped(Tag(0x84), &curve.bytes(&curve.multiply(&generator, &own)?)?)
            }
            Stage::Agreed { shared, theirs } => {
                self.agreed = Some(Session::new(Cipher::Aes128, &shared, 0));
                wrapped(Tag(0x86), &token(&shared, &theirs)?)
            }
            Stage::ChipAuthentication => {
                self.key_agreement(inner, Tag(0x80))?;
                Some(vec![0x7C, 0x00])
            }
            Stage::Idle => None,
        }
    }

    /// Chip authentication: new keys from the static key and the reader's.
    fn key_agreement(&mut self, data: &[u8], tag: Tag) -> Option<Vec<u8>> {
        let curve = Curve::new()?;
        let theirs = curve.point(tlv::single(data, tag).ok()?.value)?;
        let own = if self.nature.clone { &[9; 32] } else { passport::CHIP_KEY };
        let shared = curve.multiply(&theirs, &BigNum::from_slice(own).ok()?)?;
        let shared = curve.bytes(&shared)?.get(1..33)?.to_vec();
        self.agreed = Some(Session::new(Cipher::Aes128, &shared, 0));
        Some(Vec::new())
    }

    /// Active authentication: `r ‖ s` over SHA-256 of the challenge.
    fn sign(&self, challenge: &[u8]) -> Option<Vec<u8>> {
        let curve = Curve::new()?;
        let own = if self.nature.clone { &[9; 32] } else { passport::ACTIVE_KEY };
        let own = BigNum::from_slice(own).ok()?;
        let public = curve.public(&own)?;
        let key = EcKey::from_private_components(&curve.group, &own, &public).ok()?;
        let signature = EcdsaSig::sign(&Hash::Sha256.digest(challenge).ok()?, &key).ok()?;
        let [r, s] = [signature.r(), signature.s()].map(|n| n.to_vec_padded(32));
        Some([r.ok()?, s.ok()?].concat())
    }
}

fn answered(data: Option<Vec<u8>>) -> Response {
    match data {
        Some(data) => Response::new(data, StatusWord::OK),
        None => Response::status(REFUSED),
    }
}

fn password_key() -> Option<Secret> {
    let key = Hash::Sha1.digest(passport::information().as_bytes()).ok()?;
    kdf(&key, Purpose::Nonce, Cipher::Aes128).ok()
}

/// The token over the reader's point (ICAO 9303-11 §4.4.3.4).
fn token(shared: &[u8], theirs: &[u8]) -> Option<[u8; 8]> {
    let key = kdf(shared, Purpose::Authentication, Cipher::Aes128).ok()?;
    let mut data = tlv::encode(Tag(0x06), &PACE);
    tlv::push(&mut data, Tag(0x86), theirs);
    mac(Cipher::Aes128, &key, &tlv::encode(Tag(0x7F49), &data)).ok()
}

/// P-256.
struct Curve {
    group: EcGroup,
}

impl Curve {
    fn new() -> Option<Self> {
        Some(Self { group: EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).ok()? })
    }

    fn point(&self, bytes: &[u8]) -> Option<EcPoint> {
        EcPoint::from_bytes(&self.group, bytes, &mut *BigNumContext::new().ok()?).ok()
    }

    fn bytes(&self, point: &EcPoint) -> Option<Vec<u8>> {
        let form = PointConversionForm::UNCOMPRESSED;
        point.to_bytes(&self.group, form, &mut *BigNumContext::new().ok()?).ok()
    }

    fn multiply(&self, point: &EcPoint, scalar: &BigNum) -> Option<EcPoint> {
        let mut product = EcPoint::new(&self.group).ok()?;
        product.mul2(&self.group, point, scalar, &mut *BigNumContext::new().ok()?).ok()?;
        Some(product)
    }

    fn public(&self, scalar: &BigNum) -> Option<EcPoint> {
        let mut product = EcPoint::new(&self.group).ok()?;
        let mut context = BigNumContext::new().ok()?;
        product.mul_generator2(&self.group, scalar, &mut context).ok()?;
        Some(product)
    }

    fn sum(&self, a: &EcPoint, b: &EcPoint) -> Option<EcPoint> {
        let mut sum = EcPoint::new(&self.group).ok()?;
        sum.add(&self.group, a, b, &mut *BigNumContext::new().ok()?).ok()?;
        Some(sum)
    }
}

impl Link for Chip<'_, '_> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        self.came.clear();
        let mut replies = one_by_one(batch, |command| {
            let reply = self.answer(command)?;
            self.came.push(reply.clone());
            Ok(reply)
        })?;
        match self.script.byte() {
            0xF0 => drop(replies.pop()),
            0xF1 => replies.extend(replies.last().cloned()),
            0xF2 => replies.clear(),
            0xF3 => replies.reverse(),
            _ => {}
        }
        Ok(replies)
    }
}
