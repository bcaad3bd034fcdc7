#![no_main]

use nfc_fuzz::{budget, targets::keys};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(65536, 256, data, keys::public_key));
