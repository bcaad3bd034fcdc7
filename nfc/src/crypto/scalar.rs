//! Private numbers: drawn evenly, overwritten when dropped, and multiplied in constant time.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use zeroize::Zeroizing;

use super::{CryptoError, Secret};
use crate::random::{Random, RandomError};

/// A private number that is overwritten when dropped.
pub struct Scalar(BigNum);

impl Drop for Scalar {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// How often a scalar out of range is drawn anew; each draw fails with less than even odds.
const DRAWS: usize = 128;

impl Scalar {
    /// The number of big-endian bytes.
    pub(super) fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        BigNum::from_slice(bytes).map(Self::from).map_err(CryptoError::from)
    }

    /// Drawn evenly from `1..order` by rejection.
    pub(super) fn draw(order: &BigNumRef, random: &mut dyn Random) -> Result<Self, CryptoError> {
        let bits = usize::try_from(order.num_bits()).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; bits.div_ceil(8)]);
        let spare = bytes.len().saturating_mul(8).saturating_sub(bits);
        let mask = 0xFF_u8.checked_shr(u32::try_from(spare).unwrap_or_default()).unwrap_or(0);
        for _ in 0..DRAWS {
            random.fill(&mut bytes)?;
            if let Some(first) = bytes.first_mut() {
                *first &= mask;
            }
            let scalar = Self::from_slice(&bytes)?;
            if scalar.is_within(order) {
                return Ok(scalar);
            }
        }
        Err(CryptoError::Random(RandomError::Exhausted))
    }

    /// Whether it is one of `1..order`.
    pub(super) fn is_within(&self, order: &BigNumRef) -> bool {
        self.0.num_bits() > 0 && self.0.ucmp(order).is_lt()
    }

    #[cfg(test)]
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    pub(super) fn number(&self) -> &BigNumRef {
        &self.0
    }
}

impl From<BigNum> for Scalar {
    fn from(mut number: BigNum) -> Self {
        number.set_const_time();
        Self(number)
    }
}

/// The number of big-endian bytes modulo a prime.
///
/// # Errors
/// [`CryptoError::Library`].
pub(crate) fn reduce(bytes: &Secret, prime: &BigNumRef) -> Result<Scalar, CryptoError> {
    let whole = Scalar::from_slice(bytes.expose())?;
    let mut rest = BigNum::new()?;
    rest.nnmod(whole.number(), prime, &mut *BigNumContext::new()?)?;
    Ok(rest.into())
}
