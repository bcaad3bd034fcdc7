#![no_main]

use nfc_fuzz::{budget, targets::codec};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(4096, 2048, data, codec::tlv));
