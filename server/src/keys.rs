//! The server's keys on disk: a master key that seals everything else, and the P-256 keys that
//! sign identities (DESIGN §7, REQUIREMENTS H5).
//!
//! `keys/master.key` (mode 0600) holds the master key: `plain HEX`, or `scrypt SALT HEX` where a
//! passphrase seals it (RFC 7914). `keys/signing-N.key` hold signing keys sealed under the master
//! key; the one with the highest N signs, all are published, so that keys can overlap.

use crate::clock::{Entropy, EntropyError, random};
use crate::config::Secret;
use crate::seal::{Key, Place, SealError};
use enroll_core::identity::Signer;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::Private;
use serde_json::{Value, json};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file does not hold a key.
    #[error("{} does not hold a key", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The master key is sealed and no passphrase is configured.
    #[error("the master key is sealed: set keys.passphrase or keys.passphrase_file")]
    PassphraseMissing,
    /// The passphrase does not open the master key, or a signing key is not sealed under it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Crypto(#[from] ErrorStack),
}

/// The keys in use.
pub struct KeyRing {
    master: Key,
    signing: SigningKey,
    /// Public halves of all signing keys, the signing one last.
    public: Vec<Value>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing(signing {})", self.signing.id)
    }
}

impl KeyRing {
    /// Opens the keys in `dir`, making on first start what is not there.
    ///
    /// # Errors
    /// [`KeyError`] if a file cannot be used or does not open.
    pub fn open(
        dir: &Path,
        passphrase: Option<&Secret>,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| KeyError::File { path: dir.to_owned(), source })?;
        let master = open_master(&dir.join("master.key"), passphrase, entropy)?;
        let mut files = signing_files(dir)?;
        if files.is_empty() {
            let path = dir.join("signing-1.key");
            write_signing(&path, &master, entropy)?;
            files.push((1, path));
        }
        let mut keys = Vec::new();
        for (_, path) in &files {
            keys.push(read_signing(path, &master)?);
        }
        let public = keys.iter().map(SigningKey::jwk).collect();
        let signing = keys.pop().ok_or(KeyError::Malformed { path: dir.to_owned() })?;
        Ok(Self { master, signing, public })
    }

    /// The master key.
    #[must_use]
    pub fn master(&self) -> &Key {
        &self.master
    }

    /// The public keys as a JWK set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.public })
    }
}

impl Signer for KeyRing {
    type Error = KeyError;

    /// A compact JWS, `ES256` (RFC 7515 §3.1, RFC 7518 §3.4).
    fn sign(&self, kind: &str, claims: &Value) -> Result<String, KeyError> {
        self.signing.sign(kind, claims)
    }
}

struct SigningKey {
    key: EcKey<Private>,
    id: String,
    jwk: Value,
}

impl SigningKey {
    fn new(key: EcKey<Private>) -> Result<Self, KeyError> {
        let (x, y) = coordinates(&key)?;
        let (x, y) = (base64url(&x), base64url(&y));
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = base64url(&hash(MessageDigest::sha256(), thumbprint.as_bytes())?);
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "alg": "ES256", "use": "sig"});
        Ok(Self { key, id, jwk })
    }

    fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    fn sign(&self, kind: &str, claims: &Value) -> Result<String, KeyError> {
        let header = json!({"alg": "ES256", "typ": kind, "kid": self.id});
        let text = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let digest = hash(MessageDigest::sha256(), text.as_bytes())?;
        let signature = EcdsaSig::sign(&digest, &self.key)?;
        let pair = [signature.r().to_vec_padded(32)?, signature.s().to_vec_padded(32)?].concat();
        Ok(format!("{text}.{}", base64url(&pair)))
    }
}

fn p256() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
}

fn coordinates(key: &EcKey<Private>) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    Ok((x.to_vec_padded(32)?, y.to_vec_padded(32)?))
}

/// Base64url without padding (RFC 4648 §5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// What [`base64url`] wrote, or `None` for any other text.
#[must_use]
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    let url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || !text.chars().all(url_safe) {
        return None;
    }
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    let standard = text.replace('-', "+").replace('_', "/") + &padding;
    openssl::base64::decode_block(&standard).ok()
}

fn open_master(
    path: &Path,
    passphrase: Option<&Secret>,
    entropy: &dyn Entropy,
) -> Result<Key, KeyError> {
    if let Some(text) = read(path)? {
        return parse_master(&text, passphrase, path);
    }
    let key = Key::generate(entropy)?;
    let text = format_master(&key, passphrase, entropy)?;
    write_new(path, text.as_bytes())?;
    Ok(key)
}

const MASTER: Place<'_> = Place { table: "keys", row: "master", column: "key" };

fn format_master(
    key: &Key,
    passphrase: Option<&Secret>,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<String>, KeyError> {
    let Some(passphrase) = passphrase else {
        return Ok(Zeroizing::new(format!("plain {}\n", hex::encode(key.expose()))));
    };
    let salt: [u8; 16] = random(entropy)?;
    let sealed = derive(passphrase, &salt)?.seal(entropy, MASTER, key.expose())?;
    Ok(Zeroizing::new(format!("scrypt {} {}\n", hex::encode(salt), hex::encode(sealed))))
}

fn parse_master(text: &str, passphrase: Option<&Secret>, path: &Path) -> Result<Key, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let words: Vec<&str> = text.split_whitespace().collect();
    let bytes = match words.as_slice() {
        ["plain", key] => Zeroizing::new(hex::decode(key).map_err(|_| malformed())?),
        ["scrypt", salt, sealed] => {
            let salt = hex::decode(salt).map_err(|_| malformed())?;
            let sealed = hex::decode(sealed).map_err(|_| malformed())?;
            derive(passphrase.ok_or(KeyError::PassphraseMissing)?, &salt)?.open(MASTER, &sealed)?
        }
        _ => return Err(malformed()),
    };
    Key::from_slice(&bytes).ok_or_else(malformed)
}

/// scrypt with N 2^15, r 8, p 1 (RFC 7914 §2).
fn derive(passphrase: &Secret, salt: &[u8]) -> Result<Key, KeyError> {
    let mut out = Zeroizing::new([0_u8; 32]);
    let (n, r, p, memory) = (1 << 15, 8, 1, 64 * 1024 * 1024);
    openssl::pkcs5::scrypt(
        passphrase.expose().as_bytes(),
        salt,
        n,
        r,
        p,
        memory,
        out.as_mut_slice(),
    )?;
    Key::from_slice(out.as_slice()).ok_or(KeyError::PassphraseMissing)
}

/// `signing-N.key`, lowest N first.
fn signing_files(dir: &Path) -> Result<Vec<(u32, PathBuf)>, KeyError> {
    let file = |source| KeyError::File { path: dir.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(file)? {
        let entry = entry.map_err(file)?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_prefix("signing-")?.strip_suffix(".key")?.parse().ok());
        found.extend(number.map(|n| (n, entry.path())));
    }
    found.sort();
    Ok(found)
}

fn signing_place(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write_signing(path: &Path, master: &Key, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let key = EcKey::generate(p256()?.as_ref())?;
    let der = Zeroizing::new(key.private_key_to_der()?);
    let row = signing_place(path);
    let sealed = master.seal(entropy, Place { table: "keys", row: &row, column: "key" }, &der)?;
    write_new(path, format!("{}\n", hex::encode(sealed)).as_bytes())
}

fn read_signing(path: &Path, master: &Key) -> Result<SigningKey, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let text = read(path)?.ok_or_else(malformed)?;
    let sealed = hex::decode(text.trim()).map_err(|_| malformed())?;
    let row = signing_place(path);
    let der = master.open(Place { table: "keys", row: &row, column: "key" }, &sealed)?;
    SigningKey::new(EcKey::private_key_from_der(&der)?)
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::File { path: path.to_owned(), source }),
    }
}

/// Writes a file that must not exist yet, readable by its owner only.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|source| KeyError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use openssl::bn::BigNum;
    use std::os::unix::fs::PermissionsExt;

    fn decode(text: &str) -> Vec<u8> {
        let standard = text.replace('-', "+").replace('_', "/");
        let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
        openssl::base64::decode_block(&padded).unwrap()
    }

    /// Checks a JWS against a JWK as a relying party would, from the published values alone.
    fn verifies(jws: &str, jwk: &Value) -> bool {
        let parts: Vec<&str> = jws.split('.').collect();
        let group = p256().unwrap();
        let number = |name: &str| BigNum::from_slice(&decode(jwk[name].as_str().unwrap())).unwrap();
        let key =
            EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
        let pair = decode(parts[2]);
        let (r, s) = pair.split_at(32);
        let signature = EcdsaSig::from_private_components(
            BigNum::from_slice(r).unwrap(),
            BigNum::from_slice(s).unwrap(),
        )
        .unwrap();
        let text = format!("{}.{}", parts[0], parts[1]);
        signature.verify(&openssl::sha::sha256(text.as_bytes()), &key).unwrap()
    }

    #[test]
    fn signatures_verify_with_the_published_key_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let jws = first.sign("JWT", &json!({"sub": "1"})).unwrap();
        let second = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let jwks = second.jwks();
        assert!(verifies(&jws, &jwks["keys"][0]));
        let forged = jws.replacen("eyJ", "eyK", 1);
        assert!(!verifies(&forged, &jwks["keys"][0]));
    }

    #[test]
    fn a_second_signing_key_signs_and_the_first_is_still_published() {
        // proves H5 (overlap)
        let dir = tempfile::tempdir().unwrap();
        let first = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let old = first.sign("JWT", &json!({})).unwrap();
        write_signing(&dir.path().join("signing-2.key"), first.master(), &SystemEntropy).unwrap();
        let ring = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        let jwks = ring.jwks();
        assert!(verifies(&old, &jwks["keys"][0]));
        assert!(verifies(&ring.sign("JWT", &json!({})).unwrap(), &jwks["keys"][1]));
    }

    #[test]
    fn the_passphrase_seals_the_master_key() {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Secret::from("korrekt hest".to_owned());
        let made = KeyRing::open(dir.path(), Some(&passphrase), &SystemEntropy).unwrap();
        let text = std::fs::read_to_string(dir.path().join("master.key")).unwrap();
        assert!(!text.contains(&hex::encode(made.master().expose())));
        let wrong = KeyRing::open(dir.path(), Some(&Secret::from("x".to_owned())), &SystemEntropy);
        assert!(matches!(wrong, Err(KeyError::Seal(SealError::Open))));
        let none = KeyRing::open(dir.path(), None, &SystemEntropy);
        assert!(matches!(none, Err(KeyError::PassphraseMissing)));
        let again = KeyRing::open(dir.path(), Some(&passphrase), &SystemEntropy).unwrap();
        assert_eq!(again.master().expose(), made.master().expose());
    }

    #[test]
    fn key_files_are_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        for name in ["master.key", "signing-1.key"] {
            let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
