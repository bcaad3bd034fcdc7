//! Basic Access Control (ICAO 9303-11 §4.3): proves to the chip that the printed page was read,
//! and agrees on 3DES session keys.
//!
//! The chip is trusted with nothing; its answer's MAC and nonces are checked before it is used.

use crate::{
    apdu::{Command, Response, StatusWord},
    crypto::{Cipher, CryptoError, Hash, Purpose, Secret, equal, kdf, mac},
    link::{Batch, Protocol, Step},
    random::{Random, RandomError},
    sm::SecureMessaging,
};

/// Why access was not gained.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BacError {
    /// The chip gave no challenge.
    #[error("no challenge: status {status}")]
    Challenge {
        /// What it answered.
        status: StatusWord,
    },
    /// The chip refused the proof: the key is not that of this chip.
    #[error("the chip refused the key: status {status}")]
    Denied {
        /// What it answered.
        status: StatusWord,
    },
    /// An answer of the wrong length.
    #[error("malformed answer of {length} bytes")]
    Malformed {
        /// Its length.
        length: usize,
    },
    /// The answer is not authentic or does not repeat the nonces.
    #[error("the chip's answer is not authentic")]
    NotAuthentic,
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// BAC in progress; yields secure messaging.
pub enum Bac {
    /// The chip was asked for its nonce.
    AwaitChallenge(AwaitChallenge),
    /// The chip was sent the proof.
    AwaitAnswer(AwaitAnswer),
}

/// Document basic access keys `K_Enc`, `K_MAC` (ICAO 9303-11 §9.7.2).
struct AccessKeys {
    encryption: Secret,
    authentication: Secret,
}

/// Keys, `RND.IFD` and `K.IFD`, before the chip's nonce is known.
pub struct AwaitChallenge {
    keys: AccessKeys,
    nonce: [u8; 8],
    share: Secret,
}

/// Keys and both nonces, before the chip's share is known.
pub struct AwaitAnswer {
    keys: AccessKeys,
    nonce: [u8; 8],
    chip_nonce: [u8; 8],
    share: Secret,
}

/// Starts BAC with the MRZ information (document number, birth and expiry with check digits).
///
/// # Errors
/// [`BacError::Random`] or [`BacError::Crypto`].
pub fn start(
    information: &str,
    random: &mut dyn Random,
) -> Result<Step<Bac, SecureMessaging>, BacError> {
    let keys = AccessKeys::new(information)?;
    let mut nonce = [0; 8];
    random.fill(&mut nonce)?;
    let mut share = vec![0; 16];
    random.fill(&mut share)?;
    let share = Secret::new(share);
    let challenge = Command::new(0x00, 0x84, 0x00, 0x00).expecting(8);
    let next = Bac::AwaitChallenge(AwaitChallenge { keys, nonce, share });
    Ok(Step::Transmit(Batch::one(challenge), next))
}

impl Protocol for Bac {
    type Output = SecureMessaging;
    type Error = BacError;

    fn step(self, replies: Vec<Response>) -> Result<Step<Self, SecureMessaging>, BacError> {
        let reply = replies.into_iter().last().ok_or(BacError::Malformed { length: 0 })?;
        match self {
            Self::AwaitChallenge(state) => state.step(&reply),
            Self::AwaitAnswer(state) => state.step(&reply).map(Step::Done),
        }
    }
}

impl AccessKeys {
    /// `K_seed` is the first 16 bytes of SHA-1 over the MRZ information.
    fn new(information: &str) -> Result<Self, CryptoError> {
        let digest = Secret::new(Hash::Sha1.digest(information.as_bytes())?);
        let seed = digest.expose().get(..16).unwrap_or_default();
        Ok(Self {
            encryption: kdf(seed, Purpose::Encryption, Cipher::TripleDes)?,
            authentication: kdf(seed, Purpose::Authentication, Cipher::TripleDes)?,
        })
    }

    /// `E ‖ M` with `E = E(K_Enc, plain)`, `M = MAC(K_MAC, E)`.
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, CryptoError> {
        let mut out = Cipher::TripleDes.encrypt(&self.encryption, &[0; 8], plain.expose())?;
        let checksum = mac(Cipher::TripleDes, &self.authentication, &out)?;
        out.extend_from_slice(&checksum);
        Ok(out)
    }

    fn open(&self, sealed: &[u8; 40]) -> Result<Secret, BacError> {
        let (cryptogram, checksum) = sealed.split_at(32);
        if !equal(&mac(Cipher::TripleDes, &self.authentication, cryptogram)?, checksum) {
            return Err(BacError::NotAuthentic);
        }
        Ok(Secret::new(Cipher::TripleDes.decrypt(&self.encryption, &[0; 8], cryptogram)?))
    }
}

impl AwaitChallenge {
    /// `S = RND.IFD ‖ RND.IC ‖ K.IFD`, sealed (ICAO 9303-11 §4.3.1 step 2).
    fn step(self, reply: &Response) -> Result<Step<Bac, SecureMessaging>, BacError> {
        if !reply.status.is_ok() {
            return Err(BacError::Challenge { status: reply.status });
        }
        let chip_nonce: [u8; 8] = reply
            .data
            .as_slice()
            .try_into()
            .map_err(|_| BacError::Malformed { length: reply.data.len() })?;
        let proof = [&self.nonce, &chip_nonce, self.share.expose()].concat();
        let sealed = self.keys.seal(&Secret::new(proof))?;
        let authenticate = Command::new(0x00, 0x82, 0x00, 0x00).with_data(sealed).expecting(40);
        let Self { keys, nonce, share } = self;
        let next = Bac::AwaitAnswer(AwaitAnswer { keys, nonce, chip_nonce, share });
        Ok(Step::Transmit(Batch::one(authenticate), next))
    }
}

impl AwaitAnswer {
    /// `R = RND.IC ‖ RND.IFD ‖ K.IC`; the seed is `K.IFD ⊕ K.IC` and the counter the low halves of
    /// the nonces (ICAO 9303-11 §4.3.1 step 4, §9.8.7.2).
    fn step(self, reply: &Response) -> Result<SecureMessaging, BacError> {
        if !reply.status.is_ok() {
            return Err(BacError::Denied { status: reply.status });
        }
        let sealed: &[u8; 40] = reply
            .data
            .as_slice()
            .try_into()
            .map_err(|_| BacError::Malformed { length: reply.data.len() })?;
        let plain = self.keys.open(sealed)?;
        let (nonces, chip_share) =
            plain.expose().split_first_chunk::<16>().ok_or(BacError::NotAuthentic)?;
        if !equal(nonces, &[self.chip_nonce, self.nonce].concat()) {
            return Err(BacError::NotAuthentic);
        }
        let seed = self.share.expose().iter().zip(chip_share).map(|(a, b)| a ^ b).collect();
        let ([.., a, b, c, d], [.., e, f, g, h]) = (self.chip_nonce, self.nonce);
        let start = [a, b, c, d, e, f, g, h];
        Ok(SecureMessaging::new(Cipher::TripleDes, &Secret::new(seed), Some(start))?)
    }
}
