#![no_main]

use nfc_fuzz::{budget, targets::messaging};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(4194304, 65536, data, messaging::unwrap));
