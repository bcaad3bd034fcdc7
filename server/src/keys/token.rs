//! A PKCS#11 token (PKCS #11 v2.40): signing keys that are made in it and never leave it, and an AES
//! key that wraps the master key.
//!
//! One session is kept, used by one thread at a time. If the token has forgotten it, it is opened
//! anew once.

use crate::clock::{Entropy, EntropyError, random};
use crate::config::Secret;
use crate::seal::Place;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Why the token cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The module cannot be loaded.
    #[error("the PKCS#11 module {} cannot be loaded", path.display())]
    Module {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: Error,
    },
    /// No token has this label.
    #[error("there is no PKCS#11 token with the label {label:?}")]
    NotThere {
        /// The label.
        label: String,
    },
    /// The PIN was refused.
    #[error("the PKCS#11 token refuses the PIN")]
    Pin(#[source] Error),
    /// No PIN is configured.
    #[error("the PKCS#11 token needs a PIN: set keys.token_pin or keys.token_pin_file")]
    NoPin,
    /// A key is not in the token, or is there more than once.
    #[error("the PKCS#11 token holds {found} keys {label:?}, not one")]
    Key {
        /// The key's label.
        label: String,
        /// How many there are.
        found: usize,
    },
    /// A key is not what it should be.
    #[error("a key in the PKCS#11 token is not on P-256")]
    Curve,
    /// A value does not open with the token's key.
    #[error("a value does not open with the PKCS#11 token's key")]
    Open,
    /// The token failed.
    #[error("the PKCS#11 token failed")]
    Failed(#[from] Error),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The AES key that wraps the master key.
const WRAPPING: &str = "indrul-master";
/// `secp256r1` (RFC 5480 §2.1.1.1), DER.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const NONCE: usize = 12;

/// A token that is logged in to.
pub struct Token {
    module: Pkcs11,
    label: String,
    pin: AuthPin,
    session: Mutex<Option<Session>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:?})", self.label)
    }
}

impl Token {
    /// Loads `module` and logs in to the token with this label.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open(module: &Path, label: &str, pin: &Secret) -> Result<Self, TokenError> {
        let failed = |source| TokenError::Module { path: module.to_owned(), source };
        let pkcs11 = Pkcs11::new(module).map_err(failed)?;
        match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(error)),
        }
        let pin = AuthPin::new(pin.expose().to_owned().into());
        let session = Mutex::new(None);
        let token = Self { module: pkcs11, label: label.to_owned(), pin, session };
        token.with_session(|_| Ok(()))?;
        Ok(token)
    }

    fn login(&self) -> Result<Session, TokenError> {
        let mut found = None;
        for slot in self.module.get_slots_with_token()? {
            if self.module.get_token_info(slot)?.label().trim_end() == self.label {
                found = Some(slot);
            }
        }
        let missing = || TokenError::NotThere { label: self.label.clone() };
        let session = self.module.open_rw_session(found.ok_or_else(missing)?)?;
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(TokenError::Pin(error)),
        }
    }

    /// Does `work` in the session; if that is no more, once again in a new one.
    fn with_session<T>(
        &self,
        work: impl Fn(&Session) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let mut kept = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = kept.as_ref() {
            match work(session) {
                Err(TokenError::Failed(error)) if is_gone(&error) => *kept = None,
                done => return done,
            }
        }
        let session = self.login()?;
        let done = work(&session);
        *kept = Some(session);
        done
    }

    /// Makes a signing key and tells its public coordinates.
    pub(super) fn make_signing(&self, label: &str) -> Result<([u8; 32], [u8; 32]), TokenError> {
        let name = Attribute::Label(label.as_bytes().to_vec());
        let public = [
            name.clone(),
            Attribute::Token(true),
            Attribute::Verify(true),
            Attribute::EcParams(P256.to_vec()),
        ];
        let private = [
            name,
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        self.with_session(|session| {
            let found = matching(session, label, ObjectClass::PRIVATE_KEY)?.len();
            if found > 0 {
                return Err(TokenError::Key { label: label.to_owned(), found });
            }
            let (made, _) =
                session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
            coordinates(session, made)
        })
    }

    pub(super) fn has_signing(&self, label: &str) -> Result<bool, TokenError> {
        self.with_session(|session| {
            Ok(!matching(session, label, ObjectClass::PRIVATE_KEY)?.is_empty())
        })
    }

    pub(super) fn destroy_signing(&self, label: &str) -> Result<(), TokenError> {
        self.with_session(|session| {
            for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
                for key in matching(session, label, class)? {
                    session.destroy_object(key)?;
                }
            }
            Ok(())
        })
    }

    /// `r ‖ s` over a digest (PKCS #11 v2.40 §2.3.1).
    pub(super) fn sign(&self, label: &str, digest: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.with_session(|session| {
            let key = one(session, label, ObjectClass::PRIVATE_KEY)?;
            Ok(session.sign(&Mechanism::Ecdsa, key, digest)?)
        })
    }

    /// `nonce ‖ ciphertext ‖ tag` under the token's own AES key, which is made when it is not there.
    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        let nonce: [u8; NONCE] = random(entropy)?;
        let place = place.associated();
        self.with_session(|session| {
            if matching(session, WRAPPING, ObjectClass::SECRET_KEY)?.is_empty() {
                make_wrapping(session)?;
            }
            let key = one(session, WRAPPING, ObjectClass::SECRET_KEY)?;
            let mut iv = nonce;
            let gcm = Mechanism::AesGcm(GcmParams::new(&mut iv, &place, 128.into())?);
            let sealed = session.encrypt(&gcm, key, plain)?;
            Ok([nonce.as_slice(), &sealed].concat())
        })
    }

    pub(super) fn open_sealed(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(TokenError::Open)?;
        let place = place.associated();
        self.with_session(|session| {
            let key = one(session, WRAPPING, ObjectClass::SECRET_KEY)?;
            let mut iv = *nonce;
            let gcm = Mechanism::AesGcm(GcmParams::new(&mut iv, &place, 128.into())?);
            match session.decrypt(&gcm, key, text) {
                Ok(plain) => Ok(Zeroizing::new(plain)),
                Err(error) if is_gone(&error) => Err(error.into()),
                Err(_) => Err(TokenError::Open),
            }
        })
    }
}

fn is_gone(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::UserNotLoggedIn
            | RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::DeviceError
    )
}

fn make_wrapping(session: &Session) -> Result<ObjectHandle, TokenError> {
    let key = [
        Attribute::Label(WRAPPING.as_bytes().to_vec()),
        Attribute::ValueLen(32.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    Ok(session.generate_key(&Mechanism::AesKeyGen, &key)?)
}

fn matching(
    session: &Session,
    label: &str,
    class: ObjectClass,
) -> Result<Vec<ObjectHandle>, TokenError> {
    let wanted = [Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())];
    Ok(session.find_objects(&wanted)?)
}

fn one(session: &Session, label: &str, class: ObjectClass) -> Result<ObjectHandle, TokenError> {
    match matching(session, label, class)?.as_slice() {
        [key] => Ok(*key),
        keys => Err(TokenError::Key { label: label.to_owned(), found: keys.len() }),
    }
}

/// `CKA_EC_POINT` is an OCTET STRING around `04 ‖ x ‖ y` (PKCS #11 v2.40 §2.3.3).
fn coordinates(session: &Session, key: ObjectHandle) -> Result<([u8; 32], [u8; 32]), TokenError> {
    let found = session.get_attributes(key, &[AttributeType::EcPoint])?;
    let Some(Attribute::EcPoint(point)) = found.first() else { return Err(TokenError::Curve) };
    let pair = point.strip_prefix(&[0x04, 0x41, 0x04]).ok_or(TokenError::Curve)?;
    let (x, y) = pair.split_first_chunk::<32>().ok_or(TokenError::Curve)?;
    Ok((*x, y.try_into().map_err(|_| TokenError::Curve)?))
}
