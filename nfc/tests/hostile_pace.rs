//! Chips that do PACE and cheat at one step: every key, nonce, token and data object from the chip
//! is put in question (ICAO 9303-11 §4.4). The chip here is a mirror of the reader's own
//! arithmetic; whether that is the standard's, the worked examples and the emulated chip say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use nfc::{
    apdu::{Command, Response, StatusWord},
    crypto::{CryptoError, Purpose, Secret, dh, ec, kdf, mac},
    lds::security_infos::SecurityInfos,
    link::{self, Batch, Link, LinkError, one_by_one},
    pace::{self, Agreement, Established, Mapping, MappingDataError, PaceError, Password, Suite},
    random::SystemRandom,
    tlv::{self, Tag},
};

const CAN: &str = "654321";

/// Curve or field, with what a chip does in them.
enum Group {
    Ec(ec::Domain, Option<ec::KeyPair>),
    Dh(dh::Domain, Option<dh::KeyPair>),
}

impl Group {
    fn new(agreement: Agreement) -> Self {
        match agreement {
            Agreement::Ecdh(curve) => Self::Ec(ec::Domain::new(curve).unwrap(), None),
            Agreement::Dh(group) => Self::Dh(dh::Domain::new(group).unwrap(), None),
        }
    }

    /// A fresh key, remembered; its public part.
    fn key(&mut self) -> Vec<u8> {
        match self {
            Self::Ec(domain, key) => {
                let pair = domain.key_pair(domain.scalar(&mut SystemRandom).unwrap()).unwrap();
                let public = domain.encode(&pair).unwrap();
                *key = Some(pair);
                public
            }
            Self::Dh(domain, key) => {
                let pair = domain.key_pair(domain.scalar(&mut SystemRandom).unwrap()).unwrap();
                let public = domain.encode(&pair);
                *key = Some(pair);
                public
            }
        }
    }

    fn map(self, nonce: &Secret, theirs: &[u8]) -> Self {
        match self {
            Self::Ec(domain, key) => {
                let peer = domain.decode(theirs).unwrap();
                Self::Ec(domain.map(nonce, &key.unwrap(), &peer).unwrap(), None)
            }
            Self::Dh(domain, key) => {
                let peer = domain.decode(theirs).unwrap();
                Self::Dh(domain.map(nonce, &key.unwrap(), &peer).unwrap(), None)
            }
        }
    }

    fn agree(&self, theirs: &[u8]) -> Secret {
        match self {
            Self::Ec(domain, key) => {
                domain.agree(key.as_ref().unwrap(), &domain.decode(theirs).unwrap()).unwrap()
            }
            Self::Dh(domain, key) => {
                domain.agree(key.as_ref().unwrap(), &domain.decode(theirs).unwrap()).unwrap()
            }
        }
    }
}

/// A chip that does the generic mapping right, and then lets `meddle` change each answer: the step
/// (1 to 4), the objects within `7C`, and what the reader sent.
struct Chip<F> {
    suite: Suite,
    group: Option<Group>,
    nonce: Secret,
    own: Vec<u8>,
    shared: Option<Secret>,
    meddle: F,
}

impl<F: FnMut(u8, &mut Vec<u8>, &[u8])> Chip<F> {
    fn new(suite: &Suite, meddle: F) -> Self {
        let length = suite.cipher.block();
        Self {
            suite: suite.clone(),
            group: Some(Group::new(suite.agreement)),
            nonce: Secret::new((1..).take(length.max(16)).collect()),
            own: Vec::new(),
            shared: None,
            meddle,
        }
    }

    fn answer(&mut self, command: &Command) -> Response {
        if command.ins == 0x22 {
            return Response::status(StatusWord::OK);
        }
        let data = tlv::single(&command.data, Tag(0x7C)).unwrap();
        let sent = data.reader().next_element().unwrap();
        let (step, value) = match sent {
            None => (1, Vec::new()),
            Some(object) => {
                (u8::try_from((object.tag.0 - 0x81) / 2).unwrap() + 2, object.value.to_vec())
            }
        };
        let mut objects = match step {
            1 => tlv::encode(Tag(0x80), &self.seal()),
            2 => tlv::encode(Tag(0x82), &self.map(&value)),
            3 => tlv::encode(Tag(0x84), &self.agree(&value)),
            _ => tlv::encode(Tag(0x86), &self.token()),
        };
        (self.meddle)(step, &mut objects, &value);
        Response::new(tlv::encode(Tag(0x7C), &objects), StatusWord::OK)
    }

    fn seal(&self) -> Vec<u8> {
        let key = kdf(CAN.as_bytes(), Purpose::Nonce, self.suite.cipher).unwrap();
        self.suite.cipher.encrypt(&key, &[0; 16], self.nonce.expose()).unwrap()
    }

    fn map(&mut self, theirs: &[u8]) -> Vec<u8> {
        if self.suite.mapping == Mapping::Integrated {
            // The generator stays as it is: far enough for what is tested here.
            return Vec::new();
        }
        let mut group = self.group.take().unwrap();
        let public = group.key();
        self.group = Some(group.map(&self.nonce, theirs));
        public
    }

    fn agree(&mut self, theirs: &[u8]) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let public = group.key();
        self.shared = Some(group.agree(theirs));
        self.own = theirs.to_vec();
        public
    }

    /// Over the reader's key, as the reader must find it.
    fn token(&self) -> [u8; 8] {
        let (cipher, shared) = (self.suite.cipher, self.shared.as_ref().unwrap());
        let tag = if matches!(self.suite.agreement, Agreement::Dh(_)) { 0x84 } else { 0x86 };
        let mut data = tlv::encode(Tag(0x06), self.suite.protocol.as_bytes());
        tlv::push(&mut data, Tag(tag), &self.own);
        let key = kdf(shared.expose(), Purpose::Authentication, cipher).unwrap();
        mac(cipher, &key, &tlv::encode(Tag(0x7F49), &data)).unwrap()
    }
}

impl<F: FnMut(u8, &mut Vec<u8>, &[u8])> Link for Chip<F> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| Ok(self.answer(command)))
    }
}

/// The only variant of a `PACEInfo` with these arcs and parameters.
fn suite(kind: u8, cipher: u8, parameter_id: u8) -> Suite {
    let mut info = tlv::encode(Tag(6), &[4, 0, 0x7F, 0, 7, 2, 2, 4, kind, cipher]);
    tlv::push(&mut info, Tag(2), &[2]);
    tlv::push(&mut info, Tag(2), &[parameter_id]);
    let set = tlv::encode(Tag(0x31), &tlv::encode(Tag(0x30), &info));
    Suite::choose(&SecurityInfos::parse(&set).unwrap()).remove(0)
}

#[derive(Debug)]
enum Failure {
    Link,
    Pace(PaceError),
}

impl From<LinkError> for Failure {
    fn from(_: LinkError) -> Self {
        Self::Link
    }
}

impl From<PaceError> for Failure {
    fn from(error: PaceError) -> Self {
        Self::Pace(error)
    }
}

fn run(
    suite: &Suite,
    meddle: impl FnMut(u8, &mut Vec<u8>, &[u8]),
) -> Result<Established, PaceError> {
    let first = pace::start(suite.clone(), &Password::can(CAN), &mut SystemRandom).unwrap();
    match link::drive::<_, Failure>(first, &mut Chip::new(suite, meddle)) {
        Ok(established) => Ok(established),
        Err(Failure::Pace(error)) => Err(error),
        Err(Failure::Link) => unreachable!("the chip always answers"),
    }
}

/// What PACE ends with when the objects of `step` are replaced.
fn replaced(suite: &Suite, step: u8, objects: &[u8]) -> PaceError {
    run(suite, |at, out, _| {
        if at == step {
            *out = objects.to_vec();
        }
    })
    .map(drop)
    .unwrap_err()
}

/// GM over a curve and over a field.
fn generic() -> [Suite; 2] {
    [suite(2, 2, 13), suite(1, 2, 0)]
}

#[test]
fn the_chip_is_sound_when_it_does_not_cheat() {
    for (kind, groups) in [(1, 0..=2), (2, 8..=18)] {
        for group in groups {
            for cipher in 1..=4 {
                let suite = suite(kind, cipher, group);
                let established = run(&suite, |_, _, _| {}).unwrap();
                assert_eq!(established.session.cipher(), suite.cipher);
                assert!(established.mapping.is_none());
            }
        }
    }
}

#[test]
fn keys_that_are_no_elements_of_the_group_are_refused() {
    let [ec, dh] = generic();
    let mut off = ec::Domain::new(ec::Curve::BrainpoolP256r1).unwrap().generator().unwrap();
    *off.last_mut().unwrap() ^= 1;
    let nist = ec::Domain::new(ec::Curve::NistP256).unwrap().generator().unwrap();
    let prime = dh::Domain::new(dh::Modp::Modp1024With160).unwrap().prime().to_vec();
    let mut minus_one = prime.clone();
    *minus_one.last_mut().unwrap() -= 1;
    let cases = [
        (&ec, vec![vec![], vec![0], off, nist]),
        (&dh, vec![vec![], vec![0], vec![1], vec![2], minus_one, prime]),
    ];
    for (suite, keys) in cases {
        for key in keys {
            for (step, tag) in [(2, 0x82), (3, 0x84)] {
                let error = replaced(suite, step, &tlv::encode(Tag(tag), &key));
                assert!(matches!(error, PaceError::Crypto(CryptoError::Point)), "{error:?}");
            }
        }
    }
}

#[test]
fn our_own_key_sent_back_is_refused() {
    for suite in generic() {
        for (step, tag) in [(2, 0x82), (3, 0x84)] {
            let error = run(&suite, |at, out, sent| {
                if at == step {
                    *out = tlv::encode(Tag(tag), sent);
                }
            });
            assert!(matches!(error.map(drop), Err(PaceError::Reflected)));
        }
    }
}

/// `s = 0` modulo the order would map to a generator that does not depend on the password.
#[test]
fn nonces_that_map_to_nothing_are_refused() {
    for suite in generic() {
        let mut chip = Chip::new(&suite, |_, _, _| {});
        chip.nonce = Secret::new(vec![0; 16]);
        let sealed = chip.seal();
        let error = replaced(&suite, 1, &tlv::encode(Tag(0x80), &sealed));
        assert!(matches!(error, PaceError::Crypto(CryptoError::Point)), "{error:?}");
    }
    for length in [0, 8, 15, 17, 48] {
        let error = replaced(&suite(2, 2, 13), 1, &tlv::encode(Tag(0x80), &vec![7; length]));
        assert!(matches!(error, PaceError::Nonce), "{length}: {error:?}");
    }
    // The integrated mapping takes the length of its cipher alone.
    for (cipher, length) in [(1, 8), (2, 32), (3, 16), (4, 16)] {
        let error = replaced(&suite(4, cipher, 13), 1, &tlv::encode(Tag(0x80), &vec![7; length]));
        assert!(matches!(error, PaceError::Nonce), "{length}: {error:?}");
    }
}

#[test]
fn wrong_tags_and_extra_objects_are_refused() {
    for suite in generic() {
        for step in 1..=4 {
            let wrong = run(&suite, |at, out, _| {
                if at == step {
                    *out.first_mut().unwrap() ^= 0x20;
                }
            });
            assert!(matches!(wrong.map(drop), Err(PaceError::Malformed(_))), "step {step}");
            for extra in [0x83, 0x89, 0x8A] {
                let found = run(&suite, |at, out, _| {
                    if at == step {
                        tlv::push(out, Tag(extra), &[1, 2, 3]);
                    }
                });
                assert!(matches!(found.map(drop), Err(PaceError::Malformed(_))), "step {step}");
            }
        }
    }
}

/// References of certification authorities follow the token of chips that do terminal
/// authentication (ICAO 9303-11 §4.4.5).
#[test]
fn references_of_authorities_are_passed_over() {
    for suite in generic() {
        let found = run(&suite, |at, out, _| {
            if at == 4 {
                tlv::push(out, Tag(0x87), b"UTCVCA00002");
                tlv::push(out, Tag(0x88), b"UTCVCA00001");
            }
        });
        assert!(found.is_ok());
    }
}

#[test]
fn wrong_tokens_are_refused() {
    for suite in generic() {
        for token in [vec![], vec![0; 8], vec![0; 7], vec![0; 16]] {
            let error = replaced(&suite, 4, &tlv::encode(Tag(0x86), &token));
            assert!(matches!(error, PaceError::Token), "{error:?}");
        }
    }
}

#[test]
fn the_integrated_mapping_acknowledges_with_nothing_in_it() {
    let suite = suite(4, 2, 13);
    let filled = replaced(&suite, 2, &[0x82, 0x01, 0x00]);
    assert!(matches!(filled, PaceError::Unexpected { tag: Tag(0x82) }), "{filled:?}");
    assert!(matches!(replaced(&suite, 2, &[0x83, 0x00]), PaceError::Malformed(_)));
    // Accepted: what ends it is the chip's token, for a generator that was not mapped.
    for taken in [[0x82, 0x00].as_slice(), &[]] {
        assert!(matches!(replaced(&suite, 2, taken), PaceError::Token));
    }
}

/// A mapping's data object: where it stands, and whether it opens.
#[test]
fn chip_authentication_data_that_cannot_be_used_leave_the_session() {
    let suite = suite(6, 2, 13);
    assert_eq!(suite.mapping, Mapping::ChipAuthentication);
    let cases: [(Vec<u8>, MappingDataError); 6] = [
        (vec![], MappingDataError::Missing),
        (tlv::encode(Tag(0x8B), &[7; 48]), MappingDataError::Missing),
        ([tlv::encode(Tag(0x8A), &[7; 48]), vec![0x8B, 0]].concat(), MappingDataError::Missing),
        (tlv::encode(Tag(0x8A), &[]), MappingDataError::Undecipherable),
        (tlv::encode(Tag(0x8A), &[7; 47]), MappingDataError::Undecipherable),
        (tlv::encode(Tag(0x8A), &[7; 15]), MappingDataError::Undecipherable),
    ];
    for (objects, expected) in cases {
        let established = run(&suite, |at, out, _| {
            if at == 4 {
                out.extend_from_slice(&objects);
            }
        });
        assert_eq!(established.unwrap().mapping.map(|found| found.map(drop)), Some(Err(expected)));
    }
}
