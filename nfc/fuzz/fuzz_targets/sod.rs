#![no_main]

use nfc_fuzz::{budget, targets::files};

libfuzzer_sys::fuzz_target!(|data: &[u8]| budget::within(1048576, 4096, data, files::sod));
