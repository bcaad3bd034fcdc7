//! The commands of PACE and what may stand in their answers (ICAO 9303-11 §4.4.4, §4.4.5).

use super::{PaceError, Suite};
use crate::{
    apdu::{Command, Response},
    tlv::{self, Reader, Tag, TlvError},
};

const DYNAMIC_DATA: Tag = Tag(0x7C);
pub(super) const NONCE: Tag = Tag(0x80);
pub(super) const OUR_MAPPING: Tag = Tag(0x81);
pub(super) const THEIR_MAPPING: Tag = Tag(0x82);
pub(super) const OUR_KEY: Tag = Tag(0x83);
pub(super) const THEIR_KEY: Tag = Tag(0x84);
pub(super) const OUR_TOKEN: Tag = Tag(0x85);
const THEIR_TOKEN: Tag = Tag(0x86);
/// References of certification authorities, current and previous: for terminal authentication.
const AUTHORITIES: [Tag; 2] = [Tag(0x87), Tag(0x88)];
const CHIP_DATA: Tag = Tag(0x8A);

/// Ne of a short and of an extended command.
const SHORT: usize = 256;
const EXTENDED: usize = 65_536;

/// MSE:Set AT for mutual authentication (ICAO 9303-11 §4.4.4.1): `80` protocol, `83` password,
/// `84` parameters.
pub(super) fn set_parameters(suite: &Suite, password: u8) -> Command {
    let mut data = tlv::encode(Tag(0x80), suite.protocol.as_bytes());
    tlv::push(&mut data, Tag(0x83), &[password]);
    if let (true, Ok(id)) = (suite.announce_parameters, u8::try_from(suite.parameter_id)) {
        tlv::push(&mut data, Tag(0x84), &[id]);
    }
    Command::new(0x00, 0x22, 0xC1, 0xA4).with_data(data)
}

/// GENERAL AUTHENTICATE for the nonce: `7C` without content.
pub(super) fn ask_nonce() -> Command {
    authenticate(0x10, &[]).expecting(SHORT)
}

/// GENERAL AUTHENTICATE with one object, as a command that others of the chain follow.
pub(super) fn send(suite: &Suite, tag: Tag, value: &[u8]) -> Command {
    let ne = if suite.needs_extended_length() { EXTENDED } else { SHORT };
    authenticate(0x10, &tlv::encode(tag, value)).expecting(ne)
}

/// GENERAL AUTHENTICATE with our token, the last of the chain.
pub(super) fn send_token(token: &[u8; 8]) -> Command {
    authenticate(0x00, &tlv::encode(OUR_TOKEN, token)).expecting(SHORT)
}

fn authenticate(class: u8, data: &[u8]) -> Command {
    Command::new(class, 0x86, 0x00, 0x00).with_data(tlv::encode(DYNAMIC_DATA, data))
}

/// The only object in `7C { … }`, which must have `tag`.
pub(super) fn only(reply: &Response, tag: Tag) -> Result<Vec<u8>, PaceError> {
    let mut objects = tlv::single(&reply.data, DYNAMIC_DATA)?.reader();
    let value = objects.expect(tag)?.value.to_vec();
    objects.finish()?;
    Ok(value)
}

/// As [`only`], in the middle of the protocol, where nothing but `9000` goes on.
pub(super) fn continued(reply: &Response, tag: Tag) -> Result<Vec<u8>, PaceError> {
    accepted(reply)?;
    only(reply, tag)
}

/// The answer to our nonce of the integrated mapping: an empty `82`, or nothing at all.
pub(super) fn acknowledged(reply: &Response) -> Result<(), PaceError> {
    accepted(reply)?;
    let data = tlv::single(&reply.data, DYNAMIC_DATA)?;
    let mut objects = data.reader();
    let empty = objects.optional(THEIR_MAPPING)?.is_none_or(|object| object.value.is_empty());
    objects.finish()?;
    if empty { Ok(()) } else { Err(PaceError::Unexpected { tag: THEIR_MAPPING }) }
}

fn accepted(reply: &Response) -> Result<(), PaceError> {
    if reply.status.is_ok() { Ok(()) } else { Err(PaceError::Stopped { status: reply.status }) }
}

/// The chip's last answer.
pub(super) struct Final {
    pub(super) token: Vec<u8>,
    /// `8A`, if nothing else stands in its place.
    pub(super) chip_data: Option<Vec<u8>>,
}

impl Final {
    /// With chip authentication mapping: `86`, at most two `87` and `88`, and `8A`, whose absence
    /// is for the caller to judge. Whatever else follows counts as its absence.
    pub(super) fn with_chip_data(reply: &Response) -> Result<Self, PaceError> {
        let (token, mut rest) = Self::token(reply)?;
        let chip_data = rest.optional(CHIP_DATA)?.map(|object| object.value.to_vec());
        let chip_data = chip_data.filter(|_| rest.is_empty());
        Ok(Self { token, chip_data })
    }

    /// With another mapping, where `8A` must not stand (ICAO 9303-11 §4.4.5).
    pub(super) fn without_chip_data(reply: &Response) -> Result<Self, PaceError> {
        let (token, rest) = Self::token(reply)?;
        rest.finish()?;
        Ok(Self { token, chip_data: None })
    }

    fn token(reply: &Response) -> Result<(Vec<u8>, Reader<'_>), TlvError> {
        let mut objects = tlv::single(&reply.data, DYNAMIC_DATA)?.reader();
        let token = objects.expect(THEIR_TOKEN)?.value.to_vec();
        for authority in AUTHORITIES {
            objects.optional(authority)?;
        }
        Ok((token, objects))
    }
}
