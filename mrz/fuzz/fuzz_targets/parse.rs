#![no_main]

use mrz_fuzz::{budget, targets};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(131072, 512, data, targets::parse));
