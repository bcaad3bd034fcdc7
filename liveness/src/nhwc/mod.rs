//! Runs convolutional networks, faster than tract runs them: pixel after pixel in memory (NHWC), so
//! that every step reckons with whole vectors of channels, and with all that follows a convolution
//! (a picture added, a rectifier) done before its sums leave the registers.
//!
//! Only the operations that face networks are made of are known; any other network is tract's. What
//! comes out is the same but for the order of additions.

mod dense;
mod depthwise;
mod finish;
mod grid;
mod lower;
mod onnx;
#[cfg(test)]
mod pinned;
mod plain;
mod program;
mod vector;

pub(crate) use program::Program;
