#![no_main]

use mrz_fuzz::{budget, targets};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(33554432, 262144, data, targets::names));
