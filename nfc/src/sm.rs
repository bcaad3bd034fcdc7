//! Secure messaging as a codec (ICAO 9303-11 §9.8; ISO 7816-4 §10): wraps a command, unwraps a
//! reply, owns the send sequence counter. It is no session: who holds it decides what to send.
//!
//! The chip is trusted with nothing. A MAC is checked before anything is decrypted; data objects
//! must come in the standard's order; a reply that is not authentic destroys the codec.

use crate::{
    apdu::{Command, Response, StatusWord},
    crypto::{Cipher, CryptoError, Purpose, Secret, equal, kdf, mac, pad, unpad},
    tlv::{self, Reader, Tag, TlvError},
};

const CRYPTOGRAM: Tag = Tag(0x87);
const CRYPTOGRAM_ODD: Tag = Tag(0x85);
const EXPECTED_LENGTH: Tag = Tag(0x97);
const STATUS: Tag = Tag(0x99);
const CHECKSUM: Tag = Tag(0x8E);

/// Session keys and counter. Consumed by an error, so that a broken session cannot go on.
pub struct SecureMessaging {
    cipher: Cipher,
    encryption: Secret,
    authentication: Secret,
    counter: Counter,
}

/// Why a reply ended the session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SmError {
    /// The chip answered without protection. A lone error status is how it reports that the
    /// session is over.
    #[error("unprotected reply with status {status}")]
    Unprotected {
        /// The status it sent.
        status: StatusWord,
    },
    /// The cryptographic checksum is wrong.
    #[error("the checksum of the reply is wrong")]
    Checksum,
    /// The protected status differs from the one outside.
    #[error("the protected status {inner} is not the status {outer} of the reply")]
    Status {
        /// In DO'99'.
        inner: StatusWord,
        /// Outside.
        outer: StatusWord,
    },
    /// The data objects are not those of a protected reply, or in another order.
    #[error("malformed protected reply")]
    Malformed(#[from] TlvError),
    /// A data object has content of the wrong form.
    #[error("malformed data object {tag}")]
    DataObject {
        /// Which.
        tag: Tag,
    },
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl SecureMessaging {
    /// A codec with keys derived from `shared` and the counter at `start`: the nonces' halves
    /// after BAC, absent (zero) after PACE and chip authentication (ICAO 9303-11 §9.8.7.3).
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL lacks the hash function.
    pub fn new(
        cipher: Cipher,
        shared: &Secret,
        start: Option<[u8; 8]>,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            cipher,
            encryption: kdf(shared.expose(), Purpose::Encryption, cipher)?,
            authentication: kdf(shared.expose(), Purpose::Authentication, cipher)?,
            counter: Counter(start.map_or(0, |bytes| u64::from_be_bytes(bytes).into())),
        })
    }

    /// The cipher of the session.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The most plaintext bytes that a protected reply of `response` bytes, status included, can
    /// carry in DO'87'.
    #[must_use]
    pub fn capacity(&self, response: usize) -> usize {
        // Status outside (2), DO'99' (4), DO'8E' (10).
        let room = response.saturating_sub(16);
        let header = |content: usize| match content {
            0..0x80 => 2,
            0x80..0x100 => 3,
            _ => 4,
        };
        let block = self.cipher.block();
        let mut blocks = room / block;
        while blocks > 0 {
            let content = blocks.saturating_mul(block).saturating_add(1);
            if content.saturating_add(header(content)) <= room {
                // Padding takes at least one byte.
                return blocks.saturating_mul(block).saturating_sub(1);
            }
            blocks = blocks.saturating_sub(1);
        }
        0
    }

    /// The most data bytes that a protected command of short length can carry.
    #[must_use]
    pub fn outgoing(&self) -> usize {
        // DO'97' (3), DO'8E' (10), header of DO'87' (3), padding indicator (1).
        const AROUND: usize = 17;
        let block = self.cipher.block();
        let blocks = 255_usize.saturating_sub(AROUND) / block;
        blocks.saturating_mul(block).saturating_sub(1)
    }

    /// Protects commands that will be sent in order, and tells how to unwrap their replies
    /// (ICAO 9303-11 §9.8.4). The counter is predictable, so a whole batch can be prepared.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn wrap_all(&self, commands: &[Command]) -> Result<Vec<Command>, CryptoError> {
        let mut counter = self.counter;
        commands
            .iter()
            .map(|command| {
                let protected = self.wrap(command, counter.next())?;
                counter = counter.next().next();
                Ok(protected)
            })
            .collect()
    }

    fn wrap(&self, command: &Command, counter: Counter) -> Result<Command, CryptoError> {
        let [cla, ins, p1, p2] = command.header();
        let header = [cla | 0x0C, ins, p1, p2];
        let mut body = Vec::new();
        if !command.data.is_empty() {
            self.push_cryptogram(&mut body, command, counter)?;
        }
        if let Some(ne) = command.ne {
            tlv::push(&mut body, EXPECTED_LENGTH, &expected_length(ne));
        }
        let block = self.cipher.block();
        let mut authenticated = pad(&header, block);
        authenticated.extend_from_slice(&body);
        // Without data objects, the header's own padding is the last (ICAO 9303-11 §9.8.4).
        let checksum = if body.is_empty() {
            self.checksum(counter, &header)?
        } else {
            self.checksum(counter, &authenticated)?
        };
        tlv::push(&mut body, CHECKSUM, &checksum);
        let [cla, ins, p1, p2] = header;
        // The answer always carries data objects, so Le is the most the form can express.
        let ne = if command.is_extended() || body.len() > 255 { 65_536 } else { 256 };
        Ok(Command::new(cla, ins, p1, p2).with_data(body).expecting(ne))
    }

    fn push_cryptogram(
        &self,
        body: &mut Vec<u8>,
        command: &Command,
        counter: Counter,
    ) -> Result<(), CryptoError> {
        let sealed = self.cipher.encrypt(
            &self.encryption,
            &self.vector(counter)?,
            &pad(&command.data, self.cipher.block()),
        )?;
        if command.ins & 1 == 0 {
            tlv::push(body, CRYPTOGRAM, &[&[1], sealed.as_slice()].concat());
        } else {
            tlv::push(body, CRYPTOGRAM_ODD, &sealed);
        }
        Ok(())
    }

    /// Opens the reply to the next command and gives the codec back for the one after.
    ///
    /// # Errors
    /// [`SmError`]; the session is then over.
    pub fn unwrap(mut self, reply: &Response) -> Result<(Self, Response), SmError> {
        if reply.data.is_empty() {
            return Err(SmError::Unprotected { status: reply.status });
        }
        let counter = self.counter.next().next();
        let objects = Objects::read(&reply.data)?;
        let expected = self.checksum(counter, objects.authenticated)?;
        if !equal(&expected, objects.checksum) {
            return Err(SmError::Checksum);
        }
        if objects.status != reply.status {
            return Err(SmError::Status { inner: objects.status, outer: reply.status });
        }
        let data = match objects.cryptogram {
            Some(sealed) => self.open(sealed, counter)?,
            None => Vec::new(),
        };
        self.counter = counter;
        Ok((self, Response::new(data, objects.status)))
    }

    fn open(&self, sealed: &[u8], counter: Counter) -> Result<Vec<u8>, SmError> {
        let padded = self.cipher.decrypt(&self.encryption, &self.vector(counter)?, sealed)?;
        Ok(unpad(&padded)?.to_vec())
    }

    /// The initial vector: zero for 3DES, the encrypted counter for AES (ICAO 9303-11 §9.8.6.1).
    fn vector(&self, counter: Counter) -> Result<Vec<u8>, CryptoError> {
        match self.cipher {
            Cipher::TripleDes => Ok(vec![0; 8]),
            _ => self.cipher.encrypt_block(&self.encryption, &counter.bytes(self.cipher)),
        }
    }

    /// The MAC over counter and data, padded (ICAO 9303-11 §9.8.6.2).
    fn checksum(&self, counter: Counter, data: &[u8]) -> Result<[u8; 8], CryptoError> {
        let message = [counter.bytes(self.cipher).as_slice(), data].concat();
        match self.cipher {
            // The retail MAC pads by itself.
            Cipher::TripleDes => mac(self.cipher, &self.authentication, &message),
            _ => mac(self.cipher, &self.authentication, &pad(&message, self.cipher.block())),
        }
    }
}

/// The send sequence counter: as wide as a block, incremented before each command and reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counter(u128);

impl Counter {
    fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    fn bytes(self, cipher: Cipher) -> Vec<u8> {
        let all = self.0.to_be_bytes();
        all.into_iter().skip(all.len().saturating_sub(cipher.block())).collect()
    }
}

/// Le as DO'97' carries it: one byte, or two in the extended form; zero is the most.
fn expected_length(ne: usize) -> Vec<u8> {
    match u8::try_from(ne) {
        Ok(byte) => vec![byte],
        Err(_) if ne == 256 => vec![0],
        Err(_) => u16::try_from(ne).unwrap_or(0).to_be_bytes().to_vec(),
    }
}

/// The data objects of a protected reply: `[87 | 85] 99 8E`, in this order.
struct Objects<'a> {
    authenticated: &'a [u8],
    cryptogram: Option<&'a [u8]>,
    status: StatusWord,
    checksum: &'a [u8],
}

impl<'a> Objects<'a> {
    fn read(data: &'a [u8]) -> Result<Self, SmError> {
        let mut reader = Reader::new(data);
        let cryptogram = match reader.optional(CRYPTOGRAM)? {
            Some(object) => match object.value.split_first() {
                Some((1, sealed)) => Some(sealed),
                _ => return Err(SmError::DataObject { tag: CRYPTOGRAM }),
            },
            None => reader.optional(CRYPTOGRAM_ODD)?.map(|object| object.value),
        };
        let status = match reader.expect(STATUS)?.value {
            [high, low] => StatusWord(u16::from_be_bytes([*high, *low])),
            _ => return Err(SmError::DataObject { tag: STATUS }),
        };
        let covered = data.len().saturating_sub(reader.remaining().len());
        let checksum = reader.expect(CHECKSUM)?.value;
        reader.finish()?;
        Ok(Self {
            authenticated: data.get(..covered).unwrap_or(data),
            cryptogram,
            status,
            checksum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(cipher: Cipher) -> SecureMessaging {
        SecureMessaging::new(cipher, &Secret::new(vec![7; 32]), None).unwrap()
    }

    /// What a chip with the same keys answers: DO'87', DO'99', DO'8E'.
    fn reply(session: &SecureMessaging, data: &[u8], status: StatusWord) -> Response {
        let counter = session.counter.next().next();
        let padded = pad(data, session.cipher.block());
        let vector = session.vector(counter).unwrap();
        let sealed = session.cipher.encrypt(&session.encryption, &vector, &padded).unwrap();
        let mut body = tlv::encode(CRYPTOGRAM, &[&[1], sealed.as_slice()].concat());
        tlv::push(&mut body, STATUS, &status.0.to_be_bytes());
        let checksum = session.checksum(counter, &body).unwrap();
        tlv::push(&mut body, CHECKSUM, &checksum);
        Response::new(body, status)
    }

    #[test]
    fn blocks_fill_the_answer_and_no_more() {
        assert_eq!(session(Cipher::Aes128).capacity(258), 223);
        assert_eq!(session(Cipher::TripleDes).capacity(258), 231);
        for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes256] {
            for limit in [40, 100, 161, 256, 258, 1000, 4098, 65_538] {
                let session = session(cipher);
                let capacity = session.capacity(limit);
                let fits =
                    |n: usize| reply(&session, &vec![1; n], StatusWord::OK).encode().len() <= limit;
                assert!(fits(capacity) && !fits(capacity + 1), "{cipher:?} {limit} {capacity}");
            }
        }
        assert_eq!(session(Cipher::Aes128).capacity(20), 0);
    }

    #[test]
    fn outgoing_data_fill_a_short_command_and_no_more() {
        for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes256] {
            let session = session(cipher);
            let extended = |length: usize| {
                let command = Command::new(0, 0x86, 0, 0).with_data(vec![1; length]).expecting(256);
                session.wrap_all(&[command]).unwrap()[0].is_extended()
            };
            let most = session.outgoing();
            assert!(!extended(most) && extended(most + 1), "{cipher:?} {most}");
        }
    }

    #[test]
    fn any_changed_byte_of_a_reply_is_noticed() {
        let good = reply(&session(Cipher::Aes128), b"some file", StatusWord::END_OF_FILE);
        let (_, opened) = session(Cipher::Aes128).unwrap(&good).unwrap();
        assert_eq!(opened, Response::new(*b"some file", StatusWord::END_OF_FILE));
        for index in 0..good.data.len() {
            for bit in 0..8 {
                let mut changed = good.clone();
                changed.data[index] ^= 1 << bit;
                assert!(
                    session(Cipher::Aes128).unwrap(&changed).is_err(),
                    "byte {index} bit {bit}"
                );
            }
        }
        let outside = Response::new(good.data, StatusWord::OK);
        let error = session(Cipher::Aes128).unwrap(&outside).err();
        assert!(matches!(error, Some(SmError::Status { .. })));
    }

    #[test]
    fn plain_and_reordered_replies_are_refused() {
        let plain = Response::new([1, 2, 3], StatusWord::OK);
        assert!(session(Cipher::Aes128).unwrap(&plain).is_err());
        let lone = Response::status(StatusWord(0x6988));
        let error = session(Cipher::Aes128).unwrap(&lone).err();
        assert!(matches!(error, Some(SmError::Unprotected { status: StatusWord(0x6988) })));
        // The same objects with the status first, and a replay of the reply before.
        let session_a = session(Cipher::Aes128);
        let good = reply(&session_a, b"x", StatusWord::OK);
        let (cryptogram, rest) = good.data.split_at(19);
        let (status, checksum) = rest.split_at(4);
        let swapped = [status, cryptogram, checksum].concat();
        let swapped = Response::new(swapped, StatusWord::OK);
        assert!(session(Cipher::Aes128).unwrap(&swapped).is_err());
        let (next, _) = session_a.unwrap(&good).unwrap();
        assert!(matches!(next.unwrap(&good).err(), Some(SmError::Checksum)));
    }
}
