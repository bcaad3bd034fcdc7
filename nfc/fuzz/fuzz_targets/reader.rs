#![no_main]

use nfc_fuzz::{budget, targets::reading};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(67108864, 65536, data, reading::reader));
