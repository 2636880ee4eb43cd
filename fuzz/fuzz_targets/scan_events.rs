//! What a scanning process tells that a file has taken over.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_scan::fuzzing::events(bytes));
