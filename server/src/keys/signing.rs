//! One signing key: P-256, ES256 (RFC 7518 §3.4), in a file or in the token.

use super::files::{read, write_new};
use super::ledger::{Held, Line};
use super::{KeyError, Master, Protection, Token, base64url};
use crate::clock::Entropy;
use crate::seal::Place;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Private, Public};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The coordinates of a public key, base64url (RFC 7518 §6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    x: String,
    y: String,
}

impl Jwk {
    /// Of the two coordinates.
    pub(super) fn new(x: &[u8], y: &[u8]) -> Self {
        Self { x: base64url(x), y: base64url(y) }
    }

    /// The thumbprint that names the key (RFC 7638 §3).
    #[must_use]
    pub fn id(&self) -> String {
        let Self { x, y } = self;
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        base64url(&openssl::sha::sha256(members.as_bytes()))
    }

    /// As it is published (RFC 7517 §4).
    #[must_use]
    pub fn published(&self) -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.id(), "alg": "ES256", "use": "sig"})
    }

    fn key(&self) -> Result<EcKey<Public>, ErrorStack> {
        let number = |text: &str| BigNum::from_slice(&decode(text)?);
        EcKey::from_public_key_affine_coordinates(
            p256()?.as_ref(),
            number(&self.x)?.as_ref(),
            number(&self.y)?.as_ref(),
        )
    }
}

fn decode(text: &str) -> Result<Vec<u8>, ErrorStack> {
    let standard = text.replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - standard.len() % 4) % 4);
    openssl::base64::decode_block(&format!("{standard}{padding}"))
}

enum Half {
    File(EcKey<Private>),
    Token(Arc<Token>, String),
    /// It has signed its last.
    Destroyed,
}

pub(super) struct SigningKey {
    pub(super) line: Line,
    half: Half,
}

impl SigningKey {
    /// The key of `line`, proved to fit its published half by one signature.
    pub(super) fn load(
        dir: &Path,
        line: &Line,
        master: &Master,
        token: Option<&Arc<Token>>,
    ) -> Result<Self, KeyError> {
        let half = match line.held {
            Held::File => Half::File(open_file(&file(dir, line.number), master)?),
            Held::Token => {
                let token = token.ok_or(KeyError::TokenMissing)?;
                Half::Token(token.clone(), label(line.number))
            }
            Held::Destroyed => Half::Destroyed,
        };
        let key = Self { line: line.clone(), half };
        if key.can_sign() && !key.fits()? {
            return Err(KeyError::Mismatch { number: line.number });
        }
        Ok(key)
    }

    pub(super) fn can_sign(&self) -> bool {
        !matches!(self.half, Half::Destroyed)
    }

    /// A compact JWS.
    pub(super) fn sign(&self, kind: &str, claims: &Value) -> Result<String, KeyError> {
        let header = json!({"alg": "ES256", "typ": kind, "kid": self.line.jwk.id()});
        let text = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let pair = self.sign_digest(&hash(MessageDigest::sha256(), text.as_bytes())?)?;
        Ok(format!("{text}.{}", base64url(&pair)))
    }

    /// `r ‖ s`, 32 bytes each.
    fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.half {
            Half::File(key) => {
                let signature = EcdsaSig::sign(digest, key)?;
                Ok([signature.r().to_vec_padded(32)?, signature.s().to_vec_padded(32)?].concat())
            }
            Half::Token(token, label) => Ok(token.sign(label, digest)?),
            Half::Destroyed => Err(KeyError::NoSigningKey),
        }
    }

    fn fits(&self) -> Result<bool, KeyError> {
        let digest = openssl::sha::sha256(b"indrul: does this key fit its published half?");
        let pair = self.sign_digest(&digest)?;
        let Some((r, s)) = pair.split_at_checked(32) else { return Ok(false) };
        let signature =
            EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
        Ok(signature.verify(&digest, self.line.jwk.key()?.as_ref())?)
    }
}

/// What keys are made with.
pub(super) type Means<'a> = (&'a Master, &'a Protection, &'a dyn Entropy);

/// A new key that signs from `from` on: in the token where there is one, else in a file.
pub(super) fn make(
    dir: &Path,
    number: u32,
    from: i64,
    (master, protection, entropy): Means<'_>,
) -> Result<Line, KeyError> {
    if let Some(token) = &protection.token {
        let (x, y) = token.make_signing(&label(number))?;
        return Ok(Line { number, held: Held::Token, from, jwk: Jwk::new(&x, &y) });
    }
    let key = EcKey::generate(p256()?.as_ref())?;
    let der = Zeroizing::new(key.private_key_to_der()?);
    let path = file(dir, number);
    let sealed = master.seal(entropy, place(&row(&path)), &der)?;
    write_new(&path, format!("{}\n", hex::encode(sealed)).as_bytes())?;
    Ok(Line { number, held: Held::File, from, jwk: public(&key)? })
}

/// The public half of the key in a file.
pub(super) fn of_file(path: &Path, master: &Master) -> Result<Jwk, KeyError> {
    public(open_file(path, master)?.as_ref())
}

/// Where the key of this number is, if it is in a file.
pub(super) fn file(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("signing-{number}.key"))
}

/// Its name in the token, if it is there.
pub(super) fn label(number: u32) -> String {
    format!("indrul-signing-{number}")
}

/// The name under which a file's key is sealed.
pub(super) fn row(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn place(row: &str) -> Place<'_> {
    Place { table: "keys", row, column: "key" }
}

pub(super) fn sealed_bytes(path: &Path) -> Result<Vec<u8>, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let text = read(path)?.ok_or_else(malformed)?;
    hex::decode(text.trim()).map_err(|_| malformed())
}

fn open_file(path: &Path, master: &Master) -> Result<EcKey<Private>, KeyError> {
    let der = master.open(place(&row(path)), &sealed_bytes(path)?)?;
    Ok(EcKey::private_key_from_der(&der)?)
}

fn p256() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
}

fn public(key: &openssl::ec::EcKeyRef<Private>) -> Result<Jwk, KeyError> {
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    Ok(Jwk::new(&x.to_vec_padded(32)?, &y.to_vec_padded(32)?))
}
