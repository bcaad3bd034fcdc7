//! The chip's side of secure messaging (ICAO 9303-11 §9.8), so that garbage can be put behind a
//! right checksum.

use nfc::{
    apdu::{Command, Response},
    crypto::{Cipher, Purpose, Secret, kdf, mac, pad, unpad},
    tlv::{self, Reader, Tag},
};

/// Keys and counter of the chip.
pub struct Session {
    cipher: Cipher,
    encryption: Secret,
    authentication: Secret,
    counter: u128,
}

impl Session {
    /// Keys derived from `shared`, the counter at `start`.
    pub fn new(cipher: Cipher, shared: &[u8], start: u64) -> Self {
        let key = |purpose| kdf(shared, purpose, cipher).expect("a key is derived");
        Self {
            cipher,
            encryption: key(Purpose::Encryption),
            authentication: key(Purpose::Authentication),
            counter: start.into(),
        }
    }

    /// The command that `protected` carries; its checksum is the reader's word.
    pub fn open(&mut self, protected: &Command) -> Option<Command> {
        self.counter = self.counter.wrapping_add(1);
        let mut plain = Command::new(0, protected.ins, protected.p1, protected.p2);
        let mut objects = Reader::new(&protected.data);
        while let Ok(Some(object)) = objects.next_element() {
            match (object.tag, object.value) {
                (Tag(0x87), [1, sealed @ ..]) | (Tag(0x85), sealed) => {
                    let padded = self.decrypt(sealed)?;
                    plain.data = unpad(&padded).ok()?.to_vec();
                }
                (Tag(0x97), [0]) => plain.ne = Some(256),
                (Tag(0x97), [0, 0]) => plain.ne = Some(65_536),
                (Tag(0x97), [low]) => plain.ne = Some((*low).into()),
                (Tag(0x97), [high, low]) => {
                    plain.ne = Some(u16::from_be_bytes([*high, *low]).into());
                }
                _ => {}
            }
        }
        Some(plain)
    }

    /// `DO'87' ‖ DO'99' ‖ DO'8E'` for an answer to a command with `ins`.
    pub fn seal(&mut self, ins: u8, answer: &Response) -> Response {
        self.counter = self.counter.wrapping_add(1);
        let mut body = Vec::new();
        if !answer.data.is_empty() {
            let sealed = self.encrypt(&pad(&answer.data, self.cipher.block()));
            match ins & 1 {
                0 => tlv::push(&mut body, Tag(0x87), &[&[1], sealed.as_slice()].concat()),
                _ => tlv::push(&mut body, Tag(0x85), &sealed),
            }
        }
        tlv::push(&mut body, Tag(0x99), &answer.status.0.to_be_bytes());
        let checksum = self.checksum(&body);
        tlv::push(&mut body, Tag(0x8E), &checksum);
        Response::new(body, answer.status)
    }

    /// Any `body` with a right checksum after it.
    pub fn seal_objects(&mut self, body: &[u8], outside: &Response) -> Response {
        self.counter = self.counter.wrapping_add(1);
        let mut data = body.to_vec();
        tlv::push(&mut data, Tag(0x8E), &self.checksum(body));
        Response::new(data, outside.status)
    }

    /// Any plaintext, padded or not, under the key of this answer; zero bytes fill the last block.
    pub fn encrypt_raw(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut whole = plain.to_vec();
        whole.resize(plain.len().next_multiple_of(self.cipher.block()), 0);
        self.counter = self.counter.wrapping_add(1);
        let sealed = self.encrypt(&whole);
        self.counter = self.counter.wrapping_sub(1);
        sealed
    }

    fn vector(&self) -> Vec<u8> {
        match self.cipher {
            Cipher::TripleDes => vec![0; 8],
            _ => (self.cipher)
                .encrypt(&self.encryption, &[0; 16], &self.counter.to_be_bytes())
                .expect("a block is encrypted"),
        }
    }

    fn encrypt(&self, blocks: &[u8]) -> Vec<u8> {
        let sealed = self.cipher.encrypt(&self.encryption, &self.vector(), blocks);
        sealed.expect("whole blocks are encrypted")
    }

    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&self.encryption, &self.vector(), sealed).ok()
    }

    fn checksum(&self, body: &[u8]) -> [u8; 8] {
        let counter = self.counter.to_be_bytes();
        let counter = counter.get(16 - self.cipher.block()..).unwrap_or_default();
        let message = [counter, body].concat();
        let message = match self.cipher {
            Cipher::TripleDes => message,
            _ => pad(&message, self.cipher.block()),
        };
        mac(self.cipher, &self.authentication, &message).expect("a checksum is made")
    }
}
