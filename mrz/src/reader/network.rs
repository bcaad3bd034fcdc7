//! The line recogniser: a small convolutional network of our own (`models/README.md`) that turns the
//! picture of one line into scores of every symbol at 160 places from left to right. It is trusted
//! only if its bytes are those pinned here.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;

use super::ReaderError;

static MODEL: &[u8] = include_bytes!("../../models/mrz_ctc.onnx");
const MODEL_SHA256: &str = "194009b4fa4680d0453acccb41d4b8f954f17272671f20dc90e5e28a9b9af47b";

/// What the network takes, in pixels.
pub(super) const CROP_WIDTH: usize = 640;
/// What the network takes, in pixels.
pub(super) const CROP_HEIGHT: usize = 32;
/// Places from left to right.
pub(super) const PLACES: usize = 160;
/// Symbols of the alphabet; class 0 is "nothing here", class 1 + n is symbol n.
pub(super) const SYMBOLS: [char; 37] = [
    '<', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H',
    'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
];
/// Symbols and "nothing here".
pub(super) const CLASSES: usize = 38;

/// Natural logarithms of probabilities, one row a place.
pub(super) type Scores = Vec<[f32; CLASSES]>;

/// What recognises one line.
pub(super) trait LineNetwork {
    /// Scores of a line's picture, `CROP_HEIGHT` rows of `CROP_WIDTH` values within ±2. `None`
    /// where the network fails or gives what is no number.
    fn scores(&self, crop: &[f32]) -> Option<Scores>;
}

/// The pinned network, ready to run.
pub(super) struct Network(Arc<TypedRunnableModel>);

impl Network {
    pub(super) fn load() -> Result<Self, ReaderError> {
        let found: String =
            Sha256::digest(MODEL).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != MODEL_SHA256 {
            return Err(ReaderError::ModelAltered);
        }
        plan().map(Self).map_err(|error| ReaderError::Model(error.into()))
    }
}

fn plan() -> TractResult<Arc<TypedRunnableModel>> {
    let input = f32::fact([1, 1, CROP_HEIGHT, CROP_WIDTH]);
    let model = onnx().model_for_read(&mut &*MODEL)?.with_input_fact(0, input.into())?;
    model.into_optimized()?.into_runnable()
}

impl LineNetwork for Network {
    fn scores(&self, crop: &[f32]) -> Option<Scores> {
        let input = Tensor::from_shape(&[1, 1, CROP_HEIGHT, CROP_WIDTH], crop).ok()?;
        let output = self.0.run(tvec!(input.into())).ok()?;
        let logits = output.first()?.to_plain_array_view::<f32>().ok()?;
        let (rows, rest) = logits.as_slice()?.as_chunks::<CLASSES>();
        (rows.len() == PLACES && rest.is_empty()).then(|| rows.iter().map(log_softmax).collect())?
    }
}

fn log_softmax(logits: &[f32; CLASSES]) -> Option<[f32; CLASSES]> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let log_sum = sum.ln();
    let scores = logits.map(|logit| logit - most - log_sum);
    scores.iter().all(|score| score.is_finite()).then_some(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_network_loads_and_runs() {
        let scores = Network::load().unwrap().scores(&[0.0; CROP_WIDTH * CROP_HEIGHT]).unwrap();
        let total: f32 = scores[80].iter().map(|score| score.exp()).sum();
        assert!((total - 1.0).abs() < 1e-4);
    }

    #[test]
    fn what_is_no_number_is_no_score() {
        assert!(log_softmax(&[f32::NAN; CLASSES]).is_none());
    }
}
