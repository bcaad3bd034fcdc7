#![no_main]

use mrz_fuzz::{budget, targets};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(4096, 64, data, targets::access_key));
