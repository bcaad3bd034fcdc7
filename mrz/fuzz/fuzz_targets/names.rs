#![no_main]

use mrz_fuzz::{budget, targets};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(16777216, 65536, data, targets::names));
