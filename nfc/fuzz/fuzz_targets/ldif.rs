#![no_main]

use nfc_fuzz::{budget, targets::trust};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(65536, 512, data, trust::ldif));
