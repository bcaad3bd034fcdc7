//! The states of PACE, one struct each, over any group (ICAO 9303-11 §4.4.1).

use super::{
    Agreement, Established, Mapping, MappingDataError, PaceError, Password, Suite,
    UnverifiedMapping,
    exchange::{
        self, Final, NONCE, OUR_KEY, OUR_MAPPING, THEIR_KEY, THEIR_MAPPING, acknowledged,
        ask_nonce, continued,
    },
    group::Group,
    integrated::{nonce_length, pseudo_random},
};
use crate::{
    apdu::{Response, StatusWord},
    crypto::{Cipher, CryptoError, Purpose, Scalar, Secret, equal, kdf, mac},
    link::{Batch, Step},
    random::Random,
    sm::SecureMessaging,
    tlv::{self, Tag},
};

/// PACE in progress over one kind of group.
pub(super) enum Running<G: Group> {
    Nonce(AwaitNonce<G>),
    Mapping(AwaitMapping<G>),
    Agreement(AwaitAgreement<G>),
    Token(AwaitToken),
}

type Next<G> = Result<Step<Running<G>, Established>, PaceError>;

/// Everything known before the nonce.
pub(super) struct AwaitNonce<G: Group> {
    suite: Suite,
    nonce_key: Secret,
    domain: G,
    mapping: Contribution<Scalar>,
    agreement: Scalar,
}

/// What we bring to the mapping.
enum Contribution<K> {
    /// A key, of the generic and the chip authentication mapping.
    Key(K),
    /// The nonce `t` of the integrated mapping.
    Nonce(Vec<u8>),
}

/// The nonce, and what we sent to map it.
pub(super) struct AwaitMapping<G: Group> {
    suite: Suite,
    nonce: Secret,
    domain: G,
    mapping: Contribution<G::KeyPair>,
    agreement: Scalar,
}

/// The mapped domain and our key pair on it.
pub(super) struct AwaitAgreement<G: Group> {
    suite: Suite,
    domain: G,
    pair: G::KeyPair,
    /// `PK_Map,IC`, as the chip sent it.
    mapping_key: Vec<u8>,
}

/// Session keys that nobody has confirmed yet, and the token that the chip must send.
pub(super) struct AwaitToken {
    suite: Suite,
    messaging: SecureMessaging,
    encryption: Secret,
    expected: [u8; 8],
    mapping_key: Vec<u8>,
}

/// The most bytes of a nonce that are taken; chips send 16 or 32.
const LONGEST_NONCE: usize = 32;

/// MSE:Set AT and the request for the nonce in one batch.
pub(super) fn start<G: Group>(
    suite: Suite,
    domain: G,
    password: &Password,
    random: &mut dyn Random,
) -> Result<(Batch, Running<G>), PaceError> {
    let mapping = match suite.mapping {
        Mapping::Generic | Mapping::ChipAuthentication => Contribution::Key(domain.scalar(random)?),
        Mapping::Integrated => {
            let mut nonce = vec![0; suite.cipher.key_length()];
            random.fill(&mut nonce).map_err(CryptoError::from)?;
            Contribution::Nonce(nonce)
        }
    };
    let agreement = domain.scalar(random)?;
    let nonce_key = kdf(password.key.expose(), Purpose::Nonce, suite.cipher)?;
    let first = exchange::set_parameters(&suite, password.reference);
    let batch = Batch::new(vec![first, ask_nonce()]);
    Ok((batch, Running::Nonce(AwaitNonce { suite, nonce_key, domain, mapping, agreement })))
}

impl<G: Group> Running<G> {
    pub(super) fn step(self, replies: &[Response]) -> Next<G> {
        let Some(reply) = replies.last() else {
            return Err(PaceError::Refused { status: StatusWord(0) });
        };
        match self {
            Self::Nonce(state) => state.step(reply, replies.len()),
            Self::Mapping(state) => state.step(reply),
            Self::Agreement(state) => state.step(reply),
            Self::Token(state) => state.step(reply).map(Step::Done),
        }
    }
}

impl<G: Group> AwaitNonce<G> {
    /// `s = D(Kπ, z)`; sends our part of the mapping (ICAO 9303-11 §4.4.1 steps 1 to 3a).
    fn step(self, reply: &Response, replies: usize) -> Next<G> {
        // 63Cx to MSE warns that few tries are left; the chip is ready all the same.
        if replies == 1 && reply.status.0 & 0xFFF0 == 0x63C0 {
            return Ok(Step::Transmit(Batch::one(ask_nonce()), Running::Nonce(self)));
        }
        if !reply.status.is_ok() {
            return Err(PaceError::Refused { status: reply.status });
        }
        let sealed = exchange::only(reply, NONCE)?;
        let Self { suite, nonce_key, domain, mapping, agreement } = self;
        let nonce = open_nonce(&suite, &nonce_key, &sealed)?;
        let (mapping, sent) = match mapping {
            Contribution::Key(scalar) => {
                let pair = domain.key_pair(scalar)?;
                let sent = domain.encode(&pair)?;
                (Contribution::Key(pair), sent)
            }
            Contribution::Nonce(nonce) => (Contribution::Nonce(nonce.clone()), nonce),
        };
        let command = exchange::send(&suite, OUR_MAPPING, &sent);
        let state = AwaitMapping { suite, nonce, domain, mapping, agreement };
        Ok(Step::Transmit(Batch::one(command), Running::Mapping(state)))
    }
}

/// A nonce is whole blocks; that of the integrated mapping has a length of its own
/// (ICAO 9303-11 §4.4.3.3). An empty one would map to the same generator whatever the password is.
fn open_nonce(suite: &Suite, key: &Secret, sealed: &[u8]) -> Result<Secret, PaceError> {
    let (cipher, length) = (suite.cipher, sealed.len());
    let fits = match suite.mapping {
        Mapping::Integrated => length == nonce_length(cipher),
        Mapping::Generic | Mapping::ChipAuthentication => {
            (cipher.block()..=LONGEST_NONCE).contains(&length)
        }
    };
    if !fits {
        return Err(PaceError::Nonce);
    }
    cipher.decrypt(key, &[0; 16], sealed).map(Secret::new).map_err(|_| PaceError::Nonce)
}

impl<G: Group> AwaitMapping<G> {
    /// Maps the nonce to a generator; sends our key on it (ICAO 9303-11 §4.4.1 steps 3b, 3c).
    fn step(self, reply: &Response) -> Next<G> {
        let Self { suite, nonce, domain, mapping, agreement } = self;
        let (domain, mapping_key) = match mapping {
            Contribution::Key(pair) => {
                let theirs = continued(reply, THEIR_MAPPING)?;
                let peer = domain.decode(&theirs)?;
                refuse_reflection(&domain, &pair, &peer)?;
                (domain.map_generic(&nonce, &pair, &peer)?, theirs)
            }
            Contribution::Nonce(t) => {
                acknowledged(reply)?;
                let element = pseudo_random(suite.cipher, &nonce, &t, &*domain.prime()?)?;
                (domain.map_integrated(&element)?, Vec::new())
            }
        };
        let pair = domain.key_pair(agreement)?;
        let command = exchange::send(&suite, OUR_KEY, &domain.encode(&pair)?);
        let state = AwaitAgreement { suite, domain, pair, mapping_key };
        Ok(Step::Transmit(Batch::one(command), Running::Agreement(state)))
    }
}

impl<G: Group> AwaitAgreement<G> {
    /// Agrees on keys; sends our token (ICAO 9303-11 §4.4.1 steps 3c to 3f).
    fn step(self, reply: &Response) -> Next<G> {
        let Self { suite, domain, pair, mapping_key } = self;
        let theirs = continued(reply, THEIR_KEY)?;
        let peer = domain.decode(&theirs)?;
        refuse_reflection(&domain, &pair, &peer)?;
        let shared = domain.agree(&pair, &peer)?;
        let ours = domain.encode(&pair)?;
        let token = |point: &[u8]| token(&suite, &shared, G::PUBLIC_KEY, point);
        let command = exchange::send_token(&token(&theirs)?);
        let expected = token(&ours)?;
        let encryption = kdf(shared.expose(), Purpose::Encryption, suite.cipher)?;
        let messaging = SecureMessaging::new(suite.cipher, &shared, None)?;
        let state = AwaitToken { suite, messaging, encryption, expected, mapping_key };
        Ok(Step::Transmit(Batch::one(command), Running::Token(state)))
    }
}

fn refuse_reflection<G: Group>(
    domain: &G,
    pair: &G::KeyPair,
    peer: &G::PublicKey,
) -> Result<(), PaceError> {
    if domain.same(pair, peer)? { Err(PaceError::Reflected) } else { Ok(()) }
}

/// `T = MAC(K_MAC, 7F49 { 06 protocol, 86 or 84 public key })` over the receiver's key
/// (ICAO 9303-11 §4.4.3.4, §9.4).
fn token(suite: &Suite, shared: &Secret, tag: Tag, key: &[u8]) -> Result<[u8; 8], CryptoError> {
    let authentication = kdf(shared.expose(), Purpose::Authentication, suite.cipher)?;
    let mut data = tlv::encode(Tag(0x06), suite.protocol.as_bytes());
    tlv::push(&mut data, tag, key);
    mac(suite.cipher, &authentication, &tlv::encode(Tag(0x7F49), &data))
}

impl AwaitToken {
    /// Compares tokens; with chip authentication mapping, opens the chip's data
    /// (ICAO 9303-11 §4.4.1 steps 3f and 4).
    fn step(self, reply: &Response) -> Result<Established, PaceError> {
        if !reply.status.is_ok() {
            return Err(PaceError::Denied { status: reply.status });
        }
        let last = match self.suite.mapping {
            Mapping::ChipAuthentication => Final::with_chip_data(reply)?,
            Mapping::Generic | Mapping::Integrated => Final::without_chip_data(reply)?,
        };
        if !equal(&last.token, &self.expected) {
            return Err(PaceError::Token);
        }
        let Self { suite, messaging, encryption, mapping_key, .. } = self;
        let mapping = match (suite.mapping, suite.agreement) {
            (Mapping::ChipAuthentication, Agreement::Ecdh(curve)) => {
                let key = (curve, suite.parameter_id);
                let cipher: (Cipher, &Secret) = (suite.cipher, &encryption);
                Some(
                    last.chip_data
                        .ok_or(MappingDataError::Missing)
                        .and_then(|data| UnverifiedMapping::open(key, cipher, &data, mapping_key)),
                )
            }
            _ => None,
        };
        Ok(Established { session: messaging, mapping })
    }
}
