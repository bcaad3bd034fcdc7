#![no_main]

use nfc_fuzz::{budget, targets::trust};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(16777216, 4096, data, trust::paths));
