//! Arithmetic modulo a prime on numbers that are overwritten when dropped.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};

use super::{CryptoError, scalar::Scalar};

/// GF(p).
pub(super) struct Field<'a> {
    prime: &'a BigNumRef,
    context: BigNumContext,
}

impl<'a> Field<'a> {
    pub(super) fn new(prime: &'a BigNumRef) -> Result<Self, CryptoError> {
        Ok(Self { prime, context: BigNumContext::new()? })
    }

    pub(super) fn multiply(&mut self, a: &Scalar, b: &Scalar) -> Result<Scalar, CryptoError> {
        let mut out = BigNum::new()?;
        out.mod_mul(a.number(), b.number(), self.prime, &mut self.context)?;
        Ok(out.into())
    }

    pub(super) fn square(&mut self, a: &Scalar) -> Result<Scalar, CryptoError> {
        self.multiply(a, a)
    }

    pub(super) fn add(&mut self, a: &Scalar, b: &Scalar) -> Result<Scalar, CryptoError> {
        let mut out = BigNum::new()?;
        out.mod_add(a.number(), b.number(), self.prime, &mut self.context)?;
        Ok(out.into())
    }

    pub(super) fn negate(&mut self, a: &Scalar) -> Result<Scalar, CryptoError> {
        let mut out = BigNum::new()?;
        out.mod_sub(&*BigNum::new()?, a.number(), self.prime, &mut self.context)?;
        Ok(out.into())
    }

    pub(super) fn power(
        &mut self,
        base: &BigNumRef,
        exponent: &BigNumRef,
    ) -> Result<Scalar, CryptoError> {
        let mut out = BigNum::new()?;
        out.mod_exp(base, exponent, self.prime, &mut self.context)?;
        Ok(out.into())
    }

    /// `a⁻¹`; the inverse of zero is an error of the library.
    pub(super) fn invert(&mut self, a: &Scalar) -> Result<Scalar, CryptoError> {
        let mut out = BigNum::new()?;
        out.mod_inverse(a.number(), self.prime, &mut self.context)?;
        Ok(out.into())
    }
}
