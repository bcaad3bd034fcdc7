#![no_main]

use nfc_fuzz::{budget, targets::trust};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(262144, 512, data, trust::crl));
