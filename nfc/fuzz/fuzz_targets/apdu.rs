#![no_main]

use nfc_fuzz::{budget, targets::codec};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(65536, 4096, data, codec::apdu));
