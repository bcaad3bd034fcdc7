//! Password Authenticated Connection Establishment (ICAO 9303-11 §4.4; TR-03110-3 §A.3), generic
//! mapping over elliptic curves.
//!
//! The chip is trusted with nothing: its points are checked to lie on the curve, its key must not
//! be ours sent back, and its token is compared in constant time before any key is used.

mod suite;

pub use self::suite::{Agreement, Mapping, Suite};
use crate::{
    apdu::{Command, Response, StatusWord},
    crypto::{
        CryptoError, Hash, Purpose, Secret,
        ec::{Domain, KeyPair, PublicPoint, Scalar},
        equal, kdf, mac,
    },
    link::{Batch, Protocol, Step},
    random::Random,
    sm::SecureMessaging,
    tlv::{self, Tag, TlvError},
};

/// The password of PACE: `K = f(π)` and its reference (ICAO 9303-11 §4.4.4.1, §9.7.3).
pub struct Password {
    key: Secret,
    reference: u8,
}

impl Password {
    /// From the MRZ information (document number, birth and expiry with check digits).
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL lacks SHA-1.
    pub fn mrz(information: &str) -> Result<Self, CryptoError> {
        let key = Secret::new(Hash::Sha1.digest(information.as_bytes())?);
        Ok(Self { key, reference: 1 })
    }

    /// From the card access number printed on the document.
    #[must_use]
    pub fn can(digits: &str) -> Self {
        Self { key: Secret::new(digits.as_bytes().to_vec()), reference: 2 }
    }
}

/// Why no connection was established.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PaceError {
    /// The chip does not do this variant after all.
    #[error("the chip refused PACE: status {status}")]
    Refused {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip gave up in the middle.
    #[error("the chip stopped PACE: status {status}")]
    Stopped {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip refused our token: the password is not that of this chip.
    #[error("the chip refused the password: status {status}")]
    Denied {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip's token is wrong: it does not know the password.
    #[error("the chip's token is wrong")]
    Token,
    /// The nonce has a length that no block cipher of PACE gives it, or is zero.
    #[error("the nonce cannot be")]
    Nonce,
    /// The chip sent our own key back.
    #[error("the chip sent our own key back")]
    Reflected,
    /// An answer of another form.
    #[error("malformed answer")]
    Malformed(#[from] TlvError),
    /// A primitive failed, or the chip sent a point off the curve.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// PACE in progress; yields secure messaging.
pub enum Pace {
    /// Parameters were set and the nonce asked for.
    AwaitNonce(AwaitNonce),
    /// Our mapping key was sent.
    AwaitMapping(AwaitMapping),
    /// Our key on the mapped generator was sent.
    AwaitAgreement(AwaitAgreement),
    /// Our token was sent.
    AwaitToken(AwaitToken),
}

/// Everything known before the nonce.
pub struct AwaitNonce {
    suite: Suite,
    nonce_key: Secret,
    domain: Domain,
    mapping: Scalar,
    agreement: Scalar,
}

/// The nonce and our mapping key pair.
pub struct AwaitMapping {
    suite: Suite,
    nonce: Secret,
    domain: Domain,
    mapping: KeyPair,
    agreement: Scalar,
}

/// The mapped domain and our key pair on it.
pub struct AwaitAgreement {
    suite: Suite,
    domain: Domain,
    pair: KeyPair,
}

/// Session keys that nobody has confirmed yet, and the token that the chip must send.
pub struct AwaitToken {
    messaging: SecureMessaging,
    expected: [u8; 8],
}

const DYNAMIC_DATA: Tag = Tag(0x7C);
/// A nonce is one block or more, and at most the longest key (TR-03110-3 §A.3.3): an empty one
/// would map to the same generator whatever the password is.
const NONCE_LENGTHS: std::ops::RangeInclusive<usize> = 16..=32;

/// Starts PACE: MSE:Set AT and the request for the nonce in one batch.
///
/// # Errors
/// [`PaceError::Crypto`] if no keys can be made.
pub fn start(
    suite: Suite,
    password: &Password,
    random: &mut dyn Random,
) -> Result<Step<Pace, SecureMessaging>, PaceError> {
    let Agreement::Ecdh(curve) = suite.agreement;
    let domain = Domain::new(curve)?;
    let (mapping, agreement) = (domain.scalar(random)?, domain.scalar(random)?);
    let nonce_key = kdf(password.key.expose(), Purpose::Nonce, suite.cipher)?;
    let batch = Batch::new(vec![set_parameters(&suite, password.reference), ask(&[], Chain::More)]);
    let state = AwaitNonce { suite, nonce_key, domain, mapping, agreement };
    Ok(Step::Transmit(batch, Pace::AwaitNonce(state)))
}

/// MSE:Set AT for mutual authentication (ICAO 9303-11 §4.4.4.1): `80` protocol, `83` password,
/// `84` parameters.
fn set_parameters(suite: &Suite, password: u8) -> Command {
    let mut data = tlv::encode(Tag(0x80), suite.protocol.as_bytes());
    tlv::push(&mut data, Tag(0x83), &[password]);
    if let (true, Ok(id)) = (suite.announce_parameters, u8::try_from(suite.parameter_id)) {
        tlv::push(&mut data, Tag(0x84), &[id]);
    }
    Command::new(0x00, 0x22, 0xC1, 0xA4).with_data(data)
}

/// Whether further commands of the chain follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    More,
    Last,
}

/// GENERAL AUTHENTICATE (ICAO 9303-11 §4.4.4.2) with `7C { data }`.
fn ask(data: &[u8], chain: Chain) -> Command {
    let class = if chain == Chain::More { 0x10 } else { 0x00 };
    Command::new(class, 0x86, 0x00, 0x00).with_data(tlv::encode(DYNAMIC_DATA, data)).expecting(256)
}

/// The object `tag` in `7C { … }`.
fn answer(reply: &Response, tag: Tag) -> Result<Vec<u8>, PaceError> {
    let data = tlv::single(&reply.data, DYNAMIC_DATA)?;
    Ok(data.reader().expect(tag)?.value.to_vec())
}

/// The answer in the middle of the protocol, where only `9000` goes on.
fn continued(reply: &Response, tag: Tag) -> Result<Vec<u8>, PaceError> {
    if !reply.status.is_ok() {
        return Err(PaceError::Stopped { status: reply.status });
    }
    answer(reply, tag)
}

impl Protocol for Pace {
    type Output = SecureMessaging;
    type Error = PaceError;

    fn step(self, replies: Vec<Response>) -> Result<Step<Self, SecureMessaging>, PaceError> {
        let Some(reply) = replies.last() else {
            return Err(PaceError::Refused { status: StatusWord(0) });
        };
        match self {
            Self::AwaitNonce(state) => state.step(reply, replies.len()),
            Self::AwaitMapping(state) => state.step(reply),
            Self::AwaitAgreement(state) => state.step(reply),
            Self::AwaitToken(state) => state.step(reply).map(Step::Done),
        }
    }
}

impl AwaitNonce {
    /// `s = D(Kπ, z)`; sends our mapping key (ICAO 9303-11 §4.4.1 steps 1 to 3a).
    fn step(
        self,
        reply: &Response,
        replies: usize,
    ) -> Result<Step<Pace, SecureMessaging>, PaceError> {
        // 63Cx to MSE warns that few tries are left; the chip is ready all the same.
        if replies == 1 && reply.status.0 & 0xFFF0 == 0x63C0 {
            return Ok(Step::Transmit(Batch::one(ask(&[], Chain::More)), Pace::AwaitNonce(self)));
        }
        if !reply.status.is_ok() {
            return Err(PaceError::Refused { status: reply.status });
        }
        let sealed = answer(reply, Tag(0x80))?;
        let Self { suite, nonce_key, domain, mapping, agreement } = self;
        if !NONCE_LENGTHS.contains(&sealed.len()) {
            return Err(PaceError::Nonce);
        }
        let nonce = Secret::new(suite.cipher.decrypt(&nonce_key, &[0; 16], &sealed)?);
        let mapping = domain.key_pair(mapping)?;
        let command = ask(&tlv::encode(Tag(0x81), &domain.encode(&mapping)?), Chain::More);
        let state = AwaitMapping { suite, nonce, domain, mapping, agreement };
        Ok(Step::Transmit(Batch::one(command), Pace::AwaitMapping(state)))
    }
}

impl AwaitMapping {
    /// Maps the nonce to a generator; sends our key on it (ICAO 9303-11 §4.4.1 steps 3b, 3c).
    fn step(self, reply: &Response) -> Result<Step<Pace, SecureMessaging>, PaceError> {
        let peer = self.domain.decode(&continued(reply, Tag(0x82))?)?;
        refuse_reflection(&self.domain, &self.mapping, &peer)?;
        let Mapping::Generic = self.suite.mapping;
        let domain = self.domain.map(&self.nonce, &self.mapping, &peer)?;
        let pair = domain.key_pair(self.agreement)?;
        let command = ask(&tlv::encode(Tag(0x83), &domain.encode(&pair)?), Chain::More);
        let state = AwaitAgreement { suite: self.suite, domain, pair };
        Ok(Step::Transmit(Batch::one(command), Pace::AwaitAgreement(state)))
    }
}

impl AwaitAgreement {
    /// Agrees on keys; sends our token (ICAO 9303-11 §4.4.1 steps 3c to 3f).
    fn step(self, reply: &Response) -> Result<Step<Pace, SecureMessaging>, PaceError> {
        let theirs = continued(reply, Tag(0x84))?;
        let peer = self.domain.decode(&theirs)?;
        refuse_reflection(&self.domain, &self.pair, &peer)?;
        let shared = self.domain.agree(&self.pair, &peer)?;
        let ours = self.domain.encode(&self.pair)?;
        let command =
            ask(&tlv::encode(Tag(0x85), &token(&self.suite, &shared, &theirs)?), Chain::Last);
        let expected = token(&self.suite, &shared, &ours)?;
        let messaging = SecureMessaging::new(self.suite.cipher, &shared, None)?;
        let state = AwaitToken { messaging, expected };
        Ok(Step::Transmit(Batch::one(command), Pace::AwaitToken(state)))
    }
}

impl AwaitToken {
    fn step(self, reply: &Response) -> Result<SecureMessaging, PaceError> {
        if !reply.status.is_ok() {
            return Err(PaceError::Denied { status: reply.status });
        }
        if !equal(&answer(reply, Tag(0x86))?, &self.expected) {
            return Err(PaceError::Token);
        }
        Ok(self.messaging)
    }
}

fn refuse_reflection(domain: &Domain, pair: &KeyPair, peer: &PublicPoint) -> Result<(), PaceError> {
    if domain.same(pair, peer)? { Err(PaceError::Reflected) } else { Ok(()) }
}

/// `T = MAC(K_MAC, 7F49 { 06 protocol, 86 public point })` over the receiver's point
/// (ICAO 9303-11 §4.4.3.4; the ephemeral form of TR-03110-3 §A.2.2.3).
fn token(suite: &Suite, shared: &Secret, point: &[u8]) -> Result<[u8; 8], CryptoError> {
    let key = kdf(shared.expose(), Purpose::Authentication, suite.cipher)?;
    let mut data = tlv::encode(Tag(0x06), suite.protocol.as_bytes());
    tlv::push(&mut data, Tag(0x86), point);
    mac(suite.cipher, &key, &tlv::encode(Tag(0x7F49), &data))
}
