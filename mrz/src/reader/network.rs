//! The three networks, all of our own (`models/README.md`): two locators and the line recogniser,
//! which turns the picture of one line into scores of every symbol at 160 places from left to right.
//! Each is trusted only if its bytes are those pinned here.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;

use super::{ReaderError, zone::ZONE};

/// What the recogniser takes, in pixels.
pub(super) const CROP_WIDTH: usize = 640;
/// What the recogniser takes, in pixels.
pub(super) const CROP_HEIGHT: usize = 32;
/// What the first locator takes, in pixels: a square.
pub(super) const WHOLE: usize = 384;
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

/// What finds lines: each gives core, cosine and sine at half of the input's size, one after another,
/// or `None` where the network fails or gives what is no number.
pub(super) trait Locators {
    /// Of the whole picture or a square of it.
    fn whole(&self, input: &[f32]) -> Option<Vec<f32>>;
    /// Of a zone.
    fn zone(&self, input: &[f32]) -> Option<Vec<f32>>;
}

/// A file of the crate: its bytes, their SHA-256, and the rows and columns it takes.
struct Pinned {
    bytes: &'static [u8],
    sha256: &'static str,
    size: [usize; 2],
}

static RECOGNISER: Pinned = Pinned {
    bytes: include_bytes!("../../models/mrz_ctc.onnx"),
    sha256: "ee295a5b478dfb026d7f7fe33c5adaeb094da4c73900c8907289815d18da4df2",
    size: [CROP_HEIGHT, CROP_WIDTH],
};
static WHOLE_LOCATOR: Pinned = Pinned {
    bytes: include_bytes!("../../models/mrz_whole.onnx"),
    sha256: "404c53b5a75e12ad2e374b42ef348ceed52c25a02e0782e397c1056e275345d8",
    size: [WHOLE, WHOLE],
};
static ZONE_LOCATOR: Pinned = Pinned {
    bytes: include_bytes!("../../models/mrz_zone.onnx"),
    sha256: "6811be460d63c3627c8fac24f946586bcbeed016b777376b9d37675405d38e43",
    size: [ZONE.1, ZONE.0],
};

/// A pinned network, ready to run: one picture in, one block of numbers out.
struct Plan {
    size: [usize; 2],
    model: Arc<TypedRunnableModel>,
}

impl Plan {
    fn load(pinned: &Pinned) -> Result<Self, ReaderError> {
        let digest = Sha256::digest(pinned.bytes);
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if found != pinned.sha256 {
            return Err(ReaderError::ModelAltered);
        }
        let model = planned(pinned).map_err(|error| ReaderError::Model(error.into()))?;
        Ok(Self { size: pinned.size, model })
    }

    /// `None` where the input has another size, the network fails, or either is no number.
    fn run(&self, input: &[f32]) -> Option<Vec<f32>> {
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        let [rows, columns] = self.size;
        let input =
            finite(input).then(|| Tensor::from_shape(&[1, 1, rows, columns], input))?.ok()?;
        let output = self.model.run(tvec!(input.into())).ok()?;
        let values = output.first()?.to_plain_array_view::<f32>().ok()?;
        let values: Vec<f32> = values.iter().copied().collect();
        finite(&values).then_some(values)
    }
}

fn planned(pinned: &Pinned) -> TractResult<Arc<TypedRunnableModel>> {
    let [rows, columns] = pinned.size;
    let input = f32::fact([1, 1, rows, columns]);
    let model = onnx().model_for_read(&mut &*pinned.bytes)?.with_input_fact(0, input.into())?;
    model.into_optimized()?.into_runnable()
}

/// The recogniser.
pub(super) struct Recogniser(Plan);

impl Recogniser {
    fn load() -> Result<Self, ReaderError> {
        Plan::load(&RECOGNISER).map(Self)
    }
}

impl LineNetwork for Recogniser {
    fn scores(&self, crop: &[f32]) -> Option<Scores> {
        let logits = self.0.run(crop)?;
        let (rows, rest) = logits.as_chunks::<CLASSES>();
        (rows.len() == PLACES && rest.is_empty()).then(|| rows.iter().map(log_softmax).collect())
    }
}

/// Both locators.
pub(super) struct Pair {
    whole: Plan,
    zone: Plan,
}

impl Pair {
    fn load() -> Result<Self, ReaderError> {
        Ok(Self { whole: Plan::load(&WHOLE_LOCATOR)?, zone: Plan::load(&ZONE_LOCATOR)? })
    }
}

impl Locators for Pair {
    fn whole(&self, input: &[f32]) -> Option<Vec<f32>> {
        self.whole.run(input)
    }

    fn zone(&self, input: &[f32]) -> Option<Vec<f32>> {
        self.zone.run(input)
    }
}

/// All that the reader needs.
pub(super) struct Networks {
    pub(super) locators: Pair,
    pub(super) recogniser: Recogniser,
}

impl Networks {
    pub(super) fn load() -> Result<Self, ReaderError> {
        Ok(Self { locators: Pair::load()?, recogniser: Recogniser::load()? })
    }
}

fn log_softmax(logits: &[f32; CLASSES]) -> [f32; CLASSES] {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let log_sum = sum.ln();
    logits.map(|logit| logit - most - log_sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_recogniser_loads_and_runs() {
        let network = Recogniser::load().unwrap();
        let scores = network.scores(&[0.0; CROP_WIDTH * CROP_HEIGHT]).unwrap();
        let total: f32 = scores[80].iter().map(|score| score.exp()).sum();
        assert!((total - 1.0).abs() < 1e-4);
        assert!(network.scores(&[f32::NAN; CROP_WIDTH * CROP_HEIGHT]).is_none());
        assert!(network.scores(&[0.0; 7]).is_none());
    }

    #[test]
    fn the_pinned_locators_load_and_run() {
        let locators = Pair::load().unwrap();
        let whole = locators.whole(&[0.0; WHOLE * WHOLE]).unwrap();
        assert_eq!(whole.len(), 3 * WHOLE * WHOLE / 4);
        let zone = locators.zone(&[0.0; ZONE.0 * ZONE.1]).unwrap();
        assert_eq!(zone.len(), 3 * ZONE.0 * ZONE.1 / 4);
    }
}
