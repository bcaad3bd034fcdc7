#![no_main]

use nfc_fuzz::{budget, targets::files};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(16384, 256, data, files::lds));
