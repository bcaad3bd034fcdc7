//! Vectors of numbers, as wide as the processor has them.

use fearless_simd::{Select, Simd, SimdBase};

/// How many numbers a vector has.
#[inline(always)]
pub(super) fn lanes<S: Simd>() -> usize {
    <S::f32s as SimdBase<S>>::LEN
}

#[inline(always)]
pub(super) fn splat<S: Simd>(simd: S, number: f32) -> S::f32s {
    S::f32s::splat(simd, number)
}

/// The vector of this number; zeros behind the last.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, numbers: &[f32], at: usize) -> S::f32s {
    load_from(simd, numbers, at * lanes::<S>())
}

/// The vector that begins here; zeros behind the last.
#[inline(always)]
pub(super) fn load_from<S: Simd>(simd: S, numbers: &[f32], start: usize) -> S::f32s {
    match numbers.get(start..start + lanes::<S>()) {
        Some(numbers) => S::f32s::from_slice(simd, numbers),
        None => splat(simd, 0.0),
    }
}

/// `x` where it is not below zero, else `slope x`; what is no number stays so.
#[inline(always)]
pub(super) fn rectified<S: Simd>(simd: S, x: S::f32s, slope: S::f32s) -> S::f32s {
    x.simd_lt(splat(simd, 0.0)).select(x * slope, x)
}

/// The greater of two; what is no number wins, so that it does not go unseen.
#[inline(always)]
pub(super) fn greater<S: Simd>(a: S::f32s, b: S::f32s) -> S::f32s {
    let number = a.simd_eq(a);
    number.select(b.simd_lt(a).select(a, b), a)
}
